//! Files of other programs → named columns. Bytes in, columns out; Parquet is read by `store/`.

mod csv_text;
mod matlab;
mod numpy;
mod packed;

use thiserror::Error;

use crate::columns::Column;
pub use packed::{gzip, inflate, members};

/// Reads the columns from the bytes of a file.
pub type Reader = fn(&[u8]) -> Result<Vec<Column>, ImportError>;

/// Every format with its file ending, besides Parquet.
pub const READERS: &[(&str, Reader)] = &[
    ("mat", matlab::read),
    ("npy", numpy::read_array),
    ("npz", numpy::read_archive),
    ("csv", csv_text::read),
    ("csv.zst", csv_text::read_compressed),
];

/// Why a file could not be understood.
#[derive(Debug, Error)]
pub enum ImportError {
    /// Not a file of this format.
    #[error("not a readable {format} file: {problem}")]
    Format {
        /// The format.
        format: &'static str,
        /// What the reader said.
        problem: String,
    },
}

/// How numbers lie in a file. A boolean is an unsigned number of one byte.
#[derive(Debug, Clone, Copy)]
struct Encoding {
    kind: Kind,
    /// Bytes per number: 1, 2, 4 or 8; a float has at least 2.
    size: usize,
    order: Order,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Signed,
    Unsigned,
    Float,
}

/// Which byte of a number comes first.
#[derive(Debug, Clone, Copy)]
enum Order {
    Little,
    Big,
}

impl Encoding {
    /// The numbers in `content`. What is left over at its end is no number.
    fn decode(self, content: &[u8]) -> Vec<f64> {
        content.chunks_exact(self.size).map(|bytes| self.number(bytes)).collect()
    }

    fn number(self, bytes: &[u8]) -> f64 {
        let mut little = [0; 8];
        little[..self.size].copy_from_slice(bytes);
        if let Order::Big = self.order {
            little[..self.size].reverse();
        }
        let bits = u64::from_le_bytes(little);
        let n_unused = 64 - 8 * self.size;
        match (self.kind, self.size) {
            (Kind::Unsigned, _) => bits as f64,
            // Shifted up and down again, the number's sign fills the unused bits.
            (Kind::Signed, _) => ((bits << n_unused) as i64 >> n_unused) as f64,
            (Kind::Float, 2) => half::f16::from_bits(bits as u16).to_f64(),
            (Kind::Float, 4) => f64::from(f32::from_bits(bits as u32)),
            (Kind::Float, _) => f64::from_bits(bits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_kind_size_and_order_are_decoded() {
        use {Kind::*, Order::*};
        let check = |kind, order, bytes: &[u8], expected: f64| {
            let encoding = Encoding { kind, size: bytes.len(), order };
            assert_eq!(encoding.decode(bytes), [expected], "{encoding:?}");
        };
        check(Unsigned, Little, &[200], 200.0);
        check(Signed, Little, &[200], -56.0);
        check(Signed, Little, &(-2_i16).to_le_bytes(), -2.0);
        check(Signed, Big, &(-70_000_i32).to_be_bytes(), -70_000.0);
        check(Signed, Little, &i64::MIN.to_le_bytes(), i64::MIN as f64);
        check(Unsigned, Big, &u64::MAX.to_be_bytes(), u64::MAX as f64);
        check(Float, Little, &0x3e00_u16.to_le_bytes(), 1.5); // sign 0, exponent 0, mantissa ½
        check(Float, Big, &0.1_f32.to_be_bytes(), f64::from(0.1_f32));
        check(Float, Little, &0.1_f64.to_le_bytes(), 0.1);
    }
}
