//! The layers at the end of training in the information plane, with one line through them for each experiment of a sweep. Hue shows a
//! parameter whose values are words, lightness one whose values are numbers; further parameters vary over rows and columns of panels.
//!
//! # Reference
//! Shwartz-Ziv & Tishby 2017, Fig. 7 (size of the training set).

use super::axes::Axis;
use super::canvas::{BLACK, LAYER_COLOURS, layer_name, rank_colours};
use super::grid::{Arrangement, Grid};
use super::marks::Path;
use super::plane::{InPlane, PlaneAxes, Point, draw_dots, sorted};
use super::series::line;
use super::settings::{Parameter, experiments, parameters};
use super::sheet::{Entry, Mark, Panel};
use super::timeline::AtSnapshot;
use super::{Picture, PlotError, Spec, Subject, Table, Tables};
use crate::count::counted;
use crate::store::schema::SummaryRow;

pub(super) const SPEC: Spec = Spec {
    name: "ends",
    summary: "the layers at the end of training in the information plane, one line through them per experiment of a sweep",
    subject: Subject::Sweep,
    needs: &[Table::Summary],
    uses: &[Table::Settings],
    draw,
};

/// Hues that are distinguishable at several degrees of lightness.
const HUES: [&str; 5] = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#333333"];
/// Dashes of lines whose colour is used twice or three times.
const MARKS: [Mark; 3] = [Mark::Solid, Mark::Dashed, Mark::Dotted];

/// The rows of an experiment at its last snapshot, in the order of its layers.
type End<'a> = Vec<(&'a SummaryRow, Point)>;

fn draw(tables: Tables<'_>) -> Result<Picture, PlotError> {
    let names = experiments(tables.summary, tables.settings);
    let ends: Vec<(&str, End<'_>)> = names.into_iter().map(|name| (name, end(tables.summary, name))).collect();
    let ends: Vec<(&str, End<'_>)> = ends.into_iter().filter(|(_, end)| !end.is_empty()).collect();
    let (Some(first), true) = (tables.summary.first(), ends.len() > 1) else {
        return Err(PlotError::Nothing("second experiment with estimates of I(X;T)"));
    };
    let names: Vec<&str> = ends.iter().map(|(name, _)| *name).collect();
    let mut parameters = parameters(&names, tables.settings);
    if parameters.is_empty() {
        parameters.push(Parameter::of_experiments(&names, tables.settings));
    }
    let looks = Looks::of(&parameters);
    let arrangement = Arrangement::of(&looks.others(&parameters), names.len());
    let points: Vec<Point> = ends.iter().flat_map(|(_, end)| end.iter().map(|(_, point)| *point)).collect();
    let mut axes = PlaneAxes::around(&points);
    // From the smallest value on, because experiments often differ little at the end.
    axes.y = Axis::over(&axes.y.label, points.iter().map(|point| point.1));
    let panel = |cell: usize| -> Option<Panel> {
        let here: Vec<usize> = (0..ends.len()).filter(|place| arrangement.cells[*place] == cell).collect();
        let mut panel = (!here.is_empty()).then(|| axes.clone().panel(""))?;
        for place in &here {
            let path: Vec<Point> = ends[*place].1.iter().map(|(_, point)| *point).collect();
            let (colour, mark) = looks.of_experiment(*place);
            panel.plots.extend(line(path.clone(), &colour, mark));
            draw_dots(&mut panel, path.clone(), &colour, 4.0);
            panel.avoided.push(path);
        }
        panel.paths = outer_layers(&ends[here[0]].1);
        Some(panel)
    };
    let panels: Vec<Option<Panel>> = (0..arrangement.n_drawn()).map(panel).collect();
    let left_out = match arrangement.cells.iter().filter(|cell| **cell >= panels.len()).count() {
        0 => String::new(),
        n => format!("; {} left out", counted(n, "experiment")),
    };
    let grid = Grid {
        title: "layers at the end of training, mean over runs".to_owned(),
        subtitle: format!("{}; a line for each experiment, a dot for each layer{left_out}", first.estimator),
        panels,
        arrangement,
        legend: looks.legend(),
        bar: None,
    };
    grid.draw()
}

/// The layers of `experiment` at its last snapshot.
fn end<'a>(rows: &'a [SummaryRow], experiment: &str) -> End<'a> {
    let here = rows.iter().filter(|row| row.experiment == experiment);
    let last = here.clone().filter(|row| row.point().is_some()).map(AtSnapshot::snapshot).max();
    sorted(here.filter(|row| Some(row.snapshot()) == last))
}

/// The first and the last layer of a line, with their names.
fn outer_layers(end: &[(&SummaryRow, Point)]) -> Vec<Path> {
    let Some((last, _)) = end.last() else { return Vec::new() };
    let named = |(row, point): &(&SummaryRow, Point)| Path {
        name: layer_name(row.layer, row.layer_name.as_deref(), last.layer),
        points: vec![*point],
    };
    let outer = [end.first(), end.last().filter(|_| end.len() > 1)];
    outer.into_iter().flatten().map(named).collect()
}

/// Colour and dashes of the line of each experiment.
struct Looks {
    /// The parameter that hue shows.
    hue: Option<Parameter>,
    /// The parameter that lightness shows.
    lightness: Option<Parameter>,
}

impl Looks {
    /// Of the parameters whose values are numbers, lightness shows the one with most values; of the others, hue does.
    fn of(parameters: &[Parameter]) -> Self {
        let largest = |parameters: Vec<&Parameter>| {
            parameters.into_iter().rev().max_by_key(|parameter| parameter.values.len()).cloned()
        };
        let lightness = largest(parameters.iter().filter(|parameter| parameter.is_ordered).collect());
        let n_hues = if lightness.is_some() { HUES.len() } else { MARKS.len() * LAYER_COLOURS.len() };
        let has_hues = |parameter: &&Parameter| !parameter.is_ordered && parameter.values.len() <= n_hues;
        Self { hue: largest(parameters.iter().filter(has_hues).collect()), lightness }
    }

    /// The parameters that neither hue nor lightness shows.
    fn others<'a>(&self, parameters: &'a [Parameter]) -> Vec<&'a Parameter> {
        let is_shown = |parameter: &&Parameter| {
            let shown = [&self.hue, &self.lightness].into_iter().flatten();
            shown.into_iter().any(|shown| shown == *parameter)
        };
        parameters.iter().filter(|parameter| !is_shown(parameter)).collect()
    }

    fn of_experiment(&self, place: usize) -> (String, Mark) {
        let rank = |parameter: &Option<Parameter>| parameter.as_ref().map(|parameter| parameter.ranks[place]);
        self.of_ranks(rank(&self.hue), rank(&self.lightness))
    }

    /// The look of a value of each of the two parameters; `None` for a parameter that is not shown.
    fn of_ranks(&self, hue: Option<usize>, lightness: Option<usize>) -> (String, Mark) {
        let n = self.lightness.as_ref().map_or(0, |parameter| parameter.values.len());
        match (hue, lightness) {
            (None, None) => (BLACK.to_owned(), Mark::Solid),
            // Evenly by rank: values are often spaced as 1, 2, 5, 10.
            (None, Some(rank)) => (rank_colours(n)(rank), Mark::Solid),
            (Some(hue), None) => {
                let mark = MARKS[(hue / LAYER_COLOURS.len()).min(MARKS.len() - 1)];
                (LAYER_COLOURS[hue % LAYER_COLOURS.len()].to_owned(), mark)
            }
            // Dashes too, so that hues are distinguishable in greyscale.
            (Some(hue), Some(rank)) => {
                (lightened(HUES[hue], rank as f64 / (n - 1) as f64), MARKS[hue.min(MARKS.len() - 1)])
            }
        }
    }

    /// A line for each value. If both parameters are shown, the values of lightness are drawn in grey.
    fn legend(&self) -> Vec<Entry> {
        let values =
            |parameter: &Option<Parameter>| parameter.as_ref().map_or_else(Vec::new, |shown| shown.values.clone());
        let (hues, shades) = (values(&self.hue), values(&self.lightness));
        let entry = |label: String, (colour, mark): (String, Mark)| Entry::new(label, &colour, mark);
        let (n, has_hues) = (shades.len(), !hues.is_empty());
        let darkest = (n > 0).then_some(0);
        let shade = |rank: usize| match has_hues {
            true => (lightened(BLACK, rank as f64 / (n - 1) as f64), Mark::Solid),
            false => self.of_ranks(None, Some(rank)),
        };
        let of_hue = hues.into_iter().enumerate().map(|(rank, label)| entry(label, self.of_ranks(Some(rank), darkest)));
        let of_shade = shades.into_iter().enumerate().map(|(rank, label)| entry(label, shade(rank)));
        of_hue.chain(of_shade).collect()
    }
}

/// `colour` mixed with white: not at all for a `share` of 0, mostly for 1.
fn lightened(colour: &str, share: f64) -> String {
    /// More white would make lines invisible.
    const WHITEST: f64 = 0.7;
    let channel = |place: usize| {
        let full = u8::from_str_radix(&colour[place..place + 2], 16).expect("the hues are hexadecimal");
        (f64::from(full) + (255.0 - f64::from(full)) * WHITEST * share).round() as u8
    };
    format!("#{:02x}{:02x}{:02x}", channel(1), channel(3), channel(5))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(name: &str, is_ordered: bool, ranks: &[usize]) -> Parameter {
        let n = ranks.iter().max().map_or(0, |most| most + 1);
        let values = (0..n).map(|value| format!("{name} {value}")).collect();
        Parameter { values, is_ordered, ranks: ranks.to_vec() }
    }

    #[test]
    fn hue_shows_words_lightness_numbers_and_panels_the_rest() {
        let words = parameter("activation", false, &[0, 0, 0, 0, 1, 1, 1, 1]);
        let numbers = parameter("batch", true, &[0, 1, 2, 3, 0, 1, 2, 3]);
        let fewer = parameter("rate", true, &[0, 0, 1, 1, 0, 0, 1, 1]);
        let parameters = [words.clone(), fewer.clone(), numbers.clone()];
        let looks = Looks::of(&parameters);
        assert_eq!((looks.hue.as_ref(), looks.lightness.as_ref()), (Some(&words), Some(&numbers)));
        assert_eq!(looks.others(&parameters), [&fewer]);
        assert_eq!(looks.legend().len(), 2 + 4);
        assert_eq!(looks.of_experiment(0).0, "#0072b2");
        assert_ne!(looks.of_experiment(0).0, looks.of_experiment(3).0);
    }

    #[test]
    fn a_share_of_zero_leaves_a_colour_as_it_is() {
        assert_eq!((lightened("#0072B2", 0.0).as_str(), lightened("#000000", 1.0).as_str()), ("#0072b2", "#b3b3b3"));
    }
}
