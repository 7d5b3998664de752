"""Which files speak for a region's initiative: its own, the demonstration's, or none yet; and what they say of themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Literal

import pandas as pd

from sectorbook import config, paths, provenance
from sectorbook.errors import SectorbookError, unknown
from sectorbook.local import files

DEMONSTRATION = "demonstration"
# What the name of the source begins with where it is an initiative's own files.
OWN = "initiative-"
# More problems than this are counted, not listed, in one message.
SHOWN = 30


@dataclass(frozen=True)
class Origin:
    """The folder that speaks for a region: `kind` says whose it is, `folder_slug` names it, `region` is the region's slug."""

    kind: Literal["own", "demonstration", "none"]
    folder_slug: str
    region: str

    @property
    def folder(self) -> Path:
        """Return the folder."""
        return paths.local(self.folder_slug)

    def note(self, text: str) -> str:
        """Return the line below a figure of these files alone: where they are from, then `text`."""
        return f"Source: {sidecar(self).title}. {text}"


def own(region_slug: str) -> Origin:
    """Return a region's own files, or none."""
    there = files.files(paths.local(region_slug))
    return Origin("own" if there else "none", region_slug, region_slug)


def find(region_slug: str, sector_slug: str, demonstration: bool) -> Origin:
    """Return a region's own files where there is one, templates included; else the demonstration, where it is asked for.

    The demonstration stands only for the region and sector its sidecar names: it would say nothing of any other.
    """
    mine = own(region_slug)
    if mine.kind == "own" or not demonstration or not paths.local(DEMONSTRATION, provenance.SIDECAR).exists():
        return mine
    facts = provenance.read_sidecar(paths.local(DEMONSTRATION)).facts
    if (facts.get("region"), facts.get("sector")) != (region_slug, sector_slug):
        return mine
    return Origin("demonstration", DEMONSTRATION, region_slug)


@cache
def _read(folder: Path, stamp: tuple) -> files.Folder:
    """Return what `folder` holds; `stamp` (names, sizes, times) makes an edited file count anew."""
    return files.read(folder)


def read(origin: Origin) -> files.Folder:
    """Return everything the folder holds, with all problems. The demonstration is first compared with its sidecar."""
    found = sorted(origin.folder.glob("*")) if origin.folder.is_dir() else []
    if origin.kind == "demonstration":
        for entry in provenance.read_sidecar(origin.folder).files:
            provenance.verify(origin.folder, entry.name)
    return _read(
        origin.folder, tuple((p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in found if p.is_file())
    )


def table(name: str, origin: Origin) -> pd.DataFrame:
    """Return one table, without rows where its file is absent or holds none.

    Raises SectorbookError for an unknown table, and one message with every problem of its file: nothing is half-read.
    """
    if name not in config.local():
        raise unknown("table of an initiative", name, config.local())
    folder = read(origin)
    if problems := folder.problems_of([name]):
        raise SectorbookError(message(problems, origin.folder))
    return folder.frames[name].copy(deep=False)


def message(problems: Sequence, folder: Path) -> str:
    """Return problems as one message, one line each."""
    lines = [f"{len(problems)} problem(s) in {paths.shown(folder)}:", *(f"  {p}" for p in problems[:SHOWN])]
    return "\n".join(lines + ([f"  … and {len(problems) - SHOWN} more."] if len(problems) > SHOWN else []))


def state(names: Sequence[str], origin: Origin) -> pd.DataFrame:
    """Return `file`, `file_rows` (missing without a file), `file_state` and `file_holds` of tables."""
    folder = read(origin)
    rows = [folder.rows.get(name) for name in names]
    return pd.DataFrame(
        {
            "file": [f"{name}.csv" for name in names],
            "file_rows": pd.Series(rows, dtype="float64"),
            "file_state": [
                "no file yet" if n is None else "empty: fill it in" if n == 0 else "filled in" for n in rows
            ],
            "file_holds": [config.local()[name].title for name in names],
        }
    )


def on_file(origin: Origin) -> list[str]:
    """Return the tables that hold rows."""
    return [name for name, rows in read(origin).rows.items() if rows]


def notice(names: Sequence[str], origin: Origin) -> str:
    """Return what a reader must know of where these tables come from, as one sentence or two without a digit."""
    if origin.kind == "demonstration":
        return (
            "The files of the initiative are a demonstration, drawn at random and marked synthetic: its organizations, "
            "answers and amounts describe nobody. Put your own files in their place with sectorbook new-region."
        )
    rows = zip(names, state(names, origin)["file_rows"], strict=True)
    lacking = [name for name, n in rows if not n > 0 and not config.local()[name].optional]
    if not lacking:
        return "These tables are the initiative's own; nobody outside has checked them."
    start = (
        f"Make the templates with: sectorbook new-region {origin.region} --area CODE. "
        if origin.kind == "none"
        else ""
    )
    listed = ", ".join(f"{name}.csv" for name in lacking)
    return (
        f"Nothing is on file in {listed}. {start}Fill them in, in the region's folder of local files, then run: "
        f"sectorbook check {origin.region}."
    )


def sidecar(origin: Origin) -> provenance.Sidecar:
    """Return where these files come from: the demonstration's sidecar, or one that names the initiative itself."""
    if origin.kind == "demonstration":
        return provenance.read_sidecar(origin.folder)
    found = [path for both in files.files(origin.folder).values() for path in both]
    newest = max((path.stat().st_mtime for path in found), default=None)
    day = datetime.fromtimestamp(newest, UTC).date().isoformat() if newest else "none yet"
    return provenance.Sidecar(
        source=f"{OWN}{origin.region}", title="Files of the initiative", publisher="The initiative", vintage=day,
        edition=day, published=day, retrieved=day, licence="Not published",
        citation=f"Files of the initiative, {origin.region}, {len(found)} files, last changed: {day}", files=(),
    )  # fmt: skip


def inputs(region_slug: str) -> dict[str, str]:
    """Return the SHA-256 of every file that may speak for a region: its own, and the demonstration's where it is of it."""
    found = {}
    shown = paths.local(DEMONSTRATION, provenance.SIDECAR)
    ours = shown.exists() and provenance.read_sidecar(shown.parent).facts.get("region") == region_slug
    for slug in (region_slug, DEMONSTRATION) if ours else (region_slug,):
        for both in files.files(paths.local(slug)).values():
            found |= {paths.shown(path): provenance.sha256(path) for path in both}
    return found
