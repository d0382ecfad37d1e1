//! NumPy arrays: `.npy` (one array) and `.npz` (a zip of named ones).

use std::collections::BTreeSet;
use std::io::{Cursor, Read};

use ndarray::{Array2, ShapeBuilder};
use ndarray_npy::npy::header::Header;
use zip::ZipArchive;

use super::{Encoding, ImportError, Kind, Order};
use crate::columns::Column;

/// The columns of a 2-D array, named `0`, `1`, …; a 1-D array is the column `0`.
pub(super) fn read_array(content: &[u8]) -> Result<Vec<Column>, ImportError> {
    let failed = |problem| ImportError::Format { format: "NumPy .npy", problem };
    let (width, values) = array(content).map_err(failed)?;
    let column = |c: usize| Column::new(c.to_string(), 1, values.iter().skip(c).step_by(width).copied().collect());
    Ok((0..width).map(column).collect())
}

/// Every array of the archive, under its name.
pub(super) fn read_archive(content: &[u8]) -> Result<Vec<Column>, ImportError> {
    let failed = |problem: String| ImportError::Format { format: "NumPy .npz", problem };
    let mut archive = ZipArchive::new(Cursor::new(content)).map_err(|e| failed(e.to_string()))?;
    if let Some(name) = name_of_two(content, archive.central_directory_start()) {
        return Err(failed(format!("two of its arrays are called `{name}`; give each a name of its own")));
    }
    let names: Vec<String> = archive.file_names().map(str::to_owned).collect();
    let mut member = |file: &String| {
        let name = file.strip_suffix(".npy").unwrap_or(file);
        let mut bytes = Vec::new();
        let read = archive.by_name(file).map_err(|e| e.to_string());
        let read = read.and_then(|mut member| member.read_to_end(&mut bytes).map_err(|e| e.to_string()));
        match read.and_then(|_| array(&bytes)) {
            Ok((width, values)) => Column::new(name, width, values),
            Err(problem) => Column::unusable(name, problem),
        }
    };
    Ok(names.iter().map(&mut member).collect())
}

/// The width and the values, row after row, of the array in the bytes of a `.npy` file.
fn array(content: &[u8]) -> Result<(usize, Vec<f64>), String> {
    let (header, data) = header(content)?;
    let (n_rows, width) = match *header.shape.as_slice() {
        [n_rows] => (n_rows, 1),
        [_, 0] => return Err("has rows without values".to_owned()),
        [n_rows, width] => (n_rows, width),
        ref shape => return Err(format!("has {} dimensions, samples and values make 2", shape.len())),
    };
    let Some(encoding) = header.type_descriptor.as_string().and_then(|text| encoding(text)) else {
        return Err(format!("holds values of type {}, not numbers that can be read", header.type_descriptor));
    };
    // The header may lie: nothing is reserved that is not there.
    let expected = n_rows.checked_mul(width).and_then(|n| n.checked_mul(encoding.size));
    if expected != Some(data.len()) {
        let (size, n_bytes) = (encoding.size, data.len());
        return Err(format!(
            "its header speaks of {n_rows} × {width} numbers of {size} bytes, but {n_bytes} bytes follow; the file is truncated or damaged"
        ));
    }
    let array = Array2::from_shape_vec((n_rows, width).set_f(header.layout.is_fortran()), encoding.decode(data));
    Ok((width, array.expect("as many values as the shape has").iter().copied().collect()))
}

/// The header, and the bytes behind it.
fn header(content: &[u8]) -> Result<(Header, &[u8]), String> {
    /// A plain array's header is one dictionary with one tuple in it; more brackets than a few are not for numbers, and
    /// many would overflow the stack of the library's recursive parser.
    const MOST_BRACKETS: usize = 100;
    // Magic string and version take 8 bytes; version 1 has 2 bytes for the length of what follows, later ones have 4.
    let length = match *content {
        [_, _, _, _, _, _, 1, _, a, b, ..] => Some(10 + usize::from(u16::from_le_bytes([a, b]))),
        [_, _, _, _, _, _, _, _, a, b, c, d, ..] => usize::try_from(u32::from_le_bytes([a, b, c, d])).ok(),
        _ => None,
    };
    let text = length.and_then(|length| content.get(..length));
    let is_plain = |text: &&[u8]| text.iter().filter(|byte| b"([{".contains(byte)).count() <= MOST_BRACKETS;
    let mut rest = content;
    let header = text.filter(is_plain).and_then(|_| Header::from_reader(&mut rest).ok());
    header.map(|header| (header, rest)).ok_or_else(|| "it does not begin with the header of an array".to_owned())
}

/// The encoding that a descriptor such as `<f8` or `|b1` stands for.
fn encoding(descriptor: &str) -> Option<Encoding> {
    let (order, kind) = (descriptor.get(..1)?, descriptor.get(1..2)?);
    let order = if order == ">" { Order::Big } else { Order::Little };
    let (kind, sizes): (_, &[usize]) = match kind {
        "i" => (Kind::Signed, &[1, 2, 4, 8]),
        "u" => (Kind::Unsigned, &[1, 2, 4, 8]),
        "f" => (Kind::Float, &[2, 4, 8]),
        "b" => (Kind::Unsigned, &[1]),
        _ => return None,
    };
    let size = descriptor.get(2..)?.parse().ok().filter(|size| sizes.contains(size))?;
    Some(Encoding { kind, size, order })
}

/// A name that two files of a zip archive have, of which the library shows the last only.
fn name_of_two(archive: &[u8], directory_start: u64) -> Option<String> {
    /// An entry of the directory: its signature, the bytes before its name, and where the lengths of name, extra field and
    /// comment are (APPNOTE.TXT 6.3.10, section 4.3.12).
    const SIGNATURE: &[u8] = b"PK\x01\x02";
    const N_FIXED: usize = 46;
    const LENGTHS: usize = 28;
    let mut names = BTreeSet::new();
    let mut rest = archive.get(usize::try_from(directory_start).ok()?..)?;
    while rest.starts_with(SIGNATURE) {
        let length = |i: usize| Some(usize::from(u16::from_le_bytes(*rest.get(LENGTHS + 2 * i..)?.first_chunk()?)));
        let (n_name, n_extra, n_comment) = (length(0)?, length(1)?, length(2)?);
        let name = rest.get(N_FIXED..N_FIXED + n_name)?;
        if !names.insert(name) {
            return Some(String::from_utf8_lossy(name).trim_end_matches(".npy").to_owned());
        }
        rest = rest.get(N_FIXED + n_name + n_extra + n_comment..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npy(header: &str, data: &[u8]) -> Vec<u8> {
        let header = format!("{header}\n");
        let length = u16::try_from(header.len()).unwrap().to_le_bytes();
        [b"\x93NUMPY\x01\x00", length.as_slice(), header.as_bytes(), data].concat()
    }

    #[track_caller]
    fn check(descriptor: &str, fortran: &str, shape: &str, data: &[u8], expected: Result<Vec<f64>, &str>) {
        let text = format!("{{'descr': {descriptor}, 'fortran_order': {fortran}, 'shape': {shape}, }}");
        let got = array(&npy(&text, data)).map(|(_, values)| values);
        assert_eq!(got, expected.map_err(str::to_owned));
    }

    #[test]
    fn arrays_of_both_layouts_and_unusual_types_are_read() {
        check("'|u1'", "False", "(2, 3)", &[1, 2, 3, 4, 5, 6], Ok(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
        check("'|u1'", "True", "(2, 3)", &[1, 4, 2, 5, 3, 6], Ok(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
        check("'|b1'", "False", "(2,)", &[1, 0], Ok(vec![1.0, 0.0]));
        check("'<f2'", "False", "(1,)", &[0x00, 0x3e], Ok(vec![1.5]));
        check("'>i2'", "False", "(1,)", &[0xff, 0xfe], Ok(vec![-2.0]));
        let problem = "holds values of type '<c16', not numbers that can be read";
        check("'<c16'", "False", "(1,)", &[0; 16], Err(problem));
        check("'|u1'", "False", "(1, 1, 1)", &[0], Err("has 3 dimensions, samples and values make 2"));
        check("'|u1'", "False", "(1, 0)", &[], Err("has rows without values"));
    }

    #[test]
    fn a_header_that_lies_about_its_array_reserves_nothing() {
        let speaks = |shape: &str, size: usize, n_bytes: usize| {
            format!(
                "its header speaks of {shape} numbers of {size} bytes, but {n_bytes} bytes follow; the file is truncated or damaged"
            )
        };
        check("'<f8'", "False", "(1000000000000,)", &[0; 8], Err(&speaks("1000000000000 × 1", 8, 8)));
        check("'<f8'", "False", "(2, 2)", &[0; 31], Err(&speaks("2 × 2", 8, 31)));
        check("'<f8'", "False", "(2, 2)", &[0; 33], Err(&speaks("2 × 2", 8, 33)));
        let wide = "(9223372036854775807, 9223372036854775807)";
        check("'<f8'", "False", wide, &[0; 8], Err(&speaks("9223372036854775807 × 9223372036854775807", 8, 8)));
    }

    #[test]
    fn a_header_that_is_none_is_refused() {
        let refused = |content: &[u8]| assert!(array(content).unwrap_err().contains("does not begin with the header"));
        refused(b"");
        refused(b"\x93NUMPY");
        refused(&npy(&"(".repeat(60_000), &[]));
        refused(&npy("{'descr': '<f8'}", &[]));
        refused(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}"); // 4 GB of header
    }

    #[test]
    fn two_arrays_of_one_name_are_refused() {
        let mut archive = ndarray_npy::NpzWriter::new(Cursor::new(Vec::new()));
        archive.add_array("x", &Array2::<f32>::ones((3, 2))).unwrap();
        archive.add_array("z", &Array2::<f32>::zeros((3, 2))).unwrap();
        let mut npz = archive.finish().unwrap().into_inner();
        assert_eq!(read_archive(&npz).unwrap().len(), 2);
        // The name is in front of the array and in the directory.
        while let Some(at) = npz.windows(5).position(|bytes| bytes == b"z.npy") {
            npz[at] = b'x';
        }
        let told = read_archive(&npz).unwrap_err().to_string();
        assert!(told.contains("two of its arrays are called `x`; give each a name of its own"), "{told}");
    }

    #[test]
    fn a_flipped_bit_never_ends_in_a_panic() {
        let mut archive = ndarray_npy::NpzWriter::new_compressed(Cursor::new(Vec::new()));
        archive.add_array("x", &Array2::<f32>::ones((3, 2))).unwrap();
        let npz = archive.finish().unwrap().into_inner();
        assert_eq!(read_archive(&npz).unwrap(), [Column::new("x", 2, vec![1.0; 6])]);
        let npy = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2), }", &[1, 2]);
        let read: [(&[u8], crate::import::Reader); 2] = [(&npz, read_archive), (&npy, read_array)];
        for (content, read) in read {
            for bit in 0..8 * content.len() {
                let mut flipped = content.to_vec();
                flipped[bit / 8] ^= 1 << (bit % 8);
                let _ = read(&flipped);
            }
        }
    }
}
