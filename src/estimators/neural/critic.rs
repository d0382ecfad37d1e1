//! A separable critic: the score of a and b is the scalar product of two networks, g(a)·h(b).

use ndarray::{Array2, ArrayView2};
use rand::rngs::ChaCha8Rng;

use super::{Cells, EstimateError, Points, Variable};
use crate::math::standardise::standardised_by;
use crate::math::tile::{TILE, add_gradients, affine, back_affine};
use crate::math::variational::{VariationalBound, differentiate};
use crate::nn::{Activation, Architecture, CustomTraining, Initial, Network, Optimiser, Output};

/// A variable as input of a network: the rows of a table, and the row of every sample.
pub(super) struct Input {
    table: Array2<f32>,
    row_of: Vec<usize>,
}

impl Input {
    /// Coordinates with mean 0 and standard deviation 1 over the samples `train`; for classes, one coordinate for each.
    pub(super) fn new(variable: &Variable<'_>, train: &[usize]) -> Self {
        match variable {
            Variable::Real(points) => Self { table: scaled(points, train), row_of: (0..points.n_samples()).collect() },
            Variable::Classes(cells) => {
                Self { table: one_hot(cells), row_of: cells.numbers().iter().map(|class| *class as usize).collect() }
            }
        }
    }

    fn rows(&self, batch: &[usize]) -> (ArrayView2<'_, f32>, Vec<usize>) {
        (self.table.view(), batch.iter().map(|sample| self.row_of[*sample]).collect())
    }
}

fn scaled(points: &Points<'_>, train: &[usize]) -> Array2<f32> {
    let values = standardised_by(points.values(), points.n_dims(), train);
    let values = values.into_iter().map(|value| value as f32).collect();
    Array2::from_shape_vec((points.n_samples(), points.n_dims()), values).expect("samples are complete")
}

/// √C for a class and 0 for the others: the mean square of a coordinate is 1 if the classes are equally frequent.
fn one_hot(cells: &Cells) -> Array2<f32> {
    Array2::from_diag_elem(cells.n_cells(), (cells.n_cells() as f32).sqrt())
}

/// Number of coordinates of g and h: a score can be a sum of as many products of functions of a and of b.
const N_FEATURES: usize = 16;
const HIDDEN: &[usize] = &[64];

/// The networks g and h in training.
#[derive(Debug)]
pub(super) struct Critic {
    g: CustomTraining,
    h: CustomTraining,
}

impl Critic {
    /// An untrained critic, whose scores are all 0.
    pub(super) fn new(a: &Input, b: &Input, rng: &mut ChaCha8Rng) -> Result<Self, EstimateError> {
        let hidden = Architecture::plain(HIDDEN, Activation::Silu, Initial::HeUniform);
        let architecture = Architecture { output: Output::Linear, output_initial: Initial::GlorotUniform, ..hidden };
        let mut network = |input: &Input| {
            Network::new(input.table.ncols(), &architecture, N_FEATURES, rng)
                .map_err(|problem| EstimateError::NoNetwork { problem: problem.to_string() })
        };
        let (g, mut h) = (network(a)?, network(b)?);
        h.clear_output_kernel();
        Ok(Self { g: CustomTraining::new(g, Optimiser::ADAM), h: CustomTraining::new(h, Optimiser::ADAM) })
    }

    /// The networks g and h.
    pub(super) fn networks(&self) -> [&Network; 2] {
        [self.g.network(), self.h.network()]
    }

    /// Continues from the weights of other networks g and h.
    pub(super) fn set_weights(&mut self, [g, h]: &[Network; 2]) {
        self.g.set_weights(g);
        self.h.set_weights(h);
    }

    /// S_ij = g(a_i)·h(b_j) for the samples of a batch, row-major.
    pub(super) fn scores(&mut self, a: &Input, b: &Input, batch: &[usize]) -> Vec<f64> {
        Features::new(self, a, b, batch).scores()
    }

    /// Makes one step of the optimiser to a larger bound for a batch.
    pub(super) fn update(
        &mut self,
        a: &Input,
        b: &Input,
        batch: &[usize],
        bound: VariationalBound,
        learning_rate: f32,
    ) {
        let features = Features::new(self, a, b, batch);
        let mut derivatives = features.scores();
        differentiate(bound, &mut derivatives, batch.len());
        // The optimiser minimises.
        derivatives.iter_mut().for_each(|derivative| *derivative = -*derivative);
        let (of_g, of_h) = features.derivatives(&derivatives);
        self.g.update(&of_g, learning_rate);
        self.h.update(&of_h, learning_rate);
    }
}

/// g(a_i) of a batch, sample by sample, and h(b_j), in tiles of samples that are stored unit by unit.
struct Features {
    g: Vec<f32>,
    h: Vec<Vec<f32>>,
    n: usize,
}

impl Features {
    fn new(critic: &mut Critic, a: &Input, b: &Input, batch: &[usize]) -> Self {
        let ((a, rows_a), (b, rows_b)) = (a.rows(batch), b.rows(batch));
        let tile = |rows: &[f32]| {
            let mut tile = vec![0.0; N_FEATURES * TILE];
            for (sample, row) in rows.chunks_exact(N_FEATURES).enumerate() {
                row.iter().enumerate().for_each(|(unit, value)| tile[unit * TILE + sample] = *value);
            }
            tile
        };
        Self {
            g: critic.g.forward(a, &rows_a).to_vec(),
            h: critic.h.forward(b, &rows_b).chunks(TILE * N_FEATURES).map(tile).collect(),
            n: batch.len(),
        }
    }

    /// g(a_i)·h(b_j), n × n: for a tile of b, a dense layer whose weights are the g(a_i).
    fn scores(&self) -> Vec<f64> {
        let n = self.n;
        let (mut scores, no_bias, mut of_tile) = (vec![0.0; n * n], vec![0.0; n], vec![0.0; n * TILE]);
        for (t, h) in self.h.iter().enumerate() {
            affine(&self.g, &no_bias, h, &mut of_tile);
            for (row, products) in scores.chunks_exact_mut(n).zip(of_tile.chunks_exact(TILE)) {
                row[t * TILE..].iter_mut().zip(products).for_each(|(score, product)| *score = f64::from(*product));
            }
        }
        scores
    }

    /// The derivatives with respect to g(a_i) and h(b_j), each n × [`N_FEATURES`], from those with respect to the scores.
    fn derivatives(&self, by_score: &[f64]) -> (Vec<f32>, Vec<f32>) {
        let n = self.n;
        let (mut of_g, mut of_h) = (vec![0.0; n * N_FEATURES], vec![0.0; n * N_FEATURES]);
        let (mut delta, mut of_bias, mut of_tile) = (vec![0.0; n * TILE], vec![0.0; n], vec![0.0; N_FEATURES * TILE]);
        for (t, h) in self.h.iter().enumerate() {
            delta.fill(0.0);
            for (delta, row) in delta.chunks_exact_mut(TILE).zip(by_score.chunks_exact(n)) {
                delta
                    .iter_mut()
                    .zip(&row[t * TILE..])
                    .for_each(|(delta, derivative)| *delta = normal_or_zero(*derivative));
            }
            add_gradients(h, &delta, &mut of_g, &mut of_bias);
            back_affine(&self.g, &delta, &mut of_tile);
            for (sample, row) in of_h[t * TILE * N_FEATURES..].chunks_exact_mut(N_FEATURES).take(TILE).enumerate() {
                row.iter_mut().enumerate().for_each(|(unit, value)| *value = of_tile[unit * TILE + sample]);
            }
        }
        (of_g, of_h)
    }
}

/// The value in f32. Numbers below 1e-38 become 0: processors compute with subnormal numbers many times more slowly.
fn normal_or_zero(value: f64) -> f32 {
    if value.abs() < f64::from(f32::MIN_POSITIVE) { 0.0 } else { value as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_and_their_derivatives_are_those_of_the_formulas() {
        // More than one tile, with padding.
        let n = 150;
        let value = |i: usize, k: usize, phase: f64| ((i * N_FEATURES + k) as f64 * 0.37 + phase).sin();
        let (g, h) = (|i, k| value(i, k, 0.0), |j, k| value(j, k, 1.0));
        let rows = |f: &dyn Fn(usize, usize) -> f64| -> Vec<f32> {
            (0..n * N_FEATURES).map(|p| f(p / N_FEATURES, p % N_FEATURES) as f32).collect()
        };
        let tile = |t: usize| {
            let of_place = |p: usize| {
                let (unit, sample) = (p / TILE, t * TILE + p % TILE);
                if sample < n { h(sample, unit) as f32 } else { 0.0 }
            };
            (0..N_FEATURES * TILE).map(of_place).collect()
        };
        let features = Features { g: rows(&g), h: (0..2).map(tile).collect(), n };
        // Sums of at most 150 products of size 1 in f32.
        let close = |got: f64, expected: f64| assert!((got - expected).abs() < 5e-5, "{got} is not {expected}");
        let sum = |terms: &dyn Fn(usize) -> f64, count: usize| (0..count).map(terms).sum::<f64>();
        for (place, score) in features.scores().into_iter().enumerate() {
            close(score, sum(&|k| g(place / n, k) * h(place % n, k), N_FEATURES));
        }
        let derivative = |i: usize, j: usize| ((i + 3 * j) as f64).cos() / 10.0;
        let by_score: Vec<f64> = (0..n * n).map(|place| derivative(place / n, place % n)).collect();
        let (of_g, of_h) = features.derivatives(&by_score);
        for place in 0..n * N_FEATURES {
            let (i, k) = (place / N_FEATURES, place % N_FEATURES);
            close(of_g[place].into(), sum(&|j| derivative(i, j) * h(j, k), n));
            close(of_h[place].into(), sum(&|j| derivative(j, i) * g(j, k), n));
        }
    }
}
