//! Values that are described in words, with examples: in the reference of keys, and for the tests that compare it with what a
//! pipeline file accepts.

/// Values of a key that are described in words.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    /// The description.
    pub words: &'static str,
    /// Some values that are accepted, in TOML.
    pub accepted: &'static [&'static str],
    /// Some values that are refused.
    pub refused: &'static [&'static str],
}

pub(in super::super) const RATE: Form =
    Form { words: "a number of at least 0 and below 1", accepted: &["0", "0.99"], refused: &["1", "-0.1"] };
pub(in super::super) const FRACTION: Form =
    Form { words: "a number above 0 and at most 1", accepted: &["1", "0.1"], refused: &["0", "1.1"] };
pub(in super::super) const FINITE: Form =
    Form { words: "a finite number", accepted: &["-1", "2.5"], refused: &["nan", "inf", "\"x\""] };
pub(in super::super) const NOT_NEGATIVE: Form =
    Form { words: "a finite number of at least 0", accepted: &["0", "2.5"], refused: &["-1", "inf"] };
pub(in super::super) const BITS_OR_ZERO: Form =
    Form { words: "0 or a whole number from 2 to 16", accepted: &["0", "2", "16"], refused: &["1", "17", "2.5"] };
pub(in super::super) const BATCH: Form = Form {
    words: "\"full\" or a whole number of at least 1",
    accepted: &["\"full\"", "1"],
    refused: &["\"half\"", "0"],
};
pub(in super::super) const INITIAL_OR_POSITIVE: Form =
    Form { words: "\"initial\" or a number above 0", accepted: &["\"initial\"", "0.1"], refused: &["\"final\"", "0"] };
pub(in super::super) const SAMPLES: Form = Form {
    words: "\"all\", \"train\", \"test\" or a whole number of at least 1",
    accepted: &["\"test\"", "1"],
    refused: &["\"some\"", "0"],
};
pub(in super::super) const NETWORK: Form =
    Form { words: "\"network\"", accepted: &["\"network\""], refused: &["\"output\"", "1"] };
pub(in super::super) const TEXT: Form = Form { words: "a text", accepted: &["\"Fig. 2\""], refused: &["2"] };
pub(in super::super) const PATH: Form = Form { words: "a path", accepted: &["\"x/y\""], refused: &["2"] };
pub(in super::super) const RECORDING: Form =
    Form { words: "the folder of an experiment", accepted: &[], refused: &["2", "\"there is none\""] };
pub(in super::super) const TABLE: Form = Form { words: "a table", accepted: &[], refused: &["2"] };
pub(in super::super) const TABLES: Form = Form { words: "a list of tables", accepted: &[], refused: &["2"] };
pub(in super::super) const STOP: Form =
    Form { words: "a table `training.stop`", accepted: &["{ accuracy = 0.5 }"], refused: &["2", "{}"] };
pub(in super::super) const ADAPTIVE: Form = Form {
    words: "a table `record.adaptive`",
    accepted: &["{ delta = 0.1, method = \"exact\" }"],
    refused: &["2", "{}"],
};
pub(in super::super) const MINUS: Form = Form {
    words: "a table `expect.minus`",
    accepted: &["{ quantity = \"loss_train\", measure = \"end\" }"],
    refused: &["2", "{}"],
};
pub(in super::super) const SCHEDULE: Form =
    Form { words: "one of the forms of `training.schedule`", accepted: &[], refused: &["\"some\"", "{ step = 2 }"] };
pub(in super::super) const EPOCHS: Form =
    Form { words: "one of the forms of `record.epochs`", accepted: &[], refused: &["\"every\"", "{ every = 0 }"] };
pub(in super::super) const STEPS: Form =
    Form { words: "one of the forms of `record.steps`", accepted: &[], refused: &["\"every\"", "{ every = 0 }"] };
pub(in super::super) const MEASURE: Form =
    Form { words: "one of the forms of `expect.measure`", accepted: &[], refused: &["\"at\"", "{ end = 1 }"] };
pub(in super::super) const HIDDEN: Form = Form {
    words: "a list of widths and of tables `network.hidden`, or a text as described in `network.shorthand`",
    accepted: &["[3, { units = 2 }]", "\"3-tanh,BN\""],
    refused: &["[]", "[0]", "\"BN\""],
};
pub(in super::super) const RECORDED_LAYERS: Form = Form {
    words: "a list of layer numbers and the names \"input\", \"hidden\" and \"output\"",
    accepted: &["[0, \"hidden\", 2]", "[\"input\", \"output\"]"],
    refused: &["[]", "[3]", "[\"last\"]"],
};
pub(in super::super) const CLAIM_LAYERS: Form = Form {
    words: "a layer number, the name of a layer of a recording, \"hidden\", \"output\", \"all\", a list of these, or with `weights`: \"network\"",
    accepted: &["1", "\"hidden\"", "\"output\"", "\"all\"", "[1, \"output\"]"],
    refused: &["0", "3", "\"last\"", "\"network\""],
};
pub(in super::super) const ESTIMATE: Form = Form {
    words: "the identity of an estimate of this pipeline, such as \"binning-n-edges-30\"",
    accepted: &["\"quantised-bits-8\""],
    refused: &["\"quantised-bits-9\""],
};
pub(in super::super) const WEIGHTS: Form = Form {
    words: "the identity of a measure of weights of this pipeline, such as \"code\"",
    accepted: &["\"code\""],
    refused: &["\"llc\""],
};
pub(in super::super) const BETAS: Form = Form {
    words: "a list of two ascending numbers above 0, the second at most 1000000",
    accepted: &["[0.1, 1000000.0]"],
    refused: &["[0.0, 1.0]", "[2.0, 1.0]", "[1.0, 1000001.0]", "[1.0]"],
};
// Every pattern is refused if the file is no sweep.
pub(in super::super) const PATTERN: Form =
    Form { words: "a text, in which * matches any characters", accepted: &[], refused: &["2", "\"activation-*\""] };
pub(in super::super) const TOGETHER: Form = Form {
    words: "a list of lists of keys, such as [[\"network.activation\", \"training.learning_rate\"]]",
    accepted: &["[]"],
    refused: &["[\"training.batch\"]", "[[\"training.batch\"]]"],
};
