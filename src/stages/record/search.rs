//! Records a run with adaptive spacing: trains ahead, measures, and chooses the steps to record.

use super::super::StageError;
use super::adaptive::{LOOK_BACK_BYTES, bisect, change};
use super::ending::Ending;
use super::part::Gradients;
use super::run::Run;
use super::writer::Writer;
use crate::config::Adaptive;
use crate::estimators::{BinRange, Binning, Estimator, InputsAndLabels, LayerData};
use crate::layer_id::LayerId;
use crate::nn::Network;
use crate::sample::Representation;
use crate::units::Nats;

/// Number of bins over the range of the layer for adaptive spacing: from the paper, suitable for all activation functions.
const ADAPTIVE_BINS: usize = 30;

/// Why the search for snapshots stops.
enum Interruption {
    /// The training.
    Ended(Ending),
    /// Anything else.
    Failed(StageError),
}

impl From<StageError> for Interruption {
    fn from(e: StageError) -> Self {
        Self::Failed(e)
    }
}

/// Measures the information of a network, to find changes.
struct Gauge {
    binning: Binning,
    samples: InputsAndLabels,
}

impl Run<'_> {
    /// Records steps between which no layer's information changes by more than `delta` bits.
    pub(super) fn record_adaptive(&mut self, delta: f64, method: Adaptive) -> Result<Ending, StageError> {
        match self.record_where_it_changes(delta, method) {
            Ok(()) => Ok(Ending::Finished),
            Err(Interruption::Ended(ending)) => Ok(ending),
            Err(Interruption::Failed(e)) => Err(e),
        }
    }

    fn record_where_it_changes(&mut self, delta: f64, method: Adaptive) -> Result<(), Interruption> {
        let gauge = Gauge::new(&self.writer)?;
        let last_step = self.setup.last_step();
        let most = match method {
            Adaptive::Approximate => last_step,
            Adaptive::Exact => LOOK_BACK_BYTES / (self.training.network().n_weights() * size_of::<f32>()) as u64,
        };
        // The networks since the last snapshot; their memory is reused.
        let mut networks = Vec::new();
        if self.spacing.last.is_empty() {
            keep(&mut networks, 0, self.training.network());
            self.spacing.last = gauge.measure(&mut self.writer, &networks[0], 0)?;
            self.record_with_samples_gradients(&networks[0], 0)?;
        }
        while self.training.step() < last_step {
            let first = self.training.step();
            let n = self.spacing.distance.min(most).max(1).min(last_step - first) as usize;
            // Exact: the networks of all steps; approximate: only the last network.
            let mut n_kept = 0;
            for left in (0..n).rev() {
                self.training.update(&mut []);
                if method == Adaptive::Exact || left == 0 {
                    keep(&mut networks, n_kept, self.training.network());
                    n_kept += 1;
                }
            }
            self.report();
            let networks = &networks[..n_kept];
            let newest = n_kept - 1;
            let step_of = |i: usize| first + (n - n_kept + i) as u64 + 1;
            if let Some(i) = networks.iter().position(|network| !network.is_finite()) {
                return Err(Interruption::Ended(Ending::diverged(self.setup.epoch(step_of(i)), "weights are")));
            }
            let measured = gauge.measure(&mut self.writer, &networks[newest], step_of(newest))?;
            let chosen = if newest == 0 || change(&self.spacing.last, &measured) <= delta {
                vec![newest]
            } else {
                let measure = &mut |i: usize| gauge.measure(&mut self.writer, &networks[i], step_of(i));
                bisect(&self.spacing.last, &measured, n_kept, delta, measure)?
            };
            let n_before = self.writer.n_parts;
            for i in chosen {
                self.record_with_samples_gradients(&networks[i], step_of(i))?;
                if self.writer.is_full() {
                    // No checkpoint yet, because the training is ahead of the recording.
                    self.writer.end_part()?;
                }
            }
            self.spacing.advance(measured, delta, most);
            let is_due = self.writer.n_parts > n_before || self.has_worked_enough();
            if is_due && self.training.step() < last_step {
                self.make_checkpoint()?;
            }
        }
        Ok(())
    }

    fn record_with_samples_gradients(&mut self, network: &Network, step: u64) -> Result<(), Interruption> {
        let kinds = &self.setup.networks.record.gradients;
        let over_samples = |kind: &_| (*kind, self.training.statistics_over_samples_at(network, step));
        let gradients: Gradients = kinds.iter().map(over_samples).collect();
        self.writer.record(network, step, &gradients)?.map_or(Ok(()), |ending| Err(Interruption::Ended(ending)))
    }
}

/// Copies `network` to index `index` of `networks`, which exists or is the next index.
fn keep(networks: &mut Vec<Network>, index: usize, network: &Network) {
    match networks.get_mut(index) {
        Some(place) => place.copy_weights(network),
        None => networks.push(network.clone()),
    }
}

impl Gauge {
    fn new(writer: &Writer<'_>) -> Result<Self, StageError> {
        let binning = Binning::bins(ADAPTIVE_BINS, BinRange::Layer).map_err(|e| refused(&e))?;
        let labels = writer.setup.labels(&writer.identity.samples);
        Ok(Self { binning, samples: InputsAndLabels::of_distinct(labels, 0).map_err(|e| refused(&e))? })
    }

    /// I(X;T), if the estimator has it, and I(T;Y) of every layer of `network` at `step`, in bits.
    fn measure(&self, writer: &mut Writer<'_>, network: &Network, step: u64) -> Result<Vec<f64>, Interruption> {
        writer.evaluate(network, step);
        if !writer.evaluation.is_finite() {
            return Err(Interruption::Ended(Ending::diverged(writer.setup.epoch(step), "activations are")));
        }
        let mut measured = Vec::new();
        for (layer, dense) in LayerId::above_input().zip(network.layers()) {
            let t = writer.evaluation.representation(layer);
            let activations = Representation::new(&t, dense.n_units);
            let activations = activations.map_err(|e| refused(&format!("layer {layer}: {e}")))?;
            let data = LayerData::of_samples(activations, &self.samples).map_err(|e| refused(&e))?;
            let estimate = self.binning.estimate(&data).map_err(|e| refused(&format!("layer {layer}: {e}")))?;
            measured.extend([estimate.i_xt, Some(estimate.i_ty)].into_iter().flatten().map(Nats::bits));
        }
        Ok(measured)
    }
}

fn refused(problem: &dyn std::fmt::Display) -> StageError {
    StageError::Refused(format!("adaptive spacing: {problem}"))
}
