//! Data that pass through an operation: a tile forward and backward, and the statistics of a batch.

/// A tile in the forward pass.
pub(super) struct Forward<'a> {
    pub(super) from: &'a [f32],
    pub(super) to: &'a mut [f32],
    /// Other values that the backward pass needs.
    pub(super) kept: &'a mut [f32],
    /// Number of samples that are not padding.
    pub(super) n_valid: usize,
}

/// A tile in the backward pass.
pub(super) struct Backward<'a> {
    pub(super) from: &'a [f32],
    pub(super) to: &'a [f32],
    pub(super) kept: &'a [f32],
    /// ∂loss/∂`to`, to be replaced with ∂loss/∂`from`.
    pub(super) delta: &'a mut [f32],
    pub(super) n_valid: usize,
}

/// Statistics of a batch that an operation computes in training; empty before.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen(pub(super) Vec<f32>);

impl Seen {
    /// Clears the statistics and keeps the memory.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}
