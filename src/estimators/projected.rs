//! The estimators that `sliced` and `lossy` apply to projections of their variables.

use super::{Copula, EstimateError, Estimator, Information, Ksg, MixedKsg, Variable};

/// An estimator of the information between projections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnProjections {
    /// [`Ksg`] with k = 3.
    Ksg,
    /// [`MixedKsg`] with k = 3: values may repeat.
    MixedKsg,
    /// [`Copula`].
    Copula,
}

/// The number of the neighbour: 2 to 4 in Kraskov et al. 2004.
const K: usize = 3;

impl OnProjections {
    /// The name in pipelines and tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ksg => "ksg",
            Self::MixedKsg => "mixed-ksg",
            Self::Copula => "copula",
        }
    }

    /// The name in sentences.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Ksg => "`ksg` with k = 3",
            Self::MixedKsg => "`mixed-ksg` with k = 3",
            Self::Copula => "`copula`",
        }
    }

    /// See [`Estimator::between`].
    pub(super) fn between(self, a: &Variable<'_>, bs: &[Variable<'_>]) -> Vec<Result<Information, EstimateError>> {
        match self {
            Self::Ksg => Ksg::neighbour(K).expect("3 is allowed").between(a, bs),
            Self::MixedKsg => MixedKsg::neighbour(K).expect("3 is allowed").between(a, bs),
            Self::Copula => Copula.between(a, bs),
        }
    }
}
