//! The identity of an estimate: which estimator at which scale, applied to which values, samples and snapshots.
//!
//! An [`EstimateId`] is written as one string, which is a folder name, for example
//! `kde-upper-noise-variance-0.001-samples-train`, and as columns of the tables. The string can be parsed, so these
//! columns are also available for files of versions that did not have them.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::math::entropy::Bias;
use crate::parameter::Value;

/// The identity of an estimate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EstimateId {
    /// The estimator with its parameters.
    pub estimator: EstimatorId,
    /// The values of the network that are used as T.
    pub values: Values,
    /// The samples that are used.
    pub samples: Samples,
    /// The snapshots that are pooled.
    pub pool: Pool,
    /// Whether T is a whole layer or one of its units. Not part of the string: estimates of units are in a separate
    /// folder.
    pub unit: Unit,
}

/// An estimator with a value for each parameter that changes its result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EstimatorId {
    /// Name of the estimator, for example `binning`; `linear` for the exact information of a linear network,
    /// `propagation` for that of a network with noise.
    pub family: String,
    /// Formula of the estimator, for example `upper`, if it has several.
    pub form: Option<Form>,
    /// The parameter that sets the resolution, with its value.
    pub scale: Option<Scale>,
    /// The other parameters that differ from their defaults, as in the string: `low-0-above-last-bin`.
    pub options: Option<String>,
    /// Bias correction of the entropies.
    pub correction: Bias,
}

/// One of several formulas of an estimator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// An upper bound.
    Upper,
    /// A lower bound.
    Lower,
    /// Values are compared at full precision.
    Exact,
    /// A Gaussian copula.
    Gaussian,
    /// A classifier without hidden layers.
    Logistic,
    /// A classifier with a hidden layer.
    Mlp,
    /// The InfoNCE bound.
    InfoNce,
    /// The bound of Nguyen, Wainwright and Jordan.
    Nwj,
    /// The bound of Donsker and Varadhan (MINE).
    Dv,
}

/// The resolution of an estimator.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// The parameter.
    pub kind: ScaleKind,
    /// Value of the parameter; `None` means all values, if scales are compared.
    pub value: Option<f64>,
}

/// A parameter that sets the resolution of an estimator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ScaleKind {
    /// Factor of the bandwidths that an estimator chooses.
    Bandwidth,
    /// Width of all bins.
    BinWidth,
    /// Number of bits per level.
    Bits,
    /// Number of the nearest neighbour.
    K,
    /// Number of bins between the minimum and the maximum.
    NBins,
    /// Number of principal components.
    NComponents,
    /// Number of fixed edges.
    NEdges,
    /// Number of noisy passes of an input through the network.
    NPasses,
    /// Number of reference points.
    NPoints,
    /// Number of bins with equally many values.
    NQuantiles,
    /// Variance of the noise that is added in the analysis.
    NoiseVariance,
    /// Order of a Rényi entropy.
    Order,
    /// Number of dimensions of a random projection.
    SliceDims,
}

/// Which values of a layer are used as T.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Values {
    /// After the activation function: the table `activations`.
    Activations,
    /// The weighted sums before the activation function: the table `pre_activations`.
    PreActivations,
}

/// Which of the recorded samples are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Samples {
    /// All recorded samples.
    All,
    /// The training samples of the run.
    Train,
    /// The test samples of the run.
    Test,
    /// No samples: the value is exact for the distribution of X and Y.
    Distribution,
}

/// Which snapshots are pooled before T is estimated, so that T is random given X.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pool {
    /// No pooling: every snapshot of every run is estimated separately.
    Nothing,
    /// The snapshots of every window of consecutive recorded steps.
    Windows,
    /// The snapshots recorded from the first to the last of these two steps.
    Steps(i64, i64),
    /// The same snapshot of all runs.
    Runs,
}

/// Whether T is a layer or a single unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// T is a whole layer.
    Layers,
    /// Every unit of a layer is estimated separately.
    Units,
}

/// A string that is not the identity of an estimate.
#[derive(Debug, Error)]
#[error(
    "`{0}` is not the name of an estimate, such as `binning-n-edges-30` or `kde-upper-noise-variance-0.1-samples-train`"
)]
pub struct NoEstimateId(String);

/// The family of the exact information of linear networks, which needs no samples.
pub const EXACT_FAMILY: &str = "linear";
/// The family of the information of networks with noise, by sample propagation.
pub const PROPAGATION_FAMILY: &str = "propagation";

impl Form {
    const ALL: [Self; 9] = [
        Self::Upper,
        Self::Lower,
        Self::Exact,
        Self::Gaussian,
        Self::Logistic,
        Self::Mlp,
        Self::InfoNce,
        Self::Nwj,
        Self::Dv,
    ];

    /// The name in the string.
    pub fn name(self) -> &'static str {
        match self {
            Self::Upper => "upper",
            Self::Lower => "lower",
            Self::Exact => "exact",
            Self::Gaussian => "gaussian",
            Self::Logistic => "logistic",
            Self::Mlp => "mlp",
            Self::InfoNce => "infonce",
            Self::Nwj => "nwj",
            Self::Dv => "dv",
        }
    }
}

impl ScaleKind {
    const ALL: [Self; 13] = [
        Self::Bandwidth,
        Self::BinWidth,
        Self::Bits,
        Self::K,
        Self::NBins,
        Self::NComponents,
        Self::NEdges,
        Self::NPasses,
        Self::NPoints,
        Self::NQuantiles,
        Self::NoiseVariance,
        Self::Order,
        Self::SliceDims,
    ];

    /// The name of the parameter.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bandwidth => "bandwidth",
            Self::BinWidth => "bin_width",
            Self::Bits => "bits",
            Self::K => "k",
            Self::NBins => "n_bins",
            Self::NComponents => "n_components",
            Self::NEdges => "n_edges",
            Self::NPasses => "n_passes",
            Self::NPoints => "n_points",
            Self::NQuantiles => "n_quantiles",
            Self::NoiseVariance => "noise_variance",
            Self::Order => "order",
            Self::SliceDims => "slice_dims",
        }
    }

    /// The name as it appears in the string.
    fn dashed(self) -> String {
        self.name().replace('_', "-")
    }

    fn is_number(self) -> bool {
        matches!(self, Self::Bandwidth | Self::BinWidth | Self::NoiseVariance | Self::Order)
    }
}

impl Values {
    /// Name of the table with these values.
    pub fn table(self) -> &'static str {
        match self {
            Self::Activations => "activations",
            Self::PreActivations => "pre_activations",
        }
    }
}

impl Samples {
    /// The choices that a user has.
    pub const CHOICES: [Self; 3] = [Self::All, Self::Train, Self::Test];

    /// The name in pipelines and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Train => "train",
            Self::Test => "test",
            Self::Distribution => "distribution",
        }
    }
}

impl fmt::Display for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => write!(f, "none"),
            Self::Windows => write!(f, "windows"),
            Self::Steps(first, last) => write!(f, "{first}-{last}"),
            Self::Runs => write!(f, "runs"),
        }
    }
}

impl EstimatorId {
    /// An estimator with one scale and no other parameters.
    pub fn new(family: &str, scale: Option<Scale>) -> Self {
        Self { family: family.to_owned(), form: None, scale, options: None, correction: Bias::PlugIn }
    }

    /// Bias correction of the entropies, as in the tables; `none` also for estimators without entropies.
    pub fn correction_name(&self) -> &'static str {
        if self.correction == Bias::PlugIn { "none" } else { self.correction.name() }
    }

    /// What distinguishes the estimates of one family, apart from the value of the scale and the correction: the form,
    /// or otherwise the kind of scale, with the other parameters, for example `n_edges-low-0`.
    pub fn variant(&self) -> Option<String> {
        let parts: Vec<&str> = self.variant_parts().into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join("-"))
    }

    fn variant_parts(&self) -> [Option<&str>; 2] {
        let kind = self.scale.map(|scale| scale.kind.name());
        [self.form.map(Form::name).or(kind), self.options.as_deref()]
    }
}

impl Scale {
    /// A parameter with its value.
    pub fn new(kind: ScaleKind, value: f64) -> Self {
        Self { kind, value: Some(value) }
    }
}

impl PartialEq for Scale {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Scale {}

impl PartialOrd for Scale {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scale {
    fn cmp(&self, other: &Self) -> Ordering {
        // "All scales" sorts before every single scale.
        let value = |scale: &Self| scale.value.unwrap_or(f64::NEG_INFINITY);
        self.kind.cmp(&other.kind).then_with(|| value(self).total_cmp(&value(other)))
    }
}

impl PartialOrd for EstimateId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Sorts by family, variant, kind of scale and scale, and then by values, samples and pooling.
impl Ord for EstimateId {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = (&self.estimator, &other.estimator);
        let applied_to = |id: &Self| (id.values, id.samples, id.pool, id.unit);
        a.family
            .cmp(&b.family)
            .then_with(|| a.variant_parts().cmp(&b.variant_parts()))
            .then_with(|| a.scale.cmp(&b.scale))
            .then_with(|| a.correction.name().cmp(b.correction.name()))
            .then_with(|| applied_to(self).cmp(&applied_to(other)))
    }
}

impl fmt::Display for EstimatorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.family)?;
        if let Some(form) = self.form {
            write!(f, "-{}", form.name())?;
        }
        if let Some(Scale { kind, value }) = self.scale {
            write!(f, "-{}", kind.dashed())?;
            match value {
                Some(value) if kind.is_number() => write!(f, "-{}", Value::Number(value))?,
                Some(value) => write!(f, "-{value}")?,
                None => {}
            }
        }
        if let Some(options) = &self.options {
            write!(f, "-{options}")?;
        }
        if self.correction != Bias::PlugIn {
            write!(f, "-{}", self.correction.name())?;
        }
        Ok(())
    }
}

impl fmt::Display for EstimateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.estimator)?;
        if self.values == Values::PreActivations {
            write!(f, "-pre-activations")?;
        }
        if let Samples::Train | Samples::Test = self.samples {
            write!(f, "-samples-{}", self.samples.name())?;
        }
        match self.pool {
            Pool::Nothing => Ok(()),
            Pool::Windows | Pool::Runs => write!(f, "-pool-{}", self.pool),
            Pool::Steps(..) => write!(f, "-window-{}", self.pool),
        }
    }
}

/// The string and its parts, as in the tables.
#[cfg(feature = "store")]
impl serde::Serialize for EstimateId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let Self { estimator, values, samples, pool, unit: _ } = self;
        let mut columns = serializer.serialize_struct("EstimateId", 9)?;
        columns.serialize_field("estimator", &self.to_string())?;
        columns.serialize_field("family", &estimator.family)?;
        columns.serialize_field("variant", &estimator.variant())?;
        columns.serialize_field("scale_kind", &estimator.scale.map(|scale| scale.kind.name()))?;
        columns.serialize_field("scale", &estimator.scale.and_then(|scale| scale.value))?;
        columns.serialize_field("correction", estimator.correction_name())?;
        columns.serialize_field("values", values.table())?;
        columns.serialize_field("samples", samples.name())?;
        columns.serialize_field("pool", &pool.to_string())?;
        columns.end()
    }
}

impl From<EstimatorId> for EstimateId {
    /// The estimator applied to all samples of every layer and snapshot.
    fn from(estimator: EstimatorId) -> Self {
        let samples = if estimator.family == EXACT_FAMILY { Samples::Distribution } else { Samples::All };
        Self { estimator, values: Values::Activations, samples, pool: Pool::Nothing, unit: Unit::Layers }
    }
}

impl EstimateId {
    /// The identity for a `text` in a table; an unknown text is the name of a family without scales.
    pub fn of_table(text: &str) -> Self {
        text.parse().unwrap_or_else(|NoEstimateId(text)| EstimatorId::new(&text, None).into())
    }

    /// The identity with the value of the scale left open; values, samples and pooling stay.
    pub fn at_all_scales(&self) -> Self {
        let mut id = self.clone();
        if let Some(scale) = &mut id.estimator.scale {
            scale.value = None;
        }
        id
    }
}

impl FromStr for EstimateId {
    type Err = NoEstimateId;

    fn from_str(text: &str) -> Result<Self, NoEstimateId> {
        let unknown = || NoEstimateId(text.to_owned());
        let (rest, pool) = pool_at_end(text);
        let samples = [Samples::Train, Samples::Test].into_iter();
        let (rest, samples) = samples
            .filter_map(|samples| Some((rest.strip_suffix(&format!("-samples-{}", samples.name()))?, samples)))
            .next()
            .unwrap_or((rest, Samples::All));
        let (rest, values) = match rest.strip_suffix("-pre-activations") {
            Some(rest) => (rest, Values::PreActivations),
            None => (rest, Values::Activations),
        };
        let estimator = EstimatorId::read(rest).ok_or_else(unknown)?;
        let id = Self::from(estimator);
        let samples = if id.samples == Samples::Distribution { id.samples } else { samples };
        let id = Self { values, samples, pool, ..id };
        // Each identity has exactly one string: `binning-n-edges-030` is invalid.
        if id.to_string() == text { Ok(id) } else { Err(unknown()) }
    }
}

/// Splits the pooling from the end of a string.
fn pool_at_end(text: &str) -> (&str, Pool) {
    for pool in [Pool::Windows, Pool::Runs] {
        if let Some(rest) = text.strip_suffix(&format!("-pool-{pool}")) {
            return (rest, pool);
        }
    }
    let steps = text.rsplit_once("-window-").and_then(|(rest, steps)| {
        let (first, last) = steps.split_once('-')?;
        Some((rest, Pool::Steps(first.parse().ok()?, last.parse().ok()?)))
    });
    steps.unwrap_or((text, Pool::Nothing))
}

impl EstimatorId {
    fn read(text: &str) -> Option<Self> {
        let (text, correction) = Bias::ALL
            .iter()
            .filter_map(|bias| Some((text.strip_suffix(&format!("-{}", bias.name()))?, *bias)))
            .next()
            .unwrap_or((text, Bias::PlugIn));
        let (before, scale, after) = match scale_in(text) {
            Some((before, scale, after)) => (before, Some(scale), after),
            None => {
                let end = form_end(text).unwrap_or(text.len());
                (&text[..end], None, text[end..].strip_prefix('-').unwrap_or_default())
            }
        };
        let form = Form::ALL.into_iter().find(|form| before.ends_with(&format!("-{}", form.name())));
        let family = form.map_or(before, |form| &before[..before.len() - form.name().len() - 1]);
        let options = (!after.is_empty()).then(|| after.to_owned());
        let is_whole = !family.is_empty() && (scale.is_some() || form.is_some()) && !after.starts_with('-');
        is_whole.then(|| Self { family: family.to_owned(), form, scale, options, correction })
    }
}

/// The end of the first form in the string of an estimator without a scale.
fn form_end(text: &str) -> Option<usize> {
    let place = |form: Form| {
        let name = format!("-{}", form.name());
        let ends = text.match_indices(&name).map(|(at, _)| at + name.len());
        ends.into_iter().find(|end| text[*end..].is_empty() || text[*end..].starts_with('-'))
    };
    Form::ALL.into_iter().filter_map(place).min()
}

/// The first scale in the string of an estimator, with the parts before and after it.
fn scale_in(text: &str) -> Option<(&str, Scale, &str)> {
    let place = |kind: ScaleKind| {
        let name = format!("-{}", kind.dashed());
        let is_whole = |at: &usize| text[at + name.len()..].is_empty() || text[at + name.len()..].starts_with('-');
        text.match_indices(&name).map(|(at, _)| at).find(is_whole).map(|at| (at, at + name.len(), kind))
    };
    let (at, end, kind) = ScaleKind::ALL.into_iter().filter_map(place).min()?;
    let (before, after) = (&text[..at], text[end..].strip_prefix('-').unwrap_or_default());
    // The hyphen of a negative exponent, as in 1e-12, does not end the number.
    let mut hyphens = after.match_indices('-').map(|(at, _)| at).filter(|at| !after[..*at].ends_with('e'));
    let end = hyphens.next().unwrap_or(after.len());
    let value = after[..end].parse::<f64>().ok().filter(|value| value.is_finite());
    let options = if value.is_some() { after[end..].strip_prefix('-').unwrap_or_default() } else { after };
    Some((before, Scale { kind, value }, options))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, family: &str, variant: &str, scale: Option<(ScaleKind, f64)>) {
        let id: EstimateId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        assert_eq!((id.estimator.family.as_str(), id.estimator.variant().as_deref()), (family, Some(variant)));
        assert_eq!(id.estimator.scale, scale.map(|(kind, value)| Scale::new(kind, value)));
    }

    #[test]
    fn texts_are_read_as_what_they_mean() {
        check("binning-n-edges-30", "binning", "n_edges", Some((ScaleKind::NEdges, 30.0)));
        check(
            "binning-bin-width-1e-12-above-last-bin",
            "binning",
            "bin_width-above-last-bin",
            Some((ScaleKind::BinWidth, 1e-12)),
        );
        check("binning-n-edges-9-low--1.5", "binning", "n_edges-low--1.5", Some((ScaleKind::NEdges, 9.0)));
        check("binning-n-bins-9-range-run-jackknife", "binning", "n_bins-range-run", Some((ScaleKind::NBins, 9.0)));
        check("binning-exact-samples-test", "binning", "exact", None);
        check("neural-infonce-batch-128-samples-train", "neural", "infonce-batch-128", None);
        check("kde-upper-noise-variance-0.001", "kde", "upper", Some((ScaleKind::NoiseVariance, 0.001)));
        check(
            "kde-lower-noise-variance-0.1-relative-f64",
            "kde",
            "lower-relative-f64",
            Some((ScaleKind::NoiseVariance, 0.1)),
        );
        check(
            "kozachenko-leonenko-k-2-epsilon-1e-16",
            "kozachenko-leonenko",
            "k-epsilon-1e-16",
            Some((ScaleKind::K, 2.0)),
        );
        check("copula-gaussian-samples-test", "copula", "gaussian", None);
        check("edge-bandwidth-0.5-compat-4.3.1", "edge", "bandwidth-compat-4.3.1", Some((ScaleKind::Bandwidth, 0.5)));
        check("sliced-slice-dims-2-on-copula", "sliced", "slice_dims-on-copula", Some((ScaleKind::SliceDims, 2.0)));
        check("lossy-n-components-4", "lossy", "n_components", Some((ScaleKind::NComponents, 4.0)));
        check("quantised-bits-8-pre-activations", "quantised", "bits", Some((ScaleKind::Bits, 8.0)));
        check(
            "linear-noise-variance-1-inputs-relevant",
            "linear",
            "noise_variance-inputs-relevant",
            Some((ScaleKind::NoiseVariance, 1.0)),
        );
    }

    #[test]
    fn what_an_estimator_is_applied_to_is_read_from_the_end() {
        let id: EstimateId = "binning-n-bins-9-pre-activations-samples-train-window-100-110".parse().unwrap();
        assert_eq!((id.values, id.samples, id.pool), (Values::PreActivations, Samples::Train, Pool::Steps(100, 110)));
        assert_eq!("linear-noise-variance-1".parse::<EstimateId>().unwrap().samples, Samples::Distribution);
    }

    #[test]
    fn other_texts_are_refused_and_are_families_in_tables() {
        for text in [
            "",
            "binning",
            "my-estimator",
            "-n-edges-3",
            "kdek-2",
            "b-k-030",
            "b-k-3e1",
            "b-k--1",
            "linear-k-1-samples-test",
        ] {
            assert!(text.parse::<EstimateId>().is_err(), "{text}");
            let id = EstimateId::of_table(text);
            assert_eq!((id.to_string().as_str(), id.estimator.scale), (text, None));
        }
    }

    #[test]
    fn scales_sort_as_numbers() {
        let texts = [
            "binning-exact",
            "binning-n-edges-3",
            "binning-n-edges-30",
            "binning-n-edges-100",
            "kde-lower-noise-variance-10",
        ];
        let mut ids: Vec<EstimateId> = texts.iter().rev().map(|text| text.parse().unwrap()).collect();
        ids.sort();
        assert_eq!(ids.iter().map(ToString::to_string).collect::<Vec<_>>(), texts);
    }

    #[test]
    fn all_scales_of_an_estimator_are_one_identity() {
        let all = |text: &str| text.parse::<EstimateId>().unwrap().at_all_scales();
        assert_eq!(all("kde-upper-noise-variance-0.1-relative"), all("kde-upper-noise-variance-10-relative"));
        assert_ne!(all("kde-upper-noise-variance-0.1"), all("kde-lower-noise-variance-0.1"));
        let text = "binning-n-edges-low-0-samples-train";
        assert_eq!(all("binning-n-edges-30-low-0-samples-train").to_string(), text);
        assert_eq!(text.parse::<EstimateId>().unwrap(), all("binning-n-edges-30-low-0-samples-train"));
    }

    fn scale() -> impl Strategy<Value = Scale> {
        let count = prop::sample::select(vec![
            ScaleKind::Bits,
            ScaleKind::K,
            ScaleKind::NBins,
            ScaleKind::NEdges,
            ScaleKind::NQuantiles,
        ]);
        let number = prop::sample::select(vec![ScaleKind::BinWidth, ScaleKind::NoiseVariance]);
        prop_oneof![
            (count, 1_u32..1 << 24).prop_map(|(kind, value)| Scale::new(kind, value.into())),
            (number, prop::num::f64::POSITIVE | prop::num::f64::NORMAL)
                .prop_map(|(kind, value)| Scale::new(kind, value.abs())),
        ]
    }

    proptest! {
        #[test]
        fn every_identity_is_read_back(
            family in prop::sample::select(vec!["binning", "kde", "kozachenko-leonenko", "my-own"]),
            form in prop::option::of(prop::sample::select(Form::ALL.to_vec())),
            scale in prop::option::of(scale()),
            options in prop::option::of(prop::sample::select(vec!["relative-f64", "low--1.000001", "epsilon-1e-16", "range-all-runs"])),
            correction in prop::sample::select(Bias::ALL.to_vec()),
            values in prop::sample::select(vec![Values::Activations, Values::PreActivations]),
            samples in prop::sample::select(Samples::CHOICES.to_vec()),
            pool in prop_oneof![
                Just(Pool::Nothing), Just(Pool::Windows), Just(Pool::Runs),
                (0_i64..1000, 0_i64..1000).prop_map(|(first, length)| Pool::Steps(first, first + length)),
            ],
        ) {
            prop_assume!(form.is_some() || scale.is_some());
            let estimator = EstimatorId { family: family.to_owned(), form, scale, options: options.map(str::to_owned), correction };
            let id = EstimateId { estimator, values, samples, pool, unit: Unit::Layers };
            prop_assert_eq!(id.to_string().parse::<EstimateId>().unwrap(), id);
        }
    }
}
