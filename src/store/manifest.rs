//! Manifests: the output of a stage, with its inputs and settings; written last.
//!
//! A stage is up to date if its manifest has the key of the present inputs and settings, and every listed file exists
//! with its size. Manifests have no times and are sorted, so that equal work gives equal bytes.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::below::is_folder_name;
use super::earlier;
use super::error::StoreError;
use super::files::{FileRecord, hash_bytes, hash_file, read_small, sorted_entries, write_bytes};
use super::schema::VERSION;

/// The output of a stage, or of a stage for one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Hash of everything that the content depends on.
    pub key: String,
    /// The settings and inputs behind the key, in readable form.
    pub made_from: serde_json::Value,
    /// Version of the program.
    pub crate_version: String,
    /// Schema version of the tables.
    pub schema_version: u32,
    /// The files, sorted by path.
    pub files: Vec<FileRecord>,
    /// BLAKE3 hash of the manifest with this field empty; absent in version 1.
    #[serde(default)]
    pub blake3: String,
}

/// The parts that manifests of all versions have.
#[derive(Deserialize)]
struct Versioned {
    schema_version: u32,
}

impl Manifest {
    /// The manifest at `path`, if it exists.
    ///
    /// # Errors
    /// The manifest exists but cannot be read, or was changed.
    pub fn read(path: &Path) -> Result<Option<Self>, StoreError> {
        let Some(content) = read_small(path)? else { return Ok(None) };
        let damaged = |problem: String| StoreError::Rows {
            path: path.to_owned(),
            problem: format!("{problem}; remove it to do the work again"),
        };
        // The version is checked first, so that work of a newer program is never repeated, whatever its format.
        match serde_json::from_slice(&content) {
            Ok(Versioned { schema_version: got }) if got > VERSION => {
                return Err(StoreError::Newer { path: path.to_owned(), got, newest: VERSION });
            }
            _ => {}
        }
        let manifest: Self = serde_json::from_slice(&content).map_err(|e| damaged(format!("not a manifest: {e}")))?;
        if manifest.schema_version > 1 && !manifest.is_seal_of(&content) {
            return Err(damaged("its content was changed (BLAKE3 differs)".to_owned()));
        }
        Ok(Some(manifest))
    }

    /// The manifest `name` of `root`, if it exists: `<root>/.meta/<name>.json`, or for estimates the path that earlier
    /// versions used. This version moves manifests before it writes, so a manifest at the present path is the newer
    /// one.
    ///
    /// # Errors
    /// See [`Manifest::read`].
    pub fn named(root: &Path, name: &str) -> Result<Option<Self>, StoreError> {
        match earlier::manifest(root, name)? {
            None => Self::read(&root.join(place(name))),
            found => Ok(found),
        }
    }

    /// Writes the manifest as `<root>/.meta/<name>.json`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn write(self, root: &Path, name: &str) -> Result<Self, StoreError> {
        let manifest = self.sealed();
        write_bytes(root, &place(name), &manifest.to_bytes())?;
        Ok(manifest)
    }

    fn sealed(mut self) -> Self {
        self.blake3.clear();
        self.blake3 = hash_bytes(&self.to_bytes());
        self
    }

    /// Whether `content` has the bytes that were written. The bytes are compared, not only their meaning: a flipped
    /// space is also a damage. (Serialising again could change bytes: a number such as 0.03 of f32 is not always read
    /// as it was written.)
    fn is_seal_of(&self, content: &[u8]) -> bool {
        let end = |hash: &str| format!("\"blake3\": \"{hash}\"\n}}\n");
        let body = content.strip_suffix(end(&self.blake3).as_bytes());
        body.is_some_and(|body| hash_bytes(&[body, end("").as_bytes()].concat()) == self.blake3)
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut content = serde_json::to_vec_pretty(self).expect("a manifest is plain data with text keys");
        content.push(b'\n');
        content
    }
}

/// Path of the manifest `name`.
fn place(name: &str) -> String {
    format!(".meta/{name}.json")
}

/// The manifests directly in `<root>/.meta`.
///
/// # Errors
/// The folder cannot be listed.
pub fn manifests(root: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let is_manifest = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.ends_with(".json") && is_folder_name(name))
    };
    Ok(sorted_entries(&root.join(".meta"))?.into_iter().filter(is_manifest).collect())
}

/// The BLAKE3 hash of the file `relative` below `root`, compared with the one in the manifest
/// `<root>/.meta/<name>.json`. A file without manifest (from another program) is only hashed.
///
/// # Errors
/// The file cannot be read, or was changed.
pub fn verified_hash(root: &Path, name: &str, relative: &str) -> Result<String, StoreError> {
    let path = root.join(relative);
    let hash = hash_file(&path)?;
    let manifest = Manifest::named(root, name)?;
    match manifest.and_then(|manifest| manifest.files.into_iter().find(|file| file.path == relative)) {
        Some(listed) => compare(path, &listed, hash),
        None => Ok(hash),
    }
}

/// Returns the hash as [`verified_hash`] does, but does not read the file if it has the size in its manifest and is not
/// newer than the manifest. This is enough to decide whether work is up to date, not to compute with the content.
///
/// # Errors
/// See [`verified_hash`].
pub fn believed_hash(root: &Path, name: &str, relative: &str) -> Result<String, StoreError> {
    let path = root.join(place(name));
    let listed =
        Manifest::read(&path)?.and_then(|manifest| manifest.files.into_iter().find(|file| file.path == relative));
    let is_untouched = |listed: &FileRecord| {
        let (Ok(file), Ok(manifest)) = (fs::metadata(root.join(relative)), fs::metadata(&path)) else { return false };
        file.len() == listed.bytes
            && file.modified().ok().zip(manifest.modified().ok()).is_some_and(|(file, manifest)| file <= manifest)
    };
    match listed.filter(is_untouched) {
        Some(listed) => Ok(listed.blake3),
        None => verified_hash(root, name, relative),
    }
}

/// The hash of a file, compared with the expected one.
pub(super) fn compare(path: PathBuf, listed: &FileRecord, hash: String) -> Result<String, StoreError> {
    if listed.blake3 == hash {
        return Ok(hash);
    }
    let problem =
        "its content was changed (its BLAKE3 differs from the one in the manifest); remove it and run its stage again";
    Err(StoreError::Rows { path, problem: problem.to_owned() })
}

/// Work that gets a manifest when it is finished.
#[derive(Debug, Clone)]
pub struct Pending {
    root: PathBuf,
    name: String,
    key: String,
    made_from: serde_json::Value,
}

impl Pending {
    /// Work below `root` that depends only on `made_from`; its manifest is `<root>/.meta/<name>.json`.
    pub fn new(root: &Path, name: &str, made_from: &impl Serialize) -> Self {
        let made_from = serde_json::to_value(made_from).expect("settings are plain data with text keys");
        let key = hash_bytes(made_from.to_string().as_bytes());
        Self { root: root.to_owned(), name: name.to_owned(), key, made_from }
    }

    /// The folder with the files of the work.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Hash of the inputs and settings of the work.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The inputs and settings behind the key.
    pub fn made_from(&self) -> &serde_json::Value {
        &self.made_from
    }

    /// The existing manifest, whatever its key.
    ///
    /// # Errors
    /// The manifest exists but cannot be read.
    pub fn existing(&self) -> Result<Option<Manifest>, StoreError> {
        Manifest::named(&self.root, &self.name)
    }

    /// The existing manifest, if it has the key of this work and all of its files exist.
    ///
    /// # Errors
    /// The manifest exists but cannot be read.
    pub fn finished(&self) -> Result<Option<Manifest>, StoreError> {
        let in_place =
            |file: &FileRecord| fs::metadata(self.root.join(&file.path)).is_ok_and(|m| m.len() == file.bytes);
        Ok(self.existing()?.filter(|m| m.key == self.key && m.files.iter().all(in_place)))
    }

    /// Marks the work as finished: `files` are complete.
    ///
    /// # Errors
    /// The manifest cannot be written.
    pub fn finish(&self, mut files: Vec<FileRecord>) -> Result<Manifest, StoreError> {
        files.sort();
        let manifest = Manifest {
            key: self.key.clone(),
            made_from: self.made_from.clone(),
            crate_version: env!("CARGO_PKG_VERSION").to_owned(),
            schema_version: VERSION,
            files,
            blake3: String::new(),
        };
        manifest.write(&self.root, &self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_finished_only_with_the_same_key_and_all_files() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let work = Pending::new(root, "stage", &("settings", 1));
        assert!(work.finished().unwrap().is_none());

        let file = write_bytes(root, "a.txt", b"abc").unwrap();
        work.finish(vec![file]).unwrap();
        assert!(work.finished().unwrap().is_some());
        assert!(Pending::new(root, "stage", &("settings", 2)).finished().unwrap().is_none());

        fs::write(root.join("a.txt"), b"ab").unwrap();
        assert!(work.finished().unwrap().is_none());
        fs::remove_file(root.join("a.txt")).unwrap();
        assert!(work.finished().unwrap().is_none());
    }

    #[test]
    fn a_manifest_holds_whatever_numbers_its_settings_have() {
        let folder = tempfile::tempdir().unwrap();
        let work = |number: f32| Pending::new(folder.path(), "stage", &("learning_rate", number));
        for number in (1..2000).map(|i| i as f32 / 1000.0).chain([0.03, 4e-4, 1e-7, 3e38, f32::MIN_POSITIVE]) {
            work(number).finish(Vec::new()).unwrap();
            assert!(work(number).finished().unwrap().is_some(), "{number}");
        }
    }

    #[test]
    fn a_manifest_with_any_other_byte_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let work = Pending::new(root, "stage", &("settings", 1));
        work.finish(vec![write_bytes(root, "a.txt", b"abc").unwrap()]).unwrap();
        let path = root.join(".meta/stage.json");
        let content = fs::read(&path).unwrap();
        for at in 0..content.len() {
            for flip in [1, 0x20, 0x80] {
                let mut flipped = content.clone();
                flipped[at] ^= flip;
                fs::write(&path, &flipped).unwrap();
                assert!(work.finished().is_err(), "byte {at} ^ {flip} went unnoticed");
            }
            fs::write(&path, &content[..at]).unwrap();
            assert!(work.finished().is_err(), "truncated to {at} bytes and taken");
        }
    }
}
