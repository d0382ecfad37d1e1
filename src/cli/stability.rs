//! `infoplane stability`: in which settings claims hold, and what the compression depends on.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use infoplane::config::{Declared, Variant};
use infoplane::stages::Outcome;
use infoplane::stages::stability::{Member, Stability, stability};
use infoplane::store::Experiment;
use infoplane::store::schema::{EffectRow, LevelRow, StabilityRow};

use super::inspect::grid;
use super::terminal::{Terminal, short};
use super::{experiment_arg, path};

pub(super) fn command() -> Command {
    let pipeline = Arg::new("pipeline")
        .long("pipeline")
        .value_name("FILE")
        .help("The pipeline of the sweep, which makes the claims [default: pipelines/<sweep>.toml]")
        .value_parser(value_parser!(PathBuf));
    Command::new("stability")
        .about("Say in which settings of a sweep its claims hold, and what compression depends on")
        .after_help(
            "Every claim is asked of every experiment and every estimate that has its quantity. The variance of the compression, over all networks and estimates, is decomposed by main effects: a share of 60 % means that so much of the sum of squares about the mean lies between the means of that parameter's values. A parameter of k values that does nothing has (k - 1)/(N - 1) on average.",
        )
        .arg(experiment_arg().help("The folder of a sweep, or of one experiment"))
        .arg(pipeline)
        .arg(
            Arg::new("markdown")
                .long("markdown")
                .help("Print one page for a document")
                .action(ArgAction::SetTrue)
                .conflicts_with("json"),
        )
}

pub(super) fn run(matches: &ArgMatches, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let root = path(matches, "experiment").context("clap requires the experiment")?;
    let name = Experiment::new(root).name();
    let file =
        path(matches, "pipeline").map_or_else(|| Path::new("pipelines").join(format!("{name}.toml")), Path::to_owned);
    if !file.exists() {
        let file = file.display();
        anyhow::bail!("{}: there is no {file}; name the pipeline with `--pipeline`", root.display());
    }
    let declared = Declared::read(&file)?;
    let members: Vec<Member<'_>> = match &declared {
        Declared::One(pipeline) => {
            vec![Member { id: name.clone(), settings: &[], pipeline, experiment: Experiment::new(root) }]
        }
        Declared::Many(sweep) => sweep
            .experiments
            .iter()
            .filter_map(|variant| {
                let (id, pipeline) = (variant.id.clone(), variant.pipeline.as_ref().ok()?);
                let experiment = Experiment::new(root.join(&id));
                Some(Member { id, settings: &variant.settings, pipeline, experiment })
            })
            .collect(),
    };
    let unsound = match &declared {
        Declared::One(_) => Vec::new(),
        Declared::Many(sweep) => {
            let why = |variant: &Variant| Some((variant.id.clone(), variant.pipeline.as_ref().err()?.to_string()));
            sweep.experiments.iter().filter_map(why).collect()
        }
    };
    let found = stability(&members, unsound, root)?;
    if terminal.is_json() {
        terminal.print_json(&found)?;
        return Ok(Outcome::UpToDate);
    }
    let form = if matches.get_flag("markdown") { Form::Markdown } else { Form::Screen };
    terminal.print(&page(&name, &found, form))?;
    Ok(Outcome::UpToDate)
}

/// How a page is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Screen,
    Markdown,
}

impl Form {
    fn heading(self, text: &str) -> String {
        match self {
            Self::Screen => format!("\n{text}\n\n"),
            Self::Markdown => format!("\n## {text}\n\n"),
        }
    }

    fn table(self, header: &[&str], rows: Vec<Vec<String>>) -> String {
        match self {
            Self::Screen => grid(header, rows.into_iter()),
            Self::Markdown => {
                let line = |cells: &[String]| {
                    format!(
                        "| {} |\n",
                        cells.iter().map(|cell| cell.replace('|', "\\|")).collect::<Vec<_>>().join(" | ")
                    )
                };
                let header: Vec<String> = header.iter().map(|cell| (*cell).to_owned()).collect();
                let rule = format!("|{}\n", "---|".repeat(header.len()));
                [line(&header), rule].into_iter().chain(rows.iter().map(|row| line(row))).collect()
            }
        }
    }
}

fn page(name: &str, found: &Stability, form: Form) -> String {
    let mut text = match form {
        Form::Screen => format!("{name}: {} experiments\n", found.n_experiments),
        Form::Markdown => format!("# {name}: where claims hold in {} experiments\n", found.n_experiments),
    };
    for (experiment, why) in &found.missing {
        text.push_str(&format!("  {experiment} is left out: {why}\n"));
    }
    text.push_str(&form.heading("In how many settings claims hold, by the values of what varies"));
    if found.claims.is_empty() {
        text.push_str("The pipeline makes no claims; state some in `[[expect]]` tables.\n");
    } else {
        text.push_str(&claims(&found.claims, form));
    }
    text.push_str(&form.heading("What the variance of the compression goes with, in per cent"));
    match found.effects.is_empty() {
        true => text.push_str("Nothing differs: no compression, or one number only.\n"),
        false => text.push_str(&effects(&found.effects, form)),
    }
    text.push_str(&form.heading("Compression, bits: mean [least, most of a setting]"));
    text.push_str(&levels(&found.levels, form));
    text
}

/// For every claim and layer one line over all settings, and one for every parameter that varies.
fn claims(rows: &[StabilityRow], form: Form) -> String {
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

/// One line a layer, one column a source.
fn effects(rows: &[EffectRow], form: Form) -> String {
    let mut sources: Vec<&str> = Vec::new();
    for row in rows {
        if !sources.contains(&row.source.as_str()) {
            sources.push(&row.source);
        }
    }
    // What is left comes last, whatever the first layer has.
    sources.sort_by_key(|source| ["interactions", "runs"].contains(source));
    let lines = rows.chunk_by(|a, b| a.layer == b.layer).map(|of_layer| {
        let share = |source: &&str| {
            let row = of_layer.iter().find(|row| row.source == **source);
            row.map_or_else(|| "–".to_owned(), |row| format!("{:.1}", 100.0 * row.share + 0.0))
        };
        let spread = of_layer[0].compression_bits_std.map_or_else(|| "–".to_owned(), short);
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

/// One line a parameter and value, one column a layer.
fn levels(rows: &[LevelRow], form: Form) -> String {
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
