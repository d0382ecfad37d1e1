//! The group G of changes of the weights that leave the function of a network as it is.

use rand::Rng;
use rand::seq::SliceRandom;

use crate::nn::Activation;
use crate::weights::{DenseLayer, DenseNetwork, MeasureError};

/// What can be done to the hidden units of a layer without changing what the network computes, apart from their order, which
/// is free for every activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitSymmetry {
    /// Nothing else.
    Order,
    /// The sign of a unit is free: −t(z) = t(−z), for tanh, softsign, hard tanh and linear units.
    Signs,
    /// The positive scale of a unit is free: c t(z) = t(c z), for ReLU and leaky ReLU.
    Scales,
}

impl UnitSymmetry {
    /// The symmetry of an `activation`. (Linear layers have more than signs, and sigmoid a sign that also moves the next
    /// biases: these are not used.)
    pub fn of_activation(activation: Activation) -> Self {
        match activation {
            Activation::Tanh | Activation::Softsign | Activation::HardTanh | Activation::Linear => Self::Signs,
            Activation::Relu | Activation::LeakyRelu => Self::Scales,
            Activation::Elu | Activation::Sigmoid | Activation::Softplus | Activation::Relu6 | Activation::Silu => {
                Self::Order
            }
        }
    }
}

/// log₂ |G| of the orders and signs of the hidden units: Σ log₂ k! and k for signs, of each hidden layer of k units. Scales are
/// a continuum and are not counted.
pub fn log2_group_order(network: &DenseNetwork) -> f64 {
    let of_layer = |layer: &DenseLayer| {
        let k = layer.bias.len();
        let orders: f64 = (2..=k).map(|k| (k as f64).log2()).sum();
        match UnitSymmetry::of_activation(layer.activation) {
            UnitSymmetry::Signs => orders + k as f64,
            UnitSymmetry::Order | UnitSymmetry::Scales => orders,
        }
    };
    hidden(network).iter().map(of_layer).sum()
}

/// The layers below the output, which has no freedom.
pub(super) fn hidden(network: &DenseNetwork) -> &[DenseLayer] {
    let layers = network.layers();
    &layers[..layers.len() - 1]
}

/// What is done to the units of a hidden layer.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitChange {
    /// Of each new unit the old one that it is.
    pub order: Vec<usize>,
    /// Of each new unit what the weights into it and its bias are divided by, and the weights out of it multiplied by: ±1 for
    /// signs, a positive number for scales, 1 otherwise.
    pub divisors: Vec<f64>,
}

/// An element of G: a change of the units of every hidden layer, the first above the input first.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupElement(Vec<UnitChange>);

impl GroupElement {
    /// The element that changes hidden layers so.
    pub fn new(changes: Vec<UnitChange>) -> Self {
        Self(changes)
    }

    /// The changes of the hidden layers.
    pub fn changes(&self) -> &[UnitChange] {
        &self.0
    }

    /// An order of the units of each hidden layer, and, where they are free, signs, each with the same probability. Scales
    /// have no such law and stay as they are.
    pub fn random(network: &DenseNetwork, rng: &mut impl Rng) -> Self {
        let change = |layer: &DenseLayer| {
            let k = layer.bias.len();
            let mut order: Vec<usize> = (0..k).collect();
            order.shuffle(rng);
            let mut divisor = || match UnitSymmetry::of_activation(layer.activation) {
                UnitSymmetry::Signs if rng.next_u32() & 1 == 1 => -1.0,
                _ => 1.0,
            };
            UnitChange { order, divisors: (0..k).map(|_| divisor()).collect() }
        };
        Self(hidden(network).iter().map(change).collect())
    }

    /// The network with the hidden units changed so; it computes the same function.
    ///
    /// # Errors
    /// The element is not of this network's group; weights that are no longer finite.
    pub fn apply(&self, network: &DenseNetwork) -> Result<DenseNetwork, MeasureError> {
        self.check(network)?;
        let mut layers = network.layers().to_vec();
        for (l, change) in self.0.iter().enumerate() {
            let UnitChange { order, divisors } = change;
            let (old, old_above) = (layers[l].clone(), layers[l + 1].kernel.clone());
            for (new, (unit, divisor)) in order.iter().zip(divisors).enumerate() {
                layers[l].kernel.row_mut(new).assign(&(&old.kernel.row(*unit) / *divisor));
                layers[l].bias[new] = old.bias[*unit] / divisor;
                layers[l + 1].kernel.column_mut(new).assign(&(&old_above.column(*unit) * *divisor));
            }
        }
        DenseNetwork::new(layers)
    }

    fn check(&self, network: &DenseNetwork) -> Result<(), MeasureError> {
        let layers = hidden(network);
        let refused = |problem: String| Err(MeasureError::Refused(problem));
        if self.0.len() != layers.len() {
            let (n_changes, n_hidden) = (self.0.len(), layers.len());
            return refused(format!(
                "{n_changes} changes of hidden layers, and the network has {n_hidden}; give one for each"
            ));
        }
        for (l, (change, layer)) in self.0.iter().zip(layers).enumerate() {
            let mut sorted = change.order.clone();
            sorted.sort_unstable();
            let l = l + 1;
            if !sorted.iter().copied().eq(0..layer.bias.len()) || change.divisors.len() != layer.bias.len() {
                let k = layer.bias.len();
                return refused(format!(
                    "layer {l} has {k} units; give an order of 0 to {} and a divisor for each",
                    k - 1
                ));
            }
            let symmetry = UnitSymmetry::of_activation(layer.activation);
            let is_allowed = |divisor: &f64| match symmetry {
                UnitSymmetry::Order => *divisor == 1.0,
                UnitSymmetry::Signs => divisor.abs() == 1.0,
                UnitSymmetry::Scales => *divisor > 0.0 && divisor.is_finite(),
            };
            if let Some(divisor) = change.divisors.iter().find(|divisor| !is_allowed(divisor)) {
                let allowed = match symmetry {
                    UnitSymmetry::Order => "1",
                    UnitSymmetry::Signs => "1 or -1",
                    UnitSymmetry::Scales => "a positive number",
                };
                return refused(format!(
                    "layer {l}: units can be divided by {allowed} without a change of the function, got {divisor}"
                ));
            }
        }
        Ok(())
    }
}
