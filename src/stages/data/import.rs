//! Imports foreign files as a table of samples, with notes about their origin.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::super::foreign_columns::{is_parquet, mark, name_of, read_columns};
use super::super::{Outcome, StageError};
use super::choice::Chosen;
use super::inputs::{Standardised, StoredInputs};
use super::rows::warnings;
use super::{CLASSES, STANDARDISED, X_SHAPE, clear, is_there, write};
use crate::columns::Column;
use crate::datasets::Dataset;
use crate::import::{Options, format_of_name, unpacked_name};
use crate::memory::Room;
use crate::sample::Labels;
use crate::store::schema::{Row, SampleRow};
use crate::store::{Footer, MADE_Y, StoreError, data_file, hash_bytes, hash_file, read_footer};

/// The files to import.
#[derive(Debug, Clone)]
pub enum ImportFiles {
    /// One file with all columns.
    Table(PathBuf),
    /// Files of inputs (all columns are X) and files of labels; several files are concatenated.
    Pair {
        /// The inputs.
        x: Vec<PathBuf>,
        /// The labels.
        y: Vec<PathBuf>,
    },
}

/// The roles of the columns of a foreign file, and how they are read.
#[derive(Debug, Clone)]
pub struct ImportRequest {
    /// The columns of X, in order; each entry is a name, or several names separated by commas. Empty: all columns without
    /// another role.
    pub x: Vec<String>,
    /// The column of labels, or one column for each class, separated by commas.
    pub y: String,
    /// The column of p(y=1 | x), for stochastic labels.
    pub p_y1: Option<String>,
    /// The columns of numeric targets, in order, named as the columns of X; empty: there are none.
    pub target: Vec<String>,
    /// Without a column of labels: number of bins of the target that become labels.
    pub y_bins: Option<usize>,
    /// How the file is read, if its format leaves this open.
    pub options: Options,
    /// Whether every column of X is shifted to mean 0 and scaled to standard deviation 1.
    pub standardise: bool,
    /// Whether inputs that differ in the file are distinguished by a hash, even if they are equal as f32.
    pub x_hash: bool,
}

impl ImportRequest {
    /// The choice in one line, by which a table is recognised.
    fn identity(&self) -> String {
        let Self { x, y, p_y1, target, .. } = self;
        let mut text = format!("Choice {{ x: {x:?}, y: {y:?}, p_y1: {p_y1:?}");
        if !target.is_empty() {
            text.push_str(&format!(", target: {target:?}"));
        }
        if self.options != Options::default() {
            text.push_str(&format!(", options: {:?}", self.options));
        }
        if let Some(n_bins) = self.y_bins {
            text.push_str(&format!(", y_bins: {n_bins}"));
        }
        for (name, is_on) in [("standardise", self.standardise), ("x_hash", self.x_hash)] {
            text.push_str(&if is_on { format!(", {name}: true") } else { String::new() });
        }
        text.push_str(" }");
        text
    }
}

/// Imports a foreign file and writes it to `out`.
///
/// # Errors
/// The file cannot be read, the columns do not match, or a value is not allowed.
pub fn import(source: &ImportFiles, request: &ImportRequest, out: &Path) -> Result<Outcome, StageError> {
    clear(out);
    let mut room = Room::of_file();
    let refused = |problem: String| StageError::Refused(format!("{source}: {problem}"));
    let mut said = Vec::new();
    let (columns, request, hash, mut footer) = match source {
        ImportFiles::Table(file) => {
            let mut columns = read_columns(file, &request.options, &mut room)?;
            mark(&mut columns);
            let (request, kept) = match samples_table(file)? {
                Some(footer) => (of_samples_table(request, &columns), footer),
                None => (request.clone(), Footer::new()),
            };
            (columns, request, hash_file(file)?, kept)
        }
        ImportFiles::Pair { x, y } => {
            let mut read = |name: &str, files: &[PathBuf]| {
                let (mut parts, mut names) = (Vec::new(), None);
                for file in files {
                    let columns =
                        numbering_left_out(name, read_columns(file, &request.options, &mut room)?, file, &mut said);
                    expect_names(&columns, names.get_or_insert_with(|| names_of(&columns)), file)?;
                    parts.push(joined(name, columns, file)?);
                }
                one_after_the_other(parts).map_err(refused)
            };
            let columns = vec![read("x", x)?, read("y", y)?];
            let hashes = x.iter().chain(y).map(|file| hash_file(file)).collect::<Result<Vec<_>, _>>()?;
            let request = ImportRequest { x: vec!["x".to_owned()], y: "y".to_owned(), ..request.clone() };
            (columns, request, hashes.join(" "), Footer::new())
        }
    };
    let chosen = Chosen::new(&columns, &request).map_err(refused)?;
    let n = chosen.check(request.options.samples).map_err(refused)?;
    let (y, classes) = chosen.labels(request.y_bins).map_err(refused)?;
    let p_y1 = chosen.p_y1.map(|p| p.values.clone());
    let given: Vec<Option<f64>> = p_y1.iter().flatten().copied().map(Some).collect();
    Labels::new(&y, &given).map_err(|e| refused(e.to_string()))?;
    let StoredInputs { x, hashes, standardised } = StoredInputs::new(&chosen.x, n, &request).map_err(refused)?;
    let target = (!chosen.target.is_empty()).then(|| super::inputs::side_by_side(&chosen.target, n));
    footer.extend(notes(&chosen, &classes, standardised));
    footer.extend(chosen.made_labels(&y).map(|words| (MADE_Y.to_owned(), words)));
    let identity = hash_bytes(format!("{hash} {}", request.identity()).as_bytes());
    footer.insert("infoplane.config_hash".to_owned(), identity);
    if is_there(out, &footer)? {
        return Ok(Outcome::UpToDate);
    }
    let outcome = write(out, &Dataset { x, y, p_y1, target }, &hashes, &footer)?;
    if let ImportFiles::Table(_) = source {
        let words = left_out(&columns, |column| chosen.all().any(|other| std::ptr::eq(other, column)));
        said.extend(words.map(|words| format!("left out of x: {words} (choose columns with --x)")));
        if request.x.is_empty() {
            said.extend(warnings(chosen.x.iter().copied(), "name the inputs with --x"));
        }
    }
    Ok(match outcome {
        Outcome::Done(text) => Outcome::Done([vec![text], said].concat().join("; ")),
        outcome => outcome,
    })
}

/// The footer entries of the table about labels and inputs.
fn notes(chosen: &Chosen<'_>, classes: &[String], standardised: Option<Standardised>) -> Footer {
    let json = |value: serde_json::Result<String>| value.expect("text and finite numbers are JSON");
    let mut notes = Footer::new();
    if !classes.is_empty() {
        notes.insert(CLASSES.to_owned(), json(serde_json::to_string(classes)));
    }
    if let [x] = chosen.x.as_slice()
        && !x.shape.is_empty()
    {
        notes.insert(X_SHAPE.to_owned(), json(serde_json::to_string(&x.shape)));
    }
    if let Some(standardised) = standardised {
        notes.insert(STANDARDISED.to_owned(), json(serde_json::to_string(&standardised)));
    }
    notes
}

/// Columns that are not useful as X and were left out.
fn left_out(columns: &[Column], is_chosen: impl Fn(&Column) -> bool) -> Option<String> {
    let words: Vec<&str> =
        columns.iter().filter(|column| !is_chosen(column)).filter_map(|column| column.left_out.as_deref()).collect();
    (!words.is_empty()).then(|| words.join("; "))
}

/// The footer of a table of samples written by this program, without the entries that a new table sets itself; `None` for other
/// files.
fn samples_table(file: &Path) -> Result<Option<Footer>, StageError> {
    if !is_parquet(file) {
        return Ok(None);
    }
    match read_footer(file, SampleRow::TABLE) {
        Ok(footer) => {
            Ok(Some(footer.into_iter().filter(|(key, _)| [CLASSES, X_SHAPE, MADE_Y].contains(&key.as_str())).collect()))
        }
        Err(e @ StoreError::Newer { .. }) => Err(e.into()),
        // A file of another program may have unknown types.
        Err(_) => Ok(None),
    }
}

/// The `request` for a table of samples: columns have the roles of their names, unless the request says otherwise.
fn of_samples_table(request: &ImportRequest, columns: &[Column]) -> ImportRequest {
    let x = if request.x.is_empty() { vec!["x".to_owned()] } else { request.x.clone() };
    // Nulls are read as NaN; hard labels have only nulls.
    let is_given = |c: &&Column| c.name == "p_y1" && c.values.iter().any(|p| !p.is_nan());
    let p_y1 = columns.iter().find(is_given).map(|c| c.name.clone());
    // Lists of nulls could not be read.
    let has_target = columns.iter().any(|c| c.name == "target" && c.problem.is_none());
    let target = match request.target.as_slice() {
        [] if has_target => vec!["target".to_owned()],
        chosen => chosen.to_vec(),
    };
    ImportRequest { x, p_y1: request.p_y1.clone().or(p_y1), target, ..request.clone() }
}

/// The columns of a file without row numbers. Left out columns, and columns that may not be inputs, are added to `said`.
fn numbering_left_out(name: &str, mut columns: Vec<Column>, file: &Path, said: &mut Vec<String>) -> Vec<Column> {
    mark(&mut columns);
    let shown = file.display();
    said.extend(left_out(&columns, |_| false).map(|words| format!("left out of {shown}: {words}")));
    columns.retain(|column| column.left_out.is_none());
    if name == "x" {
        let remedy = "remove it from the file";
        said.extend(warnings(columns.iter(), remedy).into_iter().map(|warning| format!("{shown}: {warning}")));
    }
    columns
}

fn names_of(columns: &[Column]) -> Vec<String> {
    columns.iter().map(|column| column.name.clone()).collect()
}

/// Columns of several files are matched by position, so their names must be equal.
fn expect_names(columns: &[Column], first: &[String], file: &Path) -> Result<(), StageError> {
    let names = names_of(columns);
    // A single column matches any other single column.
    if names == first || (names.len() == 1 && first.len() == 1) {
        return Ok(());
    }
    let (shown, names, first) = (file.display(), names.join("`, `"), first.join("`, `"));
    Err(StageError::Refused(format!(
        "{shown}: its columns are `{names}`, the columns of the first file are `{first}`; all files need equal columns"
    )))
}

/// All columns of a file as one.
fn joined(name: &str, mut columns: Vec<Column>, file: &Path) -> Result<Column, StageError> {
    let refused = |problem: String| StageError::Refused(format!("{}: {problem}", file.display()));
    if columns.len() == 1 {
        return Ok(Column { name: name.to_owned(), ..columns.remove(0) });
    }
    let Some(n) = columns.first().map(Column::n_rows) else { return Err(refused("it has no columns".to_owned())) };
    for column in &columns {
        if let Some(problem) = &column.problem {
            return Err(refused(format!("column `{}`: {problem}", column.name)));
        }
        if column.n_rows() != n || !column.is_numbers() || !column.rests.is_empty() {
            let problem = format!("its columns do not form a matrix of numbers: `{}` does not fit", column.name);
            return Err(refused(problem));
        }
    }
    let rows = (0..n).flat_map(|row| columns.iter().flat_map(move |c| &c.values[row * c.width..][..c.width]));
    Ok(Column::new(name, columns.iter().map(|c| c.width).sum(), rows.copied().collect()))
}

/// Parts of a column, one after the other.
fn one_after_the_other(parts: Vec<Column>) -> Result<Column, String> {
    let mut parts = parts.into_iter();
    let mut whole = parts.next().ok_or("no file is named")?;
    for mut part in parts {
        if part.words != whole.words && !part.words.is_empty() && !whole.words.is_empty() {
            let words: BTreeSet<String> = whole.words.iter().chain(&part.words).cloned().collect();
            let words: Vec<String> = words.into_iter().collect();
            renumber(&mut whole, &words);
            renumber(&mut part, &words);
        }
        if (part.width, &part.shape, &part.words) != (whole.width, &whole.shape, &whole.words) {
            let name = &whole.name;
            return Err(format!(
                "the files of {name} do not match: {} and {} values per sample, or numbers and words",
                whole.width, part.width
            ));
        }
        if !part.rests.is_empty() || !whole.rests.is_empty() {
            whole.rests.resize(whole.values.len(), 0.0);
            whole.rests.extend(part.rests);
        }
        whole.values.extend(part.values);
        whole.problem = whole.problem.or(part.problem);
    }
    Ok(whole)
}

/// Replaces each word of a column by its position in `words`, which is sorted and contains all words.
fn renumber(column: &mut Column, words: &[String]) {
    for value in &mut column.values {
        *value = words.partition_point(|word| *word < column.words[*value as usize]) as f64;
    }
    column.words = words.to_vec();
}

impl std::fmt::Display for ImportFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Table(file) => write!(f, "{}", file.display()),
            Self::Pair { x, y } => {
                let names: Vec<String> = x.iter().chain(y).map(|file| file.display().to_string()).collect();
                f.write_str(&names.join(", "))
            }
        }
    }
}

/// The default path of an imported table: `data/<name>.parquet`, with the file's name without its ending, and without
/// `-images-idx3-ubyte`.
///
/// # Errors
/// The name is empty without its ending.
pub fn default_out(source: &ImportFiles) -> Result<PathBuf, StageError> {
    let file = match source {
        ImportFiles::Table(file) => file.as_path(),
        ImportFiles::Pair { x, .. } => x.first().map_or(Path::new(""), PathBuf::as_path),
    };
    let name = name_of(file);
    let unpacked = unpacked_name(&name);
    let stem = match is_parquet(file) || format_of_name(&name).is_some() {
        true => unpacked.rsplit_once('.').map_or(unpacked, |(stem, _)| stem),
        false => ["-images-idx3-ubyte", "-images.idx3-ubyte"]
            .iter()
            .find_map(|end| unpacked.strip_suffix(end))
            .unwrap_or(unpacked),
    };
    if !stem.is_empty() {
        return Ok(data_file(stem));
    }
    let problem = "has no name before its ending; name the table with `--out FILE`";
    Err(StageError::Refused(format!("{}: {problem}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::Words;

    #[test]
    fn files_of_different_words_share_one_list_of_them() {
        let parts = vec![Words::from_iter(["b", "a"]).column("y"), Words::from_iter(["c", "b"]).column("y")];
        let whole = one_after_the_other(parts).unwrap();
        assert_eq!((whole.words.join(" "), whole.values), ("a b c".to_owned(), vec![1.0, 0.0, 2.0, 1.0]));
    }
}
