//! How much memory the content of a file may take, which is asked for before it is used.

use std::fs;
use std::io::Read;

use thiserror::Error;

/// Memory for the content of one file.
#[derive(Debug)]
pub struct Room {
    most: u64,
    left: u64,
    /// What to do where it is not enough.
    remedy: &'static str,
}

/// Why a content could not be read.
#[derive(Debug, Error)]
pub enum Unread {
    /// There is no room for it.
    #[error("{0}")]
    TooMuch(String),
    /// Its reader failed.
    #[error("{problem}, after {n_before} bytes of content")]
    Damaged {
        /// What was read before.
        n_before: usize,
        /// What the reader said.
        problem: String,
    },
}

/// The memory that files may take where nothing else is said: 8 GiB.
pub const DEFAULT_ROOM: u64 = 8 << 30;

/// Units of sizes in words, the longest endings first.
const UNITS: &[(&str, u64)] = &[
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("b", 1),
    ("", 1),
];

impl Room {
    /// At most so many bytes, and no more than the machine has left.
    pub fn new(most: u64, remedy: &'static str) -> Self {
        let most = [Some(most), available(), address_space()].into_iter().flatten().min().unwrap_or(most);
        Self { most, left: most, remedy }
    }

    /// Takes memory for `what`; a part of the file that is refused takes nothing.
    ///
    /// # Errors
    /// There is not as much.
    pub fn take(&mut self, bytes: u128, what: &str) -> Result<(), String> {
        self.has(bytes, what)?;
        self.left -= bytes as u64;
        Ok(())
    }

    /// Asks whether there is memory for `what`.
    ///
    /// # Errors
    /// There is not as much.
    pub fn has(&self, bytes: u128, what: &str) -> Result<(), String> {
        match bytes <= u128::from(self.left) {
            true => Ok(()),
            false => Err(self.refusal(&format!("{what} needs {} of memory", size_in_words(bytes)))),
        }
    }

    /// Takes memory for numbers: those that are read and those that become the table.
    ///
    /// # Errors
    /// There is not as much.
    pub fn take_numbers(&mut self, n: u128, what: &str) -> Result<(), String> {
        const BYTES: u128 = (size_of::<f64>() + size_of::<f32>()) as u128;
        self.take(n.saturating_mul(BYTES), what)
    }

    /// All of what `reader` gives.
    ///
    /// # Errors
    /// It is more than there is memory for; reading failed.
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
        let (most, remedy) = (size_in_words(u128::from(self.most)), self.remedy);
        let left = size_in_words(u128::from(self.left));
        let left = if left == most { String::new() } else { format!(", of which {left} are left") };
        format!("{needed}; the limit is {most}{left}; {remedy}")
    }
}

/// A size that a user wrote, such as `16GiB`, `500MB` or `1000000`, in bytes.
///
/// # Errors
/// It is no size.
pub fn bytes_of(text: &str) -> Result<u64, String> {
    let lower = text.trim().to_ascii_lowercase();
    let (number, unit) = UNITS
        .iter()
        .find_map(|(unit, bytes)| Some((lower.strip_suffix(unit)?.trim_end(), *bytes)))
        .expect("every text ends with nothing");
    let number: Option<f64> = number.parse().ok().filter(|number: &f64| *number > 0.0 && number.is_finite());
    let bytes = number.map(|number| number * unit as f64).filter(|bytes| (1.0..9e18).contains(bytes));
    bytes.map(|bytes| bytes as u64).ok_or_else(|| format!("`{text}` is no size; write for example 16GiB or 500MB"))
}

fn size_in_words(bytes: u128) -> String {
    let units = [("GiB", 1_u128 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match units.iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => format!("{:.1} {name}", bytes as f64 / *unit as f64),
        None => format!("{bytes} bytes"),
    }
}

/// The memory that the machine has left, where it says so.
fn available() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1 << 10)
}

/// Half of what this process may address, where somebody has limited it: not everything in it is content of the file.
fn address_space() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/limits").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|bytes| bytes / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(most: u64) -> Room {
        Room { most, left: most, remedy: "use less" }
    }

    #[test]
    fn more_than_the_limit_is_refused_before_it_is_there() {
        let mut room = room(100_000);
        room.take(40_000, "the header").unwrap();
        let refused = room.take(1 << 40, "`x`").unwrap_err();
        assert_eq!(
            refused,
            "`x` needs 1024.0 GiB of memory; the limit is 97.7 KiB, of which 58.6 KiB are left; use less"
        );
        assert!(room.take_numbers(u128::MAX, "`x`").is_err());
        // What was refused took nothing.
        room.take_numbers(5_000, "`y`").unwrap();
        assert!(room.take(1, "`z`").is_err());
    }

    #[test]
    fn a_stream_without_end_is_refused() {
        let refused = room(1 << 20).read(std::io::repeat(0), "its content").unwrap_err().to_string();
        assert!(
            refused.starts_with("its content needs more than 1.0 MiB of memory; the limit is 1.0 MiB"),
            "{refused}"
        );
        assert_eq!(room(3).read([1_u8, 2, 3].as_slice(), "its content").unwrap(), [1, 2, 3]);
    }

    #[test]
    fn sizes_are_written_as_people_write_them() {
        let sizes = ["16GiB", "500 MB", "1000", "2kb", "0.5 gib"].map(|text| bytes_of(text).unwrap());
        assert_eq!(sizes, [16 << 30, 500_000_000, 1000, 2000, 1 << 29]);
        for text in ["", "GiB", "-1", "much", "1e30", "0"] {
            assert!(bytes_of(text).is_err(), "{text}");
        }
    }
}
