//! Permutations of the samples for permutation nulls: equal on every machine, in every run, for every layer.

use std::borrow::Cow;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

use crate::math::atoms::Cells;

/// Key of the generator, derived from its purpose; it determines the permutation nulls of all outputs and must not
/// change.
const SEED: u64 = u64::from_be_bytes(*b"shuffled");

/// Permutations of 0..n. Permutation p depends only on p and n: it is the Fisher-Yates shuffle of 0..n with stream p of
/// ChaCha8 with a constant key.
#[derive(Debug, Clone)]
pub struct Shuffles {
    permutations: Vec<Vec<u32>>,
}

impl Shuffles {
    /// The first `n_permutations` permutations of 0..`n`.
    pub fn new(n_permutations: u64, n: u32) -> Self {
        let permutation = |p: u64| {
            let mut rng = ChaCha8Rng::seed_from_u64(SEED);
            rng.set_stream(p);
            let mut permutation: Vec<u32> = (0..n).collect();
            permutation.shuffle(&mut rng);
            permutation
        };
        Self { permutations: (0..n_permutations).map(permutation).collect() }
    }

    /// The permutations, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u32]> {
        self.permutations.iter().map(Vec::as_slice)
    }
}

/// Shuffles of rows that keep the rows of one sample together: permutations of the samples, stored once, and the sample
/// of every row.
#[derive(Debug, Clone)]
pub struct SampleShuffles {
    of_samples: Shuffles,
    rows: SampleRows,
}

/// The sample of every row.
#[derive(Debug, Clone)]
enum SampleRows {
    /// Every row is the only one of its sample.
    Single,
    /// This number of rows per snapshot; every snapshot has the same samples in the same order.
    Repeated(usize),
    /// The sample of every row, and the first row of every sample.
    Mixed { sample_of: Vec<u32>, first: Vec<u32> },
}

impl SampleShuffles {
    /// `n` shuffles of rows; `samples` has the number of the sample of every row.
    pub fn new(samples: &[u32], n: usize) -> Self {
        let cells = Cells::of_rows(samples, 1);
        let n_samples = cells.n_cells();
        let of_samples = Shuffles::new(n as u64, n_samples as u32);
        let is_whole = samples.len().is_multiple_of(n_samples);
        let is_repeated = is_whole && (0..samples.len()).all(|row| samples[row] == samples[row % n_samples]);
        let rows = if n_samples == samples.len() {
            SampleRows::Single
        } else if is_repeated {
            SampleRows::Repeated(samples.len())
        } else {
            let mut first = vec![u32::MAX; n_samples];
            for (row, sample) in cells.numbers().iter().enumerate() {
                first[*sample as usize] = first[*sample as usize].min(row as u32);
            }
            SampleRows::Mixed { sample_of: cells.numbers().to_vec(), first }
        };
        Self { of_samples, rows }
    }

    /// For each shuffle and row, the row whose label it gets.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Cow<'_, [u32]>> {
        self.of_samples.iter().map(|order| match &self.rows {
            SampleRows::Single => Cow::Borrowed(order),
            SampleRows::Repeated(n_rows) => {
                let snapshots = (0..*n_rows as u32).step_by(order.len());
                Cow::Owned(snapshots.flat_map(|first| order.iter().map(move |sample| first + sample)).collect())
            }
            SampleRows::Mixed { sample_of, first } => {
                Cow::Owned(sample_of.iter().map(|sample| first[order[*sample as usize] as usize]).collect())
            }
        })
    }

    /// Whether a shuffle is a permutation of rows within their snapshots, so that it can be applied to the rows of
    /// another layer.
    pub fn keeps_snapshots(&self) -> bool {
        !matches!(self.rows, SampleRows::Mixed { .. })
    }

    /// The permutations of the rows, if every row is the only one of its sample.
    pub fn of_rows(&self) -> Option<&Shuffles> {
        matches!(self.rows, SampleRows::Single).then_some(&self.of_samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_a_permutation_and_no_two_are_the_same() {
        let shuffles = Shuffles::new(5, 1000);
        let identity: Vec<u32> = (0..1000).collect();
        let mut all: Vec<&[u32]> = shuffles.iter().chain([identity.as_slice()]).collect();
        for permutation in &all {
            let mut sorted = permutation.to_vec();
            sorted.sort_unstable();
            assert_eq!(sorted, identity);
        }
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 6);
    }

    #[test]
    fn a_permutation_does_not_depend_on_how_many_are_asked_for() {
        assert_eq!(Shuffles::new(2, 50).iter().last(), Shuffles::new(9, 50).iter().nth(1));
    }

    /// Recorded at the first run: a change of the generator would change published permutation nulls.
    #[test]
    fn permutations_do_not_change_between_versions() {
        let shuffles = Shuffles::new(2, 8);
        let got: Vec<&[u32]> = shuffles.iter().collect();
        assert_eq!(got, [[0, 7, 5, 2, 6, 1, 3, 4], [1, 7, 4, 0, 5, 6, 3, 2]]);
    }

    #[test]
    fn every_sample_goes_everywhere() {
        // 6 permutations of 3; 6000 draws are Poisson with σ ≈ 29 (multinomial): five of them.
        let mut counts = std::collections::BTreeMap::<Vec<u32>, f64>::new();
        for permutation in Shuffles::new(6000, 3).iter() {
            *counts.entry(permutation.to_vec()).or_default() += 1.0;
        }
        assert_eq!(counts.len(), 6);
        assert!(counts.values().all(|count| (count - 1000.0).abs() < 5.0 * 29.0), "{counts:?}");
    }
}
