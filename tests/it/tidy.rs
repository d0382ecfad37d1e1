//! The house rules that a machine can check.

use std::fs;
use std::path::{Path, PathBuf};

use infoplane::datasets::DATASETS;
use infoplane::estimators::ESTIMATORS;
use infoplane::plots::PLOTS;

/// Every module below `src/` with its layer: a module imports only modules of a lower layer.
const LAYERS: &[(&str, u8)] = &[
    ("columns", 0),
    ("parameter", 1),
    ("sample", 0),
    ("suggest", 0),
    ("units", 0),
    ("math", 1),
    ("datasets", 2),
    ("estimators", 2),
    ("import", 2),
    ("nn", 2),
    ("store", 2),
    ("config", 3),
    ("plots", 4),
    ("stages", 5),
    ("pipeline", 6),
    ("cli", 7),
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
    ("png", "stages/movie.rs"),
    ("polars", "stages/aggregate"),
    ("pulp", "math"),
    ("sha2", "store"),
    ("tar", "import"),
    ("toml", "config"),
    ("postcard", "stages/record"),
    ("ureq", "stages/fetch"),
    ("zip", "import"),
    ("zstd", "import"),
];

/// Folders whose files know their `mod.rs` but never a sister.
const REGISTRIES: &[&str] = &["datasets", "estimators", "import", "plots"];

/// Files that the entries of a registry share.
const SHARED: &[&str] = &[
    "axes", "bits", "canvas", "dashes", "discrete", "given", "idx", "images", "series", "settings", "sheet", "variance",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file, with its path below `src/`.
fn sources() -> Vec<(String, String)> {
    fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    collect(&root().join("src"), &mut paths);
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.strip_prefix(root().join("src")).unwrap().to_string_lossy().into_owned();
        (name, fs::read_to_string(path).unwrap())
    };
    paths.into_iter().map(read).collect()
}

/// The part before the tests, which may import what they like; of a file of tests (`#![cfg(test)]`), its first lines.
fn code(text: &str) -> &str {
    text.split("[cfg(test)]").next().unwrap()
}

fn layer(module: &str) -> u8 {
    LAYERS.iter().find(|(name, _)| *name == module).unwrap_or_else(|| panic!("`{module}` is not in LAYERS")).1
}

#[test]
fn modules_import_only_lower_layers() {
    for (name, text) in sources() {
        let module = name.split(['/', '.']).next().unwrap();
        if ["lib", "main"].contains(&module) {
            continue; // the roots, above all layers
        }
        for path in code(&text).split("crate::").skip(1) {
            let imported = path.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
            assert!(
                imported == module || layer(imported) < layer(module),
                "src/{name} imports `{imported}`, which is not of a lower layer"
            );
        }
    }
}

#[test]
fn files_of_a_registry_do_not_know_their_sisters() {
    for (name, text) in sources() {
        let Some((folder, file)) = name.split_once('/') else { continue };
        if !REGISTRIES.contains(&folder) || file == "mod.rs" {
            continue;
        }
        for (sister, _) in
            sources().iter().filter_map(|(n, _)| n.strip_prefix(folder)?.strip_prefix('/')?.split_once('.'))
        {
            let mentions = code(&text).contains(&format!("super::{sister}::"));
            assert!(!mentions || SHARED.contains(&sister), "src/{name} imports its sister `{sister}`");
        }
    }
}

#[test]
fn a_library_is_named_in_one_place() {
    for (name, text) in sources() {
        for (library, place) in ONE_PLACE {
            let mentions = code(&text).lines().any(|line| {
                let line = line.trim_start();
                let mut words = line.split(|c: char| !c.is_alphanumeric() && !"_:".contains(c));
                !line.starts_with("//") && words.any(|word| word.starts_with(&format!("{library}::")))
            });
            assert!(!mentions || name.starts_with(place), "src/{name} names `{library}`, which belongs to {place}");
        }
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for (name, text) in sources() {
        assert!(text.starts_with("//! "), "src/{name} does not begin with `//! `");
    }
}

#[test]
fn schema_page_follows_from_the_code() {
    let page = fs::read_to_string(root().join("docs/schema.md")).unwrap();
    assert!(page == infoplane::store::schema::markdown(), "run `infoplane schema > docs/schema.md`");
}

#[test]
fn readme_names_every_entry_of_the_registries() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let entries = ESTIMATORS.iter().map(|s| (s.name, s.summary));
    let entries =
        entries.chain(DATASETS.iter().map(|s| (s.name, s.summary))).chain(PLOTS.iter().map(|s| (s.name, s.summary)));
    for (name, summary) in entries {
        assert!(readme.contains(&format!("| `{name}` | {summary} |")), "README.md lacks the row of `{name}`");
    }
}

#[test]
fn help_names_every_command() {
    let project = crate::tool::Project::new("");
    let help = project.run("--help");
    assert_eq!(help.code, 0);
    let expected = fs::read_to_string(root().join("tests/it/help.txt")).unwrap();
    assert_eq!(help.stdout, expected, "look at it; then renew tests/it/help.txt");
}
