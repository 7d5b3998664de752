"""What must run and why: each chapter's fingerprint against the one in the region's receipt."""

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from sectorbook import chapters, paths, receipts, warehouse
from sectorbook.chapters import Notebook
from sectorbook.errors import SectorbookError
from sectorbook.local import origin


@dataclass
class Task:
    """One chapter in one region: its parameters, its fingerprint, and why it must run (None: it need not)."""

    region: warehouse.Region
    chapter: Notebook
    parameters: dict[str, Any]
    fingerprint: str
    reason: str | None
    after: list[str] = field(default_factory=list)


def _digest(content: Any) -> str:
    text = (
        content if isinstance(content, bytes) else json.dumps(content, sort_keys=True, default=str).encode()
    )
    return hashlib.sha256(text).hexdigest()


def _of_files(folder: Path, pattern: str) -> str:
    files = sorted(folder.rglob(pattern))
    return _digest({path.relative_to(folder).as_posix(): _digest(path.read_bytes()) for path in files})


def code() -> str:
    """Return one fingerprint of the package, the same wherever it is installed."""
    return _of_files(paths.library(), "*.py")


def inputs() -> dict[str, str]:
    """Return the fingerprints of what every chapter reads: the configuration and the processed data."""
    return {"configuration": _of_files(paths.config(), "*.yml"), "data": _digest(warehouse.inputs())}


@cache
def _shared_inputs() -> str:
    return _digest([code(), inputs()])


def _outputs(region_slug: str, person_level: bool) -> set[str]:
    """Return the names of the chapters whose ledger and executed notebook both stand where such chapters leave them."""
    found = []
    for some in (
        paths.ledger(region_slug, "x", person_level),
        paths.executed(region_slug, "x", person_level),
    ):
        try:
            with os.scandir(some.parent) as entries:
                found.append(
                    {e.name.removesuffix(some.suffix) for e in entries if e.name.endswith(some.suffix)}
                )
        except OSError:
            return set()
    return found[0] & found[1]


def _reason(entry: dict | None, fingerprint: str, there: bool) -> str | None:
    """Return why a chapter must run, from what the receipt says of it; None when it need not."""
    if entry is None:
        return "not run yet"
    if entry.get("status") != "done":
        return "failed before"
    if entry["fingerprint"] != fingerprint:
        return "something it reads changed"
    return None if there else "its output is missing"


def _overtaken(name: str, done: dict[str, dict], again: set[str], earlier: Iterable[str]) -> bool:
    """Return whether a chapter may have quoted less than there is: one it quotes is to run, or ended after it did.

    One that failed and then ran has the same fingerprint as before.
    """
    own = done[name]["finished"]
    return bool(again) or any(done[other]["finished"] > own for other in earlier if other in done)


def make(
    regions: list[warehouse.Region], chosen: list[Notebook], given: dict[str, Any], sector: str | None
) -> list[Task]:
    """Return the tasks of a series, region by region, in chapter order.

    A task that must not run has no reason. A chapter that quotes others comes after the chosen ones, and runs
    again when one of them does. Raises SectorbookError, before anything runs, for an unknown parameter or sector.
    """
    if reserved := sorted({"region", "sector"} & set(given)):
        raise SectorbookError(f"Give {reserved[0]} by its own option, not as a parameter.")
    chapters.parameters(chosen, given)
    source = {chapter.name: _digest(chapter.path.read_bytes()) for chapter in chosen}
    sectors = {
        named: warehouse.find_sector(named) for named in {sector or region.sector for region in regions}
    }
    tasks = []
    for region in regions:
        named = sectors[sector or region.sector]
        text = named.slug if not named.slug.startswith("naics-") else ",".join(named.naics)
        parameters = chapters.parameters(chosen, {**given, "region": region.slug, "sector": text})
        done = receipts.read(region.slug).get("chapters", {})
        there = {
            person_level: _outputs(region.slug, person_level)
            for person_level in {chapter.person_level for chapter in chosen}
        }
        local = origin.inputs(region.slug) if any(chapter.reads_local for chapter in chosen) else {}
        earlier: dict[str, str] = {}
        again: set[str] = set()
        for chapter in chosen:
            own = [_shared_inputs(), source[chapter.name], parameters[chapter.name]]
            if chapter.reads_local:
                own.append(local)
            fingerprint = _digest([*own, earlier] if chapter.reads_findings else own)
            reason = _reason(done.get(chapter.name), fingerprint, chapter.name in there[chapter.person_level])
            if chapter.reads_findings and reason is None and _overtaken(chapter.name, done, again, earlier):
                reason = "a chapter it quotes runs again, or ran after it"
            tasks.append(
                Task(
                    region=region,
                    chapter=chapter,
                    parameters=parameters[chapter.name],
                    fingerprint=fingerprint,
                    reason=reason,
                    after=list(earlier) if chapter.reads_findings else [],
                )
            )
            earlier[chapter.name] = fingerprint
            if reason:
                again.add(chapter.name)
    return tasks
