//! Processes stopped while they make a table of samples: the next call leaves the table and nothing else.

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::tool::Project;

/// How often each command is stopped by each signal. By hand: `INFOPLANE_TEST_STOPS=30`.
fn n_stops() -> usize {
    std::env::var("INFOPLANE_TEST_STOPS").map_or(4, |n| n.parse().unwrap())
}

/// A wide table, most of whose time goes into writing.
fn project() -> Project {
    let project = Project::in_memory();
    let row =
        |i: usize| (0..100).map(|j| format!("{}.5,", (i * 31 + j * 7) % 97)).collect::<String>() + &(i % 3).to_string();
    let names = (0..100).map(|j| format!("x{j},")).collect::<String>() + "y";
    let table: Vec<String> = std::iter::once(names).chain((0..2000).map(row)).collect();
    project.write("big.csv", table.join("\n") + "\n");
    project
}

/// Stops `line`, which makes `data/t.parquet`, at random times by every signal, and calls it again.
fn check(line: &str) {
    let project = project();
    let start = Instant::now();
    project.ok(line);
    let duration = start.elapsed();
    let undisturbed = project.files("data");
    assert_eq!(undisturbed.len(), 1);
    let (mut rng, mut n_left) = (ChaCha8Rng::seed_from_u64(31), 0);
    for signal in ["KILL", "TERM", "INT"] {
        for stop in 0..n_stops() {
            fs::remove_file(project.path("data/t.parquet")).unwrap();
            let mut child = project.start(line);
            sleep(duration.mul_f64(rng.random_range(0.3..1.1)).max(Duration::from_millis(1)));
            // The process may have ended by itself.
            let _ = Command::new("kill").args(["-s", signal, &child.id().to_string()]).output().unwrap();
            child.wait().unwrap();
            n_left += usize::from(fs::read_dir(project.path("data")).is_ok_and(|entries| entries.count() > 0));
            project.ok(line);
            assert!(project.files("data") == undisturbed, "{line}, {signal} {stop}: other files than undisturbed");
            let names: Vec<_> = fs::read_dir(project.path("data")).unwrap().map(|e| e.unwrap().file_name()).collect();
            assert_eq!(names, ["t.parquet"], "{line}, {signal} {stop}: something is left");
        }
    }
    println!("{line}: {n_left} of {} stops left something", 3 * n_stops());
}

#[test]
fn an_interrupted_import_leaves_no_file_after_the_next_call() {
    check("data import big.csv --out data/t.parquet");
}

#[test]
fn an_interrupted_data_make_leaves_no_file_after_the_next_call() {
    check("data make parity --n-bits 13 --out data/t.parquet");
}

#[test]
fn a_call_without_work_removes_temporary_files_too() {
    let project = project();
    for line in ["data import big.csv --out data/t.parquet", "data make parity --out data/u.parquet"] {
        project.ok(line);
        let stray = "data/.infoplane-1-0/.meta/tmp";
        fs::create_dir_all(project.path(stray)).unwrap();
        project.write(&format!("{stray}/samples.parquet.part"), "of a killed call");
        assert!(project.ok(line).contains("up to date"));
        assert!(!project.path("data/.infoplane-1-0").exists(), "{line}");
    }
}
