"""docs/estimators.md and README.md on estimators: the snippets and tables have the numbers of pipelines/estimators.toml."""

import re

import polars as pl
import pytest
from conftest import TOP

PAGE = (TOP / "docs/estimators.md").read_text()
README = (TOP / "README.md").read_text()
# A snippet, and the Markdown table of what it prints, if it is the next thing.
SNIPPETS = re.findall(r"```python\n(.+?)```\n(?:\n((?:\|[^\n]*\n)+))?", PAGE, re.DOTALL)
# | `table` | I(X;T) | I(T;Y) | I(T;Y) of shuffled labels |
ROW = re.compile(r"^\| `((?:binning|quantised|kde|gaussian|kozachenko-leonenko)-[\w.-]+)` \|(.*)\|$", re.MULTILINE)
# The tables that cost the most, which are not made here.
LEFT_OUT = {f"kde-{bound}-noise-variance-{variance}" for bound in ("lower", "upper") for variance in ("0.01", "0.001")}
LEFT_OUT |= {"kde-lower-noise-variance-0.1"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, in_folder):
    """The experiment of the page, without the tables that are left out."""
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


def numbers(cells):
    return [float(cell.replace("−", "-")) for cell in cells if re.fullmatch(r"\s*[-−]?\d+(\.\d+)?\s*", cell)]


def is_printed(number, cell):
    """Whether `number`, rounded to the decimals of `cell`, is what stands there."""
    return abs(number - float(cell.replace("−", "-"))) <= 0.5000001 * 10.0 ** -len(cell.strip().partition(".")[2])


@pytest.mark.parametrize(("snippet", "table"), SNIPPETS, ids=range(len(SNIPPETS)))
def test_the_snippets_print_the_tables_of_the_page(folder, snippet, table, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    exec(snippet, {})
    printed = capsys.readouterr().out
    shapes = re.findall(r"shape: \((\d+), \d+\)", printed)
    assert shapes and all(int(n_rows) > 0 for n_rows in shapes), printed
    expected = [line.strip("|").split("|") for line in table.splitlines()[2:]]
    found = [line.strip("│").split("┆") for line in printed.splitlines() if line.startswith("│")][-len(expected):]
    for cells, row in zip(expected, found, strict=bool(expected)):
        # Columns may stand in another order than on the page.
        cells = sorted((cell for cell in cells if numbers([cell])), key=lambda cell: numbers([cell]))
        row = sorted(numbers(row))
        assert len(row) == len(cells) > 0, (cells, row)
        assert all(is_printed(number, cell) for number, cell in zip(row, cells)), (cells, row)


def test_some_snippets_have_tables():
    assert len(SNIPPETS) >= 5 and sum(bool(table) for _, table in SNIPPETS) >= 2


@pytest.mark.parametrize("text", [PAGE, README], ids=["page", "README"])
def test_the_numbers_are_those_of_the_pipeline(folder, text):
    rows = pl.read_parquet(folder / "outputs/estimators/estimates/*/*.parquet", hive_partitioning=False)
    tables = {row["estimator"]: row for row in rows.filter(run="r0000", layer=5, step=2100).to_dicts()}
    printed = {table: [cell.strip() for cell in cells.split("|")] for table, cells in ROW.findall(text)}
    compared = printed.keys() - LEFT_OUT
    assert len(compared) >= 5
    for table in compared:
        cells = printed[table]
        assert len(numbers(cells)) == len(cells) == 3, (table, cells)
        for column, cell in zip(("i_xt_bits", "i_ty_bits", "i_ty_null_bits_mean"), cells, strict=True):
            assert is_printed(tables[table][column], cell), (table, column, tables[table][column])
