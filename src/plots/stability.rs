//! The settings in which claims hold: a table of claims and layers by the values of the varied parameters, and below it the sources of
//! the variance of the compression.
//!
//! # Reference
//! No figure of the papers: they vary one parameter at a time. Each cell counts all settings with its value.

use kuva::render::render::{Primitive, Scene, TextAnchor};

use super::canvas::{BLACK, coloured_text, picture, rectangle, stroke, text, upward_text, width_of, wrapped};
use super::settings::{short, value_words};
use super::sheet::{TITLE, blank};
use super::variance::{Bars, layer_name};
use super::{Picture, PlotError, Spec, Subject, Table, Tables};
use crate::math::unique::unique;
use crate::store::schema::StabilityRow;

pub(super) const SPEC: Spec = Spec {
    name: "stability",
    summary: "the settings in which claims hold, by the values of the varied parameters, and the sources of the variance of the compression",
    subject: Subject::Folder,
    needs: &[],
    uses: &[Table::Stability, Table::Effects, Table::Levels],
    draw,
};

/// Space around the tables.
const EDGE: f64 = 20.0;
/// Width of the column of claims.
const CLAIM: f64 = 400.0;
/// Width of the column of layers.
const LAYER: f64 = 70.0;
/// Width of a cell.
const WIDTH: f64 = 56.0;
/// Smallest height of a cell.
const HEIGHT: f64 = 24.0;
/// Distance between two parameters, and between two claims.
const GAP: f64 = 10.0;
/// Size of most texts.
const SIZE: u32 = 12;
/// Height of a line of text.
const LINE: f64 = 15.0;
/// Longer names of values are cut.
const LONGEST: usize = 44;
/// The share of settings in which a claim holds, in words; `None` if it is undecided in all settings.
const COLOURS: [(&str, Option<f64>); 4] = [
    ("holds in no setting", Some(0.0)),
    ("holds in half of the settings", Some(0.5)),
    ("holds in all settings", Some(1.0)),
    ("undecided in all settings", None),
];
/// Height of a line of their explanation.
const COLOUR: f64 = 20.0;

/// Red, green and blue of cells whose claim holds in no setting, in half of the settings, in all settings: orange, white and blue,
/// which are distinguishable with any colour vision.
const NOWHERE: [f64; 3] = [230.0, 159.0, 0.0];
const HALF: [f64; 3] = [250.0, 250.0, 250.0];
const EVERYWHERE: [f64; 3] = [0.0, 114.0, 178.0];
/// Background of hatched cells, in which nothing is decided.
const UNDECIDED: &str = "#e4e4e4";

fn draw(tables: Tables<'_>) -> Result<Picture, PlotError> {
    if tables.stability.is_empty() && tables.effects.is_empty() {
        return Err(PlotError::Nothing("table of claims by setting, or of the variance of the compression"));
    }
    // Layers whose compression is one number have no effects.
    let layers = tables.effects.iter().map(|row| row.layer).chain(tables.levels.iter().map(|row| row.layer));
    let output = layers.max().filter(|last| *last > 0);
    let table = ClaimTable::of(tables.stability);
    let bars = Bars::of(tables.effects);
    let width = table.width().max(bars.least_width());
    let mut scene = blank(2.0 * EDGE + width, 2.0 * EDGE + table.height() + bars.height());
    table.draw(&mut scene, (EDGE, EDGE), width, output);
    bars.draw(&mut scene, (EDGE, EDGE + table.height()), width, output);
    picture(scene)
}

/// Claims in rows, values in columns.
struct ClaimTable<'a> {
    claims: Vec<Claim<'a>>,
    columns: Vec<Group<'a>>,
}

/// One claim and its layers' rows.
struct Claim<'a> {
    says: Vec<String>,
    rows: Vec<Vec<&'a StabilityRow>>,
}

/// One parameter and its values.
struct Group<'a> {
    parameter: &'a str,
    values: Vec<&'a str>,
}

impl<'a> ClaimTable<'a> {
    fn of(stability: &'a [StabilityRow]) -> Self {
        let group = |parameter: &'a str| {
            let rows = stability.iter().filter(|row| row.parameter == parameter);
            Group { parameter, values: unique(rows.map(|row| row.value.as_str())) }
        };
        let columns = unique(stability.iter().map(|row| row.parameter.as_str())).into_iter().map(group).collect();
        let claim = |wanted: [&str; 5]| Claim::of(stability.iter().filter(|row| key(row) == wanted).collect());
        Self { claims: unique(stability.iter().map(key)).into_iter().map(claim).collect(), columns }
    }

    fn width(&self) -> f64 {
        let columns: f64 = self.columns.iter().map(|group| group.width() + GAP).sum();
        if self.claims.is_empty() { 0.0 } else { CLAIM + LAYER + columns }
    }

    /// Height of the title, the explanation of the colours and the names above the cells.
    fn head(&self) -> f64 {
        let values = self.columns.iter().flat_map(|group| &group.values);
        let names = 2.0 * LINE + values.map(|value| width_of(&named(value), SIZE)).fold(0.0, f64::max);
        28.0 + names.max(COLOURS.len() as f64 * COLOUR) + 8.0
    }

    fn height(&self) -> f64 {
        let rows: f64 = self.claims.iter().map(|claim| claim.height() + GAP).sum();
        if self.claims.is_empty() { 0.0 } else { self.head() + rows + 30.0 }
    }

    fn draw(&self, scene: &mut Scene, at: (f64, f64), width: f64, output: Option<i32>) {
        if self.claims.is_empty() {
            return;
        }
        let (left, cells) = (at.0, at.1 + self.head());
        let middle = (left + width / 2.0, at.1 + 16.0);
        text(scene, middle, "settings in which the claims hold", TITLE, TextAnchor::Middle);
        explain(scene, (left, cells - COLOURS.len() as f64 * COLOUR - 8.0));
        let mut x = left + CLAIM + LAYER;
        for group in &self.columns {
            group.draw_head(scene, x, cells);
            x += group.width() + GAP;
        }
        let mut y = cells;
        for claim in &self.claims {
            claim.draw(scene, y, &self.columns, output);
            y += claim.height() + GAP;
            let right = left + self.width() - GAP;
            stroke(scene, (left, y - GAP / 2.0), (right, y - GAP / 2.0), "#cccccc", 0.7, "");
        }
    }
}

/// Rows with equal keys are about one claim.
fn key(row: &StabilityRow) -> [&str; 5] {
    [row.figure.as_deref().unwrap_or_default(), &row.claim, &row.quantity, &row.measure, &row.wanted]
}

/// The claim, after the figure that it is about if it names one.
fn claim_of(row: &StabilityRow) -> String {
    row.figure.as_ref().map_or_else(|| row.claim.clone(), |figure| format!("{figure}: {}", row.claim))
}

/// The heading of a column.
fn named(value: &str) -> String {
    if value.is_empty() { "all settings".to_owned() } else { cut(&value_words(value)) }
}

/// Explains the colours of the cells.
fn explain(scene: &mut Scene, at: (f64, f64)) {
    for (i, (words, share)) in COLOURS.into_iter().enumerate() {
        let y = at.1 + i as f64 * COLOUR;
        match share {
            Some(share) => rectangle(scene, (at.0, y), (18.0, 14.0), &shade(share)),
            None => hatch(scene, (at.0, y), (18.0, 14.0)),
        }
        // White needs an edge to be visible.
        stroke(scene, (at.0, y + 14.0), (at.0 + 18.0, y + 14.0), "#999999", 0.7, "");
        text(scene, (at.0 + 24.0, y + 11.0), words, SIZE, TextAnchor::Start);
    }
}

impl Group<'_> {
    fn title(&self) -> String {
        if self.parameter == "all" { String::new() } else { short(self.parameter) }
    }

    fn width(&self) -> f64 {
        (self.values.len() as f64 * WIDTH).max(width_of(&self.title(), SIZE) + 6.0)
    }

    fn draw_head(&self, scene: &mut Scene, x: f64, bottom: f64) {
        let longest = self.values.iter().map(|value| width_of(&named(value), SIZE)).fold(0.0, f64::max);
        let title = (x + self.width() / 2.0, bottom - longest - 18.0);
        scene.add(Primitive::Text {
            x: title.0,
            y: title.1,
            content: self.title(),
            size: SIZE,
            anchor: TextAnchor::Middle,
            rotate: None,
            bold: true,
            color: None,
        });
        for (i, value) in self.values.iter().enumerate() {
            let at = (x + (i as f64 + 0.5) * WIDTH + 4.0, bottom - 8.0);
            upward_text(scene, at, &named(value), SIZE, TextAnchor::Start);
        }
    }
}

fn cut(value: &str) -> String {
    if value.chars().count() <= LONGEST {
        return value.to_owned();
    }
    value.chars().take(LONGEST - 1).chain(['…']).collect()
}

impl<'a> Claim<'a> {
    /// Of the rows of one claim.
    fn of(rows: Vec<&'a StabilityRow>) -> Self {
        let mut layers: Vec<Option<i64>> = rows.iter().map(|row| row.layer).collect();
        layers.sort_unstable();
        layers.dedup();
        let of_layer = |layer: &Option<i64>| rows.iter().filter(|row| row.layer == *layer).copied().collect();
        let letters = ((CLAIM - 16.0) / width_of("n", SIZE)) as usize;
        let says = rows.first().map_or_else(Vec::new, |row| wrapped(&claim_of(row), letters));
        Self { says, rows: layers.iter().map(of_layer).collect() }
    }

    fn height(&self) -> f64 {
        (self.rows.len() as f64 * HEIGHT).max(self.says.len() as f64 * LINE + 4.0)
    }

    fn draw(&self, scene: &mut Scene, top: f64, columns: &[Group<'_>], output: Option<i32>) {
        for (i, line) in self.says.iter().enumerate() {
            text(scene, (EDGE, top + 12.0 + i as f64 * LINE), line, SIZE, TextAnchor::Start);
        }
        let height = self.height() / self.rows.len().max(1) as f64;
        for (i, row) in self.rows.iter().enumerate() {
            let y = top + i as f64 * height;
            if let Some(layer) = row.first().and_then(|row| row.layer) {
                let foot = (EDGE + CLAIM, y + height / 2.0 + 4.0);
                text(scene, foot, &layer_name(layer, output), SIZE, TextAnchor::Start);
            }
            let mut x = EDGE + CLAIM + LAYER;
            for group in columns {
                for (j, value) in group.values.iter().enumerate() {
                    let is_here = |row: &&&StabilityRow| row.parameter == group.parameter && row.value == *value;
                    if let Some(row) = row.iter().find(is_here) {
                        draw_cell(scene, (x + j as f64 * WIDTH, y), (WIDTH - 1.5, height - 1.5), row);
                    }
                }
                x += group.width() + GAP;
            }
        }
    }
}

fn draw_cell(scene: &mut Scene, at: (f64, f64), size: (f64, f64), row: &StabilityRow) {
    /// On darker cells white letters are easier to read than black ones.
    const DARK: f64 = 0.85;
    let share = f64::from(row.n_holds) / f64::from(row.n_settings.max(1));
    let is_open = row.n_undecided >= row.n_settings;
    match is_open {
        true => hatch(scene, at, size),
        false => rectangle(scene, at, size, &shade(share)),
    }
    let content = if is_open { format!("?/{}", row.n_settings) } else { format!("{}/{}", row.n_holds, row.n_settings) };
    let colour = if share > DARK && !is_open { "#ffffff" } else { BLACK };
    coloured_text(scene, (at.0 + size.0 / 2.0, at.1 + size.1 / 2.0 + 4.0), &content, SIZE, colour);
}

/// A grey rectangle with diagonal strokes.
fn hatch(scene: &mut Scene, at: (f64, f64), size: (f64, f64)) {
    const STEP: f64 = 7.0;
    rectangle(scene, at, size, UNDECIDED);
    let n = ((size.0 + size.1) / STEP) as usize;
    for i in 1..=n {
        // The stroke x + y = c, cut at the four sides.
        let c = i as f64 * STEP;
        let from = (at.0 + (c - size.1).max(0.0), at.1 + c.min(size.1));
        let to = (at.0 + c.min(size.0), at.1 + (c - size.0).max(0.0));
        stroke(scene, from, to, "#b8b8b8", 1.0, "");
    }
}

fn shade(share: f64) -> String {
    let (from, to, place) =
        if share < 0.5 { (NOWHERE, HALF, 2.0 * share) } else { (HALF, EVERYWHERE, 2.0 * share - 1.0) };
    let channel = |i: usize| (from[i] + (to[i] - from[i]) * place).round() as u8;
    format!("#{:02x}{:02x}{:02x}", channel(0), channel(1), channel(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hatch_stays_in_its_cell() {
        let mut scene = blank(100.0, 100.0);
        hatch(&mut scene, (10.0, 20.0), (44.0, 22.0));
        for element in scene.elements {
            if let Primitive::Line { x1, y1, x2, y2, .. } = element {
                for (x, y) in [(x1, y1), (x2, y2)] {
                    assert!((10.0..=54.0).contains(&x) && (20.0..=42.0).contains(&y), "{x} {y}");
                }
            }
        }
    }
}
