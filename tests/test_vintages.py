"""Change over a new edition of NAICS: what means the same, what can only be compared together, and what is refused."""

import pandas as pd
import pytest
from sectorbook.errors import SectorbookError
from sectorbook.measures import change, vintages

# 51 sends a piece to 32 (of 31-33); two retail codes are merged and split; coal is renumbered; hospitals stay.
PAIRS = [
    ("212111", "212114"), ("454110", "458110"), ("454110", "459210"), ("448110", "458110"), ("451211", "459210"),
    ("511110", "513110"), ("511199", "323111"), ("323111", "323111"), ("622110", "622110"),
]  # fmt: skip
STEP = pd.DataFrame(PAIRS, columns=["naics_code", "next_naics_code"]).assign(
    naics_vintage="2017", next_naics_vintage="2022"
)
OLDER = pd.DataFrame(
    [(a, a) for a, _ in PAIRS if a != "622110"] + [("622112", "622110")],
    columns=["naics_code", "next_naics_code"],
).assign(naics_vintage="2012", next_naics_vintage="2017")


def test_groups_hold_the_codes_that_exchange_industries() -> None:
    of = vintages.groups(STEP, 2020, 2023, 2)
    assert of.to_dict() == {"21": "21", "44-45": "44-45", "62": "62", "31-33": "31-33+51", "51": "31-33+51"}
    three = vintages.groups(STEP, 2020, 2023, 3)
    assert three["448"] == three["454"] == "448+451+454+458+459" and three["212"] == "212"
    six = vintages.groups(STEP, 2020, 2023, 6)
    assert six["212111"] == "212111+212114" and six["622110"] == "622110"


def test_what_is_unchanged_passes_the_guard_and_the_rest_is_refused() -> None:
    same = vintages.unchanged(STEP, 2020, 2023)
    assert {"21", "212", "2121", "44-45", "62", "622110"} <= same
    assert not same & {"51", "31-33", "323111", "458", "212111", "212114"}
    change.check_vintages([2020, 2023], pd.Index(["62", "21"]), same)
    with pytest.raises(SectorbookError, match="1 of 2 codes may not cover the same thing: 51"):
        change.check_vintages([2020, 2023], pd.Index(["62", "51"]), same)


def test_a_change_over_two_editions_needs_both_concordances() -> None:
    both = pd.concat([STEP, OLDER])
    assert "622110" in vintages.unchanged(STEP, 2020, 2023)
    assert "622110" not in vintages.unchanged(both, 2016, 2023)
    assert vintages.groups(both, 2016, 2023, 6)["622112"] == "622110+622112"
    with pytest.raises(SectorbookError, match="fetch concordances --year 2017"):
        vintages.groups(STEP, 2016, 2023, 2)
    assert vintages.groups(both, 2022, 2023, 2).empty


def changes() -> pd.DataFrame:
    index = pd.MultiIndex.from_tuples(
        [("5", "31-33"), ("5", "51"), ("5", "62"), ("1", "10")], names=["own_code", "industry_code"]
    )
    numbers = {name: [10.0, -4.0, 7.0, 1.0] for name in vintages.PARTS}
    titles = ["Manufacturing", "Information", "Health care", "Federal government"]
    return pd.DataFrame(
        {**numbers, "industry_title": titles, "is_estimated": [False, True, False, False]}, index=index
    )


def test_bridged_rows_add_up_to_what_they_were() -> None:
    found = vintages.over_the_break(changes(), STEP, 2020, 2023).set_index("industry_title")
    assert found.loc["Manufacturing + Information", ["change", "parts"]].tolist() == [6.0, 2]
    assert found.loc["Manufacturing + Information", "is_estimated"]
    assert found.loc["Federal government", "parts"] == 1
    assert found.change.sum() == changes().change.sum()


def test_without_a_bridge_the_reason_is_given() -> None:
    none = STEP.iloc[:0]
    assert vintages.over_the_break(changes(), none, 2020, 2023).empty
    assert vintages.over_the_break(changes(), STEP, 2022, 2023).empty
    assert vintages.over_the_break(changes(), STEP, 2016, 2023).empty
    assert "--year 2017," in vintages.why_none(changes(), STEP, 2016, 2023)
    assert "are not here" in vintages.why_none(changes(), none, 2020, 2023)
    assert "one edition" in vintages.why_none(changes(), STEP, 2022, 2023)
    assert "two years" in vintages.why_none(changes().iloc[:0], none, None, None)
