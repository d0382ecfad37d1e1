//! Estimates I(X;T) and I(T;Y) of an array of activations and its labels with several estimators.

use infoplane::estimators::{BinRange, Binning, Estimator, Kde, LayerData};
use ndarray::Array2;

#[expect(clippy::print_stdout, reason = "an example prints its result")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    // 1000 samples of 3 units, of which the first follows the label; replace both arrays with your data.
    let labels: Vec<i32> = (0..1000).map(|i| i % 2).collect();
    let noise = |i: usize, unit: usize| ((i * 7919 + unit * 104_729) as f32 * 0.618).sin();
    let activations = Array2::from_shape_fn((1000, 3), |(i, unit)| {
        let signal = if unit == 0 { labels[i] as f32 - 0.5 } else { 0.0 };
        (signal + noise(i, unit)).tanh()
    });
    let layer = LayerData::from_array(activations.view(), &labels)?;

    for (name, binning) in [("30 edges", Binning::edges(30)?), ("4 bins", Binning::bins(4, BinRange::Layer)?)] {
        let estimate = binning.estimate(&layer)?;
        let i_xt = estimate.i_xt.map_or(f64::NAN, |i_xt| i_xt.bits());
        println!("binning, {name}: I(X;T) = {i_xt:.3} bits, I(T;Y) = {:.3} bits", estimate.i_ty.bits());
    }
    // Estimators of one method share work; here, the distances between all samples.
    let variances = [0.01, 0.1, 1.0];
    let bounds = variances.iter().map(|variance| Kde::upper(*variance)).collect::<Result<Vec<_>, _>>()?;
    for (variance, estimate) in variances.iter().zip(Kde::estimate_all(&bounds, &layer)) {
        println!("kde, upper bound, noise variance {variance}: I(T;Y) = {:.3} bits", estimate?.i_ty.bits());
    }
    Ok(())
}
