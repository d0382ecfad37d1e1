//! Symbolic links in the place of what the program writes, removes or looks through.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use super::{ESTIMATES, SMALL, content, finished, restore};
use crate::tool::Project;

/// Puts a link to `target` in the place `relative` of the experiment, in the place of whatever is there.
fn link(project: &Project, relative: &str, target: &str) {
    let place = project.path("outputs/p").join(relative);
    let _ = fs::remove_file(&place);
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    symlink(project.path(target), place).unwrap();
}

#[test]
fn locks_and_temporary_files_are_not_opened_through_links() {
    let project = finished();
    project.write("victim.txt", "precious");
    let locks = ["recording.lock", "writer.lock", "estimates/binning-n-edges-30.lock"];
    let temporary = ["recording/.meta/tmp/samples.parquet.part", ".meta/tmp/summary.parquet.part"];
    for place in locks.iter().map(|lock| format!(".meta/{lock}")).chain(temporary.map(str::to_owned)) {
        restore(&project);
        link(&project, &place, "victim.txt");
        // Not to overwrite, which takes all that is below `.meta/estimates` away.
        fs::remove_dir_all(project.path("outputs/p/estimates")).unwrap();
        fs::remove_file(project.path("outputs/p/recording/samples.parquet")).unwrap();
        fs::remove_file(project.path("outputs/p/checks.parquet")).unwrap();
        fs::remove_file(project.path("outputs/p/recording/.meta/manifest.json")).unwrap();
        let finished = project.run("run p.toml");
        assert_eq!(fs::read_to_string(project.path("victim.txt")).unwrap(), "precious", "{place}");
        // A lock that is a link is refused; a temporary file is replaced.
        let is_refused = finished.code == 2 && finished.stderr.contains("a link to ");
        assert_eq!(is_refused, place.ends_with(".lock"), "{place}: {}", finished.stderr);
    }
}

#[test]
fn an_existing_lock_file_is_not_emptied() {
    let project = finished();
    project.write("outputs/p/.meta/writer.lock", "precious");
    project.ok("report outputs/p");
    assert_eq!(fs::read_to_string(project.path("outputs/p/.meta/writer.lock")).unwrap(), "precious");
}

#[test]
fn nothing_is_written_or_removed_behind_a_link_to_a_folder() {
    let project = finished();
    fs::create_dir_all(project.path("elsewhere")).unwrap();
    for folder in [
        ".meta",
        ".meta/tmp",
        ".meta/estimates",
        ".meta/replaced",
        "estimates",
        "estimates/.meta",
        "estimates/binning-n-edges-30",
        "figures",
        "recording",
        "recording/.meta",
        "recording/.meta/runs",
        "recording/.meta/checkpoints",
        "recording/activations",
    ] {
        restore(&project);
        fs::remove_dir_all(project.path("elsewhere")).unwrap();
        // What would be removed or replaced there.
        for file in [
            "r0000-00000.state",
            "r0000.json",
            "x.lock",
            "fit.svg",
            "tmp/a.part",
            "checkpoints/a",
            "replaced/a",
            "estimates/a",
        ] {
            fs::create_dir_all(project.path("elsewhere").join(file).parent().unwrap()).unwrap();
            project.write(&format!("elsewhere/{file}"), "precious");
        }
        let before = content(&project.path("elsewhere"));
        link(&project, folder, "elsewhere");
        for (seed, line) in [(2, "run --overwrite p.toml"), (1, "run p.toml")] {
            project.write("p.toml", SMALL.replace("seed = 1", &format!("seed = {seed}")));
            project.run(line);
        }
        let after = content(&project.path("elsewhere"));
        let kept: Vec<_> =
            after.into_iter().filter(|(path, _)| before.iter().any(|(other, _)| other == path)).collect();
        assert!(kept == before, "{folder}");
    }
}

#[test]
fn folders_that_lead_back_to_themselves_are_not_followed() {
    let project = finished();
    for place in ["recording/activations/loop", "recording/loop", "recording/.meta/loop"] {
        for is_foreign in [false, true] {
            restore(&project);
            if is_foreign {
                fs::remove_dir_all(project.path("outputs/p/recording/.meta")).unwrap();
            }
            link(&project, place, "outputs/p/recording");
            let finished = project.run("inspect --validate outputs/p");
            let is_seen = !(is_foreign && place.contains(".meta"));
            assert_eq!(
                finished.code == 2 && finished.stderr.contains("a link to "),
                is_seen,
                "{place}: {}",
                finished.stderr
            );
        }
    }
    restore(&project);
    let deep = (0..40).fold(project.path("outputs/p/recording"), |path, level| path.join(format!("d{level}")));
    fs::create_dir_all(&deep).unwrap();
    let sentence = project.refused("inspect --validate outputs/p");
    assert!(sentence.contains("more than 16 folders below the recording"), "{sentence}");
}

#[test]
fn a_recording_on_another_disk_is_read_and_written_through_its_link_and_never_removed() {
    let project = Project::new(SMALL);
    fs::create_dir_all(project.path("scratch/recording")).unwrap();
    fs::create_dir_all(project.path("outputs/p")).unwrap();
    symlink(project.path("scratch/recording"), project.path("outputs/p/recording")).unwrap();
    project.ok("run p.toml");
    project.ok("inspect --validate outputs/p");
    assert!(project.path("scratch/recording/samples.parquet").exists());
    let before = content(&project.path("scratch"));
    project.write("p.toml", SMALL.replace("seed = 1", "seed = 2"));
    let sentence = project.refused("run --overwrite p.toml");
    assert!(
        sentence.contains("outputs/p/recording: a link to ") && sentence.contains("scratch/recording"),
        "{sentence}"
    );
    assert!(content(&project.path("scratch")) == before, "the recording is as it was");
    // The folder of an experiment as a whole may be a link as well.
    symlink(project.path("outputs/p"), project.path("linked")).unwrap();
    project.ok("aggregate linked");
    assert!(project.path(&format!("outputs/p/.meta/{ESTIMATES}.json")).exists());
}

#[test]
fn a_device_in_place_of_a_file_is_refused() {
    let project = finished();
    for place in ["recording/.meta/settings.json", "recording/samples.parquet", ".meta/summary.json"] {
        restore(&project);
        link(&project, place, "/dev/zero");
        let sentence = project.refused("inspect --validate outputs/p");
        assert!(sentence.contains("not a file"), "{place}: {sentence}");
    }
}

#[test]
fn data_and_pipelines_are_not_read_from_devices_and_pipes() {
    let project = Project::new(SMALL);
    for ending in ["csv", "npy", "parquet", "toml"] {
        symlink("/dev/zero", project.path(&format!("device.{ending}"))).unwrap();
        let made = Command::new("mkfifo").arg(project.path(&format!("pipe.{ending}"))).status().unwrap();
        assert!(made.success());
        for kind in ["device", "pipe"] {
            let command = if ending == "toml" { "run" } else { "data import" };
            let sentence = project.refused(&format!("{command} {kind}.{ending}"));
            assert!(sentence.contains("not a file; name a file"), "{kind}.{ending}: {sentence}");
        }
    }
    let large = fs::File::create(project.path("large.toml")).unwrap();
    large.set_len(1 << 40).unwrap();
    let sentence = project.refused("run large.toml");
    assert!(sentence.contains("it has 1099511627776 bytes, at most 67108864 are allowed"), "{sentence}");
}
