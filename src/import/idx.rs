//! IDX files of any kind: MNIST, data sets of its form such as EMNIST and KMNIST, and files of the user.
//!
//! A file has two zeros, the type of its numbers, the number of its dimensions, their sizes in 32 bits each, and the
//! numbers; the most significant byte is first.
//!
//! # Reference
//! LeCun, Cortes & Burges, "The MNIST database of handwritten digits".

use super::{Encoding, ImportError, Kind, Numbers, Options, Order};
use crate::columns::Column;
use crate::memory::Room;

/// Whether the content starts like an IDX file.
pub(super) fn is_idx(content: &[u8]) -> bool {
    matches!(content, [0, 0, kind, 1..=8, ..] if encoding(*kind).is_some())
}

/// The array of the file, as a column with the name `0`.
pub(super) fn read(content: &[u8], options: &Options, room: &mut Room) -> Result<Vec<Column>, ImportError> {
    let failed = |problem: String| ImportError::Format { format: "IDX", problem };
    let (dimensions, encoding, bytes) = array(content).map_err(failed)?;
    // Refused even if there are no samples: otherwise nothing limits the other sizes, whose product may overflow.
    if dimensions.len() > 1 && dimensions.contains(&0) {
        return Err(failed("its array has no values".to_owned()));
    }
    room.take_numbers((bytes.len() / encoding.size) as u128, "its array").map_err(ImportError::Refused)?;
    let numbers = Numbers { dimensions: &dimensions, by_column: false, encoding, bytes };
    Ok(vec![numbers.column("0", options.samples)])
}

fn array(content: &[u8]) -> Result<(Vec<usize>, Encoding, &[u8]), String> {
    let [0, 0, kind, n_dimensions, rest @ ..] = content else {
        return Err("it does not start with two zeros, a type and a number of dimensions".to_owned());
    };
    let encoding = encoding(*kind).ok_or_else(|| format!("its numbers are of the unknown type {kind:#04x}"))?;
    let Some((sizes, bytes)) = rest.split_at_checked(4 * usize::from(*n_dimensions)) else {
        return Err(format!("it ends within its header, at byte {}; it is truncated", content.len()));
    };
    let (sizes, _) = sizes.as_chunks::<4>();
    let dimensions: Vec<usize> = sizes.iter().map(|size| u32::from_be_bytes(*size) as usize).collect();
    let n_bytes = dimensions.iter().try_fold(encoding.size, |n, size| n.checked_mul(*size));
    if n_bytes != Some(bytes.len()) || dimensions.is_empty() {
        let sizes: Vec<String> = dimensions.iter().map(usize::to_string).collect();
        return Err(format!(
            "its header declares {} numbers of {} bytes, but {} bytes follow; the file is truncated or damaged",
            sizes.join(" × "),
            encoding.size,
            bytes.len()
        ));
    }
    Ok((dimensions, encoding, bytes))
}

fn encoding(kind: u8) -> Option<Encoding> {
    let (kind, size) = match kind {
        0x08 => (Kind::Unsigned, 1),
        0x09 => (Kind::Signed, 1),
        0x0b => (Kind::Signed, 2),
        0x0c => (Kind::Signed, 4),
        0x0d => (Kind::Float, 4),
        0x0e => (Kind::Float, 8),
        _ => return None,
    };
    Some(Encoding { kind, size, order: Order::Big })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(content: &[u8]) -> Result<Vec<Column>, String> {
        read(content, &Options::default(), &mut Room::of_bytes(1 << 20)).map_err(|e| e.to_string())
    }

    fn idx(kind: u8, sizes: &[u32], bytes: &[u8]) -> Vec<u8> {
        let mut content = vec![0, 0, kind, sizes.len() as u8];
        sizes.iter().for_each(|size| content.extend(size.to_be_bytes()));
        [&content, bytes].concat()
    }

    #[test]
    fn arrays_of_every_type_are_read() {
        let images = columns(&idx(8, &[2, 2, 1], &[0, 255, 7, 8])).unwrap();
        assert_eq!((images[0].width, images[0].shape.as_slice()), (2, [2, 1].as_slice()));
        assert_eq!(images[0].values, [0.0, 255.0, 7.0, 8.0]);
        for (kind, bytes) in [
            (9, vec![0xfe]),
            (0x0b, (-2_i16).to_be_bytes().to_vec()),
            (0x0c, (-2_i32).to_be_bytes().to_vec()),
            (0x0d, (-2.0_f32).to_be_bytes().to_vec()),
            (0x0e, (-2.0_f64).to_be_bytes().to_vec()),
        ] {
            assert_eq!(columns(&idx(kind, &[1], &bytes)).unwrap()[0].values, [-2.0], "{kind}");
        }
    }

    #[test]
    fn a_header_that_does_not_fit_is_refused() {
        let refused = |content: &[u8], expected: &str| {
            assert_eq!(columns(content).unwrap_err(), format!("not a readable IDX file: {expected}"));
        };
        refused(&[0, 0, 8], "it does not start with two zeros, a type and a number of dimensions");
        refused(&[0, 0, 8, 2, 0, 0, 0, 1], "it ends within its header, at byte 8; it is truncated");
        refused(&[0, 0, 10, 0], "its numbers are of the unknown type 0x0a");
        let speaks = "bytes follow; the file is truncated or damaged";
        refused(&idx(8, &[2, 2], &[1, 2, 3]), &format!("its header declares 2 × 2 numbers of 1 bytes, but 3 {speaks}"));
        let most = u32::MAX;
        let sizes = format!("{most} × {most} × {most}");
        refused(&idx(8, &[most; 3], &[]), &format!("its header declares {sizes} numbers of 1 bytes, but 0 {speaks}"));
        refused(&idx(8, &[2, 0], &[]), "its array has no values");
        refused(&idx(8, &[0, most, most, most], &[]), "its array has no values");
        assert!(is_idx(&idx(0x0d, &[1], &[])) && !is_idx(b"\0\0\x10\x01") && !is_idx(b""));
    }
}
