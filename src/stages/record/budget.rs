//! The number of runs that are recorded in parallel: one per core, if they fit into memory together.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::adaptive::LOOK_BACK_BYTES;
use crate::config::{Adaptive, Networks, When};
use crate::memory;

/// Number of f32 for each parameter: the parameter, its gradient and at most two moments of an optimiser.
const PER_PARAMETER: u128 = 4;

/// Additional number of f32 for each parameter and kind of gradient statistics: two f64.
const PER_GRADIENT: u128 = 4;

/// The numbers that the memory of a run depends on, in addition to its pipeline.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) n_inputs: usize,
    pub(super) n_outputs: usize,
    pub(super) n_samples: usize,
    /// Samples whose activations are recorded.
    pub(super) n_recorded: usize,
    pub(super) n_parameters: usize,
}

impl Size {
    /// Number of values of one snapshot in all layers above the input.
    pub(super) fn snapshot_values(self, networks: &Networks) -> u128 {
        let n_copies = if networks.record.pre_activations { 2 } else { 1 };
        let n_units: usize = networks.architecture.hidden.iter().map(|layer| layer.n_units).sum();
        n_copies * (n_units + self.n_outputs) as u128 * self.n_recorded as u128
    }

    /// The number of runs of `pipeline` that fit into memory together, at least 1.
    pub(super) fn n_at_once(self, networks: &Networks) -> usize {
        fitting(self.bytes_of_run(networks), memory::most_bytes())
    }

    /// The memory of a run in training, without small parts.
    fn bytes_of_run(self, networks: &Networks) -> u128 {
        let record = &networks.record;
        let snapshot = self.snapshot_values(networks);
        // The samples as tiles, to train on and to evaluate, and the weighted sums of the output.
        let tiles = (2 * (self.n_inputs + self.n_outputs) + self.n_outputs) as u128 * self.n_samples as u128;
        let per_parameter = PER_PARAMETER + PER_GRADIENT * record.gradients.len() as u128;
        // Values are there once as numbers and once encoded, until they are flushed.
        let numbers = 2 * snapshot + tiles + self.n_parameters as u128 * per_parameter;
        // Rows of weights wait in memory until their part is full.
        let waiting = if record.weights { u128::from(record.part_bytes) } else { 0 };
        let look_back = match record.when {
            When::Adaptive { method: Adaptive::Exact, .. } => u128::from(LOOK_BACK_BYTES),
            _ => 0,
        };
        numbers * size_of::<f32>() as u128 + waiting + look_back
    }
}

/// The number of runs with `bytes` each that fit into `memory` together. A run that needs more than `memory` is recorded alone.
fn fitting(bytes: u128, memory: u64) -> usize {
    usize::try_from(u128::from(memory) / bytes.max(1)).unwrap_or(usize::MAX).max(1)
}

/// The results of `work` for 0..`n`, in order; at most `n_at_once` run at the same time. No further work begins after an error.
pub(super) fn in_order<T: Send, E: Send>(
    n: usize,
    n_at_once: usize,
    work: impl Fn(usize) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let next = AtomicUsize::new(0);
    let worker = |_| {
        let mut done = Vec::new();
        loop {
            match next.fetch_add(1, Ordering::Relaxed) {
                index if index >= n => return Ok(done),
                index => done.push((index, work(index).inspect_err(|_| next.store(n, Ordering::Relaxed))?)),
            }
        }
    };
    let workers = (0..n_at_once.min(n)).into_par_iter().with_max_len(1).map(worker);
    let mut done: Vec<(usize, T)> = workers.collect::<Result<Vec<_>, E>>()?.into_iter().flatten().collect();
    done.sort_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_share_the_memory_and_one_is_always_recorded() {
        assert_eq!(fitting(1 << 30, 4 << 30), 4);
        assert_eq!(fitting((1 << 30) + 1, 4 << 30), 3);
        assert_eq!(fitting(1 << 40, 4 << 30), 1);
        assert!(fitting(0, 4 << 30) > 1000);
    }

    #[test]
    fn results_are_in_order_for_any_number_of_threads() {
        for n_at_once in [1, 2, 3, 100] {
            let (active, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let work = |index: usize| {
                most.fetch_max(1 + active.fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
                std::thread::sleep(std::time::Duration::from_millis(1));
                active.fetch_sub(1, Ordering::SeqCst);
                Ok::<_, ()>(index * index)
            };
            let pool = rayon::ThreadPoolBuilder::new().num_threads(8).build().unwrap();
            let results = pool.install(|| in_order(20, n_at_once, work)).unwrap();
            assert_eq!(results, (0..20).map(|index| index * index).collect::<Vec<_>>());
            assert!(most.into_inner() <= n_at_once);
        }
    }

    #[test]
    fn no_work_begins_after_an_error() {
        let n_begun = AtomicUsize::new(0);
        let work = |index: usize| {
            n_begun.fetch_add(1, Ordering::SeqCst);
            if index == 3 { Err(index) } else { Ok(()) }
        };
        assert_eq!(in_order(1000, 1, work), Err(3));
        assert_eq!(n_begun.into_inner(), 4);
    }
}
