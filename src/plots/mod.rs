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
mod labels;
mod panels;
mod plane;
mod series;
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

use thiserror::Error;

use crate::layer_id::LayerId;
use crate::store::Experiment;
use crate::store::schema::{
    BoundLayerRow, BoundRow, CompressionRow, EffectRow, EstimateRow, LevelRow, PhaseRow, SettingRow, StabilityRow,
    SummaryRow, WeightSummaryRow,
};
use crate::suggest::{Suggestion, suggestion};

/// A table that pictures are drawn from.
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
            Table::Bound => (Experiment::BOUND, "bound"),
            Table::BoundLayers => (Experiment::BOUND_LAYERS, "bound"),
            Table::Settings => (Experiment::SETTINGS, "sweep"),
            Table::Stability => (Experiment::STABILITY, "stability"),
            Table::Effects => (Experiment::EFFECTS, "stability"),
            Table::Levels => (Experiment::LEVELS, "stability"),
        }
    }
}

/// The rows that a picture is drawn from. Tables that are not there, or not about the subject, are empty.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tables<'a> {
    /// Means over runs of the subject, sorted by experiment, estimator, layer and epoch.
    pub summary: &'a [SummaryRow],
    /// The same of all estimators of the experiment, where the subject is one of them.
    pub siblings: &'a [SummaryRow],
    /// Every run's estimates, those of one estimator sorted by run, layer and epoch; empty where a summary joins several
    /// experiments. Of an experiment with several estimators: those of fewer than five runs.
    pub estimates: &'a [EstimateRow],
    /// Compression of the subject.
    pub compression: &'a [CompressionRow],
    /// The same of every run, sorted by experiment and estimator.
    pub phases: &'a [PhaseRow],
    /// Measures of weights over the runs of the subject, sorted by experiment.
    pub weight_summary: &'a [WeightSummaryRow],
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
            Table::Bound => self.bound.is_empty(),
            Table::BoundLayers => self.bound_layers.is_empty(),
            Table::Settings => self.settings.is_empty(),
            Table::Stability => self.stability.is_empty(),
            Table::Effects => self.effects.is_empty(),
            Table::Levels => self.levels.is_empty(),
        }
    }
}

/// How the activations of a layer are spread at one snapshot, all units together.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Number of the layer, 1 is the first above the input.
    pub layer: LayerId,
    /// What it is called, where it has a name.
    pub layer_name: Option<std::sync::Arc<str>>,
    /// Whole passes over the training samples.
    pub epoch: i32,
    /// Updates of the weights.
    pub step: i64,
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
    /// What one picture is about.
    pub subject: Subject,
    /// The tables without which it cannot be drawn.
    pub needs: &'static [Table],
    /// The tables that it shows as well if they are there.
    pub uses: &'static [Table],
    draw: fn(Tables<'_>) -> Result<Picture, PlotError>,
}

impl Spec {
    /// Whether the picture is drawn from `table`.
    pub fn reads(&self, table: Table) -> bool {
        self.needs.contains(&table) || self.uses.contains(&table)
    }

    /// Draws the picture from the tables that it names; it does not see the others.
    ///
    /// # Errors
    /// A table that it needs is empty, there is nothing to draw in them, or the plot library fails.
    pub fn draw(&self, tables: Tables<'_>) -> Result<Picture, PlotError> {
        match self.needs.iter().find(|table| tables.is_empty(**table)) {
            Some(missing) => Err(PlotError::Missing(*missing)),
            None => (self.draw)(tables.only(|table| self.reads(table))),
        }
    }
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
    &weights::SPEC,
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
    /// A table that the picture needs has no rows about its subject.
    #[error("no picture, because `{}` is missing or has no such rows; `infoplane {}` writes it", .0.origin().0, .0.origin().1)]
    Missing(Table),
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
