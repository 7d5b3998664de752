"""A questionnaire on paper: the same questions as the form, with what to skip said in words."""

import math
import tempfile
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

from sectorbook.config.shapes import Question, Questionnaire
from sectorbook.errors import unknown
from sectorbook.questionnaire import conditions, xlsform
from sectorbook.report import pdf

# The page carries no day of its own: the same questions give the same file whenever it is made.
STAMP = datetime(2000, 1, 1, tzinfo=UTC)
# A list to mark several of stands in two columns where it is longer than this and no choice is longer than the second
# number. A list to mark one of may be a scale, which reads downwards.
ONE_COLUMN, LONG_CHOICE = 3, 44

WORDS = {
    "en": {
        "time": "It takes about {minutes} minutes for {questions} questions. Leave blank what you do not know.",
        "code": "Please do not write your name or the name of your business. The code in your invitation is enough.",
        "sender": "Who asks:",
        "contact": "Questions? Call or write to:",
        "return": "Please return this form to:",
        "until": "No later than:",
        "one": "Mark one.",
        "several": "Mark all that apply.",
        "stop": "Stop here. Please return the form. Thank you.",
        "go": "Go to question {number}.",
        "only": "Only if you marked {answers}.",
        "answer": "“{choice}” in question {number}",
        "and": " and ",
        "running": "{title}, version {version}. Confidential: only totals are published.",
        "page": "Page <page> of <pages>",
        "thanks": "Thank you. Please return the form to the address on the first page.",
    },
    "es": {
        "time": "Son {questions} preguntas y toma unos {minutes} minutos. Deje en blanco lo que no sepa.",
        "code": "Por favor, no escriba su nombre ni el de su empresa. Basta con el código de su invitación.",
        "sender": "Quién hace la encuesta:",
        "contact": "¿Tiene preguntas? Llame o escriba a:",
        "return": "Devuelva este formulario a:",
        "until": "A más tardar el:",
        "one": "Marque una.",
        "several": "Marque todas las que correspondan.",
        "stop": "Termine aquí y devuelva el formulario. Gracias.",
        "go": "Pase a la pregunta {number}.",
        "only": "Solo si marcó {answers}.",
        "answer": "«{choice}» en la pregunta {number}",
        "and": " y ",
        "running": "{title}, versión {version}. Confidencial: solo se publican totales.",
        "page": "Página <page> de <pages>",
        "thanks": "Muchas gracias. Devuelva el formulario a la dirección que figura en la primera página.",
    },
}


def pages(
    questionnaire: Questionnaire, language: str, place: str, sender: str = "", contact: str = ""
) -> bytes:
    """Return the questionnaire in one language ("en" or "es") as a tagged PDF to print, the same bytes each time.

    `place` is the region's name under the title; `sender` and `contact` say who asks and whom to ask back, lines to fill
    in by hand where they are empty. Each choice that passes over questions says where to go on, and a question not asked
    of all says of whom. Raises SectorbookError for an unknown language or a condition that cannot be said in words.
    """
    with tempfile.TemporaryDirectory(prefix="sectorbook-form-") as folder:
        data = pdf.made_printable(_data(questionnaire, language, place, sender, contact))
        template = resources.files("sectorbook.report") / "templates" / "questionnaire.typ"
        return pdf.compiled(template, data, STAMP, Path(folder))


def _data(questionnaire: Questionnaire, language: str, place: str, sender: str, contact: str) -> dict:
    if language not in WORDS:
        raise unknown("language of the questionnaire", language, WORDS)
    words = WORDS[language]
    numbers = {question.id: n for n, question in enumerate(questionnaire.questions, 1)}
    minutes = math.ceil(xlsform.expected_minutes(questionnaire))
    title = getattr(questionnaire.title, language)
    return {
        "lang": language,
        "fonts": [pdf.FAMILY],
        "title": title,
        "place": place,
        "sender": sender or "Sectorbook",
        "about": [
            getattr(questionnaire.introduction, language),
            words["time"].format(minutes=minutes, questions=len(numbers)),
            words["code"],
        ],
        "blanks": [
            [words["sender"], sender],
            [words["contact"], contact],
            [words["return"], ""],
            [words["until"], ""],
        ],
        "sections": _sections(questionnaire, language, numbers),
        "running": words["running"].format(title=title, version=questionnaire.version),
        "page": words["page"],
        "thanks": words["thanks"],
    }


def _sections(questionnaire: Questionnaire, language: str, numbers: dict[str, int]) -> list[dict]:
    questions = {question.id: question for question in questionnaire.questions}
    sections, told = [], ()
    for section in questionnaire.sections:
        of_all = conditions.conditions(section.relevant, questionnaire)
        asked = []
        for question in section.questions:
            own = conditions.conditions(question.relevant, questionnaire)
            note = _only(own, questions, questionnaire, language, numbers) if own != told else ""
            told = own
            asked.append(_question(question, questionnaire, language, numbers, note))
        open_ = tuple(c for c in of_all if not _ends_otherwise(c, questionnaire))
        sections.append(
            {
                "title": getattr(section.label, language),
                "note": _only(open_, questions, questionnaire, language, numbers),
                "questions": asked,
            }
        )
    return sections


def _ends_otherwise(condition: conditions.Condition, questionnaire: Questionnaire) -> bool:
    """Return whether any other answer ends the form, so that whoever reads on has met the condition."""
    question = next(q for q in questionnaire.questions if q.id == condition.question)
    others = [c for c in conditions.offers(question, questionnaire) if c != condition.choice]
    return question.type == "one" and all(
        conditions.leads_to(questionnaire, question.id, choice) is None for choice in others
    )


def _label(question: Question, choice: str, questionnaire: Questionnaire, language: str) -> str:
    if choice == xlsform.OTHER and question.other:
        return xlsform.OTHER_LABEL[language]
    found = next(c for c in questionnaire.choices[question.choices] if c.id == choice)
    return getattr(found.label, language)


def _only(
    met: tuple[conditions.Condition, ...],
    questions: dict[str, Question],
    questionnaire: Questionnaire,
    language: str,
    numbers: dict[str, int],
) -> str:
    if not met:
        return ""
    words = WORDS[language]
    answers = [
        words["answer"].format(
            choice=_label(questions[c.question], c.choice, questionnaire, language),
            number=numbers[c.question],
        )
        for c in met
    ]
    return words["only"].format(answers=words["and"].join(answers))


def _question(
    question: Question, questionnaire: Questionnaire, language: str, numbers: dict[str, int], note: str
) -> dict:
    words = WORDS[language]
    choices = []
    for choice in conditions.offers(question, questionnaire):
        label, jump = _label(question, choice, questionnaire, language), ""
        if question.type == "one":
            goes = conditions.leads_to(questionnaire, question.id, choice)
            last = numbers[question.id] == len(numbers)
            if goes is None and not last:
                jump = words["stop"]
            elif goes is not None and numbers[goes] > numbers[question.id] + 1:
                jump = words["go"].format(number=numbers[goes])
        specify = f"{xlsform.SPECIFY[language]}:" if choice == xlsform.OTHER and question.other else ""
        choices.append({"label": label, "jump": jump, "specify": specify})
    narrow = question.type == "several" and all(len(c["label"]) <= LONG_CHOICE for c in choices)
    return {
        "number": numbers[question.id],
        "label": getattr(question.label, language),
        "note": note,
        "kind": {"integer": "number"}.get(question.type, question.type),
        "instruction": words.get(question.type, ""),
        "before": "$" if question.id.endswith("_usd") else "",
        "lines": 1 if question.required else 2,
        "choices": choices,
        "columns": 2 if len(choices) > ONE_COLUMN and narrow else 1,
    }
