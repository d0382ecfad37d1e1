//! Integrals of smooth functions of one variable.

/// Nodes and weights of the Gauss-Legendre rule with 8 points on [−1, 1]; the other half is the mirror image.
///
/// # Reference
/// Abramowitz & Stegun 1964, table 25.4.
#[allow(clippy::excessive_precision, reason = "all digits of the source")]
const GAUSS_LEGENDRE: [(f64, f64); 4] = [
    (0.183_434_642_495_649_805, 0.362_683_783_378_361_983),
    (0.525_532_409_916_328_986, 0.313_706_645_877_887_287),
    (0.796_666_477_413_626_740, 0.222_381_034_453_374_471),
    (0.960_289_856_497_536_232, 0.101_228_536_290_376_259),
];

/// ∫ f from `low` to `high`, in `n_panels` equal panels of 8 points: exact for polynomials of degree 15 in each.
pub fn integrate(low: f64, high: f64, n_panels: usize, f: impl Fn(f64) -> f64) -> f64 {
    let half = (high - low) / (2.0 * n_panels as f64);
    let mut sum = 0.0;
    for panel in 0..n_panels {
        let middle = low + half * (2 * panel + 1) as f64;
        for (node, weight) in GAUSS_LEGENDRE {
            sum += weight * (f(middle - half * node) + f(middle + half * node));
        }
    }
    half * sum
}

/// Step in ln|w| of [`nodes_on_both_sides`].
const STEP: f64 = 0.06;

/// Nodes w and weights for ∫ f(w) dw over the real line if f falls at least as fast as exp(−w²/2s²), with s = `scale`,
/// and may have a narrow peak or ridge at 0: the trapezoidal rule in ln|w|, from e⁻⁴⁰ s to 10 s.
///
/// Its error decreases exponentially with 1/step: below e⁻⁴⁰ for exp(−w⁴), e⁻²⁷ for exp(−w⁶).
pub fn nodes_on_both_sides(scale: f64) -> Vec<(f64, f64)> {
    let n = ((40.0 + 10.0_f64.ln()) / STEP) as i32;
    let mut nodes = Vec::new();
    for k in 0..=n {
        let w = 10.0 * scale * (-STEP * f64::from(k)).exp();
        nodes.extend([(w, w * STEP), (-w, w * STEP)]);
    }
    nodes
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    #[test]
    fn polynomials_and_gaussians_are_integrated_exactly() {
        // x¹⁵ + x¹⁴ over [−1, 1] is 2/15.
        let sum = integrate(-1.0, 1.0, 1, |x| x.powi(15) + x.powi(14));
        assert!((sum - 2.0 / 15.0).abs() < 1e-15, "{sum}");
        assert!((integrate(0.0, 30.0, 60, |x| (-x).exp()) - 1.0).abs() < 1e-13);
    }

    #[test]
    fn narrow_peaks_at_zero_are_seen() {
        for width in [1.0, 1e-6] {
            let sum: f64 =
                nodes_on_both_sides(1.0).iter().map(|(w, share)| share * (-0.5 * (w / width).powi(2)).exp()).sum();
            // The part below e⁻⁴⁰ is a share 4e−18/width of the peak.
            assert!((sum / (width * (2.0 * PI).sqrt()) - 1.0).abs() < 1e-11, "{width}: {sum}");
        }
    }
}
