"""A book made ready for one audience, in one language and one brand: what every format prints."""

import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

from sectorbook import config, writing
from sectorbook.config.shapes import Audience
from sectorbook.errors import SectorbookError, unknown
from sectorbook.report import epoch, language, reading
from sectorbook.report.book import ROOM, Book, Section
from sectorbook.report.brand import Brand
from sectorbook.report.language import Language

NAME = re.compile(r"[A-Za-z0-9_]+")
SLUG = re.compile(r"[a-z0-9][a-z0-9-]*")
PLAIN_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\.png")
PNG = b"\x89PNG\r\n\x1a\n"
ANNEX = "annex"
RUNNING = 140
NUMERIC = ("number", "integer")
BACK = ("missing", "sources", "methods", "withheld", "ledger", "receipt")
# What no format can carry or no reader can see: control characters but tab and line end, the marks that override
# the direction of text, half surrogates, and code points that are not characters.
UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufeff"
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))
    + "]"
)


def clean(value: Any) -> Any:
    """Return a ledger's content with what cannot be printed taken out of every text."""
    if isinstance(value, str):
        return UNSEEN.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))
    if isinstance(value, dict):
        return {clean(key): clean(part) for key, part in value.items()}
    return [clean(part) for part in value] if isinstance(value, list | tuple) else value


@dataclass(frozen=True)
class Edition:
    """A book for one audience: sections chosen and ordered, labels and numbers in its language.

    `summary` and `sections` hold the ledgers' items; in a table item the columns' labels and units and the cells
    are in the edition's language, and `shown` tells for each cell whether it is a number, a text or the label of a
    value that is not shown. `own` names the sections whose title is the chapter's own, in the chapter's language.
    """

    book: Book
    audience: str
    language: Language
    brand: Brand
    summary: Section | None
    sections: list[Section]
    left_out: list[str]
    own: frozenset[str]

    @property
    def title(self) -> str:
        """Return the title of the report."""
        if self.book.form:
            return self.language("form_title", form=self.book.form, region=self.book.region["name"])
        return self.language("title", sector=self.sector, region=self.book.region["name"])

    @property
    def notice(self) -> str | None:
        """Return the notice of synthetic data, which names the parts that use them; None where there are none."""
        titles = [self.summary_title] if self.summary and self.summary.synthetic else []
        titles += [section.title for section in self.sections if section.synthetic]
        if not self.book.synthetic:
            return None
        parts = [self.language("synthetic_parts", titles=", ".join(titles))] if titles else []
        return " ".join([self.language("synthetic"), *parts])

    @property
    def running(self) -> str:
        """Return the line at the foot of every page: the notice of synthetic data, else the title, cut short."""
        parts = [self.title, self.brand.name]
        line = self.language("synthetic") if self.book.synthetic else " · ".join(filter(None, parts))
        return line if len(line) <= RUNNING else line[: RUNNING - 1] + "…"

    @property
    def sector(self) -> str:
        """Return the sector's name."""
        return self.language.sectors.get(self.book.sector["slug"], self.book.sector["name"])

    @property
    def about(self) -> str:
        """Return the line below the title."""
        region, kind = self.book.region, self.book.region["kind"]
        return self.language(
            "about", region=region["name"], kind=self.language.kinds.get(kind, kind), code=region["code"],
            sector=self.sector, naics=", ".join(self.book.sector["naics"]),
        )  # fmt: skip

    @property
    def data(self) -> str:
        """Return the line that names the data."""
        return self.language("data", sources="; ".join(source["title"] for source in self.book.sources))

    @property
    def made_for(self) -> str:
        """Return the line that names the audience and who prepared the report."""
        edition = self.language("edition", audience=self.language.audiences[self.audience])
        parts = [] if self.book.form else [edition]
        if self.brand.name:
            parts.append(self.language("prepared_by", name=self.brand.name))
        return " ".join(parts)

    @property
    def summary_title(self) -> str:
        """Return the heading of page one."""
        return self.language(f"summary_{self.audience}")

    @property
    def foreign(self) -> str | None:
        """Return the language of the chapters' own text where it is another than the edition's."""
        return None if self.language.code == language.SOURCE else language.SOURCE

    @property
    def parts(self) -> list[Section]:
        """Return page one and the chapters."""
        return [*([self.summary] if self.summary else []), *self.sections]

    @cached_property
    def places(self) -> dict[str, int]:
        """Return the place in the claim ledger of each number, by address; the ledger is the whole book's."""
        return {number["address"]: place for place, number in enumerate(self.book.numbers, start=1)}

    @property
    def missing(self) -> list[str]:
        """Return what is missing: chapters that did not run, and those this audience's edition leaves out."""
        lines = [self.language(line["why"], **line) for line in self.book.missing]
        if self.left_out:
            lines.append(self.language("left_out", titles="; ".join(self.left_out)))
        return lines

    @property
    def back(self) -> list[str]:
        """Return what stands behind the chapters, in order. A form has no ledger or list that would be empty."""
        empty = {
            "missing": not self.book.missing,
            "withheld": not self.withheld,
            "ledger": not self.book.numbers,
            "methods": True,
        }
        return [part for part in BACK if not (self.book.form and empty.get(part))]

    @property
    def sources(self) -> list[tuple[str, str]]:
        """Return each source: its citation, as the publisher writes it, and what follows."""
        written = []
        for source in self.book.sources:
            dates = {key: self.language.date(source[key]) for key in ("published", "retrieved")}
            rest = self.language("source", **dates, licence=source["licence"])
            via = self.language("source_via", via=source["via"]) if source["via"] else ""
            written.append((source["citation"], f"{rest} {via}".strip()))
        return written

    @property
    def methods(self) -> list[str]:
        """Return how to read the report, its reading grade and its languages."""
        grades = {
            "page_one": reading.grade(_sentences([self.summary])) if self.summary else None,
            "all": reading.grade(_sentences(self.parts)),
        }
        written = {key: f"{value:.1f}" for key, value in grades.items() if value is not None}
        lines = [self.language(f"method_{key}") for key in ("numbers", "intervals", "estimated", "rounding")]
        if written:
            lines.append(
                self.language("method_grade" if "page_one" in written else "method_grade_all", **written)
            )
        return [*lines, self.language("method_language")]

    @cached_property
    def withheld(self) -> list[tuple[str, str, str, int]]:
        """Return the values that are not shown: table, column, label and how many, by table."""
        found: Counter = Counter()
        for part in self.parts:
            for item in part.items:
                if item["kind"] == "table":
                    for kinds, cells in zip(item["shown"], item["cells"], strict=True):
                        for column, kind, cell in zip(item["columns"], kinds, cells, strict=True):
                            if kind == "withheld":
                                found[item["title"], column["label"], cell] += 1
        return [(*key, count) for key, count in found.items()]

    @property
    def code(self) -> str:
        """Return the version and commit the report was made with."""
        code = self.book.code
        if not code.get("commit"):
            return self.language("receipt_plain", version=code.get("version", ""))
        key = "receipt_changed" if code.get("changed") else "receipt_code"
        return self.language(key, version=code.get("version", ""), commit=str(code["commit"])[:12])

    @property
    def receipt(self) -> list[str]:
        """Return the code, the versions and the checksums of what was read."""
        versions = ", ".join(f"{name} {number}" for name, number in self.book.receipt["versions"].items())
        inputs = self.book.receipt["inputs"].items()
        return [
            self.code,
            *([self.language("receipt_versions", versions=versions)] if versions else []),
            *(self.language("receipt_input", file=file, checksum=checksum) for file, checksum in inputs),
        ]

    @cached_property
    def ledger(self) -> list[dict]:
        """Return the claim ledger: for each number its place, label, value, interval, kind and address as written."""
        rows = []
        for place, number in enumerate(self.book.numbers, start=1):
            low, high = (self.language.shown(number[end], number["unit"]) for end in ("low", "high"))
            interval = ""
            if number["low"] is not None:
                sure = f" ({number['interval_pct']:.0f}%)" if number["interval_pct"] is not None else ""
                interval = self.language("range", low=low, high=high) + sure
            rows.append(
                {
                    "place": place,
                    "label": number["label"],
                    "value": self.language.shown(number["value"], number["unit"]),
                    "interval": interval,
                    "kind": self.language("estimated" if number["estimated"] else "from_data"),
                    "address": number["address"],
                    "number": number,
                }
            )
        return rows

    @property
    def stamp(self) -> datetime:
        """Return the one time written into files: SOURCE_DATE_EPOCH, else the day the newest source was read.

        Raises SectorbookError for a SOURCE_DATE_EPOCH that is not whole seconds between 1980 and 2100.
        """
        if (given := epoch.given()) is not None:
            return given
        days = [day for source in self.book.sources if (day := _day(source.get("retrieved")))]
        return datetime.combine(max(days), datetime.min.time(), UTC) if days else epoch.FIRST

    def figure(self, section: Section, item: dict) -> bytes:
        """Return a figure's PNG. Raises SectorbookError unless it is one that stands in the chapter's folder."""
        name = item["file"]
        path = section.folder / name
        if not PLAIN_FILE.fullmatch(name) or path.resolve().parent != section.folder.resolve():
            raise SectorbookError(f"{section.name}: {name[:80]!r} is not the name of a figure in its folder.")
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise SectorbookError(
                f"{section.name}: the figure {name} is gone; run the chapter again."
            ) from error
        if not content.startswith(PNG):
            raise SectorbookError(f"{section.name}: the figure {name} is not a PNG picture.")
        return content


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        return None


def _sentences(parts: list[Section]) -> str:
    return " ".join(
        item["text"] for part in parts for item in part.items if item["kind"] in ("sentence", "caveat")
    )


def _table(item: dict, words: Language) -> dict:
    """Return a table item in the edition's language, each cell told apart as number, text or not shown."""
    columns = [
        {
            **column,
            "type": column["type"] if column["type"] in (*NUMERIC, "text", "status", "flag") else "text",
            "label": words.columns.get(column["name"], column["label"]),
            "unit": words.units.get(column["unit"], column["unit"]),
            "measure": column["unit"],
        }
        for column in item["columns"]
    ]
    cells, shown = [], []
    for texts, values in zip(item["cells"], item["rows"], strict=True):
        row, kinds = [], []
        for column, text, value in zip(columns, texts, values, strict=True):
            if column["type"] not in NUMERIC:
                kind = "text"
            elif isinstance(value, int | float) and text == writing.shown(value, column["measure"]):
                # A cell that does not read as its number was given a label instead: its number stays behind.
                kind, text = "number", words.shown(value, column["measure"])
            else:
                kind, text = "withheld", words.state(text)
            row.append(text)
            kinds.append(kind)
        cells.append(row)
        shown.append(kinds)
    return {**item, "columns": columns, "cells": cells, "shown": shown}


def _section(section: Section, title: str, words: Language) -> Section:
    items = [_table(item, words) if item["kind"] == "table" else item for item in section.items]
    return replace(section, title=title, items=items)


def _chosen(sections: list[Section], audience: Audience) -> tuple[list[Section], list[Section]]:
    """Return an audience's sections in its order, and those it leaves out."""
    kept = [section for section in sections if section.name[:2] not in audience.leave_out]
    left_out = [section for section in sections if section.name[:2] in audience.leave_out]

    def place(section: Section) -> int:
        number = section.name[:2]
        return audience.order.index(number) if number in audience.order else len(audience.order)

    return sorted(kept, key=place), left_out


def _with_annex(sections: list[Section], title: str) -> list[Section]:
    """Return the sections without their tables, and one more that holds them all."""
    moved = [section for section in sections if section.name != ROOM]
    tables = [item for section in moved for item in section.items if item["kind"] == "table"]
    if not tables:
        return sections
    without = [
        replace(section, items=[item for item in section.items if item["kind"] != "table"])
        if section in moved
        else section
        for section in sections
    ]
    return [*without, Section(ANNEX, title, tables, sections[0].folder)]


def make(book: Book, audience: str = "leaders", code: str = "en", brand: Brand | None = None) -> Edition:
    """Return the edition of `book` for an audience of `config/audiences.yml`, in the language `code`.

    Every text is cleaned of what cannot be printed. Raises SectorbookError for an unknown audience or language, and
    for a region whose slug could not be a folder's name.
    """
    audiences = config.audiences()
    if audience not in audiences:
        raise unknown("audience", audience, audiences)
    words = language.load(code)
    if not SLUG.fullmatch(book.region["slug"]):
        raise SectorbookError(
            f"A region's slug is lower case with hyphens; found {book.region['slug'][:80]!r}."
        )

    def ready(section: Section) -> Section:
        if not NAME.fullmatch(section.name):
            raise SectorbookError(
                f"{section.name[:80]!r} is not the name of a chapter; remove its findings file."
            )
        return replace(
            section, title=clean(section.title).strip() or section.name, items=clean(section.items)
        )

    book = replace(
        book,
        **{
            key: clean(getattr(book, key))
            for key in ("region", "sector", "sources", "missing", "code", "receipt")
        },
        summary=ready(book.summary) if book.summary else None,
        sections=[ready(section) for section in book.sections],
    )
    kept, left_out = _chosen(book.sections, audiences[audience])
    headings = words.headings[audience]

    def heading(section: Section) -> str:
        plain = words.headings["leaders"].get(section.name[:2], section.title)
        return headings.get(section.name[:2], plain)

    known = {*headings, *words.headings["leaders"]}
    sections = [_section(section, heading(section), words) for section in kept]
    if audiences[audience].tables == ANNEX and not book.form:
        sections = _with_annex(sections, words("annex"))
    return Edition(
        book=book,
        audience=audience,
        language=words,
        brand=brand or Brand(),
        summary=_section(book.summary, book.summary.title, words) if book.summary else None,
        sections=sections,
        left_out=[words.headings["leaders"].get(section.name[:2], section.title) for section in left_out],
        own=frozenset(s.name for s in kept if s.name[:2] not in known),
    )
