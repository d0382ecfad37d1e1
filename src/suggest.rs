//! Values that are selected by name, and suggestions for misspelt names.

use std::fmt;

/// A closed set of values, each with its name in files and tables.
pub trait Named: Copy + 'static {
    /// Every value, in the order in which messages list them.
    const ALL: &'static [Self];

    /// The name of the value.
    fn name(self) -> &'static str;

    /// The value called `name`.
    ///
    /// # Errors
    /// If no value has this name; the error lists the names.
    fn find(name: &str) -> Result<Self, Suggestion> {
        let found = Self::ALL.iter().copied().find(|value| value.name() == name);
        found.ok_or_else(|| suggestion(name, Self::ALL.iter().map(|value| value.name())))
    }
}

/// What to write instead of an unknown name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Suggestion {
    /// One name is similar enough.
    DidYouMean(String),
    /// No name is similar; these are all names.
    Known(Vec<String>),
}

impl fmt::Display for Suggestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DidYouMean(name) => write!(f, "did you mean `{name}`?"),
            Self::Known(names) if names.is_empty() => f.write_str("there are none"),
            Self::Known(names) => {
                let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                write!(f, "known: {}", quoted.join(", "))
            }
        }
    }
}

/// The name most similar to `name`, or all names if none is similar.
pub fn suggestion<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Suggestion {
    // Jaro-Winkler similarity above 0.7 means a letter or two of difference; below, a suggestion would be misleading.
    const NEAR: f64 = 0.7;
    let names: Vec<&str> = names.into_iter().collect();
    let similarity = |candidate: &&&str| strsim::jaro_winkler(name, candidate);
    match names.iter().max_by(|a, b| similarity(a).total_cmp(&similarity(b))) {
        Some(nearest) if similarity(&nearest) > NEAR => Suggestion::DidYouMean((*nearest).to_owned()),
        _ => Suggestion::Known(names.into_iter().map(str::to_owned).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_gets_the_most_similar_one_and_an_unknown_name_gets_the_list() {
        let check = |name: &str, names: &[&str], expected: &str| {
            assert_eq!(suggestion(name, names.iter().copied()).to_string(), expected);
        };
        check("epoks", &["batch", "epochs"], "did you mean `epochs`?");
        check("zzz", &["batch", "epochs"], "known: `batch`, `epochs`");
        check("zzz", &[], "there are none");
    }
}
