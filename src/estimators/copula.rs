//! Information of the Gaussian copula: ½ ln (|C_a| |C_b| / |C_ab|) with the covariances C of the normal scores.
//!
//! Every coordinate is replaced by its normal scores Φ⁻¹(rank/(N + 1)), so its distribution does not matter, only how it
//! depends on the others. If one of the two variables has a Gaussian copula, as every single coordinate has, the information
//! of the Gaussian copula is at most that of the variables: the other one can only have less entropy given the first than a
//! Gaussian. Without this condition it is no bound.
//!
//! I(T;Y) = ½ ln |C| − ½ Σ_y p(y) ln |C_y| with the covariance C_y of the scores within class y: a lower bound for one unit,
//! and no bound for several.
//!
//! Deviations: equal values have the mean of their ranks (the published program ranks them in their order in memory); more
//! than 5 % equal values in a coordinate are refused; coordinates without spread are left out.
//!
//! # Reference
//! Ince, Giordano, Kayser, Rousselet, Gross & Schyns 2017, `gcmi_cc` and `gcmi_model_cd`.

use super::neighbour_samples::Kinds;
use super::pair::{estimate_layer, expect_few_classes};
use super::{
    Cells, Estimate, EstimateError, Estimator, Information, KnownInputs, LayerData, Member, Points, Randomness,
    RangeOver, Spec, Variable, build_each,
};
use crate::estimate_id::{EstimatorId, Form};
use crate::math::copula::{information, information_about_classes, normal_scores};
use crate::units::Nats;

pub(super) const SPEC: Spec = Spec {
    name: "copula",
    summary: "mutual information of Gaussian variables with the rank correlations of the values; a lower bound for single coordinates; refuses values that repeat",
    of_pair: "information of the Gaussian copula of the ranks; a lower bound if one variable has a Gaussian copula",
    parameters: &[],
    build: |sets| build_each(sets, |_| Ok(Copula)),
    choose: |_, _| None,
};

/// Information of the Gaussian copula, with bias correction; it has no parameters.
///
/// ```
/// use infoplane::estimators::{Copula, Estimator, Points, Variable};
///
/// let x = [0.1, 0.4, -0.3, 1.2, -0.8, 0.6, -1.5, 0.9];
/// let y = [0.2, 0.3, -0.1, 0.8, -1.1, 0.9, -0.7, 1.5];
/// let [x, y] = [x, y].map(|values| Points::new(values.to_vec(), 1).map(Variable::Real));
/// let found = Copula.between(&x?, &[y?]).remove(0)?;
/// assert!(found.value.bits() > 0.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Reference
/// Ince et al. 2017, `gcmi_cc` for real vectors and `gcmi_model_cd` for classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copula;

impl Estimator for Copula {
    fn member(&self) -> Member {
        Member {
            id: EstimatorId { form: Some(Form::Gaussian), ..EstimatorId::new(SPEC.name, None) },
            quantity: "information of the Gaussian copula of the ranks, bias-corrected; a lower bound of the mutual information if one of the two variables has a Gaussian copula, as every single coordinate has".to_owned(),
            randomness: Randomness::None,
            range: RangeOver::Estimated,
            edges: None,
            no_pool: Some(
                "`copula` assumes independent samples, and pooled snapshots are not independent; use `binning` or `quantised`",
            ),
            inputs: KnownInputs::Values,
        }
    }

    fn estimate(&self, layer: &LayerData<'_>) -> Result<Estimate, EstimateError> {
        estimate_layer(self, layer, None)
    }

    fn between(&self, a: &Variable<'_>, bs: &[Variable<'_>]) -> Vec<Result<Information, EstimateError>> {
        let scores_of_a = if let Variable::Real(points) = a { Some(Scores::new(points, FIRST)) } else { None };
        let of_pair = |b: &Variable<'_>| {
            let scores_of_a = scores_of_a.as_ref().map(|scores| scores.as_ref().map_err(Clone::clone));
            match Kinds::of(SPEC.name, a, b)? {
                Kinds::Real(_, b) => scores_of_a.expect("a is real")?.information(&Scores::new(b, SECOND)?),
                Kinds::WithClasses(_, y) if y.n_cells() == 1 => Ok(Nats(0.0)),
                Kinds::WithClasses(t, y) => match scores_of_a {
                    Some(scores) => scores?.information_about_classes(y),
                    None => Scores::new(t, SECOND)?.information_about_classes(y),
                },
            }
        };
        bs.iter().map(|b| of_pair(b).map(Information::of)).collect()
    }
}

const FIRST: &str = "a coordinate of the first variable (T, if it is a layer)";
const SECOND: &str = "a coordinate of the second variable (X of the network, if the first is a layer)";

/// The normal scores of the coordinates that vary.
struct Scores {
    values: Vec<f64>,
    n_dims: usize,
}

/// The largest share of the samples that may have the same value in a coordinate. The normal scores of equal values are
/// equal, so they are not normal, and the result is no bound if both variables have such values. With 5 % at one end of one
/// of two normal variables with correlation 0.9, it is lower by 0.015 nats.
const LARGEST_ATOM: f64 = 0.05;

impl Scores {
    /// The scores of `points`, a coordinate of which `what` names in errors. Coordinates without spread are left out: they
    /// change no information.
    ///
    /// # Errors
    /// No spread, values that repeat.
    fn new(points: &Points<'_>, what: &'static str) -> Result<Self, EstimateError> {
        let n_samples = points.n_samples();
        let mut varying = Vec::new();
        for dim in 0..points.n_dims() {
            let mut sorted: Vec<f64> = points.values()[dim..].iter().step_by(points.n_dims()).copied().collect();
            sorted.sort_by(f64::total_cmp);
            let n = sorted.chunk_by(|a, b| a == b).map(<[f64]>::len).max().unwrap_or(0);
            if n == n_samples {
                continue;
            }
            if n > 1 && n as f64 > LARGEST_ATOM * n_samples as f64 {
                let advice =
                    "use `mixed-ksg` or `binning`, which allow equal values, or `lossy` for principal components";
                return Err(EstimateError::Repeated { what, n, n_samples, advice });
            }
            varying.push(dim);
        }
        if varying.is_empty() {
            return Err(EstimateError::NoSpread { what });
        }
        let values: Vec<f64> = points.rows().flat_map(|row| varying.iter().map(|dim| row[*dim])).collect();
        Ok(Self { values: normal_scores(&values, varying.len()), n_dims: varying.len() })
    }

    /// # Errors
    /// Too few samples for the covariance, coordinates that are functions of each other.
    fn information(&self, other: &Self) -> Result<Nats, EstimateError> {
        let (n, n_dims) = (self.values.len() / self.n_dims, self.n_dims + other.n_dims);
        if n <= n_dims {
            return Err(EstimateError::FewSamples {
                what: "the covariance of both variables together",
                n,
                needed: n_dims + 1,
                advice: "use fewer coordinates, or `lossy` with a small `n_components`",
            });
        }
        information(&self.values, self.n_dims, &other.values, other.n_dims).map_err(|_| DEPENDENT)
    }

    /// # Errors
    /// More classes than half of the samples, small classes, coordinates that are functions of each other.
    fn information_about_classes(&self, y: &Cells) -> Result<Nats, EstimateError> {
        expect_few_classes(y)?;
        let fewest = y.counts().iter().copied().min().unwrap_or(0) as usize;
        if fewest <= self.n_dims {
            return Err(EstimateError::TooWide { n_units: self.n_dims, n: fewest });
        }
        information_about_classes(&self.values, self.n_dims, y.numbers()).map_err(|_| DEPENDENT)
    }
}

const DEPENDENT: EstimateError = EstimateError::DependentCoordinates {
    what: "the normal scores",
    advice: "leave out coordinates that are functions of others, or use `lossy` with a small `n_components`",
};

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use rand::SeedableRng;
    use rand::rngs::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;
    use crate::estimators::{Cells, Points};

    fn normal(n: usize, seed: u64) -> Vec<f64> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        (0..n).map(|_| StandardNormal.sample(&mut rng)).collect()
    }

    fn real(values: Vec<f64>, n_dims: usize) -> Variable<'static> {
        Variable::Real(Points::new(values, n_dims).unwrap())
    }

    fn classes(numbers: &[u32]) -> Variable<'static> {
        Variable::Classes(Cow::Owned(Cells::of_rows(numbers, 1)))
    }

    fn between(a: &Variable<'_>, b: &Variable<'_>) -> Result<f64, EstimateError> {
        Copula.between(a, std::slice::from_ref(b)).remove(0).map(|found| found.value.0)
    }

    /// `n` samples of d coordinates x and ρx + √(1 − ρ²)e.
    fn correlated(n: usize, n_dims: usize, rho: f64, seed: u64) -> (Vec<f64>, Vec<f64>) {
        let (x, e) = (normal(n * n_dims, seed), normal(n * n_dims, seed + 1000));
        let y = x.iter().zip(&e).map(|(x, e)| rho * x + (1.0 - rho * rho).sqrt() * e).collect();
        (x, y)
    }

    #[test]
    fn normal_variables_have_their_information_whatever_the_scale_of_their_coordinates() {
        // −(d/2) ln(1 − ρ²). One estimate from N = 400 samples has a standard deviation of about ρ √(d/N), the mean of 60
        // of them one of 0.0048 and 0.0072; four of them. The scores of N ranks are not quite normal, so a bias remains:
        // −0.004 and −0.006, by 1500 repetitions of the published formula in NumPy.
        for (rho, n_dims) in [(0.75_f64, 1), (0.5, 5)] {
            let truth = -0.5 * n_dims as f64 * (1.0 - rho * rho).ln();
            let mean: f64 = (0..60_u64)
                .map(|seed| {
                    let (x, y) = correlated(400, n_dims, rho, seed);
                    // Strictly increasing functions, different for every coordinate.
                    let x = x.iter().enumerate().map(|(i, x)| x.powi(3) + (i % n_dims) as f64 * 1e6 * x).collect();
                    between(&real(x, n_dims), &real(y.iter().map(|y| y.exp()).collect(), n_dims)).unwrap() / 60.0
                })
                .sum();
            let error = 4.0 * rho * (n_dims as f64 / 400.0).sqrt() / 60_f64.sqrt() + 0.006;
            assert!((mean - truth).abs() < error, "{mean} is not {truth}");
        }
    }

    #[test]
    fn increasing_functions_change_nothing_and_the_order_of_the_variables_neither() {
        let (x, y) = correlated(200, 1, 0.6, 7);
        let (x, y) = (real(x.clone(), 1), real(y, 1));
        let tanh = |variable: &Variable<'_>| match variable {
            Variable::Real(points) => real(points.values().iter().map(|t| t.tanh()).collect(), 1),
            Variable::Classes(_) => unreachable!("a real variable"),
        };
        let value = between(&x, &y).unwrap();
        assert_eq!(value, between(&tanh(&x), &y).unwrap());
        assert!((value - between(&y, &x).unwrap()).abs() < 1e-14);
    }

    #[test]
    fn it_is_a_lower_bound_for_other_copulas() {
        // Student's t with one degree of freedom and no correlation has 0.224171 nats, additive uniform noise of ±0.1
        // around a uniform variable 1.709438 nats (Czyz et al. 2023); a Gaussian copula sees less. The standard deviation is
        // below 0.03.
        let (x, e, w) = (normal(5000, 1), normal(5000, 2), normal(5000, 3));
        let student = |z: &[f64]| real(z.iter().zip(&w).map(|(z, w)| z / w.abs()).collect(), 1);
        let value = between(&student(&x), &student(&e)).unwrap();
        assert!(value.abs() < 0.03, "{value}");
        let uniform = |z: &f64, half: f64| half * statrs::function::erf::erf(z / 2_f64.sqrt());
        let noisy: Vec<f64> = x.iter().zip(&e).map(|(x, e)| uniform(x, 0.5) + uniform(e, 0.1)).collect();
        let value = between(&real(x, 1), &real(noisy, 1)).unwrap();
        assert!(0.8 < value && value < 1.709_438, "{value}");
    }

    #[test]
    fn two_normal_classes_have_less_information_than_their_mixture() {
        // T = S + Z, S = ±1, Z ~ N(0, 1): 0.336830820 nats by quadrature; labels without meaning have none.
        let y: Vec<u32> = (0..4000).map(|i| i % 2).collect();
        let t: Vec<f64> = y.iter().zip(normal(4000, 5)).map(|(y, z)| f64::from(2 * y) - 1.0 + z).collect();
        let value = between(&real(t, 1), &classes(&y)).unwrap();
        assert!(0.25 < value && value < 0.336_830_820_3 + 0.02, "{value}");
        let value = between(&real(normal(4000, 6), 1), &classes(&y)).unwrap();
        // χ² with two degrees of freedom, divided by 2N, minus its mean: a standard deviation of 1/N.
        assert!(value.abs() < 5.0 / 4000.0, "{value}");
        assert_eq!(between(&real(normal(50, 6), 1), &classes(&[3; 50])).unwrap(), 0.0);
    }

    #[test]
    fn constant_coordinates_are_left_out() {
        let (x, y) = correlated(100, 1, 0.5, 3);
        let with_constant: Vec<f64> = x.iter().flat_map(|x| [2.5, *x, -1.0]).collect();
        let (x, y) = (real(x, 1), real(y, 1));
        assert_eq!(between(&real(with_constant, 3), &y), between(&x, &y));
    }

    #[test]
    fn variables_without_a_copula_are_refused_in_words() {
        let (x, y) = correlated(100, 1, 0.5, 3);
        let message = |a: &Variable<'_>, b: &Variable<'_>| between(a, b).unwrap_err().to_string();
        let relu = real(y.iter().map(|y| y.max(0.0)).collect(), 1);
        let n_zeros = y.iter().filter(|y| **y <= 0.0).count();
        assert!(message(&real(x.clone(), 1), &relu).starts_with(&format!(
            "{n_zeros} of 100 samples of a coordinate of the second variable (X of the network, if the first is a layer) repeat, so there is no density there; use `mixed-ksg`"
        )));
        let constant = real(vec![1.0; 100], 1);
        assert_eq!(
            message(&constant, &relu),
            "all values of a coordinate of the first variable (T, if it is a layer) are equal, so they have no spread and no information"
        );
        let twice = real(x.iter().flat_map(|x| [*x, 2.0 * x]).collect(), 2);
        assert!(
            message(&twice, &real(y.clone(), 1)).starts_with("coordinates of the normal scores are linear functions")
        );
        assert!(message(&real(x.clone(), 1), &real(x.clone(), 1)).starts_with("coordinates of the normal scores"));
        assert_eq!(
            between(&real(x[..6].to_vec(), 3), &real(y[..2].to_vec(), 1)).unwrap_err(),
            EstimateError::FewSamples {
                what: "the covariance of both variables together",
                n: 2,
                needed: 5,
                advice: "use fewer coordinates, or `lossy` with a small `n_components`",
            }
        );
        assert_eq!(
            between(&real(x[..90].to_vec(), 9), &classes(&[0, 0, 0, 0, 0, 1, 1, 1, 1, 1])).unwrap_err(),
            EstimateError::TooWide { n_units: 9, n: 5 }
        );
        let distinct: Vec<u32> = (0..100).collect();
        assert!(matches!(between(&real(x, 1), &classes(&distinct)), Err(EstimateError::ManyClasses { .. })));
        assert!(message(&classes(&[0, 1, 0, 1]), &classes(&[0, 1, 0, 1])).contains("information between two labels"));
    }
}
