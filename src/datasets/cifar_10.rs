//! CIFAR-10: small colour images, from the binary version.
//!
//! A file has 10000 records of 3073 bytes: the label, then 32 × 32 bytes of red, of green and of blue, row by row.
//! Inputs keep this order.
//!
//! # Reference
//! Krizhevsky 2009, "Learning multiple layers of features from tiny images".

use super::images::{PART, Part, Pictures, dataset, parts};
use super::{Content, Dataset, DatasetError, PublishedFile, Source, Spec};
use crate::parameter::Parameters;

pub(super) const SPEC: Spec = Spec {
    name: "cifar-10",
    summary: "60000 photographs of 32 x 32 pixels with three colour channels (Krizhevsky 2009), from the binary version",
    parameters: &[PART],
    source: Source::Files {
        files: &[PublishedFile {
            name: "cifar-10-binary.tar.gz",
            bytes: 170_052_171,
            sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        }],
        mirrors: &["https://www.cs.toronto.edu/~kriz/"],
        read,
    },
};

const N_RECORDS: usize = 10_000;
const N_PIXELS: usize = 3 * 32 * 32;
const N_CLASSES: u8 = 10;

fn read(content: &mut Content<'_>, parameters: &Parameters) -> Result<Dataset, DatasetError> {
    let mut files = Vec::new();
    for part in parts(parameters) {
        let names: &[&str] = match part {
            Part::Train => {
                &["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"]
            }
            Part::Test => &["test_batch.bin"],
        };
        for name in names {
            let pictures = pictures(name, &content(name)?);
            files.push(pictures.map_err(|problem| DatasetError::File { file: (*name).to_owned(), problem })?);
        }
    }
    dataset(files)
}

fn pictures(file: &str, content: &[u8]) -> Result<Pictures, String> {
    let (n_bytes, want) = (content.len(), N_RECORDS * (1 + N_PIXELS));
    if n_bytes != want {
        let state = if n_bytes < want { "it is truncated" } else { "it has more bytes than expected" };
        return Err(format!(
            "it has {n_bytes} bytes, but {N_RECORDS} records of {} bytes need {want}; {state}",
            1 + N_PIXELS
        ));
    }
    let (mut labels, mut pixels) = (Vec::with_capacity(N_RECORDS), Vec::with_capacity(N_RECORDS * N_PIXELS));
    for (i, record) in content.chunks_exact(1 + N_PIXELS).enumerate() {
        let label = record[0];
        if label >= N_CLASSES {
            let (offset, most) = (i * (1 + N_PIXELS), N_CLASSES - 1);
            return Err(format!("byte {offset}, the label of record {i}, is {label}; labels are 0 to {most}"));
        }
        labels.push(label);
        pixels.extend_from_slice(&record[1..]);
    }
    Ok(Pictures { file: file.to_owned(), n_pixels: N_PIXELS, labels, pixels })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Record i has the label i mod 10, and pixels that count up from i.
    fn batch() -> Vec<u8> {
        let record = |i: usize| (0..1 + N_PIXELS).map(move |p| if p == 0 { (i % 10) as u8 } else { (i + p) as u8 });
        (0..N_RECORDS).flat_map(record).collect()
    }

    #[track_caller]
    fn check(content: &[u8], expected: &str) {
        assert_eq!(pictures("test_batch.bin", content).unwrap_err(), expected);
    }

    #[test]
    fn a_record_is_a_label_and_its_pixels() {
        let read = pictures("test_batch.bin", &batch()).unwrap();
        assert_eq!((read.labels.len(), read.labels[7], read.labels[9_999]), (N_RECORDS, 7, 9));
        assert_eq!(read.pixels[3 * N_PIXELS..][..3], [4, 5, 6]);
    }

    #[test]
    fn the_parts_are_read_from_their_files_in_order() {
        let mut asked = Vec::new();
        let nothing = |name: &str| {
            asked.push(name.to_owned());
            Err(DatasetError::Missing { file: name.to_owned() })
        };
        let mut nothing = nothing;
        let error = read(&mut nothing, &Parameters::default()).unwrap_err();
        assert_eq!(error.to_string(), "the file `data_batch_1.bin` is missing");
        assert_eq!(asked, ["data_batch_1.bin"]);
    }

    #[test]
    fn a_file_of_another_length_or_with_another_label_is_refused() {
        let mut content = batch();
        content.push(0);
        let end = "10000 records of 3073 bytes need 30730000";
        check(&content, &format!("it has 30730001 bytes, but {end}; it has more bytes than expected"));
        // Also if complete records are missing.
        for length in [0, 1, 3072, 3073, 30_729_999] {
            check(&content[..length], &format!("it has {length} bytes, but {end}; it is truncated"));
        }
        content.pop();
        content[2 * 3073] = 10;
        check(&content, "byte 6146, the label of record 2, is 10; labels are 0 to 9");
    }
}
