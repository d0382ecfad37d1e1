//! `infoplane movie`: animated GIF and PNG, and the errors.

use crate::tool::{PIPELINE, PROGRAM, Project};

#[test]
fn animations_repeat_and_errors_name_missing_tables() {
    let project = Project::new(PIPELINE);
    project.ok("run p.toml");
    project.ok("movie outputs/p --frames 3");
    let gif = std::fs::read(project.path("outputs/p/figures/movie-binning-bin-width-0.07.gif")).unwrap();
    assert!(gif.starts_with(b"GIF89a") && gif.windows(11).any(|bytes| bytes == b"NETSCAPE2.0"), "it repeats");
    project.ok("movie outputs/p --frames 3 --format apng --estimator binning-n-edges-30");
    let png = std::fs::read(project.path("outputs/p/figures/movie-binning-n-edges-30.apng")).unwrap();
    assert!(png.starts_with(b"\x89PNG") && png.windows(4).filter(|bytes| bytes == b"fcTL").count() == 3);
    assert_eq!(project.ok("movie outputs/p --frames 3"), "movie: up to date\n");
    let page = std::fs::read_to_string(project.path("outputs/p/figures/index.html")).unwrap();
    for animation in ["movie-binning-bin-width-0.07.gif", "movie-binning-n-edges-30.apng"] {
        assert!(page.contains(&format!("<img loading=\"lazy\" src=\"{animation}\"")), "{page}");
    }
    let said = project.refused("movie outputs/p --estimator binning-n-edges-3");
    assert!(
        said.contains("no estimates `binning-n-edges-3` in the summary; did you mean `binning-n-edges-30`?"),
        "{said}"
    );
    // Without ffmpeg on the path.
    let mut command = project.command(PROGRAM, "movie outputs/p --frames 2 --format mp4");
    let said = project.finish(command.env("PATH", project.path("nowhere"))).sentence();
    assert!(said.contains("ffmpeg is not installed; install it, or use `--format gif`"), "{said}");
}

/// This program prints more than the 64 kB that a pipe holds before it reads a frame.
#[cfg(unix)]
fn with_ffmpeg(project: &Project, end: &str) -> crate::tool::Finished {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all(project.path("bin")).unwrap();
    let talk = "i=0; while [ $i -lt 4000 ]; do echo \"a message of 40 characters, number $i\" >&2; i=$((i+1)); done";
    project.write("bin/ffmpeg", format!("#!/bin/sh\nfor last; do :; done\n{talk}\n{end}\n"));
    std::fs::set_permissions(project.path("bin/ffmpeg"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = project.command(crate::tool::PROGRAM, "movie outputs/p --frames 2 --format mp4");
    let path = format!("{}:{}", project.path("bin").display(), std::env::var("PATH").unwrap());
    project.finish(command.env("PATH", path))
}

#[test]
#[cfg(unix)]
fn messages_of_ffmpeg_neither_block_nor_are_lost() {
    let project = Project::new(PIPELINE);
    project.ok("run p.toml");
    let failed = with_ffmpeg(&project, "cat > /dev/null; echo 'no such codec' >&2; exit 3");
    let said = failed.sentence();
    assert!(said.contains("ffmpeg failed (exit status: 3)") && said.ends_with("no such codec"), "{said}");
    assert!(said.len() < 500, "only the end of its messages is shown");
    assert!(with_ffmpeg(&project, "echo 'bad option' >&2; exit 1").sentence().ends_with("bad option"));
    let left = || project.files("outputs/p").into_iter().map(|(path, _)| path).filter(|path| path.contains("movie"));
    assert_eq!(left().count(), 0, "no file of a failed call is left");
    let made = with_ffmpeg(&project, "case $last in */.meta/tmp/*) cat > \"$last\";; *) exit 4;; esac");
    assert_eq!(made.code, 0, "{}", made.stderr);
    let animation = std::fs::read(project.path("outputs/p/figures/movie-binning-bin-width-0.07.mp4")).unwrap();
    assert!(animation.starts_with(b"\x89PNG"), "the frames that the program was given");
    assert!(!project.path("outputs/p/.meta/tmp").exists());
}
