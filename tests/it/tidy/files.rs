//! What a file is for, and how long it is.

use super::source::{assert_none, sources};

/// Lines of code and documentation, without tests, after which a file has a second idea.
const MOST_LINES: usize = 400;

/// Longer files, and why. The list only shrinks.
const LONGER: &[(&str, &str)] = &[("estimate_id.rs", "the parts of an identity, and how they are written and read")];

/// The lines of `text` without its modules of tests.
fn n_lines_of_code(text: &str) -> usize {
    let (mut n, mut in_tests) = (0, false);
    for line in text.lines() {
        in_tests |= line == "#[cfg(test)]";
        n += usize::from(!in_tests);
        in_tests &= line != "}" && !(line.contains("mod ") && line.ends_with(';'));
    }
    n
}

#[test]
fn every_file_begins_with_its_purpose() {
    let nameless = sources().iter().filter(|source| !source.text.starts_with("//! "));
    let found: Vec<String> = nameless.map(|source| format!("src/{}", source.name)).collect();
    assert_none(&found, "a file begins with `//! ` and what it is for");
}

#[test]
fn files_have_at_most_four_hundred_lines() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| !source.text.contains("#![cfg(test)]")) {
        let n = n_lines_of_code(&source.text);
        let is_listed = LONGER.iter().any(|(name, _)| *name == source.name);
        if (n > MOST_LINES) != is_listed {
            found.push(format!(
                "src/{} has {n} lines and is{} in LONGER",
                source.name,
                if is_listed { "" } else { " not" }
            ));
        }
    }
    let missing = LONGER.iter().filter(|(name, _)| sources().iter().all(|source| source.name != *name));
    found.extend(missing.map(|(name, _)| format!("src/{name} is in LONGER and not there")));
    assert_none(&found, "a file has at most 400 lines without its tests, or a reason in LONGER");
}
