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

/// Distance of the k-th neighbour, and whether the next one is at the same distance.
fn kth(near: &[(f64, u32)], k: usize) -> (f64, bool) {
    let radius = near[k - 1].0;
    (radius, near.get(k).is_some_and(|next| next.0 == radius))
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
