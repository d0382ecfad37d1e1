"""Compares the training of pipelines/saxe-tanh.toml with the authors' log and prints a Markdown table.

Usage: python docs/reproduction_saxe.py outputs/saxe-tanh AUTHORS.csv     (needs polars)

AUTHORS.csv has one row per epoch of one training of the authors' network: epoch, counted from 1, then what Keras logged:
loss (mean cross-entropy, nats) and acc. Keras logs the mean over the batches while the weights move; ours is of the whole
training set after the epoch: half an epoch later, which a gain of 0.01 nats an epoch, the largest, makes 0.005.
"""

import sys
from pathlib import Path

import polars as pl

SHOWN = [1, 2, 5, 10, 20, 51, 101, 201, 501, 1001, 1981, 3001, 3901]
N_SPREADS = 2


def compared(recording: Path, authors: Path) -> pl.DataFrame:
    """One row per recorded epoch and quantity: the authors' value, the mean, spread and range of our runs."""
    ours = pl.read_parquet(recording / "epochs/*/*.parquet", hive_partitioning=True)
    columns = {"loss_train_nats": "loss", "accuracy_train": "acc"}
    runs = ours.select("run", "epoch", *columns).rename(columns).unpivot(index=["run", "epoch"], variable_name="quantity")
    theirs = pl.read_csv(authors).unpivot(index="epoch", variable_name="quantity", value_name="authors")
    value, authors_value = pl.col("value"), pl.col("authors")
    return (
        runs.group_by("epoch", "quantity")
        .agg(
            n_runs=pl.len(), mean=value.mean(), spread=value.std(ddof=1), least=value.min(), most=value.max()
        )
        .join(theirs, on=["epoch", "quantity"])
        .with_columns(
            near=(authors_value - pl.col("mean")).abs() <= N_SPREADS * pl.col("spread"),
            within=authors_value.is_between(pl.col("least"), pl.col("most")),
        )
        .sort("quantity", "epoch", descending=[True, False])
    )


def main(experiment: str, authors: str) -> None:
    rows = compared(Path(experiment) / "recording", Path(authors))
    print("| epoch | quantity | authors | here | least to most | spreads away | within |")
    print("|---|---|---|---|---|---|---|")
    for row in rows.filter(pl.col("epoch").is_in(SHOWN)).iter_rows(named=True):
        away = (row["authors"] - row["mean"]) / row["spread"] if row["spread"] else 0.0
        print(
            f"| {row['epoch']} | {row['quantity']} | {row['authors']:.4f} | {row['mean']:.4f} ± {row['spread']:.4f} "
            f"| {row['least']:.4f} to {row['most']:.4f} | {away:+.1f} | {'yes' if row['within'] else '**no**'} |"
        )
    print()
    for (quantity,), epochs in rows.group_by("quantity", maintain_order=True):
        n, near, within = epochs.height, epochs["near"].sum(), epochs["within"].sum()
        print(
            f"{quantity}: of {n} recorded epochs the authors' value lies in {near} within {N_SPREADS} standard deviations of the mean "
            f"of {epochs['n_runs'].max()} networks, in {within} between the least and the most of them."
        )


main(*sys.argv[1:])
