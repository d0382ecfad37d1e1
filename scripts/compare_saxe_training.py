"""Compares the training of pipelines/saxe-tanh.toml with the log of the authors; prints a Markdown table.

Usage: python scripts/compare_saxe_training.py outputs/saxe-tanh AUTHORS.csv     (needs polars)

AUTHORS.csv has one row per epoch of one training of the authors' network: epoch, counted from 1, then what Keras logged:
loss (mean cross-entropy, nats) and acc. Keras logs the mean over the batches while the weights change; ours is computed on the
whole training set after the epoch: half an epoch later. At the largest gain, 0.01 nats per epoch, this makes 0.005 nats.
"""

import sys
from pathlib import Path

import polars as pl

SHOWN = [1, 2, 5, 10, 20, 51, 101, 201, 501, 1001, 1981, 3001, 3901]
N_STD = 2


def compared(recording: Path, authors: Path) -> pl.DataFrame:
    """One row per recorded epoch and quantity: the authors' value, and mean, standard deviation and range of our runs."""
    ours = pl.read_parquet(recording / "epochs/*/*.parquet", hive_partitioning=True)
    columns = {"loss_train_nats": "loss", "accuracy_train": "acc"}
    runs = ours.select("run", "epoch", *columns).rename(columns).unpivot(index=["run", "epoch"], variable_name="quantity")
    theirs = pl.read_csv(authors).unpivot(index="epoch", variable_name="quantity", value_name="authors")
    value, authors_value = pl.col("value"), pl.col("authors")
    return (
        runs.group_by("epoch", "quantity")
        .agg(n_runs=pl.len(), mean=value.mean(), std=value.std(ddof=1), smallest=value.min(), largest=value.max())
        .join(theirs, on=["epoch", "quantity"])
        .with_columns(
            is_near=(authors_value - pl.col("mean")).abs() <= N_STD * pl.col("std"),
            is_within=authors_value.is_between(pl.col("smallest"), pl.col("largest")),
        )
        .sort("quantity", "epoch", descending=[True, False])
    )


def main(experiment: str, authors: str) -> None:
    rows = compared(Path(experiment) / "recording", Path(authors))
    print("| epoch | quantity | authors | here, mean ± std | smallest to largest | difference / std | within the range |")
    print("|---|---|---|---|---|---|---|")
    for row in rows.filter(pl.col("epoch").is_in(SHOWN)).iter_rows(named=True):
        n_std = (row["authors"] - row["mean"]) / row["std"] if row["std"] else 0.0
        print(
            f"| {row['epoch']} | {row['quantity']} | {row['authors']:.4f} | {row['mean']:.4f} ± {row['std']:.4f} "
            f"| {row['smallest']:.4f} to {row['largest']:.4f} | {n_std:+.1f} | {'yes' if row['is_within'] else '**no**'} |"
        )
    print()
    for (quantity,), epochs in rows.group_by("quantity", maintain_order=True):
        n, n_near, n_within = epochs.height, epochs["is_near"].sum(), epochs["is_within"].sum()
        print(
            f"{quantity}: at {n_near} of {n} recorded epochs the authors' value is within {N_STD} standard deviations of the mean "
            f"of {epochs['n_runs'].max()} networks, at {n_within} it is within their range."
        )


main(*sys.argv[1:])
