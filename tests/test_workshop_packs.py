"""The workshop's packs: what is in them, what is not, and that they are whole or not there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from sectorbook.errors import SectorbookError
from sectorbook.workshop import build, deck, notebooks, plans, solve


def the(numbers: str) -> notebooks.Setting:
    return build.setting("san-francisco", None, numbers, "en")


@pytest.fixture(scope="module")
def packs(tmp_path_factory) -> Path:
    return build.build(the("00"), tmp_path_factory.mktemp("out") / "packs")


def test_packs_hold_what_they_should_and_participants_no_solution(packs) -> None:
    assert {p.name for p in packs.iterdir()} == {"participant", "facilitator", "book", "workshop.json"}
    pack = packs / "participant"
    assert {p.name for p in pack.iterdir()} == {
        "README.md", "start.py", "requirements.txt", "checks.json", "config", "data", "lib", "notebooks",
    }  # fmt: skip
    assert (
        not list(pack.rglob("exercises"))
        and not list(pack.rglob("__pycache__"))
        and not list(pack.rglob("*.pyc"))
    )
    texts = {p: p.read_bytes() for p in pack.rglob("*") if p.is_file() and p.suffix != ".parquet"}
    for exercise in plans.of("00").exercises:
        line = exercise.solution.strip().splitlines()[-1].encode()
        assert not [p for p, text in texts.items() if line in text], exercise.id
        assert not [p for p, text in texts.items() if exercise.mistakes[0].value.encode() in text], (
            exercise.id
        )
    guide = (packs / "facilitator" / "guide.html").read_text(encoding="utf-8")
    assert "answer = (named == 1).sum()" in guide and "One day" in guide and 'class="answer"' in guide
    for page in (
        *packs.rglob("book/*.html"),
        *packs.rglob("facilitator/*.html"),
        *packs.rglob("slides/*.html"),
    ):
        asks = re.findall(
            r"""(?:src|href|action)=["'](?:https?:)?//[^"']+""", page.read_text(encoding="utf-8")
        )
        assert not asks, page
    pdfs = sorted(p.name for p in packs.rglob("*.pdf"))
    assert pdfs == ["00_start_here.pdf", "agenda-one-day.pdf", "agenda-three-hours.pdf"]


def test_a_pack_runs_by_itself_and_its_checks_work(packs, tmp_path) -> None:
    pack = packs / "participant"
    code = (
        "from sectorbook import findings, paths, workshop\n"
        f"assert str(paths.root()) == {str(pack)!r}, paths.root()\n"
        "chapter = findings.open('00_start_here', 'Start here', 'san-francisco', 'healthcare', ['oews_areas'])\n"
        "workshop.checks(chapter)('0.2', -1)\n"
    )
    env = {"PYTHONPATH": str(pack / "lib"), "PATH": "", "SECTORBOOK_REPORTS": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "0.2" in done.stdout


def test_packs_are_built_again_but_over_nothing_else(packs, tmp_path, monkeypatch) -> None:
    mark = (packs / build.MARK).read_bytes()
    monkeypatch.setattr(solve, "run", lambda *_: (_ for _ in ()).throw(SectorbookError("no")))
    with pytest.raises(SectorbookError, match="no"):
        build.build(the("00"), packs)
    assert (packs / build.MARK).read_bytes() == mark and [p.name for p in packs.parent.iterdir()] == ["packs"]
    other = tmp_path / "mine"
    other.mkdir()
    (other / "letter.txt").write_text("keep", encoding="utf-8")
    for target, told in (
        (other, "holds other files"),
        (other / "letter.txt", "is a file"),
        (other / "letter.txt" / "x", "Cannot write"),
    ):
        with pytest.raises(SectorbookError, match=told):
            build.build(the("00"), target)
    assert [p.name for p in other.iterdir()] == ["letter.txt"]


def test_a_chapter_on_people_is_solved_too_and_shown_as_the_gate_passed_it(tmp_path) -> None:
    made = the("09")
    solved = solve.run(tmp_path, made)
    assert not list(solved.reports.rglob("*09_workers*")), "what has not passed is not among the reports"
    assert solved.notebooks["09_workers"]["cells"]
    (ledger,) = deck.ledgers(made, solved).values()
    cells = [
        cell for item in ledger["items"] if item["kind"] == "table" for row in item["cells"] for cell in row
    ]
    assert "not shown" in cells
    assert any(slide.picture for slide in deck.slides(made, made.chosen[0], ledger, solved))
