# Short words for common work: https://just.systems

# what CI checks
check:
    .ci/run

# the tests
test:
    cargo test

# documents that follow from the code
docs:
    cargo run --quiet -- schema > docs/schema.md
    cargo run --quiet -- --help > tests/it/help.txt

# speed beside NumPy and PyTorch (needs benches/peers/requirements.txt)
bench:
    python benches/peers/training.py
