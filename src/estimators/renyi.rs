//! Matrix-based Rényi entropies of T, X and Y from kernel matrices, and the information I = S(A) + S(B) − S(A,B).
//!
//! A_ij = k(t_i, t_j)/N with a kernel of value 1 at distance 0; S_α(A) = ln(Σ λ^α)/(1 − α) of its eigenvalues, and
//! S_α(A,B) that of the product A_ij B_ij divided by its trace. For α = 1 it is the von Neumann entropy, for α = 2 −ln Σ
//! A_ij². The kernel of labels is 1 for equal labels and 0 otherwise, the limit of a narrow kernel.
//!
//! No entropy is above ln N. Kernels, widths and orders give different numbers, none of which is Shannon information,
//! and the data processing inequality need not hold.
//!
//! Deviations: the eigenvalues are used as they are (IPDL adds 1e-8). Silverman's rule is relative to the spread of the
//! values (IPDL normalises layers before). The width of X has no constant of its own, and no width is smoothed over
//! the training (Wickstrøm: σ = 8 for X, moving average).
//!
//! # Reference
//! Sánchez Giraldo, Rao & Príncipe 2015 (IEEE Trans. Inf. Theory 61, 535); Yu et al. 2020 (IEEE TNNLS);
//! Wickstrøm et al. 2019 (arXiv 1909.11396); Tapia & Estévez 2020 (IPDL, arXiv 2003.00559).

mod spec;
mod widths;

use ndarray::Array2;

use super::pair::{estimate_from, inputs_of_layer, labels_of_layer, same_samples};
use super::{
    Estimate, EstimateError, Estimator, Information, InvalidParameter, KnownInputs, LayerData, Member, Points,
    Randomness, RangeOver, Variable,
};
use crate::estimate_id::{EstimatorId, Scale, ScaleKind};
use crate::math::atoms::Cells;
use crate::math::renyi::{entropies, entropies_of_classes, entropies_within, kernel};
use crate::parameter::{Kind, Value};
use crate::units::Nats;
pub(super) use spec::SPEC;
use widths::Distances;
pub use widths::{KernelConvention, KernelWidth};

/// Matrix-based Rényi entropy of a kernel matrix, and the information from such entropies.
///
/// ```
/// use infoplane::estimators::{Estimator, KernelWidth, LayerData, Renyi};
///
/// let layer = LayerData::new(&[0.9, 0.8, -0.7, -0.9], 1, &[1, 1, 0, 0])?;
/// let narrow = Renyi::order(2.0)?.width(KernelWidth::Fixed(0.1))?;
/// assert!(narrow.estimate(&layer)?.i_ty.bits() > 0.9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Reference
/// Sánchez Giraldo, Rao & Príncipe 2015; Yu et al. 2020; Wickstrøm et al. 2019; Tapia & Estévez 2020.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Renyi {
    order: f64,
    kernel: KernelConvention,
    width: KernelWidth,
}

impl Renyi {
    /// Entropies of this order α ≥ 1, with the kernel exp(−d²/2σ²) and σ by Silverman's rule.
    ///
    /// # Errors
    /// An order below 1 or not finite. An entropy of an order below 1 may be above H(Y).
    pub fn order(order: f64) -> Result<Self, InvalidParameter> {
        if !(order.is_finite() && order >= 1.0) {
            let allowed = "a finite number of at least 1".to_owned();
            return Err(InvalidParameter::OutOfRange { parameter: "order", allowed, got: order });
        }
        Ok(Self { order, kernel: KernelConvention::Ipdl, width: KernelWidth::Silverman })
    }

    /// With the kernel of another paper.
    #[must_use]
    pub fn kernel(self, kernel: KernelConvention) -> Self {
        Self { kernel, ..self }
    }

    /// With another width.
    ///
    /// # Errors
    /// A fixed width that is not a finite number above 0.
    pub fn width(self, width: KernelWidth) -> Result<Self, InvalidParameter> {
        if let KernelWidth::Fixed(sigma) = width {
            InvalidParameter::check_number("sigma", sigma, Kind::Positive)?;
        }
        Ok(Self { width, ..self })
    }

    /// Estimators that share their kernel matrices.
    fn has_kernel_of(&self, other: &Self) -> bool {
        (self.kernel, self.width) == (other.kernel, other.width)
    }
}

/// A kernel matrix, and its entropies in nats in the order of [`Kernels::orders`].
struct KernelMatrix {
    divisor: f64,
    values: Array2<f64>,
    entropies: Vec<f64>,
}

/// S(A) and I(A;B) in nats, both in the order of [`Kernels::orders`].
struct InformationByOrder {
    s_a: Vec<f64>,
    information: Vec<f64>,
}

/// One convention and width, for several orders.
struct Kernels<'a> {
    kernel: KernelConvention,
    width: KernelWidth,
    orders: &'a [f64],
}

impl Kernels<'_> {
    /// I(A;B) for each of `bs`. `labels` align the kernel of real vectors `a` if B is also real.
    fn information(
        &self,
        a: &Variable<'_>,
        bs: &[Variable<'_>],
        labels: Option<&Cells>,
    ) -> Vec<Result<InformationByOrder, EstimateError>> {
        match a {
            Variable::Real(points) => match Distances::of(points) {
                Ok(distances) => {
                    let mut last = None;
                    bs.iter().map(|b| self.of_real(&distances, a, b, labels, &mut last)).collect()
                }
                Err(error) => bs.iter().map(|_| Err(error.clone())).collect(),
            },
            Variable::Classes(classes) => bs.iter().map(|b| self.of_classes(classes, a, b)).collect(),
        }
    }

    /// I(A;B) of real vectors `a` with these `distances`. The matrix of A is that of the `last` b if its width is equal.
    fn of_real(
        &self,
        distances: &Distances,
        a: &Variable<'_>,
        b: &Variable<'_>,
        labels: Option<&Cells>,
        last: &mut Option<KernelMatrix>,
    ) -> Result<InformationByOrder, EstimateError> {
        same_samples(a, b)?;
        if let (KernelWidth::Alignment, None, None) = (self.width, b.classes(), labels) {
            let got = "two real vectors with the width of an alignment";
            return Err(EstimateError::WrongKinds { estimator: SPEC.name, got, needed: "labels for this width" });
        }
        b.classes().map_or(Ok(()), check_classes)?;
        let divisor = distances.divisor(self.kernel, self.width, b.classes().or(labels));
        let a = match last.take() {
            Some(matrix) if matrix.divisor == divisor => matrix,
            _ => self.matrix(&distances.squared, divisor)?,
        };
        let (s_b, joint) = match b {
            Variable::Classes(classes) => (
                entropies_of_classes(classes, self.orders),
                entropies_within(&a.values, classes, self.orders).ok_or(NOT_CONVERGED)?,
            ),
            Variable::Real(points) => {
                let distances = Distances::of(points)?;
                let b = self.matrix(&distances.squared, distances.divisor(self.kernel, self.width, None))?;
                (b.entropies, entropies(&(b.values * &a.values), self.orders).ok_or(NOT_CONVERGED)?)
            }
        };
        let s_a = a.entropies.clone();
        *last = Some(a);
        Ok(by_order(s_a, &s_b, &joint))
    }

    fn of_classes(
        &self,
        classes: &Cells,
        a: &Variable<'_>,
        b: &Variable<'_>,
    ) -> Result<InformationByOrder, EstimateError> {
        same_samples(a, b)?;
        let Variable::Classes(others) = b else {
            return self.information(b, std::slice::from_ref(a), None).remove(0);
        };
        check_classes(classes)?;
        check_classes(others)?;
        let joint = classes.split_by(|sample| others.numbers()[sample]);
        let [s_a, s_b, joint] = [classes, others, &joint].map(|cells| entropies_of_classes(cells, self.orders));
        Ok(by_order(s_a, &s_b, &joint))
    }

    fn matrix(&self, squared_distances: &Array2<f64>, divisor: f64) -> Result<KernelMatrix, EstimateError> {
        let values = kernel(squared_distances, divisor);
        let entropies = entropies(&values, self.orders).ok_or(NOT_CONVERGED)?;
        Ok(KernelMatrix { divisor, values, entropies })
    }
}

const NOT_CONVERGED: EstimateError = EstimateError::NotConverged {
    what: "the computation of the eigenvalues of a kernel matrix",
    n_steps: 60,
    advice: "use `order` 2, which needs no eigenvalues",
};

/// I = S(A) + S(B) − S(A,B) for each order.
fn by_order(s_a: Vec<f64>, s_b: &[f64], joint: &[f64]) -> InformationByOrder {
    let information = s_a.iter().zip(s_b).zip(joint).map(|((s_a, s_b), joint)| s_a + s_b - joint).collect();
    InformationByOrder { s_a, information }
}

/// Labels of which most are different, so that nearly every block of the kernel matrix is a single sample.
fn check_classes(classes: &Cells) -> Result<(), EstimateError> {
    let (n_classes, n_samples) = (classes.n_cells(), classes.n_samples());
    if 2 * n_classes > n_samples { Err(EstimateError::ManyClasses { n_classes, n_samples }) } else { Ok(()) }
}

/// I in nats, with the ceiling ln N.
fn information(nats: f64, n_samples: usize) -> Information {
    Information { ceiling: Some(Nats((n_samples as f64).ln())), ..Information::of(Nats(nats)) }
}

impl Estimator for Renyi {
    fn member(&self) -> Member {
        let Self { order, kernel, width } = self;
        let options = [
            (*kernel != KernelConvention::Ipdl).then(|| format!("kernel-{}", kernel.name())),
            match width {
                KernelWidth::Silverman => None,
                KernelWidth::Alignment => Some("width-alignment".to_owned()),
                KernelWidth::Fixed(sigma) => Some(format!("sigma-{}", Value::Number(*sigma))),
            },
        ];
        let options: Vec<String> = options.into_iter().flatten().collect();
        let width = match width {
            KernelWidth::Silverman => "sigma by Silverman's rule".to_owned(),
            KernelWidth::Alignment => "sigma aligned with the labels, which so influence I(X;T) also".to_owned(),
            KernelWidth::Fixed(sigma) => format!("sigma {}", Value::Number(*sigma)),
        };
        Member {
            id: EstimatorId {
                options: (!options.is_empty()).then(|| options.join("-")),
                ..EstimatorId::new(SPEC.name, Some(Scale::new(ScaleKind::Order, *order)))
            },
            quantity: format!(
                "matrix-based Rényi information of order {} of the kernel {}, {width}; not Shannon information",
                Value::Number(*order),
                kernel.formula(),
            ),
            randomness: Randomness::None,
            range: RangeOver::Estimated,
            edges: None,
            no_pool: Some(
                "`renyi` assumes independent samples, and pooled snapshots are not independent; use `binning` or `quantised`",
            ),
            inputs: KnownInputs::Values,
        }
    }

    fn estimate(&self, layer: &LayerData<'_>) -> Result<Estimate, EstimateError> {
        Self::estimate_all(std::slice::from_ref(self), layer).remove(0)
    }

    fn estimate_all(estimators: &[Self], layer: &LayerData<'_>) -> Vec<Result<Estimate, EstimateError>> {
        let mut results: Vec<Option<Result<Estimate, EstimateError>>> = vec![None; estimators.len()];
        for (place, chosen) in estimators.iter().enumerate() {
            if results[place].is_some() {
                continue;
            }
            let together: Vec<usize> = (0..estimators.len()).filter(|i| estimators[*i].has_kernel_of(chosen)).collect();
            let orders: Vec<f64> = together.iter().map(|i| estimators[*i].order).collect();
            let kernels = Kernels { kernel: chosen.kernel, width: chosen.width, orders: &orders };
            for (i, result) in together.iter().zip(estimate_layer(&kernels, layer)) {
                results[*i] = Some(result);
            }
        }
        results.into_iter().flatten().collect()
    }

    fn between(&self, a: &Variable<'_>, bs: &[Variable<'_>]) -> Vec<Result<Information, EstimateError>> {
        let kernels = Kernels { kernel: self.kernel, width: self.width, orders: &[self.order] };
        let found = kernels.information(a, bs, None).into_iter();
        found.map(|found| Ok(information(found?.information[0], a.n_samples()))).collect()
    }
}

/// The estimate of every order.
fn estimate_layer(kernels: &Kernels<'_>, layer: &LayerData<'_>) -> Vec<Result<Estimate, EstimateError>> {
    let of_orders = || -> Result<Vec<Result<Estimate, EstimateError>>, EstimateError> {
        let t = Variable::Real(Points::of_activations(&layer.activations));
        let labels = labels_of_layer(layer)?;
        let xs = inputs_of_layer(layer);
        let (n_labels, n) = (labels.len(), t.n_samples());
        let bs = [labels, xs].concat();
        let found = kernels.information(&t, &bs, bs[0].classes());
        let found = found.into_iter().collect::<Result<Vec<InformationByOrder>, _>>()?;
        let of_order = |order: usize| {
            let values: Vec<Information> = found.iter().map(|found| information(found.information[order], n)).collect();
            let (i_ty, i_xt) = values.split_at(n_labels);
            estimate_from(layer, i_ty, i_xt, Some(Nats(found[0].s_a[order])))
        };
        Ok((0..kernels.orders.len()).map(of_order).collect())
    };
    of_orders().unwrap_or_else(|error| vec![Err(error); kernels.orders.len()])
}
