//! Columns that hold one of a few words: verdicts and states, each a type that is written as its word.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::DataType;

use super::cell::Cell;

macro_rules! words {
    ($( #[doc = $doc:literal] $name:ident { $( #[doc = $word_doc:literal] $variant:ident = $word:literal, )+ } )+) => { $(
        #[doc = $doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $( #[doc = $word_doc] $variant, )+ }

        impl $name {
            /// The word in tables, on the screen and in JSON.
            pub fn name(self) -> &'static str {
                match self { $( Self::$variant => $word, )+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl Cell for $name {
            const NULLABLE: bool = false;

            fn data_type(_: usize) -> DataType {
                DataType::Utf8
            }

            fn to_array<'a>(cells: impl Iterator<Item = &'a Self>, _: usize) -> ArrayRef {
                Arc::new(StringArray::from_iter_values(cells.map(|cell| cell.name())))
            }

            fn from_array(array: &dyn Array, row: usize) -> Option<Self> {
                let words = array.as_string_opt::<i32>().filter(|words| words.is_valid(row))?;
                match words.value(row) {
                    $( $word => Some(Self::$variant), )+
                    _ => None,
                }
            }
        }
    )+ };
}

words! {
    /// What a check says of an estimate, from best to worst.
    CheckVerdict {
        /// What the check needs is missing.
        Unknown = "unknown",
        /// Nothing was found.
        Passed = "passed",
        /// Worth knowing; other estimators suffer from it.
        Note = "note",
        /// The number means little.
        Warning = "warning",
        /// The estimate violates an inequality that the true information obeys, so it is not the true information.
        Violated = "violated",
    }

    /// Whether the layers of all runs lose information about the input.
    CompressionVerdict {
        /// The 95 % interval of the compression is wholly above 0.
        Compresses = "compresses",
        /// The interval is nowhere above 0.
        DoesNot = "does not",
        /// Neither.
        Undecided = "undecided",
    }
}
