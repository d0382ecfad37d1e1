//! What may import what.

use super::source::{Source, assert_none, sources};

/// The modules below `src/`, a layer a line: a module imports only modules of the lines above its own.
const LAYERS: &[&[&str]] = &[
    &["columns", "count", "layer_id", "memory", "sample", "suggest", "units", "visible"],
    &["math", "parameter"],
    &["estimate_id"],
    &["datasets", "import", "nn", "store"],
    &["estimators"],
    &["audit", "weights"],
    &["config"],
    &["plots"],
    &["stages"],
    &["pipeline"],
    &["cli"],
];

/// Crates that only one module may name.
const ONE_PLACE: &[(&str, &str)] = &[
    ("anyhow", "cli"),
    ("arrow", "store"),
    ("base64", "stages/report"),
    ("blake3", "store"),
    ("clap", "cli"),
    ("clap_complete", "cli"),
    ("clap_mangen", "cli"),
    ("csv", "import"),
    ("flate2", "import"),
    ("gif", "stages/movie.rs"),
    ("half", "import"),
    ("indicatif", "cli"),
    ("kuva", "plots"),
    ("ndarray_npy", "import"),
    ("parquet", "store"),
    ("plotly", "stages/report"),
    ("polars", "stages/aggregate"),
    ("postcard", "stages/record"),
    ("pulp", "math"),
    ("sha2", "store"),
    ("signal_hook", "cli"),
    ("tar", "import"),
    ("terminal_size", "cli"),
    ("toml", "config"),
    ("ureq", "stages/fetch"),
    ("zip", "import"),
    ("zstd", "import"),
];

/// Folders whose entries know their `mod.rs` but never each other, and what the entries share. Stages meet only in files.
const REGISTRIES: &[(&str, &[&str])] = &[
    ("datasets", &["bits", "idx", "images"]),
    ("estimators", &["discrete", "inputs_and_labels", "neighbour_samples", "pair", "projected"]),
    ("import", &[]),
    (
        "plots",
        &[
            "axes",
            "canvas",
            "dashes",
            "grid",
            "labels",
            "line_ends",
            "marks",
            "measures",
            "pixels",
            "plane",
            "series",
            "settings",
            "sheet",
            "single",
            "timeline",
            "upright",
            "variance",
        ],
    ),
    (
        "weights",
        &["activation", "dense", "fisher", "fixtures", "gradients", "hessian", "inputs", "reading", "spectrum"],
    ),
    (
        "stages",
        &[
            // `analyse` chooses estimators with audits.
            "audit",
            "claims",
            "computed",
            "experiments",
            "findings",
            "foreign_columns",
            "histograms",
            "inputs",
            "keys",
            "lineage",
            "measured",
            "overview",
            "recorded_weights",
            "trainings",
            "untrained",
        ],
    ),
];

/// Files that still name another entry of their folder. The list only shrinks.
const STILL_NAMED: &[(&str, &str)] = &[];

/// The place of a module in the layers; the roots, `lib` and `main`, have none.
fn layer(module: &str) -> usize {
    let place = LAYERS.iter().position(|modules| modules.contains(&module));
    place.unwrap_or_else(|| panic!("`{module}` is not in LAYERS"))
}

/// The modules of this crate that a file names, as their pieces below `crate`.
fn named(source: &Source) -> impl Iterator<Item = &[String]> {
    source.paths.iter().filter(|path| path[0] == "crate" && path.len() > 1).map(|path| &path[1..])
}

#[test]
fn modules_import_only_lower_layers() {
    let mut found = Vec::new();
    for source in sources() {
        let Some(module) = source.module.get(1) else { continue };
        let not_lower = |path: &&[String]| path[0] != *module && layer(&path[0]) >= layer(module);
        let line = |path: &[String]| format!("src/{} names `{}`", source.name, path.join("::"));
        found.extend(named(source).filter(not_lower).map(line));
    }
    assert_none(&found, "a module imports only modules of a lower layer");
}

#[test]
fn entries_of_a_registry_do_not_import_each_other() {
    let sources = sources();
    let mut found = Vec::new();
    for (folder, shared) in REGISTRIES {
        let entries: Vec<&Source> = sources.iter().filter(|s| s.module.len() > 2 && s.module[1] == *folder).collect();
        for source in &entries {
            let is_sister = |path: &&[String]| {
                path.len() > 1
                    && path[0] == *folder
                    && path[1] != source.module[2]
                    && !shared.contains(&path[1].as_str())
                    && entries.iter().any(|entry| entry.module[2] == path[1])
            };
            let is_excused = |path: &[String]| STILL_NAMED.contains(&(source.name.as_str(), path[1].as_str()));
            let (excused, sisters): (Vec<_>, Vec<_>) =
                named(source).filter(is_sister).partition(|path| is_excused(path));
            found.extend(sisters.iter().map(|path| format!("src/{} names `{}`", source.name, path.join("::"))));
            let is_listed = STILL_NAMED.iter().any(|(file, _)| *file == source.name);
            if is_listed && excused.is_empty() {
                found.push(format!("src/{} names no sister any more: strike it from STILL_NAMED", source.name));
            }
        }
    }
    assert_none(&found, "entries of a registry, and stages, share only what REGISTRIES lists");
}

#[test]
fn a_library_is_named_in_one_place() {
    let mut found = Vec::new();
    for source in sources() {
        for path in source.paths.iter().filter(|path| path.len() > 1) {
            let library = ONE_PLACE.iter().find(|(library, _)| path[0] == *library);
            if let Some((_, place)) = library.filter(|(_, place)| !source.name.starts_with(place)) {
                found.push(format!("src/{} names `{}`, which belongs to {place}", source.name, path.join("::")));
            }
        }
    }
    assert_none(&found, "a library is named in one place");
}
