//! Makes the data set that a pipeline names.

use super::{Kind, State, Step};
use crate::config::Data;
use crate::stages::record::is_to_be_made;
use crate::stages::{Outcome, data};

pub(super) static STEP: Step = Step {
    name: "data",
    kind: Kind::Shared,
    applies: |pipeline| matches!(pipeline.data, Data::Named(_)),
    lacking: "names a file of data, not a data set; make it with `infoplane data import`",
    state: |task| Ok(State::done_if(!is_to_be_made(&task.pipeline.data), "the data are to be made")),
    run: |task| match &task.pipeline.data {
        Data::Named(named) => data::make(named, &named.path()),
        Data::File(_) => Ok(Outcome::UpToDate),
    },
    join: None,
};
