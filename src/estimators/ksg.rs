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

const FIRST: &str = "the first variable (T of a layer)";
const SECOND: &str = "the second variable (X of a layer)";
const REAL: &str = "the real vector (T of a layer)";

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
