//! The bound stage: computes the information bottleneck curve from p(x, y) of the samples (`bound.parquet`), and compares
//! every layer at the last recorded snapshot with it (`bound_layers.parquet`).

use std::path::Path;
use std::time::Instant;

use super::inputs::inputs;
use super::{Failures, Outcome, Progress, StageError, keys};
use crate::config::{BoundRequest, Request};
use crate::count::counted;
use crate::estimate_id::Values;
use crate::estimators::{EstimatorSet, InputsAndLabels, LayerData, RangeOver};
use crate::layer_id::LayerId;
use crate::math::bottleneck::{self, BetaFit, Fit, Joint, Options, Point, fit_beta};
use crate::sample::{Labels, Representation};
use crate::store::schema::{BoundLayerRow, BoundRow};
use crate::store::{
    Experiment, Footer, LayerNames, Lock, Pending, RecordedRun, Recording, read_samples, verified_hash, write_rows,
};
use crate::units::Nats;
use rayon::prelude::*;

/// Largest number of pairs of an input and a class: 4 GB.
const MOST_PROBABILITIES: usize = 500_000_000;

/// The samples of a recording as a known joint distribution: the probability of a distinct input is its share of the samples,
/// and its p(y|x) is the mean of their labels.
#[derive(Debug)]
struct InputDistribution {
    given: InputsAndLabels,
    joint: Joint,
    /// For each distinct input, its first sample.
    samples: Vec<usize>,
}

/// The accuracy of the fits of layers. A layer of many cells needs thousands of iterations near a transition. A β without
/// convergence is left out and counted.
const FIT: Options = Options { max_iterations: 2000, ..Options::PRECISE };

/// Layers are compared only with points of the curve known to this accuracy.
const OPEN: Nats = Nats(1e-3);

/// Solves for the curve of `experiment` at the multipliers of `request`, fits a multiplier to every layer, and writes both
/// tables into `out`.
///
/// # Errors
/// There is no recording of all samples, labels and inputs do not form a distribution, or a file does not match its hash.
pub fn bound(
    experiment: &Experiment,
    request: &BoundRequest,
    out: &Path,
    progress: &dyn Progress,
) -> Result<Outcome, StageError> {
    let start = Instant::now();
    let (recording, work) = prepare(experiment, request, out)?;
    if work.finished()?.is_some() {
        return Ok(Outcome::UpToDate);
    }
    let _lock = Lock::named(out, "bound")?;
    let inputs = InputDistribution::read(experiment)?;
    let solved = bottleneck::curve(&inputs.joint, &request.betas, &Options::PRECISE);
    let points = solved.map_err(|e| StageError::Refused(format!("`beta`: {e}")))?;
    recording.expect_same_widths(Values::Activations)?;
    let mut layers = recording.layers(Values::Activations)?;
    layers.retain(|layer| *layer > LayerId::INPUT);
    let names = LayerNames::read(experiment, &recording)?;
    progress.begin("bound", (recording.runs().len() * layers.len()) as u64);
    let estimator = (request.code.spec.build)(std::slice::from_ref(&request.code.parameters))
        .map_err(|e| StageError::Refused(e.to_string()))?;
    let of_run = |run: &RecordedRun| {
        let of_layer = |layer: &LayerId| {
            let row = inputs.layer(run, *layer, &request.code, estimator.as_ref(), &points, &request.betas)?;
            progress.advance(1);
            Ok(BoundLayerRow { layer_name: names.get(*layer), ..row })
        };
        layers.iter().map(of_layer).collect::<Result<Vec<_>, StageError>>()
    };
    let rows: Result<Vec<Vec<BoundLayerRow>>, StageError> = recording.runs().par_iter().map(of_run).collect();
    progress.end();
    let rows = rows?.concat();

    let footer = Footer::from([("infoplane.config_hash".to_owned(), work.key().to_owned())]);
    let curve: Vec<BoundRow> = points.iter().map(bound_row).collect();
    work.finish(vec![
        write_rows(out, Experiment::BOUND, &curve, &footer)?,
        write_rows(out, Experiment::BOUND_LAYERS, &rows, &footer)?,
    ])?;
    let (n, seconds) = (points.len(), start.elapsed().as_secs_f64());
    let mut text = format!(
        "{} of the curve, {} in {seconds:.1} s → {}",
        counted(n, "point"),
        counted(rows.len(), "layer"),
        out.display()
    );
    let n_without = rows.iter().filter(|row| row.beta_one_step.is_none()).count();
    if n_without > 0 {
        text.push_str(&format!("; no β in {}, with the reason in the row", counted(n_without, "layer")));
    }
    let unsolved: Vec<&Point> = points.iter().filter(|point| !point.converged).collect();
    if let Some(first) = unsolved.first() {
        let (n, beta, residual) = (unsolved.len(), first.beta, first.residual);
        text.push_str(&format!(
            "; {} did not converge, the first at β = {beta} (residual {residual:.1e})",
            counted(n, "point")
        ));
    }
    let n_failures = unsolved.len() + rows.iter().filter(|row| row.gap_bits.is_none()).count();
    Ok(Outcome::done(text, Failures::of_estimates(n_failures)))
}

/// Whether the bound of `experiment` exists and was made from the present recording.
///
/// # Errors
/// As [`bound`].
pub fn is_done(experiment: &Experiment, request: &BoundRequest, out: &Path) -> Result<bool, StageError> {
    Ok(prepare(experiment, request, out)?.1.finished()?.is_some())
}

/// The recording, and the work of comparing its layers with the bound.
fn prepare(experiment: &Experiment, request: &BoundRequest, out: &Path) -> Result<(Recording, Pending), StageError> {
    let recording = Recording::open(experiment)?;
    if request.code.member.range != RangeOver::Estimated {
        let problem =
            "`code` has bins over the range of a run; use an estimate with fixed edges, or with `range` layer or unit";
        return Err(StageError::Refused(problem.to_owned()));
    }
    let work = keys::bound(experiment, &recording, request, out)?;
    Ok((recording, work))
}

impl InputDistribution {
    fn read(experiment: &Experiment) -> Result<Self, StageError> {
        verified_hash(&experiment.recording(), "settings", Experiment::SAMPLES)?;
        let path = experiment.recording().join(Experiment::SAMPLES);
        let refused = |e: &dyn std::fmt::Display| StageError::Refused(format!("{}: {e}", path.display()));
        let rows = read_samples(&path)?;
        let y: Vec<i32> = rows.iter().map(|row| row.y).collect();
        let p_y1: Vec<Option<f64>> = rows.iter().map(|row| row.p_y1).collect();
        let labels = Labels::new(&y, &p_y1).map_err(|e| refused(&e))?;
        let x = inputs(&rows);
        let (n, n_classes) = (labels.n_samples() as f64, labels.n_classes());
        let p_x: Vec<f64> = x.counts().iter().map(|count| f64::from(*count) / n).collect();
        if p_x.len().saturating_mul(n_classes) > MOST_PROBABILITIES {
            let problem = format!(
                "{} inputs and {n_classes} classes are too many; at most {MOST_PROBABILITIES} pairs of input and class are allowed",
                p_x.len()
            );
            return Err(refused(&problem));
        }
        let mut p_y_given_x = vec![0.0; p_x.len() * n_classes];
        let mut samples = vec![usize::MAX; p_x.len()];
        for (sample, input) in x.numbers().iter().enumerate() {
            let input = *input as usize;
            samples[input] = samples[input].min(sample);
            for (class, sum) in p_y_given_x[input * n_classes..][..n_classes].iter_mut().enumerate() {
                *sum += labels.probability(sample, class) / f64::from(x.counts()[input]);
            }
        }
        let joint = Joint::new(&p_x, &p_y_given_x, n_classes).map_err(|e| refused(&e))?;
        let numbers: Vec<u32> = (0..labels.n_samples() as u32).collect();
        let given = InputsAndLabels::new(x, &numbers, labels, 0).map_err(|e| refused(&e))?;
        Ok(Self { given, joint, samples })
    }

    /// A layer of a run at its last recorded snapshot.
    fn layer(
        &self,
        run: &RecordedRun,
        layer: LayerId,
        code: &Request,
        estimator: &dyn EstimatorSet,
        points: &[Point],
        betas: &[f64],
    ) -> Result<BoundLayerRow, StageError> {
        run.verify(Values::Activations.table(), Some(layer))?;
        let reader = run.activations(Values::Activations, layer)?;
        let recorded = reader.read(reader.snapshots().len() - 1)?;
        if recorded.samples.len() != self.given.n_samples() {
            let (got, n_samples) = (recorded.samples.len(), self.given.n_samples());
            let problem = format!(
                "{got} of {n_samples} samples are recorded, but the bound needs all of them; record with `samples = \"all\"`"
            );
            return Err(StageError::Refused(problem));
        }
        let row = BoundLayerRow {
            estimator: std::sync::Arc::clone(&code.id),
            run: run.id.to_string(),
            layer,
            layer_name: None,
            epoch: recorded.epoch,
            step: recorded.step,
            i_xt_bits: None,
            i_ty_bits: None,
            i_ty_bound_bits: None,
            gap_bits: None,
            beta: None,
            divergence_nats: None,
            beta_one_step: None,
            divergence_one_step_nats: None,
            i_xt_fitted_bits: None,
            i_ty_fitted_bits: None,
            failure: None,
        };
        Ok(match self.fit(&recorded.t, reader.n_units(), estimator, betas) {
            Ok(fit) => self.placed(row, &fit, points),
            Err(failure) => BoundLayerRow { failure: Some(failure), ..row },
        })
    }

    fn fit(&self, t: &[f32], n_units: usize, estimator: &dyn EstimatorSet, betas: &[f64]) -> Result<BetaFit, String> {
        let t = Representation::new(t, n_units).map_err(|e| e.to_string())?;
        let sample = LayerData::of_samples(t, &self.given).map_err(|e| e.to_string())?;
        let mut estimates = estimator.estimate(&sample);
        let estimate = estimates.pop().ok_or("the estimator has no member")?.map_err(|e| e.to_string())?;
        let code = estimate.code.ok_or("the estimator makes no code")?;
        let of_inputs: Vec<u32> = self.samples.iter().map(|sample| code.cells().numbers()[*sample]).collect();
        fit_beta(&self.joint, &of_inputs, betas, &FIT).map_err(|e| e.to_string())
    }

    fn placed(&self, row: BoundLayerRow, fit: &BetaFit, points: &[Point]) -> BoundLayerRow {
        let bound = bottleneck::bound(&self.joint, points, fit.i_xt);
        let mut failures = Vec::new();
        let inside = |near: &Fit, what: &str, failures: &mut Vec<String>| {
            if near.at_edge {
                failures.push(format!("{what} is {}, an end of the range of β; use a wider range", near.beta));
            }
            !near.at_edge && near.divergence.0.is_finite()
        };
        let near = fit.self_consistent.filter(|near| inside(near, "β", &mut failures));
        if fit.self_consistent.is_none() {
            failures.push("no solution has as many cells as the layer".to_owned());
        }
        let one_step = Some(fit.one_step).filter(|near| inside(near, "β of one step", &mut failures));
        if bound.upper - bound.lower > OPEN {
            let (lower, upper) = (bound.lower.bits(), bound.upper.bits());
            failures.push(format!(
                "the curve is only known to be between {lower:.4} and {upper:.4} bits here; use more values of `beta`, closer together or starting lower"
            ));
        }
        if fit.n_unsettled > 0 {
            failures.push(format!("{} β are left out, because the iteration did not converge", fit.n_unsettled));
        }
        BoundLayerRow {
            i_xt_bits: Some(fit.i_xt.bits()),
            i_ty_bits: Some(fit.i_ty.bits()),
            i_ty_bound_bits: Some(bound.lower.bits()),
            gap_bits: (bound.upper - bound.lower <= OPEN).then(|| bound.lower.bits() - fit.i_ty.bits()),
            beta: near.map(|near| near.beta),
            divergence_nats: near.map(|near| near.divergence.0),
            beta_one_step: one_step.map(|near| near.beta),
            divergence_one_step_nats: one_step.map(|near| near.divergence.0),
            i_xt_fitted_bits: near.map(|near| near.i_xt.bits()),
            i_ty_fitted_bits: near.map(|near| near.i_ty.bits()),
            failure: (!failures.is_empty()).then(|| failures.join("; ")),
            ..row
        }
    }
}

fn bound_row(point: &Point) -> BoundRow {
    let (iterations, residual, gap) = (point.n_iterations, point.residual, point.gap.bits());
    BoundRow {
        beta: point.beta,
        i_xt_bits: point.i_xt.bits(),
        i_ty_bits: point.i_ty.bits(),
        n_clusters: point.n_clusters as i32,
        n_iterations: point.n_iterations as i64,
        residual: point.residual,
        lagrangian_gap_bits: point.gap.bits(),
        failure: (!point.converged).then(|| {
            format!("not converged after {iterations} iterations: residual {residual:.1e}, at most {gap:.1e} bits above the minimum")
        }),
    }
}
