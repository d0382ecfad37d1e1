//! SIGKILL at random times: a call after it gives the bytes of a call that nobody disturbed.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::PARTS;
use crate::tool::Project;

const N_KILLS: usize = 50;

/// A command that is killed again and again.
struct Victim<'a> {
    project: &'a Project,
    line: &'a str,
    /// What the command makes.
    folder: &'a str,
    /// How long it takes, by the latest call that was not stopped.
    duration: Duration,
}

impl Victim<'_> {
    /// Starts the command and kills it when `share` of its time is over; whether that was before its end.
    fn killed_after(&mut self, share: f64) -> bool {
        let start = Instant::now();
        let mut child = self.project.start(self.line);
        while start.elapsed() < self.duration.mul_f64(share) {
            if child.try_wait().unwrap().is_some() {
                // The machine has become faster, or there was less to do.
                self.duration = self.duration.min(start.elapsed().max(self.duration / 2));
                return false;
            }
            sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap().code().is_none()
    }

    fn forget(&self) {
        fs::remove_dir_all(self.project.path(self.folder)).unwrap();
    }
}

/// Kills `line` at times spread over its duration. After every second kill, on average, a call goes on to the end, and
/// everything begins anew; after the others the next kill hits a call that goes on.
fn check(project: &Project, line: &str, folder: &str, seed: u64) {
    let start = Instant::now();
    project.ok(line);
    let mut victim = Victim { project, line, folder, duration: start.elapsed() };
    let undisturbed = project.files(folder);
    victim.forget();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut n_hit, mut n_kept) = (0, 0);
    for kill in 0..N_KILLS {
        n_hit += usize::from(victim.killed_after(rng.random()));
        let is_kept = |(name, _): &(String, Vec<u8>)| name.ends_with(".parquet") && !name.ends_with("samples.parquet");
        let left = if project.path(folder).exists() { project.files(folder) } else { Vec::new() };
        n_kept += usize::from(left.iter().any(is_kept) && left.len() < undisturbed.len());
        if rng.random_bool(0.5) && kill + 1 < N_KILLS {
            continue;
        }
        project.ok(line);
        let resumed = project.files(folder);
        let names = |files: &[(String, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&resumed), names(&undisturbed), "{line}, kill {kill}: other files than undisturbed");
        for ((name, content), (_, expected)) in resumed.iter().zip(&undisturbed) {
            assert!(content == expected, "{line}, kill {kill}: {name} differs");
        }
        victim.forget();
    }
    println!("{line}: {n_hit} of {N_KILLS} kills hit before the end, {n_kept} left some files and lacked others");
    // Shares of the duration are drawn evenly; what already is there makes a call shorter.
    assert!(n_hit >= N_KILLS / 3, "{line}: only {n_hit} of {N_KILLS} kills hit before the end");
    assert!(n_kept >= N_KILLS / 10, "{line}: only {n_kept} of {N_KILLS} kills hit between two files");
}

#[test]
fn a_recording_killed_at_any_snapshot_resumes_with_the_same_bytes() {
    let project = Project::new(PARTS);
    project.ok("data make tishby");
    check(&project, "record p.toml", "outputs", 17);
}

#[test]
fn estimates_killed_at_any_snapshot_resume_with_the_same_bytes() {
    let project = Project::new(&PARTS.replace("hidden = [62]", "hidden = [10]").replace("runs = 2", "runs = 5"));
    project.ok("data make tishby");
    project.ok("record p.toml");
    // One run after the other, so that tables are finished all the time.
    check(&project, "estimate binning outputs/p --threads 1", "outputs/p/estimates", 18);
}

#[test]
fn temporary_files_of_killed_calls_are_removed() {
    let project = Project::new(PARTS);
    project.ok("data make tishby");
    project.ok("record p.toml");
    let undisturbed = project.files("outputs");
    // Killed when all runs were whole, and before that between two checkpoints: states that nothing refers to, and a
    // checkpoint of a run that needs none.
    let meta = |file: &str| format!("outputs/p/recording/.meta/{file}");
    fs::remove_file(project.path(&meta("manifest.json"))).unwrap();
    fs::create_dir(project.path(&meta("checkpoints"))).unwrap();
    for file in ["r0000-00001.state", "r0001-00002.state", "r0001-00003.state", "r0001.json"] {
        project.write(&meta(&format!("checkpoints/{file}")), "of a killed call");
    }
    project.ok("record p.toml");
    assert!(project.files("outputs") == undisturbed, "other files than undisturbed");
}
