//! Named columns of numbers: what every imported file becomes before X and Y are chosen from it.

use std::collections::BTreeMap;

/// A column of an imported file; a matrix is a column of several values a row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Column {
    /// Its name in the file.
    pub name: String,
    /// Values per row.
    pub width: usize,
    /// The dimensions of a row that is an array by itself, such as height and width of an image; empty for all others.
    pub shape: Vec<usize>,
    /// All values, row after row.
    pub values: Vec<f64>,
    /// What `values` lack, value by value: a whole number beyond 2⁵³ is the sum of both. Empty where they lack nothing.
    pub rests: Vec<f64>,
    /// The words of a column of words, sorted; its `values` are their places in this list. Empty for numbers.
    pub words: Vec<String>,
    /// Why the column cannot be used as numbers, where it cannot. It matters only when the column is chosen.
    pub problem: Option<String>,
    /// What it is, where nobody would mean it by X, such as an index of pandas. Whoever names it gets it.
    pub left_out: Option<String>,
}

/// The words of a column, row by row.
#[derive(Debug, Default)]
pub struct Words {
    /// Every word with the place of its first row among the words.
    found: BTreeMap<String, usize>,
    rows: Vec<usize>,
    missing: Option<MissingValue>,
}

/// A value that stands for none, and its row.
#[derive(Debug)]
pub struct MissingValue {
    row: usize,
    text: String,
}

/// What pandas reads as a missing value, and what tables of the UCI repository have in its place.
const MISSING: [&str; 20] = [
    "", "?", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A",
    "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
];

impl MissingValue {
    /// Of a text that stands for a missing value; `None` of any other.
    pub fn new(row: usize, text: &str) -> Option<Self> {
        MISSING.contains(&text).then(|| Self { row, text: text.to_owned() })
    }
}

impl std::fmt::Display for MissingValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let row = self.row;
        match self.text.as_str() {
            "" => write!(f, "row {row} is empty")?,
            text => write!(f, "row {row} is `{text}`, which stands for a missing value")?,
        }
        write!(f, "; every sample needs a value: remove such rows or fill them in, before the import")
    }
}

impl Words {
    /// The word of the next row.
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

    /// The column of all words, which cannot be used if some are missing. Those that mean true and false are 1 and 0.
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

    /// A column that cannot be used, and why.
    pub fn unusable(name: impl Into<String>, problem: String) -> Self {
        Self { problem: Some(problem), ..Self::new(name, 1, Vec::new()) }
    }

    /// Appends a whole number, none of whose digits is lost.
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

    /// Whether it holds numbers, or words that mean true and false, which are 1 and 0.
    pub fn is_numbers(&self) -> bool {
        self.words.is_empty() || TRUTHS.iter().any(|truths| truths.as_slice() == self.words)
    }

    /// The value at a place of `values` as the file has it.
    pub fn shown(&self, place: usize) -> String {
        /// Numbers between them are shown with all of their digits.
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

/// What programs write for false and true.
const TRUTHS: [[&str; 2]; 3] = [["False", "True"], ["false", "true"], ["FALSE", "TRUE"]];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_numbered_in_sorted_order_and_truths_are_0_and_1() {
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
