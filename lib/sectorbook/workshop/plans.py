"""What is taught in each chapter and when: exercises, prompts and agendas, from `config/exercises/` and `config/workshop.yml`."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal

import yaml
from pydantic import Field, model_validator

from sectorbook import answers, chapters, config, paths
from sectorbook.config.shapes import Entry
from sectorbook.errors import SectorbookError
from sectorbook.workshop.words import SOURCE
from sectorbook.writing import FORMATS

FOLDER = "exercises"
AGENDAS = "workshop.yml"


class Mistake(Entry):
    """A known mistake: the value it leads to, as an expression over the chapter's names, and what to say to it."""

    value: str
    says: str


class Exercise(Entry):
    """One exercise: what to do, the cell to start from, hints, the solution, and what the check compares.

    `starter` and `solution` are code over the names of the chapter; the solution sets `answer`. A number is compared
    after rounding to `decimals`; minus two rounds to hundreds. `right` is said to the right answer.
    """

    id: str = Field(pattern=r"^\d{1,2}\.\d$")
    title: str
    minutes: int = Field(ge=1)
    task: str
    starter: str
    hints: tuple[str, ...] = Field(min_length=1)
    solution: str
    compares: Literal["number", "name", "names"]
    unit: str | None = None
    decimals: int | None = Field(default=None, ge=-4, le=4)
    right: str
    mistakes: tuple[Mistake, ...] = ()

    @model_validator(mode="after")
    def _holds_together(self) -> "Exercise":
        is_number = self.compares == "number"
        if (self.unit is not None) != is_number or (self.decimals is not None) != is_number:
            raise ValueError("a number, and nothing else, has a unit and decimals")
        if self.unit is not None and self.unit not in FORMATS:
            raise ValueError(f"there is no unit {self.unit!r}")
        for code in (self.starter, self.solution, *(mistake.value for mistake in self.mistakes)):
            compile(code, self.id, "exec")
        return self

    @property
    def chapter(self) -> str:
        """Return the two digits of the chapter."""
        return f"{int(self.id.partition('.')[0]):02d}"


class Plan(Entry):
    """What is taught in one chapter: goals, minutes to read and run it, prompts, what to discuss, three exercises.

    `same_as` names the chapter's own question that already asks a prompt.
    """

    goals: tuple[str, ...] = Field(min_length=1)
    minutes: int = Field(ge=1)
    prompts: tuple[str, ...] = ()
    same_as: dict[str, str] = Field(default_factory=dict)
    discussion: tuple[str, ...] = ()
    exercises: tuple[Exercise, ...] = ()

    @property
    def all_minutes(self) -> int:
        """Return the minutes of the chapter and its exercises."""
        return self.minutes + sum(exercise.minutes for exercise in self.exercises)


class Block(Entry):
    """One block of an agenda. Exercises take the minutes they are given in their chapter; the others say theirs."""

    kind: Literal["talk", "exercises", "reflection", "break"]
    title: str
    minutes: int | None = Field(default=None, ge=1)
    chapters: tuple[str, ...] = ()
    exercises: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _holds_together(self) -> "Block":
        if (self.kind == "exercises") != bool(self.exercises) or (self.minutes is None) != bool(
            self.exercises
        ):
            raise ValueError(
                "a block of exercises names them and takes their minutes; another gives its minutes"
            )
        if (self.kind == "reflection") != bool(self.prompts):
            raise ValueError("a reflection, and nothing else, has prompts")
        return self


class Section(Entry):
    """A section of an agenda; its last block is its reflection."""

    title: str
    blocks: tuple[Block, ...]

    @model_validator(mode="after")
    def _ends_in_reflection(self) -> "Section":
        if not self.blocks or self.blocks[-1].kind != "reflection":
            raise ValueError(f"the section {self.title!r} does not end in its reflection")
        return self


class Agenda(Entry):
    """A workshop: when it starts, how many minutes it takes in all, its sections."""

    title: str
    start: str = Field(pattern=r"^\d\d:\d\d$")
    minutes: int
    sections: tuple[Section, ...]


class Agendas(Entry):
    """The workshops there are, by name."""

    agendas: dict[str, Agenda]


@dataclass(frozen=True)
class Slot:
    """A block with its place on the clock and the chapters of it that a pack lacks."""

    section: str
    block: Block
    start: str
    end: str
    minutes: int
    lacking: tuple[str, ...]


def _translated(content: Any, other: Any, where: str) -> Any:
    """Return `content` with the texts of `other`, which has the same shape where it has anything."""
    if other is None:
        return content
    if isinstance(content, dict) and isinstance(other, dict):
        for key in other:
            if key not in content:
                raise SectorbookError(f"{where}: {key!r} is not in the original.")
        return {key: _translated(value, other.get(key), f"{where}, {key}") for key, value in content.items()}
    if isinstance(content, list) and isinstance(other, list):
        if len(content) != len(other):
            raise SectorbookError(f"{where}: {len(other)} entries; the original has {len(content)}.")
        return [_translated(a, b, where) for a, b in zip(content, other, strict=True)]
    if isinstance(content, str) and isinstance(other, str):
        return other
    raise SectorbookError(f"{where}: {other!r} does not stand in for {content!r}.")


def _yaml(name: str) -> Any:
    path = paths.config(*name.split("/"))
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None
    except yaml.YAMLError as error:
        raise SectorbookError(f"{paths.shown(path)} is not valid YAML: {error}") from error


@cache
def of(chapter: str, lang: str = SOURCE) -> Plan | None:
    """Return what is taught in a chapter, by its two digits, or None where nothing is written yet.

    In a language, what is not translated stays as it is. Raises SectorbookError with the file and each problem.
    """
    name = f"{FOLDER}/{chapter}.yml"
    content = _yaml(name)
    if content is None:
        return None
    if lang != SOURCE:
        content = _translated(
            content, _yaml(f"{FOLDER}/{lang}/{chapter}.yml"), f"config/{FOLDER}/{lang}/{chapter}.yml"
        )
    plan = config.validated(Plan, name, content)
    expected = [f"{int(chapter)}.{place}" for place in range(1, len(plan.exercises) + 1)]
    if [exercise.id for exercise in plan.exercises] != expected:
        raise SectorbookError(
            f"config/{name}: the exercises are numbered {', '.join(expected)}, in this order."
        )
    lost = [prompt for prompt in plan.prompts if prompt not in answers.prompts()]
    lost += [prompt for prompt in plan.same_as if prompt not in plan.prompts]
    if lost:
        raise SectorbookError(f"config/{name}: there is no prompt {', '.join(lost)}.")
    return plan


def translated(chapter: str, lang: str) -> bool:
    """Return whether a chapter's exercises are there in a language."""
    return lang == SOURCE or _yaml(f"{FOLDER}/{lang}/{chapter}.yml") is not None


@cache
def prompts(lang: str = SOURCE) -> dict[str, str]:
    """Return the prompts of the source documents by place, in a language where they are there in it."""
    return _translated(
        answers.prompts(), _yaml(f"{FOLDER}/{lang}/prompts.yml"), f"config/{FOLDER}/{lang}/prompts.yml"
    )


def exercise(number: str, lang: str = SOURCE) -> Exercise | None:
    """Return an exercise by its number ("3.2"), or None where it is not written."""
    plan = of(f"{int(number.partition('.')[0]):02d}", lang)
    return next((e for e in plan.exercises if e.id == number), None) if plan else None


@cache
def agendas(lang: str = SOURCE) -> dict[str, Agenda]:
    """Return the agendas by name. Raises SectorbookError where minutes do not add up or an exercise is not there."""
    content = _yaml(AGENDAS)
    if lang != SOURCE:
        content = _translated(
            content, _yaml(f"{FOLDER}/{lang}/{AGENDAS}"), f"config/{FOLDER}/{lang}/{AGENDAS}"
        )
    found = config.validated(Agendas, AGENDAS, content).agendas
    for name, agenda in found.items():
        for section in agenda.sections:
            for block in section.blocks:
                lost = [e for e in block.exercises if exercise(e) is None]
                lost += [p for p in block.prompts if not members(p)]
                if lost:
                    raise SectorbookError(
                        f"config/{AGENDAS}, {name}, {block.title!r}: there is no {', '.join(lost)}."
                    )
        total = sum(minutes(block) for section in agenda.sections for block in section.blocks)
        if total != agenda.minutes:
            raise SectorbookError(
                f"config/{AGENDAS}, {name}: its blocks take {total} minutes, but it is to take {agenda.minutes}."
            )
    return found


def members(prompt_set: str) -> list[str]:
    """Return the places of the prompts of a set: "B24" stands for "B24.1" to "B24.5"."""
    return [key for key in answers.prompts() if re.fullmatch(rf"{re.escape(prompt_set)}(\.\d+)?", key)]


def minutes(block: Block) -> int:
    """Return the minutes of a block: those it gives, or those of its exercises."""
    if block.minutes is not None:
        return block.minutes
    return sum(exercise(number).minutes for number in block.exercises)


def clock(agenda: Agenda, chosen: list[chapters.Notebook]) -> list[Slot]:
    """Return an agenda's blocks with their times. `chosen` are the chapters of the pack: a block names those it lacks."""
    here = {chapter.number for chapter in chosen}
    slots, now = [], datetime.strptime(agenda.start, "%H:%M")
    for section in agenda.sections:
        for block in section.blocks:
            wanted = {*block.chapters, *(f"{int(e.partition('.')[0]):02d}" for e in block.exercises)}
            end = now + timedelta(minutes=minutes(block))
            slots.append(
                Slot(
                    section.title,
                    block,
                    f"{now:%H:%M}",
                    f"{end:%H:%M}",
                    minutes(block),
                    tuple(sorted(wanted - here)),
                )
            )
            now = end
    return slots


def chapter_of(prompt: str) -> str | None:
    """Return the two digits of the chapter in which a prompt stands, or None where no chapter has it."""
    numbers = (chapter.number for chapter in chapters.discover())
    return next((n for n in numbers if (plan := of(n)) and prompt in plan.prompts), None)
