//! The iteration of Blahut and Arimoto for the information bottleneck at one β, accelerated.

use std::collections::VecDeque;

use crate::math::bottleneck::joint::Joint;

/// Number of previous steps that the acceleration combines.
const MEMORY: usize = 10;

/// Relative remainder of a step below which it counts as a linear combination of the previous ones.
const INDEPENDENT: f64 = 1e-12;

/// p(t) and p(y|t).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Clusters {
    n_clusters: usize,
    n_classes: usize,
    /// p(t), then the rows p(y|t).
    values: Vec<f64>,
}

impl Clusters {
    /// One cluster with all inputs.
    pub(super) fn single(joint: &Joint) -> Self {
        Self::new(&[1.0], joint.p_y())
    }

    /// From p(t) and p(y|t), clusters × classes row-major.
    pub(super) fn new(p_t: &[f64], p_y_given_t: &[f64]) -> Self {
        let n_clusters = p_t.len();
        Self { n_clusters, n_classes: p_y_given_t.len() / n_clusters, values: [p_t, p_y_given_t].concat() }
    }

    pub(super) fn n_clusters(&self) -> usize {
        self.n_clusters
    }

    pub(super) fn p_t(&self) -> &[f64] {
        &self.values[..self.n_clusters]
    }

    pub(super) fn p_y_given(&self, t: usize) -> &[f64] {
        let start = self.n_clusters + t * self.n_classes;
        &self.values[start..start + self.n_classes]
    }
}

/// One application of the self-consistent equations.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// β.
    beta: f64,
    /// p(t) and p(y|t) before the step.
    pub(super) clusters: Clusters,
    /// p(t|x) = p(t) exp(−β KL[p(y|x) ‖ p(y|t)])/Z(x), merged inputs × clusters.
    pub(super) encoder: Vec<f64>,
    /// ln Z(x).
    pub(super) log_z: Vec<f64>,
    /// F = −Σ_x p(x) ln Z(x), which no step increases; at a fixed point I(X;T) + β [I(X;Y) − I(T;Y)].
    pub(super) free_energy: f64,
    /// p(t) = Σ_x p(x) p(t|x) and p(y|t) = Σ_x p(x) p(t|x) p(y|x)/p(t).
    pub(super) next: Clusters,
}

impl Step {
    /// The step from p(t) and p(y|t); every input must be compatible with at least one cluster.
    pub(super) fn of(joint: &Joint, beta: f64, clusters: Clusters) -> Self {
        let (n_x, n_t, n_classes) = (joint.n_x(), clusters.n_clusters, clusters.n_classes);
        let log_p_t: Vec<f64> = clusters.p_t().iter().map(|p| p.ln()).collect();
        let log_p_y: Vec<f64> = clusters.values[n_t..].iter().map(|p| p.ln()).collect();
        let mut encoder = vec![0.0; n_x * n_t];
        let mut log_z = Vec::with_capacity(n_x);
        let mut free_energy = 0.0;
        let mut next = vec![0.0; clusters.values.len()];
        for (x, row) in encoder.chunks_exact_mut(n_t).enumerate() {
            let (p_x, p_y_given_x) = (joint.p_x()[x], joint.p_y_given_x(x));
            for (t, logit) in row.iter_mut().enumerate() {
                let log_p_y = &log_p_y[t * n_classes..(t + 1) * n_classes];
                *logit = log_p_t[t] - beta * joint.divergence(x, log_p_y);
            }
            let log_z_x = normalise(row);
            log_z.push(log_z_x);
            free_energy -= p_x * log_z_x;
            for (t, p) in row.iter().enumerate() {
                let p_xt = p_x * p;
                next[t] += p_xt;
                let p_y = &mut next[n_t + t * n_classes..n_t + (t + 1) * n_classes];
                for (p_y, p_y_given_x) in p_y.iter_mut().zip(p_y_given_x) {
                    *p_y += p_xt * p_y_given_x;
                }
            }
        }
        let (p_t, rows) = next.split_at_mut(n_t);
        for (t, row) in rows.chunks_exact_mut(n_classes).enumerate() {
            if p_t[t] > 0.0 {
                row.iter_mut().for_each(|p_ty| *p_ty /= p_t[t]);
            } else {
                // A cluster without inputs stays unchanged, with p(t) = 0.
                row.copy_from_slice(clusters.p_y_given(t));
            }
        }
        let next = Clusters { values: next, ..clusters };
        Self { beta, clusters, encoder, log_z, free_energy, next }
    }

    /// ln p(t|x), even if p(t|x) is too small for f64.
    pub(super) fn log_encoder(&self, joint: &Joint, x: usize, t: usize) -> f64 {
        let log_p_y: Vec<f64> = self.clusters.p_y_given(t).iter().map(|p| p.ln()).collect();
        self.clusters.p_t()[t].ln() - self.beta * joint.divergence(x, &log_p_y) - self.log_z[x]
    }

    /// max_t {|p'(t) − p(t)|/p(t) + Σ_y |p'(y|t) − p(y|t)|}. It is relative, so that clusters of little weight
    /// converge as well.
    pub(super) fn change(&self) -> f64 {
        let of_cluster = |t: usize| {
            let (p, p_after) = (self.clusters.p_t()[t], self.next.p_t()[t]);
            let rows = self.clusters.p_y_given(t).iter().zip(self.next.p_y_given(t));
            (p_after - p).abs() / p + rows.map(|(r, r_after)| (r_after - r).abs()).sum::<f64>()
        };
        (0..self.clusters.n_clusters()).map(of_cluster).fold(0.0, f64::max)
    }

    /// Maximum increase of F by rounding.
    pub(super) fn rounding(&self) -> f64 {
        4.0 * f64::EPSILON * (1.0 + self.free_energy.abs())
    }
}

/// Replaces every logarithm l with e^l/Z; returns ln Z = ln Σ e^l.
pub(super) fn normalise(logarithms: &mut [f64]) -> f64 {
    let largest = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for l in logarithms.iter_mut() {
        *l = (*l - largest).exp();
        sum += *l;
    }
    for l in logarithms.iter_mut() {
        *l /= sum;
    }
    largest + sum.ln()
}

/// Previous steps, from which the limit of a linear iteration is extrapolated (Anderson acceleration).
///
/// Close to a phase transition the plain iteration needs a number of steps that grows without limit.
///
/// # Reference
/// Anderson 1965, "Iterative procedures for nonlinear integral equations"; Walker & Ni 2011, SIAM J. Numer. Anal. 49.
#[derive(Debug, Default)]
pub(super) struct History {
    /// Values before and after a step.
    last: Option<(Vec<f64>, Vec<f64>)>,
    /// Differences of successive changes, and of successive values after the step, newest first.
    differences: VecDeque<(Vec<f64>, Vec<f64>)>,
}

impl History {
    /// The step after `step`: the extrapolated one if it is possible and does not increase F, otherwise the plain one.
    pub(super) fn advance(&mut self, joint: &Joint, beta: f64, step: &Step, n_iterations: &mut usize) -> Step {
        if let Some(clusters) = self.extrapolate(step) {
            *n_iterations += 1;
            let extrapolated = Step::of(joint, beta, clusters);
            if extrapolated.free_energy <= step.free_energy + step.rounding() {
                return extrapolated;
            }
            *self = Self::default();
        }
        *n_iterations += 1;
        Step::of(joint, beta, step.next.clone())
    }

    /// g − Σ_i γ_i Δg_i with the γ that minimise |f − Σ_i γ_i Δf_i|, where g are the values after a step and f is its
    /// change.
    fn extrapolate(&mut self, step: &Step) -> Option<Clusters> {
        let (x, g) = (&step.clusters.values, &step.next.values);
        let mut f = minus(g, x);
        // Changes of p(t) are relative, as in `change`.
        f.iter_mut().zip(step.next.p_t()).for_each(|(f, p_t)| *f /= p_t.max(f64::MIN_POSITIVE));
        let last = self.last.replace((f.clone(), g.clone()))?;
        self.differences.push_front((minus(&f, &last.0), minus(g, &last.1)));
        self.differences.truncate(MEMORY);

        // Gram-Schmidt on the Δf; the same operations on the Δg avoid computing γ.
        let mut correction = vec![0.0; g.len()];
        let mut basis: Vec<(Vec<f64>, Vec<f64>, f64)> = Vec::with_capacity(MEMORY);
        for (delta_f, delta_g) in &self.differences {
            let (mut delta_f, mut delta_g) = (delta_f.clone(), delta_g.clone());
            let before = dot(&delta_f, &delta_f);
            for (earlier_f, earlier_g, square) in &basis {
                let share = dot(&delta_f, earlier_f) / square;
                subtract(&mut delta_f, share, earlier_f);
                subtract(&mut delta_g, share, earlier_g);
            }
            let square = dot(&delta_f, &delta_f);
            if square <= INDEPENDENT * before || square == 0.0 {
                continue;
            }
            let share = dot(&f, &delta_f) / square;
            subtract(&mut f, share, &delta_f);
            subtract(&mut correction, share, &delta_g);
            basis.push((delta_f, delta_g, square));
        }
        // Probabilities must stay non-negative: the step is shortened until they are.
        (0..4).map(|halvings| 0.5_f64.powi(halvings)).find_map(|length| {
            let values: Vec<f64> = g.iter().zip(&correction).map(|(g, c)| g + length * c).collect();
            let allowed = values.iter().zip(g).all(|(v, g)| *v > 0.0 || (*v == 0.0 && *g == 0.0));
            allowed.then_some(Clusters { values, ..step.next })
        })
    }
}

fn minus(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn subtract(from: &mut [f64], factor: f64, what: &[f64]) {
    for (from, what) in from.iter_mut().zip(what) {
        *from -= factor * what;
    }
}
