"""Statistics over runs, against SciPy: intervals, the sign test and Wilcoxon's, medians."""

import numpy as np
import polars as pl
import pytest
from scipy import stats

# Few epochs and a large learning rate, so that layers differ: some compress, some do not, some numbers are 0 or tied.
PIPELINE = """seed = 3
runs = 9
[data]
name = "tishby"
train_fraction = 0.5
[network]
hidden = [6, 4, 3]
activation = "tanh"
[training]
optimiser = "adam"
learning_rate = 5e-3
batch = 256
epochs = 60
[record]
epochs = { log_spaced = 12 }
[[estimate]]
estimator = "binning"
n_edges = [5, 30]
"""


@pytest.fixture(scope="module")
def experiment(in_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("statistics")
    (folder / "p.toml").write_text(PIPELINE)
    in_folder(folder).ok("run p.toml")
    return folder / "outputs/p"


def rows(experiment):
    """Every row of the compression with the numbers of its runs."""
    phases = pl.read_parquet(experiment / "phases.parquet")
    for row in pl.read_parquet(experiment / "compression.parquet").iter_rows(named=True):
        mine = phases.filter(pl.col("estimator") == row["estimator"], pl.col("layer") == row["layer"])
        yield row, mine["compression_bits"].to_numpy()


def test_compression_is_the_value_at_the_peak_of_the_other_half_less_the_last(experiment):
    phases = pl.read_parquet(experiment / "phases.parquet")
    for name in phases["estimator"].unique():
        estimates = pl.read_parquet(experiment / f"estimates/{name}/*.parquet")
        for layer in phases["layer"].unique():
            table = estimates.filter(pl.col("layer") == layer).pivot("run", index="epoch", values="i_xt_bits").sort("epoch")
            epochs, values = table["epoch"].to_numpy(), table.drop("epoch")
            runs = sorted(values.columns)
            for i, run in enumerate(runs):
                others = values.select(runs[(i + 1) % 2 :: 2]).to_numpy().mean(axis=1)
                peak = int(np.argmax(np.round(others, 12)))
                row = phases.filter(
                    pl.col("estimator") == name, pl.col("layer") == layer, pl.col("run") == run
                ).row(0, named=True)
                own = values[run].to_numpy()
                assert row["others_peak_epoch"] == epochs[peak]
                assert row["compression_bits"] == pytest.approx(own[peak] - own[-1], abs=1e-12)
                assert row["drop_bits"] == pytest.approx(own.max() - own[-1], abs=1e-12)


def test_intervals_are_students(experiment):
    for row, numbers in rows(experiment):
        assert row["compression_bits_mean"] == pytest.approx(numbers.mean(), abs=1e-12)
        assert row["compression_bits_std"] == pytest.approx(numbers.std(ddof=1), abs=1e-12)
        if numbers.std() > 0:
            low, high = stats.t.interval(0.95, len(numbers) - 1, numbers.mean(), stats.sem(numbers))
            assert (row["compression_bits_low"], row["compression_bits_high"]) == pytest.approx((low, high), abs=1e-9)


def test_tests_are_exact(experiment):
    n_tested = 0
    for row, numbers in rows(experiment):
        left = numbers[numbers != 0]
        if len(left) == 0:
            assert row["sign_p"] is None and row["p"] is None
            continue
        n_tested += 1
        sign = stats.binomtest(int((left > 0).sum()), len(left)).pvalue
        assert row["sign_p"] == pytest.approx(sign, rel=1e-9)
        # All 2^n signs: exact also where ranks are tied.
        exact = stats.PermutationMethod(n_resamples=np.inf)
        ranks = stats.wilcoxon(left, method=exact).pvalue
        assert row["p"] == pytest.approx(ranks, rel=1e-9)
    assert n_tested >= 4


def test_summary_is_means_medians_and_intervals(experiment):
    estimates = pl.read_parquet(experiment / "estimates/*/*.parquet")
    keys = ["estimator", "layer", "epoch", "step"]
    mine = estimates.group_by(keys).agg(
        pl.col("i_xt_bits").mean().alias("mean"), pl.col("i_xt_bits").median().alias("median"), pl.col("i_xt_bits")
    )
    joined = pl.read_parquet(experiment / "summary.parquet").join(mine, on=keys)
    assert joined.height == mine.height
    assert np.allclose(joined["i_xt_bits_mean"], joined["mean"], atol=1e-12)
    assert np.allclose(joined["i_xt_bits_median"], joined["median"], atol=1e-12)
    for row in joined.filter(pl.col("layer") == 3).iter_rows(named=True):
        numbers = np.array(row["i_xt_bits"])
        low, high = stats.t.interval(0.95, len(numbers) - 1, loc=numbers.mean(), scale=stats.sem(numbers))
        assert row["i_xt_bits_low"] == pytest.approx(low, rel=1e-9)
        assert row["i_xt_bits_high"] == pytest.approx(high, rel=1e-9)


def test_losses_and_gradients_are_those_of_the_recording(experiment):
    summary = pl.read_parquet(experiment / "summary.parquet").filter(pl.col("estimator") == "binning-n-edges-30")
    epochs = pl.read_parquet(experiment / "recording/epochs/*/*.parquet", hive_partitioning=True)
    loss = epochs.group_by("epoch").agg(pl.col("loss_train_nats").mean())
    joined = summary.join(loss, on="epoch")
    assert joined.height == summary.height and np.allclose(joined["loss_train_nats_mean"], joined["loss_train_nats"])
    gradients = pl.read_parquet(experiment / "recording/gradients/*/*.parquet", hive_partitioning=True)
    ratio = (pl.col("gradient_mean_norm") / pl.col("gradient_std_norm")).mean().alias("snr")
    joined = summary.join(gradients.group_by("layer", "epoch", "step").agg(ratio), on=["layer", "epoch", "step"])
    assert joined.height == summary.height
    assert np.allclose(joined["gradient_snr_mean"].to_numpy(), joined["snr"].to_numpy(), equal_nan=True)
