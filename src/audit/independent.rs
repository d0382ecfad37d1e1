//! Independent variables: every estimate above 0 is bias or chance.

use super::sampled::{Sampled, normal, uniform};
use super::{Distribution, SecondVariable, Truth};
use crate::units::Nats;

const NONE: Truth = Truth::Finite(Nats(0.0));

pub(super) const GAUSSIANS: Distribution = Distribution {
    name: "independent-gaussians",
    summary: "independent normal X and Y of dimension d; I = 0",
    y: SecondVariable::Real,
    dims: &[1, 2, 3, 5, 10, 25, 50],
    truth: |_| NONE,
    sample: |d, n, rng| {
        Sampled::real(n, (d, d), |x, y| {
            x.extend((0..d).map(|_| normal(rng)));
            y.extend((0..d).map(|_| normal(rng)));
        })
    },
};

/// Number of classes.
const N_CLASSES: f64 = 4.0;

pub(super) const LABELS: Distribution = Distribution {
    name: "independent-labels",
    summary: "normal X of dimension d and one of 4 classes, independent; I = 0",
    y: SecondVariable::Classes,
    dims: &[1, 2, 3, 5, 10, 25, 50],
    truth: |_| NONE,
    sample: |d, n, rng| {
        Sampled::labelled(n, d, |x| {
            x.extend((0..d).map(|_| normal(rng)));
            (uniform(rng) * N_CLASSES) as u32
        })
    },
};

pub(super) const RELU: Distribution = Distribution {
    name: "independent-relu",
    summary: "the positive part of a normal X of dimension d, so that half of the values are 0, and one of 4 classes, independent; I = 0",
    y: SecondVariable::Classes,
    dims: &[1, 2, 3, 5, 10, 25, 50],
    truth: |_| NONE,
    sample: |d, n, rng| {
        Sampled::labelled(n, d, |x| {
            x.extend((0..d).map(|_| normal(rng).max(0.0)));
            (uniform(rng) * N_CLASSES) as u32
        })
    },
};
