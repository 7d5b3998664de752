"""The saved ledgers of a region: where each chapter left its own, and reading them."""

import json
from functools import lru_cache
from pathlib import Path

from sectorbook import paths
from sectorbook.errors import SectorbookError


def _saved(region_slug: str) -> dict[str, Path]:
    """Return the ledger of each saved chapter; that of a chapter on people or firms stands before an older one."""
    return {
        path.stem: path
        for person_level in (False, True)
        for path in paths.ledger(region_slug, "*", person_level).parent.glob("[0-9]*.json")
    }


def folder(region_slug: str, chapter: str) -> Path:
    """Return the folder of a saved chapter's figures."""
    return _saved(region_slug).get(chapter, paths.ledger(region_slug, chapter)).with_suffix("")


def read(region_slug: str) -> dict[str, dict]:
    """Return a region's saved ledgers, by chapter, in chapter order."""
    return {
        path.stem: _load(path) for path in sorted(_saved(region_slug).values(), key=lambda path: path.stem)
    }


def one(region_slug: str, chapter: str) -> dict:
    """Return a saved chapter's ledger, to look into and not to change; empty when the chapter was not run."""
    path = _saved(region_slug).get(chapter)
    return _kept(path, path.stat().st_mtime_ns) if path else {}


@lru_cache(maxsize=16)
def _kept(path: Path, stamp: int) -> dict:
    return _load(path)


def _load(path: Path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise SectorbookError(f"{paths.shown(path)} is not readable; run the chapter again.") from error


def regions() -> list[str]:
    """Return the slugs of the regions that have saved ledgers, in alphabetical order."""
    found = set()
    for base, pattern in (
        (paths.reports(), paths.ledger("*", "*")),
        (paths.local(""), paths.ledger("*", "*", True)),
    ):
        files = base.glob(str(pattern.relative_to(base)))
        found |= {path.relative_to(base).parts[0] for path in files}
    return sorted(found)
