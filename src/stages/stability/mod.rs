//! The stability stage: writes in which settings of a sweep claims hold (`stability`), and how the compression depends on the
//! parameters (`effects`, `levels`).

mod effects;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;
use serde_json::json;

use super::claims::{ClaimTables, Judged, each, judged};
use super::{StageError, keys};
use crate::config::expect::{Expect, Quantity};
use crate::config::{Exact, Pipeline, Setting};
use crate::estimate_id::Unit;
use crate::layer_id::LayerId;
use crate::math::descriptive::mean;
use crate::store::schema::{EffectRow, LevelRow, PhaseRow, StabilityRow, VERSION};
use crate::store::{ClaimVerdict, Experiment, Footer, Lock, Pending, read_rows, verified_hash, write_rows};
use effects::{effects, levels};

/// An experiment of a sweep, or the only one.
#[derive(Debug)]
pub struct StudiedExperiment<'a> {
    /// Its name in the tables.
    pub id: String,
    /// The values of the varied parameters.
    pub settings: &'a [Setting],
    /// Its pipeline.
    pub pipeline: &'a Pipeline,
    /// Its folder.
    pub experiment: Experiment,
}

/// The settings in which claims hold, and the dependence of the compression on the parameters.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stability {
    /// Number of evaluated experiments.
    pub n_experiments: usize,
    /// Experiments that could not be evaluated, with the reason.
    pub missing: Vec<(String, String)>,
    /// Claims by parameter value.
    pub claims: Vec<StabilityRow>,
    /// Variance of the compression by source.
    pub effects: Vec<EffectRow>,
    /// The compression by parameter value.
    pub levels: Vec<LevelRow>,
}

/// What is distinguished in addition to the parameters of the sweep.
const ESTIMATE: &str = "estimate";

/// Evaluates every claim of every member, for its own estimate and for all other estimates with the same quantity, and
/// decomposes the variance of the compression (`phases.parquet` in `out`) over the parameters. Writes the tables into `out`.
///
/// `missing` are experiments that cannot be run, with the reason. Experiments that are not recorded or cannot be read are
/// added.
///
/// # Errors
/// There is no `phases.parquet`, no member can be read, or a file does not match its hash.
pub fn stability(
    members: &[StudiedExperiment<'_>],
    mut missing: Vec<(String, String)>,
    out: &Path,
) -> Result<Stability, StageError> {
    let path = keys::aggregated(out, Experiment::PHASES)?;
    let mut hashes = BTreeSet::from([verified_hash(out, "summary", Experiment::PHASES)?]);
    let phases: Vec<PhaseRow> = read_rows(&path)?;
    let places = Places::of(members);
    let (mut verdicts, mut n_experiments) = (SettingVerdicts::default(), 0);
    let mut settings: BTreeMap<&str, &[Setting]> = BTreeMap::new();
    for member in members {
        match expect_own_settings(member, out).and_then(|()| ask(member, &places, &mut hashes)) {
            Err(e) => missing.push((member.id.clone(), e.to_string())),
            Ok(of_member) => {
                n_experiments += 1;
                settings.insert(&member.id, member.settings);
                of_member.into_iter().for_each(|(claim, layer, asked)| verdicts.add(&claim, layer, asked));
            }
        }
    }
    if n_experiments == 0 {
        let why = missing.first().map_or("it has no experiments", |(_, why)| why.as_str());
        return Err(StageError::Refused(format!("{}: no claim can be evaluated: {why}", out.display())));
    }
    let found = Stability {
        n_experiments,
        missing,
        claims: verdicts.rows(),
        effects: effects(&phases, &settings, &places),
        levels: levels(&phases, &settings, &places),
    };
    let work = Pending::new(out, "stability", &json!({ "tables": hashes, "schema": VERSION, "found": hash(&found) }));
    if work.finished()?.is_none() {
        let _lock = Lock::wait(out, "stability")?;
        let footer = Footer::from([("infoplane.config_hash".to_owned(), work.key().to_owned())]);
        work.finish(vec![
            write_rows(out, Experiment::STABILITY, &found.claims, &footer)?,
            write_rows(out, Experiment::EFFECTS, &found.effects, &footer)?,
            write_rows(out, Experiment::LEVELS, &found.levels, &footer)?,
        ])?;
    }
    Ok(found)
}

fn hash(found: &Stability) -> String {
    crate::store::hash_bytes(json!(found).to_string().as_bytes())
}

/// How layers are identified: by their number, or counted from the output if the depth varies.
#[derive(Debug)]
struct Places {
    outputs: BTreeMap<String, LayerId>,
    is_of_one_depth: bool,
}

impl Places {
    fn of(members: &[StudiedExperiment<'_>]) -> Self {
        let output = |member: &StudiedExperiment<'_>| member.pipeline.output;
        let outputs: BTreeMap<String, LayerId> = members.iter().map(|m| (m.id.clone(), output(m))).collect();
        let is_of_one_depth = outputs.values().collect::<BTreeSet<_>>().len() <= 1;
        Self { outputs, is_of_one_depth }
    }

    /// The number of the layer; if the depth varies, −1 for the output, −2 for the layer below the output.
    fn of_layer(&self, experiment: &str, layer: LayerId) -> i32 {
        match self.outputs.get(experiment).filter(|_| !self.is_of_one_depth) {
            Some(output) => i32::from(layer) - i32::from(*output) - 1,
            None => layer.into(),
        }
    }
}

/// The key of a claim in all settings: its index among the claims, and the layer.
type Subject = (usize, Option<i64>);

/// The verdicts of all settings so far.
#[derive(Debug, Default)]
struct SettingVerdicts {
    claims: Vec<Expect>,
    settings: BTreeMap<Subject, Vec<JudgedSetting>>,
}

/// One setting: the parameters with their values, and the results of the claims.
type JudgedSetting = (Vec<(String, String)>, Judged);

/// Makes sure that a member was recorded with its settings; trials in `out` have other epochs.
fn expect_own_settings(member: &StudiedExperiment<'_>, out: &Path) -> Result<(), StageError> {
    let is_trial = Experiment::new(out).trial_of().is_some();
    if !is_trial && keys::is_recorded_with(member.pipeline, &member.experiment)? == Some(false) {
        let problem = "it was recorded with other settings than in the pipeline; record it again, or name the pipeline of the recording";
        return Err(StageError::Refused(problem.to_owned()));
    }
    Ok(())
}

/// Evaluates every claim of one member with every estimate that has its quantity: the claim, the layer, and the setting.
fn ask(
    member: &StudiedExperiment<'_>,
    places: &Places,
    hashes: &mut BTreeSet<String>,
) -> Result<Vec<(Expect, Option<i64>, JudgedSetting)>, StageError> {
    let mut tables = ClaimTables::open(member.pipeline, &member.experiment)?;
    tables.expect_recording()?;
    let mut asked = Vec::new();
    for (claim, layer) in each(member.pipeline) {
        for (estimate, quantity) in quantities(member.pipeline, claim) {
            let judged = judged(&mut tables, claim, &quantity, layer)?;
            // An estimator without this quantity is not a setting.
            if !judged.is_measured && quantity != claim.quantity {
                continue;
            }
            let mut values: Vec<(String, String)> =
                member.settings.iter().map(|setting| (setting.parameter.clone(), setting.value.clone())).collect();
            values.extend(estimate.map(|estimate| (ESTIMATE.to_owned(), estimate)));
            let layer = layer.map(|layer| places.of_layer(&member.id, layer).into());
            asked.push((claim.clone(), layer, (values, judged)));
        }
    }
    hashes.extend(tables.hashes);
    Ok(asked)
}

/// The quantity of a claim with its own estimate and with all others, or a quantity without an estimate.
fn quantities(pipeline: &Pipeline, claim: &Expect) -> Vec<(Option<String>, Quantity)> {
    let Quantity::Estimated { column, .. } = &claim.quantity else { return vec![(None, claim.quantity.clone())] };
    let of_layers = pipeline.estimates.iter().map(|request| &request.id).filter(|id| id.unit == Unit::Layers);
    let exact = pipeline.exact.iter().flat_map(Exact::ids).map(|id| id.to_string());
    let propagated = pipeline.propagation.iter().map(|propagation| propagation.id().to_string());
    let estimates = of_layers.map(ToString::to_string).chain(exact).chain(propagated);
    estimates.map(|estimate| (Some(estimate.clone()), Quantity::Estimated { estimate, column })).collect()
}

impl SettingVerdicts {
    fn add(&mut self, claim: &Expect, layer: Option<i64>, asked: JudgedSetting) {
        let words = |claim: &Expect| {
            let Expect { figure, claim: words, quantity, measure, wanted, .. } = claim;
            (figure.clone(), words.clone(), quantity.name(), measure.words(), wanted.words())
        };
        let place = self.claims.iter().position(|other| words(other) == words(claim)).unwrap_or_else(|| {
            self.claims.push(claim.clone());
            self.claims.len() - 1
        });
        self.settings.entry((place, layer)).or_default().push(asked);
    }

    /// A row for all settings of a claim and layer, and one for every value of every parameter that varies among them.
    fn rows(&self) -> Vec<StabilityRow> {
        let mut rows = Vec::new();
        for ((place, layer), settings) in &self.settings {
            let claim = &self.claims[*place];
            let judged: Vec<&Judged> = settings.iter().map(|(_, judged)| judged).collect();
            rows.push(row(claim, *layer, "all", "", &judged));
            let mut by_value: Vec<((&str, &str), Vec<&Judged>)> = Vec::new();
            for (values, judged) in settings {
                for (parameter, value) in values {
                    let key = (parameter.as_str(), value.as_str());
                    match by_value.iter_mut().find(|(other, _)| *other == key) {
                        Some((_, of_value)) => of_value.push(judged),
                        None => by_value.push((key, vec![judged])),
                    }
                }
            }
            let varies = |parameter: &str| by_value.iter().filter(|((other, _), _)| *other == parameter).count() > 1;
            // The parameters in the order of the file, the values of each together.
            let mut parameters: Vec<&str> = Vec::new();
            for ((parameter, _), _) in &by_value {
                if varies(parameter) && !parameters.contains(parameter) {
                    parameters.push(parameter);
                }
            }
            for parameter in parameters {
                for ((_, value), of_value) in by_value.iter().filter(|((other, _), _)| *other == parameter) {
                    rows.push(row(claim, *layer, parameter, value, of_value));
                }
            }
        }
        rows
    }
}

fn row(claim: &Expect, layer: Option<i64>, parameter: &str, value: &str, settings: &[&Judged]) -> StabilityRow {
    let n = |verdict: ClaimVerdict| settings.iter().filter(|judged| judged.verdict == verdict).count() as i32;
    let means: Vec<f64> = settings.iter().filter_map(|judged| judged.mean()).collect();
    StabilityRow {
        figure: claim.figure.clone(),
        claim: claim.claim.clone(),
        quantity: claim.quantity.name().to_owned(),
        layer,
        measure: claim.measure.words(),
        wanted: claim.wanted.words(),
        parameter: parameter.to_owned(),
        value: value.to_owned(),
        n_settings: settings.len() as i32,
        n_holds: n(ClaimVerdict::Holds),
        n_fails: n(ClaimVerdict::Fails),
        n_undecided: n(ClaimVerdict::Undecided),
        n_runs: settings.iter().map(|judged| judged.numbers.len() as i32).sum(),
        n_met: settings.iter().map(|judged| judged.n_met as i32).sum(),
        mean: mean(&means),
    }
}
