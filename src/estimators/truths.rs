//! Tests with distributions whose information is known.

#![cfg(test)]

use std::f64::consts::LN_2;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};

use super::{Estimate, LayerData, find};
use crate::parameter::{Parameters, Value};

/// The estimate of the estimator `name`, with `words` as parameters, for `t` and `y`.
fn estimate(name: &str, words: &[(&str, &str)], t: &[f32], n_units: usize, y: &[i32]) -> Estimate {
    let spec = find(name).unwrap();
    let given = words.iter().map(|(name, word)| ((*name).to_owned(), vec![Value::parse(word)])).collect();
    let estimator = (spec.build)(&Parameters::product(spec.parameters, given).unwrap()).unwrap();
    estimator.estimate(&LayerData::new(t, n_units, y).unwrap()).remove(0).unwrap()
}

/// I(X;T) in nats.
fn i_xt(estimate: Estimate) -> f64 {
    estimate.i_xt.unwrap().0
}

fn normal(n: usize, seed: u64) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..n).map(|_| StandardNormal.sample(&mut rng)).collect()
}

#[track_caller]
fn close(got: f64, expected: f64, tolerance: f64) {
    assert!((got - expected).abs() <= tolerance, "{got} is not {expected} to {tolerance}");
}

/// The corners of a cube of ±1: a mixture of Gaussians around them is equivalent to d independent BPSK channels.
fn cube(d: usize) -> Vec<f32> {
    (0..1_u32 << d).flat_map(|i| (0..d).map(move |bit| if i >> bit & 1 == 1 { 1.0 } else { -1.0 })).collect()
}

#[test]
fn bounds_enclose_the_information_of_a_channel_in_closed_form() {
    let bound = |d: usize, variance: &str, bound: &str| {
        let words = [("noise_variance", variance), ("bound", bound), ("precision", "f64")];
        let y: Vec<i32> = (0..1 << d).map(|i| i % 2).collect();
        estimate("kde", &words, &cube(d), d, &y)
    };
    // Entropies of S + Z on the 4-cube at σ = ½, in nats, from an independent computation: exact, and both bounds.
    let (lower, upper) = (bound(4, "0.25", "lower"), bound(4, "0.25", "upper"));
    close(lower.h_t.unwrap().0, 5.168_042_088_6, 1e-9);
    close(upper.h_t.unwrap().0, 5.674_412_507_3, 1e-9);
    let exact = 5.434_046_185_5;
    assert!(lower.h_t.unwrap().0 < exact && exact < upper.h_t.unwrap().0);
    // I of one BPSK channel in nats at σ² = 0.04, 0.25, 1, 4, by quadrature; the cube has d channels.
    let channel =
        [("0.04", 0.693_146_317_4), ("0.25", 0.632_720_193_7), ("1", 0.336_830_820_3), ("4", 0.111_421_482_2)];
    for d in [1, 3, 10] {
        for (variance, exact) in channel {
            let (lower, upper) = (i_xt(bound(d, variance, "lower")), i_xt(bound(d, variance, "upper")));
            let exact = exact * d as f64;
            assert!(lower <= exact + 1e-9 && exact - 1e-9 <= upper, "d {d}, v {variance}: {lower} {exact} {upper}");
        }
    }
}

#[test]
fn binned_saturation_of_one_unit_rises_and_falls_with_its_weight() {
    // X ~ N(0, 1), T = bin(tanh(wX)), 30 bins over [−1, 1]; H(T) in bits from the normal distribution function
    // (Saxe et al. 2018, Fig. 2C), and T = bin(ReLU(wX)) of width 1.
    let x = normal(200_000, 1);
    let y = vec![0; x.len()];
    let h_t = |words: &[(&str, &str)], t: Vec<f32>| i_xt(estimate("binning", words, &t, 1, &y)) / LN_2;
    // The standard deviation of −log2 p(t) is below 2.5 bits, that of its mean below 0.006; four standard deviations.
    for (w, expected) in [
        (0.1, 2.6445),
        (0.5, 4.6312),
        (0.85, 4.8992),
        (1.0, 4.8771),
        (2.0, 4.1573),
        (5.0, 2.7751),
        (10.0, 2.0442),
        (100.0, 1.1506),
    ] {
        let t = x.iter().map(|x| (w * x).tanh() as f32).collect();
        close(h_t(&[("n_edges", "31"), ("above", "last-bin")], t), expected, 0.024);
    }
    for (w, expected) in [(0.5, 0.1570), (1.0, 0.7328), (2.0, 1.4424), (5.0, 2.3521), (10.0, 2.9797), (100.0, 4.8119)] {
        let t = x.iter().map(|x| (w * x).max(0.0) as f32).collect();
        close(h_t(&[("bin_width", "1")], t), expected, 0.024);
    }
}

#[test]
fn gaussian_information_is_that_of_the_covariance() {
    // T = (a, a + b, b + c), unit variances: Σ = [[1,1,0],[1,2,1],[0,1,2]], with noise of variance ½.
    let (n, normal) = (20_000, normal(60_000, 2));
    let t: Vec<f32> = normal.chunks(3).flat_map(|z| [z[0], z[0] + z[1], z[1] + z[2]]).map(|t| t as f32).collect();
    let y = vec![0; n];
    let got = estimate("gaussian", &[("noise_variance", "0.5")], &t, 3, &y);
    // |Σ + I/2| = 1.5 (2.5² − 1) − 2.5 = 5.375; |I/2| = 1/8.
    // The standard deviation of ½ ln |Σ̂| is at most √(d/2n) = 0.0087; four standard deviations.
    close(i_xt(got), 0.5 * (5.375_f64 * 8.0).ln(), 0.035);
}

#[test]
fn a_noisy_copy_of_the_label_knows_as_much_as_the_channel_lets_through() {
    // A binary symmetric channel of error 0.1: 1 − h(0.1) bits.
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let y: Vec<i32> = (0..40_000).map(|_| rng.random_range(0..2)).collect();
    let t: Vec<f32> = y.iter().map(|y| if rng.random_bool(0.1) { 1 - y } else { *y } as f32).collect();
    for (name, words) in [("binning", vec![("bin_width", "0.5")]), ("quantised", vec![("bits", "1")])] {
        // The standard deviation of the pointwise information is 0.95 bits, that of its mean 0.005; four standard
        // deviations.
        close(estimate(name, &words, &t, 1, &y).i_ty.bits(), 0.531_004_406_4, 0.02);
    }
}

#[test]
fn neighbours_find_the_entropy_of_a_density_and_what_a_noisy_sign_says_of_the_sign() {
    // T = S + Z, S = ±1 the label, Z ~ N(0, 1): h(T) and I(T;S) by quadrature, as above.
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let y: Vec<i32> = (0..4000).map(|_| rng.random_range(0..2)).collect();
    let t: Vec<f32> = y.iter().zip(normal(4000, 6)).map(|(y, z)| (f64::from(2 * y - 1) + z) as f32).collect();
    let got = estimate("kozachenko-leonenko", &[], &t, 1, &y);
    // −ln p(t) has a variance of about ½, ln of the content of a ball ψ′(2) = 0.645: five times √(1.145/4000).
    close(got.h_t.unwrap().0, 1.755_769_355_9, 0.085);
    // Both entropies have nearly the same neighbours; in SciPy the standard deviation for 60 samples is 0.014; five of
    // them.
    close(got.i_ty.0, 0.336_830_820_3, 0.07);
    assert!(got.i_xt.is_none() && got.h_t_given_x.is_none() && got.i_xt_ceiling.is_none());
}

#[test]
fn corrections_remove_most_of_the_bias_of_a_uniform_code() {
    // 64 equally likely values, 256 samples: the plug-in entropy is too low by (64 − 1)/512 = 0.123 nats on average.
    let (k, n, repeats) = (64, 256, 200);
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let samples: Vec<Vec<f32>> =
        (0..repeats).map(|_| (0..n).map(|_| rng.random_range(0..k) as f32).collect()).collect();
    let mean_bias = |bias: &str| {
        let words = [("bin_width", "1"), ("bias", bias)];
        let of = |t: &Vec<f32>| i_xt(estimate("binning", &words, t, 1, &vec![0; n]));
        samples.iter().map(of).sum::<f64>() / repeats as f64 - f64::from(k).ln()
    };
    // The standard deviation of one entropy is 0.022, of the mean of 200 of them 0.0015; next-order terms of the bias
    // are about 0.01.
    close(mean_bias("plug-in"), -0.123, 0.02);
    close(mean_bias("miller-madow"), 0.0, 0.015);
    close(mean_bias("jackknife"), 0.0, 0.015);
}
