//! Information of two variables from files: the choice of columns, kinds and estimators, and bad input.

use crate::tool::{Finished, Project};

/// N numbers without a pattern, roughly normal, from a linear congruential generator.
fn normal(n: usize, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..n).map(|_| (0..12).map(|_| uniform()).sum::<f64>() - 6.0).collect()
}

/// A pair with correlation 0.6: 0.2231 nats, or 0.322 bits.
fn pair(n: usize) -> (Vec<f64>, Vec<f64>) {
    let (x, e) = (normal(n, 1), normal(n, 2));
    let y = x.iter().zip(&e).map(|(x, e)| 0.6 * x + 0.8 * e).collect();
    (x, y)
}

fn table(header: &str, columns: &[&[f64]]) -> String {
    let line = |row: usize| columns.iter().map(|column| column[row].to_string()).collect::<Vec<_>>().join(",");
    let lines: Vec<String> = (0..columns[0].len()).map(line).collect();
    format!("{header}\n{}\n", lines.join("\n"))
}

/// A folder with x.csv and y.csv.
fn project(x: &[f64], y: &[f64]) -> Project {
    let project = Project::new("");
    project.write("x.csv", table("x", &[x]));
    project.write("y.csv", table("y", &[y]));
    project
}

/// The first estimate that `mi` prints as JSON with `options`.
#[track_caller]
fn estimated(project: &Project, options: &str) -> serde_json::Value {
    let Finished { code, stdout, stderr } = project.run(&format!("mi --json {options}"));
    assert_eq!(code, 0, "{stderr}");
    serde_json::from_str::<serde_json::Value>(&stdout).unwrap()["estimates"][0].clone()
}

#[track_caller]
fn bits(estimate: &serde_json::Value, column: &str) -> f64 {
    estimate[column].as_f64().unwrap_or_else(|| panic!("{column} of {estimate}"))
}

const QUICK: &str = "--shuffles 19 --halves 5";

#[test]
fn a_gaussian_pair_has_its_information_with_a_null_an_interval_and_a_p_value() {
    let (x, y) = pair(1000);
    let project = project(&x, &y);
    let estimate = estimated(&project, &format!("x.csv y.csv {QUICK}"));
    assert_eq!(estimate["estimator"], "ksg-k-3");
    assert!((bits(&estimate, "value_bits") - 0.322).abs() < 0.12, "{estimate}");
    assert!(bits(&estimate, "null_bits_mean").abs() < 0.05 && bits(&estimate, "p") == 0.05, "{estimate}");
    assert!(bits(&estimate, "low_bits") < bits(&estimate, "value_bits"), "{estimate}");
    let copula = estimated(&project, &format!("x.csv y.csv --estimator copula {QUICK}"));
    assert!((bits(&copula, "value_bits") - 0.322).abs() < 0.08, "{copula}");
    // For people.
    let screen = project.run(&format!("mi x.csv y.csv {QUICK}")).stdout;
    assert!(screen.starts_with("I(X;Y) in bits, 1000 samples; X: 1 dimension; Y: 1 dimension\n"), "{screen}");
}

#[test]
fn columns_are_chosen_by_names_and_patterns() {
    let (x, y) = pair(300);
    let noise = normal(300, 3);
    let project = Project::new("");
    project.write("t.csv", table("b1,a,b2,c", &[&noise, &x, &noise.iter().rev().copied().collect::<Vec<_>>(), &y]));
    let with_noise = project.run(&format!("mi t.csv --y c --x a,b* {QUICK}")).stdout;
    assert!(with_noise.contains("X: 3 dimensions; Y: 1 dimension"), "{with_noise}");
    let rest = project.run(&format!("mi t.csv --y c {QUICK}")).stdout;
    assert_eq!(rest.lines().next(), with_noise.lines().next(), "X is every column that is not Y");
    let refused = |line: &str| project.run(line).sentence();
    assert!(refused("mi t.csv").contains("name the columns of Y with --y"));
    assert!(refused("mi t.csv --y d").contains("no column `d`"));
    assert!(refused("mi t.csv --y c --x a,c").contains("column `c` is in both --x and --y"));
    assert!(refused("mi t.csv --y c --x a,a*").contains("column `a` is named twice"));
    assert!(refused("mi t.csv --y c --estimator ksgg").contains("unknown estimator `ksgg`"));
    assert!(
        refused("mi t.csv --y c --estimator ksg --set kk=3")
            .contains("no parameter `kk` in ksg; parameters: k, algorithm")
    );
    assert!(refused("mi t.csv --y c --estimator ksg --set 3").contains("must have the form PARAMETER=VALUES"));
    assert!(refused("mi t.csv --y c --estimator ksg --set k=1 --set k=3").contains("`--set` names `k` twice"));
    assert!(refused("mi t.csv --y c --estimator ksg,ksg").contains("the estimator `ksg` is named twice"));
}

#[test]
fn strings_and_declared_numbers_are_labels() {
    let (x, y) = pair(400);
    let words: Vec<&str> = y.iter().map(|y| if *y > 0.0 { "high" } else { "low" }).collect();
    let project = project(&x, &y.iter().map(|y| f64::from(u8::from(*y > 0.0))).collect::<Vec<_>>());
    project.write("w.csv", format!("y\n{}\n", words.join("\n")));
    let of_words = estimated(&project, &format!("x.csv w.csv {QUICK}"));
    let of_numbers = estimated(&project, &format!("x.csv y.csv --labels y {QUICK}"));
    assert_eq!(of_words["value_bits"], of_numbers["value_bits"]);
    let said = project.run(&format!("mi x.csv y.csv {QUICK}")).stdout;
    assert!(said.contains("Y has only 2 different integers; if they are labels, add `--labels y`"), "{said}");
    // Labels on both sides are two codes.
    let codes = estimated(&project, &format!("w.csv w.csv {QUICK}"));
    assert!((bits(&codes, "value_bits") - 1.0).abs() < 0.05, "{codes}");
}

/// The table of bad inputs of other libraries: the right answer or a clear refusal for each.
#[test]
fn bad_input_gives_the_right_answer_or_a_clear_refusal() {
    let (x, y) = pair(200);
    let refused = |x: &[f64], y: &[f64], options: &str| project(x, y).run(&format!("mi x.csv y.csv {options}"));
    // Another number of rows.
    let sentence = refused(&x, &y[..199], "").sentence();
    assert!(sentence.contains("X (x.csv) has 200 rows, Y (y.csv) has 199"), "{sentence}");
    // NaN and infinity.
    let broken = |value: f64| x.iter().enumerate().map(|(i, x)| if i == 7 { value } else { *x }).collect::<Vec<_>>();
    for value in [f64::NAN, f64::INFINITY] {
        let sentence = refused(&broken(value), &y, "").sentence();
        assert!(sentence.contains("column `x`") && sentence.contains("row 7"), "{sentence}");
    }
    // k = 0, and k not below the number of samples.
    let sentence = refused(&x, &y, "--estimator ksg --set k=0").sentence();
    assert!(sentence.contains("parameter `k`"), "{sentence}");
    let failed = refused(&x, &y, "--estimator ksg --set k=200 --shuffles 0 --halves 0");
    assert!(failed.code == 1 && failed.stdout.contains("200"), "{} {}", failed.stdout, failed.stderr);
    // No rows.
    assert_eq!(refused(&[], &[], "").code, 2);
    // One variable or both are constant: no information, or the reason why there is no estimate.
    for (x, y) in [(&vec![1.0; 200], &y), (&vec![1.0; 200], &vec![2.0; 200])] {
        let found = refused(x, y, QUICK);
        assert!(found.stdout.contains("X has the same value in all samples"), "{}", found.stdout);
        let json = project(x, y).run(&format!("mi x.csv y.csv --json {QUICK}")).stdout;
        let estimate = &serde_json::from_str::<serde_json::Value>(&json).unwrap()["estimates"][0];
        assert_eq!(bits(estimate, "value_bits"), 0.0, "{estimate}");
    }
    // One row is not enough for any estimator.
    let single = refused(&[1.0], &[2.0], "--estimator renyi");
    assert!(single.code <= 1 && single.stdout.contains("only 1 samples"), "{} {}", single.stdout, single.stderr);
    // Squares beyond the largest number: no NaN as an estimate.
    let huge: Vec<f64> = x.iter().map(|x| x * 1e200).collect();
    let found = refused(&huge, &y, &format!("--estimator renyi --set order=2 {QUICK}"));
    assert!(!found.stdout.contains("NaN"), "{}", found.stdout);
    // Twenty points, ten copies of each: the estimators of densities refuse, the one of mixtures says what it is.
    let (few_x, few_y) = (x[..20].repeat(10), y[..20].repeat(10));
    let found = refused(&few_x, &few_y, &format!("--estimator ksg {QUICK}"));
    assert!(found.code == 1 && found.stdout.contains("repeat"), "{}", found.stdout);
    let said = refused(&few_x, &few_y, QUICK).stdout;
    assert!(said.contains("mixed-ksg") && said.contains("200 of 200 rows repeat another row in X and Y"), "{said}");
    // Values far from 0 and tiny values: the information of the pair.
    let expected = bits(&estimated(&project(&x, &y), &format!("x.csv y.csv {QUICK}")), "value_bits");
    let shifted: Vec<f64> = x.iter().map(|x| x + 1e9).collect();
    let tiny: Vec<f64> = x.iter().map(|x| x * 1e-12).collect();
    for other in [shifted, tiny] {
        let value = bits(&estimated(&project(&other, &y), &format!("x.csv y.csv {QUICK}")), "value_bits");
        assert!((value - expected).abs() < 0.01, "{value} is not {expected}");
    }
}
