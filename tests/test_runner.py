"""Plan, run, receipt, resume: with real chapters where that is the point, with small ones elsewhere."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from sectorbook import chapters, ledgers, paths, receipts, warehouse
from sectorbook.errors import SectorbookError
from sectorbook.local import origin
from sectorbook.runner import plan, series
from sectorbook.runner.execute import Outcome

OPEN = "from sectorbook import findings\nchapter = findings.open({!r}, {!r}, region, sector, tables=['oews_areas'])\n"
SMALL = {
    "01_first": OPEN.format("01_first", "First")
    + 'chapter.record("size", size, "count", "Size")\nchapter.save()',
    "02_second": OPEN.format("02_second", "Second")
    + 'chapter.say("{size}", otherwise="nothing", size=chapter.quote("01_first/size"))\nchapter.save()',
}


AGAIN = "a chapter it quotes runs again, or ran after it"


def write_notebook(name: str, body: str) -> None:
    parameters = nbformat.v4.new_code_cell(
        'region = "san-francisco"  # region\nsector = "healthcare"  # sector\nsize = 3  # size',
        metadata={"tags": ["parameters"]},
    )
    title = nbformat.v4.new_markdown_cell(f"# {name[:2]} {name[3:].title()}\n\n**Does it run?**")
    nbformat.write(
        nbformat.v4.new_notebook(cells=[title, parameters, nbformat.v4.new_code_cell(body)]),
        paths.notebooks(f"{name}.ipynb"),
    )


@pytest.fixture
def small(home: Path, reports: Path) -> Path:
    """A home with two small chapters, the second quoting the first."""
    for path in paths.notebooks().glob("*.ipynb"):
        path.unlink()
    for name, body in SMALL.items():
        write_notebook(name, body)
    return reports


def tasks(*regions: str, **given: object) -> list[plan.Task]:
    plan._shared_inputs.cache_clear()
    chapters.discover.cache_clear()
    return plan.make([warehouse.find_region(text) for text in regions], chapters.select(None), given, None)


def run(made: list[plan.Task]) -> dict[str, dict[str, Outcome]]:
    ended: list[str] = []
    outcomes = series.run(made, 2, lambda task, outcome: None, ended.append)
    assert sorted(ended) == sorted(outcomes)
    return outcomes


def test_a_series_runs_resumes_and_runs_again_only_what_changed(small: Path) -> None:
    first = tasks("lima-oh", "enid-ok")
    assert [task.reason for task in first] == ["not run yet"] * 4
    outcomes = run(first)
    assert {slug: {name: o.error for name, o in own.items()} for slug, own in outcomes.items()} == {
        slug: {"01_first": None, "02_second": None} for slug in ("lima-oh", "enid-ok")
    }
    quoted = json.loads(paths.ledger("lima-oh", "02_second").read_text(encoding="utf-8"))["items"][0]
    assert quoted["text"] == "3" and quoted["uses"] == ["lima-oh/01_first/size"]

    assert [task.reason for task in tasks("lima-oh", "enid-ok")] == [None] * 4
    assert [task.reason for task in tasks("lima-oh", size=4)] == ["something it reads changed"] * 2
    write_notebook("02_second", SMALL["02_second"] + "\n")
    assert [task.reason for task in tasks("lima-oh")] == [None, "something it reads changed"]
    paths.ledger("lima-oh", "01_first").unlink()
    assert tasks("lima-oh")[0].reason == "its output is missing"
    receipt = receipts.read("enid-ok")
    entry = receipt["chapters"]["01_first"]
    assert entry["status"] == "done" and entry["parameters"]["region"] == "enid-ok" and entry["seconds"] > 0
    assert {"pandas", "papermill", "python"} <= receipt["versions"].keys()
    assert any(name.endswith("oews_occupations.parquet") for name in receipt["inputs"])


def test_a_chapter_that_quoted_one_that_was_lost_runs_again(small: Path) -> None:
    run(tasks("lima-oh"))
    receipt = json.loads((small / "lima-oh" / "receipt.json").read_text(encoding="utf-8"))

    def told(**changes: str) -> list[str | None]:
        entries = {**receipt["chapters"], "01_first": {**receipt["chapters"]["01_first"], **changes}}
        content = json.dumps({**receipt, "chapters": entries})
        (small / "lima-oh" / "receipt.json").write_text(content, encoding="utf-8")
        return [task.reason for task in tasks("lima-oh")]

    again = "a chapter it quotes runs again, or ran after it"
    assert told() == [None, None]
    assert told(status="failed") == ["failed before", again]
    assert told(finished="2999-01-01T00:00:00.000+00:00") == [None, again], (
        "killed before the second ran again"
    )


def test_a_changed_input_runs_everything_again(small: Path, home: Path) -> None:
    run(tasks("lima-oh"))
    path = home / "config" / "sectors.yml"
    path.write_text(path.read_text(encoding="utf-8") + "# a note\n", encoding="utf-8")
    assert [task.reason for task in tasks("lima-oh")] == ["something it reads changed"] * 2


def test_an_initiatives_files_are_read_for_its_own_region_and_once(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in SMALL:
        write_notebook(name, 'table = warehouse.local("partners", chapter.origin)')

    def fingerprints() -> list[str]:
        return [task.fingerprint for task in tasks("lima-oh", "san-francisco")]

    asked: list[str] = []
    inputs = origin.inputs
    monkeypatch.setattr(origin, "inputs", lambda slug: asked.append(slug) or inputs(slug))
    before = fingerprints()
    assert asked == ["lima-oh", "san-francisco"]
    shown = paths.local("demonstration", "partners.csv")
    shown.write_text(shown.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    changed = fingerprints()
    assert changed[:2] == before[:2], "the demonstration is of another region"
    assert changed[2] != before[2] and changed[3] != before[3]
    paths.local("lima-oh").mkdir()
    paths.local("lima-oh", "ties.csv").write_text("a\n", encoding="utf-8")
    assert fingerprints()[0] != changed[0] and fingerprints()[2:] == changed[2:]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('from sectorbook import warehouse\nwarehouse.load("nothing")', "Unknown table 'nothing'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import os\nos._exit(3)", "The chapter's process ended"),
    ],
)
def test_one_failure_stops_no_other_region_and_is_named(small: Path, body: str, told: str) -> None:
    write_notebook(
        "01_first",
        f'if region == "enid-ok":\n    {body.replace(chr(10), chr(10) + "    ")}\n' + SMALL["01_first"],
    )
    outcomes = run(tasks("enid-ok", "lima-oh"))
    assert told in outcomes["enid-ok"]["01_first"].error
    assert outcomes["enid-ok"]["02_second"].error is None
    assert all(outcome.error is None for outcome in outcomes["lima-oh"].values())
    said = json.loads(paths.ledger("enid-ok", "02_second").read_text(encoding="utf-8"))["items"][0]["text"]
    assert said == "nothing", "a failed chapter's numbers are not quoted"
    assert receipts.read("enid-ok")["chapters"]["01_first"]["status"] == "failed"
    assert [task.reason for task in tasks("enid-ok")] == ["failed before", AGAIN]


def test_a_disk_that_fills_up_leaves_no_half_of_a_chapter(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """papermill's own writing of the notebook is cut after a few bytes, as on a full disk."""
    import errno

    from papermill import iorw
    from sectorbook.runner.execute import execute

    def cut(self: object, buf: str, path: str) -> None:
        Path(path).write_text(buf[:50], encoding="utf-8")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(iorw.LocalHandler, "write", cut)
    target = paths.executed("lima-oh", "01_first")
    outcome = execute(
        str(paths.notebooks("01_first.ipynb")), str(target), str(paths.ledger("lima-oh", "01_first")),
        {"region": "lima-oh"}, str(small),
    )  # fmt: skip
    assert outcome.error == "Cannot write: No space left on device"
    assert not list(target.parent.iterdir())


def test_an_old_ledger_does_not_outlive_a_failed_run(small: Path) -> None:
    run(tasks("lima-oh"))
    write_notebook("01_first", "1 / 0")
    outcomes = run(tasks("lima-oh"))
    assert outcomes["lima-oh"]["01_first"].error and not paths.ledger("lima-oh", "01_first").exists()
    assert (paths.reports("lima-oh", "chapters") / "01_first.failed.ipynb").exists()


def test_an_output_folder_that_cannot_be_written_stops_before_anything_runs(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = small.parent / "file"
    blocked.write_text("a file, not a folder", encoding="utf-8")
    monkeypatch.setenv("SECTORBOOK_REPORTS", str(blocked))
    assert tasks("lima-oh")[0].reason == "not run yet"
    with pytest.raises(SectorbookError, match="Cannot write"):
        series.require_writable()
    assert blocked.read_text(encoding="utf-8") == "a file, not a folder"


def test_the_region_and_sector_are_not_parameters(small: Path) -> None:
    with pytest.raises(SectorbookError, match="Give region by its own option"):
        tasks("lima-oh", region="enid-ok")


# -- the command ------------------------------------------------------------------------------------------


def command(*arguments: str, out: Path) -> subprocess.CompletedProcess:
    environment = {**os.environ, "SECTORBOOK_REPORTS": str(out), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-m", "sectorbook", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=300,
    )


@pytest.fixture(scope="module")
def two_regions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("two")
    done = command("run", "lima-oh", "0500001", "--jobs", "2", out=out)
    assert done.returncode == 0, done.stderr
    assert "Lima, OH" in done.stdout and "report.html" in done.stdout
    return out


def test_another_region_gives_other_numbers(two_regions: Path) -> None:
    folders = [two_regions / "lima-oh", two_regions / "north-arkansas-nonmetropolitan"]
    for name in ("00_start_here", "03_industry", "04_occupations", "12_report"):
        one, other = (
            json.loads((f / "findings" / f"{name}.json").read_text(encoding="utf-8")) for f in folders
        )
        texts = [[i["text"] for i in ledger["items"] if i["kind"] == "sentence"] for ledger in (one, other)]
        assert texts[0] != texts[1], name
        named = [i.get("title", "") + i.get("alt", "") for i in one["items"] if i["kind"] == "figure"]
        assert all("North Arkansas" not in text for text in texts[0])
        assert any("Lima, OH" in text for text in named) or name == "00_start_here"
        pictures = [sorted((f / "findings" / name).glob("*.png")) for f in folders]
        assert [p.name for p in pictures[0]] == [p.name for p in pictures[1]]
        drawn = [(a.read_bytes() == b.read_bytes()) for a, b in zip(*pictures, strict=True)]
        assert not all(drawn), name


def test_a_second_run_does_nothing(two_regions: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in two_regions.rglob("*") if path.is_file()}
    done = command("run", "lima-oh", "0500001", out=two_regions)
    assert done.returncode == 0
    assert {path: path.stat().st_mtime_ns for path in two_regions.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "nowhere-at-all"], "Unknown region"),
        (["run", "columbus"], "could be 3 regions"),
        (["run", "lima-oh", "--sector", "heathcare"], "Did you mean 'healthcare'"),
        (["run", "lima-oh", "--chapters", "03,77"], "Unknown chapter '77'"),
        (["run", "lima-oh", "-p", "drawz=5"], "Did you mean 'draws'"),
        (["run", "lima-oh", "-p", "draws"], "name=value"),
        (["run", "lima-oh", "-p", "draws=many"], "takes int values"),
        (["run", "lima-oh", "--out", "/dev/null/x"], "Cannot write"),
        (["report", "lima-oh"], "No chapter of lima-oh has been run"),
        (["regions", "--find", "qqq"], "Unknown region"),
        (["build", "nothing", "--from", "."], "Unknown source"),
        (["build", "oews", "--from", "nowhere"], "does not exist"),
    ],
)
def test_a_wrong_command_gives_one_message_and_writes_nothing(
    tmp_path: Path, arguments: list[str], told: str
) -> None:
    done = command(*arguments, out=tmp_path / "out")
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_run_says_that_it_has_begun_before_it_loads_anything(tmp_path: Path) -> None:
    pty = pytest.importorskip("pty", reason="needs a terminal")
    ours, theirs = pty.openpty()
    code = "import sys, sectorbook.__main__ as m; assert 'typer' not in sys.modules; m.main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "run", "nowhere-at-all", "--out", str(tmp_path)],
        stderr=theirs,
        check=False,
    )
    said = os.read(ours, 1000).decode().splitlines()
    os.close(ours), os.close(theirs)
    assert done.returncode == 2 and said[0] == "Reading what has changed …" and "Unknown region" in said[1]


def test_regions_are_found_by_a_part_of_the_name(tmp_path: Path) -> None:
    done = command("regions", "--find", "san fran", out=tmp_path)
    assert done.returncode == 0
    for text in ("san-francisco", "0041860", "San Francisco-Oakland-Fremont, CA", "2,373,920"):
        assert text in done.stdout


def test_check_finds_everything_in_order(tmp_path: Path) -> None:
    done = command("check", out=tmp_path)
    assert done.returncode == 0 and "all in order" in done.stdout


# -- the report of those two regions ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def page(two_regions: Path) -> str:
    return (two_regions / "lima-oh" / "report.html").read_text(encoding="utf-8")


def test_the_report_is_one_file_without_network(page: str) -> None:
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
    assert not re.search(r"@import|url\(", page)
    assert page.count("data:image/png;base64,") >= 6
    assert all(alt.strip() for alt in re.findall(r'alt="([^"]*)"', page))


def read(region: str, out: Path) -> dict[str, dict]:
    """Return a region's ledgers, those that are kept with its local files too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECTORBOOK_REPORTS", str(out))
        return ledgers.read(region)


def test_every_reference_leads_to_a_number_with_an_address(page: str, two_regions: Path) -> None:
    targets = set(re.findall(r'<tr id="(n\d+)">', page))
    assert targets and set(re.findall(r'href="#(n\d+)"', page)) <= targets
    for address in re.findall(r"<td>(lima-oh/[\w/]+)</td></tr>", page):
        region, chapter, key = address.split("/")
        ledger = read(region, two_regions)[chapter]
        assert any(item.get("key") == key for item in ledger["items"]), address


def test_a_chapter_on_people_leaves_nothing_of_its_own_in_the_output_folder(two_regions: Path) -> None:
    under = [name for name, ledger in read("lima-oh", two_regions).items() if ledger.get("person_level")]
    assert "09_workers" in under
    for name in under:
        assert not list(two_regions.rglob(f"{name}*"))


def test_every_table_and_figure_has_its_address(page: str, two_regions: Path) -> None:
    shown = set(re.findall(r'<p class="address">([^<]+)</p>', page))
    for path in (two_regions / "lima-oh" / "findings").glob("*.json"):
        for item in json.loads(path.read_text(encoding="utf-8"))["items"]:
            if item["kind"] in ("table", "figure"):
                assert item["address"] in shown


def test_the_report_is_built_again_from_findings_alone(page: str, two_regions: Path) -> None:
    target = two_regions / "lima-oh" / "report.html"
    target.unlink()
    done = command("report", "Lima, OH", out=two_regions)
    assert done.returncode == 0, done.stderr
    assert target.read_text(encoding="utf-8") == page


def test_the_chapters_stand_beside_it_and_need_no_network(two_regions: Path) -> None:
    for name in ("00_start_here", "03_industry", "04_occupations", "12_report"):
        text = (two_regions / "lima-oh" / "chapters" / f"{name}.html").read_text(encoding="utf-8")
        assert "Lima, OH" in text
        assert not re.search(r'<(?:script|link|img)[^>]+(?:src|href)="(?:https?:)?//', text)
