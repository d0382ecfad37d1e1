//! The clusters of an optimal encoder: superfluous ones are removed, and those that duality finds missing are added.
//!
//! In terms of the positions r = p(y|t) the bottleneck is a rate-distortion problem whose reproductions are all
//! distributions r on the classes: minimise F[w] = −Σ_x p(x) ln Z(x), Z(x) = Σ_r w(r) exp(−β KL[p(y|x) ‖ r]), over all
//! weights w. F is convex in w. With g(r) = Σ_x p(x) exp(−β KL[p(y|x) ‖ r])/Z(x), the inequality of Jensen gives
//!
//! F[w] − ln max_r g(r) ≤ min F ≤ F[w],
//!
//! so w is a global optimum if and only if g ≤ 1 everywhere, and positions with g > 1 are to be added.
//!
//! # Reference
//! Harremoës & Tishby 2007, "The information bottleneck revisited or how to choose a good distortion measure"; Witsenhausen
//! & Wyner 1975; Lindsay 1983, "The geometry of mixture likelihoods" (F is a negative log-likelihood of a mixture).

use crate::math::bottleneck::iteration::{Clusters, Step, normalise};
use crate::math::bottleneck::joint::Joint;

/// Clusters with a smaller Σ_y |p(y|t) − p(y|t')| are candidates for merging.
const NEIGHBOURS: f64 = 0.2;

/// Clusters with a smaller distance are merged. When a curve starts to need two clusters, their gain is at most
/// quadratic in their distance, and this is the square root of the rounding error.
const SAME_PLACE: f64 = 1e-8;

/// Rounding error of changes of F, which are summed from relative changes of Z and not from F itself. If it were
/// larger, clusters of little weight that duality adds would be removed again.
const ROUNDING: f64 = 1e-17;

/// Ascents whose ends have a smaller Σ_y |r(y) − r'(y)| are assumed to reach the same maximum.
const SAME_ASCENT: f64 = 1e-4;

/// Number of starting points for the search of maxima of g. With fewer inputs, every input is a start.
const N_STARTS: usize = 256;

/// Number of steps of every ascent before the best of them are completed.
const FIRST_STEPS: usize = 30;

/// Maximum number of steps of an ascent.
const LAST_STEPS: usize = 2000;

/// An ascent ends if a step increases ln g by less.
const LEAST_GAIN: f64 = 1e-14;

/// The clusters after removing one, or merging two, if this does not increase F.
pub(super) fn reduced(joint: &Joint, beta: f64, step: &Step) -> Option<Clusters> {
    let n_t = step.clusters.n_clusters();
    (n_t > 1).then_some(())?;
    (0..n_t).find_map(|t| without(joint, step, t)).or_else(|| {
        (0..n_t).flat_map(|t| (0..t).map(move |other| (t, other))).find_map(|(t, other)| {
            let near = distance(step.clusters.p_y_given(t), step.clusters.p_y_given(other)) < NEIGHBOURS;
            near.then(|| merged(joint, beta, step, t, other)).flatten()
        })
    })
}

/// All clusters except t, the others with unchanged proportions: Z'(x) = Z(x) [1 − p(t|x)]/[1 − p(t)].
fn without(joint: &Joint, step: &Step, t: usize) -> Option<Clusters> {
    let n_t = step.clusters.n_clusters();
    let p_t = step.clusters.p_t()[t];
    let mut change = (-p_t).ln_1p();
    for (p_x, row) in joint.p_x().iter().zip(step.encoder.chunks_exact(n_t)) {
        change -= p_x * (-row[t]).ln_1p();
    }
    (change <= ROUNDING).then(|| {
        let kept: Vec<usize> = (0..n_t).filter(|other| *other != t).collect();
        let weights: Vec<f64> = kept.iter().map(|t| step.clusters.p_t()[*t] / (1.0 - p_t)).collect();
        let rows: Vec<f64> = kept.iter().flat_map(|t| step.clusters.p_y_given(*t).to_vec()).collect();
        Clusters::new(&weights, &rows)
    })
}

/// Cluster t merged with another one, at their centre of mass.
fn merged(joint: &Joint, beta: f64, step: &Step, t: usize, other: usize) -> Option<Clusters> {
    let n_t = step.clusters.n_clusters();
    let (a, b) = (step.clusters.p_t()[t], step.clusters.p_t()[other]);
    let rows = step.clusters.p_y_given(t).iter().zip(step.clusters.p_y_given(other));
    let centre: Vec<f64> = rows.map(|(r, s)| (a * r + b * s) / (a + b)).collect();
    let log_centre: Vec<f64> = centre.iter().map(|p| p.ln()).collect();
    let mut change = 0.0;
    for (x, row) in step.encoder.chunks_exact(n_t).enumerate() {
        let of_centre = ((a + b).ln() - beta * joint.divergence(x, &log_centre) - step.log_z[x]).exp();
        change -= joint.p_x()[x] * (of_centre - row[t] - row[other]).ln_1p();
    }
    let same = distance(step.clusters.p_y_given(t), step.clusters.p_y_given(other)) < SAME_PLACE;
    (same || change <= ROUNDING).then(|| {
        let kept: Vec<usize> = (0..n_t).filter(|third| *third != t && *third != other).collect();
        let mut p_t: Vec<f64> = kept.iter().map(|t| step.clusters.p_t()[*t]).collect();
        let mut rows: Vec<f64> = kept.iter().flat_map(|t| step.clusters.p_y_given(*t).to_vec()).collect();
        p_t.push(a + b);
        rows.extend(centre);
        Clusters::new(&p_t, &rows)
    })
}

/// `maxima` added to the clusters: with weight from all clusters, or each with weight from the nearest cluster,
/// whichever decreases F more, with the power of ½ as weight that decreases F most.
///
/// The second way is for clusters that must move or divide, which the iteration does slowly (Böhning 1986, "A
/// vertex-exchange-method in D-optimal design theory").
pub(super) fn extended(joint: &Joint, beta: f64, step: &Step, maxima: &[Maximum]) -> Clusters {
    let clusters = &step.clusters;
    let (n_t, n_new) = (clusters.n_clusters(), maxima.len());
    let nearest: Vec<usize> = maxima
        .iter()
        .map(|maximum| {
            let distances = (0..n_t).map(|t| distance(clusters.p_y_given(t), &maximum.place));
            let least = distances.enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
            least.expect("there are clusters").0
        })
        .collect();
    let shares = |t: usize| nearest.iter().filter(|parent| **parent == t).count();

    // Δ ln Z(x) for a share s of the step is ln (1 + s d(x)): from all clusters, and from the nearest ones.
    let mut from_all = vec![-1.0; joint.n_x()];
    let mut from_nearest = vec![0.0; joint.n_x()];
    for (x, row) in step.encoder.chunks_exact(n_t).enumerate() {
        from_nearest[x] -= (0..n_t).filter(|t| shares(*t) > 0).map(|t| row[t]).sum::<f64>();
    }
    for (maximum, parent) in maxima.iter().zip(&nearest) {
        let log_place: Vec<f64> = maximum.place.iter().map(|p| p.ln()).collect();
        let p_t = clusters.p_t()[*parent] / shares(*parent) as f64;
        for x in 0..joint.n_x() {
            let ratio = (-beta * joint.divergence(x, &log_place) - step.log_z[x]).exp();
            from_all[x] += ratio / n_new as f64;
            from_nearest[x] += ratio * p_t;
        }
    }
    let best = |direction: &[f64]| {
        let change = |s: f64| -direction.iter().zip(joint.p_x()).map(|(d, p)| p * (s * d).ln_1p()).sum::<f64>();
        let ways = (0..40).map(|halvings| 0.5_f64.powi(halvings)).map(|s| (change(s), s));
        ways.min_by(|a, b| a.0.total_cmp(&b.0)).expect("there are 40")
    };
    let (shared, near) = (best(&from_all), best(&from_nearest));

    let (mut p_t, mut rows) = (Vec::new(), Vec::new());
    let mut add = |p: f64, row: &[f64]| {
        if p > 0.0 {
            p_t.push(p);
            rows.extend_from_slice(row);
        }
    };
    for (t, p) in clusters.p_t().iter().enumerate() {
        let share = if shared.0 <= near.0 {
            shared.1
        } else if shares(t) > 0 {
            near.1
        } else {
            0.0
        };
        add(p * (1.0 - share), clusters.p_y_given(t));
    }
    for (maximum, parent) in maxima.iter().zip(&nearest) {
        let of_parent = clusters.p_t()[*parent] / shares(*parent) as f64;
        add(if shared.0 <= near.0 { shared.1 / n_new as f64 } else { near.1 * of_parent }, &maximum.place);
    }
    Clusters::new(&p_t, &rows)
}

/// A local maximum of g.
#[derive(Debug, Clone)]
pub(super) struct Maximum {
    /// r.
    place: Vec<f64>,
    /// ln g(r) in nats.
    pub(super) log_g: f64,
}

/// The maxima of g at β that are reached by ascents from the p(y|x) of the inputs and from p(y), the highest first.
///
/// The ascent r ← Σ_x v(x) p(y|x), v(x) ∝ p(x) exp(−β KL[p(y|x) ‖ r])/Z(x), increases g in every step (like EM). More
/// than 256 inputs are represented by 256 distant ones. It is not proven that the highest maximum is among those found,
/// but every maximum of g is an average of rows p(y|x) dominated by the nearest rows.
pub(super) fn maxima(joint: &Joint, beta: f64, step: &Step, starts: &[usize]) -> Vec<Maximum> {
    let log_v: Vec<f64> = joint.p_x().iter().zip(&step.log_z).map(|(p, log_z)| p.ln() - log_z).collect();
    let mut v = vec![0.0; joint.n_x()];
    let mut ascend = |place: &mut Vec<f64>| -> f64 {
        let log_place: Vec<f64> = place.iter().map(|p| p.ln()).collect();
        for (x, v) in v.iter_mut().enumerate() {
            *v = log_v[x] - beta * joint.divergence(x, &log_place);
        }
        let log_g = normalise(&mut v);
        place.fill(0.0);
        for (x, v) in v.iter().enumerate() {
            for (r, p) in place.iter_mut().zip(joint.p_y_given_x(x)) {
                *r += v * p;
            }
        }
        log_g
    };
    let mut places: Vec<Vec<f64>> = starts.iter().map(|x| joint.p_y_given_x(*x).to_vec()).collect();
    places.push(joint.p_y().to_vec());
    for _ in 0..FIRST_STEPS {
        for place in &mut places {
            ascend(place);
        }
        places = distinct(places);
    }
    let mut found: Vec<Maximum> = Vec::new();
    for mut place in places {
        let mut log_g = f64::NEG_INFINITY;
        for _ in 0..LAST_STEPS {
            let before = place.clone();
            let reached = ascend(&mut place);
            let gain = reached - log_g;
            log_g = reached;
            if gain < LEAST_GAIN {
                place = before;
                break;
            }
        }
        if found.iter().all(|other| distance(&other.place, &place) > SAME_ASCENT) {
            found.push(Maximum { place, log_g });
        }
    }
    found.sort_by(|a, b| b.log_g.total_cmp(&a.log_g));
    found
}

fn distinct(places: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let mut kept: Vec<Vec<f64>> = Vec::new();
    for place in places {
        if kept.iter().all(|other| distance(other, &place) > SAME_ASCENT) {
            kept.push(place);
        }
    }
    kept
}

/// Up to 256 merged inputs, each with the largest distance from the previous ones.
pub(super) fn starts(joint: &Joint) -> Vec<usize> {
    if joint.n_x() <= N_STARTS {
        return (0..joint.n_x()).collect();
    }
    let mut chosen = vec![0];
    let mut nearest = vec![f64::INFINITY; joint.n_x()];
    while chosen.len() < N_STARTS {
        let last = joint.p_y_given_x(chosen[chosen.len() - 1]);
        for (x, nearest) in nearest.iter_mut().enumerate() {
            *nearest = nearest.min(distance(joint.p_y_given_x(x), last));
        }
        let farthest = (0..joint.n_x()).max_by(|a, b| nearest[*a].total_cmp(&nearest[*b]));
        chosen.push(farthest.expect("there are inputs"));
    }
    chosen
}

/// Σ_y |r(y) − s(y)|.
fn distance(r: &[f64], s: &[f64]) -> f64 {
    r.iter().zip(s).map(|(r, s)| (r - s).abs()).sum()
}
