//! Mutual information of two variables that are read from files: arrays, or columns of tables.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::StageError;
use super::foreign_columns::{mark, read_columns};
use crate::audit::{Sampled, Trial, TrialSettings, trials};
use crate::columns::Column;
use crate::config::matches_pattern;
use crate::count::counted;
use crate::estimators::{self, Cells, EstimateError, Member, Points, Spec, Variable};
use crate::import::Options;
use crate::memory::Room;
use crate::parameter::Parameters;
use crate::suggest::suggestion;
use crate::units::Nats;

/// Where the values of a variable are.
#[derive(Debug, Clone)]
pub struct VariableSource {
    /// The file.
    pub file: PathBuf,
    /// Names of columns, in order; `*` matches any characters. Empty: all columns.
    pub columns: Vec<String>,
    /// How numbers are used.
    pub numbers: NumbersAre,
}

/// How the numbers of a column are used; strings are always labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumbersAre {
    /// As real numbers.
    Real,
    /// As labels: equal numbers are one class.
    Labels,
}

/// Two variables, read and checked.
#[derive(Debug)]
pub struct ReadPair {
    /// The values.
    pub pair: Sampled,
    /// What is noticeable about them, in sentences.
    pub notes: Vec<String>,
}

/// An estimate of I(X;Y), in bits.
#[derive(Debug, Clone, Default, Serialize)]
pub struct MiRow {
    /// Identity of the estimator.
    pub estimator: String,
    /// Name of the estimated quantity.
    pub quantity: String,
    /// The estimate; `None` without one.
    pub value_bits: Option<f64>,
    /// Standard error from the random numbers of the estimator; `None` if it uses none.
    pub error_bits: Option<f64>,
    /// Lower end of the 95 % interval from random halves of the samples.
    pub low_bits: Option<f64>,
    /// Upper end of this interval.
    pub high_bits: Option<f64>,
    /// Mean over permutations of Y.
    pub null_bits_mean: Option<f64>,
    /// Standard deviation over permutations of Y.
    pub null_bits_std: Option<f64>,
    /// p value of independent X and Y.
    pub p: Option<f64>,
    /// The largest possible estimate for this number of samples; `None` if there is none.
    pub ceiling_bits: Option<f64>,
    /// Why the number may mislead, in sentences.
    pub warnings: Vec<String>,
    /// Why there is no estimate.
    pub failure: Option<String>,
}

/// Reads X and Y.
///
/// # Errors
/// A file cannot be read, a column is missing or has other values than numbers or strings, or X and Y have different numbers of
/// rows.
pub fn read_pair(x: &VariableSource, y: &VariableSource, options: &Options) -> Result<ReadPair, StageError> {
    let mut room = Room::of_file();
    let read = |source: &VariableSource, room: &mut Room, left_out: &[String]| {
        let mut columns = read_columns(&source.file, options, room)?;
        mark(&mut columns);
        if columns.is_empty() {
            return Err(refused(&source.file, "the file has no columns"));
        }
        let chosen = chosen(&columns, source, left_out).map_err(|e| refused(&source.file, &e))?;
        let variable = variable(&chosen, source.numbers).map_err(|e| refused(&source.file, &e))?;
        let names: Vec<String> = chosen.iter().map(|column| column.name.clone()).collect();
        Ok::<_, StageError>((variable, names))
    };
    // With one file, X is every column that is not Y.
    let is_same_file = x.file == y.file && !y.columns.is_empty();
    let (in_y, names) = read(y, &mut room, &[])?;
    let (in_x, names_x) = read(x, &mut room, if is_same_file { &names } else { &[] })?;
    if let Some(name) = names_x.iter().find(|name| is_same_file && names.contains(name)) {
        return Err(refused(&x.file, &format!("column `{name}` is in both --x and --y; name different columns")));
    }
    let (n_x, n_y) = (in_x.n_samples(), in_y.n_samples());
    if n_x != n_y {
        return Err(StageError::Refused(format!(
            "X ({}) has {}, Y ({}) has {n_y}; row i of both must be one sample",
            x.file.display(),
            counted(n_x, "row"),
            y.file.display()
        )));
    }
    let of_variables = [("X", &in_x, x.numbers), ("Y", &in_y, y.numbers)];
    let of_variables = of_variables.into_iter().flat_map(|(name, variable, numbers)| notes_on(name, variable, numbers));
    let notes = of_variables.chain(notes_on_samples(&in_x, &in_y)).collect();
    Ok(ReadPair { pair: Sampled { x: in_x, y: in_y }, notes })
}

fn refused(file: &Path, problem: &str) -> StageError {
    StageError::Refused(format!("{}: {problem}", file.display()))
}

/// The columns that a source names; without names, all that are not `left_out`.
fn chosen<'a>(columns: &'a [Column], source: &VariableSource, left_out: &[String]) -> Result<Vec<&'a Column>, String> {
    if source.columns.is_empty() {
        let free = columns.iter().filter(|c| c.left_out.is_none() && !left_out.contains(&c.name));
        let free: Vec<&Column> = free.collect();
        return if free.is_empty() {
            Err("there is no column left for X; name columns with --x".to_owned())
        } else {
            Ok(free)
        };
    }
    let mut found: Vec<&Column> = Vec::new();
    for wanted in &source.columns {
        let matching: Vec<&Column> = columns.iter().filter(|c| matches_pattern(wanted, &c.name)).collect();
        if matching.is_empty() {
            let names = columns.iter().map(|c| c.name.as_str());
            return Err(format!("no column `{wanted}`; {}", suggestion(wanted, names)));
        }
        found.extend(matching);
    }
    let twice = (1..found.len()).find(|i| found[..*i].iter().any(|earlier| std::ptr::eq(*earlier, found[*i])));
    match twice {
        Some(i) => Err(format!("column `{}` is named twice; name every column once", found[i].name)),
        None => Ok(found),
    }
}

/// Columns side by side, as real vectors or as labels.
fn variable(columns: &[&Column], numbers: NumbersAre) -> Result<Variable<'static>, String> {
    for column in columns {
        if let Some(problem) = &column.problem {
            return Err(format!("column `{}`: {problem}", column.name));
        }
        if let Some(at) = column.values.iter().position(|value| !value.is_finite()) {
            let (row, value) = (at / column.width.max(1), column.values[at]);
            return Err(format!(
                "column `{}`, row {row} is {value}; only finite numbers are allowed: remove or complete such rows",
                column.name
            ));
        }
    }
    let n = columns[0].n_rows();
    if let Some(other) = columns.iter().find(|column| column.n_rows() != n) {
        return Err(format!("`{}` has {n} rows, `{}` has {}", columns[0].name, other.name, other.n_rows()));
    }
    if n == 0 {
        return Err("there are no rows".to_owned());
    }
    let is_words = |column: &&&Column| !column.is_numbers() && column.width == 1;
    let width: usize = columns.iter().map(|column| column.width).sum();
    let rows = (0..n).flat_map(|row| columns.iter().flat_map(move |c| &c.values[row * c.width..][..c.width]));
    let values: Vec<f64> = rows.copied().collect();
    match (columns.iter().find(is_words), numbers) {
        (Some(words), NumbersAre::Real) if columns.len() > 1 => {
            Err(format!("column `{}` has strings, which are labels; name it alone, or leave it out", words.name))
        }
        (None, NumbersAre::Real) => {
            Ok(Variable::Real(Points::new(values, width).map_err(|problem| problem.to_string())?))
        }
        _ => Ok(Variable::Classes(Cow::Owned(Cells::of_rows(&values, width)))),
    }
}

/// With at most this many different integers, numbers are probably labels.
const FEW_VALUES: usize = 20;

/// With fewer samples, intervals and p values say little.
const FEW_SAMPLES: usize = 30;

/// Which samples have the same value.
fn cells_of(variable: &Variable<'_>) -> Cells {
    match variable {
        Variable::Real(points) => Cells::of_rows(points.values(), points.n_dims()),
        Variable::Classes(classes) => classes.clone().into_owned(),
    }
}

/// Whether all samples have the same value.
fn is_constant(variable: &Variable<'_>) -> bool {
    cells_of(variable).n_cells() == 1
}

fn notes_on_samples(x: &Variable<'_>, y: &Variable<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let n = x.n_samples();
    if n < FEW_SAMPLES {
        notes.push(format!("there are only {n} samples, so the estimate, its interval and p say little"));
    }
    let of_y = cells_of(y);
    let both = cells_of(x).split_by(|sample| of_y.numbers()[sample]);
    let repeated: u32 = both.counts().iter().filter(|count| **count > 1).sum();
    let is_real = matches!((x, y), (Variable::Real(_), _) | (_, Variable::Real(_)));
    if is_real && repeated > 0 && both.n_cells() > 1 {
        notes.push(format!(
            "{repeated} of {n} rows repeat another row in X and Y; if these are copies, remove them: samples must be independent"
        ));
    }
    notes
}

fn notes_on(name: &str, variable: &Variable<'_>, numbers: NumbersAre) -> Vec<String> {
    if is_constant(variable) {
        return vec![format!("{name} has the same value in all samples, so the information is 0")];
    }
    let Variable::Real(points) = variable else { return Vec::new() };
    let cells = cells_of(variable);
    let (n, n_cells) = (cells.n_samples(), cells.n_cells());
    let is_whole = points.values().iter().all(|value| value.fract() == 0.0);
    let mut notes = Vec::new();
    if numbers == NumbersAre::Real && points.n_dims() == 1 && is_whole && n_cells <= FEW_VALUES {
        let option = name.to_lowercase();
        notes
            .push(format!("{name} has only {n_cells} different integers; if they are labels, add `--labels {option}`"));
    } else if n_cells < n {
        let repeated = cells.numbers().iter().filter(|cell| cells.counts()[**cell as usize] > 1).count();
        notes.push(format!("{repeated} of {n} samples of {name} have the same value as another sample"));
    }
    notes
}

/// The estimator for a pair if none is named.
pub fn default_estimator(pair: &Sampled) -> &'static str {
    let repeats = |variable: &Variable<'_>| match variable {
        Variable::Real(points) => Cells::of_rows(points.values(), points.n_dims()).n_cells() < points.n_samples(),
        Variable::Classes(_) => false,
    };
    match (&pair.x, &pair.y) {
        (Variable::Classes(_), Variable::Classes(_)) => "binning",
        (x, y) if repeats(x) || repeats(y) => "mixed-ksg",
        _ => "ksg",
    }
}

/// What happens to an estimator that is not for variables of these kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnsuitableEstimator {
    /// Its row says why there is no estimate.
    Reported,
    /// It has no row.
    LeftOut,
}

/// The estimates of one estimator with each of the sets of `parameters`.
///
/// # Errors
/// The parameters cannot be combined.
pub fn estimate_pair(
    ReadPair { pair, .. }: &ReadPair,
    spec: &Spec,
    parameters: &[Parameters],
    settings: TrialSettings,
    unsuitable: UnsuitableEstimator,
) -> Result<Vec<MiRow>, StageError> {
    let estimator = (spec.build)(parameters).map_err(|problem| StageError::Refused(problem.to_string()))?;
    if is_constant(&pair.x) || is_constant(&pair.y) {
        let zero = |member: Member| MiRow {
            estimator: member.id.to_string(),
            quantity: spec.of_pair.to_owned(),
            value_bits: Some(0.0),
            ..MiRow::default()
        };
        return Ok(estimator.members().into_iter().map(zero).collect());
    }
    let found = trials(estimator.as_ref(), pair, settings);
    let found = estimator.members().into_iter().zip(found);
    let kept = found.filter(|(_, trial)| {
        unsuitable == UnsuitableEstimator::Reported || !trial.as_ref().is_err_and(EstimateError::is_of_kinds)
    });
    Ok(kept.map(|(member, trial)| row(spec, &member, trial)).collect())
}

fn row(spec: &Spec, member: &Member, trial: Result<Trial, EstimateError>) -> MiRow {
    let (estimator, quantity) = (member.id.to_string(), spec.of_pair.to_owned());
    let trial = match trial {
        Ok(trial) => trial,
        Err(e) => return MiRow { estimator, quantity, failure: Some(e.to_string()), ..MiRow::default() },
    };
    let null = estimators::Spread::of(&trial.null);
    let (low, high) = trial.interval().unzip();
    let bits = |nats: Option<Nats>| nats.map(Nats::bits);
    MiRow {
        estimator,
        quantity,
        value_bits: Some(trial.information.value.bits()),
        error_bits: bits(trial.information.monte_carlo_error),
        low_bits: bits(low),
        high_bits: bits(high),
        null_bits_mean: bits(null.map(|null| null.mean)),
        null_bits_std: bits(null.and_then(|null| null.std)),
        p: trial.p_value(),
        ceiling_bits: bits(trial.information.ceiling),
        warnings: warnings(&trial),
        failure: None,
    }
}

/// An estimate above this share of its ceiling says little, because it would be close to it for any dependent variables.
const NEAR_CEILING: f64 = 0.9;

fn warnings(trial: &Trial) -> Vec<String> {
    let value = trial.information.value;
    let mut warnings = Vec::new();
    if let Some(ceiling) = trial.information.ceiling.filter(|ceiling| value.0 > NEAR_CEILING * ceiling.0) {
        warnings.push(format!(
            "the estimate is close to {:.3} bits, the largest value with these samples: one variable determines the other, or there are too few samples",
            ceiling.bits()
        ));
    }
    if let Some(null) = estimators::Spread::of(&trial.null).filter(|null| null.mean.0 > 0.5 * value.0 && value.0 > 0.0)
    {
        warnings
            .push(format!("permuted samples give {:.3} bits: at least half of the estimate is bias", null.mean.bits()));
    }
    warnings
}
