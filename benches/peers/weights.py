"""Milliseconds of processor time of the gradients of single samples: infoplane on one thread against torch.func on one and on two.

    python -m venv v && v/bin/pip install -r benches/peers/requirements.txt && v/bin/python benches/peers/weights.py

Same work for all: the network 12-10-7-5-4-3-2, tanh, softmax cross-entropy, all 4096 patterns of 12 bits, float64: 4096
gradients of 294 numbers. infoplane gives them as one matrix of 9.6 MB, or lends them some hundred samples at a time, which stay in
the cache; PyTorch is also given blocks of samples (`chunk_size`), and returns all of them.

Every round measures all, so that a change in the load of the machine hits all; the table gives medians over 3 rounds, or as many
as the argument says. What `cargo bench` prints is time on the clock of one thread, at least its processor time: a busy
machine makes infoplane look slower here, not faster.
"""

import os

# The libraries read these when they are imported.
os.environ.update(OMP_NUM_THREADS="2", OPENBLAS_NUM_THREADS="2", MKL_NUM_THREADS="2", VECLIB_MAXIMUM_THREADS="2")

import platform
import re
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import torch
from torch.func import grad, vmap

torch.set_default_dtype(torch.float64)

WIDTHS = [12, 10, 7, 5, 4, 3, 2]
REPEATS = 51  # as in benches/weights.rs

X = ((torch.arange(4096)[:, None] >> torch.arange(11, -1, -1)) & 1).double()
Y = (X.sum(1) > 5).long()
WEIGHTS = [(torch.randn(units, below) * below**-0.5, torch.zeros(units)) for below, units in zip(WIDTHS, WIDTHS[1:])]


def loss(weights, x, y):
    for kernel, bias in weights[:-1]:
        x = torch.tanh(torch.nn.functional.linear(x, kernel, bias))
    return torch.nn.functional.cross_entropy(torch.nn.functional.linear(x, *weights[-1]), y)


def with_torch(n_threads, chunk_size=None):
    gradients = vmap(grad(loss), (None, 0, 0), chunk_size=chunk_size)

    def measure():
        torch.set_num_threads(n_threads)
        times = []
        for _ in range(1 + REPEATS):
            start = time.process_time()
            gradients(WEIGHTS, X, Y)
            times.append((time.process_time() - start) * 1e3)
        return median(times[1:])  # the first repeat warms up

    return measure


def infoplane(*options):
    command = ["cargo", "bench", "--quiet", "--bench", "weights", "--no-default-features", *options]
    root = Path(__file__).resolve().parents[2]
    return subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True, check=True).stdout


def main():
    n_rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    infoplane("--no-run")  # compiles
    peers = {
        "torch.func.vmap(grad), 1 thread": with_torch(1),
        "torch.func.vmap(grad), 2 threads": with_torch(2),
        "torch.func.vmap(grad), 1 thread, chunks of 512": with_torch(1, 512),
    }
    times = {}
    for _ in range(n_rounds):
        for what, ms in re.findall(r"(.*): ([\d.]+) ms", infoplane()):
            times.setdefault(f"infoplane: {what}", []).append(float(ms))
        for name, measure in peers.items():
            times.setdefault(name, []).append(measure())
    print(f"{platform.processor() or platform.machine()}, PyTorch {torch.__version__}, median of {n_rounds} rounds")
    for name, ms in times.items():
        print(f"{median(ms):8.3f} ms  {name}")


if __name__ == "__main__":
    main()
