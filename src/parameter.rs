//! Named parameters of the registries' entries (estimators, data sets): declared and checked in one place, for TOML and
//! the command line.

use std::collections::BTreeMap;
use std::fmt;

use thiserror::Error;

use crate::suggest::{Suggestion, suggestion};

/// One parameter that an entry of a registry takes.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Key in the TOML file; on the command line it is an option with `--`, and dashes replace the underscores.
    pub name: &'static str,
    /// Meaning of the parameter: one sentence for the help text, with unit and default.
    pub doc: &'static str,
    /// Which values are allowed.
    pub kind: Kind,
    /// Default, in the form of the command line; several values are one choice each. Empty if the entry chooses the
    /// value itself.
    pub default: &'static str,
}

/// The values a parameter may take.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A whole number in a range.
    Count {
        /// Smallest allowed value.
        min: u64,
        /// Largest allowed value.
        max: u64,
    },
    /// Any finite number above zero.
    Positive,
    /// Any finite number of at least zero.
    NotNegative,
    /// Any finite number.
    Number,
    /// One of the named choices.
    Choice(&'static [&'static str]),
    /// True or false; on the command line an option without value.
    Flag,
    /// A first and a last step, `100-110`.
    Steps,
    /// Rows of finite numbers as text, with equally many numbers in each row: `1 0.5; 0 1`.
    Rows,
}

/// A help text as the beginning of a sentence. The name of a parameter or of a choice, such as `n_bins` or `idnns:`, keeps its
/// letters.
#[cfg(feature = "pipeline")]
pub(crate) fn capitalised(text: &str) -> String {
    let (word, rest) = text.split_at(text.find(' ').unwrap_or(text.len()));
    let mut letters = word.chars();
    match letters.next() {
        Some(first) if word.chars().all(|letter| letter.is_alphabetic() || letter == '-') => {
            format!("{}{}{rest}", first.to_uppercase(), letters.as_str())
        }
        _ => text.to_owned(),
    }
}

/// A parameter's value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A whole number.
    Count(u64),
    /// A real number.
    Number(f64),
    /// A choice.
    Text(String),
    /// True or false.
    Flag(bool),
}

/// Checked parameters: every name is declared, and every value has its declared kind.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parameters(BTreeMap<&'static str, Value>);

/// Why parameters were refused.
#[derive(Debug, Error, PartialEq)]
pub enum ParameterError {
    /// No parameter has this name.
    #[error("unknown parameter `{name}`; {suggestion}")]
    Unknown {
        /// The given name.
        name: String,
        /// The most similar name, or all names.
        suggestion: Suggestion,
    },
    /// The value is not of the declared kind.
    #[error("parameter `{name}`: must be {allowed}, got {got}")]
    Value {
        /// The parameter.
        name: &'static str,
        /// What is allowed.
        allowed: String,
        /// What was given.
        got: String,
    },
    /// Two parameters exclude each other.
    #[error("parameters `{first}` and `{second}` exclude each other; give one of them")]
    Exclusive {
        /// Name of the first parameter.
        first: &'static str,
        /// Name of the second parameter.
        second: &'static str,
    },
    /// Any other reason, as one sentence.
    #[error("{0}")]
    Refused(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Count(count) => write!(f, "{count}"),
            // A file name has at most 255 bytes, so 1e-300 must not be written in full.
            Value::Number(number) if *number != 0.0 && !(1e-4..1e7).contains(&number.abs()) => write!(f, "{number:e}"),
            Value::Number(number) => write!(f, "{number}"),
            Value::Text(text) => write!(f, "{text}"),
            Value::Flag(flag) => write!(f, "{flag}"),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Count { min, max } => write!(f, "a whole number from {min} to {max}"),
            Kind::Positive => write!(f, "a finite number above 0"),
            Kind::NotNegative => write!(f, "a finite number of at least 0"),
            Kind::Number => write!(f, "a finite number"),
            Kind::Choice(choices) => write!(f, "one of {}", choices.join(", ")),
            Kind::Flag => write!(f, "true or false"),
            Kind::Steps => write!(f, "a first and a last step such as 100-110"),
            Kind::Rows => write!(f, "rows of finite numbers, all of one length, such as \"1 0.5; 0 1\""),
        }
    }
}

impl Value {
    /// Parses an argument of the command line: a whole number, otherwise a number, otherwise text.
    pub fn parse(word: &str) -> Self {
        if let Ok(count) = word.parse() {
            return Value::Count(count);
        }
        word.parse().map_or_else(|_| Value::Text(word.to_owned()), Value::Number)
    }

    /// Parses an argument of the command line that may have several values, separated by commas.
    pub fn parse_list(word: &str) -> Vec<Self> {
        word.split(',').map(|word| Self::parse(word.trim())).collect()
    }

    /// The value as a whole number, even if it is written as `1e2` or `100.0`.
    fn count(&self) -> Option<u64> {
        const BEYOND: f64 = 18_446_744_073_709_551_616.0; // 2⁶⁴
        match self {
            Value::Count(count) => Some(*count),
            Value::Number(number) => {
                (number.fract() == 0.0 && (0.0..BEYOND).contains(number)).then_some(*number as u64)
            }
            Value::Text(_) | Value::Flag(_) => None,
        }
    }

    /// The value as a parameter of this kind has it; `None` if it cannot be one.
    pub(crate) fn fits(self, kind: Kind) -> Option<Self> {
        let number = match self {
            Value::Count(count) => Some(count as f64),
            Value::Number(number) => Some(number),
            Value::Text(_) | Value::Flag(_) => None,
        };
        match (kind, &self) {
            (Kind::Count { min, max }, _) => self.count().filter(|n| (min..=max).contains(n)).map(Value::Count),
            (Kind::Positive, _) => number.filter(|n| n.is_finite() && *n > 0.0).map(Value::Number),
            (Kind::NotNegative, _) => number.filter(|n| n.is_finite() && *n >= 0.0).map(Value::Number),
            (Kind::Number, _) => number.filter(|n| n.is_finite()).map(Value::Number),
            (Kind::Choice(choices), Value::Text(text)) if choices.contains(&text.as_str()) => Some(self),
            (Kind::Flag, Value::Flag(_)) => Some(self),
            (Kind::Steps, Value::Text(text)) if steps(text).is_some() => Some(self),
            // In one form, so that equal numbers are equal values.
            (Kind::Rows, Value::Text(text)) => rows(text).map(|rows| Value::Text(text_of(&rows))),
            (Kind::Rows, _) => number.filter(|n| n.is_finite()).map(|n| Value::Text(text_of(&[vec![n]]))),
            _ => None,
        }
    }
}

/// The two numbers of `100-110`, which must be in order.
fn steps(text: &str) -> Option<(i64, i64)> {
    let (first, last) = text.split_once('-')?;
    let (first, last) = (first.parse::<u32>().ok()?, last.parse::<u32>().ok()?);
    (first <= last).then_some((first.into(), last.into()))
}

/// The numbers of `1 0.5; 0 1`, row by row.
fn rows(text: &str) -> Option<Vec<Vec<f64>>> {
    let number = |word: &str| word.parse().ok().filter(|n: &f64| n.is_finite());
    let row = |row: &str| row.split_whitespace().map(number).collect::<Option<Vec<f64>>>();
    let rows = text.split(';').map(row).collect::<Option<Vec<Vec<f64>>>>()?;
    let n_columns = rows.first().map_or(0, Vec::len);
    (n_columns > 0 && rows.iter().all(|row| row.len() == n_columns)).then_some(rows)
}

fn text_of(rows: &[Vec<f64>]) -> String {
    let words = |row: &Vec<f64>| row.iter().map(|n| Value::Number(*n).to_string()).collect::<Vec<_>>().join(" ");
    rows.iter().map(words).collect::<Vec<_>>().join("; ")
}

impl Parameters {
    /// Checks the `given` values against the `declared` parameters.
    ///
    /// # Errors
    /// A name that is not declared, or a value of another kind or out of range.
    pub fn new(
        declared: &'static [Parameter],
        given: impl IntoIterator<Item = (String, Value)>,
    ) -> Result<Self, ParameterError> {
        let mut checked = BTreeMap::new();
        for (name, value) in given {
            let Some(parameter) = declared.iter().find(|p| p.name == name) else {
                let suggestion = suggestion(&name, declared.iter().map(|p| p.name));
                return Err(ParameterError::Unknown { name, suggestion });
            };
            let got = value.to_string();
            let value = value.fits(parameter.kind).ok_or_else(|| ParameterError::Value {
                name: parameter.name,
                allowed: parameter.kind.to_string(),
                got,
            })?;
            checked.insert(parameter.name, value);
        }
        Ok(Self(checked))
    }

    /// Every combination of the `given` values and the defaults: each parameter with one of its values.
    ///
    /// # Errors
    /// See [`Parameters::new`].
    pub fn product(
        declared: &'static [Parameter],
        given: Vec<(String, Vec<Value>)>,
    ) -> Result<Vec<Self>, ParameterError> {
        let is_left_out = |parameter: &&Parameter| given.iter().all(|(name, _)| name != parameter.name);
        let defaults = declared.iter().filter(|parameter| !parameter.default.is_empty()).filter(is_left_out);
        let defaults: Vec<_> =
            defaults.map(|parameter| (parameter.name.to_owned(), Value::parse_list(parameter.default))).collect();
        let mut combinations: Vec<Vec<(String, Value)>> = vec![Vec::new()];
        for (name, values) in given.into_iter().chain(defaults) {
            let with = |value: &Value| {
                let with = |chosen: &Vec<_>| [chosen.as_slice(), &[(name.clone(), value.clone())]].concat();
                combinations.iter().map(with).collect::<Vec<_>>()
            };
            combinations = values.iter().flat_map(with).collect();
        }
        combinations.into_iter().map(|chosen| Self::new(declared, chosen)).collect()
    }

    /// The whole number `name`, if it was given.
    pub fn count(&self, name: &str) -> Option<usize> {
        match self.0.get(name) {
            Some(Value::Count(count)) => usize::try_from(*count).ok(),
            _ => None,
        }
    }

    /// The real number `name`, if it was given.
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.0.get(name) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// The choice `name`, if it was given.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether `name` was given and is true.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.0.get(name), Some(Value::Flag(true)))
    }

    /// The first and the last step of `name`, if they were given.
    pub fn steps(&self, name: &str) -> Option<(i64, i64)> {
        self.text(name).and_then(steps)
    }

    /// The rows of numbers of `name`, if they were given.
    pub fn rows(&self, name: &str) -> Option<Vec<Vec<f64>>> {
        self.text(name).and_then(rows)
    }

    /// These parameters, with `value` for the declared parameter `name`.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: Value) -> Self {
        self.0.insert(name, value);
        self
    }

    /// These parameters, with the defaults of the `declared` parameters that were not given.
    pub fn or_defaults(&self, declared: &'static [Parameter]) -> Self {
        let mut values = self.0.clone();
        for parameter in declared {
            if let Some(default) = default(parameter) {
                values.entry(parameter.name).or_insert(default);
            }
        }
        Self(values)
    }

    /// These parameters without those that equal their defaults, so that two with one meaning are equal.
    pub fn but_defaults(&self, declared: &'static [Parameter]) -> Self {
        // A flag is false by default.
        let is_default = |name: &str, value: &Value| {
            *value == Value::Flag(false)
                || declared.iter().any(|parameter| parameter.name == name && default(parameter).as_ref() == Some(value))
        };
        let chosen = self.0.iter().filter(|(name, value)| !is_default(name, value));
        Self(chosen.map(|(name, value)| (*name, value.clone())).collect())
    }

    /// All given parameters, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    /// A folder name: `name-value` of every given parameter, joined by dashes.
    pub fn slug(&self) -> String {
        let parts: Vec<String> =
            self.iter().map(|(name, value)| format!("{}-{value}", name.replace('_', "-"))).collect();
        parts.join("-")
    }
}

/// The default of a parameter, if it is a single value.
fn default(parameter: &Parameter) -> Option<Value> {
    (!parameter.default.is_empty()).then(|| Value::parse(parameter.default).fits(parameter.kind))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(feature = "pipeline")]
    fn a_help_text_begins_with_a_capital_letter_unless_it_begins_with_a_name() {
        let texts = [
            "number of bins",
            "plug-in estimate",
            "n_bins of a layer",
            "idnns: as released",
            "f32 or f64",
            "I(X;T)",
            "",
        ];
        let expected = [
            "Number of bins",
            "Plug-in estimate",
            "n_bins of a layer",
            "idnns: as released",
            "f32 or f64",
            "I(X;T)",
            "",
        ];
        assert_eq!(texts.map(capitalised), expected);
    }

    const DECLARED: &[Parameter] = &[
        Parameter { name: "bin_width", doc: "", kind: Kind::Positive, default: "" },
        Parameter { name: "n_bins", doc: "", kind: Kind::Count { min: 1, max: 99 }, default: "" },
        Parameter { name: "compat", doc: "", kind: Kind::Choice(&["idnns"]), default: "" },
        Parameter { name: "window", doc: "", kind: Kind::Steps, default: "" },
        Parameter { name: "noise", doc: "", kind: Kind::NotNegative, default: "0.5" },
        Parameter { name: "weights", doc: "", kind: Kind::Rows, default: "" },
    ];

    #[track_caller]
    fn check(name: &str, word: &str, expected: Result<&str, &str>) {
        let got = Parameters::new(DECLARED, [(name.to_owned(), Value::parse(word))]);
        assert_eq!(
            got.map(|p| p.slug()).map_err(|e| e.to_string()),
            expected.map(str::to_owned).map_err(str::to_owned)
        );
    }

    #[test]
    fn values_are_checked_against_their_kind() {
        check("bin_width", "0.07", Ok("bin-width-0.07"));
        check("bin_width", "1", Ok("bin-width-1"));
        check("bin_width", "1e-300", Ok("bin-width-1e-300"));
        check("n_bins", "30", Ok("n-bins-30"));
        check("n_bins", "3e1", Ok("n-bins-30"));
        check("n_bins", "30.0", Ok("n-bins-30"));
        check("n_bins", "-0.0", Err("parameter `n_bins`: must be a whole number from 1 to 99, got -0"));
        check("n_bins", "1e2", Err("parameter `n_bins`: must be a whole number from 1 to 99, got 100"));
        check("n_bins", "1e300", Err("parameter `n_bins`: must be a whole number from 1 to 99, got 1e300"));
        check("n_bins", "NaN", Err("parameter `n_bins`: must be a whole number from 1 to 99, got NaN"));
        check("n_bins", "100", Err("parameter `n_bins`: must be a whole number from 1 to 99, got 100"));
        check("compat", "idnns", Ok("compat-idnns"));
        check("bin_width", "-0.1", Err("parameter `bin_width`: must be a finite number above 0, got -0.1"));
        check("bin_width", "inf", Err("parameter `bin_width`: must be a finite number above 0, got inf"));
        check("n_bins", "0", Err("parameter `n_bins`: must be a whole number from 1 to 99, got 0"));
        check("n_bins", "2.5", Err("parameter `n_bins`: must be a whole number from 1 to 99, got 2.5"));
        check("compat", "saxe", Err("parameter `compat`: must be one of idnns, got saxe"));
        check("window", "100-110", Ok("window-100-110"));
        for wrong in ["110-100", "5", "-3", "1-x", "1-99999999999"] {
            let expected = format!("parameter `window`: must be a first and a last step such as 100-110, got {wrong}");
            check("window", wrong, Err(&expected));
        }
        check("noise", "0", Ok("noise-0"));
        check("noise", "-1", Err("parameter `noise`: must be a finite number of at least 0, got -1"));
        check("weights", "1  0.50;0 1e-9", Ok("weights-1 0.5; 0 1e-9"));
        check("weights", "3", Ok("weights-3"));
        for wrong in ["1 2; 3", "", ";", "1 x", "1 2;", "inf", "1 NaN"] {
            let expected = "must be rows of finite numbers, all of one length, such as \"1 0.5; 0 1\"";
            check("weights", wrong, Err(&format!("parameter `weights`: {expected}, got {wrong}")));
        }
        check("bin_widht", "1", Err("unknown parameter `bin_widht`; did you mean `bin_width`?"));
    }

    #[test]
    fn an_explicit_default_is_not_in_the_slug() {
        let given = |noise| {
            let noise = ("noise".to_owned(), Value::Number(noise));
            Parameters::new(DECLARED, [noise, ("n_bins".to_owned(), Value::Count(3))]).unwrap()
        };
        assert_eq!(given(0.5).but_defaults(DECLARED).slug(), "n-bins-3");
        assert_eq!(given(0.25).but_defaults(DECLARED).slug(), "n-bins-3-noise-0.25");
        assert_eq!(Parameters::default().or_defaults(DECLARED).number("noise"), Some(0.5));
        assert_eq!(given(0.25).or_defaults(DECLARED), given(0.25));
    }

    #[test]
    fn rows_of_numbers_are_read_row_after_row() {
        let weights = ("weights".to_owned(), Value::parse("1 -0.5; 0 2"));
        let parameters = Parameters::new(DECLARED, [weights]).unwrap();
        assert_eq!(parameters.rows("weights"), Some(vec![vec![1.0, -0.5], vec![0.0, 2.0]]));
    }

    #[test]
    fn several_values_are_every_combination_of_them_and_of_defaults() {
        const BOUNDS: &[Parameter] = &[
            Parameter { name: "noise", doc: "", kind: Kind::Positive, default: "" },
            Parameter { name: "bound", doc: "", kind: Kind::Choice(&["upper", "lower"]), default: "upper,lower" },
            Parameter { name: "exact", doc: "", kind: Kind::Flag, default: "" },
        ];
        let slugs = |given: Vec<(String, Vec<Value>)>| -> Vec<String> {
            Parameters::product(BOUNDS, given).unwrap().iter().map(Parameters::slug).collect()
        };
        let noise = ("noise".to_owned(), Value::parse_list("0.1, 1"));
        let expected = ["bound-upper-noise-0.1", "bound-upper-noise-1", "bound-lower-noise-0.1", "bound-lower-noise-1"];
        assert_eq!(slugs(vec![noise.clone()]), expected);
        let lower = ("bound".to_owned(), vec![Value::Text("lower".to_owned())]);
        assert_eq!(slugs(vec![noise, lower]), ["bound-lower-noise-0.1", "bound-lower-noise-1"]);
        let error = Parameters::product(BOUNDS, vec![("noise".to_owned(), Value::parse_list("1,-1"))]).unwrap_err();
        assert_eq!(error.to_string(), "parameter `noise`: must be a finite number above 0, got -1");
        assert!(
            Parameters::product(BOUNDS, vec![("exact".to_owned(), vec![Value::Flag(true)])]).unwrap()[0].flag("exact")
        );
    }
}
