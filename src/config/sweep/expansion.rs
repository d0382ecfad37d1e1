//! The expansion of lists in a pipeline file: every combination of their values is an experiment.

use std::collections::BTreeSet;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::Pipeline;
use super::super::keys::{Accepts, Key, KeyTable, Omitted, forms};
use super::super::source::{ConfigError, Source};
use super::super::tree::{Located, Node, number};
use super::id::{id, slug};
use crate::suggest::suggestion;

/// One experiment of a sweep.
#[derive(Debug)]
pub struct Variant {
    /// Its name, and that of its folder: `activation-relu,batch-512`.
    pub id: String,
    /// The value of each parameter that varies, in the order of the file.
    pub settings: Vec<Setting>,
    /// Its pipeline, or the error in it.
    pub pipeline: Result<Pipeline, ConfigError>,
}

/// A parameter that varies, with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The parameter: `training.batch`.
    pub parameter: String,
    /// Its value as written in the file, texts without quotes.
    pub value: String,
    /// Its value as a number, if it is a finite one.
    pub number: Option<f64>,
}

/// Tables whose keys can vary; outside of them, only `seed` can vary.
const TABLES: [&str; 4] = ["data", "network", "training", "record"];

/// A key whose value is itself a list, and a test for its other values: it varies in a list of lists and of these values.
type ListKey = (&'static str, fn(&DeValue<'_>) -> bool);

/// The keys whose value is itself a list.
const LISTS: [ListKey; 3] = [
    ("network.hidden", |value| value.is_str()),
    ("record.layers", |_| false),
    ("record.gradients", |value| value.is_bool()),
];

/// Largest number of experiments of a sweep.
const MOST: usize = 100_000;

/// The keys of `[sweep]`.
pub(in super::super) const KEYS: KeyTable = KeyTable {
    within: "",
    name: "sweep",
    doc: "`[sweep]`: which lists of a sweep vary together. A list in place of a single value, in `[data]`, `[network]`, `[training]`, `[record]` or for `seed`, makes a sweep: one experiment for every combination of the values.",
    keys: &[Key {
        name: "zip",
        accepts: Accepts::Form(&forms::TOGETHER),
        omitted: Omitted::Value("[]"),
        doc: "Keys whose lists vary together: the first values form one experiment, the second values the next. Their lists must have the same length.",
    }],
    parameters: &[],
};

/// The table `[sweep]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct RawSweep {
    #[serde(default)]
    zip: Vec<Vec<Located<String>>>,
}

/// A parameter that varies, with the list of its values.
struct Axis<'i> {
    table: Option<&'i str>,
    key: &'i str,
    /// The byte of the text where the key begins.
    at: usize,
    values: Vec<Spanned<DeValue<'i>>>,
}

/// The experiments of the lists of a file; none if the file has no lists.
pub(super) fn expand(source: &Source, table: &DeTable<'_>) -> Result<Vec<Variant>, ConfigError> {
    let axes = axes(source, table)?;
    let zip = match table.get("sweep") {
        Some(sweep) => {
            let node = Node::from(sweep);
            RawSweep::deserialize(node).map_err(|fault| source.faulty(&fault.within("sweep", node)))?.zip
        }
        None => Vec::new(),
    };
    let groups = groups(source, &axes, zip)?;
    if axes.is_empty() { Ok(Vec::new()) } else { combinations(source, table, &axes, &groups) }
}

/// The parameters with a list in place of a single value, in the order of the file.
fn axes<'t>(source: &Source, tree: &'t DeTable<'t>) -> Result<Vec<Axis<'t>>, ConfigError> {
    if let Some((key, _)) = tree.get_key_value("runs").filter(|(_, runs)| runs.get_ref().is_array()) {
        let problem = "`runs`: must be one number, as all experiments have the same number of runs";
        return Err(source.refused(key.span().start, problem.to_owned()));
    }
    let top = tree.get_key_value("seed").map(|entry| (None, entry)).into_iter();
    let inner = TABLES.iter().filter_map(|name| Some((*name, tree.get(*name)?.get_ref().as_table()?)));
    let inner = inner.flat_map(|(name, table)| table.iter().map(move |entry| (Some(name), entry)));
    let mut axes = Vec::new();
    for (table, (key, value)) in top.chain(inner) {
        let axis = |values| Axis { table, key: key.get_ref(), at: key.span().start, values };
        match value.get_ref().as_array().map(|array| axis(array.to_vec())) {
            Some(axis) if !axis.is_one_value() => axes.push(axis),
            _ => {}
        }
    }
    axes.sort_by_key(|axis| axis.at);
    match axes.iter().find(|axis| axis.values.is_empty()) {
        Some(axis) => {
            Err(source.refused(axis.at, format!("`{}`: the list is empty; give at least one value", axis.key)))
        }
        None => Ok(axes),
    }
}

impl Axis<'_> {
    /// Whether the list as a whole is one value of the parameter.
    fn is_one_value(&self) -> bool {
        let name = self.name();
        let Some((_, is_other)) = LISTS.iter().find(|(list, _)| *list == name) else { return false };
        let is_value = |value: &Spanned<DeValue<'_>>| value.get_ref().is_array() || is_other(value.get_ref());
        self.values.is_empty() || !self.values.iter().all(is_value)
    }

    fn name(&self) -> String {
        self.table.map_or_else(|| self.key.to_owned(), |table| format!("{table}.{}", self.key))
    }

    /// Its name in an id: the key, with the name of its table if another parameter has the same key.
    fn short_name(&self, axes: &[Axis<'_>]) -> String {
        let is_shared = axes.iter().filter(|other| other.key == self.key).count() > 1;
        let name = if is_shared { self.name() } else { self.key.to_owned() };
        name.replace(['.', '_'], "-")
    }
}

/// The `axes` that vary together: each group is one dimension of the product, in the order of the file.
fn groups(source: &Source, axes: &[Axis<'_>], zip: Vec<Vec<Located<String>>>) -> Result<Vec<Vec<usize>>, ConfigError> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for names in zip {
        let mut group: Vec<usize> = Vec::new();
        for Located { at, value: name } in names {
            let Some(index) = axes.iter().position(|axis| axis.name() == name) else {
                let names: Vec<String> = axes.iter().map(Axis::name).collect();
                let suggestion = suggestion(&name, names.iter().map(String::as_str));
                return Err(source.refused(at, format!("`zip`: `{name}` has no list of values; {suggestion}")));
            };
            if group.contains(&index) || groups.iter().flatten().any(|other| *other == index) {
                return Err(source.refused(at, format!("`zip`: `{name}` is named twice; name it once")));
            }
            if let Some(first) = group.first().map(|first| &axes[*first])
                && first.values.len() != axes[index].values.len()
            {
                let (n, n_here) = (first.values.len(), axes[index].values.len());
                let first = first.name();
                let problem = format!(
                    "`zip`: `{first}` has {n} values and `{name}` has {n_here}; lists that vary together need the same length"
                );
                return Err(source.refused(at, problem));
            }
            group.push(index);
        }
        groups.push(group);
    }
    let single = (0..axes.len()).filter(|index| !groups.iter().flatten().any(|other| other == index));
    let single: Vec<Vec<usize>> = single.map(|index| vec![index]).collect();
    groups.extend(single);
    groups.retain(|group| !group.is_empty());
    groups.sort_by_key(|group| group.iter().copied().min());
    Ok(groups)
}

/// The experiments; the last group varies fastest.
fn combinations(
    source: &Source,
    table: &DeTable<'_>,
    axes: &[Axis<'_>],
    groups: &[Vec<usize>],
) -> Result<Vec<Variant>, ConfigError> {
    let lengths: Vec<usize> = groups.iter().map(|group| axes[group[0]].values.len()).collect();
    let n = lengths.iter().fold(1_usize, |n, length| n.saturating_mul(*length));
    if n > MOST {
        let problem = format!(
            "the lists give {n} experiments, at most {MOST} are allowed; shorten them, or let some vary together with `zip` in `[sweep]`"
        );
        return Err(source.refused(axes[0].at, problem));
    }
    let mut experiments: Vec<Variant> = Vec::new();
    let mut ids = BTreeSet::new();
    for number in 0..n {
        let mut which = vec![0; axes.len()];
        let mut left = number;
        for (group, length) in groups.iter().zip(&lengths).rev() {
            group.iter().for_each(|axis| which[*axis] = left % length);
            left /= length;
        }
        let chosen: Vec<(&Axis<'_>, &Spanned<DeValue<'_>>)> =
            axes.iter().zip(&which).map(|(axis, index)| (axis, &axis.values[*index])).collect();
        let named: Vec<(String, &Spanned<DeValue<'_>>)> =
            chosen.iter().map(|(axis, value)| (axis.short_name(axes), *value)).collect();
        let id = id(&named);
        if !ids.insert(id.clone()) {
            let (axis, value) = repeated_value(axes, &which).unwrap_or(chosen[0]);
            let problem = format!("`{}`: two experiments would have the id `{id}`; give each value once", axis.key);
            return Err(source.refused(value.span().start, problem));
        }
        let mut varied = table.clone();
        chosen.iter().for_each(|(axis, value)| replace(&mut varied, axis, value));
        let pipeline = Pipeline::new(source, id.clone(), &varied);
        let setting = |(axis, value): &(&Axis<'_>, &Spanned<DeValue<'_>>)| setting(source, axis, value);
        experiments.push(Variant { id, settings: chosen.iter().map(setting).collect(), pipeline });
    }
    Ok(experiments)
}

/// Among the values at the indices `which`, one that is in its list twice.
fn repeated_value<'a, 'i>(axes: &'a [Axis<'i>], which: &[usize]) -> Option<(&'a Axis<'i>, &'a Spanned<DeValue<'i>>)> {
    axes.iter().zip(which).find_map(|(axis, index)| {
        let value = &axis.values[*index];
        axis.values[..*index].iter().any(|other| slug(other) == slug(value)).then_some((axis, value))
    })
}

/// Replaces the list by one of its values.
fn replace<'i>(tree: &mut DeTable<'i>, axis: &Axis<'i>, value: &Spanned<DeValue<'i>>) {
    let table = match axis.table {
        None => Some(tree),
        Some(name) => tree.get_mut(name).and_then(|table| match table.get_mut() {
            DeValue::Table(table) => Some(table),
            _ => None,
        }),
    };
    if let Some(place) = table.and_then(|table| table.get_mut(axis.key)) {
        *place = value.clone();
    }
}

fn setting(source: &Source, axis: &Axis<'_>, value: &Spanned<DeValue<'_>>) -> Setting {
    let written = match value.get_ref() {
        DeValue::String(text) => text.to_string(),
        _ => source.text[value.span()].split_whitespace().collect::<Vec<_>>().join(" "),
    };
    Setting { parameter: axis.name(), value: written, number: number(value.get_ref()).filter(|n| n.is_finite()) }
}
