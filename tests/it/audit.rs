//! Estimators on distributions whose information is known.

use infoplane::store::read_rows;
use infoplane::store::schema::{AuditRow, AuditSummaryRow};

use crate::tool::{PIPELINE, Project};

const SMALL: &str = "audit --estimators ksg,copula --distributions gaussian-pairs,independent-labels --dims 1,3 --samples 300 --seeds 6";

#[test]
fn an_audit_writes_estimates_their_summary_and_a_figure_and_the_same_bytes_again() {
    let project = Project::new("");
    let screen = project.run(&format!("{SMALL} --shuffles 9 --out a")).stdout;
    assert!(screen.contains("largest error") && !screen.contains("gaussian-dense"), "{screen}");
    let every = project.run(&format!("{SMALL} --shuffles 9 --out a --all")).stdout;
    assert!(every.contains("independent-labels") && every.contains("RMSE"), "{every}");
    let rows: Vec<AuditRow> = read_rows(&project.path("a/audit.parquet")).unwrap();
    // Two estimators, two distributions in two dimensions, six seeds.
    assert_eq!(rows.len(), 48);
    assert!(rows.iter().all(|row| row.failure.is_none() && row.seconds.is_none()));
    let summary: Vec<AuditSummaryRow> = read_rows(&project.path("a/audit_summary.parquet")).unwrap();
    let found = |name: &str, dims: i32| {
        let mut rows = summary.iter().filter(|row| row.distribution == name && row.dims == dims);
        rows.find(|row| row.estimator.estimator.family == "copula").unwrap().clone()
    };
    let pairs = found("gaussian-pairs", 3);
    // −3/2 log2(1 − 0.81).
    assert!((pairs.truth_bits.unwrap() - 3.593_893).abs() < 1e-5, "{pairs:?}");
    assert!(pairs.bias_bits.unwrap().abs() < 0.3 && pairs.n_seeds == 6, "{pairs:?}");
    let independent = found("independent-labels", 1);
    assert_eq!(independent.truth_bits, Some(0.0));
    assert!(independent.rmse_bits.unwrap() < 0.05 && independent.within_null.is_some(), "{independent:?}");
    assert!(project.path("a/audit.svg").is_file() && project.path("a/audit.png").is_file());

    let first = std::fs::read(project.path("a/audit.parquet")).unwrap();
    project.ok(&format!("{SMALL} --shuffles 9 --out b --threads 1"));
    assert!(std::fs::read(project.path("b/audit.parquet")).unwrap() == first, "other bytes with one thread");
}

#[test]
fn an_audit_like_a_layer_says_which_estimators_can_be_trusted() {
    let project = Project::new(PIPELINE);
    project.ok("run p.toml");
    let line = "audit --like outputs/p --layer 2 --estimators ksg,copula --seeds 2 --halves 0";
    let said = project.run(line).stdout;
    assert!(
        said.contains("4096 samples, 3 units, normal with the covariance of the layer: the error of I(T;Y) is at most"),
        "{said}"
    );
    assert!(project.run("audit --like outputs/p --layer 9").sentence().contains("has no layer `9`"));
    let finished = project.run("audit --like outputs/p");
    assert!(finished.code == 2 && finished.stderr.contains("--layer"), "{}", finished.stderr);
}

#[test]
fn distributions_are_listed_and_wrong_names_are_refused() {
    let project = Project::new("");
    let list = project.run("audit --list").stdout;
    assert!(list.contains("tanh-function") && list.contains("infinite"), "{list}");
    assert!(project.run("audit --distributions gausian-pairs").sentence().contains("did you mean `gaussian-pairs`"));
    let sentence = project.run("audit --distributions swiss-roll --dims 7").sentence();
    assert!(sentence.contains("no chosen distribution is defined for d = 7"), "{sentence}");
}
