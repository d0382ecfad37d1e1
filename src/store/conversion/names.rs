//! Short names of Arrow types, as in docs/recording-format.md.

use arrow::datatypes::DataType;

use super::lists::{innermost, item};

/// The name of a type, without the names and properties of its fields.
pub(super) fn short(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 => "string".to_owned(),
        DataType::LargeUtf8 => "large_string".to_owned(),
        DataType::Utf8View => "string_view".to_owned(),
        DataType::Boolean => "bool".to_owned(),
        DataType::Dictionary(..) => "dictionary".to_owned(),
        _ => match (item(data_type), data_type) {
            (None, _) => {
                let text = data_type.to_string();
                text.split(['(', '<']).next().unwrap_or_default().to_lowercase()
            }
            (Some(inner), _) if item(inner).is_some() => format!("nested list of {}", short(innermost(inner))),
            (Some(inner), DataType::FixedSizeList(_, width)) => format!("list[{width}] of {}", short(inner)),
            (Some(inner), _) => format!("list of {}", short(inner)),
        },
    }
}
