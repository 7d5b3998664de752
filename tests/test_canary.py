"""Nobody is in a byte that leaves the local folder: canaries are planted in an initiative's files and looked for everywhere."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import PIL.Image
import pytest
from participants_files import COLUMNS, written
from sectorbook import ledgers, paths
from sectorbook.disclosure import NOT_SHOWN, cell_address, person_level
from sectorbook.local.demonstration_people import participants
from sectorbook.report.pack import FORMATS

REGION = "san-francisco"
CANARY = "quetzal"
# Earnings and a wage that nobody else has, as files and pages may write them.
NUMBERS = ("87654.32", "87,654", "131.37")


def people() -> list[dict]:
    """Return the invented people under canary ids, with names and notes, three of a kind that is rare, one paid as nobody is."""
    rows = participants(7)
    for i, row in enumerate(rows):
        row |= {"id": f"{CANARY}-id-{i:04d}", "first_name": f"{CANARY} {i}", "notes": f"{CANARY} wrote this"}
        row |= {name: f"{CANARY}-firm-{row[name]}" for name in ("employer_q2", "employer_q4") if row[name]}
    for row in rows[:3]:
        row["sex"] = "other"
    odd = next(row for row in rows if row["placed"] == "yes")
    odd |= {"earnings_after_1_usd": "87654.32", "wage_placement_hourly_usd": "131.37"}
    return rows


# What a wage of one firm, and one employer's own words, look like in files and pages.
FIRM_NUMBERS = ("98765", "98,765")
OWN_WORDS = ("associations", "hard_job", "root_cause", "other_challenges")


def firms(folder: Path) -> None:
    """Write the invented firms' files under canary codes, names and words; one pays as nobody does."""
    for name in ("employers", "employer_survey", "codebook", "firm_outcomes", "firm_returns"):
        with paths.local("demonstration", f"{name}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        for i, row in enumerate(rows):
            code = row.get("employer_code", "").strip()
            marks = (
                {"employer_code": f"{CANARY}-{code.upper()}" if code else ""}
                if "employer_code" in row
                else {}
            )
            marks |= {"employer": f"{CANARY} and sons {i}"} if "employer" in row else {}
            marks |= {"text": f"{CANARY} {row['text']}"} if "text" in row else {}
            marks |= {word: f"{CANARY} {row[word]}" for word in OWN_WORDS if row.get(word)}
            row |= marks | ({"partner": "no"} if row.get("partner") == "yes" else {})
        if name == "firm_returns":
            rows[4]["wage_annual_usd"] = FIRM_NUMBERS[0]
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def command(home: Path, *arguments: str) -> subprocess.CompletedProcess:
    (home / "temporary").mkdir(exist_ok=True)
    environment = {**os.environ, "SECTORBOOK_HOME": str(home), "TMPDIR": str(home / "temporary")}
    environment.pop("SECTORBOOK_REPORTS", None)
    done = subprocess.run(
        [sys.executable, "-m", "sectorbook", *arguments],
        capture_output=True, text=True, check=False, env=environment, timeout=300,
    )  # fmt: skip
    with (home / "said.txt").open("a", encoding="utf-8") as said:
        said.write(done.stdout + done.stderr)
    return done


def opened(path: Path) -> bytes:
    """Return a file's bytes, and those of what is packed in it: archives' members, streams, a picture's remarks."""
    content = path.read_bytes()
    found = [path.name.encode(), content]
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            found += [archive.read(name) for name in archive.namelist()]
    if path.suffix == ".pdf":
        for stream in re.findall(rb"stream\r?\n(.*?)endstream", content, re.S):
            try:
                found.append(zlib.decompress(stream))
            except zlib.error:
                continue  # a font or a picture packed in another way
        if shutil.which("pdftotext"):
            found.append(subprocess.run(["pdftotext", path, "-"], capture_output=True, check=True).stdout)
    if path.suffix == ".png":
        with PIL.Image.open(path) as picture:
            found.append(repr(picture.info).encode())
    return b"\n".join(found)


def outside(home: Path) -> dict[str, bytes]:
    """Return everything that stands outside the initiative's own folder."""
    own = home / "data" / "raw" / "local" / REGION
    return {
        str(path.relative_to(home)): opened(path)
        for path in home.rglob("*")
        if path.is_file() and not path.is_relative_to(own)
    }


@pytest.fixture
def own(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout in which the region has files of its own."""
    monkeypatch.delenv("SECTORBOOK_REPORTS")
    folder = paths.local(REGION)
    folder.mkdir(parents=True)
    (folder / "participants.csv").write_bytes(written(people(), [*COLUMNS, "first_name", "notes"]))
    firms(folder)
    return home


PRIVATE = ("09_workers", "10_employer_outcomes")


def withheld() -> set[str]:
    """Return the values the gate took out, to six digits, that stand in no cell it left."""
    log = paths.local(REGION, "disclosure_log.csv").read_text(encoding="utf-8")
    gone = {line["address"] for line in csv.DictReader(io.StringIO(log))}
    found: dict[bool, set[str]] = {True: set(), False: set()}
    for chapter in PRIVATE:
        ledger = json.loads(paths.ledger(REGION, chapter, True).read_text(encoding="utf-8"))
        assert person_level(ledger)
        for item in ledger["items"]:
            for row, values in enumerate(item.get("rows", ())):
                for column, value in zip(item["columns"], values, strict=True):
                    found[cell_address(item["address"], row, column["name"]) in gone].add(str(value))
    return {text for text in found[True] - found[False] if re.fullmatch(r"-?\d+\.\d{4,}", text)}


def test_no_canary_leaves_the_local_folder(own: Path) -> None:
    given = ("--chapters", "07,09,10,12", "-p", "draws=99", "-p", "subgroup=sex")
    done = command(own, "run", REGION, *given)
    assert done.returncode == 0, done.stderr
    assert command(own, "report", REGION, "--format", ",".join(FORMATS)).returncode == 0
    assert command(own, "site").returncode == 0
    everything = outside(own)
    reports = {name for name in everything if name.startswith("reports/")}
    assert {f"reports/{REGION}/report.{form}" for form in FORMATS} <= reports
    assert NOT_SHOWN.encode() in everything[f"reports/{REGION}/report.html"]
    assert b"Effect on first-year earnings" in everything[f"reports/{REGION}/report.xlsx"]
    ids = [
        line.split(",")[0]
        for line in paths.local(REGION).joinpath("participants.csv").read_text().split("\n")
    ]
    assert ids[1] == f"{CANARY}-id-0000"
    gone = withheld()
    assert len(gone) > 3
    for name, content in everything.items():
        assert CANARY.encode() not in content.lower(), name
        if name.startswith("reports/") or name in ("said.txt",):
            for number in {*NUMBERS, *FIRM_NUMBERS, *gone}:
                assert number.encode() not in content, (name, number)
        assert (
            name.startswith("reports/site")
            or not any(chapter in Path(name).name for chapter in PRIVATE)
            or "notebooks" in name
        ), name
    read = ledgers.read(REGION)
    assert {"07_employers", *PRIVATE} <= set(read)
    known = {item.get("key"): item.get("value") for ledger in read.values() for item in ledger["items"]}
    assert known["employers_answered"] > 30 and known["did"] is not None, "the firms' files were read"
    again = command(own, "plan", REGION, *given)
    assert "not run yet" not in again.stdout and "missing" not in again.stdout, again.stdout


# The canary is put together here, for a notebook is no one's data and may be searched too.
BAD = """from sectorbook import findings, warehouse
chapter = findings.open("13_bad", "Bad", region, sector, tables=[], local=["participants"], person_level=True)
people = warehouse.local("participants", chapter.origin)
raise ValueError("quet" + "zal " + people.id[0])
"""


@pytest.mark.parametrize("broken", ["the file", "the chapter"])
def test_a_failure_tells_of_nobody(own: Path, broken: str) -> None:
    if broken == "the file":
        rows = [row | {"sex": f"{CANARY}!", "age_at_entry": "131"} for row in people()[:40]]
        (paths.local(REGION) / "participants.csv").write_bytes(written(rows))
        chapter = "09"
    else:
        chapter = "13"
        source = json.loads(paths.notebooks("_template.ipynb").read_text(encoding="utf-8"))
        cells = [cell for cell in source["cells"] if cell["cell_type"] == "markdown"][:1]
        cells += [cell for cell in source["cells"] if "parameters" in cell["metadata"].get("tags", [])]
        code = {"cell_type": "code", "id": "bad", "metadata": {}, "execution_count": None, "outputs": []}
        cells.append(code | {"source": BAD})
        paths.notebooks("13_bad.ipynb").write_text(json.dumps(source | {"cells": cells}), encoding="utf-8")
    done = command(own, "run", REGION, "--chapters", chapter)
    assert done.returncode != 0
    receipt = json.loads(paths.reports(REGION, "receipt.json").read_text(encoding="utf-8"))
    (entry,) = receipt["chapters"].values()
    if broken == "the file":
        assert "participants.csv, row 2, column 'sex'" in entry["error"]
    else:
        assert entry["error"].startswith("ValueError. What it says stays")
        (kept,) = paths.private(REGION).rglob("13_bad.failed.ipynb")
        assert CANARY in kept.read_text(encoding="utf-8")
    for name, content in outside(own).items():
        assert CANARY.encode() not in content.lower(), name
