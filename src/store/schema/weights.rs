//! What measures of recorded weights find.

use std::sync::Arc;

use super::tables;
use crate::layer_id::LayerId;

tables! {
    /// One quantity of a measure of weights at one recorded snapshot: for one run or several runs together, and for one layer or the whole network.
    "weight_measures" = WeightMeasureRow {
        /// Name of the measure, for example `code`.
        measure: String,
        /// Parameters that differ from their defaults, for example `beta-0.01`; null if none differs.
        settings: Option<Arc<str>>,
        /// What makes the weights random: `seed`, `data`, `membership`, `initialisation`, `batch`, `code` (a Gaussian distribution around the weights that the measure chooses), `sampler` (the sampler of the measure), or `tolerance` (nothing is random; the weights are described with finite precision).
        randomness: String,
        /// Name of the run; `r0000` is the first; `pooled` for a measure of all runs together; `pooled-0000` and so on for measures of groups of runs.
        run: String,
        /// Number of the layer: 1 is the first layer after the input; null for the whole network.
        layer: Option<LayerId>,
        /// Name of the layer; null if it has none, and for the whole network.
        layer_name: Option<Arc<str>>,
        /// Number of complete passes over the training samples.
        epoch: i32,
        /// Number of weight updates; 0 is the untrained network.
        step: i64,
        /// Name of the quantity; null if the whole measure failed.
        quantity: Option<Arc<str>>,
        /// Unit of the value: `bits`, `samples`, `probability` or `ratio`; null if the measure failed.
        unit: Option<Arc<str>>,
        /// The value; null if the measure failed.
        value: Option<f64>,
        /// The value divided by the number of weights; null if this quotient has no meaning.
        value_per_weight: Option<f64>,
        /// Standard error of the value; null if the value was not sampled.
        std_error: Option<f64>,
        /// Mean of the quantity if there is no effect (null hypothesis); null if unknown.
        null_mean: Option<f64>,
        /// Standard deviation of the quantity if there is no effect (null hypothesis); null if unknown.
        null_std: Option<f64>,
        /// Largest possible value, or an upper bound from theory; null if there is none.
        ceiling: Option<f64>,
        /// Number of weights of the layer or of the network.
        n_weights: i64,
        /// Number of runs measured together; 1 for a measure of a single run.
        n_runs: i32,
        /// Method that the measure selected, for example `full Fisher`; null if the measure has only one method.
        method: Option<Arc<str>>,
        /// Why the value does not mean what its name suggests, for example `an upper bound, not an estimate: fewer than 10 directions are effective`; claims and relations leave such values out; null without a warning.
        warning: Option<Arc<str>>,
        /// Why there is no value; otherwise null.
        failure: Option<String>,
    }

    /// One experiment, quantity of a measure of weights, layer and snapshot: mean and spread over runs.
    "weight_summary" = WeightSummaryRow {
        /// Name of the experiment.
        experiment: String,
        /// Identity of the measure: its name and the parameters that differ from their defaults.
        weights: String,
        /// Name of the measure, for example `code`.
        measure: String,
        /// What makes the weights random, as in the table `weight_measures`.
        randomness: String,
        /// Number of the layer: 1 is the first layer after the input; null for the whole network.
        layer: Option<LayerId>,
        /// Name of the layer; null if it has none, and for the whole network.
        layer_name: Option<Arc<str>>,
        /// Number of complete passes over the training samples.
        epoch: i32,
        /// Number of weight updates; 0 is the untrained network.
        step: i64,
        /// Name of the quantity.
        quantity: String,
        /// Unit of the values, as in the table `weight_measures`; an empty string, not null, if the measure failed in every run.
        unit: String,
        /// Number of runs, or of groups of runs measured together, with a value.
        n_runs: i32,
        /// Number of runs, or of groups of runs measured together, without a value, because the quantity or the whole measure failed.
        n_failed: i32,
        /// Number of the `n_runs` values with a warning in the table `weight_measures`; `mean` includes them.
        n_warned: i32,
        /// Mean of the value over runs or groups; null if none has a value.
        mean: Option<f64>,
        /// Standard deviation (n − 1) of the value over runs or groups; null with fewer than two.
        std: Option<f64>,
        /// Lower end of the 95 % interval of `mean` (Student's t); null with fewer than two runs or groups, and if all values are equal.
        low: Option<f64>,
        /// Upper end of the 95 % interval of `mean` (Student's t); null with fewer than two runs or groups, and if all values are equal.
        high: Option<f64>,
        /// Mean of `weight_measures.null_mean` over runs or groups; null if none has it.
        null_mean: Option<f64>,
        /// Mean of `weight_measures.ceiling` over runs or groups; null if none has it.
        ceiling: Option<f64>,
    }
}
