"""Chapters 06 to 08 on what an initiative may have on file: nothing, empty templates, the demonstration, a real network."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from sectorbook import chapters, ledgers, paths, warehouse
from sectorbook.errors import SectorbookError
from sectorbook.local import templates
from shared import SHARED, needs_shared

NAMES = ("06_partners", "07_employers", "08_design")


def run(name: str, region: str, **given: object) -> dict:
    """Run a chapter's code in this process and return its ledger."""
    cells = json.loads(paths.notebooks(f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    space: dict = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), space)
            if "parameters" in cell["metadata"].get("tags", []):
                assert set(given) <= set(space)
                space.update(region=region, **given)
    return ledgers.read(warehouse.find_region(region).slug)[name]


def texts(ledger: dict, kind: str) -> list[str]:
    return [item["text"] for item in ledger["items"] if item["kind"] == kind]


def number(ledger: dict, key: str) -> dict:
    return next(i for i in ledger["items"] if i.get("key") == key)


def table(ledger: dict, key: str) -> list[list]:
    return next(
        i["rows"] for i in ledger["items"] if i["kind"] == "table" and i["address"].endswith(f"/{key}")
    )


def shown_cells(ledger: dict, key: str) -> list[list[str]]:
    return next(
        i["cells"] for i in ledger["items"] if i["kind"] == "table" and i["address"].endswith(f"/{key}")
    )


@pytest.mark.parametrize("name", NAMES)
def test_without_any_file_it_says_what_to_make(name: str, reports: Path) -> None:
    ledger = run(name, "lima-oh")
    (start,) = [t for t in texts(ledger, "caveat") if "Nothing is on file" in t]
    assert "sectorbook new-region lima-oh --area CODE" in start
    assert not any(source["synthetic"] for source in ledger["sources"])
    assert not [t for t in texts(ledger, "sentence") if re.search("nan|None|not published", t)]


@pytest.mark.parametrize("name", NAMES)
def test_empty_templates_put_the_demonstration_away_and_say_what_to_fill_in(
    name: str, home: Path, reports: Path
) -> None:
    templates.write(paths.local("san-francisco"))
    ledger = run(name, "san-francisco")
    (start,) = [t for t in texts(ledger, "caveat") if "Nothing is on file" in t]
    assert "new-region" not in start and "sectorbook check san-francisco" in start
    assert {row[2] for row in table(ledger, "files")} == {"empty: fill it in"}
    assert not any(source["synthetic"] for source in ledger["sources"])
    known = [i["key"] for i in ledger["items"] if i["kind"] == "number" and i["value"] is not None]
    # What a chapter knows without a file: lengths of the field's lists, and the parameters.
    assert set(known) <= {"partner_kinds", "roles", "threshold", "tasks"}


def check_demonstration_is_marked(ledger: dict) -> None:
    """Fail unless a chapter on synthetic files says so, and no cell or sentence of it is empty or half said."""
    assert any(source["synthetic"] for source in ledger["sources"])
    assert any("demonstration" in t and "synthetic" in t for t in texts(ledger, "caveat"))
    assert not [t for t in texts(ledger, "sentence") if re.search("nan|None|not published|on file for", t)]
    for item in ledger["items"]:
        if item["kind"] == "table":
            cells = [cell for row in item["cells"] for cell in row]
            assert not {"nan", "None", "<NA>", "not published"} & set(cells), item["title"]


@pytest.fixture(scope="module")
def shown() -> dict[str, dict]:
    """The three chapters of the reference region, by name."""
    return {name: run(name, "san-francisco") for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_the_demonstration_is_marked_wherever_it_is_shown(name: str, shown: dict) -> None:
    check_demonstration_is_marked(shown[name])


def test_what_chapter_06_finds_in_the_demonstration(shown: dict, reports: Path) -> None:
    """Counted by hand in config/demonstration.yml, wave 2."""
    ledger = shown["06_partners"]
    value = {i["key"]: i["value"] for i in ledger["items"] if i["kind"] == "number"}
    assert (value["partners"], value["partners_asked"], value["partners_silent"]) == (21, 21, 4)
    assert (value["partners_signed"], value["partner_kinds_missing"]) == (15, 2)
    assert value["partners_both_waves"] == 12
    assert [row[0] for row in table(ledger, "wanted")] == [
        "Northern Clinics Association",
        "State University Health Studies",
    ]
    density = number(ledger, "density")
    assert density["low"] == pytest.approx(density["value"])  # unknown ties can only add
    # 4 silent partners leave 4 x 20 of 420 possible ties open.
    assert density["high"] - density["value"] == pytest.approx(100 * 80 / 420, rel=1e-4)
    conflicts = {row[0]: row[4] for row in table(ledger, "candidates")}
    assert conflicts == {
        "City Workforce Board": "no",
        "Bayside Community College": "yes",
        "West Bay Hospital Council": "no",
    }
    stronger = run("06_partners", "san-francisco", draws=5, permutations=19, least_level=3)
    assert number(stronger, "density")["value"] < density["value"]
    earlier = run("06_partners", "san-francisco", draws=5, permutations=19, wave=1)
    assert number(earlier, "partners_asked")["value"] == 19
    with pytest.raises(SectorbookError, match=r"wave is 3; on file are the waves \[1, 2\]"):
        run("06_partners", "san-francisco", wave=3)


def test_the_parameters_of_chapter_07_change_what_it_says(shown: dict, reports: Path) -> None:
    usual = shown["07_employers"]
    strict = run("07_employers", "san-francisco", required=3, minimum_per_level=2, word_shares=(0.25, 0.5))
    for key in ("tier_first", "no_level", "engagement_index_last"):
        assert number(usual, key)["value"] != number(strict, key)["value"]
    index = number(usual, "engagement_index_last")
    assert index["low"] < index["value"] < index["high"]


def test_the_parameters_of_chapter_08_change_what_it_says(reports: Path) -> None:
    def applied(ledger: dict) -> list[str]:
        return [row[0] for row in table(ledger, "actions") if row[2] == "yes"]

    strong = run("08_design", "san-francisco", share_of_plans=0.2)
    weak = run("08_design", "san-francisco", view="commitments")
    assert applied(strong) == ["Demand is strong"] * 2 and applied(weak) == ["Demand is not strong"] * 4
    assert number(strong, "enroll_best")["value"] > number(weak, "enroll_best")["value"]
    costly = run("08_design", "san-francisco", money_usd=(0, 90000))
    assert number(costly, "cost_monthly")["value"] == 90000
    with pytest.raises(SectorbookError, match="Did you mean 'plans'"):
        run("08_design", "san-francisco", view="plan")


@needs_shared
def test_chapter_08_with_the_nations_real_projections(home: Path, reports: Path) -> None:
    """2016 to 2026, in the SOC of 2010: medical assistants kept their code, nursing assistants did not."""
    without = run("08_design", "san-francisco")
    assert number(without, "openings_annual")["value"] is None
    assert any("Get the projections: sectorbook fetch projections" in t for t in texts(without, "sentence"))
    warehouse.build("projections", SHARED / "data" / "projections")
    warehouse.tables.cache_clear()
    ledger = run("08_design", "san-francisco", view="projected")
    assert {row[0]: cells[5] for row, cells in zip(table(ledger, "targets"), shown_cells(ledger, "targets"), strict=True)
            }["31-1131"] == "no match"  # fmt: skip
    # Published: 634.4 thousand jobs and 94.9 thousand openings a year.
    jobs = {row[0]: row[2] for row in table(ledger, "targets")}
    openings = number(ledger, "openings_annual")["value"]
    assert openings == pytest.approx(jobs["31-9092"] * 94.9 / 634.4, rel=0.001)
    assert number(ledger, "enroll_best")["value"] != number(without, "enroll_best")["value"]
    wider = run("08_design", "san-francisco", view="projected", openings=(0, 0.2, 0.04))
    assert number(wider, "enroll_best")["value"] == pytest.approx(
        2 * number(ledger, "enroll_best")["value"], rel=1e-5
    )  # a ledger keeps six digits
    assumed = run("08_design", "san-francisco", openings=(0.1, 0.2, 0.02))
    assert number(assumed, "openings_annual")["value"] == pytest.approx(0.1 * sum(jobs.values()), rel=1e-5)


@needs_shared
def test_chapter_06_on_a_real_network(home: Path, reports: Path) -> None:
    """The consortia of Germany's research data infrastructure, 2019: who named whom as a partner."""
    named = pd.read_csv(SHARED / "data/networks/NFDI_Netzwerk_2019.csv", sep=";")
    named = named.set_axis(["source", "target"], axis=1).drop_duplicates()
    own = paths.local("lima-oh")
    templates.write(own)
    partners = pd.DataFrame(
        {"partner": sorted(set(named.stack())), "waves_at_table": "1", "waves_answered": "1"}
    )
    partners.to_csv(own / "partners.csv", index=False)
    named.assign(wave=1).to_csv(own / "ties.csv", index=False)
    ledger = run("06_partners", "lima-oh", draws=3)
    n = len(partners)
    assert number(ledger, "partners_asked")["value"] == n
    assert number(ledger, "density")["value"] == pytest.approx(100 * len(named) / (n * (n - 1)), rel=1e-4)
    mutual = len(named.merge(named, left_on=["source", "target"], right_on=["target", "source"]))
    assert number(ledger, "reciprocity")["value"] == pytest.approx(100 * mutual / len(named), rel=1e-4)


def test_a_changed_local_file_makes_only_its_chapters_run_again(home: Path, reports: Path) -> None:
    from sectorbook.runner import plan

    def prints() -> dict[str, str]:
        region = warehouse.find_region("lima-oh")
        return {
            t.chapter.name: t.fingerprint
            for t in plan.make([region], list(chapters.discover())[:-1], {}, None)
        }

    before = prints()
    templates.write(paths.local("lima-oh"))
    changed = {name for name, text in prints().items() if before[name] != text}
    outcomes = {"09_workers", "10_employer_outcomes", "11_partnership"}
    assert changed == {*NAMES, *outcomes, "01_deciding", "03_industry", "05_workforce"}


def test_a_line_of_the_canvas_that_nobody_scored_is_not_answered_yet(reports: Path) -> None:
    ledger = run("01_deciding", "san-francisco")
    check_demonstration_is_marked(ledger)
    assert {row[1] for row in shown_cells(ledger, "intermediary")} == {"not answered yet"}
    assert [row[3] for row in shown_cells(ledger, "summary")][:2] == ["none given", "3.00"]


def test_a_problem_in_a_file_ends_the_chapter_with_all_of_them(home: Path, reports: Path) -> None:
    own = paths.local("lima-oh")
    templates.write(own)
    (own / "ties.csv").write_text("source,target,wave\nA,B,one\n", encoding="utf-8")
    with pytest.raises(SectorbookError, match="3 problem") as error:
        run("06_partners", "lima-oh")
    assert str(error.value).count("ties.csv, row 2") == 3
    assert "lima-oh" in str(error.value)
