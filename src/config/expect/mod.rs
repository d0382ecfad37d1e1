//! The `[[expect]]` tables of a pipeline: the claims of a paper in machine-checkable form.

mod keys;
mod read;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::layer_id::LayerId;
use crate::store::FrozenClaim;
use crate::store::quantities::{Getter, QuantityUnit};
use crate::store::schema::{BoundLayerRow, EpochRow, EstimateRow, GradientRow};
use crate::weights::{MeasureUnit, Quantity as MeasuredQuantity};
pub(super) use keys::{KEYS, MEASURE_KEYS, MINUS_KEYS};
#[cfg(test)]
pub(super) use read::RawMinus;
pub(super) use read::{ClaimContext, RawExpect, claims};

/// A claim about an experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct Expect {
    /// The figure or section of the paper.
    pub figure: Option<String>,
    /// The claim in words.
    pub claim: String,
    /// The value in the paper, in words.
    pub paper: Option<String>,
    /// The quantity that is compared.
    pub quantity: Quantity,
    /// The layers, each of which is judged separately; empty if the quantity does not belong to a layer.
    pub layers: Vec<LayerId>,
    /// The number that is taken from the curve of the quantity over the training.
    pub measure: Measure,
    /// The number that is subtracted, if two quantities of a run are compared.
    pub minus: Option<Minus>,
    /// The claimed range of the number.
    pub wanted: Wanted,
}

/// A number of the same run that is subtracted.
#[derive(Debug, Clone, PartialEq)]
pub struct Minus {
    /// The quantity that is compared.
    pub quantity: Quantity,
    /// The number that is taken from the curve of the quantity over the training.
    pub measure: Measure,
    /// Whether it belongs to the whole network, not to the layer of the claim.
    pub of_network: bool,
}

/// The quantity of a claim.
#[derive(Debug, Clone, PartialEq)]
pub enum Quantity {
    /// A number of a table of estimates.
    Estimated {
        /// Identity of the table.
        estimate: String,
        /// The number.
        column: &'static Getter<EstimateRow>,
    },
    /// A loss or an accuracy.
    Fit(&'static Getter<EpochRow>),
    /// A norm of a layer's gradients or weights.
    Gradient {
        /// The norm.
        column: &'static Getter<GradientRow>,
        /// The kind of gradients; `None` is the first recorded kind.
        over: Option<String>,
    },
    /// The position of a layer compared with the information bottleneck bound.
    Bound(&'static Getter<BoundLayerRow>),
    /// A number of a measure of weights.
    Weights {
        /// Identity of the table.
        measure: String,
        /// The number.
        quantity: &'static MeasuredQuantity,
    },
}

/// The number that is taken from a curve over the training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// The value at the first recorded snapshot.
    Start,
    /// The value at the last recorded snapshot.
    End,
    /// The largest value.
    Peak,
    /// The smallest value.
    Trough,
    /// The largest value minus the last.
    Drop,
    /// The largest value minus the first.
    Climb,
    /// The last value minus the first.
    Rise,
    /// The epoch of the largest value.
    PeakEpoch,
    /// The value at the recorded epoch nearest to this one. If several snapshots have this epoch, the first is taken, directly
    /// after that number of whole passes. There is no value if the training ended before this epoch.
    At(i32),
    /// The first recorded epoch with a value above this number.
    FirstAbove(f64),
    /// The first recorded epoch with a value below this number.
    FirstBelow(f64),
    /// The value at the second epoch minus the value at the first.
    Change([i32; 2]),
}

/// The claimed range of a number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// The number is above this one.
    Above(f64),
    /// The number is below this one.
    Below(f64),
    /// The number differs from `value` by at most `within`.
    Near {
        /// The claimed value.
        value: f64,
        /// The largest allowed difference.
        within: f64,
    },
}

impl Expect {
    /// The claim as it is registered before there are data: its words, and everything that decides it. Its figure and section
    /// are left out, so that they can be corrected later.
    pub fn frozen(&self) -> FrozenClaim {
        let mut meaning = self.quantity.meaning();
        meaning["claim"] = json!(self.claim);
        meaning["layers"] = json!(self.layers);
        meaning["measure"] = json!(self.measure);
        meaning["wanted"] = json!(self.wanted);
        if let Some(minus) = &self.minus {
            meaning["minus"] = minus.quantity.meaning();
            meaning["minus"]["measure"] = json!(minus.measure);
            meaning["minus"]["of_network"] = json!(minus.of_network);
        }
        FrozenClaim::new(&self.claim, meaning)
    }
}

impl Quantity {
    /// Its name in the TOML.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Estimated { column, .. } => column.name,
            Self::Fit(column) => column.name,
            Self::Gradient { column, .. } => column.name,
            Self::Bound(column) => column.name,
            Self::Weights { quantity, .. } => quantity.name,
        }
    }

    /// The unit of its values.
    fn unit(&self) -> QuantityUnit {
        match self {
            Self::Estimated { column, .. } => column.unit,
            Self::Fit(column) => column.unit,
            Self::Gradient { column, .. } => column.unit,
            Self::Bound(column) => column.unit,
            Self::Weights { quantity, .. } => match quantity.unit {
                MeasureUnit::Bits => QuantityUnit::Bits,
                MeasureUnit::Samples => QuantityUnit::Samples,
                MeasureUnit::Probability => QuantityUnit::Share,
                MeasureUnit::Ratio => QuantityUnit::Ratio,
            },
        }
    }

    /// Its name and the table that it is taken from, as part of a registered claim. Claims of earlier versions keep their keys.
    fn meaning(&self) -> serde_json::Value {
        let (estimate, gradients) = match self {
            Self::Estimated { estimate, .. } => (Some(estimate), None),
            Self::Gradient { over, .. } => (None, over.as_ref()),
            Self::Fit(_) | Self::Bound(_) | Self::Weights { .. } => (None, None),
        };
        let mut meaning = json!({ "quantity": self.name(), "estimate": estimate, "gradients": gradients });
        if let Self::Weights { measure, .. } = self {
            meaning["weights"] = json!(measure);
        }
        meaning
    }
}

impl Minus {
    /// The layer of the subtracted number, if the claim is about `layer`.
    pub fn layer(&self, layer: Option<LayerId>) -> Option<LayerId> {
        layer.filter(|_| !self.of_network && !matches!(self.quantity, Quantity::Fit(_)))
    }

    /// In words that follow those of the claim's own measure.
    pub fn words(&self) -> String {
        format!("minus {} {}", self.quantity.name(), self.measure.words())
    }
}

impl Measure {
    /// Whether it is a change up to a later snapshot; a decrease of I(X;T) is compression.
    pub fn is_change(self) -> bool {
        matches!(self, Self::Drop | Self::Rise | Self::Change(_))
    }

    /// The unit of the number, if the values of the curve have the unit `of_values`.
    fn unit(self, of_values: QuantityUnit) -> QuantityUnit {
        match self {
            Self::PeakEpoch | Self::FirstAbove(_) | Self::FirstBelow(_) => QuantityUnit::Epochs,
            Self::Start
            | Self::End
            | Self::Peak
            | Self::Trough
            | Self::Drop
            | Self::Climb
            | Self::Rise
            | Self::At(_)
            | Self::Change(_) => of_values,
        }
    }

    /// In words that follow the name of a quantity.
    pub fn words(self) -> String {
        match self {
            Self::Start => "at the start".to_owned(),
            Self::End => "at the end".to_owned(),
            Self::Peak => "at its largest".to_owned(),
            Self::Trough => "at its smallest".to_owned(),
            Self::Drop => "from its largest to the end, fall".to_owned(),
            Self::Climb => "from the start to its largest, rise".to_owned(),
            Self::Rise => "from start to end, rise".to_owned(),
            Self::PeakEpoch => "epoch of its largest".to_owned(),
            Self::At(epoch) => format!("at epoch {epoch}"),
            Self::FirstAbove(value) => format!("first epoch above {value}"),
            Self::FirstBelow(value) => format!("first epoch below {value}"),
            Self::Change([from, to]) => format!("from epoch {from} to {to}, rise"),
        }
    }
}

impl Wanted {
    /// Whether a number is within the claimed range.
    pub fn is_met(self, number: f64) -> bool {
        match self {
            Self::Above(value) => number > value,
            Self::Below(value) => number < value,
            Self::Near { value, within } => (number - value).abs() <= within,
        }
    }

    /// In words, `above 2`.
    pub fn words(self) -> String {
        match self {
            Self::Above(value) => format!("above {value}"),
            Self::Below(value) => format!("below {value}"),
            Self::Near { value, within } => format!("{value} ± {within}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Declared, Pipeline};
    use super::*;
    use crate::store::quantities;

    const BASE: &str = "[data]
name = \"tishby\"
train_fraction = 0.85
[network]
hidden = [10, 7]
activation = \"tanh\"
[training]
optimiser = \"adam\"
learning_rate = 4e-4
batch = 512
epochs = 100
[record]
epochs = { log_spaced = 10 }
[[estimate]]
estimator = \"binning\"
n_edges = 30
[[expect]]
figure = \"Fig. 2\"
claim = \"it falls\"
";

    fn read(claim: &str) -> Result<Pipeline, String> {
        match Declared::of_text(&format!("{BASE}{claim}"))? {
            Declared::One(pipeline) => Ok(*pipeline),
            Declared::Many(_) => panic!("the claim made a sweep of it"),
        }
    }

    #[track_caller]
    fn check(claim: &str, expected: &str) {
        assert_eq!(read(claim).unwrap_err(), expected);
    }

    const OF_I_XT: &str = "estimate = \"binning-n-edges-30\"\nquantity = \"i_xt\"\n";

    #[test]
    fn claims_are_read() {
        let claim = &read(&format!("{OF_I_XT}layer = \"hidden\"\nmeasure = \"drop\"\nabove = 2")).unwrap().claims[0];
        let quantity = Quantity::Estimated {
            estimate: "binning-n-edges-30".to_owned(),
            column: quantities::find(quantities::ESTIMATES, "i_xt").unwrap(),
        };
        assert_eq!((&claim.quantity, &claim.layers[..]), (&quantity, &[1, 2].map(LayerId::from_index)[..]));
        assert_eq!((claim.measure, claim.wanted), (Measure::Drop, Wanted::Above(2.0)));

        let claim = &read("quantity = \"gradient_snr\"\nlayer = [1, \"output\"]\nmeasure = { first_below = 1.0 }\nnear = 350\nwithin = 100").unwrap().claims[0];
        assert_eq!((claim.quantity.name(), &claim.layers[..]), ("gradient_snr", &[1, 3].map(LayerId::from_index)[..]));
        assert_eq!(
            (claim.measure, claim.wanted),
            (Measure::FirstBelow(1.0), Wanted::Near { value: 350.0, within: 100.0 })
        );

        let claim =
            &read("quantity = \"accuracy_test\"\nmeasure = { change = [10, 100] }\nbelow = 0.5").unwrap().claims[0];
        assert_eq!((claim.quantity.name(), claim.layers.len()), ("accuracy_test", 0));
    }

    /// Other text here would make every registered claim a changed one.
    #[test]
    fn a_claim_is_registered_by_its_words_and_everything_that_decides_it() {
        let frozen = |claim: &str| read(claim).unwrap().claims[0].frozen();
        let drop = frozen(&format!("{OF_I_XT}layer = \"hidden\"\nmeasure = \"drop\"\nabove = 2"));
        let meaning = r#"{"claim":"it falls","estimate":"binning-n-edges-30","gradients":null,"layers":[1,2],"measure":"drop","quantity":"i_xt","wanted":{"above":2.0}}"#;
        assert_eq!(drop.meaning.to_string(), meaning);
        assert_eq!(frozen(&format!("above = 2.0\n{OF_I_XT}measure = \"drop\"\nlayer = [1, 2]")).blake3, drop.blake3);
        let near = frozen("quantity = \"accuracy_test\"\nmeasure = { change = [10, 100] }\nnear = 0.5\nwithin = 0.1");
        assert_eq!(near.meaning["measure"].to_string(), r#"{"change":[10,100]}"#);
        assert_eq!(near.meaning["wanted"].to_string(), r#"{"near":{"value":0.5,"within":0.1}}"#);
    }

    #[test]
    fn what_is_missing_is_reported_with_its_line() {
        let end = "measure = \"end\"\nabove = 2";
        check(
            &format!("{OF_I_XT}layer = 4\n{end}"),
            "p.toml, line 22: `layer`: there is no layer 4; 1 is the first above the input, 3 the output",
        );
        check(
            &format!("{OF_I_XT}layer = \"last\"\n{end}"),
            "p.toml, line 22: `layer`: must be a number, a list of them, \"hidden\", \"output\" or \"all\", got \"last\"",
        );
        check(
            &format!("{OF_I_XT}{end}"),
            "p.toml, line 17: a claim about a layer needs `layer`: a number, a list of them, \"hidden\", \"output\" or \"all\"",
        );
        check(
            &format!("estimate = \"binning-n-edges-50\"\nquantity = \"i_xt\"\nlayer = 1\n{end}"),
            "p.toml, line 20: the pipeline has no estimate `binning-n-edges-50`; did you mean `binning-n-edges-30`?",
        );
        check(
            &format!("quantity = \"i_xt\"\nlayer = 1\n{end}"),
            "p.toml, line 20: `i_xt` needs `estimate`: the estimate that it is taken from, for example \"binning-n-edges-30\"",
        );
        check(
            &format!("quantity = \"i_xy\"\nlayer = 1\n{end}"),
            "p.toml, line 20: unknown quantity `i_xy`; did you mean `i_xt`?",
        );
        check(
            &format!("quantity = \"loss_test\"\nlayer = 1\n{end}"),
            "p.toml, line 21: `layer`: `loss_test` does not belong to a layer; leave `layer` out",
        );
        check(
            &format!("quantity = \"gradient_snr\"\ngradients = \"sample\"\nlayer = 1\n{end}"),
            "p.toml, line 21: gradients `sample` are not recorded; known: `after_step`",
        );
        check(
            &format!("{OF_I_XT}gradients = \"samples\"\nlayer = 1\n{end}"),
            "p.toml, line 22: `gradients` applies only to quantities of gradients, not to `i_xt`; leave it out",
        );
        check(
            &format!("quantity = \"beta\"\nlayer = 1\n{end}"),
            "p.toml, line 20: `beta` needs the table `[bound]`; add it to the pipeline",
        );
    }

    #[test]
    fn a_claim_needs_exactly_one_comparison() {
        let end = "quantity = \"loss_test\"\nmeasure = \"end\"\n";
        let needs = "p.toml, line 17: a claim needs `above`, or `below`, or `near` together with `within`";
        for wanted in ["", "above = 1\nbelow = 2", "near = 1", "within = 1", "above = 1\nwithin = 1"] {
            check(&format!("{end}{wanted}"), needs);
        }
        check(
            &format!("{end}near = 1\nwithin = -1"),
            "p.toml, line 17: `within`: must be a number of at least 0, got -1",
        );
        check(
            &format!("{end}above = nan"),
            "p.toml, line 17: `above`, `below`, `near` and `within` must be finite numbers",
        );
        check(
            "quantity = \"loss_test\"\nmeasure = \"fall\"\nabove = 1",
            "p.toml, line 21: `measure`: unknown choice `fall`; known: `start`, `end`, `peak`, `trough`, `drop`, `climb`, `rise`, `peak_epoch`, `at`, `first_above`, `first_below`, `change`",
        );
    }

    #[test]
    fn a_difference_needs_two_numbers_of_one_unit_and_place() {
        let of_code = "[[weights]]\nmeasure = \"code\"\n";
        let minus = |claim: &str, minus: &str| format!("{claim}above = 0\nminus = {{ {minus} }}\n{of_code}");
        let of_i_xt = format!("{OF_I_XT}layer = 1\nmeasure = \"end\"\n");
        check(
            &minus(&of_i_xt, "quantity = \"loss_train\", measure = \"end\""),
            "p.toml, line 25: `minus`: `i_xt` at the end is in bits, `loss_train` at the end in nats; subtract a number of the same unit",
        );
        check(
            &minus(&of_i_xt, "estimate = \"binning-n-edges-30\", quantity = \"i_xt\", measure = \"peak_epoch\""),
            "p.toml, line 25: `minus`: `i_xt` at the end is in bits, `i_xt` epoch of its largest in epochs; subtract a number of the same unit",
        );
        check(
            &minus(&of_i_xt, "weights = \"code\", quantity = \"fisher_trace\", measure = \"end\""),
            "p.toml, line 25: `minus`: `i_xt` at the end is in bits, `fisher_trace` at the end in pure numbers; subtract a number of the same unit",
        );
        let of_network = "weights = \"code\"\nquantity = \"code_length\"\nlayer = \"network\"\nmeasure = \"end\"\n";
        check(
            &minus(of_network, "estimate = \"binning-n-edges-30\", quantity = \"i_xt\", measure = \"end\""),
            "p.toml, line 25: `minus`: `i_xt` belongs to a layer, but the claim is about no single layer; name a `layer` in the claim",
        );
        check(
            &minus(
                &of_i_xt,
                "estimate = \"binning-n-edges-30\", quantity = \"i_xt\", measure = \"start\", layer = \"network\"",
            ),
            "p.toml, line 25: `layer`: `i_xt` belongs to a layer, not to the whole network; leave `layer` out to subtract a number of the claim's own layer",
        );
        // The code of the weights and the information of a layer are both in bits.
        for allowed in [
            "weights = \"code\", quantity = \"code_length\", measure = \"end\"",
            "weights = \"code\", quantity = \"code_length\", measure = \"end\", layer = \"network\"",
            "estimate = \"binning-n-edges-30\", quantity = \"i_ty\", measure = \"peak\"",
        ] {
            assert!(read(&minus(&of_i_xt, allowed)).is_ok(), "{allowed}: {:?}", read(&minus(&of_i_xt, allowed)).err());
        }
        let epochs = of_i_xt.replace("\"end\"", "\"peak_epoch\"");
        assert!(read(&minus(&epochs, "quantity = \"loss_train\", measure = { first_below = 0.1 }")).is_ok());
    }

    #[test]
    fn in_a_sweep_a_claim_may_be_about_some_experiments() {
        let claim = "quantity = \"loss_test\"\nmeasure = \"end\"\nabove = 1\nonly = \"batch-5*\"";
        check(
            claim,
            "p.toml, line 23: `only` selects experiments of a sweep, but this pipeline is a single experiment; leave it out",
        );
        let swept = format!("{BASE}{claim}").replace("batch = 512", "batch = [512, 64]");
        let n_claims: Vec<usize> =
            Declared::of_text(&swept).unwrap().pipelines().map(|(_, p)| p.claims.len()).collect();
        assert_eq!(n_claims, [1, 0]);
        let nobody = swept.replace("batch-5*", "batch-7*");
        let expected = "p.toml, line 23: `only`: no experiment `batch-7*` in the sweep; `--dry-run` lists them all";
        assert_eq!(Declared::of_text(&nobody).unwrap_err(), expected);
    }

    #[test]
    fn the_bound_takes_the_code_of_an_estimate_and_a_range_of_beta() {
        let with = |bound: &str| {
            let claim = "quantity = \"beta\"\nlayer = 1\nmeasure = \"end\"\nabove = 2\n";
            read(&format!("{claim}[bound]\n{bound}"))
        };
        let claim =
            "quantity = \"beta\"\nlayer = 1\nmeasure = \"drop\"\nabove = 2\n[bound]\ncode = \"binning-n-edges-30\"";
        let expected = "p.toml, line 17: `measure`: must be \"end\" for this quantity, as layers are compared with the bound at their last snapshot only";
        assert_eq!(read(claim).unwrap_err(), expected);
        let betas =
            with("code = \"binning-n-edges-30\"\nbeta = [1.0, 8.0]\nper_octave = 1").unwrap().bound.unwrap().betas;
        assert_eq!(betas, [1.0, 2.0, 4.0, 8.0]);
        let check = |bound: &str, expected: &str| assert_eq!(with(bound).unwrap_err(), expected);
        let range = "`beta`: must be two ascending numbers above 0, the second at most 1000000, got";
        for wrong in ["[0.0, 8.0]", "[8.0, 1.0]", "[1.0, 1e7]", "[1.0, nan]"] {
            let got = wrong
                .replace("8.0", "8")
                .replace("1.0", "1")
                .replace("0.0", "0")
                .replace("1e7", "10000000")
                .replace("nan", "NaN");
            check(
                &format!("code = \"binning-n-edges-30\"\nbeta = {wrong}"),
                &format!("p.toml, line 26: {range} {got}"),
            );
        }
        check(
            "code = \"binning-n-edges-30\"\nper_octave = 0",
            "p.toml, line 26: `per_octave`: must be a whole number from 1 to 100, got 0",
        );
        check(
            "code = \"binning-n-edges-3\"",
            "p.toml, line 25: `code`: the pipeline has no estimate `binning-n-edges-3`; did you mean `binning-n-edges-30`?",
        );
    }
}
