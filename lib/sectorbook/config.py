"""The YAML in `config/` as frozen, validated objects. Unknown keys are errors that list the valid ones."""

import re
from functools import cache
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from sectorbook import paths
from sectorbook.errors import SectorbookError, nearest


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NamedRegion(_Entry):
    """A region with a short name of its own, or with other defaults than the series'."""

    area: str = Field(pattern=r"^\d{5}(\d{2})?$")
    name: str | None = None
    aliases: tuple[str, ...] = ()
    sector: str | None = None


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


class FormColumn(_Entry):
    """One column of a file of the outcome chapters.

    "choice" and "several" (answers with semicolons) take the ids `valid` lists, or those of the `framework` (of `groups`,
    when given). `at_least` names a column of the same row that this one may not fall below.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    type: Literal["text", "integer", "number", "date", "month", "yes_no", "choice", "several"]
    description: str
    example: str = ""
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    valid: tuple[str, ...] = ()
    framework: str | None = None
    groups: tuple[str, ...] = ()
    at_least: str | None = None

    @property
    def answers(self) -> tuple[str, ...]:
        """The answers a "choice" or "several" column takes."""
        if self.framework is None:
            return self.valid
        items = framework(self.framework).items
        return tuple(item.id for item in items if not self.groups or item.group in self.groups)


class Form(_Entry):
    """One file of the outcome chapters: what a row is, its columns, and which columns together stand only once."""

    title: str
    row: str
    chapter: str = Field(pattern=r"^\d\d$")
    columns: tuple[FormColumn, ...]
    unique: tuple[str, ...] = ()


class Published(_Entry):
    """One number as others published it, with what stands behind it and where it was read.

    No value: a result published in words ("not significant") without a figure.
    """

    label: str
    value: float | None
    unit: str
    kind: Literal["random assignment", "before and after", "reported", "count", "date", "scale"]
    source: tuple[str, ...]
    read: Literal["in the source", "at the address", "not read"]
    statistic: Literal["mean", "median"] | None = None
    period: str | None = None
    dollar_year: int | None = None
    n: int | None = None
    address: str | None = None
    measure: str | None = None
    note: str | None = None


Model = TypeVar("Model", bound=_Entry)


def _read(name: str) -> Any:
    path = paths.config(name)
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
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
def forms() -> dict[str, Form]:
    """Return the files of the outcome chapters, from `config/outcomes.yml`, by table."""
    return _entries(Form, "outcomes.yml")


@cache
def published() -> dict[str, Published]:
    """Return the numbers others published, from `config/published.yml`, by id."""
    return _entries(Published, "published.yml")


@cache
def attrition_boundary() -> tuple[dict[str, float | None], ...]:
    """Return the What Works Clearinghouse's attrition boundary, from `config/wwc_attrition.yml`, by overall attrition."""
    return tuple(_read("wwc_attrition.yml")["boundary"])


class Guideline(_Entry):
    """The poverty guideline of one year, in US dollars: one person, and what each further one adds."""

    one_person_usd: float
    further_person_usd: float


@cache
def poverty_guidelines() -> dict[str, Guideline]:
    """Return the poverty guidelines of `config/poverty_guidelines.yml`, by year as text."""
    return _entries(Guideline, "poverty_guidelines.yml")
