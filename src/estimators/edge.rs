//! EDGE: the information of the cells into which both variables are hashed.
//!
//! Coordinate i of a variable is divided into bins of width ε_i = γ c r_i, with r_i the mean distance of the values from their
//! k-th neighbour, k = ⌊0.43 N^(2/3 + 0.17 d'/(d' + 1)) exp(−1/max(10⁴, d'⁴))⌋, c = 18 d'/(1 + ln d) and γ = 0.4 times the
//! parameter `bandwidth`; d is the number of coordinates and d' that of hashed ones. If a variable has more than 6 coordinates,
//! both are replaced by d' = min(d, ⌊log₂(N/10)⌋) random projections. The estimate is the median of ten, with widths that grow
//! by 10 % and bins that are shifted by a tenth of their width each. Classes are their own cells.
//!
//! The estimate is the plug-in information of the cells. Deviation: the published programs replace every pointwise information
//! below 0.001 bits by 0.001, and choose the widths a second time from the first estimate. Both change the estimate: `compat`
//! does it as they do (see docs/estimators/edge.md). They cannot be reproduced to the last digit, because their
//! random numbers are those of NumPy; they compute r_i from 500 random samples, here it is computed from all samples; and they
//! hash the numbers of labels, here every label is a cell.
//!
//! # Reference
//! Noshad, Zeng & Hero 2019, "Scalable mutual information estimation using dependence graphs"; constants: the programs
//! EDGE 4.3.1 and 4.4.1 of the authors.

use std::f64::consts::LN_2;

use super::pair::{estimate_layer, expect_few_classes};
use super::{
    Bias, Cells, Estimate, EstimateError, Estimator, Information, InvalidParameter, KnownInputs, LayerData, Member,
    Points, Randomness, RangeOver, Spec, Variable, build_each,
};
use crate::estimate_id::{EstimatorId, Scale, ScaleKind};
use crate::math::edge::{
    cells, floored_information, generator, mean_distance, most_coordinates, neighbour, random_projections,
};
use crate::math::entropy::CountTable;
use crate::math::information::information;
use crate::parameter::{Kind, Parameter, Value};
use crate::units::Nats;

pub(super) const SPEC: Spec = Spec {
    name: "edge",
    summary: "mutual information of the cells into which both variables are hashed (EDGE); depends on the bandwidth, and is biased in many dimensions",
    of_pair: "information of hashed cells",
    parameters: &[
        Parameter {
            name: "bandwidth",
            doc: "factor by which the automatic widths of the bins are multiplied",
            kind: Kind::Positive,
            default: "0.25,0.5,1",
        },
        Parameter {
            name: "compat",
            doc: "none: plug-in information with fixed widths; 4.3.1 or 4.4.1: as the published program of this version, which is biased: every pointwise information is at least 0.001 bits, and the widths are chosen again from the first estimate",
            kind: Kind::Choice(&["none", "4.3.1", "4.4.1"]),
            default: "none",
        },
        Parameter {
            name: "seed",
            doc: "seed of the random projections, which are used for more than 6 coordinates",
            kind: Kind::Count { min: 0, max: MOST_SEED },
            default: "0",
        },
    ],
    build: |sets| {
        build_each(sets, |parameters| {
            let factor = parameters.number("bandwidth").expect("the bandwidth has a default");
            let seed = parameters.count("seed").expect("the seed has a default") as u64;
            let edge = Edge::bandwidth(factor)?.seed(seed);
            Ok(match parameters.text("compat") {
                Some("4.3.1") => edge.compat(EdgeVersion::V431),
                Some("4.4.1") => edge.compat(EdgeVersion::V441),
                _ => edge,
            })
        })
    },
    choose: |_, _| None,
};

/// The largest seed that pipelines and commands accept.
const MOST_SEED: u64 = u32::MAX as u64;

/// A published program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EdgeVersion {
    /// EDGE 4.3.1 of October 2018.
    V431,
    /// EDGE 4.4.1.
    V441,
}

/// Information of hashed variables.
///
/// ```
/// use infoplane::estimators::{Edge, Estimator, Points, Variable};
///
/// let x: Vec<f64> = (0..400).map(|i| f64::from(i % 20)).collect();
/// let y: Vec<f64> = x.iter().map(|x| x * x).collect();
/// let [x, y] = [x, y].map(|values| Points::new(values, 1).map(Variable::Real));
/// let found = Edge::bandwidth(0.25)?.between(&x?, &[y?]).remove(0)?;
/// assert!(found.value.bits() > 2.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Reference
/// Noshad, Zeng & Hero 2019.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edge {
    bandwidth: f64,
    compat: Option<EdgeVersion>,
    seed: u64,
}

impl Edge {
    /// Automatic widths of the bins, multiplied by `factor`.
    ///
    /// # Errors
    /// A factor that is not a finite number above 0.
    pub fn bandwidth(factor: f64) -> Result<Self, InvalidParameter> {
        let bandwidth = InvalidParameter::check_number("bandwidth", factor, Kind::Positive)?;
        Ok(Self { bandwidth, compat: None, seed: 0 })
    }

    /// With the constants, the floor and the second choice of widths of a published program.
    #[must_use]
    pub fn compat(self, version: EdgeVersion) -> Self {
        Self { compat: Some(version), ..self }
    }

    /// With another seed of the random projections; 0 by default.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }
}

impl EdgeVersion {
    fn name(self) -> &'static str {
        match self {
            Self::V431 => "4.3.1",
            Self::V441 => "4.4.1",
        }
    }
}

impl Estimator for Edge {
    fn member(&self) -> Member {
        let factor = Value::Number(self.bandwidth);
        let compat = self.compat.map(|version| format!("compat-{}", version.name()));
        let seed = (self.seed != 0).then(|| format!("seed-{}", self.seed));
        let options: Vec<String> = [compat, seed].into_iter().flatten().collect();
        let quantity = match self.compat {
            None => format!("plug-in information of the cells of EDGE, with {factor} of their automatic bandwidth"),
            Some(version) => format!(
                "what EDGE {} computes with {factor} of its bandwidth: a mean of pointwise information of at least 0.001 and at most 10 bits, which is biased",
                version.name()
            ),
        };
        Member {
            id: EstimatorId {
                options: (!options.is_empty()).then(|| options.join("-")),
                ..EstimatorId::new(SPEC.name, Some(Scale::new(ScaleKind::Bandwidth, self.bandwidth)))
            },
            quantity,
            randomness: Randomness::None,
            range: RangeOver::Estimated,
            edges: None,
            no_pool: Some(
                "`edge` assumes independent samples, and pooled snapshots are not independent; use `binning` or `quantised`",
            ),
            inputs: KnownInputs::Values,
        }
    }

    fn estimate(&self, layer: &LayerData<'_>) -> Result<Estimate, EstimateError> {
        estimate_layer(self, layer, None)
    }

    fn between(&self, a: &Variable<'_>, bs: &[Variable<'_>]) -> Vec<Result<Information, EstimateError>> {
        let n_dims = |variable: &Variable<'_>| if let Variable::Real(points) = variable { points.n_dims() } else { 1 };
        let is_projected =
            |b: &Variable<'_>| n_dims(a).max(n_dims(b)) > MOST_PLAIN || self.compat == Some(EdgeVersion::V431);
        // Once for all `bs`, which usually have equally many coordinates.
        let hashed = |projects: bool| {
            let is_needed = bs.iter().any(|b| is_projected(b) == projects);
            is_needed.then(|| self.hashed(a, "the first variable (T, if it is a layer)", projects, 0))
        };
        let n_t = a.n_samples();
        let (plain, projected) = (hashed(false), hashed(true));
        let with = |b: &Variable<'_>| {
            if n_t != b.n_samples() {
                return Err(EstimateError::Mismatch { n_t, n_y: b.n_samples() });
            }
            let a = if is_projected(b) { &projected } else { &plain };
            let a = a.as_ref().expect("hashed above").as_ref().map_err(Clone::clone)?;
            self.information(
                a,
                &self.hashed(
                    b,
                    "the second variable (X of the network, if the first is a layer)",
                    is_projected(b),
                    1,
                )?,
            )
        };
        bs.iter().map(with).collect()
    }
}

/// Up to this number of coordinates of both variables, version 4.4.1 hashes the coordinates themselves.
const MOST_PLAIN: usize = 6;
/// Number of estimates, of which the median is taken.
const N_ESTIMATES: usize = 10;
/// Growth of the widths from the first to the last of them.
const GROWTH: f64 = 0.1;
/// The smallest and largest pointwise information in the published programs, in bits.
const FLOOR_AND_CAP: (f64, f64) = (0.001, 10.0);
/// The published programs add this to every mean distance.
const ADDED_DISTANCE: f64 = 1e-4;
/// In the published programs a coordinate with a standard deviation below this is not scaled.
const SMALLEST_STD: f64 = 1e-4;
/// Below this number of samples there is no coordinate to project on.
const FEWEST_SAMPLES: usize = 20;

/// A variable before it is divided into cells.
enum Hashed {
    /// Coordinates of all samples, and the automatic width of every coordinate before `bandwidth` and the constant γ.
    Coordinates { values: Vec<f64>, widths: Vec<f64> },
    /// Cells that do not depend on widths.
    Classes(Cells),
}

impl Hashed {
    /// The cells of estimate `number` with all widths multiplied by `factor`.
    fn cells(&self, number: usize, factor: f64) -> Cells {
        match self {
            Self::Classes(cells) => cells.clone(),
            Self::Coordinates { values, widths } => {
                let growth = 1.0 + GROWTH * number as f64 / (N_ESTIMATES - 1) as f64;
                let widths: Vec<f64> = widths.iter().map(|width| width * factor * growth).collect();
                cells(values, &widths, number as f64 / N_ESTIMATES as f64)
            }
        }
    }
}

impl Edge {
    fn hashed(
        &self,
        variable: &Variable<'_>,
        what: &'static str,
        is_projected: bool,
        stream: u64,
    ) -> Result<Hashed, EstimateError> {
        match variable {
            Variable::Real(points) => self.coordinates(points, what, is_projected, stream),
            Variable::Classes(classes) => {
                expect_few_classes(classes)?;
                Ok(Hashed::Classes(classes.as_ref().clone()))
            }
        }
    }

    fn coordinates(
        &self,
        points: &Points<'_>,
        what: &'static str,
        is_projected: bool,
        stream: u64,
    ) -> Result<Hashed, EstimateError> {
        let (n, n_dims) = (points.n_samples(), points.n_dims());
        if n < FEWEST_SAMPLES {
            let advice = "use more samples, or `binning`";
            return Err(EstimateError::FewSamples { what: "a bandwidth", n, needed: FEWEST_SAMPLES, advice });
        }
        let first = &points.values()[..n_dims];
        if points.rows().all(|row| row == first) {
            return Err(EstimateError::NoSpread { what });
        }
        let (values, n_hashed) = if is_projected {
            let n_hashed = n_dims.min(most_coordinates(n));
            let small = if self.compat.is_some() { (SMALLEST_STD, 1.0) } else { (0.0, 0.0) };
            let rng = generator(self.seed, stream);
            (random_projections(points.values(), n_dims, n_hashed, small, rng), n_hashed)
        } else {
            (points.values().to_vec(), n_dims)
        };
        let k = neighbour(n, n_hashed);
        let constant = n_hashed as f64
            * match self.compat {
                Some(EdgeVersion::V431) => 3.0,
                _ => 18.0 / (1.0 + (n_dims as f64).ln()),
            };
        let added = if self.compat.is_some() { ADDED_DISTANCE } else { 0.0 };
        let width = |coordinate: usize| {
            let column = values[coordinate..].iter().step_by(n_hashed).copied().collect();
            (mean_distance(column, k) + added) * constant
        };
        let widths = (0..n_hashed).map(width).collect();
        Ok(Hashed::Coordinates { values, widths })
    }

    /// γ without the parameter `bandwidth`.
    fn gamma(&self) -> f64 {
        if self.compat == Some(EdgeVersion::V431) { 0.9 } else { 0.4 }
    }

    fn information(&self, a: &Hashed, b: &Hashed) -> Result<Information, EstimateError> {
        let factor = self.bandwidth * self.gamma();
        let first = self.median(a, b, factor);
        let (value, ceiling) = if self.compat.is_some() {
            let bits = first.bits();
            // The constant γ is applied again, as in the programs.
            let feedback = (-(2.0 * bits).sqrt() + 0.5 / bits).exp2() * self.gamma();
            (self.median(a, b, factor * feedback), FLOOR_AND_CAP.1 * LN_2)
        } else {
            (first, f64::INFINITY)
        };
        let ln_n = (self.n_samples(a) as f64).ln();
        Ok(Information { value, monte_carlo_error: None, ceiling: Some(Nats(ceiling.min(ln_n))) })
    }

    fn n_samples(&self, variable: &Hashed) -> usize {
        match variable {
            Hashed::Coordinates { values, widths } => values.len() / widths.len(),
            Hashed::Classes(cells) => cells.n_samples(),
        }
    }

    /// The median of the estimates with all widths multiplied by `factor`.
    fn median(&self, a: &Hashed, b: &Hashed, factor: f64) -> Nats {
        let table = CountTable::new(self.n_samples(a), Bias::PlugIn);
        let estimate = |number: usize| {
            let (a, b) = (a.cells(number, factor), b.cells(number, factor));
            match self.compat {
                None => information(&a, &b, &table).0,
                Some(_) => floored_information(&a, &b, FLOOR_AND_CAP.0, FLOOR_AND_CAP.1).0,
            }
        };
        let mut estimates: Vec<f64> = (0..N_ESTIMATES).map(estimate).collect();
        estimates.sort_by(f64::total_cmp);
        Nats((estimates[N_ESTIMATES / 2 - 1] + estimates[N_ESTIMATES / 2]) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use rand::SeedableRng;
    use rand::rngs::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;

    fn real(values: Vec<f64>, n_dims: usize) -> Variable<'static> {
        Variable::Real(Points::new(values, n_dims).unwrap())
    }

    fn classes(numbers: &[u32]) -> Variable<'static> {
        Variable::Classes(Cow::Owned(Cells::of_rows(numbers, 1)))
    }

    fn normal(n: usize, seed: u64) -> Vec<f64> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        (0..n).map(|_| StandardNormal.sample(&mut rng)).collect()
    }

    fn bits(edge: Edge, a: &Variable<'_>, b: &Variable<'_>) -> f64 {
        edge.between(a, std::slice::from_ref(b)).remove(0).unwrap().value.bits()
    }

    fn corrected() -> Edge {
        Edge::bandwidth(1.0).unwrap()
    }

    fn published(version: EdgeVersion) -> Edge {
        corrected().compat(version)
    }

    /// 300 values of the fractional parts of i√m.
    fn values(value: impl Fn(&dyn Fn(f64) -> f64) -> Vec<f64>) -> Vec<f64> {
        (1..=300).flat_map(|i| value(&|m: f64| (f64::from(i) * m.sqrt()).fract())).collect()
    }

    #[test]
    fn values_are_those_of_the_formulas_in_numpy() {
        // A separate program in NumPy: distances of all pairs, numpy.unique, numpy.median.
        let line = |f: &dyn Fn(f64) -> f64| vec![(f(2.0) + 0.5 * f(5.0)).powi(2)];
        let (x, y) = (real(values(|f| vec![f(2.0)]), 1), real(values(line), 1));
        let plane = real(values(|f| vec![f(2.0), f(3.0).powi(2)]), 2);
        let other = real(values(|f| vec![f(2.0) + 0.3 * f(5.0), f(7.0)]), 2);
        let numbers: Vec<u32> =
            values(|f| vec![3.0 * (f(2.0) * 0.8 + 0.2 * f(11.0))]).iter().map(|y| *y as u32).collect();
        let (quarter, whole) = (Edge::bandwidth(0.25).unwrap(), corrected());
        let (quarter_441, whole_441) = (quarter.compat(EdgeVersion::V441), whole.compat(EdgeVersion::V441));
        for (edge, a, b, want) in [
            (quarter, &x, &y, 1.129_401_468_696_420_9),
            (quarter_441, &x, &y, 3.192_868_095_438_94),
            (whole, &x, &y, 0.630_074_705_877_152_8),
            (whole_441, &x, &y, 1.133_129_127_313_501_1),
            (quarter, &plane, &other, 3.220_379_427_372_237_5),
            (quarter_441, &plane, &other, 8.215_485_357_162_55),
            (whole, &plane, &other, 0.681_374_415_012_758_5),
            (whole_441, &plane, &other, 3.188_666_573_871_992),
            (quarter, &plane, &classes(&numbers), 1.350_530_151_356_890_1),
        ] {
            let got = bits(edge, a, b);
            assert!((got - want).abs() < 1e-10, "{edge:?}: {got} is not {want}");
        }
    }

    /// Mean of five estimates, in bits, for samples of a normal pair with correlation ρ.
    fn mean_of_pairs(edge: Edge, n: usize, rho: f64) -> f64 {
        let estimate = |seed: u64| {
            let (x, e) = (normal(n, seed), normal(n, seed + 100));
            let y = x.iter().zip(&e).map(|(x, e)| rho * x + (1.0 - rho * rho).sqrt() * e).collect();
            bits(edge, &real(x, 1), &real(y, 1))
        };
        (0..5).map(estimate).sum::<f64>() / 5.0
    }

    #[test]
    fn the_floor_of_the_published_program_makes_a_correlation_of_one_half_too_informative() {
        // Measured with EDGE 4.4.1: 0.325, 0.331 and 0.330 bits for 500, 2000 and 8000 samples; the truth is 0.2075 bits. One
        // estimate has a standard deviation of 0.045, 0.023 and 0.012 (NumPy), a mean of five the √5-th part of it; three
        // of them for this mean and the single value.
        for (n, measured, std) in [(500, 0.325, 0.045), (2000, 0.331, 0.023), (8000, 0.330, 0.012)] {
            let got = mean_of_pairs(published(EdgeVersion::V441), n, 0.5);
            assert!((got - measured).abs() < 3.0 * std * 1.2_f64.sqrt(), "{n}: {got} is not {measured}");
            assert!(got - 0.207_518_75 > 0.07, "{n}: {got}");
        }
        // ρ = 0.9 and 0.99: 1.310 and 2.801 at 8000; standard deviations of 0.01 and 0.015.
        for (rho, measured) in [(0.9, 1.310), (0.99, 2.801)] {
            let got = mean_of_pairs(published(EdgeVersion::V441), 8000, rho);
            assert!((got - measured).abs() < 0.05, "{rho}: {got} is not {measured}");
        }
    }

    #[test]
    fn independent_variables_have_exactly_the_floor_of_the_published_program() {
        assert!((mean_of_pairs(published(EdgeVersion::V441), 1000, 0.0) - 0.001).abs() < 1e-15);
        // The corrected estimate is the plug-in bias, and falls with the number of samples.
        let [few, many] = [1000, 8000].map(|n| mean_of_pairs(corrected(), n, 0.0));
        assert!(0.0 < many && many < few && few < 0.03, "{few} {many}");
    }

    #[test]
    fn without_the_floor_more_samples_bring_the_estimate_closer_to_the_truth() {
        let truth = 0.207_518_75;
        let [few, many] = [500, 8000].map(|n| (mean_of_pairs(corrected(), n, 0.5) - truth).abs());
        assert!(many < 0.7 * few && many < 0.04, "{few} {many}");
    }

    #[test]
    fn many_dimensions_saturate_for_independent_variables_too() {
        // Measured with EDGE 4.4.1 at N = 500: 8.9618 bits of T = tanh of 784 inputs, and of independent inputs; log₂ N =
        // 8.9658. Almost every sample is a cell of its own.
        let n = 500;
        let (x, independent, w) = (normal(n * 784, 1), normal(n * 784, 2), normal(784 * 20, 3));
        let unit = |row: &[f64], k: usize| row.iter().zip(&w[k * 784..]).map(|(x, w)| x * w / 28.0).sum::<f64>().tanh();
        let t: Vec<f64> =
            x.chunks_exact(784).flat_map(|row| (0..20).map(|k| unit(row, k)).collect::<Vec<_>>()).collect();
        let (t, xs) = (real(t, 20), [real(x, 784), real(independent, 784)]);
        let found = published(EdgeVersion::V441).between(&t, &xs);
        for information in found {
            let information = information.unwrap();
            assert!((information.value.bits() - 8.9618).abs() < 0.03, "{information:?}");
            assert!((information.ceiling.unwrap().bits() - 500_f64.log2()).abs() < 1e-12);
        }
        // At 2000 samples the cap of 10 bits is below log₂ N. In narrow bins every sample of a copy has its own cell.
        let x = real(normal(2000 * 8, 5), 8);
        let capped = Edge::bandwidth(0.01)
            .unwrap()
            .compat(EdgeVersion::V441)
            .between(&x, std::slice::from_ref(&x))
            .remove(0)
            .unwrap();
        assert!((capped.value.bits() - 10.0).abs() < 1e-9, "{capped:?}");
        assert!((capped.ceiling.unwrap().bits() - 10.0).abs() < 1e-12);
    }

    #[test]
    fn scale_and_shift_change_nothing_and_the_seed_only_projections() {
        let (x, y) = (normal(300, 1), normal(300, 2));
        let y: Vec<f64> = x.iter().zip(&y).map(|(x, y)| x + y).collect();
        let doubled = real(x.iter().map(|x| 1024.0 * x).collect(), 1);
        let (x, y) = (real(x, 1), real(y, 1));
        assert_eq!(bits(corrected(), &x, &y), bits(corrected(), &doubled, &y));
        assert_eq!(bits(corrected(), &x, &y), bits(corrected().seed(1), &x, &y));
        let wide = real(normal(300 * 8, 1), 8);
        assert_ne!(bits(corrected(), &wide, &y), bits(corrected().seed(1), &wide, &y));
        assert_eq!(corrected().seed(1).member().id.to_string(), "edge-bandwidth-1-seed-1");
        assert_eq!(published(EdgeVersion::V431).member().id.to_string(), "edge-bandwidth-1-compat-4.3.1");
    }

    #[test]
    fn too_few_samples_and_variables_without_spread_are_refused() {
        let refused = |a: Vec<f64>, b: Variable<'_>| corrected().between(&real(a, 1), &[b]).remove(0).unwrap_err();
        assert!(matches!(
            refused(normal(19, 1), real(normal(19, 2), 1)),
            EstimateError::FewSamples { n: 19, needed: 20, .. }
        ));
        assert_eq!(
            refused(normal(30, 1), real(vec![2.0; 30], 1)),
            EstimateError::NoSpread { what: "the second variable (X of the network, if the first is a layer)" }
        );
        let distinct: Vec<u32> = (0..30).collect();
        assert!(matches!(refused(normal(30, 1), classes(&distinct)), EstimateError::ManyClasses { .. }));
    }
}
