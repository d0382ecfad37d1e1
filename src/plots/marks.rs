//! Ticks, named limits and labels of a panel.

use kuva::render::layout::ComputedLayout;
use kuva::render::render::{Primitive, Scene, TextAnchor};

use super::axes::{Axis, Scale, Tick};
use super::canvas::{BLACK, GREY, LABEL, TICK, stroke, text, upward_text, width_of};
use super::labels::{Area, Placed};

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

/// Writes the label of the vertical axis of a panel whose upper left corner is at `at`.
pub(super) fn draw_y_label(scene: &mut Scene, label: &str, at: (f64, f64), inside: Area) {
    if !label.is_empty() {
        upward_text(scene, (at.0 + f64::from(LABEL), at.1 + inside.middle().1), label, LABEL, TextAnchor::Middle);
    }
}

/// Draws the ticks of the axes x and y, whose marks have this `length`.
pub(super) fn draw_ticks(scene: &mut Scene, (x_axis, y_axis): (&Axis, &Axis), inside: Area, length: f64) {
    /// Distance of two labels, in units of a letter's size.
    const DISTANCE: f64 = 0.8;
    /// Height of a label.
    const HEIGHT: f64 = 1.5;
    let (width, height) = (inside.right - inside.left, inside.bottom - inside.top);
    let letter = f64::from(TICK);
    for Tick { position, label } in x_axis.ticks(|label| (width_of(label, TICK) + DISTANCE * letter) / width) {
        let x = inside.left + position * width;
        stroke(scene, (x, inside.bottom), (x, inside.bottom + length), BLACK, 1.0, "");
        text(scene, (x, inside.bottom + length + letter), &label, TICK, TextAnchor::Middle);
    }
    let has_names = matches!(y_axis.scale, Scale::Names(_));
    for Tick { position, label } in y_axis.ticks(|_| HEIGHT * letter / height) {
        let y = inside.bottom - position * height;
        if !has_names {
            stroke(scene, (inside.left - length, y), (inside.left, y), BLACK, 1.0, "");
        }
        text(scene, (inside.left - length - 4.0, y + 4.5), &label, TICK, TextAnchor::End);
    }
}

/// Draws a label over a white area, and a line to its point if that is not next to it.
pub(super) fn draw_label(scene: &mut Scene, label: &Placed) {
    /// A label at this distance from its point needs no line.
    const NEAR: f64 = 13.0;
    /// The line ends at this distance from the point, at the edge of its marker.
    const EDGE: f64 = 6.0;
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
    let (x, y) = (nearest.0 - point.0, nearest.1 - point.1);
    let distance = x.hypot(y);
    if distance > NEAR {
        let end = (point.0 + EDGE * x / distance, point.1 + EDGE * y / distance);
        stroke(scene, nearest, end, BLACK, 0.9, "");
    }
    let (x, y) = area.middle();
    text(scene, (x, y + 4.5), name, TICK, TextAnchor::Middle);
}

impl Limit {
    /// Draws line and name, or the name with an arrow at the edge if the axis does not contain the value; returns the area of
    /// the name.
    pub(super) fn draw(&self, scene: &mut Scene, places: &ComputedLayout, inside: Area) -> Area {
        const DASHES: &str = "6 4";
        let (x, y) = match self.at {
            At::X(value) => (places.map_x(value), 0.0),
            At::Y(value) => (0.0, places.map_y(value)),
        };
        let name = match self.at {
            At::X(_) if x > inside.right => format!("{} →", self.name),
            At::Y(_) if y < inside.top => format!("{} ↑", self.name),
            At::X(_) | At::Y(_) => self.name.clone(),
        };
        let half = width_of(&name, TICK) / 2.0 + 8.0;
        let middle = match self.at {
            At::X(_) => (x.min(inside.right) - half, inside.bottom - 14.0),
            At::Y(_) => (inside.left + half, y.max(inside.top + 20.0) - 9.0),
        };
        match self.at {
            At::X(_) if x <= inside.right => stroke(scene, (x, inside.top), (x, inside.bottom), GREY, 1.0, DASHES),
            At::Y(_) if y >= inside.top => stroke(scene, (inside.left, y), (inside.right, y), GREY, 1.0, DASHES),
            At::X(_) | At::Y(_) => {}
        }
        text(scene, (middle.0, middle.1 + 4.5), &name, TICK, TextAnchor::Middle);
        Area::around(&name, TICK, middle)
    }
}
