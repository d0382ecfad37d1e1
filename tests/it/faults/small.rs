//! An experiment of some kilobytes, made and read in this process: thousands of faults in seconds.

use std::fs;
use std::path::PathBuf;

use infoplane::config::Pipeline;
use infoplane::stages::aggregate::{MinimumEffect, aggregate};
use infoplane::stages::estimate::estimate;
use infoplane::stages::inspect::validate;
use infoplane::stages::record::{Existing, record};
use infoplane::stages::{Outcome, Progress, StageError};
use infoplane::store::schema::SampleRow;
use infoplane::store::{Experiment, Footer, write_rows};

use crate::tool::Project;

/// Files by name.
pub(super) type Tables = Vec<(String, Vec<u8>)>;

/// Two runs of a network 3-3-2 on 8 samples, recorded at 3 snapshots, with estimates.
pub(super) struct Small {
    pub(super) project: Project,
    pub(super) experiment: Experiment,
    pipeline: Pipeline,
}

struct Silent;

impl Progress for Silent {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
    fn message(&self, _: &str) {}
    fn end(&self) {}
}

impl Small {
    pub(super) fn new() -> Self {
        let project = Project::in_memory();
        let row = |sample: i32| SampleRow {
            sample,
            x: Some((0..3).map(|bit| (sample >> bit & 1) as f32).collect()),
            x_hash: None,
            y: i32::from(sample.count_ones() > 1),
            p_y1: None,
            target: None,
        };
        write_rows(&project.path(""), "d.parquet", &(0..8).map(row).collect::<Vec<_>>(), &Footer::new()).unwrap();
        let text = format!(
            "runs = 2\n[data]\nfile = \"{}\"\ntrain_fraction = 0.75\n[network]\nhidden = [3]\nactivation = \"tanh\"\n\
             [training]\noptimiser = \"adam\"\nlearning_rate = 4e-3\nbatch = 2\nepochs = 2\n\
             [record]\nepochs = {{ every = 1 }}\n[[estimate]]\nestimator = \"binning\"\nn_edges = 4\n",
            project.path("d.parquet").display()
        );
        project.write("p.toml", text);
        let pipeline = Pipeline::read(&project.path("p.toml")).unwrap();
        let small = Self { experiment: Experiment::new(project.path("p")), project, pipeline };
        small.record().unwrap();
        estimate(&small.experiment, &small.pipeline.estimates, small.experiment.root(), &Silent).unwrap();
        small
    }

    /// The same without the manifests that say what the recording is: one of another program.
    pub(super) fn foreign() -> Self {
        let small = Self::new();
        fs::remove_dir_all(small.project.path("p/recording/.meta")).unwrap();
        small
    }

    pub(super) fn record(&self) -> Result<Outcome, StageError> {
        record(self.pipeline.networks().unwrap(), &self.experiment, Existing::Keep, &Silent)
    }

    /// The tables of a first `estimate`.
    pub(super) fn estimate(&self) -> Result<Tables, StageError> {
        let outcome = estimate(&self.experiment, &self.pipeline.estimates, &self.fresh(), &Silent);
        outcome.map(|_| self.tables())
    }

    /// `inspect --validate`.
    pub(super) fn validate(&self) -> Result<Outcome, StageError> {
        validate(self.experiment.root(), &Silent)
    }

    /// The tables of a first `aggregate`.
    pub(super) fn aggregate(&self) -> Result<Tables, StageError> {
        let experiments = std::slice::from_ref(&self.experiment);
        let outcome = aggregate(experiments, MinimumEffect::default(), &self.fresh());
        outcome.map(|_| self.tables())
    }

    /// A folder without results of an earlier call, not even of one that failed.
    fn fresh(&self) -> PathBuf {
        let folder = self.project.path("fresh");
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        folder
    }

    fn tables(&self) -> Tables {
        let mut files = self.project.files("fresh");
        files.retain(|(name, _)| name.ends_with(".parquet") || name.ends_with(".csv"));
        files
    }

    pub(super) fn remove(&self, relative: &str) {
        fs::remove_file(self.project.path(relative)).unwrap();
    }

    /// Moves a file or folder; its times stay.
    pub(super) fn rename(&self, from: &str, to: &str) {
        fs::rename(self.project.path(from), self.project.path(to)).unwrap();
    }

    pub(super) fn swap(&self, a: &str, b: &str) {
        self.rename(a, "aside");
        self.rename(b, a);
        self.rename("aside", b);
    }
}
