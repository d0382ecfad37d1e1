//! Files that are missing, in another's place, too many, or of a newer program: refused with a sentence that names the
//! place, or harmless where the manifests say what belongs to the recording.

use std::fs;
use std::sync::Arc;

use infoplane::estimate_id::Values;
use infoplane::stages::StageError;
use infoplane::store::schema::{EpochRow, EstimateRow, Row, SampleRow, VERSION};
use infoplane::store::{
    ActivationReader, ActivationWriter, Footer, Precision, Shape, Zeros, read_footer, read_rows, write_rows,
};

use super::PARTS;
use super::small::{Small, Tables};
use crate::tool::Project;

const LAYER_1: &str = "p/recording/activations/layer=1/run=r0000/part-00000.parquet";
const LAYER_2: &str = "p/recording/activations/layer=2/run=r0000/part-00000.parquet";
const LAYER_1_NEXT_RUN: &str = "p/recording/activations/layer=1/run=r0001/part-00000.parquet";
const EPOCHS: &str = "p/recording/epochs/run=r0000/part-00000.parquet";
const EPOCHS_NEXT_RUN: &str = "p/recording/epochs/run=r0001/part-00000.parquet";

type Stage = fn(&Small) -> Result<Tables, StageError>;

/// `stage` refuses what `fault` makes of `small`, with a sentence in which all of `expected` are.
#[track_caller]
fn check_refused(small: &Small, stage: Stage, expected: &[&str], fault: impl FnOnce(&Small)) {
    stage(small).unwrap();
    fault(small);
    match stage(small) {
        Ok(_) => panic!("taken, expected a refusal with {expected:?}"),
        Err(e) => assert!(expected.iter().all(|words| e.to_string().contains(words)), "{e}"),
    }
}

/// Estimates and summary do not change by what `fault` does.
#[track_caller]
fn check_harmless(small: &Small, fault: impl FnOnce(&Small)) {
    let before = (small.estimate().unwrap(), small.aggregate().unwrap());
    fault(small);
    assert!((small.estimate().unwrap(), small.aggregate().unwrap()) == before, "other tables");
}

fn copy(small: &Small, from: &str, to: &str) {
    fs::copy(small.project.path(from), small.project.path(to)).unwrap();
}

#[test]
fn a_missing_file_is_named() {
    let check = |stage: Stage, file: &str| {
        check_refused(&Small::new(), stage, &[file], |small| small.remove(file));
    };
    check(Small::estimate, LAYER_1);
    check(Small::estimate, LAYER_1_NEXT_RUN);
    check(Small::estimate, "p/recording/samples.parquet");
    check(Small::aggregate, EPOCHS);
    check(Small::aggregate, "p/recording/gradients/run=r0000/part-00000.parquet");
    check(Small::estimate, "p/recording/.meta/runs/r0001.json");
    check(Small::aggregate, "p/recording/.meta/runs/r0001.json");
    check(Small::aggregate, "p/estimates/binning-n-edges-4/run=r0001.parquet");
    for (stage, file, expected) in [
        (Small::estimate as Stage, LAYER_1, "activations/layer=1/run=r0000"),
        (Small::estimate, "p/recording/samples.parquet", "samples.parquet"),
    ] {
        check_refused(&Small::foreign(), stage, &[expected], |small| small.remove(file));
    }
}

#[test]
fn a_missing_file_that_no_later_stage_needs_is_harmless() {
    for file in [
        "p/recording/weights/layer=1/run=r0000/part-00000.parquet",
        "p/recording/splits/run=r0001/part-00000.parquet",
        "p/recording/.meta/manifest.json",
        "p/recording/.meta/settings.json",
    ] {
        check_harmless(&Small::new(), |small| small.remove(file));
    }
}

#[test]
fn a_missing_run_is_recorded_again() {
    for file in
        [LAYER_1, EPOCHS, "p/recording/splits/run=r0001/part-00000.parquet", "p/recording/.meta/runs/r0001.json"]
    {
        let small = Small::new();
        let before = small.project.files("p");
        small.remove(file);
        small.record().unwrap();
        assert!(small.project.files("p") == before, "{file}: other bytes");
    }
}

#[test]
fn files_with_the_name_of_another_file_are_refused() {
    for small in [Small::new, Small::foreign] {
        check_refused(&small(), Small::estimate, &[LAYER_1], |small| small.swap(LAYER_1, LAYER_1_NEXT_RUN));
        check_refused(&small(), Small::estimate, &[LAYER_1], |small| small.swap(LAYER_1, LAYER_2));
        check_refused(&small(), Small::aggregate, &[EPOCHS], |small| small.swap(EPOCHS, EPOCHS_NEXT_RUN));
    }
    let manifests = ["p/recording/.meta/runs/r0000.json", "p/recording/.meta/runs/r0001.json"];
    check_refused(&Small::new(), Small::estimate, &["run=r000"], |small| small.swap(manifests[0], manifests[1]));
    let tables = ["p/estimates/binning-n-edges-4/run=r0000.parquet", "p/estimates/binning-n-edges-4/run=r0001.parquet"];
    check_refused(&Small::new(), Small::aggregate, &[tables[0]], |small| small.swap(tables[0], tables[1]));
}

#[test]
fn unknown_files_are_ignored_with_manifests_and_refused_without() {
    let second_part = LAYER_1.replace("00000", "00001");
    let stray = |name: &'static str| {
        move |small: &Small| small.project.write(&LAYER_1.replace("part-00000.parquet", name), "not mine")
    };
    check_harmless(&Small::new(), stray("notes.txt"));
    check_harmless(&Small::new(), stray("a.parquet"));
    check_harmless(&Small::new(), |small| copy(small, LAYER_1, &second_part));
    check_harmless(&Small::foreign(), stray("._part-00000.parquet"));
    check_refused(&Small::foreign(), Small::estimate, &["notes.txt", "not a valid path of a part"], stray("notes.txt"));
    check_refused(&Small::foreign(), Small::estimate, &["a.parquet"], stray("a.parquet"));
    check_refused(&Small::foreign(), Small::estimate, &["part-00001.parquet", "snapshots must ascend"], |small| {
        copy(small, LAYER_1, &second_part);
    });
}

#[test]
fn a_layer_number_with_leading_zeros_is_refused() {
    let fault = |small: &Small| small.rename("p/recording/activations/layer=1", "p/recording/activations/layer=01");
    check_refused(&Small::new(), Small::estimate, &[LAYER_1], fault);
    check_refused(&Small::foreign(), Small::estimate, &["layer=01", "without leading zeros"], fault);
}

/// Writes the snapshots of a file of one layer again, as parts: `snapshots[p]` are those of part p.
fn rewrite(small: &Small, file: &str, snapshots: &[&[usize]]) {
    let path = small.project.path(file);
    let footer = read_footer(&path, "activations").unwrap();
    let reader = ActivationReader::open(std::slice::from_ref(&path), Values::Activations, &[]).unwrap();
    let read: Vec<_> = (0..reader.snapshots().len()).map(|snapshot| reader.read(snapshot).unwrap()).collect();
    for (part, snapshots) in snapshots.iter().enumerate() {
        let file = file.replace("part-00000", &format!("part-{part:05}"));
        let samples: Arc<[i32]> = read[0].samples.clone().into();
        let shape = Shape { values: Values::Activations, precision: Precision::F32, zeros: Zeros::Few };
        let root = small.project.path("");
        let mut writer = ActivationWriter::create(&root, &file, shape, samples, reader.n_units(), &footer).unwrap();
        snapshots.iter().for_each(|m| writer.write(read[*m].epoch, read[*m].step, &read[*m].t).unwrap());
        writer.commit().unwrap();
    }
}

#[test]
fn an_epoch_that_one_layer_lacks_is_named() {
    check_refused(
        &Small::foreign(),
        Small::estimate,
        &[LAYER_2, "layer 2 of r0000 has 2 recorded snapshots, layer 1 3, first at step"],
        |small| rewrite(small, LAYER_2, &[&[0, 2]]),
    );
}

#[test]
fn a_part_missing_in_the_middle_is_named() {
    let in_parts = || {
        let small = Small::foreign();
        for run in ["run=r0000", "run=r0001"] {
            for layer in [LAYER_1, LAYER_2] {
                rewrite(&small, &layer.replace("run=r0000", run), &[&[0], &[1], &[2]]);
            }
        }
        small
    };
    let second = |file: &str| file.replace("part-00000", "part-00001");
    check_refused(&in_parts(), Small::estimate, &["layer=2/run=r0000"], |small| small.remove(&second(LAYER_2)));
    // Missing in every layer, the snapshots of all layers agree; the numbers of the parts tell.
    check_refused(&in_parts(), Small::estimate, &["activations/layer=1/run=r0000/part-00001.parquet"], |small| {
        [LAYER_1, LAYER_2].iter().for_each(|file| small.remove(&second(file)));
    });
    let project = Project::new(PARTS);
    project.ok("data make tishby");
    project.ok("record p.toml");
    let part = "outputs/p/recording/activations/layer=1/run=r0001/part-00002.parquet";
    fs::remove_file(project.path(part)).unwrap();
    assert!(project.refused("estimate binning outputs/p").contains(part));
}

/// Writes a table again with a footer entry that only a newer program writes.
fn from_the_future<R: Row>(small: &Small, file: &str) {
    let rows: Vec<R> = read_rows(&small.project.path(file)).unwrap();
    let footer = Footer::from([("infoplane.schema_version".to_owned(), "99".to_owned())]);
    write_rows(&small.project.path(""), file, &rows, &footer).unwrap();
}

const NEWER: &str = "has schema version 99, this program reads up to 8; use a newer infoplane";

#[test]
fn tables_of_a_newer_program_are_refused() {
    let samples = "p/recording/samples.parquet";
    check_refused(&Small::foreign(), Small::estimate, &[samples, NEWER], |s| from_the_future::<SampleRow>(s, samples));
    check_refused(&Small::foreign(), Small::aggregate, &[EPOCHS, NEWER], |s| from_the_future::<EpochRow>(s, EPOCHS));
    let estimates = "p/estimates/binning-n-edges-4/run=r0000.parquet";
    check_refused(&Small::foreign(), Small::aggregate, &[estimates, NEWER], |small| {
        // Next to its recording a table without a manifest is left out before it is read.
        fs::remove_dir_all(small.project.path("p/recording")).unwrap();
        small.remove("p/.meta/estimates/binning-n-edges-4/r0000.json");
        from_the_future::<EstimateRow>(small, estimates);
    });
    check_refused(&Small::foreign(), Small::estimate, &[LAYER_1, NEWER], |small| {
        let footer = Footer::from([("infoplane.schema_version".to_owned(), "99".to_owned())]);
        let samples: Arc<[i32]> = (0..8).collect();
        let shape = Shape { values: Values::Activations, precision: Precision::F32, zeros: Zeros::Few };
        let root = small.project.path("");
        ActivationWriter::create(&root, LAYER_1, shape, samples, 3, &footer).unwrap().commit().unwrap();
    });
}

#[test]
fn manifests_of_a_newer_program_are_refused() {
    for (stage, manifest) in [
        (Small::estimate as Stage, "p/recording/.meta/runs/r0000.json"),
        (Small::estimate, "p/recording/.meta/settings.json"),
        (Small::aggregate, "p/.meta/estimates/binning-n-edges-4/r0000.json"),
    ] {
        check_refused(&Small::new(), stage, &[manifest, NEWER], |small| {
            let content = fs::read_to_string(small.project.path(manifest)).unwrap();
            small
                .project
                .write(manifest, content.replace(&format!("\"schema_version\": {VERSION}"), "\"schema_version\": 99"));
        });
        // Nobody knows what else will be in it.
        check_refused(&Small::new(), stage, &[manifest, NEWER], |small| {
            small.project.write(manifest, "{ \"tables\": [], \"schema_version\": 99 }");
        });
    }
    for manifest in ["manifest", "settings", "runs/r0001"] {
        let small = Small::new();
        small.project.write(&format!("p/recording/.meta/{manifest}.json"), "{ \"schema_version\": 99 }");
        small.project.write("p/recording/epochs/run=r0001/part-00000.parquet", "something that is not finished");
        let before = small.project.files("p/recording");
        let refusal = small.record().unwrap_err().to_string();
        assert!(refusal.contains(manifest) && refusal.contains(NEWER), "{refusal}");
        assert!(small.project.files("p/recording") == before, "{manifest}: written into a newer program's recording");
    }
}

#[test]
fn repeated_rows_are_refused() {
    check_refused(&Small::foreign(), Small::aggregate, &[EPOCHS], |small| {
        let mut rows: Vec<EpochRow> = read_rows(&small.project.path(EPOCHS)).unwrap();
        rows.extend(rows.clone());
        write_rows(&small.project.path(""), EPOCHS, &rows, &Footer::new()).unwrap();
    });
}
