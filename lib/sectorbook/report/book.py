"""A region's ledgers gathered into one book, whatever the format it is printed in."""

from dataclasses import dataclass
from pathlib import Path

from sectorbook import chapters, config, disclosure, findings, paths, receipts
from sectorbook.errors import SectorbookError


@dataclass(frozen=True)
class Section:
    """One chapter of the book: its ledger's items in order, and the folder of its figures."""

    name: str
    title: str
    items: list[dict]
    folder: Path


@dataclass(frozen=True)
class Book:
    """Everything a report holds: page one, the chapters, the sources, what is missing and why, and the receipt."""

    region: dict
    sector: dict
    summary: Section | None
    sections: list[Section]
    sources: list[dict]
    missing: list[dict]
    synthetic: bool
    code: dict
    receipt: dict

    @property
    def numbers(self) -> list[dict]:
        """Return every recorded number of the book, in order: the claim ledger."""
        parts = [*([self.summary] if self.summary else []), *self.sections]
        return [item for part in parts for item in part.items if item["kind"] == "number"]


SUMMARY = "12_report"


def _gated(region_slug: str) -> dict[str, dict]:
    """Return a region's ledgers as they may be published; the reviewer's log stays with the region's local files."""
    entry = config.regions().get(region_slug)
    minimum = entry.minimum_cell if entry else None
    own = {region_slug: disclosure.Rules(minimum=minimum)} if minimum else None
    saved = findings.read(region_slug)
    passed, outcome = disclosure.apply(saved, by_region=own)
    if any(disclosure.person_level(ledger) for ledger in saved.values()):
        with paths.write_atomic(paths.local(region_slug, "disclosure_log.csv")) as file:
            outcome.log.to_csv(file, index=False)
    return passed


def gather(region_slug: str) -> Book:
    """Return the book of a region from its saved ledgers, those of the sector that was run last.

    Raises SectorbookError when there are none.
    """
    ledgers = _gated(region_slug)
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
        name: Section(name, ledger["title"], ledger["items"], paths.ledger(region_slug, name).with_suffix(""))
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
