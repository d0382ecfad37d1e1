//! Numbers of things in words: "1 run", "2 runs".

use std::fmt::Display;

/// The number with its noun, which is given in the singular and has a regular plural.
pub(crate) fn counted(n: impl Display, noun: &str) -> String {
    let n = n.to_string();
    match n.as_str() {
        "1" => format!("{n} {noun}"),
        _ => format!("{n} {}", plural(noun)),
    }
}

/// Several of `noun`.
pub(crate) fn plural(noun: &str) -> String {
    if noun.ends_with('s') { format!("{noun}es") } else { format!("{noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_has_no_plural() {
        assert_eq!(
            [counted(0, "run"), counted(1, "run"), counted(2_i64, "class"), counted(1_usize, "class")],
            ["0 runs", "1 run", "2 classes", "1 class"]
        );
    }
}
