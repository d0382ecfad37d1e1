//! Tables of estimates that are computed from recorded weights, without an estimator of recorded activations.

use std::sync::Arc;
use std::time::Instant;

use super::untrained::add_untrained;
use super::{Failures, Outcome, StageError};
use crate::estimate_id::EstimateId;
use crate::layer_id::LayerId;
use crate::store::schema::EstimateRow;
use crate::store::{Experiment, Footer, LayerNames, Pending, RecordedRun, write_rows};

/// What a stage did, from the numbers of rows and of failures of each table; `what` names the rows.
pub(super) fn made_tables(counts: &[(usize, usize)], what: &str, start: Instant, out: &Experiment) -> Outcome {
    let n_rows: usize = counts.iter().map(|(n_rows, _)| n_rows).sum();
    let n_failures: usize = counts.iter().map(|(_, n_failures)| n_failures).sum();
    let seconds = start.elapsed().as_secs_f64();
    let text = format!("{n_rows} {what} in {seconds:.1} s → {}", out.root().display());
    Outcome::done(text, Failures::of_estimates(n_failures))
}

/// The table of one estimate of one run.
pub(super) struct ComputedTable<'a> {
    pub(super) id: Arc<EstimateId>,
    /// The computed quantity, in words.
    pub(super) quantity: String,
    pub(super) run: &'a RecordedRun,
}

impl ComputedTable<'_> {
    /// A row without values, for a layer at a snapshot, given as epoch and step.
    pub(super) fn row(&self, layer: LayerId, (epoch, step): (i32, i64)) -> EstimateRow {
        EstimateRow {
            estimator: Arc::clone(&self.id),
            run: self.run.id.to_string(),
            layer,
            layer_name: None,
            epoch,
            step,
            quantity: Some(self.quantity.clone()),
            randomness: Some("noise".to_owned()),
            n_pooled: Some(1),
            i_xt_bits: None,
            i_ty_bits: None,
            i_xt_error_bits: None,
            i_ty_error_bits: None,
            i_tt_bits: None,
            i_xt_given_y_bits: None,
            i_t_predicted_bits: None,
            h_predicted_given_t_bits: None,
            h_t_bits: None,
            h_t_given_x_bits: None,
            i_xt_ceiling_bits: None,
            i_ty_ceiling_bits: None,
            h_x_bits: None,
            h_y_bits: None,
            n_shuffles: Some(0),
            n_resamples: Some(0),
            i_xt_resampled_bits_mean: None,
            i_xt_resampled_bits_std: None,
            i_ty_resampled_bits_mean: None,
            i_ty_resampled_bits_std: None,
            i_xt_null_bits_mean: None,
            i_xt_null_bits_std: None,
            i_ty_null_bits_mean: None,
            i_ty_null_bits_std: None,
            i_tt_null_bits_mean: None,
            i_tt_null_bits_std: None,
            i_xt_untrained_bits: None,
            i_ty_untrained_bits: None,
            n_samples: 0,
            n_codes: 0,
            n_distinct: None,
            atom_share: None,
            outside_share: None,
            failure: None,
        }
    }

    /// Writes the rows; returns the numbers of rows and of failures.
    pub(super) fn write(
        &self,
        mut rows: Vec<EstimateRow>,
        names: &LayerNames,
        work: &Pending,
    ) -> Result<(usize, usize), StageError> {
        rows.sort_by_key(|row| row.layer);
        rows.iter_mut().for_each(|row| row.layer_name = names.get(row.layer));
        add_untrained(&mut rows);
        let footer = Footer::from([
            ("infoplane.config_hash".to_owned(), work.key().to_owned()),
            ("infoplane.quantity".to_owned(), self.quantity.clone()),
        ]);
        let relative = Experiment::estimate(&self.id, &self.run.id.to_string());
        work.finish(vec![write_rows(work.root(), &relative, &rows, &footer)?])?;
        Ok((rows.len(), rows.iter().filter(|row| row.failure.is_some()).count()))
    }
}
