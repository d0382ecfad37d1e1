//! The house rules that a machine can check.

mod claims; // of the pipelines: they can fail
mod documents; // pages that follow from the code
mod files; // first lines and lengths
mod imports; // layers, registries, libraries
mod names; // types and bindings
mod source; // the sources, parsed
