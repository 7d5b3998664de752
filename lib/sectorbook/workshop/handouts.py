"""Printed pages, by the report's typesetter: a handout for each chapter to write on, and each agenda."""

import tempfile
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

from sectorbook import answers, chapters
from sectorbook.report import pdf
from sectorbook.workshop import notebooks, plans
from sectorbook.workshop.notebooks import Setting
from sectorbook.workshop.plans import Agenda, Slot

# A fixed time: the same pack gives the same bytes.
STAMP = datetime(1980, 1, 1, tzinfo=UTC)
LINES, SHORT = 4, 2


def bare(text: str) -> str:
    """Return a text without the marks of code."""
    return " ".join(text.replace("`", "").split())


def _set(title: str, subtitle: str, blocks: list[dict], setting: Setting, notice: str = "") -> bytes:
    content = {
        "title": title, "subtitle": subtitle, "lang": setting.words.code, "notice": notice, "blocks": blocks,
        "running": f"{title} · {setting.words('pack_of', region=setting.region.name, sector=setting.sector.name)}",
    }  # fmt: skip
    template = resources.files("sectorbook.workshop") / "templates" / "handout.typ"
    with tempfile.TemporaryDirectory(prefix="sectorbook-handout-") as name:
        return pdf.compiled(template, pdf.made_printable(content), STAMP, Path(name))


def chapter(setting: Setting, notebook: chapters.Notebook, notice: str) -> bytes:
    """Return a chapter's handout: goals, questions, exercises and prompts, with lines to write on."""
    words, plan = setting.words, setting.plan(notebook)
    blocks: list[dict] = [{"type": "lead", "text": notebook.question}]
    if plan:
        blocks += [
            {"type": "heading", "text": words("goals")},
            {"type": "items", "items": [bare(goal) for goal in plan.goals]},
            {"type": "text", "text": notebooks.time_line(plan, words)},
        ]
    asked = answers.chapter_questions(notebook)
    if asked:
        blocks.append({"type": "heading", "text": words("questions")})
        blocks += [{"type": "ask", "head": k, "text": bare(t), "lines": LINES} for k, t in asked.items()]
    if plan and plan.exercises:
        blocks.append({"type": "heading", "text": words("exercises")})
        for exercise in plan.exercises:
            head = words("exercise", number=exercise.id, title=exercise.title)
            text = f"{bare(exercise.task)} {notebooks.expected(exercise, words)}"
            blocks.append({"type": "ask", "head": head, "text": text, "lines": SHORT})
    keys = [key for key in plan.prompts if key not in plan.same_as] if plan else []
    if keys:
        blocks.append({"type": "heading", "text": words("prompts")})
        texts = plans.prompts(words.code)
        blocks += [{"type": "ask", "head": key, "text": texts[key], "lines": LINES} for key in keys]
    title = f"{notebook.number} {notebook.title}"
    return _set(title, words("handout"), blocks, setting, notice)


def what(slot: Slot, setting: Setting) -> str:
    """Return what a block of an agenda is made of: its title, chapters, exercises or prompts, and what the pack lacks."""
    words, block = setting.words, slot.block
    kind = (
        ""
        if block.kind in ("exercises", "talk") or block.title == words(block.kind)
        else words(block.kind) + ": "
    )
    parts = [f"{kind}{block.title}" + ("" if block.title.endswith(("?", "!", ".")) else ".")]
    if block.chapters:
        parts.append(words("chapters_of", numbers=", ".join(block.chapters)) + ".")
    if block.exercises:
        parts.append(words("exercises_of", numbers=", ".join(block.exercises)) + ".")
    if block.prompts:
        parts.append(words("prompts_of", numbers=", ".join(block.prompts)) + ".")
    if slot.lacking:
        parts.append(words("lacking", numbers=", ".join(slot.lacking)))
    return " ".join(parts)


def prompt(key: str, setting: Setting) -> str:
    """Return a prompt as an agenda lists it, with the chapter in which its answer is kept."""
    chapter = plans.chapter_of(key)
    where = f" ({setting.words('in_chapter', number=chapter)})" if chapter else ""
    return f"{key}: {plans.prompts(setting.words.code)[key]}{where}"


def agenda(setting: Setting, entry: Agenda) -> bytes:
    """Return an agenda with its times, a table for each section, and the prompts each one ends in."""
    words, slots = setting.words, plans.clock(entry, list(setting.chosen))
    subtitle = words("agenda_minutes", minutes=entry.minutes, start=slots[0].start, end=slots[-1].end)
    blocks: list[dict] = []
    for place, section in enumerate(entry.sections, start=1):
        own = [slot for slot in slots if slot.section == section.title]
        rows = [[f"{s.start}–{s.end}", str(s.minutes), what(s, setting)] for s in own]
        blocks.append({"type": "heading", "text": f"{place}. {section.title}"})
        blocks.append(
            {"type": "grid", "title": f"{own[0].start}–{own[-1].end}", "shares": [2, 1.3, 9], "rows": rows,
             "head": [words("when"), words("minutes"), words("what")]}
        )  # fmt: skip
        keys = [key for prompt_set in section.blocks[-1].prompts for key in plans.members(prompt_set)]
        blocks.append({"type": "items", "items": [prompt(key, setting) for key in keys]})
    return _set(entry.title, f"{words('agenda')}. {subtitle}", blocks, setting)
