//! One function applied to every value of a slice, compiled for the widest vectors of the machine.

use pulp::Arch;

/// `to[i]` = f(`from[i]`). `f` must be inlined to be vectorised.
#[inline(always)]
pub fn map(from: &[f32], to: &mut [f32], f: impl Fn(f32) -> f32) {
    Arch::new().dispatch(|| {
        for (to, from) in to.iter_mut().zip(from) {
            *to = f(*from);
        }
    });
}

/// `values[i]` is multiplied by f(`arguments[i]`).
#[inline(always)]
pub fn multiply(values: &mut [f32], arguments: &[f32], f: impl Fn(f32) -> f32) {
    Arch::new().dispatch(|| {
        for (value, argument) in values.iter_mut().zip(arguments) {
            *value *= f(*argument);
        }
    });
}
