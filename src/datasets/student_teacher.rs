//! Gaussian inputs and a noisy linear teacher, for which all information is known exactly.
//!
//! X ~ N(0, I/n_inputs), Y = W X + ε, with W ~ N(0, snr) for the first n_relevant inputs and 0 for the others, and ε ~
//! N(0, 1): the smallest possible error of a student is 1. The targets are Y; the label is 1 if the first target is
//! above 0, for estimators that need classes.
//!
//! # Reference
//! Saxe et al. 2018, "On the information bottleneck theory of deep learning", Figs. 3, 4 and 6 (there SNR is σw²/σo²).

use ndarray::Array2;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::{Dataset, Source, Spec, check_size};
use crate::parameter::{Kind, Parameter, ParameterError, Parameters};

pub(super) const SPEC: Spec = Spec {
    name: "student-teacher",
    summary: "Gaussian inputs, and targets from a linear teacher plus noise; the teacher may ignore some inputs; y is 1 if the first target is above 0",
    parameters: &[
        Parameter {
            name: "n_inputs",
            doc: "number of inputs",
            kind: Kind::Count { min: 1, max: 100_000 },
            default: "100",
        },
        Parameter {
            name: "n_relevant",
            doc: "number of inputs that the teacher uses: the first ones; the weights of the teacher for the other inputs are 0 [default: all]",
            kind: Kind::Count { min: 0, max: 100_000 },
            default: "",
        },
        Parameter {
            name: "n_outputs",
            doc: "number of targets per sample",
            kind: Kind::Count { min: 1, max: 10_000 },
            default: "1",
        },
        Parameter {
            name: "n_samples",
            doc: "number of samples",
            kind: Kind::Count { min: 1, max: 10_000_000 },
            default: "1000",
        },
        Parameter {
            name: "snr",
            doc: "signal-to-noise ratio: variance of the weights of the teacher divided by the variance of the noise, which is 1",
            kind: Kind::Positive,
            default: "1",
        },
        Parameter {
            name: "seed",
            doc: "seed of teacher, inputs and noise",
            kind: Kind::Count { min: 0, max: u64::MAX },
            default: "0",
        },
    ],
    source: Source::Rule(make),
};

/// Teacher, inputs and noise have separate random streams: with another `snr` the teacher is only rescaled, and a
/// larger number of samples starts with the samples of a smaller one.
const TEACHER: u64 = 0;
const INPUTS: u64 = 1;
const NOISE: u64 = 2;

/// Variance of the teacher's noise.
const NOISE_VARIANCE: f64 = 1.0;

/// The teacher that generated the targets Y = W X + ε.
#[derive(Debug, Clone, PartialEq)]
pub struct Teacher {
    /// W, n_outputs × n_inputs; weights of irrelevant inputs are 0.
    pub weights: Array2<f64>,
    /// Variance of ε in each output.
    pub noise_variance: f64,
    /// Variance of each input; they are independent.
    pub input_variance: f64,
}

/// The size of a linear teacher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TeacherShape {
    /// Number of inputs, counted from the first, that the teacher uses.
    pub n_relevant: usize,
    /// Number of inputs.
    pub n_inputs: usize,
    /// Number of targets per sample.
    pub n_outputs: usize,
}

impl TeacherShape {
    /// The size for the data set with these parameters; `None` if it has no linear teacher.
    pub fn of(spec: &Spec, parameters: &Parameters) -> Option<Self> {
        let parameters = (spec.name == SPEC.name).then(|| parameters.or_defaults(SPEC.parameters))?;
        let n_inputs = parameters.count("n_inputs")?;
        let n_relevant = parameters.count("n_relevant").unwrap_or(n_inputs);
        Some(Self { n_relevant, n_inputs, n_outputs: parameters.count("n_outputs")? })
    }
}

impl Teacher {
    /// The teacher that generated the targets of the data set with these parameters; `None` if it has no linear
    /// teacher.
    ///
    /// # Errors
    /// Parameters that cannot be combined.
    pub fn of(spec: &Spec, parameters: &Parameters) -> Result<Option<Self>, ParameterError> {
        if spec.name != SPEC.name {
            return Ok(None);
        }
        let parameters = parameters.or_defaults(SPEC.parameters);
        let shape = Shape::new(&parameters)?;
        let seen = seen_weights(&parameters, &shape);
        let mut weights = Array2::zeros((shape.n_outputs, shape.n_inputs));
        for (mut of_input, seen) in weights.columns_mut().into_iter().zip(seen.rows()) {
            of_input.assign(&seen);
        }
        Ok(Some(Self { weights, noise_variance: NOISE_VARIANCE, input_variance: 1.0 / shape.n_inputs as f64 }))
    }
}

/// Sizes of the generated data.
struct Shape {
    n_inputs: usize,
    n_relevant: usize,
    n_outputs: usize,
    n_samples: usize,
}

impl Shape {
    /// The sizes for parameters with their defaults.
    fn new(parameters: &Parameters) -> Result<Self, ParameterError> {
        let count = |name| parameters.count(name).expect("it has a default");
        let (n_inputs, n_outputs, n_samples) = (count("n_inputs"), count("n_outputs"), count("n_samples"));
        let n_relevant = parameters.count("n_relevant").unwrap_or(n_inputs);
        if n_relevant > n_inputs {
            let problem = format!("`n_relevant` is {n_relevant}, but there are only {n_inputs} inputs; lower it");
            return Err(ParameterError::Refused(problem));
        }
        check_size(n_samples, n_inputs)?;
        check_size(n_samples, n_outputs)?;
        check_size(n_inputs, n_outputs)?;
        Ok(Self { n_inputs, n_relevant, n_outputs, n_samples })
    }
}

/// The weights of the teacher for the inputs that it uses, n_relevant × n_outputs.
fn seen_weights(parameters: &Parameters, shape: &Shape) -> Array2<f64> {
    let spread = parameters.number("snr").expect("it has a default").sqrt();
    let mut of_teacher = normal(parameters, TEACHER);
    Array2::from_shape_simple_fn((shape.n_relevant, shape.n_outputs), || spread * of_teacher())
}

fn make(parameters: &Parameters) -> Result<Dataset, ParameterError> {
    let shape = Shape::new(parameters)?;
    let teacher = seen_weights(parameters, &shape);
    let (mut of_inputs, mut noise) = (normal(parameters, INPUTS), normal(parameters, NOISE));
    let root = (shape.n_inputs as f64).sqrt();
    let x = Array2::from_shape_simple_fn((shape.n_samples, shape.n_inputs), || (of_inputs() / root) as f32);
    let mut target = Array2::from_shape_simple_fn((shape.n_samples, shape.n_outputs), &mut noise);
    for (mut target, x) in target.rows_mut().into_iter().zip(x.rows()) {
        for (weights, x) in teacher.rows().into_iter().zip(x) {
            target.scaled_add(f64::from(*x), &weights);
        }
    }
    let target = target.mapv(|value| value as f32);
    if target.iter().any(|value| !value.is_finite()) {
        let snr = parameters.number("snr").expect("it has a default");
        return Err(ParameterError::Refused(format!("`snr` {snr} makes targets that f32 cannot represent; lower it")));
    }
    let y = target.column(0).iter().map(|target| i32::from(*target > 0.0)).collect();
    Ok(Dataset { x, y, p_y1: None, target: Some(target) })
}

/// Standard normal deviates from one of the streams.
fn normal(parameters: &Parameters, stream: u64) -> impl FnMut() -> f64 {
    let mut rng = ChaCha8Rng::seed_from_u64(parameters.count("seed").expect("it has a default") as u64);
    rng.set_stream(stream);
    move || StandardNormal.sample(&mut rng)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameter::Value;

    fn made(given: &[(&str, f64)]) -> Dataset {
        let given = given.iter().map(|(name, number)| ((*name).to_owned(), Value::Number(*number)));
        make(&Parameters::new(SPEC.parameters, given).unwrap().or_defaults(SPEC.parameters)).unwrap()
    }

    /// Checks that the mean of `values`, n independent values of this variance, is `mean` within five standard errors.
    #[track_caller]
    fn check(values: impl ExactSizeIterator<Item = f64>, mean: f64, variance: f64) {
        let n = values.len() as f64;
        let got = values.sum::<f64>() / n;
        assert!((got - mean).abs() < 5.0 * (variance / n).sqrt(), "{got}, expected {mean}");
    }

    fn targets(made: &Dataset) -> Vec<f64> {
        made.target.as_ref().unwrap().iter().map(|target| f64::from(*target)).collect()
    }

    #[test]
    fn inputs_and_noise_have_the_declared_variances() {
        let made = made(&[("n_inputs", 25.0), ("n_relevant", 0.0), ("n_samples", 20_000.0)]);
        // Squares of normal deviates of variance v have mean v and variance 2v².
        check(made.x.iter().map(|x| f64::from(*x)), 0.0, 0.04);
        check(made.x.iter().map(|x| f64::from(*x).powi(2)), 0.04, 2.0 * 0.0016);
        // Without relevant inputs, the targets are only noise.
        check(targets(&made).into_iter(), 0.0, 1.0);
        check(targets(&made).into_iter().map(|target| target * target), 1.0, 2.0);
        check(made.y.iter().map(|y| f64::from(*y)), 0.5, 0.25);
    }

    #[test]
    fn targets_have_the_variance_of_a_signal_of_this_ratio_plus_noise() {
        // Each of the 300 outputs is a separate teacher. Its output for one x is Gaussian with variance snr |x|² over
        // the relevant inputs, and |x|² of 400 inputs is ½ with relative variance 2/400, small compared with 2/300.
        let parameters = [("n_inputs", 800.0), ("n_relevant", 400.0), ("n_outputs", 300.0), ("n_samples", 1.0)];
        let made = made(&[&parameters[..], &[("snr", 5.0)]].concat());
        let variance = 1.0 + 5.0 * 0.5;
        check(targets(&made).into_iter().map(|target| target * target), variance, 2.0 * variance * variance * 1.5);
    }

    #[test]
    fn irrelevant_inputs_do_not_matter_and_a_linear_teacher_is_what_remains() {
        // As many samples as inputs and hardly any noise: solving for the teacher recovers it.
        let parameters = [("n_inputs", 6.0), ("n_relevant", 2.0), ("n_samples", 6.0), ("snr", 1e12)];
        let made = made(&parameters);
        let weights = solve(made.x.mapv(f64::from), targets(&made));
        let largest = weights.iter().fold(0.0_f64, |most, w| most.max(w.abs()));
        assert!(weights[..2].iter().all(|w| w.abs() > 1e-3 * largest), "{weights:?}");
        assert!(weights[2..].iter().all(|w| w.abs() < 1e-3 * largest), "{weights:?}");
    }

    #[test]
    fn the_teacher_given_is_the_one_that_made_the_targets() {
        // Noise of a millionth of the weights and as many samples as inputs: the solution is the teacher, up to the
        // noise and the rounding of the data to f32 (1e-7), times the condition number of the 6 x 6 matrix of inputs.
        let parameters = [("n_inputs", 6.0), ("n_relevant", 4.0), ("n_samples", 6.0), ("snr", 1e12), ("seed", 3.0)];
        let made = made(&parameters);
        let solved = solve(made.x.mapv(f64::from), targets(&made));
        let given = parameters.map(|(name, number)| (name.to_owned(), Value::Number(number)));
        let given = Parameters::new(SPEC.parameters, given).unwrap();
        let teacher = Teacher::of(&SPEC, &given).unwrap().unwrap();
        assert_eq!((teacher.weights.dim(), teacher.noise_variance), ((1, 6), 1.0));
        assert_eq!((teacher.input_variance, teacher.weights[[0, 4]]), (1.0 / 6.0, 0.0));
        for (solved, weight) in solved.iter().zip(&teacher.weights) {
            assert!((solved - weight).abs() < 1e-4 * 1e6, "{solved} is not {weight}");
        }
        assert_eq!(TeacherShape::of(&SPEC, &given), Some(TeacherShape { n_relevant: 4, n_inputs: 6, n_outputs: 1 }));
    }

    #[test]
    fn every_output_has_its_teacher_and_the_residue_is_the_noise() {
        let parameters = [("n_inputs", 10.0), ("n_outputs", 3.0), ("n_samples", 20_000.0), ("snr", 9.0)];
        let made = made(&parameters);
        let given = parameters.map(|(name, number)| (name.to_owned(), Value::Number(number)));
        let teacher = Teacher::of(&SPEC, &Parameters::new(SPEC.parameters, given).unwrap()).unwrap().unwrap();
        let residue = made.target.as_ref().unwrap().mapv(f64::from) - made.x.mapv(f64::from).dot(&teacher.weights.t());
        for column in residue.columns() {
            check(column.iter().copied(), 0.0, 1.0);
            check(column.iter().map(|value| value * value), 1.0, 2.0);
        }
    }

    #[test]
    fn other_data_have_no_linear_teacher() {
        let other = crate::datasets::find("tishby").unwrap();
        assert_eq!(Teacher::of(other, &Parameters::default()), Ok(None));
        assert_eq!(TeacherShape::of(other, &Parameters::default()), None);
        let all = TeacherShape::of(&SPEC, &Parameters::default());
        assert_eq!(all, Some(TeacherShape { n_relevant: 100, n_inputs: 100, n_outputs: 1 }));
        let given = Parameters::new(SPEC.parameters, [("n_relevant".to_owned(), Value::Count(101))]).unwrap();
        assert!(Teacher::of(&SPEC, &given).is_err());
    }

    /// Gauss-Jordan elimination with pivoting.
    fn solve(mut a: Array2<f64>, mut b: Vec<f64>) -> Vec<f64> {
        let n = b.len();
        for column in 0..n {
            let pivot = (column..n).max_by(|i, j| a[[*i, column]].abs().total_cmp(&a[[*j, column]].abs())).unwrap();
            b.swap(column, pivot);
            for k in 0..n {
                a.swap([column, k], [pivot, k]);
            }
            for row in (0..n).filter(|row| *row != column) {
                let factor = a[[row, column]] / a[[column, column]];
                for k in 0..n {
                    a[[row, k]] -= factor * a[[column, k]];
                }
                b[row] -= factor * b[column];
            }
        }
        (0..n).map(|i| b[i] / a[[i, i]]).collect()
    }

    #[test]
    fn the_label_is_the_sign_of_the_first_target_and_more_samples_begin_with_the_same() {
        let (few, many) = (made(&[("n_samples", 10.0)]), made(&[("n_samples", 20.0), ("n_outputs", 1.0)]));
        assert!(few.y.iter().zip(targets(&few)).all(|(y, target)| (*y == 1) == (target > 0.0)));
        assert_eq!(targets(&few), targets(&many)[..10]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let check = |given: &[(&str, u64)], expected: &str| {
            let given = given.iter().map(|(name, n)| ((*name).to_owned(), Value::Count(*n)));
            let parameters = Parameters::new(SPEC.parameters, given).unwrap().or_defaults(SPEC.parameters);
            assert_eq!(make(&parameters).unwrap_err().to_string(), expected);
        };
        check(&[("n_relevant", 101)], "`n_relevant` is 101, but there are only 100 inputs; lower it");
        let too_many = "10000000 samples of 100000 inputs are too many; at most 500000000 values are allowed";
        check(&[("n_inputs", 100_000), ("n_samples", 10_000_000)], too_many);
    }
}
