//! The loss of the samples of the next update, before the update.

use super::loss::Output;
use super::operation::Phase;
use super::training::Training;
use crate::math::tile::TILE;

impl Training<'_> {
    /// The number of samples of the next update, and their mean loss in inference before it.
    pub fn next_loss(&mut self, output: Output) -> (usize, f64) {
        self.begin_epoch();
        let batch = (self.step % self.steps_per_epoch()) as usize;
        self.seek_draws(self.step);
        self.network.begin_batch(&mut self.work);
        let n_outputs = self.samples.targets.n_outputs();
        let (last, mut total) = (self.network.layers().len() - 1, 0.0);
        let (mut z, mut y) = (vec![0.0; n_outputs], vec![0.0; n_outputs]);
        for tile in self.batches.tiles(batch) {
            self.network.forward(&[tile], &mut self.work, Phase::Inference, &mut self.streams.draws);
            let sums = self.work.z(0, last);
            for sample in 0..tile.n_valid {
                for unit in 0..n_outputs {
                    z[unit] = f64::from(sums[unit * TILE + sample]);
                    y[unit] = f64::from(tile.targets[unit * TILE + sample]);
                }
                total += self.settings.loss.of_sample(output, &z, &y);
            }
        }
        let n_samples = self.batches.n_samples(batch);
        (n_samples, total / n_samples as f64)
    }
}
