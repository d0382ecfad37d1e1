//! Dashed lines in PNGs. kuva's raster restarts the dashes at every point of a line, does not scale them and rounds their
//! ends, so a dotted curve looks solid. Here lines are cut into their dashes before they are drawn.

use kuva::render::render::Primitive;

/// The elements with every dash as a separate line.
pub(super) fn cut(elements: &[Primitive]) -> Vec<Primitive> {
    elements.iter().flat_map(pieces).collect()
}

fn pieces(element: &Primitive) -> Vec<Primitive> {
    let (points, stroke, width, dashes) = match element {
        Primitive::PolyLine { points, stroke, stroke_width, stroke_dasharray: Some(dashes) } => {
            (points.clone(), stroke, stroke_width, dashes)
        }
        Primitive::Line { x1, y1, x2, y2, stroke, stroke_width, stroke_dasharray: Some(dashes) } => {
            (vec![(*x1, *y1), (*x2, *y2)], stroke, stroke_width, dashes)
        }
        _ => return vec![element.clone()],
    };
    let lengths: Vec<f64> = dashes.split(' ').filter_map(|length| length.parse().ok()).collect();
    if lengths.iter().sum::<f64>() <= 0.0 {
        return vec![element.clone()];
    }
    let piece =
        |points| Primitive::PolyLine { points, stroke: stroke.clone(), stroke_width: *width, stroke_dasharray: None };
    dashed(&points, &rounded(&lengths, *width)).into_iter().map(piece).collect()
}

/// Round ends make a dash longer by the width of the line, and the gap after it shorter.
fn rounded(lengths: &[f64], width: f64) -> Vec<f64> {
    /// The smallest length of a dash.
    const LEAST: f64 = 0.25;
    let mut rounded = lengths.to_vec();
    for pair in rounded.chunks_mut(2) {
        if let [dash, gap] = pair {
            let moved = width.min(*dash - LEAST).max(0.0);
            (*dash, *gap) = (*dash - moved, *gap + moved);
        }
    }
    rounded
}

/// The stretches of the line through `points` that are drawn, when dash and gap of `lengths` follow each other along it.
fn dashed(points: &[(f64, f64)], lengths: &[f64]) -> Vec<Vec<(f64, f64)>> {
    let Some(first) = points.first() else { return Vec::new() };
    let (mut pieces, mut piece) = (Vec::new(), vec![*first]);
    let (mut phase, mut left) = (0, lengths[0]);
    for pair in points.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        let whole = (x1 - x0).hypot(y1 - y0);
        let mut done = 0.0;
        while whole - done > left {
            done += left;
            let here = (x0 + (x1 - x0) * done / whole, y0 + (y1 - y0) * done / whole);
            if phase % 2 == 0 {
                piece.push(here);
                pieces.push(std::mem::take(&mut piece));
            } else {
                piece = vec![here];
            }
            phase = (phase + 1) % lengths.len();
            left = lengths[phase];
        }
        left -= whole - done;
        if phase % 2 == 0 {
            piece.push((x1, y1));
        }
    }
    if piece.len() > 1 {
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_continue_over_the_points_of_a_line() {
        // Dash 3, gap 1, along 0 → 2 → 10: drawn 0 … 3, 4 … 7, 8 … 10.
        let pieces = dashed(&[(0.0, 0.0), (2.0, 0.0), (10.0, 0.0)], &[3.0, 1.0]);
        let x: Vec<Vec<f64>> = pieces.iter().map(|piece| piece.iter().map(|p| p.0).collect()).collect();
        assert_eq!(x, [vec![0.0, 2.0, 3.0], vec![4.0, 7.0], vec![8.0, 10.0]]);
        assert!(dashed(&[], &[3.0, 1.0]).is_empty());
    }

    #[test]
    fn round_ends_do_not_close_the_gaps() {
        assert_eq!(rounded(&[7.0, 4.0], 2.0), [5.0, 6.0]);
        // A dash shorter than the width of the line keeps a length of 0.25.
        assert_eq!(rounded(&[2.0, 4.0], 2.5), [0.25, 5.75]);
    }
}
