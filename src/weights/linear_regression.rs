//! Bayesian linear regression, where what is information in weights is known exactly.
//!
//! y = Xw + N(0, s² I) with w ~ N(0, λI); the posterior is N(m, C) with C = (X'X/s² + I/λ)⁻¹ and m = C X'y/s². All numbers are in nats.

use std::f64::consts::{E, PI};

use ndarray::{Array1, Array2, ArrayView1, ArrayView2};

use super::{MeasureError, check_number};
use crate::math::determinant::{cholesky, inverse_of_triangle, log_determinant, log_determinant_of_root};
use crate::parameter::{Kind, ParameterError};
use crate::units::Nats;

/// A linear regression with its posterior.
///
/// ```
/// use infoplane::weights::BayesRegression;
/// use ndarray::array;
///
/// let x = array![[1.0, 0.5], [0.2, -1.0], [0.3, 0.8]];
/// let regression = BayesRegression::new(x.view(), array![1.0, -0.4, 0.9].view(), 1.0, 0.1)?;
/// let excess = regression.code_length() - regression.final_model_code_length();
/// let density = regression.information_density(regression.mean());
/// assert!((excess.0 - density.0).abs() < 1e-12);
/// # Ok::<(), infoplane::weights::MeasureError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct BayesRegression {
    x: Array2<f64>,
    y: Array1<f64>,
    prior_variance: f64,
    noise_variance: f64,
    mean: Vec<f64>,
    covariance: Array2<f64>,
    log_determinant: f64,
}

impl BayesRegression {
    /// Inputs `x`, n × d, targets `y`, the prior's variance λ of each weight and the variance s² of the noise.
    ///
    /// # Errors
    /// Not as many targets as rows; numbers that are not finite; a variance that is not above 0.
    pub fn new(
        x: ArrayView2<'_, f64>,
        y: ArrayView1<'_, f64>,
        prior_variance: f64,
        noise_variance: f64,
    ) -> Result<Self, MeasureError> {
        if x.nrows() != y.len() || x.is_empty() {
            let problem =
                format!("{} × {} inputs have {} targets; give one for each row", x.nrows(), x.ncols(), y.len());
            return Err(MeasureError::Refused(problem));
        }
        if x.iter().chain(y).any(|value| !value.is_finite()) {
            return Err(MeasureError::NotFinite { what: "an input or a target" });
        }
        let positive = |name, variance| {
            let problem = |problem: ParameterError| MeasureError::Refused(problem.to_string());
            check_number(name, variance, Kind::Positive).map_err(problem)
        };
        let prior_variance = positive("prior_variance", prior_variance)?;
        let noise_variance = positive("noise_variance", noise_variance)?;
        let precision = x.t().dot(&x) / noise_variance + Array2::<f64>::eye(x.ncols()) / prior_variance;
        let root = cholesky(&precision).map_err(|problem| MeasureError::Refused(problem.to_string()))?;
        let inverse = inverse_of_triangle(&root);
        let covariance = inverse.t().dot(&inverse);
        let mean = covariance.dot(&(x.t().dot(&y) / noise_variance)).to_vec();
        let log_determinant = -log_determinant_of_root(&root);
        let (x, y) = (x.to_owned(), y.to_owned());
        Ok(Self { x, y, prior_variance, noise_variance, mean, covariance, log_determinant })
    }

    /// m.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// C.
    pub fn covariance(&self) -> &Array2<f64> {
        &self.covariance
    }

    /// −ln p(y_t | y_1, …, y_(t−1)) of each target: what it costs to send it when all before were received.
    pub fn online_code_lengths(&self) -> Vec<f64> {
        let d = self.mean.len();
        let mut mean = Array1::<f64>::zeros(d);
        let mut covariance = Array2::<f64>::eye(d) * self.prior_variance;
        let mut lengths = Vec::with_capacity(self.y.len());
        for (x, y) in self.x.rows().into_iter().zip(&self.y) {
            let direction = covariance.dot(&x);
            let variance = x.dot(&direction) + self.noise_variance;
            let residual = y - x.dot(&mean);
            lengths.push(0.5 * ((2.0 * PI * variance).ln() + residual * residual / variance));
            mean.scaled_add(residual / variance, &direction);
            let column = direction.view().insert_axis(ndarray::Axis(1));
            covariance -= &(column.dot(&column.t()) / variance);
        }
        lengths
    }

    /// −ln p(y): the sum of the online code lengths.
    pub fn code_length(&self) -> Nats {
        Nats(self.online_code_lengths().iter().sum())
    }

    /// −ln p(y) from the density of y ~ N(0, λXX' + s²I).
    ///
    /// # Errors
    /// The covariance of y is singular in f64.
    pub fn minus_log_marginal(&self) -> Result<Nats, MeasureError> {
        let root = cholesky(&self.covariance_of_y()).map_err(|problem| MeasureError::Refused(problem.to_string()))?;
        let white = inverse_of_triangle(&root).dot(&self.y);
        let n = self.y.len() as f64;
        Ok(Nats(0.5 * (n * (2.0 * PI).ln() + log_determinant_of_root(&root) + white.dot(&white))))
    }

    /// E_y of the code length over y that the model itself makes; I(W;S) plus that of the noise, (n/2) ln 2πe s².
    ///
    /// # Errors
    /// The covariance of y is singular in f64.
    pub fn expected_code_length(&self) -> Result<Nats, MeasureError> {
        let log_determinant =
            log_determinant(&self.covariance_of_y()).map_err(|problem| MeasureError::Refused(problem.to_string()))?;
        Ok(Nats(0.5 * (self.y.len() as f64 * (2.0 * PI * E).ln() + log_determinant)))
    }

    fn covariance_of_y(&self) -> Array2<f64> {
        let n = self.y.len();
        self.x.dot(&self.x.t()) * self.prior_variance + Array2::<f64>::eye(n) * self.noise_variance
    }

    /// −ln p(y | m): the code length of y when the posterior's mean is known beforehand.
    pub fn final_model_code_length(&self) -> Nats {
        let n = self.y.len() as f64;
        let squares: f64 = self.residuals().iter().map(|r| r * r).sum();
        Nats(0.5 * (n * (2.0 * PI * self.noise_variance).ln() + squares / self.noise_variance))
    }

    /// i(w;S) = ln q(w|S)/p(w) at some `weights`, as many as X has columns. At m it is the code length minus that of the final model.
    pub fn information_density(&self, weights: &[f64]) -> Nats {
        let offset: Array1<f64> = weights.iter().zip(&self.mean).map(|(w, m)| w - m).collect();
        // (w − m)' C⁻¹ (w − m), with C⁻¹ = X'X/s² + I/λ.
        let along = self.x.dot(&offset);
        let distance = along.dot(&along) / self.noise_variance + offset.dot(&offset) / self.prior_variance;
        let norm: f64 = weights.iter().map(|w| w * w).sum();
        let log_prior_determinant = weights.len() as f64 * self.prior_variance.ln();
        Nats(0.5 * (log_prior_determinant - self.log_determinant - distance + norm / self.prior_variance))
    }

    /// KL(q‖p) of the posterior from the prior; its mean over y is I(W;S).
    pub fn kl(&self) -> Nats {
        let d = self.mean.len() as f64;
        let norm: f64 = self.mean.iter().map(|w| w * w).sum();
        let trace = self.covariance.diag().sum();
        let log_ratio = d * self.prior_variance.ln() - self.log_determinant;
        Nats(0.5 * (log_ratio - d + (norm + trace) / self.prior_variance))
    }

    fn residuals(&self) -> Array1<f64> {
        &self.y - &self.x.dot(&ArrayView1::from(&self.mean))
    }

    /// ½ (m − m₋ᵢ)' C⁻¹ (m − m₋ᵢ) = h r²/(2s²(1 − h)²) of each sample i, m₋ᵢ being the mean without it, r its residual and h = x'Cx/s²:
    /// how far it moves the posterior.
    ///
    /// # Reference
    /// Harutyunyan, Achille, Paolini, Majumder, Ravichandran, Bhotika & Soatto 2021, "Estimating informativeness of samples".
    pub fn sample_informations(&self) -> Vec<f64> {
        let overlaps = self.overlaps();
        let of_sample = |(i, r): (usize, &f64)| {
            let h = overlaps[(i, i)] / self.noise_variance;
            h * r * r / (2.0 * self.noise_variance * (1.0 - h).powi(2))
        };
        self.residuals().iter().enumerate().map(of_sample).collect()
    }

    /// Cov_w(l_i, l_j) of the losses l = ½ (y − x'w)² under the posterior: r_i r_j x_i'Cx_j + (x_i'Cx_j)²/2, n × n.
    pub fn bayesian_influence(&self) -> Array2<f64> {
        let (residuals, overlaps) = (self.residuals(), self.overlaps());
        Array2::from_shape_fn(overlaps.dim(), |(i, j)| {
            let overlap = overlaps[(i, j)];
            residuals[i] * residuals[j] * overlap + 0.5 * overlap * overlap
        })
    }

    /// x_i'Cx_j.
    fn overlaps(&self) -> Array2<f64> {
        self.x.dot(&self.covariance).dot(&self.x.t())
    }
}

/// I(W_T + τξ; y): what the weights W_T after `n_steps` of gradient descent from 0 on ½|y − Xw|² say of y ~ N(·, s²I), at the resolution
/// `tau` τ of standard normal ξ. It grows like −d ln τ: there is information at a resolution only.
///
/// # Errors
/// A number out of range; gradient descent that diverged.
///
/// # Reference
/// Neu, Dziugaite, Haghifam & Roy 2021 (virtual noise); Wang & Mao 2022.
pub fn information_at_resolution(
    x: ArrayView2<'_, f64>,
    step_size: f64,
    n_steps: usize,
    noise_variance: f64,
    tau: f64,
) -> Result<Nats, MeasureError> {
    let positive = |name, number| {
        let problem = |problem: ParameterError| MeasureError::Refused(problem.to_string());
        check_number(name, number, Kind::Positive).map_err(problem)
    };
    let (step_size, tau) = (positive("step_size", step_size)?, positive("tau", tau)?);
    let noise_variance = positive("noise_variance", noise_variance)?;
    let d = x.ncols();
    // W_T = A y: A⁺ = A − η (X'XA − X').
    let gram = x.t().dot(&x);
    let mut map = Array2::<f64>::zeros((d, x.nrows()));
    for _ in 0..n_steps {
        map = &map - &((gram.dot(&map) - x.t()) * step_size);
    }
    let signal = map.dot(&map.t()) * (noise_variance / (tau * tau)) + Array2::<f64>::eye(d);
    let diverged =
        |_| MeasureError::Refused(format!("gradient descent diverged; choose a smaller step size than {step_size}"));
    Ok(Nats(0.5 * log_determinant(&signal).map_err(diverged)?))
}

/// τ² tr(X'X)/2: what noise of standard deviation `tau` on the weights adds to ½|y − Xw|².
pub fn loss_of_resolution(x: ArrayView2<'_, f64>, tau: f64) -> f64 {
    tau * tau * x.iter().map(|x| x * x).sum::<f64>() / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::fixtures::{assert_all_close, assert_close, numbers, values};

    fn design() -> Array2<f64> {
        Array2::from_shape_fn((20, 3), |(i, j)| {
            let (i, j) = (i as f64, j as f64);
            (1.0 + 0.37 * i + 0.91 * j + 0.53 * i * j).sin()
        })
    }

    fn regression() -> BayesRegression {
        let x = design();
        let y: Array1<f64> = (0..20)
            .map(|i| {
                let mean: f64 = (0..3).map(|j| x[(i, j)] * (j + 1) as f64 / 2.0).sum();
                mean + 0.3 * (2.3 * (i * i) as f64 + 0.4).cos()
            })
            .collect();
        BayesRegression::new(x.view(), y.view(), 1.0, 0.1).unwrap()
    }

    #[test]
    fn the_excess_of_the_online_code_is_the_information_density() {
        let regression = regression();
        assert_all_close(
            &regression.online_code_lengths()[..3],
            &[2.455_572_594_322, 2.173_547_412_541, 0.745_689_763_046_5],
        );
        assert_close(regression.code_length().0, 7.163_411_622_012);
        assert_close(regression.minus_log_marginal().unwrap().0, 7.163_411_622_012);
        assert_close(regression.final_model_code_length().0, -1.809_359_094_444);
        let excess = regression.code_length() - regression.final_model_code_length();
        assert_close(excess.0, 8.972_770_716_456);
        assert_close(regression.information_density(regression.mean()).0, 8.972_770_716_456);
        assert_close(regression.kl().0, 7.487_800_092_554);
    }

    #[test]
    fn the_expected_code_length_is_that_of_the_noise_and_the_shannon_information() {
        let noise = 10.0 * (2.0 * PI * E * 0.1).ln();
        assert_close(regression().expected_code_length().unwrap().0 - noise, 6.938_265_818_682);
    }

    #[test]
    fn samples_move_the_posterior_as_leaving_them_out_says() {
        let regression = regression();
        let informations = regression.sample_informations();
        assert_close(informations[0], 0.024_609_764_327_62);
        assert_close(informations.iter().sum(), 0.593_114_247_564);
        // m₋₁ from the regression of the other samples.
        let rows: Vec<usize> = (1..20).collect();
        let x = regression.x.select(ndarray::Axis(0), &rows);
        let y = regression.y.select(ndarray::Axis(0), &rows);
        let without = BayesRegression::new(x.view(), y.view(), 1.0, 0.1).unwrap();
        // ln q(m)/p(m) − ln q(m₋₁)/p(m₋₁) has the distance and the difference of the norms.
        let norm = |w: &[f64]| 0.5 * w.iter().map(|w| w * w).sum::<f64>();
        let at = |w: &[f64]| regression.information_density(w).0 - norm(w);
        assert_close(at(regression.mean()) - at(without.mean()), informations[0]);
    }

    #[test]
    fn influences_are_covariances_of_losses() {
        let influence = regression().bayesian_influence();
        assert_close(influence[(0, 0)], 0.000_527_511_781_950_2);
        assert_close(influence[(0, 1)], -0.000_196_896_292_776_8);
        assert_close(influence.diag().sum(), 0.010_911_230_230_81);
        assert_close(influence.sum(), 0.015_219_478_169_07);
    }

    #[test]
    fn information_exists_at_a_resolution() {
        let x = design();
        let at = |steps, tau| information_at_resolution(x.view(), 0.02, steps, 0.1, tau).unwrap().0;
        assert_close(at(100, 1.0), 0.015_108_860_334_24);
        assert_close(at(100, 0.1), 1.040_230_569_807);
        assert_close(at(100, 0.01), 6.907_744_244_975);
        assert_close(loss_of_resolution(x.view(), 0.1), 0.154_728_927_481_6);
        assert_eq!(at(0, 0.1), 0.0);
        assert!(information_at_resolution(x.view(), 5.0, 1000, 0.1, 1.0).is_err());
        let Some(file) = values("d9_newer") else { return };
        let of_regression = numbers(&file["sample_information"]["first5"]);
        assert_all_close(&regression().sample_informations()[..5], &of_regression);
        for (steps, informations) in file["resolution_tau"]["values"].as_object().unwrap() {
            let steps: usize = steps.strip_prefix("T=").unwrap().parse().unwrap();
            for (tau, expected) in informations.as_object().unwrap() {
                let tau: f64 = tau.strip_prefix("tau=").unwrap().parse().unwrap();
                assert_close(at(steps, tau), expected.as_f64().unwrap());
            }
        }
    }

    #[test]
    fn what_is_no_regression_is_refused() {
        let x = design();
        let refused =
            |y: &[f64], prior| BayesRegression::new(x.view(), ArrayView1::from(y), prior, 0.1).unwrap_err().to_string();
        assert_eq!(refused(&[1.0], 1.0), "20 × 3 inputs have 1 targets; give one for each row");
        assert_eq!(refused(&[f64::NAN; 20], 1.0), "an input or a target is not finite");
        assert_eq!(refused(&[1.0; 20], 0.0), "parameter `prior_variance`: must be a finite number above 0, got 0");
    }
}
