//! The information bottleneck's curve and the exact minimal model.

use std::sync::Arc;

use super::tables;
use crate::estimate_id::EstimateId;
use crate::layer_id::LayerId;

tables! {
    /// One multiplier β: the best encoder of the data for it, a point of the information bottleneck's curve.
    "bound" = BoundRow {
        /// β of I(X;T) − β I(T;Y), which the encoder makes as small as possible.
        beta: f64,
        /// I(X;T) in bits.
        i_xt_bits: f64,
        /// I(T;Y) in bits: no T with this I(X;T) has more.
        i_ty_bits: f64,
        /// Values of T.
        n_clusters: i32,
        /// Rounds of the self-consistent equations.
        n_iterations: i64,
        /// How far the encoder is from the self-consistent equations: the mean over x of Σ_t |p(t|x) − what they give|, from 0 to 2.
        residual: f64,
        /// I(X;T) − β I(T;Y) is at most this above its minimum over all encoders, in bits.
        lagrangian_gap_bits: f64,
        /// Why the point is not to be trusted, else null.
        failure: Option<String>,
    }

    /// One run and layer at its last recorded snapshot: how near it is to the information bottleneck's bound.
    "bound_layers" = BoundLayerRow {
        /// Identity of the estimator whose code of T is taken for the encoder p(t|x).
        #[serde(flatten)]
        estimator: Arc<EstimateId>,
        /// Run, `r0000` is the first.
        run: String,
        /// Number of the layer, 1 is the first above the input, the last is the output.
        layer: LayerId,
        /// What the layer is called; null where it has no name, and in files before version 8.
        layer_name: Option<Arc<str>>,
        /// Whole passes over the training samples.
        epoch: i32,
        /// Updates of the weights so far.
        step: i64,
        /// I(X;T) of the code, in bits.
        i_xt_bits: Option<f64>,
        /// I(T;Y) of the code, in bits.
        i_ty_bits: Option<f64>,
        /// I(T;Y) of the bound at the same I(X;T), in bits: what is reached for certain.
        i_ty_bound_bits: Option<f64>,
        /// The bound less I(T;Y) of the code, in bits: 0 is on the curve; null where the curve is not known to 0.001 nats there.
        gap_bits: Option<f64>,
        /// β at which the solution of the self-consistent equations that is reached from the layer's code is nearest to the code; null where no solution keeps all of its cells, and where the end of the range decides it.
        beta: Option<f64>,
        /// How near: the mean over x of KL[p(t|x) ‖ p_β(t|x)], in nats, p(t|x) being the code.
        divergence_nats: Option<f64>,
        /// β at which one round of the equations is nearest to the layer's code: what Shwartz-Ziv & Tishby fit; null where the end of the range decides it.
        beta_one_step: Option<f64>,
        /// How near.
        divergence_one_step_nats: Option<f64>,
        /// I(X;T) of the solution at `beta`, in bits.
        i_xt_fitted_bits: Option<f64>,
        /// I(T;Y) of the solution at `beta`, in bits.
        i_ty_fitted_bits: Option<f64>,
        /// What is missing of the fit and why, else null.
        failure: Option<String>,
    }

    /// One activation function, kind of bins and weight w: the exact information of a single binned unit, T = bin(f(wX)) with X ~ N(0, 1).
    "minimal_model" = MinimalModelRow {
        /// The activation function f.
        activation: String,
        /// The bins, in words.
        bins: String,
        /// The weight w.
        weight: f64,
        /// I(X;T) = H(T) in bits.
        i_xt_bits: f64,
    }
}
