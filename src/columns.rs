//! Named columns of numbers: what every imported file becomes before X and Y are chosen from it.

/// A column of an imported file; a matrix is a column of several values a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name in the file.
    pub name: String,
    /// Values per row.
    pub width: usize,
    /// All values, row after row.
    pub values: Vec<f64>,
    /// Why the column cannot be used as numbers, where it cannot. It matters only when the column is chosen.
    pub problem: Option<String>,
}

impl Column {
    /// A column of numbers.
    pub fn new(name: impl Into<String>, width: usize, values: Vec<f64>) -> Self {
        Self { name: name.into(), width, values, problem: None }
    }

    /// A column that cannot be used, and why.
    pub fn unusable(name: impl Into<String>, problem: String) -> Self {
        Self { name: name.into(), width: 1, values: Vec::new(), problem: Some(problem) }
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.values.len() / self.width.max(1)
    }
}
