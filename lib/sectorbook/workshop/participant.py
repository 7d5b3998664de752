"""The participant pack: notebooks without solutions, the data and the library they need, and how to start without a network."""

import json
import re
import shutil
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

from sectorbook import paths, provenance
from sectorbook.local.origin import DEMONSTRATION
from sectorbook.workshop import notebooks, plans, sealed, solve, start, wheelhouse
from sectorbook.workshop.notebooks import Setting
from sectorbook.workshop.solve import Solved

SCHEMA = 1
IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")


def checks(setting: Setting, solved: Solved) -> dict:
    """Return what the pack checks answers against: hashes and messages, and which exercises have no check here."""
    sealed_ones, unchecked = {}, []
    where = (setting.region.slug, setting.sector.slug)
    for exercise in solve.exercises(setting):
        told = solved.told[exercise.id]
        if told["answer"] is None:
            unchecked.append(exercise.id)
            continue
        slips = notebooks.slips(exercise, setting.words)
        sealed_ones[exercise.id] = sealed.seal(
            told, exercise.id, exercise.compares, exercise.decimals, exercise.right.strip(), slips, *where
        )
    return {
        "schema": SCHEMA,
        "lang": setting.words.code,
        "region": {"slug": setting.region.slug, "name": setting.region.name},
        "sector": {"slug": setting.sector.slug, "name": setting.sector.name},
        "exercises": sealed_ones,
        "unchecked": unchecked,
    }


def environment() -> jinja2.Environment:
    """Return where the workshop's templates are, with escaping in pages."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("sectorbook.workshop"), undefined=jinja2.StrictUndefined,
        autoescape=lambda name: bool(name) and ".html" in name, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters["code"] = _code
    return made


def _code(text: str) -> Markup:
    """Return a text as HTML, with what stands between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _configuration(target: Path) -> None:
    """Copy the configuration without exercises and agendas: they hold the solutions."""
    shutil.copytree(paths.config(), target, ignore=shutil.ignore_patterns(plans.FOLDER, plans.AGENDAS, ".*"))


def _data(folder: Path) -> None:
    """Copy public tables and the demonstration. An initiative's own files, raw files and local tables stay."""
    for sidecar in sorted(paths.processed().glob(f"*/*/{provenance.SIDECAR}")):
        source = sidecar.parent
        shutil.copytree(source, folder / source.relative_to(paths.root()), ignore=IGNORED)
    source = paths.local(DEMONSTRATION)
    if source.exists():
        shutil.copytree(source, folder / source.relative_to(paths.root()), ignore=IGNORED)


def write(folder: Path, setting: Setting, solved: Solved) -> None:
    """Write the participant pack into an empty folder."""
    notebooks_folder = folder / paths.notebooks().relative_to(paths.root())
    notebooks_folder.mkdir(parents=True)
    for chapter in setting.chosen:
        text = json.dumps(notebooks.make(setting, chapter, solutions=False), indent=1, ensure_ascii=False)
        (notebooks_folder / chapter.path.name).write_text(text + "\n", encoding="utf-8")
    content = json.dumps(checks(setting, solved), indent=1, ensure_ascii=False)
    (folder / paths.checks().name).write_text(content + "\n", encoding="utf-8")
    _configuration(folder / paths.config().name)
    _data(folder)
    shutil.copytree(paths.library(), folder / "lib" / paths.library().name, ignore=IGNORED)
    (folder / "requirements.txt").write_text(wheelhouse.requirements(), encoding="utf-8")
    shutil.copy(Path(start.__file__), folder / "start.py")
    words = setting.words
    readme = environment().get_template(f"participant.{words.code}.md.j2")
    text = readme.render(setting=setting, words=words, first=setting.chosen[0], last=setting.chosen[-1])
    (folder / "README.md").write_text(text, encoding="utf-8")
