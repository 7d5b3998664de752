"""What both sides of a distributed run hold of it: the order, a chapter's job and answer, and what must be alike."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sectorbook import __version__, chapters, provenance, receipts
from sectorbook.local import origin
from sectorbook.runner import plan
from sectorbook.runner.workers import End

INPUTS = "inputs"


@dataclass(frozen=True)
class Order:
    """A run as its workers know it. `home`: the checkout's files by SHA-256; None: each worker has a checkout."""

    run: str
    identity: dict[str, Any]
    store: str
    token: str
    home: dict[str, str] | None
    timeout: float | None
    memory_mb: int | None

    @property
    def folder(self) -> str:
        """Return the run's folder in the store."""
        return f"runs/{self.run}"


@dataclass(frozen=True)
class Job:
    """One chapter: what it reads of other chapters by SHA-256, and the store's folder for what it writes."""

    slug: str
    chapter: str
    parameters: dict[str, Any]
    reads: dict[str, str]
    folder: str


@dataclass(frozen=True)
class Answer:
    """How a chapter ended on a worker, and the files it wrote, by path in the output folder and SHA-256."""

    end: End
    files: dict[str, str]


def digest(content: Any) -> str:
    """Return a fingerprint of plain content."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def identity(slugs: list[str], with_data: bool) -> dict[str, Any]:
    """Return what must be the same on every machine of a run, `with_data` the data and the files of the regions too."""
    found: dict[str, Any] = {"Sectorbook": __version__, "code": plan.code(), **receipts.versions()}
    if with_data:
        found |= plan.inputs()
        found["notebooks"] = digest({c.name: provenance.sha256(c.path) for c in chapters.discover()})
        found["files of the initiatives"] = digest({slug: origin.inputs(slug) for slug in slugs})
    return {**found, "regions": slugs, "with_data": with_data}


def difference(expected: dict[str, Any]) -> str | None:
    """Return in what this machine is not as `expected`, or None. What was read before is read again."""
    chapters.discover.cache_clear()
    own = identity(expected["regions"], expected["with_data"])
    said = []
    for name, value in expected.items():
        if own[name] != value:
            known = len(str(value)) < 20
            said.append(f"{name} {own[name]}, here {value}" if known else f"other {name}")
    return "; ".join(said) or None
