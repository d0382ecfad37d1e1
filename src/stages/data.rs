//! The data stage: rules and foreign files → a table of samples.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Outcome, StageError};
use crate::columns::Column;
use crate::datasets::{Dataset, Spec};
use crate::import::READERS;
use crate::parameter::Parameters;
use crate::store::schema::{Row, SampleRow};
use crate::store::{Footer, Lock, foreign, hash_bytes, hash_file, read_footer, write_rows};

/// Which columns of a foreign file are what.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The columns that make X, in order; empty: all that are not chosen otherwise.
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
    let made_from = format!("{} {}", spec.name, parameters.slug());
    let footer = Footer::from([("infoplane.config_hash".to_owned(), hash_bytes(made_from.trim().as_bytes()))]);
    if is_there(out, &footer)? {
        return Ok(Outcome::UpToDate);
    }
    let rows = rows((spec.make)(parameters));
    write(out, &rows, &footer)?;
    Ok(Outcome::Done(describe(&rows, out)))
}

/// Imports a foreign file and writes it to `out`.
///
/// # Errors
/// The file cannot be read, the columns do not match or hold values that are not allowed.
pub fn import(file: &Path, choice: &Choice, out: &Path) -> Result<Outcome, StageError> {
    let columns = read_columns(file)?;
    let refused = |problem: String| StageError::Refused(format!("{}: {problem}", file.display()));
    let rows = rows(dataset(&columns, choice).map_err(refused)?);
    let hash = hash_bytes(format!("{} {choice:?}", hash_file(file)?).as_bytes());
    let footer = Footer::from([("infoplane.config_hash".to_owned(), hash)]);
    if is_there(out, &footer)? {
        return Ok(Outcome::UpToDate);
    }
    write(out, &rows, &footer)?;
    Ok(Outcome::Done(describe(&rows, out)))
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

fn write(out: &Path, rows: &[SampleRow], footer: &Footer) -> Result<(), StageError> {
    let name =
        out.file_name().ok_or_else(|| StageError::Refused(format!("`--out {}` names no file", out.display())))?;
    let folder = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let _lock = Lock::take(folder)?;
    write_rows(folder, &name.to_string_lossy(), rows, footer)?;
    Ok(())
}

fn describe(rows: &[SampleRow], out: &Path) -> String {
    let n_inputs = rows.first().map_or(0, |row| row.x.len());
    let labels = crate::sample::distinct(&rows.iter().map(|row| row.y).collect::<Vec<_>>());
    format!("{} samples of {n_inputs} inputs, {} labels → {}", rows.len(), labels.len(), out.display())
}

fn rows(data: Dataset) -> Vec<SampleRow> {
    let row = |(i, (x, y)): (usize, (ndarray::ArrayView1<'_, f32>, &i32))| SampleRow {
        sample: i as i32,
        x: x.to_vec(),
        y: *y,
        p_y1: data.p_y1.as_ref().map(|p| p[i]),
    };
    data.x.rows().into_iter().zip(&data.y).enumerate().map(row).collect()
}

fn read_columns(file: &Path) -> Result<Vec<Column>, StageError> {
    let name = file.to_string_lossy().to_lowercase();
    if name.ends_with(".parquet") {
        return Ok(foreign::read_columns(file)?);
    }
    let Some((_, reader)) = READERS.iter().find(|(ending, _)| name.ends_with(&format!(".{ending}"))) else {
        let known: Vec<&str> = READERS.iter().map(|(ending, _)| *ending).collect();
        let known = known.join(", ");
        return Err(StageError::Refused(format!("{}: unknown file ending; known: {known}, parquet", file.display())));
    };
    let content = fs::read(file).map_err(|e| StageError::Refused(format!("cannot read {}: {e}", file.display())))?;
    reader(&content).map_err(|e| StageError::Refused(format!("{}: {e}", file.display())))
}

/// Chooses X and Y among the columns and checks every value.
fn dataset(columns: &[Column], choice: &Choice) -> Result<Dataset, String> {
    let find = |name: &str| {
        let known = || crate::suggest::suggestion(name, columns.iter().map(|c| c.name.as_str()));
        columns.iter().find(|c| c.name == name).ok_or_else(|| format!("no column `{name}`; {}", known()))
    };
    let y = find(&choice.y)?;
    let p_y1 = choice.p_y1.as_deref().map(find).transpose()?;
    let x: Vec<&Column> = if choice.x.is_empty() {
        let taken = |c: &Column| c.name == y.name || p_y1.is_some_and(|p| p.name == c.name);
        columns.iter().filter(|c| !taken(c)).collect()
    } else {
        choice.x.iter().map(|name| find(name)).collect::<Result<_, _>>()?
    };
    let Some(first) = x.first() else { return Err("no column is left for x; name some with --x".to_owned()) };
    let n = first.n_rows();
    if n == 0 {
        return Err("there are no rows".to_owned());
    }
    for column in x.iter().copied().chain([y]).chain(p_y1) {
        if column.n_rows() != n && column.problem.is_none() {
            let (other, rows) = (&column.name, column.n_rows());
            return Err(format!("`{}` has {n} rows, `{other}` has {rows}; every sample needs all of them", first.name));
        }
        if let Some(problem) = &column.problem {
            return Err(format!("column `{}`: {problem}; choose others with --x and --y", column.name));
        }
        let flaw = |v: &f64| !v.is_finite() || (v.abs() > f64::from(f32::MAX));
        if let Some(at) = column.values.iter().position(flaw) {
            let (row, name, value) = (at / column.width, &column.name, column.values[at]);
            let within = if column.width > 1 { format!(", value {}", at % column.width) } else { String::new() };
            return Err(format!("row {row}, column `{name}`{within} is {value}; only finite f32 values can be used"));
        }
    }
    for column in [Some(y), p_y1].into_iter().flatten() {
        if column.width != 1 {
            return Err(format!("column `{}` has {} values a row; labels have one", column.name, column.width));
        }
    }
    let label = |(row, value): (usize, &f64)| {
        let whole = value.fract() == 0.0 && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(value);
        let problem = || format!("row {row}, column `{}` is {value}; a label is a whole number", y.name);
        if whole { Ok(*value as i32) } else { Err(problem()) }
    };
    let y = y.values.iter().enumerate().map(label).collect::<Result<Vec<_>, _>>()?;
    if let Some(p) = p_y1 {
        crate::sample::Labels::stochastic(&p.values).map_err(|e| e.to_string())?;
        if let Some(row) = y.iter().position(|label| ![0, 1].contains(label)) {
            return Err(format!("row {row}: label {} beside p(y=1|x); stochastic labels are 0 or 1", y[row]));
        }
    }
    let n_inputs: usize = x.iter().map(|c| c.width).sum();
    let values = (0..n).flat_map(|row| x.iter().flat_map(move |c| &c.values[row * c.width..][..c.width]));
    let x = ndarray::Array2::from_shape_vec((n, n_inputs), values.map(|v| *v as f32).collect());
    Ok(Dataset { x: x.expect("every column has n rows"), y, p_y1: p_y1.map(|p| p.values.clone()) })
}

/// Where an imported file goes when nothing is said: `data/<name>.parquet`, the name without the format's ending.
pub fn default_out(file: &Path) -> PathBuf {
    let name = file.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let endings = READERS.iter().map(|(ending, _)| *ending).chain(["parquet"]);
    let stems = endings.filter_map(|ending| name.strip_suffix(&format!(".{ending}")).map(str::to_owned));
    crate::store::data_file(&stems.min_by_key(String::len).unwrap_or_else(|| name.clone()))
}
