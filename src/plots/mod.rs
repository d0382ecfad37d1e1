//! Tables → pictures. Computes no statistics and reads no files; the only place that names the plot library.
//! One file a picture, listed in [`PLOTS`].

mod axes;
mod bound;
mod canvas;
mod compression;
mod curves;
mod dashes;
mod ends;
mod estimators;
pub mod film;
mod fit;
mod gradients;
mod histograms;
mod information_plane;
mod panels;
mod series;
mod settings;
mod sheet;
mod snapshots;
mod stability;
#[cfg(test)]
pub(crate) mod tests;
mod variance;

use thiserror::Error;

use crate::store::schema::{
    BoundLayerRow, BoundRow, CompressionRow, EffectRow, EstimateRow, LevelRow, SettingRow, StabilityRow, SummaryRow,
};
use crate::suggest::{Suggestion, suggestion};

/// What there is to draw. Whatever a folder lacks, and whatever is of no concern to the subject, is empty.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tables<'a> {
    /// Means over runs of the subject, sorted by experiment, estimator, layer and epoch.
    pub summary: &'a [SummaryRow],
    /// The same of all estimators of the experiment, where the subject is one of them.
    pub siblings: &'a [SummaryRow],
    /// Every run's estimates, sorted by run, layer and epoch; empty where a summary joins several experiments.
    pub estimates: &'a [EstimateRow],
    /// Compression of the subject.
    pub compression: &'a [CompressionRow],
    /// How the activations of the first run are spread, sorted by layer and epoch.
    pub histograms: &'a [Histogram],
    /// The information bottleneck's curve, by rising β.
    pub bound: &'a [BoundRow],
    /// The layers beside it.
    pub bound_layers: &'a [BoundLayerRow],
    /// The parameters that vary over the experiments.
    pub settings: &'a [SettingRow],
    /// Where claims hold.
    pub stability: &'a [StabilityRow],
    /// Where the variance of the compression comes from.
    pub effects: &'a [EffectRow],
    /// The compression by the values of what varies.
    pub levels: &'a [LevelRow],
}

/// How the activations of a layer are spread at one snapshot, all units together.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Number of the layer, 1 is the first above the input.
    pub layer: i32,
    /// Whole passes over the training samples.
    pub epoch: i32,
    /// The lower end of the first bin; the same for all snapshots of a layer.
    pub low: f64,
    /// The upper end of the last bin.
    pub high: f64,
    /// Shares of the values in bins of equal width, which sum to 1.
    pub shares: Vec<f64>,
}

/// What one picture is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// One estimator of one experiment.
    Estimator,
    /// One experiment with all of its estimators.
    Experiment,
    /// One estimator in all experiments of the folder.
    Sweep,
    /// The whole folder.
    Folder,
}

impl Subject {
    /// What a picture is drawn of, for lists.
    pub fn words(self) -> &'static str {
        match self {
            Subject::Estimator => "each estimator",
            Subject::Experiment => "each experiment",
            Subject::Sweep => "each estimator over a sweep",
            Subject::Folder => "the folder",
        }
    }
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
    /// What one of them is about.
    pub of: Subject,
    /// Draws it.
    pub draw: fn(Tables<'_>) -> Result<Picture, PlotError>,
}

/// Every picture, in the order people see.
pub const PLOTS: &[&Spec] = &[
    &information_plane::SPEC,
    &snapshots::SPEC,
    &curves::SPEC,
    &estimators::SPEC,
    &compression::SPEC,
    &fit::SPEC,
    &gradients::SPEC,
    &histograms::SPEC,
    &panels::SPEC,
    &ends::SPEC,
    &bound::SPEC,
    &stability::SPEC,
];

/// Why there is no picture.
#[derive(Debug, Error)]
pub enum PlotError {
    /// No picture has this name.
    #[error("unknown plot `{name}`; {suggestion}")]
    Unknown {
        /// The given name.
        name: String,
        /// What the user may have meant.
        suggestion: Suggestion,
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
