//! Curvatures of the loss: the Fisher information of the softmax, the empirical one, and the Hessian; full,
//! block-diagonal by layer, or diagonal.

use std::ops::Range;
use std::sync::OnceLock;

use ndarray::{Array2, ArrayView2, Axis, Slice};

use super::MeasureError;
use super::dense::DenseNetwork;
use super::gradients::{SampleGradients, each_block, each_direction};
use super::inputs::Labelled;
use super::spectrum::Spectrum;
use crate::math::gram::{add_gram, mirror};

/// Maximum number of weights of a full matrix: 8 MB, and about a second for its eigenvalues.
pub const LARGEST_MATRIX: usize = 1000;

/// Which entries of a matrix of n_weights × n_weights are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CurvatureForm {
    /// Every entry.
    Full,
    /// Entries for two weights of one layer; the others are 0.
    Block,
    /// Diagonal entries; the others are 0.
    Diagonal,
}

impl CurvatureForm {
    /// The most complete form for a network: full up to [`LARGEST_MATRIX`] weights, block-diagonal if no layer has
    /// more, otherwise diagonal.
    pub fn fullest(network: &DenseNetwork) -> Self {
        let fits = |form: &Self| form.parts(network).is_ok();
        [Self::Full, Self::Block].into_iter().find(fits).unwrap_or(Self::Diagonal)
    }

    /// Name in tables and pipelines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Block => "block",
            Self::Diagonal => "diagonal",
        }
    }

    /// The layers of each block; none for the diagonal.
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
                "{what} has {widest} weights, but a full matrix is computed for at most {LARGEST_MATRIX}; {next}"
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
    /// One block, or one block per layer.
    Blocks(Vec<Array2<f64>>),
    Diagonal(Vec<f64>),
}

impl Curvature {
    /// The Fisher information F = (1/N) Σ_x Σ_c p_c g_c g_cᵀ, g_c = ∂ ln p(c | x)/∂w: the sum over classes is exact, no
    /// label is drawn. For a softmax it is the generalised Gauss-Newton matrix.
    ///
    /// # Errors
    /// Another number of inputs, a form that is too large for the network, or numbers that overflow.
    pub fn fisher(network: &DenseNetwork, x: ArrayView2<'_, f64>, form: CurvatureForm) -> Result<Self, MeasureError> {
        Self::fisher_at(network, x, 1.0, form)
    }

    /// The Fisher information of the softmax of z/τ, with τ = [`DenseNetwork::logit_scale`] constant. A factor on all
    /// weights of the last layer changes the Fisher information without changing any predicted class; it does not
    /// change the part of this one that belongs to the layers before the last.
    ///
    /// # Errors
    /// See [`Curvature::fisher`]; also logits that are equal for all classes and samples.
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

    /// The empirical Fisher information (1/N) Σ_n g_n g_nᵀ, g_n = ∂(−ln p(y_n | x_n))/∂w: from the labels, not from the
    /// probabilities of the network.
    ///
    /// # Errors
    /// Samples that do not fit the network, a form that is too large for it, or numbers that overflow.
    pub fn empirical_fisher(
        network: &DenseNetwork,
        samples: Labelled<'_>,
        form: CurvatureForm,
    ) -> Result<Self, MeasureError> {
        network.check(samples)?;
        let work = |add: &mut dyn FnMut(&SampleGradients<'_>)| each_block(network, samples, add);
        Self::mean_of_products(network, form, samples.len(), "the empirical Fisher information", work)
    }

    /// The mean over `n_samples` of the products of the gradients that `work` provides.
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

    /// The full covariance (ddof 0) of the gradients of single samples.
    ///
    /// # Errors
    /// See [`Curvature::empirical_fisher`].
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

    /// The full Hessian of the mean −ln p(y | x). It has negative eigenvalues nearly everywhere except at a minimum.
    ///
    /// # Errors
    /// See [`Curvature::empirical_fisher`].
    pub fn hessian(network: &DenseNetwork, samples: Labelled<'_>) -> Result<Self, MeasureError> {
        CurvatureForm::Full.parts(network)?;
        let hessian = network.hessian(samples)?;
        Self::new(CurvatureForm::Full, Entries::Blocks(vec![hessian]), network.ranges(), "the Hessian")
    }

    /// The matrix that released programs use as Fisher information: G Gᵀ of the mean gradient G of a batch (Task2Vec
    /// and others). It has rank 1, and vanishes at a minimum.
    ///
    /// # Errors
    /// See [`Curvature::empirical_fisher`].
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

    /// A curvature that was computed elsewhere, n_weights × n_weights and symmetric, as one block; only its lower
    /// triangle is read.
    ///
    /// # Errors
    /// A matrix that is not square, or numbers that are not finite.
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

    /// Which entries are computed.
    pub fn form(&self) -> CurvatureForm {
        self.form
    }

    /// Number of rows.
    pub fn n_weights(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.end)
    }

    /// All entries; those not computed are 0.
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

    /// The diagonal entries.
    pub fn diagonal(&self) -> Vec<f64> {
        match &self.entries {
            Entries::Blocks(blocks) => blocks.iter().flat_map(|block| block.diag().to_vec()).collect(),
            Entries::Diagonal(diagonal) => diagonal.clone(),
        }
    }

    /// The diagonal matrix.
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

    /// The trace.
    pub fn trace(&self) -> f64 {
        self.diagonal().iter().sum()
    }

    /// The contribution of each layer to [`Curvature::trace`].
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
    /// A vector with another length than the number of weights.
    pub fn along(&self, vector: &[f64]) -> Result<f64, MeasureError> {
        if vector.len() != self.n_weights() {
            let (got, wanted) = (vector.len(), self.n_weights());
            return Err(MeasureError::Refused(format!(
                "a direction has {got} numbers, but the curvature has {wanted} rows"
            )));
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
mod tests;
