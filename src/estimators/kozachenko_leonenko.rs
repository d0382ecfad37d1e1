//! Differential entropy of T from nearest neighbours, and I(T;Y) as a difference of such entropies.
//!
//! h(T) = (d/N) Σ_i ln (r_i + ε) + (d/2) ln π − ln Γ(d/2 + 1) + ψ(N) − ψ(k), with r_i the Euclidean distance of sample
//! i from its k-th nearest neighbour. For a deterministic network h(T|X) = −∞ and I(X;T) is infinite. The paper reads
//! h(T) as I(X;T) up to an unknown constant, so this estimator has no I(X;T). I(T;Y) = h(T) − Σ_y p(y) h(T|Y=y).
//!
//! T must have a density. Deviation: the paper adds ε = 1e−16 to all r_i, which determines the estimate if samples
//! repeat; here ε = 0 by default, and there is no estimate if a sample is equal to k others.
//!
//! # Reference
//! Kozachenko & Leonenko 1987; Kraskov, Stögbauer & Grassberger 2004; Saxe et al. 2018, Fig. 12, with k = 2.

use std::collections::BTreeMap;

use super::neighbour_samples::check_number;
use super::pair::by_labels;
use super::{
    Estimate, EstimateError, Estimator, Information, InvalidParameter, KnownInputs, LayerData, Member, Randomness,
    RangeOver, Spec, Spread, Variable, build_each,
};
use crate::estimate_id::{EstimatorId, Scale, ScaleKind};
use crate::math::atoms::Cells;
use crate::math::kozachenko_leonenko::{h_t, i_ty};
use crate::math::neighbours::{KthDistances, kth_distances};
use crate::math::standardise::standardised;
use crate::parameter::{Kind, Parameter, Value};
use crate::units::Nats;

pub(super) const SPEC: Spec = Spec {
    name: "kozachenko-leonenko",
    summary: "differential entropy of T from nearest neighbours, and I(T;Y) from it; gives no I(X;T), and fails if values repeat, for example after ReLU",
    of_pair: "difference of differential entropies from nearest neighbours",
    parameters: &[
        Parameter {
            name: "k",
            doc: "number k of the neighbour: the distance of every sample to its k-th nearest neighbour is used",
            kind: Kind::Count { min: K.0, max: K.1 },
            default: "2",
        },
        Parameter {
            name: "epsilon",
            doc: "number added to every distance; with 1e-16, as in the paper, the estimate does not fail if samples repeat, but it then depends on epsilon",
            kind: Kind::NotNegative,
            default: "0",
        },
    ],
    build: |sets| {
        build_each(sets, |parameters| {
            let k = parameters.count("k").expect("k has a default");
            let epsilon = parameters.number("epsilon").expect("epsilon has a default");
            Ok(KozachenkoLeonenko::neighbour(k)?.epsilon(epsilon)?)
        })
    },
    choose: |_, _| None,
};

/// The allowed numbers of neighbours.
const K: (u64, u64) = (1, 1000);

/// Differential entropy h(T) from the distance of every sample to its k-th nearest neighbour, and I(T;Y) from it.
///
/// There is no I(X;T), which is infinite for a deterministic network.
///
/// ```
/// use infoplane::estimators::{Estimator, KozachenkoLeonenko, LayerData};
///
/// let layer = LayerData::new(&[0.1, 0.25, 0.2, 0.8, 0.95, 1.0], 1, &[0, 0, 0, 1, 1, 1])?;
/// let estimate = KozachenkoLeonenko::neighbour(2)?.estimate(&layer)?;
/// assert!(estimate.i_xt.is_none() && estimate.i_ty.bits() > 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Reference
/// Kozachenko & Leonenko 1987; Kraskov, Stögbauer & Grassberger 2004; Saxe et al. 2018, Fig. 12, with k = 2.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KozachenkoLeonenko {
    k: usize,
    epsilon: f64,
}

impl KozachenkoLeonenko {
    /// The `k`-th nearest neighbour of every sample, with nothing added to the distances.
    ///
    /// # Errors
    /// `k` is not from 1 to 1000.
    pub fn neighbour(k: usize) -> Result<Self, InvalidParameter> {
        Ok(Self { k: InvalidParameter::check_count("k", k, K)?, epsilon: 0.0 })
    }

    /// Adds `epsilon` to every distance, so that there is an estimate even if samples repeat; it then depends on
    /// `epsilon`.
    ///
    /// # Errors
    /// `epsilon` is negative or not finite.
    pub fn epsilon(self, epsilon: f64) -> Result<Self, InvalidParameter> {
        Ok(Self { epsilon: InvalidParameter::check_number("epsilon", epsilon, Kind::NotNegative)?, ..self })
    }
}

impl Estimator for KozachenkoLeonenko {
    fn member(&self) -> Member {
        let Self { k, epsilon } = self;
        let epsilon = (*epsilon != 0.0).then_some(Value::Number(*epsilon));
        let plus = epsilon.as_ref().map_or_else(String::new, |e| format!(", {e} added to every distance"));
        let options = epsilon.map(|epsilon| format!("epsilon-{epsilon}"));
        Member {
            id: EstimatorId { options, ..EstimatorId::new(SPEC.name, Some(Scale::new(ScaleKind::K, *k as f64))) },
            quantity: format!(
                "differential entropy h(T) from neighbour {k}{plus}: I(X;T) up to an unknown constant; I(T;Y) is a difference of such entropies"
            ),
            randomness: Randomness::None,
            range: RangeOver::Estimated,
            edges: None,
            no_pool: Some(
                "`kozachenko-leonenko` assumes independent samples, and pooled snapshots are not independent; use `binning` or `quantised`",
            ),
            inputs: KnownInputs::Identity,
        }
    }

    fn estimate(&self, layer: &LayerData<'_>) -> Result<Estimate, EstimateError> {
        Self::estimate_all(std::slice::from_ref(self), layer).remove(0)
    }

    fn estimate_all(estimators: &[Self], layer: &LayerData<'_>) -> Vec<Result<Estimate, EstimateError>> {
        let (t, samples) = (layer.activations, &layer.samples);
        let Some(classes) = &samples.classes else {
            return vec![Err(EstimateError::NeedsHardLabels { what: "h(T|Y)" }); estimators.len()];
        };
        // For the rows, then for every shuffle.
        let labels: Vec<Cells> = std::iter::once(classes.clone()).chain(samples.shuffled_classes()).collect();
        let labellings: Vec<&[u32]> = labels.iter().map(Cells::numbers).collect();
        let values: Vec<f64> = t.values().iter().copied().map(f64::from).collect();
        let mut by_k: BTreeMap<usize, KthDistances> = BTreeMap::new();
        for Self { k, .. } in estimators {
            by_k.entry(*k).or_insert_with(|| kth_distances(&values, t.n_units(), *k, &labellings));
        }
        let n_codes = Cells::of_rows(t.values(), t.n_units()).n_cells();
        estimators.iter().map(|chosen| estimate(*chosen, &by_k[&chosen.k], &labels, n_codes, layer)).collect()
    }

    /// Of two real vectors: h(A) + h(B) − h(A,B), each coordinate divided by its standard deviation.
    fn between(&self, a: &Variable<'_>, bs: &[Variable<'_>]) -> Vec<Result<Information, EstimateError>> {
        let Variable::Real(points) = a else { return by_labels(self, a, bs) };
        let scaled_a = standardised(points.values(), points.n_dims());
        let h_a = entropy_of(*self, &scaled_a, FIRST);
        let of_pair = |b: &Variable<'_>| match b {
            Variable::Real(b) => {
                let (n_t, n_y) = (points.n_samples(), b.n_samples());
                if n_t != n_y {
                    return Err(EstimateError::Mismatch { n_t, n_y });
                }
                let scaled_b = standardised(b.values(), b.n_dims());
                let h_a_and_b = h_a.clone()? + entropy_of(*self, &scaled_b, SECOND)?;
                Ok(Information::of(h_a_and_b - entropy_of(*self, &joined(&scaled_a, &scaled_b), BOTH)?))
            }
            Variable::Classes(_) => by_labels(self, a, std::slice::from_ref(b)).remove(0),
        };
        bs.iter().map(of_pair).collect()
    }
}

const FIRST: &str = "the first variable";
const SECOND: &str = "the second variable";
const BOTH: &str = "both variables";

/// h of scaled values and their number of coordinates, which is 0 if all values are equal.
fn entropy_of(
    KozachenkoLeonenko { k, epsilon }: KozachenkoLeonenko,
    (values, n_dims): &(Vec<f64>, usize),
    what: &'static str,
) -> Result<Nats, EstimateError> {
    if *n_dims == 0 {
        return Err(EstimateError::NoSpread { what });
    }
    let n_samples = values.len() / n_dims;
    check_number(n_samples, k)?;
    let distances = kth_distances(values, *n_dims, k, &[]).all;
    let n = distances.iter().filter(|r| **r + epsilon == 0.0).count();
    if n > 0 {
        return Err(EstimateError::Duplicates { n, n_samples, k });
    }
    Ok(h_t(&distances, *n_dims, k, epsilon))
}

/// Both variables of every sample.
fn joined((a, d_a): &(Vec<f64>, usize), (b, d_b): &(Vec<f64>, usize)) -> (Vec<f64>, usize) {
    let rows = a.chunks_exact(*d_a).zip(b.chunks_exact(*d_b));
    (rows.flat_map(|(a, b)| a.iter().chain(b)).copied().collect(), d_a + d_b)
}

/// The results of `distances` for the `labels`: the classes, then every shuffle of them.
fn estimate(
    KozachenkoLeonenko { k, epsilon }: KozachenkoLeonenko,
    distances: &KthDistances,
    labels: &[Cells],
    n_codes: usize,
    layer: &LayerData<'_>,
) -> Result<Estimate, EstimateError> {
    let (n_units, samples) = (layer.activations.n_units(), &layer.samples);
    let fewest = labels.iter().flat_map(Cells::counts).min().copied().unwrap_or(0) as usize;
    if fewest <= k {
        return Err(EstimateError::FewInClass { n: fewest, k });
    }
    // A distance of 0 within a class is also 0 among all samples.
    let n = distances.all.iter().filter(|r| **r + epsilon == 0.0).count();
    if n > 0 {
        return Err(EstimateError::Duplicates { n, n_samples: samples.n_samples(), k });
    }
    let i_ty = |(same_class, classes): (&Vec<f64>, &Cells)| {
        i_ty(&distances.all, same_class, classes.numbers(), n_units, k, epsilon)
    };
    let i_tys: Vec<_> = distances.same_class.iter().zip(labels).map(i_ty).collect();
    Estimate {
        i_xt: None,
        i_ty: i_tys[0],
        i_xt_error: None,
        i_ty_error: None,
        h_t: Some(h_t(&distances.all, n_units, k, epsilon)),
        h_t_given_x: None,
        i_xt_null: None,
        i_ty_null: Spread::of(&i_tys[1..]),
        i_xt_ceiling: None,
        i_ty_ceiling: samples.i_ty_ceiling,
        n_codes,
        code: None,
    }
    .finite()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimators::EstimatorSet;
    use crate::parameter::Parameters;

    /// Parameters as on the command line, one or several values each.
    fn built(words: &[(&str, &str)]) -> Box<dyn EstimatorSet> {
        let given = words.iter().map(|(name, word)| ((*name).to_owned(), Value::parse_list(word))).collect();
        (SPEC.build)(&Parameters::product(SPEC.parameters, given).unwrap()).unwrap()
    }

    fn estimates(words: &[(&str, &str)], t: &[f32], y: &[i32]) -> Vec<Result<Estimate, EstimateError>> {
        built(words).estimate(&LayerData::new(t, 1, y).unwrap())
    }

    /// Second neighbours at 3, 2, 0, 0, 0, 5.
    const REPEATING: [f32; 6] = [0.0, 1.0, 3.0, 3.0, 3.0, 8.0];

    #[test]
    fn samples_that_repeat_are_refused_unless_epsilon_is_to_decide() {
        let refused = estimates(&[], &REPEATING, &[0; 6]).remove(0).unwrap_err();
        assert_eq!(refused, EstimateError::Duplicates { n: 3, n_samples: 6, k: 2 });
        let words = refused.to_string();
        assert!(
            words.starts_with("3 of 6 samples are equal to 2 or more other samples, so the entropy is -infinity"),
            "{words}"
        );
        // Values from SciPy.
        let paper = estimates(&[("epsilon", "1e-16")], &REPEATING, &[0; 6]).remove(0).unwrap();
        assert!((paper.h_t.unwrap().0 + 15.877_333_999_782_06).abs() < 1e-12);
        assert_eq!((paper.n_codes, paper.i_ty.0), (4, 0.0));
        // The third neighbours are others.
        assert!(estimates(&[("k", "3")], &REPEATING, &[0; 6])[0].is_ok());
    }

    #[test]
    fn classes_without_enough_neighbours_are_refused() {
        let t = [0.0, 1.0, 3.0, 7.0, 15.0];
        assert!(estimates(&[], &t, &[0, 0, 0, 0, 0])[0].is_ok());
        assert_eq!(
            estimates(&[], &t, &[0, 0, 0, 1, 1]).remove(0).unwrap_err(),
            EstimateError::FewInClass { n: 2, k: 2 }
        );
        assert!(estimates(&[("k", "1")], &t, &[0, 0, 0, 1, 1])[0].is_ok());
        assert_eq!(
            estimates(&[("k", "5")], &t, &[0; 5]).remove(0).unwrap_err().to_string(),
            "the smallest class has 5 samples, but neighbour 5 of a sample needs more than 5; choose a smaller `k`, or another estimator"
        );
    }

    #[test]
    fn members_are_named_by_what_changes_their_number() {
        let members = built(&[("k", "1,2"), ("epsilon", "0,1e-16")]).members();
        let ids: Vec<String> = members.iter().map(|member| member.id.to_string()).collect();
        let mut expected =
            ["k-1", "k-1-epsilon-1e-16", "k-2", "k-2-epsilon-1e-16"].map(|id| format!("kozachenko-leonenko-{id}"));
        expected.sort();
        let mut sorted = ids.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, expected);
    }
}
