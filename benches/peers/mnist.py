"""Seconds per training epoch of the network 784-1024-20-20-20-10 on images: infoplane against PyTorch, two threads each.

    python -m venv v && v/bin/pip install -r benches/peers/requirements.txt
    v/bin/python benches/peers/mnist.py t10k-images-idx3-ubyte.gz

Same work for both: the first 8000 images of an IDX file (without one, as many random ones), divided by 255, tanh or ReLU,
softmax with mean cross-entropy, plain SGD, float32, batches of 128 (the last one of 64), shuffled in every epoch. Labels
are the sample's number modulo 10: what an epoch costs does not depend on them. Every round measures both, so that a change
in the load of the machine hits both; the table gives medians over 3 rounds, or as many as `--rounds` says. Measure on a
machine that does nothing else: PyTorch's threads wait for each other, and on busy cores it is ten times slower.
"""

import argparse
import os

# Two threads. The libraries read these when they are imported.
N_THREADS = 2
os.environ.update(OMP_NUM_THREADS=str(N_THREADS), MKL_NUM_THREADS=str(N_THREADS))

import gzip
import platform
import re
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch

torch.set_num_threads(N_THREADS)

WIDTHS = [784, 1024, 20, 20, 20, 10]
ACTIVATIONS = {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}
N_TRAIN, BATCH_SIZE, LEARNING_RATE = 8000, 128, 1e-3
REPEATS = 5  # epochs that are measured in one round, after a first one, which warms up; as in benches/mnist.rs


def images_of(path):
    """The bytes of an IDX file of images of 28 × 28, unpacked."""
    if path is None:
        pixels = np.random.default_rng(1).integers(0, 256, N_TRAIN * 784, dtype=np.uint8)
        return struct.pack(">4I", 0x803, N_TRAIN, 28, 28) + pixels.tobytes()
    content = path.read_bytes()
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


class TorchNet:
    def __init__(self, pixels, activation):
        self.x = torch.from_numpy(pixels.astype(np.float32) / 255)
        self.y = torch.arange(N_TRAIN) % 10
        torch.manual_seed(1)
        layers = [module for shape in zip(WIDTHS, WIDTHS[1:]) for module in (torch.nn.Linear(*shape), activation())]
        self.net = torch.nn.Sequential(*layers[:-1])  # softmax is part of cross_entropy
        for layer in layers[::2]:
            torch.nn.init.xavier_uniform_(layer.weight)
            torch.nn.init.zeros_(layer.bias)
        self.optimiser = torch.optim.SGD(self.net.parameters(), LEARNING_RATE, fused=True)

    def epoch(self):
        for batch in torch.randperm(N_TRAIN).split(BATCH_SIZE):
            self.optimiser.zero_grad()
            z = self.net(self.x.index_select(0, batch))
            torch.nn.functional.cross_entropy(z, self.y.index_select(0, batch)).backward()
            self.optimiser.step()


class TorchProducts:
    """Nothing but the two large matrix products of every batch: what an epoch of PyTorch cannot be faster than."""

    def __init__(self, pixels):
        self.x = torch.from_numpy(pixels[:BATCH_SIZE].astype(np.float32) / 255)
        self.kernel, self.delta = torch.ones(WIDTHS[1], WIDTHS[0]), torch.ones(BATCH_SIZE, WIDTHS[1])
        self.z, self.gradient = torch.empty_like(self.delta), torch.empty_like(self.kernel)

    def epoch(self):
        for start in range(0, N_TRAIN, BATCH_SIZE):
            n = min(BATCH_SIZE, N_TRAIN - start)
            torch.mm(self.x[:n], self.kernel.T, out=self.z[:n])
            torch.mm(self.delta[:n].T, self.x[:n], out=self.gradient)


def seconds_per_epoch(work, clock=time.perf_counter):
    times = []
    for _ in range(1 + REPEATS):
        start = clock()
        work.epoch()
        times.append(clock() - start)
    return median(times[1:])


def infoplane(*options):
    root = Path(__file__).resolve().parents[2]
    command = ["cargo", "bench", "--quiet", "--bench", "mnist", *options]
    environment = {**os.environ, "RAYON_NUM_THREADS": str(N_THREADS)}
    finished = subprocess.run(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return dict(re.findall(r"(\w+): ([\d.]+) s", finished.stdout))


def infoplane_epochs(images):
    seconds = infoplane("--", str(images))
    return [float(seconds[name]) for name in ACTIVATIONS]


def main():
    parser = argparse.ArgumentParser(description="seconds per epoch on images: infoplane beside PyTorch")
    parser.add_argument("images", nargs="?", type=Path, help="IDX file of images, gzipped or not; default: random images")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only-torch", action="store_true", help="with processor time, which another load disturbs less")
    arguments = parser.parse_args()

    content = images_of(arguments.images)
    n_images = int.from_bytes(content[4:8], "big")
    if n_images < N_TRAIN:
        parser.error(f"{arguments.images} holds {n_images} images; give at least {N_TRAIN}")
    pixels = np.frombuffer(content, np.uint8, offset=16)[: N_TRAIN * 784].reshape(N_TRAIN, 784)

    def torch_epochs(clock=time.perf_counter):
        nets = [TorchNet(pixels, activation) for activation in ACTIVATIONS.values()]
        return [seconds_per_epoch(net, clock) for net in nets]

    peers = {
        "PyTorch": torch_epochs,
        "PyTorch, the large products alone": lambda: 2 * [seconds_per_epoch(TorchProducts(pixels))],
    }
    with tempfile.TemporaryDirectory() as folder:
        if arguments.only_torch:
            peers["PyTorch, processor time"] = lambda: torch_epochs(time.process_time)
        else:
            unpacked = Path(folder) / "images.idx"
            unpacked.write_bytes(content)
            infoplane("--no-run")  # compiles
            peers = {"infoplane": lambda: infoplane_epochs(unpacked), **peers}
        results = {name: [] for name in peers}
        for _ in range(arguments.rounds):
            for name, measure in peers.items():
                results[name].append(measure())
                print(name, *(f"{seconds:.3f}" for seconds in results[name][-1]), file=sys.stderr)

    cpuinfo = Path("/proc/cpuinfo")  # Linux; elsewhere Python's own, vaguer answer
    cpu = re.search(r"model name\s*: (.+)", cpuinfo.read_text() if cpuinfo.exists() else "")
    print(cpu[1] if cpu else platform.processor(), end="; ")
    print(f"{N_THREADS} threads, Python {platform.python_version()}, PyTorch {torch.__version__}\n")
    print("| implementation | tanh, s | ReLU, s | times slower, tanh | times slower, ReLU |")
    print("|---|---|---|---|---|")
    medians = {name: np.median(result, axis=0) for name, result in results.items()}
    for name, seconds in medians.items():
        slower = seconds / next(iter(medians.values()))
        print(f"| {name} | {seconds[0]:.3f} | {seconds[1]:.3f} | {slower[0]:.2g} | {slower[1]:.2g} |")


if __name__ == "__main__":
    main()
