"""A chapter's slides from its findings: one self-contained page that turns with the arrow keys and prints."""

import base64
import json
from dataclasses import dataclass, field

from sectorbook import chapters, disclosure, paths
from sectorbook.workshop import participant, plans
from sectorbook.workshop.notebooks import Setting, language_of, time_line
from sectorbook.workshop.solve import Solved
from sectorbook.workshop.words import SOURCE

SENTENCES, PROMPTS = 3, 5


@dataclass(frozen=True)
class Slide:
    """One slide: its title, lines, at most one picture with its text alternative, and the languages they are in."""

    title: str
    lines: list[str] = field(default_factory=list)
    picture: str = ""
    alt: str = ""
    kind: str = "plain"
    lang: str = SOURCE
    title_lang: str = SOURCE


def ledgers(setting: Setting, solved: Solved) -> dict[str, dict]:
    """Return the chapters' findings as they may be shown, after the disclosure gate."""
    slug = setting.region.slug
    with paths.at(solved.home, solved.reports):
        files = {c.name: paths.ledger(slug, c.name, c.person_level) for c in setting.chosen}
    found = {(slug, name): json.loads(file.read_text(encoding="utf-8")) for name, file in files.items()}
    return {name: ledger for (_, name), ledger in disclosure.apply(found)[0].items()}


def synthetic(ledger: dict) -> bool:
    """Return whether a chapter's findings rest on synthetic data."""
    return any(source["synthetic"] for source in ledger["sources"])


def _findings(setting: Setting, name: str, ledger: dict, solved: Solved) -> list[Slide]:
    """Return a slide for each figure with the sentence after it, and slides for the other sentences."""
    (chapter,) = (c for c in setting.chosen if c.name == name)
    with paths.at(solved.home, solved.reports):
        folder = paths.ledger(setting.region.slug, name, chapter.person_level).with_suffix("")
    made: list[Slide] = []
    for item in ledger["items"]:
        if item["kind"] == "figure":
            content = base64.b64encode((folder / item["file"]).read_bytes()).decode("ascii")
            made.append(Slide(item["title"], [], f"data:image/png;base64,{content}", item["alt"], "picture"))
        elif item["kind"] == "sentence" and item["uses"]:  # others say only what is not on file
            if not made or (made[-1].picture and made[-1].lines) or len(made[-1].lines) == SENTENCES:
                made.append(Slide(ledger["title"], []))
            made[-1].lines.append(item["text"])
    return made


def slides(setting: Setting, chapter: chapters.Notebook, ledger: dict, solved: Solved) -> list[Slide]:
    """Return a chapter's slides: its question, goals, what it found, what it does not show, exercises, prompts."""
    words, plan, own = setting.words, setting.plan(chapter), language_of(setting, chapter)
    made = [Slide(f"{chapter.number} {chapter.title}", [chapter.question], kind="first")]
    if plan:
        made.append(
            Slide(
                words("goals"),
                [*plan.goals, time_line(plan, words)],
                kind="list",
                lang=own,
                title_lang=words.code,
            )
        )
    made += _findings(setting, chapter.name, ledger, solved)
    caveats = [item["text"] for item in ledger["items"] if item["kind"] == "caveat"]
    for start in range(0, len(caveats), SENTENCES):
        made.append(
            Slide(words("caveats"), caveats[start : start + SENTENCES], kind="list", title_lang=words.code)
        )
    for exercise in plan.exercises if plan else ():
        title = words("exercise", number=exercise.id, title=exercise.title)
        lines = [exercise.task.strip(), words("exercise_minutes", minutes=exercise.minutes)]
        made.append(Slide(title, lines, lang=own, title_lang=words.code))
    texts, keys = plans.prompts(words.code), list(plan.prompts) if plan else []
    for start in range(0, len(keys), PROMPTS):
        lines = [f"{key}: {texts[key]}" for key in keys[start : start + PROMPTS]]
        made.append(Slide(words("reflection"), lines, kind="list", lang=words.code, title_lang=words.code))
    return made


def render(setting: Setting, chapter: chapters.Notebook, ledger: dict, solved: Solved) -> str:
    """Return a chapter's slides as one page of HTML. It needs no network."""
    return participant.environment().get_template("deck.html.j2").render(
        slides=slides(setting, chapter, ledger, solved), words=setting.words, chapter=chapter,
        synthetic=synthetic(ledger),
        where=setting.words("pack_of", region=setting.region.name, sector=setting.sector.name),
    )  # fmt: skip
