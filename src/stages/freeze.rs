//! The freeze stage: registers what a pipeline claims before there are data → `frozen_claims.json`. A recording that is begun
//! later keeps a copy, by which `verify` knows which claims are older than the data.

use super::{Outcome, StageError};
use crate::config::Pipeline;
use crate::config::expect::Expect;
use crate::count::counted;
use crate::store::{Experiment, FrozenClaims, Lock};

/// Registers the claims that `pipelines` make of their experiments. Of several experiments all can be registered, or none is.
///
/// # Errors
/// There are no claims, something is recorded already, or other claims are registered.
pub fn freeze(experiments: &[(&Pipeline, Experiment)]) -> Result<Outcome, StageError> {
    let claiming: Vec<_> = experiments.iter().filter(|(pipeline, _)| !pipeline.claims.is_empty()).collect();
    if claiming.is_empty() {
        let problem = "the pipeline makes no claims; add `[[expect]]` tables";
        return Err(StageError::Refused(problem.to_owned()));
    }
    if let Some((pipeline, _)) = claiming.iter().find(|(pipeline, _)| pipeline.networks().is_none()) {
        let problem = "names networks that are recorded already; claims are registered before there are data only";
        return Err(StageError::Refused(format!("the pipeline `{}` {problem}", pipeline.name)));
    }
    for (pipeline, experiment) in &claiming {
        to_be_frozen(pipeline, experiment)?;
    }
    let (mut n_claims, mut files) = (0, Vec::new());
    for (pipeline, experiment) in &claiming {
        // No recording begins in between.
        let _lock = Lock::named(experiment.root(), "recording")?;
        if let Some(frozen) = to_be_frozen(pipeline, experiment)? {
            frozen.write(experiment)?;
            n_claims += frozen.claims.len();
            files.push(experiment.root().join(Experiment::FROZEN_CLAIMS).display().to_string());
        }
    }
    Ok(match &files[..] {
        [] => Outcome::UpToDate,
        [file] => Outcome::Done(format!("{} → {file}", counted(n_claims, "claim"))),
        [first, ..] => {
            Outcome::Done(format!("{} → {} files, the first is {first}", counted(n_claims, "claim"), files.len()))
        }
    })
}

/// The claims of an experiment that are still to be registered; `None` where they are.
fn to_be_frozen(pipeline: &Pipeline, experiment: &Experiment) -> Result<Option<FrozenClaims>, StageError> {
    let frozen = FrozenClaims { claims: pipeline.claims.iter().map(Expect::frozen).collect() };
    let before = FrozenClaims::of_experiment(experiment)?;
    if before.as_ref().is_some_and(|before| before.are(&frozen)) {
        return Ok(None);
    }
    let recordings = [experiment.recording(), experiment.replaced()];
    if let Some(recording) = recordings.iter().find(|folder| folder.exists()) {
        let problem = "there is a recording already, and claims are registered only before there are data";
        let remedy = "choose a new folder with `--out DIR`, and record there";
        return Err(StageError::Refused(format!("{}: {problem}; {remedy}", recording.display())));
    }
    if before.is_some() {
        let file = experiment.root().join(Experiment::FROZEN_CLAIMS);
        let problem = "other claims are registered there";
        let remedy = "nothing is recorded yet, so remove the file to register the present ones";
        return Err(StageError::Refused(format!("{}: {problem}; {remedy}", file.display())));
    }
    Ok(Some(frozen))
}
