//! The keys of a pipeline file outside of its tables.

use super::super::values;
use super::{Accepts, Key, KeyTable, Omitted, forms};
use crate::parameter::Kind;

/// The keys of a pipeline file outside of its tables.
pub(super) const KEYS: KeyTable = KeyTable {
    within: "",
    name: "pipeline",
    doc: "The keys outside of any table, and the tables. A pipeline either trains networks, with `[data]`, `[network]`, `[training]` and `[record]`, or names a recording.",
    keys: &[
        Key {
            name: "seed",
            accepts: Accepts::Kind(Kind::Count { min: 0, max: u64::MAX }),
            omitted: Omitted::Value("0"),
            doc: "Seed of all random numbers. The same seed gives the same bytes.",
        },
        Key {
            name: "runs",
            accepts: Accepts::Kind(Kind::Count { min: 1, max: values::MOST_RUNS }),
            omitted: Omitted::Value("1"),
            doc: "Number of networks to train. They differ in their random numbers only.",
        },
        Key {
            name: "recording",
            accepts: Accepts::Form(&forms::RECORDING),
            omitted: Omitted::Effect("the networks are trained"),
            doc: "A recording that another program made. Only `estimate`, `weights`, `bound`, `aggregate` and `expect` can be used together with it. A relative path starts at the working directory.",
        },
        Key {
            name: "data",
            accepts: Accepts::Form(&forms::TABLE),
            omitted: Omitted::Refused,
            doc: "The samples. Not possible together with `recording`.",
        },
        Key {
            name: "network",
            accepts: Accepts::Form(&forms::TABLE),
            omitted: Omitted::Refused,
            doc: "The layers. Not possible together with `recording`.",
        },
        Key {
            name: "training",
            accepts: Accepts::Form(&forms::TABLE),
            omitted: Omitted::Refused,
            doc: "The training. Not possible together with `recording`.",
        },
        Key {
            name: "record",
            accepts: Accepts::Form(&forms::TABLE),
            omitted: Omitted::Refused,
            doc: "What is recorded, and when. Not possible together with `recording`.",
        },
        Key {
            name: "estimate",
            accepts: Accepts::Form(&forms::TABLES),
            omitted: Omitted::Value("[]"),
            doc: "The estimates of information.",
        },
        Key {
            name: "exact",
            accepts: Accepts::Form(&forms::TABLE),
            omitted: Omitted::Effect("no exact information"),
            doc: "Exact information of linear networks. Not possible together with `recording`.",
        },
        Key {
            name: "propagation",
            accepts: Accepts::Form(&forms::TABLE),
            omitted: Omitted::Effect("no sample propagation"),
            doc: "Information of networks with noise, by sample propagation. Not possible together with `recording`.",
        },
        Key {
            name: "weights",
            accepts: Accepts::Form(&forms::TABLES),
            omitted: Omitted::Value("[]"),
            doc: "The measures of weights.",
        },
        Key {
            name: "bound",
            accepts: Accepts::Form(&forms::TABLE),
            omitted: Omitted::Effect("no bound"),
            doc: "The information bottleneck curve.",
        },
        Key {
            name: "aggregate",
            accepts: Accepts::Form(&forms::TABLE),
            omitted: Omitted::Effect("the defaults of `aggregate`"),
            doc: "How means over runs are judged.",
        },
        Key {
            name: "expect",
            accepts: Accepts::Form(&forms::TABLES),
            omitted: Omitted::Value("[]"),
            doc: "The claims.",
        },
        Key {
            name: "sweep",
            accepts: Accepts::Form(&forms::TABLE),
            omitted: Omitted::Effect("lists vary independently"),
            doc: "Which lists of a sweep vary together. Not possible together with `recording`.",
        },
    ],
    parameters: &[],
};
