"""docs/estimators.md and README.md on estimators: the snippets run, and the numbers are those of pipelines/estimators.toml."""

import re

import polars as pl
import pytest
from conftest import TOP

PAGE = (TOP / "docs/estimators.md").read_text()
README = (TOP / "README.md").read_text()
SNIPPETS = re.findall(r"```python\n(.+?)```", PAGE, re.DOTALL)
# | `table` | I(X;T) | I(T;Y) | I(T;Y) of shuffled labels |
ROW = re.compile(r"^\| `((?:binning|quantised|kde|gaussian)-[\w.-]+)` \| ([\d.−]+) \| ([\d.−]+) \| ([\d.−]+) \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, in_folder):
    """The experiment of the page, without the scales of kde that cost the most."""
    folder = tmp_path_factory.mktemp("page")
    infoplane = in_folder(folder)
    pipeline = (TOP / "pipelines/estimators.toml").read_text()
    fewer = pipeline.replace('noise_variance = [0.001, 0.01, 0.1]\nbound = ["upper", "lower"]', "noise_variance = 0.1")
    assert fewer != pipeline
    (folder / "estimators.toml").write_text(fewer)
    infoplane.ok("data make tishby")
    infoplane.ok("record estimators.toml")
    infoplane.ok("estimate pipeline estimators.toml")
    infoplane.ok("check outputs/estimators")
    return folder


@pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
def test_the_snippets_print_something(folder, snippet, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    exec(snippet, {})
    assert "shape: (0" not in capsys.readouterr().out


@pytest.mark.parametrize("text", [PAGE, README], ids=["page", "README"])
def test_the_numbers_are_those_of_the_pipeline(folder, text):
    rows = pl.read_parquet(folder / "outputs/estimators/estimates/*/*.parquet", hive_partitioning=False)
    of_table = {row["estimator"]: row for row in rows.filter(run="r0000", layer=5, step=2100).to_dicts()}
    n_found = 0
    for table, *printed in ROW.findall(text):
        if table.startswith("kde") and table not in of_table:
            continue
        row, n_found = of_table[table], n_found + 1
        columns = ("i_xt_bits", "i_ty_bits", "i_ty_null_bits_mean")
        for column, number in zip(columns, printed, strict=True):
            decimals = len(number.split(".")[1])
            assert f"{row[column]:.{decimals}f}".replace("-", "−") == number, (table, column)
    assert n_found >= 5
