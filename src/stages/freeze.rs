//! The freeze stage: registers the claims of a pipeline in `frozen_claims.json` before anything is recorded. A later recording
//! keeps a copy, from which `verify` knows which claims are older than the recording.

use super::{Outcome, StageError};
use crate::config::Pipeline;
use crate::config::expect::Expect;
use crate::count::counted;
use crate::store::{Experiment, FrozenClaims, Lock};

/// Registers the claims of pipelines about their experiments. If the claims of one experiment cannot be registered, none are.
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
        let problem = "uses networks that are recorded already; claims can only be registered before the recording";
        return Err(StageError::Refused(format!("the pipeline `{}` {problem}", pipeline.name)));
    }
    for (pipeline, experiment) in &claiming {
        to_be_frozen(pipeline, experiment)?;
    }
    let (mut n_claims, mut files) = (0, Vec::new());
    for (pipeline, experiment) in &claiming {
        // The locks make sure that no recording begins in between.
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

/// The claims of an experiment that are not registered yet; `None` if all are registered.
fn to_be_frozen(pipeline: &Pipeline, experiment: &Experiment) -> Result<Option<FrozenClaims>, StageError> {
    let frozen = FrozenClaims { claims: pipeline.claims.iter().map(Expect::frozen).collect() };
    let before = FrozenClaims::of_experiment(experiment)?;
    if before.as_ref().is_some_and(|before| before.are(&frozen)) {
        return Ok(None);
    }
    let recordings = [experiment.recording(), experiment.replaced()];
    if let Some(recording) = recordings.iter().find(|folder| folder.exists()) {
        let problem = "there is a recording already, and claims can only be registered before the recording";
        let remedy = "choose a new folder with `--out DIR`, and record there";
        return Err(StageError::Refused(format!("{}: {problem}; {remedy}", recording.display())));
    }
    if before.is_some() {
        let file = experiment.root().join(Experiment::FROZEN_CLAIMS);
        let problem = "other claims are registered in this folder";
        let remedy = "nothing is recorded yet, so remove the file to register the present claims";
        return Err(StageError::Refused(format!("{}: {problem}; {remedy}", file.display())));
    }
    Ok(Some(frozen))
}
