"""Compares our runs of pipelines/saxe-authors-mi.toml with the information that the authors stored, as a Markdown table.

Usage: python docs/reproduction_saxe_mi.py outputs/saxe-authors-mi AUTHORS.json     (needs polars)

AUTHORS.json has a list `rows` of objects: act, epoch, layer, and in bits kde_upper_X, kde_upper_Y, bin_X, bin_Y. Their epoch e
and layer l, from 0, are our epoch e + 1 and layer l + 1. Theirs is one network of each kind.
"""

import json
import sys

import polars as pl

KDE, BINS = "kde-upper-noise-variance-0.001", "binning-bin-width-0.07"
NUMBERS = {
    "kde_upper_X": (KDE, "i_xt_bits"),
    "kde_upper_Y": (KDE, "i_ty_bits"),
    "bin_X": (BINS, "i_xt_bits"),
    "bin_Y": (BINS, "i_ty_bits"),
}
SHOWN = [0, 5, 10]
# Their numbers have three decimals.
ROUNDING = 5e-4


def main(folder: str, authors_path: str) -> None:
    with open(authors_path) as file:
        rows = json.load(file)["rows"]
    ours = {
        (act, name): pl.read_parquet(f"{folder}/activation-{act}/estimates/{name}/*.parquet")
        for act in sorted({row["act"] for row in rows})
        for name in (KDE, BINS)
    }
    print("| units | epoch | layer | number | authors | ours, mean ± std | least to most | within |")
    print("|---|---|---|---|---|---|---|---|")
    n, n_within, outside = 0, 0, []
    for row in rows:
        for number, (name, column) in NUMBERS.items():
            of_row = ours[row["act"], name].filter(
                pl.col("epoch") == row["epoch"] + 1, pl.col("layer") == row["layer"] + 1
            )[column]
            least, most = of_row.min() - ROUNDING, of_row.max() + ROUNDING
            within = least <= row[number] <= most
            n, n_within = n + 1, n_within + within
            what = "{act} | {epoch} | {layer}".format(**row | {"epoch": row["epoch"] + 1, "layer": row["layer"] + 1})
            if not within:
                outside.append(f"{row['act']}, epoch {row['epoch'] + 1}, layer {row['layer'] + 1}, {number}")
            if row["epoch"] in SHOWN:
                spread = f"{of_row.mean():.3f} ± {of_row.std():.3f}"
                print(
                    f"| {what} | {number} | {row[number]:.3f} | {spread} | {of_row.min():.3f} to {of_row.max():.3f} |"
                    f" {'yes' if within else '**no**'} |"
                )
    print(f"\n{n_within} of {n} numbers lie between the least and the most of {ours['tanh', KDE]['run'].n_unique()} networks.")
    if outside:
        print("Outside: " + "; ".join(outside) + ".")


if __name__ == "__main__":
    main(*sys.argv[1:])
