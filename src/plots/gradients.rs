//! Drift and diffusion: mean and standard deviation of the gradients, their quotient, and the weights, layer by layer.
//!
//! # Reference
//! Shwartz-Ziv & Tishby 2017, Fig. 4; Saxe et al. 2018, Figs 9, 20 and 21. As in the paper, mean and standard deviation
//! are divided by the norm of the weights; means over runs are divided, which for runs of one experiment is nearly the
//! mean of the quotients.

use kuva::render::annotations::ReferenceLine;

use super::axes::Axis;
use super::canvas::GREY;
use super::series::{Column, has_curve, layers, legend, lines, of_network, values};
use super::sheet::{Entry, Mark, Panel, Sheet};
use super::timeline::Timeline;
use super::{Picture, PlotError, Spec, Subject, Table, Tables};
use crate::store::schema::SummaryRow;

pub(super) const SPEC: Spec = Spec {
    name: "gradients",
    summary: "mean and standard deviation of the gradients of each layer against the epoch, their ratio, and the norm of the weights",
    subject: Subject::Experiment,
    needs: &[Table::Summary],
    uses: &[],
    draw,
};

// Logarithmic axes have no place for 0.
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
    let has_gradients = has_curve(&rows, MEAN);
    let panels = [
        has_gradients.then(|| norms(&rows, &timeline)),
        has_curve(&rows, RATIO).then(|| ratio(&rows, &timeline)),
        has_curve(&rows, WEIGHTS).then(|| weights(&rows, &timeline)),
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
        legend.push(Entry::new("standard dev.", GREY, Mark::Dotted));
    }
    let sheet = Sheet {
        title: format!("{}: gradients and weights", first.experiment),
        subtitle: over.map_or_else(String::new, explained),
        columns: panels.len(),
        size: (400.0, 410.0),
        panels,
        legend,
        ..Sheet::default()
    };
    sheet.draw()
}

/// Which gradients, in words; the names are those of the table `gradients`.
fn explained(over: &str) -> String {
    match over {
        "after_step" => "over the batches of an epoch, each after its own step".to_owned(),
        "before_step" => "over batches of reshuffled samples, each before a step".to_owned(),
        "samples" => "over the training samples, one by one".to_owned(),
        other => other.to_owned(),
    }
}

fn norms(rows: &[SummaryRow], timeline: &Timeline) -> Panel {
    let layers = layers(rows.iter().map(|row| row.layer));
    let y = Axis::log("gradient / ‖W‖", values(rows, MEAN).chain(values(rows, SPREAD)));
    let mut panel = Panel::new("mean and standard deviation", timeline.axis(), y);
    panel.plots = lines(rows, &layers, SPREAD, Mark::Dotted, timeline);
    panel.plots.extend(lines(rows, &layers, MEAN, Mark::Solid, timeline));
    panel
}

fn ratio(rows: &[SummaryRow], timeline: &Timeline) -> Panel {
    /// Above it the mean is larger (drift), below it the noise (diffusion).
    const SWITCH: f64 = 1.0;
    let y = Axis::log("mean / standard deviation", values(rows, RATIO).chain([SWITCH]));
    let mut panel = Panel::new("signal-to-noise ratio", timeline.axis(), y);
    panel.plots = lines(rows, &layers(rows.iter().map(|row| row.layer)), RATIO, Mark::Solid, timeline);
    panel.lines = vec![ReferenceLine::horizontal(SWITCH).with_color(GREY)];
    panel
}

fn weights(rows: &[SummaryRow], timeline: &Timeline) -> Panel {
    let y = Axis::from_zero("‖W‖, Frobenius norm", values(rows, WEIGHTS));
    let mut panel = Panel::new("norm of the weights", timeline.axis(), y);
    panel.plots = lines(rows, &layers(rows.iter().map(|row| row.layer)), WEIGHTS, Mark::Solid, timeline);
    panel
}
