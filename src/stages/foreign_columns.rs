//! Reads the columns of a file of another program, in any of the formats that `data import` reads.

use std::fs;
use std::path::Path;

use super::StageError;
use crate::columns::Column;
use crate::import::{FORMATS, Holds, Options, format, inflate, mistaken, unpacked_name};
use crate::memory::Room;
use crate::store::{foreign, read_bytes};

/// Whether the name of the file ends with `.parquet`.
pub(super) fn is_parquet(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("parquet"))
}

/// The name of the file without its folder.
pub(super) fn name_of(file: &Path) -> String {
    file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// The columns of a file of any format; `options` are for formats that leave them open.
pub(super) fn read_columns(file: &Path, options: &Options, room: &mut Room) -> Result<Vec<Column>, StageError> {
    let refused = |problem: String| StageError::Refused(format!("{}: {problem}", file.display()));
    let cannot = |e: std::io::Error| StageError::Refused(format!("cannot read {}: {e}", file.display()));
    let plain = Options::default();
    if is_parquet(file) {
        return match *options == plain {
            true => Ok(foreign::read_columns(file, room)?),
            false => Err(refused(
                "--no-header, --header, --separator, --decimal and --transpose are for other formats, not for .parquet"
                    .to_owned(),
            )),
        };
    }
    let n_bytes = fs::metadata(file).map_err(cannot)?.len();
    room.take(u128::from(n_bytes), "the file").map_err(refused)?;
    let content = read_bytes(file)?;
    let content = inflate(content, room).map_err(|e| refused(e.to_string()))?;
    let name = name_of(file);
    if let Some(what) = mistaken(unpacked_name(&name), &content) {
        return Err(refused(format!("this is {what}")));
    }
    let Some(format) = format(&name, &content) else {
        let endings: Vec<&str> = FORMATS.iter().map(|format| format.ending).collect();
        return Err(refused(format!(
            "unknown file ending; allowed: {}, parquet; all except parquet may be compressed (.gz, .zst)",
            endings.join(", ")
        )));
    };
    let of_text = Options { samples: options.samples, ..Options::default() };
    if format.holds == Holds::Arrays && *options != of_text {
        return Err(refused(format!(
            "--no-header, --header, --separator and --decimal are for text, not for .{}",
            format.ending
        )));
    }
    if format.holds == Holds::Text && options.samples != plain.samples {
        return Err(refused("--transpose is for arrays (mat, npy, npz, idx), not for text".to_owned()));
    }
    (format.read)(&content, options, room).map_err(|e| refused(e.to_string()))
}

/// Marks columns to leave out of X with the reason. pandas writes its index to a first column without a name, called `Unnamed:
/// 0` after it is read again, and `__index_level_0__` in Parquet. A separator at the end of lines makes a column without name
/// and values. A single column is never left out.
pub(super) fn mark(columns: &mut [Column]) {
    if columns.len() < 2 {
        return;
    }
    for (place, column) in columns.iter_mut().enumerate() {
        let is_unusable = column.problem.is_some() || !column.is_numbers();
        let is_whole = column.values.iter().all(|value| value.fract() == 0.0);
        let why = match column.name.as_str() {
            "" if place == 0 && (is_unusable || is_whole) => "the first column, which has no name".to_owned(),
            "" if column.values.iter().all(|value| value.is_nan()) => "an empty column without a name".to_owned(),
            name if name.starts_with("__index_level_") => format!("`{name}`, which numbers the rows"),
            // In concatenated tables some numbers occur several times.
            name if name.starts_with("Unnamed: 0") && is_whole => format!("`{name}`, which numbers the rows"),
            _ => continue,
        };
        column.left_out.get_or_insert(why);
    }
}
