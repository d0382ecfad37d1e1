//! Places of the labels of paths: next to their path, away from other labels and covering as few points as possible.

use super::canvas::width_of;

/// A place in a figure.
type Place = (f64, f64);

/// A rectangle of a figure; y grows downwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Area {
    /// The area of a text of `size` whose middle is at `middle`.
    pub(super) fn around(text: &str, size: u32, middle: Place) -> Self {
        /// The real width of a text differs from the estimated one.
        const WIDER: f64 = 1.12;
        let (half_width, half_height) = (WIDER * width_of(text, size) / 2.0 + 2.0, 0.62 * f64::from(size));
        Self {
            left: middle.0 - half_width,
            top: middle.1 - half_height,
            right: middle.0 + half_width,
            bottom: middle.1 + half_height,
        }
    }

    pub(super) fn middle(&self) -> Place {
        ((self.left + self.right) / 2.0, (self.top + self.bottom) / 2.0)
    }

    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }

    fn contains(&self, place: Place) -> bool {
        (self.left..=self.right).contains(&place.0) && (self.top..=self.bottom).contains(&place.1)
    }

    fn is_within(&self, outer: &Self) -> bool {
        self.left >= outer.left && self.right <= outer.right && self.top >= outer.top && self.bottom <= outer.bottom
    }

    /// The place of the area that is nearest to `place`.
    pub(super) fn nearest(&self, place: Place) -> Place {
        (place.0.clamp(self.left, self.right), place.1.clamp(self.top, self.bottom))
    }
}

/// A label with its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed {
    pub(super) text: String,
    pub(super) area: Area,
    /// The point of its path that it names.
    pub(super) point: Place,
}

/// What the labels of a panel should not cover.
pub(super) struct Surroundings<'a> {
    /// The axes.
    pub(super) within: Area,
    /// The areas of other texts.
    pub(super) taken: &'a [Area],
    /// Lines without a label, with a marker at each point.
    pub(super) lines: &'a [Vec<Place>],
}

/// Places a label of `size` for each of `paths`, which are given as a text and points.
pub(super) fn place(paths: &[(String, Vec<Place>)], surroundings: &Surroundings<'_>, size: u32) -> Vec<Placed> {
    let Surroundings { within, taken, lines } = *surroundings;
    let points: Vec<Place> = paths.iter().map(|(_, points)| points).chain(lines).flat_map(|line| dense(line)).collect();
    let ends = paths.iter().filter_map(|(_, points)| points.last().copied());
    let ends: Vec<Place> = ends.chain(lines.iter().flatten().copied()).collect();
    let mut placed: Vec<Placed> = Vec::new();
    for (text, points_of_path) in paths {
        let mut best: Option<(f64, Placed)> = None;
        for label in candidates(text, points_of_path, size) {
            let cost = cost(&label, &Obstacles { points: &points, ends: &ends, within, taken, placed: &placed })
                + if points_of_path.last() == Some(&label.point) { 0.0 } else { NOT_AT_THE_END };
            if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                best = Some((cost, label));
            }
        }
        placed.extend(best.map(|(_, label)| label));
    }
    placed
}

/// The end of a path is where its label is expected.
const NOT_AT_THE_END: f64 = 100.0;

/// What a label should not cover.
struct Obstacles<'a> {
    points: &'a [Place],
    /// Markers: the ends of paths and the points of other lines.
    ends: &'a [Place],
    within: Area,
    taken: &'a [Area],
    placed: &'a [Placed],
}

/// Points of the line through `points` at small distances.
fn dense(points: &[Place]) -> Vec<Place> {
    const DISTANCE: f64 = 4.0;
    let mut dense: Vec<Place> = points.last().copied().into_iter().collect();
    for pair in points.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let n = ((to.0 - from.0).hypot(to.1 - from.1) / DISTANCE).ceil().clamp(1.0, 1e3) as usize;
        let share = |i: usize| i as f64 / n as f64;
        dense.extend((0..n).map(|i| (from.0 + share(i) * (to.0 - from.0), from.1 + share(i) * (to.1 - from.1))));
    }
    dense
}

/// Labels around the last point of a path, and around some points before it.
fn candidates(text: &str, points: &[Place], size: u32) -> Vec<Placed> {
    const DISTANCES: [f64; 6] = [MARKER + 2.0, 20.0, 32.0, 50.0, 75.0, 110.0];
    const DIRECTIONS: usize = 16;
    let Some(last) = points.len().checked_sub(1) else { return Vec::new() };
    let mut labels = Vec::new();
    for quarter in (0..=4).rev() {
        let point = points[last * quarter / 4];
        for distance in DISTANCES {
            for direction in 0..DIRECTIONS {
                let (sin, cos) = (std::f64::consts::TAU * direction as f64 / DIRECTIONS as f64).sin_cos();
                // From the edge of the text, so that wide texts are as near as short ones.
                let around = Area::around(text, size, point);
                let (half_width, half_height) = (around.right - point.0, around.bottom - point.1);
                let middle = (point.0 + cos * (distance + half_width), point.1 + sin * (distance + half_height));
                labels.push(Placed { text: text.to_owned(), area: Area::around(text, size, middle), point });
            }
        }
    }
    labels
}

/// Radius of the marker at the end of a path.
const MARKER: f64 = 8.0;

/// How bad a place is: overlaps are worst, then covered points, then a long distance to the path.
fn cost(label: &Placed, obstacles: &Obstacles<'_>) -> f64 {
    const OVERLAP: f64 = 1e6;
    const OUTSIDE: f64 = 1e5;
    /// Of a line from a label to its point over another label.
    const CROSSING: f64 = 1e4;
    const COVERED: f64 = 6.0;
    const UNIT_OF_DISTANCE: f64 = 0.5;
    let Obstacles { points, ends, within, taken, placed } = obstacles;
    let areas = || taken.iter().chain(placed.iter().map(|other| &other.area));
    let is_covered = |end: &&Place| {
        let nearest = label.area.nearest(**end);
        (nearest.0 - end.0).hypot(nearest.1 - end.1) < MARKER
    };
    let n_overlaps = areas().filter(|area| label.area.overlaps(area)).count() + ends.iter().filter(is_covered).count();
    let crossed = |label: &Placed, area: &Area| {
        let (from, to) = (label.point, label.area.nearest(label.point));
        let steps = (0..=10).map(|step| f64::from(step) / 10.0);
        steps.into_iter().any(|s| area.contains((from.0 + s * (to.0 - from.0), from.1 + s * (to.1 - from.1))))
    };
    let n_crossings = areas().filter(|area| crossed(label, area)).count()
        + placed.iter().filter(|other| crossed(other, &label.area)).count();
    let n_covered = points.iter().filter(|point| label.area.contains(**point)).count();
    let nearest = label.area.nearest(label.point);
    let distance = (nearest.0 - label.point.0).hypot(nearest.1 - label.point.1);
    let is_outside = !label.area.is_within(within);
    n_overlaps as f64 * OVERLAP
        + n_crossings as f64 * CROSSING
        + n_covered as f64 * COVERED
        + distance * UNIT_OF_DISTANCE
        + if is_outside { OUTSIDE } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: Surroundings<'_> = Surroundings { within: WITHIN, taken: &[], lines: &[] };
    const WITHIN: Area = Area { left: 0.0, top: 0.0, right: 600.0, bottom: 400.0 };

    #[test]
    fn labels_of_paths_that_end_at_one_place_do_not_overlap() {
        let path = |n: usize| (format!("layer {n}"), vec![(300.0, 300.0), (590.0, 20.0)]);
        let placed = place(&[1, 2, 3, 4, 5, 6].map(path), &EMPTY, 13);
        assert_eq!(placed.len(), 6);
        for (i, label) in placed.iter().enumerate() {
            assert!(label.area.is_within(&WITHIN), "{label:?}");
            assert!(placed[i + 1..].iter().all(|other| !label.area.overlaps(&other.area)), "{placed:?}");
        }
    }

    #[test]
    fn a_label_is_next_to_the_end_of_its_path_and_on_no_other_text() {
        let path = ("layer 1".to_owned(), vec![(100.0, 300.0), (300.0, 200.0)]);
        let free = place(std::slice::from_ref(&path), &EMPTY, 13);
        assert_eq!(free[0].point, (300.0, 200.0));
        let moved = place(&[path], &Surroundings { taken: &[free[0].area], ..EMPTY }, 13);
        assert!(!moved[0].area.overlaps(&free[0].area));
    }

    #[test]
    fn a_label_is_on_no_line_without_a_label_and_on_none_of_its_points() {
        // Lines in all directions from the point, of which those to the right end there.
        let path = ("layer 1".to_owned(), vec![(300.0, 200.0)]);
        let line = |x: f64, y: f64| vec![(300.0, 200.0), (300.0 + x, 200.0 + y)];
        for lines in [vec![line(90.0, 0.0)], vec![line(-200.0, -100.0), line(200.0, 90.0)], vec![line(40.0, 40.0); 3]] {
            let placed = place(std::slice::from_ref(&path), &Surroundings { lines: &lines, ..EMPTY }, 13);
            let covered =
                |points: &[Place]| dense(points).iter().filter(|point| placed[0].area.contains(**point)).count();
            assert!(lines.iter().all(|line| covered(line) == 0), "{placed:?} on {lines:?}");
        }
    }

    #[test]
    fn a_path_without_points_has_no_label() {
        assert!(place(&[("layer 1".to_owned(), Vec::new())], &EMPTY, 13).is_empty());
    }
}
