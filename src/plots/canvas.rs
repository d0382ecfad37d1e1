//! What all pictures share: colours, axes of the information plane, a colour bar, and the way to SVG and PNG.

use kuva::backend::raster::RasterBackend;
use kuva::backend::svg::SvgBackend;
use kuva::plot::ColorMap;
use kuva::render::color::Color;
use kuva::render::layout::{Layout, TickFormat};
use kuva::render::render::{Primitive, Scene, TextAnchor};

use super::{Picture, PlotError};

/// Layer colours that people with any colour vision can tell apart, in print too (Okabe & Ito 2008, black last).
const LAYER_COLOURS: [&str; 8] =
    ["#D55E00", "#0072B2", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#F0E442", "#000000"];
/// Pixels of the PNG per unit of the SVG.
const PNG_SCALE: f32 = 2.0;

/// The colour of layer `layer`, 1 is the first.
pub(super) fn layer_colour(layer: i32) -> &'static str {
    LAYER_COLOURS[(layer - 1).rem_euclid(LAYER_COLOURS.len() as i32) as usize]
}

/// Colours by epoch on a logarithmic scale, as epochs are recorded; epoch 0 has the colour of epoch 1.
pub(super) struct EpochColours {
    last: i32,
}

impl EpochColours {
    pub(super) fn new(last: i32) -> Self {
        Self { last: last.max(1) }
    }

    pub(super) fn of(&self, epoch: i32) -> String {
        colour(self.position(epoch))
    }

    /// Where `epoch` is on the bar, 0 to 1.
    fn position(&self, epoch: i32) -> f64 {
        if self.last <= 1 { 0.0 } else { f64::from(epoch.max(1)).ln() / f64::from(self.last).ln() }
    }

    /// Draws the bar at `x`, from `top` to `bottom`.
    pub(super) fn draw_bar(&self, scene: &mut Scene, x: f64, top: f64, bottom: f64) {
        const STEPS: usize = 128;
        const WIDTH: f64 = 16.0;
        let height = (bottom - top) / STEPS as f64;
        for step in 0..STEPS {
            let share = (step as f64 + 0.5) / STEPS as f64;
            scene.add(Primitive::Rect {
                x,
                y: bottom - (step + 1) as f64 * height,
                width: WIDTH,
                height: height + 0.5, // a little overlap hides the seams between steps
                fill: Color::from(colour(share).as_str()),
                stroke: None,
                stroke_width: None,
                opacity: None,
            });
        }
        let mut ticks: Vec<i32> =
            (0..10).map(|power| 10_i32.saturating_pow(power)).filter(|t| *t < self.last).collect();
        ticks.retain(|tick| f64::from(*tick) < f64::from(self.last) * 0.75); // room for the last epoch's own label
        ticks.push(self.last);
        for tick in ticks {
            let y = bottom - self.position(tick) * (bottom - top) + 4.0;
            text(scene, x + WIDTH + 6.0, y, &tick.to_string(), 12);
        }
        text(scene, x - 4.0, top - 12.0, "epoch", 13);
    }
}

/// The colour at `share` of the bar. The brightest tenth of the map is left out: it vanishes on white.
fn colour(share: f64) -> String {
    const BRIGHTEST: f64 = 0.92;
    ColorMap::Plasma.map(BRIGHTEST * share)
}

fn text(scene: &mut Scene, x: f64, y: f64, content: &str, size: u32) {
    scene.add(Primitive::Text {
        x,
        y,
        content: content.to_owned(),
        size,
        anchor: TextAnchor::Start,
        rotate: None,
        bold: false,
        color: None,
    });
}

/// The axes of an information plane whose values reach up to `x_max` and `y_max` bits.
pub(super) fn plane(x_max: f64, y_max: f64) -> Layout {
    // A little room beyond the largest value, so that no marker is cut; steps that people count in.
    let step = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0].into_iter().find(|step| x_max / step <= 8.0).unwrap_or(10.0);
    let tick = TickFormat::Auto;
    Layout::new((0.0, x_max * 1.03), (0.0, y_max * 1.04))
        .with_x_axis_min(0.0)
        .with_x_axis_max(x_max * 1.03)
        .with_y_axis_min(0.0)
        .with_y_axis_max(y_max * 1.04)
        .with_x_tick_step(step)
        .with_x_tick_format(tick)
        .with_x_label("I(X;T) (bits)")
        .with_y_label("I(T;Y) (bits)")
        .with_show_grid(false)
}

/// A scene in both formats.
pub(super) fn picture(scene: &Scene) -> Result<Picture, PlotError> {
    let png = RasterBackend::new().with_scale(PNG_SCALE).render_scene(scene).map_err(PlotError::Library)?;
    Ok(Picture { svg: SvgBackend.render_scene(scene), png })
}
