//! The data stage: rules and foreign files → a table of samples.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::{Outcome, StageError};
use crate::columns::Column;
use crate::datasets::{self, Dataset, Source, Spec};
use crate::import::READERS;
use crate::parameter::Parameters;
use crate::sample::{Labels, distinct};
use crate::store::schema::{Row, SampleRow};
use crate::store::{Footer, StoreError, foreign, hash_bytes, hash_file, read_footer, remove_folder, write_rows};
use crate::suggest::suggestion;

/// Which columns of a foreign file are what.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The columns that make X, in order, each a name or names with commas between; empty: all that are not chosen
    /// otherwise.
    pub x: Vec<String>,
    /// The column of labels.
    pub y: String,
    /// The column of p(y=1 | x), for stochastic labels.
    pub p_y1: Option<String>,
}

/// Makes a data set by its rule and writes it to `out`.
///
/// # Errors
/// The file cannot be written.
pub fn make(spec: &Spec, parameters: &Parameters, out: &Path) -> Result<Outcome, StageError> {
    let made_from = datasets::identity(spec.name, parameters);
    let footer = Footer::from([("infoplane.config_hash".to_owned(), hash_bytes(made_from.as_bytes()))]);
    if is_there(out, &footer)? {
        return Ok(Outcome::UpToDate);
    }
    let Source::Rule(rule) = spec.source else {
        return Err(StageError::Refused(format!("`{}` is made of files", spec.name)));
    };
    let made = rule(parameters).map_err(|e| StageError::Refused(e.to_string()))?;
    write(out, &rows(made), &footer)
}

/// Imports a foreign file and writes it to `out`.
///
/// # Errors
/// The file cannot be read, the columns do not match or hold values that are not allowed.
pub fn import(file: &Path, choice: &Choice, out: &Path) -> Result<Outcome, StageError> {
    let columns = read_columns(file)?;
    let refused = |problem: String| StageError::Refused(format!("{}: {problem}", file.display()));
    let choice = if is_samples_table(file)? { of_samples_table(choice, &columns) } else { choice.clone() };
    let rows = rows(dataset(&columns, &choice).map_err(refused)?);
    let hash = hash_bytes(format!("{} {choice:?}", hash_file(file)?).as_bytes());
    let footer = Footer::from([("infoplane.config_hash".to_owned(), hash)]);
    if is_there(out, &footer)? {
        return Ok(Outcome::UpToDate);
    }
    write(out, &rows, &footer)
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
fn of_samples_table(choice: &Choice, columns: &[Column]) -> Choice {
    let x = if choice.x.is_empty() { vec!["x".to_owned()] } else { choice.x.clone() };
    // A null was read as NaN: hard labels have nothing else.
    let is_given = |c: &&Column| c.name == "p_y1" && c.values.iter().any(|p| !p.is_nan());
    let p_y1 = columns.iter().find(is_given).map(|c| c.name.clone());
    Choice { x, y: choice.y.clone(), p_y1: choice.p_y1.clone().or(p_y1) }
}

/// Whether `out` holds just what would be written. A file of other content may be somebody's only copy: it is kept.
fn is_there(out: &Path, footer: &Footer) -> Result<bool, StageError> {
    if !out.exists() {
        return Ok(false);
    }
    let same = |found: Footer| footer.iter().all(|(key, value)| found.get(key) == Some(value));
    if read_footer(out, SampleRow::TABLE).is_ok_and(same) {
        return Ok(true);
    }
    let path = out.display();
    Err(StageError::Refused(format!("{path} is there and holds something else; remove it, or choose `--out FILE`")))
}

/// Writes the table, which appears whole or not at all.
///
/// It is made in a folder of its own, beside `out` and under a name that nobody else has, and put in place only where
/// nothing is. So two processes need no lock, and nothing is left in a folder that is not ours.
fn write(out: &Path, rows: &[SampleRow], footer: &Footer) -> Result<Outcome, StageError> {
    let refused = |problem: String| StageError::Refused(format!("cannot write {}: {problem}", out.display()));
    let failed = |e: io::Error| refused(e.to_string());
    let name =
        out.file_name().ok_or_else(|| refused("it names no file; choose another with `--out FILE`".to_owned()))?;
    let folder = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(failed)?;
    let own = own_folder(folder).map_err(failed)?;
    let written = write_rows(&own, "samples.parquet", rows, footer).map_err(StageError::from);
    let placed = written.and_then(|_| match fs::hard_link(own.join("samples.parquet"), folder.join(name)) {
        Ok(()) => Ok(Outcome::Done(describe(rows, out))),
        // Somebody was quicker, with the same or with something else.
        Err(_) if is_there(out, footer)? => Ok(Outcome::UpToDate),
        // Not every file system has links.
        Err(_) => match fs::rename(own.join("samples.parquet"), folder.join(name)) {
            Ok(()) => Ok(Outcome::Done(describe(rows, out))),
            Err(e) => Err(failed(e)),
        },
    });
    remove_folder(&own)?;
    // A name is durable when its folder is.
    placed.and_then(|outcome| fs::File::open(folder).and_then(|f| f.sync_all()).map(|()| outcome).map_err(failed))
}

/// A new folder in `folder`.
fn own_folder(folder: &Path) -> io::Result<PathBuf> {
    for attempt in 0_u64.. {
        let path = folder.join(format!(".infoplane-{}-{attempt}", std::process::id()));
        match fs::create_dir(&path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            created => return created.map(|()| path),
        }
    }
    unreachable!("2⁶⁴ folders of one process")
}

fn describe(rows: &[SampleRow], out: &Path) -> String {
    let n_inputs = rows.first().map_or(0, |row| row.x.len());
    let labels = distinct(&rows.iter().map(|row| row.y).collect::<Vec<_>>());
    format!("{} samples of {n_inputs} inputs, {} labels → {}", rows.len(), labels.len(), out.display())
}

fn rows(data: Dataset) -> Vec<SampleRow> {
    let row = |(i, (x, y)): (usize, (ndarray::ArrayView1<'_, f32>, &i32))| SampleRow {
        sample: i as i32,
        x: x.to_vec(),
        y: *y,
        p_y1: data.p_y1.as_ref().map(|p| p[i]),
        target: data.target.as_ref().map(|target| target.row(i).to_vec()),
    };
    data.x.rows().into_iter().zip(&data.y).enumerate().map(row).collect()
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
        let known: Vec<&str> = READERS.iter().map(|(ending, _)| *ending).collect();
        let known = known.join(", ");
        return Err(StageError::Refused(format!("{}: unknown file ending; known: {known}, parquet", file.display())));
    };
    let content = fs::read(file).map_err(|e| StageError::Refused(format!("cannot read {}: {e}", file.display())))?;
    reader(&content).map_err(|e| StageError::Refused(format!("{}: {e}", file.display())))
}

/// X, Y and p(y=1 | x) among the columns of a file.
struct Chosen<'a> {
    x: Vec<&'a Column>,
    y: &'a Column,
    p_y1: Option<&'a Column>,
}

impl<'a> Chosen<'a> {
    /// What is wrong with the choice itself is said here.
    fn new(columns: &'a [Column], choice: &Choice) -> Result<Self, String> {
        let find = |name: &str| {
            let known = || suggestion(name, columns.iter().map(|c| c.name.as_str()));
            columns.iter().find(|c| c.name == name).ok_or_else(|| format!("no column `{name}`; {}", known()))
        };
        let y = find(&choice.y)?;
        let p_y1 = choice.p_y1.as_deref().map(find).transpose()?;
        if p_y1.is_some_and(|p| p.name == y.name) {
            return Err(format!("`--y` and `--p-y1` both name `{}`; labels and their probability differ", y.name));
        }
        let is_taken = |c: &Column| c.name == y.name || p_y1.is_some_and(|p| p.name == c.name);
        let mut x = Vec::new();
        for words in &choice.x {
            // A name may have commas in it.
            let is_name = columns.iter().any(|c| c.name == *words);
            let names: Vec<&str> =
                if is_name { vec![words.as_str()] } else { words.split(',').map(str::trim).collect() };
            x.extend(names.into_iter().map(find).collect::<Result<Vec<_>, _>>()?);
        }
        if let Some(column) = x.iter().find(|c| is_taken(c)) {
            return Err(format!(
                "`{}` is the column of labels or their probability; it cannot be in x too",
                column.name
            ));
        }
        let mut seen = BTreeSet::new();
        if let Some(column) = x.iter().find(|c| !seen.insert(&c.name)) {
            return Err(format!("`--x` names `{}` twice; name every column once", column.name));
        }
        if choice.x.is_empty() {
            x.extend(columns.iter().filter(|c| !is_taken(c)));
        }
        let chosen = Self { x, y, p_y1 };
        let names: BTreeSet<&String> = chosen.all().map(|c| &c.name).collect();
        let mut seen = BTreeSet::new();
        match columns.iter().find(|c| names.contains(&c.name) && !seen.insert(&c.name)) {
            Some(column) => Err(format!("two columns are called `{}`; give each a name of its own", column.name)),
            None if chosen.x.is_empty() => Err("no column is left for x; name some with --x".to_owned()),
            None => Ok(chosen),
        }
    }

    fn all(&self) -> impl Iterator<Item = &'a Column> {
        self.x.iter().copied().chain([self.y]).chain(self.p_y1)
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
fn dataset(columns: &[Column], choice: &Choice) -> Result<Dataset, String> {
    let chosen = Chosen::new(columns, choice)?;
    let n = chosen.check()?;
    let Chosen { x, y, p_y1 } = chosen;
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
    let n_inputs: usize = x.iter().map(|c| c.width).sum();
    let values = (0..n).flat_map(|row| x.iter().flat_map(move |c| &c.values[row * c.width..][..c.width]));
    let x = ndarray::Array2::from_shape_vec((n, n_inputs), values.map(|v| *v as f32).collect());
    Ok(Dataset { x: x.expect("every column has n rows"), y, p_y1, target: None })
}

/// Where an imported file goes when nothing is said: `data/<name>.parquet`, the name without the format's ending.
///
/// # Errors
/// Nothing is left of the name.
pub fn default_out(file: &Path) -> Result<PathBuf, StageError> {
    let name = file.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let n_ending = format(file).map_or(0, |ending| ending.len() + 1);
    match name.get(..name.len().saturating_sub(n_ending)) {
        Some(stem) if !stem.is_empty() => Ok(crate::store::data_file(stem)),
        _ => {
            let problem = "has no name before its ending; say with `--out FILE` where the table goes";
            Err(StageError::Refused(format!("{}: {problem}", file.display())))
        }
    }
}
