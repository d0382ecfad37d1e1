//! Readers that must not bring the program down.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::error::StoreError;

/// Runs `read`; where it panics over what the file says, the file is damaged.
pub(super) fn guarded<T>(path: &Path, read: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        let problem = "it makes the Parquet reader fail".to_owned();
        Err(StoreError::Damaged { path: path.to_owned(), problem })
    })
}
