"""What participants call in their notebooks: `team` and `check`. No network, and no solution to be found here."""

import json
from collections.abc import Callable
from html import escape
from typing import Any

from IPython.display import display

from sectorbook import answers, findings, paths
from sectorbook.errors import SectorbookError, unknown
from sectorbook.workshop import sealed
from sectorbook.workshop.words import SOURCE, Words, load

MIME = "application/vnd.sectorbook.answer+json"
COLOURS = {True: "#1b6e3c", False: "#9a3b00", None: "#55616b"}


class _Message:
    """One line a check or the team's name shows, as plain text and as HTML with a mark that is not color alone."""

    def __init__(self, text: str, right: bool | None = None) -> None:
        self.text, self.right = text, right

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        style = f"border-left: .3rem solid {COLOURS[self.right]}; padding: .4rem .8rem; max-width: 46rem"
        return {
            "text/plain": self.text,
            "text/html": f'<p class="check" style="{style}">{escape(self.text)}</p>',
        }


class _Told:
    """What a solution found, for the build to read. Facilitators and participants never see it."""

    def __init__(self, content: dict) -> None:
        self.content = content

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/plain": "told", MIME: self.content}


def _pack() -> dict:
    path = paths.checks()
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SectorbookError(
            f"{paths.shown(path)} is missing: exercises are checked in a participant pack. "
            "Make one with: sectorbook workshop build"
        ) from error
    except ValueError as error:
        raise SectorbookError(f"{paths.shown(path)} is damaged; take it from the pack again.") from error


def _words() -> Words:
    return load(_pack().get("lang", SOURCE) if paths.checks().exists() else SOURCE)


def team(name: str = "") -> None:
    """Name the team whose answers this folder keeps; without a name, show the one it has."""
    words = _words()
    kept = answers.name_team(name) if name.strip() else answers.team()
    display(_Message(words("team_is", team=kept) if kept else words("team_none")))


def _verdict(pack: dict, words: Words, exercise: str, answer: Any) -> _Message:
    chapter, _, place = exercise.strip().partition(".")
    number = f"{int(chapter)}.{place}" if chapter.isdecimal() else exercise  # "03.2" is "3.2"
    if number in pack["unchecked"]:
        return _Message(words("unchecked", region=pack["region"]["name"]))
    if number not in pack["exercises"]:
        raise unknown("exercise", exercise, [*pack["exercises"], *pack["unchecked"]])
    entry = pack["exercises"][number]
    try:
        text = sealed.plain(answer, entry["compares"], entry["decimals"])
    except sealed.NotAnAnswer as problem:
        return _Message(f"{number}: {words(str(problem))}")
    found = entry["messages"].get(sealed.digest(text, entry["salt"]))
    if found is None:
        return _Message(f"{number}: {words('wrong')}", False)
    return _Message(
        f"{number}: {words('right' if found['right'] else 'slip')} {found['says']}", found["right"]
    )


def checks(chapter: findings.Chapter) -> Callable[[str, Any], None]:
    """Return the `check` of a chapter: `check("3.2", answer)` shows whether an answer is right, and if not, what it is.

    The pack's answers are those of its region and sector; where the chapter is set to others, the check says so. Raises
    SectorbookError for an exercise that is not there.
    """
    pack = _pack()
    words = load(pack["lang"])
    same = (chapter.region.slug, chapter.sector.slug) == (pack["region"]["slug"], pack["sector"]["slug"])

    def check(exercise: str, answer: Any) -> None:
        """Show whether an answer to an exercise is right."""
        if same:
            display(_verdict(pack, words, exercise, answer))
        else:
            names = {"region": pack["region"]["name"], "sector": pack["sector"]["name"]}
            display(_Message(words("elsewhere", **names)))

    return check


def told(exercise: str, answer: Any, mistakes: dict[str, Any], compares: str, decimals: int | None) -> None:
    """Show the build what a solution and its known mistakes come to, as they are compared; None for what is none."""

    def put(value: Any) -> str | list[str] | None:
        try:
            text = sealed.plain(value, compares, decimals)
        except sealed.NotAnAnswer:
            return None
        return text.split("\n") if compares == "names" else text

    content = {
        "exercise": exercise,
        "answer": put(answer),
        "mistakes": {k: put(v) for k, v in mistakes.items()},
    }
    display(_Told(content))
