//! The unit of information within the program, so that nats and bits cannot be mixed up.

/// An amount of information in nats (natural logarithm). It may be negative, because estimators do not clip their
/// result.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Nats(pub f64);

impl Nats {
    /// This amount in bits (1 bit = ln 2 nats), the unit of all tables and figures.
    pub fn bits(self) -> f64 {
        self.0 / std::f64::consts::LN_2
    }
}

impl std::ops::Add for Nats {
    type Output = Nats;

    fn add(self, other: Nats) -> Nats {
        Nats(self.0 + other.0)
    }
}

impl std::ops::Sub for Nats {
    type Output = Nats;

    fn sub(self, other: Nats) -> Nats {
        Nats(self.0 - other.0)
    }
}
