//! The ensemble of seeds: how strongly data and training determine the weights, for networks that differ only in their
//! seed.
//!
//! The weights of R runs are R samples of W given the data; initial weights and the order of the samples are random.
//! Hidden units can be permuted, and some can be reflected or scaled, without changing the function: [`CanonicalForm`]
//! selects one network from each such orbit. For every single weight, before and after this, the measure reports the
//! entropy of its cell floor(w/δ) over the runs, at most log₂ R, and the divergence of the Gaussian with its mean and
//! variance from the initial distribution.
//!
//! Sums over weights are sums of entropies of single weights, not a joint entropy: the joint entropy of R different
//! networks is always log₂ R. If the initial distribution is invariant under the group G of such changes, and the
//! optimiser commutes with them, the joint entropy decreases by log₂ |G| at every epoch when networks are
//! canonicalised; only the marginals change.
//!
//! This measure is about the randomness of training, not about the data.

mod canonical;
mod marginals;
mod symmetry;
#[cfg(test)]
mod tests;

use std::ops::Range;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rayon::prelude::*;

pub use canonical::{CanonicalForm, MOST_BRANCH_WEIGHTS, MOST_BRANCHES};
pub use marginals::{WeightCells, WeightEntropy, drift_floor, gaussian_drift};
pub use symmetry::{GroupElement, UnitChange, UnitSymmetry, log2_group_order};

use super::{DenseNetwork, Ensemble, Measure, MeasureError, MeasureUnit, OfRuns, Quantity, Randomness, Reading, Spec};
use crate::layer_id::LayerId;
use crate::math::descriptive::{mean, population_variance};
use crate::parameter::{Kind, Parameter, ParameterError};
use crate::units::Nats;

pub(super) const SPEC: Spec = Spec {
    name: "ensemble",
    summary: "entropy of single weights over seeds, for networks as recorded and in canonical form (equal for symmetric copies), and drift from the initial weights",
    randomness: Randomness::Seed,
    quantities: &[
        Quantity::bits("entropy", "sum of the entropies of single weights in cells, over runs, in bits"),
        Quantity::bits(
            "entropy_miller_madow",
            "sum of the entropies of single weights over runs, with the Miller-Madow correction, in bits",
        ),
        Quantity::bits(
            "canonical_entropy",
            "sum of the entropies of single weights over runs, for the canonical forms of the networks, in bits",
        ),
        Quantity::bits("canonical_entropy_miller_madow", "canonical_entropy with the Miller-Madow correction, in bits"),
        Quantity::bits(
            "drift",
            "KL divergence of a Gaussian, fitted to each weight over runs, from the distribution of the initial weights, summed over the weights of the kernels, in bits",
        ),
        Quantity::bits(
            "canonical_drift",
            "drift for the canonical forms of the networks, summed over the weights of the kernels, in bits",
        ),
        Quantity::ratio("key_gap", "smallest difference that determined the order of two units in any run"),
        Quantity::ratio("sign_gap", "smallest weight that determined the sign of a unit in any run"),
        Quantity::bits("log2_symmetries", "logarithm of the number of symmetric copies of a network, in bits"),
    ],
    parameters: &[Parameter {
        name: "cell",
        doc: "width of the cells; weights in the same cell count as equal",
        kind: Kind::Positive,
        default: "0.25",
    }],
    build: |parameters| {
        let cell = parameters.number("cell").expect("cell has a default");
        Ok(Measure::OfRuns(Box::new(SeedEnsemble::with_cells(cell)?)))
    },
};

/// Key of the random generator of the null, derived from its purpose.
const SEED: u64 = u64::from_be_bytes(*b"symmetry");
/// Number of draws of the null; each has one group element per run.
const N_DRAWS: u64 = 16;
/// Number of runs below which readings report the small number.
const FEW_RUNS: usize = 8;

/// Entropy and drift of single weights over runs that differ in their seed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeedEnsemble {
    cells: WeightCells,
}

impl SeedEnsemble {
    /// Puts weights into cells of width `cell`.
    ///
    /// # Errors
    /// A width that is not a finite number above 0.
    pub fn with_cells(cell: f64) -> Result<Self, ParameterError> {
        Ok(Self { cells: WeightCells::new(cell)? })
    }

    /// For each range of weights, the sum of their entropies over runs, in bits: plug-in and Miller-Madow.
    fn entropies(self, runs: &[DenseNetwork], ranges: &[Range<usize>]) -> Vec<[f64; 2]> {
        let of_weight = |values: Vec<f64>| {
            let WeightEntropy { plug_in, miller_madow } = self.cells.entropy(&values);
            [plug_in.bits(), miller_madow.bits()]
        };
        sums(runs, ranges, of_weight)
    }

    /// The readings of entropies: `found` for each part, and the values if every run is replaced with a random copy.
    fn entropy_readings(
        self,
        names: [&'static str; 2],
        parts: &[Part],
        found: &[[f64; 2]],
        null: &[Vec<[f64; 2]>],
        n_runs: usize,
    ) -> Vec<Reading> {
        // Every run is in a separate cell; Miller-Madow then adds (R − 1)/2R nats.
        let n_runs = n_runs as f64;
        let most = [n_runs.log2(), n_runs.log2() + Nats((n_runs - 1.0) / (2.0 * n_runs)).bits()];
        let mut readings = Vec::new();
        for (k, name) in names.into_iter().enumerate() {
            for (p, part) in parts.iter().enumerate() {
                let draws: Vec<f64> = null.iter().map(|draw| draw[p][k]).collect();
                let n_weights = part.weights.len();
                let reading = part.reading(Reading::new(name, MeasureUnit::Bits, found[p][k])).shared_among(n_weights);
                let reading = reading.at_most(n_weights as f64 * most[k]);
                readings.push(match (mean(&draws), population_variance(&draws)) {
                    (Some(mean), Some(variance)) => reading.with_null(mean, Some(variance.sqrt())),
                    _ => reading,
                });
            }
        }
        readings
    }
}

impl OfRuns for SeedEnsemble {
    fn measure(&self, runs: &Ensemble<'_>) -> Result<Vec<Reading>, MeasureError> {
        check(runs)?;
        let (networks, n_runs) = (runs.networks, runs.networks.len());
        let parts = parts(&networks[0]);
        let ranges: Vec<Range<usize>> = parts.iter().map(|part| part.weights.clone()).collect();
        let random_copies = |draw: u64| {
            let mut rng = ChaCha8Rng::seed_from_u64(SEED);
            rng.set_stream(draw);
            let copy = |network: &DenseNetwork| GroupElement::random(network, &mut rng).apply(network);
            let copies: Vec<DenseNetwork> = networks.iter().map(copy).collect::<Result<_, _>>()?;
            Ok(self.entropies(&copies, &ranges))
        };
        let null: Vec<Vec<[f64; 2]>> = (0..N_DRAWS).into_par_iter().map(random_copies).collect::<Result<_, _>>()?;
        let found = self.entropies(networks, &ranges);
        let mut readings = self.entropy_readings(["entropy", "entropy_miller_madow"], &parts, &found, &null, n_runs);
        readings.extend(drifts("drift", &parts, networks, runs.initial, None));

        let forms: Vec<Option<CanonicalForm>> = networks.par_iter().map(CanonicalForm::of_network).collect();
        let n_degenerate = forms.iter().filter(|form| form.is_none()).count();
        if n_degenerate == 0 {
            let forms: Vec<CanonicalForm> = forms.into_iter().flatten().collect();
            let canonical: Vec<DenseNetwork> = forms.iter().map(|form| form.network.clone()).collect();
            let found = self.entropies(&canonical, &ranges);
            let names = ["canonical_entropy", "canonical_entropy_miller_madow"];
            readings.extend(self.entropy_readings(names, &parts, &found, &null, n_runs));
            readings.extend(canonical_drifts(&parts, &canonical, runs.initial));
            readings.extend(gaps(&forms));
        }
        readings.push(Reading::new("log2_symmetries", MeasureUnit::Bits, log2_group_order(&networks[0])));
        let method = method(n_runs, n_degenerate);
        Ok(readings.into_iter().map(|reading| Reading { method: method.clone(), ..reading }).collect())
    }
}

/// Remarks on unusual properties of the runs.
fn method(n_runs: usize, n_degenerate: usize) -> Option<String> {
    let few = (n_runs < FEW_RUNS).then(|| format!("only {n_runs} runs"));
    let degenerate = (n_degenerate > 0).then(|| {
        format!(
            "no canonical form: {n_degenerate} of {n_runs} networks have more than {MOST_BRANCHES} equal copies, or \
             copies of more than {MOST_BRANCH_WEIGHTS} weights"
        )
    });
    let notes: Vec<String> = few.into_iter().chain(degenerate).collect();
    (!notes.is_empty()).then(|| notes.join("; "))
}

/// The whole network or one of its layers.
struct Part {
    layer: Option<LayerId>,
    /// Range of its weights and biases.
    weights: Range<usize>,
    /// Ranges of the weights of its kernels.
    kernels: Vec<Range<usize>>,
}

impl Part {
    fn reading(&self, reading: Reading) -> Reading {
        Reading { layer: self.layer, ..reading }
    }
}

/// The whole network, then each layer.
fn parts(network: &DenseNetwork) -> Vec<Part> {
    let ranges = network.ranges();
    let kernels: Vec<Range<usize>> = ranges
        .iter()
        .zip(network.layers())
        .map(|(range, layer)| range.start..range.start + layer.kernel.len())
        .collect();
    let whole = Part { layer: None, weights: 0..network.n_weights(), kernels: kernels.clone() };
    let layers = ranges.into_iter().zip(kernels).zip(LayerId::above_input());
    let layers = layers.map(|((weights, kernel), layer)| Part { layer: Some(layer), weights, kernels: vec![kernel] });
    [whole].into_iter().chain(layers).collect()
}

/// The sum over the weights in each range of the results of `number` for their values in all runs.
fn sums<const K: usize>(
    runs: &[DenseNetwork],
    ranges: &[Range<usize>],
    number: impl Fn(Vec<f64>) -> [f64; K],
) -> Vec<[f64; K]> {
    let vectors: Vec<Vec<f64>> = runs.iter().map(DenseNetwork::weights).collect();
    let of_weight = |k: usize| number(vectors.iter().map(|weights| weights[k]).collect());
    let numbers: Vec<[f64; K]> = (0..vectors[0].len()).map(of_weight).collect();
    let sum = |range: &Range<usize>| {
        numbers[range.clone()].iter().fold([0.0; K], |sum, number| std::array::from_fn(|k| sum[k] + number[k]))
    };
    ranges.iter().map(sum).collect()
}

/// The standard deviation of the initial distribution of each kernel: the root mean square of its weights in all runs.
fn initial_stds(initial: &[DenseNetwork]) -> Vec<f64> {
    let layer = |l: usize| {
        let squares = initial.iter().flat_map(|network| &network.layers()[l].kernel).map(|w| w * w);
        let n = initial.len() * initial[0].layers()[l].kernel.len();
        (squares.sum::<f64>() / n as f64).sqrt()
    };
    (0..initial[0].layers().len()).map(layer).collect()
}

/// For each layer, the drift of its kernel, in bits.
fn kernel_drifts(runs: &[DenseNetwork], stds: &[f64]) -> Vec<f64> {
    let layers = parts(&runs[0]).split_off(1);
    let drift = |(part, std): (&Part, &f64)| {
        let bits = |values: Vec<f64>| [gaussian_drift(&values, *std).map_or(f64::INFINITY, Nats::bits)];
        sums(runs, &part.kernels, bits)[0][0]
    };
    layers.iter().zip(stds).map(drift).collect()
}

/// The drift of the kernels of each part, if the initial networks were recorded and the weights differ between runs.
/// Its null is that of `still` networks, or by default the expected value for weights that have not changed.
fn drifts(
    quantity: &'static str,
    parts: &[Part],
    runs: &[DenseNetwork],
    initial: Option<&[DenseNetwork]>,
    still: Option<&[DenseNetwork]>,
) -> Vec<Reading> {
    let Some(initial) = initial else { return Vec::new() };
    let stds = initial_stds(initial);
    let found = kernel_drifts(runs, &stds);
    let floor = drift_floor(runs.len()).bits();
    let n_weights = |part: &Part| part.kernels.iter().map(Range::len).sum::<usize>();
    let null = match still {
        Some(still) => kernel_drifts(still, &stds),
        None => parts[1..].iter().map(|part| n_weights(part) as f64 * floor).collect(),
    };
    let of_part = |(p, part): (usize, &Part)| {
        let layers = p.checked_sub(1).map_or(0..found.len(), |layer| layer..layer + 1);
        let (drift, null): (f64, f64) = (found[layers.clone()].iter().sum(), null[layers].iter().sum());
        let reading = part.reading(Reading::new(quantity, MeasureUnit::Bits, drift)).shared_among(n_weights(part));
        let reading = if null.is_finite() { reading.with_null(null, None) } else { reading };
        drift.is_finite().then_some(reading)
    };
    parts.iter().enumerate().filter_map(of_part).collect()
}

/// The drift of canonical kernels. Its null is that of the canonical forms of the initial networks, which are sorted
/// and no longer have the initial distribution. None if scales are free: canonical units then have norm 1.
fn canonical_drifts(parts: &[Part], canonical: &[DenseNetwork], initial: Option<&[DenseNetwork]>) -> Vec<Reading> {
    let is_scaled = symmetry::hidden(&canonical[0])
        .iter()
        .any(|layer| UnitSymmetry::of_activation(layer.activation) == UnitSymmetry::Scales);
    let still = initial.and_then(|initial| {
        let form = |network| Some(CanonicalForm::of_network(network)?.network);
        initial.par_iter().map(form).collect::<Option<Vec<DenseNetwork>>>()
    });
    match still {
        Some(still) if !is_scaled => drifts("canonical_drift", parts, canonical, initial, Some(&still)),
        _ => Vec::new(),
    }
}

/// The smallest differences that determined an order or a sign in any run.
fn gaps(forms: &[CanonicalForm]) -> Vec<Reading> {
    let smallest = |gap: fn(&CanonicalForm) -> Option<f64>| forms.iter().filter_map(gap).reduce(f64::min);
    let gaps = [("key_gap", smallest(|form| form.order_gap)), ("sign_gap", smallest(|form| form.sign_gap))];
    let reading = |(quantity, gap): (_, Option<f64>)| Some(Reading::new(quantity, MeasureUnit::Ratio, gap?));
    gaps.into_iter().filter_map(reading).collect()
}

/// Checks that there are at least two networks, and that they have equal shapes.
fn check(runs: &Ensemble<'_>) -> Result<(), MeasureError> {
    let n_runs = runs.networks.len();
    let refused = |problem: String| Err(MeasureError::Refused(problem));
    if n_runs < 2 {
        let found = if n_runs == 1 { "1 run" } else { "no run" };
        return refused(format!(
            "an ensemble of seeds needs at least 2 runs, but {found} was recorded; record 8 or more"
        ));
    }
    if let Some(initial) = runs.initial.filter(|initial| initial.len() != n_runs) {
        let n_initial = initial.len();
        return refused(format!("{n_runs} networks have {n_initial} initial networks; give one per network, or none"));
    }
    let shape = |network: &DenseNetwork| -> Vec<_> {
        network.layers().iter().map(|layer| (layer.kernel.dim(), layer.activation)).collect()
    };
    let first = shape(&runs.networks[0]);
    let mut others = runs.networks.iter().chain(runs.initial.into_iter().flatten());
    if others.any(|network| shape(network) != first) {
        return refused(
            "the networks of the runs differ in widths or activation functions; measure runs of one architecture"
                .to_owned(),
        );
    }
    Ok(())
}
