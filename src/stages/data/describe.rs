//! Describes a data set: sizes, class balance, entropies.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::super::StageError;
use super::super::inputs::inputs;
use super::make::in_memory;
use super::{CLASSES, STANDARDISED, X_SHAPE};
use crate::config::NamedData;
use crate::datasets::{Dataset, find};
use crate::math::atoms::Cells;
use crate::math::descriptive::{mean, population_variance};
use crate::math::entropy::{Bias, CountTable, entropy};
use crate::math::information::{information, label_entropy_given};
use crate::parameter::Parameters;
use crate::sample::{Labels, Range, Representation, class_of, distinct};
use crate::store::schema::{Row, SampleRow};
use crate::store::{data_file, read_footer, read_samples};
use crate::units::Nats;

/// The description of a data set. Entropies are those of the table; all samples have equal probability.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Description {
    /// Number of samples.
    pub n_samples: usize,
    /// Values of a sample.
    pub n_inputs: usize,
    /// The dimensions of a sample that is an array, such as height and width of an image.
    pub x_shape: Option<Vec<usize>>,
    /// Whether every value of X was shifted to mean 0 and scaled to standard deviation 1.
    pub is_standardised: bool,
    /// Whether inputs are distinguished by hashes of their values before the conversion to f32.
    pub has_x_hash: bool,
    /// Smallest and largest value of X.
    pub x_range: (f32, f32),
    /// Number of distinct inputs.
    pub n_distinct_inputs: usize,
    /// Number of distinct inputs that occur with different labels.
    pub n_ambiguous_inputs: usize,
    /// Every label, ascending.
    pub classes: Vec<Class>,
    /// Whether labels are stochastic; shares of classes and entropies are then computed from p(y=1 | x).
    pub is_stochastic: bool,
    /// H(X) of the distinct inputs.
    pub h_x_bits: f64,
    /// H(Y).
    pub h_y_bits: f64,
    /// I(X;Y).
    pub i_xy_bits: f64,
    /// Numeric targets, if there are any.
    pub targets: Option<Targets>,
}

/// One label.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Class {
    /// The label.
    pub label: i32,
    /// Its name, if labels were words.
    pub name: Option<String>,
    /// Samples that have it.
    pub n_samples: usize,
    /// p(y).
    pub share: f64,
}

/// Y as numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Targets {
    /// Numbers of a sample.
    pub n_outputs: usize,
    /// Smallest and largest of them.
    pub range: (f32, f32),
    /// Mean of each output unit.
    pub mean: Vec<f64>,
    /// Variance (population) of each output unit: the squared error of a constant prediction.
    pub variance: Vec<f64>,
}

/// Describes a table of samples, by its path, or a data set, by its name: its table if it was made, otherwise the table that
/// would be made.
///
/// # Errors
/// There is no such file or data set; it cannot be read or made.
pub fn describe(what: &str) -> Result<Description, StageError> {
    let refused = |problem: String| StageError::Refused(format!("{what}: {problem}"));
    let table = data_file(what);
    let path = match Path::new(what).extension().is_some_and(|ending| ending == "parquet") {
        true => PathBuf::from(what),
        false => table,
    };
    if !path.exists() && path != Path::new(what) {
        let spec = find(what).map_err(|e| StageError::Refused(format!("{e}, or name a file that ends in .parquet")))?;
        let data = in_memory(&NamedData { spec, parameters: Parameters::default(), folder: None })?;
        return Description::new(&data).map_err(refused);
    }
    let (data, hashes) = read(&path)?;
    let mut described = Description::of(&data, hashes).map_err(refused)?;
    let footer = read_footer(&path, SampleRow::TABLE)?;
    // Unreadable notes are ignored.
    let names: Vec<String> = footer.get(CLASSES).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    for class in &mut described.classes {
        class.name = usize::try_from(class.label).ok().and_then(|label| names.get(label).cloned());
    }
    let shape: Option<Vec<usize>> = footer.get(X_SHAPE).and_then(|text| serde_json::from_str(text).ok());
    described.x_shape = shape
        .filter(|shape| shape.iter().try_fold(1_usize, |n, size| n.checked_mul(*size)) == Some(described.n_inputs));
    described.is_standardised = footer.contains_key(STANDARDISED);
    Ok(described)
}

/// The data set of a table, and which samples have equal inputs, if it has hashes.
fn read(path: &Path) -> Result<(Dataset, Option<Cells>), StageError> {
    let refused = |problem: String| StageError::Refused(format!("{}: {problem}", path.display()));
    let rows: Vec<SampleRow> = read_samples(path)?;
    let n = rows.len();
    if rows.iter().any(|row| row.x.is_none()) {
        return Err(refused("contains hashes of X (`x_hash`) instead of X, so X cannot be described".to_owned()));
    }
    let matrix = |width: usize, values: Vec<f32>| {
        ndarray::Array2::from_shape_vec((n, width), values).expect("lists have one length in their file")
    };
    let p_y1: Vec<f64> = rows.iter().filter_map(|row| row.p_y1).collect();
    let targets: Vec<&Vec<f32>> = rows.iter().filter_map(|row| row.target.as_ref()).collect();
    for (name, n_given) in [("p_y1", p_y1.len()), ("target", targets.len())] {
        if n_given != 0 && n_given != n {
            return Err(refused(format!(
                "`{name}` is given for {n_given} of {n} samples; give it for all samples or for none"
            )));
        }
    }
    let target = targets.first().map(|first| matrix(first.len(), targets.iter().copied().flatten().copied().collect()));
    let by_hash = rows.first().is_some_and(|row| row.x_hash.is_some()).then(|| inputs(&rows));
    let data = Dataset {
        x: matrix(rows.first().map_or(0, |row| row.x().len()), rows.iter().flat_map(|row| row.x()).copied().collect()),
        y: rows.iter().map(|row| row.y).collect(),
        p_y1: (!p_y1.is_empty()).then_some(p_y1),
        target,
    };
    Ok((data, by_hash))
}

/// An entropy or information; rounding errors around 0 are set to 0.
fn settled(nats: Nats) -> f64 {
    /// Sums of some 10⁵ terms, each with an error of 10⁻¹⁶.
    const ROUNDING: f64 = 1e-11;
    if nats.bits().abs() < ROUNDING { 0.0 } else { nats.bits() }
}

impl Description {
    /// Describes a data set.
    ///
    /// # Errors
    /// There are no samples; a value is not finite; labels and probabilities contradict each other.
    pub fn new(data: &Dataset) -> Result<Self, String> {
        Self::of(data, None)
    }

    /// Describes a data set in which hashes may define which inputs are equal.
    fn of(data: &Dataset, by_hash: Option<Cells>) -> Result<Self, String> {
        let values = data.x.as_standard_layout();
        let values = values.as_slice().expect("the layout is standard");
        let (n_samples, n_inputs) = data.x.dim();
        Representation::new(values, n_inputs).map_err(|e| e.to_string())?;
        let has_x_hash = by_hash.is_some();
        let x = by_hash.unwrap_or_else(|| Cells::of_rows(values, n_inputs));
        let y = Cells::of_rows(&data.y, 1);
        let table = CountTable::new(n_samples, Bias::PlugIn);
        let given: Vec<Option<f64>> = data.p_y1.iter().flatten().copied().map(Some).collect();
        let labels = Labels::new(&data.y, &given).map_err(|e| e.to_string())?;
        let p_1 = data.p_y1.as_ref().map(|p| p.iter().sum::<f64>() / n_samples as f64);
        let (h_y, i_xy) = match (labels.probabilities(), p_1) {
            (Some(rows), Some(p_1)) => {
                let h_y = entropy([p_1, 1.0 - p_1]);
                let rows = rows.iter().map(<[f64; 2]>::as_slice);
                (h_y, Nats(h_y.0 - label_entropy_given(&x, rows, labels.n_classes()).0))
            }
            _ => (table.entropy(y.counts()), information(&x, &y, &table)),
        };
        let labels = if p_1.is_some() { vec![0, 1] } else { distinct(&data.y) };
        let mut counts = vec![0; labels.len()];
        data.y.iter().for_each(|label| counts[class_of(&labels, *label)] += 1);
        let class = |(label, n): (i32, usize)| {
            let share = match p_1 {
                None => n as f64 / n_samples as f64,
                Some(p_1) if label == 1 => p_1,
                Some(p_1) => 1.0 - p_1,
            };
            Class { label, name: None, n_samples: n, share }
        };
        let range = Range::of(values);
        Ok(Self {
            n_samples,
            n_inputs,
            x_shape: None,
            is_standardised: false,
            has_x_hash,
            x_range: (range.low, range.high),
            n_distinct_inputs: x.n_cells(),
            n_ambiguous_inputs: n_ambiguous(&x, &y),
            classes: labels.into_iter().zip(counts).map(class).collect(),
            is_stochastic: p_1.is_some(),
            h_x_bits: settled(table.entropy(x.counts())),
            h_y_bits: settled(h_y),
            i_xy_bits: settled(i_xy),
            targets: data.target.as_ref().map(targets),
        })
    }
}

/// Number of inputs that occur with more than one label.
fn n_ambiguous(x: &Cells, y: &Cells) -> usize {
    let joint = x.split_by(|i| y.numbers()[i]);
    let mut n_labels = vec![0; x.n_cells()];
    let mut n_seen = 0;
    // Cells are numbered in the order of first appearance: the first sample of a pair has a number not seen before.
    for (x, pair) in x.numbers().iter().zip(joint.numbers()) {
        if *pair == n_seen {
            n_labels[*x as usize] += 1;
            n_seen += 1;
        }
    }
    n_labels.iter().filter(|n| **n > 1).count()
}

fn targets(target: &ndarray::Array2<f32>) -> Targets {
    let range = Range::of(&target.iter().copied().collect::<Vec<f32>>());
    let units: Vec<Vec<f64>> =
        target.columns().into_iter().map(|unit| unit.iter().map(|t| f64::from(*t)).collect()).collect();
    let mean = units.iter().filter_map(|unit| mean(unit)).collect();
    let variance = units.iter().filter_map(|unit| population_variance(unit)).collect();
    Targets { n_outputs: target.ncols(), range: (range.low, range.high), mean, variance }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(name: &str) -> Description {
        let parameters = Parameters::default();
        let data = in_memory(&NamedData { spec: find(name).unwrap(), parameters, folder: None }).unwrap();
        Description::new(&data).unwrap()
    }

    #[track_caller]
    fn close(got: f64, expected: f64) {
        assert!((got - expected).abs() < 1e-12, "{got}, expected {expected}");
    }

    #[test]
    fn entropies_of_rules_agree_with_closed_forms() {
        let check = |name: &str, h_x: f64, h_y: f64| {
            let of = described(name);
            close(of.h_x_bits, h_x);
            close(of.h_y_bits, h_y);
            // Every label follows from its input.
            close(of.i_xy_bits, h_y);
            assert_eq!((of.n_distinct_inputs, of.n_ambiguous_inputs), (of.n_samples, 0));
        };
        check("tishby", 12.0, 0.999_157_120_850_271); // var_u.mat
        check("parity", 12.0, 1.0);
        check("majority", 11.0, 1.0);
        check("committee", 12.0, 1.0);
        check("spiral", 3000_f64.log2(), 3_f64.log2());
    }

    fn data(x: &[f32], y: &[i32]) -> Dataset {
        let x = ndarray::Array2::from_shape_vec((y.len(), x.len() / y.len()), x.to_vec()).unwrap();
        Dataset { x, y: y.to_vec(), p_y1: None, target: None }
    }

    #[test]
    fn repeated_inputs_are_counted_and_cost_information() {
        // Input 0 is there twice with label 5 and twice with 7, input 1 three times with 5, input 2 once with 7.
        let data = data(&[0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 2.0], &[5, 7, 5, 7, 5, 5, 5, 7]);
        let of = Description::new(&data).unwrap();
        assert_eq!((of.n_distinct_inputs, of.n_ambiguous_inputs, of.x_range), (3, 1, (0.0, 2.0)));
        let shares: Vec<(i32, usize, f64)> = of.classes.iter().map(|c| (c.label, c.n_samples, c.share)).collect();
        assert_eq!(shares, [(5, 5, 0.625), (7, 3, 0.375)]);
        close(of.h_x_bits, 0.5 + 0.375 * (8.0_f64 / 3.0).log2() + 0.125 * 3.0);
        let h_y = 0.625 * 1.6_f64.log2() + 0.375 * (8.0_f64 / 3.0).log2();
        close(of.h_y_bits, h_y);
        // H(Y|X) is 1 bit for input 0, half of the samples.
        close(of.i_xy_bits, h_y - 0.5);
    }

    #[test]
    fn stochastic_labels_count_by_their_probability() {
        let mut data = data(&[0.0, 1.0, 1.0, 1.0], &[0, 1, 1, 0]);
        // Mean p is ½; H(Y|X) is 0 for input 0, and that of the mean, 2/3, for input 1.
        data.p_y1 = Some(vec![0.0, 1.0, 0.5, 0.5]);
        let of = Description::new(&data).unwrap();
        assert!(of.is_stochastic);
        assert_eq!(of.classes.iter().map(|c| (c.n_samples, c.share)).collect::<Vec<_>>(), [(2, 0.5), (2, 0.5)]);
        close(of.h_y_bits, 1.0);
        let third = 1.0_f64 / 3.0;
        close(of.i_xy_bits, 1.0 - 0.75 * (-third * third.log2() - 2.0 * third * (2.0 * third).log2()));
    }

    #[test]
    fn targets_have_a_mean_and_a_variance_for_each_unit() {
        let mut data = data(&[0.0, 1.0], &[0, 1]);
        data.target = Some(ndarray::array![[1.0, 5.0], [3.0, 5.0]]);
        let targets = Description::new(&data).unwrap().targets.unwrap();
        let expected = Targets { n_outputs: 2, range: (1.0, 5.0), mean: vec![2.0, 5.0], variance: vec![1.0, 0.0] };
        assert_eq!(targets, expected);
    }
}
