"""Films, as ffmpeg reads them: every format has the asked pictures, all of one size."""

import json
import subprocess

import pytest
from conftest import pipeline

PIPELINE = pipeline(runs=2, epochs=12, record="{ every = 1 }") + """[[estimate]]
estimator = "binning"
n_edges = 30
"""
N_FRAMES = 7


@pytest.fixture(scope="module")
def project(in_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("film")
    (folder / "p.toml").write_text(PIPELINE)
    infoplane = in_folder(folder)
    infoplane.ok("run p.toml")
    return infoplane


# An MP4 has no lengths of single pictures: the last one, which stays, is there twenty times more.
@pytest.mark.parametrize(("format", "n_frames"), [("gif", N_FRAMES), ("apng", N_FRAMES), ("mp4", N_FRAMES + 20)])
def test_films_have_their_pictures(project, format, n_frames):
    project.ok(f"movie outputs/p --frames {N_FRAMES} --format {format}")
    film = project.folder / f"outputs/p/figures/movie-binning-n-edges-30.{format}"
    words = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", str(film)]
    stream = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)["streams"][0]
    assert int(stream["nb_read_frames"]) == n_frames
    assert stream["width"] > 600 and stream["height"] > 500
    assert not list((project.folder / "outputs/p").glob(".movie*")), "nothing is left lying"
