//! All patterns of some bits; several data sets label them by different rules.

use ndarray::Array2;

use crate::parameter::{Kind, Parameter, Parameters};

/// The values for 0 and 1.
pub(super) const INPUTS: Parameter = Parameter {
    name: "inputs",
    doc: "values of a bit: bits (0 or 1) or signs (-1 or 1, so that every input has mean 0)",
    kind: Kind::Choice(&["bits", "signs"]),
    default: "bits",
};

/// The number of bits, at most 20.
pub(super) const fn n_bits(default: &'static str) -> Parameter {
    Parameter { name: "n_bits", doc: "number of bits", kind: Kind::Count { min: 1, max: 20 }, default }
}

/// X of all patterns, 2^n_bits × n_bits, with the values of the parameter `inputs`. Row i is the binary number i, most
/// significant bit first.
pub(super) fn patterns(n_bits: usize, parameters: &Parameters) -> Array2<f32> {
    let zero = if parameters.text("inputs") == Some("signs") { -1.0 } else { 0.0 };
    Array2::from_shape_fn((1 << n_bits, n_bits), |(i, bit)| if (i >> (n_bits - 1 - bit)) & 1 == 1 { 1.0 } else { zero })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameter::Value;

    #[test]
    fn rows_are_binary_numbers_written_as_bits_or_signs() {
        let with = |inputs: &str| {
            let inputs = Parameters::new(&[INPUTS], [("inputs".to_owned(), Value::parse(inputs))]).unwrap();
            patterns(3, &inputs)
        };
        assert_eq!(with("bits").row(6).to_vec(), [1.0, 1.0, 0.0]);
        let signs = with("signs");
        assert_eq!(signs.row(6).to_vec(), [1.0, 1.0, -1.0]);
        assert!(signs.columns().into_iter().all(|input| input.sum() == 0.0));
    }
}
