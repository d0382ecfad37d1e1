//! The sources of the variance of the compression: a bar of shares for each layer, as a part of a figure.

use kuva::render::render::{Scene, TextAnchor};

use super::axes::number;
use super::canvas::{BLACK, coloured_text, rectangle, stroke, text, width_of};
use super::series::layers;
use super::settings::short;
use super::sheet::TITLE;
use crate::math::unique::unique;
use crate::store::schema::EffectRow;

/// Size of most texts.
const SIZE: u32 = 12;
/// Width of the names of layers.
const LAYER: f64 = 70.0;
/// Colours of sources of variance; none is the colour of a layer (Tol 2021, muted).
const SOURCES: [&str; 9] =
    ["#332288", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#CC6677", "#882255", "#AA4499"];
/// Sources that are not parameters.
const RESTS: [(&str, &str); 2] = [("runs", "#9a9a9a"), ("interactions", "#d4d4d4")];

/// The name of a layer. If networks differ in depth, layers are counted from the output, which is −1.
pub(super) fn layer_name(layer: i64, output: Option<i32>) -> String {
    match layer {
        -1 => "output".to_owned(),
        layer if output.map(i64::from) == Some(layer) => "output".to_owned(),
        layer if layer < -1 => format!("output − {}", -layer - 1),
        layer => format!("layer {layer}"),
    }
}

/// Shares of the variance, a bar for each layer.
pub(super) struct Bars<'a> {
    layers: Vec<Vec<&'a EffectRow>>,
    sources: Vec<&'a str>,
}

/// Smallest length of a share of 1.
const WHOLE: f64 = 480.0;
/// Distance from one bar to the next.
const BAR: f64 = 26.0;
/// Space after the longest bar: half of the last tick's label.
const RIGHT: f64 = 24.0;
/// Space after the longest bar for the text about a negative share.
const REMARK: f64 = 160.0;
/// A smaller negative share is a rounding error.
const NEGATIVE: f64 = -0.005;

impl<'a> Bars<'a> {
    pub(super) fn of(effects: &'a [EffectRow]) -> Self {
        let layers = layers(effects.iter().map(|row| row.layer)).into_iter();
        let rows_of = |layer: i32| effects.iter().filter(|row| row.layer == layer).collect();
        Self { layers: layers.map(rows_of).collect(), sources: unique(effects.iter().map(|row| row.source.as_str())) }
    }

    pub(super) fn least_width(&self) -> f64 {
        if self.layers.is_empty() { 0.0 } else { LAYER + self.longest() * WHOLE + self.right() }
    }

    pub(super) fn height(&self) -> f64 {
        if self.layers.is_empty() { 0.0 } else { 74.0 + self.layers.len() as f64 * BAR + 50.0 }
    }

    /// The longest bar: if settings are not balanced, shares overlap and their sum exceeds 1.
    fn longest(&self) -> f64 {
        let length = |rows: &Vec<&EffectRow>| rows.iter().map(|row| row.share.max(0.0)).sum::<f64>();
        self.layers.iter().map(length).fold(1.0, f64::max)
    }

    /// Space after the longest bar.
    fn right(&self) -> f64 {
        if self.layers.iter().flatten().any(|row| row.share < NEGATIVE) { REMARK } else { RIGHT }
    }

    /// Draws the title and the bars with the names of their layers into a rectangle of `width`, with its upper left corner `at`.
    pub(super) fn draw(&self, scene: &mut Scene, at: (f64, f64), width: f64, output: Option<i32>) {
        let top = at.1;
        if self.layers.is_empty() {
            return;
        }
        let whole = (width - LAYER - self.right()) / self.longest();
        let middle = (at.0 + width / 2.0, top + 16.0);
        text(scene, middle, "sources of the variance of the compression", TITLE, TextAnchor::Middle);
        self.explain(scene, (at.0 + LAYER, top + 34.0));
        let (left, first) = (at.0 + LAYER, top + 64.0);
        for (i, rows) in self.layers.iter().enumerate() {
            let y = first + i as f64 * BAR;
            let name = layer_name(rows[0].layer.into(), output);
            text(scene, (at.0, y + 15.0), &name, SIZE, TextAnchor::Start);
            self.draw_bar(scene, (left, y), whole, rows);
        }
        let bottom = first + self.layers.len() as f64 * BAR + 2.0;
        for percent in [0, 25, 50, 75, 100] {
            let x = left + f64::from(percent) / 100.0 * whole;
            stroke(scene, (x, bottom), (x, bottom + 5.0), BLACK, 1.0, "");
            text(scene, (x, bottom + 18.0), &format!("{percent} %"), SIZE, TextAnchor::Middle);
        }
        stroke(scene, (left, bottom), (left + whole, bottom), BLACK, 1.0, "");
        let middle = left + whole / 2.0;
        text(scene, (middle, bottom + 38.0), "share of the sum of squares over all runs", SIZE, TextAnchor::Middle);
    }

    fn colour(&self, source: &str) -> &'static str {
        let rest = RESTS.iter().find(|(name, _)| *name == source).map(|(_, colour)| *colour);
        let parameters = self.sources.iter().filter(|name| RESTS.iter().all(|(rest, _)| rest != *name));
        let place = parameters.into_iter().position(|name| *name == source).unwrap_or_default();
        rest.unwrap_or(SOURCES[place % SOURCES.len()])
    }

    fn explain(&self, scene: &mut Scene, at: (f64, f64)) {
        let mut x = at.0;
        for source in &self.sources {
            rectangle(scene, (x, at.1), (14.0, 14.0), self.colour(source));
            let name = short(source);
            text(scene, (x + 20.0, at.1 + 11.0), &name, SIZE, TextAnchor::Start);
            x += 36.0 + width_of(&name, SIZE);
        }
    }

    fn draw_bar(&self, scene: &mut Scene, at: (f64, f64), whole: f64, rows: &[&EffectRow]) {
        /// Shorter parts are too short for their number.
        const ROOM: f64 = 0.07;
        let mut x = at.0;
        for row in rows.iter().filter(|row| row.share > 0.0) {
            let colour = self.colour(&row.source);
            rectangle(scene, (x, at.1), (row.share * whole, BAR - 5.0), colour);
            if row.share >= ROOM {
                let middle = (x + row.share * whole / 2.0, at.1 + 15.0);
                write_on(scene, middle, &format!("{:.0} %", 100.0 * row.share), colour);
            }
            x += row.share * whole;
        }
        // A negative share has no length; it tells how much the others overlap.
        if let Some(row) = rows.iter().find(|row| row.share < NEGATIVE) {
            let remark = format!("{} {} %", short(&row.source), number((100.0 * row.share).round()));
            text(scene, (x + 8.0, at.1 + 15.0), &remark, SIZE, TextAnchor::Start);
        }
    }
}

/// Writes in black or white, whichever is readable on `colour`.
fn write_on(scene: &mut Scene, at: (f64, f64), content: &str, colour: &str) {
    const LIGHT: [&str; 6] = ["#88CCEE", "#DDCC77", "#d4d4d4", "#9a9a9a", "#44AA99", "#999933"];
    let letters = if LIGHT.contains(&colour) { BLACK } else { "#ffffff" };
    coloured_text(scene, at, content, SIZE, letters);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_counted_from_whichever_end_the_table_counts() {
        assert_eq!(layer_name(6, Some(6)), "output");
        assert_eq!(layer_name(6, None), "layer 6");
        assert_eq!((layer_name(-1, None), layer_name(-2, None)), ("output".to_owned(), "output − 1".to_owned()));
    }
}
