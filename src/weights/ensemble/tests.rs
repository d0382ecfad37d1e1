//! Tests of canonical forms, entropies and drifts, for networks from closed formulas and for random networks.

#![cfg(test)]

use std::collections::BTreeSet;

use ndarray::{Array1, Array2};
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::nn::Activation;
use crate::weights::fixtures::{assert_all_close, assert_close, b_net, by_inputs, f_net, numbers, t_net, values};
use crate::weights::{DenseLayer, Labelled};

/// A network with given kernels (unit j, input i) and biases.
fn network(
    widths: &[usize],
    activation: Activation,
    kernel: impl Fn(usize, usize, usize) -> f64,
    bias: impl Fn(usize, usize) -> f64,
) -> DenseNetwork {
    let layer = |(l, pair): (usize, &[usize])| DenseLayer {
        kernel: Array2::from_shape_fn((pair[1], pair[0]), |(j, i)| kernel(l + 1, j, i)),
        bias: Array1::from_shape_fn(pair[1], |j| bias(l + 1, j)),
        activation,
    };
    DenseNetwork::new(widths.windows(2).enumerate().map(layer).collect()).unwrap()
}

fn form(network: &DenseNetwork) -> CanonicalForm {
    CanonicalForm::of_network(network).unwrap()
}

/// All bits, so that −0 is not 0.
fn bits(network: &DenseNetwork) -> Vec<u64> {
    network.weights().iter().map(|weight| weight.to_bits()).collect()
}

fn changed(network: &DenseNetwork, change: impl Fn(&mut Vec<DenseLayer>)) -> DenseNetwork {
    let mut layers = network.layers().to_vec();
    change(&mut layers);
    DenseNetwork::new(layers).unwrap()
}

/// F-net and its variants with equal units.
fn cases() -> [(&'static str, DenseNetwork, usize); 5] {
    let generic = f_net().network;
    let tie = changed(&generic, |layers| {
        let row = -&layers[0].kernel.row(0);
        layers[0].kernel.row_mut(2).assign(&row);
        layers[0].bias[2] = -layers[0].bias[0];
    });
    let zero_unit = changed(&generic, |layers| {
        layers[0].kernel.row_mut(1).fill(0.0);
        layers[0].bias[1] = 0.0;
    });
    let tie_two_levels = changed(&tie, |layers| {
        let kernel = &mut layers[1].kernel;
        let from_unit_0 = kernel.column(0).to_owned();
        kernel.column_mut(2).assign(&-&from_unit_0);
        (kernel[(0, 2)], kernel[(1, 2)]) = (-from_unit_0[1], -from_unit_0[0]);
        kernel[(1, 1)] = kernel[(0, 1)];
        kernel[(1, 3)] = kernel[(0, 3)];
        layers[1].bias[1] = layers[1].bias[0];
    });
    let all_equal = changed(&generic, |layers| {
        let row = layers[0].kernel.row(0).to_owned();
        layers[0].kernel.rows_mut().into_iter().for_each(|mut unit| unit.assign(&row));
        let bias = layers[0].bias[0];
        layers[0].bias.fill(bias);
    });
    [
        ("generic", generic, 1),
        ("tie", tie, 2),
        ("zero_unit", zero_unit, 2),
        ("tie_two_levels", tie_two_levels, 2),
        ("all_equal_layer1", all_equal, 24),
    ]
}

/// A group element in the notation of the source, `signs` and `perms` of each hidden layer.
fn element(source: &Value) -> GroupElement {
    let layers = source["perms"].as_array().unwrap().iter().zip(source["signs"].as_array().unwrap());
    let change = |(order, signs)| UnitChange {
        order: numbers(order).into_iter().map(|unit| unit as usize).collect(),
        divisors: numbers(signs),
    };
    GroupElement::new(layers.map(change).collect())
}

#[test]
fn copies_have_bitwise_one_form() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let source = values("d1_ensemble");
    for (name, network, n_branches) in cases() {
        let canonical = form(&network);
        assert_eq!(canonical.n_branches, n_branches, "{name}");
        for _ in 0..300 {
            let copy = GroupElement::random(&network, &mut rng).apply(&network).unwrap();
            assert_eq!(bits(&form(&copy).network), bits(&canonical.network), "{name}");
        }
        let applied = canonical.element.apply(&network).unwrap();
        assert_eq!(applied, canonical.network);
        let Some(source) = &source else { continue };
        let source = &source["canonical_cases"][name];
        let expected = numbers(&source["canonical_flat"]);
        assert_all_close(&by_inputs(&canonical.network, &canonical.network.weights()), &expected);
        assert_eq!(source["max_branches"], canonical.n_branches);
        assert_eq!(element(source).apply(&network).unwrap(), canonical.network);
        let x = f_net().x;
        assert_all_close(&network.logits(x.view()).row(0).to_vec(), &numbers(&source["first_logits_row"]));
        for copy in source["copies_that_must_agree_bitwise"].as_array().unwrap() {
            let copy = element(copy).apply(&network).unwrap();
            assert_eq!(bits(&form(&copy).network), bits(&canonical.network), "{name}");
        }
    }
}

#[test]
fn the_canonical_f_net_is_the_one_of_the_source() {
    let canonical = form(&f_net().network);
    assert_eq!(canonical.element.changes()[0].order, [2, 3, 1, 0]);
    assert_eq!(canonical.element.changes()[1].divisors, [1.0, -1.0, -1.0]);
    let layer = &canonical.network.layers()[0];
    let expected = [0.883_395_227_782_4, 0.294_349_333_382_8, -0.800_782_198_515_3];
    assert_all_close(&layer.kernel.row(0).to_vec(), &expected);
    assert_close(layer.bias[0], 0.189_947_041_907_9);
}

#[test]
fn a_trained_network_has_units_whose_order_rounding_decides() {
    // The three units of its second layer are equal up to signs and rounding.
    let canonical = form(&t_net().network);
    assert!(canonical.order_gap.unwrap() < 1e-15, "{:?}", canonical.order_gap);
    let gap = form(&f_net().network).order_gap.unwrap();
    // The first weights of the canonical F-net: 0.8834, 0.6780, 0.4063, 0.3846 and 0.8190, 0.8891, 0.8564.
    assert!((0.02..0.04).contains(&gap), "{gap}");
}

#[test]
fn a_network_of_many_equal_units_is_degenerate_unless_they_do_the_same() {
    let equal_units = |k: usize, out: fn(usize) -> f64| {
        let kernel = |l: usize, _: usize, i: usize| if l == 1 { 0.5 } else { out(i) };
        network(&[2, k, 2], Activation::Tanh, kernel, |_, _| 0.1)
    };
    // 7! = 5040 orders can be followed, 8! = 40320 are too many; with eight equal outgoing weights there is only one
    // order.
    assert_eq!(form(&equal_units(7, |i| i as f64)).n_branches, 5040);
    assert_eq!(CanonicalForm::of_network(&equal_units(8, |i| i as f64)), None);
    assert_eq!(form(&equal_units(30, |_| 0.3)).n_branches, 1);
}

/// Joint entropy in bits of networks with equal probabilities.
fn joint_entropy(networks: &[DenseNetwork], number: impl Fn(f64) -> u64) -> f64 {
    let codes = networks.iter().map(|network| network.weights().into_iter().map(&number).collect::<Vec<u64>>());
    let distinct: BTreeSet<Vec<u64>> = codes.collect();
    (distinct.len() as f64).log2()
}

/// All orders and signs of the units of a network with one hidden layer of three units.
fn orbit(network: &DenseNetwork) -> Vec<DenseNetwork> {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let signs = |mask: usize| (0..3).map(|j| if mask >> j & 1 == 1 { -1.0 } else { 1.0 }).collect();
    let copy = |(order, mask): ([usize; 3], usize)| {
        let change = UnitChange { order: order.to_vec(), divisors: signs(mask) };
        GroupElement::new(vec![change]).apply(network).unwrap()
    };
    orders.into_iter().flat_map(|order| (0..8).map(move |mask| (order, mask))).map(copy).collect()
}

#[test]
fn the_orbit_of_a_network_is_one_form() {
    let formula = |l: usize, j: usize, i: usize| {
        let (l, j, i) = (l as f64, j as f64, i as f64);
        0.9 * (1.0 + 0.37 * i + 0.91 * j + 0.53 * i * j + 1.7 * l).sin()
    };
    let generic = network(&[2, 3, 2], Activation::Tanh, formula, |l, j| 0.1 * (l + j) as f64 + 0.05);
    let same_bits = |weight: f64| (weight + 0.0).to_bits();
    let copies = orbit(&generic);
    let forms: Vec<DenseNetwork> = copies.iter().map(|copy| form(copy).network).collect();
    assert_close(joint_entropy(&copies, same_bits), 5.584_962_500_721);
    assert_eq!(joint_entropy(&forms, same_bits), 0.0);
    assert_close(log2_group_order(&generic), 5.584_962_500_721);
    let duplicated = changed(&generic, |layers| {
        let row = -&layers[0].kernel.row(0);
        layers[0].kernel.row_mut(1).assign(&row);
        layers[0].bias[1] = -layers[0].bias[0];
        let out = -&layers[1].kernel.column(0);
        layers[1].kernel.column_mut(1).assign(&out);
    });
    assert_close(joint_entropy(&orbit(&duplicated), same_bits), 4.584_962_500_721);
}

#[test]
fn orders_of_groups() {
    let group =
        |widths: &[usize], activation| log2_group_order(&network(widths, activation, |_, _, _| 0.0, |_, _| 0.0));
    assert_close(log2_group_order(&b_net().network), 77.167_084_730_155_07);
    assert_close(group(&[3, 4, 3, 2], Activation::Tanh), 14.169_925_001_442);
    assert_close(group(&[1, 2, 1], Activation::Tanh), 3.0);
    assert_close(group(&[2, 3, 2], Activation::Relu), 6.0_f64.log2());
    assert_eq!(group(&[5, 3], Activation::Tanh), 0.0);
}

/// The 64 networks 2-3-2 of the source.
fn formula_ensemble() -> Vec<DenseNetwork> {
    let run = |r: usize| {
        let r = r as f64;
        let kernel = |l: usize, j: usize, i: usize| {
            let (l, j, i) = (l as f64, j as f64, i as f64);
            (1.0 + 0.37 * i + 0.91 * j + 0.53 * i * j + 1.7 * l + 0.77 * r + 0.13 * r * (i + 2.0 * j)).sin()
        };
        let bias = |l: usize, j: usize| 0.3 * (0.5 + 0.83 * j as f64 + 1.3 * l as f64 + 0.61 * r).cos();
        network(&[2, 3, 2], Activation::Tanh, kernel, bias)
    };
    (0..64).map(run).collect()
}

/// One value for every weight over runs, in the order of the source.
fn of_weights(runs: &[DenseNetwork], number: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let vectors: Vec<Vec<f64>> = runs.iter().map(|run| by_inputs(run, &run.weights())).collect();
    let of_weight = |k: usize| number(&vectors.iter().map(|weights| weights[k]).collect::<Vec<f64>>());
    (0..vectors[0].len()).map(of_weight).collect()
}

#[test]
fn entropies_and_drifts_of_the_formula_ensemble() {
    let raw = formula_ensemble();
    let canonical: Vec<DenseNetwork> = raw.iter().map(|run| form(run).network).collect();
    let cells = WeightCells::new(0.25).unwrap();
    let plug_in = |runs: &[DenseNetwork]| of_weights(runs, |values| cells.entropy(values).plug_in.bits());
    let miller_madow = |runs: &[DenseNetwork]| of_weights(runs, |values| cells.entropy(values).miller_madow.bits());
    assert_close(mean(&plug_in(&raw)).unwrap(), 2.542_490_363_828);
    assert_close(mean(&plug_in(&canonical)).unwrap(), 2.270_212_911_286);
    assert_close(mean(&miller_madow(&raw)).unwrap(), 2.606_801_677_691);
    assert_close(mean(&miller_madow(&canonical)).unwrap(), 2.327_231_189_557);
    // The joint entropy of 64 different networks is log₂ 64.
    for runs in [&raw, &canonical] {
        assert_eq!(joint_entropy(runs, |weight| ((weight / 0.25).floor() + 100.0) as u64), 6.0);
    }
    let drift = of_weights(&canonical, |values| gaussian_drift(values, 0.8).unwrap().0);
    assert_close(drift.iter().sum(), 8.368_932_064_686);
    assert_close(drift_floor(64).0, 0.015_852_674_296_08);
    let Some(source) = values("d1_ensemble") else { return };
    let source = &source["ensemble"];
    assert_all_close(&plug_in(&raw), &numbers(&source["per_weight_entropy_bits_raw"]));
    assert_all_close(&plug_in(&canonical), &numbers(&source["per_weight_entropy_bits_canonical"]));
    assert_all_close(&drift, &numbers(&source["drift_KL_nats_per_weight_canonical"]));
}

#[test]
fn the_floor_of_the_drift_is_what_still_weights_have() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let normal = rand_distr::Normal::new(0.0, 0.8).unwrap();
    let mut drifts = Vec::new();
    for _ in 0..4000 {
        let values: Vec<f64> = (0..8).map(|_| rand_distr::Distribution::sample(&normal, &mut rng)).collect();
        drifts.push(gaussian_drift(&values, 0.8).unwrap().0);
    }
    let error = (population_variance(&drifts).unwrap() / 4000.0).sqrt();
    assert!((mean(&drifts).unwrap() - drift_floor(8).0).abs() < 4.0 * error);
}

#[test]
fn copies_of_a_large_layer_are_limited_by_their_weights() {
    // Four equal units with different outgoing weights have 24 orders: too many for a next layer of 1.4 million
    // weights.
    let equal = |n_above: usize| {
        let kernel = |l: usize, j: usize, i: usize| if l == 1 { 1.0 } else { ((i + 1) * (j % 7 + 1)) as f64 };
        CanonicalForm::of_network(&network(&[1, 4, n_above], Activation::Sigmoid, kernel, |_, _| 0.0))
    };
    const { assert!(4 * 350_000 * 24 > MOST_BRANCH_WEIGHTS) };
    assert_eq!(equal(350_000), None);
    assert_eq!(equal(2).unwrap().n_branches, 24);
}

fn measured(networks: &[DenseNetwork], initial: Option<&[DenseNetwork]>) -> Result<Vec<Reading>, String> {
    let x = Array2::zeros((1, networks.first().map_or(1, DenseNetwork::n_inputs)));
    let runs = Ensemble { networks, initial, samples: Labelled::new(x.view(), &[0]).unwrap(), splits: &[] };
    SeedEnsemble::with_cells(0.25).unwrap().measure(&runs).map_err(|error| error.to_string())
}

/// The readings of one quantity, first that of the whole network.
fn of_quantity<'a>(readings: &'a [Reading], quantity: &str) -> Vec<&'a Reading> {
    readings.iter().filter(|reading| reading.quantity == quantity).collect()
}

#[test]
fn readings_are_sums_over_the_weights_of_layers() {
    let runs = formula_ensemble();
    let readings = measured(&runs, Some(&runs)).unwrap();
    let [whole, first, second] = of_quantity(&readings, "canonical_entropy")[..] else { panic!() };
    assert_close(whole.per_weight().unwrap(), 2.270_212_911_286);
    assert_close(whole.value, first.value + second.value);
    assert_eq!((whole.layer, first.layer.map(i32::from), second.layer.map(i32::from)), (None, Some(1), Some(2)));
    assert_eq!((whole.ceiling, whole.n_weights), (Some(17.0 * 6.0), Some(17)));
    // With the Miller-Madow correction, 63/128 nats more.
    let corrected = of_quantity(&readings, "canonical_entropy_miller_madow")[0].ceiling.unwrap();
    assert_close(corrected, 17.0 * (6.0 + 63.0 / 128.0 / std::f64::consts::LN_2));
    // The raw weights of this formula are not symmetric; their random copies have more entropy than the canonical
    // ones.
    assert!(whole.null.unwrap().mean > whole.value + 4.0 * whole.null.unwrap().std.unwrap());
    let [whole, first, second] = of_quantity(&readings, "drift")[..] else { panic!() };
    assert_close(whole.value, first.value + second.value);
    assert_close(whole.null.unwrap().mean, 12.0 * drift_floor(64).bits());
    let [whole, ..] = of_quantity(&readings, "canonical_drift")[..] else { panic!() };
    // The networks are also their initial networks.
    assert_eq!(whole.null.map(|null| null.mean), Some(whole.value));
    assert_close(of_quantity(&readings, "log2_symmetries")[0].value, 48.0_f64.log2());
    assert!(readings.iter().all(|reading| reading.method.is_none() && reading.value.is_finite()));
    assert_eq!(readings, measured(&runs, Some(&runs)).unwrap());
    assert!(of_quantity(&measured(&runs, None).unwrap(), "drift").is_empty());
}

#[test]
fn entropies_that_are_left_out_have_a_reason() {
    let runs = formula_ensemble();
    let few = measured(&runs[..3], None).unwrap();
    assert_eq!(few[0].method.as_deref(), Some("only 3 runs"));
    let equal = network(&[2, 9, 2], Activation::Tanh, |l, _, i| (l * i) as f64, |_, _| 0.1);
    let degenerate = measured(&vec![equal; 9], None).unwrap();
    let expected =
        "no canonical form: 9 of 9 networks have more than 20000 equal copies, or copies of more than 33554432 weights";
    assert_eq!(degenerate[0].method.as_deref(), Some(expected));
    assert!(of_quantity(&degenerate, "canonical_entropy").is_empty());
    // The drift of equal runs is not finite.
    let copies = vec![runs[0].clone(); 9];
    assert!(of_quantity(&measured(&copies, Some(&copies)).unwrap(), "drift").is_empty());
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let runs = formula_ensemble();
    let expected = "an ensemble of seeds needs at least 2 runs, but 1 run was recorded; record 8 or more";
    assert_eq!(measured(&runs[..1], None).unwrap_err(), expected);
    let expected = "64 networks have 2 initial networks; give one per network, or none";
    assert_eq!(measured(&runs, Some(&runs[..2])).unwrap_err(), expected);
    let others = [runs[0].clone(), f_net().network];
    assert!(measured(&others, None).unwrap_err().starts_with("the networks of the runs differ in widths"));
    let error = SeedEnsemble::with_cells(0.0).unwrap_err().to_string();
    assert_eq!(error, "parameter `cell`: must be a finite number above 0, got 0");
    let change = |order: &[usize], divisors: &[f64]| {
        let change = UnitChange { order: order.to_vec(), divisors: divisors.to_vec() };
        GroupElement::new(vec![change]).apply(&runs[0]).unwrap_err().to_string()
    };
    assert_eq!(
        change(&[0, 1, 1], &[1.0; 3]),
        "layer 1 has 3 units; give an order of the numbers 0 to 2, and one divisor per unit"
    );
    let expected = "layer 1: the function is unchanged only if units are divided by 1 or -1, got 2";
    assert_eq!(change(&[0, 1, 2], &[1.0, 2.0, 1.0]), expected);
    let expected = "got changes for 0 hidden layers, but the network has 1; give one per hidden layer";
    assert_eq!(GroupElement::new(Vec::new()).apply(&runs[0]).unwrap_err().to_string(), expected);
}

/// A copy with random order, signs and, if they are free, scales that are powers of `base`, of all units with non-zero
/// weights.
fn random_copy(network: &DenseNetwork, base: f64, rng: &mut ChaCha8Rng) -> DenseNetwork {
    let mut changes = GroupElement::random(network, rng).changes().to_vec();
    for (UnitChange { order, divisors }, layer) in changes.iter_mut().zip(symmetry::hidden(network)) {
        for (unit, divisor) in order.iter().zip(divisors) {
            let has_weights = layer.bias[*unit] != 0.0 || layer.kernel.row(*unit).iter().any(|w| *w != 0.0);
            if has_weights && UnitSymmetry::of_activation(layer.activation) == UnitSymmetry::Scales {
                *divisor = base.powi(rand::RngExt::random_range(rng, -3..4));
            }
        }
    }
    GroupElement::new(changes).apply(network).unwrap()
}

proptest! {
    #[test]
    fn random_networks_and_their_copies_have_one_form(
        widths in proptest::collection::vec(1..5_usize, 2..5),
        activation in proptest::sample::select(<Activation as crate::suggest::Named>::ALL.to_vec()),
        // Few different values, so that units are equal, opposite or without weights.
        pool in proptest::collection::vec(prop_oneof![Just(0.0), Just(-0.0), Just(0.5), Just(-0.5), -2.0..2.0_f64], 1..6),
        seed in any::<u64>(),
    ) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let empty = network(&widths, activation, |_, _, _| 0.0, |_, _| 0.0);
        let draw = |_| pool[rand::RngExt::random_range(&mut rng, 0..pool.len())];
        let network = empty.with_weights(&(0..empty.n_weights()).map(draw).collect::<Vec<f64>>());
        let canonical = form(&network);
        for _ in 0..4 {
            let copy = random_copy(&network, 2.0, &mut rng);
            prop_assert_eq!(bits(&form(&copy).network), bits(&canonical.network));
        }
        // The canonical form computes the function of the network, and its canonical form is itself.
        let x = Array2::from_shape_fn((6, widths[0]), |(s, i)| ((3 * s + 5 * i) as f64).sin());
        for (got, expected) in canonical.network.logits(x.view()).iter().zip(&network.logits(x.view())) {
            // Sums of at most 5 products in at most 3 layers.
            prop_assert!((got - expected).abs() < 1e-12 * (1.0 + expected.abs()), "{got} {expected}");
        }
        if UnitSymmetry::of_activation(activation) != UnitSymmetry::Scales {
            prop_assert_eq!(bits(&form(&canonical.network).network), bits(&canonical.network));
        }
    }

    #[test]
    fn copies_by_any_scales_have_one_form_to_rounding(seed in any::<u64>()) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let network = network(
            &[3, 4, 3, 2],
            Activation::Relu,
            |l, j, i| ((1 + 7 * l + 13 * j + 5 * i) as f64).sin(),
            |l, j| ((2 + 3 * l + 11 * j) as f64).cos(),
        );
        let copy = random_copy(&network, 1.7, &mut rng);
        for (got, expected) in form(&copy).network.weights().iter().zip(form(&network).network.weights()) {
            prop_assert!((got - expected).abs() < 1e-14 * (1.0 + expected.abs()), "{got} {expected}");
        }
    }
}
