//! Histograms of the activations of the first run for each layer, at snapshots that are evenly spaced over the logarithm of the epoch.

use crate::estimate_id::Values;
use crate::layer_id::LayerId;
use crate::plots::Histogram;
use crate::store::{ActivationReader, Experiment, LayerNames, RecordedRun, Recording, StoreError};

/// At most this many snapshots of a layer.
const SNAPSHOTS: usize = 60;
/// Number of bins over the range of a layer in these snapshots.
const BINS: usize = 60;

/// The first run of a recording and its layers, if their activations still exist: they are large, and users may delete them after the
/// estimates are made.
pub(super) fn first_run(recording: &Recording) -> Option<(&RecordedRun, Vec<LayerId>)> {
    let run = recording.runs().first()?;
    let layers: Vec<LayerId> = run.layers(Values::Activations.table()).into_iter().collect();
    let is_there =
        |layer: &LayerId| run.parts(Values::Activations.table(), Some(*layer)).iter().all(|path| path.exists());
    layers.iter().all(is_there).then_some((run, layers))
}

/// The histograms of all layers; none if the activations do not exist.
///
/// # Errors
/// A file of the recording has changed since it was written.
pub(super) fn of(experiment: &Experiment) -> Result<Vec<Histogram>, StoreError> {
    let recording = Recording::find(experiment)?;
    let Some((run, layers)) = first_run(&recording) else { return Ok(Vec::new()) };
    let names = LayerNames::read(experiment, &recording)?;
    let mut histograms = Vec::new();
    for layer in layers {
        run.verify(Values::Activations.table(), Some(layer))?;
        let of_layer = of_layer(&run.activations(Values::Activations, layer)?, layer)?;
        let named = of_layer.into_iter().map(|histogram| Histogram { layer_name: names.get(layer), ..histogram });
        histograms.extend(named);
    }
    Ok(histograms)
}

/// Reads every snapshot twice, because the range of all snapshots must be known before values are counted.
fn of_layer(reader: &ActivationReader, layer: LayerId) -> Result<Vec<Histogram>, StoreError> {
    let recorded: Vec<(i32, i64)> = reader.snapshots().collect();
    let snapshots = spread(&recorded);
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for snapshot in &snapshots {
        for value in finite(&reader.read(*snapshot)?.t) {
            (low, high) = (low.min(value), high.max(value));
        }
    }
    if low > high {
        return Ok(Vec::new());
    }
    if low == high {
        (low, high) = (low - 0.5, high + 0.5); // all values are equal
    }
    let histogram = |snapshot: &usize| {
        let shares = shares(&reader.read(*snapshot)?.t, low, high);
        let (epoch, step) = recorded[*snapshot];
        Ok(Histogram { layer, layer_name: None, epoch, step, low, high, shares })
    };
    snapshots.iter().map(histogram).collect()
}

fn finite(values: &[f32]) -> impl Iterator<Item = f64> + '_ {
    values.iter().filter(|value| value.is_finite()).map(|value| f64::from(*value))
}

/// Shares of the finite values in bins from `low` to `high`; `high` is in the last one.
fn shares(values: &[f32], low: f64, high: f64) -> Vec<f64> {
    let mut counts = vec![0_u64; BINS];
    for value in finite(values) {
        let bin = ((value - low) / (high - low) * BINS as f64) as usize;
        counts[bin.min(BINS - 1)] += 1;
    }
    let n: u64 = counts.iter().sum();
    counts.iter().map(|count| *count as f64 / n.max(1) as f64).collect()
}

/// Indices of at most [`SNAPSHOTS`] of the `recorded` snapshots (epoch, step), ascending, with the first and the last.
fn spread(recorded: &[(i32, i64)]) -> Vec<usize> {
    if recorded.len() <= SNAPSHOTS {
        return (0..recorded.len()).collect();
    }
    let step = |snapshot: usize| recorded[snapshot].1.max(0) as f64;
    // The unit of time is the first snapshot after the start, for example an epoch; 1 is added so that step 0 has a logarithm.
    let unit = (0..recorded.len()).map(step).find(|step| *step > 0.0).unwrap_or(1.0);
    let place = |snapshot: usize| (1.0 + step(snapshot) / unit).ln();
    let (first, last) = (place(0), place(recorded.len() - 1));
    let nearest = |target: f64| {
        (0..recorded.len()).min_by(|a, b| distance(*a, target, place).total_cmp(&distance(*b, target, place)))
    };
    let target = |i: usize| first + (last - first) * i as f64 / (SNAPSHOTS - 1) as f64;
    let mut chosen: Vec<usize> = (0..SNAPSHOTS).filter_map(|i| nearest(target(i))).collect();
    chosen.dedup();
    chosen
}

fn distance(snapshot: usize, target: f64, place: impl Fn(usize) -> f64) -> f64 {
    (place(snapshot) - target).abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_sum_to_one_and_the_ends_are_in_the_outer_bins() {
        let shares = shares(&[-1.0, -0.99, 0.0, 1.0, f32::NAN], -1.0, 1.0);
        assert_eq!((shares.len(), shares[0], shares[BINS / 2], shares[BINS - 1]), (BINS, 0.5, 0.25, 0.25));
    }

    #[test]
    fn snapshots_are_few_and_keep_the_ends() {
        let recorded: Vec<(i32, i64)> = (0..10_000).map(|epoch| (epoch, 3 * i64::from(epoch))).collect();
        let chosen = spread(&recorded);
        assert!(chosen.len() <= SNAPSHOTS && chosen.len() > SNAPSHOTS / 2, "{}", chosen.len());
        assert_eq!((chosen[0], chosen[chosen.len() - 1]), (0, 9999));
        assert!(chosen.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(spread(&[(0, 0), (0, 1), (1, 3), (5, 15)]), [0, 1, 2, 3]);
        assert_eq!(spread(&[]), Vec::<usize>::new());
    }
}
