//! The page `figures/index.html`: it lists every figure and follows from the other files.

use std::fs;

use crate::tool::{PIPELINE, Project};

#[test]
fn the_page_lists_every_figure_and_is_written_again_if_it_is_missing() {
    let project = Project::new(PIPELINE);
    project.ok("run p.toml");
    let path = project.path("outputs/p/figures/index.html");
    let page = fs::read_to_string(&path).unwrap();
    let figures: Vec<String> = project.files("outputs/p/figures").into_iter().map(|(path, _)| path).collect();
    let figures: Vec<&str> = figures.iter().filter_map(|path| path.rsplit('/').next()).collect();
    assert!(figures.contains(&"information-plane-binning-n-edges-30.svg"), "{figures:?}");
    for figure in figures.into_iter().filter(|name| *name != "index.html") {
        assert!(page.contains(&format!("href=\"{figure}\"")), "{figure}");
    }
    fs::remove_file(&path).unwrap();
    project.ok("run p.toml");
    assert_eq!(fs::read_to_string(&path).unwrap(), page);
    assert_eq!(project.ok("plot all outputs/p"), "plot: up to date\n");
    project.ok("plot fit outputs/p");
    assert_eq!(fs::read_to_string(&path).unwrap(), page, "one figure drawn again leaves the others listed");
    for command in ["plot all outputs/p", "plot fit outputs/p"] {
        for damage in [None, Some(page.replace("curves", "curved"))] {
            damage.map_or_else(|| fs::remove_file(&path), |damaged| fs::write(&path, damaged)).unwrap();
            assert_eq!(project.ok(command), "plot: up to date\n");
            assert_eq!(fs::read_to_string(&path).unwrap(), page, "{command}");
        }
    }
    project.ok("inspect --validate outputs/p");
    fs::write(&path, page.replace("curves", "curve")).unwrap();
    assert_ne!(project.run("inspect --validate outputs/p").code, 0);
}

#[test]
fn figures_of_a_sweep_are_in_a_folder_for_each_experiment() {
    let project = Project::new(&PIPELINE.replace("batch = 512", "batch = [256, 512]"));
    project.ok("run p.toml");
    project.ok("plot all outputs/p");
    project.ok("movie outputs/p --frames 2 --experiment batch-512");
    let page = fs::read_to_string(project.path("outputs/p/figures/index.html")).unwrap();
    for figure in [
        "batch-256/curves-binning-n-edges-30.svg",
        "batch-512/fit.png",
        "batch-512/movie-binning-bin-width-0.07.gif",
        "panels-binning-n-edges-30.svg",
    ] {
        assert!(project.path(&format!("outputs/p/figures/{figure}")).exists(), "{figure}");
        assert!(page.contains(&format!("href=\"{figure}\"")), "{figure}: {page}");
    }
    assert!(!page.contains("drawn from other tables"), "{page}");
}
