//! Values that a key accepts and values that it refuses, for tests.

use super::Accepts;
use crate::parameter::Kind;

/// For each description of values: some that are accepted, some that are refused.
const FORMS: &[(&str, &[&str], &[&str])] = &[
    ("a number of at least 0 and below 1", &["0", "0.99"], &["1", "-0.1"]),
    ("a number above 0 and at most 1", &["1", "0.1"], &["0", "1.1"]),
    ("a finite number", &["-1", "2.5"], &["nan", "inf", "\"x\""]),
    ("a finite number of at least 0", &["0", "2.5"], &["-1", "inf"]),
    ("0 or a whole number from 2 to 16", &["0", "2", "16"], &["1", "17", "2.5"]),
    ("\"full\" or a whole number of at least 1", &["\"full\"", "1"], &["\"half\"", "0"]),
    ("\"initial\" or a number above 0", &["\"initial\"", "0.1"], &["\"final\"", "0"]),
    ("\"all\", \"train\", \"test\" or a whole number of at least 1", &["\"test\"", "1"], &["\"some\"", "0"]),
    ("\"network\"", &["\"network\""], &["\"output\"", "1"]),
    ("a text", &["\"Fig. 2\""], &["2"]),
    ("a path", &["\"x/y\""], &["2"]),
    ("the folder of an experiment", &[], &["2", "\"there is none\""]),
    ("a table", &[], &["2"]),
    ("a list of tables", &[], &["2"]),
    ("a table `training.stop`", &["{ accuracy = 0.5 }"], &["2", "{}"]),
    ("a table `record.adaptive`", &["{ delta = 0.1, method = \"exact\" }"], &["2", "{}"]),
    ("a table `expect.minus`", &["{ quantity = \"loss_train\", measure = \"end\" }"], &["2", "{}"]),
    ("one of the forms of `training.schedule`", &[], &["\"some\"", "{ step = 2 }"]),
    ("one of the forms of `record.epochs`", &[], &["\"every\"", "{ every = 0 }"]),
    ("one of the forms of `record.steps`", &[], &["\"every\"", "{ every = 0 }"]),
    ("one of the forms of `expect.measure`", &[], &["\"at\"", "{ end = 1 }"]),
    (
        "a list of widths and of tables `network.hidden`, or a text as described in `network.shorthand`",
        &["[3, { units = 2 }]", "\"3-tanh,BN\""],
        &["[]", "[0]", "\"BN\""],
    ),
    (
        "a list of layer numbers and the names \"input\", \"hidden\" and \"output\"",
        &["[0, \"hidden\", 2]", "[\"input\", \"output\"]"],
        &["[]", "[3]", "[\"last\"]"],
    ),
    (
        "a layer number, the name of a layer of a recording, \"hidden\", \"output\", \"all\", a list of these, or with `weights`: \"network\"",
        &["1", "\"hidden\"", "\"output\"", "\"all\"", "[1, \"output\"]"],
        &["0", "3", "\"last\"", "\"network\""],
    ),
    (
        "the identity of an estimate of this pipeline, such as \"binning-n-edges-30\"",
        &["\"quantised-bits-8\""],
        &["\"quantised-bits-9\""],
    ),
    ("the identity of a measure of weights of this pipeline, such as \"code\"", &["\"code\""], &["\"llc\""]),
    (
        "a list of two ascending numbers above 0, the second at most 1000000",
        &["[0.1, 1000000.0]"],
        &["[0.0, 1.0]", "[2.0, 1.0]", "[1.0, 1000001.0]", "[1.0]"],
    ),
    // Refused, as the file is no sweep.
    ("a text, in which * matches any characters", &[], &["2", "\"activation-*\""]),
    (
        "a list of lists of keys, such as [[\"network.activation\", \"training.learning_rate\"]]",
        &["[]"],
        &["[\"training.batch\"]", "[[\"training.batch\"]]"],
    ),
];

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
        Accepts::Form(words) => {
            let form = FORMS.iter().find(|(form, ..)| *form == words);
            let (_, good, bad) = form.unwrap_or_else(|| panic!("no values that are {words}"));
            (owned(good), owned(bad))
        }
    }
}
