//! The small tables of a recorded run: numbers in a row are not negative, and every row is unique.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use super::error::StoreError;
use super::schema::{EpochRow, GradientRow, OnlineLossRow, Row, RunRow, SplitRow, WeightRow};
use super::table::read_rows;

/// A row of a table with one file per run.
pub trait RecordedRow: Row {
    /// Whether a run has at most one row of the table.
    const IS_ALONE: bool = false;

    /// The values that must be unique among the rows of a run, table and layer folder.
    fn key(&self) -> RowKey;
}

/// The values that distinguish a row from the others of its table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey {
    /// Columns with their values, none of which may be negative.
    numbers: Vec<(&'static str, i64)>,
    kind: Option<String>,
}

impl RowKey {
    fn of(numbers: impl Into<Vec<(&'static str, i64)>>) -> Self {
        Self { numbers: numbers.into(), kind: None }
    }

    fn of_snapshot(epoch: i32, step: i64) -> Self {
        Self::of([("epoch", i64::from(epoch)), ("step", step)])
    }
}

impl fmt::Display for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.numbers.iter().map(|(column, number)| format!("{column} {number}")).collect();
        f.write_str(&words.join(", "))?;
        self.kind.as_ref().map_or(Ok(()), |kind| write!(f, ", `{}`", super::plain(kind)))
    }
}

impl RecordedRow for SplitRow {
    fn key(&self) -> RowKey {
        RowKey::of([("sample", i64::from(self.sample))])
    }
}

impl RecordedRow for EpochRow {
    fn key(&self) -> RowKey {
        RowKey::of_snapshot(self.epoch, self.step)
    }
}

impl RecordedRow for WeightRow {
    fn key(&self) -> RowKey {
        RowKey::of_snapshot(self.epoch, self.step)
    }
}

impl RecordedRow for OnlineLossRow {
    fn key(&self) -> RowKey {
        RowKey::of([("step", self.step)])
    }
}

impl RecordedRow for RunRow {
    const IS_ALONE: bool = true;

    fn key(&self) -> RowKey {
        RowKey::of_snapshot(self.epoch, self.step)
    }
}

impl RecordedRow for GradientRow {
    fn key(&self) -> RowKey {
        let layer = i64::from(i32::from(self.layer));
        let numbers = vec![("epoch", i64::from(self.epoch)), ("step", self.step), ("layer", layer)];
        // Files of version 1 do not name the kind, because they have only one.
        let kind = self.gradients_over.clone().unwrap_or_else(|| "after_step".to_owned());
        RowKey { numbers, kind: Some(kind) }
    }
}

/// The keys of the rows that were read so far, of one table and run.
#[derive(Debug, Default)]
pub struct RowKeys {
    seen: BTreeSet<RowKey>,
}

impl RowKeys {
    /// Adds the keys of the next file.
    ///
    /// # Errors
    /// A negative number, a row with the key of an earlier row, which would be counted twice, or a second row where
    /// only one is allowed.
    pub fn add<R: RecordedRow>(&mut self, path: &Path, rows: &[R]) -> Result<(), StoreError> {
        for (row, key) in rows.iter().map(R::key).enumerate() {
            let refused = |problem: String| Err(StoreError::Rows { path: path.to_owned(), problem });
            if let Some((column, number)) = key.numbers.iter().find(|(_, number)| *number < 0) {
                return refused(format!("row {row}, column `{column}` is {number}; must be 0 or greater"));
            }
            if R::IS_ALONE && !self.seen.is_empty() {
                return refused(format!("row {row} is the second row of its run; `{}` has one row per run", R::TABLE));
            }
            if let Some(same) = self.seen.replace(key) {
                return refused(format!("row {row} is the second row with {same}; every such row must be unique"));
            }
        }
        Ok(())
    }
}

/// Reads the files of a table of one run, in order.
///
/// # Errors
/// See [`read_rows`] and [`RowKeys::add`].
pub fn read_recorded<R: RecordedRow>(paths: &[PathBuf]) -> Result<Vec<R>, StoreError> {
    let (mut rows, mut keys) = (Vec::new(), RowKeys::default());
    for path in paths {
        let part = read_rows::<R>(path)?;
        keys.add(path, &part)?;
        rows.extend(part);
    }
    Ok(rows)
}
