//! Folders of strangers: whatever they name, link to or claim, nothing outside of them is touched, and every refusal is a
//! sentence.

mod links; // in the place of locks, temporary files and folders
mod manifests; // that name files elsewhere
mod printed; // names that a terminal, a spreadsheet or a page obeys
mod sizes; // files that claim more than fits into memory

use std::fs;
use std::path::Path;

use crate::tool::{Project, copy_folder};

/// A second of work: one run of a small network, one estimator.
const SMALL: &str = r#"seed = 1
runs = 1
[data]
name = "parity"
n_bits = 6
train_fraction = 0.8
[network]
hidden = [4, 3]
activation = "tanh"
[training]
optimiser = "adam"
learning_rate = 4e-3
batch = 16
epochs = 10
[record]
epochs = { log_spaced = 5 }
[[estimate]]
estimator = "binning"
n_edges = 30
"#;

const ESTIMATES: &str = "estimates/binning-n-edges-30/r0000";

/// A finished experiment in `outputs/p`, with a copy of it that [`restore`] brings back.
fn finished() -> Project {
    let project = Project::new(SMALL);
    project.ok("run p.toml");
    copy_folder(&project.path("outputs/p"), &project.path("kept"));
    project
}

fn restore(project: &Project) {
    project.write("p.toml", SMALL);
    fs::remove_dir_all(project.path("outputs/p")).unwrap();
    copy_folder(&project.path("kept"), &project.path("outputs/p"));
}

/// The content of every file below `folder`, which the program must not change.
fn content(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push((path.display().to_string(), fs::read(&path).unwrap())),
            }
        }
    }
    found.sort();
    found
}
