"""How fast activations are written, and how small: infoplane against pyarrow, h5py and NumPy, one core each.

    python -m venv v && v/bin/pip install -r benches/peers/requirements.txt && v/bin/python benches/peers/recording.py

Two recordings: every layer of a tanh net that saturates while `infoplane record` trains it, and a wide ReLU layer of
which most values are zero. Every round measures all writers, so that a change in the load of the machine hits all; the
table gives medians over 3 rounds, or as many as `--rounds` says. Times are processor time, and files go to memory
(/dev/shm) where that is there: the numbers are of the programs, not of the disk. What infoplane does in addition, hashing
every file and making it durable, is in its time. `--encodings` measures other layouts and encodings instead.
"""

import argparse
import os

# One thread. The libraries read these when they are imported.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1", VECLIB_MAXIMUM_THREADS="1")

import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

pa.set_cpu_count(1)

ROOT = Path(__file__).resolve().parents[2]
REPEATS = 3  # of one writer in one round, after a first one, which warms up

TANH_PIPELINE = """
seed = 1
runs = 1

[data]
name = "tishby"
train_fraction = 0.85

[network]
hidden = [10, 7, 5, 4, 3]
activation = "tanh"

[training]
optimiser = "adam"
learning_rate = 4e-3
batch = 512
epochs = 2000

[record]
epochs = { log_spaced = 200 }
"""


def cargo(*arguments, cwd=ROOT):
    command = ["cargo", *arguments]
    return subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, text=True, check=True).stdout


def encoding(layer):
    """What infoplane chooses: most values after ReLU are 0, hardly any after tanh."""
    return "PLAIN" if np.mean(layer[0] == 0) > 0.5 else "BYTE_STREAM_SPLIT"


def tanh_recording(folder, program):
    """Arrays of records × samples × units, one per layer, as the program itself recorded them."""
    if program is None:
        program = ["cargo", "run", "--quiet", "--release", "--manifest-path", ROOT / "Cargo.toml", "--"]
    (folder / "pipelines").mkdir()
    (folder / "pipelines" / "tanh.toml").write_text(TANH_PIPELINE)
    for stage in (["data", "make", "tishby"], ["record", "pipelines/tanh.toml"]):
        subprocess.run([*program, "--quiet", *stage], cwd=folder, stdout=sys.stderr, check=True)
    layers = []
    for path in sorted((folder / "outputs/tanh/recording/activations").glob("layer=*/*/*.parquet")):
        table = pq.ParquetFile(path).read(columns=["sample", "t"])
        n_samples = table["sample"].to_numpy().max() + 1
        t = table["t"].combine_chunks()
        t = t if isinstance(t, pa.FixedSizeListArray) else pa.concat_arrays(t.chunks)
        layers.append(t.flatten().to_numpy().reshape(-1, n_samples, t.type.list_size))
    return layers


def relu_recording():
    """10 000 samples of 1024 units at 3 epochs; about three quarters of the values are zero."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(10_000, 64)).astype(np.float32)
    kernel = rng.normal(0, 64**-0.5, (64, 1024)).astype(np.float32)
    step = rng.normal(0, 0.1 * 64**-0.5, (64, 1024)).astype(np.float32)
    return [np.stack([np.maximum(x @ (kernel + epoch * step) - 0.7, 0) for epoch in range(3)])]


def write_pyarrow(folder, layers):
    """The same table as ours: rows, encodings, level, row groups."""
    for number, layer in enumerate(layers):
        _, n_samples, n_units = layer.shape
        item = pa.field("item", pa.float32(), nullable=False)
        columns = {"epoch": pa.int32(), "step": pa.int64(), "sample": pa.int32(), "t": pa.list_(item, n_units)}
        schema = pa.schema([pa.field(name, kind, nullable=False) for name, kind in columns.items()])
        with pq.ParquetWriter(
            folder / f"pyarrow-{number}.parquet",
            schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=["epoch", "step"],
            column_encoding={"sample": "DELTA_BINARY_PACKED", "t.list.element": encoding(layer)},
            write_statistics=["epoch", "step", "sample"],
        ) as writer:
            samples = pa.array(np.arange(n_samples, dtype=np.int32))
            for epoch, t in enumerate(layer):
                arrays = [
                    pa.array(np.full(n_samples, epoch, np.int32)),
                    pa.array(np.full(n_samples, 7 * epoch, np.int64)),
                    samples,
                    pa.FixedSizeListArray.from_arrays(pa.array(t.reshape(-1)), type=columns["t"]),
                ]
                writer.write_table(pa.table(arrays, schema), row_group_size=n_samples)


def h5py_writer(**options):
    """One chunk per epoch, so that one epoch is read by touching only its bytes, as with ours."""

    def write(folder, layers):
        with h5py.File(folder / "h5py.h5", "w") as file:
            for number, layer in enumerate(layers):
                chunk = (1, *layer.shape[1:])
                data = file.create_dataset(f"t{number}", layer.shape, np.float32, chunks=chunk, **options)
                for epoch, t in enumerate(layer):
                    data[epoch] = t

    return write


def write_savez(folder, layers):
    np.savez_compressed(folder / "numpy.npz", *layers)


PEERS = {
    "pyarrow, same table": write_pyarrow,
    "h5py, gzip 4 (its default)": h5py_writer(compression="gzip"),
    "h5py, gzip 1": h5py_writer(compression="gzip", compression_opts=1),
    "h5py, gzip 1, shuffle": h5py_writer(compression="gzip", compression_opts=1, shuffle=True),
    "NumPy, savez_compressed": write_savez,
}


def measure(write, folder, layers):
    """Seconds of processor time, and bytes on disk."""
    times = []
    for _ in range(1 + REPEATS):
        start = time.process_time()
        write(folder, layers)
        times.append(time.process_time() - start)
    return median(times[1:]), sum(path.stat().st_size for path in folder.iterdir())


def bench(name, *arguments):
    """Runs a program of benches/, with the features it needs and no more."""
    options = ["--quiet", "--bench", name, "--no-default-features", "--features", "store"]
    return cargo("bench", *options, *map(str, arguments))


def on_disk(folder, layers):
    """Arguments of the benches: FILE N_SAMPLES N_UNITS of every layer."""
    arguments = []
    for number, layer in enumerate(layers):
        path = folder / f"{number}.f32"
        layer.astype("<f4").tofile(path)
        arguments += [path, *layer.shape[1:]]
    return arguments


def check_same_table(folder, n_layers):
    """Whatever reads our file finds the same columns in pyarrow's."""
    for number in range(n_layers):
        tables = [pq.ParquetFile(folder / f"{who}-{number}.parquet") for who in ("infoplane", "pyarrow")]
        assert tables[0].read().equals(tables[1].read())
        assert tables[0].num_row_groups == tables[1].num_row_groups
        encodings = [table.metadata.row_group(0).column(3).encodings for table in tables]
        assert set(encodings[0]) == set(encodings[1]), encodings


def compare(work, recording, layers, n_rounds):
    raw = sum(layer.nbytes for layer in layers)
    data, out = work / "data", work / "out"
    data.mkdir()
    arguments = on_disk(data, layers)
    results = {name: [] for name in ["infoplane", *PEERS]}
    for round_ in range(n_rounds):
        out.mkdir()
        printed = bench("recording", "--", REPEATS, out, *arguments)
        speed, size = re.fullmatch(r"([\d.]+) MB/s, (\d+) bytes\n", printed).groups()
        results["infoplane"].append((raw / 1e6 / float(speed), int(size)))
        if round_ == 0:
            write_pyarrow(out, layers)
            check_same_table(out, len(layers))
        shutil.rmtree(out)
        for name, write in PEERS.items():
            out.mkdir()
            results[name].append(measure(write, out, layers))
            shutil.rmtree(out)
        for name, measured in results.items():
            print(recording, name, f"{raw / 1e6 / measured[-1][0]:.0f} MB/s", file=sys.stderr)
    shutil.rmtree(data)

    print(f"\n{recording}, {raw / 1e6:.1f} MB of raw f32\n")
    print("| writer | MB/s of raw f32, one core | MB on disk | % of raw | times slower |\n|---|---|---|---|---|")
    medians = {name: np.median(measured, axis=0) for name, measured in results.items()}
    for name, (seconds, size) in medians.items():
        slower = seconds / medians["infoplane"][0]
        print(f"| {name} | {raw / 1e6 / seconds:.0f} | {size / 1e6:.1f} | {100 * size / raw:.1f} | {slower:.2g} |")


def encodings(work, recording, layers):
    print(f"\n{recording}, {sum(layer.nbytes for layer in layers) / 1e6:.1f} MB of raw f32\n", flush=True)
    data = work / "data"
    data.mkdir()
    print(bench("encodings", "--", REPEATS, work, *on_disk(data, layers)), flush=True)
    shutil.rmtree(data)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="rounds, of which the median is taken")
    parser.add_argument("--encodings", action="store_true", help="other layouts and encodings instead of other programs")
    parser.add_argument("--program", nargs=1, type=Path, help="a built infoplane, which else `cargo run` builds")
    options = parser.parse_args()

    cpuinfo = Path("/proc/cpuinfo")  # Linux; elsewhere Python's own, vaguer answer
    cpu = re.search(r"model name\s*: (.+)", cpuinfo.read_text() if cpuinfo.exists() else "")
    versions = ", ".join(f"{module.__name__} {module.__version__}" for module in (np, pa, h5py))
    print(cpu[1] if cpu else platform.processor(), f"Python {platform.python_version()}, {versions}", sep="; ")

    for name in "recording", "encodings":
        bench(name, "--no-run")  # compiles
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as work:
        work = Path(work)
        (work / "recording").mkdir()
        tanh = tanh_recording(work / "recording", options.program)
        shutil.rmtree(work / "recording")
        recordings = {"tanh, all layers": tanh, "ReLU, 10 000 × 1024": relu_recording()}
        for name, layers in recordings.items():
            print(name, f"{np.mean([np.mean(layer == 0) for layer in layers]):.0%} zeros", file=sys.stderr)
            if options.encodings:
                encodings(work, name, layers)
            else:
                compare(work, name, layers, options.rounds)


if __name__ == "__main__":
    main()
