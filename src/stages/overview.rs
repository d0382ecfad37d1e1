//! The page `figures/index.html`: a thumbnail of every figure and animation that manifests list, with links to its files.

use std::path::Path;

use serde_json::json;

use super::StageError;
use crate::estimate_id::EstimateId;
use crate::math::unique::unique;
use crate::plots::{PLOTS, Subject};
use crate::store::schema::SummaryRow;
use crate::store::{Experiment, Manifest, Pending, believed_hash, manifests, read_rows, write_bytes};
use crate::visible::visible_line;

/// Where the page is.
pub(super) const PAGE: &str = "figures/index.html";

/// The name of its manifest.
const MANIFEST: &str = "overview";

/// What the name of an animation's file begins with.
pub(super) const ANIMATION: &str = "movie";

/// The file of a figure below `figures`, without its extension. If the summary has several experiments, those about one of them
/// are in its `folder`.
pub(super) fn file(plot: &str, folder: Option<&str>, estimator: Option<&EstimateId>) -> String {
    let name = estimator.map_or_else(|| plot.to_owned(), |estimator| format!("{plot}-{estimator}"));
    folder.map_or_else(|| name.clone(), |folder| format!("{folder}/{name}"))
}

/// Whether the page lists the figures below `out` that were drawn from the summary of `experiment`. Without figures there is no page.
///
/// # Errors
/// A manifest cannot be read.
pub(super) fn is_current(experiment: &Experiment, out: &Path) -> Result<bool, StageError> {
    let listed = listed(out)?;
    Ok(listed.is_empty() || is_finished(&pending(experiment, out, &listed)?)?)
}

/// Whether the page exists as it was written.
fn is_finished(work: &Pending) -> Result<bool, StageError> {
    Ok(work.finished()?.is_some() && believed_hash(work.root(), MANIFEST, PAGE).is_ok())
}

/// Writes the page if the present one is not current. The caller has locked `out`.
///
/// # Errors
/// The summary or a manifest cannot be read, or the page cannot be written.
pub(super) fn update(experiment: &Experiment, out: &Path) -> Result<(), StageError> {
    let listed = listed(out)?;
    let work = pending(experiment, out, &listed)?;
    if listed.is_empty() || is_finished(&work)? {
        return Ok(());
    }
    let summary: Vec<SummaryRow> = read_rows(&experiment.root().join(Experiment::SUMMARY))?;
    let page = page(&experiment.name(), &sections(&summary, &listed));
    work.finish(vec![write_bytes(out, PAGE, page.as_bytes())?])?;
    Ok(())
}

/// The work of writing the page.
fn pending(experiment: &Experiment, out: &Path, listed: &[String]) -> Result<Pending, StageError> {
    let hash = believed_hash(experiment.root(), "summary", Experiment::SUMMARY)?;
    let name = experiment.name();
    let made_from =
        json!({ "tables": [hash], "figures": listed, "experiment": name, "program": env!("CARGO_PKG_VERSION") });
    Ok(Pending::new(out, MANIFEST, &made_from))
}

/// The files, below `figures`, of the figures and animations that manifests list and that are there, sorted.
fn listed(out: &Path) -> Result<Vec<String>, StageError> {
    let mut names: Vec<String> = Vec::new();
    for path in manifests(out)? {
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let is_drawing = name.starts_with("figures-") || name.starts_with(&format!("{ANIMATION}-"));
        let manifest = if is_drawing { Manifest::read(&path)? } else { None };
        let files = manifest.map_or_else(Vec::new, |manifest| manifest.files);
        let here = files.iter().filter(|file| out.join(&file.path).exists());
        names.extend(here.filter_map(|file| file.path.strip_prefix("figures/").map(str::to_owned)));
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// The figures of one plot.
#[derive(Debug, PartialEq)]
struct Section {
    plot: String,
    description: String,
    figures: Vec<Thumbnail>,
}

/// A figure with its files.
#[derive(Debug, PartialEq)]
struct Thumbnail {
    /// What it shows: an estimator, an experiment, or both.
    title: String,
    /// Files below `figures`, one for each format.
    files: Vec<String>,
}

/// Experiment and estimator of a figure, as far as they are part of its path.
type Shown<'a> = (Option<&'a str>, Option<&'a EstimateId>);

/// The figures in the order of the plots, then animations, then files of other summaries.
fn sections(summary: &[SummaryRow], listed: &[String]) -> Vec<Section> {
    let mut pairs: Vec<(&str, &EstimateId)> =
        summary.iter().map(|row| (row.experiment.as_str(), &*row.estimator)).collect();
    pairs.sort();
    pairs.dedup();
    let mut rest: Vec<String> = listed.to_vec();
    let mut sections: Vec<Section> = Vec::new();
    let mut add = |plot: &str, description: &str, shown: &[Shown<'_>]| {
        let figures = shown.iter().filter_map(|shown| Thumbnail::take(plot, *shown, &mut rest)).collect();
        sections.push(Section { plot: plot.to_owned(), description: description.to_owned(), figures });
    };
    for spec in PLOTS {
        add(spec.name, spec.summary, &shown(&pairs, spec.subject));
    }
    add(ANIMATION, "the information plane, animated over the training", &shown(&pairs, Subject::Estimator));
    let other = |stem: &str| {
        let files = rest.iter().filter(|file| self::stem(file) == stem).cloned().collect();
        Thumbnail { title: stem.to_owned(), files }
    };
    let figures = unique(rest.iter().map(|file| stem(file))).into_iter().map(other).collect();
    let description = "figures that were drawn from other tables".to_owned();
    sections.push(Section { plot: "others".to_owned(), description, figures });
    sections.retain(|section| !section.figures.is_empty());
    sections
}

/// What the figures about a `subject` show. `pairs` are the experiments and estimators of the summary, sorted.
fn shown<'a>(pairs: &[(&'a str, &'a EstimateId)], subject: Subject) -> Vec<Shown<'a>> {
    let experiments = unique(pairs.iter().map(|(experiment, _)| *experiment));
    let is_single = experiments.len() < 2;
    match subject {
        Subject::Folder => vec![(None, None)],
        Subject::Sweep if is_single => Vec::new(),
        Subject::Sweep => unique(pairs.iter().map(|(_, estimator)| (None, Some(*estimator)))),
        Subject::Experiment if is_single => vec![(None, None)],
        Subject::Experiment => experiments.into_iter().map(|experiment| (Some(experiment), None)).collect(),
        Subject::Estimator => {
            let shown = |(experiment, estimator): &(&'a str, &'a EstimateId)| {
                ((!is_single).then_some(*experiment), Some(*estimator))
            };
            pairs.iter().map(shown).collect()
        }
    }
}

/// A file without its extension.
fn stem(file: &str) -> &str {
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}

impl Thumbnail {
    /// Takes the files of a figure out of `rest`; `None` if there are none.
    fn take(plot: &str, (experiment, estimator): Shown<'_>, rest: &mut Vec<String>) -> Option<Self> {
        let name = file(plot, experiment, estimator);
        let (files, others): (Vec<String>, Vec<String>) =
            std::mem::take(rest).into_iter().partition(|file| stem(file) == name);
        *rest = others;
        let estimator = estimator.map(EstimateId::to_string);
        let words: Vec<&str> = experiment.into_iter().chain(estimator.as_deref()).collect();
        let title = if words.is_empty() { plot.to_owned() } else { words.join(": ") };
        (!files.is_empty()).then_some(Self { title, files })
    }

    /// The file that is shown: a vector image if there is one.
    fn preview(&self) -> &str {
        self.files.iter().find(|file| file.ends_with(".svg")).unwrap_or(&self.files[0])
    }
}

/// The page in HTML.
fn page(experiment: &str, sections: &[Section]) -> String {
    let title = escaped(&format!("Figures of {experiment}"));
    let mut html =
        format!("{HEAD}<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n<nav>\n");
    for section in sections {
        html.push_str(&format!("<a href=\"#{0}\">{0}</a>\n", escaped(&section.plot)));
    }
    html.push_str("</nav>\n");
    for Section { plot, description, figures } in sections {
        let (plot, description) = (escaped(plot), escaped(description));
        html.push_str(&format!("<section id=\"{plot}\">\n<h2>{plot}</h2>\n<p>{description}</p>\n<div>\n"));
        figures.iter().for_each(|figure| html.push_str(&thumbnail(&description, figure)));
        html.push_str("</div>\n</section>\n");
    }
    html + "</body>\n</html>\n"
}

/// A thumbnail in HTML, with links to the files of the figure. `description` is already HTML.
fn thumbnail(description: &str, figure: &Thumbnail) -> String {
    let (title, file) = (escaped(&figure.title), figure.preview());
    let link = encoded(file);
    let image = match file.ends_with(".mp4") {
        true => format!(
            "<video controls preload=\"metadata\" src=\"{link}\" aria-label=\"{title}: {description}\"></video>"
        ),
        false => format!("<a href=\"{link}\"><img loading=\"lazy\" src=\"{link}\" alt=\"{title}: {description}\"></a>"),
    };
    let extension = |file: &String| file.rsplit('.').next().unwrap_or_default().to_uppercase();
    let links =
        figure.files.iter().map(|file| format!(" <a href=\"{}\">{}</a>", encoded(file), escaped(&extension(file))));
    format!("<figure>\n{image}\n<figcaption>{title}{}</figcaption>\n</figure>\n", links.collect::<String>())
}

/// `text` with visible characters only, none of which HTML takes for markup.
fn escaped(text: &str) -> String {
    let marks = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&#39;")];
    let escape =
        |c: char| marks.iter().find(|(mark, _)| *mark == c).map_or(c.to_string(), |(_, text)| (*text).to_owned());
    visible_line(text).chars().map(escape).collect()
}

/// A file below `figures` as a relative link: bytes that have a meaning in links are written by their numbers.
fn encoded(file: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let encode = |byte: u8| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    file.bytes().map(encode).collect()
}

/// The beginning of the page.
const HEAD: &str = "<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta name=\"color-scheme\" content=\"light dark\">
";

/// Figures have a white background and are shown on white in both colour schemes.
const STYLE: &str = "
:root { color-scheme: light dark; --line: #c8c8c8; --link: #0b57a4; }
@media (prefers-color-scheme: dark) { :root { --line: #4a4a4a; --link: #8ab8f0; } }
body { font: 16px/1.45 system-ui, sans-serif; margin: 1.5rem auto; max-width: 84rem; padding: 0 1rem; }
h1, h2 { line-height: 1.2; } h2 { margin: 2rem 0 0; } p { margin: .25rem 0 .75rem; }
a { color: var(--link); } nav a { margin-right: 1rem; }
section > div { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); }
figure { border: 1px solid var(--line); border-radius: 4px; margin: 0; overflow: hidden; }
img, video { background: #fff; display: block; height: 15rem; object-fit: contain; width: 100%; }
figcaption { border-top: 1px solid var(--line); overflow-wrap: anywhere; padding: .4rem .6rem; }
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plots::tests::summary_row;

    fn summary(pairs: &[(&str, &str)]) -> Vec<SummaryRow> {
        let row = |(experiment, estimator): &(&str, &str)| SummaryRow {
            experiment: (*experiment).to_owned(),
            estimator: EstimateId::of_table(estimator).into(),
            ..summary_row()
        };
        pairs.iter().map(row).collect()
    }

    fn titles(summary: &[SummaryRow], files: &[&str]) -> Vec<(String, Vec<String>)> {
        let files: Vec<String> = files.iter().map(|file| (*file).to_owned()).collect();
        let sections = sections(summary, &files).into_iter();
        sections
            .map(|section| (section.plot, section.figures.into_iter().map(|figure| figure.title).collect()))
            .collect()
    }

    #[test]
    fn figures_are_grouped_by_plot_in_the_order_of_the_plots() {
        let files = ["curves-a.svg", "fit.png", "fit.svg", "information-plane-a.svg", "movie-a.gif"];
        let expected =
            [("information-plane", vec!["a"]), ("curves", vec!["a"]), ("fit", vec!["fit"]), ("movie", vec!["a"])];
        let expected =
            expected.map(|(plot, titles)| (plot.to_owned(), titles.into_iter().map(str::to_owned).collect()));
        assert_eq!(titles(&summary(&[("x", "a")]), &files), expected);
    }

    #[test]
    fn a_file_that_the_summary_does_not_explain_is_listed_by_its_name() {
        let files = ["x/curves-a.svg", "panels-a.svg", "y/movie-a.gif", "curves-x-a.svg"];
        let found = titles(&summary(&[("x", "a"), ("y", "a")]), &files);
        let expected = [("curves", "x: a"), ("panels", "a"), ("movie", "y: a"), ("others", "curves-x-a")];
        let expected = expected.map(|(plot, title)| (plot.to_owned(), vec![title.to_owned()]));
        assert_eq!(found, expected);
    }

    #[test]
    fn names_are_escaped_in_pages_and_links() {
        let hostile = "x\"><script>alert('1')</script>&#?%\u{202e}";
        let figure = Thumbnail { title: hostile.to_owned(), files: vec![format!("x y/fit-{hostile}.svg")] };
        let sections = [Section { plot: "fit".to_owned(), description: hostile.to_owned(), figures: vec![figure] }];
        let page = page(hostile, &sections);
        assert!(!page.contains("<script") && !page.contains('\u{202e}'), "{page}");
        assert!(page.contains("src=\"x%20y/fit-x%22%3E%3Cscript%3E"), "{page}");
        assert!(page.contains("alt=\"x&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)"), "{page}");
    }
}
