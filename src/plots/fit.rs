//! How well the network fits: loss (or squared error) and accuracy of training and test samples against the epoch.
//!
//! # Reference
//! Saxe et al. 2018, Fig. 7; Figs 3 C and 4 A for the squared error.

use super::axes::Axis;
use super::canvas::{BLACK, GREY};
use super::series::{Column, curve, has_curve, line, of_network, values};
use super::sheet::{Entry, Mark, Panel, Sheet};
use super::timeline::Timeline;
use super::{Picture, PlotError, Spec, Subject, Table, Tables};
use crate::count::counted;
use crate::layer_id::LayerId;
use crate::store::schema::SummaryRow;

pub(super) const SPEC: Spec = Spec {
    name: "fit",
    summary: "loss (or squared error) and accuracy of training and test samples against the epoch",
    subject: Subject::Experiment,
    needs: &[Table::Summary],
    uses: &[],
    draw,
};

/// One panel: title, axis, and the columns of training and test samples.
type Measure = (&'static str, &'static str, Column, Column);

const MEASURES: [Measure; 3] = [
    ("loss", "cross-entropy (nats)", |row| row.loss_train_nats_mean, |row| row.loss_test_nats_mean),
    ("squared error", "mean squared error", |row| row.squared_error_train_mean, |row| row.squared_error_test_mean),
    ("accuracy", "share of samples", |row| row.accuracy_train_mean, |row| row.accuracy_test_mean),
];
/// No layer has these: they are of the whole network.
const TRAIN: (&str, &str, Mark) = ("training", BLACK, Mark::Solid);
const TEST: (&str, &str, Mark) = ("test", GREY, Mark::Dashed);

fn draw(tables: Tables<'_>) -> Result<Picture, PlotError> {
    let rows = of_network(tables.summary);
    let timeline = Timeline::new(&rows);
    let is_there = |(_, _, train, test): &&Measure| has_curve(&rows, *train) || has_curve(&rows, *test);
    let panels: Vec<Panel> = MEASURES.iter().filter(is_there).map(|measure| panel(&rows, measure, &timeline)).collect();
    let (Some(first), false) = (rows.first(), panels.is_empty()) else {
        return Err(PlotError::Nothing("loss or accuracy of every run at two snapshots"));
    };
    let has_test = MEASURES.iter().any(|(_, _, _, test)| has_curve(&rows, *test));
    let drawn = [Some(TRAIN), has_test.then_some(TEST)].into_iter().flatten();
    let n_runs = rows.iter().map(|row| row.n_runs + row.n_failed).max().unwrap_or(0);
    let sheet = Sheet {
        title: format!("{}: fit by epoch, mean over {}", first.experiment, counted(n_runs, "run")),
        columns: panels.len(),
        size: (460.0, 400.0),
        panels,
        legend: drawn.map(|(label, colour, mark)| Entry::new(label, colour, mark)).collect(),
        ..Sheet::default()
    };
    sheet.draw()
}

fn panel(rows: &[SummaryRow], (title, label, train, test): &Measure, timeline: &Timeline) -> Panel {
    let heights = values(rows, *train).chain(values(rows, *test));
    let y = if *title == "accuracy" { Axis::over(label, heights) } else { Axis::from_zero(label, heights) };
    let mut panel = Panel::new(*title, timeline.axis(), y);
    // The network has one loss, told in the rows of every layer.
    let layer = rows.first().map_or(LayerId::FIRST, |row| row.layer);
    let drawn = |column: Column, (_, colour, mark): (&str, &str, Mark)| {
        line(curve(rows, layer, column, timeline), colour, mark)
    };
    panel.plots = [drawn(*train, TRAIN), drawn(*test, TEST)].into_iter().flatten().collect();
    panel
}
