"""The workshop's packs: built beside their place, and put there only when they are whole."""

import json
import shutil
import tempfile
from pathlib import Path

from sectorbook import __version__, chapters, paths, warehouse
from sectorbook.errors import SectorbookError
from sectorbook.workshop import facilitator, participant, plans, solve, textbook
from sectorbook.workshop.notebooks import Setting
from sectorbook.workshop.words import SOURCE, load

MARK = "workshop.json"


def setting(region: str, sector: str | None, chapter_text: str | None, lang: str = SOURCE) -> Setting:
    """Return for whom a pack is made. Raises SectorbookError for an unknown region, sector, chapter or language."""
    words = load(lang)
    chosen = tuple(chapters.select(chapter_text))
    place = warehouse.find_region(region)
    text = sector or place.sector
    made = Setting(place, warehouse.find_sector(text), text, chosen, words)
    for chapter in chosen:
        made.plan(chapter)
    plans.agendas(lang)
    return made


def _place(out: Path) -> None:
    """Raise SectorbookError unless packs can be put at `out`: a new folder, an empty one, or one of earlier packs."""
    if out.exists() and not out.is_dir():
        raise SectorbookError(f"{paths.shown(out)} is a file; give a folder.")
    if out.is_dir() and any(out.iterdir()) and not (out / MARK).is_file():
        raise SectorbookError(
            f"{paths.shown(out)} holds other files. Give a new folder, an empty one, or one of earlier packs."
        )
    with paths.write_atomic(out.parent / f".{out.name}.probe") as file:
        file.write("")
    (out.parent / f".{out.name}.probe").unlink()


def _put(made: Path, out: Path, aside: Path) -> None:
    """Put the finished packs at `out`, earlier ones out of the way."""
    if out.exists():
        out.rename(aside)
    try:
        made.rename(out)
    except OSError:
        if aside.exists():
            aside.rename(out)
        raise


def build(made: Setting, out: Path | None = None) -> Path:
    """Build the participant pack, the facilitator pack and the book of the chapters, and return their folder.

    Raises SectorbookError, and leaves what was there, when the folder cannot
    be written, a chapter does not run with its solutions, or an agenda does not add up.
    """
    out = (paths.workshop() if out is None else out).absolute()
    textbook.require()
    _place(out)
    try:
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as name:
            folder = Path(name)
            solved = solve.run(folder / "run", made)
            participant.write(folder / "packs" / "participant", made, solved)
            facilitator.write(folder / "packs" / "facilitator", made, solved)
            textbook.write(folder / "packs" / "book", made, folder / "source")
            mark = {
                "version": __version__,
                "region": made.region.slug,
                "sector": made.sector.slug,
                "chapters": [chapter.name for chapter in made.chosen],
                "lang": made.words.code,
            }
            (folder / "packs" / MARK).write_text(json.dumps(mark, indent=1) + "\n", encoding="utf-8")
            (folder / "packs").chmod(0o755)
            _put(folder / "packs", out, folder / "before")
    except (OSError, shutil.Error) as error:
        reason = getattr(error, "strerror", None) or error
        file = getattr(error, "filename", None)
        raise SectorbookError(
            f"Cannot write {paths.shown(out)}: {reason}{f' ({paths.shown(Path(file))})' if file else ''}. "
            "Nothing was half-written."
        ) from error
    return out
