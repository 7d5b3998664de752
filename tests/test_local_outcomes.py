"""The files of chapters 10 and 11: what can be wrong with them, told once each, and nothing half-read."""

from pathlib import Path

import pytest
from sectorbook.local import files

GOOD = {
    "partners": "partner,also_called,waves_at_table\nHarbor College,HC,1; 2\nCity Board,,1\n",
    "firm_outcomes": "employer_code,year,measure,value,takes_part,start_year\n"
    "E1,2023,turnover_pct,44,yes,2024\nE1,2024,turnover_pct,38.5,yes,2024\nE2,2023,turnover_pct,40,no,\n",
    "firm_returns": "employer_code,wage_annual_usd,separations_before,separations_after,days_to_fill_before,cost_usd\n"
    "E1,41000,52,34,48,21000\n",
    "indicator_entries": "indicator,date,value,words\ncompleters,2026-06-30,77,\ngreatest_success,2026-06-30,,It works\n",
    "goals": "indicator,start,goal,due\ncompleters,2025-07-01,180,2027-06-30\n",
    "systems_changes": "change,arena,kind,stage,month,reach,attribution\n"
    "Evening cohorts,workforce_system,institutional_practice,adopted,2026-02,900,led\n",
    "effectiveness": "wave,partner,item,answer\n1,Harbor College,right_partners,4\n",
    "peers": "initiative,aim,people_per_year,peer_group,indicator,value\nOurs,apprenticeship,12,small,job_seekers_placed,11\n",
}  # fmt: skip


def folder(tmp_path: Path, **changed: str) -> files.Folder:
    for name, text in {**GOOD, **changed}.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    return files.read(tmp_path)


def line(name: str, row: int, text: str) -> str:
    """Return a good file with one row (counted as a spreadsheet does) put in its place."""
    out = GOOD[name].splitlines()
    out[row - 1 : row] = [text]
    return "\n".join(out) + "\n"


# What is wrong: the table, row and text put there, the column the one problem names, and words of its message.
MALFORMED = {
    "a measure that is none": ("firm_outcomes", 2, "E1,2023,turnover,44,yes,2024", "measure", "Nearest: 'turnover_pct'"),
    "a value in words": ("firm_outcomes", 2, "E1,2023,turnover_pct,about 40,yes,2024", "value", "a number such as 1250.50"),
    "a percent sign": ("firm_outcomes", 2, "E1,2023,turnover_pct,44%,yes,2024", "value", "percent sign"),
    "a value below zero": ("firm_outcomes", 2, "E1,2023,turnover_pct,-4,yes,2024", "value", "0 or more"),
    "no value": ("firm_outcomes", 2, "E1,2023,turnover_pct,,yes,2024", "value", "found nothing"),
    "a start in words": ("firm_outcomes", 2, "E1,2023,turnover_pct,44,yes,last year", "start_year", "a whole number"),
    "a year of two digits": ("firm_outcomes", 2, "E1,23,turnover_pct,44,yes,2024", "year", "1990 to 2100"),
    "a quarter in place of a year": ("firm_outcomes", 2, "E1,2023Q1,turnover_pct,44,yes,2024", "year", "a whole number"),
    "a partner without a start": ("firm_outcomes", 2, "E1,2023,turnover_pct,44,yes,", "start_year", "'takes_part' says yes"),
    "a comparison with a start": ("firm_outcomes", 4, "E2,2023,turnover_pct,40,no,2024", "start_year", "'takes_part' says no"),
    "in and out in one file": (
        "firm_outcomes", 4, "E1,2022,turnover_pct,40,no,", "takes_part", "expected True, as in row 2"),
    "two starts of one employer": (
        "firm_outcomes", 3, "E1,2024,turnover_pct,38.5,yes,2023", "start_year", "2024, as in row 2"),
    "a measure twice in a year": (
        "firm_outcomes", 3, "e1,2023,turnover_pct,38.5,yes,2024", "employer_code + year + measure", "it is in row 2"),
    "nothing said of taking part": (
        "firm_outcomes", 4, "E2,2023,turnover_pct,40,,", "takes_part", "found nothing"),
    "a wage of nothing": ("firm_returns", 2, "E1,0,52,34,48,21000", "wage_annual_usd", "1 or more"),
    "no cost": ("firm_returns", 2, "E1,41000,52,34,48,", "cost_usd", "found nothing"),
    "a cost of nothing": ("firm_returns", 2, "E1,41000,52,34,48,0", "cost_usd", "1 or more"),
    "people below zero": ("firm_returns", 2, "E1,41000,-5,34,48,21000", "separations_before", "0 or more"),
    "a job open for ten years": ("firm_returns", 2, "E1,41000,52,34,3650,21000", "days_to_fill_before", "0 to 1000"),
    "an error of a formula": ("firm_returns", 2, "E1,#VALUE!,52,34,48,21000", "wage_annual_usd", "an error of a formula"),
    "an indicator that is none": ("indicator_entries", 2, "completer,2026-06-30,77,", "indicator", "Nearest: 'completers'"),
    "an entry of nothing": ("indicator_entries", 2, "completers,2026-06-30,,", "value + words", "one of these columns"),
    "an American date": ("indicator_entries", 2, "completers,6/30/2026,77,", "date", "year-month-day"),
    "an entry twice": ("indicator_entries", 3, "completers,2026-06-30,78,", "indicator + date", "it is in row 2"),
    "a count below zero": ("indicator_entries", 2, "completers,2026-06-30,-1,", "value", "0 or more"),
    "a word for not known": ("indicator_entries", 2, "completers,2026-06-30,tbd,", "value", "an empty cell"),
    "a goal due before it starts": ("goals", 2, "completers,2027-07-01,180,2026-06-30", "due", "the value of 'start'"),
    "a goal of nothing": ("goals", 2, "completers,2025-07-01,0,2027-06-30", "goal", "1 or more"),
    "a goal without a day": ("goals", 2, "completers,2025-07-01,180,", "due", "found nothing"),
    "an arena that is none": (
        "systems_changes", 2, "Evening cohorts,workforce sistem,,adopted,2026-02,,", "arena", "Nearest: 'workforce_system'"),
    "a stage that is none": ("systems_changes", 2, "Evening cohorts,public_policy,,begun,2026-02,,", "stage", "one of idea"),
    "an arena for a kind": (
        "systems_changes", 2, "Evenings,public_policy,public_policy,idea,2026-02,,", "kind", "one of resources_redeployed"),
    "a change without a month": ("systems_changes", 2, "Evening cohorts,public_policy,,idea,,,", "month", "found nothing"),
    "half a person reached": ("systems_changes", 2, "Evenings,public_policy,,idea,2026-02,1.5,", "reach", "a whole number"),
    "a share for the partnership's part": (
        "systems_changes", 2, "Evening cohorts,public_policy,,idea,2026-02,,60%", "attribution", "one of coincided"),
    "a partner not listed": ("effectiveness", 2, "1,Harbour Colege,right_partners,4", "partner", "Nearest: 'Harbor College'"),
    "an answer off the scale": ("effectiveness", 2, "1,Harbor College,right_partners,6", "answer", "1 to 5"),
    "an answer of zero": ("effectiveness", 2, "1,Harbor College,right_partners,0", "answer", "1 to 5"),
    "an item that is none": ("effectiveness", 2, "1,Harbor College,right_partner,4", "item", "Nearest: 'right_partners'"),
    "wave zero": ("effectiveness", 2, "0,Harbor College,right_partners,4", "wave", "1 to 4"),
    "an aim that is none": ("peers", 2, "Ours,training,12,small,,", "aim", "one of training_and_placement"),
    "a size in words": ("peers", 2, "Ours,apprenticeship,a dozen,small,,", "people_per_year", "a whole number"),
    "no size": ("peers", 2, "Ours,apprenticeship,,small,,", "people_per_year", "found nothing"),
}  # fmt: skip


def test_the_good_files_are_good(tmp_path: Path) -> None:
    read = folder(tmp_path)
    assert [str(p) for p in read.problems] == [] and [str(n) for n in read.notes] == []
    assert read.frames["firm_outcomes"].start_year.isna().tolist() == [False, False, True]
    assert read.frames["indicator_entries"].value.isna().tolist() == [False, True]


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_file_is_told_once_and_never_half_read(case: str, tmp_path: Path) -> None:
    name, row, text, column, words = MALFORMED[case]
    read = folder(tmp_path, **{name: line(name, row, text)})
    (problem,) = read.problems
    assert (problem.file, problem.row, problem.column) == (f"{name}.csv", row, column), str(problem)
    assert words in str(problem), str(problem)
    assert read.frames[name].empty and list(read.frames[name]) == list(files.empty(name))


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    text = GOOD["firm_outcomes"] + "E3,2023,turnover,x,yes,\nE2,2024,turnover_pct,39,yes,2024\n"
    told = [(p.row, p.column) for p in folder(tmp_path, firm_outcomes=text).problems]
    assert told == [(5, "measure"), (5, "value"), (6, "takes_part"), (5, "start_year")]
