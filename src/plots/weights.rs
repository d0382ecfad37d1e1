//! Measures of the weights against the epoch, with I(X;T), I(T;Y) and the loss: a panel for each measure, which names what makes the
//! weights random.

use super::axes::Axis;
use super::canvas::{BLACK, GREY, layer_colour};
use super::series::{Column, has_curve, layers, legend, line, lines, of_network, ribbon, values};
use super::sheet::{Entry, Mark, Panel, Sheet};
use super::timeline::{AtSnapshot, EpochStep, Timeline};
use super::{Picture, PlotError, Spec, Subject, Table, Tables};
use crate::layer_id::LayerId;
use crate::math::unique::unique;
use crate::store::schema::{SummaryRow, WeightSummaryRow};
use crate::weights::{self, MeasureUnit};

pub(super) const SPEC: Spec = Spec {
    name: "weights",
    summary: "I(X;T), I(T;Y), the loss and each measure of the weights against the epoch; the title states what makes the weights random",
    subject: Subject::Experiment,
    needs: &[Table::Summary, Table::WeightSummary],
    uses: &[],
    draw,
};

/// Opacity in percent of the interval over runs.
const INTERVAL: u8 = 25;

const I_XT: Column = |row| row.i_xt_bits_mean;
const I_TY: Column = |row| row.i_ty_bits_mean;
const LOSS_TRAIN: Column = |row| row.loss_train_nats_mean;
const LOSS_TEST: Column = |row| row.loss_test_nats_mean;

impl AtSnapshot for WeightSummaryRow {
    fn snapshot(&self) -> EpochStep {
        (self.epoch, self.step)
    }
}

fn draw(tables: Tables<'_>) -> Result<Picture, PlotError> {
    let rows = of_network(tables.summary);
    let Some(first) = rows.first() else { return Err(PlotError::Nothing("I(X;T) in the summary")) };
    let snapshots = rows.iter().map(AtSnapshot::snapshot).chain(tables.weight_summary.iter().map(AtSnapshot::snapshot));
    let timeline = Timeline::of(snapshots);
    let information = [("I(X;T)", "I(X;T) (bits)", I_XT), ("I(T;Y)", "I(T;Y) (bits)", I_TY)];
    let mut panels: Vec<Panel> = information
        .into_iter()
        .filter(|(_, _, column)| has_curve(&rows, *column))
        .map(|(title, label, column)| of_layers(&rows, title, label, column, &timeline))
        .collect();
    panels.extend(loss(&rows, &timeline));
    let n_before = panels.len();
    for of_table in shown_numbers(tables.weight_summary) {
        panels.extend(of_measure(&of_table, &timeline));
    }
    if panels.len() == n_before {
        return Err(PlotError::Nothing("measure of weights at two snapshots"));
    }
    let mut legend = legend(rows.iter().map(|row| (row.layer, row.layer_name.as_deref())), Mark::Solid);
    legend.push(Entry::new("whole network", BLACK, Mark::Solid));
    if tables.weight_summary.iter().any(|row| row.n_warned > 0) {
        legend.push(Entry::new("with a warning", BLACK, Mark::Dashed));
    }
    legend.push(Entry::new("permutation null", GREY, Mark::Dotted));
    legend.push(Entry::new("95 % interval", GREY, Mark::Area(INTERVAL)));
    let sheet = Sheet {
        title: format!("{}: information in weights", first.experiment),
        subtitle: format!("I(X;T) and I(T;Y): {}", first.estimator),
        columns: 3,
        // Wide enough for the name of a measure with its settings.
        size: (450.0, 330.0),
        panels,
        legend,
        ..Sheet::default()
    };
    sheet.draw()
}

fn of_layers(rows: &[SummaryRow], title: &str, label: &str, column: Column, timeline: &Timeline) -> Panel {
    let layers = layers(rows.iter().map(|row| row.layer));
    let mut panel = Panel::new(title, timeline.axis(), Axis::from_zero(label, values(rows, column)));
    panel.plots = lines(rows, &layers, column, Mark::Solid, timeline);
    panel
}

/// The loss of the training samples, and as a dashed line that of the test samples.
fn loss(rows: &[SummaryRow], timeline: &Timeline) -> Option<Panel> {
    let first = rows.first()?.layer;
    let of_first: Vec<SummaryRow> = rows.iter().filter(|row| row.layer == first).cloned().collect();
    has_curve(&of_first, LOSS_TRAIN).then(|| {
        let every = values(&of_first, LOSS_TRAIN).chain(values(&of_first, LOSS_TEST));
        let axis = Axis::log("cross-entropy (nats); dashed: test", every);
        let mut panel = Panel::new("loss", timeline.axis(), axis);
        let curve = |column: Column, mark| {
            let points = of_first.iter().filter_map(|row| Some((timeline.place(row.snapshot()), column(row)?)));
            let mut points: Vec<(f64, f64)> = points.filter(|(_, loss)| *loss > 0.0).collect();
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            line(points, BLACK, mark)
        };
        panel.plots = [curve(LOSS_TRAIN, Mark::Solid), curve(LOSS_TEST, Mark::Dashed)].into_iter().flatten().collect();
        panel
    })
}

/// The numbers that are shown of a measure, if these are not the first number that it declares.
const SHOWN: &[(&str, &[&str])] = &[
    // Their sum also falls if only the weights shrink.
    ("code", &["norm_part", "covariance_part"]),
    ("ensemble", &["canonical_entropy"]),
    ("batch", &["noise_scale", "snr"]),
];

/// The rows of the numbers that are shown of each measure: a list for each number of each table.
pub(crate) fn shown_numbers(rows: &[WeightSummaryRow]) -> Vec<Vec<&WeightSummaryRow>> {
    let is_shown = |row: &&WeightSummaryRow| {
        let quantity = row.quantity.as_str();
        match SHOWN.iter().find(|(measure, _)| *measure == row.measure) {
            Some((_, quantities)) => quantities.contains(&quantity),
            None => weights::find(&row.measure).is_ok_and(|spec| spec.quantities[0].name == quantity),
        }
    };
    let shown: Vec<&WeightSummaryRow> = rows.iter().filter(is_shown).collect();
    let of_number = |(id, quantity): (&String, &String)| {
        shown.iter().filter(|row| row.weights == *id && row.quantity == *quantity).copied().collect()
    };
    unique(shown.iter().map(|row| (&row.weights, &row.quantity))).into_iter().map(of_number).collect()
}

/// A panel of one number, of each layer and of the whole network, with its null; `None` if there is no curve.
fn of_measure(rows: &[&WeightSummaryRow], timeline: &Timeline) -> Option<Panel> {
    let first = *rows.first()?;
    let numbers = |row: &&WeightSummaryRow| {
        [row.mean, row.low, row.high, row.null_mean].into_iter().flatten().collect::<Vec<_>>()
    };
    let label = format!("{} ({})", first.quantity.replace('_', " "), first.unit);
    // Noise scales grow by orders of magnitude.
    let is_log = first.unit == MeasureUnit::Samples.name();
    let is_drawn = |number: f64| !is_log || number > 0.0;
    let every: Vec<f64> = rows.iter().flat_map(numbers).collect();
    // On a logarithmic axis, an interval that reaches 0 ends at the smallest number of the panel.
    let least = every.iter().copied().filter(|number| is_drawn(*number)).fold(f64::INFINITY, f64::min);
    let axis = if is_log { Axis::log(&label, every) } else { Axis::from_zero(&label, every) };
    let mut panel = Panel::new(format!("random: {} – {}", first.randomness, first.weights), timeline.axis(), axis);
    let places: Vec<Option<LayerId>> = layers(rows.iter().map(|row| row.layer));
    for place in places {
        let colour = place.map_or(BLACK, layer_colour);
        let mut here: Vec<&WeightSummaryRow> = rows.iter().filter(|row| row.layer == place).copied().collect();
        here.sort_by_key(|row| row.step);
        let at = |row: &WeightSummaryRow| timeline.place(row.snapshot());
        let range: Vec<(f64, f64, f64)> =
            here.iter().filter_map(|row| Some((at(row), row.low?.max(least), row.high?))).collect();
        panel.plots.extend(ribbon(&range, colour, INTERVAL));
        let null = here.iter().filter(|_| place.is_none()).filter_map(|row| Some((at(row), row.null_mean?))).collect();
        panel.plots.extend(line(null, GREY, Mark::Dotted));
        panel.plots.extend(line(
            here.iter().filter_map(|row| Some((at(row), row.mean.filter(|mean| is_drawn(*mean))?))).collect(),
            colour,
            if here.iter().any(|row| row.n_warned > 0) { Mark::Dashed } else { Mark::Solid },
        ));
    }
    (!panel.plots.is_empty()).then_some(panel)
}
