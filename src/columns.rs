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
}

impl Column {
    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.values.len() / self.width.max(1)
    }
}
