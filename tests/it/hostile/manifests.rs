//! Manifests that name files which are not theirs: absolute paths, paths with `..`, files of the user.

use std::fs;
use std::path::PathBuf;

use infoplane::store::{FileRecord, Pending, hash_bytes};
use serde_json::json;

use super::{ESTIMATES, SMALL, finished, restore};
use crate::tool::Project;

const PRECIOUS: &[u8] = b"precious";

/// How a forged manifest is written.
#[derive(Clone, Copy)]
enum Form {
    /// As of version 1, which had no seal.
    Old,
    /// Sealed as this program does.
    Sealed,
}

/// Puts a manifest in the place of `<below>/.meta/<name>.json` that lists the file `named` in addition to those it had.
fn forge(project: &Project, (below, name): (&str, &str), form: Form, named: &str) {
    let root = project.path("outputs/p").join(below);
    let path = root.join(".meta").join(format!("{name}.json"));
    let before: serde_json::Value = fs::read(&path)
        .map_or_else(|_| json!({ "made_from": {}, "files": [] }), |text| serde_json::from_slice(&text).unwrap());
    let mut files: Vec<FileRecord> = serde_json::from_value(before["files"].clone()).unwrap();
    files.push(FileRecord {
        path: named.to_owned(),
        bytes: PRECIOUS.len() as u64,
        rows: 0,
        blake3: hash_bytes(PRECIOUS),
    });
    match form {
        Form::Sealed => drop(Pending::new(&root, name, &before["made_from"]).finish(files).unwrap()),
        Form::Old => {
            let key = hash_bytes(before["made_from"].to_string().as_bytes());
            let text = json!({
                "key": key, "made_from": before["made_from"], "crate_version": "0.0.1", "schema_version": 1, "files": files
            });
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text.to_string()).unwrap();
        }
    }
}

/// A folder with a finished experiment, and a file outside of it that the manifest at `below` could name.
fn victims(project: &Project, below: &str) -> Vec<(PathBuf, String)> {
    let victim = project.path("victim.txt");
    fs::write(&victim, PRECIOUS).unwrap();
    let up = if below.is_empty() { "../.." } else { "../../.." };
    let named = [victim.display().to_string(), format!("{up}/victim.txt"), format!("a/../{up}/victim.txt")];
    named.into_iter().map(|named| (victim.clone(), named)).collect()
}

#[test]
fn a_manifest_names_only_files_below_its_own_folder() {
    let project = finished();
    let validate = "inspect --validate outputs/p";
    let places = [
        (("recording", "settings"), validate),
        (("recording", "manifest"), validate),
        (("recording", "runs/r0000"), validate),
        (("", ESTIMATES), "aggregate outputs/p"),
        (("estimates", "binning-n-edges-30/r0000"), "aggregate outputs/p"),
        (("", "checks"), validate),
        (("", "summary"), "report outputs/p"),
        (("", "figures-all"), validate),
        (("", "of-nobody"), validate),
    ];
    for (place, line) in places {
        for ((victim, named), form) in
            victims(&project, place.0).into_iter().zip([Form::Sealed, Form::Old, Form::Sealed])
        {
            restore(&project);
            forge(&project, place, form, &named);
            let sentence = project.refused(line);
            let expected = format!("it names the file `{named}`, but only files below its own folder are allowed");
            assert!(sentence.contains(&expected) && sentence.contains(".json: "), "{place:?}: {sentence}");
            // With other settings, so that everything is replaced.
            project.write("p.toml", SMALL.replace("seed = 1", "seed = 2"));
            project.run("run --overwrite p.toml");
            assert_eq!(fs::read(victim).unwrap(), PRECIOUS, "{place:?}, {named}");
        }
    }
}

#[test]
fn overwriting_with_a_false_manifest_is_refused_before_the_training() {
    let project = finished();
    for form in [Form::Old, Form::Sealed] {
        for (victim, named) in victims(&project, "") {
            restore(&project);
            forge(&project, ("", "zz"), form, &named);
            let before = project.files("outputs/p");
            project.write("p.toml", SMALL.replace("seed = 1", "seed = 2"));
            assert!(
                project.refused("record --overwrite p.toml").contains("only files below its own folder are allowed")
            );
            assert!(project.files("outputs/p") == before, "nothing has changed");
            assert_eq!(fs::read(victim).unwrap(), PRECIOUS);
        }
    }
}

#[test]
fn a_checkpoint_with_files_outside_of_the_recording_is_not_used() {
    for form in [Form::Old, Form::Sealed] {
        let project = finished();
        for (victim, named) in victims(&project, "recording") {
            restore(&project);
            fs::remove_file(project.path("outputs/p/recording/.meta/manifest.json")).unwrap();
            fs::remove_file(project.path("outputs/p/recording/.meta/runs/r0000.json")).unwrap();
            forge(&project, ("recording", "checkpoints/r0000"), form, &named);
            let told = project.ok("record p.toml");
            assert!(
                told.contains("r0000 starts again from the beginning")
                    && told.contains("only files below its own folder"),
                "{told}"
            );
            assert_eq!(fs::read(victim).unwrap(), PRECIOUS);
            assert!(!project.path("outputs/p/recording/.meta/checkpoints").exists());
            project.ok("inspect --validate outputs/p");
        }
    }
}

#[test]
fn overwriting_removes_no_file_that_this_program_does_not_make() {
    let project = finished();
    let own = ["notes.txt", "thesis.parquet", "figures/plot.py", "frozen_claims.json", "p.toml"];
    for form in [Form::Old, Form::Sealed] {
        restore(&project);
        for (number, named) in own.iter().enumerate() {
            project.write(&format!("outputs/p/{named}"), PRECIOUS);
            forge(&project, ("", &format!("zz-{number}")), form, named);
        }
        fs::remove_file(project.path("outputs/p/frozen_claims.json")).unwrap();
        project.write("p.toml", SMALL.replace("seed = 1", "seed = 2"));
        project.ok("record --overwrite p.toml");
        for named in own.iter().filter(|named| **named != "frozen_claims.json") {
            assert_eq!(fs::read(project.path("outputs/p").join(named)).unwrap(), PRECIOUS, "{named}");
        }
        for gone in ["summary.parquet", "figures/fit.svg", "estimates", ".meta/zz-0.json", ".meta/replaced"] {
            assert!(!project.path("outputs/p").join(gone).exists(), "{gone}");
        }
    }
    let others = [
        ("recording", "recording/notes.txt"),
        ("recording", "recording/.meta/notes.txt"),
        ("recording", "recording/epochs/run=mine/part-00000.parquet"),
        ("recording", "recording/epochs/run=r0000/mine.parquet"),
        ("estimates", "estimates/mine/numbers.parquet"),
        ("estimates", "estimates/.meta/thesis.tex"),
        (".meta/replaced", ".meta/replaced/notes.txt"),
    ];
    for (folder, file) in others {
        restore(&project);
        fs::create_dir_all(project.path("outputs/p").join(file).parent().unwrap()).unwrap();
        project.write(&format!("outputs/p/{file}"), PRECIOUS);
        let before = project.files("outputs/p");
        project.write("p.toml", SMALL.replace("seed = 1", "seed = 2"));
        let sentence = project.refused("record --overwrite p.toml");
        let expected =
            format!("not a file of infoplane, but `{folder}` will be replaced; move the file to another folder");
        assert!(sentence.contains(file) && sentence.contains(&expected), "{sentence}");
        assert!(project.files("outputs/p") == before, "nothing has changed");
    }
}

#[test]
fn recording_keeps_files_of_the_user_next_to_replaced_recordings_and_checkpoints() {
    let project = Project::new(SMALL);
    project.ok("data make parity --n-bits 6");
    for file in [".meta/replaced/notes.txt", "recording/.meta/checkpoints/notes.txt"] {
        let path = project.path("outputs/p").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, PRECIOUS).unwrap();
    }
    let sentence = project.refused("record p.toml");
    assert!(sentence.contains(".meta/replaced/notes.txt: not a file of infoplane"), "{sentence}");
    fs::rename(project.path("outputs/p/.meta/replaced/notes.txt"), project.path("notes.txt")).unwrap();
    project.ok("record p.toml");
    assert!(!project.path("outputs/p/.meta/replaced").exists());
    let kept = fs::read_dir(project.path("outputs/p/recording/.meta/checkpoints")).unwrap();
    let kept: Vec<_> = kept.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(kept, ["notes.txt"]);
}
