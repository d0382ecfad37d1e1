//! Compressed files: gzip, zstd, and archives of files.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use super::ImportError;
use crate::memory::{Room, Unread};

/// The content of a file compressed with gzip or zstd; other content is returned unchanged.
///
/// # Errors
/// A compressed file that is truncated or damaged, or needs more memory than the limit.
pub fn inflate(content: Vec<u8>, room: &mut Room) -> Result<Vec<u8>, ImportError> {
    const GZIP: &[u8] = &[0x1f, 0x8b];
    const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
    let what = "its content, unpacked,";
    let (format, unpacked) = match content.as_slice() {
        packed if packed.starts_with(GZIP) => ("gzip", room.read(MultiGzDecoder::new(packed), what)),
        packed if packed.starts_with(ZSTD) => {
            let decoder = zstd::Decoder::new(packed);
            let decoder = decoder.map_err(|e| Unread::Damaged { n_before: 0, problem: e.to_string() });
            ("zstd", decoder.and_then(|decoder| room.read(decoder, what)))
        }
        _ => return Ok(content),
    };
    unpacked.map_err(|unread| match unread {
        Unread::TooMuch(problem) => ImportError::Refused(problem),
        Unread::Damaged { n_before, problem } => ImportError::Format {
            format,
            problem: format!(
                "{problem}, after {n_before} bytes of content; its {} bytes are truncated or damaged",
                content.len()
            ),
        },
    })
}

/// `content` as a gzip file with the best compression of this format.
pub fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).and_then(|()| encoder.finish()).expect("a vector can be written to")
}

/// The files of a tar archive by the last part of their names; if two have one name, the first.
///
/// # Errors
/// An archive that is truncated or damaged.
pub fn members(archive: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, ImportError> {
    let failed = |problem: String| ImportError::Format { format: "tar", problem };
    let mut found = BTreeMap::new();
    for entry in tar::Archive::new(archive).entries().map_err(|e| failed(e.to_string()))? {
        let mut entry = entry.map_err(|e| failed(format!("{e}; it is truncated or damaged")))?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let (begin, size) = (entry.raw_file_position(), entry.size());
        let path = entry.path().map_err(|e| failed(e.to_string()))?;
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let mut content = Vec::new();
        let read = entry.read_to_end(&mut content);
        if read.is_err() || content.len() as u64 != size {
            let end = archive.len();
            return Err(failed(format!(
                "it ends at byte {end}, but `{name}` with {size} bytes starts at {begin}; it is truncated"
            )));
        }
        found.entry(name).or_insert(content);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_cksum();
            builder.append_data(&mut header, name, *content).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn inflated(content: Vec<u8>) -> Result<Vec<u8>, String> {
        inflate(content, &mut Room::of_bytes(1 << 20)).map_err(|e| e.to_string())
    }

    #[test]
    fn compressed_content_is_decompressed_and_other_content_is_unchanged() {
        let content = b"some content, some content".to_vec();
        assert_eq!(inflated(gzip(&content)).unwrap(), content);
        assert_eq!(inflated(zstd::encode_all(content.as_slice(), 0).unwrap()).unwrap(), content);
        assert_eq!(inflated(content.clone()).unwrap(), content);
        // Two consecutive streams are one file.
        assert_eq!(inflated([gzip(b"a"), gzip(b"b")].concat()).unwrap(), b"ab");
        assert!(inflated(Vec::new()).unwrap().is_empty());
    }

    #[test]
    fn gzip_truncated_anywhere_is_refused() {
        let content: Vec<u8> = (0..2000_u32).map(|i| (i * i % 251) as u8).collect();
        let packed = gzip(&content);
        for length in 2..packed.len() {
            let error = inflated(packed[..length].to_vec()).unwrap_err();
            let end = format!("its {length} bytes are truncated or damaged");
            assert!(error.starts_with("not a readable gzip file: ") && error.ends_with(&end), "{error}");
        }
    }

    #[test]
    fn compressed_content_above_the_memory_limit_is_refused() {
        let zeros = vec![0; 2 << 20];
        for packed in [gzip(&zeros), zstd::encode_all(zeros.as_slice(), 0).unwrap()] {
            let error = inflated(packed).unwrap_err();
            assert!(
                error.starts_with("its content, unpacked, needs more than 1.0 MB of memory; this machine has"),
                "{error}"
            );
        }
    }

    #[test]
    fn files_of_an_archive_are_found_by_their_names() {
        let archive = tar(&[("folder/a.bin", b"one"), ("folder/b.bin", b""), ("other/a.bin", b"two")]);
        let found = members(&archive).unwrap();
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            [("a.bin".to_owned(), b"one".to_vec()), ("b.bin".to_owned(), Vec::new())]
        );
        assert!(members(&[]).unwrap().is_empty());
    }

    #[test]
    fn a_truncated_archive_or_one_with_a_false_size_is_refused() {
        let archive = tar(&[("a.bin", &[7; 700])]);
        let within = members(&archive[..1000]).unwrap_err().to_string();
        let expected = "it ends at byte 1000, but `a.bin` with 700 bytes starts at 512; it is truncated";
        assert_eq!(within, format!("not a readable tar file: {expected}"));
        assert!(members(&archive[..100]).is_err());
        let mut lying = tar::Header::new_gnu();
        lying.set_path("a.bin").unwrap();
        lying.set_size(u64::MAX / 2);
        lying.set_cksum();
        assert!(members(lying.as_bytes()).is_err());
        assert!(members(&[1; 2000]).is_err());
    }
}
