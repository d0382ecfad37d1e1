//! Files that arrive in pieces: an incomplete file is `<name>.part`, next to its final path, and stays if the process
//! ends, so that a later process can continue it.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::below::expect_no_link;
use super::error::StoreError;
use super::files::{create_folder, io_error, sha256_file, sync_folder};

/// An incomplete file. Two with one name must not be open at the same time; use a [`super::Lock`].
#[derive(Debug)]
pub struct Partial {
    file: File,
    path: PathBuf,
    place: PathBuf,
    bytes: u64,
}

impl Partial {
    /// Continues the incomplete file `name` in `folder`, or starts it.
    ///
    /// # Errors
    /// The folder or the file cannot be written, or is a link: its target could be a file elsewhere.
    pub fn open(folder: &Path, name: &str) -> Result<Self, StoreError> {
        create_folder(folder)?;
        let path = folder.join(format!("{name}.part"));
        expect_no_link(&path)?;
        let opened = OpenOptions::new().append(true).create(true).open(&path);
        let file = opened.map_err(|source| io_error("write", &path, source))?;
        let bytes = file.metadata().map_err(|source| io_error("read", &path, source))?.len();
        Ok(Self { file, path, place: folder.join(name), bytes })
    }

    /// Number of bytes so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// The disk is full.
    pub fn append(&mut self, content: &[u8]) -> Result<(), StoreError> {
        self.file.write_all(content).map_err(|source| io_error("write", &self.path, source))?;
        self.bytes += content.len() as u64;
        Ok(())
    }

    /// Discards all bytes.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn clear(&mut self) -> Result<(), StoreError> {
        self.file.set_len(0).map_err(|source| io_error("write", &self.path, source))?;
        self.bytes = 0;
        Ok(())
    }

    /// SHA-256 hash of the bytes so far, in hexadecimal.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn sha256(&self) -> Result<String, StoreError> {
        sha256_file(&self.path)
    }

    /// Syncs the content and renames the file to its final path.
    ///
    /// # Errors
    /// The disk is full or the folder cannot be written; the incomplete file stays.
    pub fn commit(self) -> Result<(), StoreError> {
        self.file.sync_all().map_err(|source| io_error("write", &self.path, source))?;
        fs::rename(&self.path, &self.place)
            .map_err(|source| io_error("rename a finished file to", &self.place, source))?;
        sync_folder(self.place.parent().unwrap_or(&self.place))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // An empty file is removed. The length on disk decides, because after a failed write the count may differ from
        // it.
        if fs::metadata(&self.path).is_ok_and(|there| there.len() == 0) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SHA-256 of `abc`: FIPS 180-2, appendix B.1.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn an_incomplete_file_is_continued_and_appears_when_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("raw/name");
        let mut part = Partial::open(&root, "file").unwrap();
        part.append(b"wrong").unwrap();
        part.clear().unwrap();
        part.append(b"a").unwrap();
        drop(part);
        assert!(!root.join("file").exists());

        let mut part = Partial::open(&root, "file").unwrap();
        assert_eq!(part.bytes(), 1);
        part.append(b"bc").unwrap();
        assert_eq!((part.bytes(), part.sha256().unwrap().as_str()), (3, ABC));
        part.commit().unwrap();
        assert_eq!(fs::read(root.join("file")).unwrap(), b"abc");
        assert!(!root.join("file.part").exists());
    }

    #[test]
    #[cfg(unix)]
    fn nothing_is_appended_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("victim"), "precious").unwrap();
        std::os::unix::fs::symlink(folder.path().join("victim"), folder.path().join("file.part")).unwrap();
        let problem = Partial::open(folder.path(), "file").unwrap_err().to_string();
        assert!(problem.contains("file.part: a link to "), "{problem}");
        assert_eq!(fs::read(folder.path().join("victim")).unwrap(), b"precious");
    }

    #[test]
    fn an_empty_incomplete_file_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        drop(Partial::open(folder.path(), "file").unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
