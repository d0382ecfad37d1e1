//! One tile on its way through an operation, forward and back, and what the operation has seen of a batch.

/// One tile on its way forward.
pub(super) struct Forward<'a> {
    pub(super) from: &'a [f32],
    pub(super) to: &'a mut [f32],
    /// What the way back needs besides.
    pub(super) kept: &'a mut [f32],
    /// Samples that are not padding.
    pub(super) n_valid: usize,
}

/// One tile on its way back.
pub(super) struct Backward<'a> {
    pub(super) from: &'a [f32],
    pub(super) to: &'a [f32],
    pub(super) kept: &'a [f32],
    /// ∂loss/∂`to`, to become ∂loss/∂`from`.
    pub(super) delta: &'a mut [f32],
    pub(super) n_valid: usize,
}

/// What an operation has seen of a batch in training; empty before.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen(pub(super) Vec<f32>);

impl Seen {
    /// Forgets it and keeps the room.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}
