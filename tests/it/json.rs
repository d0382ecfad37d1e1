//! `--json`: what programs read from every command.

use crate::tool::{CLAIM, PIPELINE, Project};

#[test]
fn every_command_prints_json_when_asked() {
    let project = Project::new(&format!("{PIPELINE}{CLAIM}"));
    let json = |line: &str| {
        let shown = project.run(line);
        let values: Vec<serde_json::Value> =
            serde_json::Deserializer::from_str(&shown.stdout).into_iter().collect::<Result<_, _>>().unwrap();
        assert!(!values.is_empty(), "{line}: {}", shown.stderr);
        values
    };
    let pending = &json("run p.toml --dry-run --json")[0];
    assert_eq!((&pending["state"], &pending["reason"]), (&"pending".into(), &"2 runs to record".into()));
    let stages: Vec<String> =
        json("run p.toml --json").iter().map(|value| value["stage"].as_str().unwrap().to_owned()).collect();
    assert_eq!(stages, ["data", "record", "estimate", "check", "aggregate", "plot", "verify"]);
    assert_eq!(json("run p.toml --json")[1]["state"], "up to date");
    assert_eq!(json("estimate binning outputs/p --n-edges 9 --dry-run --json")[0][0]["n_pending"], 2);
    assert_eq!(json("summary outputs/p --json")[0].as_array().unwrap().len(), 2);
    for line in [
        "data list",
        "data describe tishby",
        "check outputs/p",
        "verify outputs/p --pipeline p.toml",
        "stability outputs/p --pipeline p.toml",
        "inspect outputs/p",
        "plot --list",
        "keys training",
        "schema",
        "report outputs/p",
        "movie outputs/p --frames 2",
    ] {
        assert_eq!(json(&format!("{line} --json")).len(), 1, "{line}");
    }
    let refused = json("record nothing.toml --json");
    assert_eq!(refused[0]["exit_code"], 2);
}

#[test]
fn commands_on_a_sweep_print_an_object_per_line_and_experiment() {
    let project = Project::new(&PIPELINE.replace("batch = 512", "batch = [512, 1024]"));
    project.ok("run p.toml");
    let lines = |line: &str| {
        let printed = project.run(line).stdout;
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<serde_json::Value>>()
    };
    for line in [
        "check outputs/p",
        "estimate binning outputs/p --n-edges 9 --dry-run",
        "estimate binning outputs/p --n-edges 9",
    ] {
        let printed = lines(&format!("{line} --json"));
        assert_eq!(printed.len(), 2, "{line}");
        assert!(printed[0]["experiment"] == "batch-512" && printed[1]["experiment"] == "batch-1024", "{line}");
    }
    let printed = lines("inspect outputs/p --validate --json");
    let experiments: Vec<&str> = printed.iter().map(|line| line["experiment"].as_str().unwrap()).collect();
    assert_eq!(experiments, ["batch-512", "batch-1024", "p"], "each experiment, then the tables over them");
    std::fs::write(project.path("outputs/p/batch-512/recording/samples.parquet"), "damaged").unwrap();
    let printed = lines("inspect outputs/p --validate --json");
    assert!(printed.iter().any(|line| line["experiment"] == "batch-512" && line["valid"] == false));
    let last = printed.last().unwrap();
    assert!(last["exit_code"] == 1 && last["error"].is_string(), "{last}");
}
