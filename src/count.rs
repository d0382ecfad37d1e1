//! Printing of numbers: counts with their noun ("1 run", "2 runs") and values with decimals.

use std::fmt::Display;

/// A count with its noun; `noun` is singular and has a regular plural.
pub(crate) fn counted(n: impl Display, noun: &str) -> String {
    let n = n.to_string();
    match n.as_str() {
        "1" => format!("{n} {noun}"),
        _ => format!("{n} {}", plural(noun)),
    }
}

/// The plural of `noun`.
pub(crate) fn plural(noun: &str) -> String {
    if noun.ends_with('s') { format!("{noun}es") } else { format!("{noun}s") }
}

/// A value with four decimals; zero has no sign.
#[cfg(feature = "pipeline")]
pub(crate) fn shown(number: f64) -> String {
    let text = format!("{number:.4}");
    if text == "-0.0000" { "0.0000".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_of_one_is_singular() {
        assert_eq!(
            [counted(0, "run"), counted(1, "run"), counted(2_i64, "class"), counted(1_usize, "class")],
            ["0 runs", "1 run", "2 classes", "1 class"]
        );
    }
}
