"""What each file of `config/` may hold, as frozen, validated objects."""

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class Entry(BaseModel):
    """An object of the configuration: frozen, and no key it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NamedRegion(Entry):
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


class Sector(Entry):
    """A sector: its NAICS codes, the OEWS industries that carry its staffing pattern, and the reason."""

    name: str
    naics: tuple[str, ...]
    oews_industries: tuple[str, ...]
    reason: str


class Column(Entry):
    """One entry of the data dictionary: what a column of a processed table or a chapter's table holds."""

    type: Literal["text", "integer", "number", "status", "flag"]
    unit: str
    label: str
    description: str


class Source(Entry):
    """The document an instrument of the field was taken from."""

    title: str
    publisher: str
    year: int | None = None


class Item(Entry):
    """One item of an instrument, in our own short label, with the ids of the places it stands in.

    A source "A09.2" is the second entry of list A09. `level` is the step of a ladder or scale the item stands on.
    """

    id: str
    label: str
    sources: tuple[str, ...]
    note: str | None = None
    group: str | None = None
    level: int | None = Field(default=None, ge=1)


class Framework(Entry):
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


class Text(Entry):
    """One text in the languages of a questionnaire."""

    en: str
    es: str


class Choice(Entry):
    """One answer a closed question offers."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    label: Text


class Question(Entry):
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


class Section(Entry):
    """A page of a questionnaire."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    label: Text
    relevant: str | None = None
    questions: tuple[Question, ...]


class Questionnaire(Entry):
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


class Audience(Entry):
    """Who reads a report: which chapters come first, which are left out, where tables stand, and the reason."""

    order: tuple[str, ...]
    leave_out: tuple[str, ...]
    tables: Literal["in place", "annex"]
    reason: str


class Published(Entry):
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


class FormPart(Entry):
    """One part of a form: the indicators it asks for, in order, and the findings of its chapter that stand in it."""

    title: str
    asks: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()


class Form(Entry):
    """A form that a funder, a state or an employer asks for, from the lists `documents` of the source documents.

    One that is `printed` can be had as a report of its own, made from the findings of `chapter`.
    """

    title: str
    documents: tuple[str, ...]
    printed: bool = False
    chapter: str = "11_partnership"
    parts: tuple[FormPart, ...]


class LocalColumn(Entry):
    """One column of a file an initiative fills in.

    "choice" and "several" (answers with semicolons) take the ids `valid` lists, those of the `framework` (of `groups`,
    when given), or those of a list of `choices` of the employer questionnaire. "reference" names a row of another table, as
    "partners.partner". `at_most` and `at_least` name a column of the same row that bounds this one; `when` names a yes_no
    column, and this one is filled where that says yes and empty where it says no; `same_for` names a column, and rows alike
    there are alike here. `hashed` says whose id it is: it is replaced by a keyed hash as it is read. `not_yet`: 999999.99
    stands for a wage record that has not arrived.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    type: Literal[
        "text",
        "integer",
        "number",
        "date",
        "date8",
        "month",
        "quarter",
        "yes_no",
        "choice",
        "several",
        "reference",
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
    hashed: Literal["person", "employer"] | None = None
    not_yet: bool = False
    when: str | None = None
    same_for: str | None = None

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


class LocalLines(Entry):
    """Lines of a form that come from one of the field's instruments: the framework, and its groups (none: all of them)."""

    framework: str
    groups: tuple[str, ...] = ()


class LocalTable(Entry):
    """One file an initiative fills in: what a row is, its columns, and which columns together stand only once.

    `lines` makes the file a form: its template has a row for each item of these instruments, named by the columns `section`
    (the key here) and `item`, and asked in `question`. `also_called` is the column with other spellings of the first column,
    for references to it. `any_of` are columns of which
    each row fills one at least. `questionnaire` names the questionnaire whose answers the file holds, in place of columns.
    `private`: each row is a person, so that no message may hold a cell's value, and columns that name people are not read.
    `elements`: the header holds numbered elements of a layout, with this prefix or a title; those that are no column here are
    not read. `layout`: the table that lists the elements of its columns where the file has no header row. `optional`: nobody
    is asked for the file.
    """

    title: str
    row: str
    chapter: str = Field(pattern=r"^\d\d$")
    columns: tuple[LocalColumn, ...] = ()
    unique: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    also_called: str | None = None
    questionnaire: str | None = None
    private: bool = False
    elements: str = ""
    layout: str = ""
    optional: bool = False
    lines: dict[str, LocalLines] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _holds_together(self) -> "LocalTable":
        names = [column.name for column in self.columns]
        if len(set(names)) < len(names):
            raise ValueError("a column stands twice")
        if bool(names) == (self.questionnaire is not None):
            raise ValueError("a table has either columns or a questionnaire")
        if self.lines and not {"section", "item", "question"} <= set(names):
            raise ValueError("a form has the columns section, item and question")
        bounds = [b for c in self.columns for b in (c.at_most, c.at_least, c.when, c.same_for) if b]
        for name in (*self.unique, *self.any_of, *bounds, *([self.also_called] if self.also_called else [])):
            if name not in names and self.questionnaire is None:
                raise ValueError(f"there is no column {name!r}")
        return self
