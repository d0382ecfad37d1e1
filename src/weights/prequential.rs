//! Prequential code: the code length of the labels if each is sent with the network trained on the previous ones.
//!
//! The excess Σ_t n_t (l_t − l_end) is the area between the online loss and its final value: the cost for a receiver
//! without the trained network. It estimates the information that the training transferred from the samples to the
//! weights. For a Bayesian linear regression it equals ln q(w|S)/p(w) at the mean of the posterior
//! ([`crate::weights::RegressionPosterior`]).
//!
//! It is valid only if the loss of each batch is that before the update and each sample is seen for the first time: in
//! the first epoch, or in a stream. The final loss is the mean of the last batches, because the loss of one batch is
//! noisy. For a network that has not converged, the final loss is too large and the excess too small: a warning is
//! given if the loss still falls at the end. If the last batches are all batches, the difference is always 0, and there
//! is no value.
//!
//! # Reference
//! Dawid 1984; Blier & Ollivier 2018 (prequential code of networks); Finzi et al. 2026 (arXiv 2601.03220), the excess.

use super::{Measure, MeasureError, OfTraining, OnlineLosses, Quantity, Randomness, Reading, Spec};
use crate::parameter::{Kind, Parameter, ParameterError, Value};
use crate::units::Nats;

pub(super) const SPEC: Spec = Spec {
    name: "prequential",
    summary: "code length of the labels if they are sent while the network learns them, and the excess over the code length with the trained network",
    randomness: Randomness::Data,
    quantities: &[
        Quantity::bits("excess", "sum over samples of the loss before each update minus end_loss, in bits"),
        Quantity::bits(
            "total_code",
            "length of the labels in the prequential code, the sum of the losses before each update, in bits",
        ),
        Quantity::bits("end_loss", "mean loss of the last samples, in bits per sample"),
    ],
    parameters: &[Parameter {
        name: "last",
        doc: "share of the batches, counted from the end, whose mean loss is used as the loss of the trained network; 0 for the last batch only",
        kind: Kind::NotNegative,
        default: "0.05",
    }],
    build: |parameters| {
        let last = parameters.number("last").expect("the share has a default");
        Ok(Measure::OfTraining(Box::new(Prequential::last(last)?)))
    },
};

/// The excess of the online code length over that of the trained network.
///
/// ```
/// use infoplane::weights::{OfTraining, OnlineLosses, Prequential};
///
/// let batches = [(1, 0.9), (1, 0.5), (1, 0.3), (1, 0.3)];
/// let readings = Prequential::last(0.5)?.measure(&OnlineLosses { batches: &batches })?;
/// assert_eq!(readings[0].quantity, "excess");
/// assert!((readings[0].value - 0.8 / std::f64::consts::LN_2).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Reference
/// Finzi et al. 2026 (arXiv 2601.03220); Blier & Ollivier 2018.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prequential {
    last: f64,
}

impl Prequential {
    /// Uses the mean of the last batches as the loss of the trained network: this `share` of the batches, at least
    /// one.
    ///
    /// # Errors
    /// The share is not from 0 to 1.
    pub fn last(share: f64) -> Result<Self, ParameterError> {
        if (0.0..=1.0).contains(&share) {
            return Ok(Self { last: share });
        }
        let allowed = "a number from 0 to 1".to_owned();
        Err(ParameterError::Value { name: "last", allowed, got: Value::Number(share).to_string() })
    }
}

impl OfTraining for Prequential {
    fn measure(&self, losses: &OnlineLosses<'_>) -> Result<Vec<Reading>, MeasureError> {
        let batches = losses.batches;
        if batches.is_empty() {
            return Err(MeasureError::Refused(
                "`prequential` needs the loss of each batch before its update, but none is recorded; set `online_losses = true` in `[record]`".to_owned(),
            ));
        }
        if let Some(t) = batches.iter().position(|(n, loss)| *n == 0 || !loss.is_finite()) {
            let (n, loss) = batches[t];
            return Err(MeasureError::Refused(format!(
                "batch {t} has {n} samples and the loss {loss}; a batch needs at least one sample and a finite loss"
            )));
        }
        let n_last = ((self.last * batches.len() as f64).ceil() as usize).max(1);
        if n_last == batches.len() {
            return Err(MeasureError::Refused(format!(
                "the final loss is the mean of all {n_last} batches, so there is no excess; train with smaller \
                 batches, or choose a smaller `last`"
            )));
        }
        let end = &batches[batches.len() - n_last..];
        let (total, n) = code_length(batches);
        let (total_of_end, n_of_end) = code_length(end);
        let end_loss = total_of_end / n_of_end;
        let excess = Reading::information("excess", Nats(total - n * end_loss)).at_most(Nats(total).bits());
        // The error of the final loss counts once for each sample.
        let deviations: f64 = end.iter().map(|(_, loss)| (loss - end_loss).powi(2)).sum();
        let m = n_last as f64;
        let excess = if n_last > 1 {
            excess.with_std_error(Nats(n * (deviations / (m * (m - 1.0))).sqrt()).bits())
        } else {
            excess
        };
        Ok(vec![
            excess
                .by(format!("final loss: mean of the last {n_last} of {} batches", batches.len()))
                .warned(&doubt(batches, n_last)),
            Reading::information("total_code", Nats(total)),
            Reading::information("end_loss", Nats(end_loss)),
        ])
    }
}

/// Minimum number of batches on each side of the test whether the loss still falls.
const FEWEST_COMPARED: usize = 2;

/// Why the final loss is not that of a trained network: the mean of the last m losses is below that of the previous m
/// by more than two standard errors of the difference. m is `n_last`, at least 2, at most half of the batches.
fn doubt(batches: &[(usize, f64)], n_last: usize) -> Vec<&'static str> {
    let m = n_last.max(FEWEST_COMPARED).min(batches.len() / 2);
    if m < FEWEST_COMPARED {
        return vec!["fewer than 4 batches: it is unknown whether the loss still falls at the end"];
    }
    let losses: Vec<f64> = batches[batches.len() - 2 * m..].iter().map(|(_, loss)| *loss).collect();
    let (before, last) = losses.split_at(m);
    let [(mean_before, error_before), (mean_last, error_last)] = [before, last].map(mean_and_error);
    let still_falls = mean_before - mean_last > 2.0 * error_before.hypot(error_last);
    if still_falls { vec!["the loss still falls at the end: the excess is too small"] } else { Vec::new() }
}

/// The mean of two or more numbers, and its standard error.
fn mean_and_error(numbers: &[f64]) -> (f64, f64) {
    let n = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / n;
    let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
    (mean, (squares / (n * (n - 1.0))).sqrt())
}

/// Σ_t n_t l_t and Σ_t n_t.
fn code_length(batches: &[(usize, f64)]) -> (f64, f64) {
    let (mut total, mut n) = (0.0, 0.0);
    for (n_t, l_t) in batches {
        total += *n_t as f64 * l_t;
        n += *n_t as f64;
    }
    (total, n)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::LN_2;

    use super::*;
    use crate::parameter::Parameters;
    use crate::weights::fixtures::assert_close;

    fn measure(last: f64, batches: &[(usize, f64)]) -> Result<Vec<Reading>, MeasureError> {
        Prequential::last(last).unwrap().measure(&OnlineLosses { batches })
    }

    #[test]
    fn the_area_of_a_curve_above_its_end() {
        let curve: Vec<(usize, f64)> = (0..100).map(|t| (1, 0.2 + 1.5 / (1.0 + 0.3 * f64::from(t)))).collect();
        let readings = measure(0.0, &curve).unwrap();
        assert_close(readings[0].value * LN_2, 13.046_885_746_09);
        assert_eq!(readings[0].std_error, None);
        // The total code minus the excess is the cost at the final loss.
        assert_close((readings[1].value - readings[0].value) / 100.0, readings[2].value);
        // If the curve still falls, a longer end has a higher mean and the area is smaller.
        let longer = measure(0.05, &curve).unwrap();
        assert!(longer[0].value < readings[0].value && longer[0].std_error.is_some());
        assert_eq!(longer[0].method.as_deref(), Some("final loss: mean of the last 5 of 100 batches"));
    }

    #[test]
    fn batches_count_by_their_samples() {
        // 4 · 1 + 1 · 0.5 − 5 · 0.5.
        assert_close(measure(0.0, &[(4, 1.0), (1, 0.5)]).unwrap()[0].value * LN_2, 2.0);
    }

    #[test]
    fn without_a_batch_before_the_end_there_is_no_excess() {
        for (last, batches) in [(1.0, &[(4, 1.0), (1, 0.5)][..]), (0.05, &[(4096, 0.7)])] {
            let words = measure(last, batches).unwrap_err().to_string();
            assert!(words.ends_with("train with smaller batches, or choose a smaller `last`"), "{words}");
        }
    }

    #[test]
    fn a_loss_that_still_falls_at_the_end_is_a_warning() {
        let warning = |last: f64, losses: &[f64]| {
            let batches: Vec<(usize, f64)> = losses.iter().map(|loss| (1, *loss)).collect();
            measure(last, &batches).unwrap()[0].warning.clone()
        };
        let falls = Some("the loss still falls at the end: the excess is too small".to_owned());
        let line: Vec<f64> = (0..40).map(|t| 1.0 - 0.01 * f64::from(t)).collect();
        for last in [0.0, 0.1, 0.5, 0.9] {
            assert_eq!(warning(last, &line), falls, "{last}");
        }
        // Falls first, then is constant with noise of ±0.1.
        let stays: Vec<f64> = (0..40).map(|t| if t < 10 { 1.0 } else { 0.3 + 0.1 * f64::from(t % 2) }).collect();
        assert_eq!(warning(0.1, &stays), None);
        assert_eq!(warning(0.2, &vec![0.5; 40]), None);
        let rises: Vec<f64> = line.iter().rev().copied().collect();
        assert_eq!(warning(0.1, &rises), None);
        assert!(warning(0.05, &[0.9, 0.5, 0.4]).unwrap().starts_with("fewer than 4 batches"));
    }

    #[test]
    fn losses_that_are_missing_or_not_finite_are_refused() {
        let words = measure(0.0, &[]).unwrap_err().to_string();
        assert!(words.ends_with("set `online_losses = true` in `[record]`"), "{words}");
        let words = measure(0.0, &[(1, 0.5), (1, f64::NAN)]).unwrap_err().to_string();
        assert!(words.starts_with("batch 1 has 1 samples and the loss NaN"), "{words}");
        assert!(measure(0.0, &[(0, 0.5)]).is_err());
        assert!(Prequential::last(1.5).is_err() && Prequential::last(f64::NAN).is_err());
        let defaults = Parameters::default().or_defaults(SPEC.parameters);
        assert!((SPEC.build)(&defaults).is_ok());
    }
}
