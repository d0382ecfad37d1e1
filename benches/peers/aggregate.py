"""Aggregating 840 000 estimates: infoplane beside polars and SciPy, which a user would write; and how long the report takes to open.

    python benches/peers/aggregate.py [FOLDER]      makes FOLDER (default: a temporary one) once, some minutes

Needs a release build, polars, numpy, scipy, and for the last line playwright and Chromium. Prints medians.
"""

import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
from scipy import stats

TOP = Path(__file__).parents[2]
KEYS = ["estimator", "layer", "epoch", "step"]
ROUNDS = 5


def program():
    import os

    target = Path(os.environ.get("CARGO_TARGET_DIR", TOP / "target"))
    return target / "release/infoplane"


def infoplane(folder, *words):
    subprocess.run([program(), *words], cwd=folder, check=True, capture_output=True)


def ours(folder):
    (folder / "outputs/fifty/.meta/summary.json").unlink(missing_ok=True)
    infoplane(folder, "aggregate", "outputs/fifty")


def peer(folder):
    """Means, medians, spreads and intervals of I(X;T) and I(T;Y), with losses and gradients joined; no phases."""
    root = folder / "outputs/fifty"
    estimates = pl.scan_parquet(root / "estimates/*/*.parquet")
    numbers = ["i_xt_bits", "i_ty_bits"]
    over = [getattr(pl.col(name), how)().alias(f"{name}_{how}") for name in numbers for how in ("mean", "median", "std")]
    runs = [pl.col(name).sort_by("run") for name in numbers]
    table = estimates.group_by(KEYS).agg(*over, *runs)
    losses = pl.scan_parquet(root / "recording/epochs/*/*.parquet", hive_partitioning=True)
    losses = losses.group_by("epoch").agg(pl.col("^(loss|accuracy).*$").mean())
    gradients = pl.scan_parquet(root / "recording/gradients/*/*.parquet", hive_partitioning=True)
    gradients = gradients.group_by("layer", "epoch").agg(pl.col("^(gradient|weight).*norm$").mean())
    joined = table.join(losses, on="epoch").join(gradients, on=["layer", "epoch"], how="left").sort(KEYS).collect()
    for name in numbers:
        values = np.array(joined[name].to_list())
        stats.t.interval(0.95, values.shape[1] - 1, values.mean(axis=1), stats.sem(values, axis=1))
    joined.drop(numbers).write_parquet(folder / "peer.parquet")


def seconds(work, folder):
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work(folder)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def opened(page):
    """Seconds until the plane of the page is drawn."""
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-3d-apis", "--no-first-run", "--disable-background-networking"]
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        tab = browser.new_page()

        def drawn(_):
            tab.goto(page.as_uri())
            while not tab.evaluate("!!(window.infoplane && window.infoplane.shown().length)"):
                time.sleep(0.01)

        return seconds(drawn, None)


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "outputs/fifty/summary.parquet").exists():
        infoplane(folder, "run", str(TOP / "benches/fifty.toml"))
    own = seconds(ours, folder)
    # Of all children so far: the largest of them is the one that aggregates, once the experiment is there.
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"infoplane aggregate: {own:.2f} s, at most {memory:.0f} MiB in any call")
    theirs = seconds(peer, folder)
    print(f"polars {pl.__version__} and SciPy: {theirs:.2f} s, {theirs / own:.1f} times")
    infoplane(folder, "report", "outputs/fifty")
    page = folder / "outputs/fifty/report.html"
    print(f"report.html: {page.stat().st_size / 1e6:.1f} MB, drawn after {opened(page):.2f} s")


if __name__ == "__main__":
    main()
