//! The phases of a training: fitting, compression, drift and diffusion, of every run and layer and over all runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::verdict::{Fall, LayerChecks, MinimumEffect, RunsByStep, verdict};
use crate::estimate_id::EstimateId;
use crate::layer_id::LayerId;
use crate::math::descriptive::{first_largest, mean, median};
use crate::math::interval::mean_interval;
use crate::math::paired::{holm, sign_test, wilcoxon};
use crate::store::schema::{CompressionRow, PhaseRow};
use crate::store::{CompressionVerdict, RunId};

/// The settings for the phases of one estimator and experiment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) experiment: &'a str,
    pub(super) estimator: &'a Arc<EstimateId>,
    /// What the estimate is, in words.
    pub(super) quantity: Option<&'a str>,
    /// The findings in every layer; `None` if these estimates are not checked.
    pub(super) checks: Option<&'a BTreeMap<LayerId, LayerChecks>>,
    pub(super) minimum: MinimumEffect,
}

/// The share of the rise of I(T;Y), from its first to its largest value, that counts as fitted.
const FITTED_SHARE: f64 = 0.9;

/// One run and layer over its training, by rising step.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LayerHistory {
    pub(super) run: String,
    pub(super) layer: LayerId,
    pub(super) layer_name: Option<Arc<str>>,
    pub(super) snapshots: Vec<SnapshotValues>,
    /// Why it does not cover the entire training.
    pub(super) failure: Option<String>,
}

/// A recorded snapshot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SnapshotValues {
    pub(super) epoch: i32,
    pub(super) step: i64,
    pub(super) i_xt: Option<f64>,
    pub(super) i_ty: Option<f64>,
    /// The ceiling of I(X;T).
    pub(super) i_xt_ceiling: Option<f64>,
    /// Distinct values of T that the estimator saw.
    pub(super) n_codes: i32,
    /// Signal-to-noise ratio of the gradients.
    pub(super) snr: Option<f64>,
}

/// The phases of one estimator's `histories`, which are all runs and layers of one experiment.
pub(super) fn phases(context: &Context<'_>, histories: &[LayerHistory]) -> (Vec<PhaseRow>, Vec<CompressionRow>) {
    let layers: BTreeSet<LayerId> = histories.iter().map(|history| history.layer).collect();
    let (mut phases, mut compressions) = (Vec::new(), Vec::new());
    for layer in layers {
        let of_layer: Vec<&LayerHistory> = histories.iter().filter(|history| history.layer == layer).collect();
        let peaks = peaks_of_the_other_half(&of_layer);
        let row = |history: &&LayerHistory| phase(context, history, peaks.get(history.run.as_str()).copied());
        let rows: Vec<PhaseRow> = of_layer.iter().map(row).collect();
        compressions.push(compression(context, layer, &rows, &LayerSnapshots::of(&of_layer, &peaks)));
        phases.extend(rows);
    }
    let p: Vec<Option<f64>> = compressions.iter().map(|row| row.p).collect();
    for (row, p_holm) in compressions.iter_mut().zip(holm(&p)) {
        row.p_holm = p_holm;
    }
    phases.sort_by(|a, b| (&a.run, a.layer).cmp(&(&b.run, b.layer)));
    (phases, compressions)
}

/// For every run, the snapshot (epoch, step) at which the mean I(X;T) of the other half of the runs is largest. The halves are
/// the runs at even and at odd positions in the list.
///
/// With noise alone, the largest value of a run is above its last value, so that every run would seem to compress. The peak of
/// the other half is independent of the noise of this run. All runs of one half are evaluated at the same snapshot, so their
/// values are independent of each other, as the tests assume. (With the peak of all other runs they are not independent: for
/// fifty runs of noise, a 95 % interval then misses 0 in 30 % of cases.) Runs that were recorded at different steps are
/// compared at all of these steps, each with its latest value.
fn peaks_of_the_other_half<'c>(histories: &[&'c LayerHistory]) -> BTreeMap<&'c str, (i32, i64)> {
    let whole: Vec<Values<'c>> = histories.iter().filter_map(|history| Values::of(history)).collect();
    let mut peaks = BTreeMap::new();
    if whole.len() < 2 {
        return peaks;
    }
    // No run has a value before its first snapshot.
    let first = whole.iter().map(|run| run.values[0].0).max().unwrap_or(0);
    let snapshots: BTreeSet<(i64, i32)> =
        whole.iter().flat_map(|run| run.values.iter().map(|(step, epoch, _)| (*step, *epoch))).collect();
    for half in 0..2 {
        let others: Vec<&Values<'_>> = whole.iter().skip(1 - half).step_by(2).collect();
        // The first of several equal ones.
        let mut peak = (f64::NEG_INFINITY, (0, 0));
        for (step, epoch) in snapshots.iter().filter(|(step, _)| *step >= first) {
            let sum: f64 = others.iter().map(|run| run.held(*step)).sum();
            if sum > peak.0 {
                peak = (sum, (*epoch, *step));
            }
        }
        peaks.extend(whole.iter().skip(half).step_by(2).map(|run| (run.run, peak.1)));
    }
    peaks
}

/// I(X;T) of a run at every recorded snapshot: step, epoch, bits.
struct Values<'c> {
    run: &'c str,
    values: Vec<(i64, i32, f64)>,
}

impl<'c> Values<'c> {
    /// `None` for a run that failed or was recorded only once, so that it cannot show a decrease.
    fn of(history: &'c LayerHistory) -> Option<Self> {
        let value = |snapshot: &SnapshotValues| Some((snapshot.step, snapshot.epoch, snapshot.i_xt?));
        let values: Vec<(i64, i32, f64)> = history.snapshots.iter().filter_map(value).collect();
        (history.failure.is_none() && values.len() > 1).then_some(Self { run: &history.run, values })
    }

    /// The last recorded snapshot that is not after `step`.
    fn at(&self, step: i64) -> (i64, i32, f64) {
        let until = self.values.partition_point(|(at, ..)| *at <= step);
        self.values[until.max(1) - 1]
    }

    fn held(&self, step: i64) -> f64 {
        self.at(step).2
    }
}

/// The number of occurrences of each step.
fn by_step(steps: impl Iterator<Item = i64>) -> RunsByStep {
    steps.fold(RunsByStep::new(), |mut counts, step| {
        *counts.entry(step).or_default() += 1;
        counts
    })
}

/// The steps at which the compression of a layer is evaluated, its ceiling, and the largest values at any snapshot.
struct LayerSnapshots {
    begins: RunsByStep,
    ends: RunsByStep,
    ceiling: Option<f64>,
    largest: f64,
    most_codes: i32,
}

impl LayerSnapshots {
    fn of(histories: &[&LayerHistory], peaks: &BTreeMap<&str, (i32, i64)>) -> Self {
        let runs: Vec<Values<'_>> = histories.iter().filter_map(|history| Values::of(history)).collect();
        let begin = |run: &Values<'_>| Some(run.at(peaks.get(run.run)?.1).0);
        let snapshots = || histories.iter().flat_map(|history| &history.snapshots);
        Self {
            begins: by_step(runs.iter().filter_map(begin)),
            ends: by_step(runs.iter().filter_map(|run| Some(run.values.last()?.0))),
            ceiling: snapshots().filter_map(|s| s.i_xt_ceiling).reduce(f64::min),
            largest: snapshots().filter_map(|s| s.i_xt).fold(f64::NEG_INFINITY, f64::max),
            most_codes: snapshots().map(|s| s.n_codes).max().unwrap_or(0),
        }
    }
}

fn phase(context: &Context<'_>, history: &LayerHistory, others_peak: Option<(i32, i64)>) -> PhaseRow {
    let mut row = PhaseRow {
        experiment: context.experiment.to_owned(),
        estimator: Arc::clone(context.estimator),
        quantity: context.quantity.map(str::to_owned),
        run: history.run.clone(),
        layer: history.layer,
        layer_name: history.layer_name.clone(),
        end_epoch: history.snapshots.last().map_or(0, |snapshot| snapshot.epoch),
        i_xt_start_bits: None,
        i_xt_peak_bits: None,
        i_xt_peak_epoch: None,
        i_xt_end_bits: None,
        drop_bits: None,
        others_peak_epoch: None,
        compression_bits: None,
        i_ty_start_bits: None,
        i_ty_end_bits: None,
        fitted_epoch: None,
        diffusion_epoch: None,
        failure: history.failure.clone(),
    };
    if history.failure.is_some() {
        return row;
    }
    let i_xt: Vec<(i32, f64)> = history.snapshots.iter().filter_map(|m| Some((m.epoch, m.i_xt?))).collect();
    if let (Some(first), Some(last), Some(peak)) = (i_xt.first(), i_xt.last(), first_largest(&i_xt)) {
        row.i_xt_start_bits = Some(first.1);
        row.i_xt_peak_bits = Some(peak.1);
        row.i_xt_peak_epoch = Some(peak.0.into());
        row.i_xt_end_bits = Some(last.1);
        row.drop_bits = Some(peak.1 - last.1);
        row.others_peak_epoch = others_peak.map(|(epoch, _)| epoch.into());
        row.compression_bits = others_peak.zip(Values::of(history)).map(|((_, step), own)| own.held(step) - last.1);
    }
    let i_ty: Vec<(i32, f64)> = history.snapshots.iter().filter_map(|m| Some((m.epoch, m.i_ty?))).collect();
    if let (Some(first), Some(last)) = (i_ty.first(), i_ty.last()) {
        row.i_ty_start_bits = Some(first.1);
        row.i_ty_end_bits = Some(last.1);
        row.fitted_epoch = fitted(&i_ty).map(i64::from);
    }
    let snr: Vec<(i32, f64)> = history.snapshots.iter().filter_map(|m| Some((m.epoch, m.snr?))).collect();
    row.diffusion_epoch = diffusion(&snr).map(i64::from);
    row
}

/// The first epoch with [`FITTED_SHARE`] of the rise from the first to the largest value; `None` if it never rises.
fn fitted(history: &[(i32, f64)]) -> Option<i32> {
    let (first, peak) = (history.first()?.1, first_largest(history)?.1);
    let enough = first + FITTED_SHARE * (peak - first);
    let reached = history.iter().find(|(_, value)| *value >= enough).filter(|_| peak > first);
    reached.map(|(epoch, _)| *epoch)
}

/// The first epoch after the largest ratio at which it is below 1; `None` if the largest ratio is not above 1.
fn diffusion(snr: &[(i32, f64)]) -> Option<i32> {
    let peak = first_largest(snr).filter(|(_, ratio)| *ratio > 1.0)?;
    snr.iter().find(|(epoch, ratio)| *epoch > peak.0 && *ratio < 1.0).map(|(epoch, _)| *epoch)
}

/// A fingerprint of the curve of a run, to recognise copies of one run.
fn course_of(row: &PhaseRow) -> [Option<f64>; 8] {
    let epochs =
        [row.i_xt_peak_epoch, row.fitted_epoch, row.diffusion_epoch].map(|epoch| epoch.map(|epoch| epoch as f64));
    let [peak_epoch, fitted, diffused] = epochs;
    let [start, peak, end] = [row.i_xt_start_bits, row.i_xt_peak_bits, row.i_xt_end_bits];
    [start, peak, end, row.i_ty_start_bits, row.i_ty_end_bits, peak_epoch, fitted, diffused]
}

/// The result of all runs of a layer.
fn compression(context: &Context<'_>, layer: LayerId, rows: &[PhaseRow], snapshots: &LayerSnapshots) -> CompressionRow {
    let sound: Vec<&PhaseRow> = rows.iter().filter(|row| row.failure.is_none()).collect();
    let numbers =
        |number: fn(&PhaseRow) -> Option<f64>| sound.iter().filter_map(|row| number(row)).collect::<Vec<f64>>();
    let epochs = |number: fn(&PhaseRow) -> Option<i64>| {
        sound.iter().filter_map(|row| number(row)).map(|epoch| epoch as f64).collect::<Vec<f64>>()
    };
    let compressions = numbers(|row| row.compression_bits);
    let interval = mean_interval(&compressions);
    let range = interval.and_then(|interval| interval.range);
    let rises = numbers(|row| Some(row.i_xt_end_bits? - row.i_xt_start_bits?));
    let rise = mean_interval(&rises).and_then(|interval| interval.range);
    let (fitted, diffused) = (epochs(|row| row.fitted_epoch), epochs(|row| row.diffusion_epoch));
    let minimum = context.minimum.of(snapshots.ceiling);
    let is_pooled = rows.iter().any(|row| row.run == RunId::pooled().to_string());
    let undecided = |why: &str| (CompressionVerdict::Undecided, why.to_owned());
    let (verdict, reason) = match (interval, sound.len()) {
        (Some(interval), _) => {
            let (begins, ends) = (snapshots.begins.clone(), snapshots.ends.clone());
            let unfound = LayerChecks::default();
            let checks = context.checks.map(|layers| layers.get(&layer).unwrap_or(&unfound));
            let LayerSnapshots { largest, most_codes, .. } = *snapshots;
            let runs_differ = sound.windows(2).any(|pair| course_of(pair[0]) != course_of(pair[1]));
            verdict(&Fall { interval, runs_differ, minimum, largest, most_codes, begins, ends }, checks)
        }
        (None, 0) => {
            let why = rows.iter().find_map(|row| row.failure.as_deref()).unwrap_or("nothing is recorded");
            undecided(&format!("no run has estimates: {why}"))
        }
        (None, _) if is_pooled => undecided("the runs are pooled, and a single estimate has no interval"),
        (None, _) if sound.iter().all(|row| row.i_xt_end_bits.is_none()) => {
            undecided("this estimator does not estimate I(X;T)")
        }
        (None, 1) => undecided("a single run has no interval; record more runs"),
        (None, _) => undecided("fewer than two runs have at least two recorded snapshots"),
    };
    CompressionRow {
        experiment: context.experiment.to_owned(),
        estimator: Arc::clone(context.estimator),
        quantity: context.quantity.map(str::to_owned),
        layer,
        layer_name: rows.iter().find_map(|row| row.layer_name.clone()),
        n_runs: sound.len() as i32,
        n_failed: (rows.len() - sound.len()) as i32,
        i_xt_peak_bits_mean: mean(&numbers(|row| row.i_xt_peak_bits)),
        i_xt_peak_epoch_median: median(epochs(|row| row.i_xt_peak_epoch)),
        i_xt_end_bits_mean: mean(&numbers(|row| row.i_xt_end_bits)),
        drop_bits_mean: mean(&numbers(|row| row.drop_bits)),
        compression_bits_mean: interval.map(|i| i.mean),
        compression_bits_std: interval.map(|i| i.std),
        compression_bits_low: range.map(|r| r.low),
        compression_bits_high: range.map(|r| r.high),
        rise_bits_mean: mean(&rises),
        rise_bits_low: rise.map(|r| r.low),
        rise_bits_high: rise.map(|r| r.high),
        n_compressing: compressions.iter().filter(|bits| **bits > 0.0).count() as i32,
        sign_p: sign_test(&compressions),
        p: wilcoxon(&compressions),
        p_holm: None,
        minimum_effect_bits: Some(minimum),
        n_fitted: fitted.len() as i32,
        fitted_epoch_median: median(fitted),
        n_diffused: diffused.len() as i32,
        diffusion_epoch_median: median(diffused),
        verdict,
        reason: Some(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suggest::Named;

    /// A run of layer 1 with these I(X;T) at steps and epochs 0, 1, 2, …; I(T;Y) is a tenth of it.
    fn history(run: &str, i_xt: &[f64]) -> LayerHistory {
        let snapshot = |(n, bits): (usize, &f64)| SnapshotValues {
            epoch: n as i32,
            step: n as i64,
            i_xt: Some(*bits),
            i_ty: Some(bits / 10.0),
            i_xt_ceiling: Some(12.0),
            n_codes: 100,
            snr: None,
        };
        let snapshots = i_xt.iter().enumerate().map(snapshot).collect();
        LayerHistory { run: run.to_owned(), layer: LayerId::FIRST, layer_name: None, snapshots, failure: None }
    }

    fn of(histories: &[LayerHistory]) -> (Vec<PhaseRow>, CompressionRow) {
        let estimator = Arc::new(EstimateId::of_table("binning-exact"));
        let checks = BTreeMap::new();
        let context = Context {
            experiment: "e",
            estimator: &estimator,
            quantity: None,
            checks: Some(&checks),
            minimum: MinimumEffect::default(),
        };
        let (phases, mut compressions) = phases(&context, histories);
        (phases, compressions.remove(0))
    }

    #[test]
    fn the_peak_is_that_of_the_other_half_of_the_runs() {
        // By hand: r1 is the other half of r0 and r2 and largest at 2; r0 and r2 are that of r1 and largest at 2 (6 + 3).
        let runs = [
            history("r0", &[1.0, 2.0, 6.0, 1.0]),
            history("r1", &[1.0, 3.0, 4.0, 2.0]),
            history("r2", &[1.0, 4.0, 3.0, 0.0]),
        ];
        let (phases, over_runs) = of(&runs);
        let peaks: Vec<i64> = phases.iter().map(|row| row.others_peak_epoch.unwrap()).collect();
        assert_eq!(peaks, [2, 2, 2]);
        let bits: Vec<f64> = phases.iter().map(|row| row.compression_bits.unwrap()).collect();
        assert_eq!(bits, [5.0, 2.0, 3.0]);
        let drops: Vec<f64> = phases.iter().map(|row| row.drop_bits.unwrap()).collect();
        assert_eq!(drops, [5.0, 2.0, 4.0]);

        assert_eq!((over_runs.n_runs, over_runs.n_compressing), (3, 3));
        assert_eq!(over_runs.i_xt_peak_epoch_median, Some(2.0));
        // Mean 10/3; squares 25/9 + 16/9 + 1/9 = 42/9, over 2.
        let std = (7.0_f64 / 3.0).sqrt();
        assert!((over_runs.compression_bits_mean.unwrap() - 10.0 / 3.0).abs() < 1e-12);
        assert!((over_runs.compression_bits_std.unwrap() - std).abs() < 1e-12);
        // Student's t of two degrees of freedom, 4.3026527, times s/√3: reaches below 0.
        let low = 10.0 / 3.0 - 4.302_652_7 * std / 3_f64.sqrt();
        assert!(low < 0.0 && (over_runs.compression_bits_low.unwrap() - low).abs() < 1e-6);
        assert_eq!(over_runs.verdict, CompressionVerdict::Undecided);
        // All three above 0: 2 · 2⁻³ for both tests.
        assert_eq!((over_runs.sign_p, over_runs.p), (Some(0.25), Some(0.25)));
    }

    #[test]
    fn noise_compresses_as_rarely_as_the_interval_promises() {
        use rand::{RngExt, SeedableRng};
        let mut rng = rand::rngs::ChaCha8Rng::seed_from_u64(7);
        let (mut n_found, n_tried) = (0, 400);
        for _ in 0..n_tried {
            let mut run = |i: usize| {
                let noise: Vec<f64> = (0..24).map(|_| (0..12).map(|_| rng.random::<f64>()).sum()).collect();
                history(&format!("r{i:02}"), &noise)
            };
            let runs: Vec<LayerHistory> = (0..20).map(&mut run).collect();
            let (phases, over_runs) = of(&runs);
            // Each run falls from its own largest value, as one of 24 is above the last.
            assert!(phases.iter().map(|row| row.drop_bits.unwrap()).sum::<f64>() > 10.0);
            // There is none where both halves are largest at the end: all fall by 0.
            let interval = over_runs.compression_bits_low.zip(over_runs.compression_bits_high);
            n_found += usize::from(interval.is_some_and(|(low, high)| low > 0.0 || high < 0.0));
        }
        // 5 % of 400 are 20 ± 4.4; five of these. Asked where all others are largest, it would be about 100.
        assert!((2..=42).contains(&n_found), "{n_found} of {n_tried}");
    }

    #[test]
    fn what_only_rises_does_not_compress() {
        let (_, over_runs) = of(&[history("r0", &[1.0, 2.0, 3.0]), history("r1", &[1.0, 2.5, 2.6])]);
        assert_eq!((over_runs.verdict.name(), over_runs.compression_bits_mean), ("does not compress", Some(0.0)));
        assert_eq!((over_runs.sign_p, over_runs.p), (None, None));
    }

    #[test]
    fn one_cell_at_all_snapshots_is_undecided() {
        let mut still = [history("r0", &[0.0, 0.0, 0.0]), history("r1", &[0.0, 0.0, 0.0])];
        let snapshots = still.iter_mut().flat_map(|history| &mut history.snapshots);
        snapshots.for_each(|snapshot| snapshot.n_codes = 1);
        let (_, over_runs) = of(&still);
        let reason = over_runs.reason.unwrap();
        assert_eq!(over_runs.verdict, CompressionVerdict::Undecided);
        assert!(reason.contains("a single value of T"), "{reason}");
    }

    #[test]
    fn one_run_or_snapshot_has_no_interval_and_failed_ones_are_counted() {
        let (_, over_runs) = of(&[history("r0", &[3.0]), history("r1", &[3.0])]);
        assert_eq!((over_runs.verdict.name(), over_runs.compression_bits_mean), ("undecided", None));
        assert_eq!(over_runs.reason.as_deref(), Some("fewer than two runs have at least two recorded snapshots"));

        let (phases, over_runs) = of(&[history("r0", &[1.0, 3.0, 2.0])]);
        assert_eq!((phases[0].drop_bits, phases[0].compression_bits), (Some(1.0), None));
        assert_eq!((over_runs.verdict.name(), over_runs.compression_bits_low), ("undecided", None));
        assert_eq!(over_runs.reason.as_deref(), Some("a single run has no interval; record more runs"));

        let failed =
            |run| LayerHistory { failure: Some("epoch 3: no density".to_owned()), ..history(run, &[1.0, 9.0]) };
        let (_, over_runs) = of(&[history("r0", &[1.0, 3.0, 2.0]), failed("r1")]);
        assert_eq!((over_runs.n_runs, over_runs.n_failed), (1, 1));
        let (phases, over_runs) = of(&[failed("r0"), failed("r1")]);
        assert_eq!(phases[1].i_xt_peak_bits, None);
        assert_eq!(over_runs.reason.as_deref(), Some("no run has estimates: epoch 3: no density"));
    }

    #[test]
    fn runs_recorded_at_different_steps_keep_their_latest_value() {
        let mut sparse = history("r1", &[1.0, 4.0, 2.0]);
        for (snapshot, step) in sparse.snapshots.iter_mut().zip([0, 2, 10]) {
            (snapshot.step, snapshot.epoch) = (step, step as i32);
        }
        // The other of r0 is largest from step 2 on; r1 holds 4 from there, the other of r1 is largest at 1, where r1 has 1.
        let (phases, _) = of(&[history("r0", &[1.0, 5.0, 3.0, 2.0]), sparse]);
        assert_eq!(phases[0].others_peak_epoch, Some(2));
        assert_eq!(phases[0].compression_bits, Some(1.0));
        assert_eq!((phases[1].others_peak_epoch, phases[1].compression_bits), (Some(1), Some(-1.0)));
    }

    #[test]
    fn fitting_ends_at_nine_tenths_of_the_climb_and_drift_where_noise_outweighs_the_signal() {
        let check = |history: &[f64], expected: Option<i32>| {
            let history: Vec<(i32, f64)> = (0..).zip(history.iter().copied()).collect();
            assert_eq!(fitted(&history), expected);
        };
        check(&[0.0, 0.5, 0.9, 1.0], Some(2));
        check(&[0.2, 0.2, 0.2], None);
        check(&[0.5, 0.1], None);
        check(&[], None);
        let check = |history: &[f64], expected: Option<i32>| {
            let history: Vec<(i32, f64)> = (0..).zip(history.iter().copied()).collect();
            assert_eq!(diffusion(&history), expected);
        };
        check(&[0.5, 2.0, 4.0, 1.0, 0.9, 2.0], Some(4));
        check(&[0.9, 0.8], None);
        check(&[2.0, 3.0], None);
        check(&[], None);
    }
}
