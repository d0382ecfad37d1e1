//! Columns that hold one of a few words: verdicts and states, each a type that is written as its word.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::DataType;

use super::cell::Cell;
use crate::suggest::Named;

// `or` gives the word of earlier versions.
macro_rules! words {
    ($( #[doc = $doc:literal] $name:ident { $( #[doc = $word_doc:literal] $variant:ident = $word:literal $(, or $older:literal)?; )+ } )+) => { $(
        #[doc = $doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $( #[doc = $word_doc] $variant, )+ }

        impl Named for $name {
            const ALL: &'static [Self] = &[$( Self::$variant, )+];

            fn name(self) -> &'static str {
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
            const KIND: &'static str = "string";
            const NULLABLE: bool = false;
            const WORDS: &'static [&'static str] = &[$( $word, )+ $( $( $older, )? )+];

            fn data_type(_: usize) -> DataType {
                DataType::Utf8
            }

            fn to_array<'a>(cells: impl Iterator<Item = &'a Self>, _: usize) -> ArrayRef {
                Arc::new(StringArray::from_iter_values(cells.map(|cell| cell.name())))
            }

            fn from_array(array: &dyn Array, row: usize) -> Option<Self> {
                let words = array.as_string_opt::<i32>().filter(|words| words.is_valid(row))?;
                match words.value(row) {
                    $( $( $older => Some(Self::$variant), )? )+
                    word => Self::find(word).ok(),
                }
            }
        }

        impl Cell for Option<$name> {
            const KIND: &'static str = "string, null";
            const NULLABLE: bool = true;
            const MISSING: Option<Self> = Some(None);

            fn data_type(_: usize) -> DataType {
                DataType::Utf8
            }

            fn to_array<'a>(cells: impl Iterator<Item = &'a Self>, _: usize) -> ArrayRef {
                Arc::new(cells.map(|cell| cell.map(Named::name)).collect::<StringArray>())
            }

            fn from_array(array: &dyn Array, row: usize) -> Option<Self> {
                if array.is_null(row) { Some(None) } else { $name::from_array(array, row).map(Some) }
            }
        }
    )+ };
}

words! {
    /// What a check says of an estimate, from best to worst.
    CheckVerdict {
        /// What the check needs is missing.
        Unknown = "unknown";
        /// Nothing was found.
        Passed = "passed";
        /// Worth knowing; other estimators suffer from it.
        Note = "note";
        /// The number means little.
        Warning = "warning";
        /// The estimate is not the information that it is taken for: it violates an inequality that information obeys, or its code leaves out many values.
        Violated = "violated";
    }

    /// What the runs say of a claim.
    ClaimVerdict {
        /// The whole interval of the mean is as claimed.
        Holds = "holds";
        /// No part of the interval is as claimed.
        Fails = "fails";
        /// The interval is partly as claimed, or there is none.
        Undecided = "undecided";
    }

    /// Whether a claim was registered with `infoplane freeze` before the recording was begun.
    Registration {
        /// It was, as it is now.
        Before = "before the recording";
        /// It was, but it means something else now.
        Changed = "changed since";
        /// It was not.
        No = "no";
    }

    /// What became of an experiment of a sweep.
    ExperimentState {
        /// Everything that its pipeline asks for is there.
        Done = "done";
        /// All results are there, but some trainings or estimates failed, or checks, summary or claims could not be made.
        Partial = "partial";
        /// It could not be done, or all of its trainings failed.
        Failed = "failed";
        /// Some of it is there.
        Unfinished = "unfinished";
        /// Nothing is there.
        Pending = "pending";
    }

    /// How a training ended.
    TrainingOutcome {
        /// As long as the pipeline asks.
        Finished = "finished";
        /// Early, as the pipeline asks.
        Stopped = "stopped";
        /// Its numbers are not finite.
        Failed = "failed";
    }

    /// Whether the layers of all runs lose information about the input.
    CompressionVerdict {
        /// The 95 % interval of the compression is above 0, the mean at least the smallest effect that counts.
        Compresses = "compresses";
        /// The interval is below the smallest effect that counts.
        DoesNot = "does not compress", or "does not";
        /// Neither, or the layer has no information that could be lost.
        Undecided = "undecided";
        /// The estimate is near its ceiling at the end, or at the peak where no fall is seen.
        Saturated = "cannot tell (saturated)";
        /// Checks are violated at the peak or at the end, or scales disagree.
        Contradicted = "contradicted (checks)";
    }
}

impl CompressionVerdict {
    /// Whether the number is not believed, whatever its interval.
    pub fn is_withheld(self) -> bool {
        matches!(self, Self::Saturated | Self::Contradicted)
    }
}

impl ExperimentState {
    /// Whether there are results to show.
    pub fn has_results(self) -> bool {
        matches!(self, Self::Done | Self::Partial)
    }
}
