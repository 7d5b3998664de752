"""Region folders for the tests of the site: ledgers and receipts as a run leaves them, made without a run."""

import json
from pathlib import Path

from report_book import REGION, SECTOR, SOURCE

INDUSTRY, REPORT = "03_industry", "12_report"


def number(
    slug: str, key: str, value: float | None, unit: str = "count", chapter: str = INDUSTRY, **more
) -> dict:
    """Return a number as a ledger holds it."""
    return {
        "kind": "number", "address": f"{slug}/{chapter}/{key}", "key": key, "label": f"Label of {key}", "value": value,
        "unit": unit, "source": ["oews"], "low": None, "high": None, "interval_pct": None, "estimated": False, **more,
    }  # fmt: skip


def ledger(slug: str, chapter: str, items: list[dict], **more) -> dict:
    """Return a chapter's ledger."""
    return {
        "schema": 1, "chapter": chapter, "title": chapter.partition("_")[2].capitalize(), "sources": [dict(SOURCE)],
        "region": {**REGION, "slug": slug, "name": slug.replace("-", " ").title()}, "sector": dict(SECTOR),
        "items": items, **more,
    }  # fmt: skip


def usual(slug: str, place: int = 0) -> dict[str, dict]:
    """Return a region's ledgers: industry with numbers of several units and intervals, and page one."""
    quotient = 0.5 + place * 0.01
    items = [
        number(slug, "jobs", 1000.0 + 10 * place, "jobs"),
        number(slug, "wage", None if place == 2 else 40000.0 + place, "USD per year"),
        number(
            slug,
            "quotient",
            quotient,
            "ratio",
            low=quotient * 0.9,
            high=quotient * 1.1,
            interval_pct=90,
            estimated=True,
        ),
        number(slug, "unnamed", 0.0, "count"),
    ]
    page_one = {
        "kind": "sentence", "address": f"{slug}/{REPORT}/sentence_1", "text": "What drives the region.",
        "uses": [f"{slug}/{INDUSTRY}/{key}" for key in ("jobs", "wage", "quotient")],
    }  # fmt: skip
    return {INDUSTRY: ledger(slug, INDUSTRY, items), REPORT: ledger(slug, REPORT, [page_one])}


def save(root: Path, slug: str, ledgers: dict[str, dict], parameters: dict | None = None) -> Path:
    """Write a region's folder among the reports: ledgers, receipt, a report and the executed chapters."""
    folder = root / slug
    (folder / "findings").mkdir(parents=True)
    (folder / "chapters").mkdir()
    for name, content in ledgers.items():
        (folder / "findings" / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
        (folder / "chapters" / f"{name}.html").write_text(
            f'<!DOCTYPE html><html lang="en"><title>{name}</title><main><h1>Chapter {name}</h1></main></html>'
        )
    entry = {
        "status": "done",
        "parameters": {"region": slug, **(parameters or {})},
        "finished": "2026-01-01T00:00:00",
    }
    receipt = {"code": {"version": "0.1.0"}, "chapters": dict.fromkeys(ledgers, entry)}
    (folder / "receipt.json").write_text(json.dumps(receipt), encoding="utf-8")
    (folder / "report.html").write_text(
        '<!DOCTYPE html><html lang="en"><title>Report</title><main><h1>The report</h1></main></html>',
        encoding="utf-8",
    )
    return folder


def national(root: Path, regions: int = 930, findings: int = 35) -> None:
    """Write as many regions' folders as a national series has, each with as many findings as a full run."""
    for place in range(regions):
        slug = f"a-region-with-a-usual-name-{place}"
        content = usual(slug, place)
        more = [
            number(slug, f"finding_{i}", 1234.5 * (place + i), "USD per year") for i in range(findings - 4)
        ]
        content[INDUSTRY]["items"] += more
        content[REPORT]["items"][0]["uses"] += [item["address"] for item in more[:10]]
        save(root, slug, content)
