//! Claims of the pipelines: a number can contradict each of them, and a number can confirm it.

use std::f64::consts::LN_2;
use std::fs;

use toml::{Table, Value};

use super::source::{assert_none, root};

/// What the numbers of a quantity can be, from the data set's 4096 patterns or 10 000 images.
fn range(quantity: &str, estimate: &str, data: &str) -> (f64, f64) {
    let (n_samples, n_classes): (f64, f64) = if data == "mnist" { (10_000.0, 10.0) } else { (4096.0, 2.0) };
    let is_density = estimate.starts_with("linear") || quantity == "h_t";
    match quantity {
        _ if is_density => (if quantity == "h_t" { f64::NEG_INFINITY } else { 0.0 }, f64::INFINITY),
        "i_xt" | "i_xt_null" => (0.0, n_samples.ln() / LN_2),
        "i_ty" | "i_ty_null" | "bound_gap" => (0.0, n_classes.ln() / LN_2),
        "accuracy_train" | "accuracy_test" | "atom_share" | "distinct_share" => (0.0, 1.0),
        _ => (0.0, f64::INFINITY),
    }
}

/// What a measure of such numbers can be.
fn measured(measure: &Value, (low, high): (f64, f64)) -> (f64, f64) {
    let name = measure.as_str().or_else(|| measure.as_table()?.keys().next().map(String::as_str)).unwrap();
    match name {
        "start" | "end" | "peak" | "trough" | "at" => (low, high),
        "drop" | "climb" => (0.0, high - low),
        "rise" | "change" => (low - high, high - low),
        "peak_epoch" | "first_above" | "first_below" => (0.0, f64::INFINITY),
        _ => panic!("what can `{name}` be?"),
    }
}

/// The numbers that a claim wants.
fn wanted(claim: &Table) -> (f64, f64) {
    let number = |key: &str| {
        let value = claim.get(key)?;
        value.as_float().or_else(|| value.as_integer().map(|n| n as f64))
    };
    match (number("above"), number("below"), number("near")) {
        (Some(above), None, None) => (above, f64::INFINITY),
        (None, Some(below), None) => (f64::NEG_INFINITY, below),
        (None, None, Some(near)) => (near - number("within").unwrap(), near + number("within").unwrap()),
        _ => panic!("{claim}"),
    }
}

#[test]
fn every_claim_of_a_pipeline_can_hold_and_can_fail() {
    let (mut found, mut n_claims) = (Vec::new(), 0);
    for entry in fs::read_dir(root().join("pipelines")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "toml") {
            continue;
        }
        let pipeline: Table = fs::read_to_string(&path).unwrap().parse().unwrap();
        let data = pipeline["data"]["name"].as_str().unwrap();
        for claim in pipeline.get("expect").and_then(Value::as_array).into_iter().flatten() {
            let claim = claim.as_table().unwrap();
            let text = |key: &str| claim.get(key).and_then(Value::as_str).unwrap_or_default();
            // The other number of a difference can be larger.
            let (least, most) = match claim.contains_key("minus") {
                true => (f64::NEG_INFINITY, f64::INFINITY),
                false => measured(&claim["measure"], range(text("quantity"), text("estimate"), data)),
            };
            let (low, high) = wanted(claim);
            let (can_fail, can_hold) = (low > least || high < most, low < most && high > least);
            if !(can_fail && can_hold) {
                found.push(format!("{}: {}, of {least} to {most}", path.display(), text("claim")));
            }
            n_claims += 1;
        }
    }
    assert!(n_claims > 150, "{n_claims}");
    assert_none(&found, "a claim can hold and can fail");
}
