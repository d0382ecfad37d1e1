#!/bin/sh
# Runs the stages of pipelines/tishby.toml one after another. With another PIPELINE, it makes the recording of that
# pipeline, with the estimators below. Each stage does only what is missing. Run it from the top folder:
#   sh pipelines/tishby.sh [PIPELINE] [FOLDER]
set -eu
pipeline=${1:-pipelines/tishby.toml}
experiment=${2:-outputs/$(basename "$pipeline" .toml)}
infoplane() { cargo run --quiet --release -- "$@"; }

infoplane data make tishby
infoplane record "$pipeline" --out "$experiment"
infoplane estimate binning "$experiment" --n-edges 30
infoplane estimate binning "$experiment" --n-edges 50
infoplane check "$experiment"
infoplane aggregate "$experiment"
infoplane plot all "$experiment"
