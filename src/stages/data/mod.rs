//! The data stage: rules, published files and foreign files → a table of samples; what such a table holds.

mod choice;
mod describe;
mod import;
mod inputs;
mod make;
mod rows;

use std::ops::Range;
use std::path::Path;
use std::{fs, io};

use super::{Outcome, StageError};
use crate::count::counted;
use crate::datasets::Dataset;
use crate::sample::distinct;
use crate::store::schema::{Row, SampleRow};
use crate::store::{Footer, RowWriter, Temporary, read_footer, sweep};
pub use describe::{Class, Description, Targets, describe};
pub use import::{ImportFiles, ImportRequest, default_out, import};
pub use make::{State, make, parts, state};

/// In the footer of a table of samples: the names of labels 0, 1, …, as a list in JSON.
const CLASSES: &str = "infoplane.classes";
/// In the footer: the dimensions of an input that is an array, such as an image, as a list in JSON.
const X_SHAPE: &str = "infoplane.x_shape";
/// In the footer: what was subtracted from every value of X, and what it was divided by, in JSON.
const STANDARDISED: &str = "infoplane.x_standardised";

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
/// `hashes` are those of inputs that x does not tell apart; empty: x does. It is made in a folder of its own, next to `out` and under
/// a name that nobody else has, and put in place only where nothing is. So two processes need no lock, and what a killed call leaves
/// is swept by the next one.
fn write(out: &Path, data: &Dataset, hashes: &[i64], footer: &Footer) -> Result<Outcome, StageError> {
    let refused = |problem: String| StageError::Refused(format!("cannot write {}: {problem}", out.display()));
    let failed = |e: io::Error| refused(e.to_string());
    let name =
        out.file_name().ok_or_else(|| refused("it names no file; choose another with `--out FILE`".to_owned()))?;
    let folder = folder_of(out);
    fs::create_dir_all(folder).map_err(failed)?;
    let own = Temporary::create(folder)?;
    let made = own.path().join("samples.parquet");
    let placed = write_in(own.path(), data, hashes, footer).and_then(|()| {
        match fs::hard_link(&made, folder.join(name)) {
            Ok(()) => Ok(Outcome::Done(said(data, out))),
            // Somebody was quicker, with the same or with something else.
            Err(_) if is_there(out, footer)? => Ok(Outcome::UpToDate),
            // Not every file system has links.
            Err(_) => match fs::rename(&made, folder.join(name)) {
                Ok(()) => Ok(Outcome::Done(said(data, out))),
                Err(e) => Err(failed(e)),
            },
        }
    });
    drop(own);
    // A name is durable when its folder is.
    placed.and_then(|outcome| fs::File::open(folder).and_then(|f| f.sync_all()).map(|()| outcome).map_err(failed))
}

/// The folder of `out`.
fn folder_of(out: &Path) -> &Path {
    out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Removes what killed calls left next to `out`.
fn clear(out: &Path) {
    sweep(folder_of(out));
}

/// Rows become the table some at a time: pictures are large, and a row has more around it than its values.
fn write_in(folder: &Path, data: &Dataset, hashes: &[i64], footer: &Footer) -> Result<(), StageError> {
    const VALUES_AT_ONCE: usize = 1 << 22;
    let n = data.y.len();
    let n_rows = (VALUES_AT_ONCE / data.x.ncols().max(1)).max(1);
    let mut writer = RowWriter::create(folder, "samples.parquet", &rows(data, hashes, 0..n.min(1)), footer)?;
    for first in (0..n).step_by(n_rows) {
        writer.append(&rows(data, hashes, first..n.min(first + n_rows)))?;
    }
    writer.commit()?;
    Ok(())
}

fn rows(data: &Dataset, hashes: &[i64], range: Range<usize>) -> Vec<SampleRow> {
    let row = |i: usize| SampleRow {
        sample: i as i32,
        x: Some(data.x.row(i).to_vec()),
        x_hash: hashes.get(i).copied(),
        y: data.y[i],
        p_y1: data.p_y1.as_ref().map(|p| p[i]),
        target: data.target.as_ref().map(|target| target.row(i).to_vec()),
    };
    range.map(row).collect()
}

fn said(data: &Dataset, out: &Path) -> String {
    let (n, n_inputs, n_labels) = (data.y.len(), data.x.ncols(), distinct(&data.y).len());
    let targets =
        data.target.as_ref().map_or_else(String::new, |target| format!(", {}", counted(target.ncols(), "target")));
    format!(
        "{} of {}, {}{targets} → {}",
        counted(n, "sample"),
        counted(n_inputs, "input"),
        counted(n_labels, "label"),
        out.display()
    )
}
