//! The small tables of a recorded run: rows that count from 0, each of which is there once.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use super::error::StoreError;
use super::schema::{EpochRow, GradientRow, OnlineLossRow, Row, RunRow, SplitRow, WeightRow};
use super::table::read_rows;

/// A row of a table that every run has for itself.
pub trait RecordedRow: Row {
    /// Whether a run has no more than one row of it.
    const IS_ALONE: bool = false;

    /// What no other row of the same run, table and layer folder has.
    fn key(&self) -> RowKey;
}

/// What distinguishes a row from the others of its table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey {
    /// Columns with their numbers, none of which is negative.
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
        // Files of version 1 have no name for the only kind they know.
        let kind = self.gradients_over.clone().unwrap_or_else(|| "after_step".to_owned());
        RowKey { numbers, kind: Some(kind) }
    }
}

/// The keys of the rows of one table of one run, as far as it was read.
#[derive(Debug, Default)]
pub struct RowKeys {
    seen: BTreeSet<RowKey>,
}

impl RowKeys {
    /// Adds the rows of the next part.
    ///
    /// # Errors
    /// A negative number, a row of the same key as an earlier one, which would be counted twice, or a second row where a run has
    /// one.
    pub fn add<R: RecordedRow>(&mut self, path: &Path, rows: &[R]) -> Result<(), StoreError> {
        for (row, key) in rows.iter().map(R::key).enumerate() {
            let refused = |problem: String| Err(StoreError::Rows { path: path.to_owned(), problem });
            if let Some((column, number)) = key.numbers.iter().find(|(_, number)| *number < 0) {
                return refused(format!("row {row}, column `{column}` is {number}; must be 0 or larger"));
            }
            if R::IS_ALONE && !self.seen.is_empty() {
                return refused(format!(
                    "row {row} is the second one of its run; `{}` has one row for a run",
                    R::TABLE
                ));
            }
            if let Some(same) = self.seen.replace(key) {
                return refused(format!("row {row} is the second row of {same}; every one must be there once"));
            }
        }
        Ok(())
    }
}

/// Reads the parts of a table of one run, one after the other.
///
/// # Errors
/// As [`read_rows`] and [`RowKeys::add`].
pub fn read_recorded<R: RecordedRow>(paths: &[PathBuf]) -> Result<Vec<R>, StoreError> {
    let (mut rows, mut keys) = (Vec::new(), RowKeys::default());
    for path in paths {
        let part = read_rows::<R>(path)?;
        keys.add(path, &part)?;
        rows.extend(part);
    }
    Ok(rows)
}
