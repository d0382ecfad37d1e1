//! Published images: which part of them is used, and how bytes are converted to samples.

use ndarray::Array2;

use super::{Dataset, DatasetError};
use crate::parameter::{Kind, Parameter, Parameters};

/// Which part of the published samples is used.
pub(super) const PART: Parameter = Parameter {
    name: "part",
    doc: "which samples to use: all (the published training samples come first), train or test",
    kind: Kind::Choice(&["all", "train", "test"]),
    default: "all",
};

/// The parts to use, in order.
pub(super) fn parts(parameters: &Parameters) -> &'static [Part] {
    match parameters.text("part") {
        Some("train") => &[Part::Train],
        Some("test") => &[Part::Test],
        _ => &[Part::Train, Part::Test],
    }
}

/// A published part.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    Train,
    Test,
}

/// Images of one file: a label and `n_pixels` bytes each.
#[derive(Debug, PartialEq)]
pub(super) struct Pictures {
    pub(super) file: String,
    pub(super) n_pixels: usize,
    pub(super) labels: Vec<u8>,
    pub(super) pixels: Vec<u8>,
}

/// The images of all files as samples, with pixels divided by 255.
///
/// # Errors
/// Images of different sizes.
pub(super) fn dataset(files: Vec<Pictures>) -> Result<Dataset, DatasetError> {
    let n_pixels = files.first().map_or(0, |first| first.n_pixels);
    if let Some(other) = files.iter().find(|pictures| pictures.n_pixels != n_pixels) {
        let (got, first) = (other.n_pixels, &files[0].file);
        let problem = format!("its images have {got} pixels, but those of {first} have {n_pixels}");
        return Err(DatasetError::File { file: other.file.clone(), problem });
    }
    let y: Vec<i32> = files.iter().flat_map(|pictures| &pictures.labels).map(|label| i32::from(*label)).collect();
    let mut x = Vec::with_capacity(y.len() * n_pixels);
    for pictures in files {
        x.extend(pictures.pixels.iter().map(|pixel| f32::from(*pixel) / 255.0));
    }
    let x = Array2::from_shape_vec((y.len(), n_pixels), x).expect("every image has n_pixels");
    Ok(Dataset { x, y, p_y1: None, target: None })
}
