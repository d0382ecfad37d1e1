"""Trains tiny NumPy networks and writes what they do as a recording that infoplane can read.

    python examples/record_numpy.py outputs/from-numpy
    infoplane estimate binning outputs/from-numpy
    infoplane aggregate outputs/from-numpy
    infoplane plot all outputs/from-numpy

Needs NumPy and pyarrow, not infoplane. To record another framework, keep the functions below "The tables" and replace
what is below "The networks". Every rule is explained in docs/recording-format.md.
"""

import shutil
import sys
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

# ---------------------------------------------------------------------------------------------------------- The tables

SCHEMA_VERSION = "2"


def values(width):
    """The type of x and t: `width` numbers in every row, none of them null."""
    return pa.list_(pa.field("element", pa.float32(), nullable=False), width)


def schema(table, columns, **more):
    """Columns that hold no nulls, unless their name ends in `?`; what the file is goes into its footer."""
    fields = [pa.field(name.rstrip("?"), kind, nullable=name.endswith("?")) for name, kind in columns.items()]
    footer = {"table": table, "schema_version": SCHEMA_VERSION, **more}
    return pa.schema(fields, metadata={f"infoplane.{key}": str(value) for key, value in footer.items()})


def lists(array):
    """A matrix of n_samples × n_units as a column."""
    flat = pa.array(array.astype(np.float32).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, type=values(array.shape[1]))


def write(root, relative, columns, of):
    path = root / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns, schema=of), path, compression="zstd", write_page_checksum=True)


def write_samples(root, x, y):
    columns = {"sample": pa.int32(), "x": values(x.shape[1]), "y": pa.int32(), "p_y1?": pa.float64()}
    of = schema("samples", columns)
    write(root, "samples.parquet", [np.arange(len(x)), lists(x), y, pa.nulls(len(x), pa.float64())], of)


def write_splits(root, run, is_train):
    of = schema("splits", {"sample": pa.int32(), "split": pa.string()}, run=run)
    parts = ["train" if train else "test" for train in is_train]
    write(root, f"splits/run={run}/part-00000.parquet", [np.arange(len(parts)), parts], of)


def write_epochs(root, run, rows):
    columns = {
        "epoch": pa.int32(),
        "step": pa.int64(),
        "loss_train_nats": pa.float64(),
        "loss_test_nats?": pa.float64(),
        "accuracy_train": pa.float64(),
        "accuracy_test?": pa.float64(),
    }
    of = schema("epochs", columns, run=run)
    write(root, f"epochs/run={run}/part-00000.parquet", list(zip(*rows)), of)


def open_activations(root, run, layer, n_units):
    """A file that grows by one row group per recorded epoch."""
    columns = {"epoch": pa.int32(), "step": pa.int64(), "sample": pa.int32(), "t": values(n_units)}
    path = root / f"activations/layer={layer}/run={run}/part-00000.parquet"
    path.parent.mkdir(parents=True)
    return pq.ParquetWriter(
        path,
        schema("activations", columns, run=run, layer=layer),
        compression="zstd",
        compression_level=1,
        # Numbers that hardly repeat need no dictionary; bytes of equal significance side by side compress better.
        use_dictionary=False,
        column_encoding={
            "epoch": "DELTA_BINARY_PACKED",
            "step": "DELTA_BINARY_PACKED",
            "sample": "DELTA_BINARY_PACKED",
            "t.list.element": "BYTE_STREAM_SPLIT",
        },
        # Readers find an epoch by the smallest and largest `epoch` of each row group.
        write_statistics=["epoch", "step", "sample"],
        write_page_checksum=True,
    )


def append_activations(file, epoch, step, t):
    """All samples, in the order of the samples table, at one epoch: one row group, however many there are."""
    n = len(t)
    columns = [np.full(n, epoch), np.full(n, step), np.arange(n), lists(t)]
    file.write_table(pa.table(columns, schema=file.schema), row_group_size=n)


# -------------------------------------------------------------------------------------------------------- The networks

WIDTHS = [8, 6, 4, 2]
N_RUNS = 2
BATCH = 32
LEARNING_RATE = 0.2
RECORDED = [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144]


def data():
    """All patterns of 8 bits, as ±1; the label is the exclusive or of the first two."""
    bits = np.arange(256)[:, None] >> np.arange(8) & 1
    return 2.0 * bits - 1.0, bits[:, 0] ^ bits[:, 1]


def forward(weights, x):
    """What every layer makes of x: tanh, and softmax at the output."""
    layers = [x]
    for kernel, bias in weights[:-1]:
        layers.append(np.tanh(layers[-1] @ kernel + bias))
    kernel, bias = weights[-1]
    p = np.exp(layers[-1] @ kernel + bias)
    return layers[1:] + [p / p.sum(axis=1, keepdims=True)]


def descend(weights, x, y):
    """One step of gradient descent on the mean cross-entropy."""
    layers = [x] + forward(weights, x)
    delta = (layers[-1] - np.eye(2)[y]) / len(x)
    for layer in reversed(range(len(weights))):
        kernel, bias = weights[layer]
        below = layers[layer]
        delta_below = delta @ kernel.T * (1 - below**2)
        kernel -= LEARNING_RATE * below.T @ delta
        bias -= LEARNING_RATE * delta.sum(axis=0)
        delta = delta_below


def fit(p, y):
    """Mean cross-entropy in nats, and accuracy."""
    return -np.log(p[np.arange(len(y)), y]).mean(), (p.argmax(axis=1) == y).mean()


def record_run(root, run, x, y, rng):
    is_train = rng.permutation(len(x)) < 0.85 * len(x)
    write_splits(root, run, is_train)
    pairs = zip(WIDTHS, WIDTHS[1:])
    weights = [(rng.normal(0, n_below**-0.5, (n_below, n)), np.zeros(n)) for n_below, n in pairs]
    step, epochs = 0, []
    with ExitStack() as stack:
        # Layer 1 is the first above the input, the last is the output.
        files = [open_activations(root, run, 1 + i, n) for i, n in enumerate(WIDTHS[1:])]
        for file in files:
            stack.enter_context(file)
        for epoch in range(RECORDED[-1] + 1):
            # Epoch 0 is the untrained network.
            if epoch > 0:
                order = rng.permutation(np.flatnonzero(is_train))
                for first in range(0, len(order), BATCH):
                    batch = order[first : first + BATCH]
                    descend(weights, x[batch], y[batch])
                    step += 1
            if epoch in RECORDED:
                layers = forward(weights, x)
                for file, t in zip(files, layers):
                    append_activations(file, epoch, step, t)
                train, test = (fit(layers[-1][part], y[part]) for part in (is_train, ~is_train))
                epochs.append((epoch, step, train[0], test[0], train[1], test[1]))
    write_epochs(root, run, epochs)


def main(experiment):
    recording = experiment / "recording"
    if recording.exists():
        sys.exit(f"{recording} is there already; remove it or choose another folder")
    # Renamed when it is whole, so that nobody takes a part of it for all of it.
    unfinished = experiment / "recording.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    x, y = data()
    write_samples(unfinished, x, y)
    for run in range(N_RUNS):
        record_run(unfinished, f"r{run:04}", x, y, np.random.default_rng(run))
    unfinished.rename(recording)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python examples/record_numpy.py FOLDER, for example outputs/from-numpy")
    main(Path(sys.argv[1]))
