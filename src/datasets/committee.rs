//! Committee machines: the label is a threshold on a sum of hidden units.
//!
//! y = 1 if Σ_k f(c_k·x − t_k) > θ, otherwise 0. f(u) is max(u, 0), or 1/(1 + exp(−slope u)) (a soft committee), or a
//! step, 1 for u > 0 and otherwise 0 (a hard committee).
//!
//! # Reference
//! Two data files published with that of Shwartz-Ziv & Tishby 2017 (IDNNs, `g1.mat`, `g2.mat`) are such machines, with
//! f = relu, and with f = logistic of slope 7.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::bits::{INPUTS, patterns};
use super::{Dataset, Source, Spec};
use crate::parameter::{Kind, Parameter, ParameterError, Parameters};

pub(super) const SPEC: Spec = Spec {
    name: "committee",
    summary: "all 4096 patterns of 12 bits, labelled by a soft or hard committee machine: a sum of hidden units above a threshold",
    parameters: &[
        Parameter {
            name: "function",
            doc: "function that a hidden unit applies to its weighted sum: relu, logistic, or step (a hard committee)",
            kind: Kind::Choice(&["relu", "logistic", "step"]),
            default: "relu",
        },
        Parameter {
            name: "slope",
            doc: "slope of the logistic function [default: 1]",
            kind: Kind::Positive,
            default: "",
        },
        Parameter {
            name: "coefficients",
            doc: "12 coefficients for each hidden unit, \"1 0.5 …; 0 1 …\" [default: drawn from a Gaussian with mean 0 and variance 1]",
            kind: Kind::Rows,
            default: "",
        },
        Parameter {
            name: "units",
            doc: "number of hidden units, if coefficients are drawn [default: 3]",
            kind: Kind::Count { min: 1, max: 1000 },
            default: "",
        },
        Parameter {
            name: "thresholds",
            doc: "threshold of each hidden unit, \"0.1 0.3 0.2\", or one number for all units",
            kind: Kind::Rows,
            default: "0",
        },
        Parameter {
            name: "theta",
            doc: "threshold of the sum [default: the median of the sum, so that both labels are equally frequent]",
            kind: Kind::Number,
            default: "",
        },
        Parameter {
            name: "seed",
            doc: "seed of the drawn coefficients",
            kind: Kind::Count { min: 0, max: u64::MAX },
            default: "0",
        },
        INPUTS,
    ],
    source: Source::Rule(make),
};

const N_BITS: usize = 12;
const UNITS: usize = 3;

fn make(parameters: &Parameters) -> Result<Dataset, ParameterError> {
    let coefficients = coefficients(parameters)?;
    let thresholds = thresholds(parameters, coefficients.len())?;
    let f = function(parameters)?;
    let x = patterns(N_BITS, parameters);
    let mut sums = Vec::with_capacity(x.nrows());
    for x in x.rows() {
        let mut sum = 0.0;
        for (c, t) in coefficients.iter().zip(&thresholds) {
            let weighted: f64 = c.iter().zip(x).map(|(c, x)| c * f64::from(*x)).sum();
            sum += f(weighted - t);
        }
        sums.push(sum);
    }
    let theta = parameters.number("theta").unwrap_or_else(|| median(&sums));
    let y = sums.iter().map(|sum| i32::from(*sum > theta)).collect();
    Ok(Dataset { x, y, p_y1: None, target: None })
}

/// c, one row per hidden unit.
fn coefficients(parameters: &Parameters) -> Result<Vec<Vec<f64>>, ParameterError> {
    let Some(given) = parameters.rows("coefficients") else {
        let mut rng = ChaCha8Rng::seed_from_u64(parameters.count("seed").unwrap_or(0) as u64);
        let n_units = parameters.count("units").unwrap_or(UNITS);
        let mut row = || (0..N_BITS).map(|_| StandardNormal.sample(&mut rng)).collect();
        return Ok((0..n_units).map(|_| row()).collect());
    };
    if let Some(n_units) = parameters.count("units").filter(|n_units| *n_units != given.len()) {
        let n_rows = given.len();
        let problem = format!("`units` is {n_units}, but `coefficients` has {n_rows} rows; leave out one of them");
        return Err(ParameterError::Refused(problem));
    }
    match given[0].len() {
        N_BITS => Ok(given),
        n => Err(ParameterError::Refused(format!("a row of `coefficients` needs {N_BITS} numbers, got {n}"))),
    }
}

/// t, one value per hidden unit.
fn thresholds(parameters: &Parameters, n_units: usize) -> Result<Vec<f64>, ParameterError> {
    let given: Vec<f64> = parameters.rows("thresholds").unwrap_or_default().concat();
    match given.len() {
        1 => Ok(vec![given[0]; n_units]),
        n if n == n_units => Ok(given),
        n => Err(ParameterError::Refused(format!("`thresholds` needs one number or {n_units}, got {n}"))),
    }
}

fn function(parameters: &Parameters) -> Result<Box<dyn Fn(f64) -> f64>, ParameterError> {
    let slope = parameters.number("slope");
    match parameters.text("function") {
        Some("logistic") => {
            let slope = slope.unwrap_or(1.0);
            Ok(Box::new(move |u| 1.0 / (1.0 + (-slope * u).exp())))
        }
        Some(other) if slope.is_some() => Err(ParameterError::Refused(format!(
            "`slope` is a parameter of `logistic`, not of `{other}`; leave it out"
        ))),
        Some("step") => Ok(Box::new(|u| if u > 0.0 { 1.0 } else { 0.0 })),
        _ => Ok(Box::new(|u| u.max(0.0))),
    }
}

/// The mean of the two middle values: half of the values are above it, if these two differ.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    f64::midpoint(sorted[middle - 1], sorted[middle])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameter::Value;

    fn made(given: &[(&str, &str)]) -> Result<Dataset, String> {
        let given = given.iter().map(|(name, word)| ((*name).to_owned(), Value::parse(word)));
        let parameters = Parameters::new(SPEC.parameters, given).map_err(|e| e.to_string())?;
        make(&parameters.or_defaults(SPEC.parameters)).map_err(|e| e.to_string())
    }

    /// Unit 0 counts the ones among the first six bits, unit 1 those among the last six.
    const HALVES: &str = "1 1 1 1 1 1 0 0 0 0 0 0; 0 0 0 0 0 0 1 1 1 1 1 1";

    #[track_caller]
    fn check(given: &[(&str, &str)], rule: fn(f64, f64) -> bool) {
        let made = made(&[&[("coefficients", HALVES)], given].concat()).unwrap();
        for pattern in 0..4096_u32 {
            let (first, last) = (f64::from((pattern >> 6).count_ones()), f64::from((pattern & 63).count_ones()));
            assert_eq!(made.y[pattern as usize] == 1, rule(first, last), "{pattern:b}");
        }
    }

    #[test]
    fn labels_are_those_of_the_declared_machine() {
        check(&[("theta", "2.5"), ("thresholds", "3 1.5")], |a, b| (a - 3.0).max(0.0) + (b - 1.5).max(0.0) > 2.5);
        check(&[("theta", "1.5"), ("function", "step"), ("thresholds", "2")], |a, b| a > 2.0 && b > 2.0);
        check(&[("theta", "1.2"), ("function", "logistic"), ("slope", "7"), ("thresholds", "0.41")], |a, b| {
            let sigma = |u: f64| 1.0 / (1.0 + (-7.0 * (u - 0.41)).exp());
            sigma(a) + sigma(b) > 1.2
        });
        // As signs, six bits with n ones have the sum 2n − 6.
        let signs = [("theta", "0"), ("inputs", "signs"), ("thresholds", "3")];
        check(&signs, |a, b| 2.0 * a - 6.0 > 3.0 || 2.0 * b - 6.0 > 3.0);
    }

    #[test]
    fn without_theta_labels_are_balanced() {
        for function in ["relu", "logistic"] {
            for seed in ["0", "1", "2"] {
                let made = made(&[("function", function), ("seed", seed), ("units", "5")]).unwrap();
                assert_eq!(made.y.iter().sum::<i32>(), 2048, "{function}, {seed}");
            }
        }
        assert_ne!(made(&[]).unwrap().y, made(&[("seed", "1")]).unwrap().y);
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        let check = |given: &[(&str, &str)], expected: &str| assert_eq!(made(given).unwrap_err(), expected);
        check(&[("coefficients", "1 2; 3 4")], "a row of `coefficients` needs 12 numbers, got 2");
        let units = "`units` is 3, but `coefficients` has 2 rows; leave out one of them";
        check(&[("coefficients", HALVES), ("units", "3")], units);
        check(&[("thresholds", "1 2")], "`thresholds` needs one number or 3, got 2");
        check(&[("slope", "2")], "`slope` is a parameter of `logistic`, not of `relu`; leave it out");
    }
}
