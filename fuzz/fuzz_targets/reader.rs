//! Whatever bytes a file holds, reading it ends in rows or in an error: no panic, no allocation beyond reason.
//!
//! The first byte of an input chooses the reader, the rest is the file.

#![no_main]

mod limited;

use std::hint::black_box;
use std::panic;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::LazyLock;

use infoplane::store::schema::{
    ActivationRow, EpochRow, EstimateRow, GradientRow, Row, SplitRow, SummaryRow, WeightRow,
};
use infoplane::estimate_id::Values;
use infoplane::store::{ActivationReader, Facts, StoreError, foreign, read_rows, read_samples};
use infoplane::memory::Room;
use libfuzzer_sys::fuzz_target;
use limited::Limited;

/// A damaged page header may claim 2 GiB (its size is an i32), which the parquet crate reserves, for every column that is
/// read at the time, before it finds that the page is not there. That much is never touched, so only the address space
/// knows of it; memory that is touched has libFuzzer's limit, in `.ci/fuzz`.
#[global_allocator]
static ALLOCATOR: Limited = Limited::to(16 << 30);

/// Where an input lies while it is read; `.ci/fuzz` puts the folder into memory and clears it away.
static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("infoplane-fuzz-{}.parquet", process::id())));

fuzz_target!(
    // libFuzzer's hook aborts at every panic, also at one that the program catches. With the standard hook back, the
    // message is printed, a caught panic passes, and one that reaches libFuzzer still ends the process.
    init: drop(panic::take_hook()),
    |input: &[u8]| {
        if let [reader, content @ ..] = input {
            std::fs::write(&*FILE, content).expect("the temporary folder can be written");
            // That a file is refused is fine.
            let _ = read(*reader, &FILE);
        }
    }
);

fn read(reader: u8, file: &Path) -> Result<(), StoreError> {
    let _ = black_box(Facts::of(file));
    match reader % 10 {
        0 => activations(file)?,
        1 => drop(black_box(read_samples(file)?)),
        2 => drop(black_box(foreign::read_columns(file, &mut Room::of_bytes(1 << 30))?)),
        3 => rows::<SplitRow>(file)?,
        4 => rows::<EpochRow>(file)?,
        5 => rows::<ActivationRow>(file)?,
        6 => rows::<WeightRow>(file)?,
        7 => rows::<GradientRow>(file)?,
        8 => rows::<EstimateRow>(file)?,
        _ => rows::<SummaryRow>(file)?,
    }
    Ok(())
}

fn activations(file: &Path) -> Result<(), StoreError> {
    let reader = ActivationReader::open(&[file.to_owned()], Values::Activations, &[])?;
    // A snapshot that cannot be read should not hide the others.
    for index in 0..reader.snapshots().len() {
        let _ = black_box(reader.read(index));
    }
    Ok(())
}

fn rows<R: Row>(file: &Path) -> Result<(), StoreError> {
    drop(black_box(read_rows::<R>(file)?));
    Ok(())
}
