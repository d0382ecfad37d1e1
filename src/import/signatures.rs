//! Detects content that does not match the file name, from its first bytes.

/// The first bytes of a content, its kind, and what to do.
const BEGINNINGS: &[(&[u8], &str)] = &[
    (b"<!doctype", PAGE),
    (b"<html", PAGE),
    (b"<head", PAGE),
    (b"<?xml", "a web page or another XML file; download the data file itself"),
    (b"# created by octave", "Octave's text format; save it in Octave with `save -v7 file.mat x y`"),
    (
        b"\x89hdf\r\n\x1a\n",
        "an HDF5 file (MATLAB 7.3, Keras); save it in MATLAB with the option `-v7`, in Python read it with h5py and write it with `np.savez`",
    ),
    (b"version https://git-lfs", "a Git LFS pointer instead of the file; run `git lfs pull`"),
    (b"par1", "a Parquet file; give it the extension .parquet"),
    (b"@relation", "Weka's ARFF; remove all lines up to `@data` and import the rest with `--no-header`"),
    (b"%pdf", "a PDF document; import the data file itself"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook; save it as CSV"),
];

const PAGE: &str = "a web page; download the data file itself, its URL is often a link on this page";

/// Kind of a content that is not data, and what to do, if it is recognised: "a web page; download …".
pub fn mistaken(name: &str, content: &[u8]) -> Option<&'static str> {
    let text = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let begin: Vec<u8> = text.iter().take(64).map(u8::to_ascii_lowercase).collect();
    // The first bytes of binary files must match exactly.
    let begin = if begin.first().is_some_and(u8::is_ascii_whitespace) { begin.trim_ascii_start() } else { &begin };
    if let Some((_, what)) = BEGINNINGS.iter().find(|(beginning, _)| begin.starts_with(beginning)) {
        return Some(what);
    }
    // MATLAB writes a header before HDF5.
    if content.get(512..).is_some_and(|rest| rest.starts_with(b"\x89HDF\r\n\x1a\n")) {
        return Some("MATLAB 7.3, which is HDF5; save it in MATLAB with the option `-v7`");
    }
    let is_array = name.to_ascii_lowercase().ends_with(".npy") || name.to_ascii_lowercase().ends_with(".npz");
    match content {
        // Arrays of NumPy start with 0x93, a pickle with 0x80 and its version.
        [0x80, 2..=5, ..] => Some(
            "a Python pickle, which is not read because it can run any code; write its arrays with `np.savez` in Python. CIFAR-10 is also published as a binary version: `infoplane data fetch cifar-10`",
        ),
        [b'P', b'K', 3, 4, ..] if !is_array => {
            Some("a zip archive or an Excel workbook; unpack it and import a file of it, or save the workbook as CSV")
        }
        _ if content.get(257..262) == Some(b"ustar") => Some("a tar archive; unpack it and import a file of it"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_another_format_is_named() {
        let check = |name: &str, content: &[u8], expected: &str| {
            let what = mistaken(name, content).unwrap_or("nothing");
            assert!(what.starts_with(expected), "{name}: {what}");
        };
        check("train-images-idx3-ubyte", b"<!DOCTYPE html>", "a web page");
        check("a.csv", b"\xef\xbb\xbf\n  <HTML lang=en>", "a web page");
        check("a.mat", b"# Created by Octave 8.4", "Octave's text format");
        check("a.mat", b"\x89HDF\r\n\x1a\n", "an HDF5 file");
        check("a.mat", &[[b' '; 512].as_slice(), b"\x89HDF\r\n\x1a\n"].concat(), "MATLAB 7.3");
        check("data_batch_1", b"\x80\x02}q\x01", "a Python pickle");
        check("a.csv", b"PK\x03\x04", "a zip archive");
        let tar = [[b'a'; 257].as_slice(), b"ustar\0"].concat();
        check("cifar.data", &tar, "a tar archive");
        check("a.npz", b"PK\x03\x04", "nothing");
        check("a.csv", b"a,b,y\n", "nothing");
    }
}
