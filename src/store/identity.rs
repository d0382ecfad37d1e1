//! The identity of an estimate as columns: its string, which is read back, and the parts of the string, for readers of
//! the file.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, StringArray, StringBuilder};
use arrow::datatypes::DataType;

use super::cell::Cell;
use super::schema::Column;
use crate::estimate_id::EstimateId;

/// The columns derived from an identity.
const COLUMNS: &[Column] = &[
    text(
        "family",
        "Name of the estimator, for example `binning` or `kde`; `linear` for exact values of a linear network, `propagation` for values of a network with noise.",
    ),
    text(
        "variant",
        "Form of the estimator: the kind of bins or the side of a bound, and every parameter other than the scale that differs from its default, for example `n_edges`, `upper`, `n_bins-range-run`. Rows with the same family and variant differ only in their scale.",
    ),
    text(
        "scale_kind",
        "Parameter that sets the resolution of the estimator: `n_edges`, `bin_width`, `n_bins`, `n_quantiles`, `bits`, `noise_variance`, `n_passes` or `k`; null for an estimator without a scale.",
    ),
    Column {
        name: "scale",
        doc: "Value of the parameter in `scale_kind`; null for an estimator without a scale, and for a check that compares several scales.",
        kind: <Option<f64>>::KIND,
    },
    text(
        "correction",
        "Correction of the entropies for the finite number of samples: `none`, `miller-madow` or `jackknife`.",
    ),
    text("values", "Values of the network that are used as T: `activations` or `pre_activations`."),
    text(
        "samples",
        "Samples that are used: `all` (all recorded samples), `train` or `test`; `distribution` for values that are exact for the distribution of X and Y and need no samples.",
    ),
    text(
        "pool",
        "Snapshots that are pooled before T is estimated: `none`, `windows` (every window of consecutive recorded steps), `runs` (the same snapshot of all runs), or the first and the last step, for example `100-110`.",
    ),
];

const fn text(name: &'static str, doc: &'static str) -> Column {
    Column { name, doc, kind: <Option<String>>::KIND }
}

/// One derived column of some identities; neighbouring rows usually have equal identities, so each is formatted once.
fn texts<'a>(
    ids: impl Iterator<Item = Option<&'a Arc<EstimateId>>>,
    text_of: impl Fn(&EstimateId) -> Option<String>,
) -> ArrayRef {
    let mut column = StringBuilder::new();
    let mut last: Option<(&Arc<EstimateId>, Option<String>)> = None;
    for id in ids {
        let Some(id) = id else {
            column.append_null();
            continue;
        };
        let is_last = last.as_ref().is_some_and(|(last, _)| Arc::ptr_eq(last, id));
        let (_, text) = match &last {
            Some(entry) if is_last => entry,
            _ => last.insert((id, text_of(id))),
        };
        column.append_option(text.as_deref());
    }
    Arc::new(column.finish())
}

fn derived<'a>(ids: impl Iterator<Item = Option<&'a Arc<EstimateId>>> + Clone) -> Vec<ArrayRef> {
    let scale = |id: Option<&Arc<EstimateId>>| id.and_then(|id| id.estimator.scale?.value);
    vec![
        texts(ids.clone(), |id| Some(id.estimator.family.clone())),
        texts(ids.clone(), |id| id.estimator.variant()),
        texts(ids.clone(), |id| id.estimator.scale.map(|scale| scale.kind.name().to_owned())),
        Arc::new(ids.clone().map(scale).collect::<Float64Array>()),
        texts(ids.clone(), |id| Some(id.estimator.correction_name().to_owned())),
        texts(ids.clone(), |id| Some(id.values.table().to_owned())),
        texts(ids.clone(), |id| Some(id.samples.name().to_owned())),
        texts(ids, |id| Some(id.pool.to_string())),
    ]
}

/// The identities in a column; neighbouring rows share one.
fn read(column: &StringArray) -> Vec<Option<Arc<EstimateId>>> {
    let mut last: Option<(&str, Arc<EstimateId>)> = None;
    let mut ids = Vec::with_capacity(column.len());
    for text in column {
        ids.push(text.map(|text| match &last {
            Some((last_text, id)) if *last_text == text => Arc::clone(id),
            _ => {
                let id = Arc::new(EstimateId::of_table(text));
                last = Some((text, Arc::clone(&id)));
                id
            }
        }));
    }
    ids
}

impl Cell for Arc<EstimateId> {
    const KIND: &'static str = String::KIND;
    const NULLABLE: bool = false;
    const DERIVED: &'static [Column] = COLUMNS;

    fn data_type(_: usize) -> DataType {
        DataType::Utf8
    }

    fn to_array<'a>(cells: impl Iterator<Item = &'a Self>, _: usize) -> ArrayRef {
        texts(cells.map(Some), |id| Some(id.to_string()))
    }

    fn derived_arrays<'a>(cells: impl Iterator<Item = &'a Self> + Clone) -> Vec<ArrayRef> {
        derived(cells.map(Some))
    }

    fn from_array(array: &dyn Array, row: usize) -> Option<Self> {
        <Option<Self> as Cell>::from_array(array, row)?
    }

    fn read(column: Option<&ArrayRef>, _: usize) -> Option<Vec<Self>> {
        read(column?.as_string_opt()?).into_iter().collect()
    }
}

impl Cell for Option<Arc<EstimateId>> {
    const KIND: &'static str = <Option<String>>::KIND;
    const NULLABLE: bool = true;
    const MISSING: Option<Self> = Some(None);
    const DERIVED: &'static [Column] = COLUMNS;

    fn data_type(_: usize) -> DataType {
        DataType::Utf8
    }

    fn to_array<'a>(cells: impl Iterator<Item = &'a Self>, _: usize) -> ArrayRef {
        texts(cells.map(Option::as_ref), |id| Some(id.to_string()))
    }

    fn derived_arrays<'a>(cells: impl Iterator<Item = &'a Self> + Clone) -> Vec<ArrayRef> {
        derived(cells.map(Option::as_ref))
    }

    fn from_array(array: &dyn Array, row: usize) -> Option<Self> {
        let texts = array.as_string_opt::<i32>()?;
        Some(texts.is_valid(row).then(|| Arc::new(EstimateId::of_table(texts.value(row)))))
    }

    fn read(column: Option<&ArrayRef>, n: usize) -> Option<Vec<Self>> {
        column.map_or(Some(vec![None; n]), |column| Some(read(column.as_string_opt()?)))
    }
}
