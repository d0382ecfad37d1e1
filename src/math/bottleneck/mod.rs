//! The information bottleneck of a known p(x, y): the largest I(T;Y) of any T made from X with a given I(X;T).
//!
//! For every β, the encoder p(t|x) that minimises I(X;T) − β I(T;Y) satisfies
//!
//! p(t|x) = p(t) exp(−β KL[p(y|x) ‖ p(y|t)])/Z(x), p(t) = Σ_x p(x) p(t|x), p(y|t) = Σ_x p(x) p(t|x) p(y|x)/p(t),
//!
//! which are iterated. They have solutions that are not minima, and the result of an annealing depends on its speed.
//! Here every solution is improved until duality proves it a minimum (`support.rs`), so that the annealing, from one
//! cluster at the smallest β to more at larger ones, only saves time.
//!
//! ```
//! use infoplane::bottleneck::{Joint, Options, curve};
//!
//! // Two equally likely inputs, whose binary labels are 0 with probability 0.9 and 0.1.
//! let joint = Joint::new(&[0.5, 0.5], &[0.9, 0.1, 0.1, 0.9], 2)?;
//! let points = curve(&joint, &[1.0, 5.0], &Options::PRECISE)?;
//! assert!(points[0].i_xt.bits() < 1e-6 && points[1].i_ty.bits() > 0.4);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Reference
//! Tishby, Pereira & Bialek 1999, "The information bottleneck method"; Rose 1998, "Deterministic annealing for
//! clustering, compression, classification, regression, and related optimization problems".

mod fit;
mod iteration;
mod joint;
mod support;

use thiserror::Error;

use crate::units::Nats;

pub use fit::{BetaFit, Fit, FitError, fit_beta};
use iteration::{Clusters, History, Step};
pub use joint::{Joint, JointError};

/// Largest β. The error of logarithms of p(t|x) is β times the rounding of the divergences, 1e-16.
pub const MAX_BETA: f64 = 1e6;

/// Number of steps between attempts to remove clusters.
const STEPS_BETWEEN_REDUCTIONS: usize = 10;

/// Number of steps after which missing clusters are searched even if the iteration has not converged; repeated after
/// as many steps.
const PATIENCE: usize = 100;

/// Maximum number of times that clusters are added at one β.
const MAX_EXTENSIONS: usize = 100;

/// Why there is no curve.
#[derive(Debug, Error, PartialEq)]
pub enum BetaError {
    /// No β is given.
    #[error("no beta is given; give at least one")]
    None,
    /// A β that has no meaning, or for which p(t|x) is lost in rounding.
    #[error("beta is {got}; must be a number above 0 and at most {MAX_BETA:e}")]
    OutOfRange {
        /// β.
        got: f64,
    },
    /// A β that is given twice.
    #[error("beta {got} is given twice; leave one out")]
    Twice {
        /// β.
        got: f64,
    },
}

/// Stopping rules of the iteration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Maximum number of iterations at each β; at least one is made.
    pub max_iterations: usize,
    /// The iteration has converged if no |Δp(t)|/p(t) + Σ_y |Δp(y|t)| of a step is larger.
    pub tolerance: f64,
    /// A solution is accepted as a minimum if I(X;T) − β I(T;Y) is proven to exceed it by no more than this.
    pub gap: Nats,
}

impl Options {
    /// I(T;Y) is at most 1e-9/β nats below the curve, which leaves some margin for rounding.
    pub const PRECISE: Options = Options { max_iterations: 100_000, tolerance: 1e-10, gap: Nats(1e-9) };
}

/// A representation on the curve; if not converged, an intermediate one.
///
/// In both cases `i_xt` and `i_ty` are those of an existing encoder: the curve is not below this point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// β = dI(X;T)/dI(T;Y) of the curve at this point.
    pub beta: f64,
    /// I(X;T) = Σ_x p(x) Σ_t p(t|x) ln p(t|x)/p(t) ≥ 0.
    pub i_xt: Nats,
    /// I(T;Y) = Σ_t p(t) Σ_y p(y|t) ln p(y|t)/p(y) ≥ 0.
    pub i_ty: Nats,
    /// Number of values t.
    pub n_clusters: usize,
    /// Number of applications of the equations.
    pub n_iterations: usize,
    /// Σ_x p(x) Σ_t |p(t|x) − p̂(t|x)|, between 0 and 2, with p̂(t|x) from the p(t) and p(y|t) of p(t|x): the
    /// violation of the equations. It is not used in the stopping rule.
    pub residual: f64,
    /// Upper bound on the difference between I(X;T) − β I(T;Y) and its minimum over all encoders, provided that the
    /// search for maxima of g (`support.rs`) has found the highest one.
    pub gap: Nats,
    /// Whether the iteration converged, to a minimum, within the [`Options`].
    pub converged: bool,
}

/// The points of the curve at `betas`, in their order.
///
/// At β ≤ 1 the trivial T with I(X;T) = 0 is optimal, by the data processing inequality. If the curve has straight
/// segments, a whole segment is optimal at its β and only one of its points is returned: for hard labels, with
/// I(T;Y) = min(I(X;T), H(Y)), the whole curve is optimal at β = 1, and β > 1 gives its end. [`bound`] interpolates.
///
/// No β, or one that is not a number, not above 0, above [`MAX_BETA`] or given twice. A point that does not converge is
/// not an error; it is marked as not converged.
pub fn curve(joint: &Joint, betas: &[f64], options: &Options) -> Result<Vec<Point>, BetaError> {
    let ascending = ascending(betas)?;
    let starts = support::starts(joint);
    let mut clusters = Clusters::single(joint);
    let mut points: Vec<Option<Point>> = vec![None; betas.len()];
    for place in ascending {
        let solution = solve(joint, betas[place], clusters, &starts, options);
        points[place] = Some(solution.0);
        clusters = solution.1;
    }
    Ok(points.into_iter().flatten().collect())
}

/// The indices of `betas` in ascending order.
fn ascending(betas: &[f64]) -> Result<Vec<usize>, BetaError> {
    if betas.is_empty() {
        return Err(BetaError::None);
    }
    if let Some(got) = betas.iter().find(|beta| !(**beta > 0.0 && **beta <= MAX_BETA)) {
        return Err(BetaError::OutOfRange { got: *got });
    }
    let mut places: Vec<usize> = (0..betas.len()).collect();
    places.sort_by(|a, b| betas[*a].total_cmp(&betas[*b]));
    match places.windows(2).find(|pair| betas[pair[0]] == betas[pair[1]]) {
        Some(pair) => Err(BetaError::Twice { got: betas[pair[0]] }),
        None => Ok(places),
    }
}

/// The point at β and its clusters, iterated from `clusters`.
fn solve(joint: &Joint, beta: f64, clusters: Clusters, starts: &[usize], options: &Options) -> (Point, Clusters) {
    let mut n_iterations = 0;
    let mut patience = PATIENCE;
    let mut n_extensions = 0;
    let mut step = relaxed(joint, beta, clusters, options, patience, &mut n_iterations);
    loop {
        let settled = step.change() <= options.tolerance;
        let given_up = n_iterations >= options.max_iterations || n_extensions == MAX_EXTENSIONS;
        let mut maxima = support::maxima(joint, beta, &step, starts);
        let point = point(joint, beta, &step, Nats(maxima[0].log_g), n_iterations);
        let optimal = point.gap <= options.gap;
        maxima.retain(|maximum| Nats(maximum.log_g) > options.gap);
        // If nothing is missing and nothing moves, the gap cannot be reduced further.
        if settled && (optimal || maxima.is_empty()) || given_up {
            return (Point { converged: settled && optimal, ..point }, step.next);
        }
        let clusters = if maxima.is_empty() {
            step.next
        } else {
            n_extensions += 1;
            support::extended(joint, beta, &step, &maxima)
        };
        patience = patience.saturating_add(PATIENCE);
        step = relaxed(joint, beta, clusters, options, patience, &mut n_iterations);
    }
}

/// The last step of an iteration from `clusters`, which ends if it converges or after `patience` steps.
fn relaxed(
    joint: &Joint,
    beta: f64,
    clusters: Clusters,
    options: &Options,
    patience: usize,
    n_iterations: &mut usize,
) -> Step {
    let last = options.max_iterations.min(n_iterations.saturating_add(patience));
    let mut history = History::default();
    *n_iterations += 1;
    let mut step = Step::of(joint, beta, clusters);
    let mut since_reduction = 0;
    loop {
        let settled = step.change() <= options.tolerance;
        since_reduction += 1;
        let reduced = if settled || since_reduction == STEPS_BETWEEN_REDUCTIONS {
            since_reduction = 0;
            support::reduced(joint, beta, &step)
        } else {
            None
        };
        if reduced.is_none() && settled || *n_iterations >= last {
            return step;
        }
        step = match reduced {
            Some(clusters) => {
                history = History::default();
                *n_iterations += 1;
                Step::of(joint, beta, clusters)
            }
            None => history.advance(joint, beta, &step, n_iterations),
        };
    }
}

/// The point of the encoder of a step, for which ln g is at most `highest`; not converged.
fn point(joint: &Joint, beta: f64, step: &Step, highest: Nats, n_iterations: usize) -> Point {
    let (i_xt, i_ty) = informations(joint, step);
    let free_energy = i_xt.0 + beta * (joint.i_xy() - i_ty).0;
    Point {
        beta,
        i_xt,
        i_ty,
        n_clusters: step.next.p_t().iter().filter(|p| **p > 0.0).count(),
        n_iterations,
        residual: residual(joint, beta, &step.encoder),
        gap: Nats(free_energy - (step.free_energy - highest.0)),
        converged: false,
    }
}

/// I(X;T) and I(T;Y) of the encoder of a step.
fn informations(joint: &Joint, step: &Step) -> (Nats, Nats) {
    let ratio = |p: f64, q: f64| if p > 0.0 { p * (p / q).ln() } else { 0.0 };
    let p_t = step.next.p_t();
    let mut i_xt = 0.0;
    for (p_x, row) in joint.p_x().iter().zip(step.encoder.chunks_exact(p_t.len())) {
        for (p, p_t) in row.iter().zip(p_t) {
            i_xt += p_x * ratio(*p, *p_t);
        }
    }
    let mut i_ty = 0.0;
    for (t, p_t) in p_t.iter().enumerate() {
        for (p, p_y) in step.next.p_y_given(t).iter().zip(joint.p_y()) {
            i_ty += p_t * ratio(*p, *p_y);
        }
    }
    (Nats(i_xt), Nats(i_ty))
}

/// Σ_x p(x) Σ_t |p(t|x) − p̂(t|x)| of `encoder`, merged inputs × clusters, directly from the equations.
fn residual(joint: &Joint, beta: f64, encoder: &[f64]) -> f64 {
    let (n_x, n_classes) = (joint.n_x(), joint.n_classes());
    let n_t = encoder.len() / n_x;
    let mut p_t = vec![0.0; n_t];
    let mut p_ty = vec![0.0; n_t * n_classes];
    for x in 0..n_x {
        for t in 0..n_t {
            let p_xt = joint.p_x()[x] * encoder[x * n_t + t];
            p_t[t] += p_xt;
            for y in 0..n_classes {
                p_ty[t * n_classes + y] += p_xt * joint.p_y_given_x(x)[y];
            }
        }
    }
    let mut sum = 0.0;
    for x in 0..n_x {
        let mut weights = vec![0.0; n_t];
        for t in (0..n_t).filter(|t| p_t[*t] > 0.0) {
            let mut divergence = 0.0;
            for (y, p) in joint.p_y_given_x(x).iter().enumerate().filter(|(_, p)| **p > 0.0) {
                divergence += p * (p * p_t[t] / p_ty[t * n_classes + y]).ln();
            }
            weights[t] = p_t[t] * (-beta * divergence).exp();
        }
        let z: f64 = weights.iter().sum();
        for t in 0..n_t {
            sum += joint.p_x()[x] * (weights[t] / z - encoder[x * n_t + t]).abs();
        }
    }
    sum
}

/// Bounds on the curve at one I(X;T).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bracket {
    /// A representation with this I(T;Y) exists.
    pub lower: Nats,
    /// No representation has a larger I(T;Y).
    pub upper: Nats,
}

/// Bounds on the largest I(T;Y) of any T with I(X;T) ≤ `i_xt`: the best mixture of `points` and their tangents.
///
/// The curve is concave. It is not below the concave hull of (0, 0), (H(X merged), I(X;Y)) and the points, with linear
/// interpolation between them; it is not above I(X;T), I(X;Y), and the tangent of every point, I(T;Y) ≤ [`i_xt` − (I_X
/// − β I_Y) + gap]/β. Both bounds equal the curve, up to the gap, at the points and where it is straight (for hard
/// labels everywhere); otherwise they differ by about a quarter of ΔI_X · Δ(1/β) of the neighbouring points. Above H(X
/// merged) the curve is I(X;Y), and below 0 (possible for an estimate) it is 0.
///
/// `points` are of `joint`, in any order.
pub fn bound(joint: &Joint, points: &[Point], i_xt: Nats) -> Bracket {
    let (end, i_xy) = (joint.h_x_merged(), joint.i_xy());
    if i_xt <= Nats(0.0) {
        return Bracket { lower: Nats(0.0), upper: Nats(0.0) };
    }
    if i_xt >= end {
        return Bracket { lower: i_xy, upper: i_xy };
    }
    let mut corners: Vec<(f64, f64)> = points.iter().map(|point| (point.i_xt.0, point.i_ty.0)).collect();
    corners.extend([(0.0, 0.0), (end.0, i_xy.0)]);
    // A gap below 0 is a rounding error.
    let tangents = points.iter().map(|p| (i_xt.0 - (p.i_xt.0 - p.beta * p.i_ty.0) + p.gap.0.max(0.0)) / p.beta);
    let upper = tangents.fold(i_xt.0.min(i_xy.0), f64::min);
    Bracket { lower: Nats(interpolated(&concave_hull(corners), i_xt.0)), upper: Nats(upper) }
}

/// The corners of the upper hull, from left to right.
fn concave_hull(mut points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut hull: Vec<(f64, f64)> = Vec::new();
    for c in points {
        while let [.., a, b] = hull[..]
            && (b.0 - a.0) * (c.1 - a.1) >= (c.0 - a.0) * (b.1 - a.1)
        {
            hull.pop();
        }
        hull.push(c);
    }
    hull
}

/// The height at x of the line through `corners`, one of which is left of x and one is not.
fn interpolated(corners: &[(f64, f64)], x: f64) -> f64 {
    let right = corners.partition_point(|corner| corner.0 < x);
    let ((a, at_a), (b, at_b)) = (corners[right - 1], corners[right]);
    at_a + (at_b - at_a) * (x - a) / (b - a)
}

#[cfg(test)]
mod tests;
