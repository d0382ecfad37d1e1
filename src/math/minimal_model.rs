//! The exact information of the smallest network that compresses: one Gaussian input, one weight, one binned unit.
//!
//! X ~ N(0, 1), h = f(wX), T is the bin of h. T is a function of X, so I(X;T) = H(T) = −Σ p_i ln p_i with p_i =
//! Φ(f⁻¹(b_{i+1})/w) − Φ(f⁻¹(b_i)/w) between the edges b_i of the bins.
//!
//! # Reference
//! Saxe et al. 2018, "On the information bottleneck theory of deep learning", Fig. 2 and, for bins of the net input, Fig. 13.

use thiserror::Error;

use crate::math::normal::probability;
use crate::units::Nats;

/// A rising activation function t = f(z).
#[derive(Debug, Clone, Copy)]
pub struct Curve {
    /// Name in pipelines.
    pub name: &'static str,
    /// The minimum and the maximum of t, or their limits.
    pub range: (f64, f64),
    /// f rises strictly between these z, and is constant elsewhere.
    pub rising: (f64, f64),
    /// f⁻¹ of a t within the range.
    inverse: fn(f64) -> f64,
}

/// Bins of the unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bins {
    /// This number of equal bins over the range of a bounded function; the upper end is in the last bin.
    Equal(usize),
    /// ⌊t/width⌋.
    Width(f64),
    /// The edges f(z) for this number of z, evenly spaced from −50 to 50: equal bins of the net input.
    ///
    /// Deviation: in f64 tanh is ±1 from ±19.1 on, where the edges of the paper coincide; here they are exact.
    NetInput(usize),
}

/// Why there is no value.
#[derive(Debug, Error, Clone, PartialEq)]
pub enum MinimalModelError {
    /// A weight that is not finite.
    #[error("the weight is {weight}; it must be a finite number")]
    Weight {
        /// The weight.
        weight: f64,
    },
    /// Equal bins over an unbounded range.
    #[error("`{curve}` is unbounded and cannot be divided into equal bins; use a bin width")]
    Unbounded {
        /// The activation function.
        curve: &'static str,
    },
    /// Invalid bins.
    #[error("{what}; {allowed}")]
    Bins {
        /// The given bins.
        what: String,
        /// The allowed bins.
        allowed: &'static str,
    },
    /// Too many bins to sum over.
    #[error(
        "{n:.0} bins of `{curve}` at weight {weight}, but at most {MOST_BINS} are allowed; choose wider bins or a smaller weight"
    )]
    TooMany {
        /// Number of bins with a non-zero probability.
        n: f64,
        /// The activation function.
        curve: &'static str,
        /// The weight.
        weight: f64,
    },
}

/// Standard deviations of X beyond which the bins at each end are counted as one. It has the probability 1.1e−19, so
/// the entropy of up to `MOST_BINS` bins within it is below 1e−17 nats.
const LAST_DEVIATION: f64 = 9.0;

/// Number of probabilities that can be summed in about a second.
const MOST_BINS: usize = 10_000_000;

/// Range of the net inputs for the edges of [`Bins::NetInput`].
const NET_INPUTS: (f64, f64) = (-50.0, 50.0);

/// Slope of the leaky ReLU below 0, as in PyTorch by default.
const LEAK: f64 = 0.01;

const INFINITY: f64 = f64::INFINITY;

/// All functions, with their names in pipelines. SiLU falls before it rises and has no inverse.
pub const CURVES: &[Curve] = &[
    Curve { name: "tanh", range: (-1.0, 1.0), rising: (-INFINITY, INFINITY), inverse: f64::atanh },
    Curve { name: "relu", range: (0.0, INFINITY), rising: (0.0, INFINITY), inverse: |t| t },
    Curve {
        name: "leaky_relu",
        range: (-INFINITY, INFINITY),
        rising: (-INFINITY, INFINITY),
        inverse: |t| if t < 0.0 { t / LEAK } else { t },
    },
    Curve {
        name: "elu",
        range: (-1.0, INFINITY),
        rising: (-INFINITY, INFINITY),
        inverse: |t| if t < 0.0 { t.ln_1p() } else { t },
    },
    Curve { name: "sigmoid", range: (0.0, 1.0), rising: (-INFINITY, INFINITY), inverse: |t| t.ln() - (-t).ln_1p() },
    Curve { name: "softsign", range: (-1.0, 1.0), rising: (-INFINITY, INFINITY), inverse: |t| t / (1.0 - t.abs()) },
    Curve {
        name: "softplus",
        range: (0.0, INFINITY),
        rising: (-INFINITY, INFINITY),
        // ln(e^t − 1), which is t for a large t.
        inverse: |t| t + (-(-t).exp_m1()).ln(),
    },
    Curve { name: "hard_tanh", range: (-1.0, 1.0), rising: (-1.0, 1.0), inverse: |t| t },
    Curve { name: "relu6", range: (0.0, 6.0), rising: (0.0, 6.0), inverse: |t| t },
    Curve { name: "linear", range: (-INFINITY, INFINITY), rising: (-INFINITY, INFINITY), inverse: |t| t },
];

/// I(X;T) = H(T) for X ~ N(0, 1) and T the bin of f(wX), with f = `curve` and w = `weight`; from 0 to the logarithm of
/// the number of bins, and 0 at w = 0.
///
/// # Errors
/// A weight that is not finite, no bins, equal bins of an unbounded function, or more than ten million bins.
pub fn i_xt(weight: f64, curve: &Curve, bins: Bins) -> Result<Nats, MinimalModelError> {
    if !weight.is_finite() {
        return Err(MinimalModelError::Weight { weight });
    }
    bins.check(curve)?;
    // −X has the distribution of X, so that the sign of the weight does not matter.
    let w = weight.abs();
    if w == 0.0 {
        return Ok(Nats(0.0));
    }
    let mut h = 0.0;
    let mut below = -INFINITY;
    let mut add = |edge: f64| {
        let p = probability(below, edge);
        if p > 0.0 {
            h -= p * p.ln();
        }
        below = edge;
    };
    let edges = BinEdges::new(w, curve, bins)?;
    edges.net_inputs().for_each(|z| add(z / w));
    add(INFINITY);
    Ok(Nats(h))
}

impl Curve {
    /// The function `name`.
    pub fn named(name: &str) -> Option<&'static Self> {
        CURVES.iter().find(|curve| curve.name == name)
    }

    /// Whether its range can be divided into a given number of equal bins.
    pub fn is_bounded(&self) -> bool {
        self.range.0.is_finite() && self.range.1.is_finite()
    }
}

impl Bins {
    /// Description of the bins.
    pub fn in_words(self, curve: &Curve) -> String {
        match self {
            Bins::Equal(n) => format!("{n} equal bins over [{}, {}]", curve.range.0, curve.range.1),
            Bins::Width(width) => format!("bins of width {width}"),
            Bins::NetInput(n) => {
                format!("{n} edges, evenly spaced in net input from {} to {}", NET_INPUTS.0, NET_INPUTS.1)
            }
        }
    }

    fn check(self, curve: &Curve) -> Result<(), MinimalModelError> {
        let refused = |what: String, allowed| Err(MinimalModelError::Bins { what, allowed });
        match self {
            Bins::Equal(_) if !curve.is_bounded() => Err(MinimalModelError::Unbounded { curve: curve.name }),
            Bins::Equal(0) => refused("0 equal bins".to_owned(), "give at least 1"),
            Bins::NetInput(n) if n < 2 => refused(format!("{n} edges of the net input"), "give at least 2"),
            Bins::Width(width) if !(width > 0.0 && width.is_finite()) => {
                refused(format!("bins of width {width}"), "must be a finite number above 0")
            }
            _ => Ok(()),
        }
    }
}

/// The edges that separate values of t, except for values with a total probability of 10⁻¹⁹.
struct BinEdges<'a> {
    curve: &'a Curve,
    bins: Bins,
    /// Numbers of the first and the last edge that may be among them; the ends are checked again.
    first: f64,
    n: usize,
    /// Range of their net inputs.
    within: (f64, f64),
}

impl<'a> BinEdges<'a> {
    fn new(w: f64, curve: &'a Curve, bins: Bins) -> Result<Self, MinimalModelError> {
        let furthest = LAST_DEVIATION * w;
        let (low, high) = curve.rising;
        let within = (low.max(-furthest), high.min(furthest));
        let (first, n) = match bins {
            Bins::Equal(n_bins) => (1.0, n_bins as f64 - 1.0),
            Bins::NetInput(n_edges) => (0.0, n_edges as f64),
            // No function exceeds the larger of its z and its range: leaky ReLU, ELU and the bounded ones are below
            // |z|, softplus is
            // ln 2 above it, the sigmoid within 1.
            Bins::Width(width) => {
                let (lowest, highest) = (curve.range.0.max(-furthest), curve.range.1.min(furthest + 1.0));
                let first = (lowest / width).floor();
                (first, (highest / width).ceil() - first + 1.0)
            }
        };
        if n > MOST_BINS as f64 {
            return Err(MinimalModelError::TooMany { n, curve: curve.name, weight: w });
        }
        Ok(Self { curve, bins, first, n: n as usize, within })
    }

    /// z of each edge, ascending.
    fn net_inputs(&self) -> impl Iterator<Item = f64> + '_ {
        let (low, high) = self.within;
        (0..self.n).filter_map(|i| self.net_input(self.first + i as f64)).filter(move |z| *z > low && *z <= high)
    }

    /// z of edge number k; `None` if one of its sides has no t.
    fn net_input(&self, k: f64) -> Option<f64> {
        let (low, high) = self.curve.range;
        let t = match self.bins {
            Bins::Equal(n) => low + (high - low) * k / n as f64,
            Bins::Width(width) => k * width,
            Bins::NetInput(n) => {
                let (from, to) = NET_INPUTS;
                let z = from + (to - from) * k / (n as f64 - 1.0);
                return Some(z.min(self.curve.rising.1));
            }
        };
        // An edge at the largest t separates the z with this t from the others.
        (t > low && t <= high).then(|| (self.curve.inverse)(t))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::normal::quantile;

    fn bits(name: &str, bins: Bins, w: f64) -> f64 {
        i_xt(w, Curve::named(name).unwrap(), bins).unwrap().bits()
    }

    #[test]
    fn the_table_of_reference_values_is_reproduced() {
        // Computed with the formula of Saxe et al. 2018 in Python, four decimals: tanh in 30 bins, ReLU in bins of 2/30 and of 1.
        let table = [
            (0.1, 2.6445, 1.1444, 0.0),
            (0.5, 4.6312, 2.7254, 0.1570),
            (0.85, 4.8992, 3.1884, 0.5772),
            (1.0, 4.8771, 3.3253, 0.7328),
            (2.0, 4.1573, 3.8880, 1.4424),
            (5.0, 2.7751, 4.5954, 2.3521),
            (10.0, 2.0442, 5.1140, 2.9797),
            (100.0, 1.1506, 6.7956, 4.8119),
        ];
        for (w, tanh, narrow, wide) in table {
            for (got, want) in [
                (bits("tanh", Bins::Equal(30), w), tanh),
                (bits("relu", Bins::Width(2.0 / 30.0), w), narrow),
                (bits("relu", Bins::Width(1.0), w), wide),
            ] {
                assert!((got - want).abs() <= 0.5e-4, "w = {w}: {got}, expected {want}");
            }
        }
    }

    #[test]
    fn tanh_has_a_maximum_and_loses_all_but_one_bit() {
        // Saxe et al. 2018, Fig. 2C: rises to 4.9 bits, then falls towards the entropy of the sign of X. Digits from
        // Python's math.erfc.
        let at = |w| bits("tanh", Bins::Equal(30), w);
        let best = (1..=1000).map(|i| f64::from(i) / 100.0).max_by(|a, b| at(*a).total_cmp(&at(*b))).unwrap();
        // Thirty terms of size 0.2, each with the rounding of its p.
        assert!(best == 0.87 && (at(best) - 4.899_786_917_453_492).abs() < 1e-13, "{best}: {}", at(best));
        // With a width of 1e6 standard deviations, each inner bin has a probability of about 5/1e6.
        assert!((at(1e6) - 1.0).abs() < 1e-3, "{}", at(1e6));
    }

    #[test]
    fn information_of_unbounded_units_grows_with_their_weight() {
        // A density with scale w in bins of width d has the entropy h + log2(w/d): a decade of w is log2 10 = 3.32
        // bits, and half of it for ReLU, which is 0 in half of the cases. The next term is of order (d/w)², below 1e−4.
        let decade = 10_f64.log2();
        for (name, share) in [("linear", 1.0), ("leaky_relu", 1.0), ("relu", 0.5)] {
            // The leaky half of the leaky ReLU needs a weight one hundred times as large.
            let rise = bits(name, Bins::Width(1.0), 1e5) - bits(name, Bins::Width(1.0), 1e4);
            assert!((rise - share * decade).abs() < 2e-3, "{name}: {rise}");
        }
        let relu: Vec<f64> = (0..200).map(|i| bits("relu", Bins::Width(1.0), f64::from(i) / 20.0)).collect();
        assert!(relu.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!(relu[0], 0.0);
    }

    #[test]
    fn every_curve_agrees_with_counting() {
        type Forward = (&'static str, fn(f64) -> f64);
        let forward: [Forward; 10] = [
            ("tanh", f64::tanh),
            ("relu", |z| z.max(0.0)),
            ("leaky_relu", |z| if z < 0.0 { 0.01 * z } else { z }),
            ("elu", |z| if z < 0.0 { z.exp_m1() } else { z }),
            ("sigmoid", |z| 1.0 / (1.0 + (-z).exp())),
            ("softsign", |z| z / (1.0 + z.abs())),
            ("softplus", |z| z.exp().ln_1p()),
            ("hard_tanh", |z| z.clamp(-1.0, 1.0)),
            ("relu6", |z| z.clamp(0.0, 6.0)),
            ("linear", |z| z),
        ];
        assert_eq!(forward.map(|(name, _)| name).to_vec(), CURVES.iter().map(|c| c.name).collect::<Vec<_>>());
        const N: usize = 100_000;
        let x: Vec<f64> = (0..N).map(|i| quantile((i as f64 + 0.5) / N as f64)).collect();
        for (name, f) in forward {
            let curve = Curve::named(name).unwrap();
            let edges: Vec<f64> = (0..30).map(|k| f(-50.0 + 100.0 * f64::from(k) / 29.0)).collect();
            let (low, high) = curve.range;
            for w in [0.3, 1.7, -4.0, 20.0] {
                let t: Vec<f64> = x.iter().map(|x| f(w * x)).collect();
                let check = |bins: Bins, cell: &dyn Fn(f64) -> i64| {
                    let mut cells: Vec<i64> = t.iter().map(|t| cell(*t)).collect();
                    cells.sort_unstable();
                    let counts: Vec<usize> = cells.chunk_by(|a, b| a == b).map(<[i64]>::len).collect();
                    let p = |n: &usize| *n as f64 / N as f64;
                    let counted = counts.iter().map(|n| -p(n) * p(n).log2()).sum::<f64>();
                    // Of a stretch of quantiles, the count is right to one; −p log2 p changes by less than log2(N)/N then, also
                    // for a bin that is not met at all.
                    let tolerance = (counts.len() + 2) as f64 * (N as f64).log2() / N as f64;
                    let exact = bits(name, bins, w);
                    assert!((exact - counted).abs() < tolerance, "{name} {bins:?} {w}: {exact}, counted {counted}");
                };
                check(Bins::Width(0.3), &|t| (t / 0.3).floor() as i64);
                // Beyond ±19, tanh in f64 is at its limits, so counting fails.
                if w.abs() < 4.5 {
                    check(Bins::NetInput(30), &|t| edges.iter().filter(|edge| **edge <= t).count() as i64);
                }
                if curve.is_bounded() {
                    let width = (high - low) / 7.0;
                    check(Bins::Equal(7), &|t| (((t - low) / width).floor() as i64).min(6));
                }
            }
        }
    }

    #[test]
    fn bins_of_the_net_input_show_no_compression() {
        // Saxe et al. 2018, Fig. 13: information rises with the weight.
        let at: Vec<f64> = (1..=100).map(|i| bits("tanh", Bins::NetInput(101), f64::from(i) / 10.0)).collect();
        assert!(at.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn what_cannot_be_binned_is_refused() {
        let relu = Curve::named("relu").unwrap();
        let refused = |weight, bins| i_xt(weight, relu, bins).unwrap_err().to_string();
        assert_eq!(refused(f64::NAN, Bins::Width(1.0)), "the weight is NaN; it must be a finite number");
        let unbounded = "`relu` is unbounded and cannot be divided into equal bins; use a bin width";
        assert_eq!(refused(1.0, Bins::Equal(30)), unbounded);
        assert_eq!(refused(1.0, Bins::Width(-1.0)), "bins of width -1; must be a finite number above 0");
        assert_eq!(refused(1.0, Bins::NetInput(1)), "1 edges of the net input; give at least 2");
        assert!(refused(1e300, Bins::Width(1.0)).contains("at most 10000000 are allowed"));
        assert!(refused(1.0, Bins::Width(1e-300)).contains("choose wider bins"));
        assert!(Curve::named("silu").is_none());
    }

    #[test]
    fn extreme_weights_give_finite_results() {
        for w in [5e-324, 1e-300, 1e-12] {
            // ReLU: everything in the first bin. tanh: an edge at 0 separates the signs.
            assert_eq!(bits("relu", Bins::Width(1.0), w), 0.0);
            assert_eq!(bits("tanh", Bins::Equal(30), w), 1.0);
        }
        assert!((bits("tanh", Bins::Equal(30), 1e300) - 1.0).abs() < 1e-12);
    }
}
