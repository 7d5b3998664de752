"""The claim ledger."""

import json
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from sectorbook import answers, findings, ledgers, paths
from sectorbook.errors import SectorbookError
from sectorbook.runner import leftovers


@pytest.fixture
def chapter(reports) -> findings.Chapter:
    return findings.open("03_industry", "Industry", "lima-oh", "healthcare", ["oews_occupations"])


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(1234.6, "jobs", "1,230"), (62300.0, "USD per year", "$62,300"), (29.951, "USD per hour", "$29.95"),
     (12.34, "percent", "12.3%"),
     (1.456, "ratio", "1.46"), (None, "jobs", "not published"), (float("nan"), "ratio", "not published"), (0, "jobs", "0"),
     ("29-1141", "SOC code", "29-1141")],
)  # fmt: skip
def test_numbers_are_written_by_their_unit(value: object, unit: str, text: str) -> None:
    assert findings.shown(value, unit) == text


def test_a_sentence_is_made_of_recorded_numbers(chapter: findings.Chapter) -> None:
    jobs = chapter.record("jobs", 51_230.0, "jobs", "Jobs", 50_000, 52_000, 90)
    chapter.say("{region} has {jobs} jobs ({jobs:range}) in {sector}.", jobs=jobs)
    assert chapter.items[-1]["text"] == "Lima, OH has 51,230 jobs (50,000 to 52,000) in health care."
    assert chapter.items[-1]["uses"] == ["lima-oh/03_industry/jobs"]


@pytest.mark.parametrize("template", ["There are 12 jobs.", "{region} grew by 3%."])
def test_a_typed_number_is_refused(chapter: findings.Chapter, template: str) -> None:
    with pytest.raises(SectorbookError, match="typed into this sentence"):
        chapter.say(template)
    with pytest.raises(SectorbookError, match="typed into this sentence"):
        chapter.say("{region}", otherwise=template)


@pytest.mark.parametrize("value", [None, float("nan"), np.nan, pd.NA])
def test_a_missing_number_changes_the_sentence(chapter: findings.Chapter, value: object) -> None:
    chapter.say(
        "{jobs} jobs.", otherwise="Jobs are withheld.", jobs=chapter.record("jobs", value, "jobs", "Jobs")
    )
    chapter.say("{pay} a year.", pay=chapter.record("pay", value, "USD per year", "Median pay"))
    assert [item["text"] for item in chapter.items if item["kind"] == "sentence"] == [
        "Jobs are withheld.", "Median pay: not published for Lima, OH.",
    ]  # fmt: skip


def test_an_address_is_given_once(chapter: findings.Chapter) -> None:
    chapter.record("jobs", 1, "jobs", "Jobs")
    with pytest.raises(SectorbookError, match="recorded twice"):
        chapter.record("jobs", 2, "jobs", "Jobs")
    with pytest.raises(SectorbookError, match="lower case"):
        chapter.record("Jobs here", 2, "jobs", "Jobs")
    with pytest.raises(SectorbookError, match="Did you mean 'jobs'"):
        chapter.record("more", 2, "job", "Jobs")


def test_a_table_writes_statuses_by_name(chapter: findings.Chapter) -> None:
    frame = pd.DataFrame(
        {
            "occupation_title": ["A", "B", "C", "D"],
            "wage_annual_p50_usd": [50_000.0, np.nan, np.nan, np.nan],
            "wage_annual_p50_status": ["published", "withheld", "top-coded", "hourly-only"],
            "top_code_annual_usd": [239_200.0] * 4,
        }
    )
    chapter.table("pay", frame, "Pay", ["occupation_title", "wage_annual_p50_usd"])
    item = chapter.items[-1]
    assert [row[1] for row in item["cells"]] == ["$50,000", "withheld", "$239,200 or more", "hourly only"]
    assert [row[1] for row in item["rows"]] == [50_000.0, None, None, None]
    with pytest.raises(SectorbookError, match="Did you mean 'wage_annual_p50_usd'"):
        chapter.table("again", frame, "Pay", ["wage_anual_p50_usd"])


def test_a_table_escapes_what_it_shows(chapter: findings.Chapter) -> None:
    chapter.table(
        "t", pd.DataFrame({"occupation_title": ["<script>alert(1)</script>"]}), "<b>", ["occupation_title"]
    )
    html = findings.table_html(chapter.items[-1])
    assert "<script>" not in html and "<b>" not in html


def test_a_failed_check_stops_the_chapter(chapter: findings.Chapter) -> None:
    chapter.check(True, "{n} rows", n=3)
    with pytest.raises(SectorbookError, match="A check of 03_industry failed: 3 rows"):
        chapter.check(False, "{n} rows", n=3)


def test_what_is_saved_is_read_and_quoted(chapter: findings.Chapter) -> None:
    chapter.record("jobs", 51_230.0, "jobs", "Jobs", estimated=True)
    chapter.table(
        "t",
        pd.DataFrame({"occupation_title": ["A"], "employment": [10.0]}),
        "T",
        ["occupation_title", "employment"],
    )
    chapter.save()
    saved = json.loads(paths.ledger("lima-oh", "03_industry").read_text(encoding="utf-8"))
    assert saved["sources"][0]["vintage"] == "May 2025" and not saved["sources"][0]["synthetic"]
    reader = findings.open("12_report", "Report", "lima-oh", "healthcare", ["oews_occupations"])
    number = reader.quote("03_industry/jobs")
    assert (number.value, number.address, number.estimated) == (51_230.0, "lima-oh/03_industry/jobs", True)
    assert reader.quote_table("03_industry/t", ["employment"]).employment.tolist() == [10.0]
    assert reader.quote("03_industry/nothing").value is None
    assert reader.chapters_read() == ["03_industry"]
    other = findings.open("12_report", "Report", "lima-oh", "construction", ["oews_occupations"])
    assert other.quote("03_industry/jobs").value is None, "a number of another sector is not quoted"
    assert other.quote_table("03_industry/t", ["employment"]).empty


def test_answers_are_kept_apart_from_reports(chapter: findings.Chapter, home) -> None:
    chapter.answer("03.1", "")
    assert answers.read("lima-oh") == []
    chapter.answer("03.1", "Mining, because of the closures.")
    answers.name_team(" Blue   table ")
    chapter.answer("03.1", "Yes")
    chapter.answer("03.1", "No")
    kept = answers.read("lima-oh")
    assert [(a.question, a.text, a.team) for a in kept] == [
        ("03.1", "Mining, because of the closures.", ""), ("03.1", "No", "Blue table"),
    ]  # fmt: skip
    assert all(datetime.fromisoformat(a.time).tzinfo for a in kept)
    assert "closures" not in json.dumps(chapter.items)


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file(reports, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    import errno
    import os
    from pathlib import Path

    target = reports / "x.json"
    with paths.write_atomic(target) as file:
        file.write("old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(*((os, "fsync") if failing == "fsync" else (Path, "replace")), full)
    with (
        pytest.raises(SectorbookError, match="No space left on device. Nothing was half-written"),
        paths.write_atomic(target) as file,
    ):
        file.write("new")
    assert target.read_text(encoding="utf-8") == "old"
    assert [path.name for path in reports.iterdir()] == ["x.json"]


def test_what_rests_on_few_people_does_not_reach_a_report(home, reports) -> None:
    """A chapter on people, saved and gathered: the small number is gone from every byte of the book and the page."""
    from sectorbook.report import book, edition, html

    chapter = findings.open(
        "09_workers", "Workers", "lima-oh", "healthcare", ["oews_areas"], person_level=True
    )
    placed = chapter.record("placed", 7341.0, "count", "Placed", contributors=7341, statistic="count")
    few = chapter.record(
        "few", 4.0, "count", "Placed with a wage of 87654", contributors=4, statistic="count"
    )
    chapter.say("{placed} people were placed.", placed=placed)
    chapter.say("{few} people of one street were placed.", few=few)
    chapter.save()
    gathered = book.gather("lima-oh")
    texts = [item["text"] for item in gathered.sections[0].items if item["kind"] == "sentence"]
    assert texts[0] == "7,341 people were placed."
    assert "one street" not in html.render(edition.make(gathered))
    numbers = {number["key"]: number["value"] for number in gathered.numbers}
    assert numbers == {"placed": 7341.0, "few": None}
    assert "few" in paths.local("lima-oh", "disclosure_log.csv").read_text(encoding="utf-8")


def test_a_chapter_on_people_must_declare_what_it_records(home, reports) -> None:
    from sectorbook.report import book

    chapter = findings.open(
        "09_workers", "Workers", "lima-oh", "healthcare", ["oews_areas"], person_level=True
    )
    chapter.record("placed", 50.0, "count", "Placed")
    chapter.save()
    with pytest.raises(SectorbookError, match="placed"):
        book.gather("lima-oh")


def test_what_is_quoted_brings_its_sources_along(chapter: findings.Chapter) -> None:
    made_up = findings.open(
        "06_partners",
        "Partners",
        "san-francisco",
        "healthcare",
        ["oews_areas"],
        ["partners"],
        demonstration=True,
    )
    made_up.record("partners", 21, "count", "Partners")
    made_up.save()
    reader = findings.open("12_report", "Report", "san-francisco", "healthcare", ["oews_occupations"])
    assert not any(source["synthetic"] for source in reader.sources())
    reader.quote("06_partners/partners")
    assert [source["title"] for source in reader.sources() if source["synthetic"]]


def test_the_template_run_as_it_is_is_no_chapter_of_a_report(chapter: findings.Chapter) -> None:
    chapter.save()
    draft = findings.open("NN_name", "Title", "lima-oh", "healthcare", ["oews_occupations"])
    draft.save()
    assert list(ledgers.read("lima-oh")) == ["03_industry"]


def test_a_chapter_that_ran_again_is_quoted_anew(reports) -> None:
    for value in (10.0, 20.0):
        quoted = findings.open("03_industry", "Industry", "lima-oh", "healthcare", ["oews_areas"])
        quoted.record("jobs", value, "count", "Jobs")
        quoted.save()
        reader = findings.open("12_report", "Report", "lima-oh", "healthcare", ["oews_areas"])
        assert reader.quote("03_industry/jobs").value == value


def test_a_chapter_on_people_keeps_to_the_local_folder_and_is_not_quoted(home, reports) -> None:
    """Found again from there, by region too; left for an output folder that is gone, it goes at the next run."""
    people = findings.open(
        "09_workers", "Workers", "lima-oh", "healthcare", ["oews_areas"], person_level=True
    )
    people.record("placed", 7341.0, "count", "Placed", contributors=7341)
    people.save()
    assert not list(reports.rglob("*09_workers*")) and ledgers.regions() == ["lima-oh"]
    assert ledgers.read("lima-oh")["09_workers"]["person_level"]
    public = findings.open("12_report", "Report", "lima-oh", "healthcare", ["oews_areas"])
    with pytest.raises(SectorbookError, match="before the disclosure gate no other chapter may quote it"):
        public.quote("09_workers/placed")
    reports.mkdir()
    leftovers.sweep("lima-oh")
    assert paths.private("lima-oh").is_dir()
    reports.rename(reports.with_name("elsewhere"))
    leftovers.sweep("lima-oh")
    assert not paths.private("lima-oh").exists()


def test_two_output_folders_do_not_share_what_is_private(home, tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("SECTORBOOK_REPORTS", raising=False)
    usual = paths.private("lima-oh")
    monkeypatch.setenv("SECTORBOOK_REPORTS", str(tmp_path / "other"))
    assert paths.private("lima-oh") != usual and usual.name == "reports"
    monkeypatch.setenv("SECTORBOOK_REPORTS", str(paths.root() / "reports"))
    assert paths.private("lima-oh") == usual


def test_a_large_count_keeps_every_digit(chapter: findings.Chapter) -> None:
    number = chapter.record("covered", 1_077_178.0, "count", "Covered jobs")
    assert (number.value, f"{number}") == (1_077_178.0, "1,077,178")
    assert chapter.record("share", 12.3456789, "percent", "Share").value == 12.3457
