//! A sheet of panels: axes and lines by kuva, placed in a grid, with one title, one legend and one colour bar for all.

use kuva::plot::LinePlot;
use kuva::render::annotations::ReferenceLine;
use kuva::render::layout::{ComputedLayout, Layout};
use kuva::render::plots::Plot;
use kuva::render::render::{Primitive, Scene, TextAnchor, render_multiple};

use super::axes::{Axis, Scale, Tick};
use super::canvas::{BLACK, Bar, GREY, picture, rectangle, stroke, text, width_of};
use super::labels::{Area, Placed, place};
use super::{Picture, PlotError};

/// Room around the grid and between panels.
const GAP: f64 = 14.0;
/// Room of a panel above its axes, for its title.
const TOP: f64 = 34.0;
/// Room of a panel without a title above its axes.
const UNTITLED: f64 = 12.0;
/// Room of a panel below its axes, for ticks and label.
const BOTTOM: f64 = 54.0;
/// Room of a panel to the left of its axes, for ticks and label.
const LEFT: f64 = 74.0;
/// Room of a panel to the right of its axes, for half of the last tick's label.
const RIGHT: f64 = 24.0;
/// Room for a colour bar and its labels.
const BAR: f64 = 96.0;
/// Size of panel titles and axis labels: what is 14 units here has about 7 points in a picture as wide as a page.
const LABEL: u32 = 14;
/// Size of ticks and of the legend.
const TICK: u32 = 13;
/// Size of the sheet's title.
const TITLE: u32 = 18;

/// A whole figure.
#[derive(Default)]
pub(super) struct Sheet {
    pub(super) title: String,
    /// A smaller line below the title; none if it is empty.
    pub(super) subtitle: String,
    /// Number of panels in a row.
    pub(super) columns: usize,
    /// Width and height of one panel with its labels.
    pub(super) size: (f64, f64),
    pub(super) panels: Vec<Panel>,
    pub(super) axes: Axes,
    pub(super) legend: Vec<Entry>,
    pub(super) bar: Option<Bar>,
}

/// Whether every panel has its own axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Axes {
    #[default]
    Own,
    /// All panels have the same axes, which are named at the left and lower edge only.
    Same,
}

/// One panel.
pub(super) struct Panel {
    pub(super) title: String,
    pub(super) x: Axis,
    pub(super) y: Axis,
    /// Drawn in this order.
    pub(super) plots: Vec<Plot>,
    /// Coloured rectangles behind them.
    pub(super) cells: Vec<Cell>,
    /// Straight lines from edge to edge.
    pub(super) lines: Vec<ReferenceLine>,
    /// Texts over them.
    pub(super) notes: Vec<Note>,
    /// Dashed lines with names, behind everything.
    pub(super) limits: Vec<Limit>,
    /// Paths whose names are written next to them.
    pub(super) paths: Vec<Path>,
}

/// A value of one of the axes that has a name.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Limit {
    pub(super) name: String,
    pub(super) at: At,
}

/// A place on one of the axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum At {
    X(f64),
    Y(f64),
}

/// The points of a path in the panel's own units, and its name.
pub(super) struct Path {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

/// A rectangle in the panel's own units.
pub(super) struct Cell {
    pub(super) x: (f64, f64),
    pub(super) y: (f64, f64),
    pub(super) colour: String,
}

/// A text to the right of a point in the panel's own units.
pub(super) struct Note {
    pub(super) at: (f64, f64),
    pub(super) says: String,
}

/// One line of the legend.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) label: String,
    pub(super) colour: String,
    pub(super) mark: Mark,
}

/// How something is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Solid,
    /// A line of half the width.
    Thin,
    Dashed,
    Dotted,
    /// An area of this opacity in percent.
    Area(u8),
    Dot,
    /// A dot that is white inside.
    Ring,
    Cross,
}

impl Mark {
    /// Dashes in the notation of SVG; an empty text for a solid line.
    pub(super) fn dashes(self) -> &'static str {
        match self {
            Mark::Dashed => "7 4",
            Mark::Dotted => "2 4",
            Mark::Solid | Mark::Thin | Mark::Area(_) | Mark::Dot | Mark::Ring | Mark::Cross => "",
        }
    }
}

impl Entry {
    pub(super) fn new(label: impl Into<String>, colour: &str, mark: Mark) -> Self {
        Self { label: label.into(), colour: colour.to_owned(), mark }
    }

    fn draw(&self, scene: &mut Scene, x: f64, y: f64) {
        const LONG: f64 = 26.0;
        match self.mark {
            Mark::Solid | Mark::Thin | Mark::Dashed | Mark::Dotted => {
                let width = if self.mark == Mark::Thin { 1.0 } else { 2.5 };
                stroke(scene, (x, y), (x + LONG, y), &self.colour, width, self.mark.dashes());
            }
            Mark::Area(percent) => scene.add(Primitive::Rect {
                x,
                y: y - 6.0,
                width: LONG,
                height: 12.0,
                fill: self.colour.as_str().into(),
                stroke: None,
                stroke_width: None,
                opacity: Some(f64::from(percent) / 100.0),
            }),
            Mark::Cross => {
                let (x, half) = (x + LONG / 2.0, 4.0);
                stroke(scene, (x - half, y - half), (x + half, y + half), &self.colour, 1.2, "");
                stroke(scene, (x - half, y + half), (x + half, y - half), &self.colour, 1.2, "");
            }
            Mark::Dot | Mark::Ring => scene.add(Primitive::Circle {
                cx: x + LONG / 2.0,
                cy: y,
                r: 5.0,
                fill: if self.mark == Mark::Ring { "#ffffff" } else { self.colour.as_str() }.into(),
                fill_opacity: None,
                stroke: Some(self.colour.as_str().into()),
                stroke_width: Some(2.0),
            }),
        }
        text(scene, (x + LONG + 8.0, y + 4.5), &self.label, TICK, TextAnchor::Start);
    }
}

impl Panel {
    pub(super) fn new(title: impl Into<String>, x: Axis, y: Axis) -> Self {
        Self {
            title: title.into(),
            x,
            y,
            plots: Vec::new(),
            cells: Vec::new(),
            lines: Vec::new(),
            notes: Vec::new(),
            limits: Vec::new(),
            paths: Vec::new(),
        }
    }

    /// Room to the left of the axes.
    fn left(&self) -> f64 {
        let Scale::Names(names) = &self.y.scale else { return LEFT };
        names.iter().map(|name| width_of(name, TICK)).fold(LEFT - 16.0, f64::max) + 16.0
    }

    /// Room above the axes.
    fn top(&self) -> f64 {
        if self.title.is_empty() { UNTITLED } else { TOP }
    }

    fn layout(&self, size: (f64, f64)) -> Layout {
        let layout = Layout::new((0.0, 1.0), (0.0, 1.0)).with_width(size.0).with_height(size.1).with_show_grid(false);
        let layout = self.y.beside(self.x.below(layout)).with_force_margins(self.left(), RIGHT);
        let layout = layout.with_force_margins_y(self.top(), BOTTOM).with_title(self.title.clone());
        let layout = layout.with_title_size(LABEL).with_label_size(LABEL).with_tick_size(TICK);
        self.lines.iter().fold(layout, |layout, line| layout.with_reference_line(line.clone()))
    }

    /// Draws the panel into `scene`, its upper left corner at `at`.
    fn draw(mut self, scene: &mut Scene, at: (f64, f64), size: (f64, f64)) {
        let layout = self.layout(size);
        let places = ComputedLayout::from_layout(&layout);
        let transform = Some(format!("translate({},{})", at.0, at.1));
        scene.add(Primitive::GroupStart { transform, title: None, extra_attrs: None });
        self.cells.iter().for_each(|cell| cell.draw(scene, &places));
        let inside = Area {
            left: places.margin_left,
            top: places.margin_top,
            right: places.width - places.margin_right,
            bottom: places.height - places.margin_bottom,
        };
        let taken: Vec<Area> = self.limits.iter().map(|limit| limit.draw(scene, &places, inside)).collect();
        if self.plots.is_empty() {
            self.plots.push(LinePlot::new().into()); // kuva draws no axes for nothing
        }
        render_multiple(std::mem::take(&mut self.plots), layout).elements.into_iter().for_each(|e| scene.add(e));
        self.draw_ticks(scene, inside, places.tick_mark_major);
        for Note { at, says } in &self.notes {
            let (x, y) = (places.map_x(at.0), places.map_y(at.1) + 4.0);
            let is_far_right = x > 0.75 * places.width;
            let (x, anchor) = if is_far_right { (x - 10.0, TextAnchor::End) } else { (x + 10.0, TextAnchor::Start) };
            text(scene, (x, y), says, TICK, anchor);
        }
        let pixels = |points: &[(f64, f64)]| points.iter().map(|(x, y)| (places.map_x(*x), places.map_y(*y))).collect();
        let paths: Vec<_> = self.paths.iter().map(|path| (path.name.clone(), pixels(&path.points))).collect();
        place(&paths, inside, &taken, TICK).iter().for_each(|label| draw_label(scene, label));
        scene.add(Primitive::GroupEnd);
        self.draw_y_label(scene, at, inside);
    }

    /// The label of the vertical axis, outside of the panel's group.
    fn draw_y_label(&self, scene: &mut Scene, at: (f64, f64), inside: Area) {
        if !self.y.label.is_empty() {
            scene.add(Primitive::Text {
                x: at.0 + f64::from(LABEL),
                y: at.1 + inside.middle().1,
                content: self.y.label.clone(),
                size: LABEL,
                anchor: TextAnchor::Middle,
                rotate: Some(-90.0),
                bold: false,
                color: None,
            });
        }
    }

    fn draw_ticks(&self, scene: &mut Scene, inside: Area, length: f64) {
        /// Distance of two labels, in units of a letter's size.
        const DISTANCE: f64 = 0.8;
        /// Height of a label.
        const HEIGHT: f64 = 1.5;
        let (width, height) = (inside.right - inside.left, inside.bottom - inside.top);
        let letter = f64::from(TICK);
        for Tick { position, label } in self.x.ticks(|label| (width_of(label, TICK) + DISTANCE * letter) / width) {
            let x = inside.left + position * width;
            stroke(scene, (x, inside.bottom), (x, inside.bottom + length), BLACK, 1.0, "");
            text(scene, (x, inside.bottom + length + letter), &label, TICK, TextAnchor::Middle);
        }
        let has_names = matches!(self.y.scale, Scale::Names(_));
        for Tick { position, label } in self.y.ticks(|_| HEIGHT * letter / height) {
            let y = inside.bottom - position * height;
            if !has_names {
                stroke(scene, (inside.left - length, y), (inside.left, y), BLACK, 1.0, "");
            }
            text(scene, (inside.left - length - 4.0, y + 4.5), &label, TICK, TextAnchor::End);
        }
    }
}

/// Draws a label over a white area, and a line to its point if that is not next to it.
fn draw_label(scene: &mut Scene, label: &Placed) {
    /// A label at this distance from its point needs no line.
    const NEAR: f64 = 9.0;
    let Placed { text: name, area, point } = label;
    scene.add(Primitive::Rect {
        x: area.left,
        y: area.top,
        width: area.right - area.left,
        height: area.bottom - area.top,
        fill: "#ffffff".into(),
        stroke: None,
        stroke_width: None,
        opacity: Some(0.85),
    });
    let nearest = area.nearest(*point);
    if (nearest.0 - point.0).hypot(nearest.1 - point.1) > NEAR {
        stroke(scene, nearest, *point, BLACK, 0.8, "");
    }
    let (x, y) = area.middle();
    text(scene, (x, y + 4.5), name, TICK, TextAnchor::Middle);
}

impl Limit {
    /// Draws line and name; returns the area of the name.
    fn draw(&self, scene: &mut Scene, places: &ComputedLayout, inside: Area) -> Area {
        const DASHES: &str = "6 4";
        let half = width_of(&self.name, TICK) / 2.0 + 8.0;
        let (from, to, middle) = match self.at {
            At::X(value) => {
                let x = places.map_x(value);
                ((x, inside.top), (x, inside.bottom), (x - half, inside.bottom - 14.0))
            }
            At::Y(value) => {
                let y = places.map_y(value);
                ((inside.left, y), (inside.right, y), (inside.left + half, y - 9.0))
            }
        };
        stroke(scene, from, to, GREY, 1.0, DASHES);
        text(scene, (middle.0, middle.1 + 4.5), &self.name, TICK, TextAnchor::Middle);
        Area::around(&self.name, TICK, middle)
    }
}

impl Cell {
    fn draw(&self, scene: &mut Scene, places: &ComputedLayout) {
        let (left, right) = (places.map_x(self.x.0), places.map_x(self.x.1));
        let (top, bottom) = (places.map_y(self.y.1), places.map_y(self.y.0));
        // A little overlap hides the seams.
        rectangle(scene, (left, top), (right - left + 0.3, bottom - top + 0.3), &self.colour);
    }
}

impl Sheet {
    /// The finished picture.
    ///
    /// # Errors
    /// kuva cannot draw it.
    pub(super) fn draw(self) -> Result<Picture, PlotError> {
        picture(self.scene())
    }

    /// The elements of the figure.
    pub(super) fn scene(mut self) -> Scene {
        let columns = self.columns.clamp(1, self.panels.len().max(1));
        if self.axes == Axes::Same {
            self.name_outer_axes(columns);
        }
        let top =
            GAP + if self.title.is_empty() { 0.0 } else { 26.0 } + if self.subtitle.is_empty() { 0.0 } else { 20.0 };
        let rows = self.panels.len().div_ceil(columns);
        let extent = |n: usize, size: f64| n as f64 * (size + GAP);
        let right = GAP + extent(columns, self.size.0);
        let bottom = (top + extent(rows, self.size.1)).max(top + self.legend_height());
        let width = right + self.legend_width() + if self.bar.is_some() { BAR } else { 0.0 };
        let width = width.max(width_of(&self.title, TITLE) + 2.0 * GAP).max(width_of(&self.subtitle, LABEL) + 2.0 * GAP);
        let mut scene = blank(width, bottom);
        self.draw_title(&mut scene, width / 2.0);
        let panels = std::mem::take(&mut self.panels);
        for (i, panel) in panels.into_iter().enumerate() {
            let at = (GAP + extent(i % columns, self.size.0), top + extent(i / columns, self.size.1));
            panel.draw(&mut scene, at, self.size);
        }
        for (i, entry) in self.legend.iter().enumerate() {
            entry.draw(&mut scene, right + 4.0, top + TOP + 10.0 + i as f64 * LINE);
        }
        if let Some(bar) = &self.bar {
            let x = right + self.legend_width() + 10.0;
            // One row high: a bar along all of a tall sheet is no better to read.
            bar.draw(&mut scene, x, top + TOP + 24.0, top + self.size.1 - BOTTOM);
        }
        scene
    }

    fn draw_title(&self, scene: &mut Scene, middle: f64) {
        text(scene, (middle, GAP + 14.0), &self.title, TITLE, TextAnchor::Middle);
        text(scene, (middle, GAP + 36.0), &self.subtitle, LABEL, TextAnchor::Middle);
    }

    fn legend_width(&self) -> f64 {
        let widest = self.legend.iter().map(|entry| width_of(&entry.label, TICK)).fold(0.0, f64::max);
        if self.legend.is_empty() { 0.0 } else { widest + 52.0 }
    }

    fn legend_height(&self) -> f64 {
        TOP + 20.0 + self.legend.len() as f64 * LINE
    }

    fn name_outer_axes(&mut self, columns: usize) {
        let n = self.panels.len();
        for (i, panel) in self.panels.iter_mut().enumerate() {
            if i % columns != 0 {
                panel.y.label.clear();
            }
            if i + columns < n {
                panel.x.label.clear();
            }
        }
    }
}

/// Height of a line of the legend.
const LINE: f64 = 22.0;

/// An empty white scene.
pub(super) fn blank(width: f64, height: f64) -> Scene {
    let mut scene = Scene::new(width, height);
    scene.background_color = Some("#ffffff".to_owned());
    scene.text_color = Some(BLACK.to_owned());
    scene.font_family = ComputedLayout::from_layout(&Layout::new((0.0, 1.0), (0.0, 1.0))).font_family;
    scene
}
