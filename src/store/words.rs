//! Columns with a fixed set of strings: verdicts and states, each of them an enum.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::DataType;

use super::cell::Cell;
use crate::suggest::Named;

// `or` gives the string of earlier versions.
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
    /// Verdict of a check on an estimate, from best to worst.
    CheckVerdict {
        /// The data that the check needs are missing.
        Unknown = "unknown";
        /// No problem was found.
        Passed = "passed";
        /// A property worth knowing, which affects other estimators.
        Note = "note";
        /// The estimate is hardly informative.
        Warning = "warning";
        /// The estimate is not the information that its name promises: it violates an inequality that information obeys, or its code leaves out many values.
        Violated = "violated";
    }

    /// Verdict on a claim.
    ClaimVerdict {
        /// The whole interval of the mean is as claimed.
        Holds = "holds";
        /// No part of the interval is as claimed.
        Fails = "fails";
        /// The interval is partly as claimed, or there is no interval.
        Undecided = "undecided";
    }

    /// Whether a claim was registered with `infoplane freeze` before the recording was started.
    Registration {
        /// It was registered with its present meaning.
        Before = "before the recording";
        /// It was registered, but with another meaning.
        Changed = "changed since";
        /// It was not registered.
        No = "no";
    }

    /// State of an experiment of a sweep.
    ExperimentState {
        /// All results that its pipeline requests exist.
        Done = "done";
        /// Results exist, but some trainings or estimates failed, or the checks, the summary or the claims could not be made.
        Partial = "partial";
        /// The experiment failed, or all of its trainings did.
        Failed = "failed";
        /// Some results exist.
        Unfinished = "unfinished";
        /// No results exist.
        Pending = "pending";
    }

    /// How a training ended.
    TrainingOutcome {
        /// After all epochs of the pipeline.
        Finished = "finished";
        /// Early, by a stopping rule of the pipeline.
        Stopped = "stopped";
        /// With numbers that are not finite.
        Failed = "failed";
    }

    /// Whether the layers of the runs lose information about the input during training.
    CompressionVerdict {
        /// The 95 % interval of the compression is above 0, and the mean is at least the smallest effect that counts.
        Compresses = "compresses";
        /// The interval is below the smallest effect that counts.
        DoesNot = "does not compress", or "does not";
        /// Neither of the two, or the layer has no information to lose.
        Undecided = "undecided";
        /// The estimate is near its ceiling at the end, or at the peak without a visible fall.
        Saturated = "cannot tell (saturated)";
        /// Checks are violated at the peak or at the end, or scales disagree.
        Contradicted = "contradicted (checks)";
    }
}

impl CompressionVerdict {
    /// Whether the estimate is not reliable, whatever its interval.
    pub fn is_withheld(self) -> bool {
        matches!(self, Self::Saturated | Self::Contradicted)
    }
}

impl ExperimentState {
    /// Whether results exist.
    pub fn has_results(self) -> bool {
        matches!(self, Self::Done | Self::Partial)
    }
}
