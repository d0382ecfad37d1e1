//! The tables of a sweep: what became of each experiment, and the values of what varies.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use super::super::State;
use super::experiment;
use crate::config::{Sweep, Variant};
use crate::stages::experiments::ExperimentState;
use crate::stages::trainings::{self, Trainings};
use crate::store::schema::{ExperimentRow, SettingRow, SummaryRow, VERSION};
use crate::store::{Experiment, Footer, Pending, Recording, StoreError, read_rows, write_rows};

/// What became of every experiment, in the order of the sweep.
pub(super) fn rows(
    sweep: &Sweep,
    states: &[Result<State, String>],
    root: &Path,
) -> Result<Vec<ExperimentRow>, StoreError> {
    let estimates = estimates(root)?;
    let experiments = sweep.experiments.iter().zip(states);
    Ok(experiments.map(|(variant, state)| row(variant, state, root, &estimates)).collect())
}

fn row(
    variant: &Variant,
    state: &Result<State, String>,
    root: &Path,
    estimates: &BTreeMap<String, (i64, i64)>,
) -> ExperimentRow {
    let recorded = recorded(&experiment(root, variant));
    let state = match (state, &recorded) {
        (Err(reason), _) => Err(reason.clone()),
        (Ok(_), Err(e)) => Err(super::relative(&e.to_string(), root)),
        (Ok(state), Ok(_)) => Ok(state),
    };
    let (n_runs, trainings) = recorded.unwrap_or((None, None));
    let n_failed = trainings.as_ref().map_or(0, Trainings::n_failed);
    let (n_failures, n_estimates) = estimates.get(&variant.id).copied().unwrap_or_default();
    let mut problems = Vec::new();
    if n_failed > 0 {
        let reason = trainings.as_ref().and_then(Trainings::reason).unwrap_or_default();
        problems.push(format!("{n_failed} of {} trainings failed ({reason})", n_runs.unwrap_or(0)));
    }
    if n_failures > 0 {
        problems.push(format!("{n_failures} of {n_estimates} estimates failed (see their column `failure`)"));
    }
    let (state, reason) = match state {
        Err(reason) => (ExperimentState::Failed, Some(reason)),
        Ok(State::Pending) => (ExperimentState::Pending, None),
        Ok(State::Unfinished(missing)) => (ExperimentState::Unfinished, Some(missing.clone())),
        Ok(State::Done) if problems.is_empty() => (ExperimentState::Done, None),
        Ok(State::Done) if Some(n_failed) == n_runs => (ExperimentState::Failed, Some(problems.join("; "))),
        Ok(State::Done) => (ExperimentState::Partial, Some(problems.join("; "))),
    };
    ExperimentRow {
        experiment: variant.id.clone(),
        state: state.name().to_owned(),
        n_runs,
        n_trainings_failed: trainings.as_ref().map(Trainings::n_failed),
        n_trainings_degenerate: trainings.as_ref().map(|trainings| trainings.n_degenerate),
        reason,
    }
}

/// The number of recorded runs, and how their trainings ended.
fn recorded(experiment: &Experiment) -> Result<(Option<i64>, Option<Trainings>), StoreError> {
    let recording = Recording::find(experiment)?;
    match recording.all_runs().count() {
        0 => Ok((None, None)),
        n_runs => Ok((Some(n_runs as i64), trainings::of(&recording)?)),
    }
}

/// By experiment: estimates that failed, and all of them, as the joined summary counts them.
fn estimates(root: &Path) -> Result<BTreeMap<String, (i64, i64)>, StoreError> {
    let path = root.join(Experiment::SUMMARY);
    let mut counts: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    if path.exists() {
        for row in read_rows::<SummaryRow>(&path)? {
            let count = counts.entry(row.experiment).or_default();
            count.0 += i64::from(row.n_failed);
            count.1 += i64::from(row.n_failed + row.n_runs);
        }
    }
    Ok(counts)
}

/// The values of what varies.
pub(super) fn settings(sweep: &Sweep) -> Vec<SettingRow> {
    let rows = |variant: &Variant| -> Vec<SettingRow> {
        let row = |setting: &crate::config::Setting| SettingRow {
            experiment: variant.id.clone(),
            parameter: setting.parameter.clone(),
            value: setting.value.clone(),
            number: setting.number,
        };
        variant.settings.iter().map(row).collect()
    };
    sweep.experiments.iter().flat_map(rows).collect()
}

/// Writes both tables where they are not what is there; whether that was so.
pub(super) fn write(root: &Path, experiments: &[ExperimentRow], settings: &[SettingRow]) -> Result<bool, StoreError> {
    let experiment = |row: &ExperimentRow| {
        json!([row.experiment, row.state, row.n_runs, row.n_trainings_failed, row.n_trainings_degenerate, row.reason])
    };
    let setting = |row: &SettingRow| json!([row.experiment, row.parameter, row.value, row.number]);
    let work = Pending::new(
        root,
        "experiments",
        &json!({
            "experiments": experiments.iter().map(experiment).collect::<Vec<_>>(),
            "settings": settings.iter().map(setting).collect::<Vec<_>>(),
            "schema": VERSION,
        }),
    );
    if work.finished()?.is_some() {
        return Ok(false);
    }
    let footer = Footer::from([("infoplane.config_hash".to_owned(), work.key().to_owned())]);
    let files = vec![
        write_rows(root, Experiment::EXPERIMENTS, experiments, &footer)?,
        write_rows(root, Experiment::SETTINGS, settings, &footer)?,
    ];
    work.finish(files)?;
    Ok(true)
}
