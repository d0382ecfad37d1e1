//! Pages that follow from the code.

use std::fs;
use std::path::Path;

use infoplane::config::keys;
use infoplane::datasets::DATASETS;
use infoplane::estimators::ESTIMATORS;
use infoplane::plots::PLOTS;
use infoplane::store::schema::{VERSION, markdown, recording_markdown};

use super::source::root;

#[test]
fn schema_page_follows_from_the_code() {
    let page = fs::read_to_string(root().join("docs/schema.md")).unwrap();
    assert!(page == markdown(), "run `infoplane schema > docs/schema.md`");
}

#[test]
fn page_of_keys_follows_from_the_code() {
    let page = fs::read_to_string(root().join("docs/pipelines/keys.md")).unwrap();
    assert!(page == keys::page(), "run `infoplane keys > docs/pipelines/keys.md`");
}

/// The page on recordings has other text around the part that follows from the code.
#[test]
fn columns_of_the_recording_format_follow_from_the_code() {
    const BEGIN: &str = "<!-- columns: derived from src/store/schema, a test compares -->\n";
    const END: &str = "<!-- end of columns -->\n";
    let page = fs::read_to_string(root().join("docs/recording-format.md")).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let derived = format!("{before}{BEGIN}{}{END}{after}", recording_markdown());
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("recording-format.md");
    fs::write(&place, &derived).unwrap();
    assert!(page == derived, "run `cp {} docs/recording-format.md`", place.display());
}

#[test]
fn examples_write_the_present_version() {
    let example = fs::read_to_string(root().join("examples/record_numpy.py")).unwrap();
    let line = format!("\nSCHEMA_VERSION = \"{VERSION}\"\n");
    assert!(example.contains(&line), "examples/record_numpy.py must have the line {}", line.trim());
}

#[test]
fn the_example_for_pytorch_fits_on_a_screen() {
    let example = fs::read_to_string(root().join("examples/record_pytorch.py")).unwrap();
    assert!(example.lines().count() <= 40, "examples/record_pytorch.py has more than 40 lines");
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
