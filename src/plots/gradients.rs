//! Drift and diffusion: mean and standard deviation of the gradients of each layer, their ratio, and the norm of the weights,
//! with 95 % intervals from three runs on.
//!
//! # Reference
//! Shwartz-Ziv & Tishby 2017, Fig. 4; Saxe et al. 2018, Figs 9, 20 and 21. As in the paper, mean and standard deviation
//! are divided by the norm of the weights; means over runs are divided, which for runs of one experiment is nearly the
//! mean of the quotients.

use kuva::render::annotations::ReferenceLine;

use super::axes::Axis;
use super::canvas::{GREY, layer_colour};
use super::series::{Column, has_curve, interval_name, intervals, layers, legend, lines, of_network, ribbon, values};
use super::sheet::{Entry, Mark, Panel, Sheet};
use super::timeline::Timeline;
use super::{Picture, PlotError, Spec, Subject, Table, Tables, single};
use crate::count::counted;
use crate::layer_id::LayerId;
use crate::store::quantities::{by_weight_norm, gradients_in_words};
use crate::store::schema::{SummaryRow, TrainingSummaryRow};

pub(super) const SPEC: Spec = Spec {
    name: "gradients",
    summary: "mean and standard deviation of the gradients of each layer against the epoch, their ratio, and the norm of the weights, with 95 % intervals if there are three runs or more",
    subject: Subject::Experiment,
    needs: &[Table::Summary],
    uses: &[Table::TrainingSummary],
    draw,
};

/// Opacity of an interval in percent.
const INTERVAL: u8 = 15;
// A logarithmic axis cannot show 0.
const MEAN: Column = |row| positive(row.gradient_mean_norm_mean? / row.weight_norm_mean?);
const SPREAD: Column = |row| positive(row.gradient_std_norm_mean? / row.weight_norm_mean?);
const RATIO: Column = |row| positive(row.gradient_snr_mean?);
const WEIGHTS: Column = |row| row.weight_norm_mean;

fn positive(value: f64) -> Option<f64> {
    (value > 0.0 && value.is_finite()).then_some(value)
}

fn draw(tables: Tables<'_>) -> Result<Picture, PlotError> {
    let rows = of_network(tables.summary);
    let timeline = Timeline::new(&rows);
    let n_runs = rows.iter().map(|row| row.n_runs + row.n_failed).max().unwrap_or(0);
    let training = if single::has_interval(n_runs) { tables.training_summary } else { &[] };
    let norms = Norms { rows: &rows, layers: layers(rows.iter().map(|row| row.layer)), training, timeline: &timeline };
    let has_gradients = has_curve(&rows, MEAN);
    let panels = [
        has_gradients.then(|| norms.gradients()),
        has_curve(&rows, RATIO).then(|| norms.ratio()),
        has_curve(&rows, WEIGHTS).then(|| norms.weights()),
    ];
    let panels: Vec<Panel> = panels.into_iter().flatten().collect();
    let (Some(first), false) = (rows.first(), panels.is_empty()) else {
        return Err(PlotError::Nothing("gradient or weight in the recording"));
    };
    let over = first.gradients_over.as_deref().filter(|_| has_gradients);
    let mut legend = legend(rows.iter().map(|row| (row.layer, row.layer_name.as_deref())), Mark::Solid);
    if has_gradients {
        legend.push(Entry::new("mean", GREY, Mark::Solid));
    }
    if has_curve(&rows, SPREAD) {
        legend.push(Entry::new("standard deviation", GREY, Mark::Dotted));
    }
    if training.iter().any(|row| row.layer.is_some() && row.low.is_some()) {
        legend.push(Entry::new(interval_name(n_runs), GREY, Mark::Area(2 * INTERVAL)));
    }
    let sheet = Sheet {
        title: format!("{}: gradients and weights, mean over {}", first.experiment, counted(n_runs, "run")),
        subtitle: over.map_or_else(String::new, gradients_in_words),
        columns: panels.len(),
        size: (400.0, 410.0),
        panels,
        legend,
        ..Sheet::default()
    };
    sheet.draw()
}

/// The norms of all layers.
struct Norms<'a> {
    rows: &'a [SummaryRow],
    layers: Vec<LayerId>,
    training: &'a [TrainingSummaryRow],
    timeline: &'a Timeline,
}

impl Norms<'_> {
    fn gradients(&self) -> Panel {
        let heights = self.heights(MEAN).chain(self.heights(SPREAD));
        let heights = heights.chain(self.upper_ends(by_weight_norm::MEAN)).chain(self.upper_ends(by_weight_norm::STD));
        let y = Axis::log("gradient / ‖W‖", heights);
        // Gradients of the full batch have no standard deviation.
        let title = if has_curve(self.rows, SPREAD) { "mean and standard deviation" } else { "mean gradient" };
        let mut panel = Panel::new(title, self.timeline.axis(), y);
        self.draw(&mut panel, SPREAD, by_weight_norm::STD, Mark::Dotted);
        self.draw(&mut panel, MEAN, by_weight_norm::MEAN, Mark::Solid);
        panel
    }

    fn ratio(&self) -> Panel {
        /// Above it the mean is larger (drift), below it the noise (diffusion).
        const SWITCH: f64 = 1.0;
        let y = Axis::log(
            "mean / standard deviation",
            self.heights(RATIO).chain(self.upper_ends("gradient_snr")).chain([SWITCH]),
        );
        let mut panel = Panel::new("signal-to-noise ratio", self.timeline.axis(), y);
        self.draw(&mut panel, RATIO, "gradient_snr", Mark::Solid);
        panel.lines = vec![ReferenceLine::horizontal(SWITCH).with_color(GREY)];
        panel
    }

    fn weights(&self) -> Panel {
        let ends = |layer: &LayerId| intervals(self.training, "weight_norm", Some(*layer), self.timeline);
        let ends = self.layers.iter().flat_map(ends).flat_map(|(_, low, high)| [low, high]);
        let y = Axis::from_zero("‖W‖, Frobenius norm", self.heights(WEIGHTS).chain(ends));
        let mut panel = Panel::new("norm of the weights", self.timeline.axis(), y);
        self.draw(&mut panel, WEIGHTS, "weight_norm", Mark::Solid);
        panel
    }

    /// The upper ends of the intervals that are drawn. Lower ends are not on a logarithmic axis if they are below 0.
    fn upper_ends(&self, quantity: &str) -> impl Iterator<Item = f64> {
        let ends =
            self.layers.iter().flat_map(move |layer| intervals(self.training, quantity, Some(*layer), self.timeline));
        ends.map(|(_, _, high)| high)
    }

    fn heights(&self, column: Column) -> impl Iterator<Item = f64> {
        values(self.rows, column)
    }

    /// The lines and intervals of all layers. On a logarithmic axis, an interval that contains 0 begins at the lower end of the axis.
    fn draw(&self, panel: &mut Panel, column: Column, quantity: &str, mark: Mark) {
        for layer in &self.layers {
            let mut interval = intervals(self.training, quantity, Some(*layer), self.timeline);
            interval.iter_mut().for_each(|(_, low, _)| *low = low.max(panel.y.low()));
            panel.plots.extend(ribbon(&interval, layer_colour(*layer), INTERVAL));
        }
        panel.plots.extend(lines(self.rows, &self.layers, column, mark, self.timeline));
    }
}
