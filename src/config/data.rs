//! The `[data]` table of a pipeline: the samples, their labels, and which of them train the networks.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use toml::de::DeTable;

use super::keys::{Accepts, Key, KeyTable, Omitted, forms, names};
use super::tree::{Fault, Node, keys_of};
use super::values::{self, parameter};
use crate::datasets::{self, DATASETS, Source, Spec};
use crate::parameter::{Kind, Parameters};
use crate::store::{Footer, data_file, hash_bytes};
use crate::suggest::{Named, suggestion};

/// Where samples come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// A data set of the registry.
    Named(NamedData),
    /// A table made by `infoplane data`.
    File(PathBuf),
}

/// A data set of the registry with its parameters.
#[derive(Debug, Clone)]
pub struct NamedData {
    /// The data set.
    pub spec: &'static Spec,
    /// The given parameters.
    pub parameters: Parameters,
    /// Folder of its published files, if it is not the folder of `infoplane data fetch`.
    pub folder: Option<PathBuf>,
}

/// Key in the footer of a table of samples: the hash of the settings that it was made from.
pub const MADE_FROM: &str = "infoplane.config_hash";
/// Key in the footer of a table of samples, of published files or of a recording: the identity of the data set.
pub const MADE_OF: &str = "infoplane.dataset";

/// How training samples are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// At random: the first part of a permutation that differs from run to run.
    Shuffled,
    /// At random: the first part of a permutation that all runs share.
    Fixed,
    /// The first part of the table, in all runs.
    Ordered,
    /// One sample of each of some random pairs, chosen with probability 1/2. Runs with the same pairs differ in this choice
    /// (their mask) and in their seed.
    Membership,
}

/// The labels of the samples, in training and in the recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Labelling {
    /// The labels of the data.
    Given,
    /// The labels of the data, shuffled among all samples; all runs have the same labels.
    Shuffled,
    /// Classes drawn uniformly; all runs have the same labels.
    Random,
}

impl Named for Split {
    const ALL: &'static [Self] = &[Self::Shuffled, Self::Fixed, Self::Ordered, Self::Membership];

    fn name(self) -> &'static str {
        match self {
            Self::Shuffled => "shuffled",
            Self::Fixed => "fixed",
            Self::Ordered => "ordered",
            Self::Membership => "membership",
        }
    }
}

impl Named for Labelling {
    const ALL: &'static [Self] = &[Self::Given, Self::Shuffled, Self::Random];

    fn name(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Shuffled => "shuffled",
            Self::Random => "random",
        }
    }
}

impl Data {
    /// The path of the table of samples.
    pub fn path(&self) -> PathBuf {
        match self {
            Data::Named(named) => named.path(),
            Data::File(path) => path.clone(),
        }
    }
}

impl PartialEq for NamedData {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity() && self.folder == other.folder
    }
}

impl NamedData {
    /// The name and the parameters that identify the data set; the content of its files is not part of it.
    pub fn identity(&self) -> String {
        self.spec.identity(&self.parameters)
    }

    /// The path of its table: `data/<name>.parquet`, or `data/<name>-<parameters>.parquet` if parameters differ from the defaults.
    pub fn path(&self) -> PathBuf {
        const LONGEST: usize = 100;
        let identity = self.identity().replacen(' ', "-", 1);
        let is_plain = identity.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
        if is_plain && identity.len() <= LONGEST {
            return data_file(&identity);
        }
        // A table of numbers is too long for the name of a file.
        data_file(&format!("{}-{}", self.spec.name, &hash_bytes(identity.as_bytes())[..16]))
    }

    /// The command that makes the table.
    pub fn command(&self) -> String {
        let mut command = format!("infoplane data make {}", self.spec.name);
        for (name, value) in self.parameters.but_defaults(self.spec.parameters).iter() {
            let value = value.to_string();
            let value = if value.contains([' ', ';']) { format!("\"{value}\"") } else { value };
            command.push_str(&format!(" --{} {value}", name.replace('_', "-")));
        }
        if let Some(folder) = &self.folder {
            command.push_str(&format!(" --folder {}", folder.display()));
        }
        command
    }

    /// Whether a table with this footer contains this data set.
    pub fn is_in(&self, footer: &Footer) -> bool {
        let identity = self.identity();
        match self.spec.source {
            Source::Rule(_) => footer.get(MADE_FROM) == Some(&hash_bytes(identity.as_bytes())),
            Source::Files { .. } => footer.get(MADE_OF) == Some(&identity),
        }
    }
}

/// The checked table.
pub(super) struct DataTable {
    pub(super) data: Data,
    pub(super) train_fraction: f64,
    pub(super) split: Split,
    /// Number of runs that share the same pairs, for [`Split::Membership`]; `None`: all runs.
    pub(super) masks: Option<usize>,
    pub(super) labels: Labelling,
}

/// The keys of `[data]` that are not parameters of a data set.
pub(super) const KEYS: KeyTable = KeyTable {
    within: "",
    name: "data",
    doc: "`[data]`: the samples, their labels, and which of them train the networks. It needs either `name` or `file`. The parameters of a data set (`data.tishby` and others) are keys of this table too.",
    keys: &[
        Key {
            name: "name",
            accepts: Accepts::Name(data_sets),
            omitted: Omitted::Effect("the table in `file` is used"),
            doc: "A data set of the program.",
        },
        Key {
            name: "file",
            accepts: Accepts::Form(&forms::PATH),
            omitted: Omitted::Effect("the data set `name` is used"),
            doc: "A table of samples in Parquet, made by `infoplane data make` or `infoplane data import`. A relative path starts at the working directory.",
        },
        Key {
            name: "folder",
            accepts: Accepts::Form(&forms::PATH),
            omitted: Omitted::Effect("`data/raw/NAME`, the folder of `infoplane data fetch`"),
            doc: "Folder of the published files of a data set, for data sets that are made from files. A relative path starts at the working directory.",
        },
        Key {
            name: "train_fraction",
            accepts: Accepts::Form(&forms::FRACTION),
            omitted: Omitted::Refused,
            doc: "Fraction of the samples that train the networks. With `split = \"membership\"` at most 0.5.",
        },
        Key {
            name: "split",
            accepts: Accepts::Name(names::<Split>),
            omitted: Omitted::Value("\"shuffled\""),
            doc: "How the training samples are chosen: at random for every run (`shuffled`); at random, the same for all runs (`fixed`); the first samples of the table (`ordered`); one sample of each of some random pairs (`membership`).",
        },
        Key {
            name: "masks",
            accepts: Accepts::Kind(Kind::Count { min: 1, max: values::MOST_RUNS }),
            omitted: Omitted::Effect("all runs"),
            doc: "With `split = \"membership\"` only: number of consecutive runs that share the same pairs of samples.",
        },
        Key {
            name: "labels",
            accepts: Accepts::Name(names::<Labelling>),
            omitted: Omitted::Value("\"given\""),
            doc: "The labels in training and recording: those of the data (`given`), those of the data shuffled among the samples (`shuffled`), or random classes (`random`). Shuffled and random labels are the same for all runs.",
        },
    ],
    parameters: &[],
};

fn data_sets() -> Vec<&'static str> {
    DATASETS.iter().map(|spec| spec.name).collect()
}

impl DataTable {
    /// Reads and checks the table, which begins at byte `at`; an error has the place of the wrong key.
    pub(super) fn new(at: usize, table: &DeTable<'_>) -> Result<Self, (usize, String)> {
        let mut keys: BTreeMap<&str, Node<'_>> =
            table.iter().map(|(key, value)| (&**key.get_ref(), Node::from(value))).collect();
        let name = take(&mut keys, "name", String::deserialize)?;
        let file = take(&mut keys, "file", String::deserialize)?;
        let spec = match (&name, &file) {
            (Some((at, name)), None) => Some(datasets::find(name).map_err(|e| (*at, e.to_string()))?),
            (None, Some(_)) => None,
            _ => return Err((at, "`[data]` needs either `name` or `file`".to_owned())),
        };
        let folder = take(&mut keys, "folder", String::deserialize)?;
        let train_fraction = take(&mut keys, "train_fraction", values::fraction)?;
        let split = take(&mut keys, "split", values::choice)?;
        let masks = take(&mut keys, "masks", values::runs)?;
        let labels = take(&mut keys, "labels", values::choice)?;
        // The remaining keys are parameters. Each is checked separately, so that an error has the line of the wrong one.
        let declared = spec.map_or(&[][..], |spec| spec.parameters);
        let mut given = Vec::new();
        for (key, node) in keys {
            let at = node.at;
            if !declared.iter().any(|parameter| parameter.name == key) {
                let names = KEYS.keys.iter().map(|key| key.name).chain(declared.iter().map(|parameter| parameter.name));
                return Err((at, format!("unknown key `{key}`; {}{}", suggestion(key, names), keys_of("data"))));
            }
            let value = toml::Value::deserialize(node).map_err(|fault| (at, fault.to_string()))?;
            let value = parameter(key, value).map_err(|problem| (at, problem))?;
            Parameters::new(declared, [(key.to_owned(), value.clone())]).map_err(|e| (at, e.to_string()))?;
            given.push((key.to_owned(), value));
        }
        let data = match (spec, file) {
            (Some(spec), _) => {
                if let (Source::Rule(_), Some((at, _))) = (&spec.source, &folder) {
                    let problem = format!("`{}` is computed and needs no files; leave out `folder`", spec.name);
                    return Err((*at, problem));
                }
                let parameters = Parameters::new(declared, given).map_err(|e| (at, e.to_string()))?;
                Data::Named(NamedData { spec, parameters, folder: folder.map(|(_, folder)| folder.into()) })
            }
            (None, file) => {
                if let Some((at, _)) = folder {
                    let problem = "`folder` is for data sets given by `name`; leave it out";
                    return Err((at, problem.to_owned()));
                }
                Data::File(file.map(|(_, file)| file.into()).unwrap_or_default())
            }
        };
        let (_, train_fraction) = train_fraction.ok_or_else(|| (at, "missing key `train_fraction`".to_owned()))?;
        let split = split.map_or(Split::Shuffled, |(_, split)| split);
        if let (Some((at, _)), true) = (&masks, split != Split::Membership) {
            let problem = "`masks` is for `split = \"membership\"`; leave it out";
            return Err((*at, problem.to_owned()));
        }
        if split == Split::Membership && train_fraction > 0.5 {
            let problem = format!(
                "`split = \"membership\"` trains on one sample of each pair, so `train_fraction` is at most 0.5, got {train_fraction}"
            );
            return Err((at, problem));
        }
        let masks = masks.map(|(_, masks)| masks);
        Ok(Self { data, train_fraction, split, masks, labels: labels.map_or(Labelling::Given, |(_, labels)| labels) })
    }
}

/// Takes a key out of the table, and reads its value.
fn take<'t, T>(
    keys: &mut BTreeMap<&str, Node<'t>>,
    key: &str,
    read: fn(Node<'t>) -> Result<T, Fault>,
) -> Result<Option<(usize, T)>, (usize, String)> {
    let Some(node) = keys.remove(key) else { return Ok(None) };
    let value = read(node).map_err(|fault| (node.at, fault.within(key, node).to_string()))?;
    Ok(Some((node.at, value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<DataTable, String> {
        DataTable::new(0, DeTable::parse(text).unwrap().get_ref()).map_err(|(at, problem)| {
            let line = text[..at].matches('\n').count() + 1;
            format!("{line}: {problem}")
        })
    }

    #[track_caller]
    fn check(text: &str, path: &str, command: &str) {
        let table = read(&format!("train_fraction = 1\n{text}")).unwrap();
        assert_eq!(table.data.path(), PathBuf::from(path));
        match &table.data {
            Data::Named(named) => assert_eq!(named.command(), command),
            Data::File(_) => assert_eq!(command, ""),
        }
    }

    #[test]
    fn parameters_that_differ_from_the_defaults_have_a_separate_table() {
        check("file = \"a/b.parquet\"", "a/b.parquet", "");
        check("name = \"tishby\"", "data/tishby.parquet", "infoplane data make tishby");
        check("name = \"mnist\"\npart = \"all\"", "data/mnist.parquet", "infoplane data make mnist");
        let test = "name = \"mnist\"\npart = \"test\"\nfolder = \"d/m\"";
        check(test, "data/mnist-part-test.parquet", "infoplane data make mnist --part test --folder d/m");
        let noise = "name = \"spiral\"\nnoise = 0.1\nn_classes = 4\nseed = 0";
        let command = "infoplane data make spiral --n-classes 4 --noise 0.1";
        check(noise, "data/spiral-n-classes-4-noise-0.1.parquet", command);
        let rows = read("train_fraction = 1\nname = \"committee\"\nthresholds = \"1 2  3\"").unwrap();
        let Data::Named(named) = &rows.data else { unreachable!() };
        assert_eq!(named.command(), "infoplane data make committee --thresholds \"1 2 3\"");
        let stem = named.path().file_stem().unwrap().to_string_lossy().into_owned();
        assert!(stem.len() == "committee-".len() + 16 && stem[10..].chars().all(|c| c.is_ascii_hexdigit()), "{stem}");
    }

    #[test]
    fn mistakes_are_reported_with_their_line() {
        let check = |text: &str, expected: &str| assert_eq!(read(text).map(|_| ()).unwrap_err(), expected);
        let rest = "name = \"mnist\"\ntrain_fraction = 1\n";
        let with = |line: &str| format!("{rest}{line}");
        check(
            &with("prt = \"test\""),
            "3: unknown key `prt`; did you mean `part`? (`infoplane keys data` lists the keys)",
        );
        check(
            &with("spilt = \"ordered\""),
            "3: unknown key `spilt`; did you mean `split`? (`infoplane keys data` lists the keys)",
        );
        check(&with("part = \"tests\""), "3: parameter `part`: must be one of all, train, test, got tests");
        check(&with("part = [1]"), "3: parameter `part`: must be a number, a text, true or false, got array");
        check(&with("file = \"x\""), "1: `[data]` needs either `name` or `file`");
        check(&with("split = \"orderd\""), "3: `split`: unknown choice `orderd`; did you mean `ordered`?");
        check(&with("labels = \"randm\""), "3: `labels`: unknown choice `randm`; did you mean `random`?");
        check(&with("folder = 3"), "3: `folder`: must be a text, got 3");
        check("name = \"mnist\"", "1: missing key `train_fraction`");
        check("name = \"mnist\"\ntrain_fraction = \"x\"", "2: `train_fraction`: must be a number, got \"x\"");
        let rule = "3: `tishby` is computed and needs no files; leave out `folder`";
        check("name = \"tishby\"\ntrain_fraction = 1\nfolder = \"d\"", rule);
        let file = "3: `folder` is for data sets given by `name`; leave it out";
        check("file = \"d.parquet\"\ntrain_fraction = 1\nfolder = \"d\"", file);
        check(
            "file = \"d.parquet\"\npart = \"test\"\ntrain_fraction = 1",
            "2: unknown key `part`; known: `name`, `file`, `folder`, `train_fraction`, `split`, `masks`, `labels` (`infoplane keys data` lists the keys)",
        );
    }

    #[test]
    fn no_parameter_of_a_data_set_is_called_like_a_key_of_the_table() {
        for spec in DATASETS {
            assert!(
                spec.parameters.iter().all(|parameter| KEYS.keys.iter().all(|key| key.name != parameter.name)),
                "{}",
                spec.name
            );
        }
    }
}
