//! The divergence of two Bernoulli distributions, kl(p‖q) = p ln(p/q) + (1 − p) ln((1 − p)/(1 − q)), and its inverses
//! in q.

/// kl(p‖q) of the probabilities `p` and `q` in 0..=1, in nats; infinite if q is 0 or 1 and p is not equal to it.
pub fn binary_kl(p: f64, q: f64) -> f64 {
    term(p, q, q - p) + term(1.0 - p, 1.0 - q, p - q)
}

/// p ln(p/q), with 0 ln 0 = 0, given q − p, which may have more digits than q.
fn term(p: f64, q: f64, difference: f64) -> f64 {
    let relative = difference / p;
    if p == 0.0 {
        0.0
    } else if relative.abs() < 0.5 {
        // ln(p/q) = −ln(1 + (q − p)/p), which keeps its digits if q is near p.
        -p * relative.ln_1p()
    } else {
        p * (p / q).ln()
    }
}

/// The largest q in `empirical`..=1 with kl(empirical‖q) ≤ `c`, for a probability `empirical` and c ≥ 0 nats.
///
/// # Reference
/// Langford 2005, "Tutorial on practical prediction theory for classification", eq. 3.1.
pub fn upper_inverse(empirical: f64, c: f64) -> f64 {
    bisect(empirical, 1.0, |q| binary_kl(empirical, q) <= c)
}

/// The smallest q in 0..=`empirical` with kl(empirical‖q) ≤ `c`, for a probability `empirical` and c ≥ 0 nats.
pub fn lower_inverse(empirical: f64, c: f64) -> f64 {
    bisect(empirical, 0.0, |q| binary_kl(empirical, q) <= c)
}

/// The last number between `inside` and `outside` for which `holds` is true, to the last bit.
fn bisect(mut inside: f64, mut outside: f64, holds: impl Fn(f64) -> bool) -> f64 {
    if holds(outside) {
        return outside;
    }
    loop {
        let middle = 0.5 * (inside + outside);
        if middle == inside || middle == outside {
            return inside;
        }
        if holds(middle) {
            inside = middle;
        } else {
            outside = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_close(got: f64, want: f64) {
        assert!((got - want).abs() <= 1e-12 * want.abs(), "{got} is not {want}");
    }

    #[test]
    fn divergences_agree_with_those_computed_by_hand() {
        // ½ ln 2 + ½ ln(2/3) = ½ ln(4/3).
        assert_close(binary_kl(0.5, 0.25), 0.5 * (4.0_f64 / 3.0).ln());
        assert_close(binary_kl(0.0, 0.25), (4.0_f64 / 3.0).ln());
        assert_eq!((binary_kl(0.3, 0.3), binary_kl(0.0, 0.0), binary_kl(1.0, 1.0)), (0.0, 0.0, 0.0));
        assert_eq!(
            (binary_kl(0.3, 0.0), binary_kl(0.3, 1.0), binary_kl(1.0, 0.0)),
            (f64::INFINITY, f64::INFINITY, f64::INFINITY)
        );
    }

    /// p, c, and the inverses above and below p, from mpmath; the one of 1e-46 by hand, ln q = ln p − (c − (1 − p) ln(1 − p))/p.
    #[allow(clippy::excessive_precision, reason = "all digits of the source")]
    const INVERSES: [(f64, f64, f64, f64); 12] = [
        (0.0, 1e-6, 9.999_995_000_001_67e-7, 0.0),
        (0.0, 5.0, 0.993_262_053_000_915, 0.0),
        (0.01, 1e-6, 0.010_141_366_492_335_2, 0.009_859_940_170_730_56),
        (0.01, 0.1, 0.127_856_287_713_173, 1.678_597_852_949_66e-7),
        (0.01, 1.0, 0.654_369_345_434_736, 1.375_422_342_643_6e-46),
        (0.2, 1e-6, 0.200_566_085_212_557, 0.199_434_714_786_923),
        (0.2, 1.0, 0.839_887_939_213_99, 0.000_553_195_704_738_689),
        (0.5, 0.1, 0.712_878_631_455_824, 0.287_121_368_544_176),
        (0.99, 0.01, 0.998_407_348_884_388, 0.968_874_118_550_331),
        (0.99, 5.0, 1.0, 0.006_054_152_262_298_14),
        (1.0, 1e-6, 1.0, 0.999_999_000_000_5),
        (1.0, 5.0, 1.0, 0.006_737_946_999_085_47),
    ];

    #[test]
    fn inverses_are_those_of_mpmath() {
        for (p, c, upper, lower) in INVERSES {
            assert_close(upper_inverse(p, c), upper);
            assert_close(lower_inverse(p, c), lower);
        }
    }

    #[test]
    fn inverses_have_their_limits_at_divergences_of_0_and_infinity() {
        assert_close(upper_inverse(0.3, 0.0), 0.3);
        assert_close(lower_inverse(0.3, 0.0), 0.3);
        assert_eq!((upper_inverse(0.3, f64::INFINITY), lower_inverse(0.3, f64::INFINITY)), (1.0, 0.0));
    }
}
