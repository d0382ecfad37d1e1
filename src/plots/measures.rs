//! The measures of the fit of a network: its loss, squared error and accuracy, with the words that all figures use for them.

use super::series::Column;

/// A measure of the fit.
pub(super) struct Measure {
    /// Its name.
    pub(super) title: &'static str,
    /// The label of its axis.
    pub(super) label: &'static str,
    /// Whether the axis begins at 0, unless half of the panel would be empty.
    pub(super) from_zero: bool,
    /// The mean over runs, and the quantity of the table `training_summary`.
    pub(super) train: (Column, &'static str),
    pub(super) test: (Column, &'static str),
}

/// All measures, in the order of panels.
pub(super) const MEASURES: [Measure; 3] = [
    Measure {
        title: "loss",
        label: "cross-entropy (nats)",
        from_zero: true,
        train: (|row| row.loss_train_nats_mean, "loss_train"),
        test: (|row| row.loss_test_nats_mean, "loss_test"),
    },
    Measure {
        title: "squared error",
        label: "mean squared error",
        from_zero: true,
        train: (|row| row.squared_error_train_mean, "squared_error_train"),
        test: (|row| row.squared_error_test_mean, "squared_error_test"),
    },
    Measure {
        title: "accuracy",
        label: "accuracy",
        from_zero: false,
        train: (|row| row.accuracy_train_mean, "accuracy_train"),
        test: (|row| row.accuracy_test_mean, "accuracy_test"),
    },
];
