//! MATLAB version 5 files (`.mat`, versions 5 to 7.2), such as Tishby's `var_u.mat`.
//!
//! A file is a list of elements with a type, a size and content; a variable is an element that contains elements. We
//! have no crate for this, because the existing ones fail on a whole file if it has one unknown variable.
//!
//! # Reference
//! MathWorks, *MAT-File Format*, chapter 1.

use std::io::Read;

use flate2::read::ZlibDecoder;

use super::{Encoding, ImportError, Kind, MOST_DIMENSIONS, Numbers, Options, Order, SamplesAre};
use crate::columns::Column;
use crate::memory::Room;

/// A sequence of elements.
struct Elements<'a> {
    rest: &'a [u8],
    order: Order,
}

/// Types of elements that are not numeric.
const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;

/// The real numeric variables; a 1 × n row vector is read as n samples of one value.
pub(super) fn read(content: &[u8], options: &Options, room: &mut Room) -> Result<Vec<Column>, ImportError> {
    variables(content, options.samples, room).map_err(|problem| ImportError::Format { format: "MATLAB 5", problem })
}

fn variables(content: &[u8], samples: SamplesAre, room: &mut Room) -> Result<Vec<Column>, String> {
    let Some((header, rest)) = content.split_at_checked(128) else {
        return Err("it is shorter than its header".to_owned());
    };
    let order = match header[124..] {
        [_, 1, b'I', b'M'] => Order::Little,
        [1, _, b'M', b'I'] => Order::Big,
        [_, 2, b'I', b'M'] | [2, _, b'M', b'I'] => {
            return Err("it has version 7.3, which is HDF5; save it in MATLAB with the option `-v7`".to_owned());
        }
        _ => return Err("it does not start with the header of version 5".to_owned()),
    };
    let mut elements = Elements { rest, order };
    let mut columns = Vec::new();
    while let Some((kind, content)) = elements.next()? {
        let column = match kind {
            MATRIX => variable(Elements { rest: content, order }, samples, room)?,
            COMPRESSED => {
                let inflated = inflated(content, order, room)?;
                match (Elements { rest: &inflated, order }).next()? {
                    Some((MATRIX, content)) => variable(Elements { rest: content, order }, samples, room)?,
                    _ => None,
                }
            }
            _ => None,
        };
        columns.extend(column);
    }
    Ok(columns)
}

/// The content of a compressed element, with the declared length.
fn inflated(content: &[u8], order: Order, room: &mut Room) -> Result<Vec<u8>, String> {
    let (mut decoder, mut tag) = (ZlibDecoder::new(content), [0; 8]);
    decoder.read_exact(&mut tag).map_err(|e| format!("it is damaged: {e}"))?;
    let elements = Elements { rest: &[], order };
    let [.., a, b, c, d] = tag;
    let size = u64::from(elements.word([a, b, c, d]));
    let what = "one of its variables";
    room.has(u128::from(size), what)?;
    let mut element = tag.to_vec();
    element.extend(room.read(decoder.take(size), what).map_err(|e| e.to_string())?);
    Ok(element)
}

/// The variable made of the `parts` of a matrix; `None` without a name, as for internal data of MATLAB.
fn variable(mut parts: Elements<'_>, samples: SamplesAre, room: &mut Room) -> Result<Option<Column>, String> {
    const OPAQUE: u8 = 17;
    const COMPLEX: u8 = 0b1000;
    let (class, flags) = match (parts.order, parts.part()?) {
        (Order::Little, [class, flags, ..]) | (Order::Big, [_, _, flags, class, ..]) => (*class, *flags),
        _ => return Ok(None),
    };
    let shape = if class == OPAQUE { &[] } else { parts.part()? };
    let name = String::from_utf8_lossy(parts.part()?).into_owned();
    if name.is_empty() {
        return Ok(None);
    }
    let unusable = |problem: String| Ok(Some(Column::unusable(&name, problem)));
    match class {
        5 => return unusable("is a sparse matrix; save it as a full matrix, `full(…)` in MATLAB".to_owned()),
        4 => return unusable("is text".to_owned()),
        1..=3 => {
            return unusable(
                "is a cell array, a structure or an object; save its numbers as separate variables".to_owned(),
            );
        }
        6..=15 => {}
        _ => return unusable("has a class that is not numeric".to_owned()),
    }
    if flags & COMPLEX != 0 {
        return unusable("has complex numbers".to_owned());
    }
    let shape = Encoding { kind: Kind::Signed, size: 4, order: parts.order }.decode(shape);
    if shape.len() > MOST_DIMENSIONS {
        return unusable(format!("has {} dimensions; at most {MOST_DIMENSIONS} are allowed", shape.len()));
    }
    let dimensions: Vec<usize> = shape.iter().map(|size| *size as usize).collect();
    let Some((kind, content)) = parts.next()? else { return unusable("has no numbers".to_owned()) };
    let Some(encoding) = encoding(kind, parts.order) else {
        return unusable(format!("has values of type {kind}, which are not numbers"));
    };
    let n = content.len() / encoding.size;
    let n_promised = dimensions.iter().try_fold(1_usize, |n, size| n.checked_mul(*size));
    if n_promised != Some(n) || shape.len() < 2 || shape.iter().any(|size| *size < 0.0) {
        let shape: Vec<String> = shape.iter().map(f64::to_string).collect();
        return unusable(format!("has the size {} but contains {n} numbers; the file is damaged", shape.join(" × ")));
    }
    // Refused even if there are no samples: otherwise nothing limits the other sizes, whose product may overflow.
    if dimensions.contains(&0) {
        return unusable("has no numbers".to_owned());
    }
    if let Err(problem) = room.take_numbers(n as u128, "it") {
        return unusable(problem);
    }
    // A vector has one value per sample, whether it is a row or a column.
    let dimensions = if let [1, n] | [n, 1] = *dimensions { vec![n] } else { dimensions };
    Ok(Some(Numbers { dimensions: &dimensions, by_column: true, encoding, bytes: content }.column(&name, samples)))
}

/// How the numbers of an element of type `kind` are stored.
fn encoding(kind: u32, order: Order) -> Option<Encoding> {
    let (kind, size) = match kind {
        1 => (Kind::Signed, 1),
        2 => (Kind::Unsigned, 1),
        3 => (Kind::Signed, 2),
        4 => (Kind::Unsigned, 2),
        5 => (Kind::Signed, 4),
        6 => (Kind::Unsigned, 4),
        7 => (Kind::Float, 4),
        9 => (Kind::Float, 8),
        12 => (Kind::Signed, 8),
        13 => (Kind::Unsigned, 8),
        _ => return None,
    };
    Some(Encoding { kind, size, order })
}

impl<'a> Elements<'a> {
    /// Type and content of the next element, `None` at the end.
    fn next(&mut self) -> Result<Option<(u32, &'a [u8])>, String> {
        let Some(([a, b, c, d], behind)) = self.rest.split_first_chunk() else { return Ok(None) };
        let (kind, size) = match self.word([*a, *b, *c, *d]) {
            // Up to four bytes of content are stored next to their size, in one word.
            word if word >> 16 != 0 => {
                let content = behind.get(..(word >> 16) as usize).filter(|content| content.len() <= 4);
                let content = content.ok_or_else(Self::truncated)?;
                self.rest = behind.get(4..).unwrap_or_default();
                return Ok(Some((word & 0xffff, content)));
            }
            kind => (kind, behind.first_chunk().map(|size| self.word(*size) as usize)),
        };
        let content = size.and_then(|size| behind[4..].get(..size)).ok_or_else(Self::truncated)?;
        // All elements except compressed ones are padded to words of 8 bytes; the padding may be missing after the
        // last one.
        let filled = if kind == COMPRESSED { content.len() } else { content.len().next_multiple_of(8) };
        self.rest = behind[4..].get(filled..).unwrap_or_default();
        Ok(Some((kind, content)))
    }

    /// The content of the next part of a variable.
    fn part(&mut self) -> Result<&'a [u8], String> {
        Ok(self.next()?.ok_or_else(Self::truncated)?.1)
    }

    fn word(&self, bytes: [u8; 4]) -> u32 {
        match self.order {
            Order::Little => u32::from_le_bytes(bytes),
            Order::Big => u32::from_be_bytes(bytes),
        }
    }

    fn truncated() -> String {
        "it is truncated or damaged".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn element(kind: u32, content: &[u8]) -> Vec<u8> {
        let filling = vec![0; content.len().next_multiple_of(8) - content.len()];
        [&kind.to_le_bytes(), &(content.len() as u32).to_le_bytes(), content, &filling].concat()
    }

    /// A variable of 2 × 2 with the numbers `content`.
    fn matrix(name: &str, class: u8, flags: u8, kind: u32, content: &[u8]) -> Vec<u8> {
        array(name, class, flags, kind, &[2, 2], content)
    }

    fn array(name: &str, class: u8, flags: u8, kind: u32, shape: &[i32], content: &[u8]) -> Vec<u8> {
        let shape: Vec<u8> = shape.iter().flat_map(|n| n.to_le_bytes()).collect();
        let flags = [class, flags, 0, 0, 0, 0, 0, 0];
        let parts = [element(6, &flags), element(5, &shape), element(1, name.as_bytes()), element(kind, content)];
        element(MATRIX, &parts.concat())
    }

    fn compressed(variable: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(variable).unwrap();
        let content = encoder.finish().unwrap();
        [&COMPRESSED.to_le_bytes(), (content.len() as u32).to_le_bytes().as_slice(), &content].concat()
    }

    fn file(variables: &[Vec<u8>]) -> Vec<u8> {
        let mut header = [b' '; 128];
        header[124..].copy_from_slice(&[0, 1, b'I', b'M']);
        [header.as_slice(), &variables.concat()].concat()
    }

    fn read_all(content: &[u8]) -> Result<Vec<Column>, String> {
        variables(content, SamplesAre::First, &mut Room::of_bytes(1 << 20))
    }

    fn int32(values: [i32; 4]) -> Vec<u8> {
        values.iter().flat_map(|v| v.to_le_bytes()).collect()
    }

    #[test]
    fn integers_of_32_bits_are_read_compressed_or_not() {
        let variable = matrix("a", 12, 0, 5, &int32([1, -2, 3, 4]));
        let expected = [Column::new("a", 2, vec![1.0, 3.0, -2.0, 4.0])];
        assert_eq!(read_all(&file(std::slice::from_ref(&variable))).unwrap(), expected);
        assert_eq!(read_all(&file(&[compressed(&variable)])).unwrap(), expected);
    }

    #[test]
    fn numbers_of_a_large_class_may_be_stored_in_a_small_one() {
        // A double matrix of small whole numbers, one byte each, next to its size.
        let mut variable = matrix("a", 6, 0, 2, &[]);
        variable.truncate(variable.len() - 8);
        variable.extend([2, 0, 4, 0, 1, 2, 3, 200]);
        let size = (variable.len() - 8) as u32;
        variable[4..8].copy_from_slice(&size.to_le_bytes());
        assert_eq!(read_all(&file(&[variable])).unwrap(), [Column::new("a", 2, vec![1.0, 3.0, 2.0, 200.0])]);
    }

    #[test]
    fn an_array_that_is_not_real_is_reported_and_the_others_are_read() {
        let numbers = int32([0; 4]);
        let found = read_all(&file(&[
            matrix("sparse", 5, 0, 5, &numbers),
            matrix("text", 4, 0, 4, b"a b "),
            matrix("complex", 12, 0b1000, 5, &numbers),
            matrix("short", 12, 0, 5, &numbers[..8]),
            matrix("strange", 12, 0, 16, &numbers),
            matrix("", 9, 0, 2, &numbers),
            matrix("good", 12, 0, 5, &numbers),
        ]));
        let expected = [
            ("sparse", "is a sparse matrix; save it as a full matrix"),
            ("text", "is text"),
            ("complex", "has complex numbers"),
            ("short", "has the size 2 × 2 but contains 2 numbers"),
            ("strange", "has values of type 16"),
            ("good", ""),
        ];
        let found = found.unwrap();
        assert_eq!(found.len(), expected.len());
        for (column, (name, problem)) in found.iter().zip(expected) {
            assert_eq!(column.name, name);
            assert!(column.problem.as_deref().unwrap_or_default().starts_with(problem), "{column:?}");
        }
        assert_eq!(found[5].values, [0.0; 4]);
    }

    #[test]
    fn an_array_without_values_is_unusable_whatever_its_other_sizes_are() {
        for shape in [[0, i32::MAX, i32::MAX, i32::MAX], [2, 0, i32::MAX, i32::MAX]] {
            let found = read_all(&file(&[array("x", 6, 0, 9, &shape, &[])])).unwrap();
            assert_eq!(found[0].problem.as_deref(), Some("has no numbers"));
        }
    }

    #[test]
    fn images_have_their_samples_first_or_last() {
        let content = file(&[array("X", 9, 0, 2, &[1, 2, 3], &[0, 1, 2, 3, 4, 5])]);
        let read = |samples| variables(&content, samples, &mut Room::of_bytes(1 << 20)).unwrap().remove(0);
        // The value at [0, j, k] is j + 2 k.
        let first = read(SamplesAre::First);
        assert_eq!((first.shape, first.values), (vec![2, 3], vec![0.0, 2.0, 4.0, 1.0, 3.0, 5.0]));
        let last = read(SamplesAre::Last);
        assert_eq!((last.shape, last.values), (vec![1, 2], vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]));
    }

    #[test]
    fn a_flipped_byte_or_a_cut_never_ends_in_a_panic() {
        let variable = matrix("a", 12, 0, 5, &int32([1, -2, 3, 4]));
        for content in [file(&[variable.clone(), variable.clone()]), file(&[compressed(&variable)])] {
            for at in 0..content.len() {
                let _ = read_all(&content[..at]);
                for bit in 0..8 {
                    let mut flipped = content.clone();
                    flipped[at] ^= 1 << bit;
                    let _ = read_all(&flipped);
                }
            }
        }
    }
}
