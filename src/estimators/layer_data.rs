//! The input of an estimator: the activations of one layer, and the inputs and labels of the same samples.

use std::borrow::Cow;

use ndarray::ArrayView2;

use super::{EstimateError, InputsAndLabels};
use crate::sample::{Labels, Range, Representation, SampleError};

/// The activations of one layer, or of one unit, with the inputs and labels of the same samples.
#[derive(Debug, Clone)]
pub struct LayerData<'a> {
    /// T.
    pub activations: Representation<'a>,
    /// X and Y, which are shared by several layers of one network.
    pub samples: Cow<'a, InputsAndLabels>,
    /// Minima and maxima of the values.
    pub ranges: Ranges,
}

/// Minima and maxima of the values, from which an estimator may construct its bins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranges {
    /// Of the layer at this snapshot, even if T is one unit of it.
    pub layer: Range,
    /// Of every layer and snapshot of the run; `None` if no estimator needs it.
    pub run: Option<Range>,
    /// Of every layer and snapshot of all runs; `None` if no estimator needs it.
    pub all_runs: Option<Range>,
}

impl<'a> LayerData<'a> {
    /// The activations of a layer of `n_units` units, sample after sample (row-major, n_samples × n_units), and the label of
    /// every sample: a slice, array or vector of n_samples integers, or [`Labels::stochastic`].
    ///
    /// Every sample is treated as a different input X, so that I(X;T) = H(T) for a deterministic network. Use
    /// [`LayerData::of_samples`] for inputs that repeat, for shuffles of the labels, or for several layers of one network.
    ///
    /// ```
    /// use infoplane::estimators::LayerData;
    ///
    /// let activations = [0.1, -0.3, 0.9, 0.4, 0.2, -0.8];
    /// let layer = LayerData::new(&activations, 2, &[0, 1, 1])?;
    /// assert_eq!((layer.activations.n_samples(), layer.activations.n_units()), (3, 2));
    /// # Ok::<(), infoplane::estimators::EstimateError>(())
    /// ```
    ///
    /// # Errors
    /// Activations that are not finite or do not fill whole samples, fewer than two samples, or another number of labels.
    pub fn new(activations: &'a [f32], n_units: usize, labels: impl Into<Labels>) -> Result<Self, EstimateError> {
        let samples = InputsAndLabels::of_distinct(labels, 0)?;
        Self::with(Representation::new(activations, n_units)?, Cow::Owned(samples))
    }

    /// The activations of a layer as an array, n_samples × n_units, and the label of every sample as in [`LayerData::new`].
    ///
    /// ```
    /// use infoplane::estimators::LayerData;
    /// use ndarray::array;
    ///
    /// let activations = array![[0.1, -0.3], [0.9, 0.4], [0.2, -0.8]];
    /// let layer = LayerData::from_array(activations.view(), &[0, 1, 1])?;
    /// assert_eq!(layer.activations.n_samples(), 3);
    /// # Ok::<(), infoplane::estimators::EstimateError>(())
    /// ```
    ///
    /// # Errors
    /// An array that is not row-major in memory, or what [`LayerData::new`] refuses.
    pub fn from_array(activations: ArrayView2<'a, f32>, labels: impl Into<Labels>) -> Result<Self, EstimateError> {
        let n_units = activations.ncols();
        let values = activations.to_slice().ok_or(SampleError::NotRowMajor)?;
        Self::new(values, n_units, labels)
    }

    /// The `activations` of a layer with the inputs and labels of its `samples`, which are computed once for all
    /// layers.
    ///
    /// # Errors
    /// The activations have another number of samples.
    pub fn of_samples(activations: Representation<'a>, samples: &'a InputsAndLabels) -> Result<Self, EstimateError> {
        Self::with(activations, Cow::Borrowed(samples))
    }

    fn with(activations: Representation<'a>, samples: Cow<'a, InputsAndLabels>) -> Result<Self, EstimateError> {
        let (n_t, n_y) = (activations.n_samples(), samples.n_samples());
        let ranges = Ranges { layer: Range::of(activations.values()), run: None, all_runs: None };
        if n_t == n_y { Ok(Self { activations, samples, ranges }) } else { Err(EstimateError::Mismatch { n_t, n_y }) }
    }
}
