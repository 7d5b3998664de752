"""The site's pages, written from saved findings: the table, the sectors, each region, the data and the method."""

import base64
import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from sectorbook import __version__, ledgers, paths
from sectorbook.errors import SectorbookError
from sectorbook.places import Region
from sectorbook.report import book, edition, html, language
from sectorbook.report.site import model, outlines
from sectorbook.report.site.model import Place, Site

LOG = "disclosure_log_site.csv"
# What a region's pack may hold, by the names the pack gives it.
PACK = ("html", "pdf", "docx", "xlsx")
FIRST, OWN, MARK = "index.html", ("regions", "sectors"), "<p>Made with Sectorbook"
WITHHELD_CHAPTER = (
    "This chapter is about people or firms. Its report is here; its executed pages are not published."
)


class _Pages:
    """The templates with everything that every page needs."""

    def __init__(self, site: Site, out: Path) -> None:
        self.site, self.out, self.written, self.copied = site, out, [], []
        self.environment = jinja2.Environment(
            loader=jinja2.PackageLoader("sectorbook.report", "templates/site"), autoescape=True,
            undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip
        script = self._asset("site.js")
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
        self.environment.globals |= {
            "site": site,
            "style": Markup(self._asset("site.css")),
            "script": Markup(script),
            "script_hash": f"sha256-{digest}",
            "version": __version__,
            "kinds": language.load(language.SOURCE).kinds,
            "absent": {*model.CODES},
        }

    def _asset(self, name: str) -> str:
        return self.environment.loader.get_source(self.environment, name)[0]

    def write(self, name: str, template: str, **content: Any) -> None:
        """Write one page. `name` is its address from the site's first page."""
        text = self.environment.get_template(template).render(
            root="../" * name.count("/"), page=name, **content
        )
        self.text(name, text)

    def text(self, name: str, text: str) -> None:
        """Write one file of the site."""
        target = self.out / name
        with paths.write_atomic(target) as file:
            file.write(text)
        self.written.append(target)

    def copy(self, source: Path, name: str) -> None:
        """Copy one file into the site."""
        target = self.out / name
        with source.open("rb") as origin, paths.write_atomic(target, "wb") as file:
            shutil.copyfileobj(origin, file)
        self.copied.append(target)

    def sweep(self) -> None:
        """Remove what an earlier site left in its folders: a page of then may hold what is withheld now."""
        kept = {path.resolve() for path in (*self.written, *self.copied)}
        for folder in OWN:
            for path in sorted((self.out / folder).rglob("*")):
                if path.is_file() and path.resolve() not in kept:
                    path.unlink()


def _check_folder(out: Path) -> None:
    """Raise SectorbookError for a folder that holds something else than a site."""
    first = out / FIRST
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        ours = first.is_file() and MARK in first.read_text(encoding="utf-8", errors="replace")
        if not ours:
            raise SectorbookError(
                f"{paths.shown(out)} holds something else than a site. Give --out an empty folder, or a new one."
            )


def _data(site: Site, drawn: dict | None = None) -> Markup:
    """Return what the script of a page reads; with the map's outlines for a page that has a map."""
    data = site.data()
    if drawn:
        data["map"] = {**drawn, "regions": [drawn["regions"][place.slug] for place in site.places]}
    return Markup(model.script_safe(data))


def _packs(slug: str) -> list[Path]:
    """Return the files of a region's report pack that stand, the usual one first."""
    found = [path for form in PACK for path in sorted(paths.reports(slug).glob(f"report*.{form}"))]
    return sorted(found, key=lambda path: (path.stem != "report", PACK.index(path.suffix[1:]), path.name))


def _chapter_pages(place: Place) -> list[tuple[str, str, Path]]:
    """Return name, title and page of each executed chapter that may be published and stands."""
    listed = [
        (part.name, part.title, paths.executed(place.slug, part.name).with_suffix(".html"))
        for part in sorted(place.parts, key=lambda part: part.name)
        if part.name not in place.under
    ]
    return [entry for entry in listed if entry[2].is_file()]


def _made_here(pages: _Pages, place: Place, folder: str) -> None:
    """Write a region's report as the gate passed it together with all others, and a page for each chapter kept back."""
    pages.text(f"{folder}/report.html", html.render(edition.make(place.book)))
    for part in place.book.sections:
        target = f"{folder}/chapters/{part.name}.html"
        source = paths.executed(place.slug, part.name).with_suffix(".html")
        if part.name not in place.under and source.is_file():
            pages.copy(source, target)
        else:
            pages.write(target, "withheld.html.j2", title=part.title, text=WITHHELD_CHAPTER)


def _links(pages: _Pages, place: Place) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return the labels and addresses, from the site's first page, of a region's reports and chapters.

    A site beside the reports points to them. One that stands elsewhere gets copies, so that it can be handed over.
    A region with chapters on people or firms gets its report written anew: its own was passed by the gate alone.
    """
    folder, packs, chapters = f"regions/{place.slug}", _packs(place.slug), _chapter_pages(place)
    if place.under or not any(path.name == "report.html" for path in packs):
        _made_here(pages, place, folder)
        shown = [
            (f"{part.name[:2]} {part.title}", f"{folder}/chapters/{part.name}.html")
            for part in place.book.sections
        ]
        return [("HTML", f"{folder}/report.html")], shown
    beside = pages.out.resolve().is_relative_to(paths.reports().resolve())

    def address(path: Path) -> str:
        if beside:
            return Path(os.path.relpath(path.resolve(), pages.out.resolve())).as_posix()
        inside = path.relative_to(paths.reports(place.slug)).as_posix()
        pages.copy(path, f"{folder}/{inside}")
        return f"{folder}/{inside}"

    def label(path: Path) -> str:
        rest = path.stem.removeprefix("report").strip("-").replace("-", ", ")
        return path.suffix[1:].upper() + (f" ({rest})" if rest else "")

    reports = [(label(path), address(path)) for path in packs]
    return reports, [(f"{name[:2]} {title}", address(path)) for name, title, path in chapters]


def write(out: Path | None = None) -> list[Path]:
    """Write the site over every region that was run into `out` (default: a folder among the reports).

    Returns the pages, the first page first. The disclosure gate passes all regions' ledgers together. Raises
    SectorbookError when no region was run, for findings that cannot be read, and where `out` holds
    something else than a site.
    """
    out = out or paths.site()
    _check_folder(out)
    slugs = ledgers.regions()
    gated = book.gated(slugs, LOG)
    site = model.make(slugs, gated)
    pages = _Pages(site, out)
    words = language.load(language.SOURCE)
    pages.write(FIRST, "index.html.j2", data=_data(site))
    drawn = outlines.make([Region(**place.book.region) for place in site.places])
    for slug, name in site.sectors.items():
        part = site.of(slug)
        pages.write(f"sectors/{slug}.html", "sector.html.j2", sector=name, part=part, data=_data(part, drawn))
    pages.write("sectors.html", "sectors.html.j2")
    pages.write("data.html", "data.html.j2")
    pages.write("methods.html", "methods.html.j2")
    for place in site.places:
        reports, chapters = _links(pages, place)
        missing = [words(line["why"], **line) for line in place.book.missing]
        pages.write(
            f"regions/{place.slug}.html", "region.html.j2", place=place, reports=reports, chapters=chapters,
            missing=missing,
        )  # fmt: skip
    pages.sweep()
    return pages.written
