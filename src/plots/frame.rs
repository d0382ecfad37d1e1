//! One frame of an animation: the information plane with the curves of the layers up to a snapshot, and below it the accuracy or loss.
//!
//! # Reference
//! The animations of Shwartz-Ziv & Tishby 2017: the plane above, the accuracy below.

use kuva::render::annotations::ReferenceLine;

use super::PlotError;
use super::axes::Axis;
use super::canvas::{BLACK, GREY, layer_colour, layer_name, pixels};
use super::marks::Path;
use super::measures::{MEASURES, Measure};
use super::plane::{InPlane, PlaneAxes, Point, draw_dots, draw_line, sorted};
use super::series::{curve, has_curve, layers, line, values};
use super::sheet::{Mark, Panel, Sheet};
use super::timeline::{AtSnapshot, EpochStep, Timeline};
use crate::count::counted;
use crate::layer_id::LayerId;
use crate::store::schema::SummaryRow;

/// Width and height of a panel. A frame is 770 pixels wide, as wide as a column of a web page.
const SIZE: (f64, f64) = (742.0, 340.0);

/// Pixels per unit: frames are looked at on a screen, and there are many.
const SCALE: f32 = 1.0;

/// One frame of an animation.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// PNG.
    pub png: Vec<u8>,
}

/// The frame at the recorded `step`, of `rows`, the summary of one estimator. All frames of one summary have one size and the same
/// axes.
///
/// # Errors
/// There is no mean of I(X;T), or the library cannot draw.
pub fn frame(rows: &[SummaryRow], step: i64) -> Result<Frame, PlotError> {
    let Some(now) = rows.iter().find(|row| row.snapshot().1 == step) else {
        return Err(PlotError::Nothing("summary of this snapshot"));
    };
    if rows.iter().all(|row| row.point().is_none()) {
        return Err(PlotError::Nothing("mean of I(X;T): every estimate failed, or has none"));
    }
    let timeline = Timeline::new(rows);
    let layers = layers(rows.iter().map(|row| row.layer));
    let mut panels = vec![plane(rows, &layers, now.snapshot())];
    panels.extend(fit(rows, now.snapshot(), &timeline));
    let sheet = Sheet {
        title: timeline.name(now.snapshot()),
        subtitle: format!("{}: {}, mean over {}", now.experiment, now.estimator, counted(now.n_runs, "run")),
        columns: 1,
        size: SIZE,
        panels,
        ..Sheet::default()
    };
    Ok(Frame { png: pixels(sheet.scene(), SCALE)? })
}

/// The recorded steps that an animation of `n` frames shows, which are evenly spaced over the logarithm of the epoch: each with the
/// number of its frames. A frame shows the last snapshot at or before its time; the first and the last snapshot are always shown.
pub fn schedule(rows: &[SummaryRow], n: usize) -> Vec<(i64, usize)> {
    let timeline = Timeline::new(rows);
    let mut snapshots: Vec<EpochStep> = rows.iter().map(AtSnapshot::snapshot).collect();
    snapshots.sort_unstable();
    snapshots.dedup();
    let (Some(first), Some(last)) = (snapshots.first(), snapshots.last()) else { return Vec::new() };
    let place = |snapshot: &EpochStep| timeline.place(*snapshot).ln();
    let (start, end) = (place(first), place(last));
    let mut shown: Vec<(i64, usize)> = Vec::new();
    for frame in 1..=n {
        let time = start + (end - start) * (frame - 1) as f64 / (n.max(2) - 1) as f64;
        // By its number, because rounding may leave the time of the last frame before the last snapshot.
        let passed =
            if frame == n { snapshots.len() } else { snapshots.partition_point(|snapshot| place(snapshot) <= time) };
        let step = snapshots[passed.max(1) - 1].1;
        match shown.last_mut() {
            Some((other, frames)) if *other == step => *frames += 1,
            _ => shown.push((step, 1)),
        }
    }
    shown
}

/// The curve of each layer up to `now`, and a line through the layers at `now` with their names.
fn plane(rows: &[SummaryRow], layers: &[LayerId], now: EpochStep) -> Panel {
    let mut panel = PlaneAxes::whole(rows).panel("");
    let mut ends: Vec<(Point, LayerId)> = Vec::new();
    for layer in layers {
        let until_now = rows.iter().filter(|row| row.layer == *layer && row.snapshot() <= now);
        let path = sorted(until_now);
        let Some((row, end)) = path.last() else { continue };
        let name = layer_name(*layer, row.layer_name.as_deref(), layers[layers.len() - 1]);
        let points: Vec<Point> = path.iter().map(|(_, point)| *point).collect();
        ends.push((*end, *layer));
        draw_line(&mut panel, points.clone(), layer_colour(*layer), 1.0);
        panel.paths.push(Path { name, points });
    }
    draw_line(&mut panel, ends.iter().map(|(point, _)| *point).collect(), GREY, 1.0);
    let last = layers.last().map_or(0, |layer| layer.index());
    for (point, layer) in &ends {
        // Points of the first layers often coincide: those of lower layers are larger, so that a rim of each is visible.
        draw_dots(&mut panel, vec![*point], layer_colour(*layer), 5.0 + 0.8 * (last - layer.index()) as f64);
    }
    panel
}

/// The last of the measures that was recorded (the accuracy if there are classes), with a line at `now`.
fn fit(rows: &[SummaryRow], now: EpochStep, timeline: &Timeline) -> Option<Panel> {
    let Measure { label, train: (train, _), test: (test, _), .. } =
        MEASURES.iter().rev().find(|measure| has_curve(rows, measure.train.0))?;
    let (train, test) = (*train, *test);
    let heights = values(rows, train).chain(values(rows, test));
    let label = if has_curve(rows, test) { format!("{label}; dashed: test") } else { (*label).to_owned() };
    let mut panel = Panel::new("", timeline.axis(), Axis::over(&label, heights));
    let layer = rows.first()?.layer;
    let lines = [(train, BLACK, Mark::Solid), (test, GREY, Mark::Dashed)];
    let drawn = |(column, colour, mark)| line(curve(rows, layer, column, timeline), colour, mark);
    panel.plots = lines.into_iter().filter_map(drawn).collect();
    panel.lines = vec![ReferenceLine::vertical(timeline.place(now)).with_color(layer_colour(LayerId::FIRST))];
    Some(panel)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plots::tests::summary_row;

    fn shown(epochs: &[i32], n: usize) -> Vec<(i64, usize)> {
        let row = |epoch: &i32| SummaryRow { epoch: *epoch, step: Some(i64::from(*epoch)), ..summary_row() };
        schedule(&epochs.iter().map(row).collect::<Vec<_>>(), n)
    }

    #[test]
    fn frames_are_evenly_spaced_over_the_logarithm_of_the_epoch() {
        let epochs: Vec<i32> = (1..=10_000).collect();
        let steps: Vec<i64> = shown(&epochs, 5).into_iter().map(|(step, _)| step).collect();
        assert_eq!(steps, [1, 10, 100, 1000, 10_000]);
    }

    #[test]
    fn a_snapshot_is_shown_until_the_next_one() {
        // 1, 10, 100 …: three times of six are before epoch 1000.
        assert_eq!(shown(&[1, 1000, 100_000], 6), [(1, 3), (1000, 2), (100_000, 1)]);
        for n in [1, 2, 7, 120] {
            let shown = shown(&[0, 1, 2, 5], n);
            assert_eq!(shown.iter().map(|(_, frames)| frames).sum::<usize>(), n, "play time");
            assert_eq!(shown.last().map(|(step, _)| *step), Some(5));
        }
        assert_eq!(shown(&[0, 5], 2), [(0, 1), (5, 1)]);
        assert!(shown(&[], 3).is_empty());
    }
}
