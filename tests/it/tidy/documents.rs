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

/// Whether a page has a row for each entry of a registry, with its summary.
fn assert_rows(page: &str, entries: impl Iterator<Item = (&'static str, &'static str)>) {
    let text = fs::read_to_string(root().join(page)).unwrap();
    for (name, summary) in entries {
        assert!(text.contains(&format!("| `{name}` | {summary} |")), "{page} lacks the row of `{name}`");
    }
}

#[test]
fn pages_name_every_entry_of_the_registries() {
    assert_rows("docs/data-sets.md", DATASETS.iter().map(|spec| (spec.name, spec.summary)));
    assert_rows("docs/gallery.md", PLOTS.iter().map(|spec| (spec.name, spec.summary)));
}

#[test]
fn readme_and_the_page_of_estimators_name_every_estimator() {
    let read = |page: &str| fs::read_to_string(root().join(page)).unwrap();
    let (readme, index) = (read("README.md"), read("docs/estimators/index.md"));
    for spec in ESTIMATORS {
        assert!(readme.contains(&format!("`{}`", spec.name)), "README.md lacks `{}`", spec.name);
        let link = format!("[`{0}`]({0}.md)", spec.name);
        assert!(index.contains(&link), "docs/estimators/index.md lacks `{}`", spec.name);
    }
}

#[test]
fn gallery_shows_every_plot_with_its_command() {
    let gallery = fs::read_to_string(root().join("docs/gallery.md")).unwrap();
    for plot in PLOTS {
        assert!(gallery.contains(&format!("\ninfoplane plot {} outputs/", plot.name)), "no command of {}", plot.name);
        assert!(gallery.contains(&format!("](pictures/{}.png)", plot.name)), "no picture of {}", plot.name);
        assert!(root().join(format!("docs/pictures/{}.png", plot.name)).is_file(), "no file of {}", plot.name);
    }
}
