//! Shuffles labels, or draws random labels, before training and recording.

use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use super::super::StageError;
use super::setup::Purpose;
use crate::config::Labelling;
use crate::sample::distinct;
use crate::store::schema::SampleRow;

/// The samples with the labels that the pipeline asks for, equal for all runs.
///
/// # Errors
/// Random classes were requested, but Y is numeric.
pub(super) fn labelled(rows: Vec<SampleRow>, labels: Labelling, seed: u64) -> Result<Vec<SampleRow>, StageError> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(Purpose::Labels as u64);
    match labels {
        Labelling::Given => Ok(rows),
        Labelling::Shuffled => Ok(shuffled(rows, &mut rng)),
        Labelling::Random if rows.iter().any(|row| row.target.is_some()) => Err(StageError::Refused(
            "`labels = \"random\"` draws classes, but the samples have targets; use \"shuffled\"".to_owned(),
        )),
        Labelling::Random => Ok(random(rows, &mut rng)),
    }
}

/// Sample i gets the label, the probability and the target of another sample.
fn shuffled(mut rows: Vec<SampleRow>, rng: &mut ChaCha8Rng) -> Vec<SampleRow> {
    let mut labels: Vec<_> = rows.iter_mut().map(|row| (row.y, row.p_y1, row.target.take())).collect();
    labels.shuffle(rng);
    for (row, (y, p_y1, target)) in rows.iter_mut().zip(labels) {
        (row.y, row.p_y1, row.target) = (y, p_y1, target);
    }
    rows
}

/// Sample i gets one of the classes with equal probability.
fn random(mut rows: Vec<SampleRow>, rng: &mut ChaCha8Rng) -> Vec<SampleRow> {
    let classes = distinct(&rows.iter().map(|row| row.y).collect::<Vec<_>>());
    for row in &mut rows {
        (row.y, row.p_y1) = (classes[rng.random_range(0..classes.len())], None);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The label is the number of the sample modulo 3, together with numbers that identify the sample.
    fn rows(n: i32) -> Vec<SampleRow> {
        let row = |sample: i32| SampleRow {
            sample,
            x: Some(vec![sample as f32]),
            x_hash: None,
            y: sample % 3,
            p_y1: Some(f64::from(sample)),
            target: Some(vec![sample as f32]),
        };
        (0..n).map(row).collect()
    }

    #[test]
    fn shuffled_labels_are_the_same_labels_of_other_samples() {
        let shuffled = labelled(rows(600), Labelling::Shuffled, 1).unwrap();
        // Label, probability and target still are of one sample.
        let origin = |row: &SampleRow| row.target.as_ref().unwrap()[0] as i32;
        assert!(shuffled.iter().all(|row| row.y == origin(row) % 3 && row.p_y1 == Some(f64::from(origin(row)))));
        assert!(shuffled.iter().enumerate().all(|(i, row)| row.sample == i as i32 && row.x() == [i as f32]));
        let mut origins: Vec<i32> = shuffled.iter().map(origin).collect();
        // On average one sample of a permutation stays where it is.
        assert!(origins.iter().zip(0..).filter(|(origin, i)| *origin == i).count() < 10);
        origins.sort_unstable();
        assert!(origins.into_iter().eq(0..600));
    }

    #[test]
    fn random_labels_are_uniform_for_any_balance() {
        let mut rows = rows(3000);
        for row in &mut rows {
            (row.target, row.y) = (None, i32::from(row.sample == 0));
        }
        let drawn = labelled(rows, Labelling::Random, 1).unwrap();
        let n_ones: i32 = drawn.iter().map(|row| row.y).sum();
        // Half of 3000 within five standard deviations, √750 each.
        assert!((n_ones - 1500).abs() < 137, "{n_ones}");
        assert!(drawn.iter().all(|row| row.p_y1.is_none()));
    }

    #[test]
    fn the_seed_decides_and_targets_are_not_drawn() {
        let shuffled = |seed| labelled(rows(50), Labelling::Shuffled, seed).unwrap();
        assert!(shuffled(1) == shuffled(1) && shuffled(1) != shuffled(2));
        assert!(labelled(rows(50), Labelling::Given, 1).unwrap() == rows(50));
        let refused = labelled(rows(50), Labelling::Random, 1).unwrap_err().to_string();
        assert!(refused.starts_with("`labels = \"random\"` draws classes, but the samples have targets"), "{refused}");
    }
}
