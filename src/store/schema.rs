//! Every table, defined once: the row is the schema, a field's doc comment is the column's description.
//!
//! A changed table needs a new [`VERSION`]; `docs/schema.md` is derived from here and a test compares the two. A column
//! that a later version adds may be null: null is what a file of an earlier version, which lacks it, is read as.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Field, Schema};

use super::cell::Cell;

/// Version of the tables this program writes.
pub const VERSION: u32 = 6;
/// Oldest version it reads.
pub const OLDEST_READABLE: u32 = 1;

/// One column, for documents.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds, with shape and unit.
    pub doc: &'static str,
    /// Its type in words.
    pub kind: &'static str,
}

/// A table's row.
pub trait Row: Sized {
    /// Name of the table.
    const TABLE: &'static str;
    /// What a row is.
    const DOC: &'static str;
    /// Its columns in order.
    const COLUMNS: &'static [Column];

    /// The Arrow schema of `rows`; list columns are as wide as in the first row.
    fn schema(rows: &[Self]) -> Arc<Schema>;
    /// The columns of `rows`.
    fn to_arrays(rows: &[Self]) -> Vec<ArrayRef>;
    /// The first column that holds NaN or infinity.
    fn not_finite(&self) -> Option<&'static str>;
    /// The rows of a batch.
    ///
    /// # Errors
    /// The column that is missing, of another type, or null where it must not be.
    fn from_batch(batch: &RecordBatch) -> Result<Vec<Self>, &'static str>;
}

macro_rules! tables {
    ($(
        #[doc = $table_doc:literal]
        $table:literal = $row:ident {
            $( #[doc = $doc:literal] $field:ident : $type:ty, )+
        }
    )+) => {
        $(
            #[doc = $table_doc]
            #[derive(Debug, Clone, PartialEq, serde::Serialize)]
            pub struct $row {
                $( #[doc = $doc] pub $field: $type, )+
            }

            impl Row for $row {
                const TABLE: &'static str = $table;
                const DOC: &'static str = $table_doc.trim_ascii();
                const COLUMNS: &'static [Column] = &[
                    $( Column { name: stringify!($field), doc: $doc.trim_ascii(), kind: stringify!($type) }, )+
                ];

                fn schema(rows: &[Self]) -> Arc<Schema> {
                    let first = rows.first();
                    let fields = vec![ $( {
                        let width = first.map_or(0, |row| row.$field.width());
                        field(stringify!($field), $doc, <$type>::data_type(width), <$type>::NULLABLE)
                    } ),+ ];
                    Arc::new(Schema::new(fields))
                }

                fn to_arrays(rows: &[Self]) -> Vec<ArrayRef> {
                    let first = rows.first();
                    vec![ $( {
                        let width = first.map_or(0, |row| row.$field.width());
                        <$type as Cell>::to_array(rows.iter().map(|row| &row.$field), width)
                    } ),+ ]
                }

                fn not_finite(&self) -> Option<&'static str> {
                    [ $( (stringify!($field), Cell::is_finite(&self.$field)) ),+ ]
                        .into_iter()
                        .find_map(|(name, is_finite)| (!is_finite).then_some(name))
                }

                fn from_batch(batch: &RecordBatch) -> Result<Vec<Self>, &'static str> {
                    $( let $field = batch.column_by_name(stringify!($field)); )+
                    let row = |row: usize| Ok(Self { $(
                        $field: match $field {
                            Some(array) => <$type as Cell>::from_array(array, row),
                            None => <$type as Cell>::MISSING,
                        }
                        .ok_or(stringify!($field))?,
                    )+ });
                    (0..batch.num_rows()).map(row).collect()
                }
            }
        )+

        /// Every table: name, what a row is, columns.
        pub const TABLES: &[(&str, &str, &[Column])] =
            &[ $( (<$row as Row>::TABLE, <$row as Row>::DOC, <$row as Row>::COLUMNS), )+ ];
    };
}

fn field(name: &str, doc: &str, data_type: arrow::datatypes::DataType, nullable: bool) -> Field {
    let mut metadata = std::collections::BTreeMap::from([("doc".to_owned(), doc.trim().to_owned())]);
    for unit in ["bits", "nats"] {
        if name.ends_with(&format!("_{unit}")) || name.contains(&format!("_{unit}_")) {
            metadata.insert("unit".to_owned(), unit.to_owned());
        }
    }
    Field::new(name, data_type, nullable).with_metadata(metadata)
}

tables! {
    /// One input: a sample of X with its label.
    "samples" = SampleRow {
        /// Number of the sample, 0 to n_samples − 1 in order.
        sample: i32,
        /// X, one value per input unit.
        x: Vec<f32>,
        /// Label; equal integers are one class.
        y: i32,
        /// p(y=1 | x) where labels are stochastic, else null.
        p_y1: Option<f64>,
        /// Y as numbers, one value per output unit, where the squared error is trained on them, else null.
        target: Option<Vec<f32>>,
    }

    /// One sample in one run: which part of the data it was in.
    "splits" = SplitRow {
        /// Number of the sample, as in `samples`.
        sample: i32,
        /// `train` or `test`.
        split: String,
    }

    /// One recorded snapshot of one run: how well the network fits.
    "epochs" = EpochRow {
        /// Whole passes over the training samples.
        epoch: i32,
        /// Updates of the weights so far; 0 is the untrained network.
        step: i64,
        /// Mean cross-entropy of the training samples, in nats; null where the squared error is trained on.
        loss_train_nats: Option<f64>,
        /// Mean cross-entropy of the test samples, in nats; null without test samples, and where the squared error is trained on.
        loss_test_nats: Option<f64>,
        /// Mean squared error of the training samples and output units; null where the cross-entropy is trained on.
        squared_error_train: Option<f64>,
        /// Mean squared error of the test samples and output units; null without test samples, and where the cross-entropy is trained on.
        squared_error_test: Option<f64>,
        /// Share of training samples whose most probable class is theirs; null where Y are numbers.
        accuracy_train: Option<f64>,
        /// Share of test samples whose most probable class is theirs; null without test samples, and where Y are numbers.
        accuracy_test: Option<f64>,
    }

    /// One run: how its training ended.
    "runs" = RunRow {
        /// `finished`, `stopped` (early, as the pipeline asks) or `failed`.
        outcome: String,
        /// Whole passes over the training samples until then.
        epoch: i32,
        /// Updates of the weights until then.
        step: i64,
        /// Why it failed or was stopped, else null.
        reason: Option<String>,
        /// Why the trained network is degenerate (no better than a constant answer), else null.
        degenerate: Option<String>,
    }

    /// One sample at one recorded snapshot: what one layer made of it. A row group is one snapshot.
    "activations" = ActivationRow {
        /// Whole passes over the training samples.
        epoch: i32,
        /// Updates of the weights so far; 0 is the untrained network.
        step: i64,
        /// Number of the sample, as in `samples`; ascending within a snapshot, the same samples at every snapshot.
        sample: i32,
        /// T, one value per unit of the layer, after the activation function (f32, or f16 where the pipeline asks for it).
        t: Vec<f32>,
    }

    /// One sample at one recorded snapshot: the weighted sums of one layer, before its activation function.
    "pre_activations" = PreActivationRow {
        /// Whole passes over the training samples.
        epoch: i32,
        /// Updates of the weights so far; 0 is the untrained network.
        step: i64,
        /// Number of the sample, as in `samples`; ascending within a snapshot, the same samples at every snapshot.
        sample: i32,
        /// One value per unit of the layer (f32, or f16 where the pipeline asks for it).
        z: Vec<f32>,
    }

    /// One layer at one recorded snapshot: its weights.
    "weights" = WeightRow {
        /// Whole passes over the training samples.
        epoch: i32,
        /// Updates of the weights so far; 0 is the untrained network.
        step: i64,
        /// Kernel, n_units × n_inputs row-major: the n_inputs weights of unit 0, then those of unit 1, and so on.
        kernel: Vec<f32>,
        /// Bias, one value per unit.
        bias: Vec<f32>,
        /// What the layer's operations hold besides, in their order: of batch normalisation γ, β, running mean and running variance, n_units values each; of quantisation the lowest and the highest level; null where there is nothing.
        operations: Option<Vec<f32>>,
    }

    /// One layer at the recorded end of an epoch: its gradients, kernels only. Steps within an epoch have none over batches.
    "gradients" = GradientRow {
        /// Whole passes over the training samples; the gradients of the untrained network, 0, are taken without a step.
        epoch: i32,
        /// Updates of the weights so far; 0 is the untrained network.
        step: i64,
        /// Number of the layer, 1 is the first above the input.
        layer: i32,
        /// Which gradients: `after_step` (of the batches of the epoch, each after its own step), `before_step` (of batches of another permutation, each before a step) or `samples` (of every training sample, all with the weights of this record); null, in files of version 1, is `after_step`.
        gradients_over: Option<String>,
        /// Euclidean norm of the mean of these gradients (nats per unit of weight): of a batch's mean loss, or of one sample's loss.
        gradient_mean_norm: f64,
        /// Square root of the summed variances (population) of these gradients; null with fewer than two of them.
        gradient_std_norm: Option<f64>,
        /// Frobenius norm of the kernel.
        weight_norm: f64,
    }

    /// One run, layer and recorded snapshot: what one estimator says of the layer as a whole.
    "estimates" = EstimateRow {
        /// Identity of the estimator with its parameters and its choice of values, samples and pool.
        estimator: String,
        /// Run, `r0000` is the first; `pooled` where the runs are pooled.
        run: String,
        /// Number of the layer, 1 is the first above the input, the last is the output.
        layer: i32,
        /// Whole passes over the training samples; of a window, the last of them.
        epoch: i32,
        /// Updates of the weights so far, 0 is the untrained network; of a window, the last of them.
        step: i64,
        /// What the number is, in words: another estimator measures another quantity.
        quantity: Option<String>,
        /// Which samples: `all` (that were recorded), `train` or `test`; `distribution` where the number is exact for the distribution of X and Y and needs no samples.
        samples: Option<String>,
        /// What makes T random once X is known: `none`, `noise` (added in the analysis, not there in training), `window` (the steps pooled) or `runs` (the runs pooled).
        randomness: Option<String>,
        /// Recorded snapshots that were pooled, 1 where nothing was.
        n_pooled: Option<i64>,
        /// I(X;T) in bits; null where there is no estimate, and for estimators that know it up to a constant only.
        i_xt_bits: Option<f64>,
        /// I(T;Y) in bits; null where there is no estimate.
        i_ty_bits: Option<f64>,
        /// I(T;T′) in bits, T′ being the layer above; null at the last layer and for estimators that have none.
        i_tt_bits: Option<f64>,
        /// H(T) in bits: of a code its entropy, of T plus noise or of a density a differential entropy, which may be negative; null where there is no estimate, and for estimators that have none.
        h_t_bits: Option<f64>,
        /// H(T|X) in bits: of a code 0 unless snapshots are pooled or inputs repeat, of noise its differential entropy; null where there is no estimate, and where T is taken for a density.
        h_t_given_x_bits: Option<f64>,
        /// The largest possible I(X;T) in bits: H(X), or the logarithm of the number of possible codes where that is less; formulas that correct a bias or take T for Gaussian can exceed it; null where there is no I(X;T).
        i_xt_ceiling_bits: Option<f64>,
        /// The largest possible I(T;Y) in bits: H(Y), less H(Y|X) where labels are probabilities; null where there is no estimate.
        i_ty_ceiling_bits: Option<f64>,
        /// Shuffles behind the columns `…_null_…`.
        n_shuffles: Option<i64>,
        /// Mean over shuffles of I(X;T) in bits when the inputs are dealt to the rows anew. Equal to the estimate where every row has an input of its own: then I(X;T) cannot see which input made which T; null where there is no I(X;T).
        i_xt_null_bits_mean: Option<f64>,
        /// Standard deviation (n − 1) of the same; null with fewer than two shuffles.
        i_xt_null_bits_std: Option<f64>,
        /// Mean over shuffles of I(T;Y) in bits when the labels are dealt to the samples anew (pooled snapshots of a sample share its label): what the estimator says where there is no information.
        i_ty_null_bits_mean: Option<f64>,
        /// Standard deviation (n − 1) of the same; null with fewer than two shuffles.
        i_ty_null_bits_std: Option<f64>,
        /// Mean over shuffles of I(T;T′) in bits when the rows of T′ are dealt to the samples of their snapshot anew; null where runs of different samples are pooled.
        i_tt_null_bits_mean: Option<f64>,
        /// Standard deviation (n − 1) of the same; null with fewer than two shuffles.
        i_tt_null_bits_std: Option<f64>,
        /// I(X;T) in bits of the same layer and run before training; null where step 0 is not recorded, has no estimate, or is pooled with others.
        i_xt_untrained_bits: Option<f64>,
        /// I(T;Y) in bits of the same layer and run before training; null where step 0 is not recorded, has no estimate, or is pooled with others.
        i_ty_untrained_bits: Option<f64>,
        /// Rows in the estimate: samples, times the snapshots pooled; 0 where the number is exact.
        n_samples: i32,
        /// Distinct values of T that the estimator saw; 0 where there is no estimate.
        n_codes: i32,
        /// Distinct rows of T at the full precision of the recording.
        n_distinct: Option<i64>,
        /// Share of the values of T that equal its smallest, its largest or 0, whichever is most frequent: atoms, as of a saturated tanh or of ReLU.
        atom_share: Option<f64>,
        /// Why there is no estimate, else null.
        failure: Option<String>,
    }

    /// One run, layer, unit and recorded snapshot: what one estimator says of a single unit t of the layer.
    "unit_estimates" = UnitEstimateRow {
        /// Identity of the estimator with its parameters and its choice of values, samples and pool.
        estimator: String,
        /// Run, `r0000` is the first; `pooled` where the runs are pooled.
        run: String,
        /// Number of the layer, 1 is the first above the input, the last is the output.
        layer: i32,
        /// Number of the unit in its layer, from 0.
        unit: i32,
        /// Whole passes over the training samples; of a window, the last of them.
        epoch: i32,
        /// Updates of the weights so far; of a window, the last of them.
        step: i64,
        /// I(X;t) in bits; null where there is no estimate, and for estimators that know it up to a constant only.
        i_xt_bits: Option<f64>,
        /// I(t;Y) in bits; null where there is no estimate.
        i_ty_bits: Option<f64>,
        /// Mean over shuffles of I(t;Y) in bits when the labels are dealt to the samples anew.
        i_ty_null_bits_mean: Option<f64>,
        /// Standard deviation (n − 1) of the same; null with fewer than two shuffles.
        i_ty_null_bits_std: Option<f64>,
        /// The largest possible I(X;t) in bits; null where there is no I(X;t).
        i_xt_ceiling_bits: Option<f64>,
        /// The largest possible I(t;Y) in bits: H(Y), less H(Y|X) where labels are probabilities; null where there is no estimate.
        i_ty_ceiling_bits: Option<f64>,
        /// Rows in the estimate: samples, times the snapshots pooled.
        n_samples: i32,
        /// Distinct values of t that the estimator saw; 0 where there is no estimate.
        n_codes: i32,
        /// Why there is no estimate, else null.
        failure: Option<String>,
    }

    /// One estimator, layer, recorded snapshot and check: how many runs pass it.
    "checks" = CheckRow {
        /// Identity of the estimator with its parameters and its choice of values, samples and pool.
        estimator: String,
        /// Number of the layer, 1 is the first above the input, the last is the output.
        layer: i32,
        /// Whole passes over the training samples.
        epoch: i32,
        /// Updates of the weights so far.
        step: i64,
        /// Name of the check.
        check: String,
        /// `passed`, `note`, `warning`, `violated`, or `unknown` where what it needs is not there.
        verdict: String,
        /// Runs that were looked at.
        n_runs: i32,
        /// Runs that do not pass.
        n_found: i32,
        /// The figure that is judged, in the run where it is worst; its meaning is in `says`.
        value: Option<f64>,
        /// What the figure is compared with.
        bound: Option<f64>,
        /// What was found, in words.
        says: String,
    }

    /// One claim of a paper, experiment and layer: what the runs say of it.
    "claims" = ClaimRow {
        /// Name of the experiment; in a sweep, that of its folder.
        experiment: String,
        /// Figure or section of the paper.
        figure: String,
        /// The claim in words.
        claim: String,
        /// What the paper has, in words, where the pipeline says it.
        paper: Option<String>,
        /// Identity of the estimator, where the quantity is an estimate.
        estimator: Option<String>,
        /// Name of the quantity: estimates and entropies are in bits, losses in nats, accuracies are shares.
        quantity: String,
        /// Number of the layer; null where the quantity belongs to none.
        layer: Option<i64>,
        /// Which number is taken of its course over the training, in words.
        measure: String,
        /// What is claimed of the number, in words.
        wanted: String,
        /// `holds` (the 95 % interval of the mean is wholly as claimed), `fails` (it is wholly not so) or `undecided`.
        verdict: String,
        /// Runs with such a number.
        n_runs: i32,
        /// Runs left out because their training failed.
        n_failed: i32,
        /// Runs whose own number is as claimed.
        n_met: i32,
        /// Mean over runs; null where there is no number.
        mean: Option<f64>,
        /// Standard deviation (n − 1) over runs; null with fewer than two.
        std: Option<f64>,
        /// Where the 95 % interval of the mean (Student) begins; null with fewer than two runs.
        low: Option<f64>,
        /// Where it ends.
        high: Option<f64>,
        /// Why it is undecided, or what never happens, else null.
        reason: Option<String>,
    }

    /// One multiplier β: the best encoder of the data for it, a point of the information bottleneck's curve.
    "bound" = BoundRow {
        /// β of I(X;T) − β I(T;Y), which the encoder makes as small as possible.
        beta: f64,
        /// I(X;T) in bits.
        i_xt_bits: f64,
        /// I(T;Y) in bits: no T with this I(X;T) has more.
        i_ty_bits: f64,
        /// Values of T.
        n_clusters: i32,
        /// Rounds of the self-consistent equations.
        n_iterations: i64,
        /// How far the encoder is from the self-consistent equations: the mean over x of Σ_t |p(t|x) − what they give|, from 0 to 2.
        residual: f64,
        /// I(X;T) − β I(T;Y) is at most this above its minimum over all encoders, in bits.
        lagrangian_gap_bits: f64,
        /// Why the point is not to be trusted, else null.
        failure: Option<String>,
    }

    /// One run and layer at its last recorded snapshot: how near it is to the information bottleneck's bound.
    "bound_layers" = BoundLayerRow {
        /// Identity of the estimator whose code of T is taken for the encoder p(t|x).
        estimator: String,
        /// Run, `r0000` is the first.
        run: String,
        /// Number of the layer, 1 is the first above the input, the last is the output.
        layer: i32,
        /// Whole passes over the training samples.
        epoch: i32,
        /// Updates of the weights so far.
        step: i64,
        /// I(X;T) of the code, in bits.
        i_xt_bits: Option<f64>,
        /// I(T;Y) of the code, in bits.
        i_ty_bits: Option<f64>,
        /// I(T;Y) of the bound at the same I(X;T), in bits: what is reached for certain.
        i_ty_bound_bits: Option<f64>,
        /// The bound less I(T;Y) of the code, in bits: 0 is on the curve; null where the curve is not known to 0.001 nats there.
        gap_bits: Option<f64>,
        /// β at which the solution of the self-consistent equations that is reached from the layer's code is nearest to the code; null where no solution keeps all of its cells, and where the end of the range decides it.
        beta: Option<f64>,
        /// How near: the mean over x of KL[p(t|x) ‖ p_β(t|x)], in nats, p(t|x) being the code.
        divergence_nats: Option<f64>,
        /// β at which one round of the equations is nearest to the layer's code: what Shwartz-Ziv & Tishby fit; null where the end of the range decides it.
        beta_one_step: Option<f64>,
        /// How near.
        divergence_one_step_nats: Option<f64>,
        /// I(X;T) of the solution at `beta`, in bits.
        i_xt_fitted_bits: Option<f64>,
        /// I(T;Y) of the solution at `beta`, in bits.
        i_ty_fitted_bits: Option<f64>,
        /// What is missing of the fit and why, else null.
        failure: Option<String>,
    }

    /// One experiment, estimator, layer and epoch: means and spreads over runs.
    "summary" = SummaryRow {
        /// Name of the experiment.
        experiment: String,
        /// Identity of the estimator with its parameters.
        estimator: String,
        /// Number of the layer, 1 is the first above the input, the last is the output.
        layer: i32,
        /// Whole passes over the training samples.
        epoch: i32,
        /// Updates of the weights so far; null in files of version 1.
        step: Option<i64>,
        /// Runs with an estimate.
        n_runs: i32,
        /// Runs without one.
        n_failed: i32,
        /// Mean of I(X;T) over runs, in bits; null where no run has one.
        i_xt_bits_mean: Option<f64>,
        /// Standard deviation (n − 1) of I(X;T) over runs, in bits; null with fewer than two runs.
        i_xt_bits_std: Option<f64>,
        /// Median of I(X;T) over runs, in bits.
        i_xt_bits_median: Option<f64>,
        /// Where the 95 % interval of the mean of I(X;T) begins, in bits (percentiles of a seeded bootstrap over runs); null with fewer than two runs.
        i_xt_bits_low: Option<f64>,
        /// Where it ends.
        i_xt_bits_high: Option<f64>,
        /// Mean of I(T;Y) over runs, in bits; null where every run failed.
        i_ty_bits_mean: Option<f64>,
        /// Standard deviation (n − 1) of I(T;Y) over runs, in bits; null with fewer than two runs.
        i_ty_bits_std: Option<f64>,
        /// Median of I(T;Y) over runs, in bits.
        i_ty_bits_median: Option<f64>,
        /// Where the 95 % interval of the mean of I(T;Y) begins, in bits (percentiles of a seeded bootstrap over runs); null with fewer than two runs.
        i_ty_bits_low: Option<f64>,
        /// Where it ends.
        i_ty_bits_high: Option<f64>,
        /// Mean over runs of I(T;T′) in bits, T′ being the layer above; null where no run has one.
        i_tt_bits_mean: Option<f64>,
        /// Mean over runs of H(T) in bits, a differential entropy but for codes; null where no run has one.
        h_t_bits_mean: Option<f64>,
        /// Mean over runs and shuffles of I(X;T) in bits with the inputs dealt anew; null where no run has one.
        i_xt_null_bits_mean: Option<f64>,
        /// Mean over runs and shuffles of I(T;Y) in bits with the labels dealt anew; null where no run has one.
        i_ty_null_bits_mean: Option<f64>,
        /// The largest possible I(X;T) in bits: the smallest over runs.
        i_xt_ceiling_bits: Option<f64>,
        /// The largest possible I(T;Y) in bits: the smallest over runs.
        i_ty_ceiling_bits: Option<f64>,
        /// Trainings that failed, whose runs end early; null in files before version 4 and for recordings that do not say.
        n_trainings_failed: Option<i64>,
        /// Trainings that ended degenerate, no better than a constant answer; null likewise.
        n_trainings_degenerate: Option<i64>,
        /// Mean over runs of the training loss, in nats; null where not every run has one.
        loss_train_nats_mean: Option<f64>,
        /// Mean over runs of the test loss, in nats; null where not every run has one.
        loss_test_nats_mean: Option<f64>,
        /// Mean over runs of the squared error of the training samples; null where not every run has one.
        squared_error_train_mean: Option<f64>,
        /// Mean over runs of the squared error of the test samples; null where not every run has one.
        squared_error_test_mean: Option<f64>,
        /// Mean over runs of the training accuracy; null where not every run has one.
        accuracy_train_mean: Option<f64>,
        /// Mean over runs of the test accuracy; null where not every run has one.
        accuracy_test_mean: Option<f64>,
        /// Which gradients the next columns are about, as in the table `gradients`: the kind that was recorded first.
        gradients_over: Option<String>,
        /// Mean over runs of the norm of the mean gradient; null where not every run has one.
        gradient_mean_norm_mean: Option<f64>,
        /// Mean over runs of the norm of the gradients' standard deviation; null where not every run has one.
        gradient_std_norm_mean: Option<f64>,
        /// Mean over runs of the quotient of the two, the signal-to-noise ratio; null where not every run has one.
        gradient_snr_mean: Option<f64>,
        /// Mean over runs of the Frobenius norm of the kernel, from the gradients or else the weights; null where not every run has one.
        weight_norm_mean: Option<f64>,
        /// Checks of `infoplane check` that ended in `warning`; null where this was not checked.
        n_checks_warning: Option<i64>,
        /// Checks that ended in `violated`; null likewise.
        n_checks_violated: Option<i64>,
    }

    /// One experiment, estimator, run and layer: the phases of its training.
    "phases" = PhaseRow {
        /// Name of the experiment.
        experiment: String,
        /// Identity of the estimator with its parameters.
        estimator: String,
        /// Run, `r0000` is the first; `pooled` where the runs are pooled.
        run: String,
        /// Number of the layer, 1 is the first above the input, the last is the output.
        layer: i32,
        /// The last recorded epoch.
        end_epoch: i32,
        /// I(X;T) at the first recorded snapshot, in bits; null, like all that follows, where there is none or `failure` says why not.
        i_xt_start_bits: Option<f64>,
        /// The largest I(X;T), in bits.
        i_xt_peak_bits: Option<f64>,
        /// The first epoch that has it.
        i_xt_peak_epoch: Option<i64>,
        /// I(X;T) at the last recorded snapshot, in bits.
        i_xt_end_bits: Option<f64>,
        /// The largest I(X;T) less the last, in bits: never negative, and above 0 for mere noise.
        drop_bits: Option<f64>,
        /// The epoch at which the mean of the other half of the runs (by even and odd places) is largest; null with fewer than two runs.
        others_peak_epoch: Option<i64>,
        /// I(X;T) at that epoch less the last, in bits: compression, 0 on average where I(X;T) is nothing but noise; null with fewer than two runs or snapshots.
        compression_bits: Option<f64>,
        /// I(T;Y) at the first recorded snapshot, in bits.
        i_ty_start_bits: Option<f64>,
        /// I(T;Y) at the last recorded snapshot, in bits.
        i_ty_end_bits: Option<f64>,
        /// Length of the fitting phase: the first epoch with 90 % of the way from the first I(T;Y) to its largest; null where it never rises.
        fitted_epoch: Option<i64>,
        /// From drift to diffusion: the first epoch after the largest signal-to-noise ratio of the gradients at which it is below 1; null where it never is above, or stays there.
        diffusion_epoch: Option<i64>,
        /// Why there are no numbers, else null.
        failure: Option<String>,
    }

    /// One experiment, estimator and layer: compression and its phases over runs.
    "compression" = CompressionRow {
        /// Name of the experiment.
        experiment: String,
        /// Identity of the estimator with its parameters.
        estimator: String,
        /// Number of the layer, 1 is the first above the input, the last is the output.
        layer: i32,
        /// Runs with these numbers.
        n_runs: i32,
        /// Runs left out because their training or an estimate failed.
        n_failed: i32,
        /// Mean over runs of the largest I(X;T), in bits.
        i_xt_peak_bits_mean: Option<f64>,
        /// Median over runs of the epoch that has it.
        i_xt_peak_epoch_median: Option<f64>,
        /// Mean over runs of the last I(X;T), in bits.
        i_xt_end_bits_mean: Option<f64>,
        /// Mean over runs of `phases.drop_bits`.
        drop_bits_mean: Option<f64>,
        /// Mean over runs of `phases.compression_bits`; null with fewer than two runs.
        compression_bits_mean: Option<f64>,
        /// Standard deviation (n − 1) of the same.
        compression_bits_std: Option<f64>,
        /// Where its 95 % interval (Student, paired) begins, in bits.
        compression_bits_low: Option<f64>,
        /// Where it ends.
        compression_bits_high: Option<f64>,
        /// Runs that compress: whose own number is above 0.
        n_compressing: i32,
        /// Two-sided p of the exact sign test of the same; null with fewer than two runs, and where all are 0.
        sign_p: Option<f64>,
        /// Two-sided p of Wilcoxon's signed-rank test, exact; null likewise.
        wilcoxon_p: Option<f64>,
        /// Median over runs of `phases.fitted_epoch`.
        fitted_epoch_median: Option<f64>,
        /// Runs that have one.
        n_fitted: i32,
        /// Median over runs of `phases.diffusion_epoch`.
        diffusion_epoch_median: Option<f64>,
        /// Runs that have one.
        n_diffused: i32,
        /// `compresses` (the interval is wholly above 0), `does not` (it is not above 0 anywhere) or `undecided`.
        verdict: String,
        /// Why it is undecided for lack of numbers, else null.
        reason: Option<String>,
    }

    /// One claim, layer, varied parameter and value: in how many settings it holds.
    "stability" = StabilityRow {
        /// Figure or section of the paper.
        figure: String,
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
        /// `done`, `partial` (done, but some trainings or estimates failed), `failed`, `unfinished` (begun, or another call is at it) or `pending`.
        state: String,
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

    /// One activation function, kind of bins and weight w: the exact information of a single binned unit, T = bin(f(wX)) with X ~ N(0, 1).
    "minimal_model" = MinimalModelRow {
        /// The activation function f.
        activation: String,
        /// The bins, in words.
        bins: String,
        /// The weight w.
        weight: f64,
        /// I(X;T) = H(T) in bits.
        i_xt_bits: f64,
    }
}

/// A column's type in Arrow's words, and whether it may be null.
pub fn kind(column: &Column) -> &'static str {
    match column.kind {
        "i32" => "int32",
        "i64" => "int64",
        "f64" => "float64",
        "Option<f64>" => "float64, null",
        "String" => "string",
        "Option<String>" => "string, null",
        "Vec<f32>" => "fixed-size list of float32",
        "Option<Vec<f32>>" => "fixed-size list of float32, null",
        "Option<i64>" => "int64, null",
        other => other,
    }
}

/// `docs/schema.md`, derived from the tables.
pub fn markdown() -> String {
    let mut page = format!(
        "# Tables, schema version {VERSION}\n\nDerived from `src/store/schema.rs`; a test compares the two. Every Parquet footer carries `infoplane.table`,\n`infoplane.schema_version`, `infoplane.crate_version` and `infoplane.config_hash`; every column its description.\n"
    );
    for (table, doc, columns) in TABLES {
        page.push_str(&format!("\n## {table}\n\nA row: {doc}\n\n| column | type | holds |\n|---|---|---|\n"));
        for column in *columns {
            page.push_str(&format!("| `{}` | {} | {} |\n", column.name, kind(column), column.doc));
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tables of every version.
    const HISTORY: &[(u32, &str)] = &[
        (1, "aac67a4d8ce58275"),
        (2, "0c441c3e790b50f0"),
        (3, "03f12a1af455fda5"),
        (4, "09908fd7b495ffbe"),
        (5, "f1c8e5ae874124cb"),
        (6, "4d09c34a28104ec5"),
    ];

    /// A changed table must not pass unnoticed: raise [`VERSION`], add a line above, and commit files of it for
    /// `tests/it/compat.rs`.
    #[test]
    fn tables_change_only_with_their_version() {
        let described: String = TABLES
            .iter()
            .flat_map(|(table, _, columns)| columns.iter().map(move |c| format!("{table}.{}:{}\n", c.name, c.kind)))
            .collect();
        let hash = blake3::hash(described.as_bytes()).to_hex()[..16].to_owned();
        assert_eq!(Some(&(VERSION, hash.as_str())), HISTORY.last(), "{described}");
    }
}
