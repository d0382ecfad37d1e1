//! A grid of panels for a sweep: one parameter varies over the columns and the others over the rows. The axes are labelled once, at
//! the border.

use kuva::render::render::{Scene, TextAnchor};

use super::canvas::{Bar, GREY, LABEL, coloured_text, picture, text, upward_text, width_of, wrapped};
use super::settings::Parameter;
use super::sheet::{BOTTOM, Entry, LEFT, Panel, RIGHT, TITLE, UNTITLED, blank};
use super::{Picture, PlotError};
use crate::math::unique::unique;

/// At most this many panels. Rows beyond are left out.
const MOST: usize = 72;
/// At most this many columns.
const COLUMNS: usize = 6;
/// A grid with a smaller share of cells that have an experiment is replaced by a list.
const FILLED: f64 = 0.75;

/// Space around the grid.
const GAP: f64 = 14.0;
/// Height of the title and the subtitle.
const TITLES: f64 = 56.0;
/// Height of a line of these texts.
const LINE: f64 = 18.0;
/// Height of a line of the legend.
const ENTRY: f64 = 22.0;
/// The middle of a panel's axes is this far to the right of the panel's middle, because tick labels are to their left.
const OFF_MIDDLE: f64 = (LEFT - RIGHT) / 2.0;
/// Width of the column with the label of the y axis, and height of the row with that of the x axis.
const AXIS: f64 = 24.0;
/// At most this many letters in a line to the left of a row.
const ROW_LETTERS: usize = 22;

/// Which cell of a grid shows which experiment, and the headings of the cells.
#[derive(Debug, PartialEq)]
pub(super) struct Arrangement {
    pub(super) columns: usize,
    /// Headings above the cells: of the first row only if the rows have headings, otherwise of every cell.
    pub(super) heads: Vec<String>,
    /// Headings to the left of the rows, one for each parameter; empty for a list.
    pub(super) rows: Vec<Vec<String>>,
    /// For each experiment, its cell, counted row by row.
    pub(super) cells: Vec<usize>,
}

impl Arrangement {
    /// One parameter on columns and the others on rows. If there is one parameter, or if many cells would be empty: a list of the
    /// values, or combinations of values, that experiments have.
    pub(super) fn of(parameters: &[&Parameter], n_experiments: usize) -> Self {
        match parameters {
            [] => Self { columns: 1, heads: Vec::new(), rows: Vec::new(), cells: vec![0; n_experiments] },
            [parameter] => Self::list(parameter),
            _ => {
                let grid = Self::grid(parameters);
                if grid.is_filled() { grid } else { Self::list(&Parameter::combined(parameters)) }
            }
        }
    }

    /// A cell for each value of `parameter`, row by row.
    pub(super) fn list(parameter: &Parameter) -> Self {
        Self {
            columns: list_columns(parameter.values.len()),
            heads: parameter.values.clone(),
            rows: Vec::new(),
            cells: parameter.ranks.clone(),
        }
    }

    fn grid(parameters: &[&Parameter]) -> Self {
        let n_values = |place: usize| parameters[place].values.len();
        let (n_fit, n_most) = (|place: &usize| n_values(*place) <= COLUMNS, |place: &usize| n_values(*place));
        let places = 0..parameters.len();
        let column = places.clone().filter(n_fit).max_by_key(n_most).or(places.min_by_key(n_most)).unwrap_or_default();
        // The parameter with most values varies fastest from row to row.
        let mut on_rows: Vec<&Parameter> =
            (0..parameters.len()).filter(|place| *place != column).map(|place| parameters[place]).collect();
        on_rows.sort_by_key(|parameter| parameter.values.len());
        let mut rows: Vec<Vec<String>> = vec![Vec::new()];
        for parameter in &on_rows {
            let longer = |row: &Vec<String>| {
                let with = |value: &String| row.iter().chain([value]).cloned().collect();
                parameter.values.iter().map(with).collect::<Vec<Vec<String>>>()
            };
            rows = rows.iter().flat_map(longer).collect();
        }
        let columns = parameters[column].values.len();
        let row = |experiment: usize| {
            on_rows.iter().fold(0, |row, parameter| row * parameter.values.len() + parameter.ranks[experiment])
        };
        let cell = |(experiment, rank): (usize, &usize)| row(experiment) * columns + rank;
        let cells = parameters[column].ranks.iter().enumerate().map(cell).collect();
        Self { columns, heads: parameters[column].values.clone(), rows, cells }
    }

    /// The number of cells, with those that have no experiment.
    pub(super) fn n_cells(&self) -> usize {
        if self.rows.is_empty() { self.heads.len().max(1) } else { self.rows.len() * self.columns }
    }

    /// Whether enough cells have an experiment for a grid.
    fn is_filled(&self) -> bool {
        let n_filled = unique(&self.cells).len();
        n_filled as f64 >= FILLED * self.n_cells() as f64
    }

    /// The number of cells that are drawn: whole rows, as many as there is room for.
    pub(super) fn n_drawn(&self) -> usize {
        self.n_cells().min(MOST / self.columns * self.columns)
    }

    /// Width and height of a panel: smaller if there are many.
    pub(super) fn panel_size(&self) -> (f64, f64) {
        match self.columns {
            1 => (720.0, 540.0),
            2 => (440.0, 360.0),
            3 => (340.0, 290.0),
            4 => (300.0, 250.0),
            _ => (260.0, 220.0),
        }
    }
}

/// Columns of a list of `n` panels: the number that leaves the fewest cells empty.
fn list_columns(n: usize) -> usize {
    if n <= 5 { n.max(1) } else { (3..=5).rev().min_by_key(|columns| n.next_multiple_of(*columns) - n).unwrap_or(4) }
}

/// A figure with the panels of a sweep.
pub(super) struct Grid {
    pub(super) title: String,
    pub(super) subtitle: String,
    pub(super) arrangement: Arrangement,
    /// The panel of each drawn cell; `None` if it has no experiment.
    pub(super) panels: Vec<Option<Panel>>,
    pub(super) legend: Vec<Entry>,
    pub(super) bar: Option<Bar>,
}

impl Grid {
    /// The finished figure.
    ///
    /// # Errors
    /// kuva cannot draw it.
    pub(super) fn draw(mut self) -> Result<Picture, PlotError> {
        let size = self.arrangement.panel_size();
        let labels = self.panels.iter().flatten().next().map(|panel| (panel.x.label.clone(), panel.y.label.clone()));
        let (x_label, y_label) = labels.unwrap_or_default();
        let left = GAP + AXIS + self.rows_width();
        let top = GAP + if self.subtitle.is_empty() { TITLES - LINE } else { TITLES };
        let columns = self.arrangement.columns;
        let n_rows = self.panels.len().div_ceil(columns);
        let right = left + columns as f64 * size.0;
        let heads = |row: usize| (0..=row).map(|row| self.head_height(row, size)).sum::<f64>();
        let y_of = |row: usize| top + heads(row) + row as f64 * size.1;
        let tops: Vec<f64> = (0..n_rows).map(y_of).collect();
        let bottom = tops.last().map_or(top, |y| y + size.1);
        let legend = self.legend.iter().map(|entry| width_of(&entry.label, LABEL) + 52.0).fold(0.0, f64::max);
        let bar = if self.bar.is_some() { 86.0 } else { 0.0 };
        let height = (bottom + AXIS).max(top + ENTRY * (2 + self.legend.len()) as f64);
        let widest = width_of(&self.title, TITLE).max(width_of(&self.subtitle, LABEL));
        let width = (right + legend + bar).max((left + right) / 2.0 + OFF_MIDDLE + widest / 2.0) + GAP;
        let mut scene = blank(width, height);
        let middle = (left + right) / 2.0 + OFF_MIDDLE;
        text(&mut scene, (middle, GAP + 14.0), &self.title, TITLE, TextAnchor::Middle);
        text(&mut scene, (middle, GAP + 36.0), &self.subtitle, LABEL, TextAnchor::Middle);
        text(&mut scene, (middle, bottom + 4.0), &x_label, LABEL, TextAnchor::Middle);
        let middle = (tops.first().copied().unwrap_or(top) + UNTITLED + bottom - BOTTOM) / 2.0;
        upward_text(&mut scene, (GAP + 12.0, middle), &y_label, LABEL, TextAnchor::Middle);
        for (row, y) in tops.iter().enumerate() {
            self.draw_headings(&mut scene, row, (left, *y), size);
        }
        for (cell, panel) in std::mem::take(&mut self.panels).into_iter().enumerate() {
            let at = (left + (cell % columns) as f64 * size.0, tops[cell / columns]);
            match panel {
                Some(mut panel) => {
                    panel.x.label.clear();
                    panel.y.label.clear();
                    panel.draw(&mut scene, at, size);
                }
                // The last row of a list may end early.
                None if self.arrangement.rows.is_empty() => {}
                None => {
                    coloured_text(&mut scene, (at.0 + size.0 / 2.0, at.1 + size.1 / 2.0), "no estimates", LABEL, GREY)
                }
            }
        }
        for (i, entry) in self.legend.iter().enumerate() {
            entry.draw(&mut scene, right + 4.0, top + ENTRY * (i as f64 + 1.5));
        }
        if let Some(bar) = &self.bar {
            bar.draw(&mut scene, right + legend + 10.0, tops[0] + 34.0, tops[0] + size.1 - 54.0);
        }
        picture(scene)
    }

    /// Width of the headings to the left of the rows.
    fn rows_width(&self) -> f64 {
        let lines = self.arrangement.rows.iter().flatten().flat_map(|value| wrapped(value, ROW_LETTERS));
        lines.map(|line| width_of(&line, LABEL)).fold(0.0, f64::max)
    }

    /// The lines of the heading above a cell.
    fn head(&self, cell: usize, size: (f64, f64)) -> Vec<String> {
        let letters = ((size.0 - 24.0) / width_of("n", LABEL)) as usize;
        let is_headed = self.arrangement.rows.is_empty() || cell < self.arrangement.columns;
        let head = self.arrangement.heads.get(cell).filter(|_| is_headed);
        head.map_or_else(Vec::new, |head| wrapped(head, letters))
    }

    /// Height of the headings above the panels of a row.
    fn head_height(&self, row: usize, size: (f64, f64)) -> f64 {
        let cells = row * self.arrangement.columns..(row + 1) * self.arrangement.columns;
        LINE * cells.map(|cell| self.head(cell, size).len()).max().unwrap_or_default() as f64
    }

    /// Draws the heading to the left of a row and those above its cells; `at` is the upper left corner of its panels.
    fn draw_headings(&self, scene: &mut Scene, row: usize, at: (f64, f64), size: (f64, f64)) {
        if let Some(values) = self.arrangement.rows.get(row) {
            let lines: Vec<String> = values.iter().flat_map(|value| wrapped(value, ROW_LETTERS)).collect();
            let first = at.1 + size.1 / 2.0 - LINE * lines.len() as f64 / 2.0;
            for (i, line) in lines.iter().enumerate() {
                text(scene, (GAP + AXIS, first + LINE * i as f64), line, LABEL, TextAnchor::Start);
            }
        }
        for column in 0..self.arrangement.columns {
            let lines = self.head(row * self.arrangement.columns + column, size);
            let middle = at.0 + (column as f64 + 0.5) * size.0 + OFF_MIDDLE;
            for (i, line) in lines.iter().enumerate() {
                let foot = at.1 + 4.0 - LINE * (lines.len() - 1 - i) as f64;
                text(scene, (middle, foot), line, LABEL, TextAnchor::Middle);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A parameter with `n` values, of which the experiments have `ranks`.
    fn parameter(name: &str, n: usize, ranks: &[usize]) -> Parameter {
        let values = (0..n).map(|value| format!("{name} {value}")).collect();
        Parameter { values, is_ordered: true, ranks: ranks.to_vec() }
    }

    #[test]
    fn the_parameter_with_most_values_is_on_the_columns() {
        let (a, b) = (parameter("a", 2, &[0, 0, 0, 1, 1, 1]), parameter("b", 3, &[0, 1, 2, 0, 1, 2]));
        let grid = Arrangement::of(&[&a, &b], 6);
        assert_eq!(grid.heads, ["b 0", "b 1", "b 2"]);
        assert_eq!(grid.rows, [["a 0"], ["a 1"]]);
        assert_eq!(grid.cells, [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn more_than_two_parameters_are_nested_on_the_rows() {
        let ranks = |divisor: usize, n: usize| (0..12).map(|i| i / divisor % n).collect::<Vec<usize>>();
        let (a, b, c) =
            (parameter("a", 2, &ranks(6, 2)), parameter("b", 3, &ranks(2, 3)), parameter("c", 2, &ranks(1, 2)));
        let grid = Arrangement::of(&[&a, &b, &c], 12);
        assert_eq!((grid.columns, grid.n_cells()), (3, 12));
        assert_eq!(grid.rows, [["a 0", "c 0"], ["a 0", "c 1"], ["a 1", "c 0"], ["a 1", "c 1"]]);
        let mut cells = grid.cells.clone();
        cells.sort_unstable();
        assert_eq!(cells, (0..12).collect::<Vec<usize>>());
    }

    #[test]
    fn a_grid_with_many_empty_cells_is_a_list_of_what_is_there() {
        let along = |names: &[&'static str]| -> Vec<Parameter> {
            names.iter().map(|name| parameter(name, 3, &[2, 0, 1])).collect()
        };
        for names in [["a", "b"].as_slice(), &["a", "b", "c"], &["a", "b", "c", "d"]] {
            let parameters = along(names);
            let list = Arrangement::of(&parameters.iter().collect::<Vec<_>>(), 3);
            let head = |rank: usize| names.iter().map(|name| format!("{name} {rank}")).collect::<Vec<_>>().join(", ");
            assert_eq!(list.heads, [head(0), head(1), head(2)]);
            assert_eq!((list.rows.len(), list.n_drawn(), list.cells), (0, 3, vec![2, 0, 1]));
        }
    }

    #[test]
    fn two_experiments_may_be_in_one_cell_of_a_list() {
        let (a, b) = (parameter("a", 3, &[0, 1, 2, 2]), parameter("b", 3, &[0, 1, 2, 2]));
        assert_eq!(Arrangement::of(&[&a, &b], 4).cells, [0, 1, 2, 2]);
    }

    #[test]
    fn four_parameters_of_which_few_combinations_are_missing_are_a_grid() {
        let ranks = |divisor: usize| (0..15).map(|i| i / divisor % 2).collect::<Vec<usize>>();
        let parameters = [("a", 8), ("b", 4), ("c", 2), ("d", 1)].map(|(name, by)| parameter(name, 2, &ranks(by)));
        let grid = Arrangement::of(&parameters.iter().collect::<Vec<_>>(), 15);
        assert_eq!((grid.columns, grid.rows.len(), grid.n_cells()), (2, 8, 16));
        let mut cells = grid.cells.clone();
        cells.sort_unstable();
        cells.dedup();
        assert_eq!(cells.len(), 15);
    }

    #[test]
    fn a_list_has_few_empty_cells() {
        for n in 1..100 {
            let columns = list_columns(n);
            assert!(
                (n.next_multiple_of(columns) - n) * 4 < n.next_multiple_of(columns),
                "{n} panels in {columns} columns"
            );
        }
    }
}
