//! How a run ends: at its last snapshot, early if the pipeline asks for it, or when its numbers are not finite.

use crate::config::{Stop, StopOn};
use crate::nn::{Fit, Loss};
use crate::store::TrainingOutcome;
use crate::store::schema::RunRow;

/// Why a training ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ending {
    /// The last step of the pipeline was reached.
    Finished,
    /// The accuracy was high enough, or stopped improving.
    Stopped(String),
    /// Weights or losses are not finite.
    Failed(String),
}

impl Ending {
    /// A failure at `epoch`; `what` is not finite.
    pub(super) fn diverged(epoch: u64, what: &str) -> Self {
        Self::Failed(format!("at epoch {epoch} its {what} not finite; lower `learning_rate`"))
    }

    /// The row of the run; `fit` is the fit of the training samples at the last recorded snapshot.
    pub(super) fn row(self, epoch: u64, step: u64, loss: Loss, fit: Option<Fit>) -> RunRow {
        let is_trained = step > 0 && !matches!(self, Ending::Failed(_));
        let degenerate = fit.filter(|_| is_trained).and_then(|fit| degenerate(&fit, loss));
        let (outcome, reason) = match self {
            Ending::Finished => (TrainingOutcome::Finished, None),
            Ending::Stopped(why) => (TrainingOutcome::Stopped, Some(why)),
            Ending::Failed(why) => (TrainingOutcome::Failed, Some(why)),
        };
        RunRow { outcome, epoch: epoch as i32, step: step as i64, reason, degenerate }
    }
}

/// Why a trained network is degenerate: it is no better than a constant prediction.
fn degenerate(fit: &Fit, loss: Loss) -> Option<String> {
    match (fit.accuracy, loss) {
        (Some(accuracy), _) if accuracy <= fit.constant => Some(format!(
            "its training accuracy {accuracy:.4} is no better than always predicting the most frequent class ({:.4})",
            fit.constant
        )),
        (None, Loss::SquaredError) if fit.loss >= fit.constant => Some(format!(
            "its squared error {:.4} is no better than always predicting the mean ({:.4})",
            fit.loss, fit.constant
        )),
        _ => None,
    }
}

/// The best accuracy so far, for stopping.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Best {
    accuracy: f64,
    epoch: u64,
}

impl Best {
    /// No accuracy yet; waiting begins after `epoch`.
    pub(super) fn from(epoch: u64) -> Self {
        Self { accuracy: 0.0, epoch }
    }

    /// Adds the accuracy after `epoch`; returns why the training ends now, if it does.
    pub(super) fn see(&mut self, stop: &Stop, accuracy: f64, epoch: u64) -> Option<Ending> {
        let samples = if stop.samples == StopOn::Train { "training" } else { "test" };
        if accuracy > self.accuracy {
            *self = Self { accuracy, epoch };
        }
        if stop.accuracy.is_some_and(|enough| accuracy >= enough) {
            return Some(Ending::Stopped(format!("{samples} accuracy {accuracy:.4} at epoch {epoch}")));
        }
        let waited = epoch.saturating_sub(self.epoch);
        let is_over = stop.patience.is_some_and(|patience| waited >= patience);
        is_over.then(|| Ending::Stopped(format!("no {samples} accuracy above {:.4} in {waited} epochs", self.accuracy)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epochs_until_stop(stop: Stop, accuracies: &[f64]) -> Option<u64> {
        let mut best = Best::from(0);
        (1..).zip(accuracies).find_map(|(epoch, accuracy)| best.see(&stop, *accuracy, epoch).map(|_| epoch))
    }

    #[test]
    fn a_training_stops_when_it_is_good_enough_or_gets_no_better() {
        let rising = [0.5, 0.7, 0.6, 0.7, 0.65, 0.9, 0.99];
        let stop = |accuracy, patience| Stop { accuracy, patience, samples: StopOn::Test };
        assert_eq!(epochs_until_stop(stop(Some(0.9), None), &rising), Some(6));
        assert_eq!(epochs_until_stop(stop(Some(0.999), None), &rising), None);
        assert_eq!(epochs_until_stop(stop(None, Some(3)), &rising), Some(5)); // 0.7 again is not better
        assert_eq!(epochs_until_stop(stop(Some(0.7), Some(3)), &rising), Some(2));
    }

    #[test]
    fn a_constant_answer_is_degenerate() {
        let is_degenerate = |accuracy, loss, constant, kind| {
            let fit = Fit { loss, accuracy, constant };
            Ending::Finished.row(1, 1, kind, Some(fit)).degenerate.is_some()
        };
        assert!(
            is_degenerate(Some(0.6), 0.5, 0.6, Loss::CrossEntropy)
                && !is_degenerate(Some(0.61), 0.5, 0.6, Loss::CrossEntropy)
        );
        assert!(
            is_degenerate(None, 1.5, 1.5, Loss::SquaredError) && !is_degenerate(None, 1.4, 1.5, Loss::SquaredError)
        );
        assert_eq!(Ending::Finished.row(0, 0, Loss::CrossEntropy, None).degenerate, None);
    }
}
