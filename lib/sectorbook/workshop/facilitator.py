"""The facilitator pack: guide with solutions and timings, slides, handouts, agendas and solved chapters."""

import json
from pathlib import Path

from sectorbook import answers, chapters
from sectorbook.workshop import deck, handouts, notebooks, participant, plans
from sectorbook.workshop.notebooks import Setting
from sectorbook.workshop.plans import Agenda
from sectorbook.workshop.solve import Solved


def _written(value: str | list[str] | None, decimals: int | None, none: str) -> str:
    """Return a told value as a guide prints it."""
    if value is None:
        return none
    if decimals is None:
        return ", ".join(value) if isinstance(value, list) else value
    return f"{float(value):,.{max(decimals, 0)}f}"


def _exercises(setting: Setting, plan: plans.Plan, solved: Solved) -> list[dict]:
    words, made = setting.words, []
    for exercise in plan.exercises:
        told = solved.told[exercise.id]
        texts = notebooks.slips(exercise, words)
        slips = [
            (_written(told["mistakes"].get(key), exercise.decimals, words("mistake_none")), says)
            for key, says in texts.items()
            if key.isdecimal()
        ]
        answer = _written(told["answer"], exercise.decimals, words("answer_none"))
        expected = notebooks.expected(exercise, words)
        made.append({"exercise": exercise, "answer": answer, "slips": slips, "expected": expected})
    return made


def _agenda(setting: Setting, agenda: Agenda) -> dict:
    slots = plans.clock(agenda, list(setting.chosen))
    sections = [
        {
            "title": section.title,
            "rows": [
                (f"{s.start}–{s.end}", s.minutes, handouts.what(s, setting))
                for s in slots
                if s.section == section.title
            ],
            "prompts": [
                handouts.prompt(key, setting)
                for part in section.blocks[-1].prompts
                for key in plans.members(part)
            ],
        }
        for section in agenda.sections
    ]
    span = setting.words("agenda_minutes", minutes=agenda.minutes, start=slots[0].start, end=slots[-1].end)
    return {"title": agenda.title, "span": span, "sections": sections}


def _chapter(setting: Setting, chapter: chapters.Notebook, solved: Solved) -> dict:
    plan, texts = setting.plan(chapter), answers.prompts() | plans.prompts(setting.words.code)
    return {
        "number": chapter.number,
        "title": chapter.title,
        "question": chapter.question,
        "plan": plan,
        "time": notebooks.time_line(plan, setting.words) if plan else "",
        "exercises": _exercises(setting, plan, solved) if plan else [],
        "prompts": [(key, texts[key]) for key in plan.prompts] if plan else [],
    }


def guide(setting: Setting, solved: Solved) -> str:
    """Return the guide as one page of HTML."""
    return participant.environment().get_template("guide.html.j2").render(
        setting=setting, words=setting.words,
        agendas=[_agenda(setting, entry) for entry in plans.agendas(setting.words.code).values()],
        chapters=[_chapter(setting, chapter, solved) for chapter in setting.chosen],
        untranslated=setting.words.code != notebooks.SOURCE,
    )  # fmt: skip


def write(folder: Path, setting: Setting, solved: Solved) -> None:
    """Write the facilitator pack into a folder."""
    for name in ("solutions", "slides", "handouts"):
        (folder / name).mkdir(parents=True)
    found = deck.ledgers(setting, solved)
    for chapter in setting.chosen:
        text = json.dumps(solved.notebooks[chapter.name], indent=1, ensure_ascii=False)
        (folder / "solutions" / chapter.path.name).write_text(text + "\n", encoding="utf-8")
        page = deck.render(setting, chapter, found[chapter.name], solved)
        (folder / "slides" / f"{chapter.name}.html").write_text(page, encoding="utf-8")
        notice = setting.words("synthetic") if deck.synthetic(found[chapter.name]) else ""
        (folder / "handouts" / f"{chapter.name}.pdf").write_bytes(handouts.chapter(setting, chapter, notice))
    for name, agenda in plans.agendas(setting.words.code).items():
        (folder / "handouts" / f"agenda-{name}.pdf").write_bytes(handouts.agenda(setting, agenda))
    (folder / "guide.html").write_text(guide(setting, solved), encoding="utf-8")
    readme = participant.environment().get_template(f"facilitator.{setting.words.code}.md.j2")
    (folder / "README.md").write_text(readme.render(setting=setting), encoding="utf-8")
