//! Differential entropy of T by nearest neighbours, and I(T;Y) as a difference of such entropies.
//!
//! h(T) = (d/N) Σ_i ln (r_i + ε) + (d/2) ln π − ln Γ(d/2 + 1) + ψ(N) − ψ(k), r_i being the Euclidean distance of sample i
//! from its k-th nearest neighbour. Of a deterministic network h(T|X) = −∞ and I(X;T) is infinite; the paper reads h(T) as
//! I(X;T) up to a constant, which is unknown, so there is no I(X;T) here. I(T;Y) = h(T) − Σ_y p(y) h(T|Y=y).
//!
//! T needs a density. Deviation: the paper's ε = 1e−16 is added to all r_i and becomes the estimate where samples repeat;
//! here ε = 0 unless asked for, and where a sample equals k others there is no estimate.
//!
//! # Reference
//! Kozachenko & Leonenko 1987; Kraskov, Stögbauer & Grassberger 2004; Saxe et al. 2018, Fig. 12, with k = 2.

use std::collections::BTreeMap;

use super::{Built, Estimate, EstimateError, Estimator, Member, Randomness, RangeOver, Sample, Spec, Spread};
use crate::estimate_id::{EstimatorId, Scale, ScaleKind};
use crate::math::atoms::Cells;
use crate::math::kozachenko_leonenko::{h_t, i_ty};
use crate::math::neighbours::{KthDistances, kth_distances};
use crate::parameter::{Kind, Parameter, Parameters, Value};

pub(super) const SPEC: Spec = Spec {
    name: "kozachenko-leonenko",
    summary: "differential entropy of T by nearest neighbours, and I(T;Y) from it; no I(X;T), and not where values repeat, as after ReLU",
    parameters: &[
        Parameter {
            name: "k",
            doc: "which nearest neighbour of every sample",
            kind: Kind::Count { min: 1, max: 1000 },
            default: "2",
        },
        Parameter {
            name: "epsilon",
            doc: "added to every distance; the paper's 1e-16 gives a number also where samples repeat, which then depends on it",
            kind: Kind::NotNegative,
            default: "0",
        },
    ],
    build,
};

/// Estimates for several k and ε.
#[derive(Debug)]
struct KozachenkoLeonenko(Vec<Choice>);

#[derive(Debug, Clone, Copy)]
struct Choice {
    k: usize,
    epsilon: f64,
}

fn build(parameters: &[Parameters]) -> Built {
    let choice = |parameters: &Parameters| Choice {
        k: parameters.count("k").expect("k has a default"),
        epsilon: parameters.number("epsilon").expect("epsilon has a default"),
    };
    Ok(Box::new(KozachenkoLeonenko(parameters.iter().map(choice).collect())))
}

impl Estimator for KozachenkoLeonenko {
    fn members(&self) -> Vec<Member> {
        let member = |Choice { k, epsilon }: &Choice| {
            let epsilon = (*epsilon != 0.0).then_some(Value::Number(*epsilon));
            let plus = epsilon.as_ref().map_or_else(String::new, |e| format!(", {e} added to every distance"));
            let scale = Scale::new(ScaleKind::K, *k as f64);
            let options = epsilon.map(|epsilon| format!("epsilon-{epsilon}"));
            Member {
                id: EstimatorId { options, ..EstimatorId::new(SPEC.name, Some(scale)) },
                quantity: format!(
                    "differential entropy h(T) by neighbour {k}{plus}: I(X;T) up to a constant that nobody knows; I(T;Y) is a difference of such entropies"
                ),
                randomness: Randomness::None,
                range: RangeOver::Estimated,
                no_pool: Some(
                    "`kozachenko-leonenko` takes rows for independent samples, which pooled snapshots are not; use `binning` or `quantised`",
                ),
            }
        };
        self.0.iter().map(member).collect()
    }

    fn estimate(&self, of: &Sample<'_>) -> Vec<Result<Estimate, EstimateError>> {
        let (t, given) = (of.t, of.given);
        let Some(classes) = &given.classes else {
            return vec![Err(EstimateError::NeedsHardLabels { what: "h(T|Y)" }); self.0.len()];
        };
        // Of the rows, then of every shuffle.
        let labels: Vec<Cells> = std::iter::once(classes.clone()).chain(given.shuffled_classes()).collect();
        let labellings: Vec<&[u32]> = labels.iter().map(Cells::numbers).collect();
        let values: Vec<f64> = t.values().iter().copied().map(f64::from).collect();
        let mut by_k: BTreeMap<usize, KthDistances> = BTreeMap::new();
        for Choice { k, .. } in &self.0 {
            by_k.entry(*k).or_insert_with(|| kth_distances(&values, t.n_units(), *k, &labellings));
        }
        let n_codes = Cells::of_rows(t.values(), t.n_units()).n_cells();
        let one = |choice: &Choice| estimate(*choice, &by_k[&choice.k], &labels, n_codes, of);
        self.0.iter().map(one).collect()
    }
}

/// What `distances` say of the `labels`: the classes, then every shuffle of them.
fn estimate(
    Choice { k, epsilon }: Choice,
    distances: &KthDistances,
    labels: &[Cells],
    n_codes: usize,
    of: &Sample<'_>,
) -> Result<Estimate, EstimateError> {
    let (n_units, given) = (of.t.n_units(), of.given);
    let fewest = labels.iter().flat_map(Cells::counts).min().copied().unwrap_or(0) as usize;
    if fewest <= k {
        return Err(EstimateError::FewInClass { n: fewest, k });
    }
    // A distance that is 0 within a class is 0 among all.
    let n = distances.all.iter().filter(|r| **r + epsilon == 0.0).count();
    if n > 0 {
        return Err(EstimateError::Duplicates { n, n_samples: given.n_samples(), k });
    }
    let i_ty = |(same_class, classes): (&Vec<f64>, &Cells)| {
        i_ty(&distances.all, same_class, classes.numbers(), n_units, k, epsilon)
    };
    let i_tys: Vec<_> = distances.same_class.iter().zip(labels).map(i_ty).collect();
    Estimate {
        i_xt: None,
        i_ty: i_tys[0],
        h_t: Some(h_t(&distances.all, n_units, k, epsilon)),
        h_t_given_x: None,
        i_xt_null: None,
        i_ty_null: Spread::of(&i_tys[1..]),
        i_xt_ceiling: None,
        i_ty_ceiling: given.i_ty_ceiling,
        n_codes,
        code: None,
    }
    .finite()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimators::Given;
    use crate::sample::{Labels, Representation};

    /// Parameters as on the command line, one or several values each.
    fn built(words: &[(&str, &str)]) -> Box<dyn Estimator> {
        let given = words.iter().map(|(name, word)| ((*name).to_owned(), Value::parse_list(word))).collect();
        build(&Parameters::product(SPEC.parameters, given).unwrap()).unwrap()
    }

    fn estimates(words: &[(&str, &str)], t: &[f32], y: &[i32]) -> Vec<Result<Estimate, EstimateError>> {
        let given = Given::of_distinct(Labels::hard(y)).unwrap();
        built(words).estimate(&Sample::new(Representation::new(t, 1).unwrap(), &given).unwrap())
    }

    /// Second neighbours at 3, 2, 0, 0, 0, 5.
    const REPEATING: [f32; 6] = [0.0, 1.0, 3.0, 3.0, 3.0, 8.0];

    #[test]
    fn samples_that_repeat_are_refused_unless_epsilon_is_to_decide() {
        let refused = estimates(&[], &REPEATING, &[0; 6]).remove(0).unwrap_err();
        assert_eq!(refused, EstimateError::Duplicates { n: 3, n_samples: 6, k: 2 });
        let words = refused.to_string();
        assert!(words.starts_with("3 of 6 samples equal 2 others or more, so the entropy is -infinity"), "{words}");
        // From SciPy.
        let paper = estimates(&[("epsilon", "1e-16")], &REPEATING, &[0; 6]).remove(0).unwrap();
        assert!((paper.h_t.unwrap().0 + 15.877_333_999_782_06).abs() < 1e-12);
        assert_eq!((paper.n_codes, paper.i_ty.0), (4, 0.0));
        // The third neighbours are elsewhere.
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
            "the smallest class has 5 samples, and neighbour 5 of a sample needs more than 5; choose a smaller `k`, or another estimator"
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
