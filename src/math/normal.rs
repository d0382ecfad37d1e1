//! Probabilities and quantiles of the standard normal distribution, accurate in the tails.

use std::f64::consts::{PI, SQRT_2};

use statrs::function::erf::erfc_inv;

/// P(`low` < X < `high`) = Φ(high) − Φ(low) of X ~ N(0, 1), for low ≤ high; either may be infinite.
///
/// Both probabilities are computed from the nearer tail, so that a difference of two small numbers is not lost next to
/// 1.
pub fn probability(low: f64, high: f64) -> f64 {
    if low > 0.0 {
        upper_tail(low) - upper_tail(high)
    } else if high < 0.0 {
        upper_tail(-high) - upper_tail(-low)
    } else {
        1.0 - upper_tail(-low) - upper_tail(high)
    }
}

/// x with Φ(x) = `p`, for p in 0..=1, to ten digits; ±infinity at 0 and 1.
pub fn quantile(p: f64) -> f64 {
    -SQRT_2 * erfc_inv(2.0 * p)
}

/// The x at which the two formulas of the tail are equally good.
const FAR: f64 = 2.5;
/// Terms of the continued fraction that f64 needs at this x.
const N_TERMS: u32 = 60;

/// P(X > x) for x ≥ 0, to an absolute 2·10⁻¹⁶ and, from x = 2.5 on, to a relative 10⁻¹⁴. (The `erfc` of statrs has eleven
/// digits.)
///
/// # Reference
/// Abramowitz & Stegun 1964, eqs 26.2.11 and 26.2.14.
fn upper_tail(x: f64) -> f64 {
    if x.is_infinite() {
        return 0.0;
    }
    let density = (-0.5 * x * x).exp() / (2.0 * PI).sqrt();
    if x < FAR {
        // ½ − φ(x) (x + x³/3 + x⁵/(3·5) + …)
        let (mut term, mut sum, mut odd) = (x, x, 1.0);
        while term > f64::EPSILON * 0.1 * sum {
            odd += 2.0;
            term *= x * x / odd;
            sum += term;
        }
        0.5 - density * sum
    } else {
        // φ(x)/(x + 1/(x + 2/(x + 3/(x + …))))
        density / (1..=N_TERMS).rev().fold(x, |below, k| x + f64::from(k) / below)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_an_independent_library() {
        // Python's math.erfc, which is the C library's.
        for (x, want) in TAILS {
            // Next to ½ the series has rounding errors of a few 1e−17. In exp(−x²/2) the rounding of x² matters, again
            // in Python's argument x/√2, and 60 divisions.
            let tolerance = if x < FAR { 2e-16 } else { want * (5e-15 + 3e-16 * x * x) };
            for got in [probability(x, f64::INFINITY), probability(f64::NEG_INFINITY, -x)] {
                assert!((got - want).abs() <= tolerance, "{x}: {got:e} is not {want:e}");
            }
        }
    }

    #[test]
    fn cells_add_up_to_one() {
        let edges: Vec<f64> = (-90..=90).map(|k| f64::from(k) / 10.0).collect();
        let inner: f64 = edges.windows(2).map(|pair| probability(pair[0], pair[1])).sum();
        let tails = probability(f64::NEG_INFINITY, -9.0) + probability(9.0, f64::INFINITY);
        // 180 differences of tails below ½, each with a rounding error of at most 1e−16.
        assert!((inner + tails - 1.0).abs() < 180.0 * 1.2e-16, "{}", inner + tails);
        assert_eq!(probability(f64::NEG_INFINITY, f64::INFINITY), 1.0);
        assert_eq!(probability(2.0, 2.0), 0.0);
    }

    #[test]
    fn quantiles_invert_probabilities_and_are_odd() {
        for p in [1e-7, 0.001, 0.3, 0.5, 0.75, 0.999] {
            let got = probability(f64::NEG_INFINITY, quantile(p));
            // Ten digits of x ≤ 5.2; d ln Φ/dx is below 5.4 there.
            assert!((got - p).abs() < 5.4 * 5.2e-10 * p, "{got} is not {p}");
        }
        assert_eq!(quantile(0.5), 0.0);
        // 97.5 % of the probability is below 1.959964 (tables).
        assert!((quantile(0.975) - 1.959_963_984_540_054).abs() < 2e-10);
        assert_eq!(quantile(0.25), -quantile(0.75));
        assert_eq!((quantile(0.0), quantile(1.0)), (f64::NEG_INFINITY, f64::INFINITY));
    }

    /// x and P(X > x).
    const TAILS: [(f64, f64); 10] = [
        (0.1, 0.460_172_162_722_971),
        (0.5, 0.308_537_538_725_986_9),
        (1.0, 0.158_655_253_931_457_07),
        (1.5, 0.066_807_201_268_858_09),
        (2.0, 0.022_750_131_948_179_22),
        (3.0, 0.001_349_898_031_630_095_7),
        (4.5, 3.397_673_124_730_061_5e-6),
        (6.0, 9.865_876_450_377_012e-10),
        (8.0, 6.220_960_574_271_819e-16),
        (9.0, 1.128_588_405_953_842_2e-19),
    ];
}
