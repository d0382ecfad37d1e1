//! Small files that claim to hold more than fits into memory: a sentence, whatever memory there is.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use infoplane::estimate_id::Values;
use infoplane::store::schema::{EpochRow, RunRow, SampleRow};
use infoplane::store::{
    ActivationReader, ActivationWriter, Footer, Precision, Shape, StoreError, TrainingOutcome, Zeros, read_rows,
    read_samples, write_rows,
};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::file::metadata::{FileMetaData, ParquetMetaData, ParquetMetaDataWriter};

use super::{finished, restore};
use crate::tool::{Finished, PROGRAM, Project, rows};

/// Makes the file claim each of its row groups `n_times`: a footer of the same place in the file again and again.
fn multiply(path: &Path, n_times: usize) {
    let metadata = ArrowReaderMetadata::load(&File::open(path).unwrap(), ArrowReaderOptions::new()).unwrap();
    let metadata = metadata.metadata();
    let groups = metadata.row_groups().iter().flat_map(|group| std::iter::repeat_n(group.clone(), n_times)).collect();
    let old = metadata.file_metadata();
    let file = FileMetaData::new(
        old.version(),
        old.num_rows() * n_times as i64,
        old.created_by().map(str::to_owned),
        old.key_value_metadata().cloned(),
        old.schema_descr_ptr(),
        old.column_orders().cloned(),
    );
    let mut content = fs::read(path).unwrap();
    ParquetMetaDataWriter::new(&mut content, &ParquetMetaData::new(file, groups)).finish().unwrap();
    fs::write(path, content).unwrap();
}

const EPOCH: EpochRow = EpochRow {
    epoch: 0,
    step: 0,
    loss_train_nats: None,
    loss_test_nats: None,
    squared_error_train: None,
    squared_error_test: None,
    accuracy_train: None,
    accuracy_test: None,
};

fn epochs(folder: &Path, n: usize) -> PathBuf {
    let rows: Vec<EpochRow> = (0..n).map(|_| EpochRow { ..EPOCH }).collect();
    write_rows(folder, "bomb.parquet", &rows, &Footer::new()).unwrap();
    folder.join("bomb.parquet")
}

#[track_caller]
fn check<T>(read: Result<T, StoreError>) {
    let problem = read.err().unwrap().to_string();
    assert!(problem.contains("GB of memory; the limit is 4.0 GB"), "{problem}");
    assert!(problem.contains("bomb.parquet") && problem.contains("`--max-memory`"), "{problem}");
}

#[test]
fn a_small_file_that_claims_too_many_rows_is_refused_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = epochs(folder.path(), 2);
    multiply(&path, 3);
    assert_eq!(read_rows::<EpochRow>(&path).unwrap().len(), 6);
    let path = epochs(folder.path(), 100_000);
    multiply(&path, 1000);
    assert!(fs::metadata(&path).unwrap().len() < 2_000_000);
    check(read_rows::<EpochRow>(&path));
}

#[test]
fn the_memory_of_lists_includes_their_values() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.parquet");
    let sample = |i| SampleRow { sample: i, x: Some(vec![0.0; 1000]), x_hash: None, y: 0, p_y1: None, target: None };
    write_rows(folder.path(), "bomb.parquet", &(0..1000).map(sample).collect::<Vec<_>>(), &Footer::new()).unwrap();
    multiply(&path, 2000);
    check(read_samples(&path));

    let shape = Shape { values: Values::Activations, precision: Precision::F16, zeros: Zeros::Many };
    let samples = (0..1000).collect();
    let mut writer =
        ActivationWriter::create(folder.path(), "bomb.parquet", shape, samples, 1000, &Footer::new()).unwrap();
    writer.write(0, 0, &[0.0; 1_000_000]).unwrap();
    writer.commit().unwrap();
    multiply(&path, 2000);
    let reader = ActivationReader::open(&[path], Values::Activations, &[]).unwrap();
    assert_eq!(reader.snapshots().len(), 1);
    check(reader.read(0));
}

#[test]
fn the_memory_of_a_long_text_is_counted_in_every_row() {
    let folder = tempfile::tempdir().unwrap();
    let row = |_| RunRow {
        outcome: TrainingOutcome::Failed,
        epoch: 0,
        step: 0,
        reason: Some("x".repeat(1 << 20)),
        degenerate: None,
    };
    write_rows(folder.path(), "bomb.parquet", &(0..50).map(row).collect::<Vec<_>>(), &Footer::new()).unwrap();
    let path = folder.path().join("bomb.parquet");
    multiply(&path, 100);
    assert!(fs::metadata(&path).unwrap().len() < 2_000_000);
    check(read_rows::<RunRow>(&path));
}

/// Runs `line` with no more address space than this many kilobytes.
#[cfg(target_os = "linux")]
fn run_within(project: &Project, kilobytes: usize, line: &str) -> Finished {
    let script = format!("ulimit -v {kilobytes}; exec {PROGRAM} {line}");
    project.finish(project.command("sh", "").args(["-c", &script]))
}

#[test]
fn every_table_of_a_recording_has_the_bound() {
    let project = finished();
    let epochs = "recording/epochs/run=r0000/part-00000.parquet";
    let places = [
        ("recording/samples.parquet", "estimate binning outputs/p"),
        ("recording/samples.parquet", "inspect --validate outputs/p"),
        ("recording/activations/layer=2/run=r0000/part-00000.parquet", "estimate binning outputs/p"),
        (epochs, "aggregate outputs/p"),
        ("summary.parquet", "inspect --validate outputs/p/summary.parquet"),
    ];
    for (place, line) in places {
        restore(&project);
        // Another program's recording: no manifest says that the file is another.
        fs::remove_dir_all(project.path("outputs/p/recording/.meta")).unwrap();
        fs::remove_dir_all(project.path("outputs/p/estimates")).unwrap();
        fs::remove_dir_all(project.path("outputs/p/.meta")).unwrap();
        multiply(&project.path("outputs/p").join(place), 500);
        if place == epochs {
            project.ok("estimate binning outputs/p");
        }
        let sentence = project.refused(&format!("{line} --max-memory 0.00001"));
        assert!(sentence.contains("of memory; the limit is 10.0 kB") && sentence.contains(".parquet"), "{sentence}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn memory_that_the_system_does_not_give_is_asked_for_before_it_is_used() {
    let project = Project::new("");
    let path = epochs(&project.path(""), 100_000);
    multiply(&path, 300);
    // 3 GB are allowed, and not there.
    let sentence = run_within(&project, 2_000_000, "inspect --validate bomb.parquet").sentence();
    assert!(sentence.contains("of memory; this machine has 1.0 GB"), "{sentence}");
}

#[test]
fn the_bound_can_be_changed() {
    let project = finished();
    let sentence = project.refused("inspect --validate outputs/p --max-memory 0.000001");
    assert!(sentence.contains("if the file is what you expect, raise it with `--max-memory`"), "{sentence}");
    project.ok("inspect --validate outputs/p --max-memory 0.1");
    assert!(!rows::<EpochRow>(&project, "outputs/p/recording/epochs/run=r0000/part-00000.parquet").is_empty());
    for wrong in ["0", "-1", "many", "inf", "NaN"] {
        let finished = project.run(&format!("--max-memory={wrong} data list"));
        assert_eq!(finished.code, 2, "{wrong}");
        assert!(finished.stderr.contains("must be a number of gigabytes, such as 16"), "{}", finished.stderr);
    }
}
