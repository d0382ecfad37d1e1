//! The input of the smallest network that compresses: quantiles of one Gaussian variable.
//!
//! x_i = Φ⁻¹((i + ½)/n), without random numbers; the label is 1 if x is above 0, the target is x.
//!
//! # Reference
//! Saxe et al. 2018, "On the information bottleneck theory of deep learning", Fig. 2.

use ndarray::Array2;

use super::{Dataset, Source, Spec};
use crate::math::normal::quantile;
use crate::parameter::{Kind, Parameter, ParameterError, Parameters};

pub(super) const SPEC: Spec = Spec {
    name: "minimal-model",
    summary: "one input whose values are quantiles of a Gaussian; the target is the input, and y is 1 if the input is above 0 (Saxe et al. 2018, Fig. 2)",
    parameters: &[Parameter {
        name: "n_samples",
        doc: "number of samples",
        kind: Kind::Count { min: 2, max: 10_000_000 },
        default: "4096",
    }],
    source: Source::Rule(make),
};

fn make(parameters: &Parameters) -> Result<Dataset, ParameterError> {
    let n = parameters.count("n_samples").expect("it has a default");
    let x: Vec<f32> = (0..n).map(|i| quantile((i as f64 + 0.5) / n as f64) as f32).collect();
    let y = x.iter().map(|x| i32::from(*x > 0.0)).collect();
    let x = Array2::from_shape_vec((n, 1), x).expect("one input a sample");
    Ok(Dataset { target: Some(x.clone()), x, y, p_y1: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::minimal_model::{Bins, Curve, i_xt};
    use crate::math::normal::probability;
    use crate::parameter::Value;

    fn made(n: u64) -> Dataset {
        make(&Parameters::new(SPEC.parameters, [("n_samples".to_owned(), Value::Count(n))]).unwrap()).unwrap()
    }

    #[test]
    fn points_are_quantiles_of_a_standard_normal_distribution() {
        let made = made(4096);
        assert_eq!((made.x.dim(), made.target.as_ref()), ((4096, 1), Some(&made.x)));
        for (i, x) in made.x.iter().enumerate() {
            // f32 and a density below 0.4.
            let p = probability(f64::NEG_INFINITY, f64::from(*x));
            assert!((p - (i as f64 + 0.5) / 4096.0).abs() < 0.4 * 2.4e-7 * f64::from(x.abs()).max(1e-3), "{i}: {x}");
        }
        assert!(made.x.iter().zip(&made.y).all(|(x, y)| (*x > 0.0) == (*y == 1)));
        assert_eq!(made.y.iter().sum::<i32>(), 2048);
    }

    #[test]
    fn the_middle_input_of_an_odd_number_is_0_with_label_0() {
        let made = made(5);
        assert_eq!((made.x[[2, 0]], made.y), (0.0, vec![0, 0, 0, 1, 1]));
    }

    #[test]
    fn exact_information_agrees_with_enumeration() {
        // Saxe et al. 2018, Fig. 2C at w = 2: 30 counts, each accurate to one.
        let made = made(1 << 16);
        let mut counts = [0.0_f64; 30];
        for x in &made.x {
            let t = f64::from(2.0 * x).tanh();
            counts[(((t + 1.0) * 15.0) as usize).min(29)] += 1.0;
        }
        let n = 65536.0;
        let counted: f64 = counts.iter().filter(|c| **c > 0.0).map(|c| -c / n * (c / n).log2()).sum();
        let exact = i_xt(2.0, Curve::named("tanh").unwrap(), Bins::Equal(30)).unwrap().bits();
        assert!((counted - exact).abs() < 32.0 * 16.0 / n, "{counted}, exactly {exact}");
    }
}
