//! Warnings about columns that may number the rows.

use crate::columns::Column;

/// With fewer rows, a column may number the rows by chance.
const LEAST_ROWS: usize = 3;

/// Warnings about columns of X that were not named by the user and may not be inputs.
pub(super) fn warnings<'a>(x: impl Iterator<Item = &'a Column>, remedy: &str) -> Vec<String> {
    let warning = |column: &Column| match column.name.as_str() {
        "" => Some(format!(
            "the first column has no name and does not number the rows, so it is used as an input; if it is not an input, {remedy}"
        )),
        name if numbers_rows(column) => {
            Some(format!("column `{name}` numbers the rows; if it is not an input, {remedy}"))
        }
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
    use super::super::super::foreign_columns::mark;
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
        assert_eq!(said[1], "column `Id` numbers the rows; if it is not an input, say so");
    }
}
