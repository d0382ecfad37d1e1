//! Estimates of distributions whose information is known: bias, spread, coverage and time of estimators.

mod like;
mod trusted;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rayon::prelude::*;
use serde_json::json;

pub use like::{audit_like, layer_shape, verdict};
pub use trusted::{CANDIDATES, Trusted, trusted};

use super::{Progress, StageError};
use crate::audit::{Distribution, LayerLike, Sampled, Trial, TrialSettings, Truth, trials};
use crate::estimators::{EstimateError, Member, Spec, Spread};
use crate::math::descriptive::{mean, std};
use crate::parameter::Parameters;
use crate::plots::audit::figure;
use crate::store::schema::{AuditRow, AuditSummaryRow, VERSION};
use crate::store::{Experiment, Footer, Lock, Pending, read_rows, write_bytes, write_rows};
use crate::units::Nats;

/// What to audit.
#[derive(Debug, Clone)]
pub struct AuditRequest {
    /// The estimators with their sets of parameters.
    pub estimators: Vec<(&'static Spec, Vec<Parameters>)>,
    /// The distributions.
    pub distributions: Vec<&'static Distribution>,
    /// The dimensions; a distribution is used at those for which it is defined. Empty: all of them.
    pub dims: Vec<usize>,
    /// Numbers of samples.
    pub n_samples: Vec<usize>,
    /// Number of seeds.
    pub n_seeds: u64,
    /// Permutations and halves.
    pub settings: TrialSettings,
    /// Whether time is measured.
    pub timing: Timing,
}

/// Whether time is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// Not measured; the tables are the same in every call.
    Off,
    /// Measured; the estimates are made one after the other, each by one thread.
    On,
}

/// The tables of an audit.
#[derive(Debug, Clone)]
pub struct Audited {
    /// Every estimate.
    pub rows: Vec<AuditRow>,
    /// Every estimator and distribution, over seeds.
    pub summary: Vec<AuditSummaryRow>,
}

/// Something to draw samples from.
enum DrawnFrom<'a> {
    Listed(&'static Distribution, usize),
    Like(LayerLike<'a>, usize),
}

/// One source, number of samples and seed.
struct Draw<'a> {
    source: &'a DrawnFrom<'a>,
    n: usize,
    seed: u64,
}

impl DrawnFrom<'_> {
    fn draw(&self, n: usize, seed: u64) -> Sampled {
        match self {
            Self::Listed(distribution, d) => distribution.draw(*d, n, seed),
            Self::Like(like, _) => like.draw(n, seed),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Listed(distribution, _) => distribution.name.to_owned(),
            Self::Like(like, _) => format!("layer-like, correlation {}", like.correlation()),
        }
    }

    fn dims(&self) -> usize {
        match self {
            Self::Listed(_, d) | Self::Like(_, d) => *d,
        }
    }

    fn truth(&self) -> Option<Nats> {
        match self {
            Self::Listed(distribution, d) => match (distribution.truth)(*d) {
                Truth::Finite(truth) => Some(truth),
                Truth::Infinite => None,
            },
            Self::Like(like, _) => Some(like.truth()),
        }
    }
}

/// Audits estimators and writes `audit.parquet`, `audit_summary.parquet` and the figure into `out`.
///
/// # Errors
/// Parameters cannot be combined, no distribution is defined for the dimensions, or a file cannot be written.
pub fn audit(request: &AuditRequest, out: &Path, progress: &dyn Progress) -> Result<Audited, StageError> {
    let work = Pending::new(out, "audit", &request.identity());
    if work.finished()?.is_some() {
        let read = |name: &str| out.join(name);
        return Ok(Audited {
            rows: read_rows(&read(Experiment::AUDIT))?,
            summary: read_rows(&read(Experiment::AUDIT_SUMMARY))?,
        });
    }
    let sources = request.sources()?;
    let found = audited(request, &sources, &request.n_samples, progress)?;
    let _lock = Lock::wait(out, "audit")?;
    let footer = Footer::from([("infoplane.config_hash".to_owned(), work.key().to_owned())]);
    let mut files = vec![
        write_rows(out, Experiment::AUDIT, &found.rows, &footer)?,
        write_rows(out, Experiment::AUDIT_SUMMARY, &found.summary, &footer)?,
    ];
    if let Ok(picture) = figure(&found.summary) {
        files.push(write_bytes(out, "audit.svg", picture.svg.as_bytes())?);
        files.push(write_bytes(out, "audit.png", &picture.png)?);
    }
    work.finish(files)?;
    Ok(found)
}

impl AuditRequest {
    fn identity(&self) -> serde_json::Value {
        let estimators: Vec<String> = self.estimators.iter().flat_map(|(spec, sets)| names(spec, sets)).collect();
        let distributions: Vec<&str> = self.distributions.iter().map(|distribution| distribution.name).collect();
        json!({
            "estimators": estimators,
            "distributions": distributions,
            "dims": self.dims,
            "n_samples": self.n_samples,
            "n_seeds": self.n_seeds,
            "shuffles": self.settings.n_shuffles,
            "halves": self.settings.n_halves,
            "timing": self.timing == Timing::On,
            "schema": VERSION,
        })
    }

    fn sources(&self) -> Result<Vec<DrawnFrom<'static>>, StageError> {
        let is_wanted = |d: &&usize| self.dims.is_empty() || self.dims.contains(d);
        let sources_of = |distribution: &&'static Distribution| {
            let dims = distribution.dims.iter().filter(is_wanted);
            dims.map(|d| DrawnFrom::Listed(distribution, *d)).collect::<Vec<_>>()
        };
        let sources: Vec<DrawnFrom<'static>> = self.distributions.iter().flat_map(sources_of).collect();
        if sources.is_empty() {
            let dims: Vec<String> = self.dims.iter().map(usize::to_string).collect();
            let dims = dims.join(", ");
            let advice = "`infoplane audit --list` shows for which it is";
            return Err(StageError::Refused(format!("no chosen distribution is defined for d = {dims}; {advice}")));
        }
        Ok(sources)
    }
}

/// The names of an estimator with each set of parameters.
fn names(spec: &Spec, sets: &[Parameters]) -> Vec<String> {
    let built = (spec.build)(sets);
    built.map_or_else(|_| Vec::new(), |set| set.members().iter().map(|member| member.id.to_string()).collect())
}

fn audited(
    request: &AuditRequest,
    sources: &[DrawnFrom<'_>],
    n_samples: &[usize],
    progress: &dyn Progress,
) -> Result<Audited, StageError> {
    let mut draws = Vec::new();
    for source in sources {
        for n in n_samples {
            draws.extend((0..request.n_seeds).map(|seed| Draw { source, n: *n, seed }));
        }
    }
    progress.begin("audit", draws.len() as u64);
    let rows_of = |draw: &Draw<'_>| {
        let rows = rows_of(draw, request);
        progress.advance(1);
        rows
    };
    let rows: Result<Vec<Vec<AuditRow>>, StageError> = match request.timing {
        Timing::Off => draws.par_iter().map(rows_of).collect(),
        Timing::On => {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
            let pool = pool.map_err(|e| StageError::Refused(format!("cannot start a thread: {e}")))?;
            pool.install(|| draws.iter().map(rows_of).collect())
        }
    };
    progress.end();
    let mut rows = rows?.concat();
    // By estimator, then in the order of the distributions.
    rows.sort_by(|a, b| a.estimator.cmp(&b.estimator));
    let same = |a: &AuditRow, b: &AuditRow| {
        (&a.estimator, &a.distribution, a.dims, a.n_samples) == (&b.estimator, &b.distribution, b.dims, b.n_samples)
    };
    let summary = rows.chunk_by(same).map(summary).collect();
    Ok(Audited { rows, summary })
}

/// The estimates of all estimators that can be applied to one draw.
fn rows_of(draw: &Draw<'_>, request: &AuditRequest) -> Result<Vec<AuditRow>, StageError> {
    let pair = draw.source.draw(draw.n, draw.seed);
    let mut rows = Vec::new();
    for (spec, sets) in &request.estimators {
        // One by one if time is measured; otherwise together, because they share work.
        let groups: Vec<&[Parameters]> = match request.timing {
            Timing::On => sets.chunks(1).collect(),
            Timing::Off => vec![sets.as_slice()],
        };
        for group in groups {
            let set = (spec.build)(group).map_err(|problem| StageError::Refused(problem.to_string()))?;
            let start = Instant::now();
            let found = trials(set.as_ref(), &pair, request.settings);
            let seconds = (request.timing == Timing::On).then(|| start.elapsed().as_secs_f64());
            let found = set.members().into_iter().zip(found);
            rows.extend(found.filter_map(|(member, trial)| row(draw, spec, member, trial, seconds)));
        }
    }
    Ok(rows)
}

/// The row of an estimate; `None` if the estimator is not for variables of these kinds.
fn row(
    draw: &Draw<'_>,
    spec: &Spec,
    member: Member,
    trial: Result<Trial, EstimateError>,
    seconds: Option<f64>,
) -> Option<AuditRow> {
    if trial.as_ref().is_err_and(EstimateError::is_of_kinds) {
        return None;
    }
    let found = trial.as_ref().ok();
    let null = found.and_then(|trial| Spread::of(&trial.null));
    let interval = found.and_then(Trial::interval);
    let bits = |nats: Option<Nats>| nats.map(Nats::bits);
    Some(AuditRow {
        estimator: Arc::new(member.id.into()),
        distribution: draw.source.name(),
        dims: draw.source.dims() as i32,
        n_samples: draw.n as i32,
        seed: draw.seed as i64,
        quantity: spec.of_pair.to_owned(),
        truth_bits: bits(draw.source.truth()),
        estimate_bits: found.map(|trial| trial.information.value.bits()),
        error_bits: bits(found.and_then(|trial| trial.information.monte_carlo_error)),
        low_bits: bits(interval.map(|(low, _)| low)),
        high_bits: bits(interval.map(|(_, high)| high)),
        null_bits_mean: bits(null.map(|null| null.mean)),
        null_bits_std: bits(null.and_then(|null| null.std)),
        null_bits_low: bits(found.and_then(|trial| trial.null.first().copied())),
        null_bits_high: bits(found.and_then(|trial| trial.null.last().copied())),
        ceiling_bits: bits(found.and_then(|trial| trial.information.ceiling)),
        seconds,
        failure: trial.err().map(|e| e.to_string()),
    })
}

/// One row over the seeds of `rows`, which are not empty.
fn summary(rows: &[AuditRow]) -> AuditSummaryRow {
    let first = &rows[0];
    let estimates: Vec<f64> = rows.iter().filter_map(|row| row.estimate_bits).collect();
    let squares: Vec<f64> =
        first.truth_bits.map_or_else(Vec::new, |truth| estimates.iter().map(|e| (e - truth).powi(2)).collect());
    let contains = |row: &AuditRow| {
        let truth = row.truth_bits?;
        Some(f64::from(u8::from((row.low_bits?..=row.high_bits?).contains(&truth))))
    };
    let is_within = |row: &AuditRow| {
        let range = row.null_bits_low?..=row.null_bits_high?;
        Some(f64::from(u8::from(range.contains(&row.estimate_bits?))))
    };
    let mean_of = |column: &dyn Fn(&AuditRow) -> Option<f64>| mean(&rows.iter().filter_map(column).collect::<Vec<_>>());
    AuditSummaryRow {
        estimator: Arc::clone(&first.estimator),
        distribution: first.distribution.clone(),
        dims: first.dims,
        n_samples: first.n_samples,
        quantity: first.quantity.clone(),
        truth_bits: first.truth_bits,
        n_seeds: estimates.len() as i32,
        n_failed: (rows.len() - estimates.len()) as i32,
        mean_bits: mean(&estimates),
        std_bits: std(&estimates),
        bias_bits: mean(&estimates).zip(first.truth_bits).map(|(mean, truth)| mean - truth),
        rmse_bits: mean(&squares).map(f64::sqrt),
        coverage: mean_of(&contains),
        within_null: mean_of(&is_within),
        seconds_mean: mean_of(&|row| row.seconds),
        failure: rows.iter().find_map(|row| row.failure.clone()),
    }
}
