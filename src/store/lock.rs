//! One writer at a time in a folder.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::below::{expect_no_link, place_below};
use super::error::StoreError;
use super::files::{create_folder, io_error};

/// The right to write in a folder; it ends when it is dropped or when the process ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the right to write in `root`.
    ///
    /// # Errors
    /// Another process has it, or the folder cannot be created.
    pub fn take(root: &Path) -> Result<Self, StoreError> {
        Self::named(root, "writer")
    }

    /// Takes the right to write one named part of `root`; the lock is `<root>/.meta/<name>.lock`.
    ///
    /// # Errors
    /// See [`Lock::take`].
    pub fn named(root: &Path, name: &str) -> Result<Self, StoreError> {
        let (path, file) = open(root, name)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: root.to_owned() }),
            Err(TryLockError::Error(source)) => Err(io_error("lock", &path, source)),
        }
    }

    /// Takes the right as [`Lock::named`] does, but waits while another process has it; for short tasks.
    ///
    /// # Errors
    /// The folder cannot be created.
    pub fn wait(root: &Path, name: &str) -> Result<Self, StoreError> {
        let (path, file) = open(root, name)?;
        file.lock().map_err(|source| io_error("lock", &path, source))?;
        Ok(Self { _file: file })
    }
}

fn open(root: &Path, name: &str) -> Result<(PathBuf, File), StoreError> {
    let path = place_below(root, &format!(".meta/{name}.lock"))?;
    create_folder(path.parent().unwrap_or(root))?;
    let file = match File::create_new(&path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => there(&path)?,
        created => created.map_err(|source| io_error("create", &path, source))?,
    };
    Ok((path, file))
}

/// An existing lock. It is opened only if it is a file, and is never emptied, because it could be a file of the user.
fn there(path: &Path) -> Result<File, StoreError> {
    expect_no_link(path)?;
    let fail = |source| io_error("open the lock", path, source);
    if !fs::symlink_metadata(path).map_err(fail)?.is_file() {
        let problem = "not a file, although it has the path of a lock; remove it".to_owned();
        return Err(StoreError::Rows { path: path.to_owned(), problem });
    }
    OpenOptions::new().append(true).open(path).map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_writer_is_refused_until_the_first_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path()).unwrap();
        assert!(Lock::take(folder.path()).unwrap_err().to_string().contains("another infoplane"));
        drop(first);
        Lock::take(folder.path()).unwrap();
    }
}
