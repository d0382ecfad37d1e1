//! Every region of every file of a small recording, one damaged byte at a time, as a disk damages them: without a trace in
//! the times. A stage that reads the file says so; one that does not gives
//! the numbers of the undamaged recording. `validate` says so of every file.

use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use infoplane::stages::StageError;

use super::small::{Small, Tables};

/// A stage and its name.
type Stage = (&'static str, fn(&Small) -> Result<Tables, StageError>);

const STAGES: [Stage; 2] = [("estimate", Small::estimate), ("aggregate", Small::aggregate)];

/// A damage: what it is called and what it does to the byte `at`.
type Damage = (&'static str, fn(&mut Vec<u8>, usize));

const DAMAGES: &[Damage] = &[
    ("^ 0x01", |content, at| content[at] ^= 0x01),
    ("^ 0x80", |content, at| content[at] ^= 0x80),
    ("^ 0xff", |content, at| content[at] ^= 0xff),
    ("and all after it cut off", |content, at| content.truncate(at)),
];

/// Every so many bytes, one damage after the other. Prime to their number: each meets every region.
const STRIDE: usize = 9;

/// The name of the thread that meets the damage: only its panics are counted, whoever catches them.
const THREAD: &str = "damage";

static PANICS: AtomicUsize = AtomicUsize::new(0);

fn count_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| match std::thread::current().name() {
        Some(THREAD) => drop(PANICS.fetch_add(1, Ordering::Relaxed)),
        _ => before(info),
    }));
}

/// Whether a stage refuses what it is given; what is wrong where it neither does nor gives the numbers of the undamaged.
fn refuses(stage: impl FnOnce() -> Result<Tables, StageError>, undamaged: &Tables) -> Result<bool, &'static str> {
    let n_panics = PANICS.load(Ordering::Relaxed);
    let result = catch_unwind(AssertUnwindSafe(stage));
    match result {
        _ if PANICS.load(Ordering::Relaxed) > n_panics => Err("panics"),
        Err(_) => Err("panics"),
        Ok(Ok(tables)) if tables != *undamaged => Err("gives other numbers"),
        Ok(result) => Ok(result.is_err()),
    }
}

/// Where the first offence is against what every damaged recording must be met with; else counts of cases, of calls and
/// of refusals.
fn first_offence(small: &Small) -> Result<[usize; 3], String> {
    let undamaged = STAGES.map(|(_, stage)| stage(small).unwrap());
    small.validate().unwrap();
    let (mut n_cases, mut n_calls, mut n_refused) = (0, 0, 0);
    for (name, content) in small.project.files("p") {
        let path = small.project.path(&format!("p/{name}"));
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        let write = |content: &[u8]| {
            fs::write(&path, content).unwrap();
            File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        };
        let mut n_taken = [0; STAGES.len()];
        for at in (0..content.len()).step_by(STRIDE) {
            let (kind, damage) = DAMAGES[n_cases % DAMAGES.len()];
            let mut damaged = content.clone();
            damage(&mut damaged, at);
            write(&damaged);
            n_cases += 1;
            if small.validate().is_ok() {
                return Err(format!("{name}, byte {at} {kind}: validate takes it"));
            }
            for (s, (stage, run)) in STAGES.iter().enumerate() {
                // A stage that takes a file again and again does not read it, and does all of its work each time.
                if n_taken[s] > 4 && n_cases % 11 != 0 {
                    continue;
                }
                let is_refused = refuses(|| run(small), &undamaged[s])
                    .map_err(|what| format!("{name}, byte {at} {kind}: {stage} {what}"))?;
                n_calls += 1;
                n_refused += usize::from(is_refused);
                n_taken[s] += usize::from(!is_refused);
            }
        }
        write(&content);
    }
    assert!(STAGES.map(|(_, stage)| stage(small).unwrap()) == undamaged, "the files are not what they were");
    Ok([n_cases, n_calls, n_refused])
}

#[test]
fn no_damaged_byte_becomes_a_number() {
    count_panics();
    let small = Small::new();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).thread_name(|_| THREAD.to_owned()).build().unwrap();
    let [n_cases, n_calls, n_refused] = pool.install(|| first_offence(&small)).unwrap_or_else(|what| panic!("{what}"));
    println!("{n_cases} damaged bytes: {n_refused} of {n_calls} calls refused, the others not concerned");
    assert!(n_cases > 2000 && n_refused > n_cases / 2, "{n_cases} cases, {n_refused} refusals");
}
