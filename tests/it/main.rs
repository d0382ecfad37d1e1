//! All integration tests, in one binary: polars makes every executable huge.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests, and the helpers they share")]

mod aggregate; // statistics over runs, and what of several experiments is joined
mod check; // verdicts on estimates
mod compat; // files of every version of the tables still read
mod data; // make and import, against Tishby's file where it is present
mod datasets; // those of the registry: rules, published files, keys of a pipeline, descriptions
mod elsewhere;
mod errors; // what a user reads when something is wrong
mod estimate; // which estimates are made of what, and what is left alone
mod exact; // numbers that need no estimator: linear networks, the minimal model
mod faults; // what a fault of the machine, or of a hand, leaves behind
mod fetch; // published files, from a server that does what it should not
mod foreign; // recordings in the types of other programs
mod frozen; // identities and numbers that stay as they are
mod help; // the help of every command
mod hostile; // folders of strangers: paths that lead out of them, links, sizes, names
mod import; // tables that people have
mod json; // what programs read
mod lineage; // results and the recording that they were made from
mod messages; // wrong folders, tables that are out of date, flags without their partner
mod movie; // animations
mod networks; // what layers, losses and endings leave in a recording
mod outside; // values outside of fixed edges, and the rule of binning where none is given
mod overview; // the page with a thumbnail of every figure
mod pipeline; // all stages on small pipelines: results, resuming, same bytes
mod real_targets;
mod recording; // what is recorded and when, parts, inspect
mod report; // the page
mod stability; // claims over the settings of a sweep
mod sweep; // lists in a pipeline: expansion, resuming, failures, tables
mod tidy; // layers, names, first lines, documents that follow from the code
mod tool; // helpers: the program in a folder of its own
mod verify; // claims and the bound
mod weights;
mod words; // completions, man pages, colours
