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
    assert_eq!(json("run p.toml --dry-run --json")[0]["state"], "pending: 2 runs to record");
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
        "schema",
        "report outputs/p",
        "movie outputs/p --frames 2",
    ] {
        assert_eq!(json(&format!("{line} --json")).len(), 1, "{line}");
    }
    let refused = json("record nothing.toml --json");
    assert_eq!(refused[0]["exit_code"], 2);
}
