"""polars, DuckDB, pandas and pyarrow read what infoplane wrote: true types, predicates, equal values, footers."""

from types import SimpleNamespace

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from conftest import pipeline

PIPELINE = pipeline(runs=2, epochs=12, record="{ log_spaced = 6 }")

# How a pipeline asks for half precision.
HALF = 'precision = "f16"\n'

# Layer 1 has six units; the last epoch is recorded whatever the spacing.
LAYER, WIDTH, EPOCH = 1, 6, 12
N_SAMPLES, RUNS = 4096, ["r0000", "r0001"]


@pytest.fixture(scope="module", params=["float32", "float16"])
def experiment(request, tmp_path_factory, in_folder):
    """A recording with estimates and a summary, in both precisions."""
    folder = tmp_path_factory.mktemp(request.param)
    infoplane = in_folder(folder)
    infoplane.ok("data make tishby")
    half = request.param == "float16"
    (folder / "p.toml").write_text(PIPELINE + HALF * half)
    infoplane.ok("record p.toml")
    infoplane.ok("inspect outputs/p --validate")
    infoplane.ok("estimate binning outputs/p --n-edges 30")
    infoplane.ok("estimate quantised outputs/p")
    infoplane.ok("estimate quantised outputs/p --per-unit")
    infoplane.ok("aggregate outputs/p")
    root = folder / "outputs/p"
    layer = root / f"recording/activations/layer={LAYER}"
    return SimpleNamespace(
        root=root, recording=root / "recording", layer=layer, glob=f"{layer}/*/*.parquet", precision=request.param
    )


def with_pyarrow(experiment):
    data = ds.dataset(experiment.layer, partitioning="hive")
    table = data.to_table(filter=ds.field("epoch") == EPOCH).sort_by([("run", "ascending"), ("sample", "ascending")])
    item = {"float32": pa.float32(), "float16": pa.float16()}[experiment.precision]
    assert table.schema.field("t").type == pa.list_(pa.field("item", item, nullable=False), WIDTH)
    assert not table.schema.field("t").nullable
    t = table["t"].combine_chunks().values.to_numpy().reshape(-1, WIDTH)
    return table["run"].to_pylist(), table["sample"].to_numpy(), t


def with_polars(experiment):
    rows = pl.scan_parquet(experiment.glob, hive_partitioning=True).filter(pl.col("epoch") == EPOCH)
    frame = rows.sort("run", "sample").collect()
    item = {"float32": pl.Float32, "float16": pl.Float16}[experiment.precision]
    assert frame.schema["t"] == pl.Array(item, WIDTH)
    return frame["run"].to_list(), frame["sample"].to_numpy(), frame["t"].to_numpy()


def with_duckdb(experiment):
    table = f"read_parquet('{experiment.glob}', hive_partitioning=true)"
    rows = duckdb.sql(f"SELECT run, sample, t::FLOAT[{WIDTH}] AS t, t AS raw FROM {table} WHERE epoch = {EPOCH}")
    columns = rows.order("run, sample").fetchnumpy()
    # DuckDB has no type for half precision and no fixed sizes in Parquet; the values are the same, the cast is free.
    assert str(rows.types[-1]) == "FLOAT[]"
    return list(columns["run"]), columns["sample"], np.stack(columns["t"])


def with_pandas(experiment):
    frame = pd.read_parquet(experiment.layer, filters=[("epoch", "==", EPOCH)]).sort_values(["run", "sample"])
    assert str(frame["t"].iloc[0].dtype) == experiment.precision
    return list(frame["run"]), frame["sample"].to_numpy(), np.stack(frame["t"])


READERS = [with_pyarrow, with_polars, with_duckdb, with_pandas]


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_sees_the_same_activations(experiment, reader):
    # The values themselves, without any predicate or folder: the row group of the last epoch.
    files = [pq.ParquetFile(path) for path in sorted(experiment.layer.glob("*/*.parquet"))]
    last = [file.read_row_group(file.num_row_groups - 1) for file in files]
    assert all(table["epoch"].unique().to_pylist() == [EPOCH] for table in last)
    expected = np.concatenate([table["t"].combine_chunks().values.to_numpy() for table in last]).reshape(-1, WIDTH)
    assert np.isfinite(expected).all() and expected.std() > 0.1

    run, sample, t = reader(experiment)
    assert run == [name for name in RUNS for _ in range(N_SAMPLES)]
    assert np.array_equal(sample, np.tile(np.arange(N_SAMPLES), len(RUNS)))
    # Every half-precision number is a single-precision number: no tolerance.
    assert np.array_equal(t.astype(np.float32), expected.astype(np.float32))


def test_a_row_group_is_one_snapshot_and_says_which(experiment):
    for path in experiment.layer.glob("*/*.parquet"):
        metadata = pq.ParquetFile(path).metadata
        names = [metadata.schema.column(i).name for i in range(metadata.num_columns)]
        snapshots = []
        for group in map(metadata.row_group, range(metadata.num_row_groups)):
            epoch, step = (group.column(names.index(name)).statistics for name in ("epoch", "step"))
            assert (epoch.min, step.min) == (epoch.max, step.max)
            snapshots.append((epoch.min, step.min))
        assert snapshots == sorted(snapshots) and snapshots[0] == (0, 0) and snapshots[-1][0] == EPOCH


def test_a_predicate_on_the_epoch_opens_one_row_group_per_run(experiment):
    data = ds.dataset(experiment.layer, partitioning="hive")
    fragments = [fragment.subset(ds.field("epoch") == EPOCH) for fragment in data.get_fragments()]
    assert [sum(group.num_rows for group in f.row_groups) for f in fragments] == [N_SAMPLES] * len(RUNS)


@pytest.mark.parametrize(
    "table",
    [
        "recording/samples.parquet",
        "recording/splits/*/*.parquet",
        "recording/epochs/*/*.parquet",
        "recording/gradients/*/*.parquet",
        "recording/weights/layer=1/*/*.parquet",
        "estimates/*/*.parquet",
        "summary.parquet",
    ],
)
def test_every_reader_sees_the_same_tables(experiment, table):
    paths = sorted(experiment.root.glob(table))
    assert paths
    for path in paths:
        # Run and layer are in the path, where a table does not repeat them as columns.
        expected = pq.ParquetFile(path).read().to_pylist()
        assert len(expected) > 0
        assert pl.read_parquet(path, hive_partitioning=False).to_dicts() == expected
        relation = duckdb.sql(f"FROM read_parquet('{path}', hive_partitioning=false)")
        assert [dict(zip(relation.columns, row)) for row in relation.fetchall()] == expected
        frame = pd.read_parquet(path, partitioning=None, dtype_backend="pyarrow")
        assert pa.Table.from_pandas(frame, preserve_index=False).to_pylist() == expected


# Whole folders, as an analyst names them; below them the folders of the estimators.
ESTIMATES = {"estimates": "binning-n-edges-30", "unit_estimates": "quantised-bits-8"}


@pytest.mark.parametrize("folder", [*ESTIMATES, *(f"{folder}/{name}" for folder, name in ESTIMATES.items())])
def test_every_reader_takes_a_folder_of_estimates_as_a_whole(experiment, folder):
    root = experiment.root / folder
    files = [path for path in root.rglob("*") if path.is_file()]
    assert len(files) >= len(RUNS) and all(path.match("run=r*.parquet") for path in files), "only tables"
    key = ["estimator", "run", "epoch", "step", "layer", "unit"]
    expected = pa.concat_tables([pq.ParquetFile(path).read().cast(flat(pq.read_schema(path))) for path in files])
    key = [name for name in key if name in expected.column_names]
    expected = expected.sort_by([(name, "ascending") for name in key]).to_pylist()
    assert len({row["estimator"] for row in expected}) == (1 if "/" in folder else len(list(root.iterdir())))

    assert pl.read_parquet(root).sort(key).to_dicts() == expected
    relation = duckdb.sql(f"FROM read_parquet('{root}/**/*.parquet')").order(", ".join(key))
    assert [dict(zip(relation.columns, row)) for row in relation.fetchall()] == expected
    frame = pd.read_parquet(root, dtype_backend="pyarrow").sort_values(key)
    assert pa.Table.from_pandas(frame, preserve_index=False).to_pylist() == expected
    table = ds.dataset(root).to_table()
    assert table.cast(flat(table.schema)).sort_by([(name, "ascending") for name in key]).to_pylist() == expected


def flat(schema):
    """The schema without dictionaries, which can be neither sorted nor concatenated everywhere."""
    plain = lambda kind: kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.schema([field.with_type(plain(field.type)) for field in schema])


def test_every_reader_sees_the_footer(experiment):
    path = experiment.layer / "run=r0001/part-00000.parquet"
    expected = {"infoplane.table": "activations", "infoplane.run": "r0001", "infoplane.layer": str(LAYER)}
    of_pyarrow = {key.decode(): value.decode() for key, value in pq.read_metadata(path).metadata.items()}
    of_polars = pl.read_parquet_metadata(path)
    pairs = duckdb.sql(f"SELECT key::VARCHAR, value::VARCHAR FROM parquet_kv_metadata('{path}')").fetchall()
    for footer in (of_pyarrow, of_polars, dict(pairs)):
        assert expected.items() <= footer.items()
        assert {"infoplane.schema_version", "infoplane.crate_version", "infoplane.config_hash"} <= footer.keys()


def test_a_data_folder_holds_finished_parquet_files_and_nothing_else(experiment):
    # A stray file breaks the folders of polars and the globs of DuckDB.
    folders = [folder for folder in experiment.recording.iterdir() if folder.is_dir() and folder.name != ".meta"]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert files and all(path.match("run=r*/part-?????.parquet") for path in files)
