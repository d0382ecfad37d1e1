//! Loss (or squared error) and accuracy of training and test samples against the epoch, with 95 % intervals from three runs on.
//!
//! # Reference
//! Saxe et al. 2018, Fig. 7; Figs 3 C and 4 A for the squared error.

use super::axes::Axis;
use super::canvas::{BLACK, GREY, LAYER_COLOURS};
use super::measures::{MEASURES, Measure};
use super::series::{curve, has_curve, interval_name, intervals, line, of_network, ribbon, values};
use super::sheet::{Entry, Mark, Panel, Sheet};
use super::timeline::Timeline;
use super::{Picture, PlotError, Spec, Subject, Table, Tables, single};
use crate::count::counted;
use crate::layer_id::LayerId;
use crate::store::schema::{SummaryRow, TrainingSummaryRow};

pub(super) const SPEC: Spec = Spec {
    name: "fit",
    summary: "loss (or squared error) and accuracy of training and test samples against the epoch, with 95 % intervals if there are three runs or more",
    subject: Subject::Experiment,
    needs: &[Table::Summary],
    uses: &[Table::TrainingSummary],
    draw,
};

/// Colours of the whole network, which no layer has.
const TRAIN: (&str, &str, Mark) = ("training", BLACK, Mark::Solid);
const TEST: (&str, &str, Mark) = ("test", BLUE, Mark::Dashed);
const BLUE: &str = LAYER_COLOURS[1];
/// Opacity of an interval in percent.
const INTERVAL: u8 = 25;

fn draw(tables: Tables<'_>) -> Result<Picture, PlotError> {
    let rows = of_network(tables.summary);
    let timeline = Timeline::new(&rows);
    let n_runs = rows.iter().map(|row| row.n_runs + row.n_failed).max().unwrap_or(0);
    let training = if single::has_interval(n_runs) { tables.training_summary } else { &[] };
    let is_there = |measure: &&Measure| has_curve(&rows, measure.train.0) || has_curve(&rows, measure.test.0);
    let panel = |measure: &Measure| panel(&rows, measure, training, &timeline);
    let panels: Vec<Panel> = MEASURES.iter().filter(is_there).map(panel).collect();
    let (Some(first), false) = (rows.first(), panels.is_empty()) else {
        return Err(PlotError::Nothing("loss or accuracy of every run at two snapshots"));
    };
    let has_test = MEASURES.iter().any(|measure| has_curve(&rows, measure.test.0));
    let drawn = [Some(TRAIN), has_test.then_some(TEST)].into_iter().flatten();
    let mut legend: Vec<Entry> = drawn.map(|(label, colour, mark)| Entry::new(label, colour, mark)).collect();
    if training.iter().any(|row| row.layer.is_none() && row.low.is_some()) {
        legend.push(Entry::new(interval_name(n_runs), GREY, Mark::Area(INTERVAL)));
    }
    let sheet = Sheet {
        title: format!("{}: fit by epoch, mean over {}", first.experiment, counted(n_runs, "run")),
        columns: panels.len(),
        size: (460.0, 400.0),
        panels,
        legend,
        ..Sheet::default()
    };
    sheet.draw()
}

fn panel(rows: &[SummaryRow], measure: &Measure, training: &[TrainingSummaryRow], timeline: &Timeline) -> Panel {
    let columns = [measure.train, measure.test];
    let intervals = columns.map(|(_, quantity)| intervals(training, quantity, None, timeline));
    let ends = intervals.iter().flatten().flat_map(|(_, low, high)| [*low, *high]);
    let heights: Vec<f64> = columns.into_iter().flat_map(|(column, _)| values(rows, column)).chain(ends).collect();
    let largest = heights.iter().copied().fold(0.0, f64::max);
    let is_in_upper_half = heights.iter().all(|height| *height > 0.5 * largest);
    let y = match measure.from_zero && !is_in_upper_half {
        true => Axis::from_zero(measure.label, heights),
        false => Axis::over(measure.label, heights),
    };
    let mut panel = Panel::new(measure.title, timeline.axis(), y);
    // The numbers of the network are in the rows of every layer.
    let layer = rows.first().map_or(LayerId::FIRST, |row| row.layer);
    for ((_, colour, _), interval) in [TRAIN, TEST].iter().zip(&intervals) {
        panel.plots.extend(ribbon(interval, colour, INTERVAL));
    }
    for ((_, colour, mark), (column, _)) in [TRAIN, TEST].into_iter().zip(columns) {
        panel.plots.extend(line(curve(rows, layer, column, timeline), colour, mark));
    }
    panel
}
