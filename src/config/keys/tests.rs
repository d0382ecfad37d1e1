//! The declared keys compared with what a pipeline file accepts.

use serde::de::{Deserialize, Deserializer, Visitor};

use super::super::adaptive::RawAdaptive;
use super::super::aggregate::RawAggregate;
use super::super::bound::RawBound;
use super::super::exact::RawExact;
use super::super::expect::{Measure, RawExpect, RawMinus};
use super::super::layer::RawTable;
use super::super::learning_rate::RawSchedule;
use super::super::network::RawNetwork;
use super::super::propagation::RawPropagation;
use super::super::record::RawRecord;
use super::super::schedule::RawEpochs;
use super::super::steps::Steps;
use super::super::stop::RawStop;
use super::super::sweep::RawSweep;
use super::super::training::RawTraining;
use super::super::{Declared, RawPipeline, RawRecorded};
use super::examples::examples;
use super::markdown::EXAMPLE;
use super::trials::{read, read_with};
use super::*;

/// Reads nothing: its error is the list of names that a type asks for.
struct Names;

#[derive(Debug)]
struct Asked(Vec<&'static str>);

impl std::fmt::Display for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

impl std::error::Error for Asked {}

impl serde::de::Error for Asked {
    fn custom<T: std::fmt::Display>(problem: T) -> Self {
        panic!("no names are asked for: {problem}")
    }
}

impl<'de> Deserializer<'de> for Names {
    type Error = Asked;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Asked> {
        panic!("neither a table nor a choice")
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &str,
        names: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Asked> {
        Err(Asked(names.to_vec()))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &str,
        names: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Asked> {
        Err(Asked(names.to_vec()))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map identifier ignored_any
    }
}

/// The names that serde accepts for a type.
fn accepted<'de, T: Deserialize<'de>>() -> Vec<&'static str> {
    T::deserialize(Names).map(|_| ()).unwrap_err().0
}

fn table(path: &str) -> KeyTable {
    tables().into_iter().find(|table| table.path() == path).unwrap_or_else(|| panic!("no table {path}"))
}

#[test]
fn the_declared_keys_are_those_that_are_read() {
    let mut pipeline = accepted::<RawPipeline>();
    pipeline.extend(accepted::<RawRecorded>());
    let lists = [
        ("pipeline", pipeline),
        ("network", accepted::<RawNetwork>()),
        ("network.hidden", accepted::<RawTable>()),
        ("training", accepted::<RawTraining>()),
        ("training.schedule", accepted::<RawSchedule>()),
        ("training.stop", accepted::<RawStop>()),
        ("record", accepted::<RawRecord>()),
        ("record.epochs", accepted::<RawEpochs>()),
        ("record.steps", accepted::<Steps>()),
        ("record.adaptive", accepted::<RawAdaptive>()),
        ("exact", accepted::<RawExact>()),
        ("propagation", accepted::<RawPropagation>()),
        ("bound", accepted::<RawBound>()),
        ("aggregate", accepted::<RawAggregate>()),
        ("expect", accepted::<RawExpect>()),
        ("expect.measure", accepted::<Measure>()),
        ("expect.minus", accepted::<RawMinus>()),
        ("sweep", accepted::<RawSweep>()),
    ];
    for (path, mut names) in lists {
        let mut declared: Vec<&str> = table(path).rows().iter().map(|row| row.name).collect();
        declared.sort_unstable();
        names.sort_unstable();
        names.dedup();
        assert_eq!(declared, names, "{path}");
    }
}

/// Every key that is declared with a pipeline's tables, with its place.
fn keys() -> Vec<(String, Key)> {
    TABLES
        .iter()
        .flat_map(|table| table.keys.iter().map(|key| (format!("{}.{}", table.path(), key.name), *key)))
        .collect()
}

/// Whether leaving out a key has the same effect as each of the `values` of it.
fn same_as<'a>(path: &str, values: impl IntoIterator<Item = &'a String>) -> Vec<(&'a String, bool)> {
    let without = read(path, None);
    values.into_iter().map(|value| (value, read(path, Some(value)) == without)).collect()
}

/// Whether leaving out a key has the effect of the same value of another key.
fn is_value_of(path: &str, key: &Key, (table, other): (&str, &str)) -> bool {
    let table = if table.is_empty() { path.rsplit_once('.').unwrap().0 } else { table };
    let other = format!("{table}.{other}");
    let values = examples(key.accepts).0;
    let is_same = |value: &String| {
        let more = [(other.as_str(), value.as_str())];
        let (without, with) = (read_with(path, None, &more), read_with(path, Some(value), &more));
        without.is_ok() && without == with
    };
    // Without the other key being set to it, at least one value has another effect.
    values.iter().all(is_same) && same_as(path, &values).iter().any(|(_, is_same)| !is_same)
}

/// Whether the description of an effect contains a value, as a word.
fn names_value(words: &str, value: &str) -> bool {
    words.split([' ', ',']).any(|word| word == value)
}

#[test]
fn a_key_that_is_left_out_has_its_declared_effect() {
    let mut wrong = Vec::new();
    for (path, key) in keys() {
        let without = read(&path, None);
        let is_as_declared = match (key.omitted, &without) {
            (Omitted::OneOfSeveral, _) => true,
            (Omitted::Refused, Err(problem)) => problem.contains(&format!("`{}`", key.name)),
            (Omitted::Value(value), Ok(_)) => read(&path, Some(value)) == without,
            (Omitted::ValueOf { table, key: other }, Ok(_)) => is_value_of(&path, &key, (table, other)),
            (Omitted::Effect(words), Ok(_)) => same_as(&path, &examples(key.accepts).0)
                .iter()
                .all(|(value, is_same)| *is_same == names_value(words, value)),
            (Omitted::Refused, Ok(_)) | (_, Err(_)) => false,
        };
        if !is_as_declared {
            wrong.push(format!("{path}: {:?}: {without:?}", key.omitted));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_key_accepts_the_declared_values_and_no_others() {
    let mut wrong = Vec::new();
    for (path, key) in keys() {
        // The forms of a value are tried as values of their key.
        let place = match path.rsplit_once('.') {
            Some(("network.shorthand", _)) => "network.hidden",
            Some((forms, _)) if matches!(key.omitted, Omitted::OneOfSeveral) => forms,
            _ => &path,
        };
        let (good, bad) = examples(key.accepts);
        for value in good {
            match read(place, Some(&value)) {
                // A name can need more than the file has, but it is known.
                Err(problem) if ["quantity", "measure"].contains(&key.name) && !problem.contains("unknown") => {}
                Err(problem) => wrong.push(format!("{path} = {value}: {problem}")),
                Ok(_) => {}
            }
        }
        let accepted = bad.into_iter().filter(|value| read(place, Some(value)).is_ok());
        wrong.extend(accepted.map(|value| format!("{path} = {value} is accepted")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_item_of_the_shorthand_is_the_layer_that_its_description_names() {
    let of_table = [
        ("WIDTH", "{ units = 12 }"),
        ("WIDTH-ACTIVATION", "{ units = 12, activation = \"tanh\" }"),
        ("ACTIVATION", "{ units = 12, activation = \"tanh\" }"),
        ("BN", "{ units = 12, activation = \"tanh\", batch_norm = true }"),
        ("Dr-RATE", "{ units = 12, activation = \"tanh\", dropout = 0.2 }"),
        ("GDr-RATE", "{ units = 12, activation = \"tanh\", gaussian_dropout = 0.2 }"),
        ("Noise-VARIANCE", "{ units = 12, activation = \"tanh\", noise_variance = 0.01 }"),
        ("Q-BITS", "{ units = 12, activation = \"tanh\", quantise_bits = 8 }"),
    ];
    let declared: Vec<&str> = shorthand::KEYS.keys.iter().map(|key| key.name).collect();
    assert_eq!(declared, of_table.map(|(name, _)| name));
    let network =
        |hidden: &str| read_with("network.hidden", Some(hidden), &[("network.activation", "\"relu\"")]).unwrap();
    for (key, (name, layer)) in shorthand::KEYS.keys.iter().zip(of_table) {
        let Accepts::Example(text) = key.accepts else { panic!("{name} has no example") };
        // Normalisation is written after the activation in the text, before it in the table.
        let text = if name == "BN" { "\"12,BN,tanh\"" } else { text };
        assert_eq!(network(text), network(&format!("[{layer}]")), "{name}");
    }
}

#[test]
fn the_example_of_the_page_is_accepted() {
    let Declared::One(pipeline) = Declared::of_text(EXAMPLE).unwrap() else { panic!("the example is a sweep") };
    let ids: Vec<String> = pipeline.estimates.iter().map(|request| request.id.to_string()).collect();
    let expected =
        ["binning-n-edges-30", "binning-n-edges-50", "kde-upper-noise-variance-0.1", "kde-lower-noise-variance-0.1"];
    assert_eq!((&ids[..], pipeline.claims.len()), (&expected.map(str::to_owned)[..], 1));
}

#[test]
fn a_table_is_found_by_its_whole_name_or_the_last_part() {
    let found = |name: &str| find(name).map(|tables| tables.iter().map(KeyTable::path).collect::<Vec<_>>());
    assert_eq!(found("training").unwrap(), ["training", "training.schedule", "training.stop"]);
    assert_eq!(found("training.stop").unwrap(), ["training.stop"]);
    assert_eq!(found("binning").unwrap(), ["estimate.binning"]);
    assert_eq!(find("trainig").unwrap_err().to_string(), "did you mean `training`?");
    assert_eq!(find("bining").unwrap_err().to_string(), "did you mean `binning`?");
    assert_eq!(find("training.stopp").unwrap_err().to_string(), "did you mean `training.stop`?");
    for nothing in ["", "zzzzzz"] {
        assert!(matches!(find(nothing), Err(Suggestion::Known(known)) if known.len() == tables().len()), "{nothing}");
    }
}

#[test]
fn lines_have_at_most_100_columns() {
    let long: Vec<String> = page().lines().filter(|line| line.chars().count() > 100).map(str::to_owned).collect();
    assert_eq!(long, Vec::<String>::new());
}
