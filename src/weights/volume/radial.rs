//! The probability, under a Gaussian prior, of the region around weights with a small cost, estimated from random
//! directions.
//!
//! With w = w* + ρ M u, u uniform on the sphere and M a diagonal matrix of scales, the probability is
//! |M| A E_u ∫₀^r(u) ρ^(k−1) p(w* + ρMu) dρ, with A the area of the sphere in k dimensions and r(u) the radius at
//! which the cost first exceeds the tolerance. The inner integral is exact. The region is assumed to be star-shaped:
//! along a direction that enters it again, r is one of its boundaries.
//!
//! Few directions with a large radius dominate the mean. It is therefore a mean, never a mean of logarithms, which is
//! far too small in many dimensions; and the effective number of directions is reported. The mean m is an unbiased
//! estimate of the probability p, so that E(−ln m) ≥ −ln p (Jensen) and P(−ln m + ln 1/δ < −ln p) ≤ δ (Markov), for any
//! number of directions. Directions with a large radius may be missed, and the information is then too large.
//!
//! # Reference
//! Scherlis & Belrose 2025 (arXiv 2501.18812), sec. 3.

use std::f64::consts::PI;

use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use statrs::function::gamma::ln_gamma;

use crate::math::quadrature::integrate;
use crate::units::Nats;
use crate::weights::{MeasureError, rng};

/// Parts of an integrand below e⁻⁴⁵ of its maximum are ignored.
const NEGLIGIBLE: f64 = 45.0;
/// Panels of an integral over such a range.
const PANELS: usize = 40;
/// Relative error of a radius; times k it is the relative error of the contribution of a direction.
const RADIUS_TOLERANCE: f64 = 1e-9;
/// Maximum number of evaluations of the cost per direction.
const MOST_EVALUATIONS: usize = 200;
/// Number of effective directions below which the information is only an upper bound; with 10 the standard error is
/// 0.3 nats.
const FEWEST_EFFECTIVE: f64 = 10.0;

/// A region of small cost around weights, under a Gaussian prior with mean 0.
#[derive(Debug, Clone, Copy)]
pub struct LocalRegion<'a> {
    /// w*.
    pub centre: &'a [f64],
    /// The prior variance of each weight.
    pub prior_variances: &'a [f64],
    /// M: approximate extent of the region along each weight. It changes the error of the estimate, not its
    /// expectation.
    pub scales: &'a [f64],
    /// The largest cost inside the region.
    pub tolerance: f64,
}

/// The estimate of the probability of a region.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VolumeEstimate {
    /// −ln of the probability.
    pub information: Nats,
    /// Its standard error, from the spread over directions. With e effective directions among n it is √((n/e − 1)/(n −
    /// 1)), so never above 1 nat, whatever was missed.
    pub std_error: Nats,
    /// (Σ share)²/Σ share² over the directions.
    pub effective_directions: f64,
    /// −ln of the probability from the mean of the logarithms, which is too large; only for comparison.
    pub compat_mean_of_logs: Nats,
}

impl VolumeEstimate {
    /// Whether fewer than 10 directions dominate the mean. The information is then an upper bound, and its standard
    /// error has no meaning.
    pub fn is_upper_bound_only(&self) -> bool {
        self.effective_directions < FEWEST_EFFECTIVE
    }
}

impl LocalRegion<'_> {
    /// −ln of the prior probability of the region, from `n_directions` directions, at least 2, each from a separate
    /// stream of `seed`; the `cost` of w* is 0.
    ///
    /// # Errors
    /// Vectors of different lengths; a variance, scale or tolerance that is not above 0; fewer than 2 directions; or a
    /// cost that is NaN.
    pub fn information(
        &self,
        n_directions: usize,
        seed: u64,
        cost: impl Fn(&[f64]) -> f64 + Sync,
    ) -> Result<VolumeEstimate, MeasureError> {
        let k = self.centre.len();
        if k == 0 || self.prior_variances.len() != k || self.scales.len() != k {
            let (variances, scales) = (self.prior_variances.len(), self.scales.len());
            let problem =
                format!("{k} weights have {variances} prior variances and {scales} scales; give one per weight");
            return Err(MeasureError::Refused(problem));
        }
        let is_positive = |number: &f64| *number > 0.0 && number.is_finite();
        if !self.prior_variances.iter().chain(self.scales).chain([&self.tolerance]).all(is_positive) {
            let problem = "prior variances, scales and the tolerance must be finite and above 0".to_owned();
            return Err(MeasureError::Refused(problem));
        }
        if n_directions < 2 {
            return Err(MeasureError::Refused(format!("a volume needs at least 2 directions, got {n_directions}")));
        }
        let share = |direction| self.log_integral(&mut rng(seed, direction), &cost);
        let logs = (0..n_directions as u64).into_par_iter().map(share).collect::<Result<Vec<f64>, _>>()?;
        // ln A, with A = 2 π^(k/2)/Γ(k/2), ln |M|, and the constant of the prior.
        let half_k = k as f64 / 2.0;
        let mut constant = 2.0_f64.ln() + half_k * PI.ln() - ln_gamma(half_k);
        for (scale, variance) in self.scales.iter().zip(self.prior_variances) {
            constant += scale.ln() - 0.5 * (2.0 * PI * variance).ln();
        }
        let n = n_directions as f64;
        let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let shares: Vec<f64> = logs.iter().map(|log| (log - largest).exp()).collect();
        let (sum, squares) = (shares.iter().sum::<f64>(), shares.iter().map(|share| share * share).sum::<f64>());
        let mean = sum / n;
        let deviations: f64 = shares.iter().map(|share| (share / mean - 1.0).powi(2)).sum();
        Ok(VolumeEstimate {
            information: Nats(-(constant + largest + mean.ln())),
            std_error: Nats((deviations / (n * (n - 1.0))).sqrt()),
            effective_directions: sum * sum / squares,
            compat_mean_of_logs: Nats(-(constant + logs.iter().sum::<f64>() / n)),
        })
    }

    /// ln ∫₀^r ρ^(k−1) exp(−½ Σ (w* + ρMu)²/v) dρ for a random direction u.
    fn log_integral(&self, rng: &mut ChaCha8Rng, cost: &impl Fn(&[f64]) -> f64) -> Result<f64, MeasureError> {
        let k = self.centre.len();
        let normals: Vec<f64> = (0..k).map(|_| StandardNormal.sample(rng)).collect();
        let length = normals.iter().map(|z| z * z).sum::<f64>().sqrt();
        let step: Vec<f64> = normals.iter().zip(self.scales).map(|(z, scale)| z / length * scale).collect();
        // The exponent is −½ (aρ² + 2bρ + c).
        let (mut a, mut b, mut c) = (0.0, 0.0, 0.0);
        for ((s, w), v) in step.iter().zip(self.centre).zip(self.prior_variances) {
            a += s * s / v;
            b += w * s / v;
            c += w * w / v;
        }
        let power = k as f64 - 1.0;
        let log_density = |rho: f64| {
            let log_power = if power == 0.0 { 0.0 } else { power * rho.ln() };
            log_power - 0.5 * a * rho * rho - b * rho
        };
        // The maximum of the logarithm, which is concave: (k − 1)/ρ = aρ + b.
        let peak = ((b * b + 4.0 * a * power).sqrt() - b).max(0.0) / (2.0 * a);
        let farthest = falls_by(NEGLIGIBLE, peak, Side::Above, log_density);
        let radius = self.radius(&step, farthest, cost)?;
        let top = peak.min(radius);
        let low = if top == 0.0 { 0.0 } else { falls_by(NEGLIGIBLE, top, Side::Below, log_density) };
        let high = farthest.min(radius);
        let highest = log_density(top);
        let integral = integrate(low, high, PANELS, |rho| (log_density(rho) - highest).exp());
        Ok(integral.ln() + highest - 0.5 * c)
    }

    /// The ρ at which the cost of w* + ρ `step` exceeds the tolerance, or `farthest` if it does not before.
    fn radius(&self, step: &[f64], farthest: f64, cost: &impl Fn(&[f64]) -> f64) -> Result<f64, MeasureError> {
        // √cost − √tolerance is about linear in ρ.
        let excess = |rho: f64| {
            let weights: Vec<f64> = self.centre.iter().zip(step).map(|(w, s)| w + rho * s).collect();
            let cost = cost(&weights);
            // The cost of w* may be slightly negative after rounding.
            let excess = cost.max(0.0).sqrt() - self.tolerance.sqrt();
            if cost.is_nan() {
                Err(MeasureError::NotFinite { what: "the cost of weights near the recorded weights" })
            } else {
                Ok(excess)
            }
        };
        // Doubled, starting from a radius at which the cost is far below the tolerance, or nearly so.
        let mut outside = farthest;
        while outside > farthest * 1e-6 && excess(0.5 * outside)? > 0.0 {
            outside *= 0.5;
        }
        let mut at_outside = excess(outside)?;
        if at_outside <= 0.0 {
            return Ok(outside);
        }
        let (mut inside, mut at_inside) = (0.0, -self.tolerance.sqrt());
        // The Illinois variant of the regula falsi.
        let mut last = Side::Above;
        for evaluation in 0..MOST_EVALUATIONS {
            if outside - inside <= RADIUS_TOLERANCE * outside {
                break;
            }
            let crossing = inside - at_inside * (outside - inside) / (at_outside - at_inside);
            let middle = if evaluation % 4 == 3 { 0.5 * (inside + outside) } else { crossing };
            let at_middle = excess(middle)?;
            if at_middle.abs() <= RADIUS_TOLERANCE * self.tolerance.sqrt() {
                return Ok(middle);
            }
            let side = if at_middle > 0.0 { Side::Above } else { Side::Below };
            match side {
                Side::Above => {
                    (outside, at_outside) = (middle, at_middle);
                    at_inside *= if last == side { 0.5 } else { 1.0 };
                }
                Side::Below => {
                    (inside, at_inside) = (middle, at_middle);
                    at_outside *= if last == side { 0.5 } else { 1.0 };
                }
            }
            last = side;
        }
        Ok(0.5 * (inside + outside))
    }
}

/// Side of a maximum.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Below,
    Above,
}

/// The position where the concave function `f` of ρ ≥ 0 is `fall` below its value at `top`; 0 if it does not fall so
/// far before 0.
fn falls_by(fall: f64, top: f64, side: Side, f: impl Fn(f64) -> f64) -> f64 {
    let level = f(top) - fall;
    let (mut inside, mut outside) = match side {
        Side::Below => (top, 0.0),
        Side::Above => {
            let mut far = if top > 0.0 { 2.0 * top } else { 1.0 };
            while f(far) > level {
                far *= 2.0;
            }
            (top, far)
        }
    };
    if side == Side::Below && f(outside) > level {
        return 0.0;
    }
    // Sixty halvings are more than the digits of the position.
    for _ in 0..60 {
        let middle = 0.5 * (inside + outside);
        if f(middle) > level {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    outside
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::{log_ellipsoid_volume, mean_of_log_radii, quadratic_information};

    fn estimate(h: &[f64], centre: &[f64], scales: &[f64], n_directions: usize) -> VolumeEstimate {
        let variances = vec![1.0; h.len()];
        let region = LocalRegion { centre, prior_variances: &variances, scales, tolerance: 0.05 };
        let cost = |w: &[f64]| {
            let of_weight = |((w, c), h): ((&f64, &f64), &f64)| 0.5 * h * (w - c).powi(2);
            w.iter().zip(centre).zip(h).map(of_weight).sum::<f64>()
        };
        region.information(n_directions, 5, cost).unwrap()
    }

    #[test]
    fn a_sphere_around_zero_has_its_share_from_any_direction() {
        let found = estimate(&[2.0; 5], &[0.0; 5], &[1.0; 5], 3);
        // Each direction gives the exact probability, up to the relative error 1e-9 of the radius times 5.
        assert!((found.information.0 - 10.441_015_189_76).abs() < 1e-8, "{found:?}");
        assert!(found.std_error.0 < 1e-8 && (found.effective_directions - 3.0).abs() < 1e-8, "{found:?}");
    }

    #[test]
    fn off_centre_and_elongated_regions_are_within_four_standard_errors() {
        let cases: [(&[f64], &[f64], f64); 3] = [
            (&[2.0; 5], &[1.5, 0.0, 0.0, 0.0, 0.0], 11.557_999_379_03),
            (&[1.0, 0.1], &[0.8, -0.5], 2.384_143_945_116_9),
            (&[1.0, 0.3, 0.05, 4.0], &[0.3, 0.2, -0.4, 0.1], f64::NAN),
        ];
        for (h, centre, expected) in cases {
            let exact = quadratic_information(h, centre, 1.0, 0.05).unwrap().0;
            assert!(expected.is_nan() || (exact - expected).abs() < 1e-9, "{exact}");
            let scales: Vec<f64> = h.iter().map(|h| 1.0 / (h / 0.1 + 1.0_f64).sqrt()).collect();
            for scales in [scales, vec![1.0; h.len()]] {
                let found = estimate(h, centre, &scales, 4000);
                let error = (found.information.0 - exact).abs();
                assert!(error < 4.0 * found.std_error.0 + 1e-8, "{found:?} is not {exact}");
                assert!(found.std_error.0 < 0.1);
            }
        }
    }

    #[test]
    fn few_effective_directions_give_an_upper_bound_that_their_standard_error_does_not_show() {
        // A hundred curvatures from 1 to 10⁻⁴, in a prior whose density is constant over the region.
        let h: Vec<f64> = (0..100).map(|i| 10_f64.powf(-4.0 * f64::from(i) / 99.0)).collect();
        let variance = 1e9;
        let log_prior = -50.0 * (2.0 * PI * variance).ln();
        let exact = -(log_ellipsoid_volume(&h, 0.05).unwrap() + log_prior);
        let estimate = |scales: &[f64], seed| {
            let (centre, prior_variances) = (&[0.0; 100], &[variance; 100]);
            let region = LocalRegion { centre, prior_variances, scales, tolerance: 0.05 };
            let cost = |w: &[f64]| w.iter().zip(&h).map(|(w, h)| 0.5 * h * w * w).sum();
            region.information(200, seed, cost).unwrap()
        };
        let alike = [1.0; 100];
        for seed in 0..10 {
            let found = estimate(&alike, seed);
            assert!(found.is_upper_bound_only(), "{found:?}");
            assert!(found.information.0 > exact + 4.0 * found.std_error.0, "{found:?} is not above {exact}");
            let effective = found.effective_directions;
            let of_effective = ((200.0 / effective - 1.0) / 199.0_f64).sqrt();
            assert!((found.std_error.0 - of_effective).abs() < 1e-9 && of_effective <= 1.0, "{found:?}");
        }
        // With the scales of the curvature, the region is a sphere.
        let fitting: Vec<f64> = h.iter().map(|h| 1.0 / h.sqrt()).collect();
        let found = estimate(&fitting, 0);
        assert!(!found.is_upper_bound_only() && (found.effective_directions - 200.0).abs() < 1e-6, "{found:?}");
        // The relative error 1e-9 of the radius times 100, and the decrease of the prior density: at most
        // (0.1/10⁻⁴)/(2·10⁹).
        assert!((found.information.0 - exact).abs() < 1e-6, "{found:?} is not {exact}");
    }

    #[test]
    fn a_mean_of_logarithms_is_another_number() {
        // For a wide prior, whose density is constant over the region, the probability is given by the radii.
        let h = [1.0, 0.01];
        let region = LocalRegion { centre: &[0.0; 2], prior_variances: &[1e8; 2], scales: &[1.0; 2], tolerance: 0.05 };
        let found = region.information(20_000, 1, |w| 0.5 * (w[0] * w[0] + 0.01 * w[1] * w[1])).unwrap();
        // The difference of the two is ln E r² − E ln r² = 1.1069.
        let difference = found.compat_mean_of_logs.0 - found.information.0;
        let expected = -mean_of_log_radii(&h, 0.05).unwrap();
        // The standard deviation over directions is about 1.6 for the logarithm of r², and 1.9 times the mean for r²:
        // 4 · 2.5/√20000 = 0.07.
        assert!((difference - expected).abs() < 0.07, "{difference} is not {expected}");
    }

    #[test]
    fn flat_directions_keep_the_variance_of_the_prior() {
        let found = estimate(&[0.0, 0.0], &[0.0, 0.0], &[1.0, 1.0], 10);
        // The whole prior is inside, except for the ignored parts, e⁻⁴⁵.
        assert!(found.information.0.abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn invalid_regions_are_refused() {
        let region = LocalRegion { centre: &[0.0], prior_variances: &[1.0], scales: &[1.0], tolerance: 0.1 };
        let refused = |region: LocalRegion<'_>, n| region.information(n, 0, |w| w[0] * w[0]).unwrap_err().to_string();
        assert!(refused(LocalRegion { tolerance: 0.0, ..region }, 9).ends_with("must be finite and above 0"));
        assert!(
            refused(LocalRegion { scales: &[], ..region }, 9)
                .starts_with("1 weights have 1 prior variances and 0 scales")
        );
        assert_eq!(refused(region, 1), "a volume needs at least 2 directions, got 1");
        assert!(region.information(9, 0, |_| f64::NAN).is_err());
    }
}
