//! Comma-separated text with a header line, plain or compressed with zstd.

use super::ImportError;
use crate::columns::Column;

/// One column of numbers for every column of the text.
pub(super) fn read(content: &[u8]) -> Result<Vec<Column>, ImportError> {
    let failed = |e: csv::Error| ImportError::Format { format: "CSV", problem: e.to_string() };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(content);
    let names: Vec<String> = reader.headers().map_err(failed)?.iter().map(str::to_owned).collect();
    let mut columns: Vec<Column> = names.into_iter().map(|name| Column::new(name, 1, Vec::new())).collect();
    for (row, record) in reader.records().enumerate() {
        for (column, text) in columns.iter_mut().zip(&record.map_err(failed)?) {
            let value = text.parse().unwrap_or_else(|_| {
                column.problem.get_or_insert_with(|| format!("row {row}: `{text}` is not a number"));
                f64::NAN
            });
            column.values.push(value);
        }
    }
    Ok(columns)
}

/// The same of zstd-compressed text.
pub(super) fn read_compressed(content: &[u8]) -> Result<Vec<Column>, ImportError> {
    let text = zstd::decode_all(content).map_err(|e| ImportError::Format { format: "zstd", problem: e.to_string() })?;
    read(&text)
}
