//! Information between variables with a density, from numbers of neighbours.
//!
//! The distance of a sample from its k-th neighbour in both variables together (maximum norm) sets the radius within which
//! its neighbours in each variable are counted: I(A;B) = ψ(k) + ψ(N) − ⟨ψ(n_a + 1) + ψ(n_b + 1)⟩. With classes, the k-th
//! neighbour of the same class sets the radius in T: I(T;Y) = ψ(k) + ψ(N) − ⟨ψ(N_y) + ψ(m)⟩.
//!
//! Deviation: every coordinate is divided by its standard deviation, so that the result does not depend on units of
//! measurement. The formula holds for any scale, and the papers leave it open. No noise is added: samples that repeat are
//! refused.
//!
//! # Reference
//! Kraskov, Stögbauer & Grassberger 2004, algorithms 1 and 2; Ross 2014 for classes.

use super::neighbour_samples::{IGNORED_TIES, K, Kinds, check_classes, check_number, check_ties, scaled};
use super::pair::estimate_layer;
use super::{
    Estimate, EstimateError, Estimator, Information, InvalidParameter, KnownInputs, LayerData, Member, Randomness,
    RangeOver, Spec, Variable, build_each,
};
use crate::estimate_id::{EstimatorId, Scale, ScaleKind};
use crate::math::ksg::{
    Arranged, KthNeighbours, ceiling, ceiling_with_classes, class_neighbours, first_algorithm, joint_neighbours,
    second_algorithm, second_ceiling, with_classes,
};
use crate::parameter::{Kind, Parameter};
use crate::units::Nats;

pub(super) const SPEC: Spec = Spec {
    name: "ksg",
    summary: "mutual information of variables with a density, from numbers of nearest neighbours; for I(T;Y) with classes, the form of Ross",
    of_pair: "mutual information, from numbers of neighbours",
    parameters: &[
        Parameter {
            name: "k",
            doc: "number k of the neighbour that sets the distance within which neighbours are counted; a larger k has less variance and more bias",
            kind: Kind::Count { min: K.0, max: K.1 },
            default: "3",
        },
        Parameter {
            name: "algorithm",
            doc: "algorithm 1 or 2 of Kraskov et al. for two real variables: 1 counts within the same distance in both, 2 within a distance for each; estimates with classes are the same for both",
            kind: Kind::Count { min: 1, max: 2 },
            default: "1",
        },
    ],
    build: |sets| {
        build_each(sets, |parameters| {
            let ksg = Ksg::neighbour(parameters.count("k").expect("k has a default"))?;
            let is_second = parameters.count("algorithm").expect("the algorithm has a default") == 2;
            Ok(if is_second { ksg.algorithm(KsgAlgorithm::Second) } else { ksg })
        })
    },
    choose: |_, _| None,
};

/// Information between variables with a density, from numbers of neighbours.
///
/// I(X;T) needs the values of X. It is infinite if T is a function of an X with a density; the estimate then grows like ln N.
///
/// ```
/// use infoplane::estimators::{Estimator, Ksg, LayerData};
///
/// let layer = LayerData::new(&[0.1, 0.25, 0.2, 0.8, 0.95, 1.0], 1, &[0, 0, 0, 1, 1, 1])?;
/// let estimate = Ksg::neighbour(2)?.estimate(&layer)?;
/// assert!(estimate.i_xt.is_none() && estimate.i_ty.bits() > 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Reference
/// Kraskov, Stögbauer & Grassberger 2004; Ross 2014.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ksg {
    k: usize,
    algorithm: KsgAlgorithm,
}

/// How neighbours of two real variables are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KsgAlgorithm {
    /// Nearer than the k-th neighbour, with the same distance in both variables.
    First,
    /// Not farther than the farthest of the k neighbours, with a distance for each variable.
    Second,
}

impl Ksg {
    /// The first algorithm, with the `k`-th nearest neighbour.
    ///
    /// # Errors
    /// `k` is not from 1 to 1000.
    pub fn neighbour(k: usize) -> Result<Self, InvalidParameter> {
        Ok(Self { k: InvalidParameter::check_count("k", k, K)?, algorithm: KsgAlgorithm::First })
    }

    /// Counts the neighbours of two real variables by this algorithm.
    #[must_use]
    pub fn algorithm(self, algorithm: KsgAlgorithm) -> Self {
        Self { algorithm, ..self }
    }

    /// `scaled_a` is `None` for classes, and if all values are equal.
    fn of_pair(
        self,
        a: &Variable<'_>,
        scaled_a: Option<&Arranged>,
        b: &Variable<'_>,
    ) -> Result<Information, EstimateError> {
        let Self { k, algorithm } = self;
        match Kinds::of(SPEC.name, a, b)? {
            Kinds::Real(a, b) => {
                check_number(a.n_samples(), k)?;
                let a = scaled_a.ok_or(EstimateError::NoSpread { what: FIRST })?;
                let b = scaled(b).ok_or(EstimateError::NoSpread { what: SECOND })?;
                let joint = joint_neighbours(a, &b, k);
                check(&joint, "both variables together", k)?;
                let (value, ceiling) = match algorithm {
                    KsgAlgorithm::First => (first_algorithm(a, &b, &joint, k), ceiling(&joint, k)),
                    KsgAlgorithm::Second => (second_algorithm(a, &b, k), second_ceiling(joint.radii.len(), k)),
                };
                Ok(Information { ceiling: Some(ceiling), ..Information::of(value) })
            }
            Kinds::WithClasses(_, y) if y.n_cells() == 1 => Ok(Information::of(Nats(0.0))),
            Kinds::WithClasses(t, y) => {
                check_classes(y, k)?;
                let scaled_b = if scaled_a.is_none() { scaled(t) } else { None };
                let t = scaled_a.or(scaled_b.as_ref()).ok_or(EstimateError::NoSpread { what: REAL })?;
                let inside = class_neighbours(t, y.numbers(), k);
                check(&inside, "the real vector, within their class,", k)?;
                let value = with_classes(t, y.numbers(), &inside, k);
                Ok(Information {
                    ceiling: Some(ceiling_with_classes(y.numbers(), &inside, k)),
                    ..Information::of(value)
                })
            }
        }
    }
}

const FIRST: &str = "the first variable (T, if it is a layer)";
const SECOND: &str = "the second variable (X of the network, if the first is a layer)";
const REAL: &str = "the real variable";

/// # Errors
/// Samples that repeat, or values on a lattice.
fn check(neighbours: &KthNeighbours, what: &'static str, k: usize) -> Result<(), EstimateError> {
    let (n, n_samples) = (neighbours.n_repeated, neighbours.radii.len());
    if n > 0 {
        let advice = "use `mixed-ksg`, which allows repeated values";
        return Err(EstimateError::Repeated { what, n, n_samples, advice });
    }
    check_ties(neighbours, k, IGNORED_TIES, "use `mixed-ksg`, or declare the variable as labels")
}

impl Estimator for Ksg {
    fn member(&self) -> Member {
        let Self { k, algorithm } = self;
        let options = (*algorithm == KsgAlgorithm::Second).then(|| "algorithm-2".to_owned());
        let number = if options.is_some() { 2 } else { 1 };
        Member {
            id: EstimatorId { options, ..EstimatorId::new(SPEC.name, Some(Scale::new(ScaleKind::K, *k as f64))) },
            quantity: format!(
                "mutual information of variables with a density, from numbers of neighbours within the distance of neighbour {k} (Kraskov et al., algorithm {number}; Ross for classes); I(X;T) is infinite, and the estimate grows with the number of samples, if T is a function of a continuous X"
            ),
            randomness: Randomness::None,
            range: RangeOver::Estimated,
            edges: None,
            no_pool: Some(
                "`ksg` assumes independent samples, and pooled snapshots are not independent; use `binning` or `quantised`",
            ),
            inputs: KnownInputs::Values,
        }
    }

    fn estimate(&self, layer: &LayerData<'_>) -> Result<Estimate, EstimateError> {
        estimate_layer(self, layer, None)
    }

    fn between(&self, a: &Variable<'_>, bs: &[Variable<'_>]) -> Vec<Result<Information, EstimateError>> {
        let scaled_a = if let Variable::Real(a) = a { scaled(a) } else { None };
        bs.iter().map(|b| self.of_pair(a, scaled_a.as_ref(), b)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use rand::SeedableRng;
    use rand::rngs::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;
    use crate::estimators::{Cells, EstimatorSet, KozachenkoLeonenko, MixedKsg, Points};
    use crate::parameter::{Parameters, Value};

    fn real(values: &[f64], n_dims: usize) -> Variable<'_> {
        Variable::Real(Points::new(values, n_dims).unwrap())
    }

    fn classes(numbers: &[u32]) -> Variable<'static> {
        Variable::Classes(Cow::Owned(Cells::of_rows(numbers, 1)))
    }

    fn information<E: Estimator>(estimator: &E, a: &Variable<'_>, b: &Variable<'_>) -> Result<f64, EstimateError> {
        estimator.between(a, std::slice::from_ref(b)).remove(0).map(|found| {
            assert!(found.ceiling.is_none_or(|ceiling| found.value.0 <= ceiling.0 + 1e-12));
            found.value.0
        })
    }

    /// Normal x, and y with correlation ρ to it.
    fn correlated(n: usize, rho: f64, seed: u64) -> (Vec<f64>, Vec<f64>) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
        (0..n).map(|_| (normal(), normal())).map(|(x, e)| (x, rho * x + (1.0 - rho * rho).sqrt() * e)).unzip()
    }

    /// The fixture of `math/ksg.rs`: SplitMix64 of seed 42 and the Box-Muller transform, ρ = 0.5.
    fn fixture() -> (Vec<f64>, Vec<f64>) {
        let mut state = 42_u64;
        let mut uniform = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
        };
        let mut pair = || {
            let (r, angle) = ((-2.0 * (1.0 - uniform()).ln()).sqrt(), std::f64::consts::TAU * uniform());
            (r * angle.cos(), r * angle.sin())
        };
        (0..1000).map(|_| pair()).map(|(x, e)| (x, 0.5 * x + 0.75_f64.sqrt() * e)).unzip()
    }

    /// Values of NumPy and SciPy, from all distances after division by the standard deviations.
    #[test]
    fn scaled_variables_have_the_values_of_scipy() {
        let (x, y) = fixture();
        let (a, b) = (real(&x, 1), real(&y, 1));
        let ksg = Ksg::neighbour(3).unwrap();
        // Distances of 1e-4 keep 12 digits, so no neighbour is counted differently.
        let close = |got: f64, expected: f64| assert!((got - expected).abs() < 1e-12, "{got} {expected}");
        close(information(&ksg, &a, &b).unwrap(), 0.132_005_327_116_670_12);
        close(information(&ksg.algorithm(KsgAlgorithm::Second), &a, &b).unwrap(), 0.142_007_394_717_070_13);
        let sign: Vec<u32> = x.iter().map(|x| u32::from(*x > 0.0)).collect();
        for (a, b) in [(&b, &classes(&sign)), (&classes(&sign), &b)] {
            close(information(&ksg, a, b).unwrap(), 0.084_611_076_598_856_07);
        }
        for (k, expected) in [(2, 0.175_692_858_602_841_9), (3, 0.149_654_646_132_363_57)] {
            close(information(&KozachenkoLeonenko::neighbour(k).unwrap(), &a, &b).unwrap(), expected);
        }
    }

    /// Truth −½ ln(1 − ρ²) = 0.14384. From SciPy, 60 seeds: mean 0.141 and standard deviation 0.050 for k = 1, 0.145 and 0.028
    /// for k = 3; four standard errors of the mean of 60 seeds.
    #[test]
    fn correlated_normal_numbers_have_their_information_on_average() {
        for (k, std) in [(1, 0.050), (3, 0.028)] {
            for algorithm in [KsgAlgorithm::First, KsgAlgorithm::Second] {
                let ksg = Ksg::neighbour(k).unwrap().algorithm(algorithm);
                let value = |seed: u64| {
                    let (x, y) = correlated(1000, 0.5, seed);
                    information(&ksg, &real(&x, 1), &real(&y, 1)).unwrap()
                };
                let values: Vec<f64> = (0..60).map(value).collect();
                let mean = values.iter().sum::<f64>() / 60.0;
                let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 59.0;
                assert!((mean - 0.143_841_036).abs() < 4.0 * std / 60_f64.sqrt(), "k {k}, {algorithm:?}: {mean}");
                // The standard deviation of 60 values has a relative error of 9 %; four of them.
                assert!((variance.sqrt() / std - 1.0).abs() < 0.36, "k {k}, {algorithm:?}: {variance}");
            }
        }
    }

    #[test]
    fn units_of_measurement_and_single_precision_change_nothing() {
        let (x, y) = correlated(200, 0.6, 1);
        let b = real(&y, 1);
        for algorithm in [KsgAlgorithm::First, KsgAlgorithm::Second] {
            let ksg = Ksg::neighbour(3).unwrap().algorithm(algorithm);
            let value = |map: &dyn Fn(f64) -> f64| {
                let x: Vec<f64> = x.iter().map(|x| map(*x)).collect();
                information(&ksg, &real(&x, 1), &b).unwrap()
            };
            let expected = value(&|x| x);
            for map in [&|x: f64| x * 1e-12, &|x: f64| x * 1e300, &|x: f64| 3.0 - 7.0 * x] as [&dyn Fn(f64) -> f64; 3] {
                assert!((value(map) - expected).abs() < 1e-12);
            }
            // Rounded to 1e-7 and 1e-7: few or no neighbours are counted differently, each for 1/200 of ψ(n + 1) − ψ(n) < 1.
            for map in [&|x: f64| x + 1e9, &|x: f64| f64::from(x as f32)] as [&dyn Fn(f64) -> f64; 2] {
                assert!((value(map) - expected).abs() < 0.01);
            }
        }
    }

    #[test]
    fn a_constant_coordinate_changes_nothing_and_a_constant_variable_is_refused() {
        let (x, y) = correlated(200, 0.6, 2);
        let with_constant: Vec<f64> = x.iter().flat_map(|x| [*x, 4.0]).collect();
        let ksg = Ksg::neighbour(3).unwrap();
        let b = real(&y, 1);
        assert_eq!(information(&ksg, &real(&with_constant, 2), &b), information(&ksg, &real(&x, 1), &b));
        let constant = [0.3; 200];
        for (a, b) in [(&real(&constant, 1), &b), (&b, &real(&constant, 1))] {
            let refused = information(&ksg, a, b).unwrap_err();
            assert!(matches!(refused, EstimateError::NoSpread { .. }), "{refused}");
            assert!(information(&MixedKsg::neighbour(3).unwrap(), a, b).unwrap().abs() < 1e-12);
        }
    }

    #[test]
    fn samples_that_repeat_and_lattices_are_refused() {
        let (x, y) = correlated(20, 0.6, 3);
        let (x, y) = (x.repeat(10), y.repeat(10));
        for algorithm in [KsgAlgorithm::First, KsgAlgorithm::Second] {
            let ksg = Ksg::neighbour(3).unwrap().algorithm(algorithm);
            let refused = information(&ksg, &real(&x, 1), &real(&y, 1)).unwrap_err();
            assert_eq!(
                refused.to_string(),
                "200 of 200 samples of both variables together repeat, so there is no density there; use `mixed-ksg`, which allows repeated values"
            );
            // All inputs of 8 bits, each once, and a unit with a density.
            let bits: Vec<f64> = (0..256).flat_map(|i| (0..8).map(move |bit| f64::from(i >> bit & 1))).collect();
            let (t, _) = correlated(256, 0.0, 4);
            let refused = information(&ksg, &real(&t, 1), &real(&bits, 8)).unwrap_err();
            assert!(matches!(refused, EstimateError::Tied { n_samples: 256, k: 3, .. }), "{refused}");
        }
        let labels: Vec<u32> = (0..200).map(|i| i / 100).collect();
        let refused = information(&Ksg::neighbour(3).unwrap(), &real(&x, 1), &classes(&labels)).unwrap_err();
        assert!(matches!(refused, EstimateError::Repeated { n: 200, .. }), "{refused}");
    }

    #[test]
    fn numbers_of_samples_and_kinds_are_checked() {
        assert!(Ksg::neighbour(0).is_err() && Ksg::neighbour(1001).is_err());
        let (x, y) = correlated(10, 0.5, 5);
        let (x, y) = (real(&x, 1), real(&y, 1));
        let refused = |k: usize, a: &Variable<'_>, b: &Variable<'_>| {
            let ksg = information(&Ksg::neighbour(k).unwrap(), a, b).unwrap_err();
            let same = |mixed: &str| mixed == ksg.to_string().replace("`ksg`", "`mixed-ksg`");
            assert!(same(&information(&MixedKsg::neighbour(k).unwrap(), a, b).unwrap_err().to_string()));
            ksg
        };
        assert!(information(&Ksg::neighbour(9).unwrap(), &x, &y).is_ok());
        assert_eq!(
            refused(10, &x, &y).to_string(),
            "the distance to neighbour `k` needs at least 11 samples, got 10; choose a smaller `k`, or use more samples"
        );
        let labels = classes(&[0, 0, 0, 0, 0, 0, 0, 1, 1, 1]);
        assert_eq!(refused(3, &x, &labels), EstimateError::FewInClass { n: 3, k: 3 });
        assert!(information(&Ksg::neighbour(2).unwrap(), &x, &labels).is_ok());
        let many = classes(&[0, 1, 2, 3, 4, 5, 5, 5, 5, 5]);
        assert_eq!(refused(1, &x, &many), EstimateError::ManyClasses { n_classes: 6, n_samples: 10 });
        assert!(matches!(refused(1, &labels, &labels), EstimateError::WrongKinds { .. }));
        assert_eq!(refused(1, &x, &classes(&[0, 1])), EstimateError::Mismatch { n_t: 10, n_y: 2 });
    }

    #[test]
    fn a_layer_has_information_about_the_values_of_its_inputs() {
        use crate::estimators::InputsAndLabels;
        use crate::sample::Representation;
        let (x, t) = correlated(400, 0.9, 6);
        let y: Vec<i32> = x.iter().map(|x| i32::from(*x > 0.0)).collect();
        let t: Vec<f32> = t.iter().map(|t| *t as f32).collect();
        let x = Points::new(x, 1).unwrap();
        let samples = InputsAndLabels::of_distinct(&y, 3).unwrap().with_inputs(x.clone()).unwrap();
        let representation = Representation::new(&t, 1).unwrap();
        let ksg = Ksg::neighbour(3).unwrap();
        let estimate = ksg.estimate(&LayerData::of_samples(representation, &samples).unwrap()).unwrap();
        let expected = information(&ksg, &Variable::Real(Points::of_activations(&representation)), &Variable::Real(x));
        assert_eq!(estimate.i_xt.unwrap().0, expected.unwrap());
        // Truth 0.8304; the standard deviation of SciPy for N = 1000 is about 0.03, so 0.05 for N = 400.
        assert!((estimate.i_xt.unwrap().0 - 0.83).abs() < 0.25);
        assert!(estimate.i_xt_null.unwrap().mean.0.abs() < 0.15 && estimate.i_ty_null.unwrap().mean.0.abs() < 0.15);
        assert!(estimate.i_ty.0 < estimate.i_ty_ceiling.0 && estimate.i_xt.unwrap() < estimate.i_xt_ceiling.unwrap());
    }

    #[test]
    fn members_are_named_by_what_changes_their_number() {
        let words = [("k", "1,3"), ("algorithm", "1,2")];
        let given = words.iter().map(|(name, word)| ((*name).to_owned(), Value::parse_list(word))).collect();
        let built = (SPEC.build)(&Parameters::product(SPEC.parameters, given).unwrap()).unwrap();
        let mut ids: Vec<String> = EstimatorSet::members(&*built).iter().map(|member| member.id.to_string()).collect();
        ids.sort_unstable();
        assert_eq!(ids, ["ksg-k-1", "ksg-k-1-algorithm-2", "ksg-k-3", "ksg-k-3-algorithm-2"]);
    }
}
