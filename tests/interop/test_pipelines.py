"""make, Snakemake and DVC, each killed in the middle of a stage and called again: the bytes of an undisturbed run."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from conftest import TOP, Infoplane

# Some seconds of recording on one thread: four runs, so that a kill after the first is in the middle.
PIPELINE = """seed = 3
runs = 4
[data]
name = "tishby"
train_fraction = 0.85
[network]
hidden = [5, 4, 3]
activation = "tanh"
[training]
optimiser = "adam"
learning_rate = 4e-3
batch = "full"
epochs = 4000
[record]
epochs = { log_spaced = 140 }
weights = false
"""
N_RUNS, EDGES = 4, (30, 50)

OUT = "outputs/killed"
RECORDING = f"{OUT}/recording"
SCRIPTS = Path(sys.executable).parent


def make(binary):
    command = ["make", "-f", "pipelines/Makefile", "NAME=killed", "THREADS=1", f"INFOPLANE={binary}"]
    return {"setup": None, "run": command, "after a kill": None}


def snakemake(binary):
    command = [str(SCRIPTS / "snakemake"), "-s", "pipelines/Snakefile", "--cores", "1", "--config", "name=killed"]
    command += [f"infoplane={binary}"]
    return {"setup": None, "run": [*command, "--rerun-incomplete"], "after a kill": [*command, "--unlock"]}


def dvc(binary):
    program = str(SCRIPTS / "dvc")
    setup = [program, "init", "--no-scm", "--quiet"]
    return {"setup": setup, "run": [program, "repro", "pipelines/dvc.yaml"], "after a kill": None}


RUNNERS = [make, snakemake, dvc]


def folder_with_pipelines(folder, binary):
    """What a user has in the top folder: our files for the three runners, and a pipeline of their own."""
    (folder / "pipelines").mkdir()
    for name in ("Makefile", "Snakefile", "dvc.yaml"):
        shutil.copy(TOP / "pipelines" / name, folder / "pipelines" / name)
    (folder / "pipelines/killed.toml").write_text(PIPELINE)
    params = f"name: killed\nedges: {list(EDGES)}\nthreads: 1\ninfoplane: {binary}\n"
    (folder / "pipelines/params.yaml").write_text(params)
    return folder


def tables(folder):
    """Every table with the hash of its bytes."""
    paths = [path for top in ("data", "outputs") for path in (folder / top).rglob("*.parquet")]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, binary):
    """The tables of stages that nobody disturbed, on all threads."""
    folder = folder_with_pipelines(tmp_path_factory.mktemp("undisturbed"), binary)
    infoplane = Infoplane(binary, folder)
    infoplane.ok("data make tishby")
    infoplane.ok("record pipelines/killed.toml")
    for n_edges in EDGES:
        infoplane.ok(f"estimate binning {OUT} --n-edges {n_edges}")
    infoplane.ok(f"aggregate {OUT}")
    made = tables(folder)
    shutil.rmtree(folder)
    return made


class Project:
    """A runner in a folder."""

    def __init__(self, folder, binary, runner):
        self.folder, self.binary, self.commands = folder, binary, runner(binary)
        # No telemetry, no look for updates: a detached process would outlive the test.
        home = folder / "home"
        home.mkdir()
        self.environment = {**os.environ, "DVC_NO_ANALYTICS": "1", "CI": "1", "HOME": str(home)}
        self.environment.update(XDG_CACHE_HOME=str(home), XDG_CONFIG_HOME=str(home))
        self.call("setup")

    def start(self, what):
        """Starts a command in a process group of its own."""
        with open(self.folder / "log.txt", "a") as log:
            streams = {"stdout": log, "stderr": log, "stdin": subprocess.DEVNULL}
            place = {"cwd": self.folder, "env": self.environment}
            return subprocess.Popen(self.commands[what], start_new_session=True, **streams, **place)

    def log(self):
        return (self.folder / "log.txt").read_text()

    def call(self, what):
        if self.commands[what]:
            assert self.start(what).wait(timeout=120) == 0, self.log()

    def kill_when(self, stage, files):
        """Kills the runner with all it started as soon as `stage` has made the first of `files`."""
        runner = self.start("run")
        while not list(self.folder.glob(files)):
            assert runner.poll() is None, f"ended before it could be killed: {self.log()}"
            time.sleep(0.002)
        family = [psutil.Process(runner.pid), *psutil.Process(runner.pid).children(recursive=True)]
        at_work = [process for process in family if is_stage(process, self.binary, stage)]
        os.killpg(runner.pid, signal.SIGKILL)
        runner.wait()
        _, alive = psutil.wait_procs(family, timeout=10)
        assert at_work, f"infoplane {stage} was over before the kill"
        assert not alive, "a process outlived its group"
        self.call("after a kill")


def is_stage(process, binary, stage):
    try:
        command = process.cmdline()
    except psutil.NoSuchProcess:
        return False
    return command[:1] == [str(binary)] and stage in command


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_killed_stage_goes_on_where_it_stopped(runner, undisturbed, binary, tmp_path):
    project = Project(folder_with_pipelines(tmp_path, binary), binary, runner)
    runs = f"{RECORDING}/.meta/runs/*.json"

    project.kill_when("record", runs)
    finished = list(tmp_path.glob(runs))
    assert 0 < len(finished) < N_RUNS
    assert not (tmp_path / RECORDING / ".meta/manifest.json").exists()
    # The first whole run must not be recorded again.
    run = finished[0].stem
    kept = tmp_path / RECORDING / f"activations/layer=1/run={run}/part-00000.parquet"
    recorded_at = kept.stat().st_mtime_ns

    estimated = f"{OUT}/.meta/estimates/binning-n-edges-{EDGES[0]}/*.json"
    project.kill_when("estimate", estimated)
    assert (tmp_path / RECORDING / ".meta/manifest.json").exists()
    assert 0 < len(list(tmp_path.glob(estimated))) < N_RUNS

    project.call("run")
    assert kept.stat().st_mtime_ns == recorded_at
    assert tables(tmp_path) == undisturbed
    assert not list((tmp_path / "outputs").rglob("*.part")), "temporary files of the killed stages are left"
    assert list((tmp_path / OUT / "figures").glob("*.png"))
    shutil.rmtree(tmp_path)


def test_a_killed_addition_of_runs_goes_on(undisturbed, binary, tmp_path):
    # Snakemake alone has an opinion on the old manifest: incomplete.
    project = Project(folder_with_pipelines(tmp_path, binary), binary, snakemake)
    pipeline = tmp_path / "pipelines/killed.toml"
    pipeline.write_text(PIPELINE.replace(f"runs = {N_RUNS}", "runs = 1"))
    project.call("run")

    manifest = tmp_path / RECORDING / ".meta/manifest.json"
    of_one_run = manifest.read_bytes()
    pipeline.write_text(PIPELINE)
    project.kill_when("record", f"{RECORDING}/.meta/runs/r0001.json")
    # The manifest of one run is still there; nobody may take it for that of all.
    assert manifest.read_bytes() == of_one_run

    project.call("run")
    assert tables(tmp_path) == undisturbed
    shutil.rmtree(tmp_path)


@pytest.mark.parametrize("runner", RUNNERS)
def test_failed_estimates_do_not_stop_a_pipeline_but_refused_ones_do(runner, binary, tmp_path):
    short = PIPELINE.replace("epochs = 4000", "epochs = 9").replace("log_spaced = 140", "log_spaced = 3")
    for code, ends_well in [(1, True), (2, False)]:
        folder = tmp_path / str(code)
        folder.mkdir()
        # Stands in for estimates that fail, or are refused: the binary's work, with another exit code.
        wrapper = folder / "infoplane"
        wrapper.write_text(f'#!/bin/sh\n"{binary}" "$@" || exit\ncase "$*" in *estimate*) exit {code};; esac\n')
        wrapper.chmod(0o755)
        project = Project(folder_with_pipelines(folder, wrapper), wrapper, runner)
        (folder / "pipelines/killed.toml").write_text(short)
        assert (project.start("run").wait(timeout=120) == 0) == ends_well, project.log()
        assert (folder / OUT / "summary.parquet").exists() == ends_well


def test_make_with_many_jobs_starts_one_writer_at_a_time(binary, tmp_path):
    folder = folder_with_pipelines(tmp_path, binary)
    short = PIPELINE.replace("epochs = 4000", "epochs = 200")
    (folder / "pipelines/killed.toml").write_text(short)
    command = [*make(binary)["run"], "-j4"]
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    again = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert "plot: up to date" in again.stderr and "record" not in again.stdout
