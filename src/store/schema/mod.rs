//! All tables, each defined once: the row type is the schema, and the doc comment of a field is the column
//! description.
//!
//! A changed table needs a new [`VERSION`]. `docs/schema.md` is generated from this file, and a test compares the two.
//! A column that a later version adds must allow null, because it is read as null from files of earlier versions.

mod audit;
mod bound;
mod estimates;
mod recording;
mod relations;
mod summary;
mod sweep;
mod weights;

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};

use super::cell::Cell;
pub use audit::{AuditRow, AuditSummaryRow};
pub use bound::{BoundLayerRow, BoundRow, MinimalModelRow};
pub use estimates::{CheckRow, ClaimRow, EstimateRow, UnitEstimateRow};
pub use recording::{
    ActivationRow, EpochRow, GradientRow, LayerRow, OnlineLossRow, PreActivationRow, RunRow, SampleRow, SplitRow,
    WeightRow, accuracy_problem,
};
pub use relations::RelationRow;
pub use summary::{CompressionRow, PhaseRow, SummaryRow, TrainingSummaryRow};
pub use sweep::{EffectRow, ExperimentRow, LevelRow, SettingRow, StabilityRow};
pub use weights::{WeightMeasureRow, WeightSummaryRow};

/// Version of the tables that this program writes.
pub const VERSION: u32 = 8;
/// Oldest version that this program reads.
pub const OLDEST_READABLE: u32 = 1;

/// One column, for documentation.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Name of the column.
    pub name: &'static str,
    /// Description of the column, with shape and unit.
    pub doc: &'static str,
    /// Arrow type of the column, and whether it may be null.
    pub kind: &'static str,
}

/// One table, for documentation.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Name of the table.
    pub name: &'static str,
    /// What one row of the table describes.
    pub doc: &'static str,
    /// The columns of the table, in order.
    pub columns: fn() -> Vec<Column>,
}

/// All tables.
pub const TABLES: &[&[Table]] = &[
    recording::TABLES,
    estimates::TABLES,
    bound::TABLES,
    weights::TABLES,
    summary::TABLES,
    relations::TABLES,
    sweep::TABLES,
    audit::TABLES,
];

/// A row of a table.
pub trait Row: Sized {
    /// Description of the table.
    const DESCRIPTION: Table;
    /// Name of the table.
    const TABLE: &'static str = Self::DESCRIPTION.name;

    /// The Arrow schema of `rows`; list columns have the width of the first row.
    fn schema(rows: &[Self]) -> Arc<Schema>;
    /// The columns of `rows`.
    fn to_arrays(rows: &[Self]) -> Vec<ArrayRef>;
    /// The values that `column` may have; empty unless it is a column with a fixed set of strings.
    fn words(column: &str) -> &'static [&'static str];
    /// The first column with a NaN or infinite value.
    fn not_finite(&self) -> Option<&'static str>;
    /// The rows of a batch.
    ///
    /// # Errors
    /// Returns the name of a column that is missing, has another type, or has an unexpected null.
    fn from_batch(batch: &RecordBatch) -> Result<Vec<Self>, &'static str>;
}

macro_rules! tables {
    ($(
        #[doc = $table_doc:literal]
        $table:literal = $row:ident {
            $( #[doc = $doc:literal] $( #[serde($serde:ident)] )? $field:ident : $type:ty, )+
        }
    )+) => {
        /// The tables of this group.
        pub(super) const TABLES: &[super::Table] = &[ $( <$row as super::Row>::DESCRIPTION, )+ ];

        $(
            #[doc = $table_doc]
            #[derive(Debug, Clone, PartialEq, serde::Serialize)]
            pub struct $row {
                $( #[doc = $doc] $( #[serde($serde)] )? pub $field: $type, )+
            }

            impl super::Row for $row {
                const DESCRIPTION: super::Table = super::Table {
                    name: $table,
                    doc: $table_doc.trim_ascii(),
                    columns: || {
                        let mut columns = Vec::new();
                        $(
                            let doc = $doc.trim_ascii();
                            columns.push(super::Column { name: stringify!($field), doc, kind: <$type as super::Cell>::KIND });
                            columns.extend_from_slice(<$type as super::Cell>::DERIVED);
                        )+
                        columns
                    },
                };

                fn schema(rows: &[Self]) -> std::sync::Arc<arrow::datatypes::Schema> {
                    let first = rows.first();
                    let mut fields = Vec::new();
                    $(
                        let width = first.map_or(0, |row| super::Cell::width(&row.$field));
                        let data_type = <$type as super::Cell>::data_type(width);
                        let is_nullable = <$type as super::Cell>::NULLABLE;
                        fields.push(super::field(stringify!($field), $doc, data_type, is_nullable));
                        fields.extend(<$type as super::Cell>::DERIVED.iter().map(super::derived_field));
                    )+
                    std::sync::Arc::new(arrow::datatypes::Schema::new(fields))
                }

                fn to_arrays(rows: &[Self]) -> Vec<arrow::array::ArrayRef> {
                    let first = rows.first();
                    let mut arrays = Vec::new();
                    $(
                        let width = first.map_or(0, |row| super::Cell::width(&row.$field));
                        let cells = rows.iter().map(|row| &row.$field);
                        arrays.push(super::Cell::to_array(cells.clone(), width));
                        arrays.extend(super::Cell::derived_arrays(cells));
                    )+
                    arrays
                }

                fn words(column: &str) -> &'static [&'static str] {
                    match column {
                        $( stringify!($field) => <$type as super::Cell>::WORDS, )+
                        _ => &[],
                    }
                }

                fn not_finite(&self) -> Option<&'static str> {
                    [ $( (stringify!($field), super::Cell::is_finite(&self.$field)) ),+ ]
                        .into_iter()
                        .find_map(|(name, is_finite)| (!is_finite).then_some(name))
                }

                fn from_batch(batch: &arrow::array::RecordBatch) -> Result<Vec<Self>, &'static str> {
                    let n = batch.num_rows();
                    $(
                        let array = batch.column_by_name(stringify!($field));
                        let mut $field = <$type as super::Cell>::read(array, n).ok_or(stringify!($field))?.into_iter();
                    )+
                    let row = |_| Some(Self { $( $field: $field.next()?, )+ });
                    Ok((0..n).map_while(row).collect())
                }
            }
        )+
    };
}
use tables;

fn field(name: &str, doc: &str, data_type: DataType, nullable: bool) -> Field {
    let mut metadata = std::collections::BTreeMap::from([("doc".to_owned(), doc.trim().to_owned())]);
    for unit in ["bits", "nats"] {
        if name.ends_with(&format!("_{unit}")) || name.contains(&format!("_{unit}_")) {
            metadata.insert("unit".to_owned(), unit.to_owned());
        }
    }
    Field::new(name, data_type, nullable).with_metadata(metadata)
}

fn derived_field(column: &Column) -> Field {
    let data_type = if column.kind == <Option<f64>>::KIND { DataType::Float64 } else { DataType::Utf8 };
    field(column.name, column.doc, data_type, true)
}

/// The text of `docs/schema.md`, generated from the tables.
pub fn markdown() -> String {
    let mut page = format!(
        "# Tables, schema version {VERSION}\n\nGenerated from `src/store/schema/`; a test compares the two. Every Parquet footer contains `infoplane.table`,\n`infoplane.schema_version`, `infoplane.crate_version` and `infoplane.config_hash`; every column contains its description.\n"
    );
    for Table { name, doc, columns } in TABLES.iter().copied().flatten() {
        page.push_str(&format!("\n## {name}\n\nRow: {doc}\n\n| column | type | description |\n|---|---|---|\n"));
        for column in columns() {
            page.push_str(&format!("| `{}` | {} | {} |\n", column.name, column.kind, in_cell(column.doc)));
        }
    }
    page
}

/// A text for a cell of a Markdown table, in which `|` must be escaped.
fn in_cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// The part of `docs/recording-format.md` that lists the columns of a recording, generated from the tables.
pub fn recording_markdown() -> String {
    let mut part = format!(
        "Schema version {VERSION}, as in `infoplane.schema_version` of the [footer](#footer). Versions {OLDEST_READABLE} to {VERSION} can be read.\n\n| table | column | type | description |\n|---|---|---|---|\n"
    );
    for table in recording::TABLES {
        for (at, Column { name, doc, kind }) in (table.columns)().into_iter().enumerate() {
            let table = if at == 0 { table.name } else { "" };
            part.push_str(&format!("| {table} | `{name}` | {kind} | {} |\n", in_cell(doc)));
        }
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hash of the tables of every version.
    const HISTORY: &[(u32, &str)] = &[
        (1, "aac67a4d8ce58275"),
        (2, "0c441c3e790b50f0"),
        (3, "03f12a1af455fda5"),
        (4, "09908fd7b495ffbe"),
        (5, "f1c8e5ae874124cb"),
        (6, "4d09c34a28104ec5"),
        (7, "504d587d0b66012a"),
        (8, "fb1fed876da6c829"),
    ];

    /// If the tables change, raise [`VERSION`], add a line above, and commit files of the new version for
    /// `tests/it/compat.rs`.
    #[test]
    fn tables_change_only_with_their_version() {
        let mut described = String::new();
        for table in TABLES.iter().copied().flatten() {
            for column in (table.columns)() {
                described.push_str(&format!("{}.{}:{}\n", table.name, column.name, column.kind));
            }
        }
        let hash = blake3::hash(described.as_bytes()).to_hex()[..16].to_owned();
        assert_eq!(Some(&(VERSION, hash.as_str())), HISTORY.last(), "{described}");
    }
}
