//! The record stage: trains networks and records the activations of every layer for every sample.

mod adaptive;
mod budget;
mod checkpoint;
mod ending;
mod fixed;
mod labels;
mod layers;
mod part;
mod place;
mod plan;
mod run;
mod search;
mod setup;
mod writer;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use serde_json::{Value, json};

pub use place::Existing;
pub use plan::{RecordingProgress, expect_fit, is_large, is_to_be_made, plan};
use setup::Setup;

use super::{Failures, Outcome, Progress, StageError};
use crate::config::{Data, MADE_OF, Networks};
use crate::count::counted;
use crate::store::schema::{Row, SampleRow};
use crate::store::{
    Experiment, FileRecord, Footer, FrozenClaims, Lock, MADE_Y, Pending, RunId, StoreError, hash_file, is_frozen,
    read_footer, read_samples, write_rows,
};

/// Trains and records every run of `pipeline` that is not recorded yet.
///
/// # Errors
/// The data are missing or do not fit, another recording is in the folder, or the disk is full. Finished runs and parts are
/// kept.
pub fn record(
    networks: &Networks,
    experiment: &Experiment,
    existing: Existing,
    progress: &dyn Progress,
) -> Result<Outcome, StageError> {
    let root = experiment.recording();
    let data_path = data_path(&networks.data)?;
    let settings = settings(networks, &data_path)?;
    let whole = pending(&root, networks.n_runs, &settings);
    if is_whole(&whole, &root, networks.n_runs)? && !place::is_replacing(experiment) {
        return Ok(Outcome::UpToDate);
    }
    let rows = labels::labelled(read_samples(&data_path)?, networks.labels, networks.seed)?;
    let setup = Setup::new(networks, &rows, &data_path)?;
    let claim = Pending::new(&root, "settings", &settings);
    let _lock = Lock::named(experiment.root(), "recording")?;
    place::make_room(experiment, &claim, networks.n_runs, existing)?;
    if is_whole(&whole, &root, networks.n_runs)? {
        return Ok(Outcome::UpToDate);
    }
    let outcome = record_runs(&setup, experiment, &settings, &whole, &claim, &rows, progress);
    place::settle(experiment, outcome)
}

/// Whether a file is a table of samples, by its footer. A damaged file counts as one, so that its fault is reported.
fn is_samples_table(path: &Path) -> Result<bool, StageError> {
    const PARQUET: &[u8; 4] = b"PAR1";
    let begins_as_parquet = || {
        let mut begin = [0; 4];
        let read = File::open(path).and_then(|mut file| file.read_exact(&mut begin));
        read.is_ok() && begin == *PARQUET
    };
    match read_footer(path, SampleRow::TABLE) {
        Err(StoreError::WrongTable { .. }) => Ok(false),
        Err(StoreError::Damaged { .. }) if path.is_file() && !begins_as_parquet() => Ok(false),
        Err(e) => Err(e.into()),
        Ok(_) => Ok(true),
    }
}

/// Everything that every run depends on, except its number.
fn settings(networks: &Networks, data_path: &Path) -> Result<Value, StageError> {
    Ok(json!({ "run": networks.run_settings(), "data": hash_file(data_path)? }))
}

/// The recording of all runs.
fn pending(root: &Path, n_runs: usize, settings: &Value) -> Pending {
    Pending::new(root, "manifest", &json!({ "runs": n_runs, "settings": settings }))
}

/// Whether everything exists, including the manifest of every run, without which the run is ignored.
fn is_whole(whole: &Pending, root: &Path, n_runs: usize) -> Result<bool, StageError> {
    let has_manifest = |index| root.join(format!(".meta/runs/{}.json", RunId::new(index))).exists();
    Ok(whole.finished()?.is_some() && (0..n_runs).all(has_manifest))
}

fn record_runs(
    setup: &Setup<'_>,
    experiment: &Experiment,
    settings: &Value,
    whole: &Pending,
    claim: &Pending,
    rows: &[SampleRow],
    progress: &dyn Progress,
) -> Result<Outcome, StageError> {
    let start = Instant::now();
    let root = &experiment.recording();
    let n_runs = setup.networks.n_runs;
    let shared = claimed_tables(setup, claim, experiment, rows)?;
    progress.begin("record", n_runs as u64 * setup.last_step());
    let n_done = AtomicUsize::new(0);
    let record = |index| {
        let run = RunId::new(index);
        let name = format!("runs/{run}");
        let work = Pending::new(root, &name, &json!({ "id": run.to_string(), "settings": settings }));
        let recorded = match work.finished()? {
            Some(manifest) => {
                progress.advance(setup.last_step());
                RunFiles::Before(manifest.files)
            }
            None => {
                let files = run::record_run(setup, root, index, work.key(), progress)?;
                RunFiles::Now(work.finish(files)?.files)
            }
        };
        let n_done = 1 + n_done.fetch_add(1, Ordering::Relaxed);
        progress.message(&format!("{n_done} of {}", counted(n_runs, "run")));
        Ok(recorded)
    };
    let recorded: Result<Vec<RunFiles>, StageError> = budget::in_order(n_runs, setup.n_at_once, record);
    progress.end();
    let seconds = start.elapsed().as_secs_f64();
    let (mut files, mut n_rows, mut n_bytes, mut n_recorded) = (shared, 0, 0, 0);
    for run in recorded? {
        if let RunFiles::Now(files) = &run {
            n_rows += files.iter().map(|file| file.rows).sum::<u64>();
            n_bytes += files.iter().map(|file| file.bytes).sum::<u64>();
            n_recorded += 1;
        }
        let (RunFiles::Now(of_run) | RunFiles::Before(of_run)) = run;
        files.extend(of_run);
    }
    checkpoint::discard_all(root)?;
    whole.finish(files)?;
    let text = format!(
        "{}, {}, {:.1} MB in {seconds:.1} s ({:.0} rows/s) → {}",
        counted(n_recorded, "run"),
        counted(n_rows, "row"),
        n_bytes as f64 / 1e6,
        n_rows as f64 / seconds,
        root.display()
    );
    // Including runs that were recorded by an earlier, interrupted call.
    let failures = place::failures(root)?;
    let text = match failures.first() {
        Some(first) if failures.len() == n_runs && n_runs > 1 => format!("{text}; no run succeeded: {first}"),
        Some(first) => format!("{text}; {first}"),
        None => text,
    };
    Ok(Outcome::done(text, Failures::of_trainings(failures.len())))
}

/// The files of a run.
enum RunFiles {
    /// It existed already.
    Before(Vec<FileRecord>),
    /// It was recorded by this call.
    Now(Vec<FileRecord>),
}

/// Writes the settings of the recording and the claims registered before it, before anything else is written, and then the
/// tables that are shared by all runs.
fn claimed_tables(
    setup: &Setup<'_>,
    claim: &Pending,
    experiment: &Experiment,
    rows: &[SampleRow],
) -> Result<Vec<FileRecord>, StageError> {
    let root = &experiment.recording();
    let is_table = |file: &FileRecord| !is_frozen(file);
    if let Some(manifest) = claim.finished()?.filter(|manifest| manifest.files.iter().any(is_table)) {
        return Ok(manifest.files.into_iter().filter(is_table).collect());
    }
    // Claims that are frozen after the recording began do not count as registered before it.
    let files: Vec<FileRecord> = match claim.existing()?.filter(|manifest| manifest.key == claim.key()) {
        Some(begun) => begun.files.into_iter().filter(is_frozen).collect(),
        None => FrozenClaims::copy_into_recording(experiment)?.into_iter().collect(),
    };
    claim.finish(files.clone())?;
    let footer = Footer::from([("infoplane.config_hash".to_owned(), claim.key().to_owned())]);
    let mut of_data = read_footer(&data_path(&setup.networks.data)?, SampleRow::TABLE)?;
    let made_y = of_data.remove(MADE_Y).map(|words| (MADE_Y.to_owned(), words));
    let identity = match &setup.networks.data {
        Data::Named(named) => Some(named.identity()),
        Data::File(_) => of_data.remove(MADE_OF),
    };
    let identity = identity.map(|identity| (MADE_OF.to_owned(), identity));
    let of_samples = footer.clone().into_iter().chain(made_y).chain(identity).collect();
    let samples = write_rows(root, Experiment::SAMPLES, rows, &of_samples)?;
    let layers = write_rows(root, Experiment::LAYERS, &layers::layers(&setup.networks.architecture), &footer)?;
    let tables = vec![samples, layers];
    claim.finish(files.into_iter().chain(tables.clone()).collect())?;
    Ok(tables)
}

/// The data file of a pipeline.
///
/// # Errors
/// It does not exist, or has other data than the pipeline names.
fn data_path(data: &Data) -> Result<PathBuf, StageError> {
    let path = data.path();
    if !path.exists() {
        let remedy = match data {
            Data::Named(named) => format!("run `{}` first", named.command()),
            Data::File(_) => "make it with `infoplane data import`".to_owned(),
        };
        return Err(StageError::Refused(format!("there is no data file {}; {remedy}", path.display())));
    }
    if matches!(data, Data::File(_)) && !is_samples_table(&path)? {
        let path = path.display();
        return Err(StageError::Refused(format!(
            "{path} is not a table of samples; run `infoplane data import {path}` first"
        )));
    }
    if let Data::Named(named) = data
        && !named.is_in(&read_footer(&path, SampleRow::TABLE)?)
    {
        let (path, made) = (path.display(), named.identity());
        let wanted =
            if made == named.spec.name { format!("`{made}` with its default parameters") } else { format!("`{made}`") };
        let remedy = "in the pipeline, use `file` instead of `name` for this table, or remove the table";
        return Err(StageError::Refused(format!("{path} is not {wanted}; {remedy}")));
    }
    Ok(path)
}
