//! Which files in the folder of an experiment belong to this program: it removes no others.

use std::path::Path;

use super::below::is_folder_name;
use super::error::StoreError;
use super::files::remove_below;
use super::layout::Experiment;
use super::manifest::{Manifest, manifests};
use super::recording::{Hidden, files_below, part_of};
use super::schema::{
    ActivationRow, EpochRow, GradientRow, OnlineLossRow, PreActivationRow, Row, RunRow, SplitRow, WeightRow,
};

/// Tables of a recording with one file per run.
const TABLES_OF_RUNS: [&str; 8] = [
    ActivationRow::TABLE,
    PreActivationRow::TABLE,
    EpochRow::TABLE,
    GradientRow::TABLE,
    OnlineLossRow::TABLE,
    RunRow::TABLE,
    SplitRow::TABLE,
    WeightRow::TABLE,
];

/// Checks that `folder`, below the experiment `root` and about to be removed, contains only files of this program.
///
/// # Errors
/// It contains another file, or a link to a folder; or it cannot be listed.
pub fn expect_only_own(root: &Path, folder: &str) -> Result<(), StoreError> {
    let files = files_below(&root.join(folder), Hidden::Listed)?;
    match files.into_iter().map(|file| format!("{folder}/{file}")).find(|file| !is_own(file)) {
        None => Ok(()),
        Some(other) => {
            let problem =
                format!("not a file of infoplane, but `{folder}` will be replaced; move the file to another folder");
            Err(StoreError::Rows { path: root.join(other), problem })
        }
    }
}

/// Removes the content of [`Experiment::replaced`].
///
/// # Errors
/// It contains a file that this program does not write, or a link to a folder; or something cannot be removed.
pub fn remove_replaced(root: &Path) -> Result<(), StoreError> {
    expect_only_own(root, Experiment::REPLACED)?;
    remove_below(root, Experiment::REPLACED)
}

/// Removes the files of this program in `folder`, which is in the `.meta` of `root`, and the folder if it is empty
/// then.
///
/// # Errors
/// The folder cannot be listed, or something cannot be removed or is behind a link.
pub fn remove_notes(root: &Path, folder: &str) -> Result<(), StoreError> {
    for file in files_below(&root.join(folder), Hidden::Listed)? {
        let file = format!("{folder}/{file}");
        if file.strip_prefix(".meta/").is_some_and(is_note) {
            remove_below(root, &file)?;
        }
    }
    // A folder with files of the user stays.
    let _ = std::fs::remove_dir(root.join(folder));
    Ok(())
}

/// Whether a path below the experiment is that of a file of the recording, of the estimates or of `.meta`.
fn is_own(file: &str) -> bool {
    match file.split_once('/') {
        Some((".meta", file)) => file.strip_prefix("replaced/").map_or_else(|| is_note(file), is_own),
        Some(("recording", file)) => match file.strip_prefix(".meta/") {
            Some(note) => is_note(note),
            None => [Experiment::SAMPLES, Experiment::LAYERS].contains(&file) || is_part(file),
        },
        Some((folder, file)) if Experiment::TABLE_FOLDERS.contains(&folder) => match file.split_once('/') {
            Some((".meta", note)) => is_note(note),
            Some((_, name)) => {
                let run = name.strip_prefix("run=").and_then(|name| name.strip_suffix(".parquet"));
                run.is_some_and(is_folder_name)
            }
            None => false,
        },
        _ => false,
    }
}

/// Whether a path below the recording is that of a file of a run's table.
fn is_part(file: &str) -> bool {
    let name = file.rsplit('/').next().and_then(|name| name.strip_prefix("part-")?.strip_suffix(".parquet"));
    name.is_some_and(|number| is_number(number, 5))
        && part_of(file).is_some_and(|part| TABLES_OF_RUNS.contains(&part.table.as_str()) && is_run(&part.run))
}

/// Whether a path below `.meta` is that of a manifest, a lock, a training state or an unfinished file.
fn is_note(file: &str) -> bool {
    let state = file.strip_prefix("checkpoints/").and_then(|name| name.strip_suffix(".state"));
    let is_state = |(run, number): (&str, &str)| is_run(run) && is_number(number, 5);
    let is_temporary = |name: &str| !name.contains('/') && name.ends_with(".part");
    let name = file.rsplit('/').next().unwrap_or(file);
    let is_listed = !name.starts_with('.') && (name.ends_with(".json") || name.ends_with(".lock"));
    is_listed
        || state.and_then(|name| name.split_once('-')).is_some_and(is_state)
        || file.strip_prefix("tmp/").is_some_and(is_temporary)
}

/// Whether [`RunId::new`](super::layout::RunId::new) returns names of this form.
fn is_run(name: &str) -> bool {
    name.strip_prefix('r').is_some_and(|number| is_number(number, 4))
}

/// Whether `text` is a number with at least `width` digits.
fn is_number(text: &str, width: usize) -> bool {
    text.len() >= width && text.bytes().all(|digit| digit.is_ascii_digit())
}

/// Removes the tables and figures that were made from the estimates of the experiment `root` and are listed in
/// manifests, and these manifests. Other files in the manifests stay.
///
/// # Errors
/// A manifest cannot be read, or something cannot be removed or is behind a link.
pub fn remove_views(root: &Path) -> Result<(), StoreError> {
    for path in manifests(root)? {
        for file in Manifest::read(&path)?.map_or(Vec::new(), |manifest| manifest.files) {
            if is_view(&file.path) {
                remove_below(root, &file.path)?;
            }
        }
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        remove_below(root, &format!(".meta/{name}"))?;
    }
    Ok(())
}

/// Whether a path below the experiment is that of a table or a figure made from the estimates.
fn is_view(file: &str) -> bool {
    let is_figure =
        |name: &str| ["svg", "png", "apng", "gif", "mp4"].iter().any(|ending| name.ends_with(&format!(".{ending}")));
    match file.split_once('/') {
        // Figures of several experiments are in a folder for each.
        Some((folder, name)) => {
            let depth = name.matches('/').count();
            folder == "figures" && (depth <= 1 && is_figure(name) || name == "index.html")
        }
        None => Experiment::VIEWS.iter().any(|table| file == *table || file == table.replace(".parquet", ".csv")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_program_are_its_own() {
        for file in [
            "recording/samples.parquet",
            "recording/layers.parquet",
            "recording/activations/layer=2/run=r0000/part-00000.parquet",
            "recording/epochs/run=r12345/part-100000.parquet",
            "recording/.meta/runs/r0000.json",
            "recording/.meta/checkpoints/r0000-00012.state",
            "recording/.meta/tmp/epochs_run=r0000_part-00000.parquet.part",
            ".meta/replaced/recording/splits/run=r0000/part-00000.parquet",
            ".meta/replaced/.meta/estimates/binning-n-edges-30/r0000.json",
            ".meta/estimates/binning-n-edges-30.lock",
            "estimates/binning-n-edges-30/run=r0000.parquet",
            "unit_estimates/binning-n-edges-30/run=pooled.parquet",
            "estimates/.meta/binning-n-edges-30/r0000.json",
            ".meta/estimates/binning-n-edges-30/r0000.json",
        ] {
            assert!(is_own(file), "{file}");
        }
        for file in [
            "notes.txt",
            "recording/notes.txt",
            "recording/activations/notes.txt",
            "recording/activations/layer=02/run=r0000/a.parquet",
            "estimates/notes.txt",
            "estimates/binning-n-edges-30/notes.parquet",
            "figures/fit.svg",
            "recording/.meta/notes.txt",
            "recording/.meta/tmp/notes.txt",
            "recording/.meta/checkpoints/best.state",
            "recording/.meta/.hidden.json",
            "recording/epochs/run=mine/part-00000.parquet",
            "recording/epochs/run=r0000/mine.parquet",
            "recording/epochs/run=r0000/part-0.parquet",
            "recording/mine/run=r0000/part-00000.parquet",
            "estimates/.meta/thesis.tex",
            ".meta/estimates/thesis.tex",
            ".meta/replaced/notes.txt",
            ".meta/replaced/notes.json",
            ".meta/replaced/recording/notes.json",
        ] {
            assert!(!is_own(file), "{file}");
        }
    }

    #[test]
    fn only_files_made_from_estimates_are_views() {
        for file in [
            "summary.parquet",
            "summary.csv",
            "checks.parquet",
            "report.html",
            "figures/fit.svg",
            "figures/m.gif",
            "figures/experiment/fit.png",
            "figures/index.html",
        ] {
            assert!(is_view(file), "{file}");
        }
        let others = [
            "frozen_claims.json",
            "notes.csv",
            "thesis.parquet",
            "figures/a.tex",
            "figures/a/b/c.svg",
            "figures/a/index.html",
            "figures/notes.html",
            "recording/x.svg",
            "p.toml",
        ];
        for file in others {
            assert!(!is_view(file), "{file}");
        }
    }
}
