//! Makes the data set that a pipeline names.

use super::{Kind, State, Step};
use crate::config::{Data, NamedData, Pipeline};
use crate::stages::record::is_to_be_made;
use crate::stages::{Outcome, data};

pub(super) static STEP: Step = Step {
    name: "data",
    kind: Kind::Shared,
    applies: |pipeline| named(pipeline).is_some(),
    lacking: "names a data file, not a data set; make the file with `infoplane data import`",
    state: |task| {
        let is_missing = task.pipeline.networks().is_some_and(|networks| is_to_be_made(&networks.data));
        Ok(State::done_if(!is_missing, "the data are missing"))
    },
    run: |task| named(task.pipeline).map_or(Ok(Outcome::UpToDate), |named| data::make(named, &named.path())),
    join: None,
};

/// The data set that a pipeline names.
fn named(pipeline: &Pipeline) -> Option<&NamedData> {
    match &pipeline.networks()?.data {
        Data::Named(named) => Some(named),
        Data::File(_) => None,
    }
}
