//! Disks that are full and folders that cannot be written: a sentence, nothing lost, and the next call goes on.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use super::PARTS;
use crate::tool::{Finished, PROGRAM, Project};

/// What nobody is: the user that runs the program where root could write anyway.
const NOBODY: u32 = 65534;

/// A small disk in memory.
struct Disk(PathBuf);

impl Disk {
    /// `None`, with a message, where nothing may be mounted.
    fn mount(at: PathBuf, bytes: usize) -> Option<Self> {
        fs::create_dir(&at).unwrap();
        let size = format!("size={bytes}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "none"]).arg(&at).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(at));
        }
        println!("skipped: no file system can be mounted here");
        None
    }

    fn grow(&self, bytes: usize) {
        let options = format!("remount,size={bytes}");
        assert!(Command::new("mount").args(["-o", &options]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(&self.0).status();
        if !std::thread::panicking() {
            assert!(unmounted.unwrap().success(), "the disk cannot be unmounted");
        }
    }
}

/// Files of finished runs and parts as in `whole`, and nothing else in the data folders.
#[track_caller]
fn check_intact(left: &[(String, Vec<u8>)], whole: &[(String, Vec<u8>)]) {
    for file in left.iter().filter(|(name, _)| name.ends_with(".parquet") || name.contains("/runs/")) {
        assert!(whole.contains(file), "{} is not what an undisturbed call writes", file.0);
    }
    assert!(left.iter().all(|(name, _)| !name.ends_with(".part")), "a temporary file is left");
}

#[test]
fn a_recording_that_stopped_at_a_full_disk_continues_when_there_is_room() {
    let project = Project::new(PARTS);
    project.ok("data make tishby");
    project.ok("record p.toml --out whole/p");
    let whole = project.files("whole/p");
    let n_bytes: usize = whole.iter().map(|(_, content)| content.len()).sum();
    let Some(disk) = Disk::mount(project.path("disk"), n_bytes * 3 / 4) else { return };

    let sentence = project.refused("record p.toml --out disk/p --threads 1");
    assert!(sentence.contains("disk/p/recording/") && sentence.contains("No space left on device"), "{sentence}");
    let left = project.files("disk/p");
    check_intact(&left, &whole);
    let n_runs = left.iter().filter(|(name, _)| name.contains(".meta/runs/")).count();
    assert_eq!(n_runs, 1, "half of the disk holds a run");
    // Still full: the same again, and still nothing lost.
    assert!(project.refused("record p.toml --out disk/p --threads 1").contains("No space left on device"));
    check_intact(&project.files("disk/p"), &whole);

    disk.grow(4 * n_bytes);
    project.ok("record p.toml --out disk/p");
    assert!(project.files("disk/p") == whole, "other bytes than on a disk with room");
}

/// Runs `infoplane` where no file may be larger than `blocks` × 512 bytes.
fn limited(project: &Project, blocks: usize, line: &str) -> Finished {
    let script = format!(r#"trap "" XFSZ; ulimit -f {blocks} || exit 99; exec "$0" "$@""#);
    let mut command = project.command("sh", "");
    command.args(["-c", &script, PROGRAM]).args(line.split_whitespace());
    project.finish(&mut command)
}

#[test]
fn a_limit_on_files_stops_a_recording_and_keeps_its_earlier_runs() {
    let project = Project::new(&PARTS.replace("runs = 2", "runs = 1"));
    project.ok("data make tishby");
    project.ok("record p.toml");
    let before = project.files("outputs");
    project.write("p.toml", PARTS);
    let sentence = limited(&project, 400, "record p.toml").sentence();
    let file = "outputs/p/recording/activations/layer=1/run=r0001/part-00000.parquet";
    assert!(sentence.contains(file) && sentence.contains("File too large"), "{sentence}");
    let left = project.files("outputs");
    assert!(before.iter().all(|file| left.contains(file)), "something of the earlier run is lost");
    project.ok("record p.toml");
    let resumed = project.files("outputs");
    fs::remove_dir_all(project.path("outputs")).unwrap();
    project.ok("record p.toml");
    assert!(project.files("outputs") == resumed, "other bytes than without a limit");
}

#[test]
fn a_limit_on_files_stops_every_later_stage_and_keeps_existing_files() {
    let project = Project::new(PARTS);
    project.ok("data make tishby");
    project.ok("record p.toml");
    for (line, place) in [
        ("estimate binning outputs/p", "outputs/p/estimates/binning-n-edges-30/run=r000"),
        ("aggregate outputs/p", "outputs/p/summary.parquet"),
        ("plot snapshots outputs/p", "outputs/p/figures/snapshots-binning-n-edges-30.svg"),
    ] {
        if line.starts_with("aggregate") {
            project.ok("check outputs/p");
        }
        let before = project.files("outputs");
        let sentence = limited(&project, 1, line).sentence();
        assert!(sentence.contains(place) && sentence.contains("File too large"), "{line}: {sentence}");
        assert!(project.files("outputs") == before, "{line}: something was written or lost");
        project.ok(line);
        assert_eq!(project.ok(line).matches("up to date").count(), 1);
    }
}

/// Takes the right to write away from all folders below, or gives it back.
fn set_mode(folder: &std::path::Path, mode: u32) {
    fs::set_permissions(folder, Permissions::from_mode(mode)).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            set_mode(&path, mode);
        }
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_named_by_every_stage() {
    let project = Project::new(&PARTS.replace("hidden = [62]", "hidden = [3]"));
    project.ok("data make tishby");
    project.ok("record p.toml");
    project.ok("estimate binning outputs/p");
    // Where nobody can reach it. As a link: the program for tests has hundreds of megabytes.
    let program = project.path("infoplane");
    fs::hard_link(PROGRAM, &program).or_else(|_| fs::copy(PROGRAM, &program).map(drop)).unwrap();
    fs::set_permissions(project.path(""), Permissions::from_mode(0o755)).unwrap();
    let is_root = fs::metadata(project.path("")).unwrap().uid() == 0;
    let as_nobody = |line: &str| {
        let mut command = project.command(&program, line);
        if is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        set_mode(&project.path("outputs"), 0o555);
        let finished = project.finish(&mut command);
        set_mode(&project.path("outputs"), 0o755);
        finished
    };
    let refused = |line: &str| {
        let before = project.files("outputs");
        let sentence = as_nobody(line).sentence();
        assert!(sentence.contains("outputs/p") && sentence.contains("Permission denied"), "{line}: {sentence}");
        assert!(project.files("outputs") == before, "{line}: something was written or lost");
    };

    refused("record p.toml --overwrite --out outputs/p/new");
    refused("estimate binning outputs/p --n-bins 7");
    refused("aggregate outputs/p");
    project.ok("aggregate outputs/p");
    refused("plot all outputs/p");
    project.ok("plot snapshots outputs/p");
    project.write("p.toml", PARTS.replace("hidden = [62]", "hidden = [4]"));
    refused("record p.toml --overwrite");
    project.write("p.toml", PARTS.replace("hidden = [62]", "hidden = [3]").replace("runs = 2", "runs = 3"));
    refused("record p.toml");
    // What is there can be asked for.
    project.write("p.toml", PARTS.replace("hidden = [62]", "hidden = [3]"));
    for line in ["record p.toml", "estimate binning outputs/p", "aggregate outputs/p", "plot snapshots outputs/p"] {
        let finished = as_nobody(line);
        assert_eq!((finished.code, finished.stderr.contains("up to date")), (0, true), "{line}: {}", finished.stderr);
    }
}
