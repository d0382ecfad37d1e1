//! The quantities of the gradient noise.

use super::super::Quantity;

pub(super) const QUANTITIES: &[Quantity] = &[
    Quantity::samples("noise_scale", "simple noise scale, tr Σ/|G|², in samples"),
    Quantity::samples(
        "unbiased_noise_scale",
        "simple noise scale from unbiased estimates of |G|² and tr Σ, in samples",
    ),
    Quantity::ratio(
        "snr",
        "norm of the mean gradient divided by the standard deviation of the gradients of single samples",
    ),
    Quantity::ratio(
        "batch_snr",
        "norm of the mean gradient divided by the standard deviation of the gradients of batches of the recorded size",
    ),
    Quantity::ratio("squared_gradient", "|G|², squared norm of the mean gradient"),
    Quantity::ratio("covariance_trace", "tr Σ of the gradients of single samples"),
    Quantity::samples("two_batch_noise_scale", "noise scale from the gradients of batches of two sizes, in samples"),
    Quantity::samples(
        "curvature_noise_scale",
        "noise scale with the curvature, tr(HΣ)/(GᵀHG) with the Hessian H, in samples",
    ),
    Quantity::bits(
        "step_information",
        "upper bound on the information of one Langevin step about its batch, from the determinant, in bits",
    ),
    Quantity::bits(
        "step_information_by_trace",
        "upper bound on the information of one Langevin step about its batch, from the trace, in bits",
    ),
    Quantity::ratio(
        "compat_elementwise_snr",
        "signal-to-noise ratio as in the released code, from means over single weights",
    ),
    Quantity::ratio(
        "compat_batch_variance",
        "variance of the gradients of batches, which the released code reports as the variance of the gradients of samples",
    ),
];
