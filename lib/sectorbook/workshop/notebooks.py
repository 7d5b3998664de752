"""A chapter as participants get it, without outputs and solutions, and as facilitators do, with them."""

import copy
import json
import re
from dataclasses import dataclass
from html import escape
from typing import Any

from sectorbook import chapters, warehouse
from sectorbook.workshop import plans
from sectorbook.workshop.plans import Exercise, Plan
from sectorbook.workshop.room import MIME
from sectorbook.workshop.words import SOURCE, Words

TOLD = "workshop-told"
BEFORE = "## Sources"
FIRST = "00"


@dataclass(frozen=True)
class Setting:
    """For whom a pack is made: region, sector (also as it was given), the chapters it holds, and its language."""

    region: warehouse.Region
    sector: warehouse.Sector
    sector_text: str
    chosen: tuple[chapters.Notebook, ...]
    words: Words

    def plan(self, chapter: chapters.Notebook) -> Plan | None:
        """Return what is taught in a chapter, in the pack's language."""
        return plans.of(chapter.number, self.words.code)


def _cell(kind: str, source: str, tags: tuple[str, ...] = ()) -> dict:
    code = {"execution_count": None, "outputs": []} if kind == "code" else {}
    metadata = {"tags": list(tags)} if tags else {}
    return {"cell_type": kind, "metadata": metadata, "source": source.strip("\n"), **code}


def _heading(text: str, level: int = 2) -> str:
    return f"{'#' * level} {text}"


def time_line(plan: Plan, words: Words) -> str:
    """Return how long a chapter takes, with and without its exercises."""
    if not plan.exercises:
        return words("time_reading", minutes=plan.minutes)
    return words(
        "time", minutes=plan.all_minutes, reading=plan.minutes, exercises=plan.all_minutes - plan.minutes
    )


def _goals(plan: Plan, words: Words) -> str:
    goals = "\n".join(f"* {goal}" for goal in plan.goals)
    return f"{_heading(words('goals'))}\n\n{goals}\n\n{time_line(plan, words)}"


def expected(exercise: Exercise, words: Words) -> str:
    """Return what kind of answer an exercise takes."""
    if exercise.compares != "number":
        return words("give_name" if exercise.compares == "name" else "give_names")
    unit = words.units.get(exercise.unit, exercise.unit)
    if exercise.decimals > 0:
        return words("give_number", unit=unit, decimals=exercise.decimals)
    return words(
        "give_round" if exercise.decimals else "give_whole", unit=unit, step=f"{10**-exercise.decimals:,}"
    )


def _task(exercise: Exercise, words: Words) -> str:
    hints = "\n".join(
        f"<details><summary>{escape(words('hint', place=place))}</summary>{escape(hint, quote=False)}</details>"
        for place, hint in enumerate(exercise.hints, start=1)
    )
    head = _heading(words("exercise", number=exercise.id, title=exercise.title), 3)
    minutes = words("exercise_minutes", minutes=exercise.minutes)
    return f"{head}\n\n{exercise.task.strip()}\n\n{expected(exercise, words)} {minutes}\n\n{hints}"


def _prompts(plan: Plan, words: Words) -> list[dict]:
    keys = [key for key in plan.prompts if key not in plan.same_as]
    if not keys:
        return []
    texts = plans.prompts(words.code)
    listed = "\n".join(f"* **{key}** {texts[key]}" for key in keys)
    calls = "\n".join(f'chapter.answer("{key}", "")' for key in keys)
    head = f"{_heading(words('prompts'))}\n\n{words('prompts_intro')}\n\n{listed}"
    return [_cell("markdown", head), _cell("code", calls, ("exercise",))]


def _taught(setting: Setting, plan: Plan, solutions: bool) -> list[dict]:
    """Return the cells of a chapter's exercises and prompts."""
    words, made = setting.words, []
    if plan.exercises:
        intro = words("exercises_intro", region=setting.region.name, sector=setting.sector.name)
        made.append(_cell("markdown", f"{_heading(words('exercises'))}\n\n{intro}"))
        if not solutions:
            made.append(
                _cell(
                    "code",
                    "from sectorbook import workshop\n\ncheck = workshop.checks(chapter)",
                    ("remove-input",),
                )
            )
    for exercise in plan.exercises:
        made.append(_cell("markdown", _task(exercise, words)))
        if solutions:
            made.append(_cell("code", f"{exercise.solution.strip()}\nanswer", ("solution",)))
            made.append(_cell("code", _tells(exercise), (TOLD,)))
        else:
            made.append(
                _cell("code", f'{exercise.starter.strip()}\ncheck("{exercise.id}", answer)', ("exercise",))
            )
    return [*made, *_prompts(plan, words)]


def slips(exercise: Exercise, words: Words) -> dict[str, str]:
    """Return the message of each known mistake by its key: those written for the exercise, then those of any number."""
    written = {str(place): mistake.says.strip() for place, mistake in enumerate(exercise.mistakes)}
    if exercise.compares != "number":
        return written
    share = {"as_share": words("as_share")} if exercise.unit.startswith("percent") else {}
    return {**written, **share, "sign": words("sign")}


def _tells(exercise: Exercise) -> str:
    """Return the code that tells the build what the solution and the known mistakes come to."""
    values = {str(place): mistake.value.strip() for place, mistake in enumerate(exercise.mistakes)}
    if exercise.compares == "number":
        values |= {"sign": "-answer"}
        if exercise.unit.startswith("percent"):
            values |= {"as_share": "answer / 100"}
    known = ", ".join(f'"{key}": ({value})' for key, value in values.items())
    return (
        "from sectorbook.workshop.room import told\n"
        f'told("{exercise.id}", answer, {{{known}}} if answer is not None else {{}}, '
        f"{exercise.compares!r}, {exercise.decimals!r})"
    )


def _set(source: str, name: str, value: str) -> str:
    return re.sub(rf"^{name} = .+?(?=  #|$)", f"{name} = {json.dumps(value)}", source, count=1, flags=re.M)


def _contents(setting: Setting) -> str:
    words = setting.words
    head = f"| {words('chapter')} | {words('question')} | {words('minutes')} |\n|---|---|---|\n"
    rows = []
    for chapter in setting.chosen:
        plan = setting.plan(chapter)
        link = f"[{chapter.number} {chapter.title}]({chapter.path.name})"
        rows.append(f"| {link} | {chapter.question} | {plan.all_minutes if plan else ''} |")
    return f"{_heading(words('contents'))}\n\n{words('contents_intro')}\n\n{head}" + "\n".join(rows)


def _opening(setting: Setting) -> list[dict]:
    """Return what the first chapter of a pack opens with: where to go, and the team's name."""
    words = setting.words
    return [
        _cell("markdown", _contents(setting)),
        _cell("markdown", f"{_heading(words('team_heading'))}\n\n{words('team_intro')}"),
        _cell("code", 'from sectorbook import workshop\n\nworkshop.team("")', ("exercise",)),
    ]


def make(setting: Setting, chapter: chapters.Notebook, solutions: bool) -> dict:
    """Return a chapter's notebook without outputs, with its exercises and prompts; with `solutions`, solved.

    A chapter for which nothing is written comes along as it is.
    """
    notebook = json.loads(chapter.path.read_text(encoding="utf-8"))
    plan, words = setting.plan(chapter), setting.words
    made: list[dict] = []
    for cell in notebook["cells"]:
        cell = copy.deepcopy(cell)
        cell["source"] = "".join(cell["source"])
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
        if "parameters" in cell["metadata"].get("tags", []):
            source = _set(cell["source"], "region", setting.region.slug)
            cell["source"] = _set(source, "sector", setting.sector_text)
        if cell["source"].startswith("## Exercises"):
            cell["source"] = cell["source"].replace("## Exercises", _heading(words("questions")), 1)
        if cell["source"].startswith(BEFORE) and plan:
            made += _taught(setting, plan, solutions)
        if made:
            made.append(cell)
            continue
        # The second cell is spoken of as the next one, so what is put in stands before the last words of the first.
        head, _, rest = cell["source"].partition("**\n\n")
        goals = f"\n\n{_goals(plan, words)}" if plan else ""
        made.append({**cell, "source": f"{head}**{goals}" if rest else cell["source"] + goals})
        made += _opening(setting) if chapter == setting.chosen[0] and not solutions else []
        made += [_cell("markdown", f"{_heading(words('this_chapter'))}\n\n{rest}")] if rest else []
    for place, cell in enumerate(made):
        cell["id"] = f"{chapter.name.replace('_', '-')}-w{place:02d}"
    return {**notebook, "cells": made, "nbformat": 4, "nbformat_minor": 5}


def told(executed: dict) -> dict[str, dict]:
    """Return what the solutions of an executed notebook told, by exercise."""
    found: dict[str, Any] = {}
    for cell in executed["cells"]:
        for output in cell.get("outputs", []):
            content = output.get("data", {}).get(MIME)
            if content:
                found[content["exercise"]] = content
    return found


def without_told(executed: dict) -> dict:
    """Return an executed notebook as facilitators get it: without what was for the build alone."""
    kept = [cell for cell in executed["cells"] if TOLD not in cell["metadata"].get("tags", [])]
    return {
        **executed,
        "cells": kept,
        "metadata": {k: v for k, v in executed["metadata"].items() if k != "papermill"},
    }


def language_of(setting: Setting, chapter: chapters.Notebook) -> str:
    """Return the language a chapter's exercises are in."""
    return setting.words.code if plans.translated(chapter.number, setting.words.code) else SOURCE
