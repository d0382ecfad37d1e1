//! Pages that follow from the code.

use std::fs;

use infoplane::datasets::DATASETS;
use infoplane::estimators::ESTIMATORS;
use infoplane::plots::PLOTS;

use super::source::root;

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
