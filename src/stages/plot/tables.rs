//! The tables that figures are drawn from, and the subjects of figures.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::super::histograms::first_run;
use super::super::lineage::{CurrentEstimates, Depth, Present};
use super::super::{StageError, keys, overview};
use crate::estimate_id::{EstimateId, Unit, Values};
use crate::plots::{Spec, Subject, Table, Tables, single};
use crate::store::schema::{
    BoundLayerRow, BoundRow, CompressionRow, EffectRow, LevelRow, PhaseRow, Row, SettingRow, StabilityRow, SummaryRow,
    TrainingSummaryRow, WeightSummaryRow,
};
use crate::store::{Experiment, Recording, StoreError, hash_file, is_folder_name, read_rows, verified_hash};

/// Optional tables next to the summary, one file each, with the manifest of the stage that makes them.
const NEXT_TO_SUMMARY: [(Table, &str); 10] = [
    (Table::Compression, "summary"),
    (Table::Phases, "summary"),
    (Table::TrainingSummary, "summary"),
    (Table::WeightSummary, "summary"),
    (Table::Bound, "bound"),
    (Table::BoundLayers, "bound"),
    (Table::Settings, "experiments"),
    (Table::Stability, "stability"),
    (Table::Effects, "stability"),
    (Table::Levels, "stability"),
];

/// The tables of a folder that some figures are drawn from.
pub(super) struct Loaded {
    /// Sorted by experiment and estimator.
    pub(super) summary: Vec<SummaryRow>,
    /// Sorted by experiment and estimator.
    compression: Vec<CompressionRow>,
    /// Sorted by experiment and estimator.
    phases: Vec<PhaseRow>,
    /// Sorted by experiment.
    training_summary: Vec<TrainingSummaryRow>,
    /// Sorted by experiment.
    weight_summary: Vec<WeightSummaryRow>,
    bound: Vec<BoundRow>,
    bound_layers: Vec<BoundLayerRow>,
    settings: Vec<SettingRow>,
    stability: Vec<StabilityRow>,
    effects: Vec<EffectRow>,
    levels: Vec<LevelRow>,
    /// The estimators with the tables of their runs.
    estimates: Vec<(EstimateId, Vec<PathBuf>)>,
    /// The summary sorted by estimator.
    by_estimator: Vec<SummaryRow>,
}

/// The subject of figures, with its rows of the summary.
pub(super) struct Theme<'a> {
    pub(super) subject: Subject,
    /// Its experiment; empty if it is about every experiment.
    pub(super) experiment: &'a str,
    /// Its estimator; `None` if there are several.
    estimator: Option<&'a EstimateId>,
    /// The folder of its figures below `figures`: its experiment if the summary has several.
    folder: Option<&'a str>,
    summary: &'a [SummaryRow],
    siblings: &'a [SummaryRow],
}

impl Theme<'_> {
    /// The file of its figure below `figures`, without its extension.
    pub(super) fn file(&self, plot: &str) -> String {
        overview::file(plot, self.folder, self.estimator)
    }
}

impl Loaded {
    /// Reads the summary and the tables that one of `plots` is drawn from.
    pub(super) fn read(
        experiment: &Experiment,
        plots: &[&Spec],
        next_to_summary: &NextToSummary,
    ) -> Result<Self, StageError> {
        let root = experiment.root();
        let (mut summary, remark) = keys::read_summary(root)?;
        remark.iter().for_each(|remark| tracing::warn!("{remark}"));
        summary.sort_by(|a, b| (&a.experiment, &a.estimator).cmp(&(&b.experiment, &b.estimator)));
        let mut by_estimator = Vec::new();
        if summary.first().map(|row| &row.experiment) != summary.last().map(|row| &row.experiment) {
            by_estimator = summary.clone();
            by_estimator.sort_by(|a, b| a.estimator.cmp(&b.estimator));
        }
        next_to_summary.left_out.iter().for_each(|sentence| tracing::warn!("{sentence}"));
        let mut compression: Vec<CompressionRow> = next_to_summary.rows(Table::Compression)?;
        compression.sort_by(|a, b| (&a.experiment, &a.estimator).cmp(&(&b.experiment, &b.estimator)));
        let mut phases: Vec<PhaseRow> = next_to_summary.rows(Table::Phases)?;
        phases.sort_by(|a, b| (&a.experiment, &a.estimator).cmp(&(&b.experiment, &b.estimator)));
        let estimates = estimate_files(experiment, plots)?.into_iter();
        Ok(Self {
            summary,
            compression,
            phases,
            training_summary: next_to_summary.rows(Table::TrainingSummary)?,
            weight_summary: next_to_summary.rows(Table::WeightSummary)?,
            bound: next_to_summary.rows(Table::Bound)?,
            bound_layers: next_to_summary.rows(Table::BoundLayers)?,
            settings: next_to_summary.rows(Table::Settings)?,
            stability: next_to_summary.rows(Table::Stability)?,
            effects: next_to_summary.rows(Table::Effects)?,
            levels: next_to_summary.rows(Table::Levels)?,
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

    /// Every possible subject of a figure.
    pub(super) fn themes(&self) -> Vec<Theme<'_>> {
        let whole = Theme {
            subject: Subject::Folder,
            experiment: "",
            estimator: None,
            folder: None,
            summary: &self.summary,
            siblings: &[],
        };
        let mut themes = vec![whole];
        for rows in self.by_estimator.chunk_by(|a, b| a.estimator == b.estimator) {
            let (subject, estimator) = (Subject::Sweep, Some(&*rows[0].estimator));
            themes.push(Theme { subject, experiment: "", estimator, folder: None, summary: rows, siblings: &[] });
        }
        for siblings in self.summary.chunk_by(|a, b| a.experiment == b.experiment) {
            let experiment = siblings[0].experiment.as_str();
            let folder = (!self.is_single()).then_some(experiment);
            let subject = Subject::Experiment;
            themes.push(Theme { subject, experiment, estimator: None, folder, summary: siblings, siblings });
            for rows in siblings.chunk_by(|a, b| a.estimator == b.estimator) {
                let (subject, estimator) = (Subject::Estimator, Some(&*rows[0].estimator));
                themes.push(Theme { subject, experiment, estimator, folder, summary: rows, siblings });
            }
        }
        themes
    }

    /// The tables of single runs; none if the summary joins several experiments, whose estimates are in other folders. For a theme
    /// with several estimators: only those with few runs, whose runs are drawn one by one.
    pub(super) fn estimates_of(&self, theme: &Theme<'_>) -> Vec<PathBuf> {
        let is_about = |(id, paths): &&(EstimateId, Vec<PathBuf>)| match (theme.subject, theme.estimator) {
            (Subject::Experiment, _) => single::are_drawn(paths.len() as i32),
            (_, estimator) => estimator == Some(id),
        };
        let found = self.estimates.iter().filter(|_| self.is_single()).filter(is_about);
        found.flat_map(|(_, paths)| paths).cloned().collect()
    }

    /// The rows about `theme`, without estimates and activations, which are read when they are drawn.
    pub(super) fn tables<'a>(&'a self, theme: &Theme<'a>) -> Tables<'a> {
        Tables {
            summary: theme.summary,
            siblings: theme.siblings,
            compression: of_theme(&self.compression, theme, |row| (&row.experiment, &row.estimator)),
            phases: of_theme(&self.phases, theme, |row| (&row.experiment, &row.estimator)),
            training_summary: of_experiment(&self.training_summary, theme, |row| &row.experiment),
            weight_summary: of_experiment(&self.weight_summary, theme, |row| &row.experiment),
            bound: &self.bound,
            bound_layers: &self.bound_layers,
            settings: &self.settings,
            stability: &self.stability,
            effects: &self.effects,
            levels: &self.levels,
            ..Tables::default()
        }
    }
}

/// The rows about the experiment of `theme`, or every row if it has none; the table is sorted by experiment.
fn of_experiment<'a, R>(rows: &'a [R], theme: &Theme<'_>, experiment: fn(&R) -> &String) -> &'a [R] {
    let is_about = |row: &R| theme.experiment.is_empty() || experiment(row) == theme.experiment;
    let first = rows.iter().position(is_about).unwrap_or_default();
    let n = rows[first..].iter().take_while(|row| is_about(row)).count();
    &rows[first..first + n]
}

/// The rows about `theme` of a table that is sorted by experiment and estimator.
fn of_theme<'a, R>(rows: &'a [R], theme: &Theme<'_>, names: fn(&R) -> (&String, &Arc<EstimateId>)) -> &'a [R] {
    let is_about = |row: &R| {
        let (experiment, estimator) = names(row);
        (theme.experiment.is_empty() || experiment == theme.experiment)
            && theme.estimator.is_none_or(|id| **estimator == *id)
    };
    let first = rows.iter().position(is_about).unwrap_or_default();
    let n = rows[first..].iter().take_while(|row| is_about(row)).count();
    &rows[first..first + n]
}

/// Whether one of `plots` is drawn from `table`.
pub(super) fn is_read(plots: &[&Spec], table: Table) -> bool {
    plots.iter().any(|spec| spec.reads(table))
}

/// The tables next to the summary that some figures are drawn from.
pub(super) struct NextToSummary {
    root: PathBuf,
    tables: Vec<Table>,
    /// A sentence for each table that was made from tables that have changed since.
    left_out: Vec<String>,
}

impl NextToSummary {
    pub(super) fn read(folder: &Experiment, plots: &[&Spec]) -> Result<Self, StageError> {
        let root = folder.root();
        let is_there = |table: Table| is_read(plots, table) && root.join(table.place()).exists();
        let (mut tables, mut left_out, mut present) = (Vec::new(), Vec::new(), None);
        for (table, manifest) in NEXT_TO_SUMMARY.into_iter().filter(|(table, _)| is_there(*table)) {
            // The summary was checked before, and settings are not made from a recording.
            let is_proven = ["summary", "experiments"].contains(&manifest);
            if !is_proven && present.is_none() {
                present = Some(Present::of(&experiments(folder)?, root, Depth::Everything)?);
            }
            match &present {
                Some(present) if !is_proven && !present.has_inputs_of(root, manifest)? => left_out.push(format!(
                    "{} left out, because tables that it was made from have changed; make it again",
                    root.join(table.place()).display()
                )),
                _ => tables.push(table),
            }
        }
        Ok(Self { root: root.to_owned(), tables, left_out })
    }

    /// The rows of `table`; none if it does not exist or no figure is drawn from it.
    fn rows<R: Row>(&self, table: Table) -> Result<Vec<R>, StoreError> {
        if self.tables.contains(&table) { read_rows(&self.root.join(table.place())) } else { Ok(Vec::new()) }
    }
}

/// The experiments in the summary of `folder`.
fn experiments(folder: &Experiment) -> Result<Vec<Experiment>, StageError> {
    let summary: Vec<SummaryRow> = read_rows(&folder.root().join(Experiment::SUMMARY))?;
    let names: BTreeSet<String> = summary.into_iter().map(|row| row.experiment).collect();
    Ok(names.iter().map(|name| recorded(folder, name, names.len() == 1)).collect())
}

/// The tables of every estimator's runs; none if none of `plots` is drawn from them.
fn estimate_files(experiment: &Experiment, plots: &[&Spec]) -> Result<Vec<(String, Vec<PathBuf>)>, StageError> {
    if is_read(plots, Table::Estimates) {
        Ok(CurrentEstimates::read(experiment, Unit::Layers)?.tables)
    } else {
        Ok(Vec::new())
    }
}

/// The folder with the recording of `name`: `folder`, or a folder below it if it is a sweep.
pub(super) fn recorded(folder: &Experiment, name: &str, is_single: bool) -> Experiment {
    // The name comes from a table and may not be a folder name.
    if !is_folder_name(name) {
        return folder.clone();
    }
    let below = Experiment::new(folder.root().join(name));
    if is_single && !below.recording().exists() { folder.clone() } else { below }
}

/// The paths and hashes of every table that `plots` are drawn from.
pub(super) fn hashes(
    experiment: &Experiment,
    plots: &[&Spec],
    next_to_summary: &NextToSummary,
) -> Result<Vec<(String, String)>, StageError> {
    let root = experiment.root();
    let summary = verified_hash(root, "summary", Experiment::SUMMARY)?;
    let mut hashes = vec![(Experiment::SUMMARY.to_owned(), summary)];
    for name in next_to_summary.tables.iter().copied().map(Table::place) {
        hashes.push((name.to_owned(), hash_file(&root.join(name))?));
    }
    for path in estimate_files(experiment, plots)?.iter().flat_map(|(_, paths)| paths) {
        hashes.push(experiment.verified_estimates(path)?);
    }
    if is_read(plots, Table::Activations) {
        hashes.extend(activation_hashes(experiment)?);
    }
    Ok(hashes)
}

/// The hashes of the first run's activations of every experiment, from its manifest while the files look unchanged.
fn activation_hashes(folder: &Experiment) -> Result<Vec<(String, String)>, StageError> {
    let mut hashes = Vec::new();
    for experiment in experiments(folder)? {
        let (recording, name) = (Recording::find(&experiment)?, experiment.name());
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
    use crate::plots::PLOTS;
    use crate::plots::tests::summary_row;
    use crate::store::{Footer, write_rows};

    fn summary(experiment: &str, estimator: &str) -> SummaryRow {
        SummaryRow {
            experiment: experiment.to_owned(),
            estimator: EstimateId::of_table(estimator).into(),
            ..summary_row()
        }
    }

    fn files_about(subject: Subject, rows: &[SummaryRow]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        write_rows(folder.path(), Experiment::SUMMARY, rows, &Footer::new()).unwrap();
        let loaded = {
            let experiment = Experiment::new(folder.path());
            Loaded::read(&experiment, PLOTS, &NextToSummary::read(&experiment, PLOTS).unwrap()).unwrap()
        };
        loaded.themes().iter().filter(|theme| theme.subject == subject).map(|theme| theme.file("p")).collect()
    }

    #[test]
    fn figures_of_several_experiments_are_in_a_folder_for_each() {
        let single = [summary("x", "b"), summary("x", "a")];
        assert_eq!(files_about(Subject::Estimator, &single), ["p-a", "p-b"]);
        assert_eq!(files_about(Subject::Experiment, &single), ["p"]);
        assert_eq!(files_about(Subject::Sweep, &single), Vec::<String>::new());
        assert_eq!(files_about(Subject::Folder, &single), ["p"]);
        let two = [summary("y", "a"), summary("x", "a"), summary("x", "b")];
        assert_eq!(files_about(Subject::Estimator, &two), ["x/p-a", "x/p-b", "y/p-a"]);
        assert_eq!(files_about(Subject::Experiment, &two), ["x/p", "y/p"]);
        assert_eq!(files_about(Subject::Sweep, &two), ["p-a", "p-b"]);
    }
}
