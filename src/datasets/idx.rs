//! Data sets in IDX files: images in one file, their labels in another.
//!
//! A file has a magic number (0, 0, 8 for bytes, and the number of dimensions), the size of every dimension, and the
//! bytes; all numbers have 32 bits, most significant byte first.
//!
//! # Reference
//! LeCun, Cortes & Burges, "The MNIST database of handwritten digits".

use super::images::{Part, Pictures, dataset, parts};
use super::{Content, Dataset, DatasetError};
use crate::parameter::Parameters;

/// The samples of the parts in the parameters, from the four files of MNIST and data sets of its form.
pub(super) fn read(content: &mut Content<'_>, parameters: &Parameters) -> Result<Dataset, DatasetError> {
    let mut files = Vec::new();
    for part in parts(parameters) {
        let part = match part {
            Part::Train => "train",
            Part::Test => "t10k",
        };
        let (images, labels) = (format!("{part}-images-idx3-ubyte"), format!("{part}-labels-idx1-ubyte"));
        files.push(pictures((&images, &content(&images)?), (&labels, &content(&labels)?))?);
    }
    dataset(files)
}

/// The labels of ten classes.
const N_CLASSES: u8 = 10;

/// The images of a file of images and a file of labels, each with its name.
fn pictures(images: (&str, &[u8]), labels: (&str, &[u8])) -> Result<Pictures, DatasetError> {
    let ([n, height, width], pixels) = bytes(images.1).map_err(|problem| of(images.0, problem))?;
    let ([n_labels], labels_only) = bytes(labels.1).map_err(|problem| of(labels.0, problem))?;
    if n != n_labels {
        return Err(of(labels.0, format!("it declares {n_labels} labels, but {} declares {n} images", images.0)));
    }
    if n == 0 || height == 0 || width == 0 {
        return Err(of(images.0, format!("it declares {n} images of {height} × {width} pixels, so it has no data")));
    }
    if let Some(at) = labels_only.iter().position(|label| *label >= N_CLASSES) {
        let (label, offset, most) = (labels_only[at], labels.1.len() - labels_only.len() + at, N_CLASSES - 1);
        return Err(of(
            labels.0,
            format!(
                "byte {offset}, a label, is {label}; labels are 0 to {most}; import other data sets with `infoplane data import IMAGES LABELS`"
            ),
        ));
    }
    Ok(Pictures {
        file: images.0.to_owned(),
        n_pixels: pixels.len() / labels_only.len(),
        labels: labels_only.to_vec(),
        pixels: pixels.to_vec(),
    })
}

fn of(file: &str, problem: String) -> DatasetError {
    DatasetError::File { file: file.to_owned(), problem }
}

/// The sizes of the N dimensions, and the bytes.
fn bytes<const N: usize>(content: &[u8]) -> Result<([u32; N], &[u8]), String> {
    let number = |at: usize| {
        let four = content.get(4 * at..).and_then(|rest| rest.first_chunk::<4>());
        four.map(|four| u32::from_be_bytes(*four)).ok_or_else(|| {
            let (n, want) = (content.len(), 4 + 4 * N);
            format!("it has {n} bytes, but its header alone has {want}; it is truncated")
        })
    };
    let magic = 0x0800 + N as u32;
    let found = number(0)?;
    if found != magic {
        return Err(format!(
            "it starts with {found:#010x}, but an IDX file of {N} dimensions starts with {magic:#010x}"
        ));
    }
    let mut sizes = [0; N];
    for (d, size) in sizes.iter_mut().enumerate() {
        *size = number(1 + d)?;
    }
    let (_, bytes) = content.split_at(4 + 4 * N);
    // Three numbers of 32 bits: the product fits into 96.
    let n_bytes: u128 = sizes.iter().map(|size| u128::from(*size)).product();
    let (got, want) = (content.len(), n_bytes + 4 + 4 * N as u128);
    if bytes.len() as u128 != n_bytes {
        let sizes = sizes.map(|size| size.to_string()).join(" × ");
        let state = if (got as u128) < want { "it is truncated" } else { "it has more bytes than expected" };
        return Err(format!(
            "it has {got} bytes, but its header declares {sizes} bytes, which make {want} with the header; {state}"
        ));
    }
    Ok((sizes, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameter::Value;

    fn idx(sizes: &[u32], bytes: &[u8]) -> Vec<u8> {
        let mut content = vec![0, 0, 8, sizes.len() as u8];
        sizes.iter().for_each(|size| content.extend(size.to_be_bytes()));
        [&content, bytes].concat()
    }

    /// The four files, with `edit` applied to the file `name`.
    fn files(name: &str, edit: &dyn Fn(&mut Vec<u8>), part: &str) -> Result<Dataset, String> {
        let part = [("part".to_owned(), Value::parse(part))];
        let parameters = Parameters::new(&[super::super::images::PART], part).unwrap();
        let mut content = |wanted: &str| {
            let mut content = match wanted {
                "train-images-idx3-ubyte" => idx(&[3, 1, 2], &[0, 255, 51, 0, 1, 2]),
                "train-labels-idx1-ubyte" => idx(&[3], &[9, 0, 4]),
                "t10k-images-idx3-ubyte" => idx(&[1, 2, 1], &[7, 8]),
                _ => idx(&[1], &[3]),
            };
            if wanted == name {
                edit(&mut content);
            }
            Ok(content)
        };
        read(&mut content, &parameters).map_err(|e| e.to_string())
    }

    #[track_caller]
    fn check(name: &str, edit: &dyn Fn(&mut Vec<u8>), expected: &str) {
        assert_eq!(files(name, edit, "all").unwrap_err(), format!("{name}: {expected}"));
    }

    #[test]
    fn training_samples_come_first_and_pixels_lie_between_0_and_1() {
        let nothing = |_: &mut Vec<u8>| ();
        let all = files("", &nothing, "all").unwrap();
        assert_eq!(all.y, [9, 0, 4, 3]);
        let expected = [0.0, 1.0, 0.2, 0.0, 1.0 / 255.0, 2.0 / 255.0, 7.0 / 255.0, 8.0 / 255.0];
        assert_eq!(all.x.iter().copied().collect::<Vec<f32>>(), expected);
        assert_eq!(files("", &nothing, "test").unwrap().y, [3]);
        assert_eq!(files("", &nothing, "train").unwrap().y, [9, 0, 4]);
    }

    #[test]
    fn only_the_files_of_the_part_are_needed() {
        let mut asked = Vec::new();
        let mut content = |name: &str| {
            asked.push(name.to_owned());
            Ok(if name.contains("images") { idx(&[1, 1, 1], &[0]) } else { idx(&[1], &[0]) })
        };
        let test = Parameters::new(&[super::super::images::PART], [("part".to_owned(), Value::parse("test"))]);
        read(&mut content, &test.unwrap()).unwrap();
        assert_eq!(asked, ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]);
    }

    #[test]
    fn a_file_truncated_anywhere_is_refused_with_the_place() {
        let images = "train-images-idx3-ubyte";
        for length in 0..16 {
            let expected = format!("it has {length} bytes, but its header alone has 16; it is truncated");
            check(images, &move |content| content.truncate(length), &expected);
        }
        for length in 16..22 {
            let ends = "its header declares 3 × 1 × 2 bytes, which make 22 with the header; it is truncated";
            check(images, &move |content| content.truncate(length), &format!("it has {length} bytes, but {ends}"));
        }
        let labels = "train-labels-idx1-ubyte";
        let header = "it has 7 bytes, but its header alone has 8; it is truncated";
        check(labels, &|content| content.truncate(7), header);
        let end = "it has 10 bytes, but its header declares 3 bytes, which make 11 with the header; it is truncated";
        check(labels, &|content| content.truncate(10), end);
    }

    #[test]
    fn wrong_headers_are_refused() {
        let images = "train-images-idx3-ubyte";
        let magic = "it starts with 0x00000801, but an IDX file of 3 dimensions starts with 0x00000803";
        check(images, &|content| content[3] = 1, magic);
        let floats = "it starts with 0x00000d03, but an IDX file of 3 dimensions starts with 0x00000803";
        check(images, &|content| content[2] = 13, floats);
        let longer = "it has 23 bytes, but its header declares 3 × 1 × 2 bytes, which make 22 with the header; it has more bytes than expected";
        check(images, &|content| content.push(0), longer);
        let huge = "it has 22 bytes, but its header declares 4294967295 × 4294967295 × 4294967295 bytes, which make 79228162458924105385300197391 with the header; it is truncated";
        check(images, &|content| content[4..16].fill(255), huge);
        let nothing = |content: &mut Vec<u8>| *content = idx(&[3, 0, 2], &[]);
        check(images, &nothing, "it declares 3 images of 0 × 2 pixels, so it has no data");
    }

    #[test]
    fn files_that_do_not_belong_together_are_refused() {
        let labels = "train-labels-idx1-ubyte";
        let fewer = "it declares 2 labels, but train-images-idx3-ubyte declares 3 images";
        check(labels, &|content| *content = idx(&[2], &[9, 0]), fewer);
        let other = "byte 9, a label, is 10; labels are 0 to 9; import other data sets with `infoplane data import IMAGES LABELS`";
        check(labels, &|content| content[9] = 10, other);
        let wider = "its images have 3 pixels, but those of train-images-idx3-ubyte have 2";
        check("t10k-images-idx3-ubyte", &|content| *content = idx(&[1, 3, 1], &[1, 2, 3]), wider);
    }
}
