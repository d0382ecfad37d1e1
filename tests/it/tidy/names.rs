//! Names that mean one thing.

use std::collections::BTreeMap;

use super::source::{assert_none, sources};

/// Words that are no name for a value: they do not say which.
const VAGUE: &[&str] = &["all", "it", "known", "of", "one"];

#[test]
fn bindings_have_specific_names() {
    let mut found = Vec::new();
    for source in sources() {
        let vague: Vec<&str> = VAGUE.iter().copied().filter(|name| source.bindings.contains(*name)).collect();
        if !vague.is_empty() {
            found.push(format!("src/{} has bindings called {}", source.name, vague.join(", ")));
        }
    }
    assert_none(&found, "a binding or parameter says what it is");
}

#[test]
fn a_type_name_is_used_once_within_a_top_level_module() {
    let sources = sources();
    let mut places: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for source in sources {
        let floor = source.module.get(1).map_or("", String::as_str);
        for name in &source.types {
            places.entry((floor, name)).or_default().push(&source.name);
        }
    }
    places.retain(|_, files| files.len() > 1);
    let line =
        |((floor, name), files): (&(&str, &str), &Vec<&str>)| format!("{floor}: `{name}` in {}", files.join(", "));
    let found: Vec<String> = places.iter().map(line).collect();
    assert_none(&found, "a type name means one thing within a floor");
}
