"""Compares runs of pipelines/saxe-authors-mi.toml with the information that the authors stored; prints a Markdown table.

Usage: python scripts/compare_saxe_information.py outputs/saxe-authors-mi AUTHORS.json     (needs polars)

AUTHORS.json has a list `rows` of objects: act, epoch, layer, and in bits kde_upper_X, kde_upper_Y, bin_X, bin_Y. Their epoch e
and layer l, counted from 0, are our epoch e + 1 and layer l + 1. The authors stored one network of each kind.
"""

import json
import sys

import polars as pl

KDE, BINS = "kde-upper-noise-variance-0.001", "binning-bin-width-0.07"
# Key of the authors' number: name of the column, estimate and column of our table.
NUMBERS = {
    "kde_upper_X": ("I(X;T), kernels", KDE, "i_xt_bits"),
    "kde_upper_Y": ("I(T;Y), kernels", KDE, "i_ty_bits"),
    "bin_X": ("I(X;T), bins", BINS, "i_xt_bits"),
    "bin_Y": ("I(T;Y), bins", BINS, "i_ty_bits"),
}
# Their epochs that are printed; all are counted.
SHOWN = [0, 5, 10]
# Their numbers have three decimals.
ROUNDING = 5e-4


def main(folder: str, authors_path: str) -> None:
    with open(authors_path) as file:
        rows = json.load(file)["rows"]
    ours = {
        (act, estimate): pl.read_parquet(f"{folder}/activation-{act}/estimates/{estimate}/*.parquet")
        for act in sorted({row["act"] for row in rows})
        for estimate in (KDE, BINS)
    }
    print("| units | epoch | layer |" + "".join(f" {title} |" for title, _, _ in NUMBERS.values()))
    print("|---" * (3 + len(NUMBERS)) + "|")
    n_numbers, outside = 0, []
    for row in rows:
        epoch, layer = row["epoch"] + 1, row["layer"] + 1
        cells = [row["act"], str(epoch), str(layer)]
        for key, (title, estimate, column) in NUMBERS.items():
            is_place = (pl.col("epoch") == epoch) & (pl.col("layer") == layer)
            runs = ours[row["act"], estimate].filter(is_place)[column]
            smallest, largest = runs.min(), runs.max()
            n_numbers += 1
            if not smallest - ROUNDING <= row[key] <= largest + ROUNDING:
                outside.append(f"{row['act']}, epoch {epoch}, layer {layer}, {title}")
            cells.append(f"{row[key]:.3f}; {runs.mean():.3f} ± {runs.std():.3f} ({smallest:.3f} to {largest:.3f})")
        if row["epoch"] in SHOWN:
            print(f"| {' | '.join(cells)} |")
    n_runs = ours["tanh", KDE]["run"].n_unique()
    print(f"\n{n_numbers - len(outside)} of {n_numbers} numbers are within the range of {n_runs} networks.")
    if outside:
        print("Outside: " + "; ".join(outside) + ".")


main(*sys.argv[1:])
