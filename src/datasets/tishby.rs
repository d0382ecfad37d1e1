//! Tishby's task: 12 bits on the vertices of an icosahedron, with labels that are invariant under its rotations.
//!
//! The published labels (`var_u.mat`) are y = 1 if 23n + e₁ − 5e₂ − 8e₃ ≥ 99, with n the number of ones among the
//! bits and e₁, e₂, e₃ the numbers of pairs of ones that are adjacent, two edges apart, and opposite.
//!
//! # Reference
//! Shwartz-Ziv & Tishby 2017 (arXiv 1703.00810), §3.1, describe the rule as a threshold on a spherical power spectrum,
//! y ~ ψ(γ(f(x) − θ)); the integer form was found from the published labels and reproduces all 4096.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::bits::{INPUTS, patterns};
use super::{Dataset, Source, Spec};
use crate::parameter::{Kind, Parameter, ParameterError, Parameters};

pub(super) const SPEC: Spec = Spec {
    name: "tishby",
    summary: "all 4096 patterns of 12 bits, labelled by an icosahedrally symmetric rule (Shwartz-Ziv & Tishby 2017)",
    parameters: &[
        Parameter {
            name: "gamma",
            doc: "makes labels stochastic: p(y=1|x) = 1/(1+exp(-gamma (f-theta))), with f the value of the symmetric rule for the pattern, is stored in the column p_y1, and y is drawn from this probability [default: y is 1 if f is above theta]",
            kind: Kind::Positive,
            default: "",
        },
        Parameter {
            name: "theta",
            doc: "threshold on the value f of the symmetric rule [default: 98.5]",
            kind: Kind::Number,
            default: "",
        },
        Parameter {
            name: "seed",
            doc: "seed of the random labels, with gamma [default: 0]",
            kind: Kind::Count { min: 0, max: u64::MAX },
            default: "",
        },
        INPUTS,
    ],
    source: Source::Rule(make),
};

const N_BITS: usize = 12;
/// Between 98, the largest f of label 0, and 99, the smallest of label 1.
const THETA: f64 = 98.5;

/// The icosahedron: the bits adjacent to each bit, and the opposite bit. Bit 0 is the most significant.
const NEIGHBOURS: [[usize; 5]; N_BITS] = [
    [1, 3, 5, 10, 11],
    [0, 2, 3, 4, 11],
    [1, 3, 4, 8, 9],
    [0, 1, 2, 8, 10],
    [1, 2, 6, 9, 11],
    [0, 6, 7, 10, 11],
    [4, 5, 7, 9, 11],
    [5, 6, 8, 9, 10],
    [2, 3, 7, 9, 10],
    [2, 4, 6, 7, 8],
    [0, 3, 5, 7, 8],
    [0, 1, 4, 5, 6],
];
const OPPOSITE: [usize; N_BITS] = [9, 7, 5, 6, 10, 2, 3, 1, 11, 0, 4, 8];

fn make(parameters: &Parameters) -> Result<Dataset, ParameterError> {
    let theta = parameters.number("theta").unwrap_or(THETA);
    let x = patterns(N_BITS, parameters);
    let f: Vec<f64> = (0..1 << N_BITS).map(|pattern| f64::from(rule(pattern))).collect();
    let Some(gamma) = parameters.number("gamma") else {
        return Ok(Dataset { x, y: f.iter().map(|f| i32::from(*f > theta)).collect(), p_y1: None, target: None });
    };
    let p_y1: Vec<f64> = f.iter().map(|f| 1.0 / (1.0 + (-gamma * (f - theta)).exp())).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(parameters.count("seed").unwrap_or(0) as u64);
    let y = p_y1.iter().map(|p| i32::from(rng.random_bool(*p))).collect();
    Ok(Dataset { x, y, p_y1: Some(p_y1), target: None })
}

/// Row i of the table is the binary number i, most significant bit first.
fn is_one(pattern: usize, bit: usize) -> bool {
    (pattern >> (N_BITS - 1 - bit)) & 1 == 1
}

/// The distance of two different bits on the icosahedron: 1, 2 or 3 edges.
fn distance(a: usize, b: usize) -> usize {
    if NEIGHBOURS[a].contains(&b) {
        1
    } else if OPPOSITE[a] == b {
        3
    } else {
        2
    }
}

/// f = 23n + e₁ − 5e₂ − 8e₃.
fn rule(pattern: usize) -> i32 {
    const PAIR_WEIGHT: [i32; 4] = [0, 1, -5, -8];
    let ones: Vec<usize> = (0..N_BITS).filter(|bit| is_one(pattern, *bit)).collect();
    let mut f = 23 * ones.len() as i32;
    for (k, a) in ones.iter().enumerate() {
        for b in &ones[k + 1..] {
            f += PAIR_WEIGHT[distance(*a, *b)];
        }
    }
    f
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::entropy::entropy;
    use crate::parameter::Value;

    const LABELS_OF_VAR_U: u64 = 0x5659_d9f8_7f31_ddcd;

    fn hard() -> Dataset {
        make(&Parameters::default()).unwrap()
    }

    /// All permutations of the bits that preserve every distance.
    fn symmetries() -> Vec<Vec<usize>> {
        fn extend(partial: &mut Vec<usize>, found: &mut Vec<Vec<usize>>) {
            let bit = partial.len();
            if bit == N_BITS {
                found.push(partial.clone());
                return;
            }
            for image in (0..N_BITS).filter(|image| !partial.contains(image)).collect::<Vec<_>>() {
                if (0..bit).all(|other| distance(other, bit) == distance(partial[other], image)) {
                    partial.push(image);
                    extend(partial, found);
                    partial.pop();
                }
            }
        }
        let mut found = Vec::new();
        extend(&mut Vec::new(), &mut found);
        found
    }

    #[test]
    fn the_icosahedral_group_has_order_120_and_changes_no_label() {
        let (symmetries, y) = (symmetries(), hard().y);
        assert_eq!(symmetries.len(), 120);
        for symmetry in symmetries {
            for pattern in 0..1 << N_BITS {
                let image =
                    (0..N_BITS).filter(|bit| is_one(pattern, *bit)).map(|bit| 1 << (N_BITS - 1 - symmetry[bit]));
                assert_eq!(y[pattern], y[image.sum::<usize>()]);
            }
        }
    }

    #[test]
    fn labels_are_as_balanced_as_the_published_ones() {
        let y = hard().y;
        assert_eq!(y.iter().sum::<i32>(), 2118);
        let p = 2118.0 / 4096.0;
        // H(Y) of var_u.mat.
        assert!((entropy([p, 1.0 - p]).bits() - 0.999_157_120_850).abs() < 1e-12);
        // FNV-1a of the 4096 labels of var_u.mat in its order, computed from that file.
        let hash = y.iter().fold(0xcbf2_9ce4_8422_2325_u64, |h, y| (h ^ *y as u64).wrapping_mul(0x0100_0000_01b3));
        assert_eq!(hash, LABELS_OF_VAR_U);
        // Numbers of patterns with label 1 among those with 5 and with 6 ones in var_u.mat.
        let ones_of_weight = |n| (0..4096_u32).filter(|i| i.count_ones() == n && y[*i as usize] == 1).count();
        assert_eq!([4, 5, 6, 7].map(ones_of_weight), [0, 60, 532, 732]);
    }

    #[test]
    fn rows_are_binary_numbers_with_the_most_significant_bit_first() {
        let x = hard().x;
        assert_eq!(x.row(1).to_vec(), [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(x.row(2048)[0], 1.0);
    }

    #[test]
    fn stochastic_labels_follow_the_logistic_rule() {
        let gamma = Parameters::new(SPEC.parameters, [("gamma".to_owned(), Value::Number(0.5))]).unwrap();
        let soft = make(&gamma).unwrap();
        let p = soft.p_y1.as_ref().unwrap();
        assert!((p[0] - 1.0 / (1.0 + (0.5_f64 * 98.5).exp())).abs() < 1e-15);
        // The sum of the drawn labels has variance Σ p(1−p); five standard deviations.
        let (mean, variance) = p.iter().fold((0.0, 0.0), |(m, v), p| (m + p, v + p * (1.0 - p)));
        let n_ones = f64::from(soft.y.iter().sum::<i32>());
        assert!((n_ones - mean).abs() < 5.0 * variance.sqrt(), "{n_ones}, expected {mean}");
        assert_ne!(soft.y, hard().y);
        assert_eq!(soft, make(&gamma).unwrap());
    }
}
