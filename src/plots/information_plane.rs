//! The information plane: the path of every layer in the mean over runs, coloured by epoch; for every recorded snapshot a thin
//! line through the layers; and small dots for single runs if they are few.
//!
//! # Reference
//! Shwartz-Ziv & Tishby 2017, Fig. 3. Deviation: the colour is logarithmic in the epoch, as the recorded epochs are; theirs
//! is linear, so that the whole fitting phase has one colour.

use kuva::plot::ScatterPlot;

use super::axes::is_nearly_reached;
use super::canvas::{TimeColours, layer_colour, layer_name, pale};
use super::marks::{At, Limit, Path};
use super::plane::{InPlane, PlaneAxes, Point, draw_dots_in_time, draw_layers_at_each_time, draw_line, sorted};
use super::series::{Column, layers, values};
use super::sheet::{Panel, Sheet};
use super::single;
use super::timeline::Timeline;
use super::{Picture, PlotError, Spec, Subject, Table, Tables};
use crate::count::counted;
use crate::store::schema::SummaryRow;

pub(super) const SPEC: Spec = Spec {
    name: "information-plane",
    summary: "I(T;Y) against I(X;T): the path of every layer, mean over runs, with small dots for single runs if there are fewer than five",
    subject: Subject::Estimator,
    needs: &[Table::Summary],
    uses: &[Table::Estimates],
    draw,
};

fn draw(tables: Tables<'_>) -> Result<Picture, PlotError> {
    let rows = tables.summary;
    let drawn = rows.iter().filter(|row| row.point().is_some());
    let Some(first) = drawn.clone().next() else {
        return Err(PlotError::Nothing("mean of I(X;T): all estimates failed, or the estimator has no I(X;T)"));
    };
    let timeline = Timeline::new(drawn.clone());
    let colours = TimeColours::new([&timeline]);
    let n_runs = rows.iter().map(|row| row.n_runs).max().unwrap_or(0);
    let single = if single::are_drawn(n_runs) { tables.estimates } else { &[] };
    let points: Vec<Point> =
        drawn.clone().filter_map(InPlane::point).chain(single.iter().filter_map(InPlane::point)).collect();
    let limits = Limits::of(rows, &points);
    let mut panel = PlaneAxes::around(&[points, limits.drawn()].concat()).panel("");
    panel.limits = limits.named();
    draw_dots_in_time(&mut panel, single, &timeline, &colours, 0.9);
    draw_layers_at_each_time(&mut panel, drawn.clone(), &timeline, &colours);
    let paths = paths(rows);
    for (path, colour) in &paths {
        draw_line(&mut panel, path.points.clone(), colour, 7.0);
    }
    draw_dots_in_time(&mut panel, drawn, &timeline, &colours, 1.9);
    draw_ends(&mut panel, rows);
    panel.paths = paths.into_iter().map(|(path, _)| path).collect();
    let small = if single.is_empty() { "" } else { "; small dots: single runs" };
    let sheet = Sheet {
        title: format!("{}: information plane, mean over {}", first.experiment, counted(n_runs, "run")),
        subtitle: format!("{}; rings: last {}{small}", first.estimator, timeline.label()),
        columns: 1,
        size: (790.0, 560.0),
        panels: vec![panel],
        bar: Some(colours.bar()),
        ..Sheet::default()
    };
    sheet.draw()
}

/// The path of every layer and its pale colour.
fn paths(rows: &[SummaryRow]) -> Vec<(Path, String)> {
    const PALE: f64 = 0.4;
    let layers = layers(rows.iter().map(|row| row.layer));
    let Some(last) = layers.last().copied() else { return Vec::new() };
    let mut paths = Vec::new();
    for layer in layers {
        let here = sorted(rows.iter().filter(|row| row.layer == layer));
        let Some((row, _)) = here.first() else { continue };
        let name = layer_name(layer, row.layer_name.as_deref(), last);
        let points = here.iter().map(|(_, point)| *point).collect();
        paths.push((Path { name, points }, pale(layer_colour(layer), PALE)));
    }
    paths
}

/// A ring at the end of every path; rings at the same place are inside each other.
fn draw_ends(panel: &mut Panel, rows: &[SummaryRow]) {
    /// Distance of two ends that are at the same place, as a share of the plane.
    const SAME: f64 = 0.012;
    let points: Vec<Point> = rows.iter().filter_map(InPlane::point).collect();
    let largest = |number: fn(&Point) -> f64| points.iter().map(number).fold(0.0, f64::max);
    let (width, height) = (largest(|point| point.0), largest(|point| point.1));
    let mut ends: Vec<Point> = Vec::new();
    for layer in layers(rows.iter().map(|row| row.layer)) {
        let here = sorted(rows.iter().filter(|row| row.layer == layer));
        let Some((_, end)) = here.last() else { continue };
        let is_here =
            |other: &&Point| (other.0 - end.0).abs() <= SAME * width && (other.1 - end.1).abs() <= SAME * height;
        let n_inside = ends.iter().filter(is_here).count();
        let ring = ScatterPlot::new().with_data(vec![*end]).with_color(layer_colour(layer));
        let ring = ring.with_size(4.5 + 3.0 * n_inside as f64).with_marker_opacity(0.0).with_marker_stroke_width(1.8);
        panel.plots.push(ring.into());
        ends.push(*end);
    }
}

/// The largest possible values of the axes in bits, with their names: H(X) unless the codes of all layers are too few to reach
/// it, and H(Y), or I(X;Y) if labels are probabilities.
struct Limits {
    i_xt: Option<f64>,
    i_ty: Option<f64>,
    names: [&'static str; 2],
    /// The largest values of the points.
    reached: Point,
}

impl Limits {
    fn of(rows: &[SummaryRow], points: &[Point]) -> Self {
        let reached = points.iter().fold((0.0_f64, 0.0_f64), |most, point| (most.0.max(point.0), most.1.max(point.1)));
        let largest = |column: Column| values(rows, column).reduce(f64::max);
        let (i_xt, i_ty) = (largest(|row| row.i_xt_ceiling_bits), largest(|row| row.i_ty_ceiling_bits));
        let names = ceiling_names(rows);
        Self { i_xt, i_ty, names, reached }
    }

    /// The limits that the axes contain: without the others, most of the plane would be empty.
    fn drawn(&self) -> Vec<Point> {
        let x = self.i_xt.filter(|ceiling| is_nearly_reached(*ceiling, self.reached.0));
        let y = self.i_ty.filter(|ceiling| is_nearly_reached(*ceiling, self.reached.1));
        vec![(x.unwrap_or_default(), y.unwrap_or_default())]
    }

    fn named(&self) -> Vec<Limit> {
        let limit = |name: &str, bits: f64, at: At| Limit { name: format!("{name} {bits:.2} bits"), at };
        let [name_x, name_y] = self.names;
        let x = self.i_xt.map(|bits| limit(name_x, bits, At::X(bits)));
        let y = self.i_ty.map(|bits| limit(name_y, bits, At::Y(bits)));
        x.into_iter().chain(y).collect()
    }
}

/// The names of the ceilings of I(X;T) and I(T;Y) of one estimator, followed by a number: `H(X) =` and `H(Y) =`, or `at most` if
/// the codes of all layers are too few to reach H(X). If labels are probabilities, I(T;Y) is at most `I(X;Y) =`.
pub fn ceiling_names(rows: &[SummaryRow]) -> [&'static str; 2] {
    let largest = |column: Column| values(rows, column).reduce(f64::max);
    // The same terms are added in another order.
    let are_equal = |a: f64, b: f64| (a - b).abs() <= 1e-9 * b.abs();
    let of_inputs = largest(|row| row.i_xt_ceiling_bits).zip(largest(|row| row.h_x_bits));
    let of_labels = largest(|row| row.i_ty_ceiling_bits).zip(largest(|row| row.h_y_bits));
    let x = if of_inputs.is_some_and(|(ceiling, h_x)| are_equal(ceiling, h_x)) { "H(X) =" } else { "at most" };
    let y = match of_labels {
        None => "at most",
        Some((ceiling, h_y)) if are_equal(ceiling, h_y) => "H(Y) =",
        Some(_) => "I(X;Y) =",
    };
    [x, y]
}
