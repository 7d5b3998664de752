"""Answers as a survey tool exported them, as one tidy frame, with a note of everything that was not plain."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from sectorbook.config.shapes import Question, Questionnaire
from sectorbook.errors import SectorbookError, nearest, unknown
from sectorbook.questionnaire.layouts import Heading, Layout, layout
from sectorbook.questionnaire.tables import rows_of

_YES = {"1", "y", "yes", "true", "sí", "si", "checked", "selected", "x"}
_NO = {"", "0", "n", "no", "false", "unchecked", "not selected"}
_OTHER_NAMES = {"other", "otro", "otra", "-oth-"}  # the last is LimeSurvey's code


@dataclass(frozen=True)
class Answers:
    """What a file of answers holds.

    `frame`: one row per response: `row` (its row among the file's filled rows), `response_id`, `submitted_at` (as the
    tool wrote it), `complete`, `duplicate_of` (the row it repeats), then the questions: the choice's id for "one", a
    column `question/choice` of 1 and 0 per choice for "several" (all missing when not answered), numbers, texts, and
    `question_other` for what was specified. `notes`: `row`, `column`, `kind`, `text`, for all that was set aside,
    read in another way than it stands, or is worth a look. `tool` wrote the file.
    """

    frame: pd.DataFrame
    notes: pd.DataFrame
    tool: str


@dataclass
class _Reading:
    name: str
    questionnaire: Questionnaire
    values: Mapping[str, Mapping[str, str]]
    problems: list[str] = field(default_factory=list)
    notes: list[tuple] = field(default_factory=list)


def _key(text: str) -> str:
    """Return a text as it is compared: no tags, numbering, required mark, case or extra blanks."""
    plain = html.unescape(re.sub(r"<[^>]+>", " ", text))
    plain = re.sub(r"^\s*\d+\s*[.)]\s+", "", plain)
    return " ".join(plain.split()).rstrip(" *").casefold()


def _bare(code: str) -> str:
    """Return a code without underscores and case: LimeSurvey allows no underscores in codes."""
    return code.replace("_", "").casefold()


def read_answers(
    content: bytes,
    name: str,
    questionnaire: Questionnaire,
    tool: str | None = None,
    columns: Mapping[str, str] | None = None,
    values: Mapping[str, Mapping[str, str]] | None = None,
    unique: str | None = None,
) -> Answers:
    """Return the answers in an export of KoBo, ODK Central, Qualtrics, SurveyMonkey, LimeSurvey, Google or Microsoft Forms.

    `content` is the file (CSV, or XLSX whose first sheet counts) and `name` what messages call it. Columns are matched
    to questions by id or by their text in either language, answers to choices likewise; `columns` (file column ->
    question id) and `values` (question id -> exported value -> choice id) settle what cannot be matched. `unique` is a
    question whose answer should not come twice, such as the invitation code.

    Partial, repeated, test and rejected responses are kept and noted. Raises one SectorbookError that lists every cell
    that cannot be understood, with row, column, what was found, what is valid and the nearest match; nothing is then
    returned.
    """
    rows, other_sheets = rows_of(content, name)
    plan = layout(rows, name, tool)
    reading = _Reading(name, questionnaire, values or {})
    questions = {question.id: question for question in questionnaire.questions}
    if unique is not None and unique not in questions:
        raise unknown("question", unique, questions)
    reading.notes += [
        (None, None, "set aside", f"the sheet {sheet!r} was not read") for sheet in other_sheets
    ]
    placed = _place(plan, reading, questions, columns or {})
    records = []
    for number, row in enumerate(rows[plan.header_rows :], plan.header_rows + 1):
        cells = {heading.shown: cell.strip() for heading, cell in zip(plan.headings, row, strict=True)}
        record = {
            "row": number,
            "response_id": cells.get(plan.response_id, "") or None if plan.response_id else None,
            "submitted_at": cells.get(plan.submitted_at, "") or None if plan.submitted_at else None,
            "complete": plan.finished(cells),
        }
        for question in questions.values():
            record |= _answer(question, placed[question.id], cells, plan, number, reading)
        records.append(record)
        if plan.accepted and cells[plan.accepted[0]].lower() not in plan.accepted[1]:
            state = cells[plan.accepted[0]]
            reading.notes.append((number, plan.accepted[0], "review", f"a test, or not approved: {state!r}"))
    if reading.problems:
        shown = reading.problems[:_SHOWN]
        rest = len(reading.problems) - len(shown)
        raise SectorbookError("\n".join(shown + ([f"… and {rest} more."] if rest else [])))
    frame = _typed(pd.DataFrame(records, columns=_frame_columns(questionnaire)), questionnaire)
    frame.insert(4, "duplicate_of", _duplicates(frame, reading, unique))
    for record in records:
        if not record["complete"]:
            reading.notes.append((record["row"], None, "partial", "the response was not finished"))
    notes = pd.DataFrame(reading.notes, columns=["row", "column", "kind", "text"])
    return Answers(frame, notes, plan.tool)


# More problems than this are counted, not listed.
_SHOWN = 30


def _place(
    plan: Layout, reading: _Reading, questions: dict[str, Question], columns: Mapping[str, str]
) -> dict[str, list[tuple[Heading, str | None]]]:
    """Return, per question, its columns, each with the choice it stands for: an id, "other" for its text, or None."""
    for column, question in columns.items():
        if question not in questions:
            raise unknown("question", question, questions)
        if column not in {heading.shown for heading in plan.headings}:
            raise unknown("column", column, [heading.shown for heading in plan.headings])
    placed: dict[str, list[tuple[Heading, str | None]]] = {name: [] for name in questions}
    for heading in plan.headings:
        if heading.shown in plan.own and heading.shown not in columns:
            continue
        found = _question_of(heading, questions, columns)
        if found is None:
            reading.notes.append((None, heading.shown, "set aside", "no question has this column"))
            continue
        question, choice = found
        if choice is not None and choice != "other/text":
            code = _choice_of(question, choice, reading)
            if code is None:
                reading.problems.append(_bad(reading, None, heading.shown, choice, question))
                continue
            choice = code
        placed[question.id].append((heading, choice))
    if not any(placed.values()) and not reading.problems:
        raise SectorbookError(
            f"{reading.name}: no column belongs to a question of {reading.questionnaire.id!r}. Found "
            f"{', '.join(repr(h.shown) for h in plan.headings[:8])}; a question's column has its id "
            f"({', '.join(list(questions)[:4])} …) or its text."
        )
    for name, where in placed.items():
        if not where:
            reading.notes.append((None, name, "absent", "the file has no column for this question"))
        if sum(choice is None for _, choice in where) > 1:
            twice = ", ".join(repr(heading.shown) for heading, choice in where if choice is None)
            reading.problems.append(
                f"{reading.name}: more than one column answers the question {name!r}: {twice}."
            )
    return placed


def _question_of(
    heading: Heading, questions: dict[str, Question], columns: Mapping[str, str]
) -> tuple[Question, str | None] | None:
    if heading.shown in columns:
        question = questions[columns[heading.shown]]
        return question, "other/text" if heading.specify and question.other else heading.choice
    for candidate in heading.names:
        for question in questions.values():
            texts = {_key(question.label.en), _key(question.label.es)}
            if _bare(candidate) == _bare(question.id) or _key(candidate) in texts:
                if heading.specify and question.other:
                    return question, "other/text"
                at_end = heading.choice is not None and _bare(heading.choice) == _bare(candidate)
                if candidate == heading.shown or at_end or heading.choice is None:
                    return question, None
                if question.type == "several":
                    return question, heading.choice
            elif question.other and _bare(candidate) == _bare(f"{question.id}_other"):
                return question, "other/text"
    return None


def _choice_of(question: Question, text: str, reading: _Reading) -> str | None:
    """Return the id of the choice a text means, or None."""
    text = text.strip()
    mapped = reading.values.get(question.id, {}).get(text)
    if mapped is not None:
        text = mapped
    for choice in reading.questionnaire.choices[question.choices]:
        if _bare(text) == _bare(choice.id) or _key(text) in (_key(choice.label.en), _key(choice.label.es)):
            return choice.id
    return "other" if question.other and _key(text) in _OTHER_NAMES else None


def _bad(reading: _Reading, row: int | None, column: str, found: str, question: Question) -> str:
    choices = reading.questionnaire.choices[question.choices]
    valid = [c.id for c in choices] + (["other"] if question.other else [])
    close = nearest(found, [*valid, *(c.label.en for c in choices), *(c.label.es for c in choices)], n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    where = "" if row is None else f", row {row}"
    return f"{reading.name}{where}, column {column!r}: found {found!r}.{hint} Valid: {', '.join(valid)}."


def _answer(
    question: Question, where: list, cells: dict[str, str], plan: Layout, row: int, reading: _Reading
) -> dict[str, object]:
    if question.type == "several":
        return _several(question, where, cells, plan, row, reading)
    record: dict[str, object] = {question.id: None}
    if question.other:
        record[f"{question.id}_other"] = None
    for heading, choice in where:
        text = cells[heading.shown]
        if not text:
            continue
        if choice == "other/text":
            record[f"{question.id}_other"] = text
            record[question.id] = record[question.id] or "other"
        elif question.type == "one":
            code = _choice_of(question, text, reading)
            if code is None and question.other:
                code, record[f"{question.id}_other"] = "other", text
                reading.notes.append((row, heading.shown, "other", f"read as other: {text!r}"))
            elif code is None:
                reading.problems.append(_bad(reading, row, heading.shown, text, question))
            record[question.id] = code
        elif question.type == "text":
            record[question.id] = text
        else:
            record[question.id] = _number(question, text, heading, row, reading)
    return record


def _number(question: Question, text: str, heading: Heading, row: int, reading: _Reading) -> float | None:
    plain = text.removeprefix("$").strip()
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", plain):
        plain = plain.replace(",", "")
    kind = "a whole number" if question.type == "integer" else "a number"
    pattern = r"-?\d+(\.0*)?" if question.type == "integer" else r"-?(\d+\.?\d*|\.\d+)"
    if not re.fullmatch(pattern, plain):
        reading.problems.append(
            f"{reading.name}, row {row}, column {heading.shown!r}: found {text!r}; expected {kind}."
        )
        return None
    value = float(plain)
    if question.minimum is not None and value < question.minimum:
        least = f"{kind} of {question.minimum:g} or more"
        reading.problems.append(
            f"{reading.name}, row {row}, column {heading.shown!r}: found {text!r}; expected {least}."
        )
        return None
    if plain != text:
        reading.notes.append((row, heading.shown, "number", f"{text!r} read as {value:g}"))
    return value


def _several(
    question: Question, where: list, cells: dict[str, str], plan: Layout, row: int, reading: _Reading
) -> dict[str, object]:
    codes = [choice.id for choice in reading.questionnaire.choices[question.choices]] + (
        ["other"] if question.other else []
    )
    chosen: set[str] = set()
    other = None
    for heading, choice in where:
        text = cells[heading.shown]
        if choice is None and text:
            found, rest = _split(question, text, plan.separator, reading)
            chosen |= found
            if rest and question.other:
                chosen.add("other")
                other = rest
                reading.notes.append((row, heading.shown, "other", f"read as other: {rest!r}"))
            elif rest:
                reading.problems.append(_bad(reading, row, heading.shown, rest, question))
        elif choice == "other/text" and text:
            chosen.add("other")
            other = text
        elif choice is not None and choice != "other/text":
            if _key(text) in _YES or (text and _choice_of(question, text, reading) == choice):
                chosen.add(choice)
            elif choice == "other" and text and _key(text) not in _NO:
                chosen.add(choice)
                other = text
            elif _key(text) not in _NO:
                reading.problems.append(
                    f"{reading.name}, row {row}, column {heading.shown!r}: found {text!r}; expected 1, 0, yes, no or the choice."
                )
    if "none" in chosen and len(chosen) > 1:
        reading.notes.append(
            (row, question.id, "contradiction", "none was chosen together with other answers")
        )
    record: dict[str, object] = {
        f"{question.id}/{code}": int(code in chosen) if chosen else None for code in codes
    }
    if question.other:
        record[f"{question.id}_other"] = other
    return record


def _split(question: Question, text: str, separator: str, reading: _Reading) -> tuple[set[str], str]:
    """Return the choices in a joined cell and what is left over. A label may hold the separator, so long runs go first."""
    parts = [part for part in text.split(separator) if part.strip()]
    found, left, at = set(), [], 0
    while at < len(parts):
        for end in range(len(parts), at, -1):
            code = _choice_of(question, separator.join(parts[at:end]), reading)
            if code is not None:
                found.add(code)
                at = end
                break
        else:
            left.append(parts[at].strip())
            at += 1
    return found, f"{separator.strip()} ".join(left)


def _frame_columns(questionnaire: Questionnaire) -> list[str]:
    columns = ["row", "response_id", "submitted_at", "complete"]
    for question in questionnaire.questions:
        if question.type == "several":
            codes = [choice.id for choice in questionnaire.choices[question.choices]] + (
                ["other"] if question.other else []
            )
            columns += [f"{question.id}/{code}" for code in codes]
        else:
            columns.append(question.id)
        if question.other:
            columns.append(f"{question.id}_other")
    return columns


def _typed(frame: pd.DataFrame, questionnaire: Questionnaire) -> pd.DataFrame:
    kinds = {
        q.id: {"integer": "Int64", "number": "Float64"}.get(q.type, "str") for q in questionnaire.questions
    }
    types = {c: "Int64" if "/" in c else kinds.get(c, "str") for c in frame.columns[4:]}
    return frame.astype({"row": int, "response_id": "str", "submitted_at": "str", "complete": bool, **types})


def _duplicates(frame: pd.DataFrame, reading: _Reading, unique: str | None) -> pd.array:
    """Return the first row each response repeats: same id, same `unique` answer, or the same answers throughout."""
    first: dict[tuple, int] = {}
    out = []
    for record, given in zip(frame.to_dict("records"), frame.iloc[:, 4:].notna().sum(axis=1), strict=True):
        keys = [("id", record["response_id"])] if not pd.isna(record["response_id"]) else []
        if unique is not None and not pd.isna(record[unique]):
            keys.append((unique, _key(record[unique])))
        if given >= _ENOUGH:
            same = tuple(None if pd.isna(v) else v for k, v in record.items() if k not in _ABOUT)
            keys.append(("answers", same))
        earlier = next(((k[0], first[k]) for k in keys if k in first), None)
        out.append(pd.NA if earlier is None else earlier[1])
        if earlier is not None:
            reading.notes.append((record["row"], None, "duplicate", f"same {earlier[0]} as row {earlier[1]}"))
        for key in keys:
            first.setdefault(key, record["row"])
    return pd.array(out, dtype="Int64")


# Two responses with fewer answers than this can agree by chance.
_ENOUGH = 5
_ABOUT = ("row", "response_id", "submitted_at", "complete")
