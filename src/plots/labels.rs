//! Names next to points in the information plane.

use super::plane::Point;
use super::sheet::Note;

/// A label above each of `points`, which have names; `corner` is the largest value on each axis. If labels would overlap, their points
/// have one label with all of their names.
pub(super) fn labels(points: &[(Point, String)], corner: Point) -> Vec<Note> {
    /// Height of a line, width of a letter and distance of the text from its point, as shares of the axes.
    const HEIGHT: f64 = 0.06;
    const LETTER: f64 = 0.0115;
    const DISTANCE: f64 = 0.02;
    let is_close = |(a, name): (Point, &str), b: Point| {
        let width = DISTANCE + LETTER * name.chars().count() as f64;
        (a.0 - b.0).abs() < width * corner.0 && (a.1 - b.1).abs() < HEIGHT * corner.1
    };
    let mut labels: Vec<(Point, String)> = Vec::new();
    for (point, name) in points {
        match labels.iter_mut().find(|(other, _)| is_close((*other, name), *point)) {
            Some((_, names)) => *names = format!("{names}, {name}"),
            None => labels.push((*point, name.clone())),
        }
    }
    let note = |((x, y), says): (Point, String)| Note { at: (x, y + 0.75 * HEIGHT * corner.1), says };
    labels.into_iter().map(note).collect()
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
