//! Statistics of single weights over several runs: quantised entropy, and drift from the initial distribution.

use std::f64::consts::LN_2;

use statrs::function::gamma::digamma;

use crate::math::descriptive::{mean, population_variance};
use crate::math::entropy::{Bias, CountTable};
use crate::math::gaussian_kl::gaussian_kl;
use crate::parameter::{Kind, ParameterError};
use crate::units::Nats;
use crate::weights::check_number;

/// Cells of equal width, floor(w/width): the resolution of the entropy of a weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightCells {
    width: f64,
}

/// The entropy of a weight over R runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightEntropy {
    /// Plug-in entropy of the cells, at most ln R.
    pub plug_in: Nats,
    /// Plug-in entropy plus (occupied cells − 1)/2R (Miller 1955), so at most ln R + (R − 1)/2R.
    pub miller_madow: Nats,
}

impl WeightCells {
    /// Cells with this `width`.
    ///
    /// # Errors
    /// A width that is not a finite number above 0.
    pub fn new(width: f64) -> Result<Self, ParameterError> {
        Ok(Self { width: check_number("cell", width, Kind::Positive)? })
    }

    /// The entropy of the cells of a weight with the `values` in the runs; 0 without runs.
    pub fn entropy(self, values: &[f64]) -> WeightEntropy {
        if values.is_empty() {
            return WeightEntropy { plug_in: Nats(0.0), miller_madow: Nats(0.0) };
        }
        let mut cells: Vec<f64> = values.iter().map(|weight| (weight / self.width).floor()).collect();
        cells.sort_by(f64::total_cmp);
        let counts: Vec<u32> = cells.chunk_by(|a, b| a == b).map(|equal| equal.len() as u32).collect();
        let entropy = |bias| CountTable::new(values.len(), bias).entropy(&counts);
        WeightEntropy { plug_in: entropy(Bias::PlugIn), miller_madow: entropy(Bias::MillerMadow) }
    }
}

/// KL(N(μ, s²) ‖ N(0, s₀²)) of a weight with the `values` in the runs. μ and s² are their mean and variance (divided by
/// their number), and s₀ is the standard deviation `initial_std` of the initial distribution. Infinite if all values
/// are equal; `None` without runs.
pub fn gaussian_drift(values: &[f64], initial_std: f64) -> Option<Nats> {
    Some(Nats(gaussian_kl(mean(values)?, population_variance(values)?, initial_std * initial_std)))
}

/// Mean of [`gaussian_drift`] over R runs for a weight that still has the initial distribution, (ln R − ln 2 − ψ((R −
/// 1)/2))/2; infinite for fewer than two runs.
pub fn drift_floor(n_runs: usize) -> Nats {
    if n_runs < 2 {
        return Nats(f64::INFINITY);
    }
    let r = n_runs as f64;
    Nats(0.5 * (r.ln() - LN_2 - digamma(0.5 * (r - 1.0))))
}
