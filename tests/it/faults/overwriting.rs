//! `--overwrite` that is stopped in its middle: until the new recording is whole, the old one can be had back.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::PARTS;
use super::small::Tables;
use crate::tool::Project;

/// The recording that is replaced, finished and estimated, and what makes it and its successor.
struct Scene {
    project: Project,
    before: Tables,
}

const REPLACED: &str = "outputs/p/.meta/replaced";

fn old() -> String {
    PARTS.replace("hidden = [62]", "hidden = [5]")
}

fn new() -> String {
    PARTS.replace("seed = 5", "seed = 6").replace("runs = 2", "runs = 3")
}

impl Scene {
    fn new() -> Self {
        let project = Project::new(&old());
        project.ok("data make tishby");
        for line in ["record p.toml", "estimate binning outputs/p", "aggregate outputs/p"] {
            project.ok(line);
        }
        let before = project.files("outputs");
        project.write("p.toml", new());
        Self { project, before }
    }

    /// Starts to replace and kills it as soon as `is_reached`.
    fn killed_when(is_reached: impl Fn(&Project) -> bool) -> Self {
        let scene = Self::new();
        let mut child = scene.project.start("record p.toml --overwrite --threads 1");
        while !is_reached(&scene.project) {
            assert!(child.try_wait().unwrap().is_none(), "it came to its end");
            sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().code(), None, "it came to its end");
        scene.check_kept();
        scene
    }

    /// The old recording and its estimates are whole: in place, or waiting.
    #[track_caller]
    fn check_kept(&self) {
        let files = self.project.files("outputs");
        for (name, content) in &self.before {
            let waiting = name.replace("p/", "p/.meta/replaced/");
            let is_kept = |(other, found): &(String, Vec<u8>)| (other == name || *other == waiting) && found == content;
            assert!(files.iter().any(is_kept), "{name} of the old recording is lost");
        }
    }

    /// Recording the old pipeline brings everything back; where the new one has finished runs or parts, which that
    /// removes, only with `--overwrite`.
    #[track_caller]
    fn check_comes_back(&self) {
        self.project.write("p.toml", old());
        let left = self.project.files("outputs");
        let asked = self.project.run("record p.toml");
        if asked.code == 2 {
            assert!(asked.sentence().contains("has finished runs of an unfinished recording"), "{}", asked.stderr);
            assert!(self.project.files("outputs") == left, "a refused call has changed something");
            assert!(self.project.ok("record p.toml --overwrite").ends_with("record: up to date\n"));
        } else {
            assert!(asked.stderr.ends_with("record: up to date\n"), "{}", asked.stderr);
        }
        let files = self.project.files("outputs");
        let lost: Vec<&String> = self.before.iter().filter(|f| !files.contains(f)).map(|(name, _)| name).collect();
        assert!(lost.is_empty(), "lost: {lost:?}");
        let strangers: Vec<&String> = files.iter().filter(|f| !self.before.contains(f)).map(|(name, _)| name).collect();
        assert!(strangers.is_empty(), "left behind: {strangers:?}");
    }
}

/// Whether the old recording is aside and the folder or file is there for the new one.
fn has(project: &Project, name: &str) -> bool {
    let path = project.path("outputs/p/recording/.meta").join(name);
    let is_empty = |mut entries: fs::ReadDir| entries.next().is_none();
    project.path(REPLACED).join("recording").exists() && path.exists() && !fs::read_dir(path).is_ok_and(is_empty)
}

fn nothing_is_recorded(project: &Project) -> bool {
    has(project, "settings.json")
}

fn a_part_is_whole(project: &Project) -> bool {
    has(project, "checkpoints")
}

fn a_run_is_whole(project: &Project) -> bool {
    has(project, "runs")
}

#[test]
fn the_replaced_recording_is_restored_on_request() {
    for is_reached in [nothing_is_recorded, a_part_is_whole, a_run_is_whole] {
        Scene::killed_when(is_reached).check_comes_back();
    }
}

#[test]
fn the_replaced_recording_survives_a_third_one_that_diverges() {
    for is_reached in [nothing_is_recorded, a_run_is_whole] {
        let scene = Scene::killed_when(is_reached);
        let diverging = new().replace("4e-3", "1e30").replace("tanh", "relu");
        scene.project.write("p.toml", diverging);
        assert!(scene.project.refused("record p.toml --overwrite").contains("every training failed"));
        scene.check_kept();
        scene.check_comes_back();
    }
}

#[test]
fn a_third_recording_is_not_mistaken_for_the_second() {
    let scene = Scene::killed_when(a_run_is_whole);
    scene.project.write("p.toml", new().replace("seed = 6", "seed = 7"));
    let left = scene.project.files("outputs");
    let sentence = scene.project.refused("record p.toml");
    assert!(sentence.contains("has an unfinished recording made with other settings"), "{sentence}");
    assert!(scene.project.files("outputs") == left);
}

#[test]
fn an_interrupted_replacement_continues_with_the_same_result() {
    let undisturbed = Project::new(&new());
    undisturbed.ok("data make tishby");
    undisturbed.ok("record p.toml");
    for is_reached in [nothing_is_recorded, a_run_is_whole] {
        let scene = Scene::killed_when(is_reached);
        scene.project.ok("record p.toml --overwrite");
        assert!(scene.project.files("outputs") == undisturbed.files("outputs"), "other files than undisturbed");
    }
}

#[test]
fn the_old_recording_is_kept_until_the_new_one_is_complete() {
    const N_KILLS: usize = 12;
    let scene = Scene::new();
    let start = Instant::now();
    scene.project.ok("record p.toml --overwrite --threads 1");
    let duration = start.elapsed();
    let left = |scene: &Scene| scene.project.files("outputs");
    let replaced = left(&scene);
    let mut rng = ChaCha8Rng::seed_from_u64(19);
    let mut n_hit = 0;
    for _ in 0..N_KILLS {
        fs::remove_dir_all(scene.project.path("outputs")).unwrap();
        for (name, content) in &scene.before {
            let path = scene.project.path(&format!("outputs/{name}"));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        scene.project.write("p.toml", new());
        let mut child = scene.project.start("record p.toml --overwrite --threads 1");
        sleep(duration.mul_f64(rng.random()));
        child.kill().unwrap();
        n_hit += usize::from(child.wait().unwrap().code().is_none());
        // As soon as the manifest of the new one is there, the next call removes what is left of the old one.
        if replaced.iter().filter(|(name, _)| name.ends_with("manifest.json")).all(|f| left(&scene).contains(f)) {
            scene.project.ok("record p.toml");
            assert!(left(&scene) == replaced, "other files than undisturbed");
        } else {
            scene.check_kept();
            scene.check_comes_back();
        }
    }
    println!("{n_hit} of {N_KILLS} kills hit before the end");
}

/// What is left by a kill between two steps of replacing or of bringing back, which no timing can hit.
#[test]
fn a_replacement_stopped_between_two_steps_loses_no_recording() {
    // The recording is set aside, its estimates are not yet.
    let scene = Scene::new();
    fs::create_dir_all(scene.project.path(REPLACED)).unwrap();
    let moved = |scene: &Scene, folder: &str| {
        let from = scene.project.path(&format!("outputs/p/{folder}"));
        fs::rename(from, scene.project.path(&format!("{REPLACED}/{folder}"))).unwrap();
    };
    moved(&scene, "recording");
    scene.check_comes_back();

    // The same, and the new one is tried again.
    let scene = Scene::new();
    fs::create_dir_all(scene.project.path(REPLACED)).unwrap();
    moved(&scene, "recording");
    scene.project.write("p.toml", new().replace("4e-3", "1e30").replace("tanh", "relu"));
    assert!(scene.project.refused("record p.toml --overwrite").contains("every training failed"));
    scene.check_kept();
    scene.check_comes_back();

    // Brought back: the recording is in place, its estimates were to follow.
    let scene = Scene::new();
    fs::create_dir_all(scene.project.path(REPLACED)).unwrap();
    moved(&scene, "estimates");
    moved(&scene, "recording");
    scene.check_comes_back();

    // Replaced, and only a part of the old one is removed: the next replacement is not hindered by the rest.
    let scene = Scene::new();
    fs::create_dir_all(scene.project.path(&format!("{REPLACED}/estimates/binning-n-edges-30"))).unwrap();
    scene.project.write(&format!("{REPLACED}/estimates/binning-n-edges-30/run=r0000.parquet"), "of a still older one");
    scene.project.ok("record p.toml --overwrite");
    assert!(!scene.project.path(REPLACED).exists());
}
