"""A book as one self-contained HTML page, and the executed chapters as pages beside it."""

import base64
from pathlib import Path

import jinja2
from markupsafe import Markup
from traitlets.config import Config

from sectorbook import findings, paths
from sectorbook.report.book import Book, Section

_HIDE_TAGGED_INPUT = Config(TagRemovePreprocessor={"enabled": True, "remove_input_tags": {"remove-input"}})


def _image(section: Section, item: dict) -> str:
    """Return a recorded figure as a data address."""
    content = (section.folder / item["file"]).read_bytes()
    return "data:image/png;base64," + base64.b64encode(content).decode("ascii")


def render(book: Book) -> str:
    """Return the report as HTML. Everything is in the page; it needs no network."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("sectorbook.report"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    places = {number["address"]: place for place, number in enumerate(book.numbers, start=1)}
    return environment.get_template("report.html.j2").render(
        book=book,
        places=places,
        image=_image,
        table=lambda item: Markup(findings.table_html(item)),
        shown=findings.shown,
    )


def write(book: Book) -> Path:
    """Write `report.html` of the book's region and return its path."""
    target = paths.reports(book.region["slug"], "report.html")
    with paths.write_atomic(target) as file:
        file.write(render(book))
    return target


def write_chapters(region_slug: str) -> list[Path]:
    """Write each executed chapter that has no newer page as HTML beside its notebook, and return the pages."""
    from nbconvert import HTMLExporter

    pages, exporter = [], None
    for notebook in sorted(paths.reports(region_slug, "chapters").glob("[0-9]*.ipynb")):
        if ".failed" in notebook.suffixes:
            continue
        page = notebook.with_suffix(".html")
        pages.append(page)
        if page.exists() and page.stat().st_mtime >= notebook.stat().st_mtime:
            continue
        # No address of a content network may stay in a page that is read offline.
        exporter = exporter or HTMLExporter(
            template_name="lab", mathjax_url="", require_js_url="", jquery_url="", mermaid_js_url="",
            widget_renderer_url="", config=_HIDE_TAGGED_INPUT,
        )  # fmt: skip
        body, _ = exporter.from_filename(str(notebook))
        with paths.write_atomic(page) as file:
            file.write(body)
    return pages
