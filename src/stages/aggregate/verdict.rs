//! The verdict on the compression of a layer: its interval, the smallest effect that counts, and what `infoplane check` found
//! at the snapshots that the compression is taken from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::estimate_id::EstimateId;
use crate::layer_id::LayerId;
use crate::math::interval::Interval;
use crate::store::schema::{CheckRow, CompressionRow};
use crate::store::{CheckVerdict, CompressionVerdict};

/// Checks that say that a number is not the information it is taken for.
const CONTRADICTING: [&str; 6] = ["ceiling-xt", "ceiling-ty", "outside", "fano", "dpi-xt", "dpi-ty"];

/// The smallest compression that counts: a share of the ceiling of I(X;T), but no less than some bits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MinimumEffect {
    /// Share of the ceiling.
    pub share: f64,
    /// The least, in bits.
    pub bits: f64,
}

impl Default for MinimumEffect {
    fn default() -> Self {
        Self { share: 0.01, bits: 0.05 }
    }
}

impl MinimumEffect {
    /// In bits, for a layer whose I(X;T) has this ceiling in bits.
    pub(super) fn of(self, ceiling: Option<f64>) -> f64 {
        ceiling.map_or(self.bits, |ceiling| self.bits.max(self.share * ceiling))
    }
}

/// What `infoplane check` found of one estimator and layer, by snapshot.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct LayerChecks {
    found: BTreeMap<(String, i64), CheckOutcome>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct CheckOutcome {
    verdict: CheckVerdict,
    n_found: i32,
    n_runs: i32,
}

impl LayerChecks {
    pub(super) fn add(&mut self, row: CheckRow) {
        let found = CheckOutcome { verdict: row.verdict, n_found: row.n_found, n_runs: row.n_runs };
        self.found.insert((row.check, row.step), found);
    }

    /// Whether `check` ends in `verdict` or worse at one of the `steps`, in at least half of the runs.
    fn has(&self, check: &str, verdict: CheckVerdict, steps: &BTreeSet<i64>) -> bool {
        let is_found = |found: &CheckOutcome| found.verdict >= verdict && 2 * found.n_found >= found.n_runs;
        steps.iter().filter_map(|step| self.found.get(&(check.to_owned(), *step))).any(is_found)
    }
}

/// The compression of a layer and the steps that it is taken from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fall {
    pub(super) interval: Interval,
    /// The smallest effect that counts, in bits.
    pub(super) minimum: f64,
    pub(super) begins: BTreeSet<i64>,
    pub(super) ends: BTreeSet<i64>,
}

/// The verdict on a fall with its reason; `checks` are `None` where nothing was checked.
pub(super) fn verdict(fall: &Fall, checks: Option<&LayerChecks>) -> (CompressionVerdict, String) {
    use CompressionVerdict::{Compresses, Contradicted, DoesNot, Saturated, Undecided};
    let Some(checks) = checks else {
        return (Undecided, "these estimates are not checked; run `infoplane check`".to_owned());
    };
    let is_saturated = |steps| checks.has("saturation", CheckVerdict::Warning, steps);
    if is_saturated(&fall.ends) {
        return (Saturated, "I(X;T) is within 10 % of its ceiling at the end".to_owned());
    }
    let rests_on: BTreeSet<i64> = fall.begins.union(&fall.ends).copied().collect();
    let contradicts = |check: &&str| checks.has(check, CheckVerdict::Violated, &rests_on);
    let contradicting: Vec<&str> = CONTRADICTING.into_iter().filter(contradicts).collect();
    if !contradicting.is_empty() {
        let checks = contradicting.iter().map(|check| format!("`{check}`")).collect::<Vec<_>>().join(", ");
        return (Contradicted, format!("violated where the compression is taken: {checks}"));
    }
    if checks.has("null-xt", CheckVerdict::Warning, &fall.begins) {
        return (Undecided, "at the peak I(X;T) is not above its permutation null".to_owned());
    }
    let Fall { interval, minimum, .. } = fall;
    let least = format!("{minimum:.3} bits, the smallest effect that counts");
    let is_lower_bound = is_saturated(&fall.begins);
    match interval {
        Interval { low, mean, .. } if *low > 0.0 && mean >= minimum && is_lower_bound => {
            (Compresses, format!("by at least {mean:.3} bits: I(X;T) is within 10 % of its ceiling at the peak"))
        }
        Interval { low, mean, .. } if *low > 0.0 && mean >= minimum => {
            (Compresses, format!("the 95 % interval is above 0, the mean above {least}"))
        }
        Interval { high, .. } if high < minimum && is_lower_bound => {
            (Saturated, "I(X;T) is within 10 % of its ceiling at the peak".to_owned())
        }
        Interval { high, .. } if high < minimum => (DoesNot, format!("the 95 % interval is below {least}")),
        Interval { low, .. } if *low > 0.0 => {
            (Undecided, format!("the 95 % interval is above 0, but the mean below {least}"))
        }
        _ => (Undecided, format!("the 95 % interval contains 0 and {least}")),
    }
}

/// Withholds the verdicts on layers whose compression is above 0 at one scale of an estimator and below 0 at another.
pub(super) fn withhold_where_scales_disagree(rows: &mut [CompressionRow]) {
    // By experiment, estimator at all scales, and layer: a scale at which it falls, and one at which it rises.
    type FallsAndRises = [Option<Arc<EstimateId>>; 2];
    let mut signs: BTreeMap<(String, EstimateId, LayerId), FallsAndRises> = BTreeMap::new();
    let key = |row: &CompressionRow| (row.experiment.clone(), row.estimator.at_all_scales(), row.layer);
    for row in rows.iter() {
        let rises = row.compression_bits_high.is_some_and(|high| high < 0.0);
        if rises || row.compression_bits_low.is_some_and(|low| low > 0.0) {
            signs.entry(key(row)).or_default()[usize::from(rises)].get_or_insert_with(|| Arc::clone(&row.estimator));
        }
    }
    for row in rows {
        let decided = matches!(row.verdict, CompressionVerdict::Compresses | CompressionVerdict::DoesNot);
        if let (true, Some([Some(falls), Some(rises)])) = (decided, signs.get(&key(row))) {
            row.verdict = CompressionVerdict::Contradicted;
            row.reason = Some(format!("I(X;T) falls by `{falls}`, but rises by `{rises}`"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::interval::mean_interval;

    /// A fall by these bits in every run, from step 5 to step 9, of an estimate whose smallest effect is 0.12 bits.
    fn fall(bits: &[f64]) -> Fall {
        let interval = mean_interval(bits).unwrap();
        Fall { interval, minimum: 0.12, begins: BTreeSet::from([5]), ends: BTreeSet::from([9]) }
    }

    /// A check of ten runs.
    fn check(name: &str, step: i64, verdict: CheckVerdict, n_found: i32) -> CheckRow {
        CheckRow {
            estimator: Arc::new(EstimateId::of_table("binning-n-edges-30")),
            layer: LayerId::FIRST,
            epoch: step as i32,
            step,
            check: name.to_owned(),
            verdict,
            n_runs: 10,
            n_found,
            value: None,
            bound: None,
            says: String::new(),
            quantity: None,
        }
    }

    #[track_caller]
    fn expect(bits: &[f64], checks: &[(&str, i64, CheckVerdict, i32)], expected: CompressionVerdict, words: &str) {
        let mut found = LayerChecks::default();
        checks.iter().for_each(|(name, step, verdict, n)| found.add(check(name, *step, *verdict, *n)));
        let (got, reason) = verdict(&fall(bits), Some(&found));
        assert_eq!(got, expected, "{reason}");
        assert!(reason.contains(words), "{reason}");
    }

    const FALLS: &[f64] = &[1.0, 1.1, 0.9, 1.05];

    #[test]
    fn the_interval_and_the_smallest_effect_decide() {
        use CompressionVerdict::{Compresses, DoesNot, Undecided};
        expect(FALLS, &[], Compresses, "the mean above 0.120 bits");
        expect(&[0.018, 0.017, 0.019, 0.018], &[], DoesNot, "below 0.120 bits");
        expect(&[-1.0, -1.1, -0.9], &[], DoesNot, "below 0.120 bits");
        expect(&[0.0, 0.0, 0.0], &[], DoesNot, "below 0.120 bits");
        expect(&[1.0, -1.0, 0.5], &[], Undecided, "contains 0");
        expect(&[0.05, 0.15, 0.1, 0.12, 0.13], &[], Undecided, "but the mean below 0.120 bits");
        let (unchecked, reason) = verdict(&fall(FALLS), None);
        assert_eq!(unchecked, Undecided);
        assert!(reason.contains("infoplane check"), "{reason}");
    }

    #[test]
    fn a_saturated_estimate_cannot_tell() {
        use CheckVerdict::Warning;
        use CompressionVerdict::{Compresses, Saturated};
        expect(FALLS, &[("saturation", 9, Warning, 10)], Saturated, "at the end");
        expect(FALLS, &[("saturation", 5, Warning, 10), ("saturation", 9, Warning, 10)], Saturated, "at the end");
        expect(FALLS, &[("saturation", 5, Warning, 10)], Compresses, "at least 1.01");
        expect(&[0.0, 0.0], &[("saturation", 5, Warning, 10)], Saturated, "at the peak");
        expect(FALLS, &[("saturation", 7, Warning, 10), ("saturation", 9, Warning, 4)], Compresses, "above 0");
    }

    #[test]
    fn violated_checks_contradict_where_the_fall_is_taken() {
        use CheckVerdict::{Violated, Warning};
        use CompressionVerdict::{Compresses, Contradicted, Undecided};
        for name in CONTRADICTING {
            expect(FALLS, &[(name, 5, Violated, 5)], Contradicted, name);
            expect(FALLS, &[(name, 9, Violated, 10)], Contradicted, name);
            expect(FALLS, &[(name, 7, Violated, 10)], Compresses, "");
            expect(FALLS, &[(name, 9, Violated, 4)], Compresses, "");
        }
        expect(FALLS, &[("outside", 9, Warning, 10)], Compresses, "");
        expect(FALLS, &[("null-xt", 5, Warning, 10)], Undecided, "permutation null");
        expect(FALLS, &[("null-xt", 9, Warning, 10)], Compresses, "");
    }
}
