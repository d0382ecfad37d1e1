//! Values that a key accepts and values that it refuses, for tests.

use super::{Accepts, Form};
use crate::parameter::Kind;

/// Values of a key that are accepted, and values that are refused.
pub(super) fn examples(accepts: Accepts) -> (Vec<String>, Vec<String>) {
    let owned = |values: &[&str]| -> Vec<String> { values.iter().map(|value| (*value).to_owned()).collect() };
    let in_quotes = |names: Vec<&str>| -> Vec<String> { names.iter().map(|name| format!("\"{name}\"")).collect() };
    match accepts {
        Accepts::Kind(Kind::Count { min, max }) => {
            let below = (min as i64 - 1).to_string();
            match max {
                // TOML has no larger numbers than this.
                u64::MAX => (vec![min.to_string(), i64::MAX.to_string()], vec![below]),
                _ => (vec![min.to_string(), max.to_string()], vec![below, (max + 1).to_string()]),
            }
        }
        Accepts::Kind(Kind::Positive) => (owned(&["0.5", "2"]), owned(&["0", "-1", "inf", "\"x\""])),
        Accepts::Kind(Kind::NotNegative) => (owned(&["0", "0.5"]), owned(&["-1", "nan", "\"x\""])),
        Accepts::Kind(Kind::Flag) => (owned(&["true", "false"]), owned(&["1", "\"true\""])),
        Accepts::Kind(other) => panic!("give values of the kind {other}"),
        Accepts::Name(names) | Accepts::NameOr(names, _) => (in_quotes(names()), owned(&["\"zzz\"", "-1"])),
        Accepts::ListOf(names) => {
            (in_quotes(names()).iter().map(|name| format!("[{name}]")).collect(), owned(&["[]", "[\"zzz\"]"]))
        }
        Accepts::Example(value) => (vec![value.to_owned()], Vec::new()),
        Accepts::Form(Form { accepted, refused, .. }) => (owned(accepted), owned(refused)),
    }
}
