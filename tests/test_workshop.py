"""The workshop edition: what is taught, what a pack holds back, and what a check says."""

import json
import re
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from sectorbook import answers, chapters, findings, paths
from sectorbook.errors import SectorbookError
from sectorbook.workshop import build, handouts, notebooks, participant, plans, room, sealed, solve, words
from sectorbook.workshop.solve import Solved

CHAPTERS = chapters.discover()
# Chapters that are not written for yet. Whoever writes one takes its number out.
WITHOUT: set[str] = set()
TAUGHT = [c for c in CHAPTERS if c.number not in WITHOUT]
LANGUAGES = words.codes()


def the(region: str = "san-francisco", numbers: str | None = None, lang: str = "en") -> notebooks.Setting:
    return build.setting(region, None, numbers, lang)


# --- what is taught


def test_every_chapter_has_three_exercises_but_those_listed() -> None:
    found = {c.number for c in CHAPTERS if (plan := plans.of(c.number)) is None or len(plan.exercises) != 3}
    assert found == WITHOUT & {c.number for c in CHAPTERS}


@pytest.mark.parametrize("chapter", TAUGHT, ids=lambda c: c.name)
def test_exercises_rise_and_their_mistakes_are_named(chapter: chapters.Notebook) -> None:
    plan = plans.of(chapter.number)
    times = [exercise.minutes for exercise in plan.exercises]
    assert times == sorted(times) and times[0] < times[-1]
    assert plan.goals and plan.discussion
    for exercise in plan.exercises:
        assert exercise.mistakes and re.search(r"^answer = ", exercise.solution, re.M), exercise.id
        assert "answer = ..." in exercise.starter and exercise.hints[0] not in exercise.task


def test_the_47_prompts_stand_in_one_chapter_each() -> None:
    placed = [prompt for chapter in TAUGHT for prompt in plans.of(chapter.number).prompts]
    assert sorted(placed) == sorted(answers.prompts()) and len(placed) == 47


def test_a_prompt_that_a_chapter_asks_itself_is_not_asked_twice() -> None:
    asked = answers.asked()
    for chapter in TAUGHT:
        for prompt, question in plans.of(chapter.number).same_as.items():
            assert prompt.partition(".")[0] in asked[question], (prompt, asked[question])


def test_agendas_add_up_and_each_section_ends_in_its_reflection() -> None:
    found = plans.agendas()
    assert {name: agenda.minutes for name, agenda in found.items()} == {"one-day": 420, "three-hours": 180}
    for agenda in found.values():
        slots = plans.clock(agenda, list(CHAPTERS))
        assert sum(slot.minutes for slot in slots) == agenda.minutes
        assert all(a.end == b.start for a, b in pairwise(slots))
        assert [section.blocks[-1].prompts for section in agenda.sections] == [("B06",), ("B24",), ("B40",)]
        assert not any(slot.lacking for slot in slots)
    few = plans.clock(found["three-hours"], chapters.select("00,03"))
    assert {number for slot in few for number in slot.lacking} == {"04", "06", "08", "12"}


def test_an_agenda_that_does_not_add_up_is_refused(home) -> None:
    path = paths.config(plans.AGENDAS)
    path.write_text(
        path.read_text(encoding="utf-8").replace("minutes: 420", "minutes: 421"), encoding="utf-8"
    )
    plans.agendas.cache_clear()
    with pytest.raises(SectorbookError, match="one-day: its blocks take 420 minutes, but it is to take 421"):
        plans.agendas()
    plans.agendas.cache_clear()


@pytest.mark.parametrize("lang", [code for code in LANGUAGES if code != words.SOURCE])
def test_a_language_has_every_string_with_the_same_fields(lang: str) -> None:
    source, other = words.load(words.SOURCE).text, words.load(lang).text
    fields = re.compile(r"{\w+}")
    assert list(source) == list(other)
    assert {k: set(fields.findall(v)) for k, v in source.items()} == {
        k: set(fields.findall(v)) for k, v in other.items()
    }
    units = words.load(lang).units
    for chapter in TAUGHT:
        own, theirs = plans.of(chapter.number).exercises, plans.of(chapter.number, lang).exercises
        for ours, told in zip(own, theirs, strict=True):
            assert ours.title != told.title and ours.task != told.task, f"{chapter.number} is not in {lang}"
            assert told.unit is None or told.unit in units
    assert (
        plans.prompts(lang).keys() == plans.prompts().keys()
        and plans.agendas(lang).keys() == plans.agendas().keys()
    )


# --- what is compared


@pytest.mark.parametrize(
    ("given", "compares", "decimals", "text"),
    [
        (12.345, "number", 1, "12.3"), ("$1,234.6", "number", 0, "1235"), ("12.3 %", "number", 1, "12.3"),
        (-0.001, "number", 1, "0.0"),
        (3649.9, "number", -2, "3.6E+3"), ("3.6E+3", "number", -2, "3.6E+3"), (7, "number", 0, "7"),
        ("  Registered  NURSES,", "name", None, "registered nurses"),
        (["b", "A", "a"], "names", None, "a\nb"),
    ],
)  # fmt: skip
def test_answers_are_compared_as_they_are_meant(
    given: object, compares: str, decimals: int, text: str
) -> None:
    assert sealed.plain(given, compares, decimals) == text


@pytest.mark.parametrize(
    ("given", "compares", "key"),
    [(None, "number", "not_yet"), (..., "name", "not_yet"), ("", "name", "not_yet"), ("many", "number", "expects_number"),
     (True, "number", "expects_number"), (float("nan"), "number", "expects_finite"), (1j, "number", "expects_number"),
     (5, "name", "expects_name"), ("one", "names", "expects_names"), ({1: 2}, "names", "expects_names"),
     ([1], "names", "expects_name")],
)  # fmt: skip
def test_what_is_no_answer_says_what_is_asked_for(given: object, compares: str, key: str) -> None:
    with pytest.raises(sealed.NotAnAnswer, match=f"^{key}$"):
        sealed.plain(given, compares, 1)
    assert key in words.load("en").text


def test_a_seal_knows_the_right_answer_and_each_mistake_and_shows_neither(monkeypatch) -> None:
    monkeypatch.setattr(sealed, "ROUNDS", 1)
    told = {"answer": "12.3", "mistakes": {"0": "98.7", "1": "12.3", "2": None, "sign": "-12.3"}}
    slips = {"0": "You divided by the region.", "1": "Same.", "2": "Cannot be.", "sign": "Sign."}
    made = sealed.seal(told, "3.1", "number", 1, "Good.", slips, "lima-oh", "healthcare")
    says = {
        text: made["messages"].get(sealed.digest(text, made["salt"]))
        for text in ("12.3", "98.7", "-12.3", "0.0")
    }
    assert says["12.3"] == {"right": True, "says": "Good."}, (
        "a mistake that comes to the right answer is right"
    )
    assert (
        says["98.7"] == {"right": False, "says": "You divided by the region."} and not says["-12.3"]["right"]
    )
    assert says["0.0"] is None and len(made["messages"]) == 3
    assert not re.search(r"12\.3|98\.7", json.dumps(made))
    assert sealed.salt("3.1", "lima-oh", "x") != sealed.salt("3.1", "akron-oh", "x")
    with pytest.raises(SectorbookError, match=r"3\.1 has no answer"):
        sealed.seal({**told, "answer": None}, "3.1", "number", 1, "", {}, "a", "b")


# --- solutions, run in this process: the same cells the build runs in kernels


@pytest.fixture(scope="module")
def solved(tmp_path_factory) -> dict[str, dict]:
    """Every chapter run with its solutions for the reference region; what each exercise comes to."""
    import matplotlib

    matplotlib.use("agg")
    shown: list = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECTORBOOK_REPORTS", str(tmp_path_factory.mktemp("solved")))
        patch.setattr(room, "display", shown.append)
        patch.setattr(findings, "display", lambda *_: None)
        patch.setattr(findings.Chapter, "figure", lambda *_, **__: None)  # pictures take most of the time
        for chapter in TAUGHT:
            names: dict = {"display": lambda *_: None}
            for cell in notebooks.make(the(), chapter, solutions=True)["cells"]:
                if cell["cell_type"] == "code":
                    exec(compile(cell["source"], chapter.name, "exec"), names)
    return {m.content["exercise"]: m.content for m in shown if hasattr(m, "content")}


def test_every_exercise_has_an_answer_and_mistakes_that_differ(solved) -> None:
    for exercise in solve.exercises(the()):
        told = solved[exercise.id]
        assert told["answer"] not in (None, "nan"), exercise.id
        written = [told["mistakes"][str(place)] for place in range(len(exercise.mistakes))]
        distinct = {value for value in map(str, written) if value not in (str(told["answer"]), "None")}
        assert len(distinct) >= 2, (exercise.id, told)


@pytest.fixture(scope="module")
def sealed_checks(solved) -> dict:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealed, "ROUNDS", 1)
        return participant.checks(the(), Solved(solved, {}, Path(), Path()))


@pytest.fixture
def check(home, sealed_checks, monkeypatch):
    """Return a function that checks an answer in a pack and returns what is said, and how."""
    monkeypatch.setattr(sealed, "ROUNDS", 1)
    paths.checks().write_text(json.dumps(sealed_checks), encoding="utf-8")
    shown: list = []
    monkeypatch.setattr(room, "display", shown.append)
    monkeypatch.setattr(findings, "display", lambda *_: None)

    def ask(exercise: str, answer: object, region: str = "san-francisco", sector: str = "healthcare"):
        chapter = findings.open("03_industry", "Industry", region, sector, ["oews_areas"])
        room.checks(chapter)(exercise, answer)
        return shown[-1].text, shown[-1].right

    return ask


def test_a_check_knows_right_answers_and_explains_mistakes(check, solved) -> None:
    for exercise in solve.exercises(the()):
        told = solved[exercise.id]
        text, right = check(exercise.id, told["answer"])
        assert right is True and exercise.right.strip() in text, exercise.id
        for place, mistake in enumerate(exercise.mistakes):
            value = told["mistakes"][str(place)]
            if value not in (None, told["answer"]):
                text, right = check(exercise.id, value)
                assert right is False and "Not yet." in text, (exercise.id, mistake)
    quotient = float(solved["3.2"]["mistakes"]["2"])
    assert "You divided by the region, not the nation." in check("03.2", quotient)[0]
    assert "times one hundred" in check("7.1", float(solved["7.1"]["answer"]) / 100)[0]


def test_a_check_says_nothing_of_how_far_off_an_answer_is(check) -> None:
    assert check("3.2", 5.55) == ("3.2: " + words.load("en")("wrong"), False)
    assert check("3.2", 55.5)[0] == check("3.2", 0.01)[0]


def test_a_check_elsewhere_before_an_answer_and_of_nothing(check) -> None:
    assert "nothing to check yet" in check("3.1", ...)[0] and "a number is asked for" in check("3.1", [1])[0]
    assert (
        check("3.1", 2, region="lima-oh")[1] is None
        and "San Francisco" in check("3.1", 2, region="lima-oh")[0]
    )
    assert check("3.1", 2, sector="construction")[1] is None
    with pytest.raises(SectorbookError, match=r"Unknown exercise '3\.9'. Did you mean '3\.[123]'"):
        check("3.9", 1)
    paths.checks().write_text("{", encoding="utf-8")
    with pytest.raises(SectorbookError, match=r"checks\.json is damaged"):
        check("3.1", 1)
    paths.checks().unlink()
    with pytest.raises(SectorbookError, match="exercises are checked in a participant pack"):
        check("3.1", 1)


def test_an_exercise_without_data_in_a_region_says_so(check, sealed_checks) -> None:
    paths.checks().write_text(
        json.dumps({**sealed_checks, "exercises": {}, "unchecked": ["3.1"]}), encoding="utf-8"
    )
    assert "has no check in San Francisco" in check("3.1", 1)[0]


# --- notebooks


@pytest.mark.parametrize("chapter", TAUGHT, ids=lambda c: c.name)
def test_a_participants_notebook_has_no_solution_and_no_output(chapter: chapters.Notebook) -> None:
    made = notebooks.make(the(), chapter, solutions=False)
    text = "\n".join(cell["source"] for cell in made["cells"])
    assert not [c for c in made["cells"] if c.get("outputs") or c.get("execution_count")]
    for exercise in plans.of(chapter.number).exercises:
        assert re.search(r"^answer = .*", exercise.solution, re.M)[0] not in text, exercise.id
        assert exercise.right.strip() not in text and f'check("{exercise.id}", answer)' in text
    ids = [cell["id"] for cell in made["cells"]]
    assert len(set(ids)) == len(ids) and made["cells"][0]["source"].startswith(f"# {chapter.number} ")


def test_a_pack_is_set_to_its_region_and_opens_with_links() -> None:
    setting = build.setting("lima-oh", "622,623", "03,12", "en")
    first, last = (notebooks.make(setting, chapter, solutions=False) for chapter in setting.chosen)
    code = next(c["source"] for c in first["cells"] if "parameters" in c["metadata"].get("tags", []))
    assert code.splitlines()[0].startswith('region = "lima-oh"  # ')
    assert code.splitlines()[1].startswith('sector = "622,623"  # ')
    everything = json.dumps(first)
    assert "(03_industry.ipynb)" in everything and "workshop.team" in everything
    assert "workshop.team" not in json.dumps(last)


def test_a_chapter_without_exercises_comes_along(home) -> None:
    paths.config(plans.FOLDER, "03.yml").unlink()
    plans.of.cache_clear()
    setting = the(numbers="03")
    made = notebooks.make(setting, setting.chosen[0], solutions=False)
    own = json.loads(setting.chosen[0].path.read_text(encoding="utf-8"))
    assert solve.lacking(setting) == ["03"]
    assert len([c for c in made["cells"] if c["cell_type"] == "code"]) == 1 + len(
        [c for c in own["cells"] if c["cell_type"] == "code"]
    ), "only the team's cell is added"
    plans.of.cache_clear()


# --- bad input


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(["--chapters", "99"], "Unknown chapter '99'"), (["--lang", "xx"], "Unknown language 'xx'"),
     (["--region", "nowhere-at-all"], "Unknown region"), (["--sector", "x"], "Unknown sector"),
     (["--out", __file__], "is a file")],
)  # fmt: skip
def test_bad_input_is_one_message_and_exit_code_2(
    arguments: list[str], told: str, capsys, monkeypatch
) -> None:
    from sectorbook import cli

    monkeypatch.setattr(sys, "argv", ["sectorbook", "workshop", "build", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr()
    assert end.value.code == 2 and told in said.err and not said.out and "Traceback" not in said.err


def test_exercises_that_are_wrongly_written_are_named(home) -> None:
    path = paths.config(plans.FOLDER, "03.yml")
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    for change, told in (
        ({"prompts": ["B99.1"]}, r"03\.yml: there is no prompt B99\.1"),
        ({"goal": []}, "Did you mean 'goals'"),
        ({"exercises": list(reversed(content["exercises"]))}, r"numbered 3\.1, 3\.2, 3\.3"),
        ({"exercises": [{**content["exercises"][0], "solution": "answer ="}]}, "invalid syntax"),
        ({"exercises": [{**content["exercises"][0], "unit": None}]}, "has a unit and decimals"),
    ):
        path.write_text(yaml.safe_dump({**content, **change}), encoding="utf-8")
        plans.of.cache_clear()
        with pytest.raises((SectorbookError, SyntaxError), match=told):
            plans.of("03")
    plans.of.cache_clear()


def test_a_handout_takes_any_text(monkeypatch) -> None:
    setting = the(numbers="00")
    monkeypatch.setattr(
        answers, "chapter_questions", lambda _: {"00.1": '#eval("1") $x$ \\ 你好 <b> ' + "x" * 300}
    )
    assert handouts.chapter(setting, setting.chosen[0], "").startswith(b"%PDF-")
