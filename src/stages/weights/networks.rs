//! The networks of a run, built from its recorded weights.

use std::path::PathBuf;

use super::super::StageError;
use super::super::recorded_weights::{Snapshots, parts_of};
use super::given::Given;
use crate::count::counted;
use crate::store::RecordedRun;
use crate::weights::{DenseLayer, DenseNetwork};

/// The snapshot of a network: epoch and step.
pub(super) type NetworkPlace = (i32, i64);

/// The recorded weights of one run.
pub(super) struct RunWeights<'a> {
    given: &'a Given,
    run: &'a RecordedRun,
    parts: Vec<Part>,
    places: Vec<NetworkPlace>,
    n_weights: usize,
}

/// The files of one part, one for each layer, and the snapshots of its networks.
struct Part {
    files: Vec<PathBuf>,
    places: Vec<NetworkPlace>,
}

impl<'a> RunWeights<'a> {
    /// Reads the list of snapshots; no weights are kept in memory.
    pub(super) fn open(given: &'a Given, run: usize) -> Result<Self, StageError> {
        let run = &given.recording.runs()[run];
        let (mut parts, mut n_weights) = (Vec::new(), 0);
        for files in parts_of(run)? {
            let snapshots = Snapshots::read(&files, run, given.n_inputs)?;
            n_weights = snapshots.n_weights();
            parts.push(Part { files, places: snapshots.places });
        }
        let places = parts.iter().flat_map(|part| &part.places).copied().collect();
        Ok(Self { given, run, parts, places, n_weights })
    }

    /// The snapshots of its networks.
    pub(super) fn places(&self) -> &[NetworkPlace] {
        &self.places
    }

    /// The network before training, if it was recorded.
    pub(super) fn initial(&self) -> Result<Option<DenseNetwork>, StageError> {
        let untrained: Vec<NetworkPlace> = self.places.iter().copied().filter(|(_, step)| *step == 0).collect();
        Ok(self.at(&untrained)?.pop())
    }

    /// The networks of some snapshots, in the order of the recording.
    pub(super) fn at(&self, places: &[NetworkPlace]) -> Result<Vec<DenseNetwork>, StageError> {
        let mut found = Vec::new();
        self.for_each_part(places, |networks| {
            found.extend(networks.into_iter().map(|(_, network)| network));
            Ok(())
        })?;
        Ok(found)
    }

    /// Calls a function with the networks of the `wanted` snapshots, for each part of the recording: the networks of a part fit
    /// into memory together.
    pub(super) fn for_each_part(
        &self,
        wanted: &[NetworkPlace],
        mut work: impl FnMut(Vec<(NetworkPlace, DenseNetwork)>) -> Result<(), StageError>,
    ) -> Result<(), StageError> {
        for part in self.parts.iter().filter(|part| part.places.iter().any(|place| wanted.contains(place))) {
            let snapshots = Snapshots::read(&part.files, self.run, self.given.n_inputs)?;
            let network = |(index, place): (usize, &NetworkPlace)| {
                let layers: Vec<_> = snapshots.kernels(index).into_iter().zip(snapshots.biases(index)).collect();
                let activations = self.given.activations(layers.len())?;
                let layer = |((kernel, bias), activation)| DenseLayer { kernel, bias, activation };
                let network = DenseNetwork::new(layers.into_iter().zip(activations).map(layer).collect());
                let refused = |problem: String| StageError::Refused(format!("run {}: {problem}", self.run.id));
                Ok((*place, network.map_err(|e| refused(e.to_string()))?))
            };
            let chosen = snapshots.places.iter().enumerate().filter(|(_, place)| wanted.contains(place));
            work(chosen.map(network).collect::<Result<_, StageError>>()?)?;
        }
        Ok(())
    }
}

/// The snapshots that all `runs` have.
pub(super) fn shared(runs: &[RunWeights<'_>]) -> Vec<NetworkPlace> {
    let places = runs.first().map_or(&[][..], |run| run.places());
    let shared: Vec<NetworkPlace> =
        places.iter().copied().filter(|place| runs.iter().all(|run| run.places().contains(place))).collect();
    let most = runs.iter().map(|run| run.places().len()).max().unwrap_or(0);
    if shared.len() < most {
        let n = counted(most - shared.len(), "recorded snapshot");
        tracing::warn!("{n} left out, because not all runs that are measured together have them");
    }
    shared
}

/// `n` of the snapshots, evenly spaced in their order, including the first and the last; all snapshots if there are fewer.
pub(super) fn chosen(places: &[NetworkPlace], n: Option<usize>) -> Vec<NetworkPlace> {
    let last = places.len().saturating_sub(1);
    match n {
        Some(1) => places.last().copied().into_iter().collect(),
        Some(n) if n < places.len() => (0..n).map(|k| places[(k * last + (n - 1) / 2) / (n - 1)]).collect(),
        _ => places.to_vec(),
    }
}

/// The number of snapshots of all `runs` that are in memory together: 512 MB of weights.
pub(super) fn at_once(runs: &[RunWeights<'_>]) -> usize {
    const MOST_WEIGHTS: usize = 1 << 26;
    let n_weights: usize = runs.iter().map(|run| run.n_weights).sum();
    (MOST_WEIGHTS / n_weights.max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_snapshots_have_the_first_and_the_last_among_them() {
        let places: Vec<NetworkPlace> = (0..10).map(|k| (k, i64::from(k))).collect();
        let steps = |n| chosen(&places, Some(n)).iter().map(|(_, step)| *step).collect::<Vec<_>>();
        assert_eq!(steps(1), [9]);
        assert_eq!(steps(2), [0, 9]);
        assert_eq!(steps(4), [0, 3, 6, 9]);
        assert_eq!(steps(100).len(), 10);
        assert_eq!(chosen(&places, None).len(), 10);
        assert!(chosen(&[], Some(3)).is_empty());
    }
}
