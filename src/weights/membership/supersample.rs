//! Networks trained with different masks of one supersample: their predictions for both samples of every pair.

use ndarray::{Array2, ArrayView2};

use super::counts::MaskCounts;
use crate::weights::MeasureError;

/// The observed outcome of a network at a pair of samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairOutcome {
    /// The predicted classes of both (f-CMI, Harutyunyan et al. 2021).
    Predictions,
    /// Which of the two predictions are wrong (e-CMI, Steinke & Zakynthinou 2020).
    Losses,
    /// Which one of the two predictions is wrong, if exactly one is (ld-CMI, Wang & Mao 2023).
    LossDifference,
}

/// n pairs of samples, and networks that were trained on one sample of each: row m of every table is the network with
/// mask m, column i is pair i.
///
/// ```
/// use infoplane::weights::{PairOutcome, Supersample};
/// use ndarray::{Array2, array};
///
/// // One pair, of classes 0 and 1; each of the two networks knows its training sample and predicts 0 for the other.
/// let masks = array![[false], [true]];
/// let predictions = Array2::from_shape_vec((2, 1), vec![[0, 0], [0, 1]])?;
/// let supersample = Supersample::new(masks.view(), predictions.view(), &[[0, 1]])?;
/// assert_eq!((supersample.train_error(), supersample.test_error()), (0.0, 0.5));
/// assert_eq!(supersample.counts(0, PairOutcome::Losses).information().bits(), 1.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supersample {
    masks: Array2<bool>,
    predictions: Array2<[usize; 2]>,
    classes: Vec<[usize; 2]>,
}

impl Supersample {
    /// For every mask and pair, whether the second sample was trained on (`masks`, n_masks × n_pairs), the predicted
    /// classes of both samples (`predictions`, n_masks × n_pairs), and the true `classes` of every pair.
    ///
    /// # Errors
    /// Tables of different shapes; no pairs; fewer than two masks; masks that are all equal.
    pub fn new(
        masks: ArrayView2<'_, bool>,
        predictions: ArrayView2<'_, [usize; 2]>,
        classes: &[[usize; 2]],
    ) -> Result<Self, MeasureError> {
        let refused = |problem: String| Err(MeasureError::Refused(problem));
        let (n_masks, n_pairs) = masks.dim();
        if predictions.dim() != (n_masks, n_pairs) || classes.len() != n_pairs {
            let (rows, columns) = predictions.dim();
            return refused(format!(
                "masks are {n_masks} × {n_pairs}, predictions are {rows} × {columns}, and {} pairs have classes; \
                 give a row for each mask and a column for each pair",
                classes.len()
            ));
        }
        if n_pairs == 0 {
            return refused("a supersample has no pairs; give at least one".to_owned());
        }
        if n_masks < 2 {
            let networks = if n_masks == 1 { "1 network was" } else { "no network was" };
            return refused(format!(
                "{networks} trained on a supersample, but membership compares several masks; record 2 runs or more with the same pairs"
            ));
        }
        if masks.rows().into_iter().all(|mask| mask == masks.row(0)) {
            return refused(format!(
                "the {n_masks} masks of a supersample are all equal, so nothing depends on the mask; record runs with different masks"
            ));
        }
        Ok(Self { masks: masks.to_owned(), predictions: predictions.to_owned(), classes: classes.to_vec() })
    }

    /// The supersample with losses instead of predictions, each false if the prediction is right.
    ///
    /// # Errors
    /// See [`Supersample::new`].
    pub fn of_losses(masks: ArrayView2<'_, bool>, losses: ArrayView2<'_, [bool; 2]>) -> Result<Self, MeasureError> {
        let predictions = losses.map(|losses| losses.map(usize::from));
        Self::new(masks, predictions.view(), &vec![[0, 0]; losses.ncols()])
    }

    /// Number of masks, each of one network.
    pub fn n_masks(&self) -> usize {
        self.masks.nrows()
    }

    /// Number of pairs.
    pub fn n_pairs(&self) -> usize {
        self.masks.ncols()
    }

    /// Whether the prediction of each sample of `pair` by the network with mask `m` is wrong.
    fn losses(&self, m: usize, pair: usize) -> [bool; 2] {
        let (prediction, class) = (self.predictions[(m, pair)], self.classes[pair]);
        [prediction[0] != class[0], prediction[1] != class[1]]
    }

    /// The outcome at `pair` for every network, and whether the second sample was trained on.
    pub fn outcomes(&self, pair: usize, outcome: PairOutcome) -> impl Iterator<Item = ([usize; 2], bool)> {
        (0..self.n_masks()).map(move |m| {
            let code = match outcome {
                PairOutcome::Predictions => self.predictions[(m, pair)],
                PairOutcome::Losses => self.losses(m, pair).map(usize::from),
                PairOutcome::LossDifference => {
                    let [first, second] = self.losses(m, pair);
                    [first && !second, second && !first].map(usize::from)
                }
            };
            (code, self.masks[(m, pair)])
        })
    }

    /// Counts of each outcome at `pair` for both values of the mask.
    pub fn counts(&self, pair: usize, outcome: PairOutcome) -> MaskCounts {
        MaskCounts::of(self.outcomes(pair, outcome))
    }

    /// The share of wrong predictions on the samples that were trained on.
    pub fn train_error(&self) -> f64 {
        self.error(|losses, second| losses[usize::from(second)])
    }

    /// The share of wrong predictions on the other samples of the pairs.
    pub fn test_error(&self) -> f64 {
        self.error(|losses, second| losses[usize::from(!second)])
    }

    fn error(&self, is_wrong: impl Fn([bool; 2], bool) -> bool) -> f64 {
        let wrong = self.masks.indexed_iter().filter(|((m, pair), second)| is_wrong(self.losses(*m, *pair), **second));
        wrong.count() as f64 / self.masks.len() as f64
    }

    /// Test error minus train error at `pair`, averaged over random assignments of the masks to the networks, and its
    /// variance: x̄ s̄ and var(x) var(s)/(M − 1), with x the difference of the losses and s = ±1 the mask.
    pub fn permuted_gap(&self, pair: usize) -> (f64, f64) {
        let n = self.n_masks() as f64;
        let moments = |numbers: &mut dyn Iterator<Item = f64>| {
            let (sum, squares) = numbers.fold((0.0, 0.0), |(sum, squares), x| (sum + x, squares + x * x));
            (sum / n, squares / n - (sum / n).powi(2))
        };
        let difference = |m: usize| {
            let [first, second] = self.losses(m, pair).map(f64::from);
            second - first
        };
        let sign = |m: usize| if self.masks[(m, pair)] { -1.0 } else { 1.0 };
        let (x, x_variance) = moments(&mut (0..self.n_masks()).map(difference));
        let (s, s_variance) = moments(&mut (0..self.n_masks()).map(sign));
        (x * s, x_variance * s_variance / (n - 1.0))
    }
}
