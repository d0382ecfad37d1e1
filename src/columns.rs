//! Named columns of numbers: the common form of imported files, from which X and Y are selected.

use std::collections::BTreeMap;

/// A column of an imported file; a matrix is a column with several values per row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Column {
    /// Name of the column in the file.
    pub name: String,
    /// Values per row.
    pub width: usize,
    /// Shape of the value of one row, such as height and width of an image; empty for scalars and flat lists.
    pub shape: Vec<usize>,
    /// All values, row after row.
    pub values: Vec<f64>,
    /// Remainders of `values`: a whole number beyond 2⁵³ is the sum of both. Empty if all `values` are exact.
    pub rests: Vec<f64>,
    /// The sorted strings of a column of strings; its `values` are indices into this list. Empty for numbers.
    pub words: Vec<String>,
    /// Why the column cannot be used as numbers, otherwise `None`. It is reported only if the column is selected.
    pub problem: Option<String>,
    /// What the column is if it is not selected by default, for example an index of pandas. It can be selected by
    /// name.
    pub left_out: Option<String>,
}

/// The strings of a column, row by row.
#[derive(Debug, Default)]
pub struct Words {
    /// Every distinct string and the index of its first row.
    found: BTreeMap<String, usize>,
    rows: Vec<usize>,
    missing: Option<MissingValue>,
}

/// A missing value and its row.
#[derive(Debug)]
pub struct MissingValue {
    row: usize,
    text: String,
}

/// The strings that pandas reads as missing values, and those that the UCI repository uses.
const MISSING: [&str; 20] = [
    "", "?", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A",
    "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
];

impl MissingValue {
    /// The missing value that a text represents; `None` for any other text.
    pub fn new(row: usize, text: &str) -> Option<Self> {
        MISSING.contains(&text).then(|| Self { row, text: text.to_owned() })
    }
}

impl std::fmt::Display for MissingValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let row = self.row;
        match self.text.as_str() {
            "" => write!(f, "row {row} has no value")?,
            text => write!(f, "row {row} is `{text}`, which means a missing value")?,
        }
        write!(f, "; every sample needs a value: remove or complete such rows before the import")
    }
}

impl Words {
    /// Appends the string of the next row.
    pub fn push(&mut self, word: &str) {
        if self.missing.is_none() {
            self.missing = MissingValue::new(self.rows.len(), word);
        }
        let n = self.found.len();
        let place = match self.found.get(word) {
            Some(place) => *place,
            None => *self.found.entry(word.to_owned()).or_insert(n),
        };
        self.rows.push(place);
    }

    /// The column of all strings; it cannot be used if values are missing. Strings for true and false become 1 and 0.
    pub fn column(self, name: impl Into<String>) -> Column {
        let is_truth = |truths: &&[&str; 2]| self.found.keys().all(|word| truths.contains(&word.as_str()));
        let words: Vec<String> = match TRUTHS.iter().find(is_truth) {
            Some(truths) if !self.found.is_empty() => truths.map(str::to_owned).to_vec(),
            _ => self.found.keys().cloned().collect(),
        };
        let mut values = vec![0.0; self.found.len()];
        for (word, place) in &self.found {
            values[*place] = words.partition_point(|other| other < word) as f64;
        }
        let rows = self.rows.iter().map(|place| values[*place]).collect();
        let problem = self.missing.map(|missing| missing.to_string());
        Column { words, problem, ..Column::new(name, 1, rows) }
    }
}

impl<T: AsRef<str>> FromIterator<T> for Words {
    fn from_iter<I: IntoIterator<Item = T>>(rows: I) -> Self {
        let mut words = Self::default();
        rows.into_iter().for_each(|word| words.push(word.as_ref()));
        words
    }
}

impl Column {
    /// A column of numbers.
    pub fn new(name: impl Into<String>, width: usize, values: Vec<f64>) -> Self {
        Self { name: name.into(), width, values, ..Self::default() }
    }

    /// A column that cannot be used, with the reason.
    pub fn unusable(name: impl Into<String>, problem: String) -> Self {
        Self { problem: Some(problem), ..Self::new(name, 1, Vec::new()) }
    }

    /// Appends a whole number without loss of digits.
    pub fn push_whole(&mut self, number: i128) {
        let value = number as f64;
        let rest = (number - value as i128) as f64;
        self.values.push(value);
        if rest != 0.0 {
            self.rests.resize(self.values.len() - 1, 0.0);
            self.rests.push(rest);
        } else if !self.rests.is_empty() {
            self.rests.push(0.0);
        }
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.values.len() / self.width.max(1)
    }

    /// Whether the column has numbers, or strings for true and false, which become 1 and 0.
    pub fn is_numbers(&self) -> bool {
        self.words.is_empty() || TRUTHS.iter().any(|truths| truths.as_slice() == self.words)
    }

    /// The value at an index of `values`, as in the file.
    pub fn shown(&self, place: usize) -> String {
        /// Numbers beyond ±2⁵³ are shown with all their digits.
        const MANY_DIGITS: f64 = 1e25;
        const FEW_DIGITS: f64 = 1e-5;
        let (value, rest) = (self.values[place], self.rests.get(place).copied().unwrap_or(0.0));
        match value.abs() {
            size if value.fract() == 0.0 && size < MANY_DIGITS => (value as i128 + rest as i128).to_string(),
            size if (FEW_DIGITS..MANY_DIGITS).contains(&size) => value.to_string(),
            _ => format!("{value:e}"),
        }
    }
}

/// How programs write false and true.
const TRUTHS: [[&str; 2]; 3] = [["False", "True"], ["false", "true"], ["FALSE", "TRUE"]];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_numbered_in_sorted_order_and_booleans_are_0_and_1() {
        let flowers = Words::from_iter(["virginica", "setosa", "virginica"]).column("y");
        assert_eq!((flowers.values.as_slice(), flowers.is_numbers()), ([1.0, 0.0, 1.0].as_slice(), false));
        assert_eq!(flowers.words, ["setosa", "virginica"]);
        let truths = Words::from_iter(["True", "True"]).column("y");
        assert_eq!((truths.values.as_slice(), truths.is_numbers()), ([1.0, 1.0].as_slice(), true));
        assert_eq!(truths.words, ["False", "True"]);
    }

    #[test]
    fn whole_numbers_keep_all_of_their_digits() {
        let mut column = Column::new("id", 1, Vec::new());
        let numbers = [7, (1 << 53) + 1, i128::from(u64::MAX), i128::from(i64::MIN), 3];
        numbers.iter().for_each(|number| column.push_whole(*number));
        let shown: Vec<String> = (0..5).map(|place| column.shown(place)).collect();
        assert_eq!(shown, numbers.map(|number| number.to_string()));
        assert_eq!((column.rests.len(), column.rests[1]), (5, 1.0));
    }
}
