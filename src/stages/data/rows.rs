//! Columns that only number the rows: which of them are left out of X, and of which a sentence warns.

use crate::columns::Column;

/// Fewer rows than these may be numbered by accident.
const LEAST_ROWS: usize = 3;

/// Notes in every column that nobody would mean by X why it is left out: pandas writes its index into a first column without a
/// name, `Unnamed: 0` after it was read again, and `__index_level_0__` in Parquet. A column without name and values follows from
/// a separator at the end of lines. A single column is never left out.
pub(super) fn mark(columns: &mut [Column]) {
    if columns.len() < 2 {
        return;
    }
    for (place, column) in columns.iter_mut().enumerate() {
        let is_unusable = column.problem.is_some() || !column.is_numbers();
        let is_whole = column.values.iter().all(|value| value.fract() == 0.0);
        let why = match column.name.as_str() {
            "" if place == 0 && (is_unusable || is_whole) => "the first column, which has no name".to_owned(),
            "" if column.values.iter().all(|value| value.is_nan()) => "an empty column without a name".to_owned(),
            name if name.starts_with("__index_level_") => format!("`{name}`, which numbers the rows"),
            // Of tables one below the other some numbers recur.
            name if name.starts_with("Unnamed: 0") && is_whole => format!("`{name}`, which numbers the rows"),
            _ => continue,
        };
        column.left_out.get_or_insert(why);
    }
}

/// What is said of the columns of X that nobody named and that may be no inputs.
pub(super) fn warnings<'a>(x: impl Iterator<Item = &'a Column>, remedy: &str) -> Vec<String> {
    let warning = |column: &Column| match column.name.as_str() {
        "" => Some(format!(
            "the first column has no name and does not number the rows, so it is an input; if it is none, {remedy}"
        )),
        name if numbers_rows(column) => Some(format!("column `{name}` numbers the rows; if it is no input, {remedy}")),
        _ => None,
    };
    x.filter_map(warning).collect()
}

fn numbers_rows(column: &Column) -> bool {
    let counts_from = |start: f64| column.values.iter().zip(0..).all(|(value, row)| *value == start + f64::from(row));
    column.width == 1 && column.n_rows() >= LEAST_ROWS && [0.0, 1.0].into_iter().any(counts_from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_without_name_are_left_out_and_others_are_warned_of() {
        let real = Column::new("", 1, vec![0.5, 0.5, 1.5]);
        let id = Column::new("Id", 1, vec![1.0, 2.0, 3.0]);
        let again = Column::new("Unnamed: 0", 1, vec![0.0, 1.0, 0.0]);
        let mut columns = vec![real, id, again, Column::new("a", 1, vec![0.0, 2.0, 1.0])];
        mark(&mut columns);
        let left_out: Vec<bool> = columns.iter().map(|column| column.left_out.is_some()).collect();
        assert_eq!(left_out, [false, false, true, false]);
        let said = warnings(columns.iter().filter(|column| column.left_out.is_none()), "say so");
        assert_eq!(said.len(), 2);
        assert_eq!(said[1], "column `Id` numbers the rows; if it is no input, say so");
    }
}
