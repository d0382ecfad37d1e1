//! The `[exact]` table of a pipeline: exact information of a linear network, in the same form as estimates.

use serde::{Deserialize, Deserializer};

use super::data::{Data, DataTable, Labelling};
use super::keys::{Accepts, Key, KeyTable, Omitted, names};
use super::record::Record;
use super::values::named;
use crate::datasets::TeacherShape;
use crate::estimate_id::{EXACT_FAMILY, EstimateId, EstimatorId, Scale, ScaleKind};
use crate::layer_id::LayerId;
use crate::nn::{Activation, Architecture, Hidden, Operation, Output};
use crate::parameter::{Kind, Value};
use crate::suggest::Named;

/// Exact information of every layer of a linear network about the inputs and targets of a linear teacher.
#[derive(Debug, Clone, PartialEq)]
pub struct Exact {
    /// Variance of the Gaussian noise that is added to T in the analysis.
    pub noise_variance: f64,
    /// The inputs that T has information about; each choice is a separate table.
    pub inputs: Vec<Inputs>,
    /// The teacher of the data.
    pub teacher: TeacherShape,
}

/// Inputs that T has information about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Inputs {
    /// All of them.
    All,
    /// The inputs that determine the target.
    Relevant,
    /// The other inputs.
    Irrelevant,
}

impl Named for Inputs {
    const ALL: &'static [Self] = &[Self::All, Self::Relevant, Self::Irrelevant];

    fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Relevant => "relevant",
            Self::Irrelevant => "irrelevant",
        }
    }
}

impl Exact {
    /// The identity of a table.
    pub fn id(&self, inputs: Inputs) -> EstimateId {
        let scale = Scale::new(ScaleKind::NoiseVariance, self.noise_variance);
        let options = (inputs != Inputs::All).then(|| format!("inputs-{}", inputs.name()));
        EstimatorId { options, ..EstimatorId::new(EXACT_FAMILY, Some(scale)) }.into()
    }

    /// The computed quantity, in words.
    pub fn quantity(&self, inputs: Inputs) -> String {
        let TeacherShape { n_relevant, n_inputs, .. } = self.teacher;
        let about = match inputs {
            Inputs::All => String::new(),
            Inputs::Relevant => format!(", X being the relevant inputs ({n_relevant} of {n_inputs})"),
            Inputs::Irrelevant => {
                format!(", X being the irrelevant inputs ({} of {n_inputs})", n_inputs - n_relevant)
            }
        };
        let variance = Value::Number(self.noise_variance);
        format!(
            "information of T plus Gaussian noise of variance {variance}, exact for a linear network and Gaussian inputs{about}"
        )
    }

    /// The identities of all tables.
    pub fn ids(&self) -> Vec<EstimateId> {
        self.inputs.iter().map(|inputs| self.id(*inputs)).collect()
    }
}

/// The keys of `[exact]`.
pub(super) const KEYS: KeyTable = KeyTable {
    within: "",
    name: "exact",
    doc: "`[exact]`: exact information of linear networks, without an estimator. It needs `name = \"student-teacher\"` in `[data]` and a network without nonlinear functions.",
    keys: &[
        Key {
            name: "noise_variance",
            accepts: Accepts::Kind(Kind::Positive),
            omitted: Omitted::Value("1"),
            doc: "Variance of the Gaussian noise that is added to T in the analysis.",
        },
        Key {
            name: "inputs",
            accepts: Accepts::ListOf(names::<Inputs>),
            omitted: Omitted::Value("[\"all\"]"),
            doc: "The inputs that T has information about, one table for each: all inputs, those that determine the target, or the others.",
        },
    ],
    parameters: &[],
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawExact {
    #[serde(default = "one", deserialize_with = "variance")]
    noise_variance: f64,
    #[serde(default = "all", deserialize_with = "inputs")]
    inputs: Vec<Inputs>,
}

/// Largest number of inputs or units; the covariances of more take minutes per snapshot.
const MOST_UNITS: usize = 4096;

impl RawExact {
    /// Checks the table against the rest of the pipeline; an error names the reason.
    pub(super) fn check(self, data: &DataTable, network: &Architecture, record: &Record) -> Result<Exact, String> {
        let teacher = match &data.data {
            Data::Named(named) => TeacherShape::of(named.spec, &named.parameters),
            Data::File(_) => None,
        };
        let teacher = teacher.ok_or(
            "`[exact]` needs data whose distribution is known: use `name = \"student-teacher\"`, or leave `[exact]` out",
        )?;
        if data.labels != Labelling::Given {
            return Err("`[exact]` needs the targets of the teacher; leave out `labels`".to_owned());
        }
        check_linear(network)?;
        if !record.weights {
            return Err("`[exact]` needs recorded weights; leave out `weights = false` in `[record]`".to_owned());
        }
        let TeacherShape { n_relevant, n_inputs, n_outputs } = teacher;
        let widest = network.hidden.iter().map(|layer| layer.n_units).chain([n_inputs, n_outputs]).max().unwrap_or(0);
        if widest > MOST_UNITS {
            return Err(format!(
                "`[exact]` allows at most {MOST_UNITS} inputs or units of a layer, got {widest}; use fewer"
            ));
        }
        let is_part = self.inputs.iter().any(|inputs| *inputs != Inputs::All);
        if is_part && n_relevant > n_inputs {
            return Err(format!(
                "`n_relevant` is {n_relevant}, but there are only {n_inputs} inputs; use a smaller number"
            ));
        }
        if is_part && (n_relevant == 0 || n_relevant == n_inputs) {
            let which = if n_relevant == 0 { "none" } else { "all" };
            return Err(format!(
                "`inputs`: {which} of the {n_inputs} inputs are relevant, so they have no two parts; change `n_relevant` in `[data]`, or use [\"all\"]"
            ));
        }
        Ok(Exact { noise_variance: self.noise_variance, inputs: self.inputs, teacher })
    }
}

/// Checks that the layers consist of matrices and biases only.
fn check_linear(network: &Architecture) -> Result<(), String> {
    for (layer, Hidden { operations, .. }) in LayerId::above_input().zip(&network.hidden) {
        if let Some(other) = operations.iter().find(|o| **o != Operation::Activation(Activation::Linear)) {
            let (has, remedy) = match other {
                Operation::Activation(activation) => {
                    (format!("the activation `{}`", activation.name()), "use \"linear\"")
                }
                Operation::BatchNorm => ("batch normalisation".to_owned(), "leave it out"),
                Operation::Dropout { .. } | Operation::GaussianDropout { .. } => ("dropout".to_owned(), "leave it out"),
                Operation::Noise { .. } => ("added noise".to_owned(), "leave it out"),
                Operation::Quantise { .. } => ("quantised values".to_owned(), "leave it out"),
            };
            return Err(format!("`[exact]` needs a linear network, but layer {layer} has {has}; {remedy}"));
        }
    }
    if network.output_bits.is_some() {
        return Err(
            "`[exact]` needs a linear network, but its output is quantised; leave out `quantise_bits`".to_owned()
        );
    }
    if network.output != Output::Linear {
        let name = network.output.name();
        return Err(format!("`[exact]` needs a linear network, but its output is `{name}`; use `output = \"linear\"`"));
    }
    Ok(())
}

fn one() -> f64 {
    1.0
}

fn all() -> Vec<Inputs> {
    vec![Inputs::All]
}

fn variance<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let got = f64::deserialize(from)?;
    if got > 0.0 && got.is_finite() {
        return Ok(got);
    }
    Err(serde::de::Error::custom(format!("must be a finite number above 0, got {got:?}")))
}

fn inputs<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Inputs>, D::Error> {
    let names = Vec::<String>::deserialize(from)?;
    let mut chosen = Vec::new();
    for name in &names {
        let inputs = named(name).map_err(serde::de::Error::custom)?;
        if chosen.contains(&inputs) {
            return Err(serde::de::Error::custom(format!("\"{name}\" is in the list twice; name it once")));
        }
        chosen.push(inputs);
    }
    match chosen.is_empty() {
        true => Err(serde::de::Error::custom("the list is empty; leave the key out to use all inputs")),
        false => Ok(chosen),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Pipeline;

    const VALID: &str = "[data]
name = \"student-teacher\"
n_relevant = 30
train_fraction = 0.5
[network]
hidden = [7]
activation = \"linear\"
output = \"linear\"
[training]
loss = \"squared_error\"
optimiser = \"sgd\"
learning_rate = 0.1
batch = \"full\"
epochs = 2
[record]
epochs = { every = 1 }
[exact]
noise_variance = 0.5
inputs = [\"all\", \"irrelevant\"]
";

    fn read(text: &str) -> Result<Pipeline, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.toml");
        std::fs::write(&path, text).unwrap();
        Pipeline::read(&path).map_err(|e| e.without_folder())
    }

    fn ids(exact: &Exact) -> Vec<String> {
        exact.ids().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_table_has_a_name_for_each_part_of_the_inputs() {
        let exact = read(VALID).unwrap().exact.unwrap();
        let expected = ["linear-noise-variance-0.5", "linear-noise-variance-0.5-inputs-irrelevant"];
        assert_eq!(ids(&exact), expected);
        assert!(exact.quantity(Inputs::Irrelevant).ends_with(", X being the irrelevant inputs (70 of 100)"));
        let (before, _) = VALID.split_once("noise_variance").unwrap();
        assert_eq!(ids(&read(before).unwrap().exact.unwrap()), ["linear-noise-variance-1"]);
        let (before, _) = VALID.split_once("[exact]").unwrap();
        assert_eq!(read(before).unwrap().exact, None);
    }

    #[test]
    fn what_is_not_linear_is_refused_with_its_line() {
        let check = |from: &str, to: &str, expected: &str| {
            assert!(VALID.contains(from), "{from}");
            assert_eq!(read(&VALID.replace(from, to)).unwrap_err(), format!("p.toml, line {expected}"));
        };
        check(
            "activation = \"linear\"",
            "activation = \"tanh\"",
            "17: `[exact]` needs a linear network, but layer 1 has the activation `tanh`; use \"linear\"",
        );
        check(
            "activation = \"linear\"",
            "activation = \"linear\"\ndropout = 0.1",
            "18: `[exact]` needs a linear network, but layer 1 has dropout; leave it out",
        );
        check(
            "output = \"linear\"",
            "output = \"sigmoid\"",
            "17: `[exact]` needs a linear network, but its output is `sigmoid`; use `output = \"linear\"`",
        );
        check(
            "name = \"student-teacher\"\nn_relevant = 30",
            "name = \"minimal-model\"",
            "16: `[exact]` needs data whose distribution is known: use `name = \"student-teacher\"`, or leave `[exact]` out",
        );
        check(
            "[exact]",
            "weights = false\n[exact]",
            "18: `[exact]` needs recorded weights; leave out `weights = false` in `[record]`",
        );
        check(
            "n_relevant = 30",
            "n_relevant = 100",
            "17: `inputs`: all of the 100 inputs are relevant, so they have no two parts; change `n_relevant` in `[data]`, or use [\"all\"]",
        );
        check("0.5\ninputs", "0\ninputs", "18: `noise_variance`: must be a finite number above 0, got 0.0");
        check(
            "\"irrelevant\"]",
            "\"irelevant\"]",
            "19: `inputs`: unknown choice `irelevant`; did you mean `irrelevant`?",
        );
        check("\"irrelevant\"]", "\"all\"]", "19: `inputs`: \"all\" is in the list twice; name it once");
        check(
            "hidden = [7]",
            "hidden = [5000]",
            "17: `[exact]` allows at most 4096 inputs or units of a layer, got 5000; use fewer",
        );
        check(
            "noise_variance",
            "noise_varance",
            "18: unknown key `noise_varance`; did you mean `noise_variance`? (`infoplane keys exact` lists the keys)",
        );
    }
}
