"""`mi` and `audit` computed again: KSG by brute force in NumPy, the summary of an audit by polars, the page of the leaderboard."""

import json
import math
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

from conftest import TOP


def digamma(n):
    """ψ of whole numbers: −γ + Σ 1/i."""
    return -np.euler_gamma + np.array([np.sum(1 / np.arange(1, k)) for k in np.atleast_1d(n)])


def ksg(x, y, k):
    """Kraskov et al. 2004, algorithm 1, in nats: the maximum norm on standardised coordinates, all distances at once."""
    x, y = ((v - v.mean(axis=0)) / v.std(axis=0) for v in (x, y))
    d_x, d_y = (np.abs(v[:, None] - v[None]).max(axis=2) for v in (x, y))
    joint = np.maximum(d_x, d_y)
    np.fill_diagonal(joint, np.inf)
    radius = np.sort(joint, axis=1)[:, k - 1][:, None]
    counts = [(d < radius).sum(axis=1) - 1 for d in (d_x, d_y)]
    return digamma(k)[0] + digamma(len(x))[0] - np.mean(digamma(counts[0] + 1) + digamma(counts[1] + 1))


def test_mi_of_arrays_and_of_columns_is_ksg_by_brute_force(tmp_path, in_folder):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(400, 2))
    y = x @ [[0.8], [0.1]] + 0.5 * rng.normal(size=(400, 1))
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    pl.DataFrame({"a1": x[:, 0], "a2": x[:, 1], "b": y[:, 0]}).write_parquet(tmp_path / "t.parquet")
    infoplane = in_folder(tmp_path)
    options = "--estimator ksg --set k=1,3,5 --shuffles 0 --halves 0 --json"
    for files in ("x.npy y.npy", "t.parquet --x a* --y b"):
        found = json.loads(infoplane.ok(f"mi {files} {options}"))
        assert found["n_samples"] == 400
        rows = pl.DataFrame(found["estimates"])
        for k, bits in zip((1, 3, 5), rows["value_bits"], strict=True):
            assert bits * math.log(2) == pytest.approx(ksg(x, y, k), abs=1e-9)


def test_the_summary_of_an_audit_follows_from_its_rows_and_makes_the_leaderboard(tmp_path, in_folder):
    line = "audit --estimators ksg,copula,binning --dims 1,3 --samples 200 --seeds 4 --halves 6 --shuffles 5 --out a"
    in_folder(tmp_path).ok(line)
    rows, summary = (pl.read_parquet(tmp_path / f"a/{name}.parquet") for name in ("audit", "audit_summary"))
    error = pl.col("estimate_bits") - pl.col("truth_bits")
    is_inside = pl.col("truth_bits").is_between("low_bits", "high_bits")
    keys = ["estimator", "distribution", "dims", "n_samples"]
    again = rows.group_by(keys).agg(
        pl.col("estimate_bits").mean().alias("mean"),
        pl.col("estimate_bits").std().alias("std"),
        error.mean().alias("bias"),
        (error**2).mean().sqrt().alias("rmse"),
        is_inside.mean().alias("inside"),
        pl.col("estimate_bits").is_between("null_bits_low", "null_bits_high").mean().alias("null"),
    )
    joined = summary.join(again, on=keys, how="left", validate="1:1")
    assert joined.height == summary.height == again.height > 50
    pairs = {
        "mean_bits": "mean",
        "std_bits": "std",
        "bias_bits": "bias",
        "rmse_bits": "rmse",
        "coverage": "inside",
        "within_null": "null",
    }
    for written, computed in pairs.items():
        a, b = joined[written], joined[computed]
        assert a.is_null().to_list() == b.is_null().to_list(), written
        assert (a - b).abs().max() < 1e-9, written
    # −½ log2(1 − ρ²) bits of correlations of 0.9.
    truth = summary.filter(distribution="gaussian-pairs")["truth_bits"] / summary.filter(distribution="gaussian-pairs")["dims"]
    assert (truth + 0.5 * math.log2(1 - 0.81)).abs().max() < 1e-12
    # The page, in a copy of its folder.
    (tmp_path / "scripts").mkdir()
    (tmp_path / "docs/audit").mkdir(parents=True)
    script = tmp_path / "scripts/audit_page.py"
    script.write_text((TOP / "scripts/audit_page.py").read_text(encoding="utf-8"), encoding="utf-8")
    subprocess.run([sys.executable, script, tmp_path / "a"], check=True)
    page = (tmp_path / "docs/audit/leaderboard.md").read_text(encoding="utf-8")
    assert "## 3 dimensions, 200 samples" in page and "| `ksg-k-3` |" in page
    # The distributions on which an estimator works, and the shares within the null, from the summary.
    ksg = summary.filter(pl.col("truth_bits").is_not_null(), estimator="ksg-k-3")
    n_good = sum(error is not None and error <= max(0.1, 0.1 * truth) for error, truth in ksg.select("rmse_bits", "truth_bits").rows())
    assert 0 < n_good < ksg.height and f"| `ksg-k-3` | {n_good} of {ksg.height} |" in page
    subprocess.run([sys.executable, script, "--null", tmp_path / "a", "--truth", tmp_path / "a"], check=True)
    page = (tmp_path / "docs/audit/calibration.md").read_text(encoding="utf-8")
    nulls = ksg.filter(pl.col("truth_bits") == 0).sort("distribution", "dims")["within_null"].to_list()
    assert len(nulls) == 6 and None in nulls
    line = next(line for line in page.splitlines() if line.startswith("| `ksg-k-3` | 200 |"))
    shares = [cell.strip(" *") for cell in line.split("|")[3:-1]]
    assert shares == ["–" if share is None else f"{100 * share:.1f}" for share in nulls]
