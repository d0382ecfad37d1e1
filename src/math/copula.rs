//! Information of the Gaussian copula: that of two Gaussian variables with the correlations of the normal scores.

use ndarray::Array2;
use statrs::function::gamma::digamma;

use crate::math::determinant::{NotPositiveDefinite, cholesky, log_determinant_of_root};
use crate::math::gaussian::sample_covariance;
use crate::math::normal::quantile;
use crate::math::ranks::ranks;
use crate::units::Nats;

/// The normal scores Φ⁻¹(r/(N + 1)) of every coordinate, with r the rank of a value among the N values of the coordinate;
/// equal values have the mean of their ranks. `values` has rows of `n_dims` coordinates.
pub fn normal_scores(values: &[f64], n_dims: usize) -> Vec<f64> {
    let n = values.len() / n_dims;
    let mut scores = vec![0.0; values.len()];
    for dim in 0..n_dims {
        let column: Vec<f64> = values[dim..].iter().step_by(n_dims).copied().collect();
        let places = scores[dim..].iter_mut().step_by(n_dims);
        for (score, rank) in places.zip(ranks(&column)) {
            *score = quantile(rank / (n as f64 + 1.0));
        }
    }
    scores
}

/// I(A;B) = ½ ln (|C_a| |C_b| / |C_ab|) of Gaussian variables from N samples of `a` (`n_a` coordinates) and `b` (`n_b`),
/// bias-corrected; C are sample covariances. It may be negative.
///
/// The expected ln |C| of d coordinates is ln |Σ| + Σ_{i=1}^{d} ψ((N − i)/2) − d ln ((N − 1)/2), so the correction has no
/// bias for Gaussian variables.
///
/// # Errors
/// A covariance that is not positive definite: N is not above `n_a + n_b`, or coordinates depend linearly on each other.
///
/// # Reference
/// Ince et al. 2017, "A statistical framework for neuroimaging data analysis based on mutual information estimated via a
/// Gaussian copula", `gcmi_cc`; correction: Misra, Singh & Demchuk 2005.
pub fn information(a: &[f64], n_a: usize, b: &[f64], n_b: usize) -> Result<Nats, NotPositiveDefinite> {
    let n = a.len() / n_a;
    let joint: Vec<f64> = a.chunks_exact(n_a).zip(b.chunks_exact(n_b)).flat_map(|(a, b)| [a, b].concat()).collect();
    let covariance = sample_covariance(&joint, n_a + n_b);
    let part = |first: usize, n_dims: usize| {
        let covariance = Array2::from_shape_fn((n_dims, n_dims), |(i, j)| covariance[(first + i, first + j)]);
        half_log_determinant(&covariance, n)
    };
    Ok(Nats(part(0, n_a)? + part(n_a, n_b)? - part(0, n_a + n_b)?))
}

/// I(A;Y) = ½ ln |C| − ½ Σ_y p(y) ln |C_y| of a variable that is Gaussian within every class, bias-corrected: C is the
/// covariance of all samples of `a`, rows of `n_dims` coordinates, and C_y that of the samples of class y. It may be
/// negative.
///
/// # Errors
/// A covariance that is not positive definite: a class has at most `n_dims` samples, or coordinates depend linearly on each
/// other.
///
/// # Reference
/// Ince et al. 2017, `gcmi_model_cd`.
pub fn information_about_classes(a: &[f64], n_dims: usize, classes: &[u32]) -> Result<Nats, NotPositiveDefinite> {
    let n_classes = classes.iter().max().map_or(0, |class| *class as usize + 1);
    let mut by_class = vec![Vec::new(); n_classes];
    for (row, class) in a.chunks_exact(n_dims).zip(classes) {
        by_class[*class as usize].extend_from_slice(row);
    }
    let entropy = |values: &[f64]| {
        let n = values.len() / n_dims;
        Ok((n as f64, half_log_determinant(&sample_covariance(values, n_dims), n)?))
    };
    let (n, total) = entropy(a)?;
    let mut within = 0.0;
    for values in by_class.iter().filter(|values| !values.is_empty()) {
        let (n_y, h_y) = entropy(values)?;
        within += n_y / n * h_y;
    }
    Ok(Nats(total - within))
}

/// ½ ln |Σ| from a sample covariance of `n` samples, without bias for Gaussian samples.
fn half_log_determinant(covariance: &Array2<f64>, n: usize) -> Result<f64, NotPositiveDefinite> {
    let (n, n_dims) = (n as f64, covariance.nrows());
    let bias: f64 = (1..=n_dims).map(|i| digamma((n - i as f64) / 2.0) - ((n - 1.0) / 2.0).ln()).sum();
    let root = cholesky(covariance)?;
    let is_rounding = |i: &usize| root[(*i, *i)].powi(2) < SMALLEST_PIVOT * covariance[(*i, *i)];
    match (0..n_dims).find(is_rounding) {
        Some(row) => Err(NotPositiveDefinite { row }),
        None => Ok((log_determinant_of_root(&root) - bias) / 2.0),
    }
}

/// Share of the variance of a coordinate that the previous coordinates do not determine, below which it is a rounding error:
/// the correlation with them is then 1 − 5·10⁻¹³.
const SMALLEST_PIVOT: f64 = 1e-12;

#[cfg(test)]
mod tests {
    use super::*;

    /// The fractional part of i√m.
    fn fraction(i: usize, m: f64) -> f64 {
        (i as f64 * m.sqrt()).fract()
    }

    /// Rows of two coordinates, rows of one, and classes, of 60 samples.
    fn fixture() -> (Vec<f64>, Vec<f64>, Vec<u32>) {
        let a = (1..=60).flat_map(|i| [fraction(i, 2.0), fraction(i, 3.0).powi(2)]).collect();
        let b = (1..=60).map(|i| (fraction(i, 2.0) + fraction(i, 5.0) - 0.3 * fraction(i, 3.0)).exp()).collect();
        let classes = (1..=60).map(|i| (2.0 * fraction(i, 2.0) + fraction(i, 7.0)) as u32).collect();
        (a, b, classes)
    }

    #[track_caller]
    fn close(got: Result<Nats, NotPositiveDefinite>, want: f64) {
        // The quantile of the normal distribution has ten digits.
        let got = got.unwrap().0;
        assert!((got - want).abs() < 1e-9, "{got} is not {want}");
    }

    #[test]
    fn information_is_that_of_the_published_formula_in_numpy() {
        // Computed with scipy.stats.rankdata, scipy.stats.norm.ppf, numpy.linalg.slogdet and scipy.special.psi from the
        // formulas of Ince et al. 2017.
        let (a, b, classes) = fixture();
        let (a, b) = (normal_scores(&a, 2), normal_scores(&b, 1));
        close(information(&a, 2, &b, 1), 0.410_995_806_518_213_7);
        close(information(&b, 1, &a, 2), 0.410_995_806_518_213_7);
        close(information_about_classes(&a, 2, &classes), 0.419_653_925_687_147);
        close(information_about_classes(&b, 1, &classes), 0.106_880_816_774_361_4);
    }

    #[test]
    fn scores_depend_on_the_order_of_the_values_only() {
        // Φ⁻¹(1/4), Φ⁻¹(1/2) and Φ⁻¹(3/4) from tables; two equal values have rank 1.5 of 3: Φ⁻¹(3/8).
        let quartile = 0.674_489_750_196_082;
        let got = normal_scores(&[5.0, 1.0, -1.0, 1.0, 30.0, 7.0], 2);
        let want = [0.0, -0.318_639_363_964_375, -quartile, -0.318_639_363_964_375, quartile, quartile];
        assert!(got.iter().zip(want).all(|(got, want)| (got - want).abs() < 1e-9), "{got:?}");
    }

    #[test]
    fn what_has_no_covariance_is_refused() {
        let (a, b, _) = fixture();
        assert!(information(&a, 2, &a, 2).is_err(), "a copy");
        assert!(information(&a[..6], 2, &b[..3], 1).is_err(), "three samples of three coordinates");
        assert!(information_about_classes(&a[..8], 2, &[0, 0, 1, 1]).is_err(), "two samples of a class");
    }
}
