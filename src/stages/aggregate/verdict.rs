//! The verdict on the compression of a layer: its interval, the smallest effect that counts, and the findings of
//! `infoplane check` at the peak and at the end.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::estimate_id::{EstimateId, Samples};
use crate::layer_id::LayerId;
use crate::math::interval::{Interval, Range};
use crate::store::CompressionVerdict;
use crate::store::schema::{CheckRow, CompressionRow};

/// Checks whose failure means that an estimate is not the true information.
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
    /// A fixed number of bits for all ceilings; without a number, the default.
    pub fn given(bits: Option<f64>) -> Self {
        bits.map_or_else(Self::default, |bits| Self { share: 0.0, bits })
    }

    /// The smallest compression that counts, in bits, for a layer with this ceiling of I(X;T) in bits.
    pub(super) fn of(self, ceiling: Option<f64>) -> f64 {
        ceiling.map_or(self.bits, |ceiling| self.bits.max(self.share * ceiling))
    }
}

/// The findings of `infoplane check` for one estimator and layer.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct LayerChecks {
    counts: BTreeMap<CheckPlace, Counts>,
}

/// Name of a check, whether it compares the layer with the one below, and the step.
type CheckPlace = (String, bool, i64);

/// Number of runs that were checked, that do not pass, and that violate the check.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Counts {
    n_runs: i32,
    n_found: i32,
    n_violated: i32,
}

impl LayerChecks {
    /// Adds a finding of the layer itself.
    pub(super) fn add(&mut self, row: &CheckRow) {
        self.count(row, false);
    }

    /// Adds a finding from comparing the layer below with this layer: either number may be wrong.
    pub(super) fn add_from_below(&mut self, row: &CheckRow) {
        self.count(row, true);
    }

    fn count(&mut self, row: &CheckRow, is_from_below: bool) {
        let counts = self.counts.entry((row.check.clone(), is_from_below, row.step)).or_default();
        counts.n_runs += row.n_runs;
        counts.n_found += row.n_found;
        counts.n_violated += row.n_violated.unwrap_or(0) as i32;
    }

    /// Whether at least half of the runs fail a check at the given steps. The check is of the layer itself, or compares the
    /// layer below with it.
    fn fails(&self, check: &str, is_from_below: bool, number: fn(&Counts) -> i32, steps: &RunsByStep) -> bool {
        let n_runs: usize = steps.values().sum();
        let share = |(step, n): (&i64, &usize)| {
            let counts = self.counts.get(&(check.to_owned(), is_from_below, *step))?;
            Some(*n as f64 * f64::from(number(counts)) / f64::from(counts.n_runs.max(1)))
        };
        let n_failing: f64 = steps.iter().filter_map(share).sum();
        n_runs > 0 && n_failing >= n_runs as f64 / 2.0
    }

    /// A check that is violated at some of these steps, in words; `None` if none is violated.
    fn violated(&self, check: &str, at: [&RunsByStep; 2]) -> Option<String> {
        let is_violated = |is_from_below: bool| {
            at.iter().any(|steps| self.fails(check, is_from_below, |counts| counts.n_violated, steps))
        };
        let own = is_violated(false).then(|| format!("`{check}`"));
        own.or_else(|| is_violated(true).then(|| format!("`{check}` between the layer below and this one")))
    }

    fn is_found(&self, check: &str, steps: &RunsByStep) -> bool {
        self.fails(check, false, |counts| counts.n_found, steps)
    }
}

/// By step, the number of runs evaluated at this step.
pub(super) type RunsByStep = BTreeMap<i64, usize>;

/// The compression of a layer and the steps at which it is evaluated.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fall {
    pub(super) interval: Interval,
    /// Whether the runs differ in the change of I(X;T) from their first to their last snapshot; copies of one run do not.
    pub(super) runs_differ: bool,
    /// The smallest effect that counts, in bits.
    pub(super) minimum: f64,
    /// The largest I(X;T) of any run at any snapshot, in bits.
    pub(super) largest: f64,
    /// The most distinct values of T that the estimator saw in any run at any snapshot.
    pub(super) most_codes: i32,
    pub(super) begins: RunsByStep,
    pub(super) ends: RunsByStep,
}

/// The verdict on a compression with its reason; `checks` is `None` if the estimates are not checked.
pub(super) fn verdict(fall: &Fall, checks: Option<&LayerChecks>) -> (CompressionVerdict, String) {
    use CompressionVerdict::{Compresses, Contradicted, DoesNot, Saturated, Undecided};
    let Some(checks) = checks else {
        return (Undecided, "these estimates are not checked; run `infoplane check`".to_owned());
    };
    let is_saturated = |steps| checks.is_found("saturation", steps);
    if is_saturated(&fall.ends) {
        return (Saturated, "I(X;T) is within 10 % of its ceiling at the end".to_owned());
    }
    let contradicts = |check: &str| checks.violated(check, [&fall.begins, &fall.ends]);
    let contradicting: Vec<String> = CONTRADICTING.into_iter().filter_map(contradicts).collect();
    if !contradicting.is_empty() {
        let checks = contradicting.join(", ");
        return (Contradicted, format!("violated at the peak or at the end: {checks}"));
    }
    if [&fall.begins, &fall.ends].into_iter().any(|steps| checks.is_found("outside", steps)) {
        return (
            Undecided,
            "more than 1 % of the values are outside the fixed edges at the peak or at the end".to_owned(),
        );
    }
    if let Some(reason) = nothing_to_lose(fall) {
        return (Undecided, reason);
    }
    if checks.is_found("null-xt", &fall.begins) {
        return (Undecided, "I(X;T) at the peak is not above its permutation null".to_owned());
    }
    let Fall { interval, minimum, .. } = fall;
    let least = format!("{minimum:.3} bits, the smallest effect that counts");
    let is_lower_bound = is_saturated(&fall.begins);
    let Interval { mean, range, .. } = interval;
    // Equal compressions have no interval; the mean is used.
    if is_lower_bound && range.map_or(*mean, |range| range.high) < *minimum {
        return (Saturated, "I(X;T) is within 10 % of its ceiling at the peak".to_owned());
    }
    match range {
        // The peak is the last snapshot, or I(X;T) has not decreased since. For different runs this is not due to chance.
        None if *mean == 0.0 && fall.runs_differ => {
            (DoesNot, "in every run, I(X;T) at the end equals I(X;T) at the peak".to_owned())
        }
        None => (
            Undecided,
            format!(
                "all runs have the same compression, {mean:.3} bits, so there is no interval: not enough different runs"
            ),
        ),
        Some(Range { low, .. }) if *low > 0.0 && mean >= minimum && is_lower_bound => (
            Compresses,
            format!(
                "by at least {mean:.3} bits; the true fall may be larger, because I(X;T) is within 10 % of its ceiling at the peak"
            ),
        ),
        Some(Range { low, .. }) if *low > 0.0 && mean >= minimum => {
            (Compresses, format!("the 95 % interval is above 0, the mean above {least}"))
        }
        Some(Range { high, .. }) if high < minimum => (DoesNot, format!("the 95 % interval is below {least}")),
        Some(Range { low, .. }) if *low > 0.0 => {
            (Undecided, format!("the 95 % interval is above 0, but the mean below {least}"))
        }
        _ => (Undecided, format!("the 95 % interval contains 0 and {least}")),
    }
}

/// Why a layer cannot compress: a layer without information cannot lose information.
fn nothing_to_lose(fall: &Fall) -> Option<String> {
    if fall.most_codes == 1 {
        let remedy = "if T does vary, use narrower bins or bins over the range of the layer";
        return Some(format!(
            "the estimator sees a single value of T at all snapshots, so the layer has no information to lose; {remedy}"
        ));
    }
    let Fall { largest, minimum, .. } = fall;
    (largest < minimum).then(|| {
        format!(
            "I(X;T) is at most {largest:.3} bits at all snapshots, less than {minimum:.3} bits, the smallest effect that counts, so compression cannot be detected"
        )
    })
}

/// Withholds the verdicts on layers that compress at one scale of an estimator, but at another scale do not compress and gain
/// information from the first to the last snapshot. Both changes must exceed the smallest effect that counts, and both
/// estimates must pass their checks. Exact values with another noise are another quantity, not another scale.
pub(super) fn withhold_where_scales_disagree(rows: &mut [CompressionRow]) {
    // By experiment, estimator without scale, and layer: a scale at which I(X;T) decreases, and a scale at which it increases.
    type FallsAndRises = [Option<Arc<EstimateId>>; 2];
    let mut signs: BTreeMap<(String, EstimateId, LayerId), FallsAndRises> = BTreeMap::new();
    let key = |row: &CompressionRow| (row.experiment.clone(), row.estimator.at_all_scales(), row.layer);
    let sign = |row: &CompressionRow| {
        let minimum = row.minimum_effect_bits.unwrap_or(0.0);
        let rises = row.rise_bits_low.is_some_and(|low| low > minimum);
        match row.verdict {
            _ if row.estimator.samples == Samples::Distribution => None,
            // If it increases more than it decreases, there is no net loss over the training.
            CompressionVerdict::Compresses if !rises => Some(0),
            CompressionVerdict::DoesNot if rises => Some(1),
            _ => None,
        }
    };
    for row in rows.iter() {
        if let Some(sign) = sign(row) {
            signs.entry(key(row)).or_default()[sign].get_or_insert_with(|| Arc::clone(&row.estimator));
        }
    }
    for row in rows {
        if let (Some(_), Some([Some(falls), Some(rises)])) = (sign(row), signs.get(&key(row))) {
            row.verdict = CompressionVerdict::Contradicted;
            row.reason = Some(format!("I(X;T) decreases with `{falls}`, but increases with `{rises}`"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::interval::mean_interval;
    use crate::store::CheckVerdict;

    /// A fall by these bits in every run, from step 5 to step 9, of an estimate whose smallest effect is 0.12 bits.
    fn fall(bits: &[f64]) -> Fall {
        let interval = mean_interval(bits).unwrap();
        let (begins, ends) = (RunsByStep::from([(5, 10)]), RunsByStep::from([(9, 10)]));
        Fall { interval, runs_differ: true, minimum: 0.12, largest: 5.0, most_codes: 100, begins, ends }
    }

    /// A check of ten runs.
    fn check(name: &str, step: i64, verdict: CheckVerdict, n_found: i32) -> CheckRow {
        CheckRow {
            estimator: Arc::new(EstimateId::of_table("binning-n-edges-30")),
            layer: LayerId::FIRST,
            layer_name: None,
            epoch: step as i32,
            step,
            check: name.to_owned(),
            verdict,
            n_runs: 10,
            n_found,
            n_violated: Some(if verdict == CheckVerdict::Violated { n_found.into() } else { 0 }),
            value: None,
            bound: None,
            says: String::new(),
            quantity: None,
        }
    }

    #[track_caller]
    fn expect(bits: &[f64], checks: &[(&str, i64, CheckVerdict, i32)], expected: CompressionVerdict, words: &str) {
        let mut found = LayerChecks::default();
        checks.iter().for_each(|(name, step, verdict, n)| found.add(&check(name, *step, *verdict, *n)));
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
        expect(&[0.0, 0.0, 0.0], &[], DoesNot, "I(X;T) at the end equals I(X;T) at the peak");
        expect(&[1.0, -1.0, 0.5], &[], Undecided, "contains 0");
        expect(&[0.05, 0.15, 0.1, 0.12, 0.13], &[], Undecided, "but the mean below 0.120 bits");
        // Equal numbers prove nothing, least of all where the runs are copies of one.
        expect(&[0.5, 0.5, 0.5], &[], Undecided, "the same compression, 0.500 bits");
        let copies = Fall { runs_differ: false, ..fall(&[0.0, 0.0, 0.0]) };
        let (got, reason) = verdict(&copies, Some(&LayerChecks::default()));
        assert_eq!(got, Undecided);
        assert!(reason.contains("not enough different runs"), "{reason}");
        let (unchecked, reason) = verdict(&fall(FALLS), None);
        assert_eq!(unchecked, Undecided);
        assert!(reason.contains("infoplane check"), "{reason}");
    }

    #[test]
    fn a_layer_without_information_has_nothing_to_compress() {
        use CompressionVerdict::{Contradicted, DoesNot, Undecided};
        let still = fall(&[0.0, 0.0, 0.0]);
        let of = |largest, most_codes, found: &LayerChecks| {
            verdict(&Fall { largest, most_codes, ..still.clone() }, Some(found))
        };
        let unfound = LayerChecks::default();
        let (one_cell, reason) = of(0.0, 1, &unfound);
        assert_eq!(one_cell, Undecided);
        assert!(reason.contains("a single value") && reason.contains("no information to lose"), "{reason}");
        let (little, reason) = of(0.119, 2, &unfound);
        assert_eq!(little, Undecided);
        assert!(reason.contains("at most 0.119 bits"), "{reason}");
        // As much as counts may be lost; and exact tables do not say how many values they saw.
        assert_eq!(of(0.12, 2, &unfound).0, DoesNot);
        assert_eq!(of(3.0, 0, &unfound).0, DoesNot);
        // A network that is right knows more of Y than one cell: that is the stronger statement.
        let mut found = LayerChecks::default();
        found.add(&check("fano", 9, CheckVerdict::Violated, 10));
        assert_eq!(of(0.0, 1, &found).0, Contradicted);
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
        expect(FALLS, &[("outside", 9, Warning, 10)], Undecided, "outside the fixed edges");
        expect(FALLS, &[("null-xt", 5, Warning, 10)], Undecided, "permutation null");
        expect(FALLS, &[("null-xt", 9, Warning, 10)], Compresses, "");
    }

    #[test]
    fn half_of_the_runs_are_counted_where_their_own_fall_is_taken() {
        let verdict_of = |ends: RunsByStep, rows: &[CheckRow]| {
            let mut found = LayerChecks::default();
            rows.iter().for_each(|row| found.add(row));
            verdict(&Fall { ends, ..fall(FALLS) }, Some(&found)).0
        };
        // One run of ten ended early, and was saturated there.
        let early = CheckRow { n_runs: 1, n_found: 1, ..check("saturation", 7, CheckVerdict::Warning, 1) };
        assert_eq!(verdict_of(RunsByStep::from([(7, 1), (9, 9)]), &[early]), CompressionVerdict::Compresses);
        let most = CheckRow { n_runs: 10, n_found: 9, ..check("saturation", 9, CheckVerdict::Warning, 9) };
        assert_eq!(verdict_of(RunsByStep::from([(7, 1), (9, 9)]), &[most]), CompressionVerdict::Saturated);
        // Warnings in nine runs and a violation in one are no violation in half of them.
        let outside = CheckRow { n_violated: Some(1), ..check("outside", 9, CheckVerdict::Violated, 10) };
        assert_eq!(verdict_of(RunsByStep::from([(9, 10)]), &[outside]), CompressionVerdict::Undecided);
    }

    #[test]
    fn a_layer_is_contradicted_by_the_comparison_with_the_layer_below_as_well() {
        let mut found = LayerChecks::default();
        found.add_from_below(&check("dpi-xt", 9, CheckVerdict::Violated, 10));
        assert_eq!(verdict(&fall(FALLS), Some(&found)).0, CompressionVerdict::Contradicted);
    }

    /// Verdicts of scales with these identities, verdicts and ends of intervals of the rise, after they are compared.
    fn compared(scales: &[(&str, CompressionVerdict, f64, f64)]) -> Vec<CompressionVerdict> {
        let row = |(id, verdict, low, high): &(&str, CompressionVerdict, f64, f64)| CompressionRow {
            experiment: "e".to_owned(),
            estimator: Arc::new(EstimateId::of_table(id)),
            quantity: None,
            layer: LayerId::FIRST,
            layer_name: None,
            n_runs: 10,
            n_failed: 0,
            i_xt_peak_bits_mean: None,
            i_xt_peak_epoch_median: None,
            i_xt_end_bits_mean: None,
            drop_bits_mean: None,
            compression_bits_mean: None,
            compression_bits_std: None,
            compression_bits_low: None,
            compression_bits_high: None,
            rise_bits_mean: None,
            rise_bits_low: Some(*low),
            rise_bits_high: Some(*high),
            n_compressing: 0,
            sign_p: None,
            p: None,
            p_holm: None,
            minimum_effect_bits: Some(0.12),
            fitted_epoch_median: None,
            n_fitted: 0,
            diffusion_epoch_median: None,
            n_diffused: 0,
            verdict: *verdict,
            reason: None,
        };
        let mut rows: Vec<CompressionRow> = scales.iter().map(row).collect();
        withhold_where_scales_disagree(&mut rows);
        rows.into_iter().map(|row| row.verdict).collect()
    }

    #[test]
    fn scales_that_disagree_withhold_the_verdicts_of_each_other_only() {
        use CompressionVerdict::{Compresses, Contradicted, DoesNot, Saturated};
        let falls = ("binning-n-edges-10", Compresses, -1.2, -0.8);
        let rises = |low| ("binning-n-edges-30", DoesNot, low, 2.0);
        assert_eq!(compared(&[falls, rises(0.5)]), [Contradicted, Contradicted]);
        // What falls after its peak, but ends above its start, does not contradict a rise.
        assert_eq!(compared(&[("binning-n-edges-10", Compresses, 0.3, 0.9), rises(0.5)]), [Compresses, DoesNot]);
        // A rise that does not count, one that cannot be trusted, and those of another kind of bins or of an exact number.
        assert_eq!(compared(&[falls, rises(0.05)]), [Compresses, DoesNot]);
        assert_eq!(compared(&[falls, ("binning-n-edges-30", Saturated, 0.5, 2.0)]), [Compresses, Saturated]);
        assert_eq!(compared(&[falls, ("binning-bin-width-0.1", DoesNot, 0.5, 2.0)]), [Compresses, DoesNot]);
        let small = ("binning-n-edges-50", DoesNot, -0.002, -0.001);
        assert_eq!(compared(&[small, rises(0.5)]), [DoesNot, DoesNot]);
        let exact = ["linear-noise-variance-0.1", "linear-noise-variance-1"];
        let exact = [(exact[0], Compresses, -1.2, -0.8), (exact[1], DoesNot, 0.5, 2.0)];
        let of_distribution = exact.iter().all(|(id, ..)| EstimateId::of_table(id).samples == Samples::Distribution);
        assert!(!of_distribution || compared(&exact) == [Compresses, DoesNot]);
    }
}
