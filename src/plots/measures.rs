//! The measures of the fit of a network: its loss, squared error and accuracy, with the words that all figures use for them.

use super::TrainingNumber;
use super::series::Column;

/// A measure of the fit.
pub(super) struct Measure {
    /// Its name.
    pub(super) title: &'static str,
    /// The label of its axis.
    pub(super) label: &'static str,
    /// Whether the axis begins at 0, unless half of the panel would be empty.
    pub(super) from_zero: bool,
    pub(super) train: (Column, TrainingNumber),
    pub(super) test: (Column, TrainingNumber),
}

/// All measures, in the order of panels.
pub(super) const MEASURES: [Measure; 3] = [
    Measure {
        title: "loss",
        label: "cross-entropy (nats)",
        from_zero: true,
        train: (|row| row.loss_train_nats_mean, TrainingNumber::LossTrain),
        test: (|row| row.loss_test_nats_mean, TrainingNumber::LossTest),
    },
    Measure {
        title: "squared error",
        label: "mean squared error",
        from_zero: true,
        train: (|row| row.squared_error_train_mean, TrainingNumber::SquaredErrorTrain),
        test: (|row| row.squared_error_test_mean, TrainingNumber::SquaredErrorTest),
    },
    Measure {
        title: "accuracy",
        label: "accuracy",
        from_zero: false,
        train: (|row| row.accuracy_train_mean, TrainingNumber::AccuracyTrain),
        test: (|row| row.accuracy_test_mean, TrainingNumber::AccuracyTest),
    },
];
