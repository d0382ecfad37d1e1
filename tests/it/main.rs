//! All integration tests, in one binary: polars makes every executable huge.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests, and the helpers they share")]

mod aggregate; // statistics over runs, and tables of several experiments
mod analyse;
mod audit; // estimators on distributions with known information
mod check; // verdicts on estimates
mod compat; // files of all earlier versions of the tables can be read
mod data; // make and import data; compared with Tishby's file if it is present
mod datasets; // the registry of data sets: rules, published files, keys of a pipeline, descriptions
mod elsewhere;
mod errors; // messages for wrong input
mod estimate; // which estimates are made from which tables, and which are up to date
mod exact; // numbers that need no estimator: linear networks, the minimal model
mod faults; // files after a full disk, a killed process or a change by hand
mod fetch; // published files, from a server that sends wrong responses
mod foreign; // recordings in the types of other programs
mod frozen; // identities and numbers that must not change
mod help; // the help of every command
mod hostile; // untrusted folders: paths that lead out of them, links, sizes, names
mod import; // tables in common formats
mod json; // output for programs
mod lineage; // results and the recording that they were made from
mod messages; // wrong folders, tables that are out of date, flags that need another flag
mod mi; // information of two variables from files
mod movie; // animations
mod networks; // how layers, losses and stopping rules appear in a recording
mod outside; // values outside of fixed edges, and the default rule of binning
mod overview; // the page with a thumbnail of every figure
mod pipeline; // all stages on small pipelines: results, resuming, same bytes
mod propagate; // information of layers with noise, from recorded weights
mod real_targets;
mod recording; // what is recorded and when, parts, inspect
mod report; // the page
mod screen; // the summary of a sweep in 80 columns
mod stability; // claims over the settings of a sweep
mod sweep; // lists in a pipeline: expansion, resuming, failures, tables
mod tidy; // layers of modules, names, first lines, documents that are generated from the code
mod tool; // helpers: runs the program in a temporary folder
mod verify; // claims and the bound
mod weights;
mod words; // completions, manual pages, colours
