//! The results of checks: one finding for each estimator and check, used by the check stage and the report.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use crate::estimate_id::EstimateId;
use crate::layer_id::LayerId;
use crate::store::schema::CheckRow;
use crate::store::{CheckVerdict, layer_in_words};

/// The result of one check of one estimator, over all runs, layers and snapshots.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Identity of the estimate; without a scale if the check compares several scales.
    #[serde(flatten)]
    pub estimator: Arc<EstimateId>,
    /// Name of the check.
    pub check: String,
    /// The worst verdict.
    pub verdict: CheckVerdict,
    /// Layers for which it does not pass.
    pub layers: Vec<LayerId>,
    /// Number of pairs of layer and snapshot for which it does not pass in some run.
    pub n_found: usize,
    /// Number of pairs of layer and snapshot that were checked.
    pub n_checked: usize,
    /// An example in words: the latest snapshot with the worst verdict.
    pub says: String,
}

/// With a larger share of values outside its fixed edges, an estimate leaves out a part of the layer.
pub(super) const MOST_OUTSIDE: f64 = 0.01;

/// A check, and what it means if it does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Check {
    pub(super) name: &'static str,
    /// Short, for one line of a screen of 80 columns.
    meaning: &'static str,
}

/// Every check in the order people see.
pub(super) const CHECKS: &[Check] = &[
    Check { name: "failure", meaning: "the estimate failed" },
    Check { name: "ceiling-xt", meaning: "I(X;T) is larger than H(X)" },
    Check { name: "ceiling-ty", meaning: "I(T;Y) is larger than H(Y) minus H(Y|X)" },
    Check { name: "saturation", meaning: "I(X;T) limited by the number of samples" },
    Check { name: "cells", meaning: "fewer than two samples per cell" },
    Check { name: "outside", meaning: "values outside the fixed bin edges" },
    Check { name: "null-xt", meaning: "I(X;T) not above its permutation null" },
    Check { name: "null-ty", meaning: "I(T;Y) not above its permutation null" },
    Check { name: "fano", meaning: "I(T;Y) is too small for this accuracy" },
    Check { name: "dpi-xt", meaning: "I(X;T) is larger in the next layer" },
    Check { name: "dpi-ty", meaning: "I(T;Y) is larger in the next layer" },
    Check { name: "scales", meaning: "I(X;T) depends on bin width or noise" },
    Check { name: "constant", meaning: "all samples have the same activations" },
    Check { name: "duplicates", meaning: "samples with the same activations" },
    Check { name: "atoms", meaning: "many activations have the same value" },
];

/// What it means that a check does not pass; empty for a check of another version.
pub fn meaning(check: &str) -> &'static str {
    CHECKS.iter().find(|listed| listed.name == check).map_or("", |listed| listed.meaning)
}

/// The place of a check among all.
fn order_of(check: &str) -> usize {
    CHECKS.iter().position(|listed| listed.name == check).unwrap_or(CHECKS.len())
}

/// For each estimator and check, the worst verdict and an example.
pub(super) fn findings(rows: &[CheckRow]) -> Vec<Finding> {
    let mut subjects: BTreeMap<(&EstimateId, usize), Vec<&CheckRow>> = BTreeMap::new();
    for row in rows {
        subjects.entry((&row.estimator, order_of(&row.check))).or_default().push(row);
    }
    subjects.into_values().filter_map(|rows| finding(&rows)).collect()
}

fn finding(rows: &[&CheckRow]) -> Option<Finding> {
    // Among the worst verdicts the latest snapshot is reported: it describes the trained network.
    let severity = |row: &CheckRow| {
        let (verdict, distance) = badness(row.verdict, row.value, row.bound);
        (verdict, row.step, distance)
    };
    let is_worse = |a: &&&CheckRow, b: &&&CheckRow| severity(a).partial_cmp(&severity(b)).unwrap_or(Ordering::Equal);
    let worst = rows.iter().max_by(is_worse)?;
    let found = rows.iter().filter(|row| row.n_found > 0);
    let layers: BTreeSet<LayerId> = found.clone().map(|row| row.layer).collect();
    Some(Finding {
        estimator: Arc::clone(&worst.estimator),
        check: worst.check.clone(),
        verdict: worst.verdict,
        layers: layers.into_iter().collect(),
        n_found: found.count(),
        n_checked: rows.len(),
        says: match worst.says.as_str() {
            "" => String::new(),
            says => {
                format!("{}, epoch {}: {says}", layer_in_words(worst.layer, worst.layer_name.as_deref()), worst.epoch)
            }
        },
    })
}

/// An order by verdict, then by the distance of the value from its bound: a failed check is worse the larger the distance, a
/// passed check is worse the smaller the distance.
pub(super) fn badness(verdict: CheckVerdict, value: Option<f64>, bound: Option<f64>) -> (CheckVerdict, f64) {
    let distance = value.zip(bound).map_or(0.0, |(value, bound)| (value - bound).abs());
    (verdict, if verdict == CheckVerdict::Passed { -distance } else { distance })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_meaning_fits_into_the_last_column_of_a_screen_of_80_columns() {
        // The columns before it: a name of 11, a verdict of 8, "estimates", "share", and two spaces after each.
        let room = 80 - (11 + 8 + 9 + 5 + 4 * 2);
        assert!(CHECKS.iter().all(|check| check.meaning.chars().count() <= room && check.name.len() <= 11));
    }
}
