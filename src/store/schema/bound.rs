//! The information bottleneck curve and the exact minimal model.

use std::sync::Arc;

use super::tables;
use crate::estimate_id::EstimateId;
use crate::layer_id::LayerId;

tables! {
    /// One value of β: the best encoder for the data, a point of the information bottleneck curve.
    "bound" = BoundRow {
        /// Lagrange multiplier β; the encoder minimises I(X;T) − β I(T;Y).
        beta: f64,
        /// I(X;T) of the encoder, in bits.
        i_xt_bits: f64,
        /// I(T;Y) of the encoder, in bits; no T with this I(X;T) has a larger one.
        i_ty_bits: f64,
        /// Number of values of T.
        n_clusters: i32,
        /// Number of iterations of the self-consistent equations.
        n_iterations: i64,
        /// Distance of the encoder from a solution of the self-consistent equations, from 0 to 2: the mean over x of Σ_t |p(t|x) − p_new(t|x)|, with p_new the encoder after one more iteration.
        residual: f64,
        /// Upper bound, in bits, on the difference between I(X;T) − β I(T;Y) of this encoder and its minimum over all encoders.
        lagrangian_gap_bits: f64,
        /// Why the point is not reliable; otherwise null.
        failure: Option<String>,
    }

    /// One estimator, run and layer at the last recorded snapshot: its distance from the information bottleneck curve.
    "bound_layers" = BoundLayerRow {
        /// Identity of the estimate whose discrete code of T is used as the encoder p(t|x).
        #[serde(flatten)]
        estimator: Arc<EstimateId>,
        /// Name of the run; `r0000` is the first.
        run: String,
        /// Number of the layer: 1 is the first layer after the input; the highest number is the output layer.
        layer: LayerId,
        /// Name of the layer; null if it has none, and in files before version 8.
        layer_name: Option<Arc<str>>,
        /// Number of complete passes over the training samples.
        epoch: i32,
        /// Number of weight updates; 0 is the untrained network.
        step: i64,
        /// I(X;T) of the code of the layer, in bits.
        i_xt_bits: Option<f64>,
        /// I(T;Y) of the code of the layer, in bits.
        i_ty_bits: Option<f64>,
        /// I(T;Y) of the information bottleneck curve at the I(X;T) of the code, in bits: a value that is known to be attainable.
        i_ty_bound_bits: Option<f64>,
        /// `i_ty_bound_bits` − `i_ty_bits`, in bits; 0 is on the curve; null if the curve is not known to 0.001 nats at this I(X;T).
        gap_bits: Option<f64>,
        /// The β whose solution is nearest to the code of the layer. For each β, the self-consistent equations are iterated, starting from this code. Null if no solution keeps all cells of the code, or if the nearest β is an end of the searched range.
        beta: Option<f64>,
        /// Distance of the code p(t|x) from the solution p_β(t|x) at `beta`: the mean over x of KL[p(t|x) ‖ p_β(t|x)], in nats; null if `beta` is null.
        divergence_nats: Option<f64>,
        /// β for which one iteration of the self-consistent equations changes the code of the layer least, the fit of Shwartz-Ziv & Tishby; null if it is an end of the searched range.
        beta_one_step: Option<f64>,
        /// Mean over x of the KL divergence of the code of the layer from the result of one iteration at `beta_one_step`, in nats; null if `beta_one_step` is null.
        divergence_one_step_nats: Option<f64>,
        /// I(X;T) of the solution at `beta`, in bits.
        i_xt_fitted_bits: Option<f64>,
        /// I(T;Y) of the solution at `beta`, in bits.
        i_ty_fitted_bits: Option<f64>,
        /// What is missing in the fit and why; otherwise null.
        failure: Option<String>,
    }

    /// One activation function, kind of bins and weight w: the exact information of a single binned unit, T = bin(f(wX)) with X ~ N(0, 1).
    "minimal_model" = MinimalModelRow {
        /// The activation function f.
        activation: String,
        /// Description of the bins.
        bins: String,
        /// The weight w.
        weight: f64,
        /// I(X;T) = H(T) in bits.
        i_xt_bits: f64,
    }
}
