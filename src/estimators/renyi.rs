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

use super::pair::{estimate_from, expect_few_classes, inputs_of_layer, labels_of_layer, same_samples};
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
        b.classes().map_or(Ok(()), expect_few_classes)?;
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
        expect_few_classes(classes)?;
        expect_few_classes(others)?;
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

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::estimators::InputsAndLabels;
    use crate::sample::Representation;

    /// a = (x, x + 0.2 u) and b = u for 100 samples, x = frac(i √2), u = frac(i √3), and the labels x > ½.
    fn samples() -> (Vec<f64>, Vec<f64>, Vec<u32>) {
        let frac = |i: i32, square: f64| (f64::from(i) * square.sqrt()).fract();
        let a = (1..=100).flat_map(|i| [frac(i, 2.0), frac(i, 2.0) + 0.2 * frac(i, 3.0)]).collect();
        let y = (1..=100).map(|i| u32::from(frac(i, 2.0) > 0.5)).collect();
        (a, (1..=100).map(|i| frac(i, 3.0)).collect(), y)
    }

    fn real(values: &[f64], n_dims: usize) -> Variable<'_> {
        Variable::Real(Points::new(values, n_dims).unwrap())
    }

    fn classes(numbers: &[u32]) -> Variable<'static> {
        Variable::Classes(Cow::Owned(Cells::of_rows(numbers, 1)))
    }

    fn bits(renyi: Renyi, a: &Variable<'_>, b: &Variable<'_>) -> f64 {
        let found = renyi.between(a, std::slice::from_ref(b)).remove(0).unwrap();
        assert_eq!(found.ceiling, Some(Nats((a.n_samples() as f64).ln())));
        found.value.bits()
    }

    const ORDERS: [f64; 3] = [1.0, 1.01, 2.0];

    #[track_caller]
    fn close(got: f64, expected: f64) {
        // The eigenvalues have errors of 1e-15 each.
        assert!((got - expected).abs() < 2e-12, "{got} is not {expected}");
    }

    #[test]
    fn information_of_real_vectors_agrees_with_a_reference_in_numpy() {
        let (a, b, _) = samples();
        let (a, b) = (real(&a, 2), real(&b, 1));
        let expected = [
            (0.1, [1.267_709_312_012, 1.259_305_413_093, 0.763_671_360_712]),
            (0.5, [0.053_726_089_231, 0.052_388_426_839, 0.007_986_378_662]),
        ];
        for (sigma, expected) in expected {
            for (order, expected) in ORDERS.into_iter().zip(expected) {
                let fixed = Renyi::order(order).unwrap().width(KernelWidth::Fixed(sigma)).unwrap();
                close(bits(fixed, &a, &b), expected);
                close(bits(fixed, &b, &a), expected);
            }
        }
        let squared = crate::math::renyi::squared_distances(&samples().0, 2);
        for (sigma, expected) in [
            (0.1, [3.873_253_149_652, 3.865_651_801_838, 3.419_406_109_662]),
            (0.5, [1.313_957_669_083, 1.308_366_056_375_513_7, 1.006_309_734_266_945]),
        ] {
            let kernel = kernel(&squared, 2.0 * sigma * sigma);
            let entropies = entropies(&kernel, &ORDERS).unwrap();
            for (got, expected) in entropies.into_iter().zip(expected) {
                close(Nats(got).bits(), expected);
            }
        }
    }

    #[test]
    fn conventions_and_widths_agree_with_their_formulas_in_numpy() {
        let (a, _, y) = samples();
        let (a, y) = (real(&a, 2), classes(&y));
        let fixed = KernelWidth::Fixed(0.3);
        let (ipdl, wickstrom, yu) = (KernelConvention::Ipdl, KernelConvention::Wickstrom, KernelConvention::Yu);
        let silverman = [0.874_288_259_948_575_5, 0.874_432_759_995_592_8, 0.886_745_684_866_282_7];
        let aligned = [0.720_082_045_215_540_5, 0.720_223_298_439_451, 0.716_929_572_094_261_9];
        let expected = [
            (ipdl, fixed, [0.765_037_329_614_223_9, 0.765_258_423_980_022_9, 0.772_727_089_610_906_9]),
            (wickstrom, fixed, [0.828_565_353_827_406_7, 0.828_796_772_066_343_4, 0.843_436_927_355_046_6]),
            (yu, fixed, [0.703_068_657_235_370_6, 0.703_166_909_602_187_9, 0.694_856_004_754_239_4]),
            (ipdl, KernelWidth::Silverman, silverman),
            (ipdl, KernelWidth::Alignment, aligned),
        ];
        for (kernel, width, expected) in expected {
            for (order, expected) in ORDERS.into_iter().zip(expected) {
                let renyi = Renyi::order(order).unwrap().kernel(kernel).width(width).unwrap();
                close(bits(renyi, &a, &y), expected);
                close(bits(renyi, &y, &a), expected);
            }
        }
        // Two labels: the Rényi information of the table of counts.
        let third: Vec<u32> = (0..100).map(|i| i % 3).collect();
        for (order, expected) in [(1.0, 0.000_148_689_001_346), (2.0, 0.000_288_221_826_727)] {
            close(bits(Renyi::order(order).unwrap(), &y, &classes(&third)), expected);
        }
    }

    #[test]
    fn the_width_aligned_with_the_labels_is_used_for_x_also() {
        let (a, b, y) = samples();
        let t: Vec<f32> = a.iter().map(|value| *value as f32).collect();
        let labels: Vec<i32> = y.iter().map(|class| *class as i32).collect();
        let given = InputsAndLabels::of_distinct(&labels, 2).unwrap();
        let given = given.with_inputs(Points::new(b, 1).unwrap()).unwrap();
        let layer = LayerData::of_samples(Representation::new(&t, 2).unwrap(), &given).unwrap();
        let aligned = ORDERS.map(|order| Renyi::order(order).unwrap().width(KernelWidth::Alignment).unwrap());
        // From NumPy, in bits. Values in f32 change distances by 1e-7.
        let expected = [0.187_152_792_731_756, 0.183_947_052_306_860_9, 0.060_201_671_430_248_5];
        for (estimate, expected) in Renyi::estimate_all(&aligned, &layer).into_iter().zip(expected) {
            let estimate = estimate.unwrap();
            let i_xt = estimate.i_xt.unwrap().bits();
            assert!((i_xt - expected).abs() < 1e-5, "{i_xt} is not {expected}");
            assert!(estimate.i_ty_null.unwrap().mean < estimate.i_ty && estimate.i_xt_null.unwrap().std.is_some());
            assert_eq!(estimate.i_xt_ceiling, Some(Nats(100_f64.ln())));
        }
    }

    #[test]
    fn variables_that_it_cannot_use_are_refused_in_words() {
        let (a, b, y) = samples();
        let renyi = Renyi::order(2.0).unwrap();
        let refused =
            |renyi: Renyi, a: &Variable<'_>, b: Variable<'_>| renyi.between(a, &[b]).remove(0).unwrap_err().to_string();
        let aligned = renyi.width(KernelWidth::Alignment).unwrap();
        assert_eq!(
            refused(aligned, &real(&a, 2), real(&b, 1)),
            "`renyi` cannot estimate the information between two real vectors with the width of an alignment; it needs labels for this width"
        );
        let distinct: Vec<u32> = (0..100).collect();
        assert!(refused(renyi, &real(&a, 2), classes(&distinct)).starts_with("there are 100 classes for 100 samples"));
        assert!(
            refused(renyi, &real(&a, 2), classes(&y[..50]))
                .starts_with("the layer has 100 samples, the labels have 50")
        );
        let many = vec![0.5; 9001];
        assert!(
            refused(renyi, &real(&many, 1), real(&many, 1))
                .starts_with("`renyi` allows at most 9000 samples, got 9001")
        );
        assert_eq!(
            Renyi::order(0.5).unwrap_err().to_string(),
            "`order` must be a finite number of at least 1, got 0.5"
        );
        assert!(renyi.width(KernelWidth::Fixed(0.0)).is_err());
    }

    #[test]
    fn members_are_named_by_what_changes_their_number() {
        let renyi = Renyi::order(1.01).unwrap();
        let yu = renyi.kernel(KernelConvention::Yu);
        let ids = [renyi, yu.width(KernelWidth::Alignment).unwrap(), renyi.width(KernelWidth::Fixed(0.5)).unwrap()];
        let expected = ["renyi-order-1.01", "renyi-order-1.01-kernel-yu-width-alignment", "renyi-order-1.01-sigma-0.5"];
        for (renyi, expected) in ids.into_iter().zip(expected) {
            let id = crate::estimate_id::EstimateId::from(renyi.member().id);
            assert_eq!(id.to_string(), expected);
            assert_eq!(expected.parse::<crate::estimate_id::EstimateId>().unwrap(), id);
        }
    }
}
