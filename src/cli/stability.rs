//! `infoplane stability`: reports in which settings claims hold, and which parameters the compression depends on.

use clap::{ArgMatches, Command};

use super::Ended;
use super::arguments::{experiment_arg, flag, pipeline_flag, pipeline_of, resolved};
use super::table::{grid, in_markdown, markdown, or_dash, short};
use super::terminal::Terminal;
use crate::config::{Declared, Variant};
use crate::count::counted;
use crate::pipeline::Needs;
use crate::stages::stability::{Stability, StudiedExperiment, stability};
use crate::store::Experiment;
use crate::store::schema::{EffectRow, LevelRow, StabilityRow};
use crate::visible::visible_line;

pub(super) fn command() -> Command {
    Command::new("stability")
        .about("Report for which settings of a sweep the claims hold, and on which parameters the compression depends")
        .after_help(
            "Each claim is evaluated for every experiment and every estimate that provides its quantity. The variance of the compression over all networks and estimates is decomposed into main effects. A share of 60 % for a parameter means that the differences between the means at its values explain 60 % of the total sum of squares. A parameter with k values and no effect has a share of (k - 1)/(N - 1) on average, where N is the number of values of the compression.",
        )
        .arg(experiment_arg().help("The folder of a sweep (or of an experiment), for example outputs/stability"))
        .arg(pipeline_flag("The pipeline of the sweep with its claims. Required if pipelines/<sweep>.toml does not exist, where <sweep> is the name of the folder [default: pipelines/<sweep>.toml]"))
        .arg(flag("markdown", "Print one page in Markdown").conflicts_with("json"))
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Ended> {
    let resolved = resolved(matches, Needs::Summary)?;
    let (root, name) = (resolved.folder().root(), resolved.folder().name());
    let declared = Declared::read(&pipeline_of(matches, resolved.folder())?)?;
    let (members, unsound): (Vec<StudiedExperiment<'_>>, Vec<(String, String)>) = match &declared {
        Declared::One(pipeline) => {
            let experiment = Experiment::new(root);
            (vec![StudiedExperiment { id: name.clone(), settings: &[], pipeline, experiment }], Vec::new())
        }
        Declared::Many(sweep) => {
            let members = sweep.experiments.iter().filter_map(|variant| {
                let (id, pipeline) = (variant.id.clone(), variant.pipeline.as_ref().ok()?);
                let experiment = Experiment::new(root.join(&id));
                Some(StudiedExperiment { id, settings: &variant.settings, pipeline, experiment })
            });
            let why = |variant: &Variant| Some((variant.id.clone(), variant.pipeline.as_ref().err()?.to_string()));
            (members.collect(), sweep.experiments.iter().filter_map(why).collect())
        }
    };
    let found = stability(&members, unsound, root)?;
    if terminal.is_json() {
        terminal.print_json(&found)?;
        return Ok(Ended::default());
    }
    let form = if matches.get_flag("markdown") { Layout::Markdown } else { Layout::Screen };
    terminal.print(&page(&name, &found, form))?;
    Ok(Ended::default())
}

/// How a page is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    Screen,
    Markdown,
}

impl Layout {
    fn heading(self, text: &str) -> String {
        match self {
            Self::Screen => format!("\n{text}\n\n"),
            Self::Markdown => format!("\n## {text}\n\n"),
        }
    }

    fn line(self, text: &str) -> String {
        match self {
            Self::Screen => format!("{}\n", visible_line(text)),
            Self::Markdown => format!("{}\n", in_markdown(text)),
        }
    }

    fn table(self, header: &[&str], rows: Vec<Vec<String>>) -> String {
        match self {
            Self::Screen => grid(header, rows.into_iter()),
            Self::Markdown => markdown(header, rows.into_iter()),
        }
    }
}

fn page(name: &str, found: &Stability, form: Layout) -> String {
    let mut text = match form {
        Layout::Screen => format!("{name}: {}\n", counted(found.n_experiments, "experiment")),
        Layout::Markdown => {
            format!("# {}: where claims hold in {}\n", in_markdown(name), counted(found.n_experiments, "experiment"))
        }
    };
    for (experiment, why) in &found.missing {
        text.push_str(&form.line(&format!("  {experiment} is left out: {why}")));
    }
    text.push_str(&form.heading("Number of settings in which each claim holds, by parameter value"));
    if found.claims.is_empty() {
        text.push_str("The pipeline makes no claims; add `[[expect]]` tables.\n");
    } else {
        text.push_str(&claims(&found.claims, form));
    }
    text.push_str(&form.heading(
        "Variance explained: share of the variance of the compression explained by each parameter, in per cent",
    ));
    match found.effects.is_empty() {
        true => text.push_str("There is no variance: no compression, or only one number.\n"),
        false => text.push_str(&effects(&found.effects, form)),
    }
    text.push_str(&form.heading("Compression in bits: mean [smallest, largest mean of a setting]"));
    text.push_str(&levels(&found.levels, form));
    text
}

/// For every claim and layer, one line for all settings and one line for each varied parameter.
fn claims(rows: &[StabilityRow], form: Layout) -> String {
    let mut lines: Vec<Vec<String>> = Vec::new();
    for of_parameter in rows.chunk_by(|a, b| a.parameter == b.parameter && a.parameter != "all") {
        let first = &of_parameter[0];
        let is_all = first.parameter == "all";
        let holds = match is_all {
            true => in_words(first),
            false => {
                let of_value = |row: &StabilityRow| format!("{} {}/{}", row.value, row.n_holds, row.n_settings);
                of_parameter.iter().map(of_value).collect::<Vec<_>>().join(", ")
            }
        };
        let layer = first.layer.filter(|_| is_all).map_or_else(String::new, |layer| layer.to_string());
        let claim = if is_all { first.claim.clone() } else { String::new() };
        let parameter = if is_all { "all settings" } else { &first.parameter };
        lines.push(vec![claim, layer, parameter.to_owned(), holds]);
    }
    // A claim of several layers is written once.
    let mut last = String::new();
    for line in lines.iter_mut().filter(|line| !line[0].is_empty()) {
        match line[0] == last {
            true => line[0] = "…".to_owned(),
            false => last.clone_from(&line[0]),
        }
    }
    form.table(&["claim", "layer", "", "holds in"], lines)
}

fn in_words(row: &StabilityRow) -> String {
    let parts = [(row.n_fails, "fails in"), (row.n_undecided, "undecided in")];
    let parts = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!(", {what} {n}"));
    format!("{} of {}{}", row.n_holds, row.n_settings, parts.collect::<String>())
}

/// One line for each layer, one column for each source of variance.
fn effects(rows: &[EffectRow], form: Layout) -> String {
    let mut sources: Vec<&str> = Vec::new();
    for row in rows {
        if !sources.contains(&row.source.as_str()) {
            sources.push(&row.source);
        }
    }
    // The rest of the variance comes last.
    sources.sort_by_key(|source| ["interactions", "runs"].contains(source));
    let lines = rows.chunk_by(|a, b| a.layer == b.layer).map(|of_layer| {
        let share = |source: &&str| {
            let row = of_layer.iter().find(|row| row.source == **source);
            or_dash(row, |row| format!("{:.1}", 100.0 * row.share + 0.0))
        };
        let spread = or_dash(of_layer[0].compression_bits_std, short);
        let head = [
            of_layer[0].layer.to_string(),
            of_layer[0].n_values.to_string(),
            short(of_layer[0].compression_bits_mean),
            spread,
        ];
        head.into_iter().chain(sources.iter().map(share)).collect()
    });
    let header: Vec<&str> =
        ["layer", "N", "mean, bits", "std, bits"].into_iter().chain(sources.iter().copied()).collect();
    let mut text = form.table(&header, lines.collect());
    let mut remarks: Vec<&str> = rows.iter().filter_map(|row| row.remark.as_deref()).collect();
    remarks.dedup();
    for remark in remarks {
        text.push_str(&format!("\n{remark}\n"));
    }
    text
}

/// One line for each parameter value, one column for each layer.
fn levels(rows: &[LevelRow], form: Layout) -> String {
    let mut layers: Vec<i32> = rows.iter().map(|row| row.layer).collect();
    layers.sort_unstable();
    layers.dedup();
    let mut keys: Vec<(&str, &str)> = Vec::new();
    for row in rows {
        let key = (row.parameter.as_str(), row.value.as_str());
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let line = |(parameter, value): &(&str, &str)| {
        let cell = |layer: &i32| {
            let row = rows
                .iter()
                .find(|row| (row.layer, row.parameter.as_str(), row.value.as_str()) == (*layer, *parameter, *value));
            row.map_or_else(String::new, |row| {
                let [least, most] = [row.compression_bits_least, row.compression_bits_most].map(short);
                format!("{} [{least}, {most}]", short(row.compression_bits_mean))
            })
        };
        [(*parameter).to_owned(), (*value).to_owned()].into_iter().chain(layers.iter().map(cell)).collect()
    };
    let header: Vec<String> = layers.iter().map(|layer| format!("layer {layer}")).collect();
    let header: Vec<&str> = ["parameter", "value"].into_iter().chain(header.iter().map(String::as_str)).collect();
    form.table(&header, keys.iter().map(line).collect())
}
