//! Fills the tables of one run, or of all runs pooled, with rows of estimates.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::super::StageError;
use super::super::untrained::add_untrained;
use super::batches::{Batch, batches};
use super::plan::Work;
use super::pools::Group;
use super::predictions::{Predictions, predictions};
use super::resamples::{Resampled, Resamples};
use super::shape::Shape;
use super::snapshots::{OpenRun, Rows, Runs, chosen, finite_range, read};
use super::table::Table;
use super::tally::Tally;
use crate::estimate_id::{Samples, Unit, Values};
use crate::estimators::{
    Code, Estimate, EstimateError, InputsAndLabels, LayerData, Ranges, Spread, neighbours, predicted_class,
};
use crate::layer_id::LayerId;
use crate::math::atoms::Cells;
use crate::sample::{Range, Representation};
use crate::store::schema::{EstimateRow, Row, UnitEstimateRow};
use crate::store::{Experiment, Footer, LayerNames, RunId, StoreError, layer_in_words, write_rows};
use crate::units::Nats;

/// What is needed to fill the tables of one run, or of all runs pooled.
pub(super) struct TargetTables<'a> {
    open: &'a [OpenRun<'a>],
    id: &'a RunId,
    names: &'a LayerNames,
    /// The description of Y, if the labels were made from numbers.
    made_y: Option<&'a str>,
    output: Option<LayerId>,
    works: &'a [&'a Work<'a>],
    batches: Vec<Batch>,
    rows: BTreeMap<Samples, Vec<Rows>>,
    given: BTreeMap<LabelKey, Result<InputsAndLabels, EstimateError>>,
    /// The halves of every selection and run, if requested.
    resamples: Resamples,
    ranges: (Option<Range>, Option<Range>),
}

/// The key of inputs and labels of rows: selection, shuffles, pooled runs.
type LabelKey = (Samples, usize, Vec<usize>);

/// The keys of a row, and the columns that do not depend on the estimator.
struct At<'a> {
    batch: &'a Batch,
    layer: LayerId,
    n_units: usize,
    group: &'a Group,
    shape: Option<Shape>,
    /// Ŷ of every row, if the network has classes.
    predicted: Option<&'a Cells>,
    /// T, samples × units.
    values: &'a [f32],
}

impl<'a> TargetTables<'a> {
    pub(super) fn new(
        runs: &'a Runs<'_>,
        open: &'a [OpenRun<'a>],
        id: &'a RunId,
        works: &'a [&'a Work<'a>],
        groups: &[Group],
        ranges: (Option<Range>, Option<Range>),
    ) -> Result<Self, StageError> {
        let batches = batches(works)?;
        let (mut rows, mut given) = (BTreeMap::new(), BTreeMap::new());
        for batch in &batches {
            if let Entry::Vacant(place) = rows.entry(batch.selection) {
                let of_runs: Result<Vec<Rows>, _> = open.iter().map(|run| run.rows(batch.selection)).collect();
                place.insert(of_runs?);
            }
            for group in groups {
                let of_runs = &rows[&batch.selection];
                given.entry(label_key(batch, group)).or_insert_with_key(|(_, n_shuffles, parts)| {
                    let samples: Vec<i32> = parts.iter().flat_map(|run| &of_runs[*run].samples).copied().collect();
                    runs.inputs_and_labels(&samples, *n_shuffles)
                });
            }
        }
        let mut resamples = Resamples::default();
        for batch in &batches {
            resamples.add(batch.n_resamples, batch.selection, &rows[&batch.selection], runs);
        }
        // A weighted sum is not a probability, so it has no threshold between classes.
        let output = runs.output.filter(|_| works.iter().all(|work| work.request.id.values == Values::Activations));
        Ok(Self {
            open,
            id,
            names: &runs.names,
            made_y: runs.made_y.as_deref(),
            output,
            works,
            batches,
            rows,
            given,
            resamples,
            ranges,
        })
    }

    /// An empty table for each requested table.
    fn empty(&self) -> Vec<Table> {
        self.works.iter().map(|work| Table::empty(work)).collect()
    }

    /// The rows of every table at one group of snapshots.
    pub(super) fn estimate(&self, group: &Group) -> Result<Vec<Table>, StageError> {
        let mut tables = self.empty();
        // The output is read once, for the predictions of all layers and for itself.
        let output = self.open[0].layers.iter().position(|(layer, _)| Some(*layer) == self.output);
        let mut of_output = output.map(|place| read(self.open, group, place)).transpose()?;
        let predicted = of_output.as_ref().map_or_else(Predictions::new, |read| predictions(read, group, &self.rows));
        // For every table, the code of the layer below.
        let mut below: Vec<Option<(LayerId, Code)>> = vec![None; tables.len()];
        for (place, (layer, reader)) in self.open[0].layers.iter().enumerate() {
            let recorded = match of_output.take_if(|_| Some(place) == output) {
                Some(recorded) => recorded,
                None => read(self.open, group, place)?,
            };
            let n_units = reader.n_units();
            for (selection, rows) in &self.rows {
                let values = chosen(&recorded, group, rows);
                let t = Representation::new(&values, n_units).map_err(EstimateError::from);
                let shape = t.as_ref().ok().map(Shape::of);
                for batch in self.batches.iter().filter(|batch| batch.selection == *selection) {
                    let predicted = predicted.get(selection);
                    let at = At { batch, layer: *layer, n_units, group, shape, predicted, values: &values };
                    let sample = self.sample(&at, &t);
                    match batch.unit {
                        Unit::Layers => self.add_layer(&at, &sample, &mut tables, &mut below),
                        Unit::Units => self.add_units(&at, &mut tables),
                    }
                }
            }
        }
        Ok(tables)
    }

    /// T together with the inputs and labels of its rows.
    fn sample<'t>(
        &'t self,
        at: &At<'_>,
        t: &Result<Representation<'t>, EstimateError>,
    ) -> Result<LayerData<'t>, EstimateError> {
        let given = self.given(at)?;
        let sample = LayerData::of_samples(t.clone()?, given)?;
        // X does not change, so its range over a run is its own range.
        let own = Some(sample.ranges.layer);
        let (run, all_runs) = if at.layer == LayerId::INPUT { (own, own) } else { self.ranges };
        Ok(LayerData { ranges: Ranges { run, all_runs, ..sample.ranges }, ..sample })
    }

    /// The estimate of every member of a batch, or the reason of its failure.
    fn estimates(
        &self,
        at: &At<'_>,
        sample: &Result<LayerData<'_>, EstimateError>,
        unit: Option<usize>,
    ) -> Vec<Result<Estimate, String>> {
        let estimates = match sample {
            Err(problem) => vec![Err(problem.clone()); at.batch.tables.len()],
            Ok(sample) => at.batch.estimator.estimate(sample),
        };
        let in_words = |estimate: Result<Estimate, EstimateError>| {
            let text = |e: EstimateError| {
                let snapshots = at.group.parts.len();
                let pooled =
                    if snapshots > 1 { format!(" (one of {snapshots} pooled snapshots)") } else { String::new() };
                format!("{}{pooled}", e.located(|row| self.sample_of(at, row), unit))
            };
            estimate.map_err(text)
        };
        estimates.into_iter().map(in_words).collect()
    }

    /// For every member of a batch with fixed edges, the share of T outside the edges.
    fn outside_shares(&self, at: &At<'_>, sample: &Result<LayerData<'_>, EstimateError>) -> Vec<Option<f64>> {
        let mut last: Option<(Range, f64)> = None;
        let share = |table: &usize| {
            let edges = self.works[*table].request.member.edges?;
            let t = &sample.as_ref().ok()?.activations;
            // Most members have equal edges.
            let share = last.filter(|(range, _)| *range == edges).map_or_else(|| t.share_outside(edges), |(_, s)| s);
            last = Some((edges, share));
            Some(share)
        };
        at.batch.tables.iter().map(share).collect()
    }

    /// The index of the sample of a row.
    fn sample_of(&self, at: &At<'_>, row: usize) -> usize {
        let rows = &self.rows[&at.batch.selection];
        let samples = at.group.parts.iter().flat_map(|(run, _)| &rows[*run].samples);
        samples.copied().nth(row).map_or(row, |sample| sample as usize)
    }

    fn given(&self, at: &At<'_>) -> Result<&InputsAndLabels, EstimateError> {
        self.given[&label_key(at.batch, at.group)].as_ref().map_err(Clone::clone)
    }

    /// Adds the row of a layer to each table of a batch, and writes the information shared with the layer below into its row.
    fn add_layer(
        &self,
        at: &At<'_>,
        sample: &Result<LayerData<'_>, EstimateError>,
        tables: &mut [Table],
        below: &mut [Option<(LayerId, Code)>],
    ) {
        let outside = self.outside_shares(at, sample);
        let estimates = self.estimates(at, sample, None);
        let halves = self.resamples.of(at.batch.n_resamples, at.batch.selection, at.group).zip(sample.as_ref().ok());
        let mut resampled = halves.map_or_else(Vec::new, |(halves, sample)| {
            halves.estimate(at.batch.estimator.as_ref(), at.values, at.n_units, &sample.ranges)
        });
        resampled.resize(at.batch.tables.len(), Resampled::default());
        for (((table, estimate), outside_share), resampled) in
            at.batch.tables.iter().zip(estimates).zip(outside).zip(resampled)
        {
            let Table::Layers(rows) = &mut tables[*table] else { continue };
            let mut row = EstimateRow {
                outside_share: outside_share.filter(|_| estimate.is_ok()),
                ..self.layer_row(*table, at, &estimate)
            };
            resampled.add_to(&mut row);
            let code = estimate.ok().and_then(|estimate| estimate.code);
            if let (Some(predicted), Some(code), Ok(given)) = (at.predicted, &code, self.given(at)) {
                let found = predicted_class(code, predicted, given);
                row.i_t_predicted_bits = Some(found.i_t_predicted.bits());
                row.h_predicted_given_t_bits = Some(found.h_predicted_given_t.bits());
            }
            if let (Some((lower, code_below)), Some(code), Ok(given)) = (&below[*table], &code, self.given(at))
                && at.layer.is_next_above(*lower)
                && let Some(row_below) = rows.last_mut()
            {
                let found = neighbours(code_below, code, given);
                row_below.i_tt_bits = Some(found.i_tt.bits());
                (row_below.i_tt_null_bits_mean, row_below.i_tt_null_bits_std) = bits(found.null);
            }
            rows.push(row);
            below[*table] = code.map(|code| (at.layer, code));
        }
    }

    fn layer_row(&self, table: usize, at: &At<'_>, estimate: &Result<Estimate, String>) -> EstimateRow {
        let request = self.works[table].request;
        let found = estimate.as_ref().ok();
        let given = found.and_then(|_| self.given(at).ok());
        let (i_xt_null_bits_mean, i_xt_null_bits_std) = bits(found.and_then(|e| e.i_xt_null));
        let (i_ty_null_bits_mean, i_ty_null_bits_std) = bits(found.and_then(|e| e.i_ty_null));
        EstimateRow {
            estimator: Arc::clone(&request.id),
            run: self.id.to_string(),
            layer: at.layer,
            layer_name: self.names.get(at.layer),
            epoch: at.group.epoch,
            step: at.group.step,
            quantity: Some(request.quantity_of(self.made_y)),
            randomness: Some(request.randomness().to_owned()),
            n_pooled: Some(at.group.parts.len() as i64),
            i_xt_bits: found.and_then(|e| e.i_xt).map(Nats::bits),
            i_ty_bits: found.map(|e| e.i_ty.bits()),
            i_tt_bits: None,
            i_xt_given_y_bits: found.and_then(|e| Some((e.i_xt? - e.i_ty).bits())),
            i_t_predicted_bits: None,
            h_predicted_given_t_bits: None,
            i_xt_error_bits: found.and_then(|e| e.i_xt_error).map(Nats::bits),
            i_ty_error_bits: found.and_then(|e| e.i_ty_error).map(Nats::bits),
            h_t_bits: found.and_then(|e| e.h_t).map(Nats::bits),
            h_t_given_x_bits: found.and_then(|e| e.h_t_given_x).map(Nats::bits),
            i_xt_ceiling_bits: found.and_then(|e| e.i_xt_ceiling).map(Nats::bits),
            i_ty_ceiling_bits: found.map(|e| e.i_ty_ceiling.bits()),
            h_x_bits: given.map(|given| given.h_x.bits()),
            h_y_bits: given.map(|given| given.h_y.bits()),
            n_shuffles: Some(request.n_shuffles as i64),
            n_resamples: Some(request.n_resamples as i64),
            i_xt_resampled_bits_mean: None,
            i_xt_resampled_bits_std: None,
            i_ty_resampled_bits_mean: None,
            i_ty_resampled_bits_std: None,
            i_xt_null_bits_mean,
            i_xt_null_bits_std,
            i_ty_null_bits_mean,
            i_ty_null_bits_std,
            i_tt_null_bits_mean: None,
            i_tt_null_bits_std: None,
            i_xt_untrained_bits: None,
            i_ty_untrained_bits: None,
            n_samples: self.n_rows(request.id.samples, at.group),
            n_codes: found.map_or(0, |e| e.n_codes as i32),
            n_distinct: at.shape.map(|shape| shape.n_distinct as i64),
            atom_share: at.shape.map(|shape| shape.atom_share),
            outside_share: None,
            failure: estimate.as_ref().err().cloned(),
        }
    }

    /// Adds the rows of every unit of a layer to each table of a batch. A failed unit does not affect the others.
    fn add_units(&self, at: &At<'_>, tables: &mut [Table]) {
        let layer = finite_range(at.values);
        for unit in 0..at.n_units {
            let column: Vec<f32> = at.values.iter().skip(unit).step_by(at.n_units).copied().collect();
            let of_unit = Representation::new(&column, 1).map_err(EstimateError::from);
            let of_unit = self.sample(at, &of_unit);
            let of_unit = of_unit.map(|sample| LayerData { ranges: Ranges { layer, ..sample.ranges }, ..sample });
            let outside = self.outside_shares(at, &of_unit);
            let estimates = self.estimates(at, &of_unit, Some(unit));
            for ((table, estimate), outside_share) in at.batch.tables.iter().zip(estimates).zip(outside) {
                let Table::Units(rows) = &mut tables[*table] else { continue };
                let request = self.works[*table].request;
                let found = estimate.as_ref().ok();
                let (i_ty_null_bits_mean, i_ty_null_bits_std) = bits(found.and_then(|e| e.i_ty_null));
                rows.push(UnitEstimateRow {
                    estimator: Arc::clone(&request.id),
                    run: self.id.to_string(),
                    layer: at.layer,
                    layer_name: self.names.get(at.layer),
                    unit: unit as i32,
                    epoch: at.group.epoch,
                    step: at.group.step,
                    i_xt_bits: found.and_then(|e| e.i_xt).map(Nats::bits),
                    i_ty_bits: found.map(|e| e.i_ty.bits()),
                    i_ty_null_bits_mean,
                    i_ty_null_bits_std,
                    i_xt_ceiling_bits: found.and_then(|e| e.i_xt_ceiling).map(Nats::bits),
                    i_ty_ceiling_bits: found.map(|e| e.i_ty_ceiling.bits()),
                    n_samples: self.n_rows(request.id.samples, at.group),
                    n_codes: found.map_or(0, |e| e.n_codes as i32),
                    outside_share: outside_share.filter(|_| found.is_some()),
                    failure: estimate.err(),
                });
            }
        }
    }

    fn n_rows(&self, selection: Samples, group: &Group) -> i32 {
        group.parts.iter().map(|(run, _)| self.rows[&selection][*run].samples.len() as i32).sum()
    }

    /// Writes every table, sorted by layer, then by snapshot; returns the counts.
    pub(super) fn write(&self, by_group: Vec<Vec<Table>>) -> Result<Tally, StageError> {
        let mut whole = self.empty();
        for tables in by_group {
            whole.iter_mut().zip(tables).for_each(|(whole, part)| whole.append(part));
        }
        let mut tally = Tally::default();
        for (work, table) in self.works.iter().zip(whole) {
            match table {
                Table::Layers(mut rows) => {
                    rows.sort_by_key(|row| row.layer);
                    add_untrained(&mut rows);
                    self.write_table(work, &rows)?;
                    for row in &rows {
                        let layer = || layer_in_words(row.layer, row.layer_name.as_deref());
                        let place = || format!("{} ({}, step {})", layer(), row.run, row.step);
                        tally.add(work.request, row.failure.is_some(), row.outside_share, place);
                    }
                }
                Table::Units(mut rows) => {
                    rows.sort_by_key(|row| (row.layer, row.unit));
                    self.write_table(work, &rows)?;
                    for row in &rows {
                        let UnitEstimateRow { layer, layer_name, unit, run, step, .. } = row;
                        let layer = || layer_in_words(*layer, layer_name.as_deref());
                        let place = || format!("unit {unit} of {} ({run}, step {step})", layer());
                        tally.add(work.request, row.failure.is_some(), row.outside_share, place);
                    }
                }
            }
        }
        Ok(tally)
    }

    fn write_table<R: Row>(&self, work: &Work<'_>, rows: &[R]) -> Result<(), StoreError> {
        let footer = Footer::from([
            ("infoplane.config_hash".to_owned(), work.pending.key().to_owned()),
            ("infoplane.quantity".to_owned(), work.request.quantity_of(self.made_y)),
        ]);
        let relative = Experiment::estimate(&work.request.id, &self.id.to_string());
        work.pending.finish(vec![write_rows(work.pending.root(), &relative, rows, &footer)?])?;
        Ok(())
    }
}

fn label_key(batch: &Batch, group: &Group) -> LabelKey {
    (batch.selection, batch.n_shuffles, group.parts.iter().map(|(run, _)| *run).collect())
}

fn bits(spread: Option<Spread>) -> (Option<f64>, Option<f64>) {
    (spread.map(|s| s.mean.bits()), spread.and_then(|s| s.std).map(Nats::bits))
}
