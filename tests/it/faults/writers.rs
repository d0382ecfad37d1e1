//! Two processes at once.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use super::PARTS;
use crate::tool::Project;

#[test]
fn a_second_recording_is_refused_and_the_first_is_unchanged() {
    let project = Project::new(&PARTS.replace("runs = 2", "runs = 12"));
    project.ok("data make tishby");
    let mut first = project.start("record p.toml --threads 1");
    while !project.path("outputs/p/recording/.meta/settings.json").exists() {
        sleep(Duration::from_millis(1));
    }
    for line in ["record p.toml", "run p.toml", "record p.toml --overwrite"] {
        assert_eq!(
            project.refused(line),
            "infoplane: another infoplane is writing in outputs/p; wait until it has finished, or write into another folder (`--out`, for commands that have it)"
        );
    }
    assert!(first.try_wait().unwrap().is_none(), "the first was done before the second was refused");
    assert!(first.wait().unwrap().success());
    let disturbed = project.files("outputs");
    fs::remove_dir_all(project.path("outputs")).unwrap();
    project.ok("record p.toml");
    assert!(project.files("outputs") == disturbed);
}

#[test]
fn two_estimators_can_read_one_recording_at_once() {
    let project = Project::new(PARTS);
    project.ok("data make tishby");
    project.ok("record p.toml");
    let lines = ["estimate binning outputs/p", "estimate binning outputs/p --n-bins 7"];
    let mut both = lines.map(|line| project.start(line));
    for child in &mut both {
        assert!(child.wait().unwrap().success());
    }
    let at_once = project.files("outputs/p/estimates");
    fs::remove_dir_all(project.path("outputs/p/estimates")).unwrap();
    lines.iter().for_each(|line| drop(project.ok(line)));
    assert!(project.files("outputs/p/estimates") == at_once);
}
