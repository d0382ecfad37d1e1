"""A recording made without infoplane, by examples/record_numpy.py, passes all stages; a broken one is refused."""

import re
import shutil
import subprocess
import sys

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import TOP

N_SAMPLES, N_RUNS, N_LAYERS, N_EPOCHS = 256, 6, 3, 12
FIRST = "activations/layer=1/run=r0000/part-00000.parquet"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The example's recording, not to be changed."""
    folder = tmp_path_factory.mktemp("foreign") / "outputs/from-numpy"
    subprocess.run([sys.executable, TOP / "examples/record_numpy.py", folder], check=True)
    return folder / "recording"


@pytest.fixture
def experiment(recorded, tmp_path):
    """A copy of it, to be estimated or broken."""
    shutil.copytree(recorded, tmp_path / "e/recording")
    return tmp_path / "e"


def estimates(experiment):
    return pl.read_parquet(experiment / "estimates/*/*.parquet", hive_partitioning=False).sort("run", "layer", "epoch")


def test_all_stages_take_it(experiment, in_folder):
    infoplane = in_folder(experiment.parent)
    infoplane.ok("estimate binning e")
    infoplane.ok("aggregate e")
    infoplane.ok("plot all e")
    rows = estimates(experiment)
    assert len(rows) == N_RUNS * N_LAYERS * N_EPOCHS
    # All 256 inputs are different, so no layer can have more than 8 bits of them; the label is a fair bit.
    assert rows["i_xt_bits"].is_between(0, 8 + 1e-9).all() and rows["i_ty_bits"].is_between(-1e-9, 1 + 1e-9).all()
    summary = pl.read_parquet(experiment / "summary.parquet")
    assert summary["loss_train_nats_mean"].null_count() == 0 and (summary["n_runs"] == N_RUNS).all()
    assert list((experiment / "figures").glob("*.png"))
    infoplane.ok("inspect e --validate")
    infoplane.ok("inspect e --json")


PAGE = (TOP / "docs/recording-format.md").read_text()
EXAMPLES = re.findall(r"```python\n(.+?)```", PAGE.split("## Reading a recording")[1], re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split()[1])
def test_the_page_on_the_format_shows_code_that_works(recorded, monkeypatch, example):
    monkeypatch.chdir(recorded.parents[2])
    import_line, expression = example.strip().splitlines()
    names = {}
    exec(import_line, names)
    found = eval(expression, names)
    n_rows = len(found["sample"])
    assert n_rows == N_RUNS * N_SAMPLES


def test_the_estimates_are_those_of_the_activations(experiment, in_folder):
    in_folder(experiment.parent).ok("estimate binning e --n-edges 30")
    table = pq.ParquetFile(experiment / "recording" / FIRST.replace("layer=1", "layer=3")).read()
    rows = estimates(experiment).filter(pl.col("run") == "r0000", pl.col("layer") == 3)
    edges = np.linspace(-1, 1, 30)
    for row in rows.to_dicts():
        snapshot = table.filter(pa.compute.field("epoch") == row["epoch"])
        t = np.array(snapshot["t"].to_pylist())
        codes = np.unique(np.digitize(t, edges), axis=0, return_counts=True)[1] / N_SAMPLES
        assert row["n_codes"] == len(codes)
        assert row["i_xt_bits"] == pytest.approx(-(codes * np.log2(codes)).sum(), abs=1e-9)


def test_splits_and_epochs_are_optional(experiment, in_folder):
    for table in ("splits", "epochs"):
        shutil.rmtree(experiment / "recording" / table)
    infoplane = in_folder(experiment.parent)
    for stage in ("estimate binning e", "aggregate e", "plot all e"):
        infoplane.ok(stage)
    assert pl.read_parquet(experiment / "summary.parquet")["loss_train_nats_mean"].is_null().all()


def rewrite(path, change, **how):
    """Replaces the table in `path` by `change(table)`, with the same footer."""
    table = pq.ParquetFile(path).read()
    changed = change(table).replace_schema_metadata(how.pop("footer", table.schema.metadata))
    pq.write_table(changed, path, **{"row_group_size": N_SAMPLES, **how})


def with_column(table, name, values):
    return table.set_column(table.column_names.index(name), pa.field(name, values.type, nullable=False), values)


def cast(name, kind):
    return lambda table: with_column(table, name, table[name].combine_chunks().cast(kind))


def test_a_column_that_may_be_null_may_be_missing(experiment, in_folder):
    rewrite(experiment / "recording/samples.parquet", lambda table: table.drop_columns(["p_y1"]))
    infoplane = in_folder(experiment.parent)
    infoplane.ok("inspect e --validate")
    infoplane.ok("estimate binning e")


def test_half_precision_is_read(experiment, in_folder):
    rewrite(experiment / "recording" / FIRST, cast("t", pa.list_(pa.float16(), 6)))
    in_folder(experiment.parent).ok("estimate binning e")


def entries(path):
    """What the footer of a file says for infoplane."""
    footer = {key.decode(): value.decode() for key, value in pq.read_metadata(path).metadata.items()}
    return {key: value for key, value in footer.items() if key.startswith("infoplane.")}


def by_polars(path):
    frame = pl.read_parquet(path, hive_partitioning=False)
    frame.write_parquet(path, row_group_size=N_SAMPLES, metadata=entries(path))


def by_duckdb(path):
    """Lists lose their fixed length, and row groups have 2048 rows at least: a file of one snapshot is written whole."""
    footer = ", ".join(f"'{key}': '{value}'" for key, value in entries(path).items())
    copy = path.with_suffix(".copy")
    duckdb.sql(f"COPY (FROM read_parquet('{path}', hive_partitioning=false)) TO '{copy}' (FORMAT parquet, KV_METADATA {{{footer}}})")
    copy.rename(path)


def by_pandas(path):
    """Lists of any length, int64 and float64, and strings of pandas."""
    footer, frame = entries(path), pq.ParquetFile(path).read().to_pandas()
    whole = [name for name in frame if name in ("epoch", "step", "sample", "y")]
    table = pa.Table.from_pandas(frame.astype({name: "int64" for name in whole}), preserve_index=False)
    pq.write_table(table.replace_schema_metadata(footer), path, row_group_size=N_SAMPLES)


@pytest.mark.parametrize("write", [by_polars, by_pandas, by_duckdb])
def test_files_of_other_writers_are_read(experiment, in_folder, write):
    if write is by_duckdb:
        one_snapshot(experiment)
    infoplane = in_folder(experiment.parent)
    infoplane.ok("estimate binning e --n-edges 30")
    infoplane.ok("estimate binning e --n-edges 30 --samples test")
    before = estimates(experiment)
    shutil.rmtree(experiment / "estimates")
    for path in (experiment / "recording").rglob("*.parquet"):
        write(path)
    infoplane.ok("inspect e --validate")
    infoplane.ok("estimate binning e --n-edges 30")
    infoplane.ok("estimate binning e --n-edges 30 --samples test")
    infoplane.ok("check e")
    infoplane.ok("aggregate e")
    assert estimates(experiment).equals(before)


def one_snapshot(experiment):
    """Keeps the first snapshot only."""
    for path in (experiment / "recording").rglob("part-*.parquet"):
        if "splits" not in str(path):
            n = 1 if "epochs" in str(path) else N_SAMPLES
            rewrite(path, lambda table, n=n: table.slice(0, n))


@pytest.mark.parametrize("item", [pa.float64(), pa.float32()], ids=str)
@pytest.mark.parametrize("kind", ["fixed", "list", "nested"])
def test_values_of_other_kinds_are_read(experiment, in_folder, kind, item):
    infoplane = in_folder(experiment.parent)
    infoplane.ok("estimate binning e")
    before = estimates(experiment)
    shutil.rmtree(experiment / "estimates")

    def change(table):
        values = table["t"].combine_chunks().flatten().cast(item)
        inner = values if kind != "nested" else pa.FixedSizeListArray.from_arrays(values, 3)
        lists = pa.FixedSizeListArray.from_arrays(inner, 6 * len(inner) // len(values))
        return with_column(table, "t", lists.cast(pa.list_(item)) if kind == "list" else lists)

    rewrite(experiment / "recording" / FIRST, change)
    infoplane.ok("inspect e --validate")
    infoplane.ok("estimate binning e")
    assert estimates(experiment).equals(before)


def shuffled(table):
    order = np.random.default_rng(0).permutation(N_SAMPLES)
    return pa.concat_tables(table.slice(first, N_SAMPLES).take(order) for first in range(0, len(table), N_SAMPLES))


# What is broken: file, how, and what the answer must name.
BROKEN = {
    "texts as values": (FIRST, cast("t", pa.list_(pa.string(), 6)), {}, "`t`"),
    "numbers of samples that are not whole": (FIRST, cast("sample", pa.float64()), {}, "`sample`"),
    "samples out of order": (FIRST, shuffled, {}, "`sample`"),
    "one row group for all epochs": (FIRST, lambda table: table, {"row_group_size": 10**6}, "row group"),
    "row groups without statistics": (FIRST, lambda table: table, {"write_statistics": False}, "statistics"),
    "no footer": (FIRST, lambda table: table, {"footer": {}}, "infoplane.table"),
    "another table": (FIRST, lambda table: table, {"footer": {"infoplane.table": "weights"}}, "weights"),
    "no version": (FIRST, lambda table: table, {"footer": {"infoplane.table": "activations"}}, "schema_version"),
    "fewer samples": ("samples.parquet", lambda table: table.slice(0, 100), {}, "samples table has 100"),
    "labels that are not whole": ("samples.parquet", cast("y", pa.float64()), {}, "`y`"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_breaks_a_rule_is_refused_by_name(experiment, in_folder, what):
    file, change, how, named = BROKEN[what]
    rewrite(experiment / "recording" / file, change, **how)
    code, said = in_folder(experiment.parent).run("estimate binning e")
    assert code == 2 and named in said and "e/recording/" in said, said


def test_a_flipped_bit_is_found_by_its_checksum(experiment, in_folder):
    infoplane = in_folder(experiment.parent)
    path = experiment / "recording" / FIRST
    values = pq.ParquetFile(path).metadata.row_group(3).column(3)
    content = bytearray(path.read_bytes())
    content[values.data_page_offset + values.total_compressed_size // 2] ^= 0x10
    path.write_bytes(content)
    assert infoplane.run("inspect e --validate")[0] != 0
    assert infoplane.run("estimate binning e")[0] == 2
