//! Limits the memory for the content of one file, before the memory is used: a file of a few kilobytes can claim to
//! contain terabytes.

use std::fs;
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};

use thiserror::Error;

/// Default limit, in bytes.
pub const DEFAULT_BYTES: u64 = 4_000_000_000;

static MOST_BYTES: AtomicU64 = AtomicU64::new(DEFAULT_BYTES);

/// Sets the limit of this process to `bytes`.
pub fn allow(bytes: u64) {
    MOST_BYTES.store(bytes, Ordering::Relaxed);
}

/// The limit, in bytes.
pub fn most_bytes() -> u64 {
    MOST_BYTES.load(Ordering::Relaxed)
}

/// Checks that `bytes` can be read into memory.
///
/// # Errors
/// More than the limit, or more than the operating system provides; the error has the size and what to do.
pub fn ask(bytes: u64) -> Result<(), String> {
    // Every snapshot calls this; for a few megabytes, looking up the free memory would take longer than reading them.
    const SMALL: u64 = 16_000_000;
    let room = if bytes < SMALL { Room::of_bytes(most_bytes()) } else { Room::of_file() };
    room.has(u128::from(bytes), "its content")?;
    let is_given = usize::try_from(bytes).is_ok_and(|bytes| Vec::<u8>::new().try_reserve_exact(bytes).is_ok());
    match is_given {
        true => Ok(()),
        false => {
            let wanted = size_in_words(u128::from(bytes));
            Err(format!("its content needs {wanted} of memory, which the operating system does not provide"))
        }
    }
}

/// An empty list with capacity for `n` values, so that it does not grow: a list that cannot grow ends the process.
///
/// # Errors
/// The operating system does not provide this much; `what` names the values in the error.
pub fn reserved<T>(n: usize, what: &str) -> Result<Vec<T>, String> {
    let mut values = Vec::new();
    let bytes = (n as u128).saturating_mul(size_of::<T>() as u128);
    let refused = |_| {
        let wanted = size_in_words(bytes);
        format!("{n} {what} need {wanted} of memory, which the operating system does not provide")
    };
    values.try_reserve_exact(n).map_err(refused)?;
    Ok(values)
}

/// Memory for the content of one file.
#[derive(Debug)]
pub struct Room {
    most: u64,
    left: u64,
}

/// Why the content of a file could not be read.
#[derive(Debug, Error)]
pub enum Unread {
    /// There is not enough memory.
    #[error("{0}")]
    TooMuch(String),
    /// Reading failed.
    #[error("{problem}, after {n_before} bytes of content")]
    Damaged {
        /// Number of bytes that were read before.
        n_before: usize,
        /// Message of the reader.
        problem: String,
    },
}

impl Room {
    /// The smaller of the limit and the free memory.
    pub fn of_file() -> Self {
        let most = most_bytes();
        Self::of_bytes([Some(most), available(), address_space()].into_iter().flatten().min().unwrap_or(most))
    }

    /// A limit of this many bytes.
    pub fn of_bytes(most: u64) -> Self {
        Self { most, left: most }
    }

    /// Reserves memory for `what`; nothing is reserved if this fails.
    ///
    /// # Errors
    /// There is not enough memory.
    pub fn take(&mut self, bytes: u128, what: &str) -> Result<(), String> {
        self.has(bytes, what)?;
        self.left -= bytes as u64;
        Ok(())
    }

    /// Checks whether there is enough memory for `what`.
    ///
    /// # Errors
    /// There is not enough memory.
    pub fn has(&self, bytes: u128, what: &str) -> Result<(), String> {
        match bytes <= u128::from(self.left) {
            true => Ok(()),
            false => Err(self.refusal(&format!("{what} needs {} of memory", size_in_words(bytes)))),
        }
    }

    /// Reserves memory for numbers: for those that are read and for the table made of them.
    ///
    /// # Errors
    /// There is not enough memory.
    pub fn take_numbers(&mut self, n: u128, what: &str) -> Result<(), String> {
        const BYTES: u128 = (size_of::<f64>() + size_of::<f32>()) as u128;
        self.take(n.saturating_mul(BYTES), what)
    }

    /// Everything that `reader` returns.
    ///
    /// # Errors
    /// There is not enough memory, or reading failed.
    pub fn read(&mut self, mut reader: impl Read, what: &str) -> Result<Vec<u8>, Unread> {
        let (mut content, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
        loop {
            let n = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(Unread::Damaged { n_before: content.len(), problem: e.to_string() }),
            };
            let is_too_much = (content.len() + n) as u64 > self.left || content.try_reserve(n).is_err();
            if is_too_much {
                let read = size_in_words(content.len() as u128);
                return Err(Unread::TooMuch(self.refusal(&format!("{what} needs more than {read} of memory"))));
            }
            content.extend_from_slice(&buffer[..n]);
        }
        self.left -= content.len() as u64;
        Ok(content)
    }

    fn refusal(&self, needed: &str) -> String {
        let most = size_in_words(u128::from(self.most));
        let left = size_in_words(u128::from(self.left));
        let left = if left == most { String::new() } else { format!(", of which {left} are free") };
        // If less than the limit is left, the machine is the limit.
        let (limit, remedy) = match self.most < most_bytes() {
            true => ("this machine has", "use one with more memory"),
            false => ("the limit is", "if the file is what you expect, raise it with `--max-memory`"),
        };
        format!("{needed}; {limit} {most}{left}; {remedy}")
    }
}

fn size_in_words(bytes: u128) -> String {
    let units = [("GB", 1_000_000_000_u128), ("MB", 1_000_000), ("kB", 1_000)];
    match units.iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => format!("{:.1} {name}", bytes as f64 / *unit as f64),
        None => format!("{bytes} bytes"),
    }
}

/// The free memory of the machine; `None` if unknown.
fn available() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1 << 10)
}

/// Half of the address space of this process, if it is limited; the other half is for everything except file contents.
fn address_space() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/limits").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|bytes| bytes / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_the_limit_is_refused_before_it_is_there() {
        let mut room = Room::of_bytes(100_000);
        room.take(40_000, "the header").unwrap();
        let refused = room.take(1 << 40, "`x`").unwrap_err();
        assert_eq!(
            refused,
            "`x` needs 1099.5 GB of memory; this machine has 100.0 kB, of which 60.0 kB are free; use one with more memory"
        );
        assert!(room.take_numbers(u128::MAX, "`x`").is_err());
        // A refused request reserves nothing.
        room.take_numbers(5_000, "`y`").unwrap();
        assert!(room.take(1, "`z`").is_err());
    }

    #[test]
    fn a_stream_without_end_is_refused() {
        let refused = Room::of_bytes(1_000_000).read(std::io::repeat(0), "its content").unwrap_err().to_string();
        assert!(refused.starts_with("its content needs more than "), "{refused}");
        assert_eq!(Room::of_bytes(3).read([1_u8, 2, 3].as_slice(), "its content").unwrap(), [1, 2, 3]);
    }

    #[test]
    fn more_than_is_allowed_is_refused_with_the_way_out() {
        assert_eq!(ask(0), Ok(()));
        assert_eq!(ask(1 << 20), Ok(()));
        let problem = Room::of_bytes(DEFAULT_BYTES).has(12_000_000_000, "its content").unwrap_err();
        let expected = "its content needs 12.0 GB of memory; the limit is 4.0 GB; if the file is what you expect, raise it with `--max-memory`";
        assert_eq!(problem, expected);
        assert!(
            reserved::<u64>(usize::MAX / 16, "numbers")
                .unwrap_err()
                .contains("which the operating system does not provide")
        );
    }
}
