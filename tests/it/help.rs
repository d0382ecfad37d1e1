//! The help of every command, compared with `help/`. After a change of words: look at the difference, then copy the new texts
//! as the failing test says.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::tool::Project;

/// The committed texts, a file for every command.
pub(crate) fn help_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/help")
}

/// The sub-commands that a help text lists.
pub(crate) fn commands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // A name stands two spaces in, further lines of its description much more.
    let names = listed.filter_map(|line| line.strip_prefix("  ")?.split_once(' ')).map(|(name, _)| name);
    names.filter(|name| !name.is_empty() && *name != "help").map(str::to_owned).collect()
}

/// Adds the help of the command `path`, and of each of its sub-commands, by its words.
fn collect(project: &Project, path: &str, texts: &mut BTreeMap<String, String>) {
    let shown = project.run(&format!("{path} --help"));
    assert_eq!((shown.code, shown.stderr.as_str()), (0, ""), "{path}");
    for command in commands(&shown.stdout) {
        collect(project, format!("{path} {command}").trim(), texts);
    }
    texts.insert(path.to_owned(), shown.stdout);
}

/// The page of the documentation with every help text.
fn page(texts: &BTreeMap<String, String>) -> String {
    let section = |(command, text): (&String, &String)| {
        format!("\n## {}\n\n```text\n{text}```\n", format!("infoplane {command}").trim_end())
    };
    let intro = "# All commands\n\nThe text of `infoplane COMMAND --help` for every command. [Stages and commands](stages.md) is the overview.\n";
    [intro.to_owned()].into_iter().chain(texts.iter().map(section)).collect()
}

/// The help of every command, by its words.
static TEXTS: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let mut texts = BTreeMap::new();
    collect(&Project::new(""), "", &mut texts);
    texts
});

#[test]
fn the_page_of_all_commands_follows_from_the_help() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/commands.md");
    let now = page(&TEXTS);
    if fs::read_to_string(&committed).is_ok_and(|page| page == now) {
        return;
    }
    let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join("commands.md");
    fs::write(&new, now).unwrap();
    panic!("the help of the commands has changed: cp {} docs/commands.md", new.display());
}

#[test]
fn every_command_has_the_committed_help() {
    let file_name = |command: &str| {
        if command.is_empty() { "infoplane.txt".to_owned() } else { format!("{}.txt", command.replace(' ', "-")) }
    };
    let now: BTreeMap<String, String> =
        TEXTS.iter().map(|(command, text)| (file_name(command), text.clone())).collect();
    let file = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.unwrap().path();
        (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap())
    };
    let committed: BTreeMap<String, String> = fs::read_dir(help_folder()).unwrap().map(file).collect();
    if now == committed {
        return;
    }
    let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join("help");
    let _ = fs::remove_dir_all(&new);
    fs::create_dir_all(&new).unwrap();
    now.iter().for_each(|(name, text)| fs::write(new.join(name), text).unwrap());
    let names = now.keys().chain(committed.keys());
    let differs: Vec<&str> = names.filter(|name| now.get(*name) != committed.get(*name)).map(String::as_str).collect();
    panic!(
        "other help than in tests/it/help: {}; look at it, then: rm -r tests/it/help && cp -r {} tests/it/",
        differs.join(", "),
        new.display()
    );
}
