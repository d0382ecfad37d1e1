//! Majority: every input has a little information about the label.

use super::bits::{INPUTS, n_bits, patterns};
use super::{Dataset, Source, Spec};
use crate::parameter::{ParameterError, Parameters};

pub(super) const SPEC: Spec = Spec {
    name: "majority",
    summary: "all patterns of n bits, labelled 1 if more than half of the bits are ones",
    parameters: &[n_bits("11"), INPUTS],
    source: Source::Rule(make),
};

fn make(parameters: &Parameters) -> Result<Dataset, ParameterError> {
    let n_bits = parameters.count("n_bits").expect("it has a default");
    let y = (0..1_u32 << n_bits).map(|pattern| (2 * pattern.count_ones() as usize > n_bits).into()).collect();
    Ok(Dataset { x: patterns(n_bits, parameters), y, p_y1: None, target: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameter::Value;

    #[track_caller]
    fn check(n_bits: u64, n_ones: i32) {
        let parameters = Parameters::new(SPEC.parameters, [("n_bits".to_owned(), Value::Count(n_bits))]).unwrap();
        let made = make(&parameters).unwrap();
        assert_eq!(made.y.iter().sum::<i32>(), n_ones);
        for (x, y) in made.x.rows().into_iter().zip(&made.y) {
            assert_eq!(i32::from(x.sum() > n_bits as f32 / 2.0), *y);
        }
    }

    #[test]
    fn half_of_the_patterns_of_an_odd_number_and_fewer_of_an_even_one_are_1() {
        check(1, 1);
        check(11, 1024);
        check(4, (16 - 6) / 2); // 6 = 4!/(2! 2!) patterns are ties
        check(12, (4096 - 924) / 2); // 924 = 12!/(6! 6!)
    }
}
