//! Reads and checks pipeline files: every key with its default and its check; an error has its line in the file.

mod adaptive;
mod aggregate;
mod bound;
mod data;
mod differences;
mod entry;
mod estimate;
mod exact;
pub mod expect;
mod identity;
pub mod keys;
mod layer;
mod learning_rate;
mod network;
mod networks;
mod pattern;
mod propagation;
mod record;
mod requests;
mod schedule;
mod shorthand;
mod source;
mod steps;
mod stop;
mod sweep;
mod training;
mod tree;
mod values;
mod weights;

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde::de::value::MapAccessDeserializer;
use toml::de::DeTable;

use crate::estimate_id::Unit;
use crate::estimators::ValueBounds;
use crate::layer_id::LayerId;
use crate::nn::{GradientKind, NetworkError};
use crate::suggest::Named;
pub use adaptive::Adaptive;
use aggregate::RawAggregate;
pub use bound::BoundRequest;
use bound::RawBound;
use data::DataTable;
pub use data::{Data, Labelling, MADE_FROM, MADE_OF, NamedData, Split};
pub use differences::differences;
use entry::RawEntry;
pub use estimate::{Request, SCOPE};
use exact::RawExact;
pub use exact::{Exact, Inputs};
use expect::{ClaimContext, Expect, RawExpect};
pub use identity::{KeyValue, keys_of_data, keys_of_estimate};
use network::RawNetwork;
pub use network::{recorded_architecture, recorded_bounds};
use networks::Layers;
pub use networks::{Networks, Origin};
pub(crate) use pattern::matches as matches_pattern;
use propagation::RawPropagation;
pub use propagation::{LayerNoise, LayerWithNoise, Propagation};
use record::RawRecord;
pub use record::{Record, RecordedSamples, When};
use requests::requests;
use source::Source;
pub use source::{ConfigError, Shortened};
pub use steps::Steps;
pub use stop::{Stop, StopOn};
pub use sweep::{Declared, NoExperiment, Setting, Sweep, Variant};
use training::RawTraining;
use tree::{Entries, Located, Node};
use weights::measures;
pub use weights::{MEASURE_SCOPE, MeasureRequest, measured_activations};

/// A checked pipeline.
#[derive(Debug)]
pub struct Pipeline {
    /// The file's name without its extension: the name of the experiment.
    pub name: String,
    /// The origin of its networks.
    pub origin: Origin,
    /// The last layer of its networks.
    pub output: LayerId,
    /// The requested estimates.
    pub estimates: Vec<Request>,
    /// The exact information to compute, for linear networks.
    pub exact: Option<Exact>,
    /// The sample propagation to compute, for networks with noise.
    pub propagation: Option<Propagation>,
    /// The measures of weights to apply.
    pub weights: Vec<MeasureRequest>,
    /// The information bottleneck bound, if it is requested.
    pub bound: Option<BoundRequest>,
    /// The smallest compression that counts, in bits, if the pipeline gives one.
    pub minimum_effect: Option<f64>,
    /// The claims of a paper about it.
    pub claims: Vec<Expect>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPipeline {
    #[serde(default)]
    seed: u64,
    #[serde(default = "values::one", deserialize_with = "values::runs")]
    runs: usize,
    /// Read by [`data`], as its keys depend on the data set.
    #[serde(rename = "data")]
    _data: IgnoredAny,
    network: Located<RawNetwork>,
    training: Located<RawTraining>,
    record: Located<RawRecord>,
    #[serde(default)]
    estimate: Vec<Located<RawEntry>>,
    exact: Option<Located<RawExact>>,
    propagation: Option<Located<RawPropagation>>,
    #[serde(default)]
    weights: Vec<Located<RawEntry>>,
    bound: Option<RawBound>,
    aggregate: Option<RawAggregate>,
    #[serde(default)]
    expect: Vec<Located<RawExpect>>,
    /// Read by [`sweep`], before lists are replaced by their values.
    #[serde(rename = "sweep")]
    _sweep: Option<IgnoredAny>,
}

/// A pipeline file for networks that another program has recorded.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRecorded {
    /// The folder of the experiment.
    recording: PathBuf,
    #[serde(default)]
    estimate: Vec<Located<RawEntry>>,
    #[serde(default)]
    weights: Vec<Located<RawEntry>>,
    bound: Option<RawBound>,
    aggregate: Option<RawAggregate>,
    #[serde(default)]
    expect: Vec<Located<RawExpect>>,
}

impl Pipeline {
    /// Reads and checks a pipeline file of one experiment; [`Declared::read`] also reads sweeps.
    ///
    /// # Errors
    /// The file cannot be read; an unknown or missing key; a value that is not allowed. Names the file, line and key.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let source = Source::read(path, Shortened::default())?;
        Self::new(&source, source.name(), source.tree()?.get_ref())
    }

    /// The pipeline called `name` that a parsed file declares.
    fn new(source: &Source, name: String, table: &DeTable<'_>) -> Result<Self, ConfigError> {
        let entries = MapAccessDeserializer::new(Entries::new(table));
        let checked = match table.get("recording") {
            Some(recording) => {
                check_no_training_keys(table).map_err(|(at, problem)| source.refused(at, problem))?;
                if source.shortened.runs.or(source.shortened.epochs.map(|_| 0)).is_some() {
                    let problem =
                        "`--runs` and `--epochs` apply only to networks that the pipeline trains; leave them out";
                    return Err(source.refused(recording.span().start, problem.to_owned()));
                }
                let raw = RawRecorded::deserialize(entries).map_err(|fault| source.faulty(&fault))?;
                Self::recorded(name, recording.span().start, raw)
            }
            None => {
                let mut raw = RawPipeline::deserialize(entries).map_err(|fault| source.faulty(&fault))?;
                if let Some(runs) = source.shortened.runs {
                    raw.runs = runs;
                }
                if let Some(epochs) = source.shortened.epochs {
                    raw.training.value.epochs = epochs;
                    raw.record.value.shorten(epochs);
                }
                let data = Node::from(table.get("data").expect("serde found the table"));
                let entries = data.table().map_err(|fault| source.faulty(&fault.within("data", data)))?;
                DataTable::new(data.at, entries).and_then(|data| Self::trained(name, data, raw, source.bounds))
            }
        };
        checked.map_err(|(at, problem)| source.refused(at, problem))
    }

    /// The networks that it trains; `None` if they are recorded by another program.
    pub fn networks(&self) -> Option<&Networks> {
        match &self.origin {
            Origin::Trained(networks) => Some(networks),
            Origin::Recorded(_) => None,
        }
    }

    /// The default folder of its results: the folder of the recording, or `outputs/<name>`.
    pub fn default_folder(&self) -> PathBuf {
        match &self.origin {
            Origin::Trained(_) => Path::new("outputs").join(&self.name),
            Origin::Recorded(folder) => folder.clone(),
        }
    }

    /// Checks a pipeline for the recording of another program, which is named at byte `at` of the file.
    fn recorded(name: String, at: usize, raw: RawRecorded) -> Result<Self, (usize, String)> {
        let (layers, bounds) = Layers::of_recording(&raw.recording).map_err(|problem| (at, problem))?;
        let estimates = requests(raw.estimate, bounds)?;
        let minimum_effect = raw.aggregate.map(RawAggregate::check).transpose()?.flatten();
        let requested = Requested {
            exact: None,
            propagation: None,
            weights: measures(raw.weights, None)?,
            bound: raw.bound,
            minimum_effect,
            expect: raw.expect,
            gradients: GradientKind::ALL,
        };
        Self::checked(name, Origin::Recorded(raw.recording), &layers, estimates, requested)
    }

    /// Checks keys that depend on each other; an error has the place of the wrong key. The `bounds` are the common bounds of the
    /// activations of all experiments of a sweep, if each has other bounds.
    fn trained(
        name: String,
        data: DataTable,
        raw: RawPipeline,
        bounds: Option<ValueBounds>,
    ) -> Result<Self, (usize, String)> {
        let (network_at, training_at, record_at) = (raw.network.at, raw.training.at, raw.record.at);
        let architecture = raw.network.value.check().map_err(|problem| (network_at, problem))?;
        let (training, stop) = raw.training.value.check().map_err(|problem| (training_at, problem))?;
        architecture.check(training.loss, training.batch_size).map_err(|e| (network_at, e.to_string()))?;
        let record = raw.record.value.check(record_at, training.n_epochs, architecture.output_layer())?;
        if stop.is_some() && !matches!(record.when, When::Fixed { .. }) {
            let problem = "`stop` cannot be combined with `adaptive`; record `epochs` or `steps`";
            return Err((training_at, problem.to_owned()));
        }
        if architecture.couples_samples() && record.gradients.contains(&GradientKind::Samples) {
            return Err((record_at, NetworkError::CoupledSamples.to_string()));
        }
        let exact = raw.exact.map(|Located { at, value: raw }| {
            raw.check(&data, &architecture, &record).map_err(|problem| (at, problem))
        });
        let exact = exact.transpose()?;
        let propagation = raw
            .propagation
            .map(|Located { at, value: raw }| raw.check(&architecture, &record).map_err(|problem| (at, problem)));
        let propagation = propagation.transpose()?;
        let bounds = bounds.unwrap_or_else(|| network::bounds(&architecture, &record.layers));
        let estimates = requests(raw.estimate, bounds)?;
        let minimum_effect = raw.aggregate.map(RawAggregate::check).transpose()?.flatten();
        let layers = Layers::of_trained(architecture.output_layer());
        let gradients = record.gradients.clone();
        let networks = Networks {
            seed: raw.seed,
            n_runs: raw.runs,
            data: data.data,
            train_fraction: data.train_fraction,
            split: data.split,
            masks: data.masks,
            labels: data.labels,
            architecture,
            training,
            stop,
            record,
        };
        let weights = measures(raw.weights, Some(&networks))?;
        let requested = Requested {
            exact,
            propagation,
            weights,
            bound: raw.bound,
            minimum_effect,
            expect: raw.expect,
            gradients: &gradients,
        };
        Self::checked(name, Origin::Trained(Box::new(networks)), &layers, estimates, requested)
    }

    /// Checks the requests of a pipeline for networks with these layers, trained or recorded by another program.
    fn checked(
        name: String,
        origin: Origin,
        layers: &Layers,
        estimates: Vec<Request>,
        requested: Requested<'_>,
    ) -> Result<Self, (usize, String)> {
        let of_layers = estimates.iter().map(|request| &request.id).filter(|id| id.unit == Unit::Layers);
        let ids: Vec<String> = of_layers
            .map(ToString::to_string)
            .chain(requested.exact.iter().flat_map(Exact::ids).map(|id| id.to_string()))
            .chain(requested.propagation.iter().map(|propagation| propagation.id().to_string()))
            .collect();
        let bound = requested.bound.map(|raw| raw.check(&estimates)).transpose()?;
        let context = ClaimContext {
            estimates: &ids,
            weights: &requested.weights,
            layers,
            gradients: requested.gradients,
            has_bound: bound.is_some(),
        };
        let claims = expect::claims(requested.expect, &name, &context)?;
        Ok(Self {
            name,
            origin,
            output: layers.output,
            estimates,
            exact: requested.exact,
            propagation: requested.propagation,
            weights: requested.weights,
            bound,
            minimum_effect: requested.minimum_effect,
            claims,
        })
    }
}

/// The requests of a pipeline, except estimates.
struct Requested<'a> {
    exact: Option<Exact>,
    propagation: Option<Propagation>,
    weights: Vec<MeasureRequest>,
    bound: Option<RawBound>,
    minimum_effect: Option<f64>,
    expect: Vec<Located<RawExpect>>,
    /// Kinds of gradients that are recorded.
    gradients: &'a [GradientKind],
}

/// Checks that a file that names a recording has no keys for training networks.
fn check_no_training_keys(table: &DeTable<'_>) -> Result<(), (usize, String)> {
    for key in ["seed", "runs", "data", "network", "training", "record", "exact", "propagation", "sweep"] {
        if let Some(value) = table.get(key) {
            let problem = format!(
                "`{key}` applies to networks that the pipeline trains, but `recording` names networks that are already recorded; leave out one of them"
            );
            return Err((value.span().start, problem));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::estimate_id::Pool;
    use crate::nn::{Activation, Fan, Initial};

    const VALID: &str = "runs = 2
seed = 3
[data]
name = \"tishby\"
train_fraction = 0.85
[network]
hidden = [10, 7]
activation = \"tanh\"
[training]
optimiser = \"adam\"
learning_rate = 4e-4
batch = \"full\"
epochs = 100
[record]
epochs = { log_spaced = 10 }
[[estimate]]
estimator = \"binning\"
n_edges = 30
";

    fn read(text: &str) -> Result<Pipeline, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.toml");
        fs::write(&path, text).unwrap();
        Pipeline::read(&path).map_err(|e| {
            let text = e.to_string();
            text[text.find("p.toml").unwrap()..].to_owned()
        })
    }

    /// What `VALID` with `from` replaced by `to` is refused with.
    #[track_caller]
    fn check(from: &str, to: &str, expected: &str) {
        assert!(VALID.contains(from));
        assert_eq!(read(&VALID.replace(from, to)).unwrap_err(), expected);
    }

    #[test]
    fn a_valid_pipeline_is_read_with_its_defaults() {
        let pipeline = read(VALID).unwrap();
        let networks = pipeline.networks().unwrap();
        assert_eq!((pipeline.name.as_str(), networks.n_runs, networks.training.n_epochs), ("p", 2, 100));
        let initial = Initial::TruncatedNormal(Fan::In);
        assert_eq!(networks.split, Split::Shuffled);
        assert_eq!(networks.architecture, crate::nn::Architecture::plain(&[10, 7], Activation::Tanh, initial));
        let epochs = vec![0, 1, 2, 4, 7, 12, 21, 35, 59, 99, 100];
        assert_eq!(networks.record.when, When::Fixed { epochs, steps: Steps::List(Vec::new()) });
        assert_eq!(networks.record.layers, [1, 2, 3].map(LayerId::from_index));
        assert_eq!(networks.record.samples, RecordedSamples::All);
        assert_eq!(pipeline.estimates[0].id.to_string(), "binning-n-edges-30");
    }

    #[test]
    fn an_estimate_may_ask_for_several_values_samples_and_pools() {
        let ids = |table: &str| -> Vec<String> {
            let pipeline = read(&VALID.replace("estimator = \"binning\"\nn_edges = 30", table)).unwrap();
            pipeline.estimates.iter().map(|request| request.id.to_string()).collect()
        };
        let bins = "estimator = \"binning\"\nn_bins = [5, 9]\nsamples = [\"all\", \"test\"]";
        let expected = ["n-bins-5", "n-bins-5-samples-test", "n-bins-9", "n-bins-9-samples-test"];
        assert_eq!(ids(bins), expected.map(|id| format!("binning-{id}")));
        let kde = ids("estimator = \"kde\"\nnoise_variance = [0.1]\nrelative = true");
        assert_eq!(kde, ["kde-upper-noise-variance-0.1-relative", "kde-lower-noise-variance-0.1-relative"]);
        let pooled = ids("estimator = \"quantised\"\nwindow = [\"1-2\", \"100-110\"]");
        assert_eq!(pooled, ["quantised-bits-8-window-1-2", "quantised-bits-8-window-100-110"]);
        let units = "estimator = \"binning\"\nexact = true\nper_unit = true\nshuffles = 0";
        let pipeline = read(&VALID.replace("estimator = \"binning\"\nn_edges = 30", units)).unwrap();
        let request = &pipeline.estimates[0];
        assert_eq!((request.id.unit, request.n_shuffles, request.id.pool), (Unit::Units, 0, Pool::Nothing));
    }

    #[test]
    fn every_mistake_is_reported_with_its_line_and_a_remedy() {
        check(
            "epochs = 100",
            "epoks = 100",
            "p.toml, line 13: unknown key `epoks`; did you mean `epochs`? (`infoplane keys training` lists the keys)",
        );
        check(
            "[data]",
            "[dota]",
            "p.toml, line 3: unknown key `dota`; did you mean `data`? (`infoplane keys pipeline` lists the keys)",
        );
        check("\"tanh\"", "\"tanhh\"", "p.toml, line 8: `activation`: unknown choice `tanhh`; did you mean `tanh`?");
        check(
            "\"adam\"",
            "\"zzz\"",
            "p.toml, line 10: `optimiser`: unknown choice `zzz`; known: `adam`, `adam_pytorch`, `sgd`, `momentum`, `nesterov`, `rmsprop`",
        );
        check(
            "[10, 7]",
            "[]",
            "p.toml, line 7: `hidden`: no hidden layers; give at least one width, for example [10, 7, 5, 4, 3]",
        );
        let too_wide = "p.toml, line 7: `hidden`: every layer needs 1 to 10000000 units, got 9223372036854775807";
        check("[10, 7]", "[10, 9223372036854775807]", too_wide);
        check("[10, 7]", "[10, 0]", "p.toml, line 7: `hidden`: every layer needs 1 to 10000000 units, got 0");
        check("\"full\"", "0", "p.toml, line 12: `batch`: must be \"full\" or a whole number of at least 1, got 0");
        check("runs = 2", "runs = 0", "p.toml, line 1: `runs`: must be a whole number from 1 to 9999, got 0");
        check(
            "epochs = 100",
            "epochs = 3_000_000_000",
            "p.toml, line 13: `epochs`: must be a whole number from 1 to 2147483647, got 3000000000",
        );
        check(
            "4e-4",
            "-1.0",
            "p.toml, line 11: `learning_rate`: must be a finite number above 0 within the range of f32, got -1.0",
        );
        check("0.85", "1.5", "p.toml, line 5: `train_fraction`: must be above 0 and at most 1, got 1.5");
        check(
            "log_spaced = 10 ",
            "log_spaced = 101 ",
            "p.toml, line 15: `epochs`: `log_spaced` is 101, but `[training]` has only 100 epochs",
        );
        check(
            "{ log_spaced = 10 }",
            "{ list = [1, 200] }",
            "p.toml, line 15: `epochs`: epoch 200 is after the last epoch of `[training]`, 100",
        );
        check(
            "{ log_spaced = 10 }",
            "{ evry = 2 }",
            "p.toml, line 15: `epochs`: unknown choice `evry`; did you mean `every`?",
        );
        check("\"tishby\"", "\"tishbi\"", "p.toml, line 4: unknown data set `tishbi`; did you mean `tishby`?");
        check("\"binning\"", "\"bining\"", "p.toml, line 17: unknown estimator `bining`; did you mean `binning`?");
        check("n_edges = 30", "n_edge = 30", "p.toml, line 18: unknown parameter `n_edge`; did you mean `n_edges`?");
        check(
            "n_edges = 30",
            "n_edges = -1",
            "p.toml, line 18: parameter `n_edges`: must be a whole number from 2 to 16777216, got -1",
        );
        check(
            "n_edges = 30",
            "n_edges = [30, \"x\"]",
            "p.toml, line 18: parameter `n_edges`: must be a whole number from 2 to 16777216, got x",
        );
        check("n_edges = 30", "n_edges = [30, 30]", "p.toml, line 16: `binning-n-edges-30` is requested twice");
        check(
            "n_edges = 30",
            "samples = \"some\"",
            "p.toml, line 18: parameter `samples`: must be one of all, train, test, got some",
        );
        check("n_edges = 30", "shufles = 3", "p.toml, line 18: unknown parameter `shufles`; did you mean `shuffles`?");
        check(
            "estimator = \"binning\"\nn_edges = 30",
            "estimator = \"kde\"\npool = \"runs\"",
            "p.toml, line 16: `kde` adds noise in the analysis and cannot pool; use `binning` or `quantised`",
        );
        check("epochs = { log_spaced = 10 }", "", "p.toml, line 14: `[record]` needs `epochs`, `steps` or `adaptive`");
        let with = |line: &str| format!("{{ log_spaced = 10 }}\n{line}");
        check(
            "{ log_spaced = 10 }",
            &with("layers = [4]"),
            "p.toml, line 16: `layers`: there is no layer 4; 0 is the input, 3 the output",
        );
        check(
            "{ log_spaced = 10 }",
            &with("samples = \"some\""),
            "p.toml, line 16: `samples`: must be \"all\", \"train\", \"test\" or a whole number of at least 1, got \"some\"",
        );
        check(
            "{ log_spaced = 10 }",
            &with("gradients = \"before\""),
            "p.toml, line 16: `gradients`: must be true, false, or one or more of \"after_step\", \"before_step\", \"samples\", got \"before\"",
        );
        check(
            "{ log_spaced = 10 }",
            &with("steps = { windows = [[5, 2]] }"),
            "p.toml, line 16: `steps`: window [5, 2] ends before it begins",
        );
        check(
            "{ log_spaced = 10 }",
            &with("adaptive = { delta = 0.2, method = \"exact\" }"),
            "p.toml, line 16: `adaptive` cannot be combined with `epochs` or `steps`; leave them out",
        );
        check(
            "[[estimate]]",
            "[estimate]",
            "p.toml, line 16: `estimate`: must be a list of tables, got a single table; write its name in double brackets, as `[[estimate]]`",
        );
        check("hidden = [10, 7]\n", "", "p.toml, line 6: missing key `hidden`");
        let table = "[\n  10,\n  { units = 3, droput = 0.1 },\n]";
        check(
            "[10, 7]",
            table,
            "p.toml, line 9: unknown key `droput`; did you mean `dropout`? (`infoplane keys hidden` lists the keys)",
        );
        let no_width =
            "p.toml, line 7: `hidden`: must be a width or a table such as { units = 10, dropout = 0.2 }, got \"x\"";
        check("[10, 7]", "[10, \"x\"]", no_width);
        check("runs = 2", "runs = \"x\"", "p.toml, line 1: `runs`: must be a whole number, got \"x\"");
        check("seed = 3", "seed = -3", "p.toml, line 2: `seed`: must be a whole number of at least 0, got -3");
        check("seed = 3", "data = 3", "p.toml, line 3: this is not TOML: duplicate key");
        check(
            "{ log_spaced = 10 }",
            "\"every\"",
            "p.toml, line 15: `epochs`: this form needs a value; write a table with one key, as { every = 10 }",
        );
        let all_but_data = VALID.replace("[data]\nname = \"tishby\"\ntrain_fraction = 0.85\n", "");
        assert_eq!(read(&all_but_data).unwrap_err(), "p.toml: missing key `data`");
        check("name = \"tishby\"\n", "", "p.toml, line 3: `[data]` needs either `name` or `file`");
        let with = |bits: &str| format!("[aggregate]\nminimum_effect = {bits}\n[[estimate]]");
        assert_eq!(read(&VALID.replace("[[estimate]]", &with("1"))).unwrap().minimum_effect, Some(1.0));
        check(
            "[[estimate]]",
            &with("-0.1"),
            "p.toml, line 17: `minimum_effect`: must be a finite number of bits of at least 0, got -0.1",
        );
    }
}
