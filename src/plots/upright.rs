//! Upright texts (labels of vertical axes) in PNGs. kuva makes the smooth edges of rotated letters opaque, so that they look
//! bold and blurred. Here the text is drawn horizontally and its pixels are turned by 90°.

use kuva::render::render::{Primitive, Scene};

use super::canvas::width_of;
use super::pixels::Pixels;

/// A text that is read from bottom to top.
pub(super) struct Upright {
    /// The middle of its baseline.
    at: (f64, f64),
    /// The text, not rotated.
    text: Primitive,
    /// Width and height of the area that it fits in.
    area: (f64, f64),
}

/// The part of the area's height that is above the baseline.
const ABOVE: f64 = 0.7;

/// Removes the upright texts from `scene`. They are outside of groups, so that their places need no translation.
pub(super) fn take(scene: &mut Scene) -> Vec<Upright> {
    let mut texts = Vec::new();
    scene.elements.retain(|element| {
        let Primitive::Text { x, y, content, size, anchor, rotate: Some(_), bold, color } = element else {
            return true;
        };
        // Twice as large as needed in each direction; whole units, so that the middle is at a pixel.
        let area = ((width_of(content, *size) + f64::from(*size)).ceil() * 2.0, f64::from(*size) * 2.0);
        let text = Primitive::Text {
            x: area.0 / 2.0,
            y: ABOVE * area.1,
            content: content.clone(),
            size: *size,
            anchor: *anchor,
            rotate: None,
            bold: *bold,
            color: color.clone(),
        };
        texts.push(Upright { at: (*x, *y), text, area });
        false
    });
    texts
}

/// Draws `texts` into a `png` of `scale` pixels per unit; `drawn` makes a PNG of a scene.
///
/// # Errors
/// A text cannot be drawn, or a PNG cannot be read or written.
pub(super) fn draw(
    png: &[u8],
    texts: &[Upright],
    scale: f32,
    drawn: impl Fn(&Scene) -> Result<Vec<u8>, String>,
) -> Result<Vec<u8>, String> {
    let mut pixels = Pixels::read(png)?;
    for Upright { at, text, area } in texts {
        let mut scene = Scene::new(area.0, area.1);
        scene.background_color = Some("#ffffff".to_owned());
        scene.add(text.clone());
        let text = Pixels::read(&drawn(&scene)?)?;
        let pixel = |units: f64| (units * f64::from(scale)).round() as i64;
        pixels.darken(&text, (pixel(at.0 - ABOVE * area.1), pixel(at.1 - area.0 / 2.0)));
    }
    pixels.write()
}

impl Pixels {
    /// Multiplies the pixels from the upper left corner `at` on by those of `text`, turned by 90° to the left.
    fn darken(&mut self, text: &Pixels, at: (i64, i64)) {
        for y in 0..text.height {
            for x in 0..text.width {
                let (to_x, to_y) = (at.0 + y as i64, at.1 + (text.width - 1 - x) as i64);
                let is_inside = (0..self.width as i64).contains(&to_x) && (0..self.height as i64).contains(&to_y);
                if !is_inside {
                    continue;
                }
                let (from, to) = (4 * (y * text.width + x), 4 * (to_y as usize * self.width + to_x as usize));
                for channel in 0..3 {
                    let product = u16::from(self.bytes[to + channel]) * u16::from(text.bytes[from + channel]);
                    self.bytes[to + channel] = (product / 255) as u8;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_turned_to_the_left_and_drawn_once() {
        // Three pixels in a row, black at the left, become a column with black at the bottom.
        let text = Pixels { width: 3, height: 1, bytes: [[0, 0, 0, 255], [128, 128, 128, 255], [255; 4]].concat() };
        let mut pixels = Pixels { width: 2, height: 3, bytes: vec![255; 24] };
        pixels.darken(&text, (1, 0));
        let red: Vec<u8> = pixels.bytes.iter().step_by(4).copied().collect();
        assert_eq!(red, [255, 255, 255, 128, 255, 0]);
        // Of a column that is one pixel too high, the rest is drawn; a column to the left of the figure is not drawn.
        pixels.darken(&text, (0, -1));
        pixels.darken(&text, (-1, 0));
        let red: Vec<u8> = pixels.bytes.iter().step_by(4).copied().collect();
        assert_eq!(red, [128, 255, 0, 128, 255, 0]);
    }
}
