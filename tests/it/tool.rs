//! The program, run in a temporary folder as a user would.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use infoplane::estimate_id::Values;
use infoplane::store::schema::{Row, SampleRow};
use infoplane::store::{ActivationReader, ActivationWriter, Footer, Precision, Shape, Zeros, read_rows, write_rows};

/// A folder with a pipeline in it.
pub(crate) struct Project {
    folder: tempfile::TempDir,
}

/// Seconds of work: two runs of a small net, a mini-batch with a remainder, two estimators.
pub(crate) const PIPELINE: &str = r#"seed = 5
runs = 2
[data]
name = "tishby"
train_fraction = 0.85
[network]
hidden = [6, 3]
activation = "tanh"
[training]
optimiser = "adam"
learning_rate = 4e-3
batch = 512
reshuffle = true
epochs = 12
[record]
epochs = { log_spaced = 6 }
[[estimate]]
estimator = "binning"
n_edges = 30
[[estimate]]
estimator = "binning"
bin_width = 0.07
"#;

/// A claim about `PIPELINE` that holds (0.61 and 0.64 bits in its two runs), and fails with the full batch (0.05 and 0.08 bits).
pub(crate) const CLAIM: &str = r#"
[[expect]]
figure = "Fig. 1"
claim = "the output has more than 0.3 bits of the label"
estimate = "binning-n-edges-30"
quantity = "i_ty"
layer = "output"
measure = "end"
above = 0.3
"#;

/// The program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_infoplane");

/// What a finished command left behind.
pub(crate) struct Finished {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    /// The last line of what must have been refused with exit code 2.
    #[track_caller]
    pub(crate) fn sentence(&self) -> String {
        assert_eq!(self.code, 2, "{}", self.stderr);
        self.stderr.lines().last().unwrap_or_default().to_owned()
    }
}

impl Project {
    /// A folder with `text` as the pipeline `p.toml`.
    pub(crate) fn new(text: &str) -> Self {
        let project = Self { folder: tempfile::tempdir().unwrap() };
        project.write("p.toml", text);
        project
    }

    /// The same where no disk makes the test wait, if there is such a place.
    pub(crate) fn in_memory() -> Self {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        Self { folder: folder.unwrap() }
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    pub(crate) fn write(&self, relative: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(relative), content).unwrap();
    }

    /// Runs `infoplane` with the words of `line`.
    pub(crate) fn run(&self, line: &str) -> Finished {
        self.finish(&mut self.command(PROGRAM, line))
    }

    /// `program` with the words of `line`, not yet started.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>, line: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).args(line.split_whitespace());
        command
    }

    /// Starts `infoplane` and does not wait.
    pub(crate) fn start(&self, line: &str) -> Child {
        self.command(PROGRAM, line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Waits until `command` is done.
    pub(crate) fn finish(&self, command: &mut Command) -> Finished {
        let output: Output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let finished =
            Finished { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) };
        assert!(!finished.stderr.contains("panicked"), "{}", finished.stderr);
        finished
    }

    /// Runs what must succeed and returns what it says.
    #[track_caller]
    pub(crate) fn ok(&self, line: &str) -> String {
        let finished = self.run(line);
        assert_eq!(finished.code, 0, "{line}: {}", finished.stderr);
        finished.stderr
    }

    /// Runs what must be refused with exit code 2 and returns its last line, the sentence.
    #[track_caller]
    pub(crate) fn refused(&self, line: &str) -> String {
        self.run(line).sentence()
    }

    /// A recording of one layer of one unit in `outputs/p`, made without training; labels alternate, `p_y1` may be given.
    pub(crate) fn recording(&self, t: &[f32], p_y1: &[Option<f64>]) {
        let root = self.path("outputs/p/recording");
        let row = |(i, p_y1): (usize, &Option<f64>)| SampleRow {
            sample: i as i32,
            x: Some(vec![i as f32]),
            x_hash: None,
            y: (i % 2) as i32,
            p_y1: *p_y1,
            target: None,
        };
        let rows: Vec<SampleRow> = p_y1.iter().enumerate().map(row).collect();
        write_rows(&root, "samples.parquet", &rows, &Footer::new()).unwrap();
        let file = "activations/layer=1/run=r0000/part-00000.parquet";
        let shape = Shape { values: Values::Activations, precision: Precision::F32, zeros: Zeros::Few };
        let samples = (0..t.len() as i32).collect();
        let mut writer = ActivationWriter::create(&root, file, shape, samples, 1, &Footer::new()).unwrap();
        writer.write(0, 0, t).unwrap();
        writer.commit().unwrap();
    }

    /// The activations in a part of a recording.
    pub(crate) fn activations(&self, relative: &str) -> ActivationReader {
        self.values(relative, Values::Activations)
    }

    pub(crate) fn values(&self, relative: &str, values: Values) -> ActivationReader {
        ActivationReader::open(&[self.path(relative)], values, &[]).unwrap()
    }

    /// Every file below `relative` with its content, sorted; locks, which are empty and stay, are left out.
    pub(crate) fn files(&self, relative: &str) -> Vec<(String, Vec<u8>)> {
        let root = self.path(relative);
        let mut found = Vec::new();
        collect(&root, &root, &mut found);
        found.retain(|(name, _)| !name.ends_with(".lock"));
        found.sort();
        found
    }
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, found);
        } else {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            found.push((name, fs::read(&path).unwrap()));
        }
    }
}

/// The rows of a table, which are of a file below the project's folder.
pub(crate) fn rows<R: Row>(project: &Project, relative: &str) -> Vec<R> {
    read_rows(&project.path(relative)).unwrap()
}

/// A file of `../shared/data`, or `None` with a message: real data are not part of the project.
pub(crate) fn real_data(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {name} is not here");
    None
}

/// Copies a folder and all that is in it.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}
