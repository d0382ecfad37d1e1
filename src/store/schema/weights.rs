//! What measures of recorded weights find.

use std::sync::Arc;

use super::tables;
use crate::layer_id::LayerId;

tables! {
    /// One number that a measure of weights finds at one recorded snapshot: of one run or of several runs together, of one layer or of the whole network.
    "weight_measures" = WeightMeasureRow {
        /// The measure, for example `code`.
        measure: String,
        /// The parameters that are not at their defaults, for example `beta-0.01`; null where all are.
        settings: Option<Arc<str>>,
        /// What makes the weights random: `seed`, `data`, `membership`, `initialisation`, `batch`, `code` (Gaussian, declared), `sampler` (declared), or `tolerance` (nothing is random; the description of the weights is not exact).
        randomness: String,
        /// Run, `r0000` is the first; `pooled` where the measure is of several runs together, `pooled-0000` and so on where it is of groups of them.
        run: String,
        /// Number of the layer, 1 is the first above the input; null for the whole network.
        layer: Option<LayerId>,
        /// What the layer is called; null where it has no name, and for the whole network.
        layer_name: Option<Arc<str>>,
        /// Whole passes over the training samples.
        epoch: i32,
        /// Updates of the weights so far; 0 is the untrained network.
        step: i64,
        /// Which of the measure's numbers; null where the whole measure failed.
        quantity: Option<Arc<str>>,
        /// Unit of the number: `bits`, `samples`, `probability` or `ratio`; null where it failed.
        unit: Option<Arc<str>>,
        /// The number; null where it failed.
        value: Option<f64>,
        /// The number divided by the number of weights; null where that has no meaning.
        value_per_weight: Option<f64>,
        /// Standard error of the number, where it was sampled.
        std_error: Option<f64>,
        /// Mean of the same number where there is nothing to find; null where it is not known.
        null_mean: Option<f64>,
        /// Standard deviation of the number where there is nothing to find; null where it is not known.
        null_std: Option<f64>,
        /// The largest that the number can be, or what theory says it is at most; null where there is no such bound.
        ceiling: Option<f64>,
        /// Weights of the layer or the network.
        n_weights: i64,
        /// Runs that were measured together; 1 where the measure is of one.
        n_runs: i32,
        /// How it was computed where the measure chooses by itself, for example `full Fisher`; null elsewhere.
        method: Option<Arc<str>>,
        /// Why the number must not be read as what its name says, for example `an upper bound, not an estimate: fewer than 10 directions are effective`; claims and relations leave it out. Null where nothing is wrong.
        warning: Option<Arc<str>>,
        /// Why there is no number, else null.
        failure: Option<String>,
    }

    /// One experiment, number of a measure of weights, layer and snapshot: mean and spread over runs.
    "weight_summary" = WeightSummaryRow {
        /// Name of the experiment.
        experiment: String,
        /// Identity of the measure: its name with the parameters that are not at their defaults.
        weights: String,
        /// The measure, for example `code`.
        measure: String,
        /// What makes the weights random, as in `weight_measures`.
        randomness: String,
        /// Number of the layer; null for the whole network.
        layer: Option<LayerId>,
        /// What the layer is called; null where it has no name, and for the whole network.
        layer_name: Option<Arc<str>>,
        /// Whole passes over the training samples.
        epoch: i32,
        /// Updates of the weights so far.
        step: i64,
        /// Which of the measure's numbers.
        quantity: String,
        /// Unit of the number, as in `weight_measures`; empty where it failed everywhere.
        unit: String,
        /// Runs, or groups of runs measured together, that have the number.
        n_runs: i32,
        /// Runs, or groups of runs measured together, that do not have the number, because it or the whole measure failed.
        n_failed: i32,
        /// How many of the `n_runs` numbers have a warning in `weight_measures`; `mean` includes them.
        n_warned: i32,
        /// Mean of the number over the `n_runs` runs or groups; null where none has it.
        mean: Option<f64>,
        /// Standard deviation (n − 1) of the number over the `n_runs` runs or groups; null with fewer than two.
        std: Option<f64>,
        /// Lower end of the 95 % interval of `mean` (Student); null with fewer than two runs or groups, and where all have the same number.
        low: Option<f64>,
        /// Upper end of the 95 % interval of `mean`; null where `low` is.
        high: Option<f64>,
        /// Mean of `weight_measures.null_mean` over the runs or groups; null where none has it.
        null_mean: Option<f64>,
        /// Mean of `weight_measures.ceiling` over the runs or groups; null where none has it.
        ceiling: Option<f64>,
    }
}
