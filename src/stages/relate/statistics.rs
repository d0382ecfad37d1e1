//! Statistics of compression and a quantity of the weights: rank correlations, and which of the two turns first.

use std::collections::BTreeMap;

use super::trajectories::{ByRun, InformationTrajectories, ValueTrajectory};
use crate::count::counted;
use crate::math::descriptive::mean;
use crate::math::interval::{Range, mean_interval, p_of_zero};
use crate::math::rank::spearman;
use crate::store::RunId;
use crate::store::schema::PhaseRow;

/// One run, a group of runs, or all runs of an experiment: its compression, and the curve of a quantity of its weights.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pair {
    experiment: String,
    /// Whether it is one of several groups of runs. The runs of a group are not recorded, so compression and I(X;T) are
    /// averaged over all runs of the experiment.
    is_group: bool,
    /// `None` if it is unknown.
    compression: Option<f64>,
    /// The epoch at which I(X;T) turns; `None` if it does not turn.
    turn_epoch: Option<f64>,
    weights: ValueTrajectory,
    /// I(X;T) and the quantity at the snapshots from the peak of I(X;T) to the end.
    after_peak: Vec<(f64, f64)>,
}

/// Why a run, a group of runs or a snapshot is left out.
type Why = &'static str;

const UNUSABLE: Why = "because of a failure or a warning";
const ONE_SNAPSHOT: Why = "because there is only one snapshot";
const NO_COMPRESSION: Why = "because the compression is unknown";
const UNKNOWN_RUNS: Why = "because the runs of a group are unknown";

impl Pair {
    /// The pairs of one layer, from the `phases` of its runs and the `trajectories` of the quantity.
    pub(super) fn all(phases: &[&PhaseRow], trajectories: &ByRun, information: &InformationTrajectories) -> Vec<Self> {
        let mut pairs = Vec::new();
        // `drop_bits` is never negative; compared with unbiased values, it would show compression without any.
        let is_unbiased = phases.iter().any(|row| row.compression_bits.is_some());
        let compression = |row: &&PhaseRow| if is_unbiased { row.compression_bits } else { row.drop_bits };
        for ((experiment, run), weights) in trajectories {
            let of_run = |row: &&&PhaseRow| row.experiment == *experiment && (RunId::is_pooled(run) || row.run == *run);
            let rows: Vec<&PhaseRow> = phases.iter().filter(of_run).copied().collect();
            if rows.is_empty() {
                continue;
            }
            let is_its_group = |(other, run): &&(String, String)| other == experiment && RunId::is_pooled(run);
            let peaks: Vec<f64> = rows.iter().filter_map(|row| row.i_xt_peak_epoch).map(|epoch| epoch as f64).collect();
            pairs.push(Self {
                experiment: experiment.clone(),
                is_group: RunId::is_pooled(run) && trajectories.keys().filter(is_its_group).count() > 1,
                compression: mean(&rows.iter().filter_map(compression).collect::<Vec<f64>>()),
                turn_epoch: turn_of_information(&rows),
                weights: weights.clone(),
                after_peak: after_peak(&rows, weights, mean(&peaks), information),
            });
        }
        pairs
    }

    /// The last number, or why there is none.
    fn end(&self) -> Result<f64, Why> {
        self.weights.iter().max_by_key(|(step, ..)| *step).and_then(|(.., value)| *value).ok_or(UNUSABLE)
    }

    /// The last number minus the first, or why there is none.
    fn change(&self) -> Result<f64, Why> {
        if self.weights.len() == 1 {
            return Err(ONE_SNAPSHOT);
        }
        let first = self.weights.iter().min_by_key(|(step, ..)| *step).and_then(|(.., value)| *value);
        Ok(self.end()? - first.ok_or(UNUSABLE)?)
    }

    /// The number of its values that failed or have a warning.
    fn n_unusable(&self) -> usize {
        self.weights.iter().filter(|(_, _, value)| value.is_none()).count()
    }
}

/// The mean of the epochs at which I(X;T) is largest in the runs of `rows`; `None` unless every run then has more than at its
/// first snapshot and at its last.
fn turn_of_information(rows: &[&PhaseRow]) -> Option<f64> {
    let turn = |row: &&PhaseRow| {
        let peak = row.i_xt_peak_bits?;
        let is_inner = peak > row.i_xt_start_bits? && peak > row.i_xt_end_bits?;
        row.i_xt_peak_epoch.filter(|_| is_inner).map(|epoch| epoch as f64)
    };
    mean(&rows.iter().map(turn).collect::<Option<Vec<f64>>>()?)
}

/// I(X;T), averaged over the runs of `rows`, and the quantity of the weights at each snapshot from the peak to the end.
fn after_peak(
    rows: &[&PhaseRow],
    weights: &ValueTrajectory,
    peak_epoch: Option<f64>,
    information: &InformationTrajectories,
) -> Vec<(f64, f64)> {
    let Some(peak_epoch) = peak_epoch else { return Vec::new() };
    let trajectory = |row: &&PhaseRow| {
        information
            .of_run(&row.experiment, &row.estimator.to_string(), &row.run, row.layer)
            .map(|trajectory| trajectory.iter().map(|(step, _, bits)| (*step, *bits)).collect::<BTreeMap<i64, f64>>())
    };
    let trajectories: Vec<BTreeMap<i64, f64>> = rows.iter().filter_map(trajectory).collect();
    let at = |step: i64| {
        mean(&trajectories.iter().filter_map(|trajectory| trajectory.get(&step).copied()).collect::<Vec<_>>())
    };
    let later = weights.iter().filter(|(_, epoch, _)| f64::from(*epoch) >= peak_epoch);
    later.filter_map(|(step, _, value)| Some((at(*step)?, (*value)?))).collect()
}

/// A statistic of some pairs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Statistic {
    pub(super) statistic: &'static str,
    pub(super) number: &'static str,
    pub(super) n: usize,
    pub(super) value: Option<f64>,
    pub(super) range: Option<Range>,
    pub(super) p: Option<f64>,
    pub(super) reason: Option<String>,
}

/// The smallest number of pairs for a correlation.
const FEWEST_PAIRS: usize = 5;

/// How a curve is reduced to one number.
type Number = fn(&Pair) -> Result<f64, Why>;

/// The numbers of pairs left out, by reason.
type LeftOut = BTreeMap<Why, usize>;

/// Every statistic of some pairs. Values that failed or have a warning are left out. One of several groups of runs is used only
/// in `settings`: the groups of an experiment have equal compression, which must not be counted several times.
pub(super) fn statistics(pairs: &[Pair]) -> Vec<Statistic> {
    let numbers: [(&str, Number); 2] = [("end", Pair::end), ("change", Pair::change)];
    let every: Vec<&Pair> = pairs.iter().collect();
    let (groups, runs): (Vec<&Pair>, Vec<&Pair>) = pairs.iter().partition(|pair| pair.is_group);
    let groups = LeftOut::from([(UNKNOWN_RUNS, groups.len())]);
    let mut found = Vec::new();
    for (number, of_pair) in numbers {
        let (values, left_out) = numbered(&every, of_pair);
        found.push(over_settings(&values, number).without(&left_out, "run"));
        let (values, left_out) = numbered(&runs, of_pair);
        found.push(over_runs(&values, number).without(&left_out, "run").without(&groups, "group"));
    }
    let unusable = LeftOut::from([(UNUSABLE, runs.iter().map(|pair| pair.n_unusable()).sum())]);
    found.push(over_snapshots(&runs).without(&unusable, "snapshot").without(&groups, "group"));
    found.push(order(&runs).without(&unusable, "snapshot").without(&groups, "group"));
    found
}

/// The experiment, the compression and the number of each pair that has both.
fn numbered<'a>(pairs: &[&'a Pair], of_pair: Number) -> (Vec<(&'a str, f64, f64)>, LeftOut) {
    let (mut values, mut left_out) = (Vec::new(), LeftOut::new());
    for pair in pairs {
        match (pair.compression.ok_or(NO_COMPRESSION), of_pair(pair)) {
            (Ok(compression), Ok(number)) => values.push((pair.experiment.as_str(), compression, number)),
            (Err(why), _) | (_, Err(why)) => *left_out.entry(why).or_default() += 1,
        }
    }
    (values, left_out)
}

impl Statistic {
    /// Adds to a statistic without a value how many runs, groups or snapshots (`noun`) were left out.
    fn without(self, left_out: &LeftOut, noun: &str) -> Self {
        let left_out = left_out.iter().filter(|(_, n)| **n > 0);
        let clauses: String = left_out.map(|(why, n)| format!("; left out {why}: {}", counted(*n, noun))).collect();
        Self { reason: self.reason.map(|reason| reason + &clauses), ..self }
    }
}

/// The pairs of each experiment.
fn by_experiment<'a>(values: &[(&'a str, f64, f64)]) -> BTreeMap<&'a str, Vec<(f64, f64)>> {
    let mut groups: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
    for (experiment, compression, number) in values {
        groups.entry(experiment).or_default().push((*compression, *number));
    }
    groups
}

fn means(pairs: &[(f64, f64)]) -> (f64, f64) {
    let n = pairs.len() as f64;
    (pairs.iter().map(|(x, _)| x).sum::<f64>() / n, pairs.iter().map(|(_, y)| y).sum::<f64>() / n)
}

fn over_settings(values: &[(&str, f64, f64)], number: &'static str) -> Statistic {
    let means: Vec<(f64, f64)> = by_experiment(values).values().map(|pairs| means(pairs)).collect();
    correlation("settings", number, &means, means.len(), "experiments")
}

fn over_runs(values: &[(&str, f64, f64)], number: &'static str) -> Statistic {
    let groups = by_experiment(values);
    let mut deviations = Vec::new();
    for pairs in groups.values().filter(|pairs| pairs.len() > 1) {
        let (x, y) = means(pairs);
        deviations.extend(pairs.iter().map(|pair| (pair.0 - x, pair.1 - y)));
    }
    // One degree of freedom per experiment is lost, because means were subtracted.
    let n_means = groups.values().filter(|pairs| pairs.len() > 1).count();
    let n = (deviations.len() + 1).saturating_sub(n_means.max(1));
    correlation("runs", number, &deviations, n, "independent runs")
}

fn correlation(statistic: &'static str, number: &'static str, pairs: &[(f64, f64)], n: usize, what: &str) -> Statistic {
    let (x, y): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    let found = if n < FEWEST_PAIRS { None } else { spearman(&x, &y, n) };
    let reason = match found {
        Some(_) => None,
        None if n < FEWEST_PAIRS => Some(format!("{n} {what}; needs at least {FEWEST_PAIRS}")),
        None => Some("all numbers are equal".to_owned()),
    };
    Statistic {
        statistic,
        number,
        n,
        value: found.map(|found| found.rho),
        range: found.and_then(|found| found.range),
        p: found.and_then(|found| found.p),
        reason,
    }
}

/// The correlation within each run over the snapshots from the peak of I(X;T) to the end; the mean over runs.
fn over_snapshots(pairs: &[&Pair]) -> Statistic {
    let of_pair = |pair: &&Pair| {
        let (x, y): (Vec<f64>, Vec<f64>) = pair.after_peak.iter().copied().unzip();
        (x.len() >= FEWEST_PAIRS).then(|| spearman(&x, &y, x.len()).map(|found| found.rho))?
    };
    let numbers: Vec<f64> = pairs.iter().filter_map(of_pair).collect();
    let found = mean_over_runs("snapshots", &numbers, "has five snapshots after the peak of I(X;T) that differ");
    // Correlations are between −1 and 1.
    let range = found.range.map(|range| Range { low: range.low.max(-1.0), high: range.high.min(1.0) });
    Statistic { range, ..found }
}

/// The epoch at which the quantity turns, in decades after I(X;T) turns; the mean over runs in which both turn.
fn order(pairs: &[&Pair]) -> Statistic {
    let of_pair = |pair: &&Pair| {
        let turn = turning_epoch(&pair.weights)?;
        Some(((f64::from(turn) + 1.0) / (pair.turn_epoch? + 1.0)).log10())
    };
    let numbers: Vec<f64> = pairs.iter().filter_map(of_pair).collect();
    mean_over_runs("order", &numbers, "has I(X;T) and the number turn after the first snapshot and before the last")
}

fn mean_over_runs(statistic: &'static str, numbers: &[f64], what: &str) -> Statistic {
    let interval = mean_interval(numbers);
    let reason = match numbers.len() {
        0 => Some(format!("no run {what}")),
        1 => Some("one run has no interval".to_owned()),
        _ => None,
    };
    Statistic {
        statistic,
        number: "course",
        n: numbers.len(),
        value: mean(numbers),
        range: interval.and_then(|interval| interval.range),
        p: p_of_zero(numbers),
        reason,
    }
}

/// The epoch of the largest value, or, if the first or the last value is as large, of the smallest value; `None` if the first
/// or the last value is also as small.
fn turning_epoch(trajectory: &ValueTrajectory) -> Option<i32> {
    let mut ordered: Vec<(i64, i32, f64)> =
        trajectory.iter().filter_map(|(step, epoch, value)| Some((*step, *epoch, (*value)?))).collect();
    ordered.sort_by_key(|(step, ..)| *step);
    let (first, last) = (ordered.first()?.2, ordered.last()?.2);
    let inner = |(_, epoch, value): (i64, i32, f64)| (value != first && value != last).then_some(epoch);
    let largest = ordered.iter().copied().reduce(|best, here| if here.2 > best.2 { here } else { best })?;
    let smallest = ordered.iter().copied().reduce(|best, here| if here.2 < best.2 { here } else { best })?;
    inner(largest).or_else(|| inner(smallest))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::estimate_id::EstimateId;
    use crate::layer_id::LayerId;

    fn pair(experiment: &str, compression: f64, weights: &[f64]) -> Pair {
        let trajectory = weights.iter().enumerate().map(|(k, value)| (k as i64, 10 * k as i32, Some(*value))).collect();
        Pair {
            experiment: experiment.to_owned(),
            is_group: false,
            compression: Some(compression),
            turn_epoch: Some(10.0),
            weights: trajectory,
            after_peak: weights.iter().enumerate().map(|(k, value)| (-(k as f64), *value)).collect(),
        }
    }

    #[track_caller]
    fn value(found: &[Statistic], statistic: &str, number: &str) -> Option<f64> {
        found.iter().find(|found| found.statistic == statistic && found.number == number).unwrap().value
    }

    #[test]
    fn settings_and_runs_are_distinguished() {
        // Between experiments both rise together; within each, one falls where the other rises.
        let mut pairs = Vec::new();
        for e in 0..6 {
            for r in 0..4 {
                let (e, r) = (f64::from(e), f64::from(r));
                pairs.push(pair(&format!("e{e}"), 10.0 * e + r, &[0.0, 100.0 * e - r]));
            }
        }
        let found = statistics(&pairs);
        assert_eq!(value(&found, "settings", "end"), Some(1.0));
        assert_eq!(value(&found, "runs", "end"), Some(-1.0));
        assert_eq!(value(&found, "runs", "change"), Some(-1.0));
        // Two numbers of a run are no trajectory.
        assert_eq!(value(&found, "snapshots", "course"), None);
    }

    #[test]
    fn few_experiments_have_no_correlation() {
        let found = statistics(&[pair("a", 1.0, &[1.0, 2.0]), pair("b", 2.0, &[1.0, 3.0])]);
        let settings = found.iter().find(|found| found.statistic == "settings").unwrap();
        assert_eq!(settings.reason.as_deref(), Some("2 experiments; needs at least 5"));
        assert_eq!((settings.value, settings.p), (None, None));
    }

    /// A pair whose number at `place` has a warning.
    fn warned(pair: Pair, place: usize) -> Pair {
        let mut weights = pair.weights.clone();
        weights[place].2 = None;
        Pair { weights, ..pair }
    }

    #[test]
    fn numbers_with_a_warning_are_left_out_of_relations() {
        let number = |found: &[Statistic], statistic: &str, number: &str| {
            found.iter().find(|found| found.statistic == statistic && found.number == number).unwrap().clone()
        };
        // The number falls as the compression grows, but for the two runs whose last number has a warning.
        let good = (0..6).map(|r| pair("a", f64::from(r), &[1.0, -f64::from(r)]));
        let bad = [7.0, 8.0].map(|r| warned(pair("a", r, &[1.0, 100.0]), 1));
        let pairs: Vec<Pair> = good.chain(bad).collect();
        let found = statistics(&pairs);
        let runs = number(&found, "runs", "end");
        assert_eq!((runs.n, runs.value, runs.reason), (6, Some(-1.0), None));
        // The first number of a run says nothing of its end, only of its change.
        let starts: Vec<Pair> = pairs[..6].iter().map(|pair| warned(pair.clone(), 0)).collect();
        let found = statistics(&starts);
        assert_eq!(number(&found, "runs", "end").value, Some(-1.0));
        let change = number(&found, "runs", "change");
        let reason = "0 independent runs; needs at least 5; left out because of a failure or a warning: 6 runs";
        assert_eq!((change.value, change.reason.as_deref()), (None, Some(reason)));
        // Where too few are left.
        let found = statistics(&pairs[4..]);
        let runs = number(&found, "runs", "end");
        let reason = "2 independent runs; needs at least 5; left out because of a failure or a warning: 2 runs";
        assert_eq!((runs.n, runs.value, runs.reason.as_deref()), (2, None, Some(reason)));
        // The only turn has a warning.
        let found = statistics(&[warned(pair("a", 1.0, &[1.0, 5.0, 2.0]), 1)]);
        let order = number(&found, "order", "course");
        assert!(order.reason.unwrap().ends_with("; left out because of a failure or a warning: 1 snapshot"));
    }

    #[test]
    fn snapshots_after_the_peak_and_turning_points() {
        let rising = [1.0, 2.0, 3.0, 4.0, 5.0];
        let found = statistics(&[pair("a", 1.0, &rising), pair("a", 2.0, &rising)]);
        // I(X;T) falls while the number rises, which never turns.
        assert_eq!(value(&found, "snapshots", "course"), Some(-1.0));
        assert_eq!(value(&found, "order", "course"), None);
        // Largest at epoch 0 and smallest at epoch 100, next to a peak at epoch 10.
        let turning = [5.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 1.0, 2.0];
        let found = statistics(&[pair("a", 1.0, &turning)]);
        assert_eq!(value(&found, "order", "course"), Some((101.0_f64 / 11.0).log10()));
    }

    /// What is said of one statistic.
    #[track_caller]
    fn result_of(found: &[Statistic], statistic: &str, number: &str) -> (usize, Option<f64>, Option<String>) {
        let found = found.iter().find(|found| found.statistic == statistic && found.number == number).unwrap();
        (found.n, found.value, found.reason.clone())
    }

    #[test]
    fn one_snapshot_is_no_change() {
        let pairs: Vec<Pair> = (0..6).map(|r| pair("a", f64::from(r), &[f64::from(r)])).collect();
        let found = statistics(&pairs);
        assert_eq!(result_of(&found, "runs", "end"), (6, Some(1.0), None));
        let reason = "0 independent runs; needs at least 5; left out because there is only one snapshot: 6 runs";
        assert_eq!(result_of(&found, "runs", "change"), (0, None, Some(reason.to_owned())));
    }

    /// A run with the I(X;T) at its start, peak and end, and its compression; largest at epoch 10.
    fn phase(experiment: &str, run: &str, bits: [f64; 3], compression: Option<f64>) -> PhaseRow {
        PhaseRow {
            experiment: experiment.to_owned(),
            estimator: Arc::new(EstimateId::of_table("binning")),
            quantity: None,
            run: run.to_owned(),
            layer: LayerId::FIRST,
            layer_name: None,
            end_epoch: 100,
            i_xt_start_bits: Some(bits[0]),
            i_xt_peak_bits: Some(bits[1]),
            i_xt_peak_epoch: Some(10),
            i_xt_end_bits: Some(bits[2]),
            drop_bits: Some(bits[1] - bits[2]),
            others_peak_epoch: None,
            compression_bits: compression,
            i_ty_start_bits: None,
            i_ty_end_bits: None,
            fitted_epoch: None,
            diffusion_epoch: None,
            failure: None,
        }
    }

    /// The pairs of some runs with a number that turns at epoch 20 in each of `places` (experiment and run).
    fn pairs_of(phases: &[PhaseRow], places: &[(&str, &str)]) -> Vec<Pair> {
        let trajectory: ValueTrajectory = vec![(0, 0, Some(1.0)), (1, 20, Some(5.0)), (2, 100, Some(2.0))];
        let place =
            |(experiment, run): &(&str, &str)| (((*experiment).to_owned(), (*run).to_owned()), trajectory.clone());
        let phases: Vec<&PhaseRow> = phases.iter().collect();
        Pair::all(&phases, &places.iter().map(place).collect(), &InformationTrajectories::default())
    }

    #[test]
    fn groups_of_runs_are_no_independent_runs() {
        let phases: Vec<PhaseRow> = ["a", "b", "c", "d", "e"]
            .iter()
            .flat_map(|e| ["r0000", "r0001"].map(|run| phase(e, run, [1.0, 3.0, 2.0], Some(1.0))))
            .collect();
        let groups: Vec<(&str, &str)> =
            ["a", "b", "c", "d", "e"].into_iter().flat_map(|e| [(e, "pooled-0000"), (e, "pooled-0001")]).collect();
        let pairs = pairs_of(&phases, &groups);
        let spread = |(k, pair): (usize, Pair)| {
            let setting = (k / 2) as f64;
            let weights = pair.weights.iter().map(|(step, epoch, v)| (*step, *epoch, v.map(|v| v * setting))).collect();
            Pair { compression: Some(setting), weights, ..pair }
        };
        let found = statistics(&pairs.into_iter().enumerate().map(spread).collect::<Vec<_>>());
        // The groups of an experiment are one setting, and no runs.
        assert_eq!(result_of(&found, "settings", "end"), (5, Some(1.0), None));
        let left_out = "; left out because the runs of a group are unknown: 10 groups";
        for (statistic, number) in [("runs", "end"), ("snapshots", "course"), ("order", "course")] {
            let (n, value, reason) = result_of(&found, statistic, number);
            assert!(n == 0 && value.is_none() && reason.unwrap().ends_with(left_out), "{statistic}");
        }
        // All runs together are one.
        let found = statistics(&pairs_of(&phases, &[("a", "pooled"), ("b", "pooled")]));
        assert_eq!(result_of(&found, "order", "course"), (2, Some((21.0_f64 / 11.0).log10()), None));
    }

    #[test]
    fn an_order_needs_two_turns() {
        let order = |bits: [f64; 3]| {
            let phases = [phase("a", "r0000", bits, None)];
            result_of(&statistics(&pairs_of(&phases, &[("a", "r0000")])), "order", "course")
        };
        assert_eq!(order([1.0, 3.0, 2.0]).1, Some((21.0_f64 / 11.0).log10()));
        let reason = "no run has I(X;T) and the number turn after the first snapshot and before the last";
        // I(X;T) rises to its end, or falls from its start.
        assert_eq!(order([1.0, 3.0, 3.0]), (0, None, Some(reason.to_owned())));
        assert_eq!(order([3.0, 3.0, 1.0]), (0, None, Some(reason.to_owned())));
        // The number rises to what it stays at.
        let trajectory =
            |numbers: [f64; 4]| numbers.iter().zip(0..).map(|(n, k)| (i64::from(k), k, Some(*n))).collect();
        assert_eq!(turning_epoch(&trajectory([1.0, 2.0, 3.0, 3.0])), None);
        assert_eq!(turning_epoch(&trajectory([1.0, 4.0, 3.0, 3.0])), Some(1));
        assert_eq!(turning_epoch(&trajectory([3.0, 1.0, 2.0, 3.0])), Some(1));
    }

    #[test]
    fn drops_are_not_mixed_with_compression() {
        let bits = [1.0, 3.0, 2.0];
        let compressions = |phases: &[PhaseRow]| {
            let pairs = pairs_of(phases, &[("a", "r0000"), ("a", "r0001")]);
            pairs.iter().map(|pair| pair.compression).collect::<Vec<_>>()
        };
        let (with, without) = (phase("a", "r0000", bits, Some(-0.5)), phase("a", "r0001", bits, None));
        assert_eq!(compressions(&[with.clone(), without.clone()]), [Some(-0.5), None]);
        let without_any = PhaseRow { compression_bits: None, ..with };
        assert_eq!(compressions(&[without_any, without.clone()]), [Some(1.0), Some(1.0)]);
        let reason = "0 experiments; needs at least 5; left out because the compression is unknown: 1 run";
        let phases = [without, phase("b", "r0000", bits, Some(1.0))];
        let found = statistics(&pairs_of(&phases, &[("a", "r0001")]));
        assert_eq!(result_of(&found, "settings", "end"), (0, None, Some(reason.to_owned())));
    }
}
