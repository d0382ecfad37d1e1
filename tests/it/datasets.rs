//! Data sets of the registry: made of rules and of published files, described, and named in a pipeline.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use infoplane::store::schema::{SampleRow, SplitRow};
use infoplane::store::{read_footer, read_rows, read_samples};

use crate::tool::{PIPELINE, Project, copy_folder, real_data};

fn samples(project: &Project, relative: &str) -> Vec<SampleRow> {
    read_samples(&project.path(relative)).unwrap()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// An IDX file of bytes.
fn idx(sizes: &[u32], byte: impl Fn(usize) -> u8) -> Vec<u8> {
    let mut content = vec![0, 0, 8, sizes.len() as u8];
    sizes.iter().for_each(|size| content.extend(size.to_be_bytes()));
    content.extend((0..sizes.iter().product::<u32>() as usize).map(byte));
    content
}

/// Files as MNIST has them: 40 pictures to train and 20 to test, of 3 × 2 pixels.
fn small_mnist(project: &Project, folder: &str) {
    fs::create_dir_all(project.path(folder)).unwrap();
    for (part, n, shift) in [("train", 40, 0), ("t10k", 20, 100)] {
        let pixels = idx(&[n, 3, 2], |i| ((i * 7 + i / 6 + shift) % 256) as u8);
        project.write(&format!("{folder}/{part}-images-idx3-ubyte.gz"), gzip(&pixels));
        project.write(&format!("{folder}/{part}-labels-idx1-ubyte.gz"), gzip(&idx(&[n], |i| (i % 10) as u8)));
    }
}

fn config_hash(path: &Path) -> String {
    read_footer(path, "samples").unwrap()["infoplane.config_hash"].clone()
}

#[test]
fn the_real_test_images_of_mnist_are_read() {
    let Some(folder) = real_data("mnist") else { return };
    let project = Project::new("");
    project.ok(&format!("data make mnist --part test --folder {}", folder.display()));
    let rows = samples(&project, "data/mnist-part-test.parquet");
    assert_eq!((rows.len(), rows[0].x().len()), (10_000, 784));
    // As published with the data set.
    let counts: Vec<usize> = (0..10).map(|digit| rows.iter().filter(|row| row.y == digit).count()).collect();
    assert_eq!(counts, [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    assert_eq!(rows.iter().take(5).map(|row| row.y).collect::<Vec<_>>(), [7, 2, 1, 0, 4]);
    let (low, high) = rows.iter().flat_map(|row| row.x()).fold((1.0_f32, 0.0_f32), |(l, h), x| (l.min(*x), h.max(*x)));
    assert_eq!((low, high), (0.0, 1.0));
    // The mean of the test pixels, often quoted beside the 0.1307 of the training pixels.
    let mean = rows.iter().flat_map(|row| row.x()).map(|x| f64::from(*x)).sum::<f64>() / 7_840_000.0;
    assert!((mean - 0.1325).abs() < 5e-5, "{mean}");
    let described = project.run("data describe data/mnist-part-test.parquet").stdout;
    assert!(described.contains("10000 samples of 784 inputs, from 0 to 1"), "{described}");
}

#[test]
fn a_pipeline_on_real_mnist_runs_end_to_end() {
    let Some(folder) = real_data("mnist") else { return };
    let data = format!("name = \"mnist\"\npart = \"test\"\nfolder = \"{}\"\nsplit = \"ordered\"", folder.display());
    let text = PIPELINE.replace("name = \"tishby\"", &data).replace("runs = 2", "runs = 1");
    let text = text.replace("epochs = 12", "epochs = 2").replace("log_spaced = 6", "log_spaced = 2");
    let project = Project::new(&text);
    project.ok("run p.toml");
    let splits: Vec<SplitRow> =
        read_rows(&project.path("outputs/p/recording/splits/run=r0000/part-00000.parquet")).unwrap();
    assert!(splits.iter().all(|row| (row.split == "train") == (row.sample < 8500)));
    let recorded = samples(&project, "outputs/p/recording/samples.parquet");
    assert!(recorded == samples(&project, "data/mnist-part-test.parquet"));
    let before = project.files("outputs");
    project.ok("run p.toml");
    assert!(project.files("outputs") == before);
}

#[test]
fn the_table_is_the_same_for_files_in_any_folder_compressed_or_not() {
    let project = Project::new("");
    small_mnist(&project, "data/raw/mnist");
    project.ok("data make mnist");
    small_mnist(&project, "elsewhere");
    for name in ["train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"] {
        let path = project.path(&format!("elsewhere/{name}"));
        let n = if name.starts_with("train") {
            idx(&[40, 3, 2], |i| ((i * 7 + i / 6) % 256) as u8)
        } else {
            idx(&[20], |i| (i % 10) as u8)
        };
        fs::write(&path, n).unwrap();
        fs::remove_file(path.with_extension("gz")).unwrap();
    }
    project.ok("data make mnist --folder elsewhere --out b.parquet");
    assert_eq!(fs::read(project.path("data/mnist.parquet")).unwrap(), fs::read(project.path("b.parquet")).unwrap());
    // In a folder of that folder, as an archive may be unpacked.
    copy_folder(&project.path("elsewhere"), &project.path("outer/inner"));
    project.ok("data make mnist --folder outer --out c.parquet");
    assert_eq!(config_hash(&project.path("b.parquet")), config_hash(&project.path("c.parquet")));
    let rows = samples(&project, "b.parquet");
    assert_eq!((rows.len(), rows[40].y, rows[40].x()[0]), (60, 0, 100.0 / 255.0));
}

#[test]
fn the_hash_depends_on_the_parameters_and_the_content_of_the_files() {
    let project = Project::new("");
    small_mnist(&project, "d");
    project.ok("data make mnist --folder d --out all.parquet");
    project.ok("data make mnist --folder d --part train --out train.parquet");
    project.write("d/t10k-labels-idx1-ubyte.gz", gzip(&idx(&[20], |_| 3)));
    project.ok("data make mnist --folder d --out other.parquet");
    project.ok("data make mnist --folder d --part train --out same.parquet");
    let hash = |name: &str| config_hash(&project.path(&format!("{name}.parquet")));
    assert!(hash("all") != hash("train") && hash("all") != hash("other") && hash("train") == hash("same"));
    let sentence = project.refused("data make mnist --folder d --out all.parquet");
    assert!(sentence.contains("all.parquet exists with other content"), "{sentence}");
}

#[test]
fn a_finished_table_does_not_need_the_published_files() {
    let project = Project::new(&PIPELINE.replace("name = \"tishby\"", "name = \"mnist\"\npart = \"train\""));
    let sentence = project.refused("run p.toml");
    let expected = "infoplane: there is no file `train-images-idx3-ubyte` of `mnist` in data/raw/mnist, compressed or not; run `infoplane data fetch mnist`, or name the folder of the files with `--folder` (in a pipeline with `folder`)";
    assert_eq!(sentence, expected);
    let sentence = project.refused("record p.toml");
    let expected = "infoplane: there is no data file data/mnist-part-train.parquet; run `infoplane data make mnist --part train` first";
    assert_eq!(sentence, expected);
    // Only the files of the part are needed.
    small_mnist(&project, "data/raw/mnist");
    fs::remove_file(project.path("data/raw/mnist/t10k-images-idx3-ubyte.gz")).unwrap();
    project.ok("run p.toml");
    let before = project.files("outputs");
    fs::remove_dir_all(project.path("data/raw")).unwrap();
    project.ok("run p.toml");
    assert!(project.files("outputs") == before);
}

#[test]
fn damaged_files_are_named_with_the_place() {
    let project = Project::new("");
    small_mnist(&project, "d");
    let check = |content: &[u8], expected: &str| {
        let name = "d/t10k-images-idx3-ubyte.gz";
        project.write(name, content);
        let sentence = project.refused("data make mnist --folder d");
        assert_eq!(sentence, format!("infoplane: {name}{expected}"));
        assert!(!project.path("data").exists(), "nothing may be written");
    };
    let whole = idx(&[20, 3, 2], |_| 0);
    let end = "its header declares 20 × 3 × 2 bytes, which make 136 with the header; it is truncated";
    check(&gzip(&whole[..100]), &format!(", unpacked: it has 100 bytes, but {end}"));
    check(&whole[..100], &format!(": it has 100 bytes, but {end}"));
    check(&gzip(&whole[..15]), ", unpacked: it has 15 bytes, but its header alone has 16; it is truncated");
    check(b"", ": it has 0 bytes, but its header alone has 16; it is truncated");
    let page = b"<html>404</html>";
    let remedy = "its URL is often a link on this page; remove it and run `infoplane data fetch mnist`";
    check(page, &format!(": this is a web page; download the data file itself, {remedy}"));
    let packed = gzip(&whole);
    project.write("d/t10k-images-idx3-ubyte.gz", &packed[..packed.len() - 5]);
    let sentence = project.refused("data make mnist --folder d");
    assert!(sentence.contains("d/t10k-images-idx3-ubyte.gz: not a readable gzip file"), "{sentence}");
    assert!(sentence.ends_with(&format!("its {} bytes are truncated or damaged", packed.len() - 5)), "{sentence}");
}

/// A batch of CIFAR-10: record i has the label i mod 10 and the pixel values (i + shift) mod 256.
fn batch(shift: usize) -> Vec<u8> {
    let record = |i: usize| {
        let mut record = vec![((i + shift) % 256) as u8; 3073];
        record[0] = (i % 10) as u8;
        record
    };
    (0..10_000).flat_map(record).collect()
}

#[test]
fn cifar_10_is_read_from_its_archive_and_from_the_unpacked_files() {
    let project = Project::in_memory();
    let content = batch(7);
    fs::create_dir_all(project.path("unpacked/cifar-10-batches-bin")).unwrap();
    project.write("unpacked/cifar-10-batches-bin/test_batch.bin", &content);
    project.ok("data make cifar-10 --part test --folder unpacked --out a.parquet");
    let rows = samples(&project, "a.parquet");
    assert_eq!((rows.len(), rows[13].x().len(), rows[13].y, rows[13].x()[3071]), (10_000, 3072, 3, 20.0 / 255.0));

    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in [("readme.html", b"text".as_slice()), ("test_batch.bin", &content)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append_data(&mut header, format!("cifar-10-batches-bin/{name}"), content).unwrap();
    }
    let archive = builder.into_inner().unwrap();
    fs::create_dir(project.path("packed")).unwrap();
    project.write("packed/cifar-10-binary.tar.gz", gzip(&archive));
    // The same content makes the same table: there is nothing to do.
    assert!(project.ok("data make cifar-10 --part test --folder packed --out a.parquet").contains("up to date"));

    project.write("packed/cifar-10-binary.tar.gz", gzip(&archive[..5_000_000]));
    let sentence = project.refused("data make cifar-10 --part test --folder packed --out c.parquet");
    let expected = "packed/cifar-10-binary.tar.gz, unpacked: not a readable tar file: it ends at byte 5000000, but `test_batch.bin` with 30730000 bytes starts at 1536; it is truncated";
    assert_eq!(sentence, format!("infoplane: {expected}"));
    let sentence = project.refused("data make cifar-10 --part train --folder unpacked");
    assert!(sentence.contains("there is no file `data_batch_1.bin` of `cifar-10` in unpacked"), "{sentence}");
    project.write("unpacked/cifar-10-batches-bin/test_batch.bin", &content[..30_729_999]);
    let sentence = project.refused("data make cifar-10 --part test --folder unpacked --out d.parquet");
    assert!(sentence.contains("it has 30729999 bytes, but 10000 records of 3073 bytes need 30730000"), "{sentence}");
}

#[test]
fn parameters_of_a_data_set_are_keys_of_the_table() {
    let data = "name = \"parity\"\nn_bits = 6\ninputs = \"signs\"";
    let project = Project::new(&PIPELINE.replace("name = \"tishby\"", data));
    project.ok("run p.toml");
    let rows = samples(&project, "data/parity-inputs-signs-n-bits-6.parquet");
    assert_eq!((rows.len(), rows[0].x()), (64, [-1.0; 6].as_slice()));
    project.ok("data make parity --n-bits 6 --inputs signs");
    // What is written out as the default is the default.
    project.ok("data make parity --n-bits 12");
    project.ok("data make parity");
    assert_eq!(samples(&project, "data/parity.parquet").len(), 4096);
    project.write("p.toml", PIPELINE.replace("name = \"tishby\"", "name = \"parity\"\nn_bit = 6"));
    assert!(project.refused("run p.toml").ends_with(
        "p.toml, line 5: unknown key `n_bit`; did you mean `n_bits`? (`infoplane keys data` lists the keys)"
    ));
    project.write("data/parity-n-bits-5.parquet", fs::read(project.path("data/parity.parquet")).unwrap());
    project.write("p.toml", PIPELINE.replace("name = \"tishby\"", "name = \"parity\"\nn_bits = 5"));
    let sentence = project.refused("record p.toml");
    let expected = "data/parity-n-bits-5.parquet is not `parity n-bits-5`; in the pipeline, use `file` instead of `name` for this table, or remove the table";
    assert_eq!(sentence, format!("infoplane: {expected}"));
}

#[test]
fn shuffled_or_random_labels_are_the_same_in_all_runs() {
    let project = Project::new("");
    let with = |labels: &str| PIPELINE.replace("name = \"tishby\"", &format!("name = \"tishby\"\n{labels}"));
    let recorded = |labels: &str| {
        project.write("p.toml", with(labels));
        project.ok("run p.toml --overwrite");
        samples(&project, "outputs/p/recording/samples.parquet")
    };
    let given = recorded("");
    let keys = fs::read(project.path("outputs/p/recording/.meta/settings.json")).unwrap();
    assert!(given == samples(&project, "data/tishby.parquet") && given == recorded("labels = \"given\""));
    // Recordings that know nothing of the choice stay valid.
    assert!(keys == fs::read(project.path("outputs/p/recording/.meta/settings.json")).unwrap());
    let shuffled = recorded("labels = \"shuffled\"");
    let n_ones = |rows: &[SampleRow]| rows.iter().map(|row| row.y).sum::<i32>();
    assert_eq!((n_ones(&shuffled), n_ones(&given)), (2118, 2118));
    let n_equal = shuffled.iter().zip(&given).filter(|(a, b)| a.y == b.y).count() as f64;
    // 4096 pairs of independent labels agree with p = 0.5006: mean 2050, standard deviation 32; five of them.
    assert!((n_equal - 2050.0).abs() < 160.0, "{n_equal}");
    let random = recorded("labels = \"random\"");
    assert!((n_ones(&random) - 2048).abs() < 160 && random != shuffled);
    assert!(random.iter().zip(&given).all(|(a, b)| a.x() == b.x()));

    let data = "name = \"student-teacher\"\nlabels = \"random\"";
    project.write("p.toml", PIPELINE.replace("name = \"tishby\"", data));
    let sentence = project.refused("run p.toml --overwrite");
    assert!(sentence.contains("draws classes, but the samples have targets; use \"shuffled\""), "{sentence}");
}

#[test]
fn a_description_has_the_numbers_of_the_rule() {
    let project = Project::new("");
    let expected = "tishby: 4096 samples of 12 inputs, from 0 to 1
inputs   4096 distinct, 0 of them with different labels
classes  0: 1978 (48.29 %), 1: 2118 (51.71 %)
H(X)     12.0000 bits
H(Y)     0.9992 bits
I(X;Y)   0.9992 bits
";
    assert_eq!(project.run("data describe tishby").stdout, expected);
    assert!(!project.path("data").exists(), "a rule need not be written to be described");
    project.ok("data make tishby --gamma 1e9");
    let json = project.run("data describe data/tishby-gamma-1e9.parquet --json").stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["is_stochastic"], true);
    assert!((json["i_xy_bits"].as_f64().unwrap() - 0.999_157_120_850_271).abs() < 1e-12);
    let targets = project.run("data describe student-teacher").stdout;
    assert!(targets.contains("\ntargets  1, from -"), "{targets}");
    let sentence = project.refused("data describe tishbi");
    let expected = "unknown data set `tishbi`; did you mean `tishby`?, or name a file that ends in .parquet";
    assert_eq!(sentence, format!("infoplane: {expected}"));
    assert!(project.refused("data describe mnist").contains("run `infoplane data fetch mnist`"));
}

#[test]
fn the_list_of_data_sets_has_their_states() {
    let project = Project::new("");
    project.ok("data make parity");
    small_mnist(&project, "data/raw/mnist");
    let list = project.run("data list").stdout;
    for line in ["tishby\tcan be made\t", "parity\tmade\t", "mnist\tcan be made\t", "cifar-10\tto be fetched\t"] {
        assert!(list.lines().any(|found| found.starts_with(line)), "{list}");
    }
    project.ok("data make mnist --part train");
    let list = project.run("data list").stdout;
    assert!(list.contains("mnist\tmade: train; can be made: all, test\t"), "{list}");
    fs::remove_dir_all(project.path("data/raw")).unwrap();
    let list: serde_json::Value = serde_json::from_str(&project.run("data list --json").stdout).unwrap();
    let mnist = list.as_array().unwrap().iter().find(|entry| entry["name"] == "mnist").unwrap();
    let states = ["to be fetched", "made", "to be fetched"].map(|state| serde_json::json!(state));
    assert_eq!([0, 1, 2].map(|part| mnist["parts"][part]["state"].clone()), states);
}

#[test]
fn unpacked_files_are_found_by_all_usual_names_and_in_nested_folders() {
    let project = Project::new("");
    small_mnist(&project, "plain");
    project.ok("data make mnist --folder plain --out plain.parquet");
    let names = ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"];
    for folder in ["dots", "nested/MNIST/raw"] {
        fs::create_dir_all(project.path(folder)).unwrap();
        for name in names {
            let new = if folder == "dots" { name.replace("-idx", ".idx") } else { name.to_owned() };
            let (from, to) = (format!("plain/{name}-ubyte.gz"), format!("{folder}/{new}-ubyte.gz"));
            fs::copy(project.path(&from), project.path(&to)).unwrap();
        }
    }
    for folder in ["dots", "nested"] {
        project.ok(&format!("data make mnist --folder {folder} --out {folder}.parquet"));
        assert!(samples(&project, &format!("{folder}.parquet")) == samples(&project, "plain.parquet"), "{folder}");
    }
    fs::create_dir(project.path("letters")).unwrap();
    project.write("letters/emnist-letters-train-images-idx3-ubyte", idx(&[1, 1, 1], |_| 0));
    let sentence = project.refused("data make mnist --folder letters");
    let hint = "there is `emnist-letters-train-images-idx3-ubyte`: import the IDX files of other data sets with `infoplane data import IMAGES LABELS`";
    assert!(sentence.ends_with(hint), "{sentence}");
}

#[test]
fn targets_are_imported_from_tables_and_columns() {
    let project = Project::new("");
    project.ok("data make student-teacher --n-inputs 4 --n-outputs 2 --n-samples 50 --out a.parquet");
    project.ok("data import a.parquet --out b.parquet");
    let rows = samples(&project, "a.parquet");
    assert!(rows == samples(&project, "b.parquet"));
    assert!(rows.iter().all(|row| row.y == i32::from(row.target.as_ref().unwrap()[0] > 0.0)));
    project.write("d.csv", "a,b,u,v,y\n1,2,0.5,-1,0\n3,4,1.5,2,1\n");
    project.ok("data import d.csv --target v,u --out c.parquet");
    let row = &samples(&project, "c.parquet")[1];
    assert_eq!((row.x(), row.target.as_deref()), ([3.0, 4.0].as_slice(), Some([2.0, 1.5].as_slice())));
    let sentence = project.refused("data import d.csv --target u --x a,u --out d.parquet");
    assert_eq!(sentence, "infoplane: d.csv: `u` is a target, so it cannot also be in x");
}
