# Short words for common work: https://just.systems

# what CI checks
check:
    .ci/run

# the tests
test:
    cargo test

# pages that follow from the code; two of them are written by the tests that compare them, if they differ
docs:
    #!/usr/bin/env bash
    set -euo pipefail
    cargo run --quiet -- schema > docs/schema.md
    cargo run --quiet -- keys > docs/pipelines/keys.md
    written=$(cargo metadata --format-version 1 --no-deps | python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')/tmp
    rm -f "$written/commands.md" "$written/recording-format.md"
    cargo test --quiet --test it --no-run
    cargo test --quiet --test it -- the_page_of_all_commands columns_of_the_recording_format || true
    for page in commands recording-format; do
        [ ! -f "$written/$page.md" ] || cp "$written/$page.md" docs/
    done

# speed compared with NumPy, PyTorch, pyarrow and h5py (needs benches/peers/requirements.txt)
bench:
    python benches/peers/training.py
    python benches/peers/mnist.py
    python benches/peers/recording.py
    python benches/peers/estimators.py

# other programs' readers and runners on our files
interop:
    cargo build --release
    .ci/interop "$(cargo metadata --format-version 1 --no-deps | python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')/release/infoplane"

# the readers on whatever bytes
fuzz:
    .ci/fuzz 600
