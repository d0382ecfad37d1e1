//! What can go wrong with a file, told to the person who runs the pipeline.

use std::path::PathBuf;

use thiserror::Error;

/// Why a file could not be read or written.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The operating system said no.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// The answer.
        source: std::io::Error,
    },
    /// Not a Parquet file, or a damaged one.
    #[error("cannot read {}: {problem}; the file is damaged or not Parquet, make it again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        problem: String,
    },
    /// Writing Parquet failed.
    #[error("cannot write {}: {problem}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the writer said.
        problem: String,
    },
    /// A file of another kind.
    #[error("{} holds {got}, expected table `{expected}`", path.display())]
    WrongTable {
        /// The file.
        path: PathBuf,
        /// The table that was asked for.
        expected: &'static str,
        /// What is there.
        got: String,
    },
    /// Written by a newer program.
    #[error("{} has schema version {got}, this program reads up to {newest}; use a newer infoplane", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        got: u32,
        /// Ours.
        newest: u32,
    },
    /// A column that the schema asks for is missing, of another type, or null where it must not be.
    #[error("{}, column `{column}`: {problem}", path.display())]
    Column {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// What is wrong.
        problem: String,
    },
    /// Rows that cannot be what the table promises.
    #[error("{}: {problem}", path.display())]
    Rows {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// Another process is at work.
    #[error("another infoplane is writing in {}; wait until it is done, or write into another folder (`--out`, for commands that have it)", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// Nothing where a recording or estimates should be.
    #[error("{}: {problem}", path.display())]
    Missing {
        /// The folder or file.
        path: PathBuf,
        /// What is missing and what to do.
        problem: String,
    },
}
