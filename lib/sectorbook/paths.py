"""Where things are, and the one way a file is written. The only module that knows folder names."""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from sectorbook.errors import SectorbookError

HOME, REPORTS = "SECTORBOOK_HOME", "SECTORBOOK_REPORTS"


def root() -> Path:
    """Return the checkout: `SECTORBOOK_HOME`, or the folder that holds `lib/`."""
    return Path(os.environ.get(HOME) or Path(__file__).resolve().parents[2])


def config(*parts: str) -> Path:
    """Return a path in `config/`."""
    return root().joinpath("config", *parts)


def notebooks(*parts: str) -> Path:
    """Return a path in `notebooks/`."""
    return root().joinpath("notebooks", *parts)


def library() -> Path:
    """Return the folder of the package itself."""
    return Path(__file__).resolve().parent


def raw(*parts: str) -> Path:
    """Return a path in `data/raw/`: the publisher's bytes, by source and vintage."""
    return root().joinpath("data", "raw", *parts)


def local(region_slug: str, *parts: str) -> Path:
    """Return a path among an initiative's own files for one region. They never enter a commit."""
    return raw("local", region_slug, *parts)


PRIVATE = "private"
OUTPUT_NOTE = "output.txt"  # names the output folder that a private folder belongs to


def private(region_slug: str, *parts: str) -> Path:
    """Return a path among what chapters on people or firms leave before the disclosure gate, in the local folder.

    Each output folder has one of its own, so that two runs with other parameters do not mix.
    """
    usual = root() / "reports"
    where = reports().resolve()
    own = "reports" if where == usual.resolve() else hashlib.sha256(str(where).encode()).hexdigest()[:12]
    return local(region_slug, PRIVATE, own, *parts)


def processed(*parts: str) -> Path:
    """Return a path in `data/processed/`: tidy tables, by source and vintage."""
    return root().joinpath("data", "processed", *parts)


def reports(*parts: str) -> Path:
    """Return a path in the output folder: `SECTORBOOK_REPORTS`, or `reports/`."""
    base = os.environ.get(REPORTS)
    return (Path(base) if base else root() / "reports").joinpath(*parts)


def store() -> Path:
    """Return where a distributed run passes files on while it runs, unless it is given another place."""
    return reports(".store")


def site() -> Path:
    """Return the folder of the cross-region site where none is given."""
    return reports("site")


def ledger(region_slug: str, chapter: str, person_level: bool = False) -> Path:
    """Return the file of a chapter's findings; its figures stand in the folder of the same name beside it.

    That of a chapter on people or firms is kept with the region's local files.
    """
    where = private if person_level else _report
    return where(region_slug, "findings", f"{chapter}.json")


def workshop() -> Path:
    """Return the folder of the workshop's packs where none is given."""
    return reports("workshop")


def checks() -> Path:
    """Return the file of what a participant pack checks answers against."""
    return root() / "checks.json"


def lock() -> Path:
    """Return the file that pins every library."""
    return root() / "requirements.lock"


def executed(region_slug: str, chapter: str, person_level: bool = False) -> Path:
    """Return the file of a chapter's executed notebook, kept as its findings are."""
    where = private if person_level else _report
    return where(region_slug, "chapters", f"{chapter}.ipynb")


def _report(region_slug: str, *parts: str) -> Path:
    return reports(region_slug, *parts)


def questionnaire(region_slug: str, name: str) -> Path:
    """Return the file of a questionnaire made for a region: the form to upload, or the pages to print."""
    return reports(region_slug, "questionnaire", name)


@contextlib.contextmanager
def at(home: Path, out: Path) -> Iterator[None]:
    """Look, for the time being, in the checkout `home` with the output folder `out`."""
    given = {"SECTORBOOK_HOME": str(home), "SECTORBOOK_REPORTS": str(out)}
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def shown(path: Path) -> str:
    """Return `path` as a message shows it: from the checkout's root where it lies inside."""
    with contextlib.suppress(ValueError):
        return str(path.resolve().relative_to(root().resolve()))
    return str(path)


@contextlib.contextmanager
def write_atomic(path: Path, mode: str = "w") -> Iterator[IO]:
    """Open a temporary file that takes the name `path` only when it is complete and on disk.

    A killed or failed write leaves the old file, or none. Raises SectorbookError when the folder cannot be
    written or the disk is full.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        encoding = None if "b" in mode else "utf-8"
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        with os.fdopen(handle, mode, encoding=encoding, newline=None if "b" in mode else "\n") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise SectorbookError(
            f"Cannot write {shown(path)}: {error.strerror or error}. Nothing was half-written."
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
