//! How compression and a number of the weights go together: rank correlations, and which of them turns first.

use std::collections::BTreeMap;

use super::courses::{ByRun, InformationCourses, NumberCourse};
use crate::count::counted;
use crate::math::descriptive::mean;
use crate::math::interval::{Range, mean_interval, p_of_zero};
use crate::math::rank::spearman;
use crate::store::RunId;
use crate::store::schema::PhaseRow;

/// One run, or all runs of an experiment: its compression, and a number of its weights over the training.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pair {
    experiment: String,
    compression: f64,
    peak_epoch: Option<f64>,
    weights: NumberCourse,
    /// I(X;T) at the same snapshots from its peak on, with the number.
    after_peak: Vec<(f64, f64)>,
}

impl Pair {
    /// The pairs of one layer: `phases` are of its runs, `courses` those of the number.
    pub(super) fn all(phases: &[&PhaseRow], courses: &ByRun, information: &InformationCourses) -> Vec<Self> {
        let mut pairs = Vec::new();
        for ((experiment, run), weights) in courses {
            let of_run = |row: &&&PhaseRow| row.experiment == *experiment && (RunId::is_pooled(run) || row.run == *run);
            let rows: Vec<&PhaseRow> = phases.iter().filter(of_run).copied().collect();
            let compressions: Vec<f64> = rows.iter().filter_map(|row| row.compression_bits.or(row.drop_bits)).collect();
            let Some(compression) = mean(&compressions) else { continue };
            let peaks: Vec<f64> = rows.iter().filter_map(|row| row.i_xt_peak_epoch).map(|epoch| epoch as f64).collect();
            let peak_epoch = mean(&peaks);
            let after_peak = after_peak(&rows, weights, peak_epoch, information);
            pairs.push(Self {
                experiment: experiment.clone(),
                compression,
                peak_epoch,
                weights: weights.clone(),
                after_peak,
            });
        }
        pairs
    }

    /// The last number; `None` where it failed or has a warning.
    fn end(&self) -> Option<f64> {
        self.weights.iter().max_by_key(|(step, ..)| *step)?.2
    }

    /// The last number minus the first; `None` where one of them failed or has a warning.
    fn change(&self) -> Option<f64> {
        Some(self.end()? - self.weights.iter().min_by_key(|(step, ..)| *step)?.2?)
    }

    /// How many of its numbers failed or have a warning.
    fn n_left_out(&self) -> usize {
        self.weights.iter().filter(|(_, _, value)| value.is_none()).count()
    }
}

/// I(X;T), averaged over the runs of `rows`, and the number of the weights at each snapshot from the peak on.
fn after_peak(
    rows: &[&PhaseRow],
    weights: &NumberCourse,
    peak_epoch: Option<f64>,
    information: &InformationCourses,
) -> Vec<(f64, f64)> {
    let Some(peak_epoch) = peak_epoch else { return Vec::new() };
    let course = |row: &&PhaseRow| {
        information
            .of_run(&row.experiment, &row.estimator.to_string(), &row.run, row.layer)
            .map(|course| course.iter().map(|(step, _, bits)| (*step, *bits)).collect::<BTreeMap<i64, f64>>())
    };
    let courses: Vec<BTreeMap<i64, f64>> = rows.iter().filter_map(course).collect();
    let at = |step: i64| mean(&courses.iter().filter_map(|course| course.get(&step).copied()).collect::<Vec<_>>());
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

/// Fewer pairs say nothing of a correlation.
const FEWEST_PAIRS: usize = 5;

/// What is taken of a number over the training.
type Number = fn(&Pair) -> Option<f64>;

/// Every statistic of some pairs. Numbers that failed or have a warning are left out.
pub(super) fn statistics(pairs: &[Pair]) -> Vec<Statistic> {
    let numbers: [(&str, Number); 2] = [("end", Pair::end), ("change", Pair::change)];
    let mut found = Vec::new();
    for (number, of_pair) in numbers {
        let values: Vec<(&str, f64, f64)> = pairs
            .iter()
            .filter_map(|pair| Some((pair.experiment.as_str(), pair.compression, of_pair(pair)?)))
            .collect();
        let n_left_out = pairs.len() - values.len();
        found.push(over_settings(&values, number).without(n_left_out, "run"));
        found.push(over_runs(&values, number).without(n_left_out, "run"));
    }
    let n_left_out = pairs.iter().map(Pair::n_left_out).sum();
    found.push(over_snapshots(pairs).without(n_left_out, "snapshot"));
    found.push(order(pairs).without(n_left_out, "snapshot"));
    found
}

impl Statistic {
    /// The same statistic; where it has no value, its reason says how many runs or snapshots, as `noun` says, were left out.
    fn without(self, n_left_out: usize, noun: &str) -> Self {
        let left_out =
            |reason| format!("{reason}; left out because of a failure or a warning: {}", counted(n_left_out, noun));
        Self { reason: self.reason.map(|reason| if n_left_out > 0 { left_out(reason) } else { reason }), ..self }
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
    // A mean was taken off in every experiment.
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

/// Within each run over the snapshots from the peak of I(X;T) on; the mean over runs.
fn over_snapshots(pairs: &[Pair]) -> Statistic {
    let of_pair = |pair: &Pair| {
        let (x, y): (Vec<f64>, Vec<f64>) = pair.after_peak.iter().copied().unzip();
        (x.len() >= FEWEST_PAIRS).then(|| spearman(&x, &y, x.len()).map(|found| found.rho))?
    };
    let numbers: Vec<f64> = pairs.iter().filter_map(of_pair).collect();
    mean_over_runs("snapshots", &numbers, "has five snapshots after the peak of I(X;T) that differ")
}

/// When the number turns, in decades after the peak of I(X;T); the mean over runs.
fn order(pairs: &[Pair]) -> Statistic {
    let of_pair = |pair: &Pair| {
        let turn = turning_epoch(&pair.weights)?;
        Some(((f64::from(turn) + 1.0) / (pair.peak_epoch? + 1.0)).log10())
    };
    let numbers: Vec<f64> = pairs.iter().filter_map(of_pair).collect();
    mean_over_runs("order", &numbers, "has a number that turns, rising and falling")
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

/// The epoch of the largest number, or, where that is the first or the last, of the smallest; `None` where both are at the ends.
fn turning_epoch(course: &NumberCourse) -> Option<i32> {
    let mut ordered: Vec<(i64, i32, f64)> =
        course.iter().filter_map(|(step, epoch, value)| Some((*step, *epoch, (*value)?))).collect();
    ordered.sort_by_key(|(step, ..)| *step);
    let last = ordered.len().checked_sub(1)?;
    let inner = |place: usize| (place > 0 && place < last).then(|| ordered[place].1);
    let largest = (0..=last).reduce(|best, place| if ordered[place].2 > ordered[best].2 { place } else { best })?;
    let smallest = (0..=last).reduce(|best, place| if ordered[place].2 < ordered[best].2 { place } else { best })?;
    inner(largest).or_else(|| inner(smallest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(experiment: &str, compression: f64, weights: &[f64]) -> Pair {
        let course = weights.iter().enumerate().map(|(k, value)| (k as i64, 10 * k as i32, Some(*value))).collect();
        Pair {
            experiment: experiment.to_owned(),
            compression,
            peak_epoch: Some(10.0),
            weights: course,
            after_peak: weights.iter().enumerate().map(|(k, value)| (-(k as f64), *value)).collect(),
        }
    }

    #[track_caller]
    fn value(found: &[Statistic], statistic: &str, number: &str) -> Option<f64> {
        found.iter().find(|found| found.statistic == statistic && found.number == number).unwrap().value
    }

    #[test]
    fn settings_and_runs_are_told_apart() {
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
        // Two numbers of a run are no course.
        assert_eq!(value(&found, "snapshots", "course"), None);
    }

    #[test]
    fn few_experiments_say_nothing() {
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
}
