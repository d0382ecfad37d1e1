//! Groups tables into batches: tables of one estimator with different parameters, applied to the same rows, are filled
//! together.

use super::super::StageError;
use super::plan::Work;
use crate::estimate_id::{Samples, Unit};
use crate::estimators::EstimatorSet;
use crate::parameter::Parameters;

/// Tables that one estimator fills.
pub(super) struct Batch {
    pub(super) selection: Samples,
    pub(super) unit: Unit,
    pub(super) n_shuffles: usize,
    pub(super) n_resamples: usize,
    pub(super) estimator: Box<dyn EstimatorSet>,
    /// The table of each of its members.
    pub(super) tables: Vec<usize>,
}

/// The estimators for `works`: one for all parameters of an estimator that is applied to the same rows.
pub(super) fn batches(works: &[&Work<'_>]) -> Result<Vec<Batch>, StageError> {
    let key = |at: &usize| {
        let request = works[*at].request;
        (request.spec.name, request.id.samples, request.id.unit, request.n_shuffles, request.n_resamples)
    };
    let mut left: Vec<usize> = (0..works.len()).collect();
    let mut batches = Vec::new();
    while let Some(first) = left.first().map(key) {
        let (tables, others) = left.into_iter().partition(|at| key(at) == first);
        left = others;
        let parameters: Vec<Parameters> =
            tables.iter().map(|at: &usize| works[*at].request.parameters.clone()).collect();
        let spec = works[tables[0]].request.spec;
        let estimator = (spec.build)(&parameters).map_err(|e| StageError::Refused(e.to_string()))?;
        let (_, selection, unit, n_shuffles, n_resamples) = first;
        batches.push(Batch { selection, unit, n_shuffles, n_resamples, estimator, tables });
    }
    Ok(batches)
}
