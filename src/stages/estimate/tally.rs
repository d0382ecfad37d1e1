//! Counts estimates, failures, and values outside of fixed edges.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::findings::MOST_OUTSIDE;
use crate::config::Request;
use crate::estimate_id::EstimateId;
use crate::sample::Range;

/// Number of estimates made.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) n_rows: usize,
    pub(super) n_failed: usize,
    /// For every estimate with fixed edges, the layer and snapshot with the largest share of values outside.
    outside: BTreeMap<Arc<EstimateId>, Outside>,
}

#[derive(Debug)]
struct Outside {
    edges: Range,
    share: f64,
    place: String,
}

impl Tally {
    /// Counts an estimate of a `request`, with the share of the values at `place` that are outside its fixed edges.
    pub(super) fn add(
        &mut self,
        request: &Request,
        is_failed: bool,
        share: Option<f64>,
        place: impl FnOnce() -> String,
    ) {
        self.n_rows += 1;
        self.n_failed += usize::from(is_failed);
        if let Some((edges, share)) = request.member.edges.zip(share)
            && self.outside.get(&request.id).is_none_or(|most| share > most.share)
        {
            self.outside.insert(Arc::clone(&request.id), Outside { edges, share, place: place() });
        }
    }

    /// The sum of two counts.
    pub(super) fn and(mut self, other: Self) -> Self {
        for (estimator, outside) in other.outside {
            if self.outside.get(&estimator).is_none_or(|most| outside.share > most.share) {
                self.outside.insert(estimator, outside);
            }
        }
        Self { n_rows: self.n_rows + other.n_rows, n_failed: self.n_failed + other.n_failed, ..self }
    }

    /// A sentence for each estimator with too many values outside its edges.
    pub(super) fn warnings(&self) -> impl Iterator<Item = String> {
        let missing = self.outside.iter().filter(|(_, outside)| outside.share > MOST_OUTSIDE);
        missing.map(|(estimator, Outside { edges: Range { low, high }, share, place })| {
            let percent = 100.0 * share;
            format!(
                "`{estimator}`: {percent:.1} % of the values of {place} are outside the edges [{low}, {high}] and share one bin at each end; use bins over the range of the values (`n_bins` in a pipeline, `--n-bins` on the command line) or wider edges"
            )
        })
    }
}
