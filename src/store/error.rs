//! Errors of reading and writing files.

use std::path::PathBuf;

use thiserror::Error;

/// Why a file could not be read or written.
#[derive(Debug, Error)]
pub enum StoreError {
    /// An error of the operating system.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A file that is not Parquet, or is damaged.
    #[error("cannot read {}: {problem}; the file is damaged or not Parquet; create it again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Message of the reader.
        problem: String,
    },
    /// Writing Parquet failed.
    #[error("cannot write {}: {problem}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Message of the writer.
        problem: String,
    },
    /// A file with another table.
    #[error("{} contains {got}, expected table `{expected}`", path.display())]
    WrongTable {
        /// The file.
        path: PathBuf,
        /// The expected table.
        expected: &'static str,
        /// What the file contains.
        got: String,
    },
    /// A file that was written by a newer version.
    #[error("{} has schema version {got}, this program reads up to {newest}; use a newer infoplane", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Schema version of the file.
        got: u32,
        /// Schema version of this program.
        newest: u32,
    },
    /// A required column that is missing, of another type, or null although it must not be.
    #[error("{}, column `{column}`: {problem}", path.display())]
    Column {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The problem.
        problem: String,
    },
    /// Rows that contradict the definition of the table.
    #[error("{}: {problem}", path.display())]
    Rows {
        /// The file.
        path: PathBuf,
        /// The problem.
        problem: String,
    },
    /// Another process is writing.
    #[error("another infoplane is writing in {}; wait until it has finished, or write into another folder (`--out`, for commands that have it)", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// A recording or estimates are missing.
    #[error("{}: {problem}", path.display())]
    Missing {
        /// The folder or file.
        path: PathBuf,
        /// What is missing and what to do.
        problem: String,
    },
}
