//! Manifests of estimates from earlier versions, in `<experiment>/estimates/.meta` next to the tables: they are
//! read there, and moved to `<experiment>/.meta/estimates` before anything is written.

use std::fs;
use std::path::{Path, PathBuf};

use super::below::expect_no_link;
use super::error::StoreError;
use super::files::{remove_file, sorted_entries};
use super::layout::Experiment;
use super::lock::Lock;
use super::manifest::Manifest;

/// The manifest `name` of the experiment `root`, from its place in earlier versions, with the paths of this version.
///
/// # Errors
/// The manifest exists but cannot be read, or was changed.
pub(super) fn manifest(root: &Path, name: &str) -> Result<Option<Manifest>, StoreError> {
    let is_table = |(folder, _): &(&str, &str)| Experiment::TABLE_FOLDERS.contains(folder);
    let Some((folder, rest)) = name.split_once('/').filter(is_table) else { return Ok(None) };
    let mut found = Manifest::read(&root.join(folder).join(".meta").join(format!("{rest}.json")))?;
    for file in found.iter_mut().flat_map(|manifest| &mut manifest.files) {
        file.path = format!("{folder}/{}", file.path);
    }
    Ok(found)
}

/// The manifests of the tables of `estimator` below `folder` that an earlier version wrote.
///
/// # Errors
/// The folder cannot be listed.
pub(super) fn manifests(root: &Path, folder: &str, estimator: &str) -> Result<Vec<PathBuf>, StoreError> {
    sorted_entries(&root.join(folder).join(".meta").join(estimator))
}

/// Moves the manifests of an earlier version to their present place, so that the folders of tables contain only
/// tables. A manifest that cannot be read stays, and the stage that needs it reports it.
///
/// # Errors
/// A manifest cannot be written, or an old one cannot be removed; the next call continues.
pub fn move_earlier_manifests(experiment: &Experiment) -> Result<(), StoreError> {
    let root = experiment.root();
    for folder in Experiment::TABLE_FOLDERS {
        let earlier = root.join(folder).join(".meta");
        if !earlier.exists() {
            continue;
        }
        // Nothing is removed from a folder behind a link.
        expect_no_link(&root.join(folder))?;
        expect_no_link(&earlier)?;
        // Otherwise another call that moves manifests could replace a new manifest with an old one.
        let _lock = Lock::wait(root, folder)?;
        let mut is_empty = true;
        for path in sorted_entries(&earlier)?.iter().filter(|path| is_folder(path) && !path.ends_with("tmp")) {
            for path in sorted_entries(path)?.iter().filter(|path| path.extension().is_some_and(|e| e == "json")) {
                let below = path.strip_prefix(&earlier).unwrap_or(path).with_extension("");
                let name = format!("{folder}/{}", below.to_string_lossy());
                match manifest(root, &name) {
                    Ok(Some(manifest)) => {
                        manifest.write(root, &name)?;
                        remove_file(path)?;
                    }
                    Ok(None) => {}
                    Err(_) => is_empty = false,
                }
            }
        }
        if is_empty {
            remove_own(&earlier)?;
        }
    }
    Ok(())
}

/// Whether it is a folder and not a link.
fn is_folder(path: &Path) -> bool {
    path.is_dir() && !path.is_symlink()
}

/// Removes the files that an earlier version left in its folder of manifests (locks and unfinished files), and the
/// folders that are empty afterwards.
fn remove_own(folder: &Path) -> Result<(), StoreError> {
    let is_own = |path: &&PathBuf| path.extension().is_some_and(|ending| ending == "lock" || ending == "part");
    let (below, files): (Vec<_>, Vec<_>) = sorted_entries(folder)?.into_iter().partition(|path| is_folder(path));
    for folder in below {
        sorted_entries(&folder)?.iter().filter(is_own).try_for_each(|path| remove_file(path))?;
        // A folder with other files stays.
        let _ = fs::remove_dir(folder);
    }
    files.iter().filter(is_own).try_for_each(|path| remove_file(path))?;
    let _ = fs::remove_dir(folder);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::files::write_bytes;
    use super::super::manifest::Pending;
    use super::*;

    const TABLE: &str = "binning-n-edges-30/run=r0000.parquet";

    /// A table and its manifest as an earlier version wrote them, and the present name of the stage.
    fn earlier(root: &Path, folder: &str) -> Pending {
        let below = root.join(folder);
        let work = Pending::new(&below, "binning-n-edges-30/r0000", &"settings");
        work.finish(vec![write_bytes(&below, TABLE, b"numbers").unwrap()]).unwrap();
        Lock::named(&below, "binning-n-edges-30").unwrap();
        Pending::new(root, &format!("{folder}/binning-n-edges-30/r0000"), &"settings")
    }

    fn below(folder: &Path) -> Vec<String> {
        let mut names = Vec::new();
        for path in sorted_entries(folder).unwrap() {
            match path.is_dir() {
                true => names.extend(below(&path)),
                false => names.push(path.display().to_string()),
            }
        }
        names
    }

    #[test]
    fn estimates_of_earlier_versions_are_used_and_moved() {
        for folder in Experiment::TABLE_FOLDERS {
            let temporary = tempfile::tempdir().unwrap();
            let root = temporary.path();
            let experiment = Experiment::new(root);
            let work = earlier(root, folder);
            let table = root.join(folder).join(TABLE);
            assert!(work.finished().unwrap().is_some());
            let before = experiment.verified_estimates(&table).unwrap();

            move_earlier_manifests(&experiment).unwrap();
            assert_eq!(below(&root.join(folder)), [table.display().to_string()], "only tables are left");
            assert_eq!(experiment.verified_estimates(&table).unwrap(), before);
            // Byte by byte what this program writes.
            let moved = fs::read(root.join(".meta").join(folder).join("binning-n-edges-30/r0000.json")).unwrap();
            work.finish(work.finished().unwrap().unwrap().files).unwrap();
            assert!(moved == fs::read(root.join(".meta").join(folder).join("binning-n-edges-30/r0000.json")).unwrap());
        }
    }

    #[test]
    fn an_interrupted_move_is_continued() {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path();
        let experiment = Experiment::new(root);
        let work = earlier(root, "estimates");
        // Interrupted after the new manifest was written and before the old one was removed, then called again.
        work.finish(work.existing().unwrap().unwrap().files).unwrap();
        let half_written = root.join("estimates/.meta/tmp/estimates_binning.part");
        fs::create_dir_all(half_written.parent().unwrap()).unwrap();
        fs::write(&half_written, b"{").unwrap();
        for _ in 0..2 {
            assert!(work.finished().unwrap().is_some());
            move_earlier_manifests(&experiment).unwrap();
            assert_eq!(below(&root.join("estimates")).len(), 1);
        }
    }

    #[test]
    fn a_table_that_is_changed_or_gone_is_noticed_before_and_after_the_move() {
        for is_moved in [false, true] {
            let temporary = tempfile::tempdir().unwrap();
            let root = temporary.path();
            let experiment = Experiment::new(root);
            let work = earlier(root, "estimates");
            let second = root.join("estimates/binning-n-edges-30/run=r0001.parquet");
            fs::write(&second, b"of another program").unwrap();
            if is_moved {
                move_earlier_manifests(&experiment).unwrap();
            }
            let table = root.join("estimates").join(TABLE);
            assert_eq!(experiment.estimate_files().unwrap()[0].1, [table.clone(), second]);
            fs::write(&table, b"Numbers").unwrap();
            assert!(experiment.verified_estimates(&table).unwrap_err().to_string().contains("BLAKE3"));
            fs::remove_file(&table).unwrap();
            assert!(experiment.estimate_files().unwrap_err().to_string().contains("missing, although it was made"));
            assert!(work.finished().unwrap().is_none());
        }
    }

    #[test]
    fn a_manifest_that_cannot_be_read_stays_and_is_reported() {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path();
        let work = earlier(root, "estimates");
        let path = root.join("estimates/.meta/binning-n-edges-30/r0000.json");
        for content in ["{", "{ \"schema_version\": 99 }"] {
            fs::write(&path, content).unwrap();
            move_earlier_manifests(&Experiment::new(root)).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
            assert!(work.finished().unwrap_err().to_string().contains("r0000.json"));
        }
    }
}
