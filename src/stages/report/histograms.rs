//! Histograms of activations for the page: the numbers of the plot `histograms`.

use serde::Serialize;

use super::packing::packed_shares;
use crate::layer_id::LayerId;
use crate::plots::Histogram;

/// The histograms of one layer in the first run.
#[derive(Debug, Serialize)]
pub(super) struct HistogramData {
    layer: LayerId,
    epochs: Vec<i32>,
    steps: Vec<i64>,
    low: f64,
    high: f64,
    /// By snapshot and bin.
    shares: String,
}

impl HistogramData {
    /// One entry for each layer of `histograms`, which are sorted by layer and snapshot.
    pub(super) fn of_layers(histograms: &[Histogram]) -> Vec<Self> {
        let of_layer = |snapshots: &[Histogram]| Self {
            layer: snapshots[0].layer,
            epochs: snapshots.iter().map(|histogram| histogram.epoch).collect(),
            steps: snapshots.iter().map(|histogram| histogram.step).collect(),
            low: snapshots[0].low,
            high: snapshots[0].high,
            shares: packed_shares(snapshots.iter().flat_map(|histogram| &histogram.shares)),
        };
        histograms.chunk_by(|a, b| a.layer == b.layer).map(of_layer).collect()
    }

    /// Size in the page.
    pub(super) fn bytes(&self) -> usize {
        self.shares.len()
    }
}
