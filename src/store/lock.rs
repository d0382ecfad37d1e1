//! One writer at a time in a folder.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use super::error::StoreError;
use super::files::io_error;

/// The right to write below a folder, until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the right to write below `root`.
    ///
    /// # Errors
    /// Another process has it; the folder cannot be created.
    pub fn take(root: &Path) -> Result<Self, StoreError> {
        let folder = root.join(".meta");
        fs::create_dir_all(&folder).map_err(|source| io_error("create the folder", &folder, source))?;
        let path = folder.join("lock");
        let file = File::create(&path).map_err(|source| io_error("create", &path, source))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: root.to_owned() }),
            Err(TryLockError::Error(source)) => Err(io_error("lock", &path, source)),
        }
    }
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
