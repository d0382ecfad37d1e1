"""Checks a site that mdBook built: every link within it leads to a page and a heading that exist, and no page with its
pictures is heavier than 1 MB. Usage: check_site.py FOLDER"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

HEAVIEST = 1_000_000


class Page(HTMLParser):
    """The links, pictures and anchors of one page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.pictures, self.anchors = [], [], {""}
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors.update(value for key, value in attributes.items() if key in ("id", "name") and value)
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])
        if tag == "img" and attributes.get("src"):
            self.pictures.append(attributes["src"])


def problems(site):
    # print.html repeats all pages, 404.html has links from the root of a server, toc.html is a part of every page.
    generated = {site / name for name in ("print.html", "404.html", "toc.html")}
    pages = {path: Page(path) for path in sorted(site.rglob("*.html")) if path not in generated}
    for path, page in pages.items():
        name, weight = path.relative_to(site), path.stat().st_size
        for link in page.links + page.pictures:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                yield f"{name}: {link} leads to no file"
            elif target in pages and unquote(parts.fragment) not in pages[target].anchors:
                yield f"{name}: {link} leads to no heading"
        pictures = {(path.parent / unquote(urlsplit(picture).path)).resolve() for picture in page.pictures}
        weight += sum(picture.stat().st_size for picture in pictures if picture.is_file())
        if weight > HEAVIEST:
            yield f"{name}: {weight / 1e6:.2f} MB with its pictures, at most {HEAVIEST / 1e6:.0f} MB are allowed"


if __name__ == "__main__":
    site = Path(sys.argv[1]).resolve()
    n_pages = len(list(site.rglob("*.html")))
    found = list(problems(site))
    print("\n".join([*found, f"{n_pages} pages, {len(found)} problems"]))
    sys.exit(1 if found or n_pages == 0 else 0)
