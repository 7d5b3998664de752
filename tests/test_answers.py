"""What teams answered: kept by team and time, collected from packs, quoted by a report only when asked to."""

import io
import json
from pathlib import Path

import openpyxl
import pytest
from sectorbook import answers, paths
from sectorbook.errors import SectorbookError
from sectorbook.report import pack
from site_regions import save, usual

HOSTILE = [
    '<script>alert(1)</script> {{ 7 * 7 }} #eval("1+1")',
    '=HYPERLINK("http://x.invalid","y")',
    "‮evil ",
]


@pytest.fixture
def lima(home, reports) -> str:
    save(paths.reports(), "lima-oh", usual("lima-oh"))
    return "lima-oh"


def test_every_question_has_a_text_and_the_sources_have_47_prompts(home) -> None:
    asked = answers.asked()
    assert len(answers.prompts()) == 47 and {"A06", "B24.5", "E17.3", "03.1", "12.3"} <= set(asked)
    assert asked["03.1"].startswith("Which of the industries above")


def test_a_report_quotes_the_room_only_when_asked(lima) -> None:
    answers.name_team("Blue table")
    for place, text in enumerate(HOSTILE, start=1):
        answers.keep(lima, f"03.{place}", text)
    quiet = pack.write(lima, ["html"])[0].read_text(encoding="utf-8")
    assert "What the room said" not in quiet and "Blue table" not in quiet
    for audience in ("leaders", "policy"):
        files = pack.write(lima, ["html", "pdf", "docx", "xlsx"], audience, room=True)
        page = files[0].read_text(encoding="utf-8")
        room = page.index("What the room said</h2>")
        assert page.count("Blue table") == 3 and page.index("Blue table") > room
        assert "<script>alert" not in page and "49" not in page[room : page.index("Blue table")]
        cells = [
            c for s in openpyxl.load_workbook(io.BytesIO(files[3].read_bytes())) for row in s for c in row
        ]
        assert all(cell.data_type != "f" for cell in cells if "HYPERLINK" in str(cell.value))
        assert any(HOSTILE[1] in str(cell.value) for cell in cells)
    assert "Lo que se dijo en la sala" in pack.write(lima, ["html"], code="es", room=True)[0].read_text(
        encoding="utf-8"
    )


def test_a_report_without_answers_says_where_they_would_be(lima) -> None:
    with pytest.raises(SectorbookError, match=r"lima-oh/answers\.json holds no answers to quote"):
        pack.write(lima, ["html"], room=True)


def _pack(folder: Path, content: object) -> Path:
    inside = folder / paths.local("lima-oh", answers.FILE).relative_to(paths.root())
    inside.parent.mkdir(parents=True)
    inside.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return folder


def test_packs_are_collected_and_the_last_word_of_a_team_stands(home, tmp_path) -> None:
    def entry(text: str, team: str, time: str) -> dict:
        return {"question": "03.1", "text": text, "team": team, "time": time}

    one = _pack(
        tmp_path / "one",
        {"schema": 2, "answers": [entry("late", "Blue", "2026-01-02"), entry("x", "", "2026-01-01")]},
    )
    two = _pack(tmp_path / "two", {"schema": 2, "answers": [entry("early", "Blue", "2026-01-01")]})
    old = _pack(tmp_path / "old", {"03.1": "kept before teams had names"})
    assert answers.collect("lima-oh", [one, two, old]) == 3
    assert answers.collect("lima-oh", [two, one]) == 3, "collecting again adds nothing"
    assert {(a.team, a.text) for a in answers.read("lima-oh")} == {
        ("Blue", "late"), ("one", "x"), ("old", "kept before teams had names"),
    }  # fmt: skip


@pytest.mark.parametrize("content", ["no json", [1], {"schema": 2}, {"schema": 2, "answers": [{"question": "1"}]},
                                     {"schema": 2, "answers": [{"question": "1", "text": 7}]}])  # fmt: skip
def test_a_damaged_file_is_named_and_nothing_is_written(home, tmp_path, content) -> None:
    good = _pack(tmp_path / "good", {"03.1": "fine"})
    bad = _pack(tmp_path / "bad", content)
    with pytest.raises(SectorbookError, match=r"answers\.json"):
        answers.collect("lima-oh", [good, bad])
    with pytest.raises(SectorbookError, match="holds no answers for lima-oh"):
        answers.collect("lima-oh", [good, tmp_path])
    assert not paths.local("lima-oh", answers.FILE).exists()


def test_a_team_needs_a_short_name(home) -> None:
    with pytest.raises(SectorbookError, match="at most 80 letters; found 81"):
        answers.name_team("x" * 81)
    assert answers.team() == ""
