//! The tables that pictures are drawn from, and the parts that a picture is about.

use std::path::{Path, PathBuf};

use super::histograms::first_run;
use crate::estimate_id::{EstimateId, Values};
use crate::plots::{Subject, Tables};
use crate::store::schema::{
    BoundLayerRow, BoundRow, CompressionRow, EffectRow, LevelRow, Row, SettingRow, StabilityRow, SummaryRow,
};
use crate::store::{Experiment, Recording, StoreError, hash_file, read_rows, verified_hash};

/// Tables beside the summary, which are there or not.
const BESIDE: [&str; 7] = [
    Experiment::COMPRESSION,
    Experiment::BOUND,
    Experiment::BOUND_LAYERS,
    Experiment::SETTINGS,
    Experiment::STABILITY,
    Experiment::EFFECTS,
    Experiment::LEVELS,
];

/// All tables of a folder.
pub(super) struct Loaded {
    /// Sorted by experiment and estimator.
    pub(super) summary: Vec<SummaryRow>,
    /// Likewise.
    compression: Vec<CompressionRow>,
    bound: Vec<BoundRow>,
    bound_layers: Vec<BoundLayerRow>,
    settings: Vec<SettingRow>,
    stability: Vec<StabilityRow>,
    effects: Vec<EffectRow>,
    levels: Vec<LevelRow>,
    /// The estimators with the tables of their runs.
    estimates: Vec<(EstimateId, Vec<PathBuf>)>,
    /// The summary in another order, by estimator.
    by_estimator: Vec<SummaryRow>,
}

/// What a picture is about, with the rows of it.
pub(super) struct Part<'a> {
    pub(super) of: Subject,
    /// Its experiment; empty where there are all.
    pub(super) experiment: &'a str,
    /// Its estimator; `None` where there are all.
    estimator: Option<&'a EstimateId>,
    /// What tells its file from those of other parts; empty where there are none.
    suffix: String,
    summary: &'a [SummaryRow],
    siblings: &'a [SummaryRow],
}

impl Part<'_> {
    /// The name of its file, without the ending.
    pub(super) fn file(&self, plot: &str) -> String {
        if self.suffix.is_empty() { plot.to_owned() } else { format!("{plot}-{}", self.suffix) }
    }
}

impl Loaded {
    pub(super) fn read(experiment: &Experiment) -> Result<Self, StoreError> {
        let root = experiment.root();
        let mut summary: Vec<SummaryRow> = read_rows(&root.join(Experiment::SUMMARY))?;
        summary.sort_by(|a, b| (&a.experiment, &a.estimator).cmp(&(&b.experiment, &b.estimator)));
        let mut by_estimator = Vec::new();
        if summary.first().map(|row| &row.experiment) != summary.last().map(|row| &row.experiment) {
            by_estimator = summary.clone();
            by_estimator.sort_by(|a, b| a.estimator.cmp(&b.estimator));
        }
        let mut compression: Vec<CompressionRow> = rows(root, Experiment::COMPRESSION)?;
        compression.sort_by(|a, b| (&a.experiment, &a.estimator).cmp(&(&b.experiment, &b.estimator)));
        let estimates = experiment.estimate_files()?.into_iter();
        Ok(Self {
            summary,
            compression,
            bound: rows(root, Experiment::BOUND)?,
            bound_layers: rows(root, Experiment::BOUND_LAYERS)?,
            settings: rows(root, Experiment::SETTINGS)?,
            stability: rows(root, Experiment::STABILITY)?,
            effects: rows(root, Experiment::EFFECTS)?,
            levels: rows(root, Experiment::LEVELS)?,
            estimates: estimates.map(|(name, paths)| (EstimateId::of_table(&name), paths)).collect(),
            by_estimator,
        })
    }

    /// Whether the summary is of one experiment.
    pub(super) fn is_single(&self) -> bool {
        self.by_estimator.is_empty()
    }

    pub(super) fn has_estimates(&self) -> bool {
        self.summary.iter().any(|row| row.n_runs > 0)
    }

    /// Everything that a picture can be about.
    pub(super) fn parts(&self) -> Vec<Part<'_>> {
        let whole = Part {
            of: Subject::Folder,
            experiment: "",
            estimator: None,
            suffix: String::new(),
            summary: &self.summary,
            siblings: &[],
        };
        let mut parts = vec![whole];
        for rows in self.by_estimator.chunk_by(|a, b| a.estimator == b.estimator) {
            let estimator = &*rows[0].estimator;
            let (of, suffix) = (Subject::Sweep, estimator.to_string());
            parts.push(Part { of, experiment: "", estimator: Some(estimator), suffix, summary: rows, siblings: &[] });
        }
        for siblings in self.summary.chunk_by(|a, b| a.experiment == b.experiment) {
            let experiment = siblings[0].experiment.as_str();
            let name = if self.is_single() { "" } else { experiment };
            let (of, suffix) = (Subject::Experiment, name.to_owned());
            parts.push(Part { of, experiment, estimator: None, suffix, summary: siblings, siblings });
            for rows in siblings.chunk_by(|a, b| a.estimator == b.estimator) {
                let estimator = &*rows[0].estimator;
                let suffix = if name.is_empty() { estimator.to_string() } else { format!("{name}-{estimator}") };
                let (of, estimator) = (Subject::Estimator, Some(estimator));
                parts.push(Part { of, experiment, estimator, suffix, summary: rows, siblings });
            }
        }
        parts
    }

    /// The tables of single runs; none where the summary joins several experiments, whose estimates lie elsewhere.
    pub(super) fn estimates_of(&self, part: &Part<'_>) -> &[PathBuf] {
        let found = self.estimates.iter().find(|(id, _)| self.is_single() && part.estimator == Some(id));
        found.map_or(&[], |(_, paths)| paths.as_slice())
    }

    /// What there is to draw of a part, but for what has to be read or computed for it.
    pub(super) fn tables<'a>(&'a self, part: &Part<'a>) -> Tables<'a> {
        Tables {
            summary: part.summary,
            siblings: part.siblings,
            compression: self.compression_of(part),
            bound: &self.bound,
            bound_layers: &self.bound_layers,
            settings: &self.settings,
            stability: &self.stability,
            effects: &self.effects,
            levels: &self.levels,
            ..Tables::default()
        }
    }

    fn compression_of(&self, part: &Part<'_>) -> &[CompressionRow] {
        let is_of = |row: &CompressionRow| {
            (part.experiment.is_empty() || row.experiment == part.experiment)
                && part.estimator.is_none_or(|id| *row.estimator == *id)
        };
        let first = self.compression.iter().position(is_of).unwrap_or_default();
        let n = self.compression[first..].iter().take_while(|row| is_of(row)).count();
        &self.compression[first..first + n]
    }
}

/// The rows of a table that may not be there.
fn rows<R: Row>(root: &Path, name: &str) -> Result<Vec<R>, StoreError> {
    let path = root.join(name);
    if path.exists() { read_rows(&path) } else { Ok(Vec::new()) }
}

/// Where the recording of `name` is: here, or below the folder of a sweep.
pub(super) fn recorded(folder: &Experiment, name: &str, is_single: bool) -> Experiment {
    let below = Experiment::new(folder.root().join(name));
    if is_single && !below.recording().exists() { folder.clone() } else { below }
}

/// The places and hashes of all tables that are drawn, as they were written; and of the activations, where they are drawn.
pub(super) fn hashes(experiment: &Experiment, with_activations: bool) -> Result<Vec<(String, String)>, StoreError> {
    let root = experiment.root();
    let summary = verified_hash(root, "summary", Experiment::SUMMARY)?;
    let mut hashes = vec![(Experiment::SUMMARY.to_owned(), summary)];
    for name in BESIDE.into_iter().filter(|name| root.join(name).exists()) {
        hashes.push((name.to_owned(), hash_file(&root.join(name))?));
    }
    for path in experiment.estimate_files()?.iter().flat_map(|(_, paths)| paths) {
        hashes.push(experiment.verified_estimates(path)?);
    }
    if with_activations {
        hashes.extend(activation_hashes(experiment)?);
    }
    Ok(hashes)
}

/// The hashes of the first run's activations of every experiment, those of its manifest while it looks untouched.
fn activation_hashes(folder: &Experiment) -> Result<Vec<(String, String)>, StoreError> {
    let mut names: Vec<String> =
        rows::<SummaryRow>(folder.root(), Experiment::SUMMARY)?.into_iter().map(|row| row.experiment).collect();
    names.sort();
    names.dedup();
    let mut hashes = Vec::new();
    for name in &names {
        let recording = Recording::find(&recorded(folder, name, names.len() == 1))?;
        let Some((run, layers)) = first_run(&recording) else { continue };
        for layer in layers {
            let of_layer = run.hashes(Values::Activations.table(), Some(layer))?;
            hashes.extend(of_layer.into_iter().map(|hash| (format!("{name}: activations of layer {layer}"), hash)));
        }
    }
    Ok(hashes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plots::tests::summary_row;
    use crate::store::{Footer, write_rows};

    fn summary(experiment: &str, estimator: &str) -> SummaryRow {
        SummaryRow {
            experiment: experiment.to_owned(),
            estimator: EstimateId::of_table(estimator).into(),
            ..summary_row()
        }
    }

    fn files_of(rows: &[SummaryRow], of: Subject) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        write_rows(folder.path(), Experiment::SUMMARY, rows, &Footer::new()).unwrap();
        let loaded = Loaded::read(&Experiment::new(folder.path())).unwrap();
        loaded.parts().iter().filter(|part| part.of == of).map(|part| part.file("p")).collect()
    }

    #[test]
    fn files_are_named_by_what_tells_them_apart() {
        let one = [summary("x", "b"), summary("x", "a")];
        assert_eq!(files_of(&one, Subject::Estimator), ["p-a", "p-b"]);
        assert_eq!(files_of(&one, Subject::Experiment), ["p"]);
        assert_eq!(files_of(&one, Subject::Sweep), Vec::<String>::new());
        assert_eq!(files_of(&one, Subject::Folder), ["p"]);
        let two = [summary("y", "a"), summary("x", "a"), summary("x", "b")];
        assert_eq!(files_of(&two, Subject::Estimator), ["p-x-a", "p-x-b", "p-y-a"]);
        assert_eq!(files_of(&two, Subject::Experiment), ["p-x", "p-y"]);
        assert_eq!(files_of(&two, Subject::Sweep), ["p-a", "p-b"]);
    }
}
