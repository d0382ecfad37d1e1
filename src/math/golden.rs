//! Compares binned information of activations without random numbers with values computed in NumPy, independently of
//! this program, from activations in f64 or rounded to f32.

#![cfg(test)]

use crate::datasets;
use crate::math::atoms::{Cells, Code};
use crate::math::digitise::{Codes, Precision, Quantised, Rule, Value, Width, digitise, extremes};
use crate::math::edges::{Above, Below, Edges, EvenEdges};
use crate::math::entropy::{Bias, CountTable};
use crate::math::information::information;
use crate::parameter::Parameters;

/// The expected values of a layer: I(X;T) and I(T;Y) in bits, and the number of cells if it is given.
type Expected = (f64, f64, Option<usize>);

#[track_caller]
fn check_cells(t: &Cells, y: &[i32], expected: Expected, tolerance: f64) {
    let table = CountTable::new(y.len(), Bias::PlugIn);
    let i_xt = table.entropy(t.counts()).bits();
    let i_ty = information(t, &Cells::of_rows(y, 1), &table).bits();
    assert!(
        (i_xt - expected.0).abs() < tolerance && (i_ty - expected.1).abs() < tolerance,
        "{i_xt} {i_ty} {}",
        t.n_cells()
    );
    assert!(expected.2.is_none_or(|n_cells| n_cells == t.n_cells()), "{} cells", t.n_cells());
}

/// H(T) in bits.
fn h_t(t: &Cells) -> f64 {
    CountTable::new(t.n_samples(), Bias::PlugIn).entropy(t.counts()).bits()
}

#[track_caller]
fn check<V: Value>(rule: &impl Rule<V>, t: &[V], y: &[i32], expected: Expected, tolerance: f64) {
    let n_units = t.len() / y.len();
    check_cells(&digitise(t, rule).unwrap().cells(n_units), y, expected, tolerance);
}

fn rounded(values: &[f64]) -> Vec<f32> {
    values.iter().map(|v| *v as f32).collect()
}

fn bit(pattern: usize, position: usize) -> f64 {
    ((pattern >> (11 - position)) & 1) as f64
}

/// Net G1 of the project's reference values.
struct G1 {
    h1: Vec<f64>,
    h2: Vec<f64>,
    r2: Vec<f64>,
    y: Vec<i32>,
}

fn g1() -> G1 {
    let weight = |r: usize, c: usize| (1.0 + 12.9898 * r as f64 + 78.233 * c as f64).sin();
    let bias = |c: usize| 0.1 * (c as f64).cos();
    let mut net = G1 { h1: Vec::new(), h2: Vec::new(), r2: Vec::new(), y: Vec::new() };
    for i in 0..4096 {
        let unit1 = |c: usize| (bias(c) + (0..12).map(|r| bit(i, r) * weight(r, c)).sum::<f64>()).tanh();
        let t1: Vec<f64> = (0..10).map(unit1).collect();
        let sum2 = |c: usize| bias(c) + (0..10).map(|r| t1[r] * 1.5 * weight(r, c)).sum::<f64>();
        net.h2.extend((0..3).map(|c| sum2(c).tanh()));
        net.r2.extend((0..3).map(|c| sum2(c).max(0.0)));
        net.h1.extend(t1);
        let score = (0..6).map(|r| bit(i, r)).sum::<f64>() + 2.0 * (bit(i, 6) + bit(i, 7));
        net.y.push(i32::from(score > 4.0));
    }
    net
}

/// Twelve digits are given.
const TWELVE_DIGITS: f64 = 1e-11;

#[track_caller]
fn check_g1<R: Rule<f32> + Rule<f64>>(rule: &R, t: &[f64], y: &[i32], i_xt: f64, i_ty: f64, n_cells: usize) {
    // No value is exactly on an edge, so f32 activations have the same cells.
    check(rule, t, y, (i_xt, i_ty, Some(n_cells)), TWELVE_DIGITS);
    check(rule, &rounded(t), y, (i_xt, i_ty, Some(n_cells)), TWELVE_DIGITS);
}

#[test]
fn fixed_bins_of_net_g1() {
    let G1 { h1, h2, r2, y } = g1();
    let bins = |n_bins| EvenEdges::bins(-1.0, 1.0, n_bins).unwrap();
    check_g1(&bins(30), &h1, &y, 11.343_125_205_305, 0.772_892_377_822, 2972);
    check_g1(&bins(30), &h2, &y, 6.609_342_633_898, 0.164_263_560_141, 202);
    check_g1(&bins(100), &h1, &y, 11.945_736_166_380, 0.957_637_919_465, 3986);
    check_g1(&bins(100), &h2, &y, 9.480_231_358_727, 0.353_120_511_031, 1152);
    check_g1(&bins(256), &h1, &y, 11.995_605_468_750, 0.969_540_968_171, 4087);
    check_g1(&bins(256), &h2, &y, 11.101_569_435_919, 0.677_856_596_215, 2703);
    for precision in [Precision::Single, Precision::Double] {
        let width = |width| Width { width, precision };
        check_g1(&width(0.5), &h1, &y, 6.422_376_314_736, 0.249_875_054_007, 244);
        check_g1(&width(0.5), &h2, &y, 1.948_672_293_940, 0.019_901_196_971, 14);
        check_g1(&width(0.07), &h1, &y, 11.376_902_847_387, 0.772_812_887_334, 2998);
        check_g1(&width(0.07), &h2, &y, 6.534_887_779_365, 0.159_181_902_072, 194);
        let cells = digitise(&r2, &width(0.5)).unwrap().cells(3);
        assert!((h_t(&cells) - 0.784_203_821_252).abs() < TWELVE_DIGITS);
        assert_eq!(cells.n_cells(), 5);
    }
}

#[test]
fn exact_rows_of_net_g1() {
    fn check_exact<C: Code>(t: &[C], y: &[i32]) {
        let cells = Cells::of_rows(t, t.len() / y.len());
        check_cells(&cells, y, (12.0, 0.970_029_249_421, Some(4096)), TWELVE_DIGITS);
    }
    let G1 { h1, h2, y, .. } = g1();
    check_exact(&h1, &y);
    check_exact(&h2, &y);
    check_exact(&rounded(&h1), &y);
    check_exact(&rounded(&h2), &y);
}

#[test]
fn cells_of_equal_frequency_of_net_g1() {
    let G1 { h2, r2, y, .. } = g1();
    let expected = (8.509_785_800_250, 0.244_861_452_019, Some(585));
    check(&Edges::equally_frequent(&h2, -1.000_001, 30), &h2, &y, expected, TWELVE_DIGITS);
    // Rounding to f32 makes some unique values equal, which moves the edges; computed in pure Python.
    let h2 = rounded(&h2);
    let cells = digitise(&h2, &Edges::equally_frequent(&h2, -1.000_001, 30)).unwrap().cells(3);
    assert!((h_t(&cells) - 8.512_202_725_100).abs() < TWELVE_DIGITS);
    assert_eq!(cells.n_cells(), 585);
    let expected = (8.930_876_879_548, 0.272_601_491_307, None);
    check(&Edges::equally_frequent(&r2, 0.0, 30), &r2, &y, expected, TWELVE_DIGITS);
}

#[test]
fn quantised_layers_of_net_g1() {
    #[track_caller]
    fn check_h_t(t: &[f64], bits: u32, expected: f64) {
        let (low, high) = extremes(t).unwrap();
        let got = h_t(&digitise(t, &Quantised { low, high, bits }).unwrap().cells(3));
        assert!((got - expected).abs() < TWELVE_DIGITS, "{got}");
    }
    let G1 { h2, r2, y, .. } = g1();
    check_h_t(&h2, 2, 2.002_459_543_917);
    check_h_t(&h2, 4, 5.748_731_964_496);
    check_h_t(&h2, 8, 11.398_905_547_736);
    let (low, high) = extremes(&r2).unwrap();
    let expected = (11.199_260_296_138, 0.713_202_070_194, None);
    check(&Quantised { low, high, bits: 8 }, &r2, &y, expected, TWELVE_DIGITS);
    let r2 = rounded(&r2);
    let (low, high) = extremes(&r2).map(|(low, high)| (low.into(), high.into())).unwrap();
    check(&Quantised { low, high, bits: 8 }, &r2, &y, expected, TWELVE_DIGITS);
}

/// f(xW + b) of 10 units, the golden activations of the reference page on Saxe et al. 2018 and their code.
fn saxe(f: fn(f64) -> f64) -> Vec<f64> {
    let unit = |i: usize, k: usize| {
        let bias = 0.25 * (1.0 + k as f64).cos();
        let sum: f64 = (0..12).map(|j| bit(i, j) * (1.0 + 7.0 * j as f64 + 3.0 * k as f64).sin()).sum();
        f(sum + bias)
    };
    (0..40_960).map(|at| unit(at / 10, at % 10)).collect()
}

/// Ten digits are given.
const TEN_DIGITS: f64 = 1e-9;

#[test]
fn the_activations_are_those_of_the_reference() {
    let (a, b) = (saxe(|a| (0.5 * a).tanh()), saxe(|a| (4.0 * a).tanh()));
    // The digits given; summed 40 960 numbers of size 1.
    assert!((a.iter().sum::<f64>() - -57.585_495_789_604).abs() < 1e-9);
    assert!((a.iter().map(|t| t * t).sum::<f64>() - 14_362.671_097_833_972).abs() < 1e-9);
    assert!((b.iter().sum::<f64>() - -150.084_463_752_258).abs() < 1e-9);
    assert!((b.iter().map(|t| t * t).sum::<f64>() - 36_579.185_543_163_185).abs() < 1e-9);
}

fn width(width: f64, precision: Precision) -> Width {
    Width { width, precision }
}

fn thirty_edges() -> EvenEdges {
    EvenEdges::new(-1.0, 1.0, 30, Precision::Single).unwrap()
}

#[test]
fn smooth_activations_as_binned_by_saxes_code() {
    let a = saxe(|a| (0.5 * a).tanh());
    let y: Vec<i32> = (0..4096_u32).map(|i| i32::from(i.count_ones() >= 7)).collect();
    for precision in [Precision::Single, Precision::Double] {
        for (w, expected) in [
            (0.07, (10.870_446_941_8, 0.559_178_179_9, Some(2462))),
            (0.5, (5.559_426_862_9, 0.064_603_309_8, Some(197))),
        ] {
            check(&width(w, precision), &a, &y, expected, TEN_DIGITS);
            check(&width(w, precision), &rounded(&a), &y, expected, TEN_DIGITS);
        }
    }
    let expected = (10.907_662_295_6, 0.562_631_882_8, None);
    check(&thirty_edges(), &a, &y, expected, TEN_DIGITS);
    check(&thirty_edges(), &rounded(&a), &y, expected, TEN_DIGITS);
}

/// With thirty edges and 1 in the last bin, `minimum(digitize(t, edges), 29)` in NumPy 2.4.6: 6.164773346113929 for t
/// in f64 and rounded to f32.
const H_T_CLAMPED: f64 = 6.164_773_346_1;

/// tanh(4a) in f32 is exactly 1 if it is 0.99999998 in f64, and has another cell.
#[test]
fn saturated_activations_depend_on_the_precision() {
    // NumPy's tanh(19.0074) is 1, one unit in the last place too much; correctly rounded, 1 begins at 19.06. Three
    // values are between them.
    let b = saxe(|a| if 4.0 * a > 19.0 { 1.0 } else { (4.0 * a).tanh() });
    let b_f32 = rounded(&b);
    let tishby = datasets::find("tishby").unwrap();
    let y = tishby.make(&Parameters::default(), &mut |_| unreachable!()).unwrap().y;
    let check_h_t = |codes: Codes, expected: f64| {
        let got = h_t(&codes.cells(10));
        assert!((got - expected).abs() < TEN_DIGITS, "{got} is not {expected}");
    };
    check(&width(0.07, Precision::Double), &b, &y, (6.612_284_420_2, 0.401_703_431_1, None), TEN_DIGITS);
    check_h_t(digitise(&b, &width(0.5, Precision::Double)).unwrap(), 3.850_350_229_7);
    check_h_t(digitise(&b_f32, &width(0.5, Precision::Single)).unwrap(), 5.413_465_917_9);
    check_h_t(digitise(&b_f32, &width(0.5, Precision::Double)).unwrap(), 5.413_465_917_9);
    check_h_t(digitise(&b, &thirty_edges()).unwrap(), 6.212_388_156_8);
    check_h_t(digitise(&b_f32, &thirty_edges()).unwrap(), 7.542_177_575_9);
    // If 1 belongs to the last bin, f32 and f64 agree, but not with the f64 value above: in f64, too, some values are
    // 1.
    let clamped = thirty_edges().outside(Below::OwnCell, Above::LastBin);
    check_h_t(digitise(&b, &clamped).unwrap(), H_T_CLAMPED);
    check_h_t(digitise(&b_f32, &clamped).unwrap(), H_T_CLAMPED);
}
