//! The canonical form of networks that differ only in the order, the signs and the scales of hidden units.

use std::cmp::Ordering;

use ndarray::{Array2, ArrayView1};

use super::symmetry::{GroupElement, UnitChange, UnitSymmetry, hidden};
use crate::weights::{DenseLayer, DenseNetwork};

/// Maximum number of copies that are followed simultaneously; a network with more is degenerate.
pub const MOST_BRANCHES: usize = 20_000;
/// Maximum number of weights of the next layer in all copies that are followed simultaneously, 256 MiB; each thread
/// stores them up to three times.
pub const MOST_BRANCH_WEIGHTS: usize = 1 << 25;

/// The network of an orbit with the lexicographically largest weights: layer by layer, in each layer unit by unit,
/// in each unit the incoming weights, then its bias.
///
/// For units with free signs, the first weight that is not 0 is positive; for units with free scales, the incoming
/// weights and the bias have norm 1. Only comparisons and changes of sign are used, so all copies by permutations and
/// signs, and by scales that are powers of two, have bitwise equal forms; by other scales, equal up to rounding. There
/// is no tolerance, because "equal to 1e-12" is not transitive. −0 is written as 0. A unit with free scale whose
/// weights and bias are all 0 keeps its scale, which has no effect.
#[derive(Debug, Clone, PartialEq)]
pub struct CanonicalForm {
    /// The canonical network.
    pub network: DenseNetwork,
    /// The group element that maps the given network to it; if units are equal, one of several elements.
    pub element: GroupElement,
    /// The largest number of copies that were followed simultaneously; 1 if no units are equal.
    pub n_branches: usize,
    /// The smallest difference that determined the order of two units: that of the first weights in which neighbours
    /// differ. The form jumps where it passes 0; `None` if no order was determined.
    pub order_gap: Option<f64>,
    /// The smallest weight whose sign determined that of a unit; `None` if signs are not free.
    pub sign_gap: Option<f64>,
}

/// A copy of the network that is canonical up to some layer.
#[derive(Debug, Clone)]
struct PartialForm {
    /// The changes of the previous layers.
    changes: Vec<UnitChange>,
    /// The kernel of the layer, with its inputs changed accordingly.
    kernel: Array2<f64>,
}

/// A unit of a candidate.
#[derive(Debug, Clone)]
struct Unit {
    /// Number of this unit in the given network.
    index: usize,
    divisor: f64,
    /// The incoming weights and the bias, divided.
    block: Vec<f64>,
}

impl CanonicalForm {
    /// The form of a network. `None` if the network is degenerate: more than [`MOST_BRANCHES`] copies, or copies with
    /// more than [`MOST_BRANCH_WEIGHTS`] weights in the next layer, are equal up to some layer (or weights overflow
    /// when units are scaled).
    ///
    /// From the first to the last hidden layer, signs and scales are fixed and units are sorted in every candidate. The
    /// candidates with the largest layer stay. If units are equal, all their orders (and both signs if all weights are
    /// 0) that differ in the next layer become candidates. The largest output layer decides.
    pub fn of_network(network: &DenseNetwork) -> Option<Self> {
        let layers = network.layers();
        let mut candidates =
            vec![PartialForm { changes: Vec::new(), kernel: layers[0].kernel.mapv(without_sign_of_zero) }];
        let (mut n_branches, mut order_gap, mut sign_gap) = (1, None, None);
        for (l, layer) in hidden(network).iter().enumerate() {
            let symmetry = UnitSymmetry::of_activation(layer.activation);
            let sorted = candidates.into_iter().map(|candidate| {
                let units = sorted_units(&candidate.kernel, layer, symmetry);
                (candidate, units)
            });
            let largest = largest(sorted, |(_, a), (_, b)| compare(a.iter(), b.iter()));
            let (_, units) = &largest[0];
            order_gap = smaller(order_gap, units.windows(2).filter_map(|pair| first_difference(&pair[0], &pair[1])));
            if symmetry == UnitSymmetry::Signs {
                let first = |unit: &Unit| unit.block.iter().copied().find(|weight| *weight != 0.0);
                sign_gap = smaller(sign_gap, units.iter().filter_map(first));
            }
            candidates = Vec::new();
            for (candidate, units) in &largest {
                push_orders(candidate, units, &layers[l + 1].kernel, symmetry, &mut candidates)?;
            }
            let bits = |candidate: &PartialForm| candidate.kernel.iter().map(|w| w.to_bits()).collect::<Vec<_>>();
            candidates.sort_by_cached_key(bits);
            candidates.dedup_by(|a, b| a.kernel == b.kernel);
            n_branches = n_branches.max(candidates.len());
        }
        let by_unit = |a: &PartialForm, b: &PartialForm| lexicographic(a.kernel.iter(), b.kernel.iter());
        let chosen = largest(candidates, by_unit).swap_remove(0);
        let element = GroupElement::new(chosen.changes);
        let canonical = element.apply(network).ok()?;
        let weights: Vec<f64> = canonical.weights().into_iter().map(without_sign_of_zero).collect();
        Some(Self { network: canonical.with_weights(&weights), element, n_branches, order_gap, sign_gap })
    }
}

fn without_sign_of_zero(weight: f64) -> f64 {
    weight + 0.0
}

/// The order of two sequences of finite numbers.
fn lexicographic<'a>(a: impl Iterator<Item = &'a f64>, b: impl Iterator<Item = &'a f64>) -> Ordering {
    a.partial_cmp(b).expect("weights are finite")
}

fn compare<'a>(a: impl Iterator<Item = &'a Unit>, b: impl Iterator<Item = &'a Unit>) -> Ordering {
    lexicographic(a.flat_map(|unit| &unit.block), b.flat_map(|unit| &unit.block))
}

/// The largest of the `items`, several if they are equal.
fn largest<T>(items: impl IntoIterator<Item = T>, compare: impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    let mut kept: Vec<T> = Vec::new();
    for item in items {
        match kept.first().map_or(Ordering::Equal, |first| compare(&item, first)) {
            Ordering::Greater => kept = vec![item],
            Ordering::Equal => kept.push(item),
            Ordering::Less => {}
        }
    }
    kept
}

fn smaller(gap: Option<f64>, others: impl Iterator<Item = f64>) -> Option<f64> {
    gap.into_iter().chain(others).reduce(f64::min)
}

/// The difference of two units in the first weight in which they differ.
fn first_difference(a: &Unit, b: &Unit) -> Option<f64> {
    a.block.iter().zip(&b.block).map(|(a, b)| (a - b).abs()).find(|difference| *difference != 0.0)
}

/// The units of a layer in descending order, with signs and scales fixed.
fn sorted_units(kernel: &Array2<f64>, layer: &DenseLayer, symmetry: UnitSymmetry) -> Vec<Unit> {
    let unit = |index: usize| {
        let mut block: Vec<f64> = kernel.row(index).iter().chain([&layer.bias[index]]).copied().collect();
        let divisor = match symmetry {
            UnitSymmetry::Order => 1.0,
            UnitSymmetry::Signs => block.iter().find(|weight| **weight != 0.0).map_or(1.0, |weight| weight.signum()),
            UnitSymmetry::Scales => norm(&block),
        };
        block.iter_mut().for_each(|weight| *weight = without_sign_of_zero(*weight / divisor));
        Unit { index, divisor, block }
    };
    let mut units: Vec<Unit> = (0..kernel.nrows()).map(unit).collect();
    units.sort_by(|a, b| lexicographic(b.block.iter(), a.block.iter()));
    units
}

/// |block|, or 1 if it is 0. Entries are first divided by the largest, so that no square overflows.
fn norm(block: &[f64]) -> f64 {
    let largest = block.iter().fold(0.0, |largest: f64, weight| largest.max(weight.abs()));
    if largest > 0.0 { largest * block.iter().map(|w| (w / largest) * (w / largest)).sum::<f64>().sqrt() } else { 1.0 }
}

/// Adds the candidate with every order of equal units, and both signs of units without weights, that differ in the
/// kernel of the next layer; returns `None` if there are too many.
fn push_orders(
    below: &PartialForm,
    units: &[Unit],
    kernel_above: &Array2<f64>,
    symmetry: UnitSymmetry,
    candidates: &mut Vec<PartialForm>,
) -> Option<()> {
    let most = most_candidates(kernel_above.len());
    let mut orders: Vec<Vec<(usize, f64)>> = vec![Vec::new()];
    for equal in units.chunk_by(|a, b| a.block == b.block) {
        let is_open = symmetry == UnitSymmetry::Signs && equal[0].block.iter().all(|weight| *weight == 0.0);
        for _ in equal {
            let mut longer = Vec::new();
            for order in &orders {
                let is_left = |unit: &&Unit| order.iter().all(|(index, _)| *index != unit.index);
                let both = if is_open { &[1.0, -1.0][..] } else { &[1.0] };
                let choices = equal
                    .iter()
                    .filter(is_left)
                    .flat_map(|unit| both.iter().map(|sign| (unit.index, unit.divisor * sign)));
                let mut tried: Vec<Vec<f64>> = Vec::new();
                for (index, divisor) in choices {
                    let out = outgoing(kernel_above.column(index), divisor);
                    if !tried.contains(&out) {
                        longer.push([order.as_slice(), &[(index, divisor)]].concat());
                        tried.push(out);
                    }
                }
                if candidates.len() + longer.len() > most {
                    return None;
                }
            }
            orders = longer;
        }
    }
    for order in orders {
        let mut kernel = Array2::zeros(kernel_above.dim());
        for (place, (index, divisor)) in order.iter().enumerate() {
            let out = outgoing(kernel_above.column(*index), *divisor);
            kernel.column_mut(place).assign(&ArrayView1::from(&out));
        }
        let (order, divisors) = order.into_iter().unzip();
        let changes = [below.changes.as_slice(), &[UnitChange { order, divisors }]].concat();
        candidates.push(PartialForm { changes, kernel });
    }
    Some(())
}

/// Maximum number of copies that are followed simultaneously for a layer with this number of weights; at least one.
fn most_candidates(n_weights: usize) -> usize {
    (MOST_BRANCH_WEIGHTS / n_weights).clamp(1, MOST_BRANCHES)
}

/// The outgoing weights of a unit, multiplied by the divisor of the incoming ones.
fn outgoing(column: ArrayView1<'_, f64>, divisor: f64) -> Vec<f64> {
    column.iter().map(|weight| without_sign_of_zero(weight * divisor)).collect()
}
