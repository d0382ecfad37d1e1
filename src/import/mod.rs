//! Converts files of other programs to named columns. Bytes in, columns out; Parquet is read by `store/`.

mod idx;
mod matlab;
mod numpy;
mod packed;
mod signatures;
mod text;

use ndarray::{ArrayD, IxDyn, ShapeBuilder};
use thiserror::Error;

use crate::columns::Column;
use crate::memory::Room;
pub use packed::{gzip, inflate, members};
pub use signatures::mistaken;

/// Reads the columns from the bytes of a file.
pub type Reader = fn(&[u8], &Options, &mut Room) -> Result<Vec<Column>, ImportError>;

/// A file format.
#[derive(Debug)]
pub struct Format {
    /// Extension of the file name.
    pub ending: &'static str,
    /// Kind of the content.
    pub holds: Holds,
    /// Reads a file.
    pub read: Reader,
}

/// Kind of the content of a format, which determines its options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Text, line by line.
    Text,
    /// Arrays of numbers.
    Arrays,
}

/// All formats except Parquet. Files may be compressed with gzip (`.gz`) or zstd (`.zst`).
pub const FORMATS: &[Format] = &[
    Format { ending: "csv", holds: Holds::Text, read: text::read },
    Format { ending: "tsv", holds: Holds::Text, read: text::read },
    Format { ending: "txt", holds: Holds::Text, read: text::read },
    Format { ending: "data", holds: Holds::Text, read: text::read },
    Format { ending: "mat", holds: Holds::Arrays, read: matlab::read },
    Format { ending: "npy", holds: Holds::Arrays, read: numpy::read_array },
    Format { ending: "npz", holds: Holds::Arrays, read: numpy::read_archive },
    Format { ending: "idx", holds: Holds::Arrays, read: idx::read },
];

/// Options for files that do not define these properties.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Content of the first line of a text.
    pub header: Header,
    /// Separator of the values in a text; detected if not given.
    pub separator: Option<Separator>,
    /// Decimal mark of a text.
    pub decimal: Decimal,
    /// The dimension of an array that counts the samples.
    pub samples: SamplesAre,
}

/// Content of the first line of a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Header {
    /// Names; a line that looks like a row of the table is refused.
    #[default]
    Guess,
    /// Names.
    Names,
    /// The first row of the table.
    Missing,
}

/// Separator of the values in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    /// An ASCII character.
    Character(u8),
    /// Any number of spaces and tabs.
    Spaces,
}

/// Decimal mark of a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Decimal {
    /// 0.5
    #[default]
    Point,
    /// 0,5
    Comma,
}

/// The dimension of an array that counts the samples.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SamplesAre {
    /// The first one.
    #[default]
    First,
    /// The last one.
    Last,
}

/// Why a file could not be imported.
#[derive(Debug, Error)]
pub enum ImportError {
    /// Not a file of this format.
    #[error("not a readable {format} file: {problem}")]
    Format {
        /// The format.
        format: &'static str,
        /// Message of the reader.
        problem: String,
    },
    /// A file of this format that cannot be used.
    #[error("{0}")]
    Refused(String),
}

/// The format of a file: from the extension of its name if it is known; IDX files are recognised by their content.
pub fn format(name: &str, content: &[u8]) -> Option<&'static Format> {
    let ending = format_of_name(name);
    ending.or_else(|| idx::is_idx(content).then(|| FORMATS.iter().find(|format| format.ending == "idx")).flatten())
}

/// The format for the extension of a file name, compressed or not.
pub fn format_of_name(name: &str) -> Option<&'static Format> {
    let name = name.to_ascii_lowercase();
    let (_, ending) = unpacked_name(&name).rsplit_once('.')?;
    FORMATS.iter().find(|format| format.ending == ending)
}

/// The name of a file without `.gz` or `.zst`.
pub fn unpacked_name(name: &str) -> &str {
    let lower = name.to_ascii_lowercase();
    let n_ending =
        ["gz", "zst"].iter().find(|ending| lower.ends_with(&format!(".{ending}"))).map_or(0, |e| e.len() + 1);
    name.get(..name.len() - n_ending).unwrap_or(name)
}

/// Maximum number of dimensions of an array: NumPy allows 64.
const MOST_DIMENSIONS: usize = 64;

/// The numbers of an array, in the order of the file.
struct Numbers<'a> {
    dimensions: &'a [usize],
    /// Whether the first index changes fastest, as in MATLAB and Fortran.
    by_column: bool,
    encoding: Encoding,
    bytes: &'a [u8],
}

impl Numbers<'_> {
    /// The rows of the array as a column: each row flattened, with the last index changing fastest.
    fn column(&self, name: &str, samples: SamplesAre) -> Column {
        let width_and_shape = |rest: &[usize]| (rest.iter().product(), rest.to_vec());
        let (width, shape) = match (self.dimensions, samples) {
            // A vector has one value per sample, whether it is a row or a column.
            ([1, _] | [_, 1], SamplesAre::Last) | ([], _) => (1, Vec::new()),
            ([_, rest @ ..], SamplesAre::First) | ([rest @ .., _], SamplesAre::Last) => width_and_shape(rest),
        };
        let values = self.in_rows(self.encoding.decode(self.bytes), width, samples);
        let rests = match self.encoding.rests(self.bytes) {
            nothing if nothing.is_empty() => nothing,
            // After the last index there are none.
            mut rests => {
                rests.resize(values.len(), 0.0);
                self.in_rows(rests, width, samples)
            }
        };
        let shape = if shape.len() > 1 { shape } else { Vec::new() };
        Column { shape, rests, ..Column::new(name, width, values) }
    }

    fn in_rows(&self, values: Vec<f64>, width: usize, samples: SamplesAre) -> Vec<f64> {
        let n_dimensions = self.dimensions.len();
        let is_in_order = !self.by_column && samples == SamplesAre::First;
        if is_in_order || n_dimensions < 2 || width == 1 {
            return values;
        }
        let shape = IxDyn(self.dimensions).set_f(self.by_column);
        let array = ArrayD::from_shape_vec(shape, values).expect("as many values as the dimensions have");
        let mut axes: Vec<usize> = (0..n_dimensions).collect();
        if samples == SamplesAre::Last {
            axes.rotate_right(1);
        }
        array.permuted_axes(axes).iter().copied().collect()
    }
}

/// How numbers are stored in a file. A boolean is an unsigned number of one byte.
#[derive(Debug, Clone, Copy)]
struct Encoding {
    kind: Kind,
    /// Bytes per number: 1, 2, 4 or 8; at least 2 for floating-point numbers.
    size: usize,
    order: Order,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Signed,
    Unsigned,
    Float,
}

/// Byte order.
#[derive(Debug, Clone, Copy)]
enum Order {
    Little,
    Big,
}

impl Encoding {
    /// The numbers in `content`; incomplete bytes at its end are ignored.
    fn decode(self, content: &[u8]) -> Vec<f64> {
        content.chunks_exact(self.size).map(|bytes| self.number(bytes)).collect()
    }

    /// The parts of the numbers in `content` that f64 loses, in the order of [`Encoding::decode`]; empty if it loses
    /// none.
    fn rests(self, content: &[u8]) -> Vec<f64> {
        if self.size < 8 || matches!(self.kind, Kind::Float) {
            return Vec::new();
        }
        let mut column = Column::default();
        for bytes in content.chunks_exact(self.size) {
            let bits = self.bits(bytes);
            column.push_whole(match self.kind {
                Kind::Signed => i128::from(bits.cast_signed()),
                _ => i128::from(bits),
            });
        }
        column.rests
    }

    fn bits(self, bytes: &[u8]) -> u64 {
        let mut little = [0; 8];
        little[..self.size].copy_from_slice(bytes);
        if let Order::Big = self.order {
            little[..self.size].reverse();
        }
        u64::from_le_bytes(little)
    }

    fn number(self, bytes: &[u8]) -> f64 {
        let bits = self.bits(bytes);
        let n_unused = 64 - 8 * self.size;
        match (self.kind, self.size) {
            (Kind::Unsigned, _) => bits as f64,
            // Shifting up and down again fills the unused bits with the sign of the number.
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

    #[track_caller]
    fn check(dimensions: &[usize], by_column: bool, samples: SamplesAre, rows: &[&[f64]], shape: &[usize]) {
        let bytes: Vec<u8> = (0..dimensions.iter().product::<usize>() as u8).collect();
        let encoding = Encoding { kind: Kind::Unsigned, size: 1, order: Order::Little };
        let column = Numbers { dimensions, by_column, encoding, bytes: &bytes }.column("x", samples);
        assert_eq!(column.values.chunks(column.width).collect::<Vec<_>>(), rows);
        assert_eq!(column.shape, shape);
    }

    #[test]
    fn rows_are_flattened_with_the_last_index_running_fastest() {
        use SamplesAre::{First, Last};
        let (low, high) = ([0.0, 1.0, 2.0, 3.0].as_slice(), [4.0, 5.0, 6.0, 7.0].as_slice());
        check(&[2, 2, 2], false, First, &[low, high], &[2, 2]);
        // The value at [i, j, k] is i + 2 j + 4 k, or 4 i + 2 j + k.
        check(&[2, 2, 2], true, First, &[&[0.0, 4.0, 2.0, 6.0], &[1.0, 5.0, 3.0, 7.0]], &[2, 2]);
        check(&[2, 2, 2], false, Last, &[&[0.0, 2.0, 4.0, 6.0], &[1.0, 3.0, 5.0, 7.0]], &[2, 2]);
        check(&[2, 2, 2], true, Last, &[&[0.0, 2.0, 1.0, 3.0], &[4.0, 6.0, 5.0, 7.0]], &[2, 2]);
        check(&[2, 1, 1, 2], true, Last, &[&[0.0, 1.0], &[2.0, 3.0]], &[2, 1, 1]);
        check(&[1, 3], true, Last, &[&[0.0], &[1.0], &[2.0]], &[]);
        check(&[3, 1], true, First, &[&[0.0], &[1.0], &[2.0]], &[]);
        check(&[1, 2], false, First, &[&[0.0, 1.0]], &[]);
        check(&[], false, Last, &[&[0.0]], &[]);
    }

    #[test]
    fn the_format_follows_from_the_name_without_what_it_is_packed_with() {
        let ending = |name: &str| format(name, &[]).map(|format| format.ending);
        assert_eq!(
            ["a.CSV.gz", "b/x.npy", "c.tsv.zst", "iris.data"].map(ending),
            ["csv", "npy", "tsv", "data"].map(Some)
        );
        assert_eq!(["a.xlsx", "csv", "a.gz"].map(ending), [None; 3]);
        let idx = format("train-images-idx3-ubyte", &[0, 0, 8, 1, 0, 0, 0, 0]);
        assert_eq!(idx.map(|format| format.ending), Some("idx"));
        assert_eq!(["a.csv.gz", "A.GZ", "b"].map(unpacked_name), ["a.csv", "A", "b"]);
    }

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
