//! Compares gradient noise of networks from closed formulas, and bounds of Langevin steps, with NumPy.

#![cfg(test)]

use super::super::fixtures::{assert_all_close, assert_close, b_net, f_net, t_net};
use super::*;

fn noise(fixture: &super::super::fixtures::Fixture) -> GradientNoise {
    GradientNoise::of_samples(&fixture.network, fixture.samples()).unwrap()
}

#[test]
fn noise_of_the_f_net_is_that_of_numpy() {
    let f = f_net();
    let noise = noise(&f);
    assert_close(noise.squared_mean(), 0.429_290_937_237_7);
    assert_all_close(&[noise.trace(), noise.sample_trace().unwrap()], &[1.800_299_132_292, 1.846_460_648_504]);
    let scales = [noise.noise_scale(), noise.sample_noise_scale(), noise.unbiased_noise_scale()].map(Result::unwrap);
    assert_all_close(&scales, &[4.193_657_438_65, 4.301_187_116_564, 4.819_417_531_455]);
    assert_close(noise.unbiased_squared_mean().unwrap(), 0.383_129_421_025_1);
    assert_close(noise.mean_squared_norm(), 2.229_590_069_53);
    let largest = noise.norms().iter().copied().fold(0.0, f64::max);
    assert_close(largest, 1.886_280_863_068);
    assert_all_close(&noise.layer_snr().unwrap(), &[0.444_337_091_154_1, 0.504_443_731_409_8, 0.507_366_577_261_2]);
    assert_all_close(&noise.layer_means(), &[0.330_799_534_673_1, 0.277_778_487_326_7, 0.492_647_660_175_3]);
    let deviations: Vec<f64> = noise.layer_traces().iter().map(|trace| trace.sqrt()).collect();
    assert_all_close(&deviations, &[0.744_478_778_069, 0.550_662_977_911_1, 0.970_989_580_816_8]);
    assert_close(f.network.curvature_noise_scale(f.samples()).unwrap(), 4.530_429_265_38);
    assert_close(f.network.compat_elementwise_snr(f.samples()).unwrap(), 0.478_383_667_878_8);
    let covariance = Curvature::gradient_covariance(&f.network, f.samples()).unwrap();
    assert_close(covariance.trace(), noise.trace());
}

#[test]
fn noise_of_batches_is_that_of_numpy() {
    let f = f_net();
    let batches: Vec<Vec<usize>> = (0..5).map(|batch| (8 * batch..8 * batch + 8).collect()).collect();
    let of_batches = GradientNoise::of_batches(&f.network, f.samples(), &batches).unwrap();
    let snr = of_batches.layer_snr().unwrap();
    assert_all_close(&snr, &[1.397_815_103_14, 1.523_704_522_546, 1.847_909_840_533]);
    assert_close(of_batches.mean_squared_norm(), 0.589_605_480_391_9);
    assert_close(of_batches.trace(), 0.160_314_543_154_2);
    let two = TwoBatches::new((8, of_batches.mean_squared_norm()), (40, noise(&f).squared_mean())).unwrap();
    let numbers = [two.squared_mean(), two.trace(), two.noise_scale().unwrap()];
    assert_all_close(&numbers, &[0.389_212_301_449_1, 1.603_145_431_542, 4.118_948_516_203]);
    assert!(TwoBatches::new((40, 1.0), (40, 1.0)).is_err());
    for wrong in [vec![], vec![vec![]], vec![vec![40]]] {
        assert!(GradientNoise::of_batches(&f.network, f.samples(), &wrong).is_err());
    }
}

#[test]
fn noise_of_the_other_networks_is_that_of_numpy() {
    let (b, t) = (noise(&b_net()), noise(&t_net()));
    assert_close(b.squared_mean(), 2.180_262_540_392);
    assert_close(b.noise_scale().unwrap(), 8.406_386_665_907);
    let traces = [
        2.885_308_074_466,
        4.418_960_948_91,
        5.150_535_860_34,
        2.822_686_933_438,
        2.149_717_810_728,
        0.900_920_319_846_1,
    ];
    assert_all_close(&b.layer_traces(), &traces);
    let snr = [
        0.238_485_541_311_3,
        0.367_514_597_812_5,
        0.309_347_799_360_2,
        0.343_633_988_166_1,
        0.414_637_615_367_6,
        0.498_091_571_455_2,
    ];
    assert_all_close(&b.layer_snr().unwrap(), &snr);
    assert_close(t.squared_mean(), 4.820_824_799_999e-5);
    assert_close(t.trace(), 0.031_175_821_358_4);
    assert_close(t.noise_scale().unwrap(), 646.690_611_084);
    assert_all_close(&t.layer_snr().unwrap(), &[0.024_956_924_772_27, 0.056_577_739_655_33, 0.302_649_149_736_1]);
}

#[test]
fn bounds_of_six_langevin_steps_are_those_of_numpy() {
    let f = f_net();
    let (mut steps, mut determinants) = (Vec::new(), 0.0);
    for t in 0..6 {
        let factor = 1.0 + 0.05 * f64::from(t);
        let weights: Vec<f64> = f.network.weights().iter().map(|w| w * factor).collect();
        let network = f.network.with_weights(&weights);
        let noise = GradientNoise::of_samples(&network, f.samples()).unwrap();
        let step = LangevinStep::new(0.01 * 0.9_f64.powi(t), 1000.0 * 1.5_f64.powi(t), 5, &noise).unwrap();
        let covariance = Curvature::gradient_covariance(&network, f.samples()).unwrap();
        let bound = step.log_determinant_bound(covariance.spectrum().unwrap()).unwrap();
        if t == 0 {
            assert_all_close(&[step.trace_bound().0, bound.0], &[0.900_149_566_145_9, 0.702_122_124_449_8]);
        }
        determinants += bound.0;
        steps.push(step);
    }
    assert_close(determinants, 9.688_232_619_204);
    assert_close(steps.iter().map(|step| step.trace_bound().0).sum(), 17.369_031_650_62);
    assert_close(steps.iter().map(|step| step.pensia_jog_loh().0).sum(), 111.919_638_415_6);
    assert_close(LangevinStep::negrea(&steps).unwrap(), 0.337_927_236_104);
    assert_close(LangevinStep::compat_negrea_released(&steps).unwrap(), 0.315_623_209_729_7);
    assert_close(LangevinStep::compat_negrea_actual_noise(&steps).unwrap(), 1_827.764_691_921);
    assert!(LangevinStep::negrea(&[]).is_err());
}

#[test]
fn a_scalar_channel_tells_less_than_its_bounds() {
    let f = f_net();
    let gradients = f.network.sample_gradients(f.samples()).unwrap();
    let shifts: Vec<f64> = gradients.column(0).iter().map(|g| -g).collect();
    let exact = information_of_shifts(&shifts, 0.3).unwrap().0;
    assert_close(exact, 0.171_250_479_332_064);
    let mean = shifts.iter().sum::<f64>() / 40.0;
    let variance = shifts.iter().map(|a| (a - mean).powi(2)).sum::<f64>() / 40.0;
    assert_close(0.5 * (variance / 0.09).ln_1p(), 0.172_505_269_916_9);
    assert_close(variance / 0.18, 0.206_002_400_942_5);
    // Two distant shifts are distinguishable: ln 2.
    assert_close(information_of_shifts(&[0.0, 100.0], 1.0).unwrap().0, std::f64::consts::LN_2);
    for (shifts, noise) in [(vec![], 1.0), (vec![0.0], 0.0), (vec![f64::NAN], 1.0), (vec![0.0, 1.0], 1e-9)] {
        assert!(information_of_shifts(&shifts, noise).is_err());
    }
}

fn value(readings: &[Reading], quantity: &str, layer: Option<i32>) -> f64 {
    let is_meant = |r: &&Reading| r.quantity == quantity && r.layer.map(i32::from) == layer;
    readings.iter().find(is_meant).unwrap_or_else(|| panic!("no {quantity} of {layer:?}")).value
}

#[test]
fn the_batch_size_is_named_and_a_full_batch_has_no_noise() {
    let f = f_net();
    let measure = BatchNoise::default().curvature().compat().langevin(0.01, 1000.0).unwrap();
    let full = measure.measure(&f.recorded()).unwrap();
    assert_close(value(&full, "noise_scale", None), 4.193_657_438_65);
    assert_close(value(&full, "curvature_noise_scale", None), 4.530_429_265_38);
    assert!(full.iter().all(|reading| !["batch_snr", "two_batch_noise_scale"].contains(&reading.quantity)));
    let missing = measure.missing(&f.recorded());
    let quantities: Vec<&str> = missing.iter().map(|missing| missing.quantity).collect();
    let expected = [
        "two_batch_noise_scale",
        "batch_snr",
        "step_information",
        "step_information_by_trace",
        "compat_batch_variance",
    ];
    assert_eq!(quantities, expected);
    assert!(missing[0].why.to_string().starts_with("all training samples are one batch: there is no batch noise"));

    let recorded = f.recorded().with_batch_size(5).unwrap();
    let readings = measure.measure(&recorded).unwrap();
    assert!(measure.missing(&recorded).is_empty());
    assert_close(value(&readings, "batch_snr", Some(1)), 0.444_337_091_154_1 * 5_f64.sqrt());
    assert_close(value(&readings, "step_information_by_trace", None) * std::f64::consts::LN_2, 0.900_149_566_145_9);
    assert_close(value(&readings, "step_information", None) * std::f64::consts::LN_2, 0.702_122_124_449_8);
    let snr = readings.iter().find(|reading| reading.quantity == "batch_snr").unwrap();
    assert!(snr.method.as_deref().unwrap().starts_with("batches of 5"));
    assert_eq!(measure.measure(&recorded).unwrap(), readings);
}

#[test]
fn what_has_no_noise_is_refused() {
    let f = f_net();
    let x = f.x.slice_axis(Axis(0), ndarray::Slice::from(0..1));
    let single = Labelled::new(x, &f.classes[..1]).unwrap();
    let noise = GradientNoise::of_samples(&f.network, single).unwrap();
    assert!(noise.sample_trace().unwrap_err().to_string().contains("at least two"));
    assert!(BatchNoise::default().langevin(0.0, 1.0).is_err());
    let recorded = RecordedNetwork::new(&f.network, single).unwrap();
    assert!(BatchNoise::default().measure(&recorded).is_err());
}
