//! Sample propagation: information of layers with noise, from recorded weights.

use std::f64::consts::PI;
use std::fs;

use infoplane::store::read_rows;
use infoplane::store::schema::{EstimateRow, SampleRow, SummaryRow, WeightRow};

use crate::tool::Project;

/// Linear units with noise, so that T of every layer is a mixture of normal distributions with a known variance.
const NOISY: &str = r#"seed = 1
runs = 2
[data]
name = "tishby"
train_fraction = 0.5
[network]
hidden = [1, 1]
activation = "linear"
noise_variance = 0.25
initial = "pytorch"
[training]
optimiser = "sgd"
learning_rate = 0.1
batch = "full"
epochs = 4
[record]
epochs = { every = 4 }
samples = 300
[propagation]
n_passes = 40
"#;

const ID: &str = "propagation-n-passes-40";

fn rows(project: &Project, run: &str) -> Vec<EstimateRow> {
    read_rows(&project.path(&format!("outputs/p/estimates/{ID}/run={run}.parquet"))).unwrap()
}

/// h(T) in bits of the mixture of normal distributions of one variance around `centres`, by the trapezoidal rule.
fn entropy(centres: &[f64], variance: f64) -> f64 {
    let (low, high) = centres.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), c| (a.min(*c), b.max(*c)));
    let margin = 9.0 * variance.sqrt();
    let (low, width, n_steps) = (low - margin, high - low + 2.0 * margin, 600);
    let step = width / f64::from(n_steps);
    let at = |i: i32| {
        let t = low + f64::from(i) * step;
        let sum: f64 = centres.iter().map(|c| (-(t - c).powi(2) / (2.0 * variance)).exp()).sum();
        let density = sum / (centres.len() as f64 * (2.0 * PI * variance).sqrt());
        if density > 0.0 { -density * density.log2() } else { 0.0 }
    };
    (0..=n_steps).map(at).sum::<f64>() * step
}

#[test]
fn the_information_of_linear_layers_is_that_of_normal_mixtures() {
    let project = Project::new(NOISY);
    project.ok("run p.toml");
    let samples: Vec<SampleRow> = read_rows(&project.path("outputs/p/recording/samples.parquet")).unwrap();
    let reader = project.activations("outputs/p/recording/activations/layer=1/run=r0001/part-00000.parquet");
    let ids = reader.read(0).unwrap().samples;
    let recorded: Vec<&SampleRow> = ids.iter().map(|id| &samples[*id as usize]).collect();
    let x: Vec<Vec<f64>> =
        recorded.iter().map(|sample| sample.x.iter().flatten().map(|x| f64::from(*x)).collect()).collect();
    assert_eq!(x.len(), 300);
    let weights = |layer: usize| -> Vec<WeightRow> {
        let file = format!("outputs/p/recording/weights/layer={layer}/run=r0001/part-00000.parquet");
        read_rows(&project.path(&file)).unwrap()
    };
    let (first, second) = (weights(1), weights(2));
    let found = rows(&project, "r0001");
    assert_eq!(found.len(), 2 * 2);
    for row in &found {
        let snapshot = usize::from(row.epoch > 0);
        let line = |row: &WeightRow, x: &[f64]| {
            row.kernel.iter().zip(x).map(|(w, x)| f64::from(*w) * x).sum::<f64>() + f64::from(row.bias[0])
        };
        let mut centres: Vec<f64> = x.iter().map(|x| line(&first[snapshot], x)).collect();
        let mut variance = 0.25;
        if row.layer.index() == 2 {
            centres.iter_mut().for_each(|t| *t = line(&second[snapshot], &[*t]));
            variance += 0.25 * f64::from(second[snapshot].kernel[0]).powi(2);
        }
        let h_t = entropy(&centres, variance);
        let i_xt = h_t - 0.5 * (2.0 * PI * std::f64::consts::E * variance).log2();
        let of_class = |y: i32| -> Vec<f64> {
            let of_y = centres.iter().zip(&recorded).filter(|(_, sample)| sample.y == y);
            of_y.map(|(t, _)| *t).collect()
        };
        let classes = [of_class(0), of_class(1)];
        let share = |class: &[f64]| class.len() as f64 / centres.len() as f64;
        let i_ty = h_t - classes.iter().map(|class| share(class) * entropy(class, variance)).sum::<f64>();
        let close = |got: Option<f64>, error: Option<f64>, want: f64, passes: f64| {
            let (got, error) = (got.unwrap(), error.unwrap());
            assert!(error > 0.0 && error < 0.05, "{row:?}");
            assert!((got - want).abs() < 4.0 * error + passes, "{got} ± {error}, exact {want}: {row:?}");
        };
        // With R passes, the density of T given x has a relative error, whose square is about 1/R on average; the mean of its
        // logarithm has a bias of half of it.
        let passes = if row.layer.index() == 2 { 0.5 / 40.0 / std::f64::consts::LN_2 } else { 0.0 };
        close(row.i_xt_bits, row.i_xt_error_bits, i_xt, passes);
        close(row.i_ty_bits, row.i_ty_error_bits, i_ty, passes);
        assert!((row.h_t_bits.unwrap() - h_t).abs() < 0.1);
        assert_eq!((row.n_samples as usize, row.randomness.as_deref()), (x.len(), Some("noise")));
        assert!(row.failure.is_none() && row.i_xt_untrained_bits.is_some());
    }
}

#[test]
fn later_stages_read_the_table_and_a_lost_one_is_made_again() {
    let project = Project::new(NOISY);
    let said = project.ok("run p.toml --threads 1");
    assert!(said.contains("propagate: 8 estimates"), "{said}");
    let summary: Vec<SummaryRow> = read_rows(&project.path("outputs/p/summary.parquet")).unwrap();
    assert_eq!(summary.len(), 2 * 2);
    assert!(summary.iter().all(|row| row.n_runs == 2));
    assert!(project.path(&format!("outputs/p/figures/information-plane-{ID}.svg")).exists());
    let before = project.files("outputs/p");
    let steps = "data: up to date\nrecord: up to date\npropagate: up to date\ncheck: up to date\naggregate: up to date\nplot: up to date\n";
    assert!(project.ok("run p.toml").starts_with(steps));
    fs::remove_file(project.path(&format!("outputs/p/estimates/{ID}/run=r0001.parquet"))).unwrap();
    let planned = project.run("propagate p.toml --dry-run").stdout;
    assert!(planned.starts_with(&format!("outputs/p/estimates/{ID}: 1 table to make, 1 up to date")), "{planned}");
    assert_eq!(project.run("estimate pipeline p.toml --dry-run").stdout, planned);
    project.ok("estimate pipeline p.toml --threads 3");
    assert!(project.files("outputs/p") == before, "made again with other threads, a table has other bytes");
    project.ok("inspect outputs/p --validate");
}

#[test]
fn a_pipeline_without_noise_and_a_layer_without_a_density_are_explained() {
    let project = Project::new(&NOISY.replace("noise_variance = 0.25\n", ""));
    let refused = project.refused("run p.toml");
    assert!(refused.contains("`[propagation]` needs a network with noise"), "{refused}");
    let project = Project::new(&NOISY.replace("[propagation]\nn_passes = 40\n", ""));
    let refused = project.refused("propagate p.toml");
    assert!(refused.contains("add a table `[propagation]`"), "{refused}");
    // A ReLU that is 0 stays 0 under Gaussian dropout.
    let relu = NOISY.replace("noise_variance = 0.25", "gaussian_dropout = 0.2").replace("\"linear\"", "\"relu\"");
    let project = Project::new(&relu.replace("hidden = [1, 1]", "hidden = [8]"));
    let ended = project.run("run p.toml");
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    let reasons: Vec<String> = rows(&project, "r0000").into_iter().filter_map(|row| row.failure).collect();
    assert!(reasons.len() == 2 && reasons.iter().all(|reason| reason.contains("stays 0")), "{reasons:?}");
}
