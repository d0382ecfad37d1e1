//! Entropies of a soft assignment of samples to reference points on the unit sphere.
//!
//! Sample z is assigned to point w_k with probability p(k|z) = softmax_k (w_k·z / (ε ‖z‖)). H(Z|Y=y) is the entropy of
//! the mean of p(·|z) over the samples of class y. Rows are read in groups, so the memory depends neither on N nor on
//! N times the number of points.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, ArrayViewMut2};
use rayon::prelude::*;

use crate::math::atoms::Cells;
use crate::math::exponentials::exp_in_place;

/// Reference points, and what is done to a sample before it is compared with them.
#[derive(Debug)]
pub struct Assignment<'a> {
    /// The points w_k, n_points × n_dims, each of norm 1.
    pub points: ArrayView2<'a, f64>,
    /// The temperature ε.
    pub epsilon: f64,
    /// The mean that is subtracted from every sample; empty if none is.
    pub mean: Vec<f64>,
    /// The matrix M by which the centred samples are multiplied, z ← zM; `None` if they are not.
    pub matrix: Option<Array2<f64>>,
    /// Samples whose norm after centring is not above this number have no direction.
    pub smallest_norm: f64,
}

/// Rows of one matrix product.
const BLOCK: usize = 64;
/// Probabilities of a group of rows that are stored together: 16 MB.
const GROUP: usize = 1 << 21;
/// Sums over classes that are stored together: 256 MB. With more, the samples are assigned several times.
const MOST_SUMS: usize = 1 << 25;

/// Σ_y p(y) H(Z|Y=y) in nats for each of the `labellings` of the samples, or the number of samples without a
/// direction; `values` has rows of as many numbers as the points have.
///
/// The sums are in the order of the samples, so the bits do not depend on the number of threads.
pub fn conditional_entropies(
    values: &[f64],
    assignment: &Assignment<'_>,
    labellings: &[&Cells],
) -> Result<Vec<f64>, usize> {
    within(values, assignment, labellings, MOST_SUMS)
}

fn within(
    values: &[f64],
    assignment: &Assignment<'_>,
    labellings: &[&Cells],
    most_sums: usize,
) -> Result<Vec<f64>, usize> {
    let (n_points, n_dims) = assignment.points.dim();
    let n_samples = values.len() / n_dims;
    let group_rows = (GROUP / n_points).next_multiple_of(BLOCK).max(4 * BLOCK);
    let mut classes: Vec<ClassSums<'_>> = labellings.iter().map(|cells| ClassSums::new(cells)).collect();
    let n_slots = classes.iter().map(|sums| sums.n_slots).max().unwrap_or(0);
    let slots_together = (most_sums / n_points / labellings.len().max(1)).max(1);
    let has_single = classes.iter().any(ClassSums::has_single);
    let mut group = vec![0.0; group_rows.min(n_samples) * n_points];
    let mut first_slot = 0;
    while first_slot == 0 || first_slot < n_slots {
        let slots = first_slot..first_slot + slots_together;
        classes.iter_mut().for_each(|sums| sums.start(slots.clone(), n_points));
        for (number, rows) in values.chunks(group_rows * n_dims).enumerate() {
            let probabilities = &mut group[..rows.len() / n_dims * n_points];
            let blocks = probabilities.par_chunks_mut(BLOCK * n_points).zip(rows.par_chunks(BLOCK * n_dims));
            let n_without: usize = blocks.map(|(p, rows)| assign(rows, assignment, p)).sum();
            if n_without > 0 {
                return Err(count_without_direction(values, assignment));
            }
            let entropies: Vec<f64> = if has_single && first_slot == 0 {
                probabilities.par_chunks(n_points).map(|p| entropy(p, 1.0)).collect()
            } else {
                Vec::new()
            };
            let first_row = number * group_rows;
            classes.par_iter_mut().for_each(|sums| sums.add(first_row, probabilities, &entropies, n_points));
        }
        classes.par_iter_mut().for_each(|sums| sums.finish(n_points));
        first_slot = slots.end;
    }
    Ok(classes.iter().map(|sums| sums.entropy / n_samples as f64).collect())
}

/// The classes of one labelling, and the sums of p(·|z) over the samples of those that are computed at present.
struct ClassSums<'a> {
    cells: &'a Cells,
    /// The place of every class among the classes of two samples and more; [`SINGLE`] for a class of one sample.
    slot_of: Vec<u32>,
    n_slots: usize,
    slots: std::ops::Range<usize>,
    sums: Vec<f64>,
    /// Σ_y n_y H(Z|Y=y) of the classes that are complete.
    entropy: f64,
}

/// A class of one sample needs no sum: its entropy is that of one assignment.
const SINGLE: u32 = u32::MAX;

impl<'a> ClassSums<'a> {
    fn new(cells: &'a Cells) -> Self {
        let mut n_slots = 0;
        let mut slot = |count: &u32| {
            if *count == 1 {
                return SINGLE;
            }
            n_slots += 1;
            n_slots - 1
        };
        let slot_of = cells.counts().iter().map(&mut slot).collect();
        Self { cells, slot_of, n_slots: n_slots as usize, slots: 0..0, sums: Vec::new(), entropy: 0.0 }
    }

    fn has_single(&self) -> bool {
        self.slot_of.contains(&SINGLE)
    }

    fn start(&mut self, slots: std::ops::Range<usize>, n_points: usize) {
        let end = slots.end.min(self.n_slots);
        self.slots = slots.start.min(end)..end;
        self.sums.clear();
        self.sums.resize(self.slots.len() * n_points, 0.0);
    }

    /// Adds the rows from `first_row` on; `entropies` is empty if classes of one sample are complete.
    fn add(&mut self, first_row: usize, probabilities: &[f64], entropies: &[f64], n_points: usize) {
        let numbers = &self.cells.numbers()[first_row..];
        for (row, (p, class)) in probabilities.chunks_exact(n_points).zip(numbers).enumerate() {
            let slot = self.slot_of[*class as usize];
            if slot == SINGLE {
                self.entropy += entropies.get(row).copied().unwrap_or(0.0);
            } else if self.slots.contains(&(slot as usize)) {
                let sums = &mut self.sums[(slot as usize - self.slots.start) * n_points..][..n_points];
                sums.iter_mut().zip(p).for_each(|(sum, p)| *sum += p);
            }
        }
    }

    fn finish(&mut self, n_points: usize) {
        let counts = self.cells.counts().iter().filter(|count| **count > 1).skip(self.slots.start);
        for (sums, count) in self.sums.chunks_exact(n_points).zip(counts) {
            self.entropy += f64::from(*count) * entropy(sums, f64::from(*count));
        }
    }
}

/// The entropy of the probabilities `sums` / `total`, in nats.
fn entropy(sums: &[f64], total: f64) -> f64 {
    let terms = sums.iter().map(|sum| {
        let p = sum / total;
        if p > 0.0 { -p * p.ln() } else { 0.0 }
    });
    terms.sum()
}

/// Writes p(k|z) of every row, n_rows × n_points; returns the number of rows without a direction.
fn assign(rows: &[f64], assignment: &Assignment<'_>, probabilities: &mut [f64]) -> usize {
    let (n_points, n_dims) = assignment.points.dim();
    let moved = moved(rows, assignment);
    let rows = moved.as_deref().unwrap_or(rows);
    let n_rows = rows.len() / n_dims;
    let z = ArrayView2::from_shape((n_rows, n_dims), rows).expect("rows are complete");
    let mut p = ArrayViewMut2::from_shape((n_rows, n_points), &mut *probabilities).expect("one row each");
    general_mat_mul(1.0, &z, &assignment.points.t(), 0.0, &mut p);
    let mut n_without = 0;
    for (p, row) in probabilities.chunks_exact_mut(n_points).zip(rows.chunks_exact(n_dims)) {
        let norm = norm(row);
        n_without += usize::from(norm == 0.0);
        softmax(p, 1.0 / (assignment.epsilon * norm));
    }
    n_without
}

/// The rows after centring and multiplication, a row without a direction as zeros; `None` if nothing is done to them.
fn moved(rows: &[f64], assignment: &Assignment<'_>) -> Option<Vec<f64>> {
    let n_dims = assignment.points.ncols();
    if assignment.mean.is_empty() {
        return None;
    }
    let mut centred = rows.to_vec();
    for row in centred.chunks_exact_mut(n_dims) {
        row.iter_mut().zip(&assignment.mean).for_each(|(z, mean)| *z -= mean);
        if norm(row) <= assignment.smallest_norm {
            row.fill(0.0);
        }
    }
    let Some(matrix) = &assignment.matrix else { return Some(centred) };
    let centred = Array2::from_shape_vec((rows.len() / n_dims, n_dims), centred).expect("rows are complete");
    Some(centred.dot(matrix).into_raw_vec_and_offset().0)
}

fn count_without_direction(values: &[f64], assignment: &Assignment<'_>) -> usize {
    let n_dims = assignment.points.ncols();
    let count = |rows: &[f64]| {
        let moved = moved(rows, assignment);
        moved.as_deref().unwrap_or(rows).chunks_exact(n_dims).filter(|row| norm(row) == 0.0).count()
    };
    values.par_chunks(BLOCK * n_dims).map(count).sum()
}

/// The Euclidean norm, without overflow of the squares.
pub fn norm(row: &[f64]) -> f64 {
    let largest = row.iter().fold(0.0, |largest: f64, z| largest.max(z.abs()));
    if largest == 0.0 {
        return 0.0;
    }
    largest * row.iter().map(|z| (z / largest).powi(2)).sum::<f64>().sqrt()
}

/// p_k ← e^{s p_k} / Σ_j e^{s p_j}.
fn softmax(p: &mut [f64], s: f64) {
    let largest = p.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    p.iter_mut().for_each(|p| *p = (*p - largest) * s);
    exp_in_place(p);
    let sum: f64 = p.iter().sum();
    p.iter_mut().for_each(|p| *p /= sum);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::math::calibration::{epsilon_by_bound, exact_epsilon, leading_epsilon};

    /// Points of norm 1 from any numbers, n_points × n_dims.
    fn points(n_points: usize, n_dims: usize, value: impl Fn(f64, f64) -> f64) -> Array2<f64> {
        let mut points = Array2::from_shape_fn((n_points, n_dims), |(k, j)| value(k as f64, j as f64));
        for mut row in points.rows_mut() {
            let norm = norm(row.as_slice().unwrap());
            row.mapv_inplace(|w| w / norm);
        }
        points
    }

    fn plain(points: &Array2<f64>, epsilon: f64) -> Assignment<'_> {
        Assignment { points: points.view(), epsilon, mean: Vec::new(), matrix: None, smallest_norm: 0.0 }
    }

    #[test]
    fn entropies_are_those_of_the_released_formula() {
        // Written by NumPy: /tests/golden/soft-entropy.json contains the inputs, as formulas, and ε of each calibration.
        let golden: Value = serde_json::from_str(include_str!("../../tests/golden/soft-entropy.json")).unwrap();
        // N, d, m, number of classes, and the phases of z = sin(a + b i + c j + e ij) + shift.
        let inputs = [
            (200, 8, 20, 3, [0.1, 0.37, 0.91, 0.053, 0.0]),
            (500, 16, 100, 10, [0.2, 0.23, 0.71, 0.019, 0.0]),
            (300, 12, 50, 4, [0.5, 0.41, 0.67, 0.031, 1.5]),
        ];
        let number = |value: &Value| value.as_f64().unwrap();
        for ((n, d, m, n_classes, [a, b, c, e, shift]), golden) in inputs.into_iter().zip(golden.as_array().unwrap()) {
            let z = |i: usize, j: usize| {
                let (i, j) = (i as f64, j as f64);
                (a + b * i + c * j + e * i * j).sin() + shift
            };
            let values: Vec<f64> = (0..n).flat_map(|i| (0..d).map(move |j| z(i, j))).collect();
            let points = points(m, d, |k, j| (0.3 + 1.7 * k + 0.9 * j + 0.11 * k * j).cos());
            let labels: Vec<u32> = (0..n as u32).map(|i| 7 * i % n_classes).collect();
            let labellings = [&Cells::of_rows(&vec![0_u32; n], 1), &Cells::of_rows(&labels, 1)];
            let calibrations = [
                ("bound", epsilon_by_bound(d, m).unwrap()),
                ("exact", exact_epsilon(d, m).unwrap()),
                ("leading", leading_epsilon(d, m)),
            ];
            for (name, epsilon) in calibrations {
                let expected = number(&golden[format!("eps_{name}")]);
                // The page finds ε by a bisection to 1e-12.
                assert!((epsilon / expected - 1.0).abs() < 1e-11, "{name}: {epsilon} is not {expected}");
                let got = conditional_entropies(&values, &plain(&points, epsilon), &labellings).unwrap();
                let expected = &golden[name];
                assert!((got[0] - number(&expected["H_nats"])).abs() < 1e-10, "{name}: {got:?} {expected}");
                assert!((got[0] - got[1] - number(&expected["I_nats"])).abs() < 1e-10, "{name}: {got:?} {expected}");
            }
            let mean = (0..d).map(|j| (0..n).map(|i| z(i, j)).sum::<f64>() / n as f64).collect();
            let centred = Assignment { mean, ..plain(&points, calibrations[0].1) };
            let got = conditional_entropies(&values, &centred, &labellings).unwrap();
            let expected = &golden["centred_bound"];
            assert!((got[0] - number(&expected["H_nats"])).abs() < 1e-10, "centred: {got:?} {expected}");
            assert!((got[0] - got[1] - number(&expected["I_nats"])).abs() < 1e-10, "centred: {got:?} {expected}");
        }
    }

    /// Σ_y p(y) H(Z|Y=y), one class after the other.
    fn slow(values: &[f64], n_dims: usize, points: &Array2<f64>, epsilon: f64, labels: &[u32]) -> f64 {
        let rows: Vec<&[f64]> = values.chunks(n_dims).collect();
        let classes: std::collections::BTreeSet<u32> = labels.iter().copied().collect();
        let entropy_of = |class: u32| {
            let mut mean = vec![0.0_f64; points.nrows()];
            let members: Vec<_> = rows.iter().zip(labels).filter(|(_, label)| **label == class).collect();
            for (z, _) in &members {
                let norm = z.iter().map(|z| z * z).sum::<f64>().sqrt();
                let power = |w: ndarray::ArrayView1<'_, f64>| {
                    (w.iter().zip(z.iter()).map(|(w, z)| w * z).sum::<f64>() / norm / epsilon).exp()
                };
                let powers: Vec<f64> = points.rows().into_iter().map(power).collect();
                let sum: f64 = powers.iter().sum();
                mean.iter_mut().zip(powers).for_each(|(mean, p)| *mean += p / sum / members.len() as f64);
            }
            let h: f64 = mean.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum();
            h * members.len() as f64 / labels.len() as f64
        };
        classes.into_iter().map(entropy_of).sum()
    }

    proptest! {
        #[test]
        fn entropies_are_those_of_a_loop_over_classes_in_any_number_of_passes(
            n_dims in 1_usize..6,
            n_points in 2_usize..9,
            epsilon in 0.05_f64..2.0,
            rows in prop::collection::vec((0_u32..6, 0.1_f64..9.0), 2..400),
        ) {
            let values: Vec<f64> =
                rows.iter().flat_map(|(_, phase)| (0..n_dims).map(move |j| (phase + 1.3 * j as f64).sin())).collect();
            prop_assume!(values.chunks(n_dims).all(|row| norm(row) > 1e-3));
            let points = points(n_points, n_dims, |k, j| (0.2 + 1.1 * k + 0.7 * j + 0.3 * k * j).cos());
            let labels: Vec<u32> = rows.iter().map(|(label, _)| *label).collect();
            let pairs: Vec<u32> = (0..labels.len() as u32).map(|i| i / 2).collect();
            let cells = [&labels, &pairs].map(|labels| Cells::of_rows(labels, 1));
            let assignment = plain(&points, epsilon);
            let got = conditional_entropies(&values, &assignment, &[&cells[0], &cells[1]]).unwrap();
            // Sums of at most 400 terms below 1.
            for (got, labels) in got.iter().zip([&labels, &pairs]) {
                prop_assert!((got - slow(&values, n_dims, &points, epsilon, labels)).abs() < 1e-11);
            }
            // Sums for few classes at once: the classes are added in the same order.
            let in_passes = within(&values, &assignment, &[&cells[0], &cells[1]], 4 * n_points).unwrap();
            prop_assert_eq!(in_passes, got);
        }
    }

    #[test]
    fn distinct_labels_leave_the_entropy_of_each_assignment_on_any_number_of_threads() {
        let n = 1000;
        let values: Vec<f64> = (0..n * 3).map(|i| (f64::from(i) * 0.7391).sin()).collect();
        let points = points(20, 3, |k, j| (0.2 + 1.1 * k + 0.7 * j + 0.3 * k * j).cos());
        let assignment = plain(&points, 0.2);
        let distinct: Vec<u32> = (0..n as u32).collect();
        let (labels, constant) = (Cells::of_rows(&distinct, 1), Cells::of_rows(&vec![0_u32; n as usize], 1));
        let on = |n_threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            pool.install(|| conditional_entropies(&values, &assignment, &[&labels, &constant]).unwrap())
        };
        assert_eq!(on(1), on(3));
        assert!((on(1)[0] - slow(&values, 3, &points, 0.2, &distinct)).abs() < 1e-11);
    }

    #[test]
    fn rows_of_zeros_and_rows_equal_to_the_mean_are_counted() {
        let points = points(5, 2, |k, j| (0.2 + 1.1 * k + 0.7 * j).cos());
        let constant = Cells::of_rows(&[0_u32; 4], 1);
        let values = [0.0, 0.0, 1.0, 2.0, 0.0, 0.0, 2.0, 1e200];
        assert_eq!(conditional_entropies(&values, &plain(&points, 1.0), &[&constant]), Err(2));
        let centred = Assignment { mean: vec![1.0, 2.0], smallest_norm: 1e-9, ..plain(&points, 1.0) };
        assert_eq!(conditional_entropies(&values, &centred, &[&constant]), Err(1));
    }
}
