//! The layers at the end of training in the information plane, one line through them for each experiment of a sweep.
//!
//! # Reference
//! Shwartz-Ziv & Tishby 2017, Fig. 7 (size of the training set).

use super::axes::Axis;
use super::canvas::{LAYER_COLOURS, rank_colours};
use super::plane::{PlaneAxes, Point, draw_dots, sorted};
use super::series::line;
use super::settings::{experiments, only_number, short, title};
use super::sheet::{Entry, Mark, Sheet};
use super::timeline::AtSnapshot;
use super::{Picture, PlotError, Spec, Subject, Table, Tables};
use crate::math::unique::unique;
use crate::store::schema::SummaryRow;

pub(super) const SPEC: Spec = Spec {
    name: "ends",
    summary: "the layers at the end of training in the information plane, one line through them per experiment of a sweep",
    subject: Subject::Sweep,
    needs: &[Table::Summary],
    uses: &[Table::Settings],
    draw,
};

/// More lines than these are not told apart.
const MOST: usize = 24;

/// One experiment: its name and its layers' places.
type End<'a> = (&'a str, Vec<Point>);

fn draw(tables: Tables<'_>) -> Result<Picture, PlotError> {
    let experiments = experiments(tables.summary, tables.settings).into_iter();
    let mut ends: Vec<End<'_>> = experiments.map(|name| (name, end(tables.summary, name))).collect();
    ends.retain(|(_, path)| !path.is_empty());
    let n_experiments = ends.len();
    ends.truncate(MOST);
    let (Some(first), true) = (tables.summary.first(), n_experiments > 1) else {
        return Err(PlotError::Nothing("second experiment with estimates of I(X;T)"));
    };
    let names: Vec<&str> = ends.iter().map(|(name, _)| *name).collect();
    let looks = looks(&names, &tables);
    let points: Vec<Point> = ends.iter().flat_map(|(_, path)| path.iter().copied()).collect();
    let mut axes = PlaneAxes::around(&points);
    // From the smallest value on, because experiments often differ little at the end.
    axes.y = Axis::over(&axes.y.label, points.iter().map(|point| point.1));
    let mut panel = axes.panel("");
    for ((_, path), look) in ends.iter().zip(&looks) {
        panel.plots.extend(line(path.clone(), &look.colour, look.mark));
        draw_dots(&mut panel, path.clone(), &look.colour, 5.0);
    }
    let cut = if n_experiments > MOST { format!("; {MOST} of {n_experiments} experiments") } else { String::new() };
    let varied: Vec<String> =
        unique(tables.settings.iter().map(|row| row.parameter.as_str())).into_iter().map(short).collect();
    let by = if varied.is_empty() { String::new() } else { format!(" by {}", varied.join(", ")) };
    let sheet = Sheet {
        title: format!("layers after training{by}, mean over runs"),
        subtitle: format!("{}{cut}", first.estimator),
        columns: 1,
        size: (720.0, 540.0),
        panels: vec![panel],
        legend: looks,
        ..Sheet::default()
    };
    sheet.draw()
}

/// The layers of `experiment` at its last snapshot.
fn end(rows: &[SummaryRow], experiment: &str) -> Vec<Point> {
    let here = rows.iter().filter(|row| row.experiment == experiment);
    let last = here.clone().map(AtSnapshot::snapshot).max();
    sorted(here.filter(|row| Some(row.snapshot()) == last)).into_iter().map(|(_, point)| point).collect()
}

/// A colour for each experiment: by its number where one number is what varies, else in turn, with other dashes when the
/// colours are used up.
fn looks(names: &[&str], tables: &Tables<'_>) -> Vec<Entry> {
    const COLOURS: usize = LAYER_COLOURS.len();
    const MARKS: [Mark; 3] = [Mark::Solid, Mark::Dashed, Mark::Dotted];
    let is_ordered = only_number(names, tables.settings).is_some();
    // Evenly by rank: values are often spaced as 1, 2, 5, 10.
    let by_rank = rank_colours(names.len());
    let look = |(i, name): (usize, &&str)| {
        let label = title(name, tables.settings);
        match is_ordered {
            true => Entry::new(label, &by_rank(i), Mark::Solid),
            false => Entry::new(label, LAYER_COLOURS[i % COLOURS], MARKS[(i / COLOURS).min(2)]),
        }
    };
    names.iter().enumerate().map(look).collect()
}
