//! The recorded weights of a run of dense layers, part by part and snapshot by snapshot.

use std::path::PathBuf;

use ndarray::{Array1, Array2};

use super::StageError;
use crate::layer_id::LayerId;
use crate::store::schema::{Row, WeightRow};
use crate::store::{RecordedRun, StoreError, read_recorded};

/// For each part of a run, the file of every layer. Parts of all layers are split at the same snapshots.
pub(super) fn parts_of(run: &RecordedRun) -> Result<Vec<Vec<PathBuf>>, StageError> {
    let layers = run.layers(WeightRow::TABLE);
    if layers.is_empty() || !layers.iter().copied().eq(LayerId::above_input().take(layers.len())) {
        return Err(StageError::Refused(format!(
            "run {} does not have the weights of all layers; record them with `weights = true`",
            run.id
        )));
    }
    let mut parts: Vec<Vec<PathBuf>> = Vec::new();
    for layer in layers {
        run.verify(WeightRow::TABLE, Some(layer))?;
        let of_layer = run.parts(WeightRow::TABLE, Some(layer));
        if layer == LayerId::FIRST {
            parts = vec![Vec::new(); of_layer.len()];
        }
        if of_layer.len() != parts.len() {
            let (n, wanted) = (of_layer.len(), parts.len());
            return Err(StageError::Refused(format!(
                "run {}: the weights of layer {layer} have {n} parts, those of layer 1 {wanted}; record it again",
                run.id
            )));
        }
        parts.iter_mut().zip(of_layer).for_each(|(part, file)| part.push(file));
    }
    Ok(parts)
}

/// The hashes of the weights of all layers of a run.
pub(super) fn hashes_of(run: &RecordedRun) -> Result<Vec<String>, StoreError> {
    let of_layer = |layer: &LayerId| run.hashes(WeightRow::TABLE, Some(*layer));
    Ok(run.layers(WeightRow::TABLE).iter().map(of_layer).collect::<Result<Vec<_>, StoreError>>()?.concat())
}

/// The weights of one part of a run.
pub(super) struct Snapshots {
    /// Epoch and step of each.
    pub(super) places: Vec<(i32, i64)>,
    /// For each layer, the weights at each snapshot.
    layers: Vec<Vec<WeightRow>>,
    /// The widths of the input and of every layer.
    widths: Vec<usize>,
}

impl Snapshots {
    /// Reads the files of a part, one for each layer; their snapshots and shapes must match.
    pub(super) fn read(files: &[PathBuf], run: &RecordedRun, n_inputs: usize) -> Result<Self, StageError> {
        let layers = files
            .iter()
            .map(|file| read_recorded(std::slice::from_ref(file)))
            .collect::<Result<Vec<Vec<WeightRow>>, _>>()?;
        let places = |rows: &Vec<WeightRow>| rows.iter().map(|row| (row.epoch, row.step)).collect::<Vec<_>>();
        let first = layers.first().map_or_else(Vec::new, places);
        let mut widths = vec![n_inputs];
        for (layer, rows) in LayerId::above_input().zip(&layers) {
            if places(rows) != first {
                return Err(StageError::Refused(format!(
                    "run {}: the weights of layer {layer} are of other snapshots than those of layer 1; record it again",
                    run.id
                )));
            }
            let n_inputs = widths[widths.len() - 1];
            let n_units = rows.first().map_or(0, |row| row.bias.len());
            if let Some(row) = rows.iter().find(|r| r.bias.len() != n_units || r.kernel.len() != n_units * n_inputs) {
                return Err(StageError::Refused(format!(
                    "run {}: layer {layer} has {} weights and {} biases, but a dense layer of {n_units} units with {n_inputs} inputs was expected",
                    run.id,
                    row.kernel.len(),
                    row.bias.len()
                )));
            }
            widths.push(n_units);
        }
        Ok(Self { places: first, layers, widths })
    }

    /// Number of weights and biases of a network.
    pub(super) fn n_weights(&self) -> usize {
        self.widths.windows(2).map(|pair| (pair[0] + 1) * pair[1]).sum()
    }

    /// The kernels of all layers at one snapshot.
    pub(super) fn kernels(&self, index: usize) -> Vec<Array2<f64>> {
        let kernel = |(widths, rows): (&[usize], &Vec<WeightRow>)| {
            let shape = (widths[1], widths[0]);
            let kernel = rows[index].kernel.iter().map(|weight| f64::from(*weight)).collect();
            Array2::from_shape_vec(shape, kernel).expect("the shapes were compared when they were read")
        };
        self.widths.windows(2).zip(&self.layers).map(kernel).collect()
    }

    /// The biases of all layers at one snapshot.
    pub(super) fn biases(&self, index: usize) -> Vec<Array1<f64>> {
        self.layers.iter().map(|rows| rows[index].bias.iter().copied().map(f64::from).collect()).collect()
    }
}
