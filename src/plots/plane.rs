//! The information plane: its axes, and the lines and dots in it.

use kuva::plot::{LinePlot, ScatterPlot};

use super::axes::Axis;
use super::canvas::TimeColours;
use super::sheet::Panel;
use super::timeline::{AtSnapshot, Timeline};
use crate::layer_id::LayerId;
use crate::store::schema::{EstimateRow, SummaryRow};

/// I(X;T) and I(T;Y) in bits.
pub(super) type Point = (f64, f64);

/// A row of a table that is a point of the plane.
pub(super) trait InPlane: AtSnapshot {
    fn layer(&self) -> LayerId;
    /// `None` without an estimate of both.
    fn point(&self) -> Option<Point>;
    /// The largest possible values of the two coordinates.
    fn ceilings(&self) -> [Option<f64>; 2];
}

impl InPlane for SummaryRow {
    fn layer(&self) -> LayerId {
        self.layer
    }

    fn point(&self) -> Option<Point> {
        self.i_xt_bits_mean.zip(self.i_ty_bits_mean)
    }

    fn ceilings(&self) -> [Option<f64>; 2] {
        [self.i_xt_ceiling_bits, self.i_ty_ceiling_bits]
    }
}

impl InPlane for EstimateRow {
    fn layer(&self) -> LayerId {
        self.layer
    }

    fn point(&self) -> Option<Point> {
        self.i_xt_bits.zip(self.i_ty_bits)
    }

    fn ceilings(&self) -> [Option<f64>; 2] {
        [self.i_xt_ceiling_bits, self.i_ty_ceiling_bits]
    }
}

/// The two axes of a plane.
#[derive(Debug, Clone)]
pub(super) struct PlaneAxes {
    pub(super) x: Axis,
    pub(super) y: Axis,
}

impl PlaneAxes {
    /// Axes from 0, or the smallest value if that is negative, to the largest values of `points`.
    pub(super) fn around(points: &[Point]) -> Self {
        let x = Axis::from_zero("I(X;T) (bits)", points.iter().map(|point| point.0));
        Self { x, y: Axis::from_zero("I(T;Y) (bits)", points.iter().map(|point| point.1)) }
    }

    /// Axes up to the ceilings of `rows`, or to the largest estimates if these are larger.
    pub(super) fn whole<R: InPlane>(rows: &[R]) -> Self {
        Self::around(&Self::corners(rows))
    }

    /// The points of `rows` and their ceilings.
    pub(super) fn corners<R: InPlane>(rows: &[R]) -> Vec<Point> {
        let corner = |row: &R| row.ceilings().map(Option::unwrap_or_default).into();
        rows.iter().filter_map(InPlane::point).chain(rows.iter().map(corner)).collect()
    }

    /// An empty panel with these axes.
    pub(super) fn panel(self, title: impl Into<String>) -> Panel {
        Panel::new(title, self.x, self.y)
    }
}

/// The points of `rows` in the order of their snapshots and layers.
pub(super) fn sorted<'a, R: InPlane>(rows: impl IntoIterator<Item = &'a R>) -> Vec<(&'a R, Point)> {
    let mut points: Vec<(&R, Point)> = rows.into_iter().filter_map(|row| Some((row, row.point()?))).collect();
    points.sort_by_key(|(row, _)| (row.snapshot(), row.layer()));
    points
}

/// Draws a line through `points`.
pub(super) fn draw_line(panel: &mut Panel, points: Vec<Point>, colour: &str, width: f64) {
    panel.plots.push(LinePlot::new().with_data(points).with_color(colour).with_stroke_width(width).into());
}

/// Draws dots at `points`.
pub(super) fn draw_dots(panel: &mut Panel, points: Vec<Point>, colour: &str, size: f64) {
    panel.plots.push(ScatterPlot::new().with_data(points).with_color(colour).with_size(size).into());
}

/// Draws a thin line through the layers for every snapshot of `rows`, and dots of `size`, coloured by time.
pub(super) fn draw_snapshots<'a, R: InPlane + 'a>(
    panel: &mut Panel,
    rows: impl IntoIterator<Item = &'a R>,
    timeline: &Timeline,
    colours: &TimeColours,
    size: f64,
) {
    let rows: Vec<&R> = rows.into_iter().collect();
    draw_layers_at_each_time(panel, rows.iter().copied(), timeline, colours);
    draw_dots_in_time(panel, rows, timeline, colours, size);
}

/// Draws a thin line through the layers for every snapshot of `rows`, coloured by time.
pub(super) fn draw_layers_at_each_time<'a, R: InPlane + 'a>(
    panel: &mut Panel,
    rows: impl IntoIterator<Item = &'a R>,
    timeline: &Timeline,
    colours: &TimeColours,
) {
    const THIN: f64 = 0.3;
    let points = sorted(rows);
    for snapshot in points.chunk_by(|a, b| a.0.snapshot() == b.0.snapshot()) {
        let path = snapshot.iter().map(|(_, point)| *point).collect();
        draw_line(panel, path, &colours.at(timeline.time(snapshot[0].0.snapshot())), THIN);
    }
}

/// Draws a dot of `size` for each of `rows`, coloured by time.
pub(super) fn draw_dots_in_time<'a, R: InPlane + 'a>(
    panel: &mut Panel,
    rows: impl IntoIterator<Item = &'a R>,
    timeline: &Timeline,
    colours: &TimeColours,
    size: f64,
) {
    let points = sorted(rows);
    let colour = |row: &R| colours.at(timeline.time(row.snapshot()));
    let dots = ScatterPlot::new().with_data(points.iter().map(|(_, point)| *point)).with_size(size);
    panel.plots.push(dots.with_colors(points.iter().map(|(row, _)| colour(row)).collect::<Vec<_>>()).into());
}
