//! The runs of a recording: from manifests if this program recorded them, otherwise from the folders.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::super::below::{expect_no_link, is_folder_name};
use super::super::error::StoreError;
use super::super::files::{FileRecord, hash_bytes, io_error, sorted_entries};
use super::super::layout::RunId;
use super::super::manifest::Manifest;
use super::{File, RecordedRun};
use crate::estimate_id::Values;
use crate::layer_id::LayerId;

/// Table, layer and run to which a file belongs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct PartOf {
    pub(in super::super) table: String,
    pub(super) layer: Option<LayerId>,
    pub(in super::super) run: String,
}

/// `table/layer=L/run=R/part-N.parquet`, with or without the layer; `None` for any other path.
pub(in super::super) fn part_of(relative: &str) -> Option<PartOf> {
    let (table, layer, run, file) = match relative.split('/').collect::<Vec<_>>()[..] {
        [table, run, file] => (table, None, run, file),
        [table, layer, run, file] => (table, Some(layer_of(layer)?), run, file),
        _ => return None,
    };
    let run = run.strip_prefix("run=").filter(|run| is_folder_name(run))?;
    let is_part = file.ends_with(".parquet") && !file.starts_with('.');
    is_part.then_some(PartOf { table: table.to_owned(), layer, run: run.to_owned() })
}

/// The layer of the folder `layer=L`, if L is written without leading zeros.
fn layer_of(folder: &str) -> Option<LayerId> {
    let number = folder.strip_prefix("layer=")?;
    LayerId::of_number(number.parse::<i32>().ok()?).filter(|layer| layer.to_string() == number)
}

/// The runs with manifests in the folder `manifests`.
pub(super) fn own(root: &Path, manifests: &Path) -> Result<Vec<RecordedRun>, StoreError> {
    let mut runs = Vec::new();
    // A finished recording has the runs that were requested; others may remain from a larger recording that was
    // interrupted.
    let asked = Manifest::read(&root.join(".meta/manifest.json"))?;
    let is_of_it = |file: &FileRecord| asked.as_ref().is_none_or(|whole| whole.files.contains(file));
    let claim = Manifest::read(&root.join(".meta/settings.json"))?;
    for path in sorted_entries(manifests)? {
        let Some(manifest) = Manifest::read(&path)? else { continue };
        let settings = &manifest.made_from["settings"];
        if claim.as_ref().is_some_and(|claim| !settings.is_null() && claim.made_from != *settings) {
            return Err(of_another_recording(&path));
        }
        if !manifest.files.iter().any(is_of_it) {
            continue;
        }
        let written = fs::metadata(&path).and_then(|m| m.modified()).map_err(|e| io_error("read", &path, e))?;
        let listed =
            |file: FileRecord| Some((part_of(&file.path)?, File { relative: file.path.clone(), listed: Some(file) }));
        let id = RunId::named(&path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned()));
        let settings = Some(hash_bytes(settings.to_string().as_bytes()));
        let files = manifest.files.into_iter().filter_map(listed).collect();
        runs.push(RecordedRun { root: root.to_owned(), id, files, written: Some(written), settings });
    }
    // Otherwise a run without manifest would look like one that was never recorded.
    let of_whole = asked.iter().flat_map(|whole| &whole.files).filter_map(|file| part_of(&file.path));
    match of_whole.into_iter().find(|part| runs.iter().all(|run| run.id != RunId::named(&part.run))) {
        None => Ok(runs),
        Some(part) => {
            let problem = "missing, although the run was recorded; run `infoplane record` again".to_owned();
            Err(StoreError::Rows { path: manifests.join(format!("{}.json", part.run)), problem })
        }
    }
}

/// A run of one recording in the folder of another.
fn of_another_recording(run: &Path) -> StoreError {
    let problem =
        "the run was recorded with other settings than the recording in this folder; move its files to another folder";
    StoreError::Rows { path: run.to_owned(), problem: problem.to_owned() }
}

/// The runs of a recording of another program, from its folders.
pub(super) fn foreign(root: &Path) -> Result<Vec<RecordedRun>, StoreError> {
    let mut by_run: BTreeMap<String, Vec<(PartOf, File)>> = BTreeMap::new();
    for relative in files_below(root, Hidden::LeftOut)? {
        match part_of(&relative) {
            Some(part) => {
                by_run.entry(part.run.clone()).or_default().push((part, File { relative, listed: None }));
            }
            None if relative.contains("/layer=") => {
                let problem = "not a valid path of a part; must be TABLE/layer=L/run=R/part-N.parquet, with L the number of the layer without leading zeros; the name of a layer belongs in the footer entry `infoplane.layer_name`";
                return Err(StoreError::Rows { path: root.join(relative), problem: problem.to_owned() });
            }
            None => {}
        }
    }
    by_run.values().try_for_each(|files| check_numbers(root, files))?;
    let run = |(id, files): (String, Vec<_>)| RecordedRun {
        root: root.to_owned(),
        id: RunId::named(&id),
        files,
        written: None,
        settings: None,
    };
    Ok(by_run.into_iter().map(run).filter(has_activations).collect())
}

pub(super) fn has_activations(run: &RecordedRun) -> bool {
    run.files.iter().any(|(part, _)| part.table == Values::Activations.table())
}

/// If a part is missing, its snapshots are missing too, perhaps in all layers, so nothing else would show it.
fn check_numbers(root: &Path, files: &[(PartOf, File)]) -> Result<(), StoreError> {
    let number = |file: &File| -> Option<usize> {
        let (_, name) = file.relative.rsplit_once("/part-")?;
        name.strip_suffix(".parquet")?.parse().ok()
    };
    for files in files.chunk_by(|(a, _), (b, _)| a == b) {
        let numbered = files.iter().filter_map(|(_, file)| Some((file, number(file)?)));
        if let Some((want, (file, _))) = numbered.enumerate().find(|(want, (_, number))| number != want) {
            let path = root.join(&file.relative).with_file_name(format!("part-{want:05}.parquet"));
            let problem = format!("missing, the next part is {}; parts are numbered without gaps", file.relative);
            return Err(StoreError::Rows { path, problem });
        }
    }
    Ok(())
}

/// What to do with files and folders whose names start with a dot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Hidden {
    LeftOut,
    Listed,
}

/// Maximum depth of folders below a recording; recordings of this program have three levels.
const MOST_DEPTH: usize = 16;

/// Every file below `root`, with its path relative to `root`, sorted. `root` may be a link; folders below it must not
/// be.
pub(in super::super) fn files_below(root: &Path, hidden: Hidden) -> Result<Vec<String>, StoreError> {
    let (mut found, mut folders) = (Vec::new(), vec![(root.to_owned(), 0)]);
    while let Some((folder, depth)) = folders.pop() {
        if depth > MOST_DEPTH {
            let problem = format!("is more than {MOST_DEPTH} folders below the recording; move it to another folder");
            return Err(StoreError::Rows { path: folder, problem });
        }
        for path in sorted_entries(&folder)? {
            let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            if name.starts_with('.') && hidden == Hidden::LeftOut {
                continue;
            }
            if path.is_dir() {
                // A link to a folder above it would make an endless path.
                expect_no_link(&path)?;
                folders.push((path, depth + 1));
            } else {
                let relative = path.strip_prefix(root).unwrap_or(&path);
                let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
                found.push(parts.join("/"));
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_recognised() {
        let place = |table: &str, layer| PartOf { table: table.to_owned(), layer, run: "r0000".to_owned() };
        assert_eq!(
            part_of("activations/layer=2/run=r0000/part-00000.parquet"),
            Some(place("activations", Some(LayerId::from_index(2))))
        );
        assert_eq!(part_of("epochs/run=r0000/part-00001.parquet"), Some(place("epochs", None)));
        for other in ["samples.parquet", "activations/layer=02/run=r0000/a.parquet", "epochs/run=r0000/.a.parquet"] {
            assert_eq!(part_of(other), None, "{other}");
        }
    }
}
