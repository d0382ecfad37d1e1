//! The position of a layer in a network.

use std::fmt;

/// The position of a layer in a network: 0 is the input, 1 the first layer after it, the highest number is the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "store", derive(serde::Serialize))]
pub struct LayerId(u32);

impl LayerId {
    /// The input.
    pub const INPUT: Self = Self(0);
    /// The first layer after the input.
    pub const FIRST: Self = Self(1);

    /// The layer with a number from a file or a user; `None` if it is negative or too large for the tables.
    pub fn of_number(number: impl TryInto<i32>) -> Option<Self> {
        u32::try_from(number.try_into().ok()?).ok().map(Self)
    }

    /// The layer at `index` of a list that starts with the input.
    pub fn from_index(index: usize) -> Self {
        Self::of_number(index).expect("no list of layers has 2³¹ entries")
    }

    /// All layers after the input, without end.
    pub fn above_input() -> impl Iterator<Item = Self> + Clone {
        (1..).map(Self)
    }

    /// Whether this layer directly follows `below`.
    pub fn is_next_above(self, below: Self) -> bool {
        self.0 == below.0 + 1
    }

    /// Index of the layer in a list that starts with the input.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The number of the layer as in the tables.
impl From<LayerId> for i32 {
    fn from(layer: LayerId) -> Self {
        // Every layer was made from an i32 or follows such a layer in a list.
        layer.0 as Self
    }
}

impl fmt::Display for LayerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_ascend_from_the_input() {
        let layers: Vec<LayerId> = (0..3).map(LayerId::from_index).collect();
        assert!(layers.is_sorted() && layers[..2] == [LayerId::INPUT, LayerId::FIRST]);
        assert!(LayerId::above_input().take(2).eq(layers[1..].iter().copied()));
        assert!(layers[2].is_next_above(LayerId::FIRST) && !layers[2].is_next_above(LayerId::INPUT));
        assert_eq!((layers[2].index(), i32::from(layers[2])), (2, 2));
    }

    #[test]
    fn a_layer_is_written_as_its_number() {
        let layer = LayerId::from_index(12);
        assert_eq!((layer.to_string(), format!("{layer:>3}")), ("12".to_owned(), " 12".to_owned()));
        #[cfg(feature = "store")]
        assert_eq!(serde_json::json!({ "layer": layer }).to_string(), r#"{"layer":12}"#);
    }

    #[test]
    fn a_number_that_no_layer_has_is_refused() {
        assert_eq!(LayerId::of_number(0), Some(LayerId::INPUT));
        assert_eq!(LayerId::of_number(i32::MAX).map(i32::from), Some(i32::MAX));
        assert_eq!([LayerId::of_number(-1), LayerId::of_number(i64::MIN), LayerId::of_number(1_u64 << 31)], [None; 3]);
    }
}
