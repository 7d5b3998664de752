"""The chapters there are: found in `notebooks/`, in the order of their file names. Nothing registers them."""

import ast
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sectorbook import paths
from sectorbook.errors import SectorbookError, nearest, unknown

FILE = re.compile(r"(\d\d)_([a-z_]+)\.ipynb")


@dataclass(frozen=True)
class Notebook:
    """One chapter's file: its name ("03_industry"), title, the question it answers and its parameters' defaults.

    `person_level`: it opens a ledger on people or firms, so that what it leaves stays with the region's local files.
    """

    name: str
    path: Path
    title: str
    question: str
    parameters: tuple[tuple[str, Any], ...]
    reads_findings: bool
    reads_local: bool = False
    person_level: bool = False

    @property
    def number(self) -> str:
        """Return the two digits of the chapter."""
        return self.name[:2]


def _defaults(source: str, name: str) -> tuple[tuple[str, Any], ...]:
    """Return the literal assignments of a parameters cell, in order."""
    try:
        body = ast.parse(source).body
        return tuple((node.targets[0].id, ast.literal_eval(node.value)) for node in body)
    except (SyntaxError, ValueError, AttributeError, IndexError) as error:
        raise SectorbookError(
            f"{name}: the parameters cell may hold only `name = literal` lines ({error})."
        ) from error


def read(path: Path) -> Notebook:
    """Return one chapter from its file. Raises SectorbookError when it does not follow the template."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (json.JSONDecodeError, KeyError) as error:
        raise SectorbookError(f"{paths.shown(path)} is not a notebook: {error}") from error
    first = "".join(cells[0]["source"]) if cells else ""
    title = re.search(r"^# (?:\d\d )?(.+)$", first, re.M)
    question = re.search(r"^\*\*(.+)\*\*$", first, re.M)
    tagged = ["".join(c["source"]) for c in cells if "parameters" in c["metadata"].get("tags", [])]
    if not (title and question and len(tagged) == 1):
        raise SectorbookError(
            f"{paths.shown(path)}: a chapter opens with a title, a question in bold, and one cell tagged parameters."
        )
    code = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    return Notebook(
        name=path.stem,
        path=path,
        title=title[1],
        question=question[1],
        parameters=_defaults(tagged[0], path.name),
        reads_findings=".quote(" in code,
        reads_local="warehouse.local(" in code,
        person_level=re.search(r"\bperson_level\s*=\s*True\b", code) is not None,
    )


@cache
def discover() -> tuple[Notebook, ...]:
    """Return every chapter in order. `_template.ipynb` and other names are left out."""
    return tuple(
        read(path) for path in sorted(paths.notebooks().glob("*.ipynb")) if FILE.fullmatch(path.name)
    )


def select(text: str | None) -> list[Notebook]:
    """Return the chapters that `text` names by number or name, with commas ("03,04"); all of them for None."""
    if text is None:
        return list(discover())
    by_name = {key: chapter for chapter in discover() for key in (chapter.number, chapter.name)}
    chosen = []
    for part in (part.strip() for part in text.split(",")):
        if part not in by_name:
            valid = ", ".join(f"{c.number} ({c.name})" for c in discover())
            raise unknown("chapter", part, by_name, f"Valid: {valid}.")
        chosen.append(by_name[part])
    return sorted(dict.fromkeys(chosen), key=lambda chapter: chapter.name)


def _converted(name: str, text: Any, default: Any) -> Any:
    """Return a parameter given as text in the type of its default, or raise."""
    if not isinstance(text, str) or isinstance(default, str):
        return text
    kind = type(default)
    try:
        if kind is bool:
            return {"true": True, "false": False}[text.lower()]
        if kind is tuple:
            given = ast.literal_eval(text)
            if not isinstance(given, tuple) or len(given) != len(default):
                raise ValueError(text)
            return given
        return kind(text)
    except (ValueError, KeyError, SyntaxError) as error:
        raise SectorbookError(
            f"Parameter {name} takes {kind.__name__} values like {default!r}; found {text!r}."
        ) from error


def parameters(chosen: list[Notebook], given: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return each chapter's parameters: those given that it declares, converted to the type of their default.

    Raises SectorbookError for a parameter that none of the chosen chapters declares.
    """
    declared = {name for chapter in chosen for name, _ in chapter.parameters}
    for name in given:
        if name not in declared:
            close = nearest(name, declared, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise SectorbookError(
                f"No chosen chapter declares the parameter {name!r}.{hint} Declared: {', '.join(sorted(declared))}."
            )
    return {
        chapter.name: {
            name: _converted(name, given[name], default)
            for name, default in chapter.parameters
            if name in given
        }
        for chapter in chosen
    }
