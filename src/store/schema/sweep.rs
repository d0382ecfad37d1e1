//! The experiments of a sweep, and what varies with their settings.

use super::super::words::ExperimentState;
use super::tables;

tables! {
    /// One claim, layer, varied parameter and value: in how many settings it holds.
    "stability" = StabilityRow {
        /// Figure or section of the paper; null where the claim names none.
        figure: Option<String>,
        /// The claim in words.
        claim: String,
        /// Name of the quantity.
        quantity: String,
        /// Number of the layer; null where the quantity belongs to none.
        layer: Option<i64>,
        /// Which number is taken of its course over the training, in words.
        measure: String,
        /// What is claimed of the number, in words.
        wanted: String,
        /// The parameter that varies, as in the TOML, or `estimate`; `all` where nothing is told apart.
        parameter: String,
        /// Its value.
        value: String,
        /// Settings (experiment and estimate) with this value.
        n_settings: i32,
        /// Settings in which the claim holds.
        n_holds: i32,
        /// Settings in which it fails.
        n_fails: i32,
        /// Settings in which it is undecided.
        n_undecided: i32,
        /// Runs of all of them.
        n_runs: i32,
        /// Runs whose own number is as claimed.
        n_met: i32,
        /// Mean over settings of the mean over runs; null where there is no number.
        mean: Option<f64>,
    }

    /// One layer and source of variance: how much of the variance of the compression it makes.
    "effects" = EffectRow {
        /// Number of the layer, 1 is the first above the input; negative ones count from the output, −1, where the depth varies.
        layer: i32,
        /// A parameter that varies, `estimate`, `runs` (networks of the same setting) or `interactions` (the rest: parameters that act together).
        source: String,
        /// Values that it has; null for the last two.
        n_levels: Option<i64>,
        /// Share of the sum of squares of `phases.compression_bits` about its mean; where the settings are not balanced, shares overlap and the rest may be negative.
        share: f64,
        /// Numbers that were decomposed.
        n_values: i32,
        /// Their mean, in bits.
        compression_bits_mean: f64,
        /// Their standard deviation (n − 1), in bits.
        compression_bits_std: Option<f64>,
        /// Why the shares overlap or are of a part only, else null.
        remark: Option<String>,
    }

    /// One layer, varied parameter and value: the compression there.
    "levels" = LevelRow {
        /// Number of the layer, as in `effects`.
        layer: i32,
        /// The parameter, as in the TOML, or `estimate`.
        parameter: String,
        /// Its value.
        value: String,
        /// The value as a number, where it is one.
        number: Option<f64>,
        /// Settings (experiment and estimate) with this value.
        n_settings: i32,
        /// Runs of all of them.
        n_runs: i32,
        /// Mean of `phases.compression_bits`, in bits.
        compression_bits_mean: f64,
        /// Standard deviation (n − 1) of the same, in bits.
        compression_bits_std: Option<f64>,
        /// The smallest mean of a setting, in bits.
        compression_bits_least: f64,
        /// The largest.
        compression_bits_most: f64,
    }

    /// One experiment of a sweep: what became of it.
    "experiments" = ExperimentRow {
        /// Name of the experiment: its folder beside this file.
        experiment: String,
        /// `done`, `partial` (results are there, but some trainings or estimates failed, or checks, summary or claims could not be made), `failed`, `unfinished` (begun, or another call is at it) or `pending`.
        state: ExperimentState,
        /// Runs recorded; null where there is no recording.
        n_runs: Option<i64>,
        /// Of them, trainings that failed.
        n_trainings_failed: Option<i64>,
        /// Of them, trainings that ended degenerate, no better than a constant answer.
        n_trainings_degenerate: Option<i64>,
        /// Why it failed, what of it failed, or what of it is missing, else null.
        reason: Option<String>,
    }

    /// One experiment of a sweep and one parameter that varies: the value it has there.
    "settings" = SettingRow {
        /// Name of the experiment: its folder beside this file.
        experiment: String,
        /// The parameter, as in the TOML: `training.batch`.
        parameter: String,
        /// Its value, as the TOML writes it; texts without quotes.
        value: String,
        /// The same as a number, where it is a finite one.
        number: Option<f64>,
    }
}
