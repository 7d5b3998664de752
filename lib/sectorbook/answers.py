"""Answers given in a workshop: what was asked, what was said, by which team and when, in the region's local folder."""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from sectorbook import chapters, config, paths
from sectorbook.errors import SectorbookError

FILE = "answers.json"
TEAM = "team.txt"
SCHEMA = 2
PROMPTS = "review_questions"
LONGEST_NAME = 80
_LIST = re.compile(r"^(\d+)\. (.+)$", re.M)


@dataclass(frozen=True)
class Answer:
    """One answer: the question's id ("03.1", "B24.1"), the text, the team and the time it was given (ISO)."""

    question: str
    text: str
    team: str = ""
    time: str = ""


def prompts() -> dict[str, str]:
    """Return the prompts of the source documents, in our own words, by their place there ("B24.1")."""
    return {item.sources[0]: item.label for item in config.framework(PROMPTS).items}


def chapter_questions(chapter: chapters.Notebook) -> dict[str, str]:
    """Return the numbered questions at a chapter's end, by id ("03.1")."""
    cells = json.loads(chapter.path.read_text(encoding="utf-8"))["cells"]
    texts = ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    listed = next((text for text in texts if text.startswith("## Exercises")), "")
    return {f"{chapter.number}.{number}": question for number, question in _LIST.findall(listed)}


def asked() -> dict[str, str]:
    """Return every question there is an id for: those of the chapters, and the prompts of the source documents."""
    own = [chapter_questions(chapter) for chapter in chapters.discover()]
    return {key: text for questions in own for key, text in questions.items()} | prompts()


def _parsed(path: Path) -> list[Answer]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if "schema" not in content:  # as they were kept before teams had names
            return [Answer(question, text) for question, text in content.items()]
        found = [Answer(**entry) for entry in content["answers"]]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise SectorbookError(f"{paths.shown(path)} is not a file of answers ({error}).") from error
    for answer in found:
        if not all(isinstance(value, str) for value in asdict(answer).values()):
            raise SectorbookError(f"{paths.shown(path)}: an answer is made of texts; found {answer!r}.")
    return found


def read(region_slug: str) -> list[Answer]:
    """Return a region's answers, by question, team and time. None were kept: an empty list."""
    path = paths.local(region_slug, FILE)
    return _sorted(_parsed(path)) if path.exists() else []


def _sorted(found: Iterable[Answer]) -> list[Answer]:
    """Return the last answer of each team to each question, in order."""
    last = {(a.question, a.team): a for a in sorted(found, key=lambda answer: answer.time)}
    return [last[key] for key in sorted(last)]


def _write(region_slug: str, found: Iterable[Answer]) -> None:
    content = {"schema": SCHEMA, "answers": [asdict(answer) for answer in _sorted(found)]}
    with paths.write_atomic(paths.local(region_slug, FILE)) as file:
        json.dump(content, file, indent=1, ensure_ascii=False)


def team() -> str:
    """Return the name of the team that works in this folder, or an empty text."""
    path = paths.local(TEAM)
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""


def name_team(name: str) -> str:
    """Keep the name of the team that works in this folder, and return it. Raises SectorbookError for a long one."""
    name = " ".join(name.split())
    if len(name) > LONGEST_NAME:
        raise SectorbookError(f"A team's name has at most {LONGEST_NAME} letters; found {len(name)}.")
    with paths.write_atomic(paths.local(TEAM)) as file:
        file.write(name)
    return name


def keep(region_slug: str, question: str, text: str) -> Answer:
    """Keep an answer with the team's name and the time. The same team's earlier answer to the question goes."""
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    answer = Answer(question, text.strip(), team(), now)
    _write(region_slug, [*read(region_slug), answer])
    return answer


def collect(region_slug: str, folders: Iterable[Path]) -> int:
    """Add the answers that packs hold for a region to the region's own; return how many there are then.

    A folder is a participant pack, or any folder with a file of answers in it. A pack whose team has no name counts
    as a team under its folder's name. Raises SectorbookError for a folder without a file, before anything is written.
    """
    found = read(region_slug)
    for folder in folders:
        inside = paths.local(region_slug, FILE).relative_to(paths.root())
        files = [path for path in (folder / inside, folder / FILE) if path.is_file()]
        if not files:
            raise SectorbookError(
                f"{paths.shown(folder)} holds no answers for {region_slug}: no {inside} in it."
            )
        for answer in _parsed(files[0]):
            found.append(
                Answer(answer.question, answer.text, answer.team or folder.resolve().name, answer.time)
            )
    _write(region_slug, found)
    return len(_sorted(found))
