"""The receipt of a region: what was run, from what, with which versions, and how it ended."""

import json
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sectorbook import __version__, paths, warehouse
from sectorbook.local import origin

PACKAGES = ("duckdb", "matplotlib", "nbclient", "numpy", "pandas", "papermill", "scipy", "statsmodels")


def path(region_slug: str) -> Path:
    """Return where a region's receipt stands."""
    return paths.reports(region_slug, "receipt.json")


def read(region_slug: str) -> dict:
    """Return a region's receipt, or an empty one when it was never run or its file is damaged."""
    try:
        return json.loads(path(region_slug).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
        return {}


@cache
def _code() -> dict[str, str | bool | None]:
    """Return the commit of the checkout, and whether it holds uncommitted changes; None outside a git checkout."""

    def git(*arguments: str) -> str | None:
        command = ["git", "-C", str(paths.root()), *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
        except (FileNotFoundError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    changed = git("status", "--porcelain")
    return {
        "version": __version__,
        "commit": git("rev-parse", "HEAD"),
        "changed": None if changed is None else bool(changed),
    }


@cache
def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that results hang on."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def write(region: warehouse.Region, entries: dict[str, dict]) -> None:
    """Write the receipt of `region`. Chapters not in `entries` keep theirs."""
    content = {
        "region": {"slug": region.slug, "code": region.code, "name": region.name},
        "code": _code(),
        "versions": versions(),
        "inputs": {**warehouse.inputs(), **origin.inputs(region.slug)},
        "chapters": dict(sorted({**read(region.slug).get("chapters", {}), **entries}.items())),
    }
    with paths.write_atomic(path(region.slug)) as file:
        json.dump(content, file, indent=1, ensure_ascii=False)
