//! Where the mean of all runs may be, by drawing the runs that there are again and again.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, Axis};
use rand::{Rng, RngExt};

/// The probability that an interval of 95 % leaves out at either end.
const TAIL: f64 = 0.025;
/// The ends are looked for first among the sums that are further from the mean than this many standard deviations: of
/// normal ones 7 % on either side. It makes no difference but to the time.
const GUESS: f64 = 1.5;
/// Rows of one matrix product: enough for its speed; 2000 sums of each are 1 MB.
const BLOCK: usize = 64;

/// B samples of n numbers, each drawn from the same n numbers with replacement.
///
/// They are drawn once and serve all rows that are looked at: rows that differ little have intervals that differ little,
/// so that the ribbon of a course is smooth.
#[derive(Debug, Clone)]
pub struct Resamples {
    /// How often resample b has number i: n × B, n ≥ 2, B ≥ 1.
    counts: Array2<f64>,
}

impl Resamples {
    /// `n_resamples` (B) samples of `n` of `n` numbers; `None` for n < 2, which has no spread, and for B = 0.
    pub fn new(n: usize, n_resamples: usize, rng: &mut impl Rng) -> Option<Self> {
        if n < 2 || n_resamples == 0 {
            return None;
        }
        let mut counts = Array2::zeros((n, n_resamples));
        for mut resample in counts.columns_mut() {
            for _ in 0..n {
                resample[rng.random_range(0..n)] += 1.0;
            }
        }
        Some(Self { counts })
    }

    /// For every row, the 95 % interval of its mean, \[q₀.₀₂₅, q₀.₉₇₅\] of the means x̄*_b = Σ_i c_ib x_i / n over the B
    /// resamples, c_ib being how often resample b has number i.
    ///
    /// `rows` are m × n and finite, a column belonging to one run in all of them; one interval a row, in order and in the
    /// unit of the numbers. Quantiles are interpolated linearly between order statistics (Hyndman & Fan's type 7, as
    /// NumPy does), the ends are therefore SciPy's `bootstrap(method="percentile")` up to the resamples. The interval of
    /// equal numbers is that number. O(m n B) time, a matrix product; 64 B numbers of memory.
    ///
    /// Of few runs this interval is too narrow: the spread of the x̄*_b is √((n − 1)/n) s/√n instead of s/√n, and the
    /// quantiles are those of nearly a normal distribution where Student's, which are further out, would be right. For
    /// normal numbers and n = 5 it is √(4/5) · 1.96/2.78 = 0.63 of
    /// [`mean_interval`](crate::math::interval::mean_interval) wide, for n = 50 it is 0.97.
    ///
    /// # Panics
    /// Rows that are not of length n.
    ///
    /// # Reference
    /// Efron 1979, "Bootstrap methods: another look at the jackknife"; Efron & Tibshirani 1993, ch. 13. Hyndman & Fan 1996.
    pub fn mean_intervals(&self, rows: ArrayView2<'_, f64>) -> Vec<[f64; 2]> {
        let (n, n_resamples) = self.counts.dim();
        assert_eq!(rows.ncols(), n, "a row has one number per run");
        let mut sums = Array2::zeros((BLOCK, n_resamples));
        let mut intervals = Vec::with_capacity(rows.nrows());
        for block in rows.axis_chunks_iter(Axis(0), BLOCK) {
            // The first number is taken away before and added after, so that equal numbers have no spread by rounding.
            let first = block.column(0);
            let shifted = &block - &first.insert_axis(Axis(1));
            let mut sums = sums.slice_axis_mut(Axis(0), (..block.nrows()).into());
            general_mat_mul(1.0, &shifted, &self.counts, 0.0, &mut sums);
            for ((x, sums), first) in shifted.rows().into_iter().zip(sums.rows()).zip(first) {
                // Mean and standard deviation of the sum of n draws.
                let mean = x.sum();
                let spread = x.iter().map(|x_i| (x_i - mean / n as f64).powi(2)).sum::<f64>().sqrt();
                let sums = sums.to_slice().expect("a row of a standard layout is contiguous");
                let low = lower_end(sums.iter().copied(), mean - GUESS * spread);
                let high = -lower_end(sums.iter().map(|sum| -sum), -mean - GUESS * spread);
                intervals.push([low, high].map(|sum| first + sum / n as f64));
            }
        }
        intervals
    }
}

/// The quantile q₀.₀₂₅ of B ≥ 1 numbers: in sorted order it is at position 0.025 (B − 1), between two whole ones of which
/// `above` is the second. If enough of them are up to `guess`, the others are not looked at again.
fn lower_end(numbers: impl ExactSizeIterator<Item = f64> + Clone, guess: f64) -> f64 {
    let position = TAIL * (numbers.len() - 1) as f64;
    let above = position.ceil();
    let mut tail: Vec<f64> = numbers.clone().filter(|number| *number <= guess).collect();
    if tail.len() <= above as usize {
        tail = numbers.collect();
    }
    let (smaller, &mut x_above, _) = tail.select_nth_unstable_by(above as usize, f64::total_cmp);
    let x_below = smaller.iter().copied().reduce(f64::max).unwrap_or(x_above);
    x_above + (above - position) * (x_below - x_above)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::ChaCha8Rng;

    use crate::math::interval::mean_interval;
    use crate::math::normal;

    use super::*;

    fn resamples(n: usize, n_resamples: usize) -> Resamples {
        Resamples::new(n, n_resamples, &mut ChaCha8Rng::seed_from_u64(1)).unwrap()
    }

    fn interval(resamples: &Resamples, numbers: &[f64]) -> [f64; 2] {
        resamples.mean_intervals(ArrayView2::from_shape((1, numbers.len()), numbers).unwrap())[0]
    }

    #[track_caller]
    fn assert_close(got: [f64; 2], want: [f64; 2], tolerance: [f64; 2]) {
        for ((got, want), tolerance) in got.iter().zip(want).zip(tolerance) {
            assert!((got - want).abs() <= tolerance, "{got} is not {want}");
        }
    }

    /// All 5⁵ equally likely samples of five numbers.
    fn all_of_five() -> Resamples {
        let mut counts = Array2::zeros((5, 3125));
        for (b, mut resample) in counts.columns_mut().into_iter().enumerate() {
            for digit in 0..5 {
                resample[b / 5_usize.pow(digit) % 5] += 1.0;
            }
        }
        Resamples { counts }
    }

    #[test]
    fn all_resamples_have_the_quantiles_that_numpy_has() {
        // numpy.quantile(m, [0.025, 0.975]) of the means m of itertools.product(x, repeat=5).
        let cases = [
            ([0.3, -1.25, 4.0, 0.5, 0.875], [-0.475, 2.6]),
            ([1e6 + 0.5, 1e6, 1e6 + 2.0, 1e6 + 0.25, 1e6 - 7.0], [999_995.9, 1_000_001.25]),
            ([1.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.6]),
        ];
        for (numbers, want) in cases {
            // The sums are below 50 and rounded five times; the last addition by half a unit of its result, as is `want`.
            let rounding = f64::EPSILON * (50.0 + want[1]);
            assert_close(interval(&all_of_five(), &numbers), want, [rounding; 2]);
        }
    }

    #[test]
    fn drawn_resamples_agree_with_scipy() {
        // scipy.stats.bootstrap((x,), numpy.mean, method="percentile", n_resamples=4_000_000, rng=default_rng(1)).
        let x = [0.12, 0.95, 1.7, 0.33, 2.8, 0.05, 0.61, 4.4, 0.27, 1.1, 0.48, 7.3];
        let want = [0.650_833_3, 2.986_666_7];
        // A quantile of B draws has σ = √(0.025 · 0.975/B)/f, with densities f = 0.170 and 0.0756 in SciPy's distribution:
        // 0.0029 and 0.0065. Five of them; SciPy's own are 40 times as many.
        assert_close(interval(&resamples(12, 100_000), &x), want, [0.015, 0.033]);
    }

    #[test]
    fn quantiles_are_interpolated_as_in_numpy() {
        // numpy.quantile(v, [0.025, 0.975]); all but the rounding of three operations on numbers up to `want` is exact.
        let check = |numbers: Vec<f64>, want: [f64; 2]| {
            let tolerance = want.map(|w| 4.0 * f64::EPSILON * w.abs().max(1.0));
            for guess in [f64::NEG_INFINITY, -1.0, 0.0, 7.0, f64::INFINITY] {
                let low = lower_end(numbers.iter().copied(), guess);
                let high = -lower_end(numbers.iter().map(|number| -number), guess);
                assert_close([low, high], want, tolerance);
            }
        };
        let squares = |n: u32| (0..n).map(|i| f64::from(7 * i % n).powi(2)).collect();
        check(vec![0.0], [0.0, 0.0]);
        check(squares(2), [0.025, 0.975]);
        check(vec![2.0, -1.0, 0.5], [-0.925, 1.925]);
        check(squares(41), [1.0, 1521.0]);
        check(squares(100), [6.375, 9317.325]);
    }

    #[test]
    fn few_numbers_have_no_resamples_and_equal_ones_a_point() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut none = |n, n_resamples| Resamples::new(n, n_resamples, &mut rng).is_none();
        assert!(none(0, 10) && none(1, 10) && none(2, 0) && !none(2, 1));
        assert_eq!(interval(&resamples(7, 100), &[0.1; 7]), [0.1, 0.1]);
        assert!(resamples(7, 100).mean_intervals(ArrayView2::from_shape((0, 7), &[]).unwrap()).is_empty());
    }

    #[test]
    fn every_number_is_drawn_equally_often() {
        let counts = resamples(10, 4000).counts;
        assert!(counts.columns().into_iter().all(|resample| resample.sum() == 10.0));
        // 40 000 draws of 10: σ = √(40 000 · 0.1 · 0.9) = 60. The squares of counts have mean 1.9 and, a count being nearly
        // Poisson with mean 1, fourth moment 15: σ = √(15 − 4)/√40 000 = 0.017. Five of each.
        assert!(counts.rows().into_iter().all(|number| (number.sum() - 4000.0).abs() < 5.0 * 60.0));
        let mean_square = counts.iter().map(|count| count * count).sum::<f64>() / 40_000.0;
        assert!((mean_square - 1.9).abs() < 5.0 * 0.017, "{mean_square}");
    }

    #[test]
    fn a_row_does_not_depend_on_its_neighbours() {
        let rows = Array2::from_shape_fn((2 * BLOCK + 3, 9), |(row, run)| ((row * 31 + run * 17) as f64).sin());
        let resamples = resamples(9, 300);
        let intervals = resamples.mean_intervals(rows.view());
        assert_eq!(intervals.len(), rows.nrows());
        for (row, together) in rows.rows().into_iter().zip(intervals) {
            assert_eq!(interval(&resamples, &row.to_vec()), together);
        }
    }

    #[test]
    fn the_interval_of_ten_runs_is_too_narrow_by_what_its_description_says() {
        let numbers: Vec<f64> = (0..10).map(|i| normal::quantile((f64::from(i) + 0.5) / 10.0)).collect();
        let student = mean_interval(&numbers).unwrap();
        let [low, high] = interval(&resamples(10, 100_000), &numbers);
        // t of 0.975 and 9 degrees of freedom is 2.262 (Student's table). An end has σ = √(0.025 · 0.975/B)/φ(1.96) = 0.0085
        // of the spread, half the width 0.006, which is 0.3 % of 1.96: five of them. These ten have kurtosis −0.7, their mean
        // −0.07, which moves the quantile by 0.07 (1.96³ − 3 · 1.96)/24 = 0.005, another 0.3 %.
        let want = 0.9_f64.sqrt() * 1.960 / 2.262;
        let got = (high - low) / (student.high - student.low);
        assert!((got / want - 1.0).abs() < 0.018, "{got} is not {want}");
    }

    proptest! {
        /// The slow twin draws the numbers themselves, and sorts the means.
        #[test]
        fn intervals_are_those_of_the_slow_twin(
            numbers in proptest::collection::vec(-1.0..1.0_f64, 2..20),
            n_resamples in 1..200_usize,
            seed in any::<u64>(),
        ) {
            let n = numbers.len();
            let resamples = Resamples::new(n, n_resamples, &mut ChaCha8Rng::seed_from_u64(seed)).unwrap();
            let rng = &mut ChaCha8Rng::seed_from_u64(seed);
            let mut mean = || (0..n).map(|_| numbers[rng.random_range(0..n)]).sum::<f64>() / n as f64;
            let mut means: Vec<f64> = (0..n_resamples).map(|_| mean()).collect();
            means.sort_unstable_by(f64::total_cmp);
            let quantile = |p: f64| {
                let position = p * (n_resamples - 1) as f64;
                let (below, above) = (means[position.floor() as usize], means[position.ceil() as usize]);
                below + position.fract() * (above - below)
            };
            // Sums of at most 20 terms, below 40 in all, are rounded by 20 · 40 · 1.1e−16 = 9e−14 at most and then divided
            // by n = 20; twice. A position is rounded by 3e−14, between means that are at most 2 apart.
            assert_close(interval(&resamples, &numbers), [quantile(0.025), quantile(0.975)], [1e-13; 2]);
        }
    }
}
