"""What must run and why: each chapter's fingerprint against the one in the region's receipt."""

import hashlib
import json
from dataclasses import dataclass, field
from functools import cache
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


@cache
def _shared_inputs() -> str:
    """Return one fingerprint of the package, the configuration and the processed data."""
    files = [*sorted(paths.library().rglob("*.py")), *sorted(paths.config().rglob("*.yml"))]
    code = {paths.shown(path): _digest(path.read_bytes()) for path in files}
    return _digest([code, warehouse.inputs()])


def _outputs_exist(region_slug: str, chapter: Notebook) -> bool:
    return (
        paths.ledger(region_slug, chapter.name).exists()
        and paths.executed(region_slug, chapter.name).exists()
    )


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
    tasks = []
    for region in regions:
        named = warehouse.find_sector(sector or region.sector)
        text = named.slug if not named.slug.startswith("naics-") else ",".join(named.naics)
        parameters = chapters.parameters(chosen, {**given, "region": region.slug, "sector": text})
        done = receipts.read(region.slug).get("chapters", {})
        earlier: dict[str, str] = {}
        for chapter in chosen:
            own = [_shared_inputs(), _digest(chapter.path.read_bytes()), parameters[chapter.name]]
            if chapter.reads_local:
                own.append(origin.inputs(region.slug))
            fingerprint = _digest([*own, earlier] if chapter.reads_findings else own)
            reason = None
            if done.get(chapter.name, {}).get("status") != "done":
                reason = "not run yet" if chapter.name not in done else "failed before"
            elif done[chapter.name]["fingerprint"] != fingerprint:
                reason = "something it reads changed"
            elif not _outputs_exist(region.slug, chapter):
                reason = "its output is missing"
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
    return tasks
