//! Counts the verdicts of the checks of each estimator for the banner of the page.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::store::CheckVerdict;
use crate::store::schema::CheckRow;

/// How many checks of one estimator passed; a check of one layer at one snapshot counts once.
#[derive(Debug, Serialize, PartialEq)]
pub(super) struct CheckCounts {
    estimator: String,
    /// At the latest snapshot with a check.
    latest: VerdictCounts,
    /// At all snapshots.
    total: VerdictCounts,
}

#[derive(Debug, Default, Serialize, PartialEq)]
struct VerdictCounts {
    checked: usize,
    warnings: usize,
    violated: usize,
}

impl CheckCounts {
    /// One entry for each estimator of `rows`.
    pub(super) fn of(rows: &[CheckRow]) -> Vec<Self> {
        let mut by_estimator: BTreeMap<String, Vec<&CheckRow>> = BTreeMap::new();
        for row in rows {
            by_estimator.entry(row.estimator.to_string()).or_default().push(row);
        }
        let counts = |(estimator, rows): (String, Vec<&CheckRow>)| {
            let last = rows.iter().map(|row| row.step).max();
            let latest = rows.iter().filter(|row| Some(row.step) == last);
            Self {
                estimator,
                latest: VerdictCounts::of(latest.map(|row| row.verdict)),
                total: VerdictCounts::of(rows.iter().map(|row| row.verdict)),
            }
        };
        by_estimator.into_iter().map(counts).collect()
    }
}

impl VerdictCounts {
    fn of(verdicts: impl Iterator<Item = CheckVerdict>) -> Self {
        verdicts.fold(Self::default(), |counts, verdict| Self {
            checked: counts.checked + 1,
            warnings: counts.warnings + usize::from(verdict == CheckVerdict::Warning),
            violated: counts.violated + usize::from(verdict == CheckVerdict::Violated),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_and_passed_checks_are_counted_as_checked_only() {
        let verdicts = [CheckVerdict::Passed, CheckVerdict::Note, CheckVerdict::Warning, CheckVerdict::Violated];
        assert_eq!(VerdictCounts::of(verdicts.into_iter()), VerdictCounts { checked: 4, warnings: 1, violated: 1 });
    }
}
