//! A machine that gives a process no threads or no memory: one sentence and exit code 2, no panic and no waiting for ever.

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::tool::{PIPELINE, PROGRAM, Project};

/// What the program, started by the words `with` as another user with few rights, prints in the end; with its exit code.
/// `None` with a message if this machine cannot do it.
fn starved(project: &Project, with: &[&str], line: &str) -> Option<(Option<i32>, String)> {
    let limited = |program: &str| {
        let mut command = Command::new(with[0]);
        command.args(&with[1..]).arg(program).current_dir(project.path(""));
        command
    };
    if !limited("true").output().is_ok_and(|tried| tried.status.success()) {
        println!("skipped: this machine has no `{}`, or no rights to use it", with[0]);
        return None;
    }
    let child = limited(PROGRAM).args(line.split_whitespace()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            panic!("{with:?} {line}: it waits for ever");
        }
        sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().unwrap();
    // What `prlimit` ends with where the program lies in a folder that another user may not look into.
    if output.status.code() == Some(126) {
        println!("skipped: the user that is to be limited may not execute the program");
        return None;
    }
    Some((output.status.code(), String::from_utf8(output.stderr).unwrap()))
}

#[track_caller]
fn check_sentence(ended: &(Option<i32>, String), what: &str) {
    let (code, stderr) = ended;
    assert!(*code == Some(2) && !stderr.contains("panicked"), "{code:?}: {stderr}");
    let last = stderr.lines().last().unwrap();
    assert!(last.starts_with("infoplane: ") && last.contains(what), "{stderr}");
}

#[test]
fn too_many_threads_for_the_memory_are_refused() {
    let project = Project::new(PIPELINE);
    // 1000 stacks of 2 MiB do not fit.
    let with = ["prlimit", "--as=1500000000"];
    if let Some(ended) = starved(&project, &with, "data make parity --threads 1000") {
        check_sentence(&ended, "cannot start 1000 threads: Resource temporarily unavailable");
    }
}

/// The limit of processes does not bind the superuser, so another one is it that starts them.
#[test]
fn without_threads_every_stage_succeeds_or_is_refused() {
    let project = Project::new(PIPELINE);
    project.ok("data make tishby");
    project.ok("record p.toml");
    project.ok("estimate pipeline p.toml");
    project.ok("check outputs/p");
    let _ = Command::new("chmod").args(["-R", "a+rwX"]).arg(project.path("")).output();
    for n in 1..=8 {
        let limit = format!("--nproc={n}");
        let with = ["setpriv", "--reuid=54321", "--clear-groups", "prlimit", &limit];
        match starved(&project, &with, "aggregate outputs/p") {
            None => return,
            Some(ended) if ended.0 == Some(0) => {}
            Some(ended) if n == 1 => check_sentence(&ended, "cannot start a thread for every core: "),
            Some(ended) => check_sentence(&ended, "cannot "),
        }
    }
}

/// Whatever cannot have its memory, a library's code among it: no signal, and nothing that waits.
#[test]
fn with_little_memory_every_stage_succeeds_or_is_refused() {
    let project = Project::new(PIPELINE);
    project.ok("data make tishby");
    // What the program needs to be loaded depends on how it was built.
    let is_loaded = |megabytes: &usize| {
        let with = ["prlimit".to_owned(), format!("--as={megabytes}000000")];
        let ended = starved(&project, &with.each_ref().map(String::as_str), "--version");
        ended.is_none_or(|(code, _)| code == Some(0))
    };
    let least = (50..2000).step_by(50).find(is_loaded).unwrap();
    for more in (0..400).step_by(40) {
        let limit = format!("--as={}000000", least + more);
        for line in ["data make parity --n-bits 14 --out q.parquet", "record p.toml", "estimate pipeline p.toml"] {
            let Some((code, stderr)) = starved(&project, &["prlimit", &limit], line) else { return };
            assert!(matches!(code, Some(0 | 2)), "{limit} {line}: {code:?}: {stderr}");
        }
        let _ = std::fs::remove_file(project.path("q.parquet"));
    }
}
