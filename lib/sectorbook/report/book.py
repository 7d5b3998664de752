"""A region's ledgers gathered into one book, whatever the format it is printed in."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sectorbook import answers, chapters, config, disclosure, paths, receipts
from sectorbook.errors import SectorbookError
from sectorbook.ledgers import folder, read


@dataclass(frozen=True)
class Section:
    """One chapter of the book: its ledger's items in order, the folder of its figures, and whether data are synthetic."""

    name: str
    title: str
    items: list[dict]
    folder: Path
    synthetic: bool = False


@dataclass(frozen=True)
class Book:
    """Everything a report holds: page one, the chapters, the sources, what is missing and why, and the receipt.

    `form` is the title of a form that is printed in place of the chapters.
    """

    region: dict
    sector: dict
    summary: Section | None
    sections: list[Section]
    sources: list[dict]
    missing: list[dict]
    synthetic: bool
    code: dict
    receipt: dict
    form: str | None = None

    @property
    def numbers(self) -> list[dict]:
        """Return every recorded number of the book, in order: the claim ledger."""
        parts = [*([self.summary] if self.summary else []), *self.sections]
        return [item for part in parts for item in part.items if item["kind"] == "number"]


SUMMARY = "12_report"
ROOM = "99_room"
SAID = ("asked", "answer_text", "team", "answered_at")


@dataclass(frozen=True)
class Gated:
    """Ledgers as they may be published together: by region and chapter, and the chapters under the gate by region."""

    ledgers: dict[str, dict[str, dict]]
    under: dict[str, frozenset[str]]


def gated(region_slugs: Sequence[str], log: str = "disclosure_log.csv") -> Gated:
    """Return the ledgers of regions that are published together, after one pass of the gate over all of them.

    The reviewer's log stays with each region's local files, under the name `log`.
    """
    entries = config.regions()
    own = {
        slug: disclosure.Rules(minimum=entries[slug].minimum_cell)
        for slug in region_slugs
        if slug in entries and entries[slug].minimum_cell
    }
    saved = {(slug, name): kept for slug in region_slugs for name, kept in read(slug).items()}
    passed, outcome = disclosure.apply(saved, by_region=own or None)
    ledgers: dict[str, dict[str, dict]] = {slug: {} for slug in region_slugs}
    for (slug, name), ledger in passed.items():
        ledgers[slug][name] = ledger
    under = {
        slug: frozenset(name for name in kept if disclosure.person_level(saved[slug, name]))
        for slug, kept in ledgers.items()
    }
    for slug in (slug for slug, names in under.items() if names):
        with paths.write_atomic(paths.local(slug, log)) as file:
            outcome.log[outcome.log["region"].isin([slug, ""])].to_csv(file, index=False)
    return Gated(ledgers, under)


def gather(region_slug: str, room: bool = False) -> Book:
    """Return the book of a region from its saved ledgers, those of the sector that was run last.

    With `room`, the answers teams gave are quoted at the end, word for word: no gate reads what people wrote. Raises
    SectorbookError when there are no ledgers, or with `room` no answers.
    """
    made = bind(region_slug, gated([region_slug]).ledgers[region_slug])
    return replace(made, sections=[*made.sections, _room(region_slug)]) if room else made


def _room(region_slug: str) -> Section:
    """Return what teams answered as a section: one table, a row an answer."""
    kept, known = answers.read(region_slug), answers.asked()
    if not kept:
        raise SectorbookError(
            f"{paths.shown(paths.local(region_slug, answers.FILE))} holds no answers to quote."
        )
    rows = [
        [known.get(a.question, a.question), a.text, a.team or "—", a.time[:16].replace("T", " ")]
        for a in kept
    ]
    columns = [
        {"name": name, **config.columns()[name].model_dump(include={"label", "unit", "type"})}
        for name in SAID
    ]
    item = {
        "kind": "table", "address": f"{region_slug}/{ROOM}/answers", "title": "Answers, word for word, as the teams wrote them",
        "source": [], "columns": columns, "rows": rows, "cells": rows,
    }  # fmt: skip
    return Section(ROOM, "What the room said", [item], paths.ledger(region_slug, ROOM).with_suffix(""))


def bind(region_slug: str, ledgers: dict[str, dict]) -> Book:
    """Return the book of a region from its ledgers as the gate passed them. Raises SectorbookError for none."""
    if not ledgers:
        raise SectorbookError(
            f"No chapter of {region_slug} has been run. Run it with: sectorbook run {region_slug}"
        )
    receipt = receipts.read(region_slug)
    entries = receipt.get("chapters", {})
    newest = max(ledgers, key=lambda name: (entries.get(name, {}).get("finished", ""), name))
    sector = ledgers[newest]["sector"]
    current = {name: ledger for name, ledger in ledgers.items() if ledger["sector"]["slug"] == sector["slug"]}
    missing = []
    for chapter in chapters.discover():
        entry = entries.get(chapter.name, {})
        heading = {"number": chapter.number, "title": chapter.title}
        if entry.get("status") == "failed":
            missing.append({"why": "chapter_failed", **heading, "error": entry["error"]})
        elif chapter.name not in ledgers:
            missing.append({"why": "chapter_not_run", **heading})
        elif chapter.name not in current:
            other = ledgers[chapter.name]["sector"]["name"]
            missing.append({"why": "chapter_other_sector", **heading, "sector": other})
    sections = {
        name: Section(
            name,
            ledger["title"],
            ledger["items"],
            folder(region_slug, name),
            any(source["synthetic"] for source in ledger["sources"]),
        )
        for name, ledger in current.items()
    }
    sources = {source["citation"]: source for ledger in current.values() for source in ledger["sources"]}
    return Book(
        region=ledgers[newest]["region"],
        sector=sector,
        summary=sections.pop(SUMMARY, None),
        sections=list(sections.values()),
        sources=list(sources.values()),
        missing=missing,
        synthetic=any(source["synthetic"] for source in sources.values()),
        code=receipt.get("code", {}),
        receipt={key: receipt.get(key, {}) for key in ("versions", "inputs")},
    )
