//! Which files in an experiment's folder this program makes: it removes no others.

use std::path::Path;

use super::error::StoreError;
use super::files::remove_below;
use super::layout::Experiment;
use super::manifest::{Manifest, manifests};
use super::recording::{Hidden, files_below, part_of};

/// Makes sure that `folder`, below the experiment `root` and about to be removed, holds only what this program makes there.
///
/// # Errors
/// It holds another file, or a link to a folder; it cannot be listed.
pub fn expect_only_own(root: &Path, folder: &str) -> Result<(), StoreError> {
    let files = files_below(&root.join(folder), Hidden::Listed)?;
    match files.into_iter().map(|file| format!("{folder}/{file}")).find(|file| !is_own(file)) {
        None => Ok(()),
        Some(other) => {
            let problem = format!("not a file that infoplane makes, but `{folder}` is to be replaced; move it away");
            Err(StoreError::Rows { path: root.join(other), problem })
        }
    }
}

/// Whether a file of the recording, of the estimates or of `.meta` is called so, below the experiment.
fn is_own(file: &str) -> bool {
    match file.split_once('/') {
        Some((".meta", _)) => true,
        Some(("recording", file)) => {
            let is_table = [Experiment::SAMPLES, Experiment::LAYERS].contains(&file) || part_of(file).is_some();
            is_table || file.starts_with(".meta/")
        }
        Some((folder, file)) if Experiment::TABLE_FOLDERS.contains(&folder) => {
            let is_table = |name: &str| name.starts_with("run=") && name.ends_with(".parquet");
            file.starts_with(".meta/") || file.split_once('/').is_some_and(|(_, name)| is_table(name))
        }
        _ => false,
    }
}

/// Removes the tables and figures that were made from the estimates of the experiment `root`, as their manifests list them, and
/// these manifests. What else they list stays.
///
/// # Errors
/// A manifest cannot be read; something cannot be removed, or lies behind a link.
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

/// Whether a table or a figure made from the estimates is called so, below the experiment.
fn is_view(file: &str) -> bool {
    let is_figure =
        |name: &str| ["svg", "png", "apng", "gif", "mp4"].iter().any(|ending| name.ends_with(&format!(".{ending}")));
    match file.split_once('/') {
        Some((folder, name)) => folder == "figures" && !name.contains('/') && is_figure(name),
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
            "recording/epochs/run=of-another-program/a.parquet",
            "recording/.meta/runs/r0000.json",
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
        ] {
            assert!(!is_own(file), "{file}");
        }
    }

    #[test]
    fn only_what_is_made_from_estimates_is_a_view() {
        for file in
            ["summary.parquet", "summary.csv", "checks.parquet", "report.html", "figures/fit.svg", "figures/m.gif"]
        {
            assert!(is_view(file), "{file}");
        }
        let others = [
            "frozen_claims.json",
            "notes.csv",
            "thesis.parquet",
            "figures/a.tex",
            "figures/a/b.svg",
            "recording/x.svg",
            "p.toml",
        ];
        for file in others {
            assert!(!is_view(file), "{file}");
        }
    }
}
