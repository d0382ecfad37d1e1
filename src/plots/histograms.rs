//! The histogram of the activations of every layer, snapshot by snapshot: it shows whether they saturate.
//!
//! # Reference
//! Saxe et al. 2018, Figs 16 and 17. Deviation: the shade is logarithmic in the share, so that rare values are visible next to
//! saturated ones.

use super::axes::{Axis, Tick};
use super::canvas::{Bar, layer_name};
use super::sheet::{Cell, Panel, Sheet, columns};
use super::timeline::{AtSnapshot, Timeline};
use super::{Histogram, Picture, PlotError, Spec, Subject, Table, Tables};

pub(super) const SPEC: Spec = Spec {
    name: "histograms",
    summary: "histogram of the activations of each layer against the epoch, first run",
    subject: Subject::Experiment,
    needs: &[Table::Activations],
    uses: &[Table::Summary],
    draw,
};

/// The smallest share that has a shade of its own.
const LEAST: f64 = 1e-3;
/// Shares and their labels on the scale of shades, from the largest.
pub(crate) const SHARE_TICKS: [(f64, &str); 4] = [(1.0, "100 %"), (0.1, "10 %"), (0.01, "1 %"), (LEAST, "≤ 0.1 %")];
/// Red, green and blue of the largest share; a share of 0 is white.
const DARKEST: [f64; 3] = [8.0, 29.0, 88.0];

fn draw(tables: Tables<'_>) -> Result<Picture, PlotError> {
    let Some(last) = tables.histograms.last() else {
        return Err(PlotError::Missing(Table::Activations));
    };
    let by_layer = tables.histograms.chunk_by(|a, b| a.layer == b.layer);
    let panels: Vec<Panel> = by_layer.map(|snapshots| panel(snapshots, &name_of(&snapshots[0], last))).collect();
    let name = tables.summary.first().map_or("", |row| row.experiment.as_str());
    let sheet = Sheet {
        title: format!("{name}: activations by epoch, first run"),
        subtitle: "all units of a layer together".to_owned(),
        columns: columns(panels.len()),
        size: (370.0, 310.0),
        panels,
        bar: Some(bar()),
        ..Sheet::default()
    };
    sheet.draw()
}

fn name_of(histogram: &Histogram, last: &Histogram) -> String {
    layer_name(histogram.layer, histogram.layer_name.as_deref(), last.layer)
}

fn panel(snapshots: &[Histogram], name: &str) -> Panel {
    let ends = snapshots.iter().flat_map(|snapshot| [snapshot.low, snapshot.high]);
    let y = Axis::over("activation", ends);
    let timeline = Timeline::new(snapshots);
    let mut panel = Panel::new(name, timeline.axis(), y);
    let places: Vec<f64> = snapshots.iter().map(|histogram| timeline.place(histogram.snapshot())).collect();
    panel.cells =
        snapshots.iter().enumerate().flat_map(|(i, snapshot)| column(snapshot, stretch(&places, i))).collect();
    panel
}

/// From the middle between a snapshot and the one before to the middle between it and the next, on a logarithmic axis.
fn stretch(places: &[f64], i: usize) -> (f64, f64) {
    let here = places[i];
    let middle = |other: &f64| (here * other).sqrt();
    let before = i.checked_sub(1).and_then(|last| places.get(last)).map(middle);
    let after = places.get(i + 1).map(middle);
    // The first and the last snapshot are as wide on the outside as on the inside, within the margin of the axis.
    let mirrored = |end: f64| here * here / end;
    let left = before.unwrap_or_else(|| after.map_or(0.0, mirrored).max(0.9 * here));
    let right = after.unwrap_or_else(|| before.map_or(f64::INFINITY, mirrored).min(1.1 * here));
    (left, right)
}

fn column(snapshot: &Histogram, x: (f64, f64)) -> Vec<Cell> {
    let width = (snapshot.high - snapshot.low) / snapshot.shares.len() as f64;
    let cell = |(bin, share): (usize, &f64)| {
        let low = snapshot.low + bin as f64 * width;
        (*share > 0.0).then(|| Cell { x, y: (low, low + width), colour: shade(position(*share)) })
    };
    snapshot.shares.iter().enumerate().filter_map(cell).collect()
}

/// The position of `share` on the bar, from 0 to 1.
fn position(share: f64) -> f64 {
    (1.0 - share.max(LEAST).ln() / LEAST.ln()).clamp(0.0, 1.0)
}

/// From nearly white to dark blue. A share that is not 0 differs from white.
fn shade(position: f64) -> String {
    const FAINTEST: f64 = 0.06;
    let depth = FAINTEST + (1.0 - FAINTEST) * position;
    let channel = |dark: f64| (255.0 + (dark - 255.0) * depth).round() as u8;
    let [red, green, blue] = DARKEST.map(channel);
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn bar() -> Bar {
    let ticks = SHARE_TICKS.map(|(share, label)| Tick { position: position(share), label: label.to_owned() });
    Bar { title: "share".to_owned(), ticks: ticks.into(), colour: shade }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_fill_the_axis_without_gaps() {
        let places = [0.45, 1.0, 4.0];
        let stretches: Vec<(f64, f64)> = (0..3).map(|i| stretch(&places, i)).collect();
        assert!(stretches.windows(2).all(|pair| pair[0].1 == pair[1].0), "{stretches:?}");
        assert!(stretches.iter().zip(places).all(|((left, right), here)| *left < here && here < *right));
        let (left, right) = stretch(&[7.0], 0);
        assert!(left < 7.0 && 7.0 < right);
    }

    #[test]
    fn more_is_darker() {
        assert_eq!(shade(position(1.0)), "#081d58");
        assert!(position(0.5) < position(0.6) && position(1e-9) == 0.0);
        assert_ne!(shade(0.0), "#ffffff");
    }
}
