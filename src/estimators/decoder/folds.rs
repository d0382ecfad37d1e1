//! Which samples are tested together.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

use super::Cells;

/// The fold of every sample. The samples of every class are shuffled and dealt to the folds one after another, so that the
/// folds have equal sizes and equal shares of every class, up to one sample. A class with fewer samples than folds is absent
/// from some folds.
pub(super) fn stratified(y: &Cells, n_folds: usize, seed: u64) -> Vec<usize> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut of_class: Vec<Vec<usize>> = vec![Vec::new(); y.n_cells()];
    y.numbers().iter().enumerate().for_each(|(sample, class)| of_class[*class as usize].push(sample));
    let (mut fold_of, mut n_dealt) = (vec![0; y.n_samples()], 0);
    for samples in &mut of_class {
        samples.shuffle(&mut rng);
        for sample in samples {
            fold_of[*sample] = n_dealt % n_folds;
            n_dealt += 1;
        }
    }
    fold_of
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_have_equal_shares_of_every_class() {
        let classes: Vec<u32> = (0..103).map(|i| u32::from(i % 10 > 6) + u32::from(i % 50 == 0)).collect();
        let y = Cells::of_rows(&classes, 1);
        let fold_of = stratified(&y, 5, 3);
        let count = |fold: usize, class: Option<u32>| {
            let is_counted = |s: &usize| fold_of[*s] == fold && class.is_none_or(|class| y.numbers()[*s] == class);
            (0..103).filter(is_counted).count()
        };
        for class in [None, Some(0), Some(1)] {
            let counts: Vec<usize> = (0..5).map(|fold| count(fold, class)).collect();
            assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{counts:?}");
        }
        assert_ne!(fold_of, stratified(&y, 5, 4));
    }
}
