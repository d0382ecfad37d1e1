//! What the checks of an experiment come to: one finding for each estimator and check, for the check stage and the report.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use crate::estimate_id::EstimateId;
use crate::layer_id::LayerId;
use crate::store::schema::CheckRow;
use crate::store::{CheckVerdict, layer_in_words};

/// What one check says of one estimator, over all runs, layers and snapshots.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Identity of the estimate; without a scale where several scales are compared.
    #[serde(flatten)]
    pub estimator: Arc<EstimateId>,
    /// Name of the check.
    pub check: String,
    /// The worst verdict.
    pub verdict: CheckVerdict,
    /// Layers where it does not pass.
    pub layers: Vec<LayerId>,
    /// Layers times snapshots where it does not pass in some run.
    pub n_found: usize,
    /// Layers times snapshots that were looked at.
    pub n_checked: usize,
    /// What was found, in words, at the latest snapshot where the verdict is worst.
    pub says: String,
}

/// Above this share of values outside of its fixed edges an estimate leaves out some of the layer.
pub(super) const MOST_OUTSIDE: f64 = 0.01;

/// A check, and what it means if it does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Check {
    pub(super) name: &'static str,
    /// At most 44 characters, for one line of a screen.
    meaning: &'static str,
}

/// Every check in the order people see.
pub(super) const CHECKS: &[Check] = &[
    Check { name: "failure", meaning: "the estimate failed" },
    Check { name: "ceiling-xt", meaning: "I(X;T) is larger than H(X)" },
    Check { name: "ceiling-ty", meaning: "I(T;Y) is larger than H(Y) minus H(Y|X)" },
    Check { name: "saturation", meaning: "I(X;T) is limited by the number of samples" },
    Check { name: "cells", meaning: "fewer than two samples per cell on average" },
    Check { name: "outside", meaning: "many values are outside the fixed bin edges" },
    Check { name: "null-xt", meaning: "I(X;T) no larger than with shuffled inputs" },
    Check { name: "null-ty", meaning: "I(T;Y) no larger than with shuffled labels" },
    Check { name: "fano", meaning: "I(T;Y) is too small for this accuracy" },
    Check { name: "dpi-xt", meaning: "I(X;T) is larger in the next layer" },
    Check { name: "dpi-ty", meaning: "I(T;Y) is larger in the next layer" },
    Check { name: "scales", meaning: "I(X;T) depends on bin width or noise" },
    Check { name: "constant", meaning: "all samples have the same activations" },
    Check { name: "duplicates", meaning: "several samples have the same activations" },
    Check { name: "atoms", meaning: "many activations have exactly one value" },
];

/// What it means that a check does not pass; empty for a check of another version.
pub fn meaning(check: &str) -> &'static str {
    CHECKS.iter().find(|listed| listed.name == check).map_or("", |listed| listed.meaning)
}

/// The place of a check among all.
fn order_of(check: &str) -> usize {
    CHECKS.iter().position(|listed| listed.name == check).unwrap_or(CHECKS.len())
}

/// Per estimator and check, the worst verdict and where it is.
pub(super) fn findings(rows: &[CheckRow]) -> Vec<Finding> {
    let mut subjects: BTreeMap<(&EstimateId, usize), Vec<&CheckRow>> = BTreeMap::new();
    for row in rows {
        subjects.entry((&row.estimator, order_of(&row.check))).or_default().push(row);
    }
    subjects.into_values().filter_map(|rows| finding(&rows)).collect()
}

fn finding(rows: &[&CheckRow]) -> Option<Finding> {
    // Where it is worst, the latest snapshot: what a trained network is like.
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

/// What is found is the worse the further its figure is from what it is compared with; what passes, the nearer.
pub(super) fn badness(verdict: CheckVerdict, value: Option<f64>, bound: Option<f64>) -> (CheckVerdict, f64) {
    let distance = value.zip(bound).map_or(0.0, |(value, bound)| (value - bound).abs());
    (verdict, if verdict == CheckVerdict::Passed { -distance } else { distance })
}
