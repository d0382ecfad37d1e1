//! Exact numbers: linear networks from their recorded weights, the minimal model from nothing.

use std::fs;

use infoplane::datasets::{self, Teacher};
use infoplane::parameter::{Parameters, Value};
use infoplane::store::read_rows;
use infoplane::store::schema::{EstimateRow, MinimalModelRow, SummaryRow, WeightRow};

use crate::tool::Project;

/// A linear network of one hidden unit, so that every number has a formula without matrices.
const LINEAR: &str = r#"seed = 1
runs = 2
[data]
name = "student-teacher"
n_inputs = 4
n_relevant = 3
n_samples = 50
train_fraction = 0.5
[network]
hidden = [1]
activation = "linear"
output = "linear"
[training]
loss = "squared_error"
optimiser = "sgd"
learning_rate = 0.1
batch = 5
epochs = 4
[record]
epochs = { every = 2 }
[exact]
noise_variance = 0.5
inputs = ["all", "relevant", "irrelevant"]
"#;

const ID: &str = "linear-noise-variance-0.5";

fn rows(project: &Project, id: &str, run: &str) -> Vec<EstimateRow> {
    read_rows(&project.path(&format!("outputs/p/estimates/{id}/run={run}.parquet"))).unwrap()
}

#[test]
fn the_numbers_of_a_linear_network_follow_from_its_weights() {
    let project = Project::new(LINEAR);
    project.ok("run p.toml");
    let declared = datasets::find("student-teacher").unwrap();
    let given = [("n_inputs", 4), ("n_relevant", 3), ("n_samples", 50)];
    let given = given.map(|(name, count)| (name.to_owned(), Value::Count(count)));
    let given = Parameters::new(declared.parameters, given).unwrap();
    let teacher = Teacher::of(declared, &given).unwrap().unwrap();
    let wo: Vec<f64> = teacher.weights.iter().copied().collect();
    assert_eq!((wo.len(), wo[3]), (4, 0.0));

    let weights = |layer: usize| -> Vec<WeightRow> {
        let file = format!("outputs/p/recording/weights/layer={layer}/run=r0001/part-00000.parquet");
        read_rows(&project.path(&file)).unwrap()
    };
    let (first, second) = (weights(1), weights(2));
    let tables =
        ["", "-inputs-relevant", "-inputs-irrelevant"].map(|part| rows(&project, &format!("{ID}{part}"), "r0001"));
    assert!(tables.iter().all(|rows| rows.len() == 2 * 3));
    // Inputs of variance ¼; power of a part of the weights.
    let power = |w: &[f64]| w.iter().map(|w| w * w).sum::<f64>() / 4.0;
    for (i, (all, (relevant, irrelevant))) in tables[0].iter().zip(tables[1].iter().zip(&tables[2])).enumerate() {
        let (layer, snapshot) = (i / 3, i % 3);
        let scale = if layer == 0 { 1.0 } else { f64::from(second[snapshot].kernel[0]) };
        let w: Vec<f64> = first[snapshot].kernel.iter().map(|w| scale * f64::from(*w)).collect();
        let (t, y) = (power(&w) + 0.5, power(&wo) + 1.0);
        let product = w.iter().zip(&wo).map(|(a, b)| a * b).sum::<f64>() / 4.0;
        let i_ty = -0.5 * (1.0 - product * product / (t * y)).log2();
        // What remains of T where the inputs are known: the noise, and the inputs that are not asked about.
        let entropy = |variance: f64| 0.5 * (2.0 * std::f64::consts::PI * std::f64::consts::E * variance).log2();
        for (row, rest) in [(all, 0.5), (relevant, power(&w[3..]) + 0.5), (irrelevant, power(&w[..3]) + 0.5)] {
            let i_xt = 0.5 * (t / rest).log2();
            assert_eq!(
                (row.layer.index(), row.epoch, row.step),
                (layer + 1, 2 * snapshot as i32, 10 * snapshot as i64)
            );
            // Determinants of up to 5 x 5 with entries of size 1.
            assert!((row.i_xt_bits.unwrap() - i_xt).abs() < 1e-12, "{row:?}: {i_xt}");
            assert!((row.i_ty_bits.unwrap() - i_ty).abs() < 1e-12, "{row:?}: {i_ty}");
            assert!((row.i_ty_ceiling_bits.unwrap() - 0.5 * y.log2()).abs() < 1e-12);
            assert!((row.h_t_given_x_bits.unwrap() - entropy(rest)).abs() < 1e-12);
            assert!((row.h_t_bits.unwrap() - entropy(t)).abs() < 1e-12);
            assert_eq!((row.estimator.samples.name(), row.randomness.as_deref()), ("distribution", Some("noise")));
            assert!(row.failure.is_none() && row.i_xt_untrained_bits.is_some());
        }
    }
}

#[test]
fn layers_of_several_units_are_multiplied_in_their_order() {
    let project =
        Project::new(&LINEAR.replace("hidden = [1]", "hidden = [3, 2]").replace(", \"relevant\", \"irrelevant\"", ""));
    project.ok("run p.toml");
    let kernel = |layer: usize| -> Vec<f64> {
        let file = format!("outputs/p/recording/weights/layer={layer}/run=r0000/part-00000.parquet");
        let rows: Vec<WeightRow> = read_rows(&project.path(&file)).unwrap();
        rows.last().unwrap().kernel.iter().map(|weight| f64::from(*weight)).collect()
    };
    // Rows are units: W̄ = W₂ W₁, 2 × 4 from 2 × 3 and 3 × 4.
    let (first, second) = (kernel(1), kernel(2));
    let total = |unit: usize, input: usize| (0..3).map(|k| second[unit * 3 + k] * first[k * 4 + input]).sum::<f64>();
    let covariance = |a: usize, b: usize| (0..4).map(|input| total(a, input) * total(b, input)).sum::<f64>() / 4.0;
    let (a, b, c) = (covariance(0, 0) + 0.5, covariance(1, 1) + 0.5, covariance(0, 1));
    let i_xt = 0.5 * ((a * b - c * c) / 0.25).log2();
    let rows = rows(&project, ID, "r0000");
    let last = rows.iter().filter(|row| row.layer.index() == 2).max_by_key(|row| row.step).unwrap();
    assert!((last.i_xt_bits.unwrap() - i_xt).abs() < 1e-12, "{last:?}: {i_xt}");
}

#[test]
fn later_stages_read_exact_tables_as_estimates() {
    let project = Project::new(LINEAR);
    let said = project.ok("run p.toml");
    assert!(said.contains("exact: 36 exact numbers") && !said.contains("estimate:"), "{said}");
    let summary: Vec<SummaryRow> = read_rows(&project.path("outputs/p/summary.parquet")).unwrap();
    assert_eq!(summary.len(), 3 * 2 * 3);
    assert!(summary.iter().all(|row| row.n_runs == 2 && row.squared_error_train_mean.is_some()));
    assert!(project.path(&format!("outputs/p/figures/information-plane-{ID}.svg")).exists());
    let before = project.files("outputs/p");
    let steps = "data: up to date\nrecord: up to date\nexact: up to date\ncheck: up to date\naggregate: up to date\nplot: up to date\n";
    assert!(project.ok("run p.toml").starts_with(steps));
    assert_eq!(project.ok("exact linear p.toml"), "exact: up to date\n");
    assert_eq!(project.ok("estimate pipeline p.toml"), "exact: up to date\n");
    assert_eq!(project.run("run p.toml --dry-run").stdout, "outputs/p: done\n");
    fs::remove_file(project.path(&format!("outputs/p/estimates/{ID}/run=r0001.parquet"))).unwrap();
    let planned = project.run("exact linear p.toml --dry-run").stdout;
    assert!(planned.starts_with(&format!("outputs/p/estimates/{ID}: 1 table to make, 1 up to date")), "{planned}");
    project.ok("estimate pipeline p.toml");
    assert!(project.files("outputs/p") == before, "made again, a table has other bytes");
    project.ok("inspect outputs/p --validate");
    // Exact numbers of several inputs are no scales of one another.
    let verdicts = project.run("check outputs/p").stdout;
    assert!(!verdicts.contains("the scale decides"), "{verdicts}");
}

#[test]
fn a_recording_of_another_network_or_data_set_has_no_exact_numbers() {
    let project = Project::new(LINEAR);
    project.ok("run p.toml");
    project.write("q.toml", LINEAR.replace("n_samples = 50", "n_samples = 50\nseed = 7"));
    assert_eq!(
        project.refused("exact linear q.toml --out outputs/p"),
        "infoplane: outputs/p/recording has a recording of other data than in the pipeline; record again, or name the pipeline of the recording"
    );
    let other = LINEAR.replace("learning_rate = 0.1", "learning_rate = 0.2").replace("= 0.5\ninputs", "= 2\ninputs");
    project.write("q.toml", other);
    assert!(project.refused("exact linear q.toml --out outputs/p").contains("made with other settings"));
    let (without, _) = LINEAR.split_once("[exact]").unwrap();
    project.write("q.toml", without);
    assert_eq!(
        project.refused("exact linear q.toml --out outputs/p"),
        "infoplane: the pipeline `q` does not ask for exact information; add a table `[exact]`"
    );
    project.write("q.toml", LINEAR.replace("activation = \"linear\"", "activation = \"tanh\""));
    assert_eq!(
        project.refused("run q.toml"),
        "infoplane: q.toml, line 21: `[exact]` needs a linear network, but layer 1 has the activation `tanh`; use \"linear\""
    );
}

#[test]
fn a_sweep_has_exact_numbers_of_each_experiment() {
    let project = Project::new(&LINEAR.replace("batch = 5", "batch = [5, \"full\"]"));
    project.ok("run p.toml");
    for id in ["batch-5", "batch-full"] {
        assert!(project.path(&format!("outputs/p/{id}/estimates/{ID}/run=r0001.parquet")).exists());
    }
    let summary: Vec<SummaryRow> = read_rows(&project.path("outputs/p/summary.parquet")).unwrap();
    assert_eq!(summary.len(), 2 * 3 * 2 * 3);
    assert_eq!(project.ok("exact linear p.toml"), "sweep: up to date\n");
}

#[test]
fn the_minimal_model_has_a_table() {
    let project = Project::new("");
    let said = project.ok("exact minimal-model");
    assert!(said.contains("202 rows"), "{said}");
    let table = project.path("outputs/minimal-model/minimal_model.parquet");
    let rows: Vec<MinimalModelRow> = read_rows(&table).unwrap();
    // Saxe et al. 2018, Fig. 2: computed in Python, four decimals.
    for (activation, bins, weight, bits) in [
        ("tanh", "30 equal bins over [-1, 1]", 0.0, 0.0),
        ("tanh", "30 equal bins over [-1, 1]", 2.0, 4.1573),
        ("tanh", "30 equal bins over [-1, 1]", 10.0, 2.0442),
        ("relu", "bins of width 1", 5.0, 2.3521),
    ] {
        let row = rows.iter().find(|row| row.activation == activation && row.weight == weight).unwrap();
        assert_eq!(row.bins, bins);
        assert!((row.i_xt_bits - bits).abs() <= 0.5e-4, "{row:?}");
    }
    assert_eq!(project.ok("exact minimal-model"), "exact: up to date\n");
    project.ok(&format!("inspect --validate {}", table.display()));

    project.ok("exact minimal-model --activation tanh,softsign --net-input-bins 30 --weight 0.5,3 --out m");
    let rows: Vec<MinimalModelRow> = read_rows(&project.path("m/minimal_model.parquet")).unwrap();
    assert_eq!(rows.iter().map(|row| row.weight).collect::<Vec<_>>(), [0.5, 3.0].repeat(4));
    assert_eq!(rows[2].bins, "30 edges, evenly spaced in net input from -50 to 50");
    project.ok("exact minimal-model --weights -1,1,3 --out n");
    let rows: Vec<MinimalModelRow> = read_rows(&project.path("n/minimal_model.parquet")).unwrap();
    assert_eq!(rows[..3].iter().map(|row| row.weight).collect::<Vec<_>>(), [-1.0, 0.0, 1.0]);
    let refused = |flags: &str| project.refused(&format!("exact minimal-model --out r {flags}"));
    assert!(
        refused("--activation silu")
            .starts_with("infoplane: there is no exact result for the activation function `silu`; ")
    );
    assert!(refused("--weights 0,1").contains("such as 0,10,101; got 0,1"));
    assert!(refused("--weight nan").contains("the weight is NaN; it must be a finite number"));
    assert!(refused("--bin-width 0").contains("bins of width 0; must be a finite number above 0"));
    assert!(!project.path("r").exists());
}

#[test]
fn the_input_of_the_minimal_model_is_a_data_set() {
    let project = Project::new("");
    project.ok("data make minimal-model");
    let described = project.run("data describe data/minimal-model.parquet").stdout;
    assert!(described.contains("4096 samples of 1 input") && described.contains("0: 2048 (50.00 %)"), "{described}");
}
