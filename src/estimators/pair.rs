//! Two variables of the same samples, and how an estimator of their information is applied to a layer.

use std::borrow::Cow;

use super::{Cells, Estimate, EstimateError, Estimator, LayerData, Spread};
use crate::sample::{Labels, Representation, SampleError};
use crate::units::Nats;

/// Real vectors: n_samples × n_dims, row-major, finite, not empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Points<'a> {
    values: Cow<'a, [f64]>,
    n_dims: usize,
}

/// A variable, with a value for every sample.
#[derive(Debug, Clone, PartialEq)]
pub enum Variable<'a> {
    /// Real vectors, with or without repeated values.
    Real(Points<'a>),
    /// Classes: samples with the same number have the same value.
    Classes(Cow<'a, Cells>),
}

/// Information between two variables, in nats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Information {
    /// The estimate. It may be negative.
    pub value: Nats,
    /// Standard error from the random numbers of the estimator; `None` if it uses none, or does not measure it.
    pub monte_carlo_error: Option<Nats>,
    /// The largest value that the estimator can return for this number of samples; `None` if there is no limit.
    pub ceiling: Option<Nats>,
}

impl Information {
    /// An estimate without random numbers and without a largest value.
    pub fn of(value: Nats) -> Self {
        Self { value, monte_carlo_error: None, ceiling: None }
    }

    /// This information, if it is a finite number.
    pub(super) fn finite(self) -> Result<Self, EstimateError> {
        if self.value.0.is_finite() { Ok(self) } else { Err(EstimateError::NotANumber { value: self.value.0 }) }
    }
}

impl<'a> Points<'a> {
    /// Views `values` (sample after sample) as samples of `n_dims` coordinates.
    ///
    /// # Errors
    /// Empty, incomplete or non-finite values.
    pub fn new(values: impl Into<Cow<'a, [f64]>>, n_dims: usize) -> Result<Self, SampleError> {
        let values = values.into();
        let n_values = values.len();
        if n_values == 0 || n_dims == 0 {
            return Err(SampleError::Empty { n_values, n_units: n_dims });
        }
        if !n_values.is_multiple_of(n_dims) {
            return Err(SampleError::Ragged { n_values, n_units: n_dims });
        }
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return Err(SampleError::NotFinite { sample: at / n_dims, unit: at % n_dims, value: values[at] as f32 });
        }
        Ok(Self { values, n_dims })
    }

    /// The activations of a layer.
    pub fn of_activations(t: &Representation<'_>) -> Points<'static> {
        let values: Vec<f64> = t.values().iter().copied().map(f64::from).collect();
        Points { values: Cow::Owned(values), n_dims: t.n_units() }
    }

    /// Number of samples.
    pub fn n_samples(&self) -> usize {
        self.values.len() / self.n_dims
    }

    /// Number of coordinates.
    pub fn n_dims(&self) -> usize {
        self.n_dims
    }

    /// All values, sample after sample.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The samples, one slice of `n_dims` values each.
    pub fn rows(&self) -> std::slice::ChunksExact<'_, f64> {
        self.values.chunks_exact(self.n_dims)
    }

    /// The samples with the numbers `order`, in this order; a sample may appear several times.
    pub fn of(&self, order: &[u32]) -> Points<'static> {
        let row = |sample: &u32| &self.values[*sample as usize * self.n_dims..][..self.n_dims];
        let values: Vec<f64> = order.iter().flat_map(row).copied().collect();
        Points { values: Cow::Owned(values), n_dims: self.n_dims }
    }
}

impl Points<'_> {
    /// The values in single precision, which must not lose the differences between samples.
    ///
    /// # Errors
    /// A rounding error that is large compared with the range of its coordinate.
    pub(super) fn in_f32(&self) -> Result<Vec<f32>, EstimateError> {
        for dim in 0..self.n_dims {
            let column = || self.values[dim..].iter().step_by(self.n_dims).copied();
            let (low, high) =
                column().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
            let error = column().map(|value| (value - f64::from(value as f32)).abs()).fold(0.0, f64::max);
            if error > LARGEST_ROUNDING * (high - low) {
                return Err(EstimateError::Rounded { dim, low, high });
            }
        }
        Ok(self.values.iter().map(|value| *value as f32).collect())
    }
}

impl Variable<'_> {
    /// Number of samples.
    pub fn n_samples(&self) -> usize {
        match self {
            Self::Real(points) => points.n_samples(),
            Self::Classes(cells) => cells.n_samples(),
        }
    }

    /// The classes; `None` for real vectors.
    pub(super) fn classes(&self) -> Option<&Cells> {
        match self {
            Self::Real(_) => None,
            Self::Classes(cells) => Some(cells),
        }
    }

    /// The samples with the numbers `order`, in this order.
    pub fn of(&self, order: &[u32]) -> Variable<'static> {
        match self {
            Self::Real(points) => Variable::Real(points.of(order)),
            Self::Classes(cells) => {
                let numbers: Vec<u32> = order.iter().map(|sample| cells.numbers()[*sample as usize]).collect();
                Variable::Classes(Cow::Owned(Cells::of_rows(&numbers, 1)))
            }
        }
    }
}

/// I(A;B) of real vectors and classes as I(T;Y) of a layer: what [`Estimator::between`] does for estimators that are defined
/// for layers and labels only.
pub(super) fn by_labels<E: Estimator>(
    estimator: &E,
    a: &Variable<'_>,
    bs: &[Variable<'_>],
) -> Vec<Result<Information, EstimateError>> {
    let of_pair = |b: &Variable<'_>| match (a, b) {
        (Variable::Real(t), Variable::Classes(y)) | (Variable::Classes(y), Variable::Real(t)) => {
            let values = t.in_f32()?;
            let labels: Vec<i32> = y.numbers().iter().map(|class| *class as i32).collect();
            let layer = LayerData::new(&values, t.n_dims(), Labels::hard(&labels))?;
            Ok(Information::of(estimator.estimate(&layer)?.i_ty))
        }
        _ => Err(EstimateError::NeedsOneOfEach { estimator: estimator.member().id.family }),
    };
    bs.iter().map(of_pair).collect()
}

/// The largest allowed rounding error of a value, relative to the range of its coordinate.
const LARGEST_ROUNDING: f64 = 1e-5;

/// I(T;Y), and I(X;T) if the values of X are known and the estimator can be applied to them, from an estimator of the
/// information between two variables; `h_t` is its entropy of T, if it has one.
///
/// # Errors
/// Labels that are probabilities, or an error of the estimator.
pub(super) fn estimate_layer<E: Estimator>(
    estimator: &E,
    layer: &LayerData<'_>,
    h_t: Option<Nats>,
) -> Result<Estimate, EstimateError> {
    let t = Variable::Real(Points::of_activations(&layer.activations));
    let i_ty = all_or_error(estimator.between(&t, &labels_of_layer(layer)?))?;
    let xs = inputs_of_layer(layer);
    // Values of X that repeat or lie on a lattice have no density, but I(T;Y) does not depend on them.
    let i_xt = if xs.is_empty() { Vec::new() } else { all_or_error(estimator.between(&t, &xs)).unwrap_or_default() };
    estimate_from(layer, &i_ty, &i_xt, h_t)
}

/// The labels of a layer, then the shuffles of them.
///
/// # Errors
/// Labels that are probabilities.
pub(super) fn labels_of_layer(layer: &LayerData<'_>) -> Result<Vec<Variable<'static>>, EstimateError> {
    let samples = layer.samples.as_ref();
    let classes = samples.classes.clone().ok_or(EstimateError::NeedsHardLabels { what: "I(T;Y)" })?;
    Ok(std::iter::once(classes).chain(samples.shuffled_classes()).map(Cow::Owned).map(Variable::Classes).collect())
}

/// The values of X of a layer, then the shuffles of them; none if they are not known.
pub(super) fn inputs_of_layer(layer: &LayerData<'_>) -> Vec<Variable<'static>> {
    let samples = layer.samples.as_ref();
    let Some(x) = samples.inputs() else { return Vec::new() };
    let shuffled = samples.row_orders().map(|order| x.of(order));
    std::iter::once(x.clone()).chain(shuffled).map(Variable::Real).collect()
}

/// The estimate of a layer from its information with [`labels_of_layer`] and with [`inputs_of_layer`].
///
/// # Errors
/// A value that is not finite.
pub(super) fn estimate_from(
    layer: &LayerData<'_>,
    i_ty: &[Information],
    i_xt: &[Information],
    h_t: Option<Nats>,
) -> Result<Estimate, EstimateError> {
    let samples = layer.samples.as_ref();
    let least = |most: Nats, ceiling: Option<Nats>| ceiling.filter(|ceiling| *ceiling < most).unwrap_or(most);
    let null = |found: &[Information]| Spread::of(&found.iter().skip(1).map(|found| found.value).collect::<Vec<_>>());
    Estimate {
        i_xt: i_xt.first().map(|found| found.value),
        i_ty: i_ty[0].value,
        i_xt_error: i_xt.first().and_then(|found| found.monte_carlo_error),
        i_ty_error: i_ty[0].monte_carlo_error,
        h_t,
        h_t_given_x: None,
        i_xt_null: null(i_xt),
        i_ty_null: null(i_ty),
        i_xt_ceiling: i_xt.first().map(|found| least(samples.h_x, found.ceiling)),
        i_ty_ceiling: least(samples.i_ty_ceiling, i_ty[0].ceiling),
        n_codes: Cells::of_rows(layer.activations.values(), layer.activations.n_units()).n_cells(),
        code: None,
    }
    .finite()
}

/// Checks that the variables have the same samples, at least two.
///
/// # Errors
/// Different numbers of samples, or fewer than two.
pub(super) fn same_samples(a: &Variable<'_>, b: &Variable<'_>) -> Result<(), EstimateError> {
    let (n_t, n_y) = (a.n_samples(), b.n_samples());
    if n_t != n_y {
        return Err(EstimateError::Mismatch { n_t, n_y });
    }
    if n_t < 2 { Err(EstimateError::TooFew { n: n_t }) } else { Ok(()) }
}

/// Checks that there are at least two samples of a class on average.
///
/// # Errors
/// More classes than half of the samples.
pub(super) fn expect_few_classes(classes: &Cells) -> Result<(), EstimateError> {
    let (n_classes, n_samples) = (classes.n_cells(), classes.n_samples());
    if 2 * n_classes > n_samples { Err(EstimateError::ManyClasses { n_classes, n_samples }) } else { Ok(()) }
}

fn all_or_error(found: Vec<Result<Information, EstimateError>>) -> Result<Vec<Information>, EstimateError> {
    found.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimators::{Binning, Kde};

    fn real(values: &[f64]) -> Variable<'_> {
        Variable::Real(Points::new(values, 1).unwrap())
    }

    fn classes(numbers: &[u32]) -> Variable<'static> {
        Variable::Classes(Cow::Owned(Cells::of_rows(numbers, 1)))
    }

    #[test]
    fn information_with_labels_is_that_of_a_layer_in_either_order() {
        let (t, y) = ([-0.9, 0.8, -0.7, 0.9], [0, 1, 0, 1]);
        let estimator = Binning::edges(3).unwrap();
        for (a, b) in [(real(&t), classes(&y)), (classes(&y), real(&t))] {
            let found = estimator.between(&a, &[b]).remove(0).unwrap();
            assert_eq!((found.value.bits(), found.monte_carlo_error), (1.0, None));
        }
        let kde = Kde::upper(0.1).unwrap();
        let refused = kde.between(&real(&t), &[real(&t)]).remove(0).unwrap_err().to_string();
        assert!(refused.starts_with("`kde` needs real vectors and labels"), "{refused}");
        // Codes have information with codes: here both are the same bit.
        let found = estimator.between(&real(&t), &[real(&t)]).remove(0).unwrap();
        assert_eq!((found.value.bits(), found.ceiling.map(Nats::bits)), (1.0, Some(1.0)));
        assert_eq!(estimator.between(&classes(&y), &[classes(&y)]).remove(0).unwrap().value.bits(), 1.0);
    }

    #[test]
    fn values_that_single_precision_cannot_distinguish_are_refused() {
        let t: Vec<f64> = (0..20).map(|i| 1e9 + f64::from(i) / 20.0).collect();
        let y: Vec<u32> = (0..20).map(|i| i / 10).collect();
        let refused = Kde::upper(0.1).unwrap().between(&real(&t), &[classes(&y)]).remove(0).unwrap_err();
        assert!(matches!(refused, EstimateError::Rounded { dim: 0, .. }), "{refused}");
    }

    #[test]
    fn points_are_checked_and_reordered_by_sample() {
        let points = Points::new([1.0, 2.0, 3.0, 4.0].as_slice(), 2).unwrap();
        assert_eq!(
            (points.n_samples(), points.of(&[1, 0, 1]).values()),
            (2, [3.0, 4.0, 1.0, 2.0, 3.0, 4.0].as_slice())
        );
        let not_finite = Points::new([0.0, 1.0, 2.0, f64::NAN].as_slice(), 2).unwrap_err();
        assert!(matches!(not_finite, SampleError::NotFinite { sample: 1, unit: 1, .. }));
        assert!(matches!(Points::new([0.0; 3].as_slice(), 2), Err(SampleError::Ragged { .. })));
        assert!(matches!(Points::new(Vec::new(), 2), Err(SampleError::Empty { .. })));
    }
}
