//! X, Y and T as checked views, so that estimators do not check them again.

use thiserror::Error;

/// T, the values of one layer for every sample: `n_samples` × `n_units`, row-major, finite, not empty.
#[derive(Debug, Clone, Copy)]
pub struct Representation<'a> {
    values: &'a [f32],
    n_units: usize,
}

/// Y, the label of every sample or its probabilities, with one entry per sample.
#[derive(Debug, Clone)]
pub struct Labels(Form);

#[derive(Debug, Clone)]
enum Form {
    /// The class of every sample, below `n_classes`.
    Hard { classes: Vec<u32>, n_classes: usize },
    /// p(y = 0 | x) and p(y = 1 | x) of every sample.
    Stochastic(Vec<[f64; 2]>),
}

/// The minimum and the maximum of some values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// The minimum.
    pub low: f32,
    /// The maximum.
    pub high: f32,
}

/// Why values cannot be used as a representation or as labels.
#[derive(Debug, Error, Clone, PartialEq)]
pub enum SampleError {
    /// There are no values.
    #[error("a representation needs at least one sample and one unit, got {n_values} values for {n_units} units")]
    Empty {
        /// Number of given values.
        n_values: usize,
        /// Units per sample.
        n_units: usize,
    },
    /// The number of values is not a multiple of the number of units.
    #[error("{n_values} values do not make whole samples of {n_units} units")]
    Ragged {
        /// Number of given values.
        n_values: usize,
        /// Units per sample.
        n_units: usize,
    },
    /// An array whose rows do not follow each other in memory.
    #[error("the array is not row-major (standard layout); make a copy with `as_standard_layout`")]
    NotRowMajor,
    /// A value is NaN or infinite.
    #[error("sample {sample}, unit {unit} is {value}; only finite values can be estimated")]
    NotFinite {
        /// Row of the value.
        sample: usize,
        /// Column of the value.
        unit: usize,
        /// The value.
        value: f32,
    },
    /// A probability is outside [0, 1].
    #[error("p(y=1|x) of sample {sample} is {value}; must be from 0 to 1")]
    NotAProbability {
        /// Row of the value.
        sample: usize,
        /// The value.
        value: f64,
    },
    /// Some samples have a probability, others have none.
    #[error("p(y=1|x) of sample {sample} is missing; it is given for every sample or for none")]
    NoProbability {
        /// Row of the first missing probability.
        sample: usize,
    },
    /// A sample has p(y = 1 | x) and a label that is neither 0 nor 1.
    #[error("sample {sample} has label {label} and p(y=1|x); stochastic labels must be 0 or 1")]
    NotBinary {
        /// Row of the label.
        sample: usize,
        /// The label.
        label: i32,
    },
}

impl<'a> Representation<'a> {
    /// Views `values` (sample after sample) as samples of `n_units` units.
    ///
    /// # Errors
    /// Empty, incomplete or non-finite values.
    pub fn new(values: &'a [f32], n_units: usize) -> Result<Self, SampleError> {
        let n_values = values.len();
        if n_values == 0 || n_units == 0 {
            return Err(SampleError::Empty { n_values, n_units });
        }
        if !n_values.is_multiple_of(n_units) {
            return Err(SampleError::Ragged { n_values, n_units });
        }
        // The sum of the products with 0 is NaN if any value is not finite; this is one vectorised pass.
        if values.iter().map(|v| v * 0.0).sum::<f32>() != 0.0 {
            let at = values.iter().position(|v| !v.is_finite()).expect("a non-finite value made the sum NaN");
            return Err(SampleError::NotFinite { sample: at / n_units, unit: at % n_units, value: values[at] });
        }
        Ok(Self { values, n_units })
    }

    /// Number of samples.
    pub fn n_samples(&self) -> usize {
        self.values.len() / self.n_units
    }

    /// Number of units.
    pub fn n_units(&self) -> usize {
        self.n_units
    }

    /// All values, sample after sample.
    pub fn values(&self) -> &'a [f32] {
        self.values
    }

    /// The values of one unit, sample after sample.
    pub fn column(&self, unit: usize) -> impl Iterator<Item = f32> + 'a {
        self.values[unit..].iter().step_by(self.n_units).copied()
    }

    /// Share of the values that equal the most frequent of three values: the minimum, the maximum and 0.
    pub fn atom_share(&self) -> f64 {
        let range = Range::of(self.values);
        let count = |atom: f32| self.values.iter().map(|value| u32::from(*value == atom)).sum::<u32>();
        let most = [range.low, 0.0, range.high].into_iter().map(count).max().unwrap_or(0);
        f64::from(most) / self.values.len() as f64
    }

    /// Share of the values below or above the `range`.
    pub fn share_outside(&self, range: Range) -> f64 {
        let n_outside: u32 = self.values.iter().map(|t| u32::from((*t < range.low) | (*t > range.high))).sum();
        f64::from(n_outside) / self.values.len() as f64
    }

    /// The samples, one slice of `n_units` values each.
    pub fn rows(&self) -> std::slice::ChunksExact<'a, f32> {
        self.values.chunks_exact(self.n_units)
    }
}

impl Range {
    /// The range of finite `values`; without values it is from infinity to minus infinity.
    pub fn of(values: &[f32]) -> Self {
        // Comparisons over eight lanes compile to vector instructions; `fold` over one lane does not.
        let (mut low, mut high) = ([f32::INFINITY; 8], [f32::NEG_INFINITY; 8]);
        let (chunks, rest) = values.as_chunks::<8>();
        for chunk in chunks {
            low.iter_mut().zip(chunk).for_each(|(low, value)| *low = low.min(*value));
            high.iter_mut().zip(chunk).for_each(|(high, value)| *high = high.max(*value));
        }
        let low = low.iter().chain(rest).copied().fold(f32::INFINITY, f32::min);
        Self { low, high: high.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max) }
    }

    /// The smallest range that includes both.
    pub fn and(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }
}

impl Labels {
    /// Labels from the columns of a table of samples: stochastic if every sample has p(y=1 | x), hard if none has.
    ///
    /// # Errors
    /// A probability outside [0, 1], probabilities for some samples only, or probabilities for labels other than 0 and
    /// 1.
    pub fn new(y: &[i32], p_y1: &[Option<f64>]) -> Result<Self, SampleError> {
        let given: Vec<f64> = p_y1.iter().copied().flatten().collect();
        if given.is_empty() {
            return Ok(Self::hard(y));
        }
        if let Some(sample) = p_y1.iter().position(Option::is_none) {
            return Err(SampleError::NoProbability { sample });
        }
        if let Some(sample) = y.iter().position(|label| ![0, 1].contains(label)) {
            return Err(SampleError::NotBinary { sample, label: y[sample] });
        }
        Self::stochastic(&given)
    }

    /// Hard labels: `y[i]` is the label of sample i, any integer. Samples with equal integers are of one class.
    pub fn hard(y: &[i32]) -> Self {
        let labels = distinct(y);
        let classes = y.iter().map(|label| class_of(&labels, *label) as u32).collect();
        Self(Form::Hard { classes, n_classes: labels.len() })
    }

    /// Stochastic binary labels: `p_y1[i]` is p(y=1 | x_i).
    ///
    /// # Errors
    /// A value outside [0, 1].
    pub fn stochastic(p_y1: &[f64]) -> Result<Self, SampleError> {
        if let Some(sample) = p_y1.iter().position(|p| !(0.0..=1.0).contains(p)) {
            return Err(SampleError::NotAProbability { sample, value: p_y1[sample] });
        }
        Ok(Self(Form::Stochastic(p_y1.iter().map(|p| [1.0 - p, *p]).collect())))
    }

    /// The labels of the samples with the given numbers; a sample may appear several times. Classes keep their numbers,
    /// even if some have no samples left.
    pub fn of(&self, samples: &[i32]) -> Self {
        Self(match &self.0 {
            Form::Hard { classes, n_classes } => {
                Form::Hard { classes: chosen(classes, samples), n_classes: *n_classes }
            }
            Form::Stochastic(rows) => Form::Stochastic(chosen(rows, samples)),
        })
    }

    /// The class of every sample; `None` if labels are probabilities.
    pub fn classes(&self) -> Option<&[u32]> {
        match &self.0 {
            Form::Hard { classes, .. } => Some(classes),
            Form::Stochastic(_) => None,
        }
    }

    /// p(y = 0 | x) and p(y = 1 | x) of every sample; `None` if labels are hard.
    pub fn probabilities(&self) -> Option<&[[f64; 2]]> {
        match &self.0 {
            Form::Hard { .. } => None,
            Form::Stochastic(rows) => Some(rows),
        }
    }

    /// p(y = `class` | x) of a sample.
    pub fn probability(&self, sample: usize, class: usize) -> f64 {
        match &self.0 {
            Form::Hard { classes, .. } => f64::from(u8::from(classes[sample] as usize == class)),
            Form::Stochastic(rows) => rows[sample][class],
        }
    }

    /// Number of samples.
    pub fn n_samples(&self) -> usize {
        match &self.0 {
            Form::Hard { classes, .. } => classes.len(),
            Form::Stochastic(rows) => rows.len(),
        }
    }

    /// Number of classes.
    pub fn n_classes(&self) -> usize {
        match &self.0 {
            Form::Hard { n_classes, .. } => *n_classes,
            Form::Stochastic(_) => 2,
        }
    }

    /// p(y) for every class: the mean of p(y | x) over the samples. There must be at least one sample.
    pub fn p_y(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.n_classes()];
        match &self.0 {
            Form::Hard { classes, .. } => classes.iter().for_each(|class| sums[*class as usize] += 1.0),
            Form::Stochastic(rows) => {
                rows.iter().for_each(|row| sums.iter_mut().zip(row).for_each(|(sum, p)| *sum += p));
            }
        }
        sums.iter_mut().for_each(|sum| *sum /= self.n_samples() as f64);
        sums
    }
}

/// The values of the samples with these numbers.
fn chosen<T: Copy>(values: &[T], samples: &[i32]) -> Vec<T> {
    samples.iter().map(|sample| values[*sample as usize]).collect()
}

impl From<&[i32]> for Labels {
    fn from(y: &[i32]) -> Self {
        Self::hard(y)
    }
}

impl From<&Vec<i32>> for Labels {
    fn from(y: &Vec<i32>) -> Self {
        Self::hard(y)
    }
}

impl<const N: usize> From<&[i32; N]> for Labels {
    fn from(y: &[i32; N]) -> Self {
        Self::hard(y)
    }
}

/// The distinct labels in ascending order: class c is the label `distinct(y)[c]`.
pub fn distinct(y: &[i32]) -> Vec<i32> {
    let mut classes = y.to_vec();
    classes.sort_unstable();
    classes.dedup();
    classes
}

/// Index of `label` in the `classes` returned by [`distinct`].
pub fn class_of(classes: &[i32], label: i32) -> usize {
    classes.binary_search(&label).expect("the classes were collected from these labels")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nan_is_refused_with_its_place() {
        let values = [0.0, 1.0, 2.0, f32::NAN];
        let error = Representation::new(&values, 2).unwrap_err();
        assert!(error.to_string().starts_with("sample 1, unit 1 is NaN"), "{error}");
        assert!(Representation::new(&[f32::INFINITY], 1).is_err());
    }

    #[test]
    fn a_value_at_an_edge_is_not_outside() {
        let values = [-1.0, (-1.0_f32).next_up(), 0.0, 1.0, 1.0_f32.next_up(), -3.0, 2.0, 0.5];
        let t = Representation::new(&values, 2).unwrap();
        assert_eq!(t.share_outside(Range { low: -1.0, high: 1.0 }), 3.0 / 8.0);
        assert_eq!(t.share_outside(Range { low: -3.0, high: 2.0 }), 0.0);
    }

    #[test]
    fn empty_and_ragged_values_are_refused() {
        assert!(matches!(Representation::new(&[], 3), Err(SampleError::Empty { .. })));
        assert!(matches!(Representation::new(&[1.0], 0), Err(SampleError::Empty { .. })));
        assert!(matches!(Representation::new(&[1.0, 2.0, 3.0], 2), Err(SampleError::Ragged { .. })));
    }

    #[test]
    fn hard_labels_are_certain_whatever_their_numbers() {
        let y = Labels::hard(&[7, -1, 7]);
        let rows: Vec<[f64; 2]> = (0..3).map(|sample| [0, 1].map(|class| y.probability(sample, class))).collect();
        assert_eq!(rows, [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]);
        assert_eq!(y.p_y(), [1.0 / 3.0, 2.0 / 3.0]);
        assert_eq!(Labels::stochastic(&[0.25, 0.75]).unwrap().p_y(), [0.5, 0.5]);
    }

    /// A table of samples × classes would need 39 GB here.
    #[test]
    fn labels_that_are_all_different_take_memory_in_proportion_to_the_samples() {
        const N: i32 = 70_000;
        let y = Labels::hard(&(0..N).rev().collect::<Vec<_>>());
        assert_eq!((y.n_samples(), y.n_classes()), (N as usize, N as usize));
        let Form::Hard { classes, .. } = &y.0 else { panic!("labels without probabilities are hard") };
        assert_eq!((classes[0], size_of_val(classes.as_slice())), (N as u32 - 1, 4 * N as usize));
        let part = y.of(&[5, 5, 0]);
        assert_eq!((part.classes().unwrap(), part.n_classes()), ([69_994, 69_994, 69_999].as_slice(), N as usize));
        assert!(part.p_y().into_iter().sum::<f64>() == 1.0 && y.p_y() == vec![1.0 / f64::from(N); N as usize]);
    }

    #[test]
    fn probabilities_are_given_for_all_samples_or_none_and_beside_0_and_1() {
        let check = |y: &[i32], p_y1: &[Option<f64>], expected: Result<usize, &str>| {
            let n_classes = Labels::new(y, p_y1).map(|labels| labels.n_classes()).map_err(|e| e.to_string());
            assert_eq!(n_classes, expected.map_err(str::to_owned));
        };
        check(&[0, 5, 7], &[None; 3], Ok(3));
        check(&[0, 0], &[Some(0.25), Some(1.0)], Ok(2));
        let partly = "p(y=1|x) of sample 1 is missing; it is given for every sample or for none";
        check(&[0, 1], &[Some(0.25), None], Err(partly));
        let label = "sample 1 has label 2 and p(y=1|x); stochastic labels must be 0 or 1";
        check(&[0, 2], &[Some(0.25), Some(0.5)], Err(label));
        let beyond = "p(y=1|x) of sample 0 is -0.1; must be from 0 to 1";
        check(&[0, 1], &[Some(-0.1), Some(0.5)], Err(beyond));
    }

    #[test]
    fn a_probability_above_one_is_refused() {
        assert!(Labels::stochastic(&[0.5, 1.5]).is_err());
        assert!(Labels::stochastic(&[f64::NAN]).is_err());
    }
}
