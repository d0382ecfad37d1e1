//! Turns panics of libraries, caused by damaged files or missing threads, into errors.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Once;

use super::error::StoreError;

thread_local! {
    /// Whether a panic of this thread is expected and will be reported as an error.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Calls `read`, which reads the file `path`; a panic in it becomes [`StoreError::Damaged`] and is not printed.
///
/// # Errors
/// The errors of `read`, or a panic in it.
pub(super) fn guarded<T>(path: &Path, read: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    caught(read).unwrap_or_else(|why| {
        Err(StoreError::Damaged { path: path.to_owned(), problem: format!("the reader of the file panicked: {why}") })
    })
}

/// Calls `work` of a library that may panic, and returns the first line of the panic message, which is not printed.
///
/// # Errors
/// A panic in it.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    silence_guarded_panics();
    let before = GUARDED.replace(true);
    // Incomplete values of `work` are dropped here, so no caller can see them.
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(before);
    outcome.map_err(|payload| text(&*payload).to_owned())
}

/// Installs, once, a hook that ignores guarded panics and passes all others to the previous hook.
fn silence_guarded_panics() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                previous(panic);
            }
        }));
    });
}

/// The first line of a panic message.
fn text(payload: &(dyn Any + Send)) -> &str {
    let literal = payload.downcast_ref::<&str>().copied();
    let said = literal.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    said.and_then(|text| text.lines().next()).unwrap_or("no reason given")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_that_names_the_file() {
        let read = || -> Result<(), StoreError> { panic!("index {} is out of bounds", 7) };
        let error = guarded(Path::new("d.parquet"), read).unwrap_err().to_string();
        assert!(
            error.starts_with("cannot read d.parquet: the reader of the file panicked: index 7 is out of bounds;"),
            "{error}"
        );
        assert!(!GUARDED.get(), "the guard outlived its call");
        assert_eq!(guarded(Path::new("d.parquet"), || Ok(3)).unwrap(), 3);
    }
}
