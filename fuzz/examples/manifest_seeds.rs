//! Writes the inputs that the fuzz target `manifest` starts from: manifests, sealed and of version 1, that list files of their
//! folder and of others, and registered claims.
//!
//!     cd fuzz && cargo run --example manifest_seeds

use std::fs;
use std::path::Path;

use infoplane::store::{Experiment, FileRecord, FrozenClaims, Pending, hash_bytes};

/// A file to list, by its name and content.
fn listed(path: &str, content: &[u8]) -> FileRecord {
    FileRecord { path: path.to_owned(), bytes: content.len() as u64, rows: 0, blake3: hash_bytes(content) }
}

fn main() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds/manifest");
    let work = seeds.join("work");
    fs::create_dir_all(&work).expect("the folder of the seeds can be made");
    let keep = |name: &str, place: u8, content: &[u8]| {
        fs::write(seeds.join(name), [&[place], content].concat()).expect("the seeds can be written");
    };
    let recording = [
        listed("samples.parquet", b"content"),
        listed("activations/layer=1/run=r0000/part-00000.parquet", b"content"),
        listed(".meta/frozen_claims.json", b"{}"),
        listed(".meta/checkpoints/r0000-00000.state", b""),
    ];
    let experiment = [
        listed("summary.parquet", b"content"),
        listed("figures/fit.svg", b"content"),
        listed("estimates/binning-n-edges-30/run=r0000.parquet", b"content"),
    ];
    let outside =
        ["../victim.txt", "../../victim.txt", "/victim.txt", "figures/../../../victim.txt", "..\\victim.txt", ""];
    for place in 0..10 {
        let files = if place < 6 { recording.to_vec() } else { experiment.to_vec() };
        let work_here = Pending::new(&work, "seed", &"settings");
        work_here.finish(files.clone()).expect("small manifests can be written");
        let sealed = fs::read(work.join(".meta/seed.json")).expect("it was just written");
        keep(&format!("sealed-{place}"), place, &sealed);
        let old = |files: &[FileRecord]| {
            let entry = |file: &FileRecord| {
                let path = file.path.replace('\\', "\\\\");
                format!(r#"{{"path":"{path}","bytes":{},"rows":0,"blake3":"{}"}}"#, file.bytes, file.blake3)
            };
            let entries: Vec<String> = files.iter().map(entry).collect();
            let (key, files) = (work_here.key(), entries.join(","));
            format!(r#"{{"key":"{key}","made_from":"settings","crate_version":"0","schema_version":1,"files":[{files}]}}"#)
        };
        keep(&format!("old-{place}"), place, old(&files).as_bytes());
        let path = outside[usize::from(place) % outside.len()];
        keep(&format!("outside-{place}"), place, old(&[listed(path, b"precious")]).as_bytes());
    }
    let claims = FrozenClaims { claims: Vec::new() };
    claims.write(&Experiment::new(&work)).expect("no claims can be written");
    keep("claims", 10, &fs::read(work.join("frozen_claims.json")).expect("it was just written"));
    fs::remove_dir_all(&work).expect("it was just made");
}
