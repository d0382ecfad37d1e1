//! `infoplane summary` of a sweep on a screen of 80 columns.

use crate::sweep::{SIXTY, project};
use crate::tool::Project;

/// The lines of a screen, each of at most 80 columns; the last two are commands with the path of the folder.
#[track_caller]
fn screen(project: &Project, folder: &str) -> Vec<String> {
    let finished = project.run(&format!("summary {folder}"));
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    let lines: Vec<String> = finished.stdout.lines().map(str::to_owned).collect();
    let (screen, commands) = lines.split_at(lines.len() - 2);
    assert!(commands.iter().all(|line| line.contains(": infoplane ")), "{commands:?}");
    assert!(screen.iter().all(|line| line.chars().count() <= 80), "{}", finished.stdout);
    screen.to_vec()
}

/// The only line that has the word `heading`, in words.
fn header(lines: &[String], heading: &str) -> Vec<String> {
    let found: Vec<&String> = lines.iter().filter(|line| line.split_whitespace().any(|word| word == heading)).collect();
    assert_eq!(found.len(), 1, "{lines:?}");
    found[0].split_whitespace().map(str::to_owned).collect()
}

#[test]
fn outputs_of_networks_of_different_depth_are_one_column() {
    let sweep =
        SIXTY.replace("[[3], [4], [3, 3], [4, 3], [4, 4]]", "[[3], [3, 3], [3, 3, 3]]").replace("0.25, 0.5, ", "");
    let project = project(&sweep);
    project.ok("run p.toml");
    let lines = screen(&project, "outputs/p");
    assert_eq!(header(&lines, "experiment"), ["1", "2", "3", "output", "experiment"]);
    // A network with one hidden layer has a verdict on this layer and on its output.
    let shallow = lines.iter().find(|line| line.ends_with("activation-linear,hidden-3,train-fraction-0.75")).unwrap();
    assert_eq!(shallow.split_whitespace().count(), 3, "{shallow}");
}

#[test]
fn names_that_do_not_fit_on_the_screen_are_continued_on_the_next_line() {
    let deep = format!("[[{}]]", ["3"; 5].join(", "));
    let sweep = SIXTY
        .replace("[[3], [4], [3, 3], [4, 3], [4, 4]]", &deep)
        .replace("adam\"\nlearning_rate = 4e-3", "sgd\"\nlearning_rate = [0.001234567, 0.002345678]");
    let project = project(&sweep.replace("0.25, 0.5, ", ""));
    project.ok("run p.toml");
    let lines = screen(&project, "outputs/p");
    let text: String = lines.iter().map(|line| line.split_whitespace().next_back().unwrap_or_default()).collect();
    for experiment in std::fs::read_dir(project.path("outputs/p")).unwrap() {
        let name = experiment.unwrap().file_name().into_string().unwrap();
        if name.starts_with("activation-") {
            // Five columns of 5 and one of 8 leave 47 for the name.
            assert!(name.len() > 47 && text.contains(&name), "{name}: {lines:?}");
        }
    }
}

#[test]
fn layers_that_do_not_fit_on_the_screen_are_counted() {
    let deep = format!("[[3], [{}]]", ["3"; 30].join(", "));
    let sweep = SIXTY.replace("[[3], [4], [3, 3], [4, 3], [4, 4]]", &deep).replace("[0.25, 0.5, 0.75, 1.0]", "1.0");
    let project = project(&sweep.replace("[\"tanh\", \"relu\", \"linear\"]", "\"tanh\""));
    project.ok("run p.toml");
    let lines = screen(&project, "outputs/p");
    let at = lines.iter().position(|line| line == "number of layers with each verdict").unwrap();
    let counts = |line: &str| line.split_whitespace().filter_map(|word| word.parse::<usize>().ok()).sum::<usize>();
    assert_eq!((counts(&lines[at + 2]), counts(&lines[at + 3])), (2, 31), "{lines:?}");
}
