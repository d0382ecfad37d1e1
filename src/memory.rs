//! How much memory the content of one file may take: a file of some kilobytes can claim to hold terabytes.

use std::sync::atomic::{AtomicU64, Ordering};

/// What is allowed where nobody says otherwise, in bytes.
pub const DEFAULT_BYTES: u64 = 4_000_000_000;

static MOST_BYTES: AtomicU64 = AtomicU64::new(DEFAULT_BYTES);

/// Allows so many `bytes` from now on, in this process.
pub fn allow(bytes: u64) {
    MOST_BYTES.store(bytes, Ordering::Relaxed);
}

/// How many bytes are allowed.
pub fn most_bytes() -> u64 {
    MOST_BYTES.load(Ordering::Relaxed)
}

/// Asks for `bytes` before anything is read into them.
///
/// # Errors
/// More than is allowed, or than the operating system gives: what the content takes, and what to do.
pub fn ask(bytes: u64) -> Result<(), String> {
    let gigabytes = |bytes: u64| format!("{:.1} GB", bytes as f64 / 1e9);
    let (wanted, most) = (gigabytes(bytes), most_bytes());
    if bytes > most {
        let allowed = gigabytes(most);
        return Err(format!(
            "its content takes {wanted} of memory, and {allowed} are allowed; if the file is what you expect, allow more with `--max-memory`"
        ));
    }
    let is_given = usize::try_from(bytes).is_ok_and(|bytes| Vec::<u8>::new().try_reserve_exact(bytes).is_ok());
    match is_given {
        true => Ok(()),
        false => Err(format!("its content takes {wanted} of memory, which the operating system does not give")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_is_allowed_is_refused_with_the_way_out() {
        assert_eq!(ask(0), Ok(()));
        assert_eq!(ask(1 << 20), Ok(()));
        let problem = ask(DEFAULT_BYTES * 3).unwrap_err();
        let expected = "its content takes 12.0 GB of memory, and 4.0 GB are allowed; if the file is what you expect, allow more with `--max-memory`";
        assert_eq!(problem, expected);
    }
}
