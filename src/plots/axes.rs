//! Axes of panels: which stretch of numbers they show, and how its ticks are placed and called.

use std::sync::Arc;

use kuva::render::layout::{Layout, TickFormat};

/// At most as many ticks on a linear axis.
const TICKS: f64 = 8.0;

/// One axis of a panel.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    /// What is measured, with its unit.
    pub(super) label: String,
    pub(super) scale: Scale,
    low: f64,
    high: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scale {
    Linear,
    Log,
    /// Logarithmic, with a tick for the untrained network at this place if there is one.
    Time(Option<f64>),
    /// Places 0, 1, 2 … from the top, with these names.
    Names(Vec<String>),
}

impl Axis {
    /// The `places` of snapshots, logarithmic; `zero` is the one of the untrained network.
    pub(super) fn time(label: &str, zero: Option<f64>, places: impl IntoIterator<Item = f64>) -> Self {
        let (first, last) = extremes(places).unwrap_or((1.0, 1.0));
        // At least up to epoch 2: an axis has a length.
        Self { label: label.to_owned(), scale: Scale::Time(zero), low: first * 0.85, high: (last * 1.12).max(2.0) }
    }

    /// From 0, or the least of `values` where that is below, to the largest.
    pub(super) fn from_zero(label: &str, values: impl IntoIterator<Item = f64>) -> Self {
        let (least, most) = extremes(values).unwrap_or((0.0, 1.0));
        Self::between(label, least.min(0.0), most.max(0.0))
    }

    /// From the least to the largest of `values`.
    pub(super) fn over(label: &str, values: impl IntoIterator<Item = f64>) -> Self {
        let (least, most) = extremes(values).unwrap_or((0.0, 1.0));
        Self::between(label, least, most)
    }

    fn between(label: &str, least: f64, most: f64) -> Self {
        // A little room at an end that is a number, so that no line is cut; none at 0, where the axis begins.
        let span = if most > least { most - least } else { most.abs().max(1.0) };
        let room = |end: f64| if end == 0.0 { 0.0 } else { 0.04 * span };
        let (low, high) = (least - room(least), most + room(most));
        let high = if high > low { high } else { low + span };
        Self { label: label.to_owned(), scale: Scale::Linear, low, high }
    }

    /// Logarithmic, over the positive ones of `values`.
    pub(super) fn log(label: &str, values: impl IntoIterator<Item = f64>) -> Self {
        let (least, most) = extremes(values.into_iter().filter(|value| *value > 0.0)).unwrap_or((0.1, 1.0));
        Self { label: label.to_owned(), scale: Scale::Log, low: least / 1.4, high: most * 1.4 }
    }

    /// One place for each of `names`, the first at the top.
    pub(super) fn names(names: Vec<String>) -> Self {
        let n = names.len() as f64;
        Self { label: String::new(), scale: Scale::Names(names), low: 0.5 - n, high: 0.5 }
    }

    /// The place of the untrained network, if the axis shows it.
    pub(super) fn zero(&self) -> Option<f64> {
        if let Scale::Time(zero) = self.scale { zero } else { None }
    }

    /// Puts the axis below the panel.
    pub(super) fn below(&self, layout: Layout) -> Layout {
        let layout = layout
            .with_x_axis_min(self.low)
            .with_x_axis_max(self.high)
            .with_x_label(self.label.clone())
            .with_x_tick_format(self.format());
        match self.is_linear() {
            true => layout.with_x_tick_step(self.step()),
            false => layout.with_log_x(),
        }
    }

    /// Puts the axis to the left of the panel.
    pub(super) fn beside(&self, layout: Layout) -> Layout {
        let layout = layout
            .with_y_axis_min(self.low)
            .with_y_axis_max(self.high)
            .with_y_label(self.label.clone())
            .with_y_tick_format(self.format());
        match self.is_linear() {
            true => layout.with_y_tick_step(self.step()),
            false => layout.with_log_y(),
        }
    }

    fn is_linear(&self) -> bool {
        !matches!(self.scale, Scale::Log | Scale::Time(_))
    }

    /// A step that people count in: 1, 2 or 5 times a power of ten.
    fn step(&self) -> f64 {
        let least = (self.high - self.low) / TICKS;
        let power = 10_f64.powf(least.log10().floor());
        [1.0, 2.0, 5.0].into_iter().map(|digit| digit * power).find(|step| *step >= least).unwrap_or(10.0 * power)
    }

    fn format(&self) -> TickFormat {
        match self.scale {
            Scale::Linear => TickFormat::Auto,
            // Nothing is logarithmic left of the first trained snapshot.
            Scale::Time(Some(zero)) => {
                let label = move |value| if value < 1.5 * zero { String::new() } else { power(value) };
                TickFormat::Custom(Arc::new(label))
            }
            Scale::Log | Scale::Time(None) => TickFormat::Custom(Arc::new(power)),
            // Names are written by the sheet: they are texts, not numbers.
            Scale::Names(_) => TickFormat::Custom(Arc::new(|_| String::new())),
        }
    }
}

/// A tick of a logarithmic axis: 0.01, 1, 10 000, and beyond these 10⁻³, 2·10⁵.
pub(super) fn power(value: f64) -> String {
    if (0.0095..20_000.0).contains(&value) {
        let text = format!("{value:.3}");
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    let exponent = (value.log10() + 1e-9).floor();
    let digit = (value / 10_f64.powf(exponent)).round();
    let power = format!("10{}", raised(&format!("{exponent}")));
    if digit == 1.0 { power } else { format!("{digit}·{power}") }
}

/// The digits of an exponent, raised.
fn raised(digits: &str) -> String {
    let raise = |c: char| match c.to_digit(10) {
        Some(digit) => ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'][digit as usize],
        None => '⁻',
    };
    digits.chars().map(raise).collect()
}

/// The least and the largest of `values`.
fn extremes(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values.into_iter().fold(None, |found, value| match found {
        None => Some((value, value)),
        Some((least, most)) => Some((least.min(value), most.max(value))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_called_as_people_write_them() {
        for (value, text) in [(1.0, "1"), (0.01, "0.01"), (10_000.0, "10000"), (1e-4, "10⁻⁴"), (2e5, "2·10⁵")] {
            assert_eq!(power(value), text);
        }
    }

    #[test]
    fn an_axis_has_a_length_whatever_it_is_given() {
        for values in [vec![], vec![0.0], vec![3.0, 3.0], vec![-1.0], vec![1e-300, 2e-300]] {
            for axis in [
                Axis::from_zero("", values.clone()),
                Axis::over("", values.clone()),
                Axis::log("", values.clone()),
                Axis::time("", None, Vec::new()),
                Axis::time("", Some(0.45), [0.45]),
            ] {
                assert!(axis.high > axis.low && axis.step() > 0.0, "{axis:?} of {values:?}");
            }
        }
    }

    #[test]
    fn the_untrained_network_is_on_the_axis() {
        let axis = Axis::time("epoch", Some(0.45), [0.45, 1.0, 100.0]);
        assert!(axis.low < 0.45 && axis.zero() == Some(0.45));
        assert_eq!(Axis::time("epoch", None, [1.0, 100.0]).zero(), None);
    }
}
