//! Local volume: the probability that random initial weights behave like the recorded network.
//!
//! I = −ln P_{w ~ prior}(mean_x KL(p_{w*}(·|x)‖p_w(·|x)) ≤ ε). The recorded weights w* are fixed; the initialisation is
//! random. The prior is N(0, v_l I) in each layer l. v_l is the mean square of the kernel of the layer before training,
//! also for its biases, which often start at 0 and would have no volume; or one given number for all layers.
//!
//! The estimate draws directions ([`LocalRegion`]) and measures the region along them. Their scales come from the
//! diagonal of the Fisher matrix, which is the curvature of the cost at w*. It finds the part of the region that is
//! connected to w* by straight lines: permuted copies of the network have the same output and are not counted. If few
//! directions dominate the mean, the volume is probably too small and the value is an upper bound: it then has a
//! warning and no standard error.
//!
//! # Reference
//! Scherlis & Belrose 2025 (arXiv 2501.18812).

mod quadratic;
mod radial;

use super::{
    CurvatureForm, DenseNetwork, Labelled, Measure, MeasureError, MeasureUnit, OfNetwork, Quantity, Randomness,
    Reading, RecordedNetwork, Spec, check_count, check_number,
};
use crate::parameter::{Kind, Parameter, ParameterError};

pub use quadratic::{log_ellipsoid_volume, log_mean_of_radii, mean_of_log_radii, quadratic_information};
pub use radial::{LocalRegion, VolumeEstimate};

pub(super) const SPEC: Spec = Spec {
    name: "volume",
    summary: "negative log probability that random initial weights behave like the recorded network",
    randomness: Randomness::Initialisation,
    quantities: &[
        Quantity::bits(
            "volume",
            "−log2 of the probability that random initial weights behave like the recorded network, in bits",
        ),
        Quantity::ratio(
            "effective_directions",
            "effective number of directions that contribute to the mean of the volume; below 10, volume is only an upper bound",
        ),
    ],
    parameters: &[
        Parameter {
            name: "tolerance",
            doc: "tolerated mean divergence of the outputs from those of the recorded network, in nats",
            kind: Kind::Positive,
            default: "0.01",
        },
        Parameter {
            name: "directions",
            doc: "number of random directions",
            kind: Kind::Count { min: DIRECTIONS.0, max: DIRECTIONS.1 },
            default: "200",
        },
        Parameter {
            name: "prior_variance",
            doc: "variance of all initial weights [default: for each layer, the variance of its kernel before training]",
            kind: Kind::Positive,
            default: "",
        },
        Parameter {
            name: "scales",
            doc: "length scale of the directions along each weight: from curvature and prior (fisher), or from the prior only (prior)",
            kind: Kind::Choice(&["fisher", "prior"]),
            default: "fisher",
        },
    ],
    build: |parameters| {
        let tolerance = parameters.number("tolerance").expect("the tolerance has a default");
        let directions = parameters.count("directions").expect("the directions have a default");
        let measure = LocalVolume::new(tolerance, directions)?;
        let is_plain = parameters.text("scales") == Some("prior");
        let measure = if is_plain { measure.scales_of_the_prior() } else { measure };
        let variance = parameters.number("prior_variance");
        let measure = variance.map_or(Ok(measure), |variance| measure.prior_variance(variance))?;
        Ok(Measure::OfNetwork(Box::new(measure)))
    },
};

/// Allowed number of directions.
const DIRECTIONS: (u64, u64) = (2, 10_000_000);

/// The improbability of random initial weights that behave like a recorded network.
///
/// ```
/// use infoplane::weights::LocalVolume;
///
/// let measure = LocalVolume::new(0.01, 200)?.prior_variance(0.1)?;
/// # Ok::<(), infoplane::parameter::ParameterError>(())
/// ```
///
/// # Reference
/// Scherlis & Belrose 2025 (arXiv 2501.18812).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LocalVolume {
    tolerance: f64,
    n_directions: usize,
    prior_variance: Option<f64>,
    scales: Scales,
}

/// Origin of the scales of directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scales {
    Fisher,
    Prior,
}

impl LocalVolume {
    /// The region in which the mean divergence of outputs is at most `tolerance` nats, from `n_directions` directions
    /// with the scales of the Fisher matrix, with the distribution of the recorded initial weights as prior.
    ///
    /// # Errors
    /// A tolerance that is not above 0, or fewer than 2 directions.
    pub fn new(tolerance: f64, n_directions: usize) -> Result<Self, ParameterError> {
        Ok(Self {
            tolerance: check_number("tolerance", tolerance, Kind::Positive)?,
            n_directions: check_count("directions", n_directions, DIRECTIONS)?,
            prior_variance: None,
            scales: Scales::Fisher,
        })
    }

    /// Uses initial weights with this `variance` as prior.
    ///
    /// # Errors
    /// The variance is not above 0.
    pub fn prior_variance(self, variance: f64) -> Result<Self, ParameterError> {
        Ok(Self { prior_variance: Some(check_number("prior_variance", variance, Kind::Positive)?), ..self })
    }

    /// Uses directions with the scales of the prior, independent of the curvature.
    #[must_use]
    pub fn scales_of_the_prior(self) -> Self {
        Self { scales: Scales::Prior, ..self }
    }

    /// The prior variance of each weight.
    fn variances(&self, network: &DenseNetwork, initial: Option<&DenseNetwork>) -> Result<Vec<f64>, MeasureError> {
        if let Some(variance) = self.prior_variance {
            return Ok(vec![variance; network.n_weights()]);
        }
        let Some(initial) = initial else {
            return Err(MeasureError::Refused(
                "the prior of `volume` is the distribution of the weights before training, which were not recorded; record step 0, or give \
                 `prior_variance`"
                    .to_owned(),
            ));
        };
        let mut variances = Vec::with_capacity(network.n_weights());
        for (l, layer) in initial.layers().iter().enumerate() {
            let variance = layer.kernel.iter().map(|w| w * w).sum::<f64>() / layer.kernel.len() as f64;
            if variance == 0.0 {
                let problem = format!(
                    "the kernel of layer {} is 0 before training, so it has no distribution; give `prior_variance`",
                    l + 1
                );
                return Err(MeasureError::Refused(problem));
            }
            variances.extend(std::iter::repeat_n(variance, layer.n_weights()));
        }
        if variances.len() != network.n_weights() {
            let (now, before) = (network.n_weights(), variances.len());
            return Err(MeasureError::Refused(format!(
                "the network has {now} weights, but the network before training has {before}"
            )));
        }
        Ok(variances)
    }
}

/// w ↦ mean_x KL(p_{w*}(·|x)‖p_w(·|x)) in nats.
fn output_divergence<'a>(network: &'a DenseNetwork, samples: Labelled<'a>) -> impl Fn(&[f64]) -> f64 + Sync + 'a {
    let log_p = network.log_probabilities(samples.x());
    let p = log_p.mapv(f64::exp);
    move |weights: &[f64]| {
        let log_q = network.with_weights(weights).log_probabilities(samples.x());
        let terms = p.iter().zip(&log_p).zip(&log_q);
        // A class with probability 0 contributes nothing.
        terms.map(|((p, log_p), log_q)| if *p == 0.0 { 0.0 } else { p * (log_p - log_q) }).sum::<f64>()
            / samples.len() as f64
    }
}

impl OfNetwork for LocalVolume {
    fn measure(&self, recorded: &RecordedNetwork<'_>) -> Result<Vec<Reading>, MeasureError> {
        let RecordedNetwork { network, samples, initial, seed, .. } = *recorded;
        let prior_variances = self.variances(network, initial)?;
        let scales: Vec<f64> = match self.scales {
            Scales::Prior => prior_variances.iter().map(|v| v.sqrt()).collect(),
            // The distance at which ½ D w² = ε, or the extent of the prior.
            Scales::Fisher => {
                let diagonal = recorded.fisher(CurvatureForm::Diagonal)?.diagonal();
                let scale = |(d, v): (&f64, &f64)| 1.0 / (d / (2.0 * self.tolerance) + 1.0 / v).sqrt();
                diagonal.iter().zip(&prior_variances).map(scale).collect()
            }
        };
        let region = LocalRegion {
            centre: &network.weights(),
            prior_variances: &prior_variances,
            scales: &scales,
            tolerance: self.tolerance,
        };
        let found = region.information(self.n_directions, seed, output_divergence(network, samples))?;
        let scales = if self.scales == Scales::Fisher { "Fisher" } else { "prior" };
        let method = format!("{} directions, scales of the {scales}, tolerance {}", self.n_directions, self.tolerance);
        let volume = Reading::information("volume", found.information).shared_among(network.n_weights());
        let volume = if found.is_upper_bound_only() {
            volume.warned(&["an upper bound, not an estimate: fewer than 10 directions are effective"])
        } else {
            volume.with_std_error(found.std_error.bits())
        };
        let effective = Reading::new("effective_directions", MeasureUnit::Ratio, found.effective_directions);
        Ok(vec![volume.by(method.clone()), effective.at_most(self.n_directions as f64).by(method)])
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Axis, array};

    use super::*;
    use crate::parameter::Parameters;
    use crate::weights::DenseLayer;
    use crate::weights::fixtures::{Fixture, f_net, t_net};

    fn volume(measure: LocalVolume) -> Vec<Reading> {
        let (trained, initial) = (t_net(), f_net().network);
        measure.measure(&RecordedNetwork { initial: Some(&initial), ..trained.recorded() }).unwrap()
    }

    #[test]
    fn a_larger_tolerance_needs_fewer_bits() {
        let readings = |tolerance| volume(LocalVolume::new(tolerance, 100).unwrap());
        let (small, large) = (readings(0.001), readings(0.1));
        assert!(small[0].value > large[0].value && large[0].value > 0.0, "{small:?} {large:?}");
        assert!(small[1].value <= 100.0);
        assert_eq!(readings(0.001), small);
    }

    /// A layer of two classes and two inputs on the samples of F-net, 6 weights.
    fn logistic() -> Fixture {
        let fixture = f_net();
        let x = fixture.x.select(Axis(1), &[0, 1]);
        let layer = DenseLayer {
            kernel: array![[0.3, -0.2], [-0.4, 0.1]],
            bias: array![0.1, -0.1],
            activation: fixture.network.layers()[0].activation,
        };
        Fixture { network: DenseNetwork::new(vec![layer]).unwrap(), x, ..fixture }
    }

    #[test]
    fn a_volume_from_few_effective_directions_has_the_warning_that_it_is_an_upper_bound() {
        let measure = LocalVolume::new(0.01, 200).unwrap().prior_variance(0.3).unwrap();
        let warning = "an upper bound, not an estimate: fewer than 10 directions are effective";
        let deep = measure.measure(&t_net().recorded()).unwrap();
        assert!(deep[1].value < 10.0 && deep[0].std_error.is_none(), "{deep:?}");
        assert_eq!((deep[0].warning.as_deref(), deep[1].warning.as_deref()), (Some(warning), None));
        for reading in &deep {
            assert_eq!(reading.method.as_deref(), Some("200 directions, scales of the Fisher, tolerance 0.01"));
        }
        let shallow = measure.measure(&logistic().recorded()).unwrap();
        assert!(shallow[1].value >= 10.0 && shallow[0].std_error.is_some(), "{shallow:?}");
        assert!(shallow.iter().all(|reading| reading.warning.is_none()), "{shallow:?}");
        // Two directions are never enough.
        let two = LocalVolume::new(0.01, 2).unwrap().prior_variance(0.3).unwrap();
        assert!(two.measure(&logistic().recorded()).unwrap()[0].warning.is_some());
    }

    #[test]
    fn outputs_of_the_same_weights_do_not_diverge() {
        let trained = t_net();
        let divergence = output_divergence(&trained.network, trained.samples());
        assert_eq!(divergence(&trained.network.weights()), 0.0);
        let moved: Vec<f64> = trained.network.weights().iter().map(|w| w * 0.5).collect();
        assert!(divergence(&moved) > 0.0);
    }

    #[test]
    fn without_the_initial_weights_a_variance_is_needed() {
        let measure = LocalVolume::new(0.01, 20).unwrap();
        let refused = measure.measure(&t_net().recorded()).unwrap_err().to_string();
        assert!(refused.ends_with("record step 0, or give `prior_variance`"), "{refused}");
        assert!(measure.prior_variance(0.3).unwrap().measure(&t_net().recorded()).is_ok());
    }

    #[test]
    fn parameters_are_those_of_the_constructors() {
        let defaults = Parameters::default().or_defaults(SPEC.parameters);
        assert!((SPEC.build)(&defaults).is_ok());
        assert!(LocalVolume::new(0.0, 10).is_err() && LocalVolume::new(0.1, 1).is_err());
    }
}
