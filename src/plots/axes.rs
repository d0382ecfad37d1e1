//! Axes of panels: the range that an axis shows, its ticks and their labels.

use kuva::render::layout::Layout;

/// At most this many ticks on a linear axis.
const TICKS: f64 = 8.0;
/// The step with which kuva draws no ticks.
const NO_TICKS: f64 = f64::INFINITY;

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
    /// Logarithmic, for snapshots in time.
    Time(Snapshots),
    /// Places 0, 1, 2 … from the top, with these names.
    Names(Vec<String>),
}

/// The places of snapshots on an axis of time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Snapshots {
    /// The place of the untrained network if it was recorded.
    zero: Option<f64>,
    /// The first and the last place of the others; `None` if there are none.
    ends: Option<(f64, f64)>,
}

/// A labelled mark of an axis or of a colour bar.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    /// Position on the axis, from 0 (its lower end) to 1.
    pub(super) position: f64,
    pub(super) label: String,
}

impl Axis {
    /// A logarithmic axis for the `places` of snapshots; `zero` is the place of the untrained network.
    pub(super) fn time(label: &str, zero: Option<f64>, places: impl IntoIterator<Item = f64>) -> Self {
        let trained: Vec<f64> = places.into_iter().filter(|place| zero.is_none_or(|zero| *place > zero)).collect();
        let (first, last) = extremes(zero.into_iter().chain(trained.iter().copied())).unwrap_or((1.0, 1.0));
        let snapshots = Snapshots { zero, ends: extremes(trained) };
        Self { label: label.to_owned(), scale: Scale::Time(snapshots), low: first * 0.85, high: last * 1.12 }
    }

    /// From 0, or the smallest of `values` if that is negative, to the largest.
    pub(super) fn from_zero(label: &str, values: impl IntoIterator<Item = f64>) -> Self {
        let (least, most) = extremes(values).unwrap_or((0.0, 1.0));
        Self::between(label, least.min(0.0), most.max(0.0))
    }

    /// From the smallest to the largest of `values`.
    pub(super) fn over(label: &str, values: impl IntoIterator<Item = f64>) -> Self {
        let (least, most) = extremes(values).unwrap_or((0.0, 1.0));
        Self::between(label, least, most)
    }

    fn between(label: &str, least: f64, most: f64) -> Self {
        // A margin at both ends, so that no line is cut; none at 0.
        let span = if most > least { most - least } else { most.abs().max(1.0) };
        let margin = |end: f64| if end == 0.0 { 0.0 } else { 0.04 * span };
        let (low, high) = (least - margin(least), most + margin(most));
        let high = if high > low { high } else { low + span };
        Self { label: label.to_owned(), scale: Scale::Linear, low, high }
    }

    /// A logarithmic axis over the positive ones of `values`.
    pub(super) fn log(label: &str, values: impl IntoIterator<Item = f64>) -> Self {
        let (least, most) = extremes(values.into_iter().filter(|value| *value > 0.0)).unwrap_or((0.1, 1.0));
        Self { label: label.to_owned(), scale: Scale::Log, low: least / 1.4, high: most * 1.4 }
    }

    /// One place for each of `names`, the first at the top.
    pub(super) fn names(names: Vec<String>) -> Self {
        let n = names.len() as f64;
        Self { label: String::new(), scale: Scale::Names(names), low: 0.5 - n, high: 0.5 }
    }

    /// The smallest value that the axis shows.
    pub(super) fn low(&self) -> f64 {
        self.low
    }

    /// Puts the axis below the panel, without ticks: these are drawn by the sheet.
    pub(super) fn below_panel(&self, layout: Layout) -> Layout {
        let layout = layout.with_x_axis_min(self.low).with_x_axis_max(self.high).with_x_label(self.label.clone());
        let layout = layout.with_x_tick_step(NO_TICKS);
        if self.is_linear() { layout } else { layout.with_log_x() }
    }

    /// Puts the axis to the left of the panel, without ticks and label: these are drawn by the sheet.
    pub(super) fn left_of_panel(&self, layout: Layout) -> Layout {
        let layout = layout.with_y_axis_min(self.low).with_y_axis_max(self.high);
        let layout = layout.with_y_tick_step(NO_TICKS);
        if self.is_linear() { layout } else { layout.with_log_y() }
    }

    fn is_linear(&self) -> bool {
        !matches!(self.scale, Scale::Log | Scale::Time(_))
    }

    /// The position of `value` on the axis: 0 at its lower end, 1 at its upper end.
    fn position(&self, value: f64) -> f64 {
        match self.is_linear() {
            true => (value - self.low) / (self.high - self.low),
            false => (value / self.low).ln() / (self.high / self.low).ln(),
        }
    }

    /// Ticks whose labels do not overlap; `size` is the size of a label as a share of the axis.
    pub(super) fn ticks(&self, size: impl Fn(&str) -> f64) -> Vec<Tick> {
        let tick = |value: f64| Tick { position: self.position(value), label: number(value) };
        let at_all = |values: Vec<f64>| values.into_iter().map(tick).collect::<Vec<Tick>>();
        match &self.scale {
            Scale::Linear => self.linear_ticks(&size),
            Scale::Log => match apart(at_all(self.round_numbers()), &size) {
                ticks if ticks.len() > 1 => ticks,
                _ => self.linear_ticks(&size),
            },
            Scale::Time(snapshots) => self.time_ticks(snapshots, &size),
            Scale::Names(names) => {
                let tick =
                    |(i, name): (usize, &String)| Tick { position: self.position(-(i as f64)), label: name.clone() };
                names.iter().enumerate().map(tick).collect()
            }
        }
    }

    /// Ticks at round numbers of epochs or steps between the first and the last snapshot. If there are fewer than two: also at
    /// these two.
    fn time_ticks(&self, Snapshots { zero, ends }: &Snapshots, size: &impl Fn(&str) -> f64) -> Vec<Tick> {
        let tick = |value: f64| Tick { position: self.position(value), label: number(value) };
        let zero: Vec<Tick> =
            zero.map(|zero| Tick { position: self.position(zero), ..tick(0.0) }).into_iter().collect();
        let Some((first, last)) = *ends else { return zero };
        let with = |values: Vec<f64>| {
            let values = values.into_iter().filter(|value| value.fract() == 0.0 && (first..=last).contains(value));
            apart(zero.iter().cloned().chain(values.map(tick)).collect(), size)
        };
        match with(self.round_numbers()) {
            ticks if ticks.len() > 1 => ticks,
            _ => {
                let ends = [first, last].map(|value| Tick { label: whole(value as i64), ..tick(value) });
                let between = with(self.multiples(self.least_step()));
                apart(zero.iter().cloned().chain(ends).chain(between).collect(), size)
            }
        }
    }

    /// Ticks at the multiples of the smallest round step whose labels do not overlap.
    fn linear_ticks(&self, size: &impl Fn(&str) -> f64) -> Vec<Tick> {
        let mut step = self.least_step();
        loop {
            let tick = |value: f64| Tick { position: self.position(value), label: number(value) };
            let ticks: Vec<Tick> = self.multiples(step).into_iter().map(tick).collect();
            if ticks.len() < 3 || apart(ticks.clone(), size).len() == ticks.len() {
                return ticks;
            }
            step = round_up(1.5 * step);
        }
    }

    /// The smallest step between ticks.
    fn least_step(&self) -> f64 {
        round_up((self.high - self.low) / TICKS)
    }

    /// The multiples of `step` on the axis.
    fn multiples(&self, step: f64) -> Vec<f64> {
        let (first, last) = ((self.low / step).ceil() as i64, (self.high / step).floor() as i64);
        (first..=last).map(|n| n as f64 * step).collect()
    }

    /// Powers of ten on the axis; if there are few, their multiples follow.
    fn round_numbers(&self) -> Vec<f64> {
        const FEW: usize = 3;
        let is_shown = |value: &f64| (self.low..=self.high).contains(value);
        let exponents = self.low.log10().floor() as i32..=self.high.log10().ceil() as i32;
        let multiples =
            |digit: f64| exponents.clone().map(move |exponent| digit * 10_f64.powi(exponent)).filter(is_shown);
        let powers: Vec<f64> = multiples(1.0).collect();
        if powers.len() >= FEW {
            // Every second, third … power on a long axis, so that the distances are equal.
            let every = powers.len().div_ceil(TICKS as usize);
            return powers.into_iter().step_by(every).collect();
        }
        let others: &[f64] = if powers.len() == 2 { &[2.0, 5.0] } else { &[2.0, 5.0, 3.0, 4.0, 6.0, 7.0, 8.0, 9.0] };
        powers.into_iter().chain(others.iter().flat_map(|digit| multiples(*digit))).collect()
    }
}

/// Whether an axis up to the value `reached` is extended to `limit`. Otherwise most of the panel would be empty.
pub(super) fn is_nearly_reached(limit: f64, reached: f64) -> bool {
    /// The share of a limit that the values reach.
    const NEARLY: f64 = 0.75;
    reached > NEARLY * limit
}

/// The smallest step that people count in (1, 2 or 5 times a power of ten) that is at least `least`.
fn round_up(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0].into_iter().map(|digit| digit * power).find(|step| *step >= least).unwrap_or(10.0 * power)
}

/// The ticks whose labels do not overlap those of ticks earlier in the list.
pub(super) fn apart(ticks: Vec<Tick>, size: &impl Fn(&str) -> f64) -> Vec<Tick> {
    let mut kept: Vec<Tick> = Vec::new();
    for tick in ticks {
        let room = |other: &Tick| (size(&other.label) + size(&tick.label)) / 2.0;
        if kept.iter().all(|other| (other.position - tick.position).abs() >= room(other)) {
            kept.push(tick);
        }
    }
    kept
}

/// A number as all axes and colour bars write it: 0.01, 1, 10 000 (with a thin space), and beyond these 10⁻⁴, 2·10⁵.
pub(super) fn number(value: f64) -> String {
    /// Significant digits: more are rounding errors of the multiples of a step.
    const DIGITS: i32 = 6;
    if value.abs() < 1e-300 {
        return "0".to_owned();
    }
    let sign = if value < 0.0 { "−" } else { "" };
    let value = value.abs();
    let exponent = (value.log10() + 1e-9).floor();
    if (0.000_95..99_999.5).contains(&value) {
        let decimals = (DIGITS - 1 - exponent as i32).max(0) as usize;
        return format!("{sign}{}", grouped(&trimmed(&format!("{value:.decimals$}"))));
    }
    // A mantissa such as 9.996 is rounded to 10.
    let digits = trimmed(&format!("{:.2}", value / 10_f64.powf(exponent)));
    let (digits, exponent) = if digits == "10" { ("1", exponent + 1.0) } else { (digits.as_str(), exponent) };
    let power = format!("10{}", raised(&format!("{exponent}")));
    if digits == "1" { format!("{sign}{power}") } else { format!("{sign}{digits}·{power}") }
}

/// A whole number with all of its digits, for the name of an epoch or a step: 9999, 10 000, 1 234 567 (with thin spaces).
pub(super) fn whole(value: i64) -> String {
    format!("{}{}", if value < 0 { "−" } else { "" }, grouped(&value.unsigned_abs().to_string()))
}

/// A number without sign whose integer part has a thin space between thousands if it has five digits or more.
fn grouped(text: &str) -> String {
    let (digits, decimals) = text.split_at(text.find('.').unwrap_or(text.len()));
    if digits.len() < 5 {
        return text.to_owned();
    }
    let is_start = |place: usize| place > 0 && (digits.len() - place).is_multiple_of(3);
    let spaced = |(place, digit): (usize, char)| is_start(place).then_some('\u{2009}').into_iter().chain([digit]);
    digits.chars().enumerate().flat_map(spaced).chain(decimals.chars()).collect()
}

/// A decimal number without zeros at its end.
fn trimmed(text: &str) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
}

/// The digits of an exponent, raised.
fn raised(digits: &str) -> String {
    let raise = |c: char| match c.to_digit(10) {
        Some(digit) => ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'][digit as usize],
        None => '⁻',
    };
    digits.chars().map(raise).collect()
}

/// The smallest and the largest of `values`.
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
    fn ticks_are_written_as_people_write_them() {
        let texts = [
            (0.0, "0"),
            (1.0, "1"),
            (0.01, "0.01"),
            (3.0 * 0.1, "0.3"),
            (-2.5, "−2.5"),
            (9_999.0, "9999"),
            (10_000.0, "10\u{2009}000"),
            (1e-4, "10⁻⁴"),
            (2e5, "2·10⁵"),
            (1.5e6, "1.5·10⁶"),
            (12_345.5, "12\u{2009}345.5"),
            (99_999.0, "99\u{2009}999"),
            (99_999.5, "10⁵"),
            // A mantissa that is rounded up to 10.
            (9.996e6, "10⁷"),
            (9.994e6, "9.99·10⁶"),
            (9.996e-5, "10⁻⁴"),
        ];
        for (value, text) in texts {
            assert_eq!(number(value), text);
            if value > 0.0 {
                assert_eq!(number(-value), format!("−{text}"));
            }
        }
    }

    #[test]
    fn whole_numbers_keep_all_digits() {
        let texts = [(0, "0"), (9999, "9999"), (10_000, "10 000"), (123_456, "123 456"), (-1_234_567, "−1 234 567")];
        for (value, text) in texts {
            assert_eq!(whole(value), text.replace(' ', "\u{2009}"));
        }
        assert_eq!(whole(10_000), number(1e4), "titles and axes write it alike");
    }

    fn labels(axis: &Axis) -> Vec<String> {
        let mut ticks = axis.ticks(|label| 0.02 * label.chars().count() as f64 + 0.01);
        ticks.sort_by(|a, b| a.position.total_cmp(&b.position));
        ticks.into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn a_short_training_has_a_tick_for_every_epoch_and_none_between() {
        let axis = |last: f64| Axis::time("epoch", Some(0.45), [0.45, 1.0, last]);
        assert_eq!(labels(&axis(1.0)), ["0", "1"]);
        assert_eq!(labels(&axis(3.0)), ["0", "1", "2", "3"]);
        assert_eq!(labels(&axis(20.0)), ["0", "1", "2", "5", "10", "20"]);
        assert_eq!(labels(&axis(10_000.0)), ["0", "1", "10", "100", "1000", "10\u{2009}000"]);
    }

    #[test]
    fn an_axis_without_round_numbers_has_a_tick_at_its_ends() {
        let axis = |first: f64, last: f64| labels(&Axis::time("epoch", None, [first, last]));
        assert_eq!(axis(1300.0, 1700.0), ["1300", "1400", "1500", "1600", "1700"]);
        assert_eq!(axis(41.0, 43.0), ["41", "42", "43"]);
        assert_eq!(axis(123_456.0, 123_466.0).first().map(String::as_str), Some("123\u{2009}456"));
        assert_eq!(axis(7.0, 7.0), ["7"]);
        assert_eq!(labels(&Axis::time("epoch", Some(0.45), [0.45])), ["0"]);
        for first in 1..300 {
            // Closer ends have no room for two labels.
            for last in first + first / 20 + 1..=first + 40 {
                let ticks = axis(first.into(), last.into());
                let is_whole = |tick: &String| tick.parse::<u32>().is_ok();
                assert!(ticks.len() > 1 && ticks.iter().all(is_whole), "{first} to {last}: {ticks:?}");
            }
        }
    }

    #[test]
    fn between_the_untrained_network_and_the_first_snapshot_there_is_no_tick() {
        // The place of the untrained network is 0.45 times that of the first snapshot.
        let axis = Axis::time("step", Some(0.45 * 17.0), [0.45 * 17.0, 17.0, 400.0]);
        assert_eq!(labels(&axis), ["0", "20", "50", "100", "200"]);
        let axis = Axis::time("step", Some(0.45 * 17.0), [0.45 * 17.0, 17.0]);
        assert_eq!(labels(&axis), ["0", "17"]);
    }

    #[test]
    fn a_logarithmic_axis_shorter_than_a_decade_has_ticks() {
        assert!(labels(&Axis::log("", [2.1, 2.9])).len() > 1);
        assert_eq!(labels(&Axis::log("", [1e-3, 1.0])), ["0.001", "0.01", "0.1", "1"]);
        assert_eq!(labels(&Axis::log("", [1e-20, 1.0])).len(), 7);
    }

    #[test]
    fn labels_never_overlap() {
        for width in [0.05, 0.2, 0.4] {
            for axis in [
                Axis::over("", [0.999_1, 0.999_2]),
                Axis::from_zero("", [12.0]),
                Axis::from_zero("", [-3e6, 4e6]),
                Axis::log("", [3.0, 4e7]),
                Axis::time("", Some(0.45), [0.45, 1.0, 7.0]),
            ] {
                let ticks = axis.ticks(|_| width);
                let is_inside = |tick: &Tick| (-1e-9..=1.0 + 1e-9).contains(&tick.position);
                assert!(!ticks.is_empty() && ticks.iter().all(is_inside), "{axis:?}: {ticks:?}");
                for (i, a) in ticks.iter().enumerate() {
                    let is_apart = |b: &Tick| (a.position - b.position).abs() >= width - 1e-9 || ticks.len() < 3;
                    assert!(ticks[i + 1..].iter().all(is_apart), "{axis:?}: {ticks:?}");
                }
            }
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
                assert!(
                    axis.high > axis.low && axis.ticks(|_| 0.1).iter().all(|tick| tick.position.is_finite()),
                    "{axis:?} of {values:?}"
                );
            }
        }
    }

    #[test]
    fn the_untrained_network_is_on_the_axis() {
        let axis = Axis::time("epoch", Some(0.45), [0.45, 1.0, 100.0]);
        assert!(axis.low < 0.45 && labels(&axis)[0] == "0");
        assert_eq!(labels(&Axis::time("epoch", None, [1.0, 100.0])), ["1", "10", "100"]);
    }
}
