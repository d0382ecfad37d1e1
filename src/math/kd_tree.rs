//! A k-d tree for the maximum norm: nearest neighbours of all samples, and how many samples are within a distance.
//!
//! The distance of two samples is the largest absolute difference of their coordinates, each rounded to f64. Every decision
//! compares these rounded differences: the coordinates of a box bound them exactly, because rounding is monotonic. So a
//! neighbour at distance r is never counted as nearer than r.
//!
//! Leaves have equally many samples, and a whole leaf searches at once: neighbouring samples visit the same leaves, and in
//! many dimensions, where a tree excludes nothing, the search is a comparison of blocks of samples with blocks.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Samples of a leaf.
const LEAF: usize = 64;

/// Samples of a leaf whose distances are computed at once, in registers.
const LANES: usize = 16;

/// Blocks of [`LANES`] samples of a leaf.
const BLOCKS: usize = LEAF / LANES;

/// Coordinates between two checks whether all samples of a leaf are already too far.
const COORDINATES_PER_CHECK: usize = 4;

/// Samples in boxes within boxes.
#[derive(Debug)]
pub struct KdTree {
    n_dims: usize,
    /// The samples, leaf after leaf.
    order: Vec<u32>,
    /// Coordinates of the samples in this order, row-major.
    rows: Vec<f64>,
    /// The same for every [`LANES`] samples of a leaf: their first coordinates, then the second. Missing samples of the last
    /// leaf are infinite.
    columns: Vec<[f64; LANES]>,
    /// For every node the lowest and then the highest coordinates; a node is followed by its two branches.
    boxes: Vec<f64>,
}

/// Neighbours of a sample, by ascending distance: distance and number of the sample.
pub type Near = [(f64, u32)];

/// A node: the number of its box, and its leaves.
#[derive(Clone, Copy)]
struct Node {
    at: usize,
    first: usize,
    n_leaves: usize,
}

impl Node {
    /// The two halves of a node with more than one leaf.
    #[inline(always)]
    fn branches(self) -> [Self; 2] {
        let left = self.n_leaves.div_ceil(2);
        // A branch of m leaves has 2m − 1 nodes.
        [
            Self { at: self.at + 1, first: self.first, n_leaves: left },
            Self { at: self.at + 2 * left, first: self.first + left, n_leaves: self.n_leaves - left },
        ]
    }
}

impl KdTree {
    /// Sorts `values` (n_samples × n_dims, row-major, finite, not empty) into boxes. O(N d log N) time.
    pub fn new(values: &[f64], n_dims: usize) -> Self {
        let n = values.len() / n_dims;
        let n_leaves = n.div_ceil(LEAF);
        let mut order: Vec<u32> = (0..n as u32).collect();
        let mut boxes = Vec::with_capacity((2 * n_leaves - 1) * 2 * n_dims);
        split(values, n_dims, &mut order, &mut boxes);
        let row = |sample: &u32| &values[*sample as usize * n_dims..][..n_dims];
        let rows: Vec<f64> = order.iter().flat_map(row).copied().collect();
        let mut columns = vec![[f64::INFINITY; LANES]; n_leaves * BLOCKS * n_dims];
        for (at, row) in rows.chunks_exact(n_dims).enumerate() {
            let block = &mut columns[at / LANES * n_dims..];
            block.iter_mut().zip(row).for_each(|(column, value)| column[at % LANES] = *value);
        }
        Self { n_dims, order, rows, columns, boxes }
    }

    /// What `found` returns for the `n` nearest neighbours of every sample, or all others if there are fewer; n ≥ 1.
    ///
    /// Which of several neighbours at exactly the same distance comes first, or is left out, is not determined.
    pub fn nearest<R: Send>(&self, n: usize, found: impl Fn(&Near) -> R + Sync) -> Vec<R> {
        self.for_each_leaf(|queries| {
            let lists = Arch::new().dispatch(Search { tree: self, queries, n });
            lists.iter().map(|list| found(list)).collect()
        })
    }

    /// For every sample, the number of samples, itself included, at a distance below its radius.
    pub fn counts(&self, radii: &[f64]) -> Vec<u32> {
        self.for_each_leaf(|queries| {
            let radii: Vec<f64> = self.order[queries.clone()].iter().map(|sample| radii[*sample as usize]).collect();
            Arch::new().dispatch(Count { tree: self, queries, radii: &radii })
        })
    }

    /// The results of the samples of every leaf, in the order of the samples.
    fn for_each_leaf<R: Send>(&self, results: impl Fn(Range<usize>) -> Vec<R> + Sync) -> Vec<R> {
        let n = self.order.len();
        let leaves = (0..n.div_ceil(LEAF)).into_par_iter();
        let by_leaf: Vec<Vec<R>> = leaves.map(|leaf| results(leaf * LEAF..n.min((leaf + 1) * LEAF))).collect();
        let mut of_sample: Vec<Option<R>> = (0..n).map(|_| None).collect();
        for (sample, result) in self.order.iter().zip(by_leaf.into_iter().flatten()) {
            of_sample[*sample as usize] = Some(result);
        }
        of_sample.into_iter().flatten().collect()
    }

    #[inline(always)]
    fn root(&self) -> Node {
        Node { at: 0, first: 0, n_leaves: self.order.len().div_ceil(LEAF) }
    }

    /// The lowest and the highest coordinates of a node.
    #[inline(always)]
    fn corners(&self, node: Node) -> (&[f64], &[f64]) {
        self.boxes[node.at * 2 * self.n_dims..][..2 * self.n_dims].split_at(self.n_dims)
    }

    /// The lowest and the highest coordinates of a leaf.
    #[inline(always)]
    fn leaf_corners(&self, leaf: usize) -> (&[f64], &[f64]) {
        let mut node = self.root();
        while node.n_leaves > 1 {
            let [left, right] = node.branches();
            node = if leaf < right.first { left } else { right };
        }
        self.corners(node)
    }

    #[inline(always)]
    fn row(&self, at: usize) -> &[f64] {
        &self.rows[at * self.n_dims..][..self.n_dims]
    }

    /// Positions of the samples of a node.
    #[inline(always)]
    fn samples(&self, node: Node) -> Range<usize> {
        node.first * LEAF..self.order.len().min((node.first + node.n_leaves) * LEAF)
    }

    /// A block of [`LANES`] samples of a leaf.
    #[inline(always)]
    fn block(&self, leaf: usize, block: usize) -> &[[f64; LANES]] {
        &self.columns[(leaf * BLOCKS + block) * self.n_dims..][..self.n_dims]
    }
}

/// The largest differences between `row` and the `columns`, and how many of them are below `bound`. If there are none, the
/// differences may be too small.
#[inline(always)]
fn farthest(columns: &[[f64; LANES]], row: &[f64], bound: f64) -> ([f64; LANES], usize) {
    let mut farthest = [0.0; LANES];
    let mut n_below = LANES;
    for (columns, row) in columns.chunks(COORDINATES_PER_CHECK).zip(row.chunks(COORDINATES_PER_CHECK)) {
        for (column, value) in columns.iter().zip(row) {
            for lane in 0..LANES {
                let difference = (column[lane] - value).abs();
                farthest[lane] = if difference > farthest[lane] { difference } else { farthest[lane] };
            }
        }
        let mut below = [0_u64; LANES];
        for lane in 0..LANES {
            below[lane] = u64::from(farthest[lane] < bound);
        }
        n_below = below.iter().sum::<u64>() as usize;
        if n_below == 0 {
            break;
        }
    }
    (farthest, n_below)
}

/// Appends the box of the samples `order` and of its branches, and sorts the samples into them.
fn split(values: &[f64], n_dims: usize, order: &mut [u32], boxes: &mut Vec<f64>) {
    let at = boxes.len();
    let row = |sample: u32| &values[sample as usize * n_dims..][..n_dims];
    boxes.extend(row(order[0]).iter().chain(row(order[0])));
    let (low, high) = boxes[at..].split_at_mut(n_dims);
    for sample in &*order {
        for (dim, value) in row(*sample).iter().enumerate() {
            low[dim] = low[dim].min(*value);
            high[dim] = high[dim].max(*value);
        }
    }
    let n_leaves = order.len().div_ceil(LEAF);
    if n_leaves == 1 {
        return;
    }
    let extent = |dim: &usize| high[*dim] - low[*dim];
    let widest = (0..n_dims).max_by(|a, b| extent(a).total_cmp(&extent(b))).unwrap_or(0);
    let middle = n_leaves.div_ceil(2) * LEAF;
    let value = |sample: &u32| values[*sample as usize * n_dims + widest];
    order.select_nth_unstable_by(middle, |a, b| value(a).total_cmp(&value(b)));
    let (left, right) = order.split_at_mut(middle);
    split(values, n_dims, left, boxes);
    split(values, n_dims, right, boxes);
}

/// The least distance between points of two boxes.
#[inline(always)]
fn least_distance((low, high): (&[f64], &[f64]), (low_b, high_b): (&[f64], &[f64])) -> f64 {
    let mut least = 0.0;
    for dim in 0..low.len() {
        let gap = (low_b[dim] - high[dim]).max(low[dim] - high_b[dim]);
        least = if gap > least { gap } else { least };
    }
    least
}

/// The largest distance between points of two boxes.
#[inline(always)]
fn largest_distance((low, high): (&[f64], &[f64]), (low_b, high_b): (&[f64], &[f64])) -> f64 {
    let mut largest = 0.0;
    for dim in 0..low.len() {
        let span = (high_b[dim] - low[dim]).max(high[dim] - low_b[dim]);
        largest = if span > largest { span } else { largest };
    }
    largest
}

/// The least and the largest distances between the samples in `columns` and points of a box.
#[inline(always)]
fn box_distances(columns: &[[f64; LANES]], (low, high): (&[f64], &[f64])) -> ([f64; LANES], [f64; LANES]) {
    let (mut least, mut largest) = ([0.0; LANES], [0.0; LANES]);
    for ((column, low), high) in columns.iter().zip(low).zip(high) {
        for lane in 0..LANES {
            let (below, above) = (low - column[lane], column[lane] - high);
            let gap = if below > above { below } else { above };
            least[lane] = if gap > least[lane] { gap } else { least[lane] };
            let (to_high, to_low) = (high - column[lane], column[lane] - low);
            let span = if to_high > to_low { to_high } else { to_low };
            largest[lane] = if span > largest[lane] { span } else { largest[lane] };
        }
    }
    (least, largest)
}

/// The `n` nearest neighbours of the samples at the positions `queries`, which are those of a leaf.
struct Search<'a> {
    tree: &'a KdTree,
    queries: Range<usize>,
    n: usize,
}

/// The nearest samples so far, by ascending distance.
struct NearestSamples {
    list: Vec<(f64, u32)>,
    n: usize,
}

impl NearestSamples {
    /// Samples must be nearer than this to be added.
    #[inline(always)]
    fn bound(&self) -> f64 {
        if self.list.len() < self.n { f64::INFINITY } else { self.list[self.n - 1].0 }
    }

    /// Adds the samples of a leaf that are near enough to the sample at the position `at`.
    #[inline(always)]
    fn add_leaf(&mut self, tree: &KdTree, leaf: usize, at: usize) {
        for block in 0..BLOCKS {
            let (distances, n_below) = farthest(tree.block(leaf, block), tree.row(at), self.bound());
            if n_below == 0 {
                continue;
            }
            for (distance, other) in distances.iter().zip(leaf * LEAF + block * LANES..tree.order.len()) {
                if *distance < self.bound() && other != at {
                    self.add(*distance, tree.order[other]);
                }
            }
        }
    }

    #[inline(never)]
    fn add(&mut self, distance: f64, sample: u32) {
        if self.list.len() == self.n {
            self.list.pop();
        }
        let mut at = self.list.len();
        self.list.push((distance, sample));
        while at > 0 && self.list[at - 1].0 > distance {
            self.list.swap(at - 1, at);
            at -= 1;
        }
    }
}

impl WithSimd for Search<'_> {
    type Output = Vec<Vec<(f64, u32)>>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        let Self { tree, queries, n } = self;
        let own = queries.start / LEAF;
        let mut nearest: Vec<NearestSamples> =
            queries.clone().map(|_| NearestSamples { list: Vec::with_capacity(n.min(tree.order.len())), n }).collect();
        // The own leaf first: it gives bounds that exclude most others.
        for (at, nearest) in queries.clone().zip(&mut nearest) {
            nearest.add_leaf(tree, own, at);
        }
        let own_corners = tree.leaf_corners(own);
        let farthest = |nearest: &[NearestSamples]| nearest.iter().map(NearestSamples::bound).fold(0.0, f64::max);
        let mut bound = farthest(&nearest);
        let mut stack = vec![(0.0, tree.root())];
        while let Some((least, node)) = stack.pop() {
            if least >= bound {
                continue;
            }
            if node.n_leaves > 1 {
                let [near, far] = node.branches().map(|b| (least_distance(own_corners, tree.corners(b)), b));
                // The nearer branch is visited first; equally near ones, in the order of the distance of the middles.
                if near.0 <= far.0 {
                    stack.extend([far, near])
                } else {
                    stack.extend([near, far])
                }
                continue;
            }
            if node.first == own {
                continue;
            }
            for block in 0..BLOCKS {
                let (least, _) = box_distances(tree.block(own, block), tree.corners(node));
                let first = block * LANES;
                for (lane, (least, nearest)) in least.iter().zip(nearest.iter_mut().skip(first)).enumerate() {
                    if *least < nearest.bound() {
                        nearest.add_leaf(tree, node.first, own * LEAF + first + lane);
                    }
                }
            }
            bound = farthest(&nearest);
        }
        nearest.into_iter().map(|nearest| nearest.list).collect()
    }
}

/// The number of samples at a distance below its radius, for each of the samples at the positions `queries`.
struct Count<'a> {
    tree: &'a KdTree,
    queries: Range<usize>,
    radii: &'a [f64],
}

impl WithSimd for Count<'_> {
    type Output = Vec<u32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Vec<u32> {
        let Self { tree, queries, radii } = self;
        let own = queries.start / LEAF;
        let own_corners = tree.leaf_corners(own);
        let largest = radii.iter().copied().fold(0.0, f64::max);
        let least = radii.iter().copied().fold(f64::INFINITY, f64::min);
        let mut counts = vec![0_u32; radii.len()];
        let mut stack = vec![tree.root()];
        while let Some(node) = stack.pop() {
            let corners = tree.corners(node);
            if least_distance(own_corners, corners) >= largest {
                continue;
            }
            let n_inside = tree.samples(node).len() as u32;
            if largest_distance(own_corners, corners) < least {
                counts.iter_mut().for_each(|count| *count += n_inside);
                continue;
            }
            if node.n_leaves > 1 {
                stack.extend(node.branches());
                continue;
            }
            for block in 0..BLOCKS {
                let (nearest, farthest_of) = box_distances(tree.block(own, block), corners);
                for lane in 0..LANES.min(radii.len().saturating_sub(block * LANES)) {
                    let query = block * LANES + lane;
                    if nearest[lane] >= radii[query] {
                        continue;
                    }
                    if farthest_of[lane] < radii[query] {
                        counts[query] += n_inside;
                        continue;
                    }
                    let row = tree.row(queries.start + query);
                    // Plain loops: closures would be compiled without the wide instructions.
                    for block in 0..BLOCKS {
                        counts[query] += farthest(tree.block(node.first, block), row, radii[query]).1 as u32;
                    }
                }
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn distance(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }

    /// A slow and simple implementation: sorts the distances of every sample from all others.
    fn slow_nearest(rows: &[&[f64]], n: usize) -> Vec<Vec<f64>> {
        let of_sample = |i: usize| {
            let mut distances: Vec<f64> =
                (0..rows.len()).filter(|j| *j != i).map(|j| distance(rows[i], rows[j])).collect();
            distances.sort_by(f64::total_cmp);
            distances.truncate(n);
            distances
        };
        (0..rows.len()).map(of_sample).collect()
    }

    fn check(values: &[f64], n_dims: usize, n: usize) {
        let rows: Vec<&[f64]> = values.chunks_exact(n_dims).collect();
        let tree = KdTree::new(values, n_dims);
        let found = tree.nearest(n, <[(f64, u32)]>::to_vec);
        let expected = slow_nearest(&rows, n);
        for (i, (near, expected)) in found.iter().zip(&expected).enumerate() {
            assert_eq!(&near.iter().map(|(distance, _)| *distance).collect::<Vec<_>>(), expected, "sample {i}");
            for (to, other) in near {
                assert_eq!((distance(rows[i], rows[*other as usize]), *other == i as u32), (*to, false));
            }
        }
        // At exactly the distance of the last neighbour, and just above it.
        for radius in [|near: &[f64]| near[near.len() - 1], |near: &[f64]| near[near.len() - 1].next_up()] {
            let radii: Vec<f64> = expected.iter().map(|near| radius(near)).collect();
            let count = |(row, radius): (&&[f64], &f64)| {
                rows.iter().filter(|other| distance(row, other) < *radius).count() as u32
            };
            assert_eq!(tree.counts(&radii), rows.iter().zip(&radii).map(count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn narrow_and_wide_samples_have_the_neighbours_of_the_slow_twin() {
        for (n_samples, n_dims) in [(2, 1), (33, 1), (1000, 2), (1100, 5), (500, 16), (300, 61)] {
            let values: Vec<f64> = (0..n_samples * n_dims).map(|i| ((i * i) as f64 * 0.7391).sin()).collect();
            for n in [1, 4, 40] {
                check(&values, n_dims, n);
            }
        }
    }

    /// More equal coordinates than a leaf has samples.
    #[test]
    fn samples_may_repeat_or_lie_on_a_plane() {
        let values: Vec<f64> = (0..900).map(|i| if i % 3 == 0 { 0.5 } else { f64::from(i / 200) }).collect();
        check(&values, 3, 3);
        check(&[0.25; 200], 2, 5);
    }

    proptest! {
        /// Whole numbers, so that many distances tie, and numbers with rounded differences.
        #[test]
        fn neighbours_and_counts_are_those_of_the_slow_twin(
            n_dims in 1..5_usize,
            n in 1..6_usize,
            is_whole: bool,
            samples in proptest::collection::vec(proptest::collection::vec(-3.0..3.0_f64, 4), 2..200),
        ) {
            let value = |value: &f64| if is_whole { value.round() } else { 1e5 + value };
            let values: Vec<f64> = samples.iter().flat_map(|row| row[..n_dims].iter().map(value)).collect();
            check(&values, n_dims, n);
        }
    }
}
