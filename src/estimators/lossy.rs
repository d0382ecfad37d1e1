//! Information of principal components: a lower bound, as a function of a variable has at most its information.
//!
//! I(X;T) ≥ I(E(X);E(T)), with E the first `n_components` principal components. For classes only the real variable is
//! compressed. The bound holds for the distribution and a fixed E: the estimator that is applied to the components may be
//! biased, and E is computed from the same samples.
//!
//! # Reference
//! Butakov et al. 2024, "Information bottleneck analysis of deep neural networks via lossy compression", with principal
//! components instead of autoencoders.

use std::borrow::Cow;

use super::pair::estimate_layer;
use super::projected::OnProjections;
use super::{
    Estimate, EstimateError, Estimator, Information, InvalidParameter, KnownInputs, LayerData, Member, Points,
    Randomness, RangeOver, Spec, Variable, build_each,
};
use crate::estimate_id::{EstimatorId, Scale, ScaleKind};
use crate::math::principal_components::{MOST_ITERATIONS, principal_components};
use crate::parameter::{Kind, Parameter};

pub(super) const SPEC: Spec = Spec {
    name: "lossy",
    summary: "mutual information of the first principal components of both variables, which is a lower bound; for layers with many units",
    of_pair: "information between principal components; a lower bound for the distribution",
    parameters: &[
        Parameter {
            name: "n_components",
            doc: "number of principal components of each variable",
            kind: Kind::Count { min: N_COMPONENTS.0, max: N_COMPONENTS.1 },
            default: "1,2,4",
        },
        Parameter {
            name: "then",
            doc: "estimator of the information between the components: ksg (nearest neighbours), mixed-ksg (nearest neighbours, values may repeat) or copula (Gaussian copula)",
            kind: Kind::Choice(&["ksg", "mixed-ksg", "copula"]),
            default: "ksg",
        },
    ],
    build: |sets| {
        build_each(sets, |parameters| {
            let then = match parameters.text("then") {
                Some("copula") => OnProjections::Copula,
                Some("mixed-ksg") => OnProjections::MixedKsg,
                _ => OnProjections::Ksg,
            };
            let n_components = parameters.count("n_components").expect("the number of components has a default");
            Ok(Lossy::components(n_components)?.then(then))
        })
    },
    choose: |_, _| None,
};

/// The allowed numbers of components.
const N_COMPONENTS: (u64, u64) = (1, 100);

/// Information of the first principal components.
///
/// ```
/// use infoplane::estimators::{Estimator, Lossy, Points, Variable};
///
/// let value = |i: u32| (f64::from(i) * 1.7391).sin();
/// let x: Vec<f64> = (0..200).map(value).collect();
/// let y: Vec<f64> = (0..200).map(|i| value(i) + 0.1 * value(i + 1000)).collect();
/// let [x, y] = [x, y].map(|values| Points::new(values, 2).map(Variable::Real));
/// let found = Lossy::components(1)?.between(&x?, &[y?]).remove(0)?;
/// assert!(found.value.bits() > 1.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Reference
/// Butakov et al. 2024.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lossy {
    n_components: usize,
    then: OnProjections,
}

impl Lossy {
    /// The first `n_components` components of each variable, estimated by nearest neighbours.
    ///
    /// # Errors
    /// `n_components` is not from 1 to 100.
    pub fn components(n_components: usize) -> Result<Self, InvalidParameter> {
        let n_components = InvalidParameter::check_count("n_components", n_components, N_COMPONENTS)?;
        Ok(Self { n_components, then: OnProjections::Ksg })
    }

    /// Another estimator of the information between the components.
    #[must_use]
    pub fn then(self, then: OnProjections) -> Self {
        Self { then, ..self }
    }
}

impl Estimator for Lossy {
    fn member(&self) -> Member {
        let Self { n_components, then } = *self;
        let components = if n_components == 1 {
            "principal component".to_owned()
        } else {
            format!("{n_components} principal components")
        };
        Member {
            id: EstimatorId {
                options: (then != OnProjections::Ksg).then(|| format!("then-{}", then.name())),
                ..EstimatorId::new(SPEC.name, Some(Scale::new(ScaleKind::NComponents, n_components as f64)))
            },
            quantity: format!(
                "information between the first {components} of each variable, a lower bound of the mutual information for the distribution; estimated by {}, which may be biased",
                then.words()
            ),
            randomness: Randomness::None,
            range: RangeOver::Estimated,
            edges: None,
            no_pool: Some(
                "`lossy` assumes independent samples, and pooled snapshots are not independent; use `binning` or `quantised`",
            ),
            inputs: KnownInputs::Values,
        }
    }

    fn estimate(&self, layer: &LayerData<'_>) -> Result<Estimate, EstimateError> {
        estimate_layer(self, layer, None)
    }

    fn between(&self, a: &Variable<'_>, bs: &[Variable<'_>]) -> Vec<Result<Information, EstimateError>> {
        let first = self.compressed(a, "the first variable (T, if it is a layer)");
        let with = |b: &Variable<'_>| {
            let second = self.compressed(b, "the second variable (X of the network, if the first is a layer)")?;
            self.then.between(first.as_ref().map_err(Clone::clone)?, &[second]).remove(0)
        };
        bs.iter().map(with).collect()
    }
}

impl Lossy {
    /// The components of real vectors; classes stay as they are.
    fn compressed<'a>(&self, variable: &'a Variable<'_>, what: &'static str) -> Result<Variable<'a>, EstimateError> {
        let points = match variable {
            Variable::Real(points) => points,
            Variable::Classes(cells) => return Ok(Variable::Classes(Cow::Borrowed(cells.as_ref()))),
        };
        let scores = principal_components(points.values(), points.n_dims(), self.n_components).map_err(|_| {
            let advice = "divide the values by their largest absolute value";
            EstimateError::NotConverged { what: "the principal components", n_steps: MOST_ITERATIONS, advice }
        })?;
        if scores.ncols() == 0 {
            return Err(EstimateError::NoSpread { what });
        }
        let n_components = scores.ncols();
        Ok(Variable::Real(Points::new(scores.iter().copied().collect::<Vec<f64>>(), n_components)?))
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;
    use crate::estimators::{Cells, Copula};

    fn real(values: Vec<f64>, n_dims: usize) -> Variable<'static> {
        Variable::Real(Points::new(values, n_dims).unwrap())
    }

    fn normal(n: usize, seed: u64) -> Vec<f64> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        (0..n).map(|_| StandardNormal.sample(&mut rng)).collect()
    }

    /// Rows (a z, z', z'') / (rotated by 45° in all planes), with z from `leading` and independent small z' and z''.
    fn rotated(leading: &[f64], size: f64, seed: u64) -> Variable<'static> {
        let rest = normal(2 * leading.len(), seed);
        let row = |(z, rest): (&f64, &[f64])| {
            let (u, v, w) = (size * z, rest[0], rest[1]);
            let (u, v) = ((u - v) / 2_f64.sqrt(), (u + v) / 2_f64.sqrt());
            let (v, w) = ((v - w) / 2_f64.sqrt(), (v + w) / 2_f64.sqrt());
            [u, v, w]
        };
        real(leading.iter().zip(rest.chunks_exact(2)).flat_map(row).collect(), 3)
    }

    fn value(lossy: Lossy, a: &Variable<'_>, b: &Variable<'_>) -> f64 {
        lossy.between(a, std::slice::from_ref(b)).remove(0).unwrap().value.0
    }

    #[test]
    fn the_leading_component_has_the_information_of_the_hidden_variable() {
        // Leading coordinates of standard deviation 20 with correlation 0.9, two others of size 1 that are independent.
        // −½ ln 0.19 for one component. The component contains the others to 1/20 of their size, so its correlation is
        // lower by less than 0.9/400: 0.01 nats. For N = 2000, KSG has a standard deviation of about 0.028 √(1000/2000) = 0.02
        // and the copula 0.9/√2000 = 0.02; four of them.
        let n = 2000;
        let (z, e) = (normal(n, 1), normal(n, 2));
        let partner: Vec<f64> = z.iter().zip(&e).map(|(z, e)| 0.9 * z + 0.19_f64.sqrt() * e).collect();
        let (x, t) = (rotated(&z, 20.0, 3), rotated(&partner, 20.0, 4));
        let truth = -0.5 * 0.19_f64.ln();
        for then in [OnProjections::Ksg, OnProjections::MixedKsg, OnProjections::Copula] {
            let got = value(Lossy::components(1).unwrap().then(then), &x, &t);
            assert!((got - truth).abs() < 0.09, "{then:?}: {got} is not {truth}");
        }
        // More components than dimensions are all of them: a rotation, which changes no covariance.
        let whole = value(Lossy::components(4).unwrap().then(OnProjections::Copula), &x, &t);
        let plain = Copula.between(&x, &[t]).remove(0).unwrap().value.0;
        assert!((whole - plain).abs() < 0.03, "{whole} {plain}: only the ranks of rotated coordinates differ");
    }

    #[test]
    fn a_component_that_ignores_the_information_finds_none() {
        // The shared coordinate is smaller than an independent one: the bound is 0, although the information is 0.83 nats. A
        // standard deviation is at most 0.03 for N = 1000; four of them.
        let n = 1000;
        let (z, e) = (normal(n, 1), normal(n, 2));
        let rows = |shared: &[f64], seed: u64| -> Variable<'static> {
            real(shared.iter().zip(normal(n, seed)).flat_map(|(z, other)| [*z, 5.0 * other]).collect(), 2)
        };
        let partner: Vec<f64> = z.iter().zip(&e).map(|(z, e)| 0.9 * z + 0.19_f64.sqrt() * e).collect();
        let (x, t) = (rows(&z, 3), rows(&partner, 4));
        assert!(value(Lossy::components(1).unwrap(), &x, &t).abs() < 0.12);
        assert!(value(Lossy::components(2).unwrap(), &x, &t) > 0.5);
    }

    #[test]
    fn classes_are_compared_with_the_components_of_the_real_variable() {
        // The leading coordinate is S + Z, S = ±1: 0.336830820 nats by quadrature; Ross has a standard deviation of about 0.02.
        let y: Vec<u32> = (0..2000).map(|i| i % 2).collect();
        let leading: Vec<f64> = normal(2000, 7).iter().zip(&y).map(|(z, y)| z + f64::from(2 * y) - 1.0).collect();
        let t = rotated(&leading, 20.0, 8);
        let y = Variable::Classes(Cow::Owned(Cells::of_rows(&y, 1)));
        for then in [OnProjections::Ksg, OnProjections::MixedKsg] {
            let got = value(Lossy::components(1).unwrap().then(then), &t, &y);
            assert!((got - 0.336_830_820_3).abs() < 0.08, "{then:?}: {got}");
            assert_eq!(got, value(Lossy::components(1).unwrap().then(then), &y, &t));
        }
    }

    #[test]
    fn values_that_repeat_are_for_the_estimator_of_mixtures() {
        // 30 equally likely rows, and a copy of them: 3.4 nats.
        let x: Vec<f64> = (0..300).flat_map(|i| [f64::from(i % 30), f64::from((i * i) % 30)]).collect();
        let x = real(x, 2);
        let lossy = Lossy::components(2).unwrap();
        let refused = lossy.between(&x, std::slice::from_ref(&x)).remove(0).unwrap_err();
        assert!(refused.to_string().contains("use `mixed-ksg`, which allows repeated values"), "{refused}");
        let mixed = value(lossy.then(OnProjections::MixedKsg), &x, &x);
        // ψ(N) − ψ(N/30) instead of ln 30: about 1/20 − 1/600 more.
        assert!((mixed - 30_f64.ln()).abs() < 0.06, "{mixed}");
    }

    #[test]
    fn constant_variables_and_overflow_are_refused() {
        let refused = |values: Vec<f64>| {
            Lossy::components(1).unwrap().between(&real(values, 2), &[real(normal(40, 1), 2)]).remove(0).unwrap_err()
        };
        assert_eq!(
            refused(vec![0.1; 40]),
            EstimateError::NoSpread { what: "the first variable (T, if it is a layer)" }
        );
        let huge = normal(40, 2).iter().map(|z| z * 1e200).collect();
        assert!(matches!(refused(huge), EstimateError::NotConverged { .. }));
    }

    #[test]
    fn members_say_that_they_are_bounds() {
        let member = Lossy::components(4).unwrap().then(OnProjections::Copula).member();
        assert_eq!(member.id.to_string(), "lossy-n-components-4-then-copula");
        assert!(member.quantity.contains("the first 4 principal components"), "{}", member.quantity);
    }
}
