//! How many samples are within a distance of each sample, in the maximum norm: in one dimension by binary search, otherwise
//! with a k-d tree.

use rayon::prelude::*;

use crate::math::kd_tree::KdTree;

/// Samples, arranged for counts.
#[derive(Debug)]
pub enum NeighbourCounts {
    /// One coordinate: the values of the samples, and the same in ascending order.
    Line(Vec<f64>, Vec<f64>),
    /// Several coordinates.
    Boxes(KdTree),
}

impl NeighbourCounts {
    /// Arranges `values`: n_samples × n_dims, row-major, finite, not empty.
    pub fn new(values: &[f64], n_dims: usize) -> Self {
        if n_dims > 1 {
            return Self::Boxes(KdTree::new(values, n_dims));
        }
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        Self::Line(values.to_vec(), sorted)
    }

    /// For every sample, the number of samples, itself included, at a distance below its radius, which is above 0.
    pub fn below(&self, radii: &[f64]) -> Vec<u32> {
        match self {
            Self::Line(values, sorted) => {
                (values, radii).into_par_iter().map(|(value, radius)| on_line(sorted, *value, *radius)).collect()
            }
            Self::Boxes(tree) => tree.counts(radii),
        }
    }
}

/// Not the values between `value` − `radius` and `value` + `radius`: these sums are rounded, and the k-th neighbour, which
/// is exactly at the radius, would often be counted.
fn on_line(sorted: &[f64], value: f64, radius: f64) -> u32 {
    let start = sorted.partition_point(|other| *other < value && value - other >= radius);
    let end = sorted.partition_point(|other| *other <= value || other - value < radius);
    (end - start) as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Far from 0, where sums of a value and a radius are rounded; radii are distances of other samples.
        #[test]
        fn counts_on_a_line_are_decided_by_differences(values in proptest::collection::vec(-1.0..1.0_f64, 2..80)) {
            let values: Vec<f64> = values.iter().map(|value| value + 1e4).collect();
            for step in 1..4 {
                let next = |i: usize| values[(i + step) % values.len()];
                let radii: Vec<f64> = (0..values.len()).map(|i| (values[i] - next(i)).abs().max(1e-300)).collect();
                let near = |i: usize| values.iter().filter(|other| (*other - values[i]).abs() < radii[i]).count() as u32;
                prop_assert_eq!(NeighbourCounts::new(&values, 1).below(&radii), (0..values.len()).map(near).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn the_neighbour_at_the_radius_is_not_counted() {
        let radii = [0.1_f64.next_up(), 0.1, 0.2, 9.0];
        assert_eq!(NeighbourCounts::new(&[0.0, 0.0, 0.1, 0.5], 1).below(&radii), [3, 2, 3, 4]);
        let plane = [0.0, 0.0, 0.0, 0.0, 0.1, 0.1, 0.5, 0.1];
        assert_eq!(NeighbourCounts::new(&plane, 2).below(&radii), [3, 2, 3, 4]);
    }
}
