//! Parity: no proper subset of the inputs has information about the label, but all inputs together determine it.

use super::bits::{INPUTS, n_bits, patterns};
use super::{Dataset, Source, Spec};
use crate::parameter::{ParameterError, Parameters};

pub(super) const SPEC: Spec = Spec {
    name: "parity",
    summary: "all patterns of n bits, labelled 1 if the number of ones is odd",
    parameters: &[n_bits("12"), INPUTS],
    source: Source::Rule(make),
};

fn make(parameters: &Parameters) -> Result<Dataset, ParameterError> {
    let n_bits = parameters.count("n_bits").expect("it has a default");
    let y = (0..1_u32 << n_bits).map(|pattern| (pattern.count_ones() % 2) as i32).collect();
    Ok(Dataset { x: patterns(n_bits, parameters), y, p_y1: None, target: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_flipped_bit_flips_the_label() {
        let made = make(&Parameters::default().or_defaults(SPEC.parameters)).unwrap();
        assert_eq!((made.x.dim(), made.y[0]), ((4096, 12), 0));
        for pattern in 0..4096_usize {
            assert!((0..12).all(|bit| made.y[pattern] != made.y[pattern ^ (1 << bit)]));
        }
    }
}
