//! Soft entropy: T assigned softly to random reference points on the sphere.
//!
//! Sample t is assigned to reference point w_k with probability p(k|t) = softmax_k (w_k·t / (ε ‖t‖)). H(Z) is the
//! entropy of the mean of these probabilities over all samples, and I(T;Y) = H(Z) − Σ_y p(y) H(Z|Y=y), with each
//! conditional entropy from the samples of one class. Values are at most ln m for m points, and grow with m: the paper
//! divides them by ln m.
//!
//! A class with few samples has a small entropy whether or not the label depends on T, so I(T;Y) of rare labels is too
//! large: compare it with its permutation null. A common direction of all samples (anisotropy) lowers H(Z), I(T;Y) and
//! the null together without any change of information; [`DirectionControl`] removes it.
//!
//! Deviation: the paper centres nothing and has no null.
//!
//! # Reference
//! "Learning is Forgetting: LLM Training As Lossy Compression", ICLR 2026, arXiv 2604.07569, and the package
//! `soft-entropy` 0.1.5.

use ndarray::Array2;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::pair::{estimate_from, labels_of_layer, same_samples};
use super::{
    Cells, Estimate, EstimateError, Estimator, Information, InvalidParameter, KnownInputs, LayerData, Member, Points,
    Randomness, RangeOver, Spec, Variable, build_each,
};
use crate::estimate_id::{EstimatorId, Scale, ScaleKind};
use crate::math::calibration::{epsilon_by_bound, exact_epsilon, leading_epsilon};
use crate::math::entropy::entropy;
use crate::math::soft_entropy::{Assignment, conditional_entropies, norm};
use crate::math::whitening::{mean, whitening};
use crate::parameter::{Kind, Parameter};
use crate::units::Nats;

pub(super) const SPEC: Spec = Spec {
    name: "soft",
    summary: "soft entropy of the direction of T by random reference points on the sphere, and I(T;Y) from it; gives no I(X;T), and depends on the number of points and on the mean of T",
    of_pair: "decrease of the soft entropy of directions by the label; not the mutual information",
    parameters: &[
        Parameter {
            name: "n_points",
            doc: "number m of reference points; values are at most ln m",
            kind: Kind::Count { min: N_POINTS.0, max: N_POINTS.1 },
            default: "20,100,500",
        },
        Parameter {
            name: "calibration",
            doc: "how the temperature follows from the number of points and of units: by a lower bound on a divergence (bound, as in the released program), by the divergence itself (exact), or to leading order (leading)",
            kind: Kind::Choice(&["bound", "exact", "leading"]),
            default: "bound",
        },
        Parameter {
            name: "control",
            doc: "what is removed from T before its direction is taken: nothing (none), the mean (centred), or the mean and the covariance (whitened)",
            kind: Kind::Choice(&["none", "centred", "whitened"]),
            default: "none",
        },
        Parameter {
            name: "seed",
            doc: "number from which the random reference points are drawn",
            kind: Kind::Count { min: 0, max: u32::MAX as u64 },
            default: "0",
        },
    ],
    build: |sets| {
        build_each(sets, |parameters| {
            let n_points = parameters.count("n_points").expect("the number of points has a default");
            let seed = parameters.count("seed").expect("the seed has a default");
            let calibration = match parameters.text("calibration") {
                Some("exact") => Calibration::Exact,
                Some("leading") => Calibration::Leading,
                _ => Calibration::Bound,
            };
            let control = match parameters.text("control") {
                Some("centred") => DirectionControl::Centred,
                Some("whitened") => DirectionControl::Whitened,
                _ => DirectionControl::None,
            };
            Ok(Soft::points(n_points)?.calibration(calibration).control(control).seed(seed as u32))
        })
    },
    choose: |_, _| None,
};

/// The allowed numbers of reference points.
const N_POINTS: (u64, u64) = (2, 10_000);

/// The stream of ChaCha8 from which the reference points are drawn.
const STREAM: u64 = u64::from_be_bytes(*b"onsphere");

/// A row whose norm after centring is below this part of the largest norm is equal to the mean, up to rounding.
const EQUAL_TO_MEAN: f64 = 1e-12;

/// Soft entropy of the direction of T by random reference points on the sphere, and I(T;Y) from it.
///
/// ```
/// use infoplane::estimators::{DirectionControl, Estimator, LayerData, Soft};
///
/// let t = [0.9, 0.8, 0.1, -0.7, 0.2, 0.3, 0.9, 0.7, 0.2, -0.9, 0.1, 0.4];
/// let layer = LayerData::new(&t, 3, &[1, 0, 1, 0])?;
/// let centred = Soft::points(100)?.control(DirectionControl::Centred);
/// assert!(centred.estimate(&layer)?.i_ty.bits() > 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Reference
/// ICLR 2026, arXiv 2604.07569, with [`Calibration::Bound`] and [`DirectionControl::None`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Soft {
    n_points: usize,
    calibration: Calibration,
    control: DirectionControl,
    seed: u32,
}

/// How the temperature ε follows from the number of reference points and the number of units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calibration {
    /// By a lower bound on the divergence of the von Mises-Fisher distribution of concentration 1/ε from the uniform
    /// one, which is to be ln m; for at least 3 units.
    Bound,
    /// By this divergence itself; for at least 2 units.
    Exact,
    /// ε = 1/√(2d ln m) for d units.
    Leading,
}

/// What is removed from T before its direction is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DirectionControl {
    /// Nothing, as in the paper.
    None,
    /// The mean over the samples.
    Centred,
    /// The mean and the covariance over the samples, up to a rotation.
    Whitened,
}

impl Calibration {
    /// The name of the calibration, and the smallest number of units for which it has a temperature.
    fn name_and_fewest_units(self) -> (&'static str, usize) {
        match self {
            Self::Bound => ("bound", 3),
            Self::Exact => ("exact", 2),
            Self::Leading => ("leading", 1),
        }
    }

    /// ε for `n_dims` units and `n_points` reference points; `None` for too few units.
    fn epsilon(self, n_dims: usize, n_points: usize) -> Option<f64> {
        match self {
            Self::Bound => epsilon_by_bound(n_dims, n_points),
            Self::Exact => exact_epsilon(n_dims, n_points),
            Self::Leading => Some(leading_epsilon(n_dims, n_points)),
        }
    }
}

impl DirectionControl {
    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Centred => "centred",
            Self::Whitened => "whitened",
        }
    }
}

impl Soft {
    /// This number of reference points, drawn with seed 0; the temperature by [`Calibration::Bound`], and nothing
    /// removed from T.
    ///
    /// # Errors
    /// `n_points` is not from 2 to 10 000.
    pub fn points(n_points: usize) -> Result<Self, InvalidParameter> {
        let n_points = InvalidParameter::check_count("n_points", n_points, N_POINTS)?;
        Ok(Self { n_points, calibration: Calibration::Bound, control: DirectionControl::None, seed: 0 })
    }

    /// With another temperature.
    #[must_use]
    pub fn calibration(self, calibration: Calibration) -> Self {
        Self { calibration, ..self }
    }

    /// With something removed from T.
    #[must_use]
    pub fn control(self, control: DirectionControl) -> Self {
        Self { control, ..self }
    }

    /// With other reference points.
    #[must_use]
    pub fn seed(self, seed: u32) -> Self {
        Self { seed, ..self }
    }

    /// The reference points on the unit sphere in `n_dims` dimensions; the first of many are those of few.
    fn reference_points(&self, n_dims: usize) -> Array2<f64> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed.into());
        rng.set_stream(STREAM);
        let mut points = Array2::from_shape_simple_fn((self.n_points, n_dims), || StandardNormal.sample(&mut rng));
        for mut row in points.rows_mut() {
            let norm = norm(row.as_slice().expect("rows are contiguous"));
            row.mapv_inplace(|w: f64| w / norm);
        }
        points
    }

    /// H(Z) of T, and Σ_y p(y) H(Z|Y=y) for each of the labels.
    fn entropies(&self, t: &Points<'_>, labels: &[&Cells]) -> Result<(Nats, Vec<Nats>), EstimateError> {
        let (n_dims, n_samples) = (t.n_dims(), t.n_samples());
        let (name, needed) = self.calibration.name_and_fewest_units();
        let epsilon = self.calibration.epsilon(n_dims, self.n_points).ok_or(EstimateError::FewDimensions {
            what: format!("calibration `{name}`"),
            n_dims,
            needed,
            advice: "use calibration `exact` for 2 dimensions, or `leading` for 1",
        })?;
        let mean = if self.control == DirectionControl::None { Vec::new() } else { mean(t.values(), n_dims) };
        let matrix = if self.control == DirectionControl::Whitened { Some(whitening_of(t, &mean)?) } else { None };
        let largest = if mean.is_empty() { 0.0 } else { t.rows().map(norm).fold(0.0, f64::max) };
        let points = self.reference_points(n_dims);
        let assignment =
            Assignment { points: points.view(), epsilon, mean, matrix, smallest_norm: EQUAL_TO_MEAN * largest };
        let same = Cells::of_rows(&vec![0_u32; n_samples], 1);
        let labellings: Vec<&Cells> = std::iter::once(&same).chain(labels.iter().copied()).collect();
        let found = conditional_entropies(t.values(), &assignment, &labellings);
        let found = found.map_err(|n| EstimateError::NoDirection {
            n,
            n_samples,
            size: if self.control == DirectionControl::None { "norm 0" } else { "the value of the mean" },
            advice: match self.control {
                DirectionControl::None => "leave them out, or use `control` centred",
                DirectionControl::Centred | DirectionControl::Whitened => "leave them out, or use `control` none",
            },
        })?;
        Ok((Nats(found[0]), found[1..].iter().copied().map(Nats).collect()))
    }

    /// ln m.
    fn ceiling(&self) -> Nats {
        Nats((self.n_points as f64).ln())
    }

    /// H(Z) of T, and I(T;Y) for each of the labels.
    fn information(&self, t: &Points<'_>, labels: &[&Cells]) -> Result<(Nats, Vec<Information>), EstimateError> {
        let (h_z, given) = self.entropies(t, labels)?;
        let of_labels = |(h_z_given_y, cells): (Nats, &&Cells)| {
            let p_y = cells.counts().iter().map(|count| f64::from(*count) / cells.n_samples() as f64);
            let h_y = entropy(p_y);
            let ceiling = if h_y < self.ceiling() { h_y } else { self.ceiling() };
            Information { ceiling: Some(ceiling), ..Information::of(h_z - h_z_given_y) }
        };
        Ok((h_z, given.into_iter().zip(labels).map(of_labels).collect()))
    }
}

fn whitening_of(t: &Points<'_>, mean: &[f64]) -> Result<Array2<f64>, EstimateError> {
    let (n, n_dims) = (t.n_samples(), t.n_dims());
    if n <= n_dims {
        return Err(EstimateError::FewSamples {
            what: "`control` whitened, which inverts the covariance of all units,",
            n,
            needed: n_dims + 1,
            advice: "use `control` centred",
        });
    }
    whitening(t.values(), mean).map_err(|dim| EstimateError::LinearlyDependent { dim, advice: "use `control` centred" })
}

impl Estimator for Soft {
    fn member(&self) -> Member {
        let Self { n_points, calibration, control, seed } = self;
        let temperature = match calibration {
            Calibration::Bound => "a bound",
            Calibration::Exact => "the exact divergence",
            Calibration::Leading => "its leading order",
        };
        let of_what = match control {
            DirectionControl::None => "T",
            DirectionControl::Centred => "T minus its mean",
            DirectionControl::Whitened => "whitened T",
        };
        let options = [
            (*calibration != Calibration::Bound)
                .then(|| format!("calibration-{}", calibration.name_and_fewest_units().0)),
            (*control != DirectionControl::None).then(|| control.name().to_owned()),
            (*seed != 0).then(|| format!("seed-{seed}")),
        ];
        let options: Vec<String> = options.into_iter().flatten().collect();
        let scale = Scale::new(ScaleKind::NPoints, *n_points as f64);
        Member {
            id: EstimatorId {
                options: (!options.is_empty()).then(|| options.join("-")),
                ..EstimatorId::new(SPEC.name, Some(scale))
            },
            quantity: format!(
                "soft entropy of the direction of {of_what} by {n_points} random reference points, temperature by {temperature}; I(T;Y) is how much the label lowers it"
            ),
            randomness: Randomness::None,
            range: RangeOver::Estimated,
            edges: None,
            no_pool: Some(
                "`soft` assumes independent samples, and pooled snapshots are not independent; use `binning` or `quantised`",
            ),
            inputs: KnownInputs::Identity,
        }
    }

    fn estimate(&self, layer: &LayerData<'_>) -> Result<Estimate, EstimateError> {
        let t = Points::of_activations(&layer.activations);
        let labels = labels_of_layer(layer)?;
        let (h_z, i_tys) = self.information(&t, &labels.iter().filter_map(Variable::classes).collect::<Vec<_>>())?;
        estimate_from(layer, &i_tys, &[], Some(h_z))
    }

    fn between(&self, a: &Variable<'_>, bs: &[Variable<'_>]) -> Vec<Result<Information, EstimateError>> {
        if let Some(error) = bs.iter().find_map(|b| same_samples(a, b).err()) {
            return vec![Err(error); bs.len()];
        }
        let wrong_kinds =
            |got| EstimateError::WrongKinds { estimator: SPEC.name, got, needed: "real vectors and labels" };
        match a {
            Variable::Real(t) => {
                let labels: Option<Vec<&Cells>> = bs.iter().map(Variable::classes).collect();
                let found =
                    labels.ok_or(wrong_kinds("two real vectors")).and_then(|labels| self.information(t, &labels));
                match found {
                    Ok((_, found)) => found.into_iter().map(Ok).collect(),
                    Err(error) => vec![Err(error); bs.len()],
                }
            }
            Variable::Classes(labels) => {
                let of_pair = |b: &Variable<'_>| match b {
                    Variable::Real(t) => Ok(self.information(t, &[labels.as_ref()])?.1.remove(0)),
                    Variable::Classes(_) => Err(wrong_kinds("two labels")),
                };
                bs.iter().map(of_pair).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use rand::RngExt;

    use super::*;

    const N_DIMS: usize = 64;

    fn generator(seed: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(seed)
    }

    /// n × 64 standard normal numbers.
    fn normal(n: usize, seed: u64) -> Vec<f64> {
        let mut rng = generator(seed);
        (0..n * N_DIMS).map(|_| StandardNormal.sample(&mut rng)).collect()
    }

    /// Labels below `n_classes`, independent of everything.
    fn independent(n: usize, n_classes: u32) -> Vec<u32> {
        let mut rng = generator(7);
        (0..n).map(|_| rng.random_range(0..n_classes)).collect()
    }

    fn real(values: &[f64], n_dims: usize) -> Variable<'_> {
        Variable::Real(Points::new(values, n_dims).unwrap())
    }

    fn classes(numbers: &[u32]) -> Variable<'static> {
        Variable::Classes(Cow::Owned(Cells::of_rows(numbers, 1)))
    }

    /// I(T;Y)/ln m for each of the labels.
    fn normalised(soft: Soft, t: &[f64], labels: &[Vec<u32>]) -> Vec<f64> {
        let labels: Vec<Variable<'_>> = labels.iter().map(|labels| classes(labels)).collect();
        let found = soft.between(&real(t, N_DIMS), &labels);
        found.into_iter().map(|found| found.unwrap().value.0 / soft.ceiling().0).collect()
    }

    #[track_caller]
    fn near(got: f64, expected: f64, tolerance: f64) {
        assert!((got - expected).abs() < tolerance, "{got} is not {expected} to {tolerance}");
    }

    #[test]
    fn independent_labels_read_as_in_two_runs_of_the_released_program() {
        // Means of two runs with other random numbers: 10, 100, N/4 classes and distinct labels, and H(Z)/ln m. For other
        // reference points the information differs by 4 %.
        let n = 2000;
        let labels = [independent(n, 10), independent(n, 100), independent(n, n as u32 / 4), (0..n as u32).collect()];
        let soft = Soft::points(100).unwrap();
        let isotropic = normal(n, 1);
        let found = normalised(soft, &isotropic, &labels);
        for (got, (expected, tolerance)) in
            found.iter().zip([(0.016, 0.003), (0.136, 0.015), (0.34, 0.03), (0.628, 0.05)])
        {
            near(*got, expected, tolerance);
        }
        let h_z = soft.entropies(&Points::new(isotropic.as_slice(), N_DIMS).unwrap(), &[]).unwrap().0;
        near(h_z.0 / soft.ceiling().0, 0.9975, 0.002);
        // A common mean and 0.3 times the same numbers: the null of N/4 classes falls twentyfold (0.015 and 0.019), unless
        // the mean is removed.
        let common = &normal(1, 2);
        let anisotropic: Vec<f64> = isotropic.iter().enumerate().map(|(i, z)| common[i % N_DIMS] + 0.3 * z).collect();
        let found = normalised(soft, &anisotropic, &labels)[2];
        assert!((0.005..0.05).contains(&found), "{found}");
        let centred = normalised(soft.control(DirectionControl::Centred), &anisotropic, &labels)[2];
        near(centred, 0.34, 0.03);
        let whitened = normalised(soft.control(DirectionControl::Whitened), &anisotropic, &labels)[2];
        near(whitened, 0.34, 0.03);
    }

    #[test]
    fn a_shift_changes_the_information_unless_t_is_centred_and_a_scale_never_does() {
        // Class means 2 e_y and standard deviation 1; values of the released program: 0.03348, and 0.00238 after + 5. With
        // six seeds of a NumPy program: 0.0320 to 0.0344.
        let n = 5000;
        let y = independent(n, 10);
        let mut z = normal(n, 3);
        for (row, class) in z.chunks_mut(N_DIMS).zip(&y) {
            row[*class as usize] += 2.0;
        }
        let moved = |map: fn(f64) -> f64| -> Vec<f64> { z.iter().map(|z| map(*z)).collect() };
        let (shifted, scaled) = (moved(|z| z + 5.0), moved(|z| z * 3.0));
        let information = |soft: Soft, t: &[f64]| normalised(soft, t, std::slice::from_ref(&y))[0];
        let soft = Soft::points(100).unwrap();
        near(information(soft, &z), 0.0335, 0.004);
        let found = information(soft, &shifted);
        assert!((0.0002..0.005).contains(&found), "{found}");
        near(information(soft, &scaled), information(soft, &z), 1e-12);
        for control in [DirectionControl::Centred, DirectionControl::Whitened] {
            let soft = soft.control(control);
            // Values near 5 lose three bits.
            near(information(soft, &shifted), information(soft, &z), 1e-9);
        }
        // Whitened values do not depend on a linear map of the units: here each has another scale.
        let whitened = soft.control(DirectionControl::Whitened);
        let stretched: Vec<f64> = z.iter().enumerate().map(|(i, z)| z * (1 + i % N_DIMS) as f64).collect();
        near(information(whitened, &stretched), information(whitened, &z), 1e-9);
    }

    #[test]
    fn the_seed_determines_the_points_and_more_points_contain_fewer() {
        let points = |n, seed| Soft::points(n).unwrap().seed(seed).reference_points(3);
        assert_eq!(points(20, 5), points(20, 5));
        assert_ne!(points(20, 5), points(20, 6));
        assert!(points(100, 5).iter().zip(&points(20, 5)).all(|(many, few)| many == few));
        assert!(points(20, 5).rows().into_iter().all(|row| (row.dot(&row) - 1.0).abs() < 1e-12));
    }

    #[test]
    fn the_ceiling_is_ln_m_or_the_entropy_of_the_labels() {
        let z = normal(60, 1);
        let ceiling = |n_points: usize, n_classes: u32| {
            let labels: Vec<u32> = (0..60).map(|i| i % n_classes).collect();
            let found = Soft::points(n_points).unwrap().between(&real(&z, N_DIMS), &[classes(&labels)]);
            found[0].as_ref().unwrap().ceiling.unwrap().0
        };
        near(ceiling(20, 2), 2_f64.ln(), 1e-12);
        near(ceiling(20, 60), 20_f64.ln(), 1e-12);
    }

    #[test]
    fn samples_and_variables_that_it_cannot_use_are_refused_in_words() {
        let soft = Soft::points(20).unwrap();
        let refused = |soft: Soft, values: &[f64], n_dims: usize| {
            let labels: Vec<u32> = (0..values.len() as u32 / n_dims as u32).map(|i| i % 2).collect();
            soft.between(&real(values, n_dims), &[classes(&labels)]).remove(0).unwrap_err().to_string()
        };
        assert_eq!(
            refused(soft, &[0.1, 0.2, 0.3, 0.4], 2),
            "calibration `bound` needs at least 3 dimensions, got 2; use calibration `exact` for 2 dimensions, or `leading` for 1"
        );
        let exact = soft.calibration(Calibration::Exact);
        assert!(refused(exact, &[0.1, 0.2], 1).starts_with("calibration `exact` needs at least 2 dimensions, got 1"));
        assert_eq!(
            refused(exact, &[0.1, 0.2, 0.0, 0.0], 2),
            "1 of 2 samples have norm 0, so they have no direction; leave them out, or use `control` centred"
        );
        let centred = exact.control(DirectionControl::Centred);
        assert_eq!(
            refused(centred, &[0.1, 0.1, 0.2, 0.2, 0.3, 0.3], 2),
            "1 of 3 samples have the value of the mean, so they have no direction; leave them out, or use `control` none"
        );
        let whitened = exact.control(DirectionControl::Whitened);
        assert!(
            refused(whitened, &[0.1, 0.1, 0.2, 0.3], 2)
                .contains("needs at least 3 samples, got 2; use `control` centred")
        );
        assert_eq!(
            refused(whitened, &[0.1, 0.1, 0.2, 0.2, 0.4, 0.4], 2),
            "dimension 1 is constant or a linear function of the previous dimensions; use `control` centred"
        );
        let z = normal(4, 1);
        let real_real = soft.between(&real(&z, N_DIMS), &[real(&z, N_DIMS)]).remove(0).unwrap_err().to_string();
        assert_eq!(
            real_real,
            "`soft` cannot estimate the information between two real vectors; it needs real vectors and labels"
        );
        let short = soft.between(&real(&z, N_DIMS), &[classes(&[0, 1])]).remove(0).unwrap_err();
        assert_eq!(short, EstimateError::Mismatch { n_t: 4, n_y: 2 });
    }

    #[test]
    fn members_are_named_by_what_changes_their_number() {
        let soft = Soft::points(100).unwrap();
        let changed = soft.calibration(Calibration::Exact).control(DirectionControl::Centred).seed(3);
        let expected = ["soft-n-points-100", "soft-n-points-100-calibration-exact-centred-seed-3"];
        for (soft, expected) in [soft, changed].into_iter().zip(expected) {
            let id = crate::estimate_id::EstimateId::from(soft.member().id);
            assert_eq!(id.to_string(), expected);
            assert_eq!(expected.parse::<crate::estimate_id::EstimateId>().unwrap(), id);
        }
    }
}
