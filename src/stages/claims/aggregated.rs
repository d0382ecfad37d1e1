//! The verdicts of `aggregate` on the compressions that claims are about.

use std::collections::BTreeSet;

use super::super::StageError;
use crate::config::expect::{Expect, Quantity};
use crate::estimate_id::EstimateId;
use crate::layer_id::LayerId;
use crate::store::schema::CompressionRow;
use crate::store::{CompressionVerdict, Experiment, Manifest, read_rows, verified_hash};

/// The verdicts on compression in the folder of an experiment, and the tables that they were made from.
#[derive(Debug, Default)]
pub(in super::super) struct Aggregated {
    /// Path and hash of each table.
    tables: BTreeSet<(String, String)>,
    rows: Vec<CompressionRow>,
}

impl Aggregated {
    /// The verdicts in the folder of `experiment`; none if nothing is aggregated.
    pub(in super::super) fn read(experiment: &Experiment) -> Result<Self, StageError> {
        let root = experiment.root();
        let manifest = Manifest::read(&root.join(".meta/summary.json"))?;
        let Some(manifest) = manifest.filter(|_| root.join(Experiment::COMPRESSION).exists()) else {
            return Ok(Self::default());
        };
        verified_hash(root, "summary", Experiment::COMPRESSION)?;
        let tables = manifest.made_from["tables"][experiment.name()].as_array();
        let table = |entry: &serde_json::Value| Some((entry[0].as_str()?.to_owned(), entry[1].as_str()?.to_owned()));
        Ok(Self {
            tables: tables.into_iter().flatten().filter_map(table).collect(),
            rows: read_rows(&root.join(Experiment::COMPRESSION))?,
        })
    }

    /// The verdict on the compression of `layer` for a claim about a change of I(X;T) over the training. `None` for other
    /// claims, and if the estimate is not aggregated or was remade since. `tables` are the tables that the claim is evaluated
    /// with.
    pub(in super::super) fn verdict(
        &self,
        claim: &Expect,
        layer: Option<LayerId>,
        tables: &[(String, String)],
    ) -> Option<CompressionVerdict> {
        let Quantity::Estimated { estimate, column } = &claim.quantity else { return None };
        let is_about_it = column.name == "i_xt" && claim.measure.is_change();
        if !is_about_it || tables.iter().any(|table| !self.tables.contains(table)) {
            return None;
        }
        let estimator = EstimateId::of_table(estimate);
        let is_its = |row: &&CompressionRow| *row.estimator == estimator && Some(row.layer) == layer;
        self.rows.iter().find(is_its).map(|row| row.verdict)
    }
}
