//! The `[[estimate]]` tables of a pipeline: an estimator, and one value or several of each of its parameters.

use std::collections::BTreeMap;

use super::estimate::Request;
use super::tree::Located;
use super::values::parameter;
use crate::estimators::{self, ValueBounds};
use crate::parameter::Value;

/// The table as it stands in the file: which keys it has depends on the estimator.
pub(super) type RawEstimate = BTreeMap<String, Located<toml::Value>>;

/// What the tables ask for, of activations of these `bounds`; an error carries the place of the key to blame.
pub(super) fn requests(
    tables: Vec<Located<RawEstimate>>,
    bounds: ValueBounds,
) -> Result<Vec<Request>, (usize, String)> {
    let mut requests: Vec<Request> = Vec::new();
    for Located { at, value: table } in tables {
        for request in of_table(at, table, bounds)? {
            if requests.iter().any(|other| other.id == request.id) {
                return Err((at, format!("`{}` is asked for twice", request.id)));
            }
            requests.push(request);
        }
    }
    Ok(requests)
}

/// What the table that begins at `at` asks for.
fn of_table(at: usize, table: RawEstimate, bounds: ValueBounds) -> Result<Vec<Request>, (usize, String)> {
    let mut spec = None;
    let mut given = Vec::new();
    for (key, Located { at, value }) in table {
        let values = match value {
            toml::Value::String(name) if key == "estimator" => {
                spec = Some(estimators::find(&name).map_err(|e| (at, e.to_string()))?);
                continue;
            }
            toml::Value::Array(values) if !values.is_empty() => values,
            single => vec![single],
        };
        let values: Result<Vec<Value>, String> = values.into_iter().map(|value| parameter(&key, value)).collect();
        given.push((at, key, values.map_err(|problem| (at, problem))?));
    }
    let spec = spec.ok_or_else(|| (at, "`[[estimate]]` needs `estimator`, the name of one".to_owned()))?;
    // Key by key first, so that the line of the one to blame is known.
    for (at, key, values) in &given {
        Request::check(spec, key, values).map_err(|e| (*at, e.to_string()))?;
    }
    let values = given.into_iter().map(|(_, key, values)| (key, values)).collect();
    Request::all(spec, values, bounds).map_err(|e| (at, e.to_string()))
}
