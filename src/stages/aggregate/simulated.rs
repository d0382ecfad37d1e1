//! Verdicts on simulated networks whose compression is known: how often they are wrong, and how often the interval contains the true value.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::phases::{Context, LayerHistory, SnapshotValues, phases};
use super::verdict::{LayerChecks, MinimumEffect};
use crate::estimate_id::EstimateId;
use crate::layer_id::LayerId;
use crate::store::schema::{CheckRow, CompressionRow};
use crate::store::{CheckVerdict, CompressionVerdict};

const N_SNAPSHOTS: usize = 24;

/// Mean I(X;T) over the training in bits: it rises to 3 and, in the last third, falls by `fall`.
fn course(fall: f64) -> Vec<f64> {
    let rise = |place: usize| 3.0 * (place.min(6) as f64 / 6.0);
    (0..N_SNAPSHOTS).map(|place| rise(place) - if place < 16 { 0.0 } else { fall }).collect()
}

/// A standard normal deviate, nearly: the sum of twelve uniform ones.
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0
}

/// The result for `n_runs` networks with these means, with normal noise of 0.1 bits on each number.
fn networks(
    means: &[f64],
    n_runs: usize,
    checks: &BTreeMap<LayerId, LayerChecks>,
    rng: &mut ChaCha8Rng,
) -> CompressionRow {
    let mut network = |run: usize| {
        let snapshot = |(place, mean): (usize, &f64)| SnapshotValues {
            epoch: place as i32,
            step: place as i64,
            i_xt: Some(mean + 0.1 * normal(rng)),
            i_ty: Some(0.5),
            i_xt_ceiling: Some(12.0),
            n_codes: 100,
            snr: None,
        };
        let snapshots = means.iter().enumerate().map(snapshot).collect();
        LayerHistory { run: format!("r{run:04}"), layer: LayerId::FIRST, layer_name: None, snapshots, failure: None }
    };
    let histories: Vec<LayerHistory> = (0..n_runs).map(&mut network).collect();
    let context = Context {
        experiment: "simulated",
        estimator: &Arc::new(EstimateId::of_table("binning-n-edges-30")),
        quantity: None,
        checks: Some(checks),
        minimum: MinimumEffect::default(),
    };
    phases(&context, &histories).1.remove(0)
}

/// Shares of `n` simulations: verdict `compresses`, and intervals that contain `truth`.
fn shares(fall: f64, n_runs: usize, checks: &BTreeMap<LayerId, LayerChecks>, n: usize) -> (f64, f64) {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (mut n_compressing, mut n_covered) = (0, 0);
    for _ in 0..n {
        let row = networks(&course(fall), n_runs, checks, &mut rng);
        n_compressing += usize::from(row.verdict == CompressionVerdict::Compresses);
        // No interval: all fall by exactly 0, because I(X;T) is largest at the end.
        let interval = row.compression_bits_low.zip(row.compression_bits_high);
        let contains = |(low, high)| low <= fall && fall <= high;
        n_covered += usize::from(interval.map_or(row.compression_bits_mean == Some(fall), contains));
    }
    (n_compressing as f64 / n as f64, n_covered as f64 / n as f64)
}

/// A check found in all of ten networks at a snapshot of layer 1.
fn found(check: &str, step: i64, verdict: CheckVerdict) -> BTreeMap<LayerId, LayerChecks> {
    let mut checks = LayerChecks::default();
    checks.add(&CheckRow {
        estimator: Arc::new(EstimateId::of_table("binning-n-edges-30")),
        layer: LayerId::FIRST,
        layer_name: None,
        epoch: step as i32,
        step,
        check: check.to_owned(),
        verdict,
        n_runs: 10,
        n_found: 10,
        n_violated: Some(if verdict == CheckVerdict::Violated { 10 } else { 0 }),
        value: None,
        bound: None,
        says: String::new(),
        quantity: None,
    });
    BTreeMap::from([(LayerId::FIRST, checks)])
}

#[test]
fn noise_rarely_compresses_and_intervals_contain_the_truth() {
    let unfound = BTreeMap::new();
    for n_runs in [3, 6, 20] {
        // Wanted are 93 to 97 %. A share of two thousand simulations is uncertain by 0.5 %; two of these.
        let (false_positives, coverage) = shares(0.0, n_runs, &unfound, 2000);
        assert!(false_positives <= 0.05, "{n_runs} networks of noise: {false_positives}");
        assert!((0.92..=0.98).contains(&coverage), "{n_runs} networks of noise: {coverage}");
        let (found, coverage) = shares(0.3, n_runs, &unfound, 2000);
        assert!((0.92..=0.98).contains(&coverage), "{n_runs} networks that compress: {coverage}");
        assert!(found > if n_runs < 6 { 0.2 } else { 0.9 }, "{n_runs} networks that compress: {found}");
    }
}

#[test]
fn what_checks_object_to_never_compresses() {
    for checks in [
        found("saturation", N_SNAPSHOTS as i64 - 1, CheckVerdict::Warning),
        found("fano", N_SNAPSHOTS as i64 - 1, CheckVerdict::Violated),
    ] {
        for n_runs in [3, 6, 20] {
            assert_eq!(shares(0.3, n_runs, &checks, 200).0, 0.0);
        }
    }
}
