//! The data stage: makes a table of samples from rules, published files or foreign files, and describes it.

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

/// Footer entry of a table of samples: the names of labels 0, 1, …, as a list in JSON.
const CLASSES: &str = "infoplane.classes";
/// Footer entry: the dimensions of an input that is an array, such as an image, as a list in JSON.
const X_SHAPE: &str = "infoplane.x_shape";
/// Footer entry: the subtracted mean and the divisor of every value of X, in JSON.
const STANDARDISED: &str = "infoplane.x_standardised";

/// Whether `out` already has the content to write. A file with other content is kept, because it may be the only copy.
fn is_there(out: &Path, footer: &Footer) -> Result<bool, StageError> {
    if !out.exists() {
        return Ok(false);
    }
    let same = |found: Footer| footer.iter().all(|(key, value)| found.get(key) == Some(value));
    if read_footer(out, SampleRow::TABLE).is_ok_and(same) {
        return Ok(true);
    }
    let path = out.display();
    Err(StageError::Refused(format!(
        "{path} exists with other content; remove it, or choose another file with `--out FILE`"
    )))
}

/// Writes the table, which appears whole or not at all.
///
/// `hashes` distinguish inputs that are equal in x; empty: not needed. The table is written to a new folder with a unique name
/// next to `out`, and moved to `out` only if `out` does not exist. So two processes need no lock, and the next call removes the
/// remains of a killed call.
fn write(out: &Path, data: &Dataset, hashes: &[i64], footer: &Footer) -> Result<Outcome, StageError> {
    let refused = |problem: String| StageError::Refused(format!("cannot write {}: {problem}", out.display()));
    let failed = |e: io::Error| refused(e.to_string());
    let name = out
        .file_name()
        .ok_or_else(|| refused("it is not the path of a file; choose another path with `--out FILE`".to_owned()))?;
    let folder = folder_of(out);
    fs::create_dir_all(folder).map_err(failed)?;
    let own = Temporary::create(folder)?;
    let made = own.path().join("samples.parquet");
    let placed = write_in(own.path(), data, hashes, footer).and_then(|()| {
        match fs::hard_link(&made, folder.join(name)) {
            Ok(()) => Ok(Outcome::Done(said(data, out))),
            // Another process was faster, with equal or other content.
            Err(_) if is_there(out, footer)? => Ok(Outcome::UpToDate),
            // Not every file system has links.
            Err(_) => match fs::rename(&made, folder.join(name)) {
                Ok(()) => Ok(Outcome::Done(said(data, out))),
                Err(e) => Err(failed(e)),
            },
        }
    });
    drop(own);
    // The name is durable after its folder is synchronised.
    placed.and_then(|outcome| fs::File::open(folder).and_then(|f| f.sync_all()).map(|()| outcome).map_err(failed))
}

/// The folder of `out`.
fn folder_of(out: &Path) -> &Path {
    out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Removes the remains of killed calls next to `out`.
fn clear(out: &Path) {
    sweep(folder_of(out));
}

/// Rows are written in groups: images are large, and a row needs more memory than its values.
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
