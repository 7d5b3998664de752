"""When a question is asked: XLSForm conditions read as choices of earlier questions, and where each choice leads."""

import re
from dataclasses import dataclass

from sectorbook.config.shapes import Question, Questionnaire
from sectorbook.errors import SectorbookError, unknown

_IS = re.compile(r"\s*\$\{(\w+)\}\s*=\s*'(\w+)'\s*")
_SELECTED = re.compile(r"\s*selected\(\s*\$\{(\w+)\}\s*,\s*'(\w+)'\s*\)\s*")


@dataclass(frozen=True)
class Condition:
    """The question is asked of those who gave the answer `choice` to the earlier `question` (both ids)."""

    question: str
    choice: str


def conditions(text: str | None, questionnaire: Questionnaire) -> tuple[Condition, ...]:
    """Return the conditions of a `relevant` text; all must hold, and none means everybody is asked.

    Takes `${question} = 'choice'` and `selected(${question}, 'choice')`, joined by "and": what can be said in words on
    paper. Raises SectorbookError for any other condition, an unknown question, and a choice it does not offer.
    """
    questions = {question.id: question for question in questionnaire.questions}
    found = []
    for part in text.split(" and ") if text else ():
        match = _IS.fullmatch(part) or _SELECTED.fullmatch(part)
        if match is None:
            raise SectorbookError(
                f"The questionnaire {questionnaire.id!r} has the condition {part.strip()!r}, which cannot be said in words. "
                "Valid: ${question} = 'choice' and selected(${question}, 'choice')."
            )
        asked, choice = match.groups()
        if asked not in questions:
            raise unknown("question", asked, questions)
        offered = offers(questions[asked], questionnaire)
        if choice not in offered:
            raise unknown(f"choice of {asked}", choice, offered)
        found.append(Condition(asked, choice))
    return tuple(found)


def offers(question: Question, questionnaire: Questionnaire) -> list[str]:
    """Return the ids of the choices a question offers in order; none for an open question.

    "Other", where it has one, stands after the choices, and "none of these" after that.
    """
    if question.choices is None:
        return []
    ids = [choice.id for choice in questionnaire.choices[question.choices]]
    ids += ["other"] if question.other else []
    return sorted(ids, key=lambda choice: choice == "none")


def asked_if(questionnaire: Questionnaire) -> dict[str, tuple[Condition, ...]]:
    """Return, per question in order, all its conditions: those of its section, then its own."""
    return {
        question.id: conditions(section.relevant, questionnaire)
        + conditions(question.relevant, questionnaire)
        for section in questionnaire.sections
        for question in section.questions
    }


def leads_to(questionnaire: Questionnaire, question: str, choice: str) -> str | None:
    """Return the question that comes after the answer `choice` to a question of one answer; None ends the form.

    A question whose condition this answer fails is passed over, and so is one that depends on a question passed over.
    """
    wanted = asked_if(questionnaire)
    order = list(wanted)
    passed: set[str] = set()
    for later in order[order.index(question) + 1 :]:
        fails = any(c.question == question and c.choice != choice for c in wanted[later])
        if not fails and not any(c.question in passed for c in wanted[later]):
            return later
        passed.add(later)
    return None
