"""Makes docs/pictures: figures of finished experiments, smaller and with fewer colours. Needs Pillow.

    for p in tishby tishby-bound estimators stability random-weights twelve-tishby; do infoplane run pipelines/$p.toml; done
    python scripts/pictures.py outputs
"""

import sys
from pathlib import Path

from PIL import Image

PICTURES = Path(__file__).parents[1] / "docs/pictures"
WIDTH = 1000
N_COLOURS = 128

FIGURES = {
    "information-plane": "tishby/figures/information-plane-binning-n-edges-30.png",
    "snapshots": "tishby/figures/snapshots-binning-n-edges-30.png",
    "curves": "tishby/figures/curves-binning-n-edges-30.png",
    "estimators": "estimators/figures/estimators.png",
    "compression": "tishby/figures/compression.png",
    "fit": "tishby/figures/fit.png",
    "gradients": "tishby/figures/gradients.png",
    "weights": "random-weights/batch-1,labels-given,noise-variance-0/figures/weights.png",
    "histograms": "tishby/figures/histograms.png",
    "panels": "stability/figures/panels-binning-n-edges-30.png",
    "ends": "stability/figures/ends-binning-n-edges-30.png",
    "bound": "tishby-bound/gamma-8/figures/bound.png",
    "stability": "stability/figures/stability.png",
    "twelve-tishby": "twelve-tishby/figures/compression.png",
}

if __name__ == "__main__":
    outputs = Path(sys.argv[1])
    PICTURES.mkdir(exist_ok=True)
    for name, figure in FIGURES.items():
        picture = Image.open(outputs / figure).convert("RGB")
        if picture.width > WIDTH:
            picture = picture.resize((WIDTH, round(picture.height * WIDTH / picture.width)), Image.Resampling.LANCZOS)
        path = PICTURES / f"{name}.png"
        picture.quantize(N_COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(path, optimize=True)
        print(f"{path.name}: {picture.width} x {picture.height}, {path.stat().st_size / 1e3:.0f} kB")
