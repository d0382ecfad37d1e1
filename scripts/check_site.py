"""Checks a site that mdBook built: every link within it leads to a page and a heading that exist, and no page is larger than 1 MB
with all files that a browser loads for it: scripts, style sheets, pictures, fonts, and frames with their own files.
Usage: check_site.py FOLDER"""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

HEAVIEST = 1_000_000
# Attributes with the address of a file that a browser loads without a click. Pages without scripts are in `noscript`.
LOADED = {"img": "src", "script": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src", "embed": "src", "object": "data"}
# Kinds of `<link>` that are loaded; a browser loads one icon of several, and no style sheet for printing.
LINKED = {"stylesheet", "icon", "shortcut", "preload", "modulepreload"}
# Faces of fonts: regular text and code, bold, and italic. A browser loads only those whose text a page shows; pages have no others.
FACE = re.compile(r"@font-face\s*\{([^}]*)\}")
SHOWN = {("normal", "400"), ("normal", "500"), ("normal", "700"), ("italic", "400")}
URL = re.compile(r"""url\(\s*['"]?([^'")]+)['"]?\s*\)""")
IMPORT = re.compile(r"""@import\s+['"]([^'"]+)['"]""")


class Page(HTMLParser):
    """The links, loaded files and anchors of one page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loaded, self.anchors = [], [], {""}
        self.is_without_scripts = False
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors.update(value for key, value in attributes.items() if key in ("id", "name") and value)
        if tag == "noscript":
            self.is_without_scripts = True
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])
        if self.is_without_scripts:
            return
        if address := attributes.get(LOADED.get(tag, "")):
            self.loaded.append(address)
        if tag in ("img", "source"):
            self.loaded += [item.split()[0] for item in (attributes.get("srcset") or "").split(",") if item.strip()]
        kinds = set((attributes.get("rel") or "").split())
        if tag == "link" and attributes.get("href") and kinds & LINKED and attributes.get("media") != "print":
            self.loaded.append(attributes["href"])
        self.loaded += URL.findall(attributes.get("style") or "")

    def handle_endtag(self, tag):
        if tag == "noscript":
            self.is_without_scripts = False


def target(path, address):
    """The file that the `address` in the file at `path` names; None for another site and for data in the address."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return None
    return (path.parent / unquote(parts.path)).resolve() if parts.path else path


def is_shown(face):
    """Whether pages show text of a face of a font, which is declared in a style sheet."""
    properties = dict(re.findall(r"font-(style|weight):\s*(\w+)", face))
    weight = {"normal": "400", "bold": "700"}.get(properties.get("weight", "400"), properties.get("weight", "400"))
    return (properties.get("style", "normal"), weight) in SHOWN


def files(path, pages):
    """The file at `path` and all files that a browser loads for it."""
    found, waiting = set(), [path]
    while waiting:
        file = waiting.pop()
        if file in found or not file.is_file():
            continue
        found.add(file)
        if file.suffix == ".html":
            addresses = (pages.get(file) or Page(file)).loaded
        elif file.suffix == ".css":
            text = FACE.sub(lambda face: face[0] if is_shown(face[1]) else "", file.read_text())
            addresses = URL.findall(text) + IMPORT.findall(text)
        else:
            addresses = []
        waiting += [named for address in addresses if (named := target(file, address))]
    return found


def problems(site):
    # print.html repeats all pages, 404.html has links from the root of a server, toc.html is a part of every page.
    generated = {site / name for name in ("print.html", "404.html", "toc.html")}
    pages = {path: Page(path) for path in sorted(site.rglob("*.html")) if path not in generated}
    for path, page in pages.items():
        name = path.relative_to(site)
        for link in page.links + page.loaded:
            file = target(path, link)
            if file is None:
                continue
            if not file.is_file():
                yield f"{name}: {link} leads to no file"
            elif file in pages and unquote(urlsplit(link).fragment) not in pages[file].anchors:
                yield f"{name}: {link} leads to no heading"
        loaded = files(path, pages)
        weight = sum(file.stat().st_size for file in loaded)
        if weight > HEAVIEST:
            largest = sorted(loaded, key=lambda file: file.stat().st_size, reverse=True)[:3]
            listed = ", ".join(f"{file.name} {file.stat().st_size / 1e6:.2f} MB" for file in largest)
            yield f"{name}: {weight / 1e6:.2f} MB with all files that a browser loads, at most {HEAVIEST / 1e6:.0f} MB are allowed; largest: {listed}"


if __name__ == "__main__":
    site = Path(sys.argv[1]).resolve()
    n_pages = len(list(site.rglob("*.html")))
    found = list(problems(site))
    print("\n".join([*found, f"{n_pages} pages, {len(found)} problems"]))
    sys.exit(1 if found or n_pages == 0 else 0)
