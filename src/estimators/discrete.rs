//! Plug-in information of a discrete code: shared by the estimators that divide the values of T into cells.
//!
//! Every row has a cell t and an input x. I(X;T) = H(T) − H(T|X), with H(T|X) = H(X,T) − H(X). If every input has one
//! row, or always the same cell, then H(T|X) = 0 and I(X;T) = H(T), a count of occupied cells. I(T;Y) = H(T) + H(Y) −
//! H(T,Y) for hard labels, and H(Y) − Σ_t p(t) H(Y|t) for stochastic ones, with p(y|t) the mean of p(y|x) over the rows
//! in cell t.
//!
//! # Reference
//! Shwartz-Ziv & Tishby 2017 (arXiv 1703.00810), released code; with H(T|X) > 0, Grabauskas 2019. Miller-Madow: Miller
//! 1955. Jackknife: Zahl 1977, Efron & Stein 1981.

use super::inputs_and_labels::stochastic_entropy_given;
use super::{Cells, Estimate, EstimateError, Information, InputsAndLabels, LayerData, Ranges, Spread, Variable};
use crate::math::entropy::{Bias, CountTable, entropy};
use crate::math::information::{information, shuffled_information};
use crate::parameter::{Kind, Parameter, Parameters};
use crate::units::Nats;

/// T as a discrete code.
#[derive(Debug, Clone, PartialEq)]
pub struct Code {
    cells: Cells,
    bias: Bias,
}

impl Code {
    /// The cell of every row.
    pub fn cells(&self) -> &Cells {
        &self.cells
    }
}

/// I(T;T′) of a layer and the next layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbours {
    /// I(T;T′).
    pub i_tt: Nats,
    /// I(T;T′) with the rows of T′ shuffled within their snapshot; `None` without shuffles, and if the pooled snapshots
    /// have different samples.
    pub null: Option<Spread>,
}

/// Information that the code of a layer has about the class predicted by the network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PredictedClass {
    /// I(T;Ŷ).
    pub i_t_predicted: Nats,
    /// H(Ŷ|T): 0 if the code keeps all information that the network uses for its prediction.
    pub h_predicted_given_t: Nats,
}

/// Corrections of the entropies, for estimators with a discrete code.
pub(super) const BIAS: Parameter = Parameter {
    name: "bias",
    doc: "bias correction of the plug-in entropies, which are too low by about (cells - 1)/(2N) nats for N samples",
    kind: Kind::Choice(&["plug-in", "miller-madow", "jackknife"]),
    default: "plug-in",
};

/// The selected correction.
pub(super) fn bias(parameters: &Parameters) -> Bias {
    let name = parameters.text(BIAS.name);
    Bias::ALL.into_iter().find(|bias| Some(bias.name()) == name).unwrap_or(Bias::PlugIn)
}

/// Why rows cannot be pooled with a correction.
pub(super) fn no_pool(bias: Bias) -> Option<&'static str> {
    let problem = "`bias` assumes independent samples, and pooled snapshots are not independent; use `plug-in`";
    (bias != Bias::PlugIn).then_some(problem)
}

/// The correction, for the end of a description.
pub(super) fn bias_words(bias: Bias) -> &'static str {
    match bias {
        Bias::PlugIn => "",
        Bias::MillerMadow => ", with the Miller-Madow correction",
        Bias::Jackknife => ", with the jackknife correction",
    }
}

/// The estimate from the cell of every row; `most_codes` is the logarithm of the number of possible codes.
pub(super) fn estimate(
    cells: Cells,
    most_codes: Nats,
    bias: Bias,
    layer: &LayerData<'_>,
) -> Result<Estimate, EstimateError> {
    let samples = layer.samples.as_ref();
    let table = samples.table(bias);
    let h_t = table.entropy(cells.counts());
    let (i_xt, i_xt_null) = match samples.is_distinct() {
        true => (h_t, Spread::unmoved(samples.n_shuffles(), h_t)),
        false => (information(&cells, &samples.x, table), Spread::of(&samples.shuffled_i_xt(&cells, bias))),
    };
    let (i_ty, i_ty_null) = match (&samples.classes, samples.y.probabilities()) {
        (Some(classes), _) => (information(&cells, classes, table), Spread::of(&samples.shuffled_i_ty(&cells, bias))),
        (None, Some(rows)) if bias == Bias::PlugIn => {
            let i_ty = |rows: &[[f64; 2]]| label_entropy(rows) - stochastic_entropy_given(&cells, rows);
            let reordered = |order: &[u32]| order.iter().map(|row| rows[*row as usize]).collect::<Vec<_>>();
            let shuffled: Vec<Nats> = samples.shuffles().iter().map(|order| i_ty(&reordered(&order))).collect();
            (i_ty(rows), Spread::of(&shuffled))
        }
        (None, _) => return Err(EstimateError::NeedsHardLabels { what: "a correction of the bias" }),
    };
    Ok(Estimate {
        i_xt: Some(i_xt),
        i_ty,
        i_xt_error: None,
        i_ty_error: None,
        h_t: Some(h_t),
        h_t_given_x: Some(h_t - i_xt),
        i_xt_null,
        i_ty_null,
        i_xt_ceiling: Some(if most_codes < samples.h_x { most_codes } else { samples.h_x }),
        i_ty_ceiling: samples.i_ty_ceiling,
        n_codes: cells.n_cells(),
        code: Some(Code { cells, bias }),
    })
}

/// I(A;B) of codes: `cells` are the codes of real vectors, labels are codes already.
pub(super) fn of_codes(
    a: &Variable<'_>,
    bs: &[Variable<'_>],
    cells: impl Fn(&LayerData<'_>) -> Result<Cells, EstimateError>,
    bias: Bias,
) -> Vec<Result<Information, EstimateError>> {
    let coded = |variable: &Variable<'_>| match variable {
        Variable::Classes(classes) => Ok(classes.clone().into_owned()),
        Variable::Real(points) => cells(&whole_range(&points.in_f32()?, points.n_dims())?),
    };
    let of_a = coded(a);
    let table = CountTable::new(a.n_samples(), bias);
    let between = |b: &Variable<'_>| {
        let (a, b) = (of_a.clone()?, coded(b)?);
        let ceiling = Nats(table.entropy(a.counts()).0.min(table.entropy(b.counts()).0));
        Ok(Information { ceiling: Some(ceiling), ..Information::of(information(&a, &b, &table)) })
    };
    bs.iter().map(between).collect()
}

/// Real vectors as a layer of a single run, so that the range of a run is their range.
fn whole_range(values: &[f32], n_dims: usize) -> Result<LayerData<'_>, EstimateError> {
    let layer = LayerData::new(values, n_dims, &vec![0; values.len() / n_dims][..])?;
    let range = Some(layer.ranges.layer);
    Ok(LayerData { ranges: Ranges { run: range, all_runs: range, ..layer.ranges }, ..layer })
}

/// H(Y) from the rows p(y|x).
fn label_entropy(rows: &[[f64; 2]]) -> Nats {
    entropy([0, 1].map(|class| rows.iter().map(|p_y| p_y[class]).sum::<f64>() / rows.len() as f64))
}

/// I(T;T′) from the codes of a layer and of the next layer, for the same rows.
pub fn neighbours(below: &Code, above: &Code, given: &InputsAndLabels) -> Neighbours {
    let table = given.table(below.bias);
    let null = match given.shuffles().keeps_snapshots() {
        true => Spread::of(&shuffled_information(&below.cells, &above.cells, given.shuffles().iter(), table)),
        false => None,
    };
    Neighbours { i_tt: information(&below.cells, &above.cells, table), null }
}

/// Information that the code of a layer has about Ŷ, the class predicted by the network, for the same rows.
pub fn predicted_class(code: &Code, predicted: &Cells, given: &InputsAndLabels) -> PredictedClass {
    let table = given.table(code.bias);
    let i_t_predicted = information(&code.cells, predicted, table);
    let h_predicted = table.entropy(predicted.counts());
    PredictedClass { i_t_predicted, h_predicted_given_t: h_predicted - i_t_predicted }
}
