//! Names that mean one thing.

use std::collections::BTreeMap;

use super::source::{assert_none, sources};

/// Words that are no name for a value: they do not say which.
const VAGUE: &[&str] = &["all", "it", "known", "of", "one"];

/// Files that still have bindings of such names. The list only shrinks.
const WITH_VAGUE_NAMES: &[&str] = &[
    "cli/data.rs",
    "cli/movie.rs",
    "cli/parameters.rs",
    "cli/summary.rs",
    "cli/sweep.rs",
    "config/estimate.rs",
    "config/training.rs",
    "import/packed.rs",
    "parameter.rs",
    "stages/bound.rs",
    "stages/check/mod.rs",
    "stages/data/describe.rs",
    "stages/estimate/plan.rs",
    "stages/estimate/snapshots.rs",
    "stages/estimate/tables.rs",
    "stages/exact/linear.rs",
    "stages/inspect/validate.rs",
    "stages/mod.rs",
    "stages/record/mod.rs",
    "stages/summary.rs",
    "stages/sweep/mod.rs",
    "stages/sweep/tables.rs",
    "stages/trainings.rs",
    "store/activations.rs",
    "store/identity.rs",
    "store/recording.rs",
];

#[test]
fn bindings_say_what_they_are() {
    let sources = sources();
    let mut found = Vec::new();
    for source in sources {
        let vague: Vec<&str> = VAGUE.iter().copied().filter(|name| source.bindings.contains(*name)).collect();
        match (vague.is_empty(), WITH_VAGUE_NAMES.contains(&source.name.as_str())) {
            (false, false) => found.push(format!("src/{} has bindings called {}", source.name, vague.join(", "))),
            (true, true) => {
                found.push(format!("src/{} has none any more: strike it from WITH_VAGUE_NAMES", source.name))
            }
            _ => {}
        }
    }
    assert_none(&found, "a binding or parameter says what it is");
}

#[test]
fn a_type_name_means_one_thing_within_a_floor() {
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
