"""Where data came from: checksums, sidecars, citations, and what is to be fetched."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sectorbook import paths
from sectorbook.errors import SectorbookError

SIDECAR = "sidecar.json"


class Frozen(BaseModel):
    """A validated object that cannot be changed and knows no other keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class File(Frozen):
    """One file: its address at the publisher (if any), size and SHA-256."""

    name: str
    sha256: str
    bytes: int
    url: str | None = None
    rows: int | None = None


class Sidecar(Frozen):
    """What stands beside the data files of one source and vintage.

    `vintage` is how the publisher names the release ("May 2025"); `edition` sorts ("2025-05") and names the folder.
    """

    source: str
    title: str
    publisher: str
    vintage: str
    edition: str
    published: str
    retrieved: str
    licence: str
    citation: str
    synthetic: bool = False
    facts: dict[str, str | float] = {}
    files: tuple[File, ...]
    built_from: tuple[File, ...] = ()
    via: str | None = None

    def file(self, name: str) -> File:
        """Return the entry for the file `name`. Raises SectorbookError when the sidecar does not list it."""
        for entry in self.files:
            if entry.name == name:
                return entry
        raise SectorbookError(
            f"The sidecar of {self.source} {self.vintage} does not list {name}. Rebuild it: sectorbook build {self.source}"
        )


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal text."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def describe(path: Path, url: str | None = None, rows: int | None = None) -> File:
    """Return the sidecar entry of a file on disk."""
    return File(name=path.name, sha256=sha256(path), bytes=path.stat().st_size, url=url, rows=rows)


def write_sidecar(folder: Path, sidecar: Sidecar) -> Path:
    """Write `sidecar` into `folder` and return its path."""
    path = folder / SIDECAR
    with paths.write_atomic(path) as file:
        file.write(sidecar.model_dump_json(indent=2, exclude_defaults=True) + "\n")
    return path


def read_sidecar(folder: Path) -> Sidecar:
    """Read the sidecar in `folder`. Raises SectorbookError when it is missing or not readable."""
    path = folder / SIDECAR
    try:
        return Sidecar.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise SectorbookError(f"{paths.shown(path)} is missing: these data have no known origin.") from error
    except (json.JSONDecodeError, ValidationError) as error:
        raise SectorbookError(f"{paths.shown(path)} is not a valid sidecar: {error}") from error


def verify(folder: Path, name: str) -> File:
    """Check one data file against its sidecar and return the entry.

    Raises SectorbookError when the file is missing, cut short or edited since it was written.
    """
    entry = read_sidecar(folder).file(name)
    path = folder / name
    if not path.exists():
        raise SectorbookError(
            f"{paths.shown(path)} is missing. Get it back with: git checkout -- {paths.shown(path)}"
        )
    size = path.stat().st_size
    if size != entry.bytes:
        raise SectorbookError(
            f"{paths.shown(path)} has {size:,} bytes; its sidecar says {entry.bytes:,}. "
            f"The file is cut short or was edited. Restore it, or rebuild it from the publisher's files."
        )
    if sha256(path) != entry.sha256:
        raise SectorbookError(
            f"{paths.shown(path)} was changed after it was written: its checksum is not the one in "
            f"{SIDECAR}. Restore it, or rebuild it from the publisher's files."
        )
    return entry


def files_of(origin: Path) -> list[Path]:
    """Return the files at `origin`: itself, or those of the folder and of fetched releases in it, in order."""
    folders = [origin, *(p.parent for p in origin.glob(f"*/{SIDECAR}"))] if origin.is_dir() else []
    found = sorted(p for folder in folders for p in folder.iterdir()) if folders else [origin]
    return [p for p in found if p.is_file() and p.name != SIDECAR and not p.name.startswith(".")]


class Publication(Frozen):
    """What a source module knows of its publisher, whatever the release."""

    source: str
    title: str
    publisher: str
    licence: str
    citation: str

    def processed(
        self,
        origin: Path,
        *,
        vintage: str,
        edition: str,
        files: Sequence[File],
        facts: Mapping[str, str | float] | None = None,
    ) -> Sidecar:
        """Return the sidecar of tables built from `origin`, with the addresses and dates that its sidecars tell."""
        used = files_of(origin)
        folders = sorted({p.parent for p in used})
        raw = [read_sidecar(folder) for folder in folders if (folder / SIDECAR).exists()]
        known = {file.name: file.url for sidecar in raw for file in sidecar.files}
        retrieved = ", ".join(sorted({sidecar.retrieved for sidecar in raw}))
        return Sidecar(
            source=self.source,
            title=f"{self.title}, {vintage}",
            publisher=self.publisher,
            vintage=vintage,
            edition=edition,
            published=vintage,
            retrieved=retrieved or "not recorded: the files were not fetched by Sectorbook",
            licence=self.licence,
            citation=self.citation,
            facts=dict(facts or {}),
            files=tuple(files),
            built_from=tuple(describe(p, url=known.get(p.name)) for p in used),
        )


# -- download ---------------------------------------------------------------------------------------------


class Request(Frozen):
    """One file to fetch: the name it gets here, its address, and its size and checksum where they are known."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._,()&-]*$")
    url: str = Field(pattern=r"^https?://")
    sha256: str | None = None
    bytes: int | None = None


class Fetch(Frozen):
    """The files of one release, as a source's `requests()` lists them."""

    about: Publication
    vintage: str
    edition: str
    files: tuple[Request, ...]

    def folder(self) -> Path:
        """Return where this release's files belong."""
        return paths.raw(self.about.source, self.edition)
