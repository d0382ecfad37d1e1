//! NumPy arrays: `.npy` (one array) and `.npz` (a zip archive of named arrays).

use std::io::Cursor;

use ndarray_npy::npy::header::Header;
use zip::ZipArchive;

use super::{Encoding, ImportError, Kind, MOST_DIMENSIONS, Numbers, Options, Order, SamplesAre};
use crate::columns::{Column, Words};
use crate::memory::Room;

/// Memory for a short name.
const NAME_BYTES: usize = 32;

/// The columns of a 2-D array, named `0`, `1`, …; any other array is one column named `0`.
pub(super) fn read_array(content: &[u8], options: &Options, room: &mut Room) -> Result<Vec<Column>, ImportError> {
    let failed = |problem| ImportError::Format { format: "NumPy .npy", problem };
    let array = array("0", content, options.samples, room).map_err(failed)?;
    if array.width == 1 || !array.shape.is_empty() {
        return Ok(vec![array]);
    }
    room.take((array.width * (size_of::<Column>() + NAME_BYTES)) as u128, "a column for each of its values")
        .map_err(ImportError::Refused)?;
    let nth = |values: &[f64], c: usize| values.iter().skip(c).step_by(array.width).copied().collect();
    let column =
        |c: usize| Column { rests: nth(&array.rests, c), ..Column::new(c.to_string(), 1, nth(&array.values, c)) };
    Ok((0..array.width).map(column).collect())
}

/// Every array of the archive, with its name.
pub(super) fn read_archive(content: &[u8], options: &Options, room: &mut Room) -> Result<Vec<Column>, ImportError> {
    let failed = |problem: String| ImportError::Format { format: "NumPy .npz", problem };
    let mut archive = ZipArchive::new(Cursor::new(content)).map_err(|e| failed(e.to_string()))?;
    if n_entries(content).is_some_and(|n| n > archive.len()) {
        return Err(failed("it has two arrays with one name; write it again".to_owned()));
    }
    let mut columns = Vec::new();
    for index in 0..archive.len() {
        let member = archive.by_index(index).map_err(|e| failed(e.to_string()))?;
        let name = member.name().strip_suffix(".npy").unwrap_or(member.name()).to_owned();
        // An archive may declare a smaller size than it has, so bytes are counted while reading; larger files are
        // refused immediately.
        let bytes = match room.has(u128::from(member.size()), "its content") {
            Ok(()) => room.read(member, "its content").map_err(|e| e.to_string()),
            Err(problem) => Err(problem),
        };
        let column = bytes.and_then(|bytes| array(&name, &bytes, options.samples, room));
        columns.push(column.unwrap_or_else(|problem| Column::unusable(name, problem)));
    }
    Ok(columns)
}

/// Number of files in an archive according to its last record; the library keeps only one file of each name.
fn n_entries(content: &[u8]) -> Option<usize> {
    let begin = content.windows(4).rposition(|bytes| bytes == b"PK\x05\x06")?;
    let n = u16::from_le_bytes([*content.get(begin + 10)?, *content.get(begin + 11)?]);
    // Larger numbers are stored elsewhere.
    (n < u16::MAX).then(|| usize::from(n))
}

/// The array in the bytes of a `.npy` file.
fn array(name: &str, content: &[u8], samples: SamplesAre, room: &mut Room) -> Result<Column, String> {
    let (header, bytes) = header(content)?;
    let shape = &header.shape;
    if shape.len() > MOST_DIMENSIONS {
        return Err(format!("has {} dimensions; at most {MOST_DIMENSIONS} are allowed", shape.len()));
    }
    // Refused even if there are no samples: otherwise nothing limits the other sizes, whose product may overflow.
    if shape.len() > 1 && shape.contains(&0) {
        return Err("has no values".to_owned());
    }
    let descriptor = header.type_descriptor.as_string();
    let Some(item) = descriptor.and_then(|text| item(text)) else {
        return Err(match descriptor.is_some_and(|text| text.ends_with('O')) {
            true => "has Python objects; write `y.astype(str)` for strings, `x.astype(float)` for numbers".to_owned(),
            false => format!("has values of type {}, which cannot be read as numbers", header.type_descriptor),
        });
    };
    let size = item.size();
    // The header may be wrong, so memory is reserved only for bytes that exist.
    let n = shape.iter().try_fold(1_usize, |n, size| n.checked_mul(*size));
    if n.and_then(|n| n.checked_mul(size)) != Some(bytes.len()) {
        let shape: Vec<String> = shape.iter().map(usize::to_string).collect();
        return Err(format!(
            "its header declares {} numbers of {size} bytes, but {} bytes follow; the file is truncated or damaged",
            if shape.is_empty() { "1".to_owned() } else { shape.join(" × ") },
            bytes.len()
        ));
    }
    room.take_numbers(n.unwrap_or_default() as u128, "its array")?;
    match item {
        Item::Number(encoding) => {
            let by_column = header.layout.is_fortran();
            Ok(Numbers { dimensions: shape, by_column, encoding, bytes }.column(name, samples))
        }
        Item::Truth => {
            let word = |byte: &u8| if *byte == 0 { "False" } else { "True" };
            let numbers = Numbers { dimensions: shape, by_column: header.layout.is_fortran(), encoding: BYTE, bytes };
            match numbers.column(name, samples) {
                column if column.width == 1 => Ok(bytes.iter().map(word).collect::<Words>().column(name)),
                column => Ok(column),
            }
        }
        Item::Text { .. } if shape.iter().filter(|size| **size > 1).count() > 1 => {
            Err("has several strings per row; a label is one string".to_owned())
        }
        Item::Text { is_unicode, order, .. } => {
            let words: Words = bytes.chunks_exact(size).map(|bytes| text(bytes, is_unicode, order)).collect();
            Ok(words.column(name))
        }
    }
}

/// The type of the values of an array.
#[derive(Debug, Clone, Copy)]
enum Item {
    Number(Encoding),
    Truth,
    /// This number of characters of four bytes, or of bytes.
    Text {
        is_unicode: bool,
        n: usize,
        order: Order,
    },
}

const BYTE: Encoding = Encoding { kind: Kind::Unsigned, size: 1, order: Order::Little };

impl Item {
    /// In bytes.
    fn size(self) -> usize {
        match self {
            Self::Number(encoding) => encoding.size,
            Self::Truth => 1,
            Self::Text { is_unicode, n, .. } => {
                if is_unicode {
                    4 * n
                } else {
                    n
                }
            }
        }
    }
}

/// A string, padded with zeros.
fn text(bytes: &[u8], is_unicode: bool, order: Order) -> String {
    if !is_unicode {
        return String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned();
    }
    let character = |four: &[u8]| {
        let four = [four[0], four[1], four[2], four[3]];
        let number = if let Order::Big = order { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) };
        char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER)
    };
    bytes.chunks_exact(4).map(character).collect::<String>().trim_end_matches('\0').to_owned()
}

/// The header, and the bytes after it.
fn header(content: &[u8]) -> Result<(Header, &[u8]), String> {
    /// The header of a plain array is one dictionary with one tuple; more than a few brackets are not from an array of
    /// numbers. The recursive parser of the library reads the content of a bracket up to three times, so n brackets
    /// need a time of 3ⁿ.
    const MOST_BRACKETS: usize = 8;
    const MAGIC: &[u8] = b"\x93NUMPY";
    // Magic string and version have 8 bytes; the length of the header has 2 bytes in version 1, and 4 in later
    // versions.
    let length = match *content {
        [_, _, _, _, _, _, 1, _, a, b, ..] => Some(10 + usize::from(u16::from_le_bytes([a, b]))),
        [_, _, _, _, _, _, _, _, a, b, c, d, ..] => 12_usize.checked_add(u32::from_le_bytes([a, b, c, d]) as usize),
        _ => None,
    };
    let text = length.and_then(|length| content.get(..length));
    let n_brackets = text.unwrap_or_default().iter().filter(|byte| b"([{".contains(byte)).count();
    if content.starts_with(MAGIC) && n_brackets > MOST_BRACKETS {
        return Err(format!(
            "has {n_brackets} brackets in its header, so it may be a structured array; save each field as an array of numbers"
        ));
    }
    let mut rest = content;
    let header = text.and_then(|_| Header::from_reader(&mut rest).ok());
    header.map(|header| (header, rest)).ok_or_else(|| "it does not start with the header of an array".to_owned())
}

/// The type of a descriptor such as `<f8`, `|b1` or `<U10`.
fn item(descriptor: &str) -> Option<Item> {
    let (order, kind) = (descriptor.get(..1)?, descriptor.get(1..2)?);
    let order = if order == ">" { Order::Big } else { Order::Little };
    let size: usize = descriptor.get(2..)?.parse().ok()?;
    let (kind, sizes): (_, &[usize]) = match kind {
        "i" => (Kind::Signed, &[1, 2, 4, 8]),
        "u" => (Kind::Unsigned, &[1, 2, 4, 8]),
        "f" => (Kind::Float, &[2, 4, 8]),
        "b" => return (size == 1).then_some(Item::Truth),
        "U" => return (1..=1 << 20).contains(&size).then_some(Item::Text { is_unicode: true, n: size, order }),
        "S" => return (1..=1 << 20).contains(&size).then_some(Item::Text { is_unicode: false, n: size, order }),
        _ => return None,
    };
    sizes.contains(&size).then_some(Item::Number(Encoding { kind, size, order }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npy(header: &str, data: &[u8]) -> Vec<u8> {
        let header = format!("{header}\n");
        let length = u16::try_from(header.len()).unwrap().to_le_bytes();
        [b"\x93NUMPY\x01\x00", length.as_slice(), header.as_bytes(), data].concat()
    }

    fn room() -> Room {
        Room::of_bytes(1 << 20)
    }

    #[track_caller]
    fn check(descriptor: &str, fortran: &str, shape: &str, data: &[u8], expected: Result<Vec<f64>, &str>) {
        let text = format!("{{'descr': {descriptor}, 'fortran_order': {fortran}, 'shape': {shape}, }}");
        let got = array("x", &npy(&text, data), SamplesAre::First, &mut room()).map(|column| column.values);
        assert_eq!(got, expected.map_err(str::to_owned));
    }

    #[test]
    fn arrays_of_both_layouts_and_unusual_types_are_read() {
        check("'|u1'", "False", "(2, 3)", &[1, 2, 3, 4, 5, 6], Ok(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
        check("'|u1'", "True", "(2, 3)", &[1, 4, 2, 5, 3, 6], Ok(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
        check("'|b1'", "False", "(2,)", &[1, 0], Ok(vec![1.0, 0.0]));
        check("'<f2'", "False", "(1,)", &[0x00, 0x3e], Ok(vec![1.5]));
        check("'>i2'", "False", "(1,)", &[0xff, 0xfe], Ok(vec![-2.0]));
        let problem = "has values of type '<c16', which cannot be read as numbers";
        check("'<c16'", "False", "(1,)", &[0; 16], Err(problem));
        let objects = "has Python objects; write `y.astype(str)` for strings, `x.astype(float)` for numbers";
        check("'|O'", "False", "(1,)", &[0; 8], Err(objects));
        check("'|u1'", "False", "(1, 1, 1)", &[7], Ok(vec![7.0]));
        check("'|u1'", "False", "(1, 0)", &[], Err("has no values"));
        check("'<f8'", "False", "(0, 1152921504606846976)", &[], Err("has no values"));
        check("'<f8'", "True", "(0, 4294967295, 4294967295, 4294967295)", &[], Err("has no values"));
    }

    #[test]
    fn a_header_with_a_false_size_reserves_no_memory() {
        let speaks = |shape: &str, size: usize, n_bytes: usize| {
            format!(
                "its header declares {shape} numbers of {size} bytes, but {n_bytes} bytes follow; the file is truncated or damaged"
            )
        };
        check("'<f8'", "False", "(1000000000000,)", &[0; 8], Err(&speaks("1000000000000", 8, 8)));
        check("'<f8'", "False", "(2, 2)", &[0; 31], Err(&speaks("2 × 2", 8, 31)));
        check("'<f8'", "False", "(2, 2)", &[0; 33], Err(&speaks("2 × 2", 8, 33)));
        let wide = "(9223372036854775807, 9223372036854775807)";
        check("'<f8'", "False", wide, &[0; 8], Err(&speaks("9223372036854775807 × 9223372036854775807", 8, 8)));
    }

    #[test]
    fn a_file_with_a_damaged_header_is_refused() {
        let refused = |content: &[u8]| {
            assert!(
                array("x", content, SamplesAre::First, &mut room())
                    .unwrap_err()
                    .contains("does not start with the header")
            )
        };
        refused(b"");
        refused(b"\x93NUMPY");
        refused(&npy("{'descr': '<f8'}", &[]));
        refused(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}"); // 4 GB of header
    }

    #[test]
    fn nested_brackets_neither_slow_the_parser_nor_overflow_the_stack() {
        let refused = |header: &str| array("x", &npy(header, &[]), SamplesAre::First, &mut room()).unwrap_err();
        for open in ["(", "[", "{"] {
            let problem = refused(&open.repeat(60_000));
            assert!(problem.starts_with("has 60000 brackets in its header"), "{problem}");
            assert!(refused(&open.repeat(40)).starts_with("has 40 brackets in its header"));
            // The maximum allowed number is read in less than a second.
            assert!(refused(&open.repeat(8)).contains("does not start with the header"));
        }
        let deep = format!("{}{}", "[".repeat(60), "]".repeat(60));
        assert!(refused(&deep).starts_with("has 60 brackets in its header"));
    }

    #[test]
    fn texts_and_booleans_are_classes() {
        let read = |descr: &str, n: usize, data: &[u8]| {
            let text = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': ({n},), }}");
            array("y", &npy(&text, data), SamplesAre::First, &mut room()).unwrap()
        };
        let cat = |unit: &[u8]| {
            [b"cat".as_slice(), b"ox\0", b"cat"]
                .concat()
                .iter()
                .flat_map(|c| [&[*c], unit].concat())
                .collect::<Vec<u8>>()
        };
        for (descr, data) in [("'|S3'", cat(&[])), ("'<U3'", cat(&[0, 0, 0]))] {
            let column = read(descr, 3, &data);
            assert_eq!((column.words, column.values), (vec!["cat".to_owned(), "ox".to_owned()], vec![0.0, 1.0, 0.0]));
        }
        let truths = read("'|b1'", 2, &[1, 0]);
        assert_eq!((truths.words, truths.values), (vec!["False".to_owned(), "True".to_owned()], vec![1.0, 0.0]));
    }

    #[test]
    fn two_arrays_of_one_name_are_refused() {
        let mut archive = ndarray_npy::NpzWriter::new(Cursor::new(Vec::new()));
        archive.add_array("xa", &ndarray::array![1.0, 2.0]).unwrap();
        archive.add_array("xb", &ndarray::array![3.0, 4.0]).unwrap();
        let mut npz = archive.finish().unwrap().into_inner();
        let places: Vec<usize> = (0..npz.len() - 6).filter(|at| &npz[*at..*at + 6] == b"xb.npy").collect();
        places.into_iter().for_each(|at| npz[at + 1] = b'a');
        let refused = read_archive(&npz, &Options::default(), &mut room()).unwrap_err().to_string();
        assert!(refused.ends_with("it has two arrays with one name; write it again"), "{refused}");
    }

    #[test]
    fn an_array_that_needs_too_much_memory_is_named_and_the_others_are_read() {
        let mut archive = ndarray_npy::NpzWriter::new_compressed(Cursor::new(Vec::new()));
        archive.add_array("x", &ndarray::Array1::<f64>::zeros(1_000_000)).unwrap();
        archive.add_array("y", &ndarray::array![1.0, 2.0]).unwrap();
        let npz = archive.finish().unwrap().into_inner();
        let read = read_archive(&npz, &Options::default(), &mut room()).unwrap();
        let problem = read[0].problem.as_deref().unwrap();
        assert_eq!(problem, "its content needs 8.0 MB of memory; this machine has 1.0 MB; use one with more memory");
        assert_eq!(read[1].values, [1.0, 2.0]);
    }

    #[test]
    fn a_flipped_bit_never_ends_in_a_panic() {
        let mut archive = ndarray_npy::NpzWriter::new_compressed(Cursor::new(Vec::new()));
        archive.add_array("x", &ndarray::Array2::<f32>::ones((3, 2))).unwrap();
        let npz = archive.finish().unwrap().into_inner();
        let plain = Options::default();
        assert_eq!(read_archive(&npz, &plain, &mut room()).unwrap(), [Column::new("x", 2, vec![1.0; 6])]);
        let npy = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2), }", &[1, 2]);
        let read: [(&[u8], crate::import::Reader); 2] = [(&npz, read_archive), (&npy, read_array)];
        for (content, read) in read {
            for bit in 0..8 * content.len() {
                let mut flipped = content.to_vec();
                flipped[bit / 8] ^= 1 << (bit % 8);
                let _ = read(&flipped, &plain, &mut room());
            }
        }
    }
}
