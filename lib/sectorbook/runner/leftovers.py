"""What a killed run leaves behind, and how two runs keep out of each other's way."""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from sectorbook import paths
from sectorbook.errors import SectorbookError

# The names `paths.write_atomic` gives files that are not complete: the final name and eight random characters.
_UNFINISHED = re.compile(r"\..+\.[a-z0-9_]{8}")


def sweep_chapter(slug: str, chapter: str) -> None:
    """Remove what an unfinished run of one chapter left."""
    for person_level in (False, True):
        folder = paths.executed(slug, chapter, person_level).parent
        shutil.rmtree(folder / f".running.{chapter}", ignore_errors=True)


def sweep(slug: str) -> None:
    """Remove what unfinished runs left in a region's folders. Nothing of the region may be running.

    What chapters on people left for an output folder that is gone goes with it.
    """
    for note in paths.private(slug).parent.glob(f"*/{paths.OUTPUT_NOTE}"):
        if not Path(note.read_text(encoding="utf-8").strip()).is_dir():
            shutil.rmtree(note.parent, ignore_errors=True)
    for path in [*paths.reports(slug).rglob(".*"), *paths.private(slug).rglob(".*")]:
        if path.is_dir() and path.name.startswith((".running.", ".fetched.")):
            shutil.rmtree(path, ignore_errors=True)
        elif path.is_file() and _UNFINISHED.fullmatch(path.name):
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def sole_writer() -> Iterator[None]:
    """Hold the output folder for this run. The hold ends with the process, however that ends.

    Raises SectorbookError when another run holds it. On a system without such holds it does nothing.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    paths.reports().mkdir(parents=True, exist_ok=True)
    handle = os.open(paths.reports(), os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SectorbookError(
                f"Another run writes to {paths.shown(paths.reports())}. Wait for it, or give another folder with --out."
            ) from error
        yield
    finally:
        os.close(handle)
