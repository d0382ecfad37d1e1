//! Files of other programs → named columns. Bytes in, columns out; Parquet is read by `store/`.

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

/// A format of files.
#[derive(Debug)]
pub struct Format {
    /// The ending of its files' names.
    pub ending: &'static str,
    /// What its files are.
    pub holds: Holds,
    /// Reads it.
    pub read: Reader,
}

/// What the files of a format are, and which options they have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Lines of text.
    Text,
    /// Arrays of numbers.
    Arrays,
}

/// Every format except Parquet. Each may be packed with gzip (`.gz`) or zstd (`.zst`).
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

/// How a file is to be read, where it does not say so itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// What the first line of a text is.
    pub header: Header,
    /// What separates the values of a text; looked for where it is not given.
    pub separator: Option<Separator>,
    /// How a text writes 0.5.
    pub decimal: Decimal,
    /// Which dimension of an array counts the samples.
    pub samples: SamplesAre,
}

/// What the first line of a text is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Header {
    /// Names, unless it looks like a row of the table, which is refused.
    #[default]
    Guess,
    /// Names.
    Names,
    /// The first row of the table.
    Missing,
}

/// What separates the values of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    /// An ASCII character.
    Character(u8),
    /// Spaces and tabs, as many as there are.
    Spaces,
}

/// How a text writes 0.5.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Decimal {
    /// 0.5
    #[default]
    Point,
    /// 0,5
    Comma,
}

/// Which dimension of an array counts the samples.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SamplesAre {
    /// The first one.
    #[default]
    First,
    /// The last one.
    Last,
}

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
    /// A file that was understood, but cannot be used.
    #[error("{0}")]
    Refused(String),
}

/// The format of a file: that of its name's ending, where it has one that is known; IDX files are known by their content.
pub fn format(name: &str, content: &[u8]) -> Option<&'static Format> {
    let ending = format_of_name(name);
    ending.or_else(|| idx::is_idx(content).then(|| FORMATS.iter().find(|format| format.ending == "idx")).flatten())
}

/// The format that the ending of a file's name stands for, packed or not.
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

/// Arrays of more dimensions are no data: NumPy allows 64.
const MOST_DIMENSIONS: usize = 64;

/// The numbers of an array, in the order in which they lie in its file.
struct Numbers<'a> {
    dimensions: &'a [usize],
    /// Whether the first index runs fastest, as in MATLAB and Fortran.
    by_column: bool,
    encoding: Encoding,
    bytes: &'a [u8],
}

impl Numbers<'_> {
    /// The rows of the array as a column: each row flattened, the last index running fastest.
    fn column(&self, name: &str, samples: SamplesAre) -> Column {
        let width_and_shape = |rest: &[usize]| (rest.iter().product(), rest.to_vec());
        let (width, shape) = match (self.dimensions, samples) {
            // A vector has one value a sample, whichever way it lies.
            ([1, _] | [_, 1], SamplesAre::Last) | ([], _) => (1, Vec::new()),
            ([_, rest @ ..], SamplesAre::First) | ([rest @ .., _], SamplesAre::Last) => width_and_shape(rest),
        };
        let values = self.in_rows(self.encoding.decode(self.bytes), width, samples);
        let rests = match self.encoding.rests(self.bytes) {
            nothing if nothing.is_empty() => nothing,
            // Behind the last one there are none.
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

    /// What the numbers in `content` lack as f64, in the order of [`Encoding::decode`]; empty where they lack nothing.
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
        // At [i, j, k] lies i + 2 j + 4 k, or 4 i + 2 j + k.
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
