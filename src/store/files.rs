//! Atomic files: written under a temporary name, synced, hashed and renamed, so that a file is complete or absent.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::below::{self, place_below};
use super::error::StoreError;

/// A finished file, as listed in manifests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileRecord {
    /// Path relative to the folder of the manifest, with `/`; it does not lead out of this folder.
    #[serde(deserialize_with = "below::relative")]
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Number of rows, if it is a table.
    pub rows: u64,
    /// BLAKE3 hash of the content.
    pub blake3: String,
}

/// An unfinished file. [`Draft::commit`] gives the file its name; without it, dropping the draft removes the file.
///
/// Temporary files are in `<root>/.meta/tmp`, outside the data folders, and do not end in `.parquet`: an incomplete
/// file in a data folder breaks the globs of polars and DuckDB.
#[derive(Debug)]
pub(super) struct Draft {
    file: File,
    hasher: blake3::Hasher,
    bytes: u64,
    temporary: PathBuf,
    root: PathBuf,
    relative: String,
    committed: bool,
}

impl Draft {
    /// Starts the file `relative` (with `/`) below `root` and creates the folders it needs.
    ///
    /// # Errors
    /// A folder or the temporary file cannot be created, or its path leads out of `root`.
    pub(super) fn create(root: &Path, relative: &str) -> Result<Self, StoreError> {
        place_below(root, relative)?;
        let temporary = place_below(root, &format!(".meta/tmp/{}.part", relative.replace('/', "_")))?;
        let folder = root.join(".meta").join("tmp");
        let file = create_in(&folder, &temporary)?;
        Ok(Self {
            file,
            hasher: blake3::Hasher::new(),
            bytes: 0,
            temporary,
            root: root.to_owned(),
            relative: relative.to_owned(),
            committed: false,
        })
    }

    /// Hashes the temporary file, which another program has written.
    fn take_in(&mut self) -> Result<(), StoreError> {
        let fail = |source| io_error("read", &self.temporary, source);
        self.hasher.update_reader(File::open(&self.temporary).map_err(fail)?).map_err(fail)?;
        self.bytes = self.hasher.count();
        Ok(())
    }

    /// The final path of the file.
    pub(super) fn path(&self) -> PathBuf {
        self.root.join(&self.relative)
    }

    /// Syncs the content and renames the file, replacing an existing one.
    ///
    /// # Errors
    /// The disk is full or the folder is not writable; an existing file stays.
    pub(super) fn commit(mut self, rows: u64) -> Result<FileRecord, StoreError> {
        let path = self.path();
        self.file.sync_all().map_err(|source| io_error("write", &self.temporary, source))?;
        let folder = path.parent().unwrap_or(&self.root);
        create_folder(folder)?;
        fs::rename(&self.temporary, &path).map_err(|source| io_error("rename a finished file to", &path, source))?;
        self.committed = true;
        sync_folder(folder)?;
        let blake3 = self.hasher.finalize().to_hex().to_string();
        Ok(FileRecord { path: self.relative.clone(), bytes: self.bytes, rows, blake3 })
    }
}

impl Write for Draft {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        let written = self.file.write(content)?;
        self.hasher.update(&content[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.committed {
            // Nothing refers to the temporary file; if it cannot be removed, the next attempt overwrites it.
            let _ = fs::remove_file(&self.temporary);
        }
        // Remove the folders that are empty; a folder that another draft uses is not empty and stays.
        let _ = self.temporary.parent().map(fs::remove_dir);
    }
}

/// Creates a file in a folder; another draft may remove the folder as empty between the two calls.
fn create_in(folder: &Path, path: &Path) -> Result<File, StoreError> {
    const ATTEMPTS: usize = 100;
    for _ in 1..ATTEMPTS {
        create_folder(folder)?;
        match create_anew(path) {
            Err(source) if source.kind() == io::ErrorKind::NotFound => {}
            created => return created.map_err(|source| io_error("create", path, source)),
        }
    }
    create_anew(path).map_err(|source| io_error("create", path, source))
}

/// Creates a file, replacing one from an interrupted call. The old file is removed and never opened, because it could
/// be a link to a file elsewhere.
fn create_anew(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(source),
        _ => File::create_new(path),
    }
}

/// Hashes a file as [`hash_file`] does, but reads it only once per process while its size and times do not change.
pub(super) fn hash_once(path: &Path) -> Result<String, StoreError> {
    static HASHES: Mutex<BTreeMap<(PathBuf, FileState), String>> = Mutex::new(BTreeMap::new());
    let key = (path.to_owned(), FileState::of(path)?);
    let hashes = || HASHES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(hash) = hashes().get(&key) {
        return Ok(hash.clone());
    }
    let hash = hash_file(path)?;
    hashes().insert(key, hash.clone());
    Ok(hash)
}

/// Properties that change when a file is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct FileState {
    bytes: u64,
    modified: Option<SystemTime>,
    /// Time of change in seconds and nanoseconds, and inode; 0 if the system does not provide them.
    changed: [i64; 2],
    inode: u64,
}

impl FileState {
    fn of(path: &Path) -> Result<Self, StoreError> {
        let file = fs::metadata(path).map_err(|source| io_error("read", path, source))?;
        #[cfg(unix)]
        let (changed, inode) = {
            use std::os::unix::fs::MetadataExt;
            ([file.ctime(), file.ctime_nsec()], file.ino())
        };
        #[cfg(not(unix))]
        let (changed, inode) = ([0, 0], 0);
        Ok(Self { bytes: file.len(), modified: file.modified().ok(), changed, inode })
    }
}

/// Writes a small file.
///
/// # Errors
/// The file cannot be created, written or renamed into place.
pub fn write_bytes(root: &Path, relative: &str, content: &[u8]) -> Result<FileRecord, StoreError> {
    let mut draft = Draft::create(root, relative)?;
    draft.write_all(content).map_err(|source| io_error("write", &draft.path(), source))?;
    draft.commit(0)
}

/// Writes a file with another program: `write` gets the path of the temporary file.
///
/// # Errors
/// `write` fails, or writing fails as in [`write_bytes`].
pub fn write_by<E: From<StoreError>>(
    root: &Path,
    relative: &str,
    write: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<FileRecord, E> {
    let mut draft = Draft::create(root, relative)?;
    write(&draft.temporary)?;
    draft.take_in()?;
    Ok(draft.commit(0)?)
}

/// Moves a folder below `root`, if it exists, to another path below `root`.
///
/// # Errors
/// The folder cannot be moved, or one of the paths is behind a link.
pub fn move_folder(root: &Path, from: &str, to: &str) -> Result<(), StoreError> {
    let (from, to) = (place_below(root, from)?, place_below(root, to)?);
    if !from.exists() {
        return Ok(());
    }
    let (from, to) = (from.as_path(), to.as_path());
    let (old_parent, parent) = (from.parent().unwrap_or(from), to.parent().unwrap_or(to));
    create_folder(parent)?;
    fs::rename(from, to).map_err(|source| io_error("move the folder", from, source))?;
    sync_folder(old_parent)?;
    sync_folder(parent)
}

/// Removes a folder with its content, if it exists.
///
/// # Errors
/// A part of the content cannot be removed.
pub fn remove_folder(folder: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(folder) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(io_error("remove the folder", folder, source)),
        _ => Ok(()),
    }
}

/// Removes the file, the folder with its content, or the link `relative` below `root`, if it exists.
///
/// # Errors
/// The file cannot be removed, or is behind a link.
pub fn remove_below(root: &Path, relative: &str) -> Result<(), StoreError> {
    let path = place_below(root, relative)?;
    if path.is_dir() && !path.is_symlink() { remove_folder(&path) } else { remove_file(&path) }
}

/// Removes a file, if it exists.
///
/// # Errors
/// The file cannot be removed.
pub(super) fn remove_file(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(io_error("remove", path, source)),
        _ => Ok(()),
    }
}

/// BLAKE3 hash of some bytes, in hexadecimal.
pub fn hash_bytes(content: &[u8]) -> String {
    blake3::hash(content).to_hex().to_string()
}

/// BLAKE3 hash of a file, in hexadecimal.
///
/// # Errors
/// The file cannot be read.
pub fn hash_file(path: &Path) -> Result<String, StoreError> {
    let mut file = open_file(path)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(&mut file).map_err(|source| io_error("read", path, source))?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// SHA-256 hash of a file, in hexadecimal, which publishers of data use.
///
/// # Errors
/// The file cannot be read.
pub fn sha256_file(path: &Path) -> Result<String, StoreError> {
    let mut file = open_file(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).map_err(|source| io_error("read", path, source))? {
            0 => return Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            n => hasher.update(&buffer[..n]),
        }
    }
}

/// The content of a file, at most the size that it has when it is opened.
///
/// # Errors
/// The path is not a file, or cannot be read.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, StoreError> {
    let fail = |source| io_error("read", path, source);
    let file = open_file(path)?;
    let n_bytes = file.metadata().map_err(fail)?.len();
    let mut content = Vec::new();
    file.take(n_bytes).read_to_end(&mut content).map_err(fail)?;
    Ok(content)
}

/// The text of a file written by people.
///
/// # Errors
/// The path is not a file, is not UTF-8, has more than `most_bytes`, or cannot be read.
pub fn read_text(path: &Path, most_bytes: u64) -> io::Result<String> {
    let properties = fs::metadata(path)?;
    if !properties.is_file() {
        return Err(io::Error::other("not a file; name a file"));
    }
    if properties.len() > most_bytes {
        return Err(io::Error::other(format!("it has {} bytes, at most {most_bytes} are allowed", properties.len())));
    }
    let mut text = String::new();
    File::open(path)?.take(most_bytes).read_to_string(&mut text)?;
    Ok(text)
}

/// Opens a file for reading. Other objects (a pipe, a device) are refused, because reading them may never end.
pub(super) fn open_file(path: &Path) -> Result<File, StoreError> {
    let fail = |source| io_error("read", path, source);
    if fs::metadata(path).map_err(fail)?.is_file() {
        return File::open(path).map_err(fail);
    }
    Err(StoreError::Rows { path: path.to_owned(), problem: "not a file; name a file".to_owned() })
}

/// Largest size of a file in `.meta`: a list of a million files has 200 MB.
const MOST_SMALL_BYTES: u64 = 1 << 28;

/// The content of a file in `.meta`, if it exists.
///
/// # Errors
/// The file cannot be read, or is larger than any file in `.meta` that this program writes.
pub(super) fn read_small(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    let is_missing = |kind| matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    let file = match open_file(path) {
        Err(StoreError::Io { source, .. }) if is_missing(source.kind()) => return Ok(None),
        opened => opened?,
    };
    let mut content = Vec::new();
    file.take(MOST_SMALL_BYTES + 1).read_to_end(&mut content).map_err(|source| io_error("read", path, source))?;
    if content.len() as u64 > MOST_SMALL_BYTES {
        let problem = format!("larger than {MOST_SMALL_BYTES} bytes, so it was not written by this program; remove it");
        return Err(StoreError::Rows { path: path.to_owned(), problem });
    }
    Ok(Some(content))
}

/// The entries of a folder, sorted by name; none if the folder is missing.
///
/// # Errors
/// The folder cannot be read.
pub(super) fn sorted_entries(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let fail = |source| io_error("list", folder, source);
    let entries = fs::read_dir(folder).map_err(fail)?;
    let mut paths = entries.map(|entry| entry.map(|e| e.path())).collect::<Result<Vec<_>, _>>().map_err(fail)?;
    paths.sort();
    Ok(paths)
}

pub(super) fn io_error(action: &'static str, path: &Path, source: io::Error) -> StoreError {
    StoreError::Io { action, path: path.to_owned(), source }
}

/// Creates a folder and its parents, and syncs their entries.
pub(super) fn create_folder(folder: &Path) -> Result<(), StoreError> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().unwrap_or(folder);
    create_folder(parent)?;
    match fs::create_dir(folder) {
        // Another thread, or a draft that removes its empty folder, may have been faster.
        Err(source) if ![io::ErrorKind::AlreadyExists, io::ErrorKind::NotFound].contains(&source.kind()) => {
            Err(io_error("create the folder", folder, source))
        }
        _ => sync_folder(parent),
    }
}

/// Makes a rename durable by syncing the folder that contains the entry.
pub(super) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let sync = || File::open(folder)?.sync_all();
    sync().map_err(|source| io_error("sync the folder", folder, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_file_becomes_a_complete_file_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        write_bytes(root, "a/b.txt", b"old").unwrap();

        let mut dropped = Draft::create(root, "a/b.txt").unwrap();
        dropped.write_all(b"half of the n").unwrap();
        drop(dropped);
        assert_eq!(fs::read(root.join("a/b.txt")).unwrap(), b"old");

        let record = write_bytes(root, "a/b.txt", b"new").unwrap();
        assert_eq!(fs::read(root.join("a/b.txt")).unwrap(), b"new");
        assert_eq!((record.bytes, record.blake3.as_str()), (3, hash_bytes(b"new").as_str()));
        assert_eq!(hash_file(&root.join("a/b.txt")).unwrap(), record.blake3);
        assert!(!root.join(".meta/tmp").exists(), "no temporary files are left");
    }

    #[test]
    fn a_file_written_by_another_library_appears_complete_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let fail = |path: &Path| {
            fs::write(path, b"half of the").unwrap();
            Err(io_error("write", path, io::ErrorKind::StorageFull.into()))
        };
        assert!(write_by(root, "a/b.bin", fail).is_err());
        assert!(!root.join("a/b.bin").exists() && !root.join(".meta/tmp").exists());
        let succeed = |path: &Path| {
            assert!(path.starts_with(root.join(".meta/tmp")));
            fs::write(path, b"content").map_err(|source| io_error("write", path, source))
        };
        let record = write_by(root, "a/b.bin", succeed).unwrap();
        assert_eq!(fs::read(root.join("a/b.bin")).unwrap(), b"content");
        assert_eq!((record.bytes, record.blake3.as_str()), (7, hash_bytes(b"content").as_str()));
        assert!(!root.join(".meta/tmp").exists(), "no temporary files are left");
    }

    #[test]
    fn drafts_of_many_threads_do_not_disturb_each_other() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|threads| {
            for thread in 0..8 {
                let root = folder.path();
                threads.spawn(move || {
                    for file in 0..50 {
                        write_bytes(root, &format!("{thread}/{file}"), b"content").unwrap();
                    }
                });
            }
        });
    }
}
