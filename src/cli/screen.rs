//! The results of an experiment or a sweep on one screen of 80 columns: a headline, one table of verdicts, and the information
//! plane as text.

use std::cmp::Ordering;

use super::table::{Heading, fitted, or_dash, paragraph, shortened};
use super::verdicts::verdicts;
use crate::count::counted;
use crate::estimate_id::Pool;
use crate::layer_id::LayerId;
use crate::math::unique::unique;
use crate::stages::summary::{Point, Summary};
use crate::store::schema::{ClaimRow, CompressionRow};
use crate::store::{ClaimVerdict, CompressionVerdict, layer_in_cell, layer_in_words};

/// Columns of a screen if no terminal reports its own.
pub(super) const COLUMNS: usize = 80;
/// More rows would push the headline off the screen; `--all` prints all of them.
const MOST_EXPERIMENTS: usize = 16;
const MOST_ESTIMATES: usize = 6;
/// More layers than this are counted in the headline, not listed.
const MOST_LAYERS: usize = 6;

/// The estimates of one experiment.
type Estimates<'a> = &'a [Summary];

/// The result of an experiment or a sweep called `name`: how many networks there are, which layers compress, and how many
/// claims hold and fail.
pub(super) fn headline(name: &str, found: &[Summary], claims: &[ClaimRow]) -> String {
    let experiments: Vec<Estimates<'_>> = by_experiment(found).collect();
    let parts = match experiments.as_slice() {
        [] => vec!["no estimates".to_owned()],
        [only] => vec![networks(only), compression(shown(only))],
        several => vec![
            format!("{}, {}", counted(several.len(), "experiment"), networks_each(several)),
            compression_of_several(several),
        ],
    };
    let claims = (!claims.is_empty()).then(|| counts(claims));
    format!("{name}: {}", parts.into_iter().chain(claims).collect::<Vec<_>>().join("; "))
}

/// The screen of `summary`, without a final list of other commands.
pub(super) fn screen(name: &str, found: &[Summary], claims: &[ClaimRow], width: Option<usize>) -> String {
    let width = width.unwrap_or(COLUMNS);
    let headline = paragraph(&headline(&shortened(name, width.saturating_sub(2)), found, claims), 2, Some(width));
    let experiments: Vec<Estimates<'_>> = by_experiment(found).collect();
    let results = match experiments.as_slice() {
        [] => String::new(),
        [only] => results(only, width),
        several => {
            let shown = several.iter().map(|estimates| shown(estimates));
            let rows: Vec<_> = shown.map(|summary| (summary.experiment.clone(), summary)).collect();
            verdicts("experiment", &rows, MOST_EXPERIMENTS, width)
        }
    };
    format!("{headline}\n\n{results}")
}

fn by_experiment(found: &[Summary]) -> impl Iterator<Item = Estimates<'_>> {
    found.chunk_by(|a, b| a.experiment == b.experiment)
}

/// The estimate that the screen shows: the middle scale of the first estimator with points in the information plane, because fine
/// scales are saturated and coarse ones see little.
fn shown(estimates: Estimates<'_>) -> &Summary {
    let with_plane = || estimates.iter().filter(|summary| !summary.plane.is_empty());
    let Some(first) = with_plane().next() else { return &estimates[0] };
    let at_all_scales = first.estimator.at_all_scales();
    let mut scales: Vec<&Summary> =
        with_plane().filter(|summary| summary.estimator.at_all_scales() == at_all_scales).collect();
    let scale = |summary: &Summary| summary.estimator.estimator.scale.as_ref().and_then(|scale| scale.value);
    scales.sort_by(|a, b| scale(a).partial_cmp(&scale(b)).unwrap_or(Ordering::Equal));
    scales[(scales.len() - 1) / 2]
}

fn n_runs(estimates: Estimates<'_>) -> i32 {
    estimates.iter().flat_map(|summary| &summary.layers).map(|row| row.n_runs).max().unwrap_or(0)
}

fn networks(estimates: Estimates<'_>) -> String {
    let runs = match shown(estimates).estimator.pool {
        Pool::Runs => "all networks pooled".to_owned(),
        _ => counted(n_runs(estimates), "network"),
    };
    let most = |number: fn(&Summary) -> Option<i64>| estimates.iter().filter_map(number).max().filter(|n| *n > 0);
    let remarks = [
        most(|summary| summary.n_trainings_failed).map(|n| format!("{} failed", counted(n, "training"))),
        most(|summary| summary.n_trainings_degenerate).map(|n| format!("{n} no better than guessing")),
    ];
    let remarks: Vec<String> = remarks.into_iter().flatten().collect();
    if remarks.is_empty() { runs } else { format!("{runs} ({})", remarks.join(", ")) }
}

fn networks_each(experiments: &[Estimates<'_>]) -> String {
    let numbers = || experiments.iter().map(|estimates| n_runs(estimates));
    let (least, most) = (numbers().min().unwrap_or(0), numbers().max().unwrap_or(0));
    match least == most {
        true => format!("{} each", counted(most, "network")),
        false => format!("{least} to {} each", counted(most, "network")),
    }
}

fn compresses(row: &&CompressionRow) -> bool {
    row.verdict == CompressionVerdict::Compresses
}

fn compression(summary: &Summary) -> String {
    let layers: Vec<String> = summary
        .layers
        .iter()
        .filter(compresses)
        .map(|row| layer_in_words(row.layer, row.layer_name.as_deref()))
        .collect();
    let place = match layers.as_slice() {
        [] => "no layer".to_owned(),
        [only] => only.clone(),
        [first @ .., last] if layers.len() <= MOST_LAYERS => format!("{} and {last}", first.join(", ")),
        _ => format!("{} of {}", layers.len(), counted(summary.layers.len(), "layer")),
    };
    format!("compression in {place} ({})", summary.estimator)
}

fn compression_of_several(experiments: &[Estimates<'_>]) -> String {
    let shown: Vec<&Summary> = experiments.iter().map(|estimates| shown(estimates)).collect();
    let n = shown.iter().filter(|summary| summary.layers.iter().any(|row| compresses(&row))).count();
    let estimators = unique(shown.iter().map(|summary| summary.estimator.to_string()));
    let estimators = match estimators.as_slice() {
        [only] => format!(" ({only})"),
        _ => String::new(),
    };
    format!("compression in at least one layer of {n} of them{estimators}")
}

/// How many claims hold, fail and are undecided: `12 of 13 claims hold, 1 fails`.
fn counts(claims: &[ClaimRow]) -> String {
    let n = |verdict: ClaimVerdict| claims.iter().filter(|row| row.verdict == verdict).count();
    let [holding, failing, undecided] = [ClaimVerdict::Holds, ClaimVerdict::Fails, ClaimVerdict::Undecided].map(n);
    let mut text = format!("{holding} of {} claims {}", claims.len(), verb(holding, "holds", "hold"));
    if failing > 0 {
        text.push_str(&format!(", {failing} {}", verb(failing, "fails", "fail")));
    }
    if undecided > 0 {
        text.push_str(&format!(", {undecided} {} undecided", verb(undecided, "is", "are")));
    }
    text
}

fn verb<'a>(n: usize, singular: &'a str, plural: &'a str) -> &'a str {
    if n == 1 { singular } else { plural }
}

/// The table of the layers and the plane of the estimate that is shown, and the verdicts of the other estimates.
fn results(estimates: Estimates<'_>, width: usize) -> String {
    let summary = shown(estimates);
    let mut parts = vec![layers(summary, width)];
    let others: Vec<(String, &Summary)> = estimates
        .iter()
        .filter(|other| other.estimator != summary.estimator)
        .map(|other| (other.estimator.to_string(), other))
        .collect();
    if !others.is_empty() {
        parts.push(verdicts("other estimates", &others, MOST_ESTIMATES, width));
    }
    if !summary.plane.is_empty() {
        parts.push(plane(summary, 10));
    }
    parts.join("\n")
}

/// The columns of the table of layers.
const OF_LAYERS: [Heading<'_>; 6] = [
    Heading::kept("layer"),
    Heading::optional("peak I(X;T)", 2),
    Heading::optional("peak epoch", 0),
    Heading::optional("final I(X;T)", 1),
    Heading::kept("compression"),
    Heading::kept("verdict"),
];

fn layers(summary: &Summary, width: usize) -> String {
    let row = |row: &CompressionRow| {
        vec![
            layer_in_cell(row.layer, row.layer_name.as_deref()),
            or_dash(row.i_xt_peak_bits_mean, bits),
            or_dash(row.i_xt_peak_epoch_median, |epoch| epoch.to_string()),
            or_dash(row.i_xt_end_bits_mean, bits),
            with_margin(row),
            word(row.verdict).to_owned(),
        ]
    };
    let title = format!("{}; I(X;T) in bits; compression ± half of its 95 % interval", summary.estimator);
    let table = fitted(&OF_LAYERS, summary.layers.iter().map(row), Some(width), "--all | cat");
    format!("{}\n{table}", paragraph(&title, 2, Some(width)))
}

/// The mean compression with half of its 95 % interval, which is symmetric.
fn with_margin(row: &CompressionRow) -> String {
    match (row.compression_bits_mean, row.compression_bits_low, row.compression_bits_high) {
        (Some(mean), Some(low), Some(high)) => format!("{} ± {}", bits(mean), bits((high - low) / 2.0)),
        (mean, ..) => or_dash(mean, bits),
    }
}

/// A number of bits with two decimals; a zero has no sign.
fn bits(number: f64) -> String {
    let text = format!("{number:.2}");
    if text == "-0.00" { "0.00".to_owned() } else { text }
}

/// A verdict in a narrow column.
fn word(verdict: CompressionVerdict) -> &'static str {
    match verdict {
        CompressionVerdict::Compresses => "compresses",
        CompressionVerdict::DoesNot => "does not compress",
        CompressionVerdict::Undecided => "undecided",
        CompressionVerdict::Saturated => "saturated",
        CompressionVerdict::Contradicted => "contradicted",
    }
}

/// Columns of the plane, without its axis.
const PLANE_COLUMNS: usize = 64;

/// The information plane: the path of every layer as dots, its last point as a digit.
pub(super) fn plane(summary: &Summary, n_rows: usize) -> String {
    let largest = |number: fn(&Point) -> f64, ceiling: Option<f64>| {
        summary.plane.iter().map(number).chain(ceiling).fold(f64::MIN_POSITIVE, f64::max)
    };
    let (x_max, y_max) = (largest(|p| p.i_xt_bits, summary.ceilings[0]), largest(|p| p.i_ty_bits, summary.ceilings[1]));
    let mut cells = vec![[' '; PLANE_COLUMNS]; n_rows];
    let position =
        |bits: f64, largest: f64, n: usize| ((bits / largest * (n - 1) as f64).round().max(0.0) as usize).min(n - 1);
    let mut draw = |point: &Point, sign: char| {
        cells[n_rows - 1 - position(point.i_ty_bits, y_max, n_rows)][position(point.i_xt_bits, x_max, PLANE_COLUMNS)] =
            sign;
    };
    summary.plane.iter().for_each(|point| draw(point, '·'));
    let last_points = summary.plane.chunk_by(|a, b| a.layer == b.layer).filter_map(|of_layer| of_layer.last());
    last_points.for_each(|point| draw(point, digit(point.layer)));
    let mut text = paragraph(&format!("I(T;Y), bits; {}", key(summary)), 2, Some(COLUMNS));
    text.push('\n');
    for (row, cells) in cells.iter().enumerate() {
        let label = match row {
            0 => format!("{y_max:.2}"),
            row if row + 1 == n_rows => "0".to_owned(),
            _ => String::new(),
        };
        let cells: String = cells.iter().collect();
        text.push_str(&format!("{label:>6} │{}\n", cells.trim_end()));
    }
    text.push_str(&format!("       └{}\n", "─".repeat(PLANE_COLUMNS)));
    let (name, largest) = ("I(X;T), bits", format!("{x_max:.2}"));
    text.push_str(&format!("        0{name:^width$}{largest}\n", width = PLANE_COLUMNS - 1 - largest.len()));
    text
}

/// The character of a layer in the plane.
fn digit(layer: LayerId) -> char {
    char::from_digit((layer.index() % 36) as u32, 36).unwrap_or('?')
}

/// Which digit stands for which layer, for layers that have a name.
fn key(summary: &Summary) -> String {
    let has_other_name =
        |row: &&CompressionRow| layer_in_cell(row.layer, row.layer_name.as_deref()) != row.layer.to_string();
    let named = summary.layers.iter().filter(has_other_name);
    let named: Vec<String> = named
        .map(|row| format!("{} is {}", digit(row.layer), layer_in_words(row.layer, row.layer_name.as_deref())))
        .collect();
    match named.is_empty() {
        true => "a digit marks the last epoch of its layer".to_owned(),
        false => format!("a digit marks the last epoch of its layer ({})", named.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rounded_zero_has_no_sign() {
        assert_eq!([bits(-0.001), bits(0.0), bits(-0.006), bits(11.995)], ["0.00", "0.00", "-0.01", "11.99"]);
    }
}
