"""The YAML in `config/` as frozen, validated objects. Unknown keys are errors that list the valid ones."""

import re
from functools import cache
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from sectorbook import paths
from sectorbook.errors import SectorbookError, nearest


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NamedRegion(_Entry):
    """A region with a short name of its own, with other defaults than the series', or with its counties.

    `minimum_cell` is the fewest people or firms a published number may rest on here; the gate's default is 10.
    `counties` are five-digit FIPS codes. They stand in for the official delineation, so a team can draw its own region.
    """

    area: str = Field(pattern=r"^\d{5}(\d{2})?$")
    name: str | None = None
    aliases: tuple[str, ...] = ()
    sector: str | None = None
    minimum_cell: int | None = Field(None, ge=3)
    counties: tuple[Annotated[str, Field(pattern=r"^\d{5}$")], ...] = ()


class Sector(_Entry):
    """A sector: its NAICS codes, the OEWS industries that carry its staffing pattern, and the reason."""

    name: str
    naics: tuple[str, ...]
    oews_industries: tuple[str, ...]
    reason: str


class Column(_Entry):
    """One entry of the data dictionary: what a column of a processed table or a chapter's table holds."""

    type: Literal["text", "integer", "number", "status", "flag"]
    unit: str
    label: str
    description: str


class Source(_Entry):
    """The document an instrument of the field was taken from."""

    title: str
    publisher: str
    year: int | None = None


class Item(_Entry):
    """One item of an instrument, in our own short label, with the ids of the places it stands in.

    A source "A09.2" is the second entry of list A09. `level` is the step of a ladder or scale the item stands on.
    """

    id: str
    label: str
    sources: tuple[str, ...]
    note: str | None = None
    group: str | None = None
    level: int | None = Field(default=None, ge=1)


class Framework(_Entry):
    """One of the field's instruments as data."""

    title: str
    purpose: str
    documents: dict[str, Source]
    items: tuple[Item, ...]

    @field_validator("items")
    @classmethod
    def _ids_are_unique(cls, items: tuple[Item, ...]) -> tuple[Item, ...]:
        ids = [item.id for item in items]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError(f"these ids stand twice: {', '.join(twice)}")
        return items


class Text(_Entry):
    """One text in the languages of a questionnaire."""

    en: str
    es: str


class Choice(_Entry):
    """One answer a closed question offers."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    label: Text


class Question(_Entry):
    """One question: "one" and "several" name a list of choices, `other` adds "other, specify" to it.

    `relevant` is an XLSForm condition on earlier questions; the question is asked only where it holds.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    type: Literal["one", "several", "integer", "number", "text"]
    label: Text
    choices: str | None = None
    other: bool = False
    required: bool = False
    relevant: str | None = None
    minimum: float | None = None
    sources: tuple[str, ...]


class Section(_Entry):
    """A page of a questionnaire."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    label: Text
    relevant: str | None = None
    questions: tuple[Question, ...]


class Questionnaire(_Entry):
    """A questionnaire as data: from it come the form, the printed page and the reading of the answers."""

    id: str
    version: str
    title: Text
    introduction: Text
    choices: dict[str, tuple[Choice, ...]]
    sections: tuple[Section, ...]

    @property
    def questions(self) -> tuple[Question, ...]:
        """All questions in order."""
        return tuple(question for section in self.sections for question in section.questions)

    @model_validator(mode="after")
    def _holds_together(self) -> "Questionnaire":
        asked: set[str] = set()
        for section in self.sections:
            for entry in (section, *section.questions):
                unasked = set(re.findall(r"\$\{(\w+)\}", entry.relevant or "")) - asked
                if unasked:
                    raise ValueError(
                        f"{entry.id!r} depends on {', '.join(sorted(unasked))}, not asked before it"
                    )
                if isinstance(entry, Question):
                    if entry.id in asked:
                        raise ValueError(f"the question {entry.id!r} stands twice")
                    if (entry.choices in self.choices) != (entry.type in ("one", "several")):
                        raise ValueError(f"question {entry.id!r}: found the choices {entry.choices!r}")
                    asked.add(entry.id)
        return self


class Audience(_Entry):
    """Who reads a report: which chapters come first, which are left out, where tables stand, and the reason."""

    order: tuple[str, ...]
    leave_out: tuple[str, ...]
    tables: Literal["in place", "annex"]
    reason: str


class LocalColumn(_Entry):
    """One column of a file an initiative fills in.

    "choice" and "several" (answers with semicolons) take the ids `valid` lists, those of the `framework` (of `groups`,
    when given), or those of a list of `choices` of the employer questionnaire. "reference" names a row of another table, as
    "partners.partner". `at_most` and `at_least` name a column of the same row that bounds this one.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    type: Literal[
        "text", "integer", "number", "date", "month", "quarter", "yes_no", "choice", "several", "reference"
    ]
    description: str
    example: str = ""
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    valid: tuple[str, ...] = ()
    framework: str | None = None
    groups: tuple[str, ...] = ()
    choices: str | None = None
    refers: str | None = None
    at_most: str | None = None
    at_least: str | None = None

    @model_validator(mode="after")
    def _says_what_is_valid(self) -> "LocalColumn":
        lists = [bool(self.valid), self.framework is not None, self.choices is not None]
        if sum(lists) != (self.type in ("choice", "several")):
            raise ValueError(
                f"column {self.name!r} of type {self.type!r} has {sum(lists)} lists of valid answers"
            )
        if (self.refers is not None) != (self.type == "reference"):
            raise ValueError(f"column {self.name!r}: a reference, and nothing else, says what it refers to")
        return self


class LocalTable(_Entry):
    """One file an initiative fills in: what a row is, its columns, and which columns together stand only once.

    `also_called` is the column with other spellings of the first column, for references to it. `questionnaire` names the
    questionnaire whose answers the file holds, in place of columns.
    """

    title: str
    row: str
    chapter: str = Field(pattern=r"^\d\d$")
    columns: tuple[LocalColumn, ...] = ()
    unique: tuple[str, ...] = ()
    also_called: str | None = None
    questionnaire: str | None = None

    @model_validator(mode="after")
    def _holds_together(self) -> "LocalTable":
        names = [column.name for column in self.columns]
        if len(set(names)) < len(names):
            raise ValueError("a column stands twice")
        if bool(names) == (self.questionnaire is not None):
            raise ValueError("a table has either columns or a questionnaire")
        bounds = [b for c in self.columns for b in (c.at_most, c.at_least) if b]
        for name in (*self.unique, *bounds, *([self.also_called] if self.also_called else [])):
            if name not in names and self.questionnaire is None:
                raise ValueError(f"there is no column {name!r}")
        return self


Model = TypeVar("Model", bound=_Entry)


# The loader in C where PyYAML was built with it: the same result in a tenth of the time.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _read(name: str) -> Any:
    path = paths.config(name)
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _LOADER)
    except FileNotFoundError as error:
        raise SectorbookError(f"{paths.shown(path)} is missing.") from error
    except yaml.YAMLError as error:
        raise SectorbookError(f"{paths.shown(path)} is not valid YAML: {error}") from error


def _validate(model: type[Model], name: str, key: str, value: Any) -> Model:
    """Return `value` as a `model`, or raise one message that names the file, the entry and each problem."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problems = []
        for problem in error.errors():
            where = ".".join(str(part) for part in problem["loc"])
            if problem["type"] == "extra_forbidden":
                close = nearest(str(problem["loc"][-1]), model.model_fields, n=1)
                hint = f" Did you mean {close[0]!r}?" if close else ""
                problems.append(f"unknown key {where!r}.{hint} Valid keys: {', '.join(model.model_fields)}")
            else:
                problems.append(f"{where}: {problem['msg']} (found {problem['input']!r})")
        raise SectorbookError(f"config/{name}, entry {key!r}: " + "; ".join(problems)) from error


def _entries(model: type[Model], name: str) -> dict[str, Model]:
    content = _read(name)
    if not isinstance(content, dict):
        raise SectorbookError(f"config/{name} must be a mapping of names to entries.")
    return {str(key): _validate(model, name, str(key), value) for key, value in content.items()}


@cache
def regions() -> dict[str, NamedRegion]:
    """Return the named regions of `config/regions.yml`, by slug."""
    return _entries(NamedRegion, "regions.yml")


@cache
def sectors() -> dict[str, Sector]:
    """Return the sector presets of `config/sectors.yml`, by slug."""
    return _entries(Sector, "sectors.yml")


@cache
def columns() -> dict[str, Column]:
    """Return the data dictionary of `config/columns.yml`, by column name."""
    return _entries(Column, "columns.yml")


@cache
def audiences() -> dict[str, Audience]:
    """Return the audiences of a report of `config/audiences.yml`, by name."""
    return _entries(Audience, "audiences.yml")


@cache
def framework(name: str) -> Framework:
    """Return the instrument in `config/frameworks/<name>.yml`."""
    file = f"frameworks/{name}.yml"
    return _validate(Framework, file, name, _read(file))


def frameworks() -> list[str]:
    """Return the names of all instruments, in order."""
    return sorted(path.stem for path in paths.config("frameworks").glob("*.yml"))


@cache
def questionnaire(name: str) -> Questionnaire:
    """Return the questionnaire in `config/questionnaires/<name>.yml`."""
    file = f"questionnaires/{name}.yml"
    return _validate(Questionnaire, file, name, _read(file))


@cache
def local() -> dict[str, LocalTable]:
    """Return the files an initiative fills in, from `config/local.yml`, by table."""
    tables = _entries(LocalTable, "local.yml")
    for name, table in tables.items():
        for column in table.columns:
            target, _, key = (column.refers or "").partition(".")
            if column.refers and (target not in tables or key != tables[target].columns[0].name):
                raise SectorbookError(
                    f"config/local.yml, entry {name!r}, column {column.name!r}: {column.refers!r} is not the first "
                    "column of a table."
                )
            local_choices(column)
    return tables


def local_choices(column: LocalColumn) -> tuple[str, ...]:
    """Return the answers a "choice" or "several" column takes; none for the other types."""
    if column.framework is not None:
        items = framework(column.framework).items
        found = tuple(item.id for item in items if not column.groups or item.group in column.groups)
    elif column.choices is not None:
        found = tuple(choice.id for choice in questionnaire("employer").choices[column.choices])
    else:
        return column.valid
    if not found:
        raise SectorbookError(f"config/local.yml, column {column.name!r}: its list of answers is empty.")
    return found


def demonstration() -> dict[str, Any]:
    """Return what the demonstration does not draw at random, from `config/demonstration.yml`."""
    return _read("demonstration.yml")
