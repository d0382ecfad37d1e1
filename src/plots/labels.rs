//! Names next to points in the information plane.

use super::plane::Point;
use super::sheet::Note;

/// A label for each of `points`, which have names; `corner` is the largest value on each axis. Points that are closer to each other
/// than the size of a label have one label with all of their names.
pub(super) fn labels(points: &[(Point, String)], corner: Point) -> Vec<Note> {
    /// Width of a label such as `layer 1` and height of a line, as shares of the axes.
    const SIZE: (f64, f64) = (0.12, 0.06);
    let is_close = |a: Point, b: Point| (a.0 - b.0).abs() < SIZE.0 * corner.0 && (a.1 - b.1).abs() < SIZE.1 * corner.1;
    let mut labels: Vec<Note> = Vec::new();
    for (point, name) in points {
        match labels.iter_mut().find(|label| is_close(label.at, *point)) {
            Some(label) => label.says = format!("{}, {name}", label.says),
            None => labels.push(Note { at: *point, says: name.clone() }),
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_points_share_a_label() {
        let points = [((12.0, 1.0), "a".to_owned()), ((11.9, 0.99), "b".to_owned()), ((4.0, 0.5), "c".to_owned())];
        let says: Vec<String> = labels(&points, (12.0, 1.0)).into_iter().map(|label| label.says).collect();
        assert_eq!(says, ["a, b", "c"]);
    }
}
