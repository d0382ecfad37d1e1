//! Numbers of layers at the right ends of their lines, so that lines are distinguishable without colours.

use kuva::render::render::{Scene, TextAnchor};

use super::canvas::text;
use super::labels::Area;
use crate::layer_id::LayerId;

/// The end of a layer's line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LineEnd {
    pub(super) layer: LayerId,
    /// Whether the layer is the output.
    pub(super) is_output: bool,
    /// The last value, in the panel's own units.
    pub(super) value: f64,
}

/// Size of the numbers.
const SIZE: u32 = 12;

/// Writes the numbers to the right of the axes; `map` gives the height of a value in the figure. Lines that end at nearly the
/// same height have one text: `1–3`.
pub(super) fn draw_line_ends(scene: &mut Scene, ends: &[LineEnd], map: impl Fn(f64) -> f64, inside: Area) {
    let heights: Vec<(f64, LineEnd)> = ends.iter().map(|end| (map(end.value), *end)).collect();
    for (height, words) in together(heights) {
        text(scene, (inside.right + 4.0, height + 4.0), &words, SIZE, TextAnchor::Start);
    }
}

/// The texts and their heights.
fn together(mut ends: Vec<(f64, LineEnd)>) -> Vec<(f64, String)> {
    /// Distance of two texts that do not touch.
    const NEAR: f64 = 11.0;
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    let middle = |group: &[(f64, LineEnd)]| group.iter().map(|(height, _)| height).sum::<f64>() / group.len() as f64;
    let mut groups: Vec<Vec<(f64, LineEnd)>> = Vec::new();
    for end in ends {
        groups.push(vec![end]);
        // A group that grows may come near to the one before it.
        while let [.., before, last] = groups.as_mut_slice()
            && middle(last) - middle(before) < NEAR
        {
            before.append(last);
            groups.pop();
        }
    }
    groups.iter().map(|group| (middle(group), words(group.iter().map(|(_, end)| *end).collect()))).collect()
}

/// The numbers of layers, with a dash between the first and the last of three or more that follow each other.
fn words(mut ends: Vec<LineEnd>) -> String {
    ends.sort_by_key(|end| end.layer);
    let name = |end: &LineEnd| if end.is_output { "out".to_owned() } else { end.layer.to_string() };
    let runs = ends.chunk_by(|a, b| a.layer.index() + 1 == b.layer.index());
    let run = |run: &[LineEnd]| match run {
        [first, _, .., last] => format!("{}–{}", name(first), name(last)),
        few => few.iter().map(name).collect::<Vec<String>>().join(","),
    };
    runs.map(run).collect::<Vec<String>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(heights: &[f64]) -> Vec<(f64, String)> {
        let end = |(i, height): (usize, &f64)| {
            let is_output = i + 1 == heights.len();
            (*height, LineEnd { layer: LayerId::from_index(i + 1), is_output, value: 0.0 })
        };
        together(heights.iter().enumerate().map(end).collect())
    }

    #[test]
    fn lines_that_end_together_have_one_text() {
        let text = |height: f64, words: &str| (height, words.to_owned());
        assert_eq!(ends(&[10.0, 10.0, 10.0, 90.0]), [text(10.0, "1–3"), text(90.0, "out")]);
        assert_eq!(ends(&[50.0, 10.0, 52.0, 90.0]), [text(10.0, "2"), text(51.0, "1,3"), text(90.0, "out")]);
        assert_eq!(ends(&[10.0, 12.0]), [text(11.0, "1,out")]);
    }

    #[test]
    fn texts_do_not_touch() {
        // The third end moves the group of the second towards the first.
        for heights in [[0.0, 13.0, 4.0], [0.0, 12.0, 14.0], [20.0, 9.0, 0.0]] {
            let texts = ends(&heights);
            assert!(texts.windows(2).all(|pair| pair[1].0 - pair[0].0 >= 11.0), "{texts:?}");
        }
    }
}
