//! The layers at the end of training in the information plane, one line through them for each experiment of a sweep.
//!
//! # Reference
//! Shwartz-Ziv & Tishby 2017, Fig. 7 (size of the training set).

use kuva::plot::ScatterPlot;

use super::axes::Axis;
use super::canvas::{EpochColours, layer_colour};
use super::series::line;
use super::settings::{experiments, only_number, short, title};
use super::sheet::{Entry, Mark, Panel, Sheet};
use super::{Picture, PlotError, Spec, Subject, Tables};
use crate::store::schema::SummaryRow;

pub(super) const SPEC: Spec = Spec {
    name: "ends",
    summary: "the layers at the end of training in the information plane, one line through them per experiment of a sweep",
    of: Subject::Sweep,
    draw,
};

/// More lines than these are not told apart.
const MOST: usize = 24;

/// One experiment: its name and its layers' places.
type End<'a> = (&'a str, Vec<(f64, f64)>);

fn draw(tables: Tables<'_>) -> Result<Picture, PlotError> {
    let all = experiments(tables.summary, tables.settings);
    let ends: Vec<End<'_>> = all.iter().map(|name| (*name, end(tables.summary, name))).collect();
    let mut ends: Vec<End<'_>> = ends.into_iter().filter(|(_, path)| !path.is_empty()).collect();
    let n_all = ends.len();
    ends.truncate(MOST);
    let (Some(first), true) = (tables.summary.first(), n_all > 1) else {
        return Err(PlotError::Nothing("second experiment with estimates of I(X;T)"));
    };
    let names: Vec<&str> = ends.iter().map(|(name, _)| *name).collect();
    let looks = looks(&names, &tables);
    let all = |of: fn(&(f64, f64)) -> f64| ends.iter().flat_map(move |(_, path)| path.iter().map(of));
    let (x, y) = (Axis::from_zero("I(X;T) (bits)", all(|p| p.0)), Axis::over("I(T;Y) (bits)", all(|p| p.1)));
    let mut panel = Panel::new("", x, y);
    for ((_, path), look) in ends.iter().zip(&looks) {
        panel.plots.extend(line(path.clone(), &look.colour, look.mark));
        let dots = ScatterPlot::new().with_data(path.clone()).with_color(look.colour.clone()).with_size(5.0);
        panel.plots.push(dots.into());
    }
    let cut = if n_all > MOST { format!("; {MOST} of {n_all} experiments") } else { String::new() };
    let what = super::series::names(tables.settings, |row| &row.parameter).into_iter().map(short);
    let what = what.collect::<Vec<_>>().join(", ");
    let sheet = Sheet {
        title: format!("layers after training{}{what}, mean over runs", if what.is_empty() { "" } else { " by " }),
        subtitle: format!("{}{cut}", first.estimator),
        columns: 1,
        size: (720.0, 540.0),
        panels: vec![panel],
        legend: looks,
        ..Sheet::default()
    };
    sheet.draw()
}

/// The layers of `experiment` at its last epoch.
fn end(rows: &[SummaryRow], experiment: &str) -> Vec<(f64, f64)> {
    let here = rows.iter().filter(|row| row.experiment == experiment);
    let last = here.clone().map(|row| (row.epoch, row.step)).max();
    let mut layers: Vec<&SummaryRow> = here.filter(|row| Some((row.epoch, row.step)) == last).collect();
    layers.sort_by_key(|row| row.layer);
    layers.into_iter().filter_map(|row| Some((row.i_xt_bits_mean?, row.i_ty_bits_mean?))).collect()
}

/// A colour for each experiment: by its number where one number is what varies, else in turn, with other dashes when the
/// colours are used up.
fn looks(names: &[&str], tables: &Tables<'_>) -> Vec<Entry> {
    const COLOURS: usize = 8;
    const MARKS: [Mark; 3] = [Mark::Solid, Mark::Dashed, Mark::Dotted];
    let is_ordered = only_number(names, tables.settings).is_some();
    // Evenly by rank: values are often spaced as 1, 2, 5, 10.
    let by_rank = EpochColours::ranks(names.len());
    let look = |(i, name): (usize, &&str)| {
        let label = title(name, tables.settings);
        match is_ordered {
            true => Entry::new(label, &by_rank(i), Mark::Solid),
            false => Entry::new(label, layer_colour(i as i32 + 1), MARKS[(i / COLOURS).min(2)]),
        }
    };
    names.iter().enumerate().map(look).collect()
}
