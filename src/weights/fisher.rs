//! Curvatures of the loss: the Fisher information of the softmax, the empirical one, the Hessian; whole, by layer, or their diagonal.

use std::ops::Range;
use std::sync::OnceLock;

use ndarray::{Array2, ArrayView2, Axis, Slice};

use super::MeasureError;
use super::dense::DenseNetwork;
use super::gradients::{SampleGradients, each_block, each_direction};
use super::inputs::Labelled;
use super::spectrum::Spectrum;
use crate::math::gram::{add_gram, mirror};

/// The most weights whose products are kept as one matrix: 8 MB, whose eigenvalues take about a second.
pub const LARGEST_MATRIX: usize = 1000;

/// Which entries of a matrix of n_weights × n_weights are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CurvatureForm {
    /// Every entry.
    Full,
    /// Those of two weights of one layer; the others are 0.
    Block,
    /// Those of a weight with itself; the others are 0.
    Diagonal,
}

impl CurvatureForm {
    /// The fullest form that a network allows: whole up to [`LARGEST_MATRIX`] weights, by layer while no layer has more, otherwise
    /// the diagonal.
    pub fn fullest(network: &DenseNetwork) -> Self {
        let fits = |form: &Self| form.parts(network).is_ok();
        [Self::Full, Self::Block].into_iter().find(fits).unwrap_or(Self::Diagonal)
    }

    /// Its name in tables and pipelines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Block => "block",
            Self::Diagonal => "diagonal",
        }
    }

    /// The layers of each block, none of the diagonal.
    fn parts(self, network: &DenseNetwork) -> Result<Vec<Range<usize>>, MeasureError> {
        let n_layers = network.layers().len();
        let parts = match self {
            Self::Full => std::iter::once(0..n_layers).collect(),
            Self::Block => (0..n_layers).map(|l| l..l + 1).collect(),
            Self::Diagonal => Vec::new(),
        };
        let widest = parts.iter().map(|part| weights_of(network, part).len()).max().unwrap_or(0);
        if widest > LARGEST_MATRIX {
            let (what, next) = match self {
                Self::Full => ("the network", "use `block` or `diagonal`"),
                Self::Block | Self::Diagonal => ("a layer", "use `diagonal`"),
            };
            return Err(MeasureError::Refused(format!(
                "{what} has {widest} weights, a matrix of them all is computed up to {LARGEST_MATRIX}; {next}"
            )));
        }
        Ok(parts)
    }
}

/// The weights of some layers.
fn weights_of(network: &DenseNetwork, layers: &Range<usize>) -> Range<usize> {
    let ranges = network.ranges();
    ranges[layers.start].start..ranges[layers.end - 1].end
}

/// A symmetric matrix of n_weights × n_weights, in one of the forms, in the order of [`DenseNetwork::weights`].
#[derive(Debug)]
pub struct Curvature {
    form: CurvatureForm,
    entries: Entries,
    /// The weights of each layer.
    layers: Vec<Range<usize>>,
    spectrum: OnceLock<Spectrum>,
    layer_spectra: OnceLock<Vec<Spectrum>>,
}

#[derive(Debug)]
enum Entries {
    /// One block, or one of each layer.
    Blocks(Vec<Array2<f64>>),
    Diagonal(Vec<f64>),
}

impl Curvature {
    /// The Fisher information F = (1/N) Σ_x Σ_c p_c g_c g_cᵀ, g_c = ∂ ln p(c | x)/∂w: the sum over classes is exact, no label is
    /// drawn. Of a softmax it is the generalised Gauss-Newton matrix.
    ///
    /// # Errors
    /// Inputs of another width; a form that is too large for the network; numbers that overflow.
    pub fn fisher(network: &DenseNetwork, x: ArrayView2<'_, f64>, form: CurvatureForm) -> Result<Self, MeasureError> {
        Self::fisher_at(network, x, 1.0, form)
    }

    /// The Fisher information of the softmax of z/τ, where τ is [`DenseNetwork::logit_scale`], held fixed. A factor on all
    /// weights of the last layer changes the Fisher information without any other class being predicted; it does not change the
    /// part of this one that belongs to the layers before the last.
    ///
    /// # Errors
    /// As [`Curvature::fisher`]; and logits that are the same for all classes at all samples.
    pub fn normalised_fisher(
        network: &DenseNetwork,
        x: ArrayView2<'_, f64>,
        form: CurvatureForm,
    ) -> Result<Self, MeasureError> {
        Self::fisher_at(network, x, network.logit_scale(x)?, form)
    }

    fn fisher_at(
        network: &DenseNetwork,
        x: ArrayView2<'_, f64>,
        temperature: f64,
        form: CurvatureForm,
    ) -> Result<Self, MeasureError> {
        network.check_inputs(x)?;
        let work = |add: &mut dyn FnMut(&SampleGradients<'_>)| each_direction(network, x, temperature, add);
        Self::mean_of_products(network, form, x.nrows(), "the Fisher information", work)
    }

    /// The empirical Fisher information (1/N) Σ_n g_n g_nᵀ, g_n = ∂(−ln p(y_n | x_n))/∂w: of the labels, not of the network's own
    /// probabilities.
    ///
    /// # Errors
    /// Samples that do not fit the network; a form that is too large for it; numbers that overflow.
    pub fn empirical_fisher(
        network: &DenseNetwork,
        samples: Labelled<'_>,
        form: CurvatureForm,
    ) -> Result<Self, MeasureError> {
        network.check(samples)?;
        let work = |add: &mut dyn FnMut(&SampleGradients<'_>)| each_block(network, samples, add);
        Self::mean_of_products(network, form, samples.len(), "the empirical Fisher information", work)
    }

    /// The mean over `n_samples` of the products of gradients that `work` hands out.
    fn mean_of_products(
        network: &DenseNetwork,
        form: CurvatureForm,
        n_samples: usize,
        what: &'static str,
        work: impl FnOnce(&mut dyn FnMut(&SampleGradients<'_>)),
    ) -> Result<Self, MeasureError> {
        let parts = form.parts(network)?;
        let n = n_samples as f64;
        let entries = if form == CurvatureForm::Diagonal {
            let mut diagonal = vec![0.0; network.n_weights()];
            work(&mut |gradients| {
                diagonal.iter_mut().zip(gradients.sum_of_squares()).for_each(|(sum, square)| *sum += square);
            });
            diagonal.iter_mut().for_each(|entry| *entry /= n);
            Entries::Diagonal(diagonal)
        } else {
            let zeros = |part| Array2::zeros((weights_of(network, part).len(), weights_of(network, part).len()));
            let mut blocks: Vec<Array2<f64>> = parts.iter().map(zeros).collect();
            work(&mut |gradients| {
                for (block, part) in blocks.iter_mut().zip(&parts) {
                    add_gram(gradients.columns(part.clone()).view(), block);
                }
            });
            for block in &mut blocks {
                *block /= n;
                mirror(block);
            }
            Entries::Blocks(blocks)
        };
        Self::new(form, entries, network.ranges(), what)
    }

    /// The covariance (ddof 0) of the gradients of single samples, whole.
    ///
    /// # Errors
    /// As [`Curvature::empirical_fisher`].
    pub fn gradient_covariance(network: &DenseNetwork, samples: Labelled<'_>) -> Result<Self, MeasureError> {
        let empirical = Self::empirical_fisher(network, samples, CurvatureForm::Full)?;
        let squared_mean = Self::compat_squared_mean_gradient(network, samples, CurvatureForm::Full)?;
        let covariance = empirical.matrix() - squared_mean.matrix();
        Self::new(
            CurvatureForm::Full,
            Entries::Blocks(vec![covariance]),
            network.ranges(),
            "the covariance of gradients",
        )
    }

    /// The Hessian of the mean −ln p(y | x), whole. It has negative eigenvalues nearly everywhere but at a minimum.
    ///
    /// # Errors
    /// As [`Curvature::empirical_fisher`].
    pub fn hessian(network: &DenseNetwork, samples: Labelled<'_>) -> Result<Self, MeasureError> {
        CurvatureForm::Full.parts(network)?;
        let hessian = network.hessian(samples)?;
        Self::new(CurvatureForm::Full, Entries::Blocks(vec![hessian]), network.ranges(), "the Hessian")
    }

    /// What released programs take for a Fisher information: G Gᵀ of the mean gradient G of a batch (Task2Vec and others). It has
    /// rank 1, and vanishes at a minimum.
    ///
    /// # Errors
    /// As [`Curvature::empirical_fisher`].
    pub fn compat_squared_mean_gradient(
        network: &DenseNetwork,
        samples: Labelled<'_>,
        form: CurvatureForm,
    ) -> Result<Self, MeasureError> {
        network.check(samples)?;
        let parts = form.parts(network)?;
        let (_, gradient) = network.gradient(samples);
        let block = |part: &Range<usize>| {
            let gradient = &gradient[weights_of(network, part)];
            Array2::from_shape_fn((gradient.len(), gradient.len()), |(i, j)| gradient[i] * gradient[j])
        };
        let entries = match form {
            CurvatureForm::Diagonal => Entries::Diagonal(gradient.iter().map(|g| g * g).collect()),
            CurvatureForm::Full | CurvatureForm::Block => Entries::Blocks(parts.iter().map(block).collect()),
        };
        Self::new(form, entries, network.ranges(), "the squared mean gradient")
    }

    /// A curvature that was computed elsewhere, n_weights × n_weights and symmetric, as that of one layer; only its lower
    /// triangle is read.
    ///
    /// # Errors
    /// A matrix that is not square; numbers that are not finite.
    pub fn of_matrix(mut matrix: Array2<f64>) -> Result<Self, MeasureError> {
        let (n_rows, n_columns) = matrix.dim();
        if n_rows != n_columns {
            return Err(MeasureError::Refused(format!("a curvature of {n_rows} × {n_columns} numbers is not square")));
        }
        mirror(&mut matrix);
        let layers = std::iter::once(0..n_rows).collect();
        Self::new(CurvatureForm::Full, Entries::Blocks(vec![matrix]), layers, "the curvature")
    }

    fn new(
        form: CurvatureForm,
        entries: Entries,
        layers: Vec<Range<usize>>,
        what: &'static str,
    ) -> Result<Self, MeasureError> {
        let is_finite = match &entries {
            Entries::Blocks(blocks) => blocks.iter().flatten().all(|entry| entry.is_finite()),
            Entries::Diagonal(diagonal) => diagonal.iter().all(|entry| entry.is_finite()),
        };
        if !is_finite {
            return Err(MeasureError::NotFinite { what });
        }
        Ok(Self { form, entries, layers, spectrum: OnceLock::new(), layer_spectra: OnceLock::new() })
    }

    /// Which entries there are.
    pub fn form(&self) -> CurvatureForm {
        self.form
    }

    /// Number of rows.
    pub fn n_weights(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.end)
    }

    /// All entries; those that the form leaves out are 0.
    pub fn matrix(&self) -> Array2<f64> {
        let mut matrix = Array2::from_diag(&ndarray::Array1::from(self.diagonal()));
        if let Entries::Blocks(blocks) = &self.entries {
            let mut start = 0;
            for block in blocks {
                let place = Slice::from(start..start + block.nrows());
                matrix.slice_axis_mut(Axis(0), place).slice_axis_mut(Axis(1), place).assign(block);
                start += block.nrows();
            }
        }
        matrix
    }

    /// The entries of each weight with itself.
    pub fn diagonal(&self) -> Vec<f64> {
        match &self.entries {
            Entries::Blocks(blocks) => blocks.iter().flat_map(|block| block.diag().to_vec()).collect(),
            Entries::Diagonal(diagonal) => diagonal.clone(),
        }
    }

    /// Its diagonal alone.
    #[must_use]
    pub fn to_diagonal(&self) -> Self {
        Self {
            form: CurvatureForm::Diagonal,
            entries: Entries::Diagonal(self.diagonal()),
            layers: self.layers.clone(),
            spectrum: OnceLock::new(),
            layer_spectra: OnceLock::new(),
        }
    }

    /// The sum of the diagonal.
    pub fn trace(&self) -> f64 {
        self.diagonal().iter().sum()
    }

    /// The share of each layer in [`Curvature::trace`].
    pub fn layer_traces(&self) -> Vec<f64> {
        let diagonal = self.diagonal();
        self.layers.iter().map(|layer| diagonal[layer.clone()].iter().sum()).collect()
    }

    /// √(Σ_ij A_ij²).
    pub fn frobenius_norm(&self) -> f64 {
        let squares = match &self.entries {
            Entries::Blocks(blocks) => blocks.iter().flatten().map(|entry| entry * entry).sum::<f64>(),
            Entries::Diagonal(diagonal) => diagonal.iter().map(|entry| entry * entry).sum(),
        };
        squares.sqrt()
    }

    /// vᵀ A v.
    ///
    /// # Errors
    /// A vector that does not have a number for each weight.
    pub fn along(&self, vector: &[f64]) -> Result<f64, MeasureError> {
        if vector.len() != self.n_weights() {
            let (got, wanted) = (vector.len(), self.n_weights());
            return Err(MeasureError::Refused(format!("a direction has {got} numbers, the curvature {wanted} rows")));
        }
        let Entries::Blocks(blocks) = &self.entries else {
            return Ok(self.diagonal().iter().zip(vector).map(|(entry, v)| entry * v * v).sum());
        };
        let (mut sum, mut rest) = (0.0, vector);
        for block in blocks {
            let (v, after) = rest.split_at(block.nrows());
            let v = ndarray::ArrayView1::from(v);
            sum += v.dot(&block.dot(&v));
            rest = after;
        }
        Ok(sum)
    }

    /// Its eigenvalues, computed once.
    ///
    /// # Errors
    /// Numbers that overflow.
    pub fn spectrum(&self) -> Result<&Spectrum, MeasureError> {
        if let Some(spectrum) = self.spectrum.get() {
            return Ok(spectrum);
        }
        let spectrum = match &self.entries {
            Entries::Blocks(blocks) => {
                let parts = blocks.iter().map(|block| Spectrum::new(block.clone()));
                Spectrum::joined(&parts.collect::<Result<Vec<_>, _>>()?)
            }
            Entries::Diagonal(diagonal) => Spectrum::sorted(diagonal.clone()),
        };
        Ok(self.spectrum.get_or_init(|| spectrum))
    }

    /// The eigenvalues of the block of each layer, computed once.
    ///
    /// # Errors
    /// Numbers that overflow.
    pub fn layer_spectra(&self) -> Result<&[Spectrum], MeasureError> {
        if let Some(spectra) = self.layer_spectra.get() {
            return Ok(spectra);
        }
        let spectra = match (&self.entries, self.form) {
            (Entries::Blocks(blocks), CurvatureForm::Full) => {
                let block = |layer: &Range<usize>| {
                    let place = Slice::from(layer.clone());
                    let rows = blocks[0].slice_axis(Axis(0), place);
                    Spectrum::new(rows.slice_axis(Axis(1), place).to_owned())
                };
                self.layers.iter().map(block).collect::<Result<Vec<_>, _>>()?
            }
            (Entries::Blocks(blocks), _) => {
                blocks.iter().map(|block| Spectrum::new(block.clone())).collect::<Result<Vec<_>, _>>()?
            }
            (Entries::Diagonal(diagonal), _) => {
                self.layers.iter().map(|layer| Spectrum::sorted(diagonal[layer.clone()].to_vec())).collect()
            }
        };
        Ok(self.layer_spectra.get_or_init(|| spectra))
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{
        Fixture, assert_all_close, assert_close, b_net, by_inputs, f_net, numbers, t_net, values,
    };
    use super::*;

    fn fisher(fixture: &Fixture, form: CurvatureForm) -> Curvature {
        Curvature::fisher(&fixture.network, fixture.x.view(), form).unwrap()
    }

    #[test]
    fn fisher_information_of_the_f_net_is_that_of_numpy() {
        let f = f_net();
        let full = fisher(&f, CurvatureForm::Full);
        let spectrum = full.spectrum().unwrap();
        assert_close(full.trace(), 1.812_989_596_921);
        assert_all_close(&full.layer_traces(), &[0.548_994_683_572_2, 0.305_664_994_778_5, 0.958_329_918_570_1]);
        assert_all_close(
            &spectrum.eigenvalues()[..3],
            &[0.853_577_343_943_3, 0.541_796_460_517_9, 0.278_776_875_856_5],
        );
        let determinants = [10.0, 1.0, 0.1].map(|a| spectrum.log_determinant(a).unwrap());
        assert_all_close(&determinants, &[89.976_828_790_3, 1.430_767_588_261, -83.246_620_405_19]);
        assert_eq!(spectrum.rank(1e-10), 35);
        let Some(expected) = values("d4_gaussian_code") else { return };
        let expected = &expected["full_fisher(=GGN)"];
        assert_close(full.frobenius_norm(), expected["frobenius"].as_f64().unwrap());
        assert_all_close(&by_inputs(&f.network, &full.diagonal()), &numbers(&expected["diagonal"]));
        for (got, expected) in spectrum.eigenvalues().iter().zip(numbers(&expected["all_eigenvalues"])) {
            // The page: small eigenvalues are accurate to 1e-13 of the largest.
            assert!((got - expected).abs() <= 1e-10 * expected + 1e-13);
        }
    }

    #[test]
    fn other_curvatures_of_the_f_net_are_those_of_numpy() {
        let f = f_net();
        let empirical = Curvature::empirical_fisher(&f.network, f.samples(), CurvatureForm::Full).unwrap();
        let diagonal = fisher(&f, CurvatureForm::Diagonal);
        let squared = Curvature::compat_squared_mean_gradient(&f.network, f.samples(), CurvatureForm::Full).unwrap();
        let traces = [empirical.trace(), diagonal.trace(), squared.trace()];
        assert_all_close(&traces, &[2.229_590_069_53, 1.812_989_596_921, 0.429_290_937_237_7]);
        assert_all_close(&squared.layer_traces(), &[0.109_428_332_14, 0.077_160_888_021_53, 0.242_701_717_076_2]);
        let at_1 = [&empirical, &diagonal, &squared].map(|c| c.spectrum().unwrap().log_determinant(1.0).unwrap());
        assert_all_close(&at_1, &[1.684_497_605_381, 1.711_516_008_703, 0.357_178_473_213]);
        assert_eq!([&empirical, &diagonal, &squared].map(|c| c.spectrum().unwrap().rank(1e-10)), [35, 39, 1]);
        let Some(expected) = values("d4_gaussian_code") else { return };
        let names = ["empirical_fisher", "diag_fisher", "squared_batch_mean_gradient(Task2Vec, wrong)"];
        for (curvature, name) in [&empirical, &diagonal, &squared].into_iter().zip(names) {
            let expected = &expected[name];
            assert_all_close(&curvature.layer_traces(), &numbers(&expected["trace_per_layer"]));
            assert_close(curvature.frobenius_norm(), expected["frobenius"].as_f64().unwrap());
            let spectrum = curvature.spectrum().unwrap();
            assert_all_close(&spectrum.eigenvalues()[..8], &numbers(&expected["top8_eigenvalues"]));
            for (a, lambda) in [(10.0, "0.1"), (1.0, "1.0"), (0.1, "10.0")] {
                let expected = expected["logdet(A+I/lambda2)"][lambda].as_f64().unwrap();
                assert_close(spectrum.log_determinant(a).unwrap(), expected);
            }
        }
    }

    #[test]
    fn blocks_and_diagonal_are_parts_of_the_whole() {
        let f = f_net();
        let [full, block, diagonal] =
            [CurvatureForm::Full, CurvatureForm::Block, CurvatureForm::Diagonal].map(|form| fisher(&f, form));
        assert_all_close(&block.diagonal(), &full.diagonal());
        assert_all_close(&diagonal.diagonal(), &full.diagonal());
        let (a, b) = (full.matrix(), block.matrix());
        for ((i, j), entry) in b.indexed_iter() {
            let layer = |k: usize| f.network.ranges().iter().position(|range| range.contains(&k));
            assert_close(*entry, if layer(i) == layer(j) { a[(i, j)] } else { 0.0 });
        }
        for (a, b) in full.layer_spectra().unwrap().iter().zip(block.layer_spectra().unwrap()) {
            assert_all_close(a.eigenvalues(), b.eigenvalues());
        }
        let v: Vec<f64> = (0..39).map(|k| f64::from(k).sin()).collect();
        let by_hand = |m: &Array2<f64>| m.indexed_iter().map(|((i, j), entry)| v[i] * entry * v[j]).sum::<f64>();
        assert_close(full.along(&v).unwrap(), by_hand(&a));
        assert_close(block.along(&v).unwrap(), by_hand(&b));
        assert_close(diagonal.along(&v).unwrap(), by_hand(&diagonal.matrix()));
    }

    #[test]
    fn the_hessian_of_the_f_net_and_its_signs_are_those_of_numpy() {
        let (f, t) = (f_net(), t_net());
        let hessian = Curvature::hessian(&f.network, f.samples()).unwrap();
        assert_close(hessian.trace(), 1.884_551_481_876);
        let eigenvalues = hessian.spectrum().unwrap().eigenvalues();
        assert_all_close(&eigenvalues[..2], &[1.174_792_250_957, 0.844_481_252_104_3]);
        assert_all_close(&eigenvalues[37..], &[-0.474_805_528_223_7, -0.550_802_159_925_6]);
        assert_eq!(eigenvalues.iter().filter(|h| **h < -1e-12).count(), 14);
        let error = hessian.spectrum().unwrap().log_determinant(0.1).unwrap_err().to_string();
        assert!(error.contains("smallest eigenvalue") && error.contains("Fisher"), "{error}");
        let hessian = Curvature::hessian(&t.network, t.samples()).unwrap();
        assert_close(hessian.trace(), 1.942_857_749_565);
        assert_eq!(hessian.spectrum().unwrap().eigenvalues().iter().filter(|h| **h < -1e-12).count(), 4);
    }

    #[test]
    fn fisher_information_of_the_b_net_is_that_of_numpy() {
        let b = b_net();
        let full = fisher(&b, CurvatureForm::Full);
        assert_close(full.trace(), 11.862_324_805_79);
        let layers = [
            1.627_072_604_571,
            2.855_202_497_421,
            3.264_518_551_929,
            1.935_512_216_178,
            1.533_204_250_19,
            0.646_814_685_500_6,
        ];
        assert_all_close(&full.layer_traces(), &layers);
        let spectrum = full.spectrum().unwrap();
        assert_all_close(&spectrum.eigenvalues()[..3], &[4.510_233_702_455, 1.307_588_589_344, 1.178_565_838_158]);
        assert_close(spectrum.log_determinant(1.0).unwrap(), 7.512_487_062_431);
        assert_close(spectrum.log_determinant(1e-3).unwrap(), -1_697.407_420_361);
        assert_close(full.to_diagonal().spectrum().unwrap().log_determinant(1.0).unwrap(), 11.010_617_991_93);
        let empirical = Curvature::empirical_fisher(&b.network, b.samples(), CurvatureForm::Diagonal).unwrap();
        assert_close(empirical.trace(), 20.508_392_488_12);
    }

    #[test]
    fn saturation_of_the_logits_lowers_the_trace_but_not_the_normalised_one() {
        let t = t_net();
        let expected = [
            (1.0, 1.655_167_880_727),
            (2.0, 0.130_120_176_363_5),
            (4.0, 0.000_338_681_729_979_3),
            (8.0, 1.136_537_009_03e-9),
            (16.0, 5.439_076_620_402e-21),
            (32.0, 4.787_694_465_925e-44),
        ];
        for (factor, trace) in expected {
            let network = last_layer_times(&t.network, factor);
            let fisher = Curvature::fisher(&network, t.x.view(), CurvatureForm::Diagonal).unwrap();
            // Logits of size 8 × factor are rounded by 1e-16 of it each, and the trace is the exponential of their difference.
            assert!((fisher.trace() / trace - 1.0).abs() < 1e-10, "{} is not {trace}", fisher.trace());
            let normalised = Curvature::normalised_fisher(&network, t.x.view(), CurvatureForm::Diagonal).unwrap();
            assert_close(normalised.layer_traces()[..2].iter().sum(), 1.655_658_372_392);
        }
        let f = f_net();
        assert_close(f.network.logit_scale(f.x.view()).unwrap(), 0.163_139_955_528_1);
        let Some(expected) = values("d4_gaussian_code") else { return };
        for (name, expected) in expected["logit_saturation"]["values"].as_object().unwrap() {
            let network = last_layer_times(&f.network, name[2..].parse().unwrap());
            let number = |key: &str| expected[key].as_f64().unwrap();
            assert_close(network.logit_scale(f.x.view()).unwrap(), number("tau"));
            let fisher = Curvature::fisher(&network, f.x.view(), CurvatureForm::Diagonal).unwrap();
            assert_close(fisher.trace(), number("trace_F"));
            let normalised = Curvature::normalised_fisher(&network, f.x.view(), CurvatureForm::Diagonal).unwrap();
            assert_close(normalised.trace(), number("trace_F_temperature_normalised"));
            assert_close(normalised.layer_traces()[..2].iter().sum(), number("of_which_earlier_layers"));
        }
    }

    fn last_layer_times(network: &DenseNetwork, factor: f64) -> DenseNetwork {
        let mut layers = network.layers().to_vec();
        let last = layers.last_mut().unwrap();
        last.kernel *= factor;
        last.bias *= factor;
        DenseNetwork::new(layers).unwrap()
    }

    #[test]
    fn networks_that_are_too_large_for_a_matrix_are_told_what_to_use() {
        let layer = |n_units: usize, n_inputs: usize| super::super::DenseLayer {
            kernel: Array2::from_elem((n_units, n_inputs), 0.01),
            bias: ndarray::Array1::zeros(n_units),
            activation: crate::nn::Activation::Relu,
        };
        let wide = DenseNetwork::new(vec![layer(40, 30), layer(2, 40)]).unwrap();
        let long = DenseNetwork::new(vec![layer(30, 30), layer(30, 30)]).unwrap();
        let x = Array2::ones((2, 30));
        let refused = |network, form| Curvature::fisher(network, x.view(), form).unwrap_err().to_string();
        let expected =
            "the network has 1322 weights, a matrix of them all is computed up to 1000; use `block` or `diagonal`";
        assert_eq!(refused(&wide, CurvatureForm::Full), expected);
        let expected = "a layer has 1240 weights, a matrix of them all is computed up to 1000; use `diagonal`";
        assert_eq!(refused(&wide, CurvatureForm::Block), expected);
        let fullest = [&wide, &long, &f_net().network].map(CurvatureForm::fullest);
        assert_eq!(fullest, [CurvatureForm::Diagonal, CurvatureForm::Block, CurvatureForm::Full]);
        assert!(Curvature::fisher(&long, x.view(), CurvatureForm::Block).is_ok());
        let error = wide.logit_scale(x.view()).unwrap_err().to_string();
        assert!(error.starts_with("all classes have the same logits"), "{error}");
    }

    #[test]
    fn many_classes_and_certain_ones_are_summed_exactly() {
        // The definition: the sum over classes of p_c g_c g_cᵀ, with a class of probability 0.
        let layer = super::super::DenseLayer {
            kernel: Array2::from_shape_fn((5, 3), |(j, i)| (1.0 + 2.3 * j as f64 + 0.7 * i as f64).sin()),
            bias: ndarray::array![0.0, -2000.0, 0.3, 1.0, -2000.0],
            activation: crate::nn::Activation::Tanh,
        };
        let network = DenseNetwork::new(vec![layer]).unwrap();
        let x = Array2::from_shape_fn((4, 3), |(s, i)| (0.4 + s as f64 + 1.9 * i as f64).cos());
        let p = network.log_probabilities(x.view()).mapv(f64::exp);
        let mut expected = Array2::<f64>::zeros((20, 20));
        for class in 0..5 {
            let mut slopes = -&p;
            slopes.column_mut(class).mapv_inplace(|slope| slope + 1.0);
            let g = network.gradients_through_logits(x.view(), slopes).unwrap();
            let weighted = &g * &p.column(class).insert_axis(Axis(1));
            expected += &(g.t().dot(&weighted) / 4.0);
        }
        let fisher = Curvature::fisher(&network, x.view(), CurvatureForm::Full).unwrap().matrix();
        assert!(fisher.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-15));
        assert!(fisher.iter().any(|entry| *entry > 0.01));
    }
}
