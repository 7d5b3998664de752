"""What the site holds: every region's numbers side by side, and on what each of them rests."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from sectorbook import paths, receipts, writing
from sectorbook.errors import SectorbookError
from sectorbook.local import origin
from sectorbook.report import book
from sectorbook.report.book import Book
from sectorbook.report.edition import NAME, SLUG, clean

NOT_SHOWN = "not shown"
NOT_RUN = "not run"
# How the page's data write what has no value. Each stands for one of the texts above, or for "not published".
CODES = {NOT_SHOWN: "x", writing.NOT_PUBLISHED: "?", NOT_RUN: ""}
Id = tuple[str, str, str]


@dataclass(frozen=True)
class Finding:
    """A number that chapters record under one key: its chapter, key, unit, label, and whether it is estimated."""

    chapter: str
    key: str
    unit: str
    label: str
    estimated: bool

    @property
    def id(self) -> Id:
        """Return what tells it from every other: numbers of one key in two units are two findings."""
        return self.chapter, self.key, self.unit

    @property
    def note(self) -> str:
        """Return its unit and whether it is estimated, as a heading adds them."""
        return ", ".join([self.unit.split(",")[0], *(["estimated"] if self.estimated else [])])


@dataclass(frozen=True)
class Cell:
    """A number as it is written: its text, and its interval where it has one."""

    text: str
    low: str = ""
    high: str = ""
    sure: str = ""

    @property
    def interval(self) -> str:
        """Return the interval as it is written, or ""."""
        return f"{self.low} to {self.high}" if self.low else ""

    @property
    def packed(self) -> str:
        """Return the cell as the page's data hold it: text|low|high|percent, or a code for what has no value."""
        text = CODES.get(self.text, self.text)
        return f"{text}|{self.low}|{self.high}|{self.sure}" if self.low else text


@dataclass(frozen=True)
class Place:
    """One region of the site: its book, its numbers by finding, the chapters that are under the gate, and, by chapter, the
    parameters it ran with and the data it read.
    """

    book: Book
    numbers: dict[Id, dict]
    under: frozenset[str]
    settings: dict[str, dict[str, str]]
    data: dict[str, str]

    @property
    def slug(self) -> str:
        """Return the region's slug."""
        return self.book.region["slug"]

    @property
    def name(self) -> str:
        """Return the region's name."""
        return self.book.region["name"]

    @property
    def parts(self) -> list[book.Section]:
        """Return every section, page one last, as the workbook numbers them."""
        return [*self.book.sections, *([self.book.summary] if self.book.summary else [])]

    def cell(self, finding: Finding) -> Cell:
        """Return a finding as this region has it. Withheld, not published and not run are three things."""
        number = self.numbers.get(finding.id)
        if number is None:
            return Cell(NOT_RUN)
        if number.get("withheld"):
            return Cell(NOT_SHOWN)
        unit = finding.unit
        if number["value"] is None or number["low"] is None or number["high"] is None:
            return Cell(writing.shown(number["value"], unit))
        sure = number["interval_pct"]
        return Cell(
            writing.shown(number["value"], unit), writing.shown(number["low"], unit),
            writing.shown(number["high"], unit), "" if sure is None else f"{sure:.0f}%",
        )  # fmt: skip

    def basis(self, chapter: str) -> str:
        """Return what a chapter's numbers rest on: industries, data and settings. Only equals are compared."""
        if not any(part.name == chapter for part in self.parts):
            return ""
        settings = [f"{name} = {value}" for name, value in sorted(self.settings.get(chapter, {}).items())]
        return ". ".join([f"NAICS {', '.join(self.book.sector['naics'])}", self.data[chapter], *settings])


@dataclass(frozen=True)
class Site:
    """All regions by name, every finding in the chapters' order, and which of them are key."""

    places: list[Place]
    findings: list[Finding]
    key: list[Finding]

    @cached_property
    def sectors(self) -> dict[str, str]:
        """Return the sectors' names by slug, in alphabetical order of the names."""
        found = {p.book.sector["slug"]: p.book.sector["name"] for p in self.places}
        return dict(sorted(found.items(), key=lambda pair: (pair[1].casefold(), pair[0])))

    @cached_property
    def chapters(self) -> dict[str, str]:
        """Return the titles of the chapters that some region has, by name and in order."""
        found = {part.name: part.title for place in self.places for part in place.parts}
        return dict(sorted(found.items()))

    @property
    def first(self) -> Finding | None:
        """Return the finding that is shown first: a ratio of the sector with an interval, fair to large and small."""
        sure = {
            found
            for p in self.places
            for found, n in p.numbers.items()
            if n["low"] is not None and n["value"] is not None
        }
        told = [f for f in self.key if f.id in sure]
        return min(told, key=lambda f: (not f.key.startswith("sector_"), f.unit != "ratio"), default=None)

    @property
    def synthetic(self) -> bool:
        """Return whether any region uses synthetic data."""
        return any(place.book.synthetic for place in self.places)

    @property
    def sources(self) -> list[tuple[dict, int]]:
        """Return each source and how many regions use it."""
        found = {s["citation"]: s for place in self.places for s in place.book.sources}
        count = Counter(s["citation"] for place in self.places for s in place.book.sources)
        return [(found[citation], count[citation]) for citation in sorted(found)]

    @property
    def codes(self) -> list[tuple[str, int]]:
        """Return each version of the code that regions were run with, and how many."""

        def written(code: dict) -> str:
            commit = f", commit {str(code['commit'])[:12]}" if code.get("commit") else ""
            return f"Sectorbook {code.get('version', '')}{commit}" + (
                ", with uncommitted changes" if code.get("changed") else ""
            )

        return sorted(Counter(written(place.book.code) for place in self.places if place.book.code).items())

    def published(self, finding: Finding) -> int:
        """Return for how many regions a finding has a value."""
        return sum(place.cell(finding).text not in CODES for place in self.places)

    def of(self, sector: str) -> "Site":
        """Return the part of the site that one sector has, with the findings some of its regions have."""
        places = [place for place in self.places if place.book.sector["slug"] == sector]
        known = {found for place in places for found in place.numbers}
        return Site(places, *([f for f in some if f.id in known] for some in (self.findings, self.key)))

    def data(self) -> dict[str, Any]:
        """Return what the pages' script reads: texts as written, one list a finding, one entry a region."""
        chapters = sorted({finding.chapter for finding in self.findings})
        bases: dict[str, int] = {}
        sectors = list(self.sectors)
        regions = [
            [
                place.name,
                place.slug,
                sectors.index(place.book.sector["slug"]),
                " ".join(str(place.book.region[part]) for part in ("code", "kind", "slug")),
                [bases.setdefault(place.basis(chapter), len(bases)) for chapter in chapters],
            ]
            for place in self.places
        ]
        return {
            "chapters": [self.chapters[chapter] for chapter in chapters],
            "findings": [[chapters.index(f.chapter), f.label, f.note] for f in self.findings],
            "key": [self.findings.index(f) for f in self.key],
            "first": self.findings.index(self.first) if self.first else 0,
            "sectors": list(self.sectors.items()),
            "regions": regions,
            "bases": list(bases),
            "values": [[place.cell(f).packed for place in self.places] for f in self.findings],
        }


def script_safe(content: Any) -> str:
    """Return JSON that can stand in a script element: nothing in it ends the element or a line."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text


def _titled(section: book.Section) -> book.Section:
    return replace(section, title=clean(section.title).strip() or section.name)


def _data(sources: list[dict]) -> str:
    """Return a chapter's sources with their vintages. Files of initiatives are of one kind, whoever keeps them."""
    own = [source for source in sources if source["source"].startswith(origin.OWN)]
    public = {f"{source['source']} {source['vintage']}" for source in sources if source not in own}
    return clean("; ".join(sorted(public | ({"files of the initiative"} if own else set()))))


def _numbers(bound: Book) -> dict[Id, dict]:
    parts = [*bound.sections, *([bound.summary] if bound.summary else [])]
    numbers = ((part.name, clean(item)) for part in parts for item in part.items if item["kind"] == "number")
    return {(name, number["key"], number["unit"]): number for name, number in numbers}


def _used_on_page_one(place: Place) -> set[Id]:
    """Return the findings from which page one is written."""
    if place.book.summary is None:
        return set()
    used = {address for item in place.book.summary.items for address in item.get("uses", ())}
    return {found for found, number in place.numbers.items() if number["address"] in used}


def _place(slug: str, gated: book.Gated) -> Place:
    bound = book.bind(slug, gated.ledgers[slug])
    bound = replace(
        bound,
        **{part: clean(getattr(bound, part)) for part in ("region", "sector", "sources", "missing", "code")},
        summary=_titled(bound.summary) if bound.summary else None,
        sections=[_titled(section) for section in bound.sections],
    )
    if bound.region["slug"] != slug or not SLUG.fullmatch(slug):
        raise SectorbookError(
            f"{paths.shown(paths.reports(slug))}: its findings are of the region {bound.region['slug'][:80]!r}. "
            "A region's folder has the region's slug; run the region again."
        )
    if not SLUG.fullmatch(bound.sector["slug"]):
        raise SectorbookError(f"{slug}: {bound.sector['slug'][:80]!r} is not a sector's slug; run it again.")
    for name in gated.ledgers[slug]:
        if not NAME.fullmatch(name):
            raise SectorbookError(
                f"{slug}: {name[:80]!r} is not the name of a chapter; remove its findings file."
            )
    entries = receipts.read(slug).get("chapters", {})
    settings = {
        name: {
            clean(str(key)): clean(str(value))
            for key, value in entry.get("parameters", {}).items()
            if key not in ("region", "sector")
        }
        for name, entry in entries.items()
    }
    data = {name: _data(ledger["sources"]) for name, ledger in gated.ledgers[slug].items()}
    return Place(bound, _numbers(bound), gated.under[slug], settings, data)


def make(region_slugs: Sequence[str], gated: book.Gated) -> Site:
    """Return the site of regions whose ledgers the gate passed together.

    Key findings are the numbers that page one of any region is written from. Raises SectorbookError for no region,
    and for findings whose region, sector or chapter could not be the name of a file.
    """
    if not region_slugs:
        raise SectorbookError(
            f"No region has been run in {paths.shown(paths.reports())}. Run one with: sectorbook run REGION"
        )
    places = sorted(
        (_place(slug, gated) for slug in region_slugs), key=lambda place: (place.name.casefold(), place.slug)
    )
    known: dict[Id, Finding] = {}
    key: set[Id] = set()
    for place in places:
        key |= _used_on_page_one(place)
        for found, number in place.numbers.items():
            older = known.get(found)
            estimated = bool(number["estimated"]) or bool(older and older.estimated)
            label = older.label if older else number["label"]
            known[found] = Finding(*found, label, estimated)
    # Chapters in order; within one, as they first recorded.
    listed = sorted(known.values(), key=lambda finding: finding.chapter)
    return Site(places, listed, [finding for finding in listed if finding.id in key])
