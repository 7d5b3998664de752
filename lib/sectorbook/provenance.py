"""Where data came from: checksums, sidecars and citations. The only module that may use the network."""

import hashlib
import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from sectorbook import paths
from sectorbook.errors import SectorbookError

SIDECAR = "sidecar.json"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class File(_Frozen):
    """One file: its address at the publisher (if any), size and SHA-256."""

    name: str
    sha256: str
    bytes: int
    url: str | None = None
    rows: int | None = None


class Sidecar(_Frozen):
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
