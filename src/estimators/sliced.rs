//! k-sliced mutual information: the mean information between random projections of both variables.
//!
//! SI_k(A;B) = E I(ΘᵀA; ΦᵀB), with independent uniformly distributed orthonormal frames Θ and Φ of `slice_dims` vectors; a
//! variable with fewer dimensions is rotated only. For classes only the real variable is projected. The mean is over
//! `n_slices` pairs of frames, and its Monte-Carlo error is the standard deviation over slices divided by √`n_slices`: it is
//! that of the frames only, not of the samples.
//!
//! It is another quantity than I(A;B): at most as large, 0 only for independent variables, smaller with more dimensions (about
//! 1/d), finite for most deterministic networks, and a function of T may have more of it than T.
//!
//! Every projection is estimated by nearest neighbours (KSG, with third neighbours; Ross for classes) or by a Gaussian copula.
//! Deviation: the program `mutinfo` uses first neighbours.
//!
//! # Reference
//! Goldfeld & Greenewald 2021, "Sliced mutual information"; Goldfeld, Greenewald, Nuradha & Reeves 2022, "k-Sliced mutual
//! information".

use std::borrow::Cow;

use rayon::prelude::*;

use super::pair::estimate_layer;
use super::projected::OnProjections;
use super::{
    Estimate, EstimateError, Estimator, Information, InvalidParameter, KnownInputs, LayerData, Member, Points,
    Randomness, RangeOver, Spec, Variable, build_each,
};
use crate::estimate_id::{EstimatorId, Scale, ScaleKind};
use crate::math::slices::{frame, projected};
use crate::parameter::{Kind, Parameter};
use crate::sample::SampleError;
use crate::units::Nats;

pub(super) const SPEC: Spec = Spec {
    name: "sliced",
    summary: "mean information between random projections, which is another quantity than mutual information; for layers with many units",
    of_pair: "mean information between random projections; at most the mutual information",
    parameters: &[
        Parameter {
            name: "slice_dims",
            doc: "number of dimensions of every projection",
            kind: Kind::Count { min: SLICE_DIMS.0, max: SLICE_DIMS.1 },
            default: "1",
        },
        Parameter {
            name: "n_slices",
            doc: "number of random projections",
            kind: Kind::Count { min: N_SLICES.0, max: N_SLICES.1 },
            default: "128",
        },
        Parameter {
            name: "on",
            doc: "estimator of the information between projections: ksg (nearest neighbours) or copula (Gaussian copula)",
            kind: Kind::Choice(&["ksg", "copula"]),
            default: "ksg",
        },
        Parameter {
            name: "seed",
            doc: "seed of the random projections",
            kind: Kind::Count { min: 0, max: u32::MAX as u64 },
            default: "0",
        },
    ],
    build: |sets| {
        build_each(sets, |parameters| {
            let count = |name| parameters.count(name).expect("the parameter has a default");
            let sliced = Sliced::dims(count("slice_dims"))?.slices(count("n_slices"))?.seed(count("seed") as u64);
            Ok(if parameters.text("on") == Some("copula") { sliced.on_copula() } else { sliced })
        })
    },
    choose: |_, _| None,
};

/// The allowed numbers of dimensions of a projection.
const SLICE_DIMS: (u64, u64) = (1, 100);
/// The allowed numbers of projections; a standard deviation needs two.
const N_SLICES: (u64, u64) = (2, 100_000);
/// Number of projections unless another is chosen, as in the program `mutinfo`.
const DEFAULT_SLICES: usize = 128;

/// Mean information between random projections.
///
/// ```
/// use infoplane::estimators::{Estimator, Points, Sliced, Variable};
///
/// let value = |i: u32| (f64::from(i) * 1.7391).sin();
/// let x: Vec<f64> = (0..200).map(value).collect();
/// let y: Vec<f64> = (0..200).map(|i| value(i) + 0.1 * value(i + 1000)).collect();
/// let [x, y] = [x, y].map(|values| Points::new(values, 2).map(Variable::Real));
/// let found = Sliced::dims(1)?.slices(16)?.between(&x?, &[y?]).remove(0)?;
/// assert!(found.value.bits() > 0.5 && found.monte_carlo_error.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Reference
/// Goldfeld, Greenewald, Nuradha & Reeves 2022.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sliced {
    slice_dims: usize,
    n_slices: usize,
    on: OnProjections,
    seed: u64,
}

impl Sliced {
    /// 128 projections on `slice_dims` dimensions, estimated by nearest neighbours.
    ///
    /// # Errors
    /// `slice_dims` is not from 1 to 100.
    pub fn dims(slice_dims: usize) -> Result<Self, InvalidParameter> {
        let slice_dims = InvalidParameter::check_count("slice_dims", slice_dims, SLICE_DIMS)?;
        Ok(Self { slice_dims, n_slices: DEFAULT_SLICES, on: OnProjections::Ksg, seed: 0 })
    }

    /// Another number of projections.
    ///
    /// # Errors
    /// `n_slices` is not from 2 to 100 000.
    pub fn slices(self, n_slices: usize) -> Result<Self, InvalidParameter> {
        Ok(Self { n_slices: InvalidParameter::check_count("n_slices", n_slices, N_SLICES)?, ..self })
    }

    /// Projections are estimated by a Gaussian copula.
    #[must_use]
    pub fn on_copula(self) -> Self {
        Self { on: OnProjections::Copula, ..self }
    }

    /// Another seed of the projections; 0 by default.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }
}

impl Estimator for Sliced {
    fn member(&self) -> Member {
        let Self { slice_dims, n_slices, on, seed } = *self;
        let dimensions = if slice_dims == 1 { "1 dimension".to_owned() } else { format!("{slice_dims} dimensions") };
        let options: Vec<String> = [
            (n_slices != DEFAULT_SLICES).then(|| format!("n-slices-{n_slices}")),
            (on != OnProjections::Ksg).then(|| format!("on-{}", on.name())),
            (seed != 0).then(|| format!("seed-{seed}")),
        ]
        .into_iter()
        .flatten()
        .collect();
        Member {
            id: EstimatorId {
                options: (!options.is_empty()).then(|| options.join("-")),
                ..EstimatorId::new(SPEC.name, Some(Scale::new(ScaleKind::SliceDims, slice_dims as f64)))
            },
            quantity: format!(
                "sliced mutual information: mean information between {n_slices} random projections on {dimensions}, each by {}; another quantity than mutual information, and at most as large",
                on.words()
            ),
            randomness: Randomness::None,
            range: RangeOver::Estimated,
            edges: None,
            no_pool: Some(
                "`sliced` assumes independent samples, and pooled snapshots are not independent; use `binning` or `quantised`",
            ),
            inputs: KnownInputs::Values,
        }
    }

    fn estimate(&self, layer: &LayerData<'_>) -> Result<Estimate, EstimateError> {
        estimate_layer(self, layer, None)
    }

    fn between(&self, a: &Variable<'_>, bs: &[Variable<'_>]) -> Vec<Result<Information, EstimateError>> {
        // For every slice the information of every b; the order of the sums does not depend on the threads.
        let slices = (0..self.n_slices as u64).into_par_iter();
        let slices: Vec<Vec<_>> = slices.map(|slice| self.slice(a, bs, slice)).collect();
        let of_b = |b: usize| {
            let values = slices.iter().map(|slice| slice[b].clone()).collect::<Result<Vec<Information>, _>>()?;
            Ok(mean(&values))
        };
        (0..bs.len()).map(of_b).collect()
    }
}

impl Sliced {
    /// The information between `a` and each of `bs` in the projections with the number `slice`.
    fn slice(&self, a: &Variable<'_>, bs: &[Variable<'_>], slice: u64) -> Vec<Result<Information, EstimateError>> {
        let projections = || {
            let bs = bs.iter().map(|b| self.projection(b, 2 * slice + 1)).collect::<Result<Vec<_>, _>>()?;
            Ok((self.projection(a, 2 * slice)?, bs))
        };
        match projections() {
            Ok((a, bs)) => self.on.between(&a, &bs),
            Err(overflow) => vec![Err(EstimateError::Sample(overflow)); bs.len()],
        }
    }

    /// The projection of real vectors; classes stay as they are.
    ///
    /// # Errors
    /// A projection that is not finite.
    fn projection<'a>(&self, variable: &'a Variable<'_>, stream: u64) -> Result<Variable<'a>, SampleError> {
        Ok(match variable {
            Variable::Real(points) => {
                let n_dims = points.n_dims();
                let vectors = frame(n_dims, self.slice_dims, self.seed, stream);
                let values = projected(points.values(), n_dims, &vectors);
                Variable::Real(Points::new(values, vectors.len() / n_dims)?)
            }
            Variable::Classes(cells) => Variable::Classes(Cow::Borrowed(cells.as_ref())),
        })
    }
}

/// The mean over slices with its Monte-Carlo error; the ceiling is the mean of the ceilings of all slices.
fn mean(slices: &[Information]) -> Information {
    let n = slices.len() as f64;
    let mean = slices.iter().map(|slice| slice.value.0).sum::<f64>() / n;
    let variance = slices.iter().map(|slice| (slice.value.0 - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let ceilings: Option<Vec<f64>> = slices.iter().map(|slice| Some(slice.ceiling?.0)).collect();
    Information {
        value: Nats(mean),
        monte_carlo_error: Some(Nats((variance / n).sqrt())),
        ceiling: ceilings.map(|ceilings| Nats(ceilings.iter().sum::<f64>() / n)),
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;
    use crate::estimators::{Cells, Lossy};

    fn real(values: Vec<f64>, n_dims: usize) -> Variable<'static> {
        Variable::Real(Points::new(values, n_dims).unwrap())
    }

    fn classes(numbers: &[u32]) -> Variable<'static> {
        Variable::Classes(Cow::Owned(Cells::of_rows(numbers, 1)))
    }

    fn normal(n: usize, seed: u64) -> Vec<f64> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        (0..n).map(|_| StandardNormal.sample(&mut rng)).collect()
    }

    /// Samples of d coordinates x and 0.9x + √0.19 e.
    fn correlated(n: usize, n_dims: usize, seed: u64) -> [Variable<'static>; 2] {
        let (x, e) = (normal(n * n_dims, seed), normal(n * n_dims, seed + 1000));
        let y = x.iter().zip(&e).map(|(x, e)| 0.9 * x + 0.19_f64.sqrt() * e).collect();
        [real(x, n_dims), real(y, n_dims)]
    }

    fn between(sliced: Sliced, a: &Variable<'_>, b: &Variable<'_>) -> Information {
        sliced.between(a, std::slice::from_ref(b)).remove(0).unwrap()
    }

    /// Mean over independent samples and frames, and its standard error.
    fn replicated(n: u64, estimate: impl Fn(u64) -> f64) -> (f64, f64) {
        let values: Vec<f64> = (0..n).map(estimate).collect();
        let n = n as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
        (mean, (variance / n).sqrt())
    }

    #[test]
    fn correlated_coordinates_have_the_sliced_information_of_the_integral() {
        // E −½ ln(1 − 0.81 t²), t = θ·φ, by quadrature for d = 2, 3, 5, 10, 50.
        for (n_dims, truth) in [
            (2, 0.331_362_388_1),
            (3, 0.194_566_171_2),
            (5, 0.102_468_573_2),
            (10, 0.045_714_464_7),
            (50, 0.008_299_524_0),
        ] {
            for sliced in [Sliced::dims(1).unwrap(), Sliced::dims(1).unwrap().on_copula()] {
                let (mean, error) = replicated(12, |seed| {
                    let [x, y] = correlated(400, n_dims, seed);
                    between(sliced.slices(32).unwrap().seed(seed), &x, &y).value.0
                });
                // Student's t with 11 degrees of freedom exceeds 4.4 in one of 1000 cases; the bias of KSG and of the
                // copula is a few thousandths at N = 400.
                assert!(
                    (mean - truth).abs() < 4.4 * error + 0.004,
                    "{n_dims} {sliced:?}: {mean} ± {error}, not {truth}"
                );
                assert!(error < 0.04, "{n_dims}: {error}");
            }
        }
    }

    #[test]
    fn the_monte_carlo_error_is_the_spread_over_seeds() {
        let [x, y] = correlated(200, 3, 1);
        let sliced = Sliced::dims(1).unwrap().slices(20).unwrap().on_copula();
        let found: Vec<Information> = (0..40).map(|seed| between(sliced.seed(seed), &x, &y)).collect();
        let mean_error = found.iter().map(|found| found.monte_carlo_error.unwrap().0).sum::<f64>() / 40.0;
        let (_, error_of_mean) = replicated(40, |seed| found[seed as usize].value.0);
        let spread = error_of_mean * 40_f64.sqrt();
        // A standard deviation of 40 values has a relative error of 1/√78 = 11 %; four of them.
        assert!((0.55..1.45).contains(&(mean_error / spread)), "{mean_error} {spread}");
    }

    #[test]
    fn classes_in_a_direction_have_the_sliced_information_of_the_channel() {
        // T = (2S + Z₁, Z₂), S = ±1: a direction at the angle φ has a channel with the noise 1/(2|cos φ|); by quadrature over φ.
        let truth = 0.413_415_071_5;
        for sliced in [Sliced::dims(1).unwrap(), Sliced::dims(1).unwrap().on_copula()] {
            let (mean, error) = replicated(10, |seed| {
                let y: Vec<u32> = (0..400).map(|i| i % 2).collect();
                let z = normal(800, seed);
                let t: Vec<f64> =
                    (0..800).map(|i| z[i] + if i % 2 == 0 { 4.0 * f64::from(y[i / 2]) - 2.0 } else { 0.0 }).collect();
                between(sliced.slices(32).unwrap().seed(seed), &real(t, 2), &classes(&y)).value.0
            });
            if sliced.on == OnProjections::Copula {
                // A lower bound in one dimension.
                assert!(mean < truth + 4.8 * error && mean > 0.5 * truth, "{mean} ± {error}");
            } else {
                // Student's t with 9 degrees of freedom: 4.8 for one of 1000 cases.
                assert!((mean - truth).abs() < 4.8 * error + 0.005, "{mean} ± {error}");
            }
        }
    }

    #[test]
    fn a_single_dimension_has_the_same_information_in_every_slice() {
        let [x, y] = correlated(300, 1, 2);
        let found = between(Sliced::dims(2).unwrap().slices(5).unwrap(), &x, &y);
        assert!(found.monte_carlo_error.unwrap().0 < 1e-15, "{found:?}");
        // The component of one dimension is this dimension.
        let lossy = Lossy::components(1).unwrap().between(&x, &[y]).remove(0).unwrap();
        assert!((found.value.0 - lossy.value.0).abs() < 1e-12);
        assert_eq!(found.ceiling, lossy.ceiling);
    }

    #[test]
    fn all_dimensions_together_are_the_information_itself() {
        // Rotations of both variables change no information: −½ · 2 ln(1 − 0.81) for two coordinates, bias-corrected; the
        // standard deviation for N = 2000 is ρ √(d/N) = 0.028; four of them.
        let [x, y] = correlated(2000, 2, 3);
        let found = between(Sliced::dims(2).unwrap().slices(4).unwrap().on_copula(), &x, &y);
        assert!((found.value.0 + 0.19_f64.ln()).abs() < 0.12, "{found:?}");
        let lines = between(Sliced::dims(1).unwrap().slices(64).unwrap().on_copula(), &x, &y);
        assert!(lines.value.0 < 0.6 * found.value.0);
    }

    #[test]
    fn the_number_of_threads_does_not_change_the_bits() {
        let [x, y] = correlated(100, 3, 4);
        let on = |n_threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            pool.install(|| between(Sliced::dims(2).unwrap().slices(9).unwrap(), &x, &y))
        };
        assert_eq!(on(1), on(3));
    }

    #[test]
    fn members_are_named_by_what_changes_their_number() {
        let sliced = Sliced::dims(1).unwrap();
        assert_eq!(sliced.member().id.to_string(), "sliced-slice-dims-1");
        let other = Sliced::dims(3).unwrap().slices(16).unwrap().on_copula().seed(7);
        assert_eq!(other.member().id.to_string(), "sliced-slice-dims-3-n-slices-16-on-copula-seed-7");
    }

    #[test]
    fn what_has_no_neighbours_is_refused() {
        let refused = |a: &Variable<'_>, b: Variable<'_>| {
            Sliced::dims(1).unwrap().slices(2).unwrap().between(a, &[b]).remove(0).unwrap_err()
        };
        let [x, y] = correlated(60, 2, 5);
        assert_eq!(
            refused(&x, real(vec![0.5; 120], 2)),
            EstimateError::NoSpread { what: "the second variable (X of the network, if the first is a layer)" }
        );
        let repeated: Vec<f64> = (0..60).flat_map(|i| [f64::from(i / 10), 1.0]).collect();
        let repeated = real(repeated, 2);
        assert!(matches!(refused(&repeated, repeated.clone()), EstimateError::Repeated { n: 60, n_samples: 60, .. }));
        assert!(matches!(refused(&y, classes(&(0..60).collect::<Vec<u32>>())), EstimateError::ManyClasses { .. }));
        let small: Vec<u32> = (0..60).map(|i| u32::from(i < 3)).collect();
        assert_eq!(refused(&y, classes(&small)), EstimateError::FewInClass { n: 3, k: 3 });
        let two = classes(&[0, 1, 0, 1]);
        assert!(matches!(refused(&two, two.clone()), EstimateError::WrongKinds { .. }));
        assert!(matches!(
            refused(&real(vec![1.0, 2.0, 3.0], 1), real(vec![1.0, 2.0, 3.0], 1)),
            EstimateError::FewSamples { n: 3, needed: 4, .. }
        ));
        assert!(Sliced::dims(0).is_err() && Sliced::dims(1).unwrap().slices(1).is_err());
    }
}
