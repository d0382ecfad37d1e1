"""Animations as ffmpeg reads them: every format has the requested frames, of one size, and the requested play time."""

import json
import subprocess

import pytest
from conftest import pipeline

PIPELINE = pipeline(runs=2, epochs=12, record="{ every = 1 }") + """[[estimate]]
estimator = "binning"
n_edges = 30
"""
N_FRAMES = 7
SECONDS = 5


@pytest.fixture(scope="module")
def project(in_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("movie")
    (folder / "p.toml").write_text(PIPELINE)
    infoplane = in_folder(folder)
    infoplane.ok("run p.toml")
    return infoplane


# Epochs 0 to 12, with 0 drawn at 0.45: seven times evenly spaced over the logarithm are 0.45, 0.8, 1.3, 2.3, 4.02, 6.9 and 12.
# The last epochs recorded at these times are 0, 0, 1, 2, 4, 6 and 12: six snapshots. All frames of an MP4 have the same length:
# the first snapshot has two of them, and the last one three, so that it is shown for at least a fifth of the play time.
@pytest.mark.parametrize(("format", "n_frames"), [("gif", 6), ("apng", 6), ("mp4", N_FRAMES + 2)])
def test_animations_have_their_frames_and_play_time(project, format, n_frames):
    project.ok(f"movie outputs/p --frames {N_FRAMES} --seconds {SECONDS} --format {format}")
    animation = project.folder / f"outputs/p/figures/movie-binning-n-edges-30.{format}"
    words = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-show_format", "-of", "json", str(animation)]
    probed = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    stream = probed["streams"][0]
    assert int(stream["nb_read_frames"]) == n_frames
    assert stream["width"] == 770 and stream["height"] > 500
    if format != "apng":  # ffprobe does not know the length of an APNG
        assert abs(float(probed["format"]["duration"]) - SECONDS) < 0.05
    assert not list((project.folder / "outputs/p").glob(".movie*")), "temporary files are removed"
