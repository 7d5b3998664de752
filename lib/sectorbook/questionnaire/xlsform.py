"""The questionnaire as an XLSForm, the form that KoBo, ODK and Enketo take (https://xlsform.org)."""

import io
from datetime import datetime

import xlsxwriter
from pyxform.errors import PyXFormError
from pyxform.xls2xform import convert

from sectorbook.config.shapes import Question, Questionnaire
from sectorbook.errors import SectorbookError, unknown

LANGUAGES = {"en": "English (en)", "es": "Español (es)"}
OTHER = "other"

_TYPES = {"integer": "integer", "number": "decimal", "text": "text"}
OTHER_LABEL = {"en": "Other", "es": "Otro"}
SPECIFY = {"en": "Please say which", "es": "Indique cuál"}
_REQUIRED = {"en": "This question needs an answer.", "es": "Esta pregunta necesita respuesta."}
_TOO_SMALL = {"en": "This is too small.", "es": "El valor es demasiado bajo."}
_NONE_ALONE = {
    "en": "None of these cannot go with another answer.",
    "es": "«Ninguna de las anteriores» no puede ir con otra respuesta.",
}


def _in_languages(key: str, texts: dict[str, str]) -> dict[str, str]:
    return {f"{key}::{LANGUAGES[code]}": texts[code] for code in LANGUAGES}


def xlsform(
    questionnaire: Questionnaire, language: str = "en", place: str = ""
) -> dict[str, list[dict[str, str]]]:
    """Return the XLSForm as its three sheets: `survey`, `choices`, `settings`, each a list of rows.

    `language` ("en" or "es") is the one the form opens in; `place`, where given, stands in its title. Every label is in
    English and Spanish. A choice list that some question opens to "other" is written a second time with that choice, and a
    text question follows. "None of these" cannot be chosen with anything else. Raises SectorbookError for another language.
    """
    if language not in LANGUAGES:
        raise unknown("language of the questionnaire", language, LANGUAGES)
    title = getattr(questionnaire.title, language)
    rows = [
        {"type": "start", "name": "start"},
        {"type": "end", "name": "end"},
        {
            "type": "note",
            "name": "introduction",
            **_in_languages("label", questionnaire.introduction.model_dump()),
        },
    ]
    for section in questionnaire.sections:
        head = {
            "type": "begin group",
            "name": section.id,
            **_in_languages("label", section.label.model_dump()),
        }
        if section.relevant:
            head["relevant"] = section.relevant
        rows.append({**head, "appearance": "field-list"})
        for question in section.questions:
            rows += _question_rows(question, questionnaire)
        rows.append({"type": "end group"})
    lists = [
        (name, choice.id, choice.label.model_dump())
        for name, list_ in questionnaire.choices.items()
        for choice in list_
    ]
    for name in sorted({q.choices for q in questionnaire.questions if q.other and q.choices}):
        labels = {c.id: c.label.model_dump() for c in questionnaire.choices[name]} | {OTHER: OTHER_LABEL}
        lists += [(f"{name}_{OTHER}", code, labels[code]) for code in sorted(labels, key="none".__eq__)]
    used = {row["type"].split()[1] for row in rows if row["type"].startswith("select_")}
    choices = [
        {"list_name": list_name, "name": code, **_in_languages("label", texts)}
        for list_name, code, texts in lists
        if list_name in used
    ]
    settings = {
        "form_title": f"{title}: {place}" if place else title,
        "form_id": questionnaire.id,
        "version": questionnaire.version,
        "default_language": LANGUAGES[language],
    }
    return {"survey": rows, "choices": choices, "settings": [settings]}


def _question_rows(question: Question, questionnaire: Questionnaire) -> list[dict[str, str]]:
    if question.choices is None:
        kind = _TYPES[question.type]
    else:
        list_name = f"{question.choices}_{OTHER}" if question.other else question.choices
        kind = f"select_{'one' if question.type == 'one' else 'multiple'} {list_name}"
    row = {"type": kind, "name": question.id, **_in_languages("label", question.label.model_dump())}
    if question.required:
        row |= {"required": "yes", **_in_languages("required_message", _REQUIRED)}
    if question.relevant:
        row["relevant"] = question.relevant
    if question.minimum is not None:
        row |= {"constraint": f". >= {question.minimum:g}", **_in_languages("constraint_message", _TOO_SMALL)}
    if question.type == "several" and "none" in {c.id for c in questionnaire.choices[question.choices]}:
        row["constraint"] = "not(selected(., 'none') and count-selected(.) > 1)"
        row |= _in_languages("constraint_message", _NONE_ALONE)
    if not question.other:
        return [row]
    chosen = f"selected(${{{question.id}}}, '{OTHER}')"
    specify = {
        "type": "text",
        "name": f"{question.id}_{OTHER}",
        "relevant": chosen,
        **_in_languages("label", SPECIFY),
    }
    return [row, specify]


def xform(questionnaire: Questionnaire) -> str:
    """Return the form compiled to XForm XML, as pyxform does it for KoBo and ODK.

    Raises SectorbookError when the form does not compile.
    """
    try:
        return convert(xlsform(questionnaire)).xform
    except PyXFormError as error:
        raise SectorbookError(f"The questionnaire {questionnaire.id!r} does not compile: {error}") from error


def workbook(questionnaire: Questionnaire, language: str = "en", place: str = "") -> bytes:
    """Return the XLSForm as an XLSX workbook, ready to upload; the same bytes each time. Arguments as `xlsform`."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as book:
        book.set_properties({"created": _NO_DAY})
        for name, rows in xlsform(questionnaire, language, place).items():
            columns = list(dict.fromkeys(column for row in rows for column in row))
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, columns, book.add_format({"bold": True}))
            for number, row in enumerate(rows, 1):
                for place_, column in enumerate(columns):
                    if column in row:
                        sheet.write_string(number, place_, row[column])
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, len(columns) - 1, _WIDTH)
    return buffer.getvalue()


# A workbook carries the day it was made; a fixed one keeps the same form the same file.
_NO_DAY = datetime(2000, 1, 1)
_WIDTH = 28

# Seconds a person takes to read and answer, by kind of question: an assumption to plan with, to be replaced by the
# times a pilot shows.
SECONDS = {"one": 12, "several": 25, "integer": 20, "number": 20, "text": 40}


def expected_minutes(questionnaire: Questionnaire) -> float:
    """Return the minutes the whole questionnaire takes at `SECONDS` a question, with no question skipped."""
    return sum(SECONDS[question.type] for question in questionnaire.questions) / 60
