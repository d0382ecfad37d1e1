//! Bounds on the risk of a Gibbs classifier, which draws new weights from Q for every sample.
//!
//! Each holds with probability 1 − δ over the n samples, for every Q, a loss in [0, 1] (here the 0-1 error) and a prior
//! P that does not depend on the samples. They are not about the fixed network at the centre of Q. A cross-entropy is
//! not in [0, 1] and must not be used.

use std::f64::consts::PI;

use crate::math::binary_kl::{lower_inverse, upper_inverse};
use crate::parameter::{Kind, ParameterError, Value};
use crate::units::Nats;
use crate::weights::{check_count, check_number, check_probability};

/// The inputs of a bound on the risk of a Gibbs classifier.
///
/// ```
/// use infoplane::{units::Nats, weights::GibbsRisk};
///
/// let risk = GibbsRisk::new(0.02, Nats(5.0), 1000, 0.05)?;
/// assert!((risk.kl_inverse_maurer() - 0.05).abs() < 1e-6);
/// # Ok::<(), infoplane::parameter::ParameterError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GibbsRisk {
    empirical: f64,
    kl: f64,
    n: f64,
    delta: f64,
}

impl GibbsRisk {
    /// The `empirical` risk E_Q of the mean loss on `n_samples`, in 0..=1; KL(Q‖P); and the probability `delta` that
    /// the bound does not hold.
    ///
    /// # Errors
    /// A risk that is not a probability, a divergence that is negative or not finite, fewer than two samples, or a
    /// `delta` that is not between 0 and 1.
    pub fn new(empirical: f64, kl: Nats, n_samples: usize, delta: f64) -> Result<Self, ParameterError> {
        if !(0.0..=1.0).contains(&empirical) {
            let allowed = "a probability from 0 to 1".to_owned();
            return Err(ParameterError::Value {
                name: "empirical",
                allowed,
                got: Value::Number(empirical).to_string(),
            });
        }
        let n = check_count("n_samples", n_samples, (2, u64::MAX))? as f64;
        let kl = check_number("kl", kl.0, Kind::NotNegative)?;
        Ok(Self { empirical, kl, n, delta: check_probability("delta", delta)? })
    }

    /// (KL + ln(2√n/δ))/n, for n ≥ 8.
    ///
    /// # Reference
    /// Maurer 2004, "A note on the PAC Bayesian theorem", theorem 5.
    pub fn complexity_maurer(&self) -> f64 {
        (self.kl + (2.0 * self.n.sqrt() / self.delta).ln()) / self.n
    }

    /// (KL + ln((n + 1)/δ))/n.
    ///
    /// # Reference
    /// Seeger 2002, theorem 1; Langford 2005, theorem 5.1.
    pub fn complexity_seeger(&self) -> f64 {
        (self.kl + ((self.n + 1.0) / self.delta).ln()) / self.n
    }

    /// (KL + ln(n/δ))/(n − 1).
    ///
    /// # Reference
    /// Langford & Caruana 2002, theorem 2.
    pub fn complexity_langford_caruana(&self) -> f64 {
        (self.kl + (self.n / self.delta).ln()) / (self.n - 1.0)
    }

    /// (KL + 2 ln j + ln(π²n/6δ))/(n − 1) with the prior of `rank` j in a [`PriorGrid`]: the sum of δ · 6/(π²j²) over all j is δ.
    ///
    /// # Reference
    /// Dziugaite & Roy 2017, eq. 6.
    pub fn complexity_dziugaite_roy(&self, rank: f64) -> f64 {
        (self.kl + 2.0 * rank.ln() + (PI * PI * self.n / (6.0 * self.delta)).ln()) / (self.n - 1.0)
    }

    /// ê + √((KL + ln(2√n/δ))/2n): McAllester's bound with Maurer's constant.
    pub fn mcallester_maurer(&self) -> f64 {
        self.empirical + (self.complexity_maurer() / 2.0).sqrt()
    }

    /// ê + √((KL + ln(n/δ))/(2(n − 1))).
    ///
    /// # Reference
    /// McAllester 2003, "PAC-Bayesian stochastic model selection", theorem 1.
    pub fn mcallester_2003(&self) -> f64 {
        self.empirical + (self.complexity_langford_caruana() / 2.0).sqrt()
    }

    /// ê + √((KL + ln(1/δ) + (5/2) ln n + 8)/(2n − 1)).
    ///
    /// # Reference
    /// McAllester 1999, "PAC-Bayesian model averaging", theorem 1.
    pub fn mcallester_1999(&self) -> f64 {
        let complexity = self.kl + (1.0 / self.delta).ln() + 2.5 * self.n.ln() + 8.0;
        self.empirical + (complexity / (2.0 * self.n - 1.0)).sqrt()
    }

    /// kl⁻¹(ê, c) with [`GibbsRisk::complexity_maurer`]: the tightest of these bounds without a grid.
    pub fn kl_inverse_maurer(&self) -> f64 {
        upper_inverse(self.empirical, self.complexity_maurer())
    }

    /// Lower bound on the risk, with the same probability: the lower inverse at [`GibbsRisk::complexity_maurer`].
    pub fn kl_inverse_maurer_lower(&self) -> f64 {
        lower_inverse(self.empirical, self.complexity_maurer())
    }

    /// kl⁻¹(ê, c) with [`GibbsRisk::complexity_seeger`].
    pub fn kl_inverse_seeger(&self) -> f64 {
        upper_inverse(self.empirical, self.complexity_seeger())
    }

    /// kl⁻¹(ê, c) with [`GibbsRisk::complexity_langford_caruana`].
    pub fn kl_inverse_langford_caruana(&self) -> f64 {
        upper_inverse(self.empirical, self.complexity_langford_caruana())
    }

    /// kl⁻¹(ê, c) with [`GibbsRisk::complexity_dziugaite_roy`] and a prior of `rank` j.
    pub fn kl_inverse_dziugaite_roy(&self, rank: f64) -> f64 {
        upper_inverse(self.empirical, self.complexity_dziugaite_roy(rank))
    }

    /// (1 − exp(−C ê − (KL + ln(1/δ))/n))/(1 − exp(−C)) for a constant `c` > 0 that is chosen before the samples are
    /// seen.
    ///
    /// # Reference
    /// Catoni 2007, theorem 1.2.6.
    pub fn catoni(&self, c: f64) -> f64 {
        let exponent = c * self.empirical + (self.kl + (1.0 / self.delta).ln()) / self.n;
        (-exponent).exp_m1() / (-c).exp_m1()
    }

    /// λ = 2/(√(2n ê/(KL + ln(2√n/δ)) + 1) + 1), which minimises [`GibbsRisk::thiemann_at`].
    pub fn thiemann_lambda(&self) -> f64 {
        2.0 / ((2.0 * self.empirical / self.complexity_maurer() + 1.0).sqrt() + 1.0)
    }

    /// ê/(1 − λ/2) + (KL + ln(2√n/δ))/(nλ(1 − λ/2)) for a `lambda` between 0 and 2; holds for all λ at once.
    ///
    /// # Reference
    /// Thiemann, Igel, Wintenberger & Seldin 2017, theorem 3.
    pub fn thiemann_at(&self, lambda: f64) -> f64 {
        (self.empirical + self.complexity_maurer() / lambda) / (1.0 - lambda / 2.0)
    }

    /// [`GibbsRisk::thiemann_at`] the best λ.
    pub fn thiemann(&self) -> f64 {
        self.thiemann_at(self.thiemann_lambda())
    }

    /// Whether [`GibbsRisk::kl_inverse_maurer`] is no better than guessing.
    pub fn is_vacuous(&self) -> bool {
        self.kl_inverse_maurer() >= 0.5
    }
}

/// Upper bound, with probability 1 − δ′, on the empirical risk E_Q estimated by drawing from Q: kl⁻¹(mean, ln(2/δ′)/m)
/// for the `mean` loss of `n_draws` m independent draws.
///
/// Use it instead of the empirical risk; the bound then holds with probability 1 − δ − δ′.
///
/// # Errors
/// No draws, or a `delta` that is not between 0 and 1.
///
/// # Reference
/// Langford & Caruana 2002; Dziugaite & Roy 2017, sec. 3.2.
pub fn risk_of_draws_at_most(mean: f64, n_draws: usize, delta: f64) -> Result<f64, ParameterError> {
    let n_draws = check_count("n_draws", n_draws, (1, u64::MAX))? as f64;
    Ok(upper_inverse(mean, (2.0 / check_probability("delta", delta)?).ln() / n_draws))
}

/// The variances λ = c exp(−j/b), j = 1, 2, …, from which that of the prior N(w₀, λI) may be chosen after seeing the
/// samples.
///
/// # Reference
/// Dziugaite & Roy 2017, sec. 3.1; b = 100 and c = 0.1 in their experiments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PriorGrid {
    largest_variance: f64,
    precision: f64,
}

impl PriorGrid {
    /// Variances below `largest_variance` c, with `precision` b of them per factor e. Both are chosen before the
    /// samples are seen.
    ///
    /// # Errors
    /// A number that is not finite and above 0, or a precision below 1 (the grid would have no variances to choose
    /// from) or above 1000.
    pub fn new(largest_variance: f64, precision: f64) -> Result<Self, ParameterError> {
        let largest_variance = check_number("largest_variance", largest_variance, Kind::Positive)?;
        if !(1.0..=1000.0).contains(&precision) {
            let (allowed, got) = ("a number from 1 to 1000".to_owned(), Value::Number(precision).to_string());
            return Err(ParameterError::Value { name: "precision", allowed, got });
        }
        Ok(Self { largest_variance, precision })
    }

    /// The variance of rank `j`.
    pub fn variance(&self, j: u32) -> f64 {
        self.largest_variance * (-f64::from(j) / self.precision).exp()
    }

    /// j = b ln(c/λ) of a `variance` λ; if λ is not on the grid, the rank is between those of its neighbours.
    ///
    /// # Errors
    /// The variance is above that of rank 1.
    pub fn rank(&self, variance: f64) -> Result<f64, ParameterError> {
        let rank = self.precision * (self.largest_variance / variance).ln();
        // The variance of rank 1 may be slightly larger after rounding.
        if rank > 1.0 - 1e-9 {
            return Ok(rank);
        }
        let allowed = format!("a positive number of at most {}, the largest of the grid", self.variance(1));
        Err(ParameterError::Value { name: "variance", allowed, got: Value::Number(variance).to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::fixtures::{assert_close, values};

    /// KL, n, δ, ê and the bounds in the order of [`bounds`], from SciPy and mpmath (page D6).
    const POINTS: [(f64, usize, f64, f64, [f64; 10]); 2] = [
        (
            5.0,
            1000,
            0.05,
            0.02,
            [
                0.097_919_051_244_24,
                0.106_366_677_481_812,
                0.148_999_537_502_437,
                0.049_999_677_636_477_1,
                0.054_248_620_980_744_2,
                0.054_269_469_450_384,
                0.005_238_413_482_680_15,
                0.043_674_395_519_6,
                0.650_992_537_586_878,
                0.057_305_364_938_947_6,
            ],
        ),
        (
            2.771_868_526_365,
            20,
            0.05,
            0.1,
            [
                0.546_055_324_966_98,
                0.580_222_894_341_043,
                0.838_274_694_965_053,
                0.518_242_211_131_628,
                0.542_921_479_960_388,
                0.554_304_257_173_196,
                0.000_729_193_332_610_523,
                0.509_151_975_963_331,
                0.898_550_953_256_173,
                0.985_716_507_051_21,
            ],
        ),
    ];

    fn bounds(risk: &GibbsRisk) -> [f64; 10] {
        [
            risk.mcallester_maurer(),
            risk.mcallester_2003(),
            risk.mcallester_1999(),
            risk.kl_inverse_maurer(),
            risk.kl_inverse_seeger(),
            risk.kl_inverse_langford_caruana(),
            risk.kl_inverse_maurer_lower(),
            risk.catoni(1.0),
            risk.thiemann_lambda(),
            risk.thiemann(),
        ]
    }

    const KEYS: [&str; 10] = [
        "McAllester (Maurer constant): e+sqrt((KL+ln(2 sqrt n/d))/(2n))",
        "McAllester 2003: e+sqrt((KL+ln(n/d))/(2(n-1)))",
        "McAllester 1999: e+sqrt((KL+ln(1/d)+2.5 ln n+8)/(2n-1))",
        "kl-inverse Maurer c=(KL+ln(2 sqrt n/d))/n",
        "kl-inverse Seeger/Langford c=(KL+ln((n+1)/d))/n",
        "kl-inverse Langford-Caruana (Dziugaite-Roy) c=(KL+ln(n/d))/(n-1)",
        "kl-inverse lower (Maurer)",
        "Catoni C=1: (1-exp(-C e-(KL+ln(1/d))/n))/(1-exp(-C))",
        "Thiemann lambda*",
        "Thiemann bound",
    ];

    #[test]
    fn bounds_are_those_of_scipy() {
        for (kl, n, delta, empirical, expected) in POINTS {
            let risk = GibbsRisk::new(empirical, Nats(kl), n, delta).unwrap();
            bounds(&risk).iter().zip(expected).for_each(|(got, expected)| assert_close(*got, expected));
        }
        let Some(file) = values("d6_pac_bayes") else { return };
        let pipeline = &file["linear_classifier_pipeline"]["bounds"];
        for point in file["points"].as_array().unwrap().iter().chain([pipeline]) {
            let number = |key: &str| point[key].as_f64().unwrap();
            let n = number("n") as usize;
            let risk = GibbsRisk::new(number("emp"), Nats(number("KL")), n, number("delta")).unwrap();
            bounds(&risk).iter().zip(KEYS).for_each(|(got, key)| assert_close(*got, number(key)));
            assert_eq!(Some(risk.is_vacuous()), point["vacuous(kl-inverse Maurer>=0.5)"].as_bool());
        }
        for point in file["kl_inverse_grid"].as_array().unwrap() {
            let number = |key: &str| point[key].as_f64().unwrap();
            assert_close(upper_inverse(number("p"), number("c")), number("upper"));
            assert_close(lower_inverse(number("p"), number("c")), number("lower"));
        }
    }

    #[test]
    fn the_two_steps_of_dziugaite_and_roy() {
        let empirical = risk_of_draws_at_most(0.03, 150_000, 0.01).unwrap();
        assert_close(empirical, 0.031_455_981_996_303_8);
        let rank = PriorGrid::new(0.1, 100.0).unwrap().rank(0.002).unwrap();
        let risk = GibbsRisk::new(empirical, Nats(5000.0), 55_000, 0.025).unwrap();
        assert_close(risk.complexity_dziugaite_roy(rank), 0.091_402_391_277_269_6);
        assert_close(risk.kl_inverse_dziugaite_roy(rank), 0.164_835_755_376_051);
    }

    #[test]
    fn ranks_count_the_variances_of_a_grid() {
        let grid = PriorGrid::new(2.0, 10.0).unwrap();
        for j in [1, 2, 30] {
            // b ln(c/λ) has some rounding errors of its argument, times b.
            assert!((grid.rank(grid.variance(j)).unwrap() - f64::from(j)).abs() < 1e-12);
        }
        let refused = grid.rank(2.0).unwrap_err().to_string();
        assert!(refused.starts_with("parameter `variance`: must be a positive number of at most 1.8"), "{refused}");
        assert!(PriorGrid::new(0.0, 1.0).is_err() && PriorGrid::new(1.0, f64::NAN).is_err());
    }

    #[test]
    fn numbers_that_are_no_risk_are_refused() {
        let refused = |empirical, kl, n, delta| GibbsRisk::new(empirical, Nats(kl), n, delta).unwrap_err().to_string();
        assert_eq!(refused(1.2, 0.0, 9, 0.1), "parameter `empirical`: must be a probability from 0 to 1, got 1.2");
        assert_eq!(refused(0.1, -1.0, 9, 0.1), "parameter `kl`: must be a finite number of at least 0, got -1");
        assert!(refused(0.1, 0.0, 1, 0.1).starts_with("parameter `n_samples`: must be a whole number from 2"));
        assert_eq!(refused(0.1, 0.0, 9, 1.0), "parameter `delta`: must be a number between 0 and 1, got 1");
        assert!(risk_of_draws_at_most(0.1, 0, 0.1).is_err());
    }
}
