//! Plug-in information of binned activations, the estimator behind the published information planes.
//!
//! Every unit's value becomes the number of its bin, T the vector of these numbers. The samples are the whole
//! distribution of X, so that H(T|X) = 0 and I(X;T) = H(T): what is estimated is an entropy of the code, a count of
//! occupied cells, not a property of the network alone. I(T;Y) = H(Y) − Σ_t p(t) H(Y|t), which also holds for
//! stochastic labels, p(y|t) being the mean of p(y|x) over the samples in cell t.
//!
//! # Reference
//! Shwartz-Ziv & Tishby 2017 (arXiv 1703.00810) and its released code: 30 edges (50 at the time of the paper) over
//! [−1, 1] in f32. Width `floor(t/w)`: Saxe et al. 2018. Bins over each layer's own range: Grabauskas 2019.

use super::{Estimate, EstimateError, Estimator, Spec};
use crate::math::atoms::first_seen;
use crate::math::entropy::{entropy, entropy_of_counts};
use crate::parameter::{Kind, Parameter, ParameterError, Parameters, Value};
use crate::sample::{Labels, Representation};
use crate::units::Nats;

pub(super) const SPEC: Spec = Spec {
    name: "binning",
    summary: "plug-in information of activations cut into bins: fixed edges, a bin width, or each layer's own range",
    parameters: &[
        Parameter {
            name: "n_edges",
            doc: "fixed edges, evenly spaced over [-1, 1]; a value of 1 or more has a cell of its own (default: 30)",
            kind: Kind::Count { min: 2, max: MOST_CELLS },
        },
        Parameter { name: "bin_width", doc: "bins floor(t / bin_width), unbounded", kind: Kind::Positive },
        Parameter {
            name: "n_bins",
            doc: "equal bins between the smallest and the largest value of the layer at that epoch",
            kind: Kind::Count { min: 1, max: MOST_CELLS },
        },
        Parameter {
            name: "below",
            doc: "with n_edges, a value below -1 gets a cell of its own (default) or makes the estimate fail",
            kind: Kind::Choice(&["own-cell", "refuse"]),
        },
        Parameter {
            name: "compat",
            doc: "idnns: a value below -1 falls into the cell of values of 1 or more, as in the released code",
            kind: Kind::Choice(&["idnns"]),
        },
    ],
    build,
};

/// More cells than f32 tells apart over [-1, 1] mean nothing.
const MOST_CELLS: u64 = 1 << 24;
/// Edges of the released code (HEAD); the paper speaks of 30 bins.
const DEFAULT_N_EDGES: usize = 30;

#[derive(Debug, PartialEq)]
enum Binning {
    Edges { edges: Vec<f32>, below: Below },
    Width(f64),
    LayerRange(usize),
}

/// What happens to a value below the first edge, −1, which tanh and softmax never produce.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Below {
    OwnCell,
    Refuse,
    /// NumPy's negative index: the last cell.
    WrapAround,
}

fn build(parameters: &Parameters) -> Result<Box<dyn Estimator>, ParameterError> {
    Ok(Box::new(Binning::new(parameters)?))
}

impl Binning {
    fn new(parameters: &Parameters) -> Result<Self, ParameterError> {
        const EXCLUSIVE: &[(&str, &str)] = &[
            ("n_edges", "bin_width"),
            ("n_edges", "n_bins"),
            ("bin_width", "n_bins"),
            ("bin_width", "below"),
            ("bin_width", "compat"),
            ("n_bins", "below"),
            ("n_bins", "compat"),
            ("below", "compat"),
        ];
        let given = |name: &str| parameters.iter().any(|(n, _)| n == name);
        if let Some((first, second)) = EXCLUSIVE.iter().find(|(a, b)| given(a) && given(b)) {
            return Err(ParameterError::Exclusive { first, second });
        }
        if let Some(width) = parameters.number("bin_width") {
            return Ok(Binning::Width(width));
        }
        if let Some(n_bins) = parameters.count("n_bins") {
            return Ok(Binning::LayerRange(n_bins));
        }
        let below = match (parameters.text("below"), parameters.text("compat")) {
            (_, Some(_)) => Below::WrapAround,
            (Some("refuse"), _) => Below::Refuse,
            _ => Below::OwnCell,
        };
        Ok(Binning::Edges { edges: edges(parameters.count("n_edges").unwrap_or(DEFAULT_N_EDGES)), below })
    }

    /// The cell number of every value.
    fn codes(&self, t: Representation<'_>) -> Result<Vec<i32>, EstimateError> {
        let place = |at: usize| (at / t.n_units(), at % t.n_units());
        match self {
            Binning::Edges { edges, below } => {
                let codes: Vec<i32> = t.values().iter().map(|value| cell(edges, *value)).collect();
                match below {
                    Below::OwnCell => Ok(codes),
                    Below::WrapAround => {
                        let last = edges.len() as i32 - 1;
                        Ok(codes.into_iter().map(|code| if code < 0 { last } else { code }).collect())
                    }
                    Below::Refuse => match codes.iter().position(|code| *code < 0) {
                        None => Ok(codes),
                        Some(at) => {
                            let (sample, unit) = place(at);
                            Err(EstimateError::BelowEdges { sample, unit, value: t.values()[at] })
                        }
                    },
                }
            }
            Binning::Width(bin_width) => {
                let cell = |(at, value): (usize, &f32)| {
                    let cell = (f64::from(*value) / bin_width).floor();
                    if cell.abs() < f64::from(i32::MAX) {
                        return Ok(cell as i32);
                    }
                    let (sample, unit) = place(at);
                    Err(EstimateError::TooFar { sample, unit, value: *value, bin_width: *bin_width })
                };
                t.values().iter().enumerate().map(cell).collect()
            }
            Binning::LayerRange(n_bins) => {
                let low = t.values().iter().copied().fold(f32::INFINITY, f32::min);
                let high = t.values().iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let range = f64::from(high) - f64::from(low);
                // The largest value closes the last bin; a layer whose values are all equal has one cell.
                let bins_per_unit = if range > 0.0 { *n_bins as f64 / range } else { 0.0 };
                let cell = |value: &f32| ((f64::from(*value) - f64::from(low)) * bins_per_unit) as usize;
                Ok(t.values().iter().map(|value| cell(value).min(n_bins - 1) as i32).collect())
            }
        }
    }
}

/// `n` edges −1 + 2k/(n−1), computed in f64 and stored as f32 like `numpy.linspace(-1, 1, n, dtype="f4")`.
fn edges(n: usize) -> Vec<f32> {
    let step = 2.0 / (n - 1) as f64;
    (0..n).map(|k| if k == n - 1 { 1.0 } else { (k as f64 * step - 1.0) as f32 }).collect()
}

/// The last k with `edges[k]` ≤ `value`, −1 below the first edge: `numpy.digitize(value, edges) - 1`.
fn cell(edges: &[f32], value: f32) -> i32 {
    let last = edges.len() as i32 - 1;
    // Evenly spaced edges: the guess is at most one off, by rounding.
    let mut k = ((value + 1.0) * 0.5 * last as f32).clamp(0.0, last as f32) as i32;
    while k >= 0 && edges[k as usize] > value {
        k -= 1;
    }
    while k < last && edges[(k + 1) as usize] <= value {
        k += 1;
    }
    k
}

impl Estimator for Binning {
    fn id(&self) -> String {
        match self {
            Binning::Edges { edges, below } => {
                let policy = match below {
                    Below::OwnCell => "",
                    Below::Refuse => "-below-refuse",
                    Below::WrapAround => "-compat-idnns",
                };
                format!("binning-n-edges-{}{policy}", edges.len())
            }
            Binning::Width(width) => format!("binning-bin-width-{}", Value::Number(*width)),
            Binning::LayerRange(n_bins) => format!("binning-n-bins-{n_bins}"),
        }
    }

    fn quantity(&self) -> String {
        match self {
            Binning::Edges { edges, .. } => format!("entropy of the code of {} edges over [-1, 1]", edges.len()),
            Binning::Width(width) => format!("entropy of the code of bins of width {width}"),
            Binning::LayerRange(n_bins) => format!("entropy of the code of {n_bins} bins over the layer's range"),
        }
    }

    fn estimate(&self, t: Representation<'_>, y: &Labels) -> Result<Estimate, EstimateError> {
        let n = t.n_samples();
        if y.n_samples() != n {
            return Err(EstimateError::Mismatch { n_t: n, n_y: y.n_samples() });
        }
        let atoms = first_seen(&self.codes(t)?, t.n_units());
        let n_codes = atoms.iter().max().map_or(0, |last| *last as usize + 1);
        let n_classes = y.n_classes();
        let mut counts = vec![0_u32; n_codes];
        let mut label_mass = vec![0.0_f64; n_codes * n_classes];
        for (atom, p_y) in atoms.iter().zip(y.rows()) {
            counts[*atom as usize] += 1;
            let mass = &mut label_mass[*atom as usize * n_classes..][..n_classes];
            mass.iter_mut().zip(p_y).for_each(|(mass, p)| *mass += p);
        }
        let mut h_y_given_t = 0.0;
        for (count, mass) in counts.iter().zip(label_mass.chunks_exact(n_classes)) {
            let count = f64::from(*count);
            h_y_given_t += count / n as f64 * entropy(mass.iter().map(|m| m / count)).0;
        }
        let h_y = entropy((0..n_classes).map(|c| y.rows().map(|p_y| p_y[c]).sum::<f64>() / n as f64));
        Ok(Estimate {
            i_xt: entropy_of_counts(counts.iter().copied(), n),
            i_ty: h_y - Nats(h_y_given_t),
            i_xt_ceiling: Nats((n as f64).ln()),
            i_ty_ceiling: h_y,
            n_codes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binning(name: &str, value: f64) -> Binning {
        let value = if name == "bin_width" { Value::Number(value) } else { Value::Count(value as u64) };
        Binning::new(&Parameters::new(SPEC.parameters, [(name.to_owned(), value)]).unwrap()).unwrap()
    }

    /// Net G1 of the project's reference values: fixed weights without a random generator, on all 12-bit patterns. Its
    /// numbers were computed in NumPy, independently of this program. Returns H1 (10 units), H2 (3 units), y.
    fn golden_net() -> (Vec<f32>, Vec<f32>, Vec<i32>) {
        let weight = |r: usize, c: usize| (1.0 + 12.9898 * r as f64 + 78.233 * c as f64).sin();
        let bias = |c: usize| 0.1 * (c as f64).cos();
        let (mut h1, mut h2, mut y) = (Vec::new(), Vec::new(), Vec::new());
        for pattern in 0..4096_usize {
            let x: Vec<f64> = (0..12).map(|bit| ((pattern >> (11 - bit)) & 1) as f64).collect();
            let unit1 = |c: usize| (bias(c) + (0..12).map(|r| x[r] * weight(r, c)).sum::<f64>()).tanh();
            let t1: Vec<f64> = (0..10).map(unit1).collect();
            let unit2 = |c: usize| (bias(c) + (0..10).map(|r| t1[r] * 1.5 * weight(r, c)).sum::<f64>()).tanh();
            h2.extend((0..3).map(|c| unit2(c) as f32));
            h1.extend(t1.iter().map(|t| *t as f32));
            y.push(i32::from(x[..6].iter().sum::<f64>() + 2.0 * (x[6] + x[7]) > 4.0));
        }
        (h1, h2, y)
    }

    #[test]
    fn golden_net_as_computed_in_numpy() {
        let (h1, h2, y) = golden_net();
        let y = Labels::hard(&y);
        #[track_caller]
        fn check(estimator: &Binning, t: &[f32], n_units: usize, y: &Labels, expected: (f64, f64, usize)) {
            let got = estimator.estimate(Representation::new(t, n_units).unwrap(), y).unwrap();
            // Twelve digits are given; activations here are f32, but no value lies on an edge by less than that.
            let (i_xt, i_ty) = (got.i_xt.bits(), got.i_ty.bits());
            assert!((i_xt - expected.0).abs() < 1e-9 && (i_ty - expected.1).abs() < 1e-9, "{i_xt} {i_ty} {got:?}");
            assert_eq!(got.n_codes, expected.2);
            assert!((got.i_ty_ceiling.bits() - 0.970_029_249_421).abs() < 1e-12);
            assert!((got.i_xt_ceiling.bits() - 12.0).abs() < 1e-12);
        }
        // 30 equal bins have 31 edges.
        check(&binning("n_edges", 31.0), &h1, 10, &y, (11.343_125_205_305, 0.772_892_377_822, 2972));
        check(&binning("n_edges", 31.0), &h2, 3, &y, (6.609_342_633_898, 0.164_263_560_141, 202));
        check(&binning("n_edges", 101.0), &h1, 10, &y, (11.945_736_166_380, 0.957_637_919_465, 3986));
        check(&binning("n_edges", 257.0), &h2, 3, &y, (11.101_569_435_919, 0.677_856_596_215, 2703));
        check(&binning("bin_width", 0.5), &h1, 10, &y, (6.422_376_314_736, 0.249_875_054_007, 244));
        check(&binning("bin_width", 0.5), &h2, 3, &y, (1.948_672_293_940, 0.019_901_196_971, 14));
        check(&binning("bin_width", 0.07), &h1, 10, &y, (11.376_902_847_387, 0.772_812_887_334, 2998));
        check(&binning("bin_width", 0.07), &h2, 3, &y, (6.534_887_779_365, 0.159_181_902_072, 194));
    }

    #[test]
    fn edges_and_cells_are_numpys() {
        let b = edges(30);
        // numpy.linspace(-1, 1, 30, dtype="f4")[[0, 1, 15, 28, 29]]
        assert_eq!([b[0], b[1], b[15], b[28], b[29]], [-1.0, -0.931_034_5, 0.034_482_76, 0.931_034_5, 1.0]);
        // numpy.digitize(…) - 1; 1 and above have a cell of their own.
        for (value, expected) in [(-1.0, 0), (-1.1, -1), (0.0, 14), (0.999_999_94, 28), (1.0, 29), (7.0, 29)] {
            assert_eq!(cell(&b, value), expected, "{value}");
        }
        for (k, edge) in b.iter().enumerate() {
            assert_eq!(cell(&b, *edge), k as i32);
            assert_eq!(cell(&b, edge.next_down()), k as i32 - 1);
        }
    }

    #[test]
    fn values_below_the_edges_follow_the_policy() {
        let y = Labels::hard(&[0, 1, 0]);
        let t = [-3.0, 0.0, 2.0];
        let estimate = |name: &str, value: &str| {
            let given = [(name.to_owned(), Value::Text(value.to_owned()))];
            let estimator = Binning::new(&Parameters::new(SPEC.parameters, given).unwrap()).unwrap();
            estimator.estimate(Representation::new(&t, 1).unwrap(), &y)
        };
        assert_eq!(estimate("below", "own-cell").unwrap().n_codes, 3);
        assert_eq!(estimate("compat", "idnns").unwrap().n_codes, 2);
        let refused = estimate("below", "refuse").unwrap_err();
        assert_eq!(refused, EstimateError::BelowEdges { sample: 0, unit: 0, value: -3.0 });
    }

    #[test]
    fn the_layers_own_range_is_cut_into_equal_bins() {
        let t = Representation::new(&[-10.0, -5.1, -4.9, 10.0], 1).unwrap();
        // Bins of width 5: [-10,-5), [-5,0), [0,5), [5,10].
        assert_eq!(binning("n_bins", 4.0).codes(t).unwrap(), [0, 0, 1, 3]);
        let constant = Representation::new(&[3.0, 3.0], 1).unwrap();
        assert_eq!(binning("n_bins", 4.0).codes(constant).unwrap(), [0, 0]);
    }

    #[test]
    fn stochastic_labels_use_the_mean_probability_of_a_cell() {
        let t = Representation::new(&[0.1, 0.1, 0.9, 0.9], 1).unwrap();
        let y = Labels::stochastic(&[0.0, 0.5, 0.5, 1.0]).unwrap();
        let got = binning("n_edges", 3.0).estimate(t, &y).unwrap();
        // One cell [0, 1): I(T;Y) = 0.
        assert!(got.i_ty.0.abs() < 1e-15);
        let got = binning("n_edges", 5.0).estimate(t, &y).unwrap();
        // Cells [0, ½) and [½, 1): p(y=1|t) = ¼, ¾, so I(T;Y) = ln 2 − H_b(¼).
        let expected = 2.0_f64.ln() + 0.25 * 0.25_f64.ln() + 0.75 * 0.75_f64.ln();
        assert!((got.i_ty.0 - expected).abs() < 1e-15);
    }

    #[test]
    fn a_width_that_is_too_small_for_the_values_is_an_error() {
        let t = Representation::new(&[0.0, 1e30], 1).unwrap();
        assert!(matches!(binning("bin_width", 1e-3).codes(t), Err(EstimateError::TooFar { sample: 1, .. })));
    }

    #[test]
    fn parameters_that_exclude_each_other_are_refused() {
        let both = [("n_bins".to_owned(), Value::Count(3)), ("bin_width".to_owned(), Value::Number(0.1))];
        let error = Binning::new(&Parameters::new(SPEC.parameters, both).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "parameters `bin_width` and `n_bins` exclude each other; give one of them");
    }
}
