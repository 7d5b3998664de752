"""The saved ledgers of a region: where each chapter left its own, and reading them."""

import json
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
    found = {}
    for path in sorted(_saved(region_slug).values(), key=lambda path: path.stem):
        try:
            found[path.stem] = json.loads(path.read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            raise SectorbookError(f"{paths.shown(path)} is not readable; run the chapter again.") from error
    return found


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
