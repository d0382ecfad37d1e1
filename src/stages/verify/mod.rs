//! The verify stage: what a paper claims, asked of the runs → `claims.parquet`, each claim with its verdict.

mod courses;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::json;

use super::StageError;
use crate::config::Pipeline;
use crate::config::expect::{Expect, Measure, Quantity, Wanted};
use crate::math::interval::{Interval, mean_interval};
use crate::store::schema::{ClaimRow, VERSION};
use crate::store::{Experiment, Footer, Lock, Manifest, Pending, write_rows};
use courses::{Course, Tables};

/// Judges the claims that `pipelines` make of their experiments, and writes `claims.parquet` into `out`.
///
/// A claim holds where the 95 % interval of the mean over runs lies wholly on the claimed side, fails where it lies wholly
/// on the other, and is undecided else. Runs whose training failed are left out, and counted.
///
/// # Errors
/// There are no claims, or a file is not what was written.
pub fn verify(of: &[(&Pipeline, Experiment)], out: &Path) -> Result<Vec<ClaimRow>, StageError> {
    if of.iter().all(|(pipeline, _)| pipeline.claims.is_empty()) {
        let problem = "the pipeline makes no claims; state some in `[[expect]]` tables";
        return Err(StageError::Refused(problem.to_owned()));
    }
    let (mut rows, mut hashes) = (Vec::new(), BTreeSet::new());
    for (pipeline, experiment) in of.iter().filter(|(pipeline, _)| !pipeline.claims.is_empty()) {
        let mut tables = Tables::open(experiment)?;
        expect_settings(pipeline, experiment)?;
        for claim in &pipeline.claims {
            let courses = tables.courses(&claim.quantity)?;
            let layers = if claim.layers.is_empty() { vec![0] } else { claim.layers.clone() };
            for layer in layers {
                let judged = match &courses {
                    Err(problem) => Judged::undecided(problem.clone()),
                    Ok(courses) => {
                        let of_layer = courses.iter().filter(|((_, of), _)| *of == layer);
                        let (failed, whole): (Vec<_>, Vec<_>) =
                            of_layer.partition(|((run, _), _)| tables.failed.contains(run));
                        let courses: Vec<&Course> = whole.into_iter().map(|(_, course)| course).collect();
                        Judged { n_failed: failed.len(), ..judge(&courses, claim) }
                    }
                };
                rows.push(row(&pipeline.name, claim, layer, judged));
            }
        }
        hashes.extend(tables.hashes);
    }

    let described: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
    let work = Pending::new(out, "claims", &json!({ "tables": hashes, "claims": described, "schema": VERSION }));
    if work.finished()?.is_none() {
        let _lock = Lock::take(out)?;
        let footer = Footer::from([("infoplane.config_hash".to_owned(), work.key().to_owned())]);
        work.finish(vec![write_rows(out, Experiment::CLAIMS, &rows, &footer)?])?;
    }
    Ok(rows)
}

/// Warns where a recording was made with other settings than the pipeline has, as by `--epochs`.
fn expect_settings(pipeline: &Pipeline, experiment: &Experiment) -> Result<(), StageError> {
    let root = experiment.recording();
    let Some(claim) = Manifest::read(&root.join(".meta/settings.json"))? else { return Ok(()) };
    let settings = json!({ "run": pipeline.run_settings(), "data": claim.made_from["data"] });
    if Pending::new(&root, "settings", &settings).key() != claim.key {
        tracing::warn!(
            "{} was recorded with other settings than the pipeline has; what is claimed of it may not be about it",
            root.display()
        );
    }
    Ok(())
}

/// What the runs say of a claim in one layer.
#[derive(Debug, Clone, PartialEq)]
struct Judged {
    verdict: &'static str,
    numbers: Vec<f64>,
    interval: Option<Interval>,
    n_met: usize,
    n_failed: usize,
    reason: Option<String>,
}

impl Judged {
    fn undecided(reason: String) -> Self {
        Self { verdict: "undecided", numbers: Vec::new(), interval: None, n_met: 0, n_failed: 0, reason: Some(reason) }
    }
}

fn judge(courses: &[&Course], claim: &Expect) -> Judged {
    let number = |course: &&Course| measure(course.as_ref().ok()?, claim.measure);
    let measured: Vec<Option<f64>> = courses.iter().map(number).collect();
    let failure = courses.iter().find_map(|course| course.as_ref().err());
    let numbers: Vec<f64> = measured.iter().flatten().copied().collect();
    let interval = mean_interval(&numbers);
    let n_met = numbers.iter().filter(|number| claim.wanted.is_met(**number)).count();
    let (n, n_without) = (courses.len(), courses.len() - numbers.len());
    let never = match claim.measure {
        Measure::FirstAbove(value) => Some(format!("above {value}")),
        Measure::FirstBelow(value) => Some(format!("below {value}")),
        _ => None,
    };
    let (verdict, reason) = match (interval, never) {
        _ if n == 0 => ("undecided", Some("no run has this layer".to_owned())),
        _ if failure.is_some() => {
            ("undecided", failure.map(|why| format!("{n_without} of {n} runs have no number: {why}")))
        }
        (_, Some(never)) if n_without == n => ("fails", Some(format!("it is {never} in none of {n} runs"))),
        (_, Some(never)) if n_without > 0 => {
            ("undecided", Some(format!("it is never {never} in {n_without} of {n} runs")))
        }
        _ if n_without > 0 => ("undecided", Some(format!("{n_without} of {n} runs have no such number"))),
        (None, _) => ("undecided", Some("one run has no interval; record two or more".to_owned())),
        (Some(interval), _) => (verdict(interval, claim.wanted), None),
    };
    Judged { verdict, numbers, interval, n_met, n_failed: 0, reason }
}

/// What an interval says of what is claimed.
fn verdict(interval: Interval, wanted: Wanted) -> &'static str {
    let Interval { low, high, .. } = interval;
    let (holds, fails) = match wanted {
        Wanted::Above(value) => (low > value, high <= value),
        Wanted::Below(value) => (high < value, low >= value),
        Wanted::Near { value, within } => {
            (wanted.is_met(low) && wanted.is_met(high), low > value + within || high < value - within)
        }
    };
    match (holds, fails) {
        (true, _) => "holds",
        (_, true) => "fails",
        _ => "undecided",
    }
}

/// The number that is taken of a course; `None` where there is none.
fn measure(course: &[(i32, f64)], measure: Measure) -> Option<f64> {
    let (first, last) = (course.first()?.1, course.last()?.1);
    // The first of several equal ones.
    let peak = course.iter().copied().reduce(|peak, next| if next.1 > peak.1 { next } else { peak })?;
    let trough = course.iter().map(|(_, value)| *value).fold(f64::INFINITY, f64::min);
    let is_trained = |epoch: &i32| course.last().is_some_and(|(last, _)| epoch <= last);
    let nearest = |epoch: i32| {
        let nearest = course.iter().filter(|_| is_trained(&epoch)).min_by_key(|(at, _)| at.abs_diff(epoch));
        nearest.map(|(_, value)| *value)
    };
    let first_epoch = |is_met: &dyn Fn(f64) -> bool| {
        course.iter().find(|(_, value)| is_met(*value)).map(|(epoch, _)| f64::from(*epoch))
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

fn row(experiment: &str, claim: &Expect, layer: usize, judged: Judged) -> ClaimRow {
    let (estimate, layer) = match &claim.quantity {
        Quantity::Estimated { estimate, .. } => (Some(estimate.clone()), Some(layer as i64)),
        Quantity::Fit(_) => (None, None),
        Quantity::Gradient { .. } | Quantity::Bound(_) => (None, Some(layer as i64)),
    };
    ClaimRow {
        experiment: experiment.to_owned(),
        figure: claim.figure.clone(),
        claim: claim.claim.clone(),
        paper: claim.paper.clone(),
        estimator: estimate,
        quantity: claim.quantity.name().to_owned(),
        layer,
        measure: claim.measure.words(),
        wanted: claim.wanted.words(),
        verdict: judged.verdict.to_owned(),
        n_runs: judged.numbers.len() as i32,
        n_failed: judged.n_failed as i32,
        n_met: judged.n_met as i32,
        mean: judged.interval.map(|i| i.mean).or(judged.numbers.first().copied()),
        std: judged.interval.map(|i| i.std),
        low: judged.interval.map(|i| i.low),
        high: judged.interval.map(|i| i.high),
        reason: judged.reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::expect::Estimated;

    /// Rises, then falls.
    const COURSE: [(i32, f64); 5] = [(0, 1.0), (10, 4.0), (20, 3.0), (100, 2.0), (400, 1.5)];

    #[test]
    fn measures_are_taken_of_a_course() {
        let check = |what: Measure, expected: Option<f64>| assert_eq!(measure(&COURSE, what), expected);
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
        check(Measure::FirstAbove(3.5), Some(10.0));
        check(Measure::FirstBelow(0.5), None);
        check(Measure::Change([20, 400]), Some(-1.5));
        assert_eq!(measure(&[], Measure::End), None);
    }

    /// What runs that end at these numbers say of a claim about their end.
    fn verdict_of(ends: &[f64], wanted: Wanted) -> (&'static str, usize) {
        let courses: Vec<Course> = ends.iter().map(|end| Ok(vec![(0, 0.0), (1, *end)])).collect();
        let judged = judge(&courses.iter().collect::<Vec<_>>(), &claim(Measure::End, wanted));
        (judged.verdict, judged.n_met)
    }

    fn claim(measure: Measure, wanted: Wanted) -> Expect {
        Expect {
            figure: "Fig. 1".to_owned(),
            claim: "it is so".to_owned(),
            paper: None,
            quantity: Quantity::Estimated { estimate: "binning-exact".to_owned(), column: Estimated::IXt },
            layers: vec![1],
            measure,
            wanted,
        }
    }

    #[test]
    fn a_claim_holds_fails_or_is_undecided_by_the_interval_of_the_mean() {
        // Three runs at 1, 2, 3: 2 ± 2.48. At 1.9, 2, 2.1: 2 ± 0.25.
        assert_eq!(verdict_of(&[1.0, 2.0, 3.0], Wanted::Above(0.0)), ("undecided", 3));
        assert_eq!(verdict_of(&[1.9, 2.0, 2.1], Wanted::Above(1.7)), ("holds", 3));
        assert_eq!(verdict_of(&[1.9, 2.0, 2.1], Wanted::Above(1.95)), ("undecided", 2));
        assert_eq!(verdict_of(&[1.9, 2.0, 2.1], Wanted::Above(2.3)), ("fails", 0));
        assert_eq!(verdict_of(&[1.9, 2.0, 2.1], Wanted::Below(2.3)), ("holds", 3));
        assert_eq!(verdict_of(&[1.9, 2.0, 2.1], Wanted::Below(1.7)), ("fails", 0));
        let near = |value, within| Wanted::Near { value, within };
        assert_eq!(verdict_of(&[1.9, 2.0, 2.1], near(2.0, 0.3)), ("holds", 3));
        assert_eq!(verdict_of(&[1.9, 2.0, 2.1], near(2.0, 0.1)).0, "undecided");
        assert_eq!(verdict_of(&[1.9, 2.0, 2.1], near(3.0, 0.5)), ("fails", 0));
        assert_eq!(verdict_of(&[1.0], Wanted::Above(0.0)), ("undecided", 1));
        assert_eq!(verdict_of(&[], Wanted::Above(0.0)), ("undecided", 0));
    }

    #[test]
    fn what_never_happens_is_told() {
        let courses = [Ok(COURSE.to_vec()), Ok(vec![(0, 9.0), (1, 8.0)]), Err("epoch 3: no density".to_owned())];
        let of = |courses: &[&Course]| judge(courses, &claim(Measure::FirstBelow(2.0), Wanted::Below(50.0)));
        assert_eq!(of(&[&courses[0], &courses[1]]).reason.unwrap(), "it is never below 2 in 1 of 2 runs");
        let failed = of(&[&courses[0], &courses[2]]);
        assert_eq!(failed.reason.unwrap(), "1 of 2 runs have no number: epoch 3: no density");
        assert_eq!(failed.verdict, "undecided");
        let never = of(&[&courses[1]]);
        assert_eq!((never.verdict, never.reason.unwrap().as_str()), ("fails", "it is below 2 in none of 1 runs"));
    }
}
