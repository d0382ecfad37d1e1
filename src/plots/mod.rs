//! Tables → pictures. Computes no statistics and reads no files; the only place that names the plot library.
//! One file a picture, listed in [`PLOTS`].

mod canvas;
mod information_plane;
mod snapshots;

use thiserror::Error;

use crate::store::schema::{EstimateRow, SummaryRow};
use crate::suggest::suggestion;

/// What there is to draw: one experiment and one estimator.
#[derive(Debug, Clone, Copy)]
pub struct Tables<'a> {
    /// Means over runs, sorted by layer and epoch.
    pub summary: &'a [SummaryRow],
    /// Every run's estimates, sorted by run, layer and epoch; empty where a summary joins several experiments.
    pub estimates: &'a [EstimateRow],
}

/// A finished picture in both formats.
#[derive(Debug)]
pub struct Picture {
    /// Vector graphics.
    pub svg: String,
    /// Pixels, at twice the size of the SVG's.
    pub png: Vec<u8>,
}

/// A picture that can be drawn.
#[derive(Debug)]
pub struct Spec {
    /// What the user calls it; also the beginning of its file name.
    pub name: &'static str,
    /// One sentence for lists.
    pub summary: &'static str,
    /// Draws it.
    pub draw: fn(Tables<'_>) -> Result<Picture, PlotError>,
}

/// Every picture, in the order people see.
pub const PLOTS: &[&Spec] = &[&information_plane::SPEC, &snapshots::SPEC];

/// Why there is no picture.
#[derive(Debug, Error)]
pub enum PlotError {
    /// No picture has this name.
    #[error("unknown plot `{name}`; {suggestion}")]
    Unknown {
        /// The given name.
        name: String,
        /// What the user may have meant.
        suggestion: String,
    },
    /// No numbers to draw.
    #[error("no picture, because there is no {0}")]
    Nothing(&'static str),
    /// The plot library could not make pixels.
    #[error("cannot draw: {0}")]
    Library(String),
}

/// The picture called `name`.
///
/// # Errors
/// No picture has this name.
pub fn find(name: &str) -> Result<&'static Spec, PlotError> {
    let suggestion = || suggestion(name, PLOTS.iter().map(|spec| spec.name));
    let found = PLOTS.iter().find(|spec| spec.name == name);
    found.copied().ok_or_else(|| PlotError::Unknown { name: name.to_owned(), suggestion: suggestion() })
}
