//! Parts that all figures share: colours, texts, a colour bar, and the output as SVG and PNG.

use kuva::backend::raster::RasterBackend;
use kuva::backend::svg::SvgBackend;
use kuva::plot::ColorMap;
use kuva::render::color::Color;
use kuva::render::render::{Primitive, Scene, TextAnchor};

use super::axes::{Tick, apart, whole};
use super::timeline::{Timeline, ZERO};
use super::{Picture, PlotError, dashes, upright};
use crate::layer_id::LayerId;
use crate::math::unique::unique;
use crate::visible::visible_line;

/// Layer colours that differ for any colour vision, also in print (Okabe & Ito 2008, black last).
pub(super) const LAYER_COLOURS: [&str; 8] =
    ["#D55E00", "#0072B2", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#F0E442", "#000000"];
/// Colour of limits, ceilings and curves of the whole network.
pub(super) const GREY: &str = "#767676";
/// Text that is not a label of an axis.
pub(super) const BLACK: &str = "#000000";
/// Size of panel titles and axis labels: 14 units are about 7 points in a figure as wide as a page.
pub(super) const LABEL: u32 = 14;
/// Size of ticks and of the legend.
pub(super) const TICK: u32 = 13;
/// Pixels of the PNG per unit of the SVG.
const PNG_SCALE: f32 = 2.0;
/// Mean width of a letter of kuva's font in units of its size; kuva does not tell widths.
const LETTER: f64 = 0.56;

/// The colour of a layer; the first above the input has the first colour.
pub(super) fn layer_colour(layer: LayerId) -> &'static str {
    LAYER_COLOURS[(layer.index() + LAYER_COLOURS.len() - 1) % LAYER_COLOURS.len()]
}

/// The name of a layer in legends: its name if it has one, otherwise `output` for the `last` layer and its number for the others.
pub(super) fn layer_name(layer: LayerId, name: Option<&str>, last: LayerId) -> String {
    match name {
        Some(name) => name.to_owned(),
        None if layer == last => "output".to_owned(),
        None => format!("layer {layer}"),
    }
}

/// Colours by time on a logarithmic scale, as epochs are recorded. The untrained network has a colour below that of the first
/// snapshot after it.
pub(super) struct TimeColours {
    /// The time that has the first colour.
    low: f64,
    /// The first and the last recorded time; the first is 0 if the untrained network was recorded.
    ends: [f64; 2],
    /// The first time after the start of the training.
    first: f64,
    title: String,
}

impl TimeColours {
    /// Colours for the snapshots of all `timelines`.
    pub(super) fn new<'a>(timelines: impl IntoIterator<Item = &'a Timeline>) -> Self {
        let (mut first, mut last, mut has_zero, mut labels) = (f64::INFINITY, 0.0_f64, false, Vec::new());
        for timeline in timelines {
            (first, last) = (first.min(timeline.first()), last.max(timeline.last()));
            has_zero |= timeline.has_zero();
            labels.push(timeline.label());
        }
        let low = if has_zero { ZERO * first } else { first };
        let ends = [if has_zero { 0.0 } else { first }, last];
        Self { low, ends, first, title: unique(labels).join(" or ") }
    }

    pub(super) fn at(&self, time: f64) -> String {
        colour(self.position(time))
    }

    /// The position of `time` on the bar, from 0 to 1.
    fn position(&self, time: f64) -> f64 {
        let span = (self.ends[1] / self.low).ln();
        if span > 0.0 { (time.max(self.low) / self.low).ln() / span } else { 0.0 }
    }

    /// The bar that explains the colours.
    pub(super) fn bar(&self) -> Bar {
        // The ends first: they keep their labels if there is not enough room for all labels.
        let powers = (0..10).map(|power| 10_f64.powi(power));
        let powers = powers.filter(|time| *time >= self.first && *time < self.ends[1]);
        let times = unique(self.ends).into_iter().chain(powers);
        let ticks = times.map(|time| Tick { position: self.position(time), label: whole(time as i64) }).collect();
        Bar { title: self.title.clone(), ticks, colour }
    }
}

/// The colour of each of `n` things in order.
pub(super) fn rank_colours(n: usize) -> impl Fn(usize) -> String {
    move |rank| colour(rank as f64 / n.saturating_sub(1).max(1) as f64)
}

/// A colour bar.
pub(super) struct Bar {
    /// The text above it.
    pub(super) title: String,
    /// The labels, the most important first: those that would overlap an earlier label are left out.
    pub(super) ticks: Vec<Tick>,
    /// The colour of a position, 0 the lower end, 1 the upper end.
    pub(super) colour: fn(f64) -> String,
}

impl Bar {
    /// Draws the bar at `x`, from `top` to `bottom`.
    pub(super) fn draw(&self, scene: &mut Scene, x: f64, top: f64, bottom: f64) {
        const STEPS: usize = 128;
        const WIDTH: f64 = 16.0;
        /// Distance of two labels that do not touch.
        const LINE: f64 = 14.0;
        let height = (bottom - top) / STEPS as f64;
        for step in 0..STEPS {
            let share = (step as f64 + 0.5) / STEPS as f64;
            // A little overlap hides the seams between steps.
            let y = bottom - (step + 1) as f64 * height;
            rectangle(scene, (x, y), (WIDTH, height + 0.5), &(self.colour)(share));
        }
        let line = |_: &str| LINE / (bottom - top);
        for Tick { position, label } in apart(self.ticks.clone(), &line) {
            let y = bottom - position * (bottom - top);
            stroke(scene, (x + WIDTH, y), (x + WIDTH + 4.0, y), BLACK, 1.0, "");
            text(scene, (x + WIDTH + 7.0, y + 4.0), &label, 12, TextAnchor::Start);
        }
        text(scene, (x - 4.0, top - 12.0), &self.title, 13, TextAnchor::Start);
    }
}

/// The colour at `share` of the bar. The brightest tenth of the map is left out: it vanishes on white.
fn colour(share: f64) -> String {
    const BRIGHTEST: f64 = 0.92;
    ColorMap::Plasma.map(BRIGHTEST * share)
}

/// `colour`, which is written as `#rrggbb`, mixed with white; a share of 0 is white.
pub(super) fn pale(colour: &str, share: f64) -> String {
    let channel =
        |at: usize| colour.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).unwrap_or(0);
    let mixed = |at: usize| (255.0 - share * (255.0 - f64::from(channel(at)))).round() as u8;
    format!("#{:02x}{:02x}{:02x}", mixed(1), mixed(3), mixed(5))
}

/// The approximate width of `content`.
pub(super) fn width_of(content: &str, size: u32) -> f64 {
    content.chars().count() as f64 * f64::from(size) * LETTER
}

/// `words` in lines of at most `letters`, broken between words. A longer word has its own line.
pub(super) fn wrapped(words: &str, letters: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= letters => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Writes `content` with its baseline at `at`.
pub(super) fn text(scene: &mut Scene, at: (f64, f64), content: &str, size: u32, anchor: TextAnchor) {
    write(scene, at, content, (size, anchor), None, None);
}

/// Writes `content` in a colour, with the middle of its baseline at `at`.
pub(super) fn coloured_text(scene: &mut Scene, at: (f64, f64), content: &str, size: u32, colour: &str) {
    write(scene, at, content, (size, TextAnchor::Middle), None, Some(colour.into()));
}

/// Writes `content` from bottom to top. It must be outside of groups, because PNGs need its place in the figure.
pub(super) fn upward_text(scene: &mut Scene, at: (f64, f64), content: &str, size: u32, anchor: TextAnchor) {
    write(scene, at, content, (size, anchor), Some(-90.0), None);
}

fn write(
    scene: &mut Scene,
    at: (f64, f64),
    content: &str,
    (size, anchor): (u32, TextAnchor),
    rotate: Option<f64>,
    color: Option<Color>,
) {
    let content = content.to_owned();
    scene.add(Primitive::Text { x: at.0, y: at.1, content, size, anchor, rotate, bold: false, color });
}

/// Fills a rectangle with its upper left corner `at`.
pub(super) fn rectangle(scene: &mut Scene, at: (f64, f64), size: (f64, f64), colour: &str) {
    scene.add(Primitive::Rect {
        x: at.0,
        y: at.1,
        width: size.0,
        height: size.1,
        fill: Color::from(colour),
        stroke: None,
        stroke_width: None,
        opacity: None,
    });
}

/// Draws a straight line with `dashes` in the notation of SVG; an empty text draws it solid.
pub(super) fn stroke(scene: &mut Scene, from: (f64, f64), to: (f64, f64), colour: &str, width: f64, dashes: &str) {
    scene.add(Primitive::Line {
        x1: from.0,
        y1: from.1,
        x2: to.0,
        y2: to.1,
        stroke: Color::from(colour),
        stroke_width: width,
        stroke_dasharray: (!dashes.is_empty()).then(|| dashes.to_owned()),
    });
}

/// A scene in both formats.
pub(super) fn picture(mut scene: Scene) -> Result<Picture, PlotError> {
    make_visible(&mut scene);
    let svg = with_round_corners(&with_own_numbers(&SvgBackend.render_scene(&scene)));
    Ok(Picture { svg, png: pixels(scene, PNG_SCALE)? })
}

/// Lines with round corners, as in the PNG: the default of SVG has spikes at sharp bends.
fn with_round_corners(svg: &str) -> String {
    svg.replacen("<svg ", "<svg stroke-linejoin=\"round\" ", 1)
}

/// Makes characters of texts visible that XML does not allow, and that would reorder what is read.
fn make_visible(scene: &mut Scene) {
    for element in &mut scene.elements {
        match element {
            Primitive::Text { content, .. } => *content = visible_line(content).into_owned(),
            Primitive::RichText { spans, .. } => {
                spans.iter_mut().for_each(|span| span.text = visible_line(&span.text).into_owned());
            }
            _ => {}
        }
    }
}

/// The clip paths numbered from 0: kuva counts them over all figures of the process, and figures are drawn in parallel.
fn with_own_numbers(svg: &str) -> String {
    const NAME: &str = "kuva-clip-";
    let mut numbers: Vec<&str> = Vec::new();
    let mut parts = svg.split(NAME);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        let (number, rest) = part.split_at(end);
        let place = numbers.iter().position(|other| *other == number).unwrap_or_else(|| {
            numbers.push(number);
            numbers.len() - 1
        });
        text.push_str(&format!("{NAME}{place}{rest}"));
    }
    text
}

/// A scene as PNG, of `scale` pixels per unit.
pub(super) fn pixels(mut scene: Scene, scale: f32) -> Result<Vec<u8>, PlotError> {
    make_visible(&mut scene);
    scene.elements = dashes::cut(&scene.elements);
    let texts = upright::take(&mut scene);
    let drawn = |scene: &Scene| RasterBackend::new().with_scale(scale).render_scene(scene);
    drawn(&scene).and_then(|png| upright::draw(&png, &texts, scale, drawn)).map_err(PlotError::Library)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("", 7), Vec::<String>::new());
    }

    #[test]
    fn a_colour_bar_begins_and_ends_at_recorded_times() {
        let labels = |epochs: &[i32]| {
            let bar = TimeColours::new([&Timeline::of(epochs.iter().map(|epoch| (*epoch, i64::from(*epoch))))]).bar();
            assert!(bar.ticks.iter().all(|tick| (0.0..=1.0).contains(&tick.position)), "{epochs:?}");
            let ends = [bar.ticks.first(), bar.ticks.iter().find(|tick| tick.position == 1.0)];
            ends.map(|tick| tick.map(|tick| (tick.label.clone(), tick.position)))
        };
        let tick = |label: &str, position: f64| Some((label.to_owned(), position));
        assert_eq!(labels(&[37, 49]), [tick("37", 0.0), tick("49", 1.0)]);
        assert_eq!(labels(&[0, 37, 49]), [tick("0", 0.0), tick("49", 1.0)]);
        assert_eq!(labels(&[0, 1, 10_000]), [tick("0", 0.0), tick("10\u{2009}000", 1.0)]);
        assert_eq!(labels(&[0]), [tick("0", 0.0), None]);
        assert_eq!(labels(&[8]), [tick("8", 0.0), None]);
    }

    #[test]
    fn clip_paths_are_numbered_from_0_in_every_figure() {
        let drawn =
            "<clipPath id=\"kuva-clip-12\"/><g clip-path=\"url(#kuva-clip-12)\"/><g clip-path=\"url(#kuva-clip-7)\"/>";
        let expected =
            "<clipPath id=\"kuva-clip-0\"/><g clip-path=\"url(#kuva-clip-0)\"/><g clip-path=\"url(#kuva-clip-1)\"/>";
        assert_eq!(with_own_numbers(drawn), expected);
    }
}
