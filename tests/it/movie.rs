//! `infoplane movie`: animated GIF and PNG, and why there is none.

use crate::tool::{PIPELINE, PROGRAM, Project};

#[test]
fn films_are_animated_and_say_what_they_cannot_show() {
    let project = Project::new(PIPELINE);
    project.ok("run p.toml");
    project.ok("movie outputs/p --frames 3");
    let gif = std::fs::read(project.path("outputs/p/figures/movie-binning-bin-width-0.07.gif")).unwrap();
    assert!(gif.starts_with(b"GIF89a") && gif.windows(11).any(|bytes| bytes == b"NETSCAPE2.0"), "it repeats");
    project.ok("movie outputs/p --frames 3 --format apng --estimator binning-n-edges-30");
    let png = std::fs::read(project.path("outputs/p/figures/movie-binning-n-edges-30.apng")).unwrap();
    assert!(png.starts_with(b"\x89PNG") && png.windows(4).filter(|bytes| bytes == b"fcTL").count() == 3);
    assert_eq!(project.ok("movie outputs/p --frames 3"), "movie: up to date\n");
    let said = project.refused("movie outputs/p --estimator binning-n-edges-3");
    assert!(
        said.contains("no estimates `binning-n-edges-3` in the summary; did you mean `binning-n-edges-30`?"),
        "{said}"
    );
    // Without ffmpeg on the path.
    let mut command = project.command(PROGRAM, "movie outputs/p --frames 2 --format mp4");
    let said = project.finish(command.env("PATH", project.path("nowhere"))).sentence();
    assert!(said.contains("ffmpeg is not installed; install it, or ask for `--format gif`"), "{said}");
}
