"""Milliseconds of processor time per estimate of one layer: infoplane on one thread against NumPy and PyTorch on two.

    python -m venv v && v/bin/pip install -r benches/peers/requirements.txt && v/bin/python benches/peers/estimators.py

- Kernel sums: both Kolchinsky-Tracey bounds on H(T) and on H(T|Y), 4096 samples of 10 units, 10 classes, noise 0.1.
- Codes: 30 bins over [-1, 1], I(X;T) and I(T;Y), 4096 x 10 (2 classes) and 60000 x 1024 (10 classes); 8 bits for
  quantised networks, 60000 x 1024. Values as in benches/binning.rs.

Every round measures all, so that a change in the load of the machine hits all; the tables give medians over the rounds,
of which the argument says the number (1 without it: a round takes some minutes, 3 GB of memory, and builds the
benchmarks before the first). The peers' time is that of all their threads together. What `cargo bench` prints is time on
the clock of one thread, at least its processor time: a busy machine makes infoplane look slower here, not faster.
"""

import os

# Two threads. The libraries read these when they are imported.
os.environ.update(OMP_NUM_THREADS="2", OPENBLAS_NUM_THREADS="2", MKL_NUM_THREADS="2", VECLIB_MAXIMUM_THREADS="2")

import platform
import re
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch
from scipy.special import logsumexp

torch.set_num_threads(2)

ROOT = Path(__file__).resolve().parents[2]
VARIANCE, N_BINS, BITS = 0.1, 30, 8
REPEATS = {4096: 5, 60_000: 1}  # in a round, after one that warms up where there are several

rng = np.random.default_rng(1)


def golden_layer():
    """The first layer of the net of benches/binning.rs, on all patterns of 12 bits."""
    x = (np.arange(4096)[:, None] >> np.arange(11, -1, -1)) & 1
    weights = np.sin(1 + 12.9898 * np.arange(12)[:, None] + 78.233 * np.arange(10))
    return np.tanh(x @ weights + 0.1 * np.cos(np.arange(10))).astype(np.float32)


def even_values():
    return rng.uniform(-1, 1, (4096, 10)).astype(np.float32)


def wide_layer():
    return np.tanh(rng.uniform(-2, 2, (60_000, 1024)).astype(np.float32))


# Kernel sums. Each returns I(X;T) by both bounds, upper first, then I(T;Y) by both, in nats.


def released_distances(x):
    squares = np.sum(np.square(x), axis=1, keepdims=True)
    return squares + squares.T - 2 * np.dot(x, x.T)


def released_entropy(x, variance, scale):
    """`entropy_estimator_kl` (scale 1) and `_bd` (scale 4) of the code of Saxe et al. 2018, with NumPy for Keras."""
    n, n_units = x.shape
    exponents = released_distances(x) / (2 * scale * variance)
    log_densities = logsumexp(-exponents, axis=1) - np.log(n) - n_units / 2 * np.log(2 * np.pi * variance)
    return n_units / 2 - np.mean(log_densities)


def released(x, y):
    """One matrix of distances for every bound and set of samples, in f64."""
    x = x.astype(np.float64)
    h_t_given_x = x.shape[1] / 2 * np.log(2 * np.pi * np.e * VARIANCE)
    i_xt, i_ty = [], []
    for scale in (1, 4):
        h_t = released_entropy(x, VARIANCE, scale)
        within = sum(np.mean(y == c) * released_entropy(x[y == c], VARIANCE, scale) for c in np.unique(y))
        i_xt.append(h_t - h_t_given_x)
        i_ty.append(h_t - within)
    return i_xt + i_ty


def numpy_in_place(dtype):
    """One matrix for everything; the upper bound's kernel is the fourth power of the lower's."""

    def estimate(x, y):
        x = x.astype(dtype)
        squares = np.einsum("ij,ij->i", x, x)
        kernel = x @ x.T
        kernel *= -2
        kernel += squares[:, None]
        kernel += squares
        kernel *= -1 / (8 * VARIANCE)
        np.exp(kernel, out=kernel)
        lower = informations(kernel.sum(axis=1, dtype=np.float64), kernel @ np.eye(y.max() + 1, dtype=dtype)[y], y)
        np.square(kernel, out=kernel)
        np.square(kernel, out=kernel)
        upper = informations(kernel.sum(axis=1, dtype=np.float64), kernel @ np.eye(y.max() + 1, dtype=dtype)[y], y)
        return [upper[0], lower[0], upper[1], lower[1]]

    return estimate


def with_torch(dtype):
    def estimate(x, y):
        x = torch.from_numpy(x).to(dtype)
        one_hot = torch.eye(y.max() + 1, dtype=dtype)[torch.from_numpy(y)]
        squares = (x * x).sum(dim=1)
        kernel = torch.mm(x, x.T).mul_(-2).add_(squares[:, None]).add_(squares).mul_(-1 / (8 * VARIANCE)).exp_()
        lower = informations(kernel.sum(dim=1, dtype=torch.float64).numpy(), (kernel @ one_hot).numpy(), y)
        kernel.square_().square_()
        upper = informations(kernel.sum(dim=1, dtype=torch.float64).numpy(), (kernel @ one_hot).numpy(), y)
        return [upper[0], lower[0], upper[1], lower[1]]

    return estimate


def informations(sums, sums_of_classes, y):
    n, sizes = len(y), np.bincount(y)
    i_xt = -np.log(sums / n).mean()
    return i_xt, i_xt + np.log(sums_of_classes[np.arange(n), y] / sizes[y]).mean()


# Codes. Each returns I(X;T) and I(T;Y), in nats.

EDGES = np.linspace(-1, 1, N_BINS + 1).astype(np.float32)


def as_void(codes):
    codes = np.ascontiguousarray(codes)
    return codes.view(np.dtype((np.void, codes.dtype.itemsize * codes.shape[1]))).reshape(-1)


def entropy(rows):
    p = np.unique(rows, return_counts=True)[1] / len(rows)
    return -(p * np.log(p)).sum()


def by_rows(rows, y):
    h_t = entropy(rows)
    return h_t, h_t - sum(np.mean(y == c) * entropy(rows[y == c]) for c in np.unique(y))


def released_bins(x, y):
    """Every value is replaced by its edge, as the code of Shwartz-Ziv & Tishby 2017 does it."""
    return by_rows(as_void(EDGES[np.digitize(x, EDGES) - 1]), y)


def bytes_of_bins(x, y):
    """The same with one byte a value."""
    return by_rows(as_void((np.digitize(x, EDGES) - 1).astype(np.uint8)), y)


def quantised(x, y):
    low, high = x.min(), x.max()
    return by_rows(as_void(np.rint((x - low) * ((2**BITS - 1) / (high - low))).astype(np.uint8)), y)


KERNEL_SUMS = {
    "NumPy f64, as released": released,
    "NumPy f64, in place": numpy_in_place(np.float64),
    "NumPy f32, in place": numpy_in_place(np.float32),
    "PyTorch f64, in place": with_torch(torch.float64),
    "PyTorch f32, in place": with_torch(torch.float32),
}
BINS = {"NumPy, as released": released_bins, "NumPy, bytes": bytes_of_bins}
QUANTISED = {"NumPy, bytes": quantised}


def check_same_work():
    """The peers agree with each other; that infoplane agrees with NumPy is tested in tests/interop."""
    x, y = golden_layer(), rng.integers(0, 10, 4096)
    expected = released(x, y)
    for name, estimate in KERNEL_SUMS.items():
        np.testing.assert_allclose(estimate(x, y), expected, rtol=0, atol=2e-5, err_msg=name)
    np.testing.assert_allclose(released_bins(x, y), bytes_of_bins(x, y), rtol=0, atol=1e-12)
    # The entropy of 30 bins, known from elsewhere.
    assert abs(released_bins(x, y)[0] / np.log(2) - 11.343125205305) < 1e-9


def milliseconds(estimate, x, y):
    n_repeats, times = REPEATS[len(x)], []
    for _ in range(n_repeats + (n_repeats > 1)):
        start = time.process_time()
        estimate(x, y)
        times.append((time.process_time() - start) * 1e3)
    return median(times[-n_repeats:])


def cargo_bench(name, *options):
    command = ["cargo", "bench", "--quiet", "--no-default-features", "--bench", name, *options]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout


def found(pattern, text, what):
    match = re.search(pattern, text, re.DOTALL)
    if not match:
        sys.exit(f"{what} is not among what the benchmark printed; look for it and change this file:\n{text}")
    return float(match[1])


def of_infoplane():
    """Milliseconds by table, from the lines that the benchmarks print."""
    kernels, codes = cargo_bench("estimators"), cargo_bench("binning")
    line = r"(?m:^N = 4096, d = 10, {}, 1 labellings: ([\d.]+) ms)"
    of_size = {n: re.search(rf"(?ms)^{n} × {d}$(.+?)(?=^\d|\Z)", codes) for n, d in ((4096, 10), (60_000, 1024))}

    def of_rule(n, rule):
        section = of_size[n][1] if of_size[n] else ""
        return found(rf"(?m:^ *{re.escape(rule)} +([\d.]+) ms)", section, f"`{rule}` of {n} samples")

    binned, levels = "30 bins", "8 bits"
    return {
        KERNELS: {f"infoplane {f}": found(line.format(f), kernels, f"kernel sums in {f}") for f in ("f32", "f64")},
        SMALL_BINS: {"infoplane": of_rule(4096, binned)},
        LARGE_BINS: {"infoplane": of_rule(60_000, binned)},
        LEVELS: {"infoplane": of_rule(60_000, levels)},
    }


KERNELS = "kernel sums, 4096 × 10, both bounds with H(T\\|Y)"
SMALL_BINS, LARGE_BINS = "30 bins, 4096 × 10", "30 bins, 60000 × 1024"
LEVELS = "quantised, 8 bits, 60000 × 1024"


def main():
    n_rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    check_same_work()
    for name in ("estimators", "binning"):
        cargo_bench(name, "--no-run")  # compiles
    even, golden, wide = even_values(), golden_layer(), wide_layer()
    cases = [
        (KERNELS, KERNEL_SUMS, even, rng.integers(0, 10, 4096)),
        (SMALL_BINS, BINS, golden, rng.integers(0, 2, 4096)),
        (LARGE_BINS, BINS, wide, rng.integers(0, 10, 60_000)),
        (LEVELS, QUANTISED, wide, rng.integers(0, 10, 60_000)),
    ]

    results = {}
    for _ in range(n_rounds):
        for table, of_table in of_infoplane().items():
            for name, ms in of_table.items():
                results.setdefault(table, {}).setdefault(name, []).append(ms)
        for table, peers, x, y in cases:
            for name, estimate in peers.items():
                results[table].setdefault(name, []).append(milliseconds(estimate, x, y))
                print(table, name, f"{results[table][name][-1]:.3g} ms", sep=": ", file=sys.stderr)

    cpuinfo = Path("/proc/cpuinfo")  # Linux; elsewhere Python's own, vaguer answer
    cpu = re.search(r"model name\s*: (.+)", cpuinfo.read_text() if cpuinfo.exists() else "")
    versions = f"NumPy {np.__version__}, PyTorch {torch.__version__}"
    print(f"{cpu[1] if cpu else platform.processor()}; Python {platform.python_version()}, {versions}")
    for table, of_table in results.items():
        medians = {name: median(times) for name, times in of_table.items()}
        fastest_of_ours = min(ms for name, ms in medians.items() if name.startswith("infoplane"))
        print(f"\n| {table} | processor time, ms | times infoplane's |\n|---|---|---|")
        for name, ms in medians.items():
            print(f"| {name} | {ms:.3g} | {ms / fastest_of_ours:.3g} |")


if __name__ == "__main__":
    main()
