//! Foreign files → a table of samples: which columns are what, and whether their values can be used.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ndarray::Array2;

use super::super::{Outcome, StageError};
use super::{clear, is_there, write};
use crate::columns::Column;
use crate::datasets::Dataset;
use crate::import::READERS;
use crate::sample::Labels;
use crate::store::schema::{Row, SampleRow};
use crate::store::{Footer, StoreError, data_file, foreign, hash_bytes, hash_file, read_footer};
use crate::suggest::suggestion;

/// Which columns of a foreign file are what.
#[derive(Debug, Clone)]
pub struct ImportRequest {
    /// The columns that make X, in order, each a name or names with commas between; empty: all that are not chosen
    /// otherwise.
    pub x: Vec<String>,
    /// The column of labels.
    pub y: String,
    /// The column of p(y=1 | x), for stochastic labels.
    pub p_y1: Option<String>,
    /// The columns that make Y as numbers, in order, named as those of X; empty: there are none.
    pub target: Vec<String>,
}

impl ImportRequest {
    /// The choice in one line, which tables are recognised by.
    fn identity(&self) -> String {
        let Self { x, y, p_y1, target } = self;
        let target = if target.is_empty() { String::new() } else { format!(", target: {target:?}") };
        format!("Choice {{ x: {x:?}, y: {y:?}, p_y1: {p_y1:?}{target} }}")
    }
}

/// Imports a foreign file and writes it to `out`.
///
/// # Errors
/// The file cannot be read, the columns do not match or hold values that are not allowed.
pub fn import(file: &Path, choice: &ImportRequest, out: &Path) -> Result<Outcome, StageError> {
    clear(out);
    let columns = read_columns(file)?;
    let refused = |problem: String| StageError::Refused(format!("{}: {problem}", file.display()));
    let choice = if is_samples_table(file)? { of_samples_table(choice, &columns) } else { choice.clone() };
    let data = dataset(&columns, &choice).map_err(refused)?;
    let hash = hash_bytes(format!("{} {}", hash_file(file)?, choice.identity()).as_bytes());
    let footer = Footer::from([("infoplane.config_hash".to_owned(), hash)]);
    if is_there(out, &footer)? {
        return Ok(Outcome::UpToDate);
    }
    write(out, &data, &footer)
}

/// Whether a file that could be read as columns is a table of samples that this program wrote.
fn is_samples_table(file: &Path) -> Result<bool, StageError> {
    if format(file) != Some("parquet") {
        return Ok(false);
    }
    match read_footer(file, SampleRow::TABLE) {
        Ok(_) => Ok(true),
        Err(e @ StoreError::Newer { .. }) => Err(e.into()),
        // Another program's, which may hold types that this one does not know.
        Err(_) => Ok(false),
    }
}

/// The `choice` in a table of samples: its columns are what they are called, where nothing else is said.
fn of_samples_table(choice: &ImportRequest, columns: &[Column]) -> ImportRequest {
    let x = if choice.x.is_empty() { vec!["x".to_owned()] } else { choice.x.clone() };
    // A null was read as NaN: hard labels have nothing else.
    let is_given = |c: &&Column| c.name == "p_y1" && c.values.iter().any(|p| !p.is_nan());
    let p_y1 = columns.iter().find(is_given).map(|c| c.name.clone());
    // Lists of nulls could not be read.
    let has_target = columns.iter().any(|c| c.name == "target" && c.problem.is_none());
    let target = match choice.target.as_slice() {
        [] if has_target => vec!["target".to_owned()],
        chosen => chosen.to_vec(),
    };
    ImportRequest { x, y: choice.y.clone(), p_y1: choice.p_y1.clone().or(p_y1), target }
}

/// The file's ending among those that can be read, the longest that fits.
fn format(file: &Path) -> Option<&'static str> {
    let name = file.to_string_lossy().to_ascii_lowercase();
    let endings = READERS.iter().map(|(ending, _)| *ending).chain(["parquet"]);
    endings.filter(|ending| name.ends_with(&format!(".{ending}"))).max_by_key(|ending| ending.len())
}

fn read_columns(file: &Path) -> Result<Vec<Column>, StageError> {
    let format = format(file);
    if format == Some("parquet") {
        return Ok(foreign::read_columns(file)?);
    }
    let Some((_, reader)) = READERS.iter().find(|(ending, _)| format == Some(ending)) else {
        let endings: Vec<&str> = READERS.iter().map(|(ending, _)| *ending).collect();
        let endings = endings.join(", ");
        return Err(StageError::Refused(format!("{}: unknown file ending; known: {endings}, parquet", file.display())));
    };
    let content = fs::read(file).map_err(|e| StageError::Refused(format!("cannot read {}: {e}", file.display())))?;
    reader(&content).map_err(|e| StageError::Refused(format!("{}: {e}", file.display())))
}

/// X, Y, p(y=1 | x) and targets among the columns of a file.
struct Chosen<'a> {
    x: Vec<&'a Column>,
    y: &'a Column,
    p_y1: Option<&'a Column>,
    target: Vec<&'a Column>,
}

fn find<'a>(columns: &'a [Column], name: &str) -> Result<&'a Column, String> {
    let suggested = || suggestion(name, columns.iter().map(|c| c.name.as_str()));
    columns.iter().find(|c| c.name == name).ok_or_else(|| format!("no column `{name}`; {}", suggested()))
}

/// The columns that are named by `words`, each a name or names with commas between.
fn find_all<'a>(columns: &'a [Column], words: &[String]) -> Result<Vec<&'a Column>, String> {
    let mut found = Vec::new();
    for words in words {
        // A name may have commas in it.
        let is_name = columns.iter().any(|c| c.name == *words);
        let names: Vec<&str> = if is_name { vec![words.as_str()] } else { words.split(',').map(str::trim).collect() };
        found.extend(names.into_iter().map(|name| find(columns, name)).collect::<Result<Vec<_>, _>>()?);
    }
    Ok(found)
}

impl<'a> Chosen<'a> {
    /// What is wrong with the choice itself is said here.
    fn new(columns: &'a [Column], choice: &ImportRequest) -> Result<Self, String> {
        let y = find(columns, &choice.y)?;
        let p_y1 = choice.p_y1.as_deref().map(|name| find(columns, name)).transpose()?;
        if p_y1.is_some_and(|p| p.name == y.name) {
            return Err(format!("`--y` and `--p-y1` both name `{}`; labels and their probability differ", y.name));
        }
        let target = find_all(columns, &choice.target)?;
        let is_label = |c: &Column| c.name == y.name || p_y1.is_some_and(|p| p.name == c.name);
        let is_taken = |c: &Column| is_label(c) || target.iter().any(|target| target.name == c.name);
        let mut x = find_all(columns, &choice.x)?;
        if let Some(column) = x.iter().find(|c| is_label(c)) {
            return Err(format!(
                "`{}` is the column of labels or their probability; it cannot be in x too",
                column.name
            ));
        }
        if let Some(column) = x.iter().find(|c| is_taken(c)) {
            return Err(format!("`{}` is a target; it cannot be in x too", column.name));
        }
        let mut seen = BTreeSet::new();
        if let Some(column) = x.iter().find(|c| !seen.insert(&c.name)) {
            return Err(format!("`--x` names `{}` twice; name every column once", column.name));
        }
        if choice.x.is_empty() {
            x.extend(columns.iter().filter(|c| !is_taken(c)));
        }
        let chosen = Self { x, y, p_y1, target };
        let names: BTreeSet<&String> = chosen.all().map(|c| &c.name).collect();
        let mut seen = BTreeSet::new();
        match columns.iter().find(|c| names.contains(&c.name) && !seen.insert(&c.name)) {
            Some(column) => Err(format!("two columns are called `{}`; give each a name of its own", column.name)),
            None if chosen.x.is_empty() => Err("no column is left for x; name some with --x".to_owned()),
            None => Ok(chosen),
        }
    }

    fn all(&self) -> impl Iterator<Item = &'a Column> {
        self.x.iter().copied().chain([self.y]).chain(self.p_y1).chain(self.target.iter().copied())
    }

    /// The number of rows.
    ///
    /// # Errors
    /// There are none, not as many in every column, or a value is not allowed.
    fn check(&self) -> Result<usize, String> {
        for column in self.all() {
            if let Some(problem) = &column.problem {
                return Err(format!("column `{}`: {problem}; choose others with --x and --y", column.name));
            }
        }
        let (first, n) = (&self.x[0].name, self.x[0].n_rows());
        if let Some(other) = self.all().find(|c| c.n_rows() != n) {
            let (other, rows) = (&other.name, other.n_rows());
            return Err(format!("`{first}` has {n} rows, `{other}` has {rows}; every sample needs all of them"));
        }
        if n == 0 {
            return Err("there are no rows".to_owned());
        }
        for column in [Some(self.y), self.p_y1].into_iter().flatten() {
            if column.width != 1 {
                return Err(format!("column `{}` has {} values a row; labels have one", column.name, column.width));
            }
        }
        for column in self.all() {
            let flaw = |v: &f64| !v.is_finite() || (v.abs() > f64::from(f32::MAX));
            if let Some(at) = column.values.iter().position(flaw) {
                let (row, name, value) = (at / column.width, &column.name, column.values[at]);
                let within = if column.width > 1 { format!(", value {}", at % column.width) } else { String::new() };
                return Err(format!(
                    "row {row}, column `{name}`{within} is {value}; only finite f32 values can be used"
                ));
            }
        }
        Ok(n)
    }
}

/// Chooses X and Y among the columns and checks every value.
fn dataset(columns: &[Column], choice: &ImportRequest) -> Result<Dataset, String> {
    let chosen = Chosen::new(columns, choice)?;
    let n = chosen.check()?;
    let Chosen { x, y, p_y1, target } = chosen;
    let label = |(row, value): (usize, &f64)| {
        let (name, min, max) = (&y.name, i32::MIN, i32::MAX);
        let fits = value.fract() == 0.0 && (f64::from(min)..=f64::from(max)).contains(value);
        let problem =
            || format!("row {row}, column `{name}` is {value}; a label is a whole number from {min} to {max}");
        if fits { Ok(*value as i32) } else { Err(problem()) }
    };
    let y = y.values.iter().enumerate().map(label).collect::<Result<Vec<_>, _>>()?;
    let p_y1 = p_y1.map(|p| p.values.clone());
    let given: Vec<Option<f64>> = p_y1.iter().flatten().copied().map(Some).collect();
    Labels::new(&y, &given).map_err(|e| e.to_string())?;
    let target = (!target.is_empty()).then(|| side_by_side(&target, n));
    Ok(Dataset { x: side_by_side(&x, n), y, p_y1, target })
}

/// Columns of `n` rows as one matrix.
fn side_by_side(columns: &[&Column], n: usize) -> Array2<f32> {
    let width: usize = columns.iter().map(|c| c.width).sum();
    let values = (0..n).flat_map(|row| columns.iter().flat_map(move |c| &c.values[row * c.width..][..c.width]));
    let matrix = Array2::from_shape_vec((n, width), values.map(|v| *v as f32).collect());
    matrix.expect("every column has n rows")
}

/// Where an imported file goes when nothing is said: `data/<name>.parquet`, the name without the format's ending.
///
/// # Errors
/// Nothing is left of the name.
pub fn default_out(file: &Path) -> Result<PathBuf, StageError> {
    let name = file.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let n_ending = format(file).map_or(0, |ending| ending.len() + 1);
    match name.get(..name.len().saturating_sub(n_ending)) {
        Some(stem) if !stem.is_empty() => Ok(data_file(stem)),
        _ => {
            let problem = "has no name before its ending; say with `--out FILE` where the table goes";
            Err(StageError::Refused(format!("{}: {problem}", file.display())))
        }
    }
}
