//! Temporary folders inside folders of the user: removed at the end, or by the next call if the process was killed.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::error::StoreError;
use super::files::{io_error, remove_folder};

const PREFIX: &str = ".infoplane-";

/// A new folder below another. It is locked while its process runs, so that [`sweep`] can distinguish it from the
/// remains of a killed process.
#[derive(Debug)]
pub struct Temporary {
    path: PathBuf,
    /// The opened and locked folder; `None` if the file system has no locks.
    _lock: Option<File>,
}

impl Temporary {
    /// Creates a folder in `parent` with a name that was never used, so that [`sweep`] cannot remove a new folder of
    /// another process.
    ///
    /// # Errors
    /// `parent` cannot be written.
    pub fn create(parent: &Path) -> Result<Self, StoreError> {
        loop {
            let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let path = parent.join(format!("{PREFIX}{}-{}", std::process::id(), since_1970.as_nanos()));
            match fs::create_dir(&path) {
                Ok(()) => {}
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(e) => return Err(io_error("create the folder", &path, e)),
            }
            // Another process may remove the folder before it is locked; then try again.
            match locked(&path) {
                Ok(lock) if path.is_dir() => return Ok(Self { path, _lock: Some(lock) }),
                Err(TryLockError::Error(_)) if path.is_dir() => return Ok(Self { path, _lock: None }),
                _ => {}
            }
        }
    }

    /// Path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // If the folder cannot be removed, the next call removes it.
        let _ = remove_folder(&self.path);
    }
}

fn locked(folder: &Path) -> Result<File, TryLockError> {
    let file = File::open(folder).map_err(TryLockError::Error)?;
    file.try_lock()?;
    Ok(file)
}

/// Removes the temporary folders in `parent` whose processes have ended. A folder that cannot be read or removed stays
/// and does no harm.
pub fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        // The type is that of the entry, so links are not followed.
        let is_ours = is_temporary(&entry.file_name().to_string_lossy()) && entry.file_type().is_ok_and(|t| t.is_dir());
        if !is_ours {
            continue;
        }
        // The lock is kept until the folder is removed.
        if let Ok(_lock) = locked(&entry.path()) {
            let _ = remove_folder(&entry.path());
        }
    }
}

/// Whether a name is that of a temporary folder: `.infoplane-<process>-<time>`.
fn is_temporary(name: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let numbers = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-'));
    numbers.is_some_and(|(process, time)| is_number(process) && is_number(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_temporary_files_of_ended_processes_are_removed() {
        let parent = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join("file"), "kept").unwrap();
        let path = |name: &str| parent.path().join(name);
        let in_use = Temporary::create(parent.path()).unwrap();
        fs::write(in_use.path().join("file"), "half").unwrap();
        for left in [".infoplane-1-0", ".infoplane-12-34"] {
            fs::create_dir_all(path(left).join(".meta/tmp")).unwrap();
            fs::write(path(left).join(".meta/tmp/samples.parquet.part"), "half").unwrap();
        }
        let kept = [".infoplane-1", ".infoplane-1-x", ".infoplane-a-0", "infoplane-1-0"];
        for name in kept {
            fs::create_dir(path(name)).unwrap();
        }
        fs::write(path(".infoplane-3-0"), "a file").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(elsewhere.path(), path(".infoplane-2-0")).unwrap();

        sweep(parent.path());
        assert!(in_use.path().join("file").is_file(), "its process lives");
        assert!(!path(".infoplane-1-0").exists() && !path(".infoplane-12-34").exists());
        assert!(kept.iter().all(|name| path(name).is_dir()) && path(".infoplane-3-0").is_file());
        assert!(elsewhere.path().join("file").is_file(), "links are not followed");

        let was = in_use.path().to_owned();
        drop(in_use);
        assert!(!was.exists());
    }

    #[test]
    fn removing_temporary_files_does_not_disturb_processes_that_begin() {
        let parent = tempfile::tempdir().unwrap();
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| {
                    for _ in 0..100 {
                        sweep(parent.path());
                        let temporary = Temporary::create(parent.path()).unwrap();
                        fs::write(temporary.path().join("file"), "content").unwrap();
                    }
                });
            }
        });
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }
}
