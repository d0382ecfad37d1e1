//! Evaluates claims on runs: used by verify for the claims as written, and by stability for every setting.

mod aggregated;
mod trajectories;

use std::collections::BTreeMap;

use super::StageError;
use crate::config::Pipeline;
use crate::config::expect::{Expect, Measure, Minus, Quantity, Wanted};
use crate::layer_id::LayerId;
use crate::math::descriptive::first_largest;
use crate::math::interval::{Interval, Range, mean_interval};
use crate::store::{ClaimVerdict, RunId};
pub(super) use aggregated::Aggregated;
pub(super) use trajectories::ClaimTables;
use trajectories::{TrajectoriesByPlace, Trajectory, TrajectoryValues};

/// Every claim of a pipeline, once for each of its layers, or once if it has no layers.
pub(super) fn each(pipeline: &Pipeline) -> impl Iterator<Item = (&Expect, Option<LayerId>)> {
    let of_claim = |claim: &Expect| match &claim.layers[..] {
        [] => vec![None],
        layers => layers.iter().copied().map(Some).collect(),
    };
    pipeline.claims.iter().flat_map(move |claim| of_claim(claim).into_iter().map(move |layer| (claim, layer)))
}

/// Evaluates `claim`, in one layer if it is about layers. `quantity` is the quantity of the claim, or the corresponding
/// quantity of another estimate.
pub(super) fn judged(
    tables: &mut ClaimTables<'_>,
    claim: &Expect,
    quantity: &Quantity,
    layer: Option<LayerId>,
) -> Result<Judged, StageError> {
    let judged = match tables.trajectories(quantity)? {
        Err(problem) => Judged::undecided(problem),
        Ok(trajectories) => {
            let trajectories = of_runs(tables, trajectories, layer);
            let is_empty =
                |trajectory: &Trajectory| trajectory.as_ref().is_ok_and(|trajectory| trajectory.numbers.is_empty());
            let judged = match &claim.minus {
                None => judge(&numbered(&trajectories, claim.measure), &trajectories, claim),
                Some(minus) => match tables.trajectories(&minus.quantity)? {
                    Err(problem) => Judged::undecided(problem),
                    Ok(others) => difference(&trajectories, &of_runs(tables, others, minus.layer(layer)), claim, minus),
                },
            };
            Judged { is_measured: !trajectories.iter().all(is_empty), ..judged }
        }
    };
    Ok(Judged { n_failed: tables.failed.len(), quantity: tables.quantity_of(quantity), ..judged })
}

/// The number computed from a curve, no number, or the reason why it is missing.
type Taken = Result<Option<f64>, Unusable>;

/// Why a curve has no number.
#[derive(Debug, Clone, PartialEq)]
enum Unusable {
    /// A value of the curve is missing.
    Failed(String),
    /// A value that the number depends on has a warning.
    Warned(String),
}

/// The number computed from each curve.
fn numbered(trajectories: &[Trajectory], what: Measure) -> Vec<Taken> {
    trajectories.iter().map(|trajectory| taken(trajectory, what)).collect()
}

fn taken(trajectory: &Trajectory, what: Measure) -> Taken {
    let TrajectoryValues { numbers, warnings } = trajectory.as_ref().map_err(|why| Unusable::Failed(why.clone()))?;
    match places(numbers, what).into_iter().find_map(|place| Some((numbers[place].0, warnings.get(&place)?))) {
        Some((epoch, warning)) => Err(Unusable::Warned(format!("epoch {epoch}: {warning}"))),
        None => Ok(measure(numbers, what)),
    }
}

/// Evaluates a claim about the difference of two numbers of each run.
fn difference(trajectories: &[Trajectory], others: &[Trajectory], claim: &Expect, minus: &Minus) -> Judged {
    if trajectories.len() != others.len() {
        let problem = "one of the two quantities is measured for each run, the other for several runs together";
        return Judged::undecided(problem.to_owned());
    }
    let pairs = numbered(trajectories, claim.measure).into_iter().zip(numbered(others, minus.measure));
    let minus = |number: Option<f64>, other: Option<f64>| Some(number? - other?);
    let numbers: Vec<Taken> = pairs.map(|(number, other)| Ok(minus(number?, other?))).collect();
    judge(&numbers, trajectories, claim)
}

/// The curves of a layer in all runs whose training did not fail; a run without a curve has the reason.
fn of_runs(tables: &ClaimTables<'_>, trajectories: TrajectoriesByPlace, layer: Option<LayerId>) -> Vec<Trajectory> {
    let mut of_layer = of_layer(trajectories, layer);
    let is_pooled = of_layer.keys().any(|run| RunId::is_pooled(run));
    for run in tables.runs.iter().filter(|_| !is_pooled) {
        let nothing = || Err(format!("there are no results of {run}; run the pipeline again"));
        of_layer.entry(run.clone()).or_insert_with(nothing);
    }
    of_layer.into_iter().filter(|(run, _)| !tables.failed.contains(run)).map(|(_, trajectory)| trajectory).collect()
}

/// The curve of a layer in every run that has one, or the failure if the quantity failed for the network of a run.
fn of_layer(trajectories: TrajectoriesByPlace, layer: Option<LayerId>) -> BTreeMap<String, Trajectory> {
    let of_layer =
        |place: Option<LayerId>, trajectory: &Trajectory| place == layer || (place.is_none() && trajectory.is_err());
    // The network is the first in its run, so that the layer replaces it.
    let places = trajectories.into_iter().filter(|((_, place), trajectory)| of_layer(*place, trajectory));
    places.map(|((run, _), trajectory)| (run, trajectory)).collect()
}

/// The result of a claim in one layer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Judged {
    pub(super) verdict: ClaimVerdict,
    /// The number of every run that has one.
    pub(super) numbers: Vec<f64>,
    pub(super) interval: Option<Interval>,
    /// Number of runs whose number is as claimed.
    pub(super) n_met: usize,
    /// Runs left out because their training failed.
    pub(super) n_failed: usize,
    pub(super) reason: Option<String>,
    /// Whether the quantity exists; some estimators have no I(X;T).
    pub(super) is_measured: bool,
    /// The description of the estimate, if the quantity is an estimate.
    pub(super) quantity: Option<String>,
}

impl Judged {
    /// The mean over runs, or the number of the only run.
    pub(super) fn mean(&self) -> Option<f64> {
        self.interval.map(|interval| interval.mean).or(self.numbers.first().copied())
    }

    pub(super) fn undecided(reason: String) -> Self {
        Self {
            verdict: ClaimVerdict::Undecided,
            numbers: Vec::new(),
            interval: None,
            n_met: 0,
            n_failed: 0,
            reason: Some(reason),
            is_measured: true,
            quantity: None,
        }
    }
}

/// Evaluates a claim on the numbers of runs, which were computed from `trajectories`.
fn judge(taken: &[Taken], trajectories: &[Trajectory], claim: &Expect) -> Judged {
    let numbers: Vec<f64> = taken.iter().flatten().flatten().copied().collect();
    let interval = mean_interval(&numbers);
    let n_met = numbers.iter().filter(|number| claim.wanted.is_met(**number)).count();
    let (n, n_without) = (trajectories.len(), trajectories.len() - numbers.len());
    let (verdict, reason) = match (interval, unusable(taken)) {
        _ if n == 0 => (ClaimVerdict::Undecided, Some("every training failed, or nothing is recorded".to_owned())),
        (_, Some(why)) => (ClaimVerdict::Undecided, Some(why)),
        _ if n_without > 0 => without(trajectories, n_without, claim),
        (None, _) => {
            (ClaimVerdict::Undecided, Some("a single run has no interval; record two or more runs".to_owned()))
        }
        (Some(Interval { range: Some(range), .. }), _) => (verdict(range, claim.wanted), None),
        (Some(_), _) => of_equal(trajectories, numbers.len(), n_met),
    };
    Judged { verdict, numbers, interval, n_met, n_failed: 0, reason, is_measured: true, quantity: None }
}

/// In how many runs the number is missing, or, if it is missing in none, has a warning; with the reason of the first such run.
fn unusable(taken: &[Taken]) -> Option<String> {
    let n = taken.len();
    let why = |of_number: fn(&Taken) -> Option<&String>| taken.iter().find_map(of_number);
    let failure = why(|number| if let Err(Unusable::Failed(why)) = number { Some(why) } else { None });
    let warning = why(|number| if let Err(Unusable::Warned(why)) = number { Some(why) } else { None });
    let n_warned = taken.iter().filter(|number| matches!(number, Err(Unusable::Warned(_)))).count();
    let n_without = taken.iter().filter(|number| !matches!(number, Ok(Some(_)))).count() - n_warned;
    match (failure, warning) {
        (Some(why), _) => Some(format!("{n_without} of {n} runs have no number: {why}")),
        (None, Some(why)) => Some(format!("{n_warned} of {n} runs have a number with a warning: {why}")),
        (None, None) => None,
    }
}

/// The verdict if some runs have no number: an event that is claimed to happen at some epoch does not happen during their
/// training.
fn without(trajectories: &[Trajectory], n_without: usize, claim: &Expect) -> (ClaimVerdict, Option<String>) {
    let n = trajectories.len();
    let what = match claim.measure {
        Measure::FirstAbove(value) if claim.minus.is_none() => format!("above {value}"),
        Measure::FirstBelow(value) if claim.minus.is_none() => format!("below {value}"),
        other => {
            return (
                ClaimVerdict::Undecided,
                Some(format!("{n_without} of {n} runs have no number {}", other.words())),
            );
        }
    };
    let ends = trajectories.iter().filter_map(|trajectory| trajectory.as_ref().ok()?.numbers.last());
    let last = ends.map(|(epoch, _)| *epoch).min().unwrap_or(0);
    let reason = Some(format!("it is never {what} in {n_without} of {n} runs; the shortest run has {last} epochs"));
    // The epoch is only known to be after the end of the training.
    let after = f64::from(last);
    let verdict = match claim.wanted {
        _ if n_without < n || n < 2 => ClaimVerdict::Undecided,
        Wanted::Above(value) if after >= value => ClaimVerdict::Holds,
        Wanted::Below(value) if after >= value => ClaimVerdict::Fails,
        Wanted::Near { value, within } if after >= value + within => ClaimVerdict::Fails,
        _ => ClaimVerdict::Undecided,
    };
    (verdict, reason)
}

/// The verdict for `n` runs with equal numbers, which have no interval; all of them are as claimed, or none. Copies of a run,
/// which are equal at every snapshot, count once. The sign test decides: 2¹⁻ⁿ is below 5 % for six or more different runs.
fn of_equal(trajectories: &[Trajectory], n: usize, n_met: usize) -> (ClaimVerdict, Option<String>) {
    const ENOUGH: usize = 6;
    let what = format!("all {n} runs have the same number, so the mean has no interval");
    let is_first = |at: &usize| !trajectories[..*at].contains(&trajectories[*at]);
    let n_different = (0..trajectories.len()).filter(is_first).count();
    match n_different < ENOUGH {
        true if n_different == 1 => {
            let why = "the runs are equal at every snapshot: not enough different runs";
            (ClaimVerdict::Undecided, Some(format!("{what}; {why}")))
        }
        true => {
            (ClaimVerdict::Undecided, Some(format!("{what}; {ENOUGH} different runs would be enough for a verdict")))
        }
        false if n_met == n => {
            (ClaimVerdict::Holds, Some(format!("{what}; {n} runs on one side are enough for a verdict")))
        }
        false => (ClaimVerdict::Fails, Some(format!("{what}; {n} runs on one side are enough for a verdict"))),
    }
}

/// The verdict for an interval.
fn verdict(interval: Range, wanted: Wanted) -> ClaimVerdict {
    let Range { low, high } = interval;
    let (holds, fails) = match wanted {
        Wanted::Above(value) => (low > value, high <= value),
        Wanted::Below(value) => (high < value, low >= value),
        Wanted::Near { value, within } => {
            (wanted.is_met(low) && wanted.is_met(high), low > value + within || high < value - within)
        }
    };
    match (holds, fails) {
        (true, _) => ClaimVerdict::Holds,
        (_, true) => ClaimVerdict::Fails,
        _ => ClaimVerdict::Undecided,
    }
}

/// The number computed from a curve; `None` if there is none.
fn measure(trajectory: &[(i32, f64)], measure: Measure) -> Option<f64> {
    let (first, last) = (trajectory.first()?.1, trajectory.last()?.1);
    let peak = first_largest(trajectory)?;
    let trough = trajectory.iter().map(|(_, value)| *value).fold(f64::INFINITY, f64::min);
    let nearest = |epoch: i32| nearest(trajectory, epoch).map(|place| trajectory[place].1);
    let first_epoch = |is_met: &dyn Fn(f64) -> bool| {
        trajectory.iter().find(|(_, value)| is_met(*value)).map(|(epoch, _)| f64::from(*epoch))
    };
    match measure {
        Measure::Start => Some(first),
        Measure::End => Some(last),
        Measure::Peak => Some(peak.1),
        Measure::Trough => Some(trough),
        Measure::Drop => Some(peak.1 - last),
        Measure::Climb => Some(peak.1 - first),
        Measure::Rise => Some(last - first),
        Measure::PeakEpoch => Some(f64::from(peak.0)),
        Measure::At(epoch) => nearest(epoch),
        Measure::FirstAbove(bound) => first_epoch(&|value| value > bound),
        Measure::FirstBelow(bound) => first_epoch(&|value| value < bound),
        Measure::Change([from, to]) => Some(nearest(to)? - nearest(from)?),
    }
}

/// The position of the snapshot of a curve that is nearest to `epoch`; `None` after its end.
fn nearest(trajectory: &[(i32, f64)], epoch: i32) -> Option<usize> {
    trajectory.last().filter(|(last, _)| epoch <= *last)?;
    (0..trajectory.len()).min_by_key(|place| trajectory[*place].0.abs_diff(epoch))
}

/// The positions in a curve that the number depends on.
fn places(trajectory: &[(i32, f64)], measure: Measure) -> Vec<usize> {
    let Some(last) = trajectory.len().checked_sub(1) else { return Vec::new() };
    match measure {
        Measure::Start => vec![0],
        Measure::End => vec![last],
        Measure::Rise => vec![0, last],
        Measure::At(epoch) => nearest(trajectory, epoch).into_iter().collect(),
        Measure::Change(epochs) => epochs.into_iter().filter_map(|epoch| nearest(trajectory, epoch)).collect(),
        Measure::Peak
        | Measure::Trough
        | Measure::Drop
        | Measure::Climb
        | Measure::PeakEpoch
        | Measure::FirstAbove(_)
        | Measure::FirstBelow(_) => (0..=last).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::quantities;

    fn judged_by(trajectories: &[Trajectory], claim: &Expect) -> Judged {
        judge(&numbered(trajectories, claim.measure), trajectories, claim)
    }

    fn trajectory(numbers: &[(i32, f64)]) -> Trajectory {
        Ok(TrajectoryValues { numbers: numbers.to_vec(), ..TrajectoryValues::default() })
    }

    /// Rises, then falls.
    const TRAJECTORY: [(i32, f64); 5] = [(0, 1.0), (10, 4.0), (20, 3.0), (100, 2.0), (400, 1.5)];

    #[test]
    fn each_measure_reduces_a_curve_to_one_number() {
        let check = |what: Measure, expected: Option<f64>| assert_eq!(measure(&TRAJECTORY, what), expected);
        check(Measure::Start, Some(1.0));
        check(Measure::End, Some(1.5));
        check(Measure::Peak, Some(4.0));
        check(Measure::Trough, Some(1.0));
        check(Measure::Drop, Some(2.5));
        check(Measure::Climb, Some(3.0));
        check(Measure::Rise, Some(0.5));
        check(Measure::PeakEpoch, Some(10.0));
        check(Measure::At(90), Some(2.0));
        check(Measure::At(401), None);
        // Two epochs of three snapshots each: the first of an epoch comes right after as many passes.
        let within_epochs: Vec<(i32, f64)> = (0..6).map(|step| (step / 3, f64::from(step))).collect();
        assert_eq!(measure(&within_epochs, Measure::At(1)), Some(3.0));
        assert_eq!(measure(&within_epochs, Measure::Change([0, 1])), Some(3.0));
        check(Measure::FirstAbove(3.5), Some(10.0));
        check(Measure::FirstBelow(0.5), None);
        check(Measure::Change([20, 400]), Some(-1.5));
        assert_eq!(measure(&[], Measure::End), None);
    }

    /// What runs that end at these numbers say of a claim about their end.
    fn verdict_of(ends: &[f64], wanted: Wanted) -> (ClaimVerdict, usize) {
        let trajectories: Vec<Trajectory> = ends.iter().map(|end| trajectory(&[(0, 0.0), (1, *end)])).collect();
        let judged = judged_by(&trajectories, &claim(Measure::End, wanted));
        (judged.verdict, judged.n_met)
    }

    fn claim(measure: Measure, wanted: Wanted) -> Expect {
        Expect {
            figure: Some("Fig. 1".to_owned()),
            claim: "it is so".to_owned(),
            paper: None,
            quantity: Quantity::Estimated {
                estimate: "binning-exact".to_owned(),
                column: quantities::find(quantities::ESTIMATES, "i_xt").unwrap(),
            },
            layers: vec![LayerId::FIRST],
            measure,
            minus: None,
            wanted,
        }
    }

    #[test]
    fn a_claim_holds_fails_or_is_undecided_by_the_interval_of_the_mean() {
        // Three runs at 1, 2, 3: 2 ± 2.48. At 1.9, 2, 2.1: 2 ± 0.25.
        assert_eq!(verdict_of(&[1.0, 2.0, 3.0], Wanted::Above(0.0)), (ClaimVerdict::Undecided, 3));
        assert_eq!(verdict_of(&[1.9, 2.0, 2.1], Wanted::Above(1.7)), (ClaimVerdict::Holds, 3));
        assert_eq!(verdict_of(&[1.9, 2.0, 2.1], Wanted::Above(1.95)), (ClaimVerdict::Undecided, 2));
        assert_eq!(verdict_of(&[1.9, 2.0, 2.1], Wanted::Above(2.3)), (ClaimVerdict::Fails, 0));
        assert_eq!(verdict_of(&[1.9, 2.0, 2.1], Wanted::Below(2.3)), (ClaimVerdict::Holds, 3));
        assert_eq!(verdict_of(&[1.9, 2.0, 2.1], Wanted::Below(1.7)), (ClaimVerdict::Fails, 0));
        let near = |value, within| Wanted::Near { value, within };
        assert_eq!(verdict_of(&[1.9, 2.0, 2.1], near(2.0, 0.3)), (ClaimVerdict::Holds, 3));
        assert_eq!(verdict_of(&[1.9, 2.0, 2.1], near(2.0, 0.1)).0, ClaimVerdict::Undecided);
        assert_eq!(verdict_of(&[1.9, 2.0, 2.1], near(3.0, 0.5)), (ClaimVerdict::Fails, 0));
        assert_eq!(verdict_of(&[1.0], Wanted::Above(0.0)), (ClaimVerdict::Undecided, 1));
        assert_eq!(verdict_of(&[], Wanted::Above(0.0)), (ClaimVerdict::Undecided, 0));
    }

    #[test]
    fn equal_numbers_decide_only_in_six_different_runs() {
        let ends_at_3 = |start: usize| trajectory(&[(0, start as f64), (1, 3.0)]);
        let verdict = |n: usize, wanted| {
            let trajectories: Vec<Trajectory> = (0..n).map(ends_at_3).collect();
            judged_by(&trajectories, &claim(Measure::End, wanted))
        };
        let five = verdict(5, Wanted::Above(2.0));
        assert_eq!((five.verdict, five.n_met, five.mean()), (ClaimVerdict::Undecided, 5, Some(3.0)));
        assert_eq!(five.interval.unwrap().range, None);
        assert!(five.reason.unwrap().ends_with("has no interval; 6 different runs would be enough for a verdict"));
        assert_eq!(verdict(6, Wanted::Above(2.0)).verdict, ClaimVerdict::Holds);
        assert_eq!(verdict(6, Wanted::Above(3.0)).verdict, ClaimVerdict::Fails);
        // Copies of one run, however many.
        let copies: Vec<Trajectory> = (0..50).map(|_| ends_at_3(0)).collect();
        let judged = judged_by(&copies, &claim(Measure::End, Wanted::Above(2.0)));
        assert_eq!(judged.verdict, ClaimVerdict::Undecided);
        assert!(judged.reason.unwrap().contains("not enough different runs"));
    }

    #[test]
    fn an_event_that_never_happens_is_reported() {
        let falls = || trajectory(&TRAJECTORY);
        let never = |last: i32| trajectory(&[(0, 9.0), (last, 8.0)]);
        let first_below_2 = |trajectories: &[Trajectory], wanted: Wanted| {
            judged_by(trajectories, &claim(Measure::FirstBelow(2.0), wanted))
        };
        let judged = first_below_2(&[falls(), never(400)], Wanted::Below(50.0));
        let reason = "it is never below 2 in 1 of 2 runs; the shortest run has 400 epochs";
        assert_eq!((judged.verdict, judged.reason.as_deref()), (ClaimVerdict::Undecided, Some(reason)));
        // Without the event until epoch 400, it is after epoch 50, but may be before epoch 500.
        let verdict = |wanted| first_below_2(&[never(400), never(1000)], wanted).verdict;
        assert_eq!(verdict(Wanted::Below(50.0)), ClaimVerdict::Fails);
        assert_eq!(verdict(Wanted::Above(50.0)), ClaimVerdict::Holds);
        assert_eq!(verdict(Wanted::Near { value: 300.0, within: 50.0 }), ClaimVerdict::Fails);
        assert_eq!(verdict(Wanted::Below(500.0)), ClaimVerdict::Undecided);
        assert_eq!(verdict(Wanted::Above(500.0)), ClaimVerdict::Undecided);
        assert_eq!(verdict(Wanted::Near { value: 380.0, within: 50.0 }), ClaimVerdict::Undecided);
        // One run proves nothing.
        assert_eq!(first_below_2(&[never(400)], Wanted::Below(50.0)).verdict, ClaimVerdict::Undecided);
    }

    #[test]
    fn a_run_without_a_number_leaves_the_claim_undecided() {
        let failed = || Err("epoch 3: no density".to_owned());
        let judged = judged_by(&[trajectory(&TRAJECTORY), failed()], &claim(Measure::End, Wanted::Above(0.0)));
        assert_eq!(judged.reason.unwrap(), "1 of 2 runs have no number: epoch 3: no density");
        assert_eq!(judged.verdict, ClaimVerdict::Undecided);
        let beyond = judged_by(&[trajectory(&TRAJECTORY)], &claim(Measure::At(401), Wanted::Above(0.0)));
        assert_eq!(beyond.reason.unwrap(), "1 of 1 runs have no number at epoch 401");
    }

    #[test]
    fn a_failure_of_the_whole_network_is_that_of_a_layer_without_numbers() {
        let (first, failed) = (Some(LayerId::FIRST), || Err("epoch 3: no gradient".to_owned()));
        let run = |run: &str| run.to_owned();
        let trajectories = TrajectoriesByPlace::from([
            ((run("r0000"), None), failed()),
            ((run("r0000"), first), trajectory(&TRAJECTORY)),
            ((run("r0001"), None), failed()),
            ((run("r0002"), None), trajectory(&TRAJECTORY)),
        ]);
        let expected = BTreeMap::from([(run("r0000"), trajectory(&TRAJECTORY)), (run("r0001"), failed())]);
        assert_eq!(of_layer(trajectories, first), expected);
    }

    /// Rises and falls, with a warning of its number at `place`.
    fn warned(place: usize) -> Trajectory {
        trajectory(&TRAJECTORY)
            .map(|trajectory| TrajectoryValues { warnings: [(place, "not mixed".to_owned())].into(), ..trajectory })
    }

    #[test]
    fn a_run_whose_number_has_a_warning_leaves_the_claim_undecided() {
        let trajectories = [trajectory(&TRAJECTORY), warned(4), warned(4)];
        let judged = judged_by(&trajectories, &claim(Measure::End, Wanted::Above(0.0)));
        assert_eq!(judged.verdict, ClaimVerdict::Undecided);
        assert_eq!((judged.numbers.len(), judged.n_met), (1, 1));
        assert_eq!(judged.reason.unwrap(), "2 of 3 runs have a number with a warning: epoch 400: not mixed");
        // What could not be had is reported first, and counted by itself.
        let failed = [trajectory(&TRAJECTORY), warned(4), Err("epoch 3: no density".to_owned())];
        let judged = judged_by(&failed, &claim(Measure::End, Wanted::Above(0.0)));
        assert_eq!(judged.reason.unwrap(), "1 of 3 runs have no number: epoch 3: no density");
    }

    #[test]
    fn a_warning_counts_where_the_number_is_taken_from() {
        let is_used = |place: usize, what: Measure| taken(&warned(place), what).is_ok();
        let check = |what: Measure, expected: [bool; 5]| {
            assert_eq!([0, 1, 2, 3, 4].map(|place| !is_used(place, what)), expected, "{what:?}");
        };
        check(Measure::Start, [true, false, false, false, false]);
        check(Measure::End, [false, false, false, false, true]);
        check(Measure::Rise, [true, false, false, false, true]);
        check(Measure::At(90), [false, false, false, true, false]);
        check(Measure::Change([20, 400]), [false, false, true, false, true]);
        check(Measure::At(401), [false; 5]);
        for what in [Measure::Peak, Measure::Trough, Measure::Drop, Measure::Climb, Measure::PeakEpoch] {
            check(what, [true; 5]);
        }
        check(Measure::FirstAbove(3.5), [true; 5]);
        check(Measure::FirstBelow(0.5), [true; 5]);
        assert_eq!(taken(&trajectory(&[]), Measure::End), Ok(None));
    }

    #[test]
    fn a_warning_of_what_is_subtracted_leaves_the_claim_undecided() {
        let claim = claim(Measure::End, Wanted::Above(0.0));
        let minus = Minus { quantity: claim.quantity.clone(), measure: Measure::Start, of_network: false };
        let trajectories = [trajectory(&TRAJECTORY), trajectory(&TRAJECTORY)];
        let judged = difference(&trajectories, &[trajectory(&TRAJECTORY), warned(0)], &claim, &minus);
        assert_eq!((judged.verdict, &judged.numbers[..]), (ClaimVerdict::Undecided, &[0.5][..]));
        assert_eq!(judged.reason.unwrap(), "1 of 2 runs have a number with a warning: epoch 0: not mixed");
        // Its last number is not subtracted.
        let judged = difference(&trajectories, &[trajectory(&TRAJECTORY), warned(4)], &claim, &minus);
        assert_eq!(judged.numbers, [0.5, 0.5]);
    }
}
