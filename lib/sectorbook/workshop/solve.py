"""The chapters run with their solutions: what each exercise comes to in a region, and notebooks to teach from."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from sectorbook import paths
from sectorbook.errors import SectorbookError
from sectorbook.local.origin import DEMONSTRATION
from sectorbook.workshop import notebooks
from sectorbook.workshop.notebooks import Setting

TAIL = 2000


@dataclass(frozen=True)
class Solved:
    """What a run of the solved chapters left: told answers by exercise, executed notebooks by name, its checkout and reports."""

    told: dict[str, dict]
    notebooks: dict[str, dict]
    home: Path
    reports: Path


def home(folder: Path, setting: Setting) -> None:
    """Lay out a checkout of its own: solved chapters, the configuration, public data and the demonstration alone.

    An initiative's own files are not in it, so no answer rests on them.
    """
    folder.joinpath(paths.notebooks().name).mkdir(parents=True)
    for chapter in setting.chosen:
        text = json.dumps(notebooks.make(setting, chapter, solutions=True), indent=1, ensure_ascii=False)
        folder.joinpath(paths.notebooks().name, chapter.path.name).write_text(text, encoding="utf-8")
    for source in (paths.config(), paths.processed(), paths.local(DEMONSTRATION)):
        if source.exists():
            target = folder / source.relative_to(paths.root())
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                target.symlink_to(source.resolve(), target_is_directory=True)
            except OSError:  # Windows lets only some accounts make links
                shutil.copytree(source, target)


def run(folder: Path, setting: Setting) -> Solved:
    """Run the solved chapters in `folder` and return what they came to. Raises SectorbookError when one fails."""
    where, reports = folder / "home", folder / "out"
    home(where, setting)
    numbers = ",".join(chapter.number for chapter in setting.chosen)
    command = [
        sys.executable,
        "-m",
        "sectorbook",
        "run",
        setting.region.slug,
        "--sector",
        setting.sector_text,
    ]
    done = subprocess.run(
        [*command, "--chapters", numbers, "--out", str(reports), "--quiet"],
        env={**os.environ, "SECTORBOOK_HOME": str(where)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        said = (done.stderr + done.stdout).strip()[-TAIL:]
        raise SectorbookError(
            f"The chapters with their solutions did not run through. Nothing was written. {said}"
        )
    executed = {}
    for chapter in setting.chosen:
        with paths.at(where, reports):
            path = paths.executed(setting.region.slug, chapter.name, chapter.person_level)
        executed[chapter.name] = json.loads(path.read_text(encoding="utf-8"))
    told = {key: value for notebook in executed.values() for key, value in notebooks.told(notebook).items()}
    return Solved(told, {name: notebooks.without_told(nb) for name, nb in executed.items()}, where, reports)


def exercises(setting: Setting) -> list[notebooks.Exercise]:
    """Return the exercises of a pack's chapters in order, in the pack's language."""
    taught = [plan for chapter in setting.chosen if (plan := setting.plan(chapter))]
    return [exercise for plan in taught for exercise in plan.exercises]


def lacking(setting: Setting) -> list[str]:
    """Return the numbers of a pack's chapters that have no exercises yet."""
    return [c.number for c in setting.chosen if (plan := setting.plan(c)) is None or not plan.exercises]
