//! The distance of a layer from the bottleneck: the β whose optimal encoder is most similar to that of the layer.

use thiserror::Error;

use crate::math::bottleneck::iteration::{Clusters, History, Step};
use crate::math::bottleneck::joint::Joint;
use crate::math::bottleneck::{BetaError, Options, ascending, informations};
use crate::math::entropy::entropy;
use crate::units::Nats;

/// A cell is considered dead if an iteration leaves it less than this share of its weight. The iteration ends there:
/// −ln of the share then only grows, to infinity.
const DEAD: f64 = 1e-9;

/// Differences of p(y|t) that may be rounding errors of sums of up to thousands of probabilities.
const ROUNDING: f64 = 1e-12;

/// Width of ln β at which the search for the smallest divergence ends, near √ε where its differences are rounding
/// errors.
const SEARCHED: f64 = 1e-8;

/// Why there is no β.
#[derive(Debug, Error, PartialEq)]
pub enum FitError {
    /// The given β are invalid.
    #[error(transparent)]
    Beta(#[from] BetaError),
    /// The number of cell numbers is not the number of inputs.
    #[error("{got} inputs have a cell, but {want} have a probability; give one cell number per input")]
    Shape {
        /// Length of the code.
        got: usize,
        /// Number of inputs.
        want: usize,
    },
}

/// An encoder p_β(t|x) that was compared with a layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// β.
    pub beta: f64,
    /// D(β) = Σ_x p(x) KL[p(t|x) ‖ p_β(t|x)] ≥ 0.
    pub divergence: Nats,
    /// Whether the divergence at the smallest or largest given β is the minimum, or equal to it: the true minimum may
    /// be beyond.
    pub at_edge: bool,
    /// I(X;T) of p_β(t|x).
    pub i_xt: Nats,
    /// I(T;Y) of p_β(t|x).
    pub i_ty: Nats,
}

/// The information of a layer, and the nearest encoders of the bottleneck.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BetaFit {
    /// I(X;T) = H(T) of the layer.
    pub i_xt: Nats,
    /// I(T;Y) of the layer.
    pub i_ty: Nats,
    /// p_β(t|x) from one application of the equations to p(t) and p(y|t) of the layer.
    pub one_step: Fit,
    /// p_β(t|x) from iterating until the equations are satisfied. `None` if for every β a cell of the layer dies, so
    /// that D(β) is infinite. Below the smallest β with information, all cells become equal instead of dying, and the
    /// nearest encoder is a T without information.
    pub self_consistent: Option<Fit>,
    /// Number of β at which the iteration did not converge; these are ignored.
    pub n_unsettled: usize,
}

/// The fit of a deterministic layer, given by the cell of each input of `joint`, before merging.
///
/// D(β) = Σ_x p(x) KL[p(t|x) ‖ p_β(t|x)] = −Σ_x p(x) ln p_β(t(x)|x), which after one step is
///
/// D(β) = H(T) + β [I(X;Y) − I(T;Y)] + Σ_x p(x) ln Σ_t p(t) exp(−β KL[p(y|x) ‖ p(y|t)]),
///
/// convex in β, finite because every cell has all classes of its inputs, and H(T) at β = 0. It is minimised over the
/// range of `betas`, between the neighbours of the best one by golden-section search. The iterated one is minimised
/// over `betas` only. If several β are equally good, the smallest is used. Cells with equal p(y|t) keep their
/// proportions and are iterated as one.
///
/// This is D of the paper, whose code swaps the arguments of KL, adds ε to both, weights all inputs equally, and makes
/// one step.
///
/// # Errors
/// See [`curve`](super::curve); also another number of cells than of inputs.
///
/// # Reference
/// Shwartz-Ziv & Tishby 2017 (arXiv 1703.00810), eq. 12.
pub fn fit_beta(joint: &Joint, code: &[u32], betas: &[f64], options: &Options) -> Result<BetaFit, FitError> {
    if code.len() != joint.merged().len() {
        return Err(FitError::Shape { got: code.len(), want: joint.merged().len() });
    }
    let betas: Vec<f64> = ascending(betas)?.into_iter().map(|place| betas[place]).collect();
    let layer = Layer::of(joint, code);

    let step = |beta: f64| Step::of(joint, beta, layer.clusters.clone());
    let divergences: Vec<f64> = betas.iter().map(|beta| layer.divergence(joint, &step(*beta))).collect();
    let best = least(&divergences);
    let refined = golden_section(
        |log_beta| layer.divergence(joint, &step(log_beta.exp())),
        betas[best.saturating_sub(1)].ln(),
        betas[(best + 1).min(betas.len() - 1)].ln(),
    );
    let beta =
        if layer.divergence(joint, &step(refined.exp())) < divergences[best] { refined.exp() } else { betas[best] };
    let at = |place: usize| (betas[place], divergences[place]);
    let one_step = layer.fit(joint, &step(beta), beta, [at(0), at(betas.len() - 1)], &betas);

    let mut n_unsettled = 0;
    let mut iterated: Vec<(f64, Step)> = Vec::new();
    for beta in &betas {
        match layer.iterated(joint, *beta, options) {
            Iterated::Settled(step) => iterated.push((*beta, step)),
            Iterated::CellDied => {}
            Iterated::Unsettled => n_unsettled += 1,
        }
    }
    let divergences: Vec<f64> = iterated.iter().map(|(_, step)| layer.divergence(joint, step)).collect();
    let best = iterated.get(least(&divergences));
    let self_consistent = best.map(|(beta, step)| {
        let at = |place: usize| (iterated[place].0, divergences[place]);
        layer.fit(joint, step, *beta, [at(0), at(iterated.len() - 1)], &betas)
    });
    Ok(BetaFit { i_xt: layer.i_xt, i_ty: layer.i_ty, one_step, self_consistent, n_unsettled })
}

/// Divergences, in nats, that differ by less are equal: a thousand times the rounding error of their sums. If the
/// minimum extends to an end of the range, as for a layer whose cells have one class each, no β is better than others.
const TIE: f64 = 1e-9;

/// p(x, t) of merged inputs and groups of cells with equal p(y|t).
struct Layer {
    p_xt: Vec<f64>,
    clusters: Clusters,
    /// The entropy of the cells, given their group.
    h_within: Nats,
    i_xt: Nats,
    i_ty: Nats,
}

/// The encoder at the end of an iteration from the layer.
enum Iterated {
    Settled(Step),
    CellDied,
    Unsettled,
}

impl Layer {
    fn of(joint: &Joint, code: &[u32]) -> Self {
        let (n_x, n_classes) = (joint.n_x(), joint.n_classes());
        // p(x, t) of the occupied cells, cell by cell; inputs of one merged input are neighbours.
        let inputs = code.iter().zip(joint.merged()).zip(joint.p_inputs());
        let mut inputs: Vec<(u32, usize, f64)> =
            inputs.filter_map(|((cell, x), p)| x.map(|x| (*cell, x, *p))).collect();
        inputs.sort_by_key(|(cell, x, _)| (*cell, *x));
        let mut cells: Vec<(Vec<f64>, f64, Vec<f64>)> = Vec::new();
        for cell in inputs.chunk_by(|a, b| a.0 == b.0) {
            let mut p_x = vec![0.0; n_x];
            let mut p_y = vec![0.0; n_classes];
            for (_, x, p) in cell {
                p_x[*x] += p;
                for (p_y, p_y_given_x) in p_y.iter_mut().zip(joint.p_y_given_x(*x)) {
                    *p_y += p * p_y_given_x;
                }
            }
            let p_t: f64 = p_x.iter().sum();
            p_y.iter_mut().for_each(|p_y| *p_y /= p_t);
            cells.push((p_y, p_t, p_x));
        }
        let i_xt = entropy(cells.iter().map(|(_, p_t, _)| *p_t));
        cells.sort_by(|a, b| a.0.partial_cmp(&b.0).expect("probabilities are numbers"));
        let (mut p_t, mut rows, mut columns) = (Vec::new(), Vec::new(), Vec::new());
        for group in cells.chunk_by(|a, b| near(&a.0, &b.0)) {
            let weight = group.iter().map(|(_, p_t, _)| p_t).sum::<f64>();
            p_t.push(weight);
            // Their mean: it has every class that one of them has.
            let mean = |y: usize| group.iter().map(|(p_y, p_t, _)| p_t * p_y[y]).sum::<f64>() / weight;
            rows.extend((0..n_classes).map(mean));
            columns.push((0..n_x).map(|x| group.iter().map(|(_, _, p_x)| p_x[x]).sum()).collect::<Vec<f64>>());
        }
        let n_t = p_t.len();
        let p_xt = (0..n_x * n_t).map(|i| columns[i % n_t][i / n_t]).collect();
        let h_group = entropy(p_t.iter().copied());
        let within: f64 =
            (0..n_t).map(|t| p_t[t] * entropy(rows[t * n_classes..(t + 1) * n_classes].iter().copied()).0).sum();
        Self {
            p_xt,
            clusters: Clusters::new(&p_t, &rows),
            h_within: i_xt - h_group,
            i_xt,
            i_ty: Nats(joint.h_y().0 - within),
        }
    }

    /// D of the encoder of a step, −Σ p(x, t) ln p_β(t|x) over the groups plus the entropy of cells within them.
    fn divergence(&self, joint: &Joint, step: &Step) -> f64 {
        let n_t = self.clusters.n_clusters();
        let mut sum = self.h_within.0;
        for x in 0..joint.n_x() {
            for t in (0..n_t).filter(|t| self.p_xt[x * n_t + t] > 0.0) {
                sum -= self.p_xt[x * n_t + t] * step.log_encoder(joint, x, t);
            }
        }
        sum
    }

    /// The encoder of a step; `ends` are the smallest and the largest tested β, with their divergences.
    fn fit(&self, joint: &Joint, step: &Step, beta: f64, ends: [(f64, f64); 2], betas: &[f64]) -> Fit {
        let (i_xt, i_ty) = informations(joint, step);
        let divergence = self.divergence(joint, step);
        let is_edge = |beta: f64| beta == betas[0] || beta == betas[betas.len() - 1];
        let at_edge = ends.iter().any(|(at, other)| is_edge(*at) && *other <= divergence + TIE);
        Fit { beta, divergence: Nats(divergence), at_edge, i_xt, i_ty }
    }

    fn iterated(&self, joint: &Joint, beta: f64, options: &Options) -> Iterated {
        let mut history = History::default();
        let mut n_iterations = 1;
        let mut step = Step::of(joint, beta, self.clusters.clone());
        loop {
            let mut weights = step.next.p_t().iter().zip(self.clusters.p_t());
            if weights.any(|(now, at_first)| *now < DEAD * at_first) {
                return Iterated::CellDied;
            }
            if step.change() <= options.tolerance {
                return Iterated::Settled(step);
            }
            if n_iterations >= options.max_iterations {
                return Iterated::Unsettled;
            }
            step = history.advance(joint, beta, &step, &mut n_iterations);
        }
    }
}

/// Whether p(y|t) of two cells differ only by rounding.
fn near(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() <= ROUNDING)
}

/// The position of the first minimum.
fn least(values: &[f64]) -> usize {
    let mut best = 0;
    for (i, value) in values.iter().enumerate() {
        if *value < values[best] || values[best].is_nan() {
            best = i;
        }
    }
    best
}

/// The minimum of a unimodal function between `a` and `b`.
///
/// # Reference
/// Kiefer 1953, "Sequential minimax search for a maximum".
fn golden_section(f: impl Fn(f64) -> f64, mut a: f64, mut b: f64) -> f64 {
    let ratio = 2.0 / (1.0 + 5.0_f64.sqrt());
    let (mut c, mut d) = (b - ratio * (b - a), a + ratio * (b - a));
    let (mut at_c, mut at_d) = (f(c), f(d));
    while b - a > SEARCHED {
        if at_c <= at_d {
            (b, d, at_d) = (d, c, at_c);
            c = b - ratio * (b - a);
            at_c = f(c);
        } else {
            (a, c, at_c) = (c, d, at_d);
            d = a + ratio * (b - a);
            at_d = f(d);
        }
    }
    0.5 * (a + b)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two kinds of input with labels flipped with probability `flip`, and a code that puts a quarter of each kind into
    /// the cell of the other.
    fn three_of_four(flip: f64) -> (Joint, Vec<u32>) {
        let rows: Vec<f64> = (0..8).flat_map(|i| if i < 4 { [1.0 - flip, flip] } else { [flip, 1.0 - flip] }).collect();
        (Joint::new(&[0.125; 8], &rows, 2).unwrap(), vec![7, 7, 7, 2, 2, 2, 2, 7])
    }

    /// The tolerance in nats.
    fn h(p: f64) -> f64 {
        -p * p.ln() - (1.0 - p) * (1.0 - p).ln()
    }

    /// n values in equal steps of the logarithm, both ends included.
    fn geometric(from: f64, to: f64, n: u32) -> Vec<f64> {
        (0..n).map(|i| from * (to / from).powf(f64::from(i) / f64::from(n - 1))).collect()
    }

    #[track_caller]
    fn close(got: Nats, want: f64, tolerance: f64) {
        assert!((got.0 - want).abs() <= tolerance, "{} is not {want} to {tolerance}", got.0);
    }

    #[test]
    fn a_noisy_code_of_noisy_labels_has_the_beta_of_its_noise() {
        // p(t|x) is 3/4, 1/4. With s = p(y|t) = 3/4 (1 − p) + 1/4 p the step is p_β(t|x) = 1/(1 + e^−βκ), κ = (1 − 2p)
        // ln s/(1 − s): D = −3/4 ln p_β − 1/4 ln (1 − p_β), with its minimum at p_β = 3/4, which is β = ln 3/κ. There
        // the step changes nothing: the code, considered as noisy, satisfies the equations.
        let flip = 0.1;
        let (joint, code) = three_of_four(flip);
        let s: f64 = 0.75 * (1.0 - flip) + 0.25 * flip;
        let beta = 3.0_f64.ln() / ((1.0 - 2.0 * flip) * (s / (1.0 - s)).ln());
        let mut betas = geometric(1.0, 9.0, 30);
        betas.push(beta);
        let fit = fit_beta(&joint, &code, &betas, &Options::PRECISE).unwrap();
        close(fit.i_xt, 2.0_f64.ln(), 1e-14);
        close(fit.i_ty, 2.0_f64.ln() - h(s), 1e-14);
        for fit in [fit.one_step, fit.self_consistent.unwrap()] {
            // D is flat to rounding within √1e-16 relative of its minimum.
            assert!((fit.beta / beta - 1.0).abs() < 1e-7 && !fit.at_edge, "{fit:?}");
            close(fit.divergence, h(0.25), 1e-10);
            close(fit.i_xt, 2.0_f64.ln() - h(0.25), 1e-7);
            close(fit.i_ty, 2.0_f64.ln() - h(s), 1e-7);
        }
        // Between the given values the minimum is found as well.
        betas.pop();
        let refined = fit_beta(&joint, &code, &betas, &Options::PRECISE).unwrap().one_step;
        assert!((refined.beta / beta - 1.0).abs() < 1e-7 && !refined.at_edge, "{refined:?}");
        assert_eq!(fit.n_unsettled, 0);
    }

    #[test]
    fn a_constant_code_is_the_bottleneck_of_every_beta() {
        let (joint, _) = three_of_four(0.1);
        let fit = fit_beta(&joint, &[3; 8], &[0.5, 4.0, 80.0], &Options::PRECISE).unwrap();
        assert_eq!((fit.one_step.divergence.0, fit.one_step.beta, fit.one_step.at_edge), (0.0, 0.5, true));
        assert_eq!(fit.self_consistent, Some(fit.one_step));
        close(fit.i_xt, 0.0, 0.0);
        close(fit.i_ty, 0.0, 1e-15);
    }

    #[test]
    fn a_code_of_the_classes_is_resembled_more_the_larger_beta() {
        // One step of the code of the two kinds: p_β(t|x) = 1/(1 + e^−βκ) with κ = (1 − 2p) ln (1 − p)/p.
        let flip = 0.1;
        let (joint, _) = three_of_four(flip);
        let code = [0, 0, 0, 0, 1, 1, 1, 1];
        let fit = |betas: &[f64]| fit_beta(&joint, &code, betas, &Options::PRECISE).unwrap().one_step;
        // D(32) = ln (1 + e^−56) is 0 up to rounding, as at 300: neither is better, and the minimum may be beyond.
        assert!(fit(&[2.0, 32.0, 300.0]).at_edge);
        let fit = fit(&[2.0, 4.0, 8.0]);
        let kappa = (1.0 - 2.0 * flip) * ((1.0 - flip) / flip).ln();
        assert!(fit.beta == 8.0 && fit.at_edge);
        close(fit.divergence, (-8.0 * kappa).exp().ln_1p(), 1e-14);
    }

    #[test]
    fn pure_cells_of_hard_labels_are_the_bottleneck_itself() {
        // KL to the cell of the other label is infinite, p_β(t|x) exactly 1.
        let joint = Joint::new(&[0.25; 4], &[1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0], 2).unwrap();
        let fit = fit_beta(&joint, &[5, 5, 9, 9], &[0.5, 2.0], &Options::PRECISE).unwrap();
        assert_eq!((fit.one_step.divergence.0, fit.one_step.beta), (0.0, 0.5));
        close(fit.one_step.i_ty, 2.0_f64.ln(), 1e-15);
        // Nothing distinguishes two cells of one label: ln 2 nats for the half of the inputs that have them.
        let fit = fit_beta(&joint, &[4, 5, 9, 9], &[0.5, 2.0], &Options::PRECISE).unwrap();
        close(fit.one_step.divergence, 0.5 * 2.0_f64.ln(), 1e-15);
        close(fit.self_consistent.unwrap().divergence, 0.5 * 2.0_f64.ln(), 1e-15);
        // A cell of both labels together with a pure one is not a solution: at large β it loses the label of the pure
        // cell, at small β all merge. One step is finite: label 0 of cell 0 has p_β = ¾ (⅓)^β/[¾ (⅓)^β + ¼], label 1
        // has 1.
        let fit = fit_beta(&joint, &[0, 1, 0, 0], &[3.0], &Options::PRECISE).unwrap();
        let kept = 0.75 / 27.0 / (0.75 / 27.0 + 0.25);
        close(fit.one_step.divergence, -0.25 * f64::ln(kept) - 0.25 * f64::ln(1.0 - kept), 1e-14);
    }

    #[test]
    fn labels_that_are_all_but_certain_are_compared_as_well() {
        // Nothing distinguishes cells 0 and 1, although only one of them has a trace of the second class.
        let rows = [1.0, 0.0, 1.0, 1e-20, 0.0, 1.0];
        let joint = Joint::new(&[0.25, 0.25, 0.5], &rows, 2).unwrap();
        let fit = fit_beta(&joint, &[0, 1, 2], &[1.0, 40.0], &Options::PRECISE).unwrap();
        close(fit.one_step.divergence, 0.5 * 2.0_f64.ln(), 1e-12);
        // A class of probability 1e-320, which f64 loses in any product, is ignored.
        let joint = Joint::new(&[0.25, 0.25, 0.5], &rows.map(|p| if p == 1e-20 { 1e-320 } else { p }), 2).unwrap();
        assert_eq!(joint.n_x(), 2);
        close(
            fit_beta(&joint, &[0, 1, 2], &[1.0], &Options::PRECISE).unwrap().one_step.divergence,
            0.5 * 2.0_f64.ln(),
            1e-12,
        );
    }

    #[test]
    fn an_encoder_that_vanishes_in_f64_has_a_divergence() {
        // As above, label 0 of cell 0 has p_β = ¾ (⅓)^β/[¾ (⅓)^β + ¼]: at β = 2000 it is e^−2196, and 3 (⅓)^β to rounding.
        let joint = Joint::new(&[0.25; 4], &[1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0], 2).unwrap();
        let fit = fit_beta(&joint, &[0, 1, 0, 0], &[2000.0], &Options::PRECISE).unwrap();
        let log_kept = 3.0_f64.ln() - 2000.0 * 3.0_f64.ln();
        close(fit.one_step.divergence, -0.25 * log_kept, 1e-10);
    }

    #[test]
    fn a_cell_that_dies_is_no_part_of_the_bottleneck() {
        // Cell 1 has both labels, and 0 and 2 one each: p(t) of cell 1 is multiplied by 2^(1 − β) in the end.
        let joint = Joint::new(&[0.25; 4], &[1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0], 2).unwrap();
        let fit = fit_beta(&joint, &[0, 1, 1, 2], &[2.0, 3.0], &Options::PRECISE).unwrap();
        assert_eq!((fit.self_consistent, fit.n_unsettled), (None, 0));
        assert!(fit.one_step.divergence.0.is_finite());
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        let (joint, code) = three_of_four(0.1);
        let refused = |code: &[u32], betas: &[f64]| fit_beta(&joint, code, betas, &Options::PRECISE).unwrap_err();
        assert_eq!(refused(&code[1..], &[1.0]), FitError::Shape { got: 7, want: 8 });
        assert_eq!(refused(&code, &[]), FitError::Beta(BetaError::None));
    }
}
