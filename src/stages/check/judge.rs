//! The checks: each finds one reason why an estimate is unreliable or contradicts itself.
//!
//! # Reference
//! Saturation at log N: McAllester & Stratos 2020. Fano's inequality and the data-processing inequality: Cover & Thomas,
//! sections 2.8 and 2.10. Estimates need not obey the latter: Geiger 2020 (arXiv 2003.09671).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::findings::MOST_OUTSIDE;
use crate::count::shown;
use crate::estimate_id::{EstimateId, Samples};
use crate::layer_id::LayerId;
use crate::store::schema::EstimateRow;
use crate::store::{CheckVerdict, layer_in_words};

/// The result of a check for one estimate.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Judgement {
    pub(super) check: &'static str,
    pub(super) verdict: CheckVerdict,
    pub(super) value: Option<f64>,
    pub(super) bound: Option<f64>,
    pub(super) says: String,
}

/// The share of correctly classified samples among the samples of an estimate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Accuracy {
    pub(super) right: f64,
    pub(super) n_classes: usize,
}

/// Above this share of its ceiling an estimate is limited by the number of samples, not by the information.
const SATURATED: f64 = 0.9;
/// With more cells per sample, a cell has fewer than two samples on average, and I(T;Y) is near H(Y) for any labels.
const MOST_CELLS: f64 = 0.5;
/// With a larger share of repeated samples, nearest neighbours at distance 0 dominate an estimate.
const MOST_DUPLICATES: f64 = 0.01;
/// An estimate within this many standard deviations of its null is indistinguishable from it.
const NULL_SPREADS: f64 = 2.0;
/// Bits by which an inequality may fail before it counts: above rounding, f32 included.
const SLACK_BITS: f64 = 0.01;
/// With this share of values outside the fixed edges or more, an estimate is not about the layer.
const TOO_MANY_OUTSIDE: f64 = 0.1;
/// The largest share of the ceiling by which scales may differ.
const MOST_DISAGREEMENT: f64 = 0.1;

/// Why some inequalities are not checked for T plus noise, which is not a value of the network.
const HIDDEN: &str = "the analysis adds noise to each layer separately, so an estimate may be smaller than in the next layer or at the output";

/// The results of all checks of an estimate. `above` is the estimate of the layer above at the same snapshot.
pub(super) fn judge(
    row: &EstimateRow,
    above: Option<&EstimateRow>,
    accuracy: Result<&Accuracy, &&'static str>,
) -> Vec<Judgement> {
    // A missing I(X;T) without a failure means the estimator knows it only up to a constant: there is nothing to check.
    let i_xt = row.i_xt_bits;
    let is_estimate = i_xt.map_or(row.failure.is_none(), f64::is_finite);
    let Some(i_ty) = row.i_ty_bits.filter(|bits| bits.is_finite() && is_estimate) else {
        let says = row.failure.clone().unwrap_or_else(|| "no estimate".to_owned());
        return vec![Judgement { check: "failure", verdict: CheckVerdict::Warning, value: None, bound: None, says }];
    };
    let n = f64::from(row.n_samples);
    let n_snapshots = row.n_pooled.unwrap_or(1).max(1) as f64;
    // The input determines itself: only checks that compare it with other layers can fail.
    let is_input = row.layer == LayerId::INPUT;
    let is_noisy = row.randomness.as_deref() == Some("noise");
    let is_code = i_xt.is_some() && !is_noisy;
    let mut judged = vec![passed("failure")];
    if let Some(i_xt) = i_xt {
        judged.push(ceiling("ceiling-xt", "I(X;T)", "H(X)", i_xt, row.i_xt_ceiling_bits));
    }
    judged.push(ceiling("ceiling-ty", "I(T;Y)", "H(Y) minus H(Y|X)", i_ty, row.i_ty_ceiling_bits));
    if let (Some(i_xt), Some(ceiling)) = (i_xt, row.i_xt_ceiling_bits) {
        let bound = SATURATED * ceiling;
        judged.push(found(
            "saturation",
            CheckVerdict::Warning,
            i_xt > bound && ceiling > 0.0 && !is_input,
            i_xt,
            bound,
            || {
                format!(
                    "I(X;T) {} of at most {ceiling:.3} bits: limited by the number of samples, not by the information",
                    shown(i_xt)
                )
            },
        ));
    }
    if is_code {
        let (n_codes, n) = (f64::from(row.n_codes), n / n_snapshots);
        judged.push(found(
            "cells",
            CheckVerdict::Warning,
            n_codes > MOST_CELLS * n && !is_input,
            n_codes,
            MOST_CELLS * n,
            || {
                format!(
                    "{n_codes} cells for {n} samples: fewer than two samples per cell on average, so I(T;Y) is close to H(Y)"
                )
            },
        ));
    }
    judged.extend(row.outside_share.map(|share| outside(row, share)));
    if let Some(i_xt) = i_xt.filter(|_| row.n_pooled.unwrap_or(1) > 1) {
        judged.push(null("null-xt", "I(X;T)", "inputs", i_xt, row.i_xt_null_bits_mean, row.i_xt_null_bits_std));
    }
    if !is_input {
        judged.push(null("null-ty", "I(T;Y)", "labels", i_ty, row.i_ty_null_bits_mean, row.i_ty_null_bits_std));
    }
    judged.push(if is_noisy { unknown("fano", HIDDEN) } else { fano(row, i_ty, accuracy) });
    if let Some((above, above_ty)) = above.and_then(|above| Some((above, above.i_ty_bits?))) {
        let processed = |check, what, below, of_above| match is_noisy {
            true => unknown(check, HIDDEN),
            false => processing(check, what, below, of_above, above),
        };
        judged.extend(i_xt.zip(above.i_xt_bits).map(|(i_xt, of_above)| processed("dpi-xt", "I(X;T)", i_xt, of_above)));
        judged.push(processed("dpi-ty", "I(T;Y)", i_ty, above_ty));
    }
    if let Some(n_distinct) = row.n_distinct {
        let duplicates = 1.0 - n_distinct as f64 / n;
        judged.push(found("constant", CheckVerdict::Note, n_distinct == 1, n_distinct as f64, 1.0, || {
            "all samples have the same activations: there is no information to estimate".to_owned()
        }));
        judged.push(found(
            "duplicates",
            CheckVerdict::Note,
            duplicates > MOST_DUPLICATES,
            duplicates,
            MOST_DUPLICATES,
            || {
                format!(
                    "{:.1} % of the samples repeat the activations of another: nearest-neighbour estimates are invalid here",
                    100.0 * duplicates
                )
            },
        ));
    }
    if let Some(share) = row.atom_share {
        // The smallest value occurs at least once, so one sample in n is not an atom.
        let bound = MOST_DUPLICATES.max(1.0 / n);
        judged.push(found("atoms", CheckVerdict::Note, share > bound, share, bound, || {
            format!("{:.1} % of the values are equal: T has no density", 100.0 * share)
        }));
    }
    judged
}

fn passed(check: &'static str) -> Judgement {
    Judgement { check, verdict: CheckVerdict::Passed, value: None, bound: None, says: String::new() }
}

fn unknown(check: &'static str, says: &str) -> Judgement {
    Judgement { verdict: CheckVerdict::Unknown, says: says.to_owned(), ..passed(check) }
}

fn found(
    check: &'static str,
    verdict: CheckVerdict,
    is_found: bool,
    value: f64,
    bound: f64,
    says: impl FnOnce() -> String,
) -> Judgement {
    let (verdict, says) = if is_found { (verdict, says()) } else { (CheckVerdict::Passed, String::new()) };
    Judgement { check, verdict, value: Some(value), bound: Some(bound), says }
}

fn null(check: &'static str, what: &str, shuffled: &str, value: f64, mean: Option<f64>, std: Option<f64>) -> Judgement {
    let Some(mean) = mean else { return unknown(check, "estimated without shuffles") };
    let bound = mean + NULL_SPREADS * std.unwrap_or(0.0);
    found(check, CheckVerdict::Warning, value <= bound, value, bound, || {
        format!(
            "{what} {} bits; with {shuffled} shuffled {} +- {:.4}: indistinguishable from shuffled {shuffled}",
            shown(value),
            shown(mean),
            std.unwrap_or(0.0)
        )
    })
}

/// Fixed edges put all values beyond them into one bin at each end.
fn outside(row: &EstimateRow, share: f64) -> Judgement {
    let (verdict, bound) = match share >= TOO_MANY_OUTSIDE {
        true => (CheckVerdict::Violated, TOO_MANY_OUTSIDE),
        false => (CheckVerdict::Warning, MOST_OUTSIDE),
    };
    found("outside", verdict, share > MOST_OUTSIDE, share, bound, || {
        let quantity = row.quantity.as_ref().map_or_else(String::new, |quantity| format!(" ({quantity})"));
        format!(
            "{:.1} % of the values are outside the edges and share one bin at each end{quantity}; use bins over the range of the values (`n_bins` in a pipeline, `--n-bins` on the command line) or wider edges",
            100.0 * share
        )
    })
}

/// No information exceeds the entropy of X, of Y, or of the possible codes.
fn ceiling(check: &'static str, what: &str, entropy: &str, value: f64, ceiling: Option<f64>) -> Judgement {
    let Some(ceiling) = ceiling else { return unknown(check, "the ceiling is not known") };
    found(check, CheckVerdict::Violated, value > ceiling + SLACK_BITS, value, ceiling, || {
        format!(
            "{what} {} bits, but at most {ceiling:.3} are possible ({entropy}): the formula of the estimator is not valid here",
            shown(value)
        )
    })
}

/// A network that classifies a share a of the samples correctly proves I(T;Y) ≥ H(Y) − h(a) − (1 − a) log2(C − 1) for every
/// layer.
fn fano(row: &EstimateRow, i_ty: f64, accuracy: Result<&Accuracy, &&'static str>) -> Judgement {
    let (accuracy, h_y) = match (accuracy, row.i_ty_ceiling_bits) {
        (Ok(accuracy), Some(h_y)) => (accuracy, h_y),
        (Err(problem), _) => return unknown("fano", problem),
        (_, None) => return unknown("fano", "H(Y) is not known"),
    };
    let (right, wrong) = (accuracy.right, 1.0 - accuracy.right);
    if right * (accuracy.n_classes as f64) < 1.0 {
        return unknown("fano", "the accuracy is below chance; Fano's inequality is not applied");
    }
    let plogp = |p: f64| if p > 0.0 { p * p.log2() } else { 0.0 };
    let h_y_given_t = -plogp(right) - plogp(wrong) + wrong * (accuracy.n_classes.max(2) as f64 - 1.0).log2();
    let bound = h_y - h_y_given_t;
    found("fano", CheckVerdict::Violated, i_ty < bound - SLACK_BITS, i_ty, bound, || {
        format!("I(T;Y) {} bits, but an accuracy of {right:.4} requires at least {} (Fano)", shown(i_ty), shown(bound))
    })
}

/// T′ is a function of T, so it cannot have more information.
fn processing(check: &'static str, what: &str, below: f64, above: f64, next: &EstimateRow) -> Judgement {
    found(check, CheckVerdict::Violated, above > below + SLACK_BITS, above, below, || {
        let next = layer_in_words(next.layer, next.layer_name.as_deref());
        format!("{what} {} bits, but {} in {next}, which is computed from this layer", shown(below), shown(above))
    })
}

/// I(X;T) at all scales of one family, variant and kind of scale, applied to the same values, samples and snapshots.
#[derive(Debug, Default)]
pub(super) struct Scales {
    found: BTreeMap<ScaleKey, Scale>,
    /// The last estimator, with and without its scale: consecutive rows mostly share it.
    last: Option<(Arc<EstimateId>, Arc<EstimateId>)>,
}

/// Estimator at all scales, layer, step, run, pooled snapshots.
type ScaleKey = (Arc<EstimateId>, LayerId, i64, String, Option<i64>);

#[derive(Debug)]
struct Scale {
    row: EstimateRow,
    low: (f64, Arc<EstimateId>),
    high: (f64, Arc<EstimateId>),
    n: usize,
}

impl Scales {
    pub(super) fn add(&mut self, row: &EstimateRow) {
        // The input determines itself at every scale. Exact values with another noise are another quantity, not another scale.
        let is_estimated = row.layer > LayerId::INPUT && row.estimator.samples != Samples::Distribution;
        let Some(i_xt) = row.i_xt_bits.filter(|_| is_estimated) else { return };
        let here = (i_xt, Arc::clone(&row.estimator));
        let key = (self.at_all_scales(&row.estimator), row.layer, row.step, row.run.clone(), row.n_pooled);
        let scale = self.found.entry(key).or_insert_with(|| Scale {
            row: row.clone(),
            low: here.clone(),
            high: here.clone(),
            n: 0,
        });
        scale.n += 1;
        let ceilings = [scale.row.i_xt_ceiling_bits, row.i_xt_ceiling_bits];
        scale.row.i_xt_ceiling_bits = ceilings.into_iter().flatten().reduce(f64::max);
        if here.0 < scale.low.0 {
            scale.low = here.clone();
        }
        if here.0 > scale.high.0 {
            scale.high = here;
        }
    }

    fn at_all_scales(&mut self, estimator: &Arc<EstimateId>) -> Arc<EstimateId> {
        match &self.last {
            Some((last, all_scales)) if Arc::ptr_eq(last, estimator) => Arc::clone(all_scales),
            _ => {
                let all_scales = Arc::new(estimator.at_all_scales());
                self.last = Some((Arc::clone(estimator), Arc::clone(&all_scales)));
                all_scales
            }
        }
    }

    /// How much the scales disagree, for estimators with several scales.
    pub(super) fn judgements(self) -> impl Iterator<Item = (Arc<EstimateId>, EstimateRow, Judgement)> {
        let several = self.found.into_iter().filter(|(_, scale)| scale.n > 1);
        several.map(|((estimator, ..), scale)| {
            let (low, high, n) = (scale.low, scale.high, scale.n);
            let (difference, ceiling) = (high.0 - low.0, scale.row.i_xt_ceiling_bits.unwrap_or(0.0));
            let bound = MOST_DISAGREEMENT * ceiling;
            let are_saturated = ceiling > 0.0 && low.0 > SATURATED * ceiling;
            let judgement =
                found("scales", CheckVerdict::Warning, difference > bound || are_saturated, difference, bound, || {
                    let (low_bits, high_bits) = (shown(low.0), shown(high.0));
                    let conclusion =
                        if are_saturated { "all scales are at the ceiling" } else { "the result depends on the scale" };
                    if low_bits == high_bits {
                        return format!("I(X;T) is {low_bits} bits at all {n} scales: {conclusion}");
                    }
                    format!("I(X;T) is {low_bits} bits with {} and {high_bits} with {}: {conclusion}", low.1, high.1)
                });
            (estimator, scale.row, judgement)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stages::findings::CHECKS;

    fn id(text: &str) -> Arc<EstimateId> {
        Arc::new(EstimateId::of_table(text))
    }

    /// An estimate to which no check objects: 4 bits of 12 about X, 0.8 of 1 about Y, from 4096 samples.
    fn row() -> EstimateRow {
        EstimateRow {
            estimator: id("binning-n-edges-30"),
            run: "r0000".to_owned(),
            layer: LayerId::FIRST,
            layer_name: None,
            epoch: 5,
            step: 5,
            quantity: None,
            randomness: Some("none".to_owned()),
            n_pooled: Some(1),
            i_xt_bits: Some(4.0),
            i_ty_bits: Some(0.8),
            i_xt_error_bits: None,
            i_ty_error_bits: None,
            i_tt_bits: None,
            i_xt_given_y_bits: None,
            i_t_predicted_bits: None,
            h_predicted_given_t_bits: None,
            h_t_bits: Some(4.0),
            h_t_given_x_bits: Some(0.0),
            i_xt_ceiling_bits: Some(12.0),
            i_ty_ceiling_bits: Some(1.0),
            h_x_bits: Some(12.0),
            h_y_bits: Some(1.0),
            n_shuffles: Some(5),
            n_resamples: None,
            i_xt_resampled_bits_mean: None,
            i_xt_resampled_bits_std: None,
            i_ty_resampled_bits_mean: None,
            i_ty_resampled_bits_std: None,
            i_xt_null_bits_mean: Some(4.0),
            i_xt_null_bits_std: Some(0.0),
            i_ty_null_bits_mean: Some(0.1),
            i_ty_null_bits_std: Some(0.01),
            i_tt_null_bits_mean: None,
            i_tt_null_bits_std: None,
            i_xt_untrained_bits: None,
            i_ty_untrained_bits: None,
            n_samples: 4096,
            n_codes: 100,
            n_distinct: Some(4096),
            atom_share: Some(0.001),
            outside_share: Some(0.0),
            failure: None,
        }
    }

    const RIGHT: Result<&Accuracy, &&'static str> = Ok(&Accuracy { right: 0.9, n_classes: 2 });

    /// What does not pass, and how badly.
    #[track_caller]
    fn check(change: impl Fn(&mut EstimateRow), expected: &[(&str, CheckVerdict)]) {
        let mut changed = row();
        change(&mut changed);
        let judged = judge(&changed, None, RIGHT);
        let found: Vec<_> =
            judged.iter().filter(|j| j.verdict != CheckVerdict::Passed).map(|j| (j.check, j.verdict)).collect();
        assert_eq!(found, expected);
        assert!(judged.iter().all(|j| (j.verdict == CheckVerdict::Passed) == j.says.is_empty()));
        assert!(judged.iter().all(|j| CHECKS.iter().any(|check| check.name == j.check)));
    }

    #[test]
    fn each_check_objects_to_its_own_fault() {
        use CheckVerdict::{Note, Unknown, Violated, Warning};
        check(|_| {}, &[]);
        check(|row| row.i_xt_bits = Some(10.9), &[("saturation", Warning)]);
        check(|row| row.i_xt_ceiling_bits = None, &[("ceiling-xt", Unknown)]);
        check(|row| row.i_xt_bits = Some(12.5), &[("ceiling-xt", Violated), ("saturation", Warning)]);
        check(|row| row.i_ty_bits = Some(1.02), &[("ceiling-ty", Violated)]);
        check(|row| row.n_codes = 2049, &[("cells", Warning)]);
        check(|row| row.i_ty_null_bits_mean = Some(0.79), &[("null-ty", Warning)]);
        check(|row| row.i_ty_null_bits_mean = None, &[("null-ty", Unknown)]);
        check(|row| row.n_distinct = Some(4000), &[("duplicates", Note)]);
        check(|row| row.n_distinct = Some(1), &[("constant", Note), ("duplicates", Note)]);
        check(|row| row.atom_share = Some(0.4), &[("atoms", Note)]);
        check(|row| row.outside_share = Some(0.01), &[]);
        check(|row| row.outside_share = Some(0.011), &[("outside", Warning)]);
        check(|row| row.outside_share = Some(0.1), &[("outside", Violated)]);
        check(|row| row.outside_share = None, &[]);
        // 1 − h(0.9) = 0.531 bits.
        check(|row| row.i_ty_bits = Some(0.5), &[("fano", Violated)]);
        let fails = |row: &mut EstimateRow| {
            (row.i_xt_bits, row.i_ty_bits, row.failure) = (None, None, Some("it is NaN".to_owned()));
        };
        check(fails, &[("failure", Warning)]);
        check(|row| row.i_xt_bits = Some(f64::NAN), &[("failure", Warning)]);
        // Noise makes no cells, and may hide what a network uses; pooled inputs have a null.
        let noisy = |row: &mut EstimateRow| {
            (row.n_codes, row.i_ty_bits, row.randomness) = (4096, Some(0.5), Some("noise".to_owned()));
        };
        check(noisy, &[("fano", Unknown)]);
        let mut below = row();
        noisy(&mut below);
        let above = EstimateRow { i_xt_bits: Some(9.0), i_ty_bits: Some(0.9), ..below.clone() };
        let judged = judge(&below, Some(&above), RIGHT);
        let unknown: Vec<&str> = judged.iter().filter(|j| j.verdict == Unknown).map(|j| j.check).collect();
        assert_eq!(unknown, ["fano", "dpi-xt", "dpi-ty"]);
        let pools = |row: &mut EstimateRow| (row.n_pooled, row.randomness) = (Some(2), Some("window".to_owned()));
        check(pools, &[("null-xt", Warning)]);
    }

    #[test]
    fn an_estimate_without_i_xt_is_none_that_failed_and_nothing_is_checked_of_i_xt() {
        let of_density = |row: &mut EstimateRow| {
            (row.i_xt_bits, row.i_xt_ceiling_bits, row.i_xt_null_bits_mean, row.n_codes) = (None, None, None, 4096);
            row.outside_share = None;
        };
        check(of_density, &[]);
        let mut density = row();
        of_density(&mut density);
        let judged = judge(&density, Some(&row()), RIGHT);
        let checks: Vec<&str> = judged.iter().map(|j| j.check).collect();
        let expected = ["failure", "ceiling-ty", "null-ty", "fano", "dpi-ty", "constant", "duplicates", "atoms"];
        assert_eq!(checks, expected);
        let fails = |row: &mut EstimateRow| {
            of_density(row);
            row.failure = Some("all samples are equal".to_owned());
        };
        check(fails, &[("failure", CheckVerdict::Warning)]);
    }

    #[test]
    fn values_outside_of_the_edges_are_a_share_with_a_remedy() {
        let quantity = Some("entropy of the code of 30 edges over [-1, 1]".to_owned());
        let judged = judge(&EstimateRow { outside_share: Some(0.372), quantity, ..row() }, None, RIGHT);
        let judgement = judged.iter().find(|judgement| judgement.check == "outside").unwrap();
        assert_eq!((judgement.value, judgement.bound), (Some(0.372), Some(TOO_MANY_OUTSIDE)));
        let says = "37.2 % of the values are outside the edges and share one bin at each end (entropy of the code of 30 edges over [-1, 1]); use bins over the range of the values (`n_bins` in a pipeline, `--n-bins` on the command line) or wider edges";
        assert_eq!(judgement.says, says);
    }

    #[test]
    fn fanos_bound_is_that_of_the_book() {
        let bound = |right, n_classes| fano(&row(), 0.0, Ok(&Accuracy { right, n_classes })).bound.unwrap();
        // H(Y) = 1 bit; h(½) = 1; h(0.9) = 0.468 995 593 589 281; 0.1 log2 3 = 0.158 496 250 072 116.
        assert!(bound(0.5, 2).abs() < 1e-12);
        assert!((bound(1.0, 2) - 1.0).abs() < 1e-12);
        assert!((bound(0.9, 2) - 0.531_004_406_410_719).abs() < 1e-12);
        assert!((bound(0.9, 4) - (0.531_004_406_410_719 - 0.158_496_250_072_116)).abs() < 1e-12);
        let below_chance = fano(&row(), 0.0, Ok(&Accuracy { right: 0.49, n_classes: 2 }));
        assert_eq!((below_chance.verdict, below_chance.bound), (CheckVerdict::Unknown, None));
        let unknown = judge(&row(), None, Err(&"no recording"));
        assert_eq!(unknown.iter().find(|j| j.check == "fano").unwrap().says, "no recording");
    }

    #[test]
    fn a_layer_cannot_know_more_than_the_one_below() {
        let above =
            EstimateRow { layer: LayerId::from_index(2), i_xt_bits: Some(4.5), i_ty_bits: Some(0.805), ..row() };
        let judged = judge(&row(), Some(&above), RIGHT);
        let of = |check: &str| judged.iter().find(|j| j.check == check).unwrap();
        assert_eq!(
            (of("dpi-xt").verdict, of("dpi-xt").value, of("dpi-xt").bound),
            (CheckVerdict::Violated, Some(4.5), Some(4.0))
        );
        assert_eq!(of("dpi-ty").verdict, CheckVerdict::Passed, "0.005 bits are within the slack");
    }

    /// What is said of estimates of one layer with these I(X;T).
    fn judged(estimates: &[(&str, f64)]) -> Vec<(String, Judgement)> {
        let mut scales = Scales::default();
        for (estimator, i_xt) in estimates {
            scales.add(&EstimateRow { estimator: id(estimator), i_xt_bits: Some(*i_xt), ..row() });
        }
        scales.judgements().map(|(estimator, _, judgement)| (estimator.to_string(), judgement)).collect()
    }

    #[test]
    fn scales_that_agree_at_the_ceiling_are_a_warning() {
        let edges =
            [("binning-n-edges-100", 11.5), ("binning-n-edges-300", 12.0), ("binning-n-edges-100-jackknife", 19.0)];
        let judged = judged(&edges);
        assert_eq!(judged.len(), 1, "corrected and uncorrected entropies are no scales of each other");
        assert_eq!(judged[0].1.verdict, CheckVerdict::Warning);
        assert!(judged[0].1.says.ends_with("all scales are at the ceiling"), "{}", judged[0].1.says);
    }

    #[test]
    fn scales_that_agree_are_not_compared_with_themselves() {
        let judged = judged(&[("binning-n-edges-30", 11.9995), ("binning-n-edges-50", 11.9995)]);
        assert_eq!(judged[0].1.says, "I(X;T) is 11.9995 bits at all 2 scales: all scales are at the ceiling");
    }

    #[test]
    fn only_the_scales_of_one_variant_are_compared() {
        let exact = [("linear-noise-variance-1", 4.0), ("linear-noise-variance-2", 1.0)];
        assert_eq!(judged(&exact), [], "exact numbers of other noise are of another quantity");
        for other in
            ["binning-exact", "binning-n-bins-50", "binning-n-edges-50-low-0", "binning-n-edges-50-samples-test"]
        {
            assert_eq!(judged(&[("binning-n-edges-30", 4.0), (other, 12.0)]), [], "{other}");
        }
        let bounds = [("kde-upper-noise-variance-0.1", 9.0), ("kde-lower-noise-variance-0.1", 1.0)];
        assert_eq!(judged(&bounds), [], "an upper and a lower bound are meant to differ");
    }

    #[test]
    fn scales_disagree_by_their_largest_and_smallest_number() {
        let judged = judged(&[("binning-n-edges-30", 4.0), ("binning-n-edges-50", 4.5), ("binning-n-edges-300", 12.0)]);
        let [(estimator, judgement)] = judged.as_slice() else { panic!("{judged:?}") };
        assert_eq!((estimator.as_str(), judgement.verdict), ("binning-n-edges", CheckVerdict::Warning));
        assert_eq!((judgement.value, judgement.bound.unwrap()), (Some(8.0), MOST_DISAGREEMENT * 12.0));
        assert!(judgement.says.contains("binning-n-edges-30") && judgement.says.contains("binning-n-edges-300"));
    }
}
