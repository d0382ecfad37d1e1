//! Whatever bytes a manifest, a claim, a checkpoint or its state hold, reading an experiment's folder and making room in it ends
//! in an answer or in an error: no panic, and nothing outside of the folder is touched.
//!
//! The first byte of an input chooses the file, the rest is its content.

#![no_main]

use std::fs;
use std::hint::black_box;
use std::panic;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::LazyLock;

use infoplane::estimate_id::Values;
use infoplane::store::{
    Experiment, FrozenClaims, Manifest, Pending, Recording, StoreError, expect_only_own, hash_file, manifests,
    move_earlier_manifests, move_folder, remove_below, remove_views, verified_hash,
};
use libfuzzer_sys::fuzz_target;

/// The files that an input may be, below the experiment.
const PLACES: [&str; 11] = [
    "recording/.meta/settings.json",
    "recording/.meta/manifest.json",
    "recording/.meta/runs/r0000.json",
    "recording/.meta/checkpoints/r0000.json",
    "recording/.meta/checkpoints/r0000-00000.state",
    "recording/.meta/frozen_claims.json",
    ".meta/summary.json",
    ".meta/figures-all.json",
    ".meta/estimates/binning-n-edges-30/r0000.json",
    "estimates/.meta/binning-n-edges-30/r0000.json",
    "frozen_claims.json",
];

/// Other files of the experiment; their content is never read as Parquet where it is not what a manifest lists.
const FILES: [&str; 5] = [
    "recording/samples.parquet",
    "recording/activations/layer=1/run=r0000/part-00000.parquet",
    "estimates/binning-n-edges-30/run=r0000.parquet",
    "summary.parquet",
    "figures/fit.svg",
];

/// Files outside of the experiment that a path with `..` could name.
const OUTSIDE: [&str; 5] =
    ["victim.txt", "summary.parquet", "figures/fit.svg", ".meta/summary.json", "outputs/victim.txt"];

const PRECIOUS: &[u8] = b"precious";

/// Where the experiment lies while it is read; `.ci/fuzz` puts the folder into memory and clears it away.
static FOLDER: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("infoplane-fuzz-manifest-{}", process::id())));

fuzz_target!(
    // As in `reader.rs`.
    init: drop(panic::take_hook()),
    |input: &[u8]| {
        if let [place, content @ ..] = input {
            let _ = fs::remove_dir_all(&*FOLDER);
            OUTSIDE.iter().for_each(|file| write(&FOLDER.join(file), PRECIOUS));
            let root = FOLDER.join("outputs/p");
            FILES.iter().for_each(|file| write(&root.join(file), b"content"));
            write(&root.join(PLACES[usize::from(*place) % PLACES.len()]), content);
            let experiment = Experiment::new(&root);
            // That something is refused is fine.
            let _ = look(&experiment);
            let _ = make_room(&experiment);
            let mut after = files(&FOLDER);
            after.retain(|(path, _)| !path.starts_with(&root));
            let mut before: Vec<_> = OUTSIDE.iter().map(|file| (FOLDER.join(file), PRECIOUS.to_vec())).collect();
            before.sort();
            assert!(after == before, "files outside of the experiment were touched");
        }
    }
);

/// What commands read of an experiment.
fn look(experiment: &Experiment) -> Result<(), StoreError> {
    let recording = experiment.recording();
    let _ = black_box(FrozenClaims::of_experiment(experiment));
    let _ = black_box(FrozenClaims::of_recording(experiment));
    for name in ["settings", "manifest", "checkpoints/r0000"] {
        let work = Pending::new(&recording, name, &"settings");
        let listed = work.existing().ok().flatten().into_iter().flat_map(|manifest| manifest.files);
        listed.for_each(|file| drop(black_box(hash_file(&recording.join(file.path)))));
        let _ = black_box(work.finished());
    }
    if let Ok(found) = Recording::find(experiment) {
        let _ = black_box(found.verify_whole());
        let _ = black_box(found.layers(Values::Activations));
        for run in found.all_runs() {
            let _ = black_box(run.verify_all());
            let _ = black_box(run.hashes("activations", None));
        }
    }
    for path in manifests(experiment.root())? {
        let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        let listed = Manifest::read(&path).ok().flatten().into_iter().flat_map(|manifest| manifest.files);
        listed.for_each(|file| drop(black_box(verified_hash(experiment.root(), &name, &file.path))));
    }
    for (_, tables) in experiment.estimate_files()? {
        tables.iter().for_each(|table| drop(black_box(experiment.verified_estimates(table))));
    }
    Ok(())
}

/// What `--overwrite` moves and removes.
fn make_room(experiment: &Experiment) -> Result<(), StoreError> {
    let root = experiment.root();
    let moved = move_earlier_manifests(experiment);
    for folder in Experiment::REPLACEABLE {
        expect_only_own(root, folder)?;
        move_folder(root, folder, &format!("{}/{folder}", Experiment::REPLACED))?;
    }
    remove_views(root)?;
    remove_below(root, Experiment::REPLACED)?;
    moved
}

fn write(path: &Path, content: &[u8]) {
    fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("the temporary folder can be written");
    fs::write(path, content).expect("the temporary folder can be written");
}

/// Every file below `folder` with its content.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("it is there").flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path => found.push((path.clone(), fs::read(path).expect("it can be read"))),
            }
        }
    }
    found.sort();
    found
}
