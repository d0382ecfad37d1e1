//! The dependence of the compression of a layer on parameters: its variance by source, and its mean by parameter value.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::{ESTIMATE, Places};
use crate::config::Setting;
use crate::estimate_id::EstimateId;
use crate::math::descriptive::{mean, std};
use crate::math::effects::main_effects;
use crate::math::unique::unique;
use crate::store::schema::{EffectRow, LevelRow, PhaseRow};

/// The values of the varied parameters, by experiment.
type Settings<'a> = BTreeMap<&'a str, &'a [Setting]>;

/// The compression of one run, with the values of all varied parameters.
struct RunCompression<'a> {
    bits: f64,
    setting: (&'a str, &'a EstimateId),
    values: Vec<Cow<'a, str>>,
}

/// The varied parameters, and the compressions of one layer.
struct Layer<'a> {
    layer: i32,
    parameters: Vec<&'a str>,
    numbers: Vec<RunCompression<'a>>,
    /// Remarks about the compressions.
    remark: Option<String>,
}

/// The sources of variance in every layer, parameters first.
pub(super) fn effects(phases: &[PhaseRow], settings: &Settings<'_>, places: &Places) -> Vec<EffectRow> {
    let mut rows = Vec::new();
    for layer in layers(phases, settings, places) {
        let bits: Vec<f64> = layer.numbers.iter().map(|number| number.bits).collect();
        let factors: Vec<Vec<usize>> = (0..layer.parameters.len()).map(|place| levels_of(&layer, place)).collect();
        let (Some(found), Some(mean)) = (main_effects(&bits, &factors), mean(&bits)) else { continue };
        let n = bits.len();
        let mut remarks: Vec<String> = layer.remark.iter().cloned().chain(twins(&layer, &factors)).collect();
        if !found.is_balanced {
            remarks.push("combinations have different numbers of runs, so the shares overlap".to_owned());
        }
        let row = |source: &str, n_levels: Option<usize>, share: f64| EffectRow {
            layer: layer.layer,
            source: source.to_owned(),
            n_levels: n_levels.map(|n| n as i64),
            share,
            n_values: n as i32,
            compression_bits_mean: mean,
            compression_bits_std: (n > 1).then(|| (found.total / (n as f64 - 1.0)).sqrt()),
            remark: (!remarks.is_empty()).then(|| remarks.join("; ")),
        };
        let of_parameters = layer.parameters.iter().zip(&found.main);
        rows.extend(of_parameters.map(|(parameter, main)| row(parameter, Some(main.n_levels), main.share)));
        rows.push(row("interactions", None, found.rest));
        rows.push(row("runs", None, found.within));
    }
    rows
}

/// The compression in every layer by parameter value.
pub(super) fn levels(phases: &[PhaseRow], settings: &Settings<'_>, places: &Places) -> Vec<LevelRow> {
    let numbers: BTreeMap<(&str, &str), f64> = settings
        .values()
        .flat_map(|settings| settings.iter())
        .filter_map(|setting| Some(((setting.parameter.as_str(), setting.value.as_str()), setting.number?)))
        .collect();
    let mut rows = Vec::new();
    for layer in layers(phases, settings, places) {
        for (place, parameter) in layer.parameters.iter().enumerate() {
            let mut values: Vec<&str> = unique(layer.numbers.iter().map(|number| number.values[place].as_ref()));
            values.sort_by(|a, b| {
                let number = |value: &str| numbers.get(&(*parameter, value)).copied().unwrap_or(f64::INFINITY);
                number(a).total_cmp(&number(b)).then_with(|| a.cmp(b))
            });
            for value in values {
                let number = numbers.get(&(*parameter, value)).copied();
                rows.extend(level(&layer, place, value, number));
            }
        }
    }
    rows
}

fn level(layer: &Layer<'_>, place: usize, value: &str, number: Option<f64>) -> Option<LevelRow> {
    let here: Vec<&RunCompression<'_>> = layer.numbers.iter().filter(|number| number.values[place] == value).collect();
    let mut settings: BTreeMap<(&str, &EstimateId), Vec<f64>> = BTreeMap::new();
    here.iter().for_each(|number| settings.entry(number.setting).or_default().push(number.bits));
    let means: Vec<f64> = settings.values().filter_map(|bits| mean(bits)).collect();
    let bits: Vec<f64> = here.iter().map(|number| number.bits).collect();
    Some(LevelRow {
        layer: layer.layer,
        parameter: layer.parameters[place].to_owned(),
        value: value.to_owned(),
        number,
        n_settings: settings.len() as i32,
        n_runs: bits.len() as i32,
        compression_bits_mean: mean(&bits)?,
        compression_bits_std: std(&bits),
        compression_bits_least: means.iter().copied().fold(f64::INFINITY, f64::min),
        compression_bits_most: means.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    })
}

/// The compressions of every layer. With one run per experiment there is no compression; the decrease from the run's largest
/// value is used instead.
fn layers<'a>(phases: &'a [PhaseRow], settings: &Settings<'a>, places: &Places) -> Vec<Layer<'a>> {
    let has_others = phases.iter().any(|row| row.compression_bits.is_some());
    let remark = (!has_others).then(|| {
        "one run per setting: the decrease from the largest value of each run is used, which noise increases".to_owned()
    });
    let mut by_layer: BTreeMap<i32, Vec<&PhaseRow>> = BTreeMap::new();
    for row in phases.iter().filter(|row| settings.contains_key(row.experiment.as_str())) {
        by_layer.entry(places.of_layer(&row.experiment, row.layer)).or_default().push(row);
    }
    let of_layer = |(layer, rows): (i32, Vec<&'a PhaseRow>)| {
        let names = settings.values().next().map_or(&[][..], |settings| settings);
        let mut parameters: Vec<&'a str> = names.iter().map(|setting| setting.parameter.as_str()).collect();
        parameters.push(ESTIMATE);
        let number = |row: &'a PhaseRow| {
            let bits = if has_others { row.compression_bits } else { row.drop_bits };
            let settings = settings.get(row.experiment.as_str())?;
            let mut values: Vec<Cow<'a, str>> = settings.iter().map(|setting| setting.value.as_str().into()).collect();
            values.push(row.estimator.to_string().into());
            Some(RunCompression { bits: bits?, setting: (&row.experiment, &row.estimator), values })
        };
        let numbers = rows.into_iter().filter_map(number).collect();
        without_constants(Layer { layer, parameters, numbers, remark: remark.clone() })
    };
    by_layer.into_iter().map(of_layer).filter(|layer| !layer.numbers.is_empty()).collect()
}

/// Removes parameters with only one value.
fn without_constants(mut layer: Layer<'_>) -> Layer<'_> {
    let varies: Vec<bool> = (0..layer.parameters.len())
        .map(|place| layer.numbers.iter().map(|number| &number.values[place]).collect::<BTreeSet<_>>().len() > 1)
        .collect();
    let kept = |place: usize| varies[place];
    layer.parameters = layer.parameters.iter().enumerate().filter(|(i, _)| kept(*i)).map(|(_, p)| *p).collect();
    for number in &mut layer.numbers {
        number.values = number.values.iter().enumerate().filter(|(i, _)| kept(*i)).map(|(_, v)| v.clone()).collect();
    }
    layer
}

/// The level of one parameter for every number.
fn levels_of(layer: &Layer<'_>, place: usize) -> Vec<usize> {
    let values: BTreeSet<&str> = layer.numbers.iter().map(|number| number.values[place].as_ref()).collect();
    let values: Vec<&str> = values.into_iter().collect();
    let level =
        |number: &RunCompression<'_>| values.iter().position(|value| *value == number.values[place]).unwrap_or(0);
    layer.numbers.iter().map(level).collect()
}

/// Parameters that vary together cannot be distinguished.
fn twins(layer: &Layer<'_>, factors: &[Vec<usize>]) -> Vec<String> {
    let mut found = Vec::new();
    for (a, first) in factors.iter().enumerate() {
        for (b, second) in factors.iter().enumerate().skip(a + 1) {
            let pairs: BTreeSet<(usize, usize)> = first.iter().copied().zip(second.iter().copied()).collect();
            let n = |factor: &[usize]| factor.iter().collect::<BTreeSet<_>>().len();
            if pairs.len() == n(first) && pairs.len() == n(second) {
                let (a, b) = (layer.parameters[a], layer.parameters[b]);
                found.push(format!("{a} and {b} vary together, so they have one common share"));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::StudiedExperiment;
    use super::*;
    use crate::layer_id::LayerId;

    fn phase(experiment: &str, estimator: &str, run: &str, bits: f64) -> PhaseRow {
        PhaseRow {
            experiment: experiment.to_owned(),
            estimator: EstimateId::of_table(estimator).into(),
            quantity: None,
            run: run.to_owned(),
            layer: LayerId::FIRST,
            layer_name: None,
            end_epoch: 10,
            i_xt_start_bits: None,
            i_xt_peak_bits: None,
            i_xt_peak_epoch: None,
            i_xt_end_bits: None,
            drop_bits: Some(9.0),
            others_peak_epoch: None,
            compression_bits: Some(bits),
            i_ty_start_bits: None,
            i_ty_end_bits: None,
            fitted_epoch: None,
            diffusion_epoch: None,
            failure: None,
        }
    }

    fn setting(parameter: &str, value: &str) -> Setting {
        Setting { parameter: parameter.to_owned(), value: value.to_owned(), number: value.parse().ok() }
    }

    #[test]
    fn the_variance_of_a_table_made_by_hand_is_decomposed() {
        // Two batch sizes, two runs each, one estimate: 1, 3 and 5, 7. Mean 4; total 9 + 1 + 1 + 9 = 20; between the means 2
        // and 6 of the batches 2 · 4 + 2 · 4 = 16; within 4.
        let phases = [
            phase("batch-8", "e", "r0", 1.0),
            phase("batch-8", "e", "r1", 3.0),
            phase("batch-16", "e", "r0", 5.0),
            phase("batch-16", "e", "r1", 7.0),
        ];
        let (eight, sixteen) = ([setting("training.batch", "8")], [setting("training.batch", "16")]);
        let settings = Settings::from([("batch-8", &eight[..]), ("batch-16", &sixteen[..])]);
        let members: [StudiedExperiment<'_>; 0] = [];
        let places = Places::of(&members);
        let rows = effects(&phases, &settings, &places);
        let shares: Vec<(&str, f64)> = rows.iter().map(|row| (row.source.as_str(), row.share)).collect();
        assert_eq!(shares.len(), 3, "an estimate that does not vary is no source");
        let close = |got: (&str, f64), source: &str, share: f64| {
            assert!(got.0 == source && (got.1 - share).abs() < 1e-12, "{got:?}");
        };
        close(shares[0], "training.batch", 0.8);
        close(shares[1], "interactions", 0.0);
        close(shares[2], "runs", 0.2);
        assert_eq!((rows[0].compression_bits_mean, rows[0].remark.as_deref()), (4.0, None));
        assert!((rows[0].compression_bits_std.unwrap() - (20.0_f64 / 3.0).sqrt()).abs() < 1e-12);

        let rows = levels(&phases, &settings, &places);
        let means: Vec<(&str, f64, i32)> =
            rows.iter().map(|row| (row.value.as_str(), row.compression_bits_mean, row.n_runs)).collect();
        assert_eq!(means, [("8", 2.0, 2), ("16", 6.0, 2)], "by number, not by letter");
    }

    #[test]
    fn parameters_that_vary_together_are_reported() {
        let phases = [phase("a", "e", "r0", 1.0), phase("b", "e", "r0", 2.0)];
        let (first, second) = (
            [setting("training.batch", "8"), setting("seed", "1")],
            [setting("training.batch", "16"), setting("seed", "2")],
        );
        let settings = Settings::from([("a", &first[..]), ("b", &second[..])]);
        let members: [StudiedExperiment<'_>; 0] = [];
        let rows = effects(&phases, &settings, &Places::of(&members));
        let remark = rows[0].remark.as_deref().unwrap();
        assert!(remark.starts_with("training.batch and seed vary together"), "{remark}");
    }
}
