//! Seconds of the estimates by numbers of neighbours; on one thread with RAYON_NUM_THREADS=1.

use std::borrow::Cow;
use std::time::Instant;

use infoplane::estimators::{Cells, Estimator, Ksg, MixedKsg, Points, Variable};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

const K: usize = 3;
const N_CLASSES: u32 = 5;

fn main() {
    let ksg = Ksg::neighbour(K).expect("the neighbour is allowed");
    let mixed = MixedKsg::neighbour(K).expect("the neighbour is allowed");
    for n in [10_000, 100_000] {
        for (d_x, d_y) in [(1, 1), (3, 3), (10, 1)] {
            let (x, y) = correlated(n, d_x, d_y);
            report(&format!("ksg, N = {n}, ({d_x}, {d_y})"), &ksg, &x, &y);
        }
    }
    let (t, _) = correlated(10_000, 1, 1);
    let classes: Vec<u32> = (0..10_000).map(|i| i % N_CLASSES).collect();
    let y = Variable::Classes(Cow::Owned(Cells::of_rows(&classes, 1)));
    report("ksg with classes, N = 10000, 5 classes", &ksg, &t, &y);
    report("mixed-ksg with classes, N = 10000, 5 classes", &mixed, &t, &y);
}

/// Normal variables; only the first coordinates are correlated, with 0.6.
fn correlated(n: usize, d_x: usize, d_y: usize) -> (Variable<'static>, Variable<'static>) {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut normal = |n: usize| -> Vec<f64> { (0..n).map(|_| StandardNormal.sample(&mut rng)).collect() };
    let (x, mut y) = (normal(n * d_x), normal(n * d_y));
    for i in 0..n {
        y[i * d_y] = 0.6 * x[i * d_x] + 0.8 * y[i * d_y];
    }
    let real = |values: Vec<f64>, n_dims| Variable::Real(Points::new(values, n_dims).expect("the values are finite"));
    (real(x, d_x), real(y, d_y))
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its result")]
fn report<E: Estimator>(name: &str, estimator: &E, a: &Variable<'_>, b: &Variable<'_>) {
    let start = Instant::now();
    let found = estimator.between(a, std::slice::from_ref(b)).remove(0).expect("there is an estimate");
    println!("{name}: {:.1} ms, {:.4} nats", start.elapsed().as_secs_f64() * 1e3, found.value.0);
}
