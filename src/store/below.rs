//! Paths below a folder: they must not lead out of the folder, neither by their names nor through links.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::error::StoreError;

/// Longest path in bytes; Linux does not open longer ones.
const MOST_PATH_BYTES: usize = 4096;

/// A path that a file contains; it is relative to the folder of this file and must not leave the folder.
pub(super) fn relative<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let path = String::deserialize(from)?;
    match is_relative(&path) {
        true => Ok(path),
        false => Err(D::Error::custom(format!(
            "it names the file `{path}`, but only files below its own folder are allowed"
        ))),
    }
}

/// Whether `path` consists of names separated by `/`, so that it cannot lead out of a folder.
fn is_relative(path: &str) -> bool {
    path.len() <= MOST_PATH_BYTES && path.split('/').all(is_folder_name)
}

/// Whether `name` is a single part of a path on every operating system, so that it cannot lead out of a folder.
pub fn is_folder_name(name: &str) -> bool {
    let has_drive = matches!(name.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    !["", ".", ".."].contains(&name) && !name.contains(['/', '\\', '\0']) && !has_drive
}

/// The path of `relative` below `root`, for a file that this program is about to write or remove.
///
/// # Errors
/// The path leads out of `root`: by its name, or because a folder below `root` is a link (`root` itself may be a
/// link).
pub(super) fn place_below(root: &Path, relative: &str) -> Result<PathBuf, StoreError> {
    let path = root.join(relative);
    if !is_relative(relative) {
        let problem = "its name leads out of the folder; nothing is written or removed there".to_owned();
        return Err(StoreError::Rows { path, problem });
    }
    let mut folder = root.to_owned();
    let mut names = relative.split('/').peekable();
    while let Some(name) = names.next().filter(|_| names.peek().is_some()) {
        folder.push(name);
        expect_no_link(&folder)?;
    }
    Ok(path)
}

/// Checks that `path` is not a link.
///
/// # Errors
/// The path is a link.
pub fn expect_no_link(path: &Path) -> Result<(), StoreError> {
    if !path.is_symlink() {
        return Ok(());
    }
    let target = fs::read_link(path).map_or_else(|_| "another place".to_owned(), |to| to.display().to_string());
    let problem =
        format!("a link to {target}; links to folders are not followed here: replace it with the folder itself");
    Err(StoreError::Rows { path: path.to_owned(), problem })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_below_a_folder_are_relative() {
        for path in ["a", "a.txt", "a/b", "activations/layer=1/run=r0000/part-00000.parquet", "..a/b..", "ab:c", "=x"] {
            assert!(is_relative(path), "{path}");
        }
        let long = "a/".repeat(MOST_PATH_BYTES) + "a";
        let outside = [
            "", "/", "/a", "a/", "a//b", ".", "./a", "..", "../a", "a/..", "a/../b", "a/./b", "\\a", "a\\..\\b", "C:",
            "c:/a", "a/C:b", "a\0b", &long,
        ];
        for path in outside {
            assert!(!is_relative(path), "{path}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn paths_through_links_are_refused_except_the_root() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir_all(root.join("a")).unwrap();
        std::os::unix::fs::symlink(folder.path(), root.join("a/link")).unwrap();
        std::os::unix::fs::symlink(&root, folder.path().join("scratch")).unwrap();
        for place in ["a/b", "a/link", "a/b/c"] {
            assert_eq!(place_below(&root, place).unwrap(), root.join(place));
        }
        assert!(place_below(&folder.path().join("scratch"), "a/b").is_ok());
        let problem = place_below(&root, "a/link/b").unwrap_err().to_string();
        assert!(problem.contains("root/a/link: a link to ") && problem.contains("not followed"), "{problem}");
        assert!(place_below(&root, "../b").unwrap_err().to_string().contains("leads out of the folder"));
    }
}
