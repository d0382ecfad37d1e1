"""Compares a run of pipelines/tishby-authors.toml with the run that the authors published; prints a Markdown table.

Usage: python scripts/compare_tishby_authors.py outputs/tishby-authors/summary.parquet AUTHORS.csv     (needs polars)

AUTHORS.csv has one row per epoch of the authors' saved job: epoch, then for every layer L the columns IXL, IYL (means over
20 repeats, bits) and sdIXL, sdIYL (their standard deviations). The authors' index e is taken after the update of that epoch,
so it is compared with our epoch e + 1; index 0 is compared with our epoch 1.
"""

import sys
from math import sqrt

import polars as pl

EPOCHS = [0, 400, 1002, 2002, 5008, 9998]
N_RUNS = 20  # in both experiments
# A smaller standard error is caused by rounding: all networks have the same number.
ROUNDING = 1e-9
QUANTITIES = [("IX", "i_xt_bits"), ("IY", "i_ty_bits")]


def main(summary_path: str, authors_path: str) -> None:
    ours = pl.read_parquet(summary_path).filter(pl.col("estimator") == "binning-n-edges-50")
    authors = pl.read_csv(authors_path)
    n_numbers = n_agree = 0
    largest = 0.0
    print("| their epoch | layer | I(X;T), authors | I(X;T), here | standard errors | I(T;Y), authors | I(T;Y), here | standard errors |")
    print("|---|---|---|---|---|---|---|---|")
    for epoch in EPOCHS:
        theirs = authors.filter(pl.col("epoch") == epoch).row(0, named=True)
        for row in ours.filter(pl.col("epoch") == epoch + 1).sort("layer").iter_rows(named=True):
            cells = [str(epoch), str(row["layer"])]
            for key, column in QUANTITIES:
                their_mean, their_std = theirs[f"{key}{row['layer']}"], theirs[f"sd{key}{row['layer']}"]
                mean, std = row[f"{column}_mean"], row[f"{column}_std"]
                difference = abs(mean - their_mean)
                error = sqrt((their_std**2 + std**2) / N_RUNS)
                n_errors = difference / error if error > ROUNDING else 0.0
                agrees = difference <= max(3 * error, 0.1)
                n_numbers, n_agree, largest = n_numbers + 1, n_agree + agrees, max(largest, n_errors)
                mark = "" if agrees else " **disagrees**"
                cells += [f"{their_mean:.3f} ± {their_std:.3f}", f"{mean:.3f} ± {std:.3f}", f"{n_errors:.1f}{mark}"]
            print(f"| {' | '.join(cells)} |")
    print(
        f"\n{n_agree} of {n_numbers} means agree: they differ by at most 3 standard errors or by at most 0.1 bits. "
        f"The largest difference is {largest:.1f} standard errors."
    )


main(*sys.argv[1:])
