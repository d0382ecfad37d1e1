//! The information of layers before training, as columns of later snapshots.

use crate::store::schema::EstimateRow;

/// Writes into every row the information of its layer before training; the rows of a layer must be consecutive.
pub(super) fn add_untrained(rows: &mut [EstimateRow]) {
    for layer in rows.chunk_by_mut(|a, b| a.layer == b.layer) {
        let untrained = layer.iter().find(|row| row.step == 0).map(|row| (row.i_xt_bits, row.i_ty_bits));
        for row in layer {
            (row.i_xt_untrained_bits, row.i_ty_untrained_bits) = untrained.unwrap_or_default();
        }
    }
}
