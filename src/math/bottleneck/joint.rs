//! A known p(x, y), with inputs of equal p(y|x) merged.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::math::entropy::entropy;
use crate::units::Nats;

/// Maximum difference of a sum of probabilities from 1. Information values have errors of about this size.
const NORMALISATION: f64 = 1e-10;

/// Why the numbers are not a joint distribution.
#[derive(Debug, Error, PartialEq)]
pub enum JointError {
    /// No inputs or no classes.
    #[error(
        "a joint distribution needs at least one input and one class, got {n_inputs} inputs and {n_classes} classes"
    )]
    Empty {
        /// Length of p(x).
        n_inputs: usize,
        /// Length of a row.
        n_classes: usize,
    },
    /// The length of p(y|x) is not the number of inputs times the number of classes.
    #[error(
        "p(y|x) has {got} numbers, but {n_inputs} inputs with {n_classes} classes need {}; give one row per input",
        n_inputs * n_classes
    )]
    Shape {
        /// Length of p(y|x).
        got: usize,
        /// Length of p(x).
        n_inputs: usize,
        /// Length of a row.
        n_classes: usize,
    },
    /// A p(x) that is not a probability.
    #[error("p(x) of input {input} is {got}; must be from 0 to 1")]
    Weight {
        /// Number of the input.
        input: usize,
        /// p(x).
        got: f64,
    },
    /// A p(y|x) that is not a probability.
    #[error("p(y|x) of input {input}, class {class} is {got}; must be from 0 to 1")]
    Probability {
        /// Number of the input.
        input: usize,
        /// Number of the class.
        class: usize,
        /// p(y|x).
        got: f64,
    },
    /// A p(x) that does not sum to 1.
    #[error("p(x) sums to {got}; must be 1 with a tolerance of {NORMALISATION:e}; divide by the sum")]
    WeightsNotNormalised {
        /// Σ_x p(x).
        got: f64,
    },
    /// A row of p(y|x) that does not sum to 1.
    #[error(
        "p(y|x) of input {input} sums to {got}; must be 1 with a tolerance of {NORMALISATION:e}; divide by the sum"
    )]
    RowNotNormalised {
        /// Number of the input.
        input: usize,
        /// Σ_y p(y|x).
        got: f64,
    },
}

/// p(x) and p(y|x), with inputs of equal p(y|x) merged.
///
/// The best encoder depends on x only through p(y|x), which is a sufficient statistic: merging equal rows changes
/// neither the bound nor any solution. Rows are equal if all of their bits are. Inputs with p(x) = 0 are in no merged
/// input.
///
/// # Reference
/// Tishby, Pereira & Bialek 1999, eq. 16 (x enters by KL[p(y|x) ‖ p(y|t)] only); Gilad-Bachrach, Navot & Tishby 2003,
/// "An information theoretic tradeoff between complexity and accuracy", §2.
#[derive(Debug, Clone)]
pub struct Joint {
    n_classes: usize,
    merged: Vec<Option<usize>>,
    p_inputs: Vec<f64>,
    p_x: Vec<f64>,
    p_y_given_x: Vec<f64>,
    /// ln p(y|x), −∞ if p(y|x) = 0.
    log_p_y_given_x: Vec<f64>,
    p_y: Vec<f64>,
}

/// A p(y|x) below this is treated as 0: its products with p(x) and p(t) would underflow in f64, and with them the
/// p(y|t) that a divergence divides by. Its contribution to any information is below 1e-197.
const NEGLIGIBLE: f64 = 1e-200;

impl Joint {
    /// From p(x), one weight per input, and p(y|x), inputs × classes row-major, all of which sum to 1.
    ///
    /// # Errors
    /// No input or no class, another number of rows, values that are not from 0 to 1, or sums that are not 1.
    pub fn new(p_x: &[f64], p_y_given_x: &[f64], n_classes: usize) -> Result<Self, JointError> {
        check(p_x, p_y_given_x, n_classes)?;
        let mut numbers: BTreeMap<Vec<u64>, usize> = BTreeMap::new();
        let (mut weights, mut rows) = (Vec::new(), Vec::<f64>::new());
        let mut merged = Vec::with_capacity(p_x.len());
        for (p, row) in p_x.iter().zip(p_y_given_x.chunks_exact(n_classes)) {
            if *p == 0.0 {
                merged.push(None);
                continue;
            }
            // 0 also replaces −0.
            let row: Vec<f64> = row.iter().map(|p| if *p < NEGLIGIBLE { 0.0 } else { *p }).collect();
            let bits = row.iter().map(|p| p.to_bits()).collect();
            let number = *numbers.entry(bits).or_insert_with(|| {
                weights.push(0.0);
                rows.extend(&row);
                weights.len() - 1
            });
            weights[number] += p;
            merged.push(Some(number));
        }
        let mut p_y = vec![0.0; n_classes];
        for (p, row) in weights.iter().zip(rows.chunks_exact(n_classes)) {
            for (p_y, p_y_given_x) in p_y.iter_mut().zip(row) {
                *p_y += p * p_y_given_x;
            }
        }
        let log_p_y_given_x = rows.iter().map(|p| p.ln()).collect();
        let p_inputs = p_x.to_vec();
        Ok(Self { n_classes, merged, p_inputs, p_x: weights, p_y_given_x: rows, log_p_y_given_x, p_y })
    }

    /// The merged input of every input; `None` if p(x) = 0.
    pub fn merged(&self) -> &[Option<usize>] {
        &self.merged
    }

    /// p(x) of every input, before merging.
    pub fn p_inputs(&self) -> &[f64] {
        &self.p_inputs
    }

    /// p(x) of the merged inputs, all above 0.
    pub fn p_x(&self) -> &[f64] {
        &self.p_x
    }

    /// p(y|x) of a merged input.
    pub fn p_y_given_x(&self, x: usize) -> &[f64] {
        &self.p_y_given_x[x * self.n_classes..(x + 1) * self.n_classes]
    }

    /// KL[p(y|x) ‖ r] = Σ_y p(y|x) ln p(y|x)/r(y) in nats, for a merged input and ln r. Infinite if r is 0 for a class
    /// for which p is not.
    pub(super) fn divergence(&self, x: usize, log_r: &[f64]) -> f64 {
        let log_p = &self.log_p_y_given_x[x * self.n_classes..(x + 1) * self.n_classes];
        let mut sum = 0.0;
        for (y, p) in self.p_y_given_x(x).iter().enumerate() {
            if *p > 0.0 {
                sum += p * (log_p[y] - log_r[y]);
            }
        }
        sum
    }

    /// p(y).
    pub fn p_y(&self) -> &[f64] {
        &self.p_y
    }

    /// Number of merged inputs.
    pub fn n_x(&self) -> usize {
        self.p_x.len()
    }

    /// Number of classes.
    pub fn n_classes(&self) -> usize {
        self.n_classes
    }

    /// H(X) of all inputs.
    pub fn h_x(&self) -> Nats {
        entropy(self.p_inputs.iter().copied())
    }

    /// H of the merged inputs: no representation needs more information about X to have all information about Y.
    pub fn h_x_merged(&self) -> Nats {
        entropy(self.p_x.iter().copied())
    }

    /// H(Y).
    pub fn h_y(&self) -> Nats {
        entropy(self.p_y.iter().copied())
    }

    /// I(X;Y) = H(Y) − Σ_x p(x) H(Y|x).
    pub fn i_xy(&self) -> Nats {
        let within: f64 = (0..self.n_x()).map(|x| self.p_x[x] * entropy(self.p_y_given_x(x).iter().copied()).0).sum();
        Nats(self.h_y().0 - within)
    }
}

fn check(p_x: &[f64], p_y_given_x: &[f64], n_classes: usize) -> Result<(), JointError> {
    let n_inputs = p_x.len();
    if n_inputs == 0 || n_classes == 0 {
        return Err(JointError::Empty { n_inputs, n_classes });
    }
    if n_inputs.checked_mul(n_classes) != Some(p_y_given_x.len()) {
        return Err(JointError::Shape { got: p_y_given_x.len(), n_inputs, n_classes });
    }
    let probability = |p: f64| (0.0..=1.0 + NORMALISATION).contains(&p);
    if let Some(input) = p_x.iter().position(|p| !probability(*p)) {
        return Err(JointError::Weight { input, got: p_x[input] });
    }
    if let Some(at) = p_y_given_x.iter().position(|p| !probability(*p)) {
        return Err(JointError::Probability { input: at / n_classes, class: at % n_classes, got: p_y_given_x[at] });
    }
    let got: f64 = p_x.iter().sum();
    if (got - 1.0).abs() > NORMALISATION {
        return Err(JointError::WeightsNotNormalised { got });
    }
    for (input, row) in p_y_given_x.chunks_exact(n_classes).enumerate() {
        let got: f64 = row.iter().sum();
        if (got - 1.0).abs() > NORMALISATION {
            return Err(JointError::RowNotNormalised { input, got });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_of_equal_rows_are_one() {
        let rows = [0.5, 0.5, 0.25, 0.75, 1.0, 0.0, 0.5, 0.5, 1.0, -0.0];
        let joint = Joint::new(&[0.25, 0.25, 0.0, 0.25, 0.25], &rows, 2).unwrap();
        assert_eq!(joint.merged(), [Some(0), Some(1), None, Some(0), Some(2)]);
        assert_eq!(joint.p_x(), [0.5, 0.25, 0.25]);
        assert_eq!(joint.p_y_given_x(1), [0.25, 0.75]);
        assert_eq!(joint.p_y(), [0.5625, 0.4375]);
        assert_eq!((joint.h_x().bits(), joint.h_x_merged().bits()), (2.0, 1.5));
    }

    #[test]
    fn minus_zero_is_zero() {
        let joint = Joint::new(&[0.5, 0.5], &[1.0, 0.0, 1.0, -0.0], 2).unwrap();
        assert_eq!(joint.n_x(), 1);
    }

    #[test]
    fn information_of_hard_labels_is_their_entropy() {
        let joint = Joint::new(&[0.25; 4], &[1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0], 2).unwrap();
        assert_eq!((joint.i_xy().bits(), joint.h_y().bits(), joint.h_x_merged().bits()), (1.0, 1.0, 1.0));
    }

    #[test]
    fn numbers_that_are_no_distribution_are_refused() {
        let refused = |p_x: &[f64], rows: &[f64], n_classes| Joint::new(p_x, rows, n_classes).unwrap_err();
        assert_eq!(refused(&[], &[], 2), JointError::Empty { n_inputs: 0, n_classes: 2 });
        assert_eq!(refused(&[1.0], &[], 0), JointError::Empty { n_inputs: 1, n_classes: 0 });
        assert_eq!(refused(&[1.0], &[1.0], 2), JointError::Shape { got: 1, n_inputs: 1, n_classes: 2 });
        assert_eq!(refused(&[1.5, -0.5], &[1.0, 1.0], 1), JointError::Weight { input: 0, got: 1.5 });
        assert!(matches!(refused(&[f64::NAN], &[1.0], 1), JointError::Weight { input: 0, .. }));
        assert_eq!(refused(&[0.5, 0.4], &[1.0, 1.0], 1), JointError::WeightsNotNormalised { got: 0.9 });
        let negative = [1.0, 0.0, 1.25, -0.25];
        assert_eq!(refused(&[0.5, 0.5], &negative, 2), JointError::Probability { input: 1, class: 0, got: 1.25 });
        let error = refused(&[0.5, 0.5], &[1.0, 0.0, 0.5, 0.25], 2);
        assert_eq!(error, JointError::RowNotNormalised { input: 1, got: 0.75 });
        assert_eq!(
            error.to_string(),
            "p(y|x) of input 1 sums to 0.75; must be 1 with a tolerance of 1e-10; divide by the sum"
        );
    }
}
