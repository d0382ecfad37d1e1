"""Compares our run of pipelines/tishby-authors.toml with the authors' saved one and prints a Markdown table.

Usage: python docs/reproduction.py outputs/tishby-authors/summary.parquet AUTHORS.csv     (needs polars)

AUTHORS.csv has one row per epoch of the authors' saved job: epoch, then for every layer L the columns IXL, IYL (means over
20 repeats, bits) and sdIXL, sdIYL. Their index e is taken after that epoch's update: our epoch e + 1; index 0 is compared
with our epoch 1.
"""

import sys
from math import sqrt

import polars as pl

EPOCHS = [0, 400, 1002, 2002, 5008, 9998]
N_RUNS = 20  # ours and theirs
ROUNDED = 1e-9  # a smaller spread is one of rounding: all networks have the same number


def main(summary_path: str, authors_path: str) -> None:
    ours = pl.read_parquet(summary_path).filter(pl.col("estimator") == "binning-n-edges-50")
    authors = pl.read_csv(authors_path)
    n_agree = n_all = 0
    print("| their epoch | layer | quantity | authors | here | difference | standard errors | agrees |")
    print("|---|---|---|---|---|---|---|---|")
    for epoch in EPOCHS:
        theirs = authors.filter(pl.col("epoch") == epoch).row(0, named=True)
        for row in ours.filter(pl.col("epoch") == epoch + 1).sort("layer").iter_rows(named=True):
            for quantity, key, column in [("I(X;T)", "IX", "i_xt_bits"), ("I(T;Y)", "IY", "i_ty_bits")]:
                mean, spread = theirs[f"{key}{row['layer']}"], theirs[f"sd{key}{row['layer']}"]
                difference = row[f"{column}_mean"] - mean
                error = sqrt((spread**2 + row[f"{column}_std"] ** 2) / N_RUNS)
                agrees = abs(difference) <= max(3 * error, 0.1)
                n_agree, n_all = n_agree + agrees, n_all + 1
                print(
                    f"| {epoch} | {row['layer']} | {quantity} | {mean:.3f} ± {spread:.3f} "
                    f"| {row[f'{column}_mean']:.3f} ± {row[f'{column}_std']:.3f} | {difference:+.3f} "
                    f"| {abs(difference) / error if error > ROUNDED else 0:.1f} | {'yes' if agrees else '**no**'} |"
                )
    print(f"\n{n_agree} of {n_all} agree: within 3 standard errors of the difference of the two means, or within 0.1 bit.")


main(*sys.argv[1:])
