//! The group G of changes of the weights that preserve the function of a network.

use rand::Rng;
use rand::seq::SliceRandom;

use crate::nn::Activation;
use crate::weights::{DenseLayer, DenseNetwork, MeasureError};

/// Changes of the hidden units of a layer that preserve the function of the network, in addition to permutations, which
/// are possible for every activation function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitSymmetry {
    /// No other change.
    Order,
    /// The sign of a unit is free: −t(z) = t(−z), for tanh, softsign, hard tanh and linear units.
    Signs,
    /// The positive scale of a unit is free: c t(z) = t(c z), for ReLU and leaky ReLU.
    Scales,
}

impl UnitSymmetry {
    /// The symmetry of an `activation`. (Linear layers have more than signs, and sigmoid has a sign that also changes
    /// the next biases: these are not used.)
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

/// log₂ |G| of the permutations and signs of the hidden units: the sum over hidden layers of log₂ k!, plus k for signs,
/// for k units. Scales are continuous and are not counted.
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

/// The layers before the output layer, whose units cannot be changed.
pub(super) fn hidden(network: &DenseNetwork) -> &[DenseLayer] {
    let layers = network.layers();
    &layers[..layers.len() - 1]
}

/// A change of the units of a hidden layer.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitChange {
    /// For each new unit, the number of the old unit.
    pub order: Vec<usize>,
    /// For each new unit, the divisor of its incoming weights and its bias, and factor of its outgoing weights: ±1 for
    /// signs, a positive number for scales, otherwise 1.
    pub divisors: Vec<f64>,
}

/// An element of G: a change of the units of every hidden layer, from the first to the last.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupElement(Vec<UnitChange>);

impl GroupElement {
    /// The element with these changes of the hidden layers.
    pub fn new(changes: Vec<UnitChange>) -> Self {
        Self(changes)
    }

    /// The changes of the hidden layers.
    pub fn changes(&self) -> &[UnitChange] {
        &self.0
    }

    /// A random order of the units of each hidden layer, and random signs if they are free, uniformly distributed.
    /// Scales have no such distribution and are not changed.
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

    /// The network with the hidden units changed; it computes the same function.
    ///
    /// # Errors
    /// The element does not belong to the group of this network, or weights are no longer finite.
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
                "got changes for {n_changes} hidden layers, but the network has {n_hidden}; give one per hidden layer"
            ));
        }
        for (l, (change, layer)) in self.0.iter().zip(layers).enumerate() {
            let mut sorted = change.order.clone();
            sorted.sort_unstable();
            let l = l + 1;
            if !sorted.iter().copied().eq(0..layer.bias.len()) || change.divisors.len() != layer.bias.len() {
                let k = layer.bias.len();
                return refused(format!(
                    "layer {l} has {k} units; give an order of the numbers 0 to {}, and one divisor per unit",
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
                    "layer {l}: the function is unchanged only if units are divided by {allowed}, got {divisor}"
                ));
            }
        }
        Ok(())
    }
}
