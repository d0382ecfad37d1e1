//! The experiments of a sweep, and what varies with their settings.

use super::super::words::ExperimentState;
use super::tables;

tables! {
    /// One claim, layer, varied parameter and value: in how many settings the claim holds.
    "stability" = StabilityRow {
        /// Figure or section of the paper; null if the claim names none.
        figure: Option<String>,
        /// The claim as a sentence.
        claim: String,
        /// Name of the quantity.
        quantity: String,
        /// Number of the layer: 1 is the first layer after the input; null if the quantity does not belong to a layer.
        layer: Option<i64>,
        /// Which number the claim takes from the curve of the quantity over the training, in words.
        measure: String,
        /// The range in which the claim requires the number to be, in words.
        wanted: String,
        /// Varied parameter, as in the TOML file; `estimate` for the estimate; `all` for a row over all settings.
        parameter: String,
        /// Value of the parameter.
        value: String,
        /// Number of settings (an experiment and an estimate) with this value of the parameter.
        n_settings: i32,
        /// Number of settings in which the claim holds.
        n_holds: i32,
        /// Number of settings in which the claim fails.
        n_fails: i32,
        /// Number of settings in which the claim is undecided.
        n_undecided: i32,
        /// Number of runs in all these settings together.
        n_runs: i32,
        /// Number of runs whose value is as claimed.
        n_met: i32,
        /// Mean over settings of the mean over runs; null if there is no value.
        mean: Option<f64>,
    }

    /// One layer and source of variance: its share of the variance of the compression.
    "effects" = EffectRow {
        /// Number of the layer: 1 is the first layer after the input; if the depth varies, negative numbers count from the output layer, −1.
        layer: i32,
        /// A varied parameter, `estimate`, `runs` (networks with equal settings) or `interactions` (the remainder: parameters that act together).
        source: String,
        /// Number of values of the source; null for `runs` and `interactions`.
        n_levels: Option<i64>,
        /// Share of the sum of squares of `phases.compression_bits` about its mean. If the settings are not balanced, shares overlap and that of `interactions` may be negative.
        share: f64,
        /// Number of values of `phases.compression_bits` in the decomposition.
        n_values: i32,
        /// Mean of the decomposed values of `phases.compression_bits`, in bits.
        compression_bits_mean: f64,
        /// Standard deviation (n − 1) of the decomposed values of `phases.compression_bits`, in bits.
        compression_bits_std: Option<f64>,
        /// Why the shares overlap or cover only a part of the settings; otherwise null.
        remark: Option<String>,
    }

    /// One layer, varied parameter and value: the compression at this value.
    "levels" = LevelRow {
        /// Number of the layer: 1 is the first layer after the input; if the depth varies, negative numbers count from the output layer, −1.
        layer: i32,
        /// Varied parameter, as in the TOML file, or `estimate`.
        parameter: String,
        /// Value of the parameter.
        value: String,
        /// Value of the parameter as a number; null if it is not numeric.
        number: Option<f64>,
        /// Number of settings (an experiment and an estimate) with this value of the parameter.
        n_settings: i32,
        /// Number of runs in all these settings together.
        n_runs: i32,
        /// Mean of `phases.compression_bits`, in bits.
        compression_bits_mean: f64,
        /// Standard deviation (n − 1) of `phases.compression_bits`, in bits.
        compression_bits_std: Option<f64>,
        /// Smallest mean of `phases.compression_bits` over the runs of one setting, in bits.
        compression_bits_least: f64,
        /// Largest mean of `phases.compression_bits` over the runs of one setting, in bits.
        compression_bits_most: f64,
    }

    /// One experiment of a sweep: its state.
    "experiments" = ExperimentRow {
        /// Name of the experiment and of its folder, next to this file.
        experiment: String,
        /// `done`, `partial` (there are results, but some trainings or estimates failed, or the checks, the summary or the claims could not be made), `failed`, `unfinished` (started but not complete, or in progress) or `pending`.
        state: ExperimentState,
        /// Number of recorded runs; null without a recording.
        n_runs: Option<i64>,
        /// Number of runs whose training failed; null without a recording.
        n_trainings_failed: Option<i64>,
        /// Number of runs whose training ended degenerate (no better than always predicting the most frequent class); null without a recording.
        n_trainings_degenerate: Option<i64>,
        /// Why the experiment failed, which parts failed, or what is missing; otherwise null.
        reason: Option<String>,
    }

    /// One experiment of a sweep and one varied parameter: the value of the parameter in this experiment.
    "settings" = SettingRow {
        /// Name of the experiment and of its folder, next to this file.
        experiment: String,
        /// Varied parameter, as in the TOML file, for example `training.batch`.
        parameter: String,
        /// Value of the parameter, as in the TOML file; strings without quotes.
        value: String,
        /// Value of the parameter as a number; null if it is not a finite number.
        number: Option<f64>,
    }
}
