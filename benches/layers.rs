//! Data for the benchmarks of the recording: layers as raw little-endian f32 files, named on the command line.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

/// One layer at all recorded epochs.
pub(crate) struct Layer {
    pub(crate) n_samples: usize,
    pub(crate) n_units: usize,
    /// n_records × n_samples × n_units.
    t: Vec<f32>,
}

impl Layer {
    /// The values of the recorded epochs, one after the other.
    pub(crate) fn records(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.t.chunks_exact(self.n_samples * self.n_units)
    }
}

/// Megabytes (10⁶) of raw f32.
pub(crate) fn megabytes(layers: &[Layer]) -> f64 {
    layers.iter().map(|layer| size_of_val(&layer.t[..])).sum::<usize>() as f64 / 1e6
}

pub(crate) fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Processor time in seconds that `work` takes on this thread, which other programs on the machine hardly change. On
/// systems other than Linux, the elapsed time.
pub(crate) fn seconds(work: impl FnOnce()) -> f64 {
    let used = || -> Option<f64> {
        let nanoseconds = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        Some(nanoseconds.split(' ').next()?.parse::<f64>().ok()? / 1e9)
    };
    let (start, used_before) = (Instant::now(), used());
    work();
    used_before.and_then(|before| Some(used()? - before)).unwrap_or_else(|| start.elapsed().as_secs_f64())
}

/// The arguments: number of measurements, output folder, then FILE N_SAMPLES N_UNITS for every layer.
pub(crate) fn from_arguments() -> (usize, PathBuf, Vec<Layer>) {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [repeats, folder, layers @ ..] = arguments.as_slice() else {
        panic!("run this through benches/peers/recording.py");
    };
    let number = |text: &String| text.parse::<usize>().expect("a whole number");
    let layers = layers.chunks(3).map(|layer| {
        let bytes = fs::read(&layer[0]).expect("the file with the values");
        let t = bytes.as_chunks().0.iter().map(|value| f32::from_le_bytes(*value)).collect();
        Layer { n_samples: number(&layer[1]), n_units: number(&layer[2]), t }
    });
    (number(repeats), folder.into(), layers.collect())
}
