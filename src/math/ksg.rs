//! Mutual information from nearest neighbours in the maximum norm, in nats.
//!
//! How near the k-th neighbour of a sample is in the joint space determines how many samples are counted around it in each
//! variable. Values are not scaled here; the result depends on the units of the two variables.
//!
//! # Reference
//! Kraskov, Stögbauer & Grassberger 2004, eqs 8 and 9; Ross 2014; Gao, Kannan, Oh & Viswanath 2017, algorithm 1.

use statrs::function::gamma::digamma;

use crate::math::atoms::Cells;
use crate::math::kd_tree::KdTree;
use crate::math::neighbour_counts::NeighbourCounts;
use crate::units::Nats;

/// A real variable, arranged for counts of neighbours.
#[derive(Debug)]
pub struct Arranged {
    values: Vec<f64>,
    n_dims: usize,
    counts: NeighbourCounts,
}

/// The k-th neighbours of all samples.
#[derive(Debug, Clone, PartialEq)]
pub struct KthNeighbours {
    /// Distance of every sample from its k-th neighbour.
    pub radii: Vec<f64>,
    /// Number of samples whose k-th neighbour is at distance 0.
    pub n_repeated: usize,
    /// Number of samples with another neighbour at exactly the distance of the k-th, which is above 0.
    pub n_tied: usize,
}

impl Arranged {
    /// Arranges `values`: n_samples × n_dims, row-major, finite, not empty.
    pub fn new(values: Vec<f64>, n_dims: usize) -> Self {
        Self { counts: NeighbourCounts::new(&values, n_dims), values, n_dims }
    }

    fn n_samples(&self) -> usize {
        self.values.len() / self.n_dims
    }

    fn row(&self, sample: usize) -> &[f64] {
        &self.values[sample * self.n_dims..][..self.n_dims]
    }

    /// The distance of two samples.
    fn distance(&self, a: usize, b: usize) -> f64 {
        self.row(a).iter().zip(self.row(b)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }

    /// Both variables of every sample.
    fn joint_values(&self, other: &Self) -> Vec<f64> {
        let rows = (0..self.n_samples()).flat_map(|sample| self.row(sample).iter().chain(other.row(sample)));
        rows.copied().collect()
    }

    fn joint(&self, other: &Self) -> KdTree {
        KdTree::new(&self.joint_values(other), self.n_dims + other.n_dims)
    }
}

/// The k-th neighbours in both variables together; the number of samples is above k.
pub fn joint_neighbours(a: &Arranged, b: &Arranged, k: usize) -> KthNeighbours {
    KthNeighbours::of(a.joint(b).nearest(k + 1, |near| kth(near, k)))
}

/// The k-th neighbours in `t` among the samples of the same class; every class has more than k samples.
pub fn class_neighbours(t: &Arranged, classes: &[u32], k: usize) -> KthNeighbours {
    let n_classes = classes.iter().max().map_or(0, |largest| *largest as usize + 1);
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); n_classes];
    classes.iter().enumerate().for_each(|(sample, class)| members[*class as usize].push(sample));
    let mut found = vec![(0.0, false); classes.len()];
    for members in members.iter().filter(|members| !members.is_empty()) {
        let rows: Vec<f64> = members.iter().flat_map(|sample| t.row(*sample)).copied().collect();
        let nearest = KdTree::new(&rows, t.n_dims).nearest(k + 1, |near| kth(near, k));
        members.iter().zip(nearest).for_each(|(sample, nearest)| found[*sample] = nearest);
    }
    KthNeighbours::of(found)
}

/// Distance of the k-th neighbour, and whether the previous or the next one is at the same distance.
fn kth(near: &[(f64, u32)], k: usize) -> (f64, bool) {
    let radius = near[k - 1].0;
    let is_previous = k > 1 && near[k - 2].0 == radius;
    (radius, is_previous || near.get(k).is_some_and(|next| next.0 == radius))
}

impl KthNeighbours {
    fn of(found: Vec<(f64, bool)>) -> Self {
        Self {
            n_repeated: found.iter().filter(|(radius, _)| *radius == 0.0).count(),
            n_tied: found.iter().filter(|(radius, is_tied)| *is_tied && *radius > 0.0).count(),
            radii: found.into_iter().map(|(radius, _)| radius).collect(),
        }
    }
}

/// Algorithm 1: I(A;B) = ψ(k) + ψ(N) − ⟨ψ(n_a + 1) + ψ(n_b + 1)⟩.
///
/// n_a is the number of other samples with a distance in A below that of the k-th neighbour in both variables; `joint` is
/// [`joint_neighbours`], with all radii above 0. At most [`ceiling`]; may be negative.
pub fn first_algorithm(a: &Arranged, b: &Arranged, joint: &KthNeighbours, k: usize) -> Nats {
    let psi = digammas(a.n_samples());
    let counts = [a, b].map(|variable| variable.counts.below(&joint.radii));
    let around = mean(counts[0].iter().zip(&counts[1]).map(|(n_a, n_b)| psi[*n_a as usize] + psi[*n_b as usize]));
    Nats(psi[k] + psi[a.n_samples()] - around)
}

/// Algorithm 2: I(A;B) = ψ(k) − 1/k + ψ(N) − ⟨ψ(n_a) + ψ(n_b)⟩.
///
/// n_a is the number of other samples with a distance in A of at most that of the farthest of the k neighbours, which is
/// another radius than that in B. N > k. At most [`second_ceiling`]; may be negative.
pub fn second_algorithm(a: &Arranged, b: &Arranged, k: usize) -> Nats {
    let psi = digammas(a.n_samples());
    let neighbours = a.joint(b).nearest(k, |near| near.iter().map(|(_, sample)| *sample as usize).collect::<Vec<_>>());
    let counts = [a, b].map(|variable| {
        let farthest = |(sample, near): (usize, &Vec<usize>)| {
            near.iter().map(|other| variable.distance(sample, *other)).fold(0.0, f64::max)
        };
        // At most this radius is below the next number.
        let radii: Vec<f64> = neighbours.iter().enumerate().map(farthest).map(f64::next_up).collect();
        variable.counts.below(&radii)
    });
    // The counts include the sample itself.
    let others = |n: &u32| psi[*n as usize - 1];
    let around = mean(counts[0].iter().zip(&counts[1]).map(|(n_a, n_b)| others(n_a) + others(n_b)));
    Nats(psi[k] - 1.0 / k as f64 + psi[a.n_samples()] - around)
}

/// I(T;Y) = ψ(k) + ψ(N) − ⟨ψ(N_y) + ψ(m)⟩ of a real T and classes Y (Ross 2014).
///
/// N_y is the number of samples of the class, m − 1 the number of other samples, of any class, nearer than the k-th
/// neighbour of the class; `inside` is [`class_neighbours`], with all radii above 0. 0 for a single class; may be negative.
pub fn with_classes(t: &Arranged, classes: &[u32], inside: &KthNeighbours, k: usize) -> Nats {
    let psi = digammas(t.n_samples());
    let n_y = class_sizes(classes);
    let around = t.counts.below(&inside.radii);
    let terms = around.iter().zip(&n_y).map(|(m, n_y)| (psi[*m as usize] - psi[k]) + (psi[*n_y] - psi[t.n_samples()]));
    Nats(-mean(terms))
}

/// I(A;B) = ⟨ψ(k_i) + ψ(N) − ψ(n_a) − ψ(n_b)⟩ of mixtures of densities and points with a probability (Gao et al. 2017).
///
/// If the k-th neighbour of a sample is not at distance 0, this is the first algorithm with k_i = k. Otherwise k_i, n_a and
/// n_b are the numbers of samples that are equal to it (itself included) in both variables, in A, and in B.
///
/// Deviations: ψ(N) instead of ln N, so that a constant has exactly no information and samples of a density have the value
/// of the first algorithm; ψ(n) of counts with `<`, as in the program of the authors, instead of ln(n + 1) with `≤`.
pub fn of_mixture(a: &Arranged, b: &Arranged, joint: &KthNeighbours, k: usize) -> Nats {
    let equal = if joint.n_repeated > 0 {
        equal_samples(&Cells::of_rows(&a.joint_values(b), a.n_dims + b.n_dims))
    } else {
        Vec::new()
    };
    let counts = [a, b].map(|variable| variable.counts.below(&positive(&joint.radii)));
    mixture(joint, &equal, [&counts[0], &counts[1]], k)
}

/// [`of_mixture`] of a real T and classes Y, whose distance is 0 or infinite; `inside` is [`class_neighbours`].
pub fn of_mixture_with_classes(t: &Arranged, classes: &[u32], inside: &KthNeighbours, k: usize) -> Nats {
    let counts = t.counts.below(&positive(&inside.radii));
    let n_y: Vec<u32> = class_sizes(classes).into_iter().map(|n_y| n_y as u32).collect();
    let of_class = || Cells::of_rows(&t.values, t.n_dims).split_by(|sample| classes[sample]);
    let equal = if inside.n_repeated > 0 { equal_samples(&of_class()) } else { Vec::new() };
    mixture(inside, &equal, [&counts, &n_y], k)
}

/// The largest value of [`first_algorithm`] and [`of_mixture`] for these neighbours: ψ(N) − ψ(k), because at least k − 1 other
/// samples are nearer than the k-th neighbour; a sample with ties may have none.
pub fn ceiling(neighbours: &KthNeighbours, k: usize) -> Nats {
    let n = neighbours.radii.len() as f64;
    let tied = 2.0 * neighbours.n_tied as f64 / n * (digamma(k as f64) - digamma(1.0));
    Nats(digamma(n) - digamma(k as f64) + tied)
}

/// The largest value of [`second_algorithm`] for `n` samples: ψ(N) − ψ(k) − 1/k, because at least k samples are counted.
pub fn second_ceiling(n: usize, k: usize) -> Nats {
    Nats(digamma(n as f64) - digamma(k as f64) - 1.0 / k as f64)
}

/// The largest value of [`with_classes`] and [`of_mixture_with_classes`]: ψ(N) − ⟨ψ(N_y)⟩, and more for ties as in
/// [`ceiling`].
pub fn ceiling_with_classes(classes: &[u32], inside: &KthNeighbours, k: usize) -> Nats {
    let n = classes.len() as f64;
    let psi_n_y = mean(class_sizes(classes).into_iter().map(|n_y| digamma(n_y as f64)));
    let tied = inside.n_tied as f64 / n * (digamma(k as f64) - digamma(1.0));
    Nats(digamma(n) - psi_n_y + tied)
}

fn mixture(neighbours: &KthNeighbours, equal: &[u32], [n_a, n_b]: [&[u32]; 2], k: usize) -> Nats {
    let n = neighbours.radii.len();
    let psi = digammas(n);
    let term = |sample: usize| {
        let k_i = if neighbours.radii[sample] == 0.0 { equal[sample] as usize } else { k };
        (psi[k_i] - psi[n_a[sample] as usize]) + (psi[n] - psi[n_b[sample] as usize])
    };
    Nats(mean((0..n).map(term)))
}

/// Radii below which there are only equal samples where the radius is 0.
fn positive(radii: &[f64]) -> Vec<f64> {
    radii.iter().map(|radius| if *radius == 0.0 { 0.0_f64.next_up() } else { *radius }).collect()
}

/// The number of samples in the cell of every sample.
fn equal_samples(cells: &Cells) -> Vec<u32> {
    cells.numbers().iter().map(|cell| cells.counts()[*cell as usize]).collect()
}

/// The number of samples of the class of every sample.
fn class_sizes(classes: &[u32]) -> Vec<usize> {
    let mut sizes = vec![0; classes.iter().max().map_or(0, |largest| *largest as usize + 1)];
    classes.iter().for_each(|class| sizes[*class as usize] += 1);
    classes.iter().map(|class| sizes[*class as usize]).collect()
}

/// ψ(0), which is not used, to ψ(n).
fn digammas(n: usize) -> Vec<f64> {
    (0..=n).map(|n| digamma(n as f64)).collect()
}

fn mean(terms: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = terms.len() as f64;
    terms.sum::<f64>() / n
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use proptest::prelude::*;

    use super::*;

    /// 2000 normal numbers as in `math/kozachenko_leonenko.rs`: SplitMix64 of seed 42 and the Box-Muller transform.
    fn normals() -> Vec<f64> {
        let mut state = 42_u64;
        let mut uniform = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
        };
        let pair = |_| {
            let (r, angle) = ((-2.0 * (1.0 - uniform()).ln()).sqrt(), 2.0 * PI * uniform());
            [r * angle.cos(), r * angle.sin()]
        };
        (0..1000).flat_map(pair).collect()
    }

    /// x, and y = ρ x + √(1 − ρ²) e.
    fn correlated(rho: f64) -> (Vec<f64>, Vec<f64>) {
        let z = normals();
        let y = z.chunks_exact(2).map(|z| rho * z[0] + (1.0 - rho * rho).sqrt() * z[1]);
        (z.iter().step_by(2).copied().collect(), y.collect())
    }

    fn first(a: &Arranged, b: &Arranged, k: usize) -> f64 {
        first_algorithm(a, b, &joint_neighbours(a, b, k), k).0
    }

    fn mixed(a: &Arranged, b: &Arranged, k: usize) -> f64 {
        of_mixture(a, b, &joint_neighbours(a, b, k), k).0
    }

    #[track_caller]
    fn close(got: f64, expected: f64, tolerance: f64) {
        assert!((got - expected).abs() <= tolerance, "{got} is not {expected} to {tolerance}");
    }

    /// The first algorithm also by a second k-d tree of another program, with the same digits; the second by NumPy from
    /// all distances. Sums of 1000 numbers below 10: errors of about 1e−14.
    #[test]
    fn correlated_normal_numbers_have_the_values_of_scipy() {
        for (rho, expected_first, expected_second) in [
            (
                0.0,
                [0.108_956_635_696_706, 0.015_549_390_306_57, 0.009_935_098_606_657],
                [0.104_910_708_317_131_45, 0.028_292_939_669_439_576, 0.019_829_410_619_472_3],
            ),
            (
                0.5,
                [0.296_439_912_972, 0.132_363_684_424, 0.158_462_740_191],
                [0.279_906_449_516_781_56, 0.142_827_459_643_115_16, 0.156_790_842_208_399_9],
            ),
            (
                0.9,
                [0.932_504_883_351, 0.844_383_429_391, 0.841_894_123_785],
                [0.972_208_315_617_119_3, 0.871_187_444_507_621_8, 0.850_136_601_618_11],
            ),
        ] {
            let (x, y) = correlated(rho);
            let (x, y) = (Arranged::new(x, 1), Arranged::new(y, 1));
            for (at, k) in [1, 3, 5].into_iter().enumerate() {
                close(first(&x, &y, k), expected_first[at], 1e-12);
                close(second_algorithm(&x, &y, k).0, expected_second[at], 1e-12);
                close(mixed(&x, &y, k), expected_first[at], 1e-12);
            }
        }
    }

    /// Values of NumPy from all distances: 400 samples of three and two coordinates.
    #[test]
    fn variables_of_several_coordinates_have_the_values_of_numpy() {
        let z = normals();
        let a: Vec<f64> = z.chunks_exact(5).flat_map(|z| [z[0], z[1], z[2]]).collect();
        let b: Vec<f64> = z.chunks_exact(5).flat_map(|z| [z[3] + z[0], z[4] + z[1]]).collect();
        let (a, b) = (Arranged::new(a, 3), Arranged::new(b, 2));
        close(first(&a, &b, 1), 0.750_606_313_105_577_3, 1e-12);
        close(first(&a, &b, 3), 0.649_976_329_535_456_4, 1e-12);
        close(second_algorithm(&a, &b, 1).0, 0.781_858_009_781_257_7, 1e-12);
        close(second_algorithm(&a, &b, 3).0, 0.675_033_331_521_216_7, 1e-12);
    }

    #[test]
    fn classes_have_the_values_of_scipy() {
        let (x, y) = correlated(0.9);
        let sign: Vec<u32> = x.iter().map(|x| u32::from(*x > 0.0)).collect();
        let y = Arranged::new(y, 1);
        let inside = class_neighbours(&y, &sign, 3);
        close(with_classes(&y, &sign, &inside, 3).0, 0.396_633_673_344, 1e-12);
        close(of_mixture_with_classes(&y, &sign, &inside, 3).0, 0.396_633_673_344, 1e-12);
        // Two coordinates: NumPy from all distances.
        let z = normals();
        let sum: Vec<u32> = z.chunks_exact(2).map(|z| u32::from(z[0] + z[1] > 0.5)).collect();
        let t = Arranged::new(z, 2);
        close(with_classes(&t, &sum, &class_neighbours(&t, &sum, 3), 3).0, 0.631_817_556_796_369_9, 1e-12);
    }

    /// Values of NumPy from all distances; half of the samples of a variable after ReLU are 0.
    #[test]
    fn mixtures_have_the_values_of_numpy() {
        let (x, y) = correlated(0.9);
        let relu = |values: &[f64]| Arranged::new(values.iter().map(|value| value.max(0.0)).collect(), 1);
        close(mixed(&relu(&x), &relu(&y), 3), 0.555_365_402_207_313_2, 1e-12);
        close(mixed(&Arranged::new(x, 1), &relu(&y), 3), 0.621_059_360_473_589_2, 1e-12);
        let other: Vec<u32> = normals().iter().skip(1).step_by(2).map(|e| u32::from(*e > 0.0)).collect();
        let t = relu(&y);
        let inside = class_neighbours(&t, &other, 3);
        close(of_mixture_with_classes(&t, &other, &inside, 3).0, 0.045_916_449_917_119_46, 1e-12);
    }

    #[test]
    fn constants_and_single_classes_have_no_information() {
        let (x, _) = correlated(0.0);
        let x = Arranged::new(x, 1);
        let inside = class_neighbours(&x, &[0; 1000], 3);
        assert_eq!(with_classes(&x, &[0; 1000], &inside, 3).0, 0.0);
        // ψ of equal numbers cancel.
        close(mixed(&x, &Arranged::new(vec![0.5; 1000], 1), 3), 0.0, 1e-14);
        close(mixed(&Arranged::new(vec![0.5; 1000], 1), &Arranged::new(vec![2.0; 1000], 1), 3), 0.0, 1e-14);
    }

    /// A variable with itself: every sample has exactly k − 1 others nearer than its k-th neighbour.
    #[test]
    fn a_variable_and_itself_reach_the_ceiling() {
        let (x, _) = correlated(0.0);
        let x = Arranged::new(x, 1);
        let joint = joint_neighbours(&x, &x, 3);
        // ψ(1000) − ψ(3), from SciPy.
        close(first(&x, &x, 3), 5.984_470_860_550_345, 1e-12);
        close(ceiling(&joint, 3).0, 5.984_470_860_550_345, 1e-12);
        close(second_algorithm(&x, &x, 3).0, second_ceiling(1000, 3).0, 1e-12);
    }

    #[test]
    fn ties_and_repeated_samples_are_found() {
        let lattice = Arranged::new((0..27).map(|i| f64::from(i % 3)).collect(), 1);
        let rows = Arranged::new((0..27).map(|i| f64::from(i / 3)).collect(), 1);
        // Every point of the lattice is a single sample, with at least three neighbours at distance 1.
        let found = joint_neighbours(&lattice, &rows, 1);
        assert_eq!((found.n_repeated, found.n_tied), (0, 27));
        let found = joint_neighbours(&lattice, &lattice, 3);
        assert_eq!((found.n_repeated, found.n_tied), (27, 0));
    }

    /// ψ(n) of a whole number, by its recursion.
    fn psi(n: usize) -> f64 {
        (1..n).map(|i| 1.0 / i as f64).sum::<f64>() - 0.577_215_664_901_532_9
    }

    /// The formula of Gao et al. from all distances.
    fn slow_mixture(rows: &[(f64, f64, f64)], k: usize) -> f64 {
        let n = rows.len();
        let in_a = |i: usize, j: usize| (rows[i].0 - rows[j].0).abs().max((rows[i].1 - rows[j].1).abs());
        let in_b = |i: usize, j: usize| (rows[i].2 - rows[j].2).abs();
        let both = |i: usize, j: usize| in_a(i, j).max(in_b(i, j));
        let term = |i: usize| {
            let mut distances: Vec<f64> = (0..n).filter(|j| *j != i).map(|j| both(i, j)).collect();
            distances.sort_by(f64::total_cmp);
            let radius = distances[k - 1];
            let number = |distance: &dyn Fn(usize, usize) -> f64| {
                (0..n).filter(|j| if radius == 0.0 { distance(i, *j) == 0.0 } else { distance(i, *j) < radius }).count()
            };
            let k_i = if radius == 0.0 { number(&both) } else { k };
            psi(k_i) + psi(n) - psi(number(&in_a)) - psi(number(&in_b))
        };
        (0..n).map(term).sum::<f64>() / n as f64
    }

    proptest! {
        #[test]
        fn mixtures_are_those_of_the_slow_twin(
            rows in proptest::collection::vec((-2.0..2.0_f64, -2.0..2.0_f64, -2.0..2.0_f64), 6..90),
            k in 1..5_usize,
        ) {
            let rows: Vec<_> = rows.iter().map(|(a, b, c)| (a.round(), b.max(0.0), c.max(0.0))).collect();
            let a = Arranged::new(rows.iter().flat_map(|row| [row.0, row.1]).collect(), 2);
            let b = Arranged::new(rows.iter().map(|row| row.2).collect(), 1);
            prop_assert!((mixed(&a, &b, k) - slow_mixture(&rows, k)).abs() < 1e-12);
        }

        /// Without ties, the value of both algorithms is symmetric and below its ceiling.
        #[test]
        fn the_order_of_the_variables_does_not_matter(
            rows in proptest::collection::vec((-2.0..2.0_f64, -2.0..2.0_f64), 6..90),
            k in 1..5_usize,
        ) {
            let (a, b) = rows.into_iter().unzip();
            let (a, b) = (Arranged::new(a, 1), Arranged::new(b, 1));
            let joint = joint_neighbours(&a, &b, k);
            prop_assume!(joint.n_repeated + joint.n_tied == 0);
            let n = joint.radii.len();
            prop_assert!((first(&a, &b, k) - first(&b, &a, k)).abs() < 1e-12 && first(&a, &b, k) <= ceiling(&joint, k).0 + 1e-12);
            let (ab, ba) = (second_algorithm(&a, &b, k).0, second_algorithm(&b, &a, k).0);
            prop_assert!((ab - ba).abs() < 1e-12 && ab <= second_ceiling(n, k).0 + 1e-12);
        }
    }
}
