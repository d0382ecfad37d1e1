//! The `[[estimate]]` tables of a pipeline: an estimator, with one or several values of each parameter.

use super::entry::{RawEntry, entry};
use super::estimate::Request;
use super::tree::Located;
use crate::estimators::{self, ValueBounds};

/// The estimates of the tables, for activations with these `bounds`; an error has the place of the wrong key.
pub(super) fn requests(tables: Vec<Located<RawEntry>>, bounds: ValueBounds) -> Result<Vec<Request>, (usize, String)> {
    let mut requests: Vec<Request> = Vec::new();
    for Located { at, value: table } in tables {
        let find = |name: &str| estimators::find(name).map_err(|e| e.to_string());
        let (spec, given) = entry((at, table), ("estimate", "estimator"), find, Request::check)?;
        for request in Request::all(spec, given, bounds).map_err(|e| (at, e.to_string()))? {
            if requests.iter().any(|other| other.id == request.id) {
                return Err((at, format!("`{}` is requested twice", request.id)));
            }
            requests.push(request);
        }
    }
    Ok(requests)
}
