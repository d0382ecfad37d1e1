//! Chooses the columns X and Y of an imported file, and validates them.

use std::collections::BTreeSet;

use super::import::ImportRequest;
use crate::columns::Column;
use crate::count::counted;
use crate::import::SamplesAre;
use crate::sample::distinct;
use crate::suggest::suggestion;

/// X, Y, p(y=1 | x) and targets among the columns of a file.
pub(super) struct Chosen<'a> {
    pub(super) x: Vec<&'a Column>,
    /// Labels: one column, or one for each class.
    y: Vec<&'a Column>,
    pub(super) p_y1: Option<&'a Column>,
    pub(super) target: Vec<&'a Column>,
}

/// The column of labels if none is named.
const DEFAULT_Y: &str = "y";

/// Default number of bins of the target.
const DEFAULT_BINS: usize = 10;

/// With more classes than this, and more than half as many as samples, labels are probably identifiers.
const MOST_CLASSES: usize = 1000;

fn find<'a>(columns: &'a [Column], name: &str) -> Result<&'a Column, String> {
    let suggested = || suggestion(name, columns.iter().map(|c| c.name.as_str()));
    columns.iter().find(|c| c.name == name).ok_or_else(|| format!("no column `{name}`; {}", suggested()))
}

/// The columns named by `words`; each word is a name, or several names separated by commas.
fn find_all<'a>(columns: &'a [Column], words: &[String]) -> Result<Vec<&'a Column>, String> {
    let mut found = Vec::new();
    for words in words {
        // A name may contain commas.
        let is_name = columns.iter().any(|c| c.name == *words);
        let names: Vec<&str> = if is_name { vec![words.as_str()] } else { words.split(',').map(str::trim).collect() };
        found.extend(names.into_iter().map(|name| find(columns, name)).collect::<Result<Vec<_>, _>>()?);
    }
    Ok(found)
}

impl<'a> Chosen<'a> {
    /// Contradictions in the choice itself are reported here.
    pub(super) fn new(columns: &'a [Column], choice: &ImportRequest) -> Result<Self, String> {
        if choice.y_bins.is_some() && choice.target.is_empty() {
            return Err("`--y-bins` makes labels from a target; name the target column with `--target`".to_owned());
        }
        let y = match find_all(columns, std::slice::from_ref(&choice.y)) {
            Ok(_) if choice.y_bins.is_some() && choice.y != DEFAULT_Y => {
                return Err("`--y-bins` makes labels from the target, and `--y` names a column of labels; leave out one of them".to_owned());
            }
            Ok(found) if choice.y_bins.is_some() => {
                // It would silently become an input.
                let is_free = |y: &&&Column| choice.x.is_empty() && !choice.target.contains(&y.name);
                match found.iter().find(is_free) {
                    None => Vec::new(),
                    Some(y) => {
                        return Err(format!(
                            "with `--y-bins`, the column `{}` would become an input; leave out `--y-bins`, or name the inputs with `--x`",
                            y.name
                        ));
                    }
                }
            }
            // Numeric targets need no labels.
            Err(_) if choice.y == DEFAULT_Y && !choice.target.is_empty() => Vec::new(),
            found => found.map_err(|problem| labels_missing(columns, choice, problem))?,
        };
        let p_y1 = choice.p_y1.as_deref().map(|name| find(columns, name)).transpose()?;
        if let Some(p) = p_y1.filter(|p| y.iter().any(|y| y.name == p.name)) {
            return Err(format!("`--y` and `--p-y1` both name `{}`; name different columns", p.name));
        }
        let target = find_all(columns, &choice.target)?;
        let is_label = |c: &Column| y.iter().copied().chain(p_y1).any(|label| label.name == c.name);
        let is_taken = |c: &Column| is_label(c) || target.iter().any(|target| target.name == c.name);
        let mut x = find_all(columns, &choice.x)?;
        if let Some(column) = x.iter().find(|c| is_label(c)) {
            return Err(format!(
                "`{}` is the column of labels or probabilities, so it cannot also be in x",
                column.name
            ));
        }
        if let Some(column) = x.iter().find(|c| is_taken(c)) {
            return Err(format!("`{}` is a target, so it cannot also be in x", column.name));
        }
        let mut seen = BTreeSet::new();
        if let Some(column) = x.iter().find(|c| !seen.insert(&c.name)) {
            return Err(format!("`--x` names `{}` twice; name every column once", column.name));
        }
        if choice.x.is_empty() {
            x.extend(columns.iter().filter(|c| c.left_out.is_none() && !is_taken(c)));
        }
        let chosen = Self { x, y, p_y1, target };
        let names: BTreeSet<&String> = chosen.all().map(|c| &c.name).collect();
        let mut seen = BTreeSet::new();
        match columns.iter().find(|c| names.contains(&c.name) && !seen.insert(&c.name)) {
            Some(column) => Err(format!("two columns are called `{}`; rename one of them", column.name)),
            None if chosen.x.is_empty() => Err("no column is left for x; name the columns of x with --x".to_owned()),
            None => Ok(chosen),
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &'a Column> {
        let (x, y, target) = (self.x.iter().copied(), self.y.iter().copied(), self.target.iter().copied());
        x.chain(y).chain(self.p_y1).chain(target)
    }

    /// The number of rows.
    ///
    /// # Errors
    /// There are no rows, the columns have different numbers of rows, or a column of words is used as numbers.
    pub(super) fn check(&self, samples: SamplesAre) -> Result<usize, String> {
        for column in self.all() {
            let is_of_y = self.y.iter().any(|y| std::ptr::eq(*y, column));
            let is_one_hot = is_of_y && (self.y.len() > 1 || column.width > 1);
            let words = match column.words.get(column.values.first().map_or(0, |first| *first as usize)) {
                Some(word) if !column.is_numbers() && is_one_hot => Some(format!(
                    "row 0: `{word}` is not a number; several columns of labels must be one-hot, with values 0 and 1"
                )),
                Some(word) if !column.is_numbers() && !is_of_y => Some(format!("row 0: `{word}` is not a number")),
                _ => None,
            };
            if let Some(problem) = column.problem.as_ref().or(words.as_ref()) {
                return Err(format!("column `{}`: {problem}; choose other columns with --x and --y", column.name));
            }
        }
        let (first, n) = (&self.x[0].name, self.x[0].n_rows());
        if let Some(other) = self.all().find(|c| c.n_rows() != n) {
            let (other, rows) = (&other.name, other.n_rows());
            let is_last = self.x.iter().any(|x| x.shape.last().unwrap_or(&x.width) == &rows);
            let remedy = match is_last && samples == SamplesAre::First {
                true => {
                    format!("; the last dimension of x is {rows}: if it is the number of samples, add `--transpose`")
                }
                false => "; every sample needs a value of each".to_owned(),
            };
            return Err(format!("`{first}` has {n} rows, `{other}` has {rows}{remedy}"));
        }
        if n == 0 {
            return Err("the file has no rows".to_owned());
        }
        if let Some(column) = self.p_y1.filter(|p| p.width != 1) {
            return Err(format!(
                "column `{}` has {} values per row; a column of probabilities must have one",
                column.name, column.width
            ));
        }
        for column in self.all() {
            if let Some(at) = column.values.iter().position(|value| !value.is_finite()) {
                let value = column.values[at];
                if value.is_nan() {
                    let place = place(column, at);
                    return Err(format!(
                        "{place} is missing (NaN); remove rows with missing values or fill them in before the import"
                    ));
                }
                return Err(format!("{} is {value}; only finite f32 values are allowed", place(column, at)));
            }
        }
        if let Some((target, at)) = self
            .target
            .iter()
            .find_map(|t| t.values.iter().position(|value| value.abs() > f64::from(f32::MAX)).map(|at| (t, at)))
        {
            return Err(format!("{} is {}; only finite f32 values are allowed", place(target, at), target.shown(at)));
        }
        Ok(n)
    }

    /// The description of labels that are bins of the target.
    pub(super) fn made_labels(&self, y: &[i32]) -> Option<String> {
        let target = self.target.first().filter(|_| self.y.is_empty())?;
        Some(format!("`{}` in {} of equal frequency", target.name, counted(distinct(y).len(), "bin")))
    }

    /// The label of every sample, and the names of labels 0, 1, … if they have names. Without a column of labels, the labels
    /// are `n_bins` bins of the target.
    ///
    /// # Errors
    /// Labels are neither integers nor one-hot, there are so many that they look like identifiers, or a target has several
    /// columns.
    pub(super) fn labels(&self, n_bins: Option<usize>) -> Result<(Vec<i32>, Vec<String>), String> {
        let (y, names) = match self.y.as_slice() {
            [] => {
                return match self.target.as_slice() {
                    [target] if target.width == 1 => Ok(binned(&target.values, n_bins.unwrap_or(DEFAULT_BINS))),
                    _ => Err("labels can be made only from a single target column; name a column of labels with --y"
                        .to_owned()),
                };
            }
            [y] if y.width == 1 => (whole_numbers(y)?, y.words.clone()),
            [y] => (one_hot(&self.y)?, y.words.clone()),
            several => (one_hot(several)?, several.iter().map(|y| y.name.clone()).collect()),
        };
        let (n, n_classes, name) = (y.len(), distinct(&y).len(), &self.y[0].name);
        if n_classes > MOST_CLASSES && 2 * n_classes > n {
            return Err(format!(
                "column `{name}` has {n_classes} different labels in {n} samples, so it may be a column of identifiers; name the column of labels with --y, and numeric targets with --target"
            ));
        }
        Ok((y, names))
    }
}

/// The bin of every value, and the range of each bin in words. A value is in bin ⌊n_bins · (values below it) / n⌋, so that
/// equal values share one; bins are numbered without gaps.
fn binned(values: &[f64], n_bins: usize) -> (Vec<i32>, Vec<String>) {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let bin = |value: f64| sorted.partition_point(|other| *other < value) * n_bins / sorted.len();
    let mut bins: Vec<(usize, [f64; 2])> = Vec::new();
    for value in &sorted {
        match bins.last_mut() {
            Some((last, [_, high])) if *last == bin(*value) => *high = *value,
            _ => bins.push((bin(*value), [*value; 2])),
        }
    }
    let number = |value: &f64| bins.partition_point(|(other, _)| *other < bin(*value)) as i32;
    let words = |(_, [low, high]): &(usize, [f64; 2])| format!("{low} to {high}");
    (values.iter().map(number).collect(), bins.iter().map(words).collect())
}

/// The message if no column has the name of the labels.
fn labels_missing(columns: &[Column], choice: &ImportRequest, problem: String) -> String {
    let mut problem = problem;
    if let ("y", [_, .., last]) = (choice.y.as_str(), columns) {
        problem.push_str(&format!("; name the column of labels with --y, for example `--y {}`", last.name));
    }
    if let ("y", [only]) = (choice.y.as_str(), columns) {
        let shape = if only.shape.is_empty() { "" } else { " of images" };
        if only.width > 1 {
            problem = format!(
                "{problem}; the file{shape} has no labels: give two files, `infoplane data import X-FILE Y-FILE`"
            );
        }
    }
    problem
}

/// The position of a value in words.
pub(super) fn place(column: &Column, at: usize) -> String {
    let within = if column.width > 1 { format!(", value {}", at % column.width) } else { String::new() };
    format!("row {}, column `{}`{within}", at / column.width, column.name)
}

fn whole_numbers(y: &Column) -> Result<Vec<i32>, String> {
    let label = |(row, value): (usize, &f64)| {
        let (min, max) = (i32::MIN, i32::MAX);
        let fits = value.fract() == 0.0 && (f64::from(min)..=f64::from(max)).contains(value);
        let problem =
            || format!("{} is {}; a label must be an integer from {min} to {max}", place(y, row), y.shown(row));
        if fits { Ok(*value as i32) } else { Err(problem()) }
    };
    y.values.iter().enumerate().map(label).collect()
}

/// The position of the 1 in each row; all other values of the row are 0.
fn one_hot(columns: &[&Column]) -> Result<Vec<i32>, String> {
    let mut labels = Vec::new();
    for row in 0..columns[0].n_rows() {
        let values: Vec<f64> = columns.iter().flat_map(|c| &c.values[row * c.width..][..c.width]).copied().collect();
        let is_hot = |value: &f64| *value == 1.0;
        let (hot, n_cold) = (values.iter().position(is_hot), values.iter().filter(|value| **value == 0.0).count());
        match hot {
            Some(class) if n_cold + 1 == values.len() => labels.push(class as i32),
            _ => {
                let shown: Vec<String> = values.iter().take(12).map(f64::to_string).collect();
                let more = if values.len() > shown.len() { ", …" } else { "" };
                let names: Vec<String> = columns.iter().take(6).map(|c| format!("`{}`", c.name)).collect();
                return Err(format!(
                    "row {row} of the labels {} is {}{more}; labels must be one number or word per row, or one-hot (a single 1, otherwise 0)",
                    names.join(", "),
                    shown.join(", ")
                ));
            }
        }
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_of_equal_frequency_keep_equal_values_together() {
        let (bins, names) = binned(&[5.0, 1.0, 4.0, 2.0, 3.0, 6.0], 3);
        assert_eq!(bins, [2, 0, 1, 0, 1, 2]);
        assert_eq!(names, ["1 to 2", "3 to 4", "5 to 6"]);
        // Of the two bins that the four ones would fill, one is left.
        let (bins, names) = binned(&[1.0, 1.0, 1.0, 1.0, 2.5, 7.0], 3);
        assert_eq!((bins, names.len()), (vec![0, 0, 0, 0, 1, 1], 2));
        assert_eq!(binned(&[0.5, -0.5], 10).0, [1, 0]);
    }
}
