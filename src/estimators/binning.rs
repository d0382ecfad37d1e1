//! Plug-in information of binned activations, the estimator of the published information planes.
//!
//! The value of every unit is replaced by the number of its bin, and T is the vector of these numbers. The estimate is
//! the entropy of this code, a count of occupied cells. It depends on the bins, not only on the network.
//!
//! # Reference
//! Shwartz-Ziv & Tishby 2017 (arXiv 1703.00810) and its released code: 30 edges (50 at the time of the paper) over [−1,
//! 1] in f32. Width `floor(t/w)`, edges tanh(linspace(−50, 50, n)) and full precision: Saxe et al. 2018. Bins over the
//! range of each layer: Grabauskas 2019; over all layers and epochs: Saxe et al. 2018, Fig. 1B; Lorenzen et al. 2022.
//! Equal frequency over unique values (EBAB): Chelombiev et al. 2019 (arXiv 1902.09037).

mod rule;
mod spec;

use super::discrete::{bias_words, estimate, no_pool, of_codes};
use super::{
    Bias, Estimate, EstimateError, Estimator, Information, InvalidParameter, KnownInputs, LayerData, Member,
    Randomness, Variable,
};
use crate::estimate_id::EstimatorId;
use crate::units::Nats;
use rule::Rule;
pub use rule::{AboveEdges, BelowEdges, BinRange, BinWidth, FixedEdges};
pub(super) use spec::SPEC;

/// Plug-in information of binned activations: T is the vector of the bin numbers of its units.
///
/// ```
/// use infoplane::estimators::{AboveEdges, BinRange, BinWidth, Binning, Estimator, FixedEdges, LayerData};
///
/// let layer = LayerData::new(&[0.9, 0.8, -0.7, -0.9], 1, &[1, 1, 0, 0])?;
/// let estimate = Binning::edges(30)?.estimate(&layer)?;
/// assert!((estimate.i_ty.bits() - 1.0).abs() < 1e-12);
///
/// // The other rules.
/// let edges = FixedEdges::new(31).range(0.0, 1.0).above(AboveEdges::LastBin);
/// let width = BinWidth::new(0.5).saturated_in_last_bin();
/// let rules = [
///     Binning::edges(edges)?,
///     Binning::width(0.07)?,
///     Binning::width(width)?,
///     Binning::bins(30, BinRange::Layer)?,
///     Binning::quantiles(2)?,
///     Binning::exact(),
/// ];
/// assert!(Binning::estimate_all(&rules, &layer).into_iter().all(|estimate| estimate.is_ok()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Reference
/// Shwartz-Ziv & Tishby 2017 (arXiv 1703.00810) and its released code; Saxe et al. 2018; Chelombiev et al. 2019.
#[derive(Debug, Clone, PartialEq)]
pub struct Binning {
    rule: Rule,
    correction: Bias,
}

impl Binning {
    /// Fixed, evenly spaced edges: a number of edges from −1 to 1, or [`FixedEdges`] with other settings. The code
    /// released by Shwartz-Ziv and Tishby has 30.
    ///
    /// # Errors
    /// Fewer than 2 or more than 2²⁴ edges, edges that are not finite or not ascending, or that are equal after
    /// rounding.
    pub fn edges(edges: impl Into<FixedEdges>) -> Result<Self, InvalidParameter> {
        Ok(Self::by(Rule::edges(edges.into())?))
    }

    /// Edges tanh(z_k), with z_k `n_edges` evenly spaced values from −50 to 50 (Saxe et al. 2018, Figs 13 and 14).
    ///
    /// # Errors
    /// Fewer than 2 or more than 2²⁴ edges.
    pub fn tanh_edges(n_edges: usize) -> Result<Self, InvalidParameter> {
        Ok(Self::by(Rule::tanh(n_edges)?))
    }

    /// Unbounded bins of one width, floor(t / width): a number, or [`BinWidth`] with other settings.
    ///
    /// # Errors
    /// A width that is not a finite number above 0, or is 0 or infinite in its precision.
    pub fn width(width: impl Into<BinWidth>) -> Result<Self, InvalidParameter> {
        Ok(Self::by(Rule::width(width.into())?))
    }

    /// `n_bins` equal bins between the minimum and the maximum of `range`.
    ///
    /// # Errors
    /// `n_bins` is 0 or more than 2²⁴.
    pub fn bins(n_bins: usize, range: BinRange) -> Result<Self, InvalidParameter> {
        Ok(Self::by(Rule::bins(n_bins, range)?))
    }

    /// `n` bins with equally many distinct values of the layer (Chelombiev et al. 2019).
    ///
    /// # Errors
    /// `n` is 0 or more than 2²⁴.
    pub fn quantiles(n: usize) -> Result<Self, InvalidParameter> {
        Ok(Self::by(Rule::quantiles(n, None)?))
    }

    /// The bins of [`Binning::quantiles`], with the first edge at `low` instead of the minimum.
    ///
    /// # Errors
    /// `n` is 0 or more than 2²⁴, or the first edge is not finite.
    pub fn quantiles_from(n: usize, low: f64) -> Result<Self, InvalidParameter> {
        Ok(Self::by(Rule::quantiles(n, Some(low))?))
    }

    /// No bins: two samples have the same T if all their values are equal at full precision.
    pub fn exact() -> Self {
        Self::by(Rule::Exact)
    }

    fn by(rule: Rule) -> Self {
        Self { rule, correction: Bias::PlugIn }
    }

    /// Corrects the bias of the plug-in entropies, which are too low on average.
    #[must_use]
    pub fn corrected(self, correction: Bias) -> Self {
        Self { correction, ..self }
    }
}

impl Estimator for Binning {
    fn member(&self) -> Member {
        Member {
            id: EstimatorId { correction: self.correction, ..self.rule.id(SPEC.name) },
            quantity: format!("{}{}", self.rule.quantity(), bias_words(self.correction)),
            randomness: Randomness::None,
            range: self.rule.range_over(),
            edges: self.rule.fixed_edges(),
            no_pool: no_pool(self.correction),
            inputs: KnownInputs::Identity,
        }
    }

    fn estimate(&self, layer: &LayerData<'_>) -> Result<Estimate, EstimateError> {
        let n_units = layer.activations.n_units() as f64;
        let most_codes = self.rule.n_cells().map_or(f64::INFINITY, |n| n.ln() * n_units);
        estimate(self.rule.cells(layer)?, Nats(most_codes), self.correction, layer)
    }

    /// The plug-in information of two codes; labels are codes already.
    fn between(&self, a: &Variable<'_>, bs: &[Variable<'_>]) -> Vec<Result<Information, EstimateError>> {
        of_codes(a, bs, |layer| self.rule.cells(layer), self.correction)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::estimators::InputsAndLabels;
    use crate::parameter::{ParameterError, Parameters, Value};
    use crate::sample::{Labels, Range, Representation};

    /// The binning for `words`, pairs of a parameter and its value.
    fn built(words: &[(&str, &str)]) -> Result<Binning, ParameterError> {
        let value = |word: &str| if word == "true" { Value::Flag(true) } else { Value::parse(word) };
        let given = words.iter().map(|(name, word)| ((*name).to_owned(), vec![value(word)])).collect();
        let parameters = Parameters::product(SPEC.parameters, given)?.remove(0);
        spec::binning(&parameters)
    }

    fn estimated(words: &[(&str, &str)], t: &[f32], n_units: usize, y: Labels) -> Result<Estimate, EstimateError> {
        built(words).unwrap().estimate(&LayerData::new(t, n_units, y)?)
    }

    /// Checks the number of cells of one unit with these values.
    #[track_caller]
    fn check_cells(words: &[(&str, &str)], t: &[f32], expected: usize) {
        let y = Labels::hard(&vec![0; t.len()]);
        assert_eq!(estimated(words, t, 1, y).unwrap().n_codes, expected, "{words:?}");
    }

    #[test]
    fn values_outside_of_the_edges_follow_the_policy() {
        let t = [-3.0, -1.0, 0.5, 1.0, 2.0];
        check_cells(&[("n_edges", "2")], &t, 3);
        check_cells(&[("n_edges", "2"), ("above", "last-bin")], &t, 2);
        check_cells(&[("n_edges", "2"), ("below", "first-bin")], &t, 2);
        check_cells(&[("n_edges", "2"), ("below", "first-bin"), ("above", "last-bin")], &t, 1);
        check_cells(&[("n_edges", "2"), ("compat", "idnns")], &t, 2);
        check_cells(&[("n_edges", "3"), ("low", "-4"), ("high", "4")], &t, 2);
        for (words, at, value) in [(&[("below", "refuse")][..], 0, -3.0), (&[("above", "refuse")], 4, 2.0)] {
            let refused = estimated(words, &t, 1, Labels::hard(&[0; 5])).unwrap_err();
            assert_eq!(refused, EstimateError::Outside { sample: at, unit: 0, value, low: -1.0, high: 1.0 });
        }
        // An edge is rounded to f32.
        check_cells(&[("low", "0"), ("high", "0.1"), ("above", "refuse")], &[0.0, 0.1], 2);
        // `refuse` applies to values above the last edge; a value at the last edge is in the last bin.
        check_cells(&[("n_edges", "2"), ("above", "refuse")], &[0.0, 1.0], 1);
    }

    #[test]
    fn fixed_edges_are_known_as_they_are_compared_with_values() {
        let edges = |words: &[(&str, &str)]| built(words).unwrap().member().edges.map(|range| (range.low, range.high));
        assert_eq!(edges(&[("n_edges", "3")]), Some((-1.0, 1.0)));
        assert_eq!(edges(&[("n_edges", "9"), ("spacing", "tanh")]), Some((-1.0, 1.0)));
        // 0.1 and 0.3 are not f32 numbers: use them rounded as the edges are, or the neighbouring values inside.
        let tenths = [("n_edges", "9"), ("low", "0.1"), ("high", "0.3")];
        assert_eq!(edges(&tenths), Some((0.1, 0.3)));
        let within = (0.1_f32, 0.3_f32.next_down());
        assert!(f64::from(within.0) > 0.1 && f64::from(0.3_f32) > 0.3);
        assert_eq!(edges(&[&tenths[..], &[("precision", "f64")][..]].concat()), Some(within));
        for rule in ["n_bins", "n_quantiles", "bin_width"] {
            assert_eq!(edges(&[(rule, "2")]), None, "{rule}");
        }
    }

    #[test]
    fn a_saturated_value_can_be_kept_in_the_bin_below_one() {
        let t = [0.6, 1.0, -1.0];
        check_cells(&[("bin_width", "0.5")], &t, 3);
        check_cells(&[("bin_width", "0.5"), ("above", "last-bin")], &t, 2);
    }

    #[test]
    fn ranges_are_those_of_the_unit_the_layer_or_what_is_given() {
        // Units 0..1 and 0..100.
        let t = [0.0, 0.0, 0.3, 30.0, 0.6, 60.0, 1.0, 100.0];
        let given = InputsAndLabels::of_distinct(&[0; 4], 0).unwrap();
        let mut sample = LayerData::of_samples(Representation::new(&t, 2).unwrap(), &given).unwrap();
        let n_cells = |sample: &LayerData<'_>, range: &str| {
            built(&[("n_bins", "2"), ("range", range)]).unwrap().rule.cells(sample).unwrap().n_cells()
        };
        assert_eq!(n_cells(&sample, "layer"), 2); // edge 50
        assert_eq!(n_cells(&sample, "unit"), 2); // edges 0.5 and 50 agree
        let wide = Some(Range { low: -1000.0, high: 1000.0 });
        sample.ranges.run = wide;
        assert_eq!(n_cells(&sample, "run"), 1);
        sample.ranges.all_runs = Some(Range { low: 0.0, high: 50.0 });
        assert_eq!(n_cells(&sample, "all-runs"), 2); // edge 25
        let one_unit = [3.0, 3.0, 3.0, 3.0];
        let constant = LayerData::of_samples(Representation::new(&one_unit, 1).unwrap(), &given).unwrap();
        assert_eq!((n_cells(&constant, "layer"), n_cells(&constant, "unit")), (1, 1));
    }

    #[test]
    fn bins_of_the_net_input_are_edges_of_tanh() {
        // Three edges −50, 0, 50 of the net input: tanh of them is −1, 0, 1.
        check_cells(&[("n_edges", "3"), ("spacing", "tanh")], &[-0.9, -0.1, 0.0, 0.9, 1.0], 3);
    }

    #[test]
    fn stochastic_labels_use_the_mean_probability_of_a_cell() {
        let t = [0.1, 0.1, 0.9, 0.9];
        let y = || Labels::stochastic(&[0.0, 0.5, 0.5, 1.0]).unwrap();
        // One cell [0, 1): I(T;Y) = 0.
        assert!(estimated(&[("n_edges", "3")], &t, 1, y()).unwrap().i_ty.0.abs() < 1e-15);
        // Cells [0, ½) and [½, 1): p(y=1|t) = ¼, ¾, so I(T;Y) = ln 2 − H_b(¼).
        let expected = 2.0_f64.ln() + 0.25 * 0.25_f64.ln() + 0.75 * 0.75_f64.ln();
        assert!((estimated(&[("n_edges", "5")], &t, 1, y()).unwrap().i_ty.0 - expected).abs() < 1e-15);
        let corrected = estimated(&[("bias", "miller-madow")], &t, 1, y()).unwrap_err();
        assert!(matches!(corrected, EstimateError::NeedsHardLabels { .. }), "{corrected}");
    }

    #[test]
    fn a_width_that_is_too_small_for_the_values_is_an_error() {
        let error = estimated(&[("bin_width", "1e-3")], &[0.0, 1e30], 1, Labels::hard(&[0, 1])).unwrap_err();
        assert!(matches!(error, EstimateError::TooFar { sample: 1, unit: 0, .. }), "{error}");
        let words = [("bin_width", "1e-12"), ("above", "last-bin")];
        let error = estimated(&words, &[0.0, 0.0, 1.0], 1, Labels::hard(&[0, 1, 1])).unwrap_err();
        let expected = "sample 2, unit 0 is 1: too far from 0 for bins of width 1e-12; choose a larger `bin_width`";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn parameters_that_exclude_each_other_are_refused() {
        let check = |words: &[(&str, &str)], first: &str, second: &str| {
            let error = built(words).unwrap_err().to_string();
            assert_eq!(error, format!("parameters `{first}` and `{second}` exclude each other; give one of them"));
        };
        check(&[("n_bins", "3"), ("bin_width", "0.1")], "bin_width", "n_bins");
        check(&[("exact", "true"), ("low", "0")], "exact", "low");
        check(&[("n_bins", "3"), ("above", "refuse")], "n_bins", "above");
        let error = built(&[("range", "run")]).unwrap_err().to_string();
        assert_eq!(error, "`range` needs `n_bins`, which is not given; give both, or leave out `range`");
        check(&[("bin_width", "1"), ("above", "refuse")], "bin_width", "above = refuse");
        check(&[("spacing", "tanh"), ("low", "0")], "spacing", "low");
        check(&[("compat", "idnns"), ("below", "refuse")], "compat", "below");
        check(&[("n_bins", "3"), ("precision", "f64")], "n_bins", "precision");
        let error = built(&[("low", "2"), ("high", "1")]).unwrap_err().to_string();
        assert_eq!(error, "parameter `low`: must be below `high`, got 2 and 1");
        let error = built(&[("bin_width", "1e-50")]).unwrap_err().to_string();
        assert_eq!(error, "parameter `bin_width`: f32 cannot represent 1e-50; use `precision` f64");
        let error = built(&[("n_edges", "16777216"), ("high", "-0.9999")]).unwrap_err().to_string();
        assert!(error.starts_with("parameter `n_edges`: 16777216 edges over -1..=-0.9999 are closer"), "{error}");
    }

    #[test]
    fn every_parameter_that_changes_numbers_is_in_the_name() {
        let id = |words: &[(&str, &str)]| built(words).unwrap().member().id.to_string();
        assert_eq!(id(&[]), "binning-n-edges-30");
        assert_eq!(id(&[("bin_width", "0.07"), ("precision", "f64")]), "binning-bin-width-0.07-f64");
        assert_eq!(
            id(&[("n_bins", "9"), ("range", "run"), ("bias", "jackknife")]),
            "binning-n-bins-9-range-run-jackknife"
        );
        assert_eq!(
            id(&[("n_edges", "9"), ("low", "0"), ("above", "last-bin")]),
            "binning-n-edges-9-low-0-above-last-bin"
        );
        assert_eq!(id(&[("n_quantiles", "30"), ("low", "-1.000001")]), "binning-n-quantiles-30-low--1.000001");
        assert_eq!(id(&[("exact", "true")]), "binning-exact");
    }

    /// −Σ p ln p over the bin numbers of the rows, directly from the formula.
    fn slow_entropy(rows: &[Vec<i64>]) -> f64 {
        let mut counts: BTreeMap<&[i64], f64> = BTreeMap::new();
        rows.iter().for_each(|row| *counts.entry(row).or_default() += 1.0);
        let n = rows.len() as f64;
        -counts.values().map(|count| count / n * (count / n).ln()).sum::<f64>()
    }

    proptest! {
        #[test]
        fn the_fast_estimate_is_that_of_the_formula(
            t in prop::collection::vec(-20_i32..20, 3 * 40),
            y in prop::collection::vec(0_i32..3, 40),
        ) {
            // Multiples of 1/8 and a width of 1/2: no rounding.
            let t: Vec<f32> = t.into_iter().map(|t| t as f32 / 8.0).collect();
            let got = estimated(&[("bin_width", "0.5")], &t, 3, Labels::hard(&y)).unwrap();
            let rows: Vec<Vec<i64>> =
                t.chunks(3).map(|row| row.iter().map(|t| (f64::from(*t) / 0.5).floor() as i64).collect()).collect();
            let with_label = |row: &Vec<i64>, y: &i32| [row.as_slice(), &[i64::from(*y)]].concat();
            let joint: Vec<Vec<i64>> = rows.iter().zip(&y).map(|(row, y)| with_label(row, y)).collect();
            let labels: Vec<Vec<i64>> = y.iter().map(|y| vec![i64::from(*y)]).collect();
            let i_ty = slow_entropy(&rows) + slow_entropy(&labels) - slow_entropy(&joint);
            // Sums of at most 40 terms of size 4.
            prop_assert!((got.i_xt.unwrap().0 - slow_entropy(&rows)).abs() < 1e-12);
            prop_assert!((got.i_ty.0 - i_ty).abs() < 1e-12);
        }
    }
}
