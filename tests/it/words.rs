//! Completions, man pages, colours: what shells and terminals get.

use std::process::Command;

use crate::help::{commands, help_folder};
use crate::tool::{PIPELINE, PROGRAM, Project};

/// A shell, and how its script offers a command.
type Offer = (&'static str, fn(&str) -> String);

const OFFERS: &[Offer] = &[
    ("bash", |name| format!("infoplane,{name})")),
    ("zsh", |name| format!("'{name}:")),
    ("fish", |name| format!("__fish_infoplane_needs_command\" -f -a \"{name}\"")),
    ("powershell", |name| format!("'infoplane;{name}'")),
    ("elvish", |name| format!("&'infoplane;{name}'")),
];

#[test]
fn completions_and_manual_pages_include_every_command() {
    let project = Project::new("");
    let names = commands(&project.run("--help").stdout);
    assert!(names.len() > 10, "{names:?}");
    for (shell, offer) in OFFERS {
        let script = project.run(&format!("completions {shell}")).stdout;
        for name in &names {
            assert!(script.contains(&offer(name)), "{shell} does not offer {name}");
        }
    }
    let overview = project.run("man").stdout;
    assert!(overview.starts_with(".ie"), "roff");
    project.ok("man --out man1");
    for name in &names {
        assert!(overview.contains(&format!("infoplane\\-{name}(1)")), "{name}");
        let page = std::fs::read_to_string(project.path(&format!("man1/infoplane-{name}.1"))).unwrap();
        assert!(page.contains(&format!("\\fBinfoplane {name}\\fR")), "{page}");
    }
    let n_pages = std::fs::read_dir(project.path("man1")).unwrap().count();
    assert_eq!(n_pages, std::fs::read_dir(help_folder()).unwrap().count(), "a page for every help text");
}

#[test]
fn bash_completes_commands_and_their_flags() {
    let project = Project::new("");
    project.write("infoplane.bash", project.run("completions bash").stdout);
    let complete = |words: &str, place: usize| {
        let last = words.split(' ').nth(place).unwrap();
        let script = format!(
            "source infoplane.bash; COMP_WORDS=({words}); COMP_CWORD={place}; _infoplane infoplane '{last}' ''; echo ${{COMPREPLY[@]}}"
        );
        let mut bash = Command::new("bash");
        bash.current_dir(project.path("")).args(["--norc", "-c", &script]);
        project.finish(&mut bash).stdout.trim().to_owned()
    };
    assert_eq!(complete("infoplane sta", 1), "stability");
    assert_eq!(complete("infoplane data desc", 2), "describe");
    assert_eq!(complete("infoplane stability --mark", 2), "--markdown");
}

#[test]
fn quiet_prints_errors_only() {
    let project = Project::new(PIPELINE);
    let quiet = project.run("run p.toml --quiet");
    assert_eq!((quiet.code, quiet.stderr.as_str(), quiet.stdout.as_str()), (0, "", ""));
    let refused = project.run("record nothing.toml --quiet");
    assert_eq!((refused.code, refused.stdout.as_str()), (2, ""));
    assert!(refused.stderr.starts_with("infoplane: ") && refused.stderr.lines().count() == 1, "{}", refused.stderr);
}

/// Whether a terminal would change its colours; a progress bar only clears its line.
fn has_colours(printed: &str) -> bool {
    let ends_with_m =
        |sequence: &str| sequence.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').starts_with('m');
    printed.split("\u{1b}[").skip(1).any(ends_with_m)
}

#[test]
fn colours_are_printed_only_to_terminals_with_colours() {
    // Values outside of the edges are worth a warning, which is what has colours.
    const LINE: &str = "estimate binning outputs/p --n-edges 30";
    let project = Project::new("");
    project.recording(&[0.1, 0.2, 3.0, 4.0], &[None; 4]);
    let estimated = |command: &mut Command| {
        let _ = std::fs::remove_dir_all(project.path("outputs/p/estimates"));
        let finished = project.finish(command);
        let printed = finished.stdout + &finished.stderr;
        assert!(printed.contains("WARN") && printed.contains("outside the edges"), "{printed}");
        printed
    };
    let mut piped = project.command(PROGRAM, LINE);
    assert!(!estimated(piped.env("TERM", "xterm")).contains('\u{1b}'), "no colours in a pipe");

    if !std::path::Path::new("/usr/bin/script").exists() {
        println!("skipped: no `script`, which makes a terminal");
        return;
    }
    let on_terminal = |variables: &[(&str, &str)]| {
        let mut script = project.command("/usr/bin/script", "--quiet --return --command");
        script.arg(format!("{PROGRAM} {LINE}")).arg("/dev/null").env_remove("NO_COLOR");
        estimated(script.envs(variables.iter().copied()))
    };
    assert!(on_terminal(&[("TERM", "xterm")]).contains("\u{1b}[33m WARN\u{1b}[0m"));
    assert!(on_terminal(&[("TERM", "xterm"), ("NO_COLOR", "")]).contains("\u{1b}[33m"), "as if it were not set");
    for variables in [&[("TERM", "xterm"), ("NO_COLOR", "1")], &[("TERM", "dumb"), ("NO_COLOR", "")]] {
        assert!(!has_colours(&on_terminal(variables)), "{variables:?}");
    }
}
