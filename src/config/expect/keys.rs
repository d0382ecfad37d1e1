//! The keys of `[[expect]]` and of the tables within it.

use super::super::keys::{Accepts, Key, KeyTable, Omitted, forms, names};
use crate::nn::GradientKind;
use crate::store::quantities;

/// The estimate of the quantity.
const ESTIMATE: Key = Key {
    name: "estimate",
    accepts: Accepts::Form(&forms::ESTIMATE),
    omitted: Omitted::Effect("no estimate"),
    doc: "The estimate that the quantity is taken from. Required for quantities of estimates, such as `i_xt`.",
};

/// The measure of weights of the quantity.
const WEIGHTS: Key = Key {
    name: "weights",
    accepts: Accepts::Form(&forms::WEIGHTS),
    omitted: Omitted::Effect("no measure of weights"),
    doc: "The measure of weights that the quantity is taken from.",
};

/// The kind of gradients of the quantity.
const GRADIENTS: Key = Key {
    name: "gradients",
    accepts: Accepts::Name(names::<GradientKind>),
    omitted: Omitted::Effect("the first recorded kind"),
    doc: "The kind of gradients, for quantities of gradients.",
};

/// The keys of `[[expect]]`.
pub(in super::super) const KEYS: KeyTable = KeyTable {
    within: "",
    name: "expect",
    doc: "`[[expect]]`: a claim about the results, for example of a paper. `infoplane verify` decides whether it holds, by the 95 % interval of the mean over runs. A claim needs `above`, `below`, or `near` together with `within`.",
    keys: &[
        Key {
            name: "figure",
            accepts: Accepts::Form(&forms::TEXT),
            omitted: Omitted::Effect("no figure is named"),
            doc: "The figure or section of the paper.",
        },
        Key {
            name: "claim",
            accepts: Accepts::Form(&forms::TEXT),
            omitted: Omitted::Refused,
            doc: "The claim in words.",
        },
        Key {
            name: "paper",
            accepts: Accepts::Form(&forms::TEXT),
            omitted: Omitted::Effect("nothing is quoted"),
            doc: "The value in the paper, in words.",
        },
        ESTIMATE,
        WEIGHTS,
        GRADIENTS,
        Key {
            name: "quantity",
            accepts: Accepts::NameOr(quantity_names, "with `weights`: a number of that measure"),
            omitted: Omitted::Refused,
            doc: "The number that the claim is about. Information is in bits, losses are in nats, accuracies and shares are fractions.",
        },
        Key {
            name: "layer",
            accepts: Accepts::Form(&forms::CLAIM_LAYERS),
            omitted: Omitted::Effect("the whole network, which is allowed for losses and accuracies only"),
            doc: "The layers that the claim is about. The claim is evaluated for each layer separately.",
        },
        Key {
            name: "measure",
            accepts: Accepts::Form(&forms::MEASURE),
            omitted: Omitted::Refused,
            doc: "The number that is taken from the curve of the quantity over the training.",
        },
        Key {
            name: "minus",
            accepts: Accepts::Form(&forms::MINUS),
            omitted: Omitted::Effect("nothing is subtracted"),
            doc: "Another number of the same run, which is subtracted.",
        },
        Key {
            name: "above",
            accepts: Accepts::Form(&forms::FINITE),
            omitted: Omitted::Effect("not compared"),
            doc: "The claim: the mean over runs is above this number.",
        },
        Key {
            name: "below",
            accepts: Accepts::Form(&forms::FINITE),
            omitted: Omitted::Effect("not compared"),
            doc: "The claim: the mean over runs is below this number.",
        },
        Key {
            name: "near",
            accepts: Accepts::Form(&forms::FINITE),
            omitted: Omitted::Effect("not compared"),
            doc: "The claim: the mean over runs differs from this number by at most `within`.",
        },
        Key {
            name: "within",
            accepts: Accepts::Form(&forms::NOT_NEGATIVE),
            omitted: Omitted::Effect("not compared"),
            doc: "Largest allowed difference from `near`.",
        },
        Key {
            name: "only",
            accepts: Accepts::Form(&forms::PATTERN),
            omitted: Omitted::Effect("all experiments"),
            doc: "In a sweep: the experiments that the claim is about, by their identity, such as \"activation-relu*\".",
        },
    ],
    parameters: &[],
};

/// The keys of `minus`.
pub(in super::super) const MINUS_KEYS: KeyTable = KeyTable {
    within: "expect",
    name: "minus",
    doc: "The table `minus` in `[[expect]]`: another number of the same run, which is subtracted. Both numbers must have the same unit. Shares may also be compared with bits and with other pure numbers.",
    keys: &[
        ESTIMATE,
        WEIGHTS,
        GRADIENTS,
        Key {
            name: "quantity",
            accepts: Accepts::NameOr(quantity_names, "with `weights`: a number of that measure"),
            omitted: Omitted::Refused,
            doc: "The number that is subtracted.",
        },
        Key {
            name: "layer",
            accepts: Accepts::Form(&forms::NETWORK),
            omitted: Omitted::Effect("the layer of the claim"),
            doc: "\"network\" subtracts a number of the whole network, not of the layer.",
        },
        Key {
            name: "measure",
            accepts: Accepts::Form(&forms::MEASURE),
            omitted: Omitted::Refused,
            doc: "The number that is taken from the curve of the quantity over the training.",
        },
    ],
    parameters: &[],
};

/// The forms of `measure`.
pub(in super::super) const MEASURE_KEYS: KeyTable = KeyTable {
    within: "expect",
    name: "measure",
    doc: "The forms of `measure` in `[[expect]]`: which number is taken from the curve of a quantity over the training. Epochs are those of recorded snapshots.",
    keys: &[
        Key {
            name: "start",
            accepts: Accepts::Example("\"start\""),
            omitted: Omitted::OneOfSeveral,
            doc: "The value at the first recorded snapshot.",
        },
        Key {
            name: "end",
            accepts: Accepts::Example("\"end\""),
            omitted: Omitted::OneOfSeveral,
            doc: "The value at the last recorded snapshot.",
        },
        Key {
            name: "peak",
            accepts: Accepts::Example("\"peak\""),
            omitted: Omitted::OneOfSeveral,
            doc: "The largest value.",
        },
        Key {
            name: "trough",
            accepts: Accepts::Example("\"trough\""),
            omitted: Omitted::OneOfSeveral,
            doc: "The smallest value.",
        },
        Key {
            name: "drop",
            accepts: Accepts::Example("\"drop\""),
            omitted: Omitted::OneOfSeveral,
            doc: "The largest value minus the last.",
        },
        Key {
            name: "climb",
            accepts: Accepts::Example("\"climb\""),
            omitted: Omitted::OneOfSeveral,
            doc: "The largest value minus the first.",
        },
        Key {
            name: "rise",
            accepts: Accepts::Example("\"rise\""),
            omitted: Omitted::OneOfSeveral,
            doc: "The last value minus the first.",
        },
        Key {
            name: "peak_epoch",
            accepts: Accepts::Example("\"peak_epoch\""),
            omitted: Omitted::OneOfSeveral,
            doc: "The epoch of the largest value.",
        },
        Key {
            name: "at",
            accepts: Accepts::Example("{ at = 5 }"),
            omitted: Omitted::OneOfSeveral,
            doc: "The value at the recorded epoch nearest to this one. There is no value if the training ended before this epoch.",
        },
        Key {
            name: "first_above",
            accepts: Accepts::Example("{ first_above = 0.8 }"),
            omitted: Omitted::OneOfSeveral,
            doc: "The first recorded epoch with a value above this number.",
        },
        Key {
            name: "first_below",
            accepts: Accepts::Example("{ first_below = 0.8 }"),
            omitted: Omitted::OneOfSeveral,
            doc: "The first recorded epoch with a value below this number.",
        },
        Key {
            name: "change",
            accepts: Accepts::Example("{ change = [1, 10] }"),
            omitted: Omitted::OneOfSeveral,
            doc: "The value at the second epoch minus the value at the first.",
        },
    ],
    parameters: &[],
};

fn quantity_names() -> Vec<&'static str> {
    quantities::names().collect()
}
