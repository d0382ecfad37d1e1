//! Draws figures from tables. Computes no statistics and reads no files; the only module that names the plot library.
//! One file per figure; the figures are listed in [`PLOTS`].

pub mod audit;
mod axes;
mod bound;
mod canvas;
mod compression;
mod curves;
mod dashes;
mod ends;
mod estimators;
mod fit;
pub mod frame;
mod gradients;
mod grid;
pub(crate) mod histograms;
mod information_plane;
mod labels;
mod line_ends;
mod marks;
mod measures;
mod panels;
pub mod pixels;
mod plane;
pub(crate) mod series;
mod settings;
mod sheet;
pub(crate) mod single;
mod snapshots;
mod stability;
#[cfg(test)]
pub(crate) mod tests;
mod timeline;
mod upright;
mod variance;
pub(crate) mod weights;

pub use information_plane::ceiling_names;
use thiserror::Error;

use crate::layer_id::LayerId;
use crate::store::Experiment;
use crate::store::schema::{
    BoundLayerRow, BoundRow, CompressionRow, EffectRow, EstimateRow, LevelRow, PhaseRow, SettingRow, StabilityRow,
    SummaryRow, TrainingSummaryRow, WeightSummaryRow,
};
use crate::suggest::{Suggestion, suggestion};

/// A table that figures are drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// Means over runs.
    Summary,
    /// The estimates of every run.
    Estimates,
    /// Compression over runs.
    Compression,
    /// Compression of every run.
    Phases,
    /// Measures of weights over runs.
    WeightSummary,
    /// The recorded activations of the first run.
    Activations,
    /// Losses, accuracies and norms over runs.
    TrainingSummary,
    /// The curve of the information bottleneck.
    Bound,
    /// The layers next to the curve.
    BoundLayers,
    /// The values of the parameters that a sweep varies.
    Settings,
    /// The settings in which claims hold.
    Stability,
    /// The sources of the variance of the compression.
    Effects,
    /// The compression by the values of the parameters.
    Levels,
}

impl Table {
    /// Its file or folder, below the folder of an experiment or sweep.
    pub fn place(self) -> &'static str {
        self.origin().0
    }

    /// Its place, and the command that writes it.
    fn origin(self) -> (&'static str, &'static str) {
        match self {
            Table::Summary => (Experiment::SUMMARY, "aggregate"),
            Table::Estimates => ("estimates/", "estimate"),
            Table::Compression => (Experiment::COMPRESSION, "aggregate"),
            Table::Phases => (Experiment::PHASES, "aggregate"),
            Table::WeightSummary => (Experiment::WEIGHT_SUMMARY, "aggregate"),
            Table::Activations => ("recording/activations/", "record"),
            Table::TrainingSummary => (Experiment::TRAINING_SUMMARY, "aggregate"),
            Table::Bound => (Experiment::BOUND, "bound"),
            Table::BoundLayers => (Experiment::BOUND_LAYERS, "bound"),
            Table::Settings => (Experiment::SETTINGS, "sweep"),
            Table::Stability => (Experiment::STABILITY, "stability"),
            Table::Effects => (Experiment::EFFECTS, "stability"),
            Table::Levels => (Experiment::LEVELS, "stability"),
        }
    }
}

/// The rows that a figure is drawn from. Tables that are missing or not needed by the figure are empty.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tables<'a> {
    /// Means over runs of the subject, sorted by experiment, estimator, layer and epoch.
    pub summary: &'a [SummaryRow],
    /// Means over runs of all estimators of the experiment, if the subject is one of them.
    pub siblings: &'a [SummaryRow],
    /// The estimates of every run, those of one estimator sorted by run, layer and epoch; empty if the summary joins several
    /// experiments. If the subject has several estimators: only estimators with fewer than five runs.
    pub estimates: &'a [EstimateRow],
    /// Compression of the subject.
    pub compression: &'a [CompressionRow],
    /// Compression of every run, sorted by experiment and estimator.
    pub phases: &'a [PhaseRow],
    /// Measures of weights over the runs of the subject, sorted by experiment.
    pub weight_summary: &'a [WeightSummaryRow],
    /// Histograms of the activations of the first run, sorted by layer and epoch.
    pub histograms: &'a [Histogram],
    /// Losses, accuracies and norms over the runs of the subject, sorted by quantity, layer and epoch.
    pub training_summary: &'a [TrainingSummaryRow],
    /// The curve of the information bottleneck, by increasing β.
    pub bound: &'a [BoundRow],
    /// The layers compared with the curve.
    pub bound_layers: &'a [BoundLayerRow],
    /// The parameters that differ between the experiments.
    pub settings: &'a [SettingRow],
    /// The settings in which claims hold.
    pub stability: &'a [StabilityRow],
    /// The sources of the variance of the compression.
    pub effects: &'a [EffectRow],
    /// The compression by the values of the parameters.
    pub levels: &'a [LevelRow],
}

impl Tables<'_> {
    /// The tables that `is_read` names; the others are empty.
    fn only(self, is_read: impl Fn(Table) -> bool) -> Self {
        fn kept<R>(rows: &[R], is_kept: bool) -> &[R] {
            if is_kept { rows } else { &[] }
        }
        Self {
            summary: kept(self.summary, is_read(Table::Summary)),
            siblings: kept(self.siblings, is_read(Table::Summary)),
            estimates: kept(self.estimates, is_read(Table::Estimates)),
            compression: kept(self.compression, is_read(Table::Compression)),
            phases: kept(self.phases, is_read(Table::Phases)),
            weight_summary: kept(self.weight_summary, is_read(Table::WeightSummary)),
            histograms: kept(self.histograms, is_read(Table::Activations)),
            training_summary: kept(self.training_summary, is_read(Table::TrainingSummary)),
            bound: kept(self.bound, is_read(Table::Bound)),
            bound_layers: kept(self.bound_layers, is_read(Table::BoundLayers)),
            settings: kept(self.settings, is_read(Table::Settings)),
            stability: kept(self.stability, is_read(Table::Stability)),
            effects: kept(self.effects, is_read(Table::Effects)),
            levels: kept(self.levels, is_read(Table::Levels)),
        }
    }

    fn is_empty(&self, table: Table) -> bool {
        match table {
            Table::Summary => self.summary.is_empty(),
            Table::Estimates => self.estimates.is_empty(),
            Table::Compression => self.compression.is_empty(),
            Table::Phases => self.phases.is_empty(),
            Table::WeightSummary => self.weight_summary.is_empty(),
            Table::Activations => self.histograms.is_empty(),
            Table::TrainingSummary => self.training_summary.is_empty(),
            Table::Bound => self.bound.is_empty(),
            Table::BoundLayers => self.bound_layers.is_empty(),
            Table::Settings => self.settings.is_empty(),
            Table::Stability => self.stability.is_empty(),
            Table::Effects => self.effects.is_empty(),
            Table::Levels => self.levels.is_empty(),
        }
    }
}

/// The histogram of the activations of a layer at one snapshot, all units together.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Number of the layer, 1 is the first above the input.
    pub layer: LayerId,
    /// Name of the layer, if it has one.
    pub layer_name: Option<std::sync::Arc<str>>,
    /// Whole passes over the training samples.
    pub epoch: i32,
    /// Updates of the weights.
    pub step: i64,
    /// The lower end of the first bin, equal for all snapshots of a layer.
    pub low: f64,
    /// The upper end of the last bin, equal for all snapshots of a layer.
    pub high: f64,
    /// Shares of the values in bins of equal width, which sum to 1.
    pub shares: Vec<f64>,
}

/// The subject of a figure.
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
    /// The subject in words, for lists.
    pub fn words(self) -> &'static str {
        match self {
            Subject::Estimator => "each estimator",
            Subject::Experiment => "each experiment",
            Subject::Sweep => "each estimator over a sweep",
            Subject::Folder => "the folder",
        }
    }
}

/// A finished figure in both formats.
#[derive(Debug)]
pub struct Picture {
    /// Vector graphics.
    pub svg: String,
    /// PNG with two pixels per unit of the SVG.
    pub png: Vec<u8>,
}

/// A figure that can be drawn.
#[derive(Debug)]
pub struct Spec {
    /// Name on the command line, and the beginning of the file name.
    pub name: &'static str,
    /// One sentence for lists.
    pub summary: &'static str,
    /// The subject of one figure.
    pub subject: Subject,
    /// The tables that it needs.
    pub needs: &'static [Table],
    /// The tables that it shows if they exist.
    pub uses: &'static [Table],
    draw: fn(Tables<'_>) -> Result<Picture, PlotError>,
}

impl Spec {
    /// Whether the figure is drawn from `table`.
    pub fn reads(&self, table: Table) -> bool {
        self.needs.contains(&table) || self.uses.contains(&table)
    }

    /// Draws the figure from the tables that it needs and uses.
    ///
    /// # Errors
    /// A needed table is empty, the tables have nothing to draw, or the plot library fails.
    pub fn draw(&self, tables: Tables<'_>) -> Result<Picture, PlotError> {
        match self.needs.iter().find(|table| tables.is_empty(**table)) {
            Some(missing) => Err(PlotError::Missing(*missing)),
            None => (self.draw)(tables.only(|table| self.reads(table))),
        }
    }
}

/// All figures, in the order of lists.
pub const PLOTS: &[&Spec] = &[
    &information_plane::SPEC,
    &snapshots::SPEC,
    &curves::SPEC,
    &estimators::SPEC,
    &compression::SPEC,
    &fit::SPEC,
    &gradients::SPEC,
    &weights::SPEC,
    &histograms::SPEC,
    &panels::SPEC,
    &ends::SPEC,
    &bound::SPEC,
    &stability::SPEC,
];

/// Why a figure cannot be drawn.
#[derive(Debug, Error)]
pub enum PlotError {
    /// No figure has this name.
    #[error("unknown plot `{name}`; {suggestion}")]
    Unknown {
        /// The given name.
        name: String,
        /// A similar name.
        suggestion: Suggestion,
    },
    /// A table that the figure needs has no rows about its subject.
    #[error("no figure, because `{}` is missing or has no rows for it; run `infoplane {}` to write it", .0.origin().0, .0.origin().1)]
    Missing(Table),
    /// No numbers to draw.
    #[error("no figure, because there is no {0}")]
    Nothing(&'static str),
    /// The plot library could not make pixels.
    #[error("cannot draw: {0}")]
    Library(String),
}

/// The figure called `name`.
///
/// # Errors
/// No figure has this name.
pub fn find(name: &str) -> Result<&'static Spec, PlotError> {
    let suggestion = || suggestion(name, PLOTS.iter().map(|spec| spec.name));
    let found = PLOTS.iter().find(|spec| spec.name == name);
    found.copied().ok_or_else(|| PlotError::Unknown { name: name.to_owned(), suggestion: suggestion() })
}
