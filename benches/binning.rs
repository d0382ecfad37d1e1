//! Milliseconds of what binning consists of.

use infoplane::math::atoms::Cells;
use infoplane::math::digitise::*;
use std::hint::black_box;
use std::time::Instant;

fn median<T>(name: &str, repeats: usize, mut f: impl FnMut() -> T) -> T {
    let mut out = f();
    let mut times: Vec<f64> = (0..repeats)
        .map(|_| {
            let start = Instant::now();
            out = black_box(f());
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("{name:60} {:.4} ms", times[repeats / 2]);
    out
}
fn cells(codes: &Codes, w: usize) -> Cells {
    match codes {
        Codes::U8(c) => Cells::of_rows(c, w),
        Codes::U16(c) => Cells::of_rows(c, w),
        Codes::U32(c) => Cells::of_rows(c, w),
    }
}
fn values(n: usize) -> Vec<f32> {
    let mut s = 42u64;
    (0..n)
        .map(|_| {
            s = s.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (((s >> 40) as f32 / (1u64 << 24) as f32 - 0.5) * 4.0).tanh()
        })
        .collect()
}
fn g1() -> Vec<f32> {
    let weight = |r: usize, c: usize| (1.0 + 12.9898 * r as f64 + 78.233 * c as f64).sin();
    let bias = |c: usize| 0.1 * (c as f64).cos();
    let mut h1 = vec![];
    for p in 0..4096usize {
        for c in 0..10 {
            h1.push((bias(c) + (0..12).map(|r| ((p >> (11-r)) & 1) as f64 * weight(r, c)).sum::<f64>()).tanh() as f32);
        }
    }
    h1
}
fn main() {
    for (v, w, reps) in [(g1(), 10, 301), (values(60000 * 1024), 1024, 7)] {
        let even = EvenEdges::new(-1.0, 1.0, 31, Precision::Single).unwrap();
        let c = median("even 31 edges", reps, || digitise(&v, &even).unwrap());
        median("cells u8", reps, || cells(&c, w));
        let w7 = Width { width: 0.07, precision: Precision::Single };
        median("width .07 f32", reps, || digitise(&v, &w7).unwrap());
        let w7 = Width { width: 0.07, precision: Precision::Double };
        median("width .07 f64", reps, || digitise(&v, &w7).unwrap());
        median("extremes", reps, || extremes(&v));
        let e = Edges::new(&even.edges()).unwrap();
        median("any 31 edges", reps, || digitise(&v, &e).unwrap());
        for n in [64, 128, 129, 257] {
            let e = Edges::new(&EvenEdges::new(-1.0, 1.0, n, Precision::Single).unwrap().edges()).unwrap();
            median(&format!("any {n} edges"), reps, || digitise(&v, &e).unwrap());
        }
        let q = Quantised { low: -1.0, high: 1.0, bits: 8 };
        median("8 bit", reps, || digitise(&v, &q).unwrap());
        median("exact rows", reps, || Cells::of_rows(&v, w));
    }
}
