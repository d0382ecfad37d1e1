//! Real faults, really injected: killed processes, full disks, rotten bytes, misplaced files. Nothing that was finished is
//! lost, nothing that is wrong becomes a number, and every refusal is a sentence.

mod damage; // every region of every file, one byte at a time
mod kills; // SIGKILL at random times
mod overwriting; // a replacement that is stopped in its middle
mod room; // full disks, folders that cannot be written
mod rows; // rows that no recording can have
mod small; // a recording of some kilobytes, made in this process
mod starved; // no threads, no memory
mod strays; // temporary folders of stopped processes
mod structure; // files that are missing, moved, of another's, or newer
mod writers; // two processes at once

/// Two runs of four parts each, a snapshot a part: 64 units × 4096 samples × 4 bytes are 1 MiB, the smallest part.
const PARTS: &str = r#"seed = 5
runs = 2
[data]
name = "tishby"
train_fraction = 0.85
[network]
hidden = [62]
activation = "tanh"
[training]
optimiser = "adam"
learning_rate = 4e-3
batch = 512
epochs = 3
[record]
epochs = { every = 1 }
part_mb = 1
[[estimate]]
estimator = "binning"
n_edges = 30
"#;
