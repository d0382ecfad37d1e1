"""Renews the tables below the Python snippets of the documentation: each is the data frame that its snippet prints.

    infoplane run pipelines/estimators.toml
    infoplane exact minimal-model
    infoplane estimate binning outputs/estimators --n-edges 30 --samples test --bias miller-madow,jackknife
    infoplane estimate kozachenko-leonenko outputs/estimators --samples test
    python scripts/page_tables.py

Run it in the folder that contains `outputs`. tests/interop/test_estimators_page.py compares the pages with it.
"""

import re
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
# Chapters whose snippets read the outputs of these commands.
CHAPTERS = ["estimators", "numbers", "exact"]
PAGES = sorted(page for chapter in CHAPTERS for page in (DOCS / chapter).glob("*.md"))
# A snippet, and the Markdown table that follows it, if there is one.
SNIPPET = re.compile(r"```python\n(.+?)```\n(?:\n((?:\|[^\n]*\n)+))?", re.DOTALL)


def printed(page):
    """The data frame that each snippet of `page` prints; the snippets of a page share their names."""
    frames = []
    names = {"print": frames.append}
    for snippet, _ in SNIPPET.findall(page):
        exec(snippet, names)
    return frames


def renewed(page):
    """`page` with the tables that its snippets print."""
    frames = iter(printed(page))

    def replace(found):
        frame = next(frames)
        return found[0] if found[2] is None else f"```python\n{found[1]}```\n\n{markdown(frame)}"

    return SNIPPET.sub(replace, page)


def markdown(frame):
    """A data frame as a Markdown table."""
    table = [[f"`{name}`" for name in frame.columns], ["---"] * frame.width]
    table += [[shown(name, value) for name, value in row.items()] for row in frame.iter_rows(named=True)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in table)


def shown(name, value):
    """Numbers with a fraction have three decimals; scales are written as in a pipeline."""
    if value is None:
        return "–"
    if name == "scale":
        return f"{value:g}"
    if name == "estimator":
        return f"`{value}`"
    if isinstance(value, float):
        rounded = f"{value:.3f}"
        return "0.000" if rounded == "-0.000" else rounded.replace("-", "−")
    return str(value)


if __name__ == "__main__":
    for path in PAGES:
        path.write_text(renewed(path.read_text()))
