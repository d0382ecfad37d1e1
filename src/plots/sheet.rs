//! A sheet of panels: axes and lines by kuva, placed in a grid, with one title, one legend and one colour bar for all.

use kuva::plot::LinePlot;
use kuva::render::annotations::ReferenceLine;
use kuva::render::layout::{ComputedLayout, Layout};
use kuva::render::plots::Plot;
use kuva::render::render::{Primitive, Scene, TextAnchor, render_multiple};

use super::axes::{Axis, Scale};
use super::canvas::{BLACK, Bar, LABEL, TICK, picture, rectangle, stroke, text, width_of, wrapped};
use super::labels::{Area, Surroundings, place};
use super::line_ends::{LineEnd, draw_line_ends};
use super::marks::{Limit, Path, draw_label, draw_ticks, draw_y_label};
use super::{Picture, PlotError};

/// Room around the grid and between panels.
const GAP: f64 = 14.0;
/// Room of a panel above its axes, for its title.
const TOP: f64 = 34.0;
/// Room of a panel without a title above its axes.
pub(super) const UNTITLED: f64 = 12.0;
/// Room of a panel below its axes, for ticks and label.
pub(super) const BOTTOM: f64 = 54.0;
/// Room of a panel to the left of its axes, for ticks and label.
pub(super) const LEFT: f64 = 74.0;
/// Room of a panel to the right of its axes, for half of the last tick's label.
pub(super) const RIGHT: f64 = 24.0;
/// Room for a colour bar and its labels.
const BAR: f64 = 96.0;
/// Size of the title of every figure.
pub(super) const TITLE: u32 = 18;

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
    /// Sentences below the panels.
    pub(super) remarks: Vec<String>,
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
    /// Names to the right of lines at their last points.
    pub(super) ends: Vec<LineEnd>,
    /// Paths whose names are written next to them.
    pub(super) paths: Vec<Path>,
    /// Lines with a dot at each point, in the panel's own units, that these names do not cover.
    pub(super) avoided: Vec<Vec<(f64, f64)>>,
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

    pub(super) fn draw(&self, scene: &mut Scene, x: f64, y: f64) {
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
            ends: Vec::new(),
            paths: Vec::new(),
            avoided: Vec::new(),
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
        let layout = self.y.left_of_panel(self.x.below_panel(layout)).with_force_margins(self.left(), RIGHT);
        let layout = layout.with_force_margins_y(self.top(), BOTTOM).with_title(self.title.clone());
        let layout = layout.with_title_size(LABEL).with_label_size(LABEL).with_tick_size(TICK);
        self.lines.iter().fold(layout, |layout, line| layout.with_reference_line(line.clone()))
    }

    /// Draws the panel into `scene`, its upper left corner at `at`.
    pub(super) fn draw(mut self, scene: &mut Scene, at: (f64, f64), size: (f64, f64)) {
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
        draw_ticks(scene, (&self.x, &self.y), inside, places.tick_mark_major);
        draw_line_ends(scene, &self.ends, |y| places.map_y(y), inside);
        for Note { at, says } in &self.notes {
            let (x, y) = (places.map_x(at.0), places.map_y(at.1) + 4.0);
            let is_far_right = x > 0.75 * places.width;
            let (x, anchor) = if is_far_right { (x - 10.0, TextAnchor::End) } else { (x + 10.0, TextAnchor::Start) };
            text(scene, (x, y), says, TICK, anchor);
        }
        let pixels = |points: &[(f64, f64)]| -> Vec<(f64, f64)> {
            points.iter().map(|(x, y)| (places.map_x(*x), places.map_y(*y))).collect()
        };
        let paths: Vec<_> = self.paths.iter().map(|path| (path.name.clone(), pixels(&path.points))).collect();
        let lines: Vec<_> = self.avoided.iter().map(|line| pixels(line)).collect();
        let surroundings = Surroundings { within: inside, taken: &taken, lines: &lines };
        place(&paths, &surroundings, TICK).iter().for_each(|label| draw_label(scene, label));
        scene.add(Primitive::GroupEnd);
        draw_y_label(scene, &self.y.label, at, inside);
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

/// The number of columns of `n` panels: few cells of the grid are empty, and the figure is not higher than wide.
pub(super) fn columns(n: usize) -> usize {
    let choices: &[usize] = match n {
        0..=3 => return n.max(1),
        4..=6 => &[3, 2],
        _ => &[4, 3, 5],
    };
    let n_empty = |columns: &usize| n.div_ceil(*columns) * columns - n;
    choices.iter().copied().min_by_key(n_empty).unwrap_or(n)
}

impl Sheet {
    /// The finished figure.
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
        let width =
            width.max(width_of(&self.title, TITLE) + 2.0 * GAP).max(width_of(&self.subtitle, LABEL) + 2.0 * GAP);
        let letters = ((width - 2.0 * GAP) / width_of("n", TICK)).ceil() as usize;
        let remarks: Vec<String> = self.remarks.iter().flat_map(|text| wrapped(text, letters)).collect();
        let mut scene = blank(width, bottom + remarks.len() as f64 * LINE);
        self.draw_title(&mut scene, width / 2.0);
        for (i, line) in remarks.iter().enumerate() {
            text(&mut scene, (GAP, bottom + i as f64 * LINE + 4.0), line, TICK, TextAnchor::Start);
        }
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
