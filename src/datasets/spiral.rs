//! Intertwined spirals in the plane, one per class.
//!
//! Sample j of the m samples of class c is at radius r = (j + ½)/m and angle 2π(c/n_classes + turns r), plus Gaussian
//! noise.
//!
//! # Reference
//! Goldfeld et al. 2019 (arXiv 1810.11589) show the layers of a noisy network on a spiral of three classes.

use std::f64::consts::TAU;

use ndarray::Array2;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::{Dataset, Source, Spec};
use crate::parameter::{Kind, Parameter, ParameterError, Parameters};

pub(super) const SPEC: Spec = Spec {
    name: "spiral",
    summary: "points in the plane on intertwined spirals, one spiral per class, with Gaussian noise",
    parameters: &[
        Parameter {
            name: "n_classes",
            doc: "number of spirals",
            kind: Kind::Count { min: 2, max: 1000 },
            default: "3",
        },
        Parameter {
            name: "n_samples",
            doc: "number of points; consecutive points have consecutive classes",
            kind: Kind::Count { min: 1, max: 10_000_000 },
            default: "3000",
        },
        Parameter {
            name: "turns",
            doc: "number of turns of a spiral from the centre to radius 1",
            kind: Kind::Number,
            default: "1",
        },
        Parameter {
            name: "noise",
            doc: "standard deviation of the noise in each coordinate",
            kind: Kind::NotNegative,
            default: "0.02",
        },
        Parameter { name: "seed", doc: "seed of the noise", kind: Kind::Count { min: 0, max: u64::MAX }, default: "0" },
    ],
    source: Source::Rule(make),
};

fn make(parameters: &Parameters) -> Result<Dataset, ParameterError> {
    let count = |name| parameters.count(name).expect("it has a default");
    let number = |name| parameters.number(name).expect("it has a default");
    let (n_samples, n_classes) = (count("n_samples"), count("n_classes"));
    let (turns, noise) = (number("turns"), number("noise"));
    let mut rng = ChaCha8Rng::seed_from_u64(count("seed") as u64);
    let mut x = Array2::zeros((n_samples, 2));
    let mut y = Vec::with_capacity(n_samples);
    for (i, mut x) in x.rows_mut().into_iter().enumerate() {
        let (j, class) = (i / n_classes, i % n_classes);
        // The last round may not reach every class.
        let m = (n_samples - class).div_ceil(n_classes);
        let r = (j as f64 + 0.5) / m as f64;
        let angle = TAU * (class as f64 / n_classes as f64 + turns * r);
        let mut drawn = || -> f64 { StandardNormal.sample(&mut rng) };
        x[0] = (r * angle.cos() + noise * drawn()) as f32;
        x[1] = (r * angle.sin() + noise * drawn()) as f32;
        y.push(class as i32);
    }
    if x.iter().any(|value| !value.is_finite()) {
        let problem =
            format!("`noise` {noise} and `turns` {turns} make coordinates that f32 cannot represent; lower them");
        return Err(ParameterError::Refused(problem));
    }
    Ok(Dataset { x, y, p_y1: None, target: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameter::Value;

    fn made(given: &[(&str, f64)]) -> Dataset {
        let given = given.iter().map(|(name, number)| ((*name).to_owned(), Value::Number(*number)));
        make(&Parameters::new(SPEC.parameters, given).unwrap().or_defaults(SPEC.parameters)).unwrap()
    }

    #[test]
    fn without_noise_each_class_is_one_spiral_and_the_next_is_rotated() {
        let made = made(&[("noise", 0.0), ("turns", 1.5), ("n_samples", 300.0)]);
        for (i, x) in made.x.rows().into_iter().enumerate() {
            let (x, y) = (f64::from(x[0]), f64::from(x[1]));
            let (r, class) = (x.hypot(y), (i % 3) as f64);
            assert!((r - ((i / 3) as f64 + 0.5) / 100.0).abs() < 1e-6);
            // Rotated back by the angle of the class and of the position along the spiral, the point is on the first
            // axis.
            let turned = y.atan2(x) / TAU - class / 3.0 - 1.5 * r;
            assert!((turned - turned.round()).abs() < 1e-5, "sample {i}: {turned}");
            assert_eq!(made.y[i], class as i32);
        }
    }

    #[test]
    fn noise_has_the_declared_spread_and_classes_are_balanced() {
        let (clean, noisy) = (made(&[("noise", 0.0)]), made(&[("noise", 0.1)]));
        let squares: f64 = (&noisy.x - &clean.x).iter().map(|d| f64::from(*d).powi(2)).sum();
        // The mean of 6000 squares of variance 0.01 has the relative standard deviation √(2/6000) = 1.8 %; five of
        // them.
        assert!((squares / 6000.0 / 0.01 - 1.0).abs() < 0.092, "{squares}");
        assert_eq!([0, 1, 2].map(|class| clean.y.iter().filter(|y| **y == class).count()), [1000; 3]);
        assert_ne!(noisy.x, made(&[("noise", 0.1), ("seed", 1.0)]).x);
    }

    #[test]
    fn noise_beyond_f32_is_refused() {
        let noise = Parameters::new(SPEC.parameters, [("noise".to_owned(), Value::Number(1e300))]).unwrap();
        let error = make(&noise.or_defaults(SPEC.parameters)).unwrap_err().to_string();
        assert!(error.starts_with("`noise` 1"), "{error}");
    }
}
