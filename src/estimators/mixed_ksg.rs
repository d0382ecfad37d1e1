//! Information between mixtures of densities and repeated values, from numbers of neighbours.
//!
//! A sample whose k-th neighbour is at distance 0 lies on a point with a probability; there the samples that are equal to it
//! are counted. Elsewhere, neighbours are counted as in the first algorithm of Kraskov et al. Classes are a variable whose
//! distances are 0 or infinite.
//!
//! Deviations: ψ(N) instead of ln N (a difference of about 1/2N), so that constants have exactly no information; counts and
//! ψ as in the program of the authors, not ln(n + 1) as in their text; every coordinate is divided by its standard
//! deviation.
//!
//! # Reference
//! Gao, Kannan, Oh & Viswanath 2017, "Estimating mutual information for discrete-continuous mixtures", NeurIPS.

use super::neighbour_samples::{K, Kinds, check_classes, check_number, check_ties, scaled};
use super::pair::estimate_layer;
use super::{
    Estimate, EstimateError, Estimator, Information, InvalidParameter, KnownInputs, LayerData, Member, Points,
    Randomness, RangeOver, Spec, Variable, build_each,
};
use crate::estimate_id::{EstimatorId, Scale, ScaleKind};
use crate::math::ksg::{
    Arranged, ceiling, ceiling_with_classes, class_neighbours, joint_neighbours, of_mixture, of_mixture_with_classes,
};
use crate::parameter::{Kind, Parameter};
use crate::units::Nats;

pub(super) const SPEC: Spec = Spec {
    name: "mixed-ksg",
    summary: "mutual information of mixtures of densities and repeated values, from numbers of nearest neighbours; for layers whose values repeat, for example after ReLU",
    of_pair: "mutual information, from numbers of neighbours; values may repeat",
    parameters: &[Parameter {
        name: "k",
        doc: "number k of the neighbour that sets the distance within which neighbours are counted; a value is treated as repeated if k other samples are equal to it",
        kind: Kind::Count { min: K.0, max: K.1 },
        default: "3",
    }],
    build: |sets| {
        build_each(sets, |parameters| Ok(MixedKsg::neighbour(parameters.count("k").expect("k has a default"))?))
    },
    choose: |_, _| None,
};

/// Information between mixtures of densities and repeated values, from numbers of neighbours.
///
/// ```
/// use infoplane::estimators::{Estimator, LayerData, MixedKsg};
///
/// // A unit after ReLU: four of eight samples are 0.
/// let layer = LayerData::new(&[0.0, 0.0, 0.0, 0.0, 0.3, 0.5, 0.4, 0.7], 1, &[0, 0, 0, 0, 1, 1, 1, 1])?;
/// assert!(MixedKsg::neighbour(2)?.estimate(&layer)?.i_ty.bits() > 0.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Reference
/// Gao, Kannan, Oh & Viswanath 2017.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MixedKsg {
    k: usize,
}

/// The largest share of samples with ties at a distance above 0. In a mixture, values with a probability that have few
/// samples tie, for example the largest numbers of a Poisson variable; on a lattice with few samples on every point, nearly
/// all samples tie.
const MOST_TIES: f64 = 0.5;

impl MixedKsg {
    /// The `k`-th nearest neighbour.
    ///
    /// # Errors
    /// `k` is not from 1 to 1000.
    pub fn neighbour(k: usize) -> Result<Self, InvalidParameter> {
        Ok(Self { k: InvalidParameter::check_count("k", k, K)? })
    }

    fn of_pair(
        self,
        a: &Variable<'_>,
        scaled_a: Option<&Arranged>,
        b: &Variable<'_>,
    ) -> Result<Information, EstimateError> {
        let Self { k } = self;
        let advice = "declare the variable as labels, or use `binning` or `quantised`";
        match Kinds::of(SPEC.name, a, b)? {
            Kinds::Real(a, b) => {
                check_number(a.n_samples(), k)?;
                let (a, b) = (scaled_a.expect("a is real"), scaled_or_constant(b));
                let joint = joint_neighbours(a, &b, k);
                check_ties(&joint, k, MOST_TIES, advice)?;
                let value = of_mixture(a, &b, &joint, k);
                Ok(Information { ceiling: Some(ceiling(&joint, k)), ..Information::of(value) })
            }
            Kinds::WithClasses(_, y) if y.n_cells() == 1 => Ok(Information::of(Nats(0.0))),
            Kinds::WithClasses(t, y) => {
                check_classes(y, k)?;
                let scaled_b = if scaled_a.is_none() { Some(scaled_or_constant(t)) } else { None };
                let t = scaled_a.or(scaled_b.as_ref()).expect("one of the variables is real");
                let inside = class_neighbours(t, y.numbers(), k);
                check_ties(&inside, k, MOST_TIES, advice)?;
                let value = of_mixture_with_classes(t, y.numbers(), &inside, k);
                Ok(Information {
                    ceiling: Some(ceiling_with_classes(y.numbers(), &inside, k)),
                    ..Information::of(value)
                })
            }
        }
    }
}

/// Coordinates divided by their standard deviations; zeros if all samples are equal.
fn scaled_or_constant(points: &Points<'_>) -> Arranged {
    scaled(points).unwrap_or_else(|| Arranged::new(vec![0.0; points.n_samples()], 1))
}

impl Estimator for MixedKsg {
    fn member(&self) -> Member {
        let Self { k } = self;
        Member {
            id: EstimatorId::new(SPEC.name, Some(Scale::new(ScaleKind::K, *k as f64))),
            quantity: format!(
                "mutual information of mixtures of densities and repeated values, from numbers of neighbours within the distance of neighbour {k} (Gao et al.); I(X;T) is infinite, and the estimate grows with the number of samples, if T is a one-to-one function of a continuous X"
            ),
            randomness: Randomness::None,
            range: RangeOver::Estimated,
            edges: None,
            no_pool: Some(
                "`mixed-ksg` assumes independent samples, and pooled snapshots are not independent; use `binning` or `quantised`",
            ),
            inputs: KnownInputs::Values,
        }
    }

    fn estimate(&self, layer: &LayerData<'_>) -> Result<Estimate, EstimateError> {
        estimate_layer(self, layer, None)
    }

    fn between(&self, a: &Variable<'_>, bs: &[Variable<'_>]) -> Vec<Result<Information, EstimateError>> {
        let scaled_a = if let Variable::Real(a) = a { Some(scaled_or_constant(a)) } else { None };
        bs.iter().map(|b| self.of_pair(a, scaled_a.as_ref(), b)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use rand::rngs::ChaCha8Rng;
    use rand::{RngExt, SeedableRng};
    use rand_distr::{Distribution, Exp1, Poisson};

    use super::*;
    use crate::estimators::Cells;

    fn information(a: &[f64], b: &[f64], k: usize) -> Result<f64, EstimateError> {
        let real = |values: &[f64]| Variable::Real(Points::new(values.to_vec(), 1).unwrap());
        let found = MixedKsg::neighbour(k).unwrap().between(&real(a), &[real(b)]).remove(0)?;
        assert!(found.value <= found.ceiling.unwrap());
        Ok(found.value.0)
    }

    /// The mean over 30 seeds of 1000 samples.
    fn mean(sample: impl Fn(&mut ChaCha8Rng) -> (f64, f64)) -> f64 {
        let value = |seed: u64| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let (a, b): (Vec<f64>, Vec<f64>) = (0..1000).map(|_| sample(&mut rng)).unzip();
            information(&a, &b, 3).unwrap()
        };
        (0..30).map(value).sum::<f64>() / 30.0
    }

    #[test]
    fn mixtures_have_their_information() {
        // X ~ Exp(1), Y ~ Poisson(X), and 0 with probability 0.15: 0.229776 by numerical integration (Gao et al. print a
        // formula that gives 0.256). In NumPy, 30 seeds have mean 0.2286 and standard deviation 0.0307: four standard errors.
        let poisson = mean(|rng| {
            let x: f64 = Exp1.sample(rng);
            let y = Poisson::new(x).unwrap().sample(rng);
            (x, if rng.random_bool(0.15) { 0.0 } else { y })
        });
        assert!((poisson - 0.229_776).abs() < 4.0 * 0.0307 / 30_f64.sqrt(), "{poisson}");
        // X uniform on 0..5, Y uniform on X..X + 2: ln 5 − 4/5 ln 2. In NumPy the mean is 0.0025 too low, and the standard
        // deviation 0.0164.
        let stairs = mean(|rng| {
            let x = f64::from(rng.random_range(0..5));
            (x, x + rng.random_range(0.0..2.0))
        });
        let exact = 5_f64.ln() - 0.8 * 2_f64.ln();
        assert!((stairs - exact).abs() < 0.0025 + 4.0 * 0.0164 / 30_f64.sqrt(), "{stairs} {exact}");
    }

    /// 20 different points, 10 samples each: I = ln 20. Every sample has k_i = n_a = n_b = 10, so the estimate is
    /// ψ(200) − ψ(10) = 1/10 + 1/11 + … + 1/199.
    #[test]
    fn samples_that_repeat_have_the_entropy_of_the_points() {
        let points: Vec<f64> = (0..20).map(|i| f64::from(i * i)).collect::<Vec<_>>().repeat(10);
        let expected: f64 = (10..200).map(|n| 1.0 / f64::from(n)).sum();
        assert!((information(&points, &points, 3).unwrap() - expected).abs() < 1e-12);
    }

    #[test]
    fn a_lattice_with_few_samples_on_every_point_is_refused() {
        // Every point of a square lattice of 20 × 20 once.
        let (a, b): (Vec<f64>, Vec<f64>) = (0..400).map(|i| (f64::from(i / 20), f64::from(i % 20))).unzip();
        let refused = information(&a, &b, 3).unwrap_err();
        assert!(matches!(refused, EstimateError::Tied { n_samples: 400, .. }), "{refused}");
    }

    #[test]
    fn a_unit_that_is_0_for_a_class_determines_it() {
        // Class 0 is always 0, class 1 above: k_i = n_t = N_y = 50 or k, k, 50. ψ(100) − ψ(50) = 1/50 + … + 1/99.
        let t: Vec<f64> = (0..100).map(|i| if i < 50 { 0.0 } else { 10.0 + f64::from(i).sin() }).collect();
        let y: Vec<u32> = (0..100).map(|i| i / 50).collect();
        let (t, y) = (Variable::Real(Points::new(t, 1).unwrap()), Variable::Classes(Cow::Owned(Cells::of_rows(&y, 1))));
        let expected: f64 = (50..100).map(|n| 1.0 / f64::from(n)).sum();
        for (a, b) in [(&t, &y), (&y, &t)] {
            let found = MixedKsg::neighbour(3).unwrap().between(a, std::slice::from_ref(b)).remove(0).unwrap();
            assert!((found.value.0 - expected).abs() < 1e-12 && (found.ceiling.unwrap().0 - expected).abs() < 1e-12);
        }
    }
}
