//! Samples of a pair of variables, and the random numbers that they are made of.

use std::borrow::Cow;

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::estimators::{Cells, Points, Variable};

/// Samples of X and Y.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampled {
    /// X of every sample.
    pub x: Variable<'static>,
    /// Y of every sample.
    pub y: Variable<'static>,
}

impl Sampled {
    /// Two real vectors of `d_x` and `d_y` coordinates, drawn sample by sample.
    pub(super) fn real(
        n: usize,
        (d_x, d_y): (usize, usize),
        mut draw: impl FnMut(&mut Vec<f64>, &mut Vec<f64>),
    ) -> Self {
        let (mut x, mut y) = (Vec::with_capacity(n * d_x), Vec::with_capacity(n * d_y));
        (0..n).for_each(|_| draw(&mut x, &mut y));
        Self { x: points(x, d_x), y: points(y, d_y) }
    }

    /// A real vector of `d` coordinates and a class, drawn sample by sample.
    pub(crate) fn labelled(n: usize, d: usize, mut draw: impl FnMut(&mut Vec<f64>) -> u32) -> Self {
        let mut x = Vec::with_capacity(n * d);
        let classes: Vec<u32> = (0..n).map(|_| draw(&mut x)).collect();
        Self { x: points(x, d), y: Variable::Classes(Cow::Owned(Cells::of_rows(&classes, 1))) }
    }

    /// The same samples with a function applied to each coordinate of X and Y, which must be real.
    pub(super) fn map(self, f: impl Fn(f64) -> f64) -> Self {
        let mapped = |variable| match variable {
            Variable::Real(given) => points(given.values().iter().map(|value| f(*value)).collect(), given.n_dims()),
            Variable::Classes(_) => variable,
        };
        Self { x: mapped(self.x), y: mapped(self.y) }
    }
}

/// Finite values as a variable.
pub(super) fn points(values: Vec<f64>, n_dims: usize) -> Variable<'static> {
    Variable::Real(Points::new(values, n_dims).expect("the samples of the distributions are finite"))
}

/// A standard normal number.
pub(super) fn normal(rng: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// A uniform number in [0, 1).
pub(super) fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    rng.random()
}
