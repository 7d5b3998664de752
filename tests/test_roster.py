"""Who is at the table and who could convene, by hand."""

import pandas as pd
import pytest
from sectorbook import config
from sectorbook.errors import SectorbookError
from sectorbook.measures import roster

TYPES = pd.DataFrame([{"type": i.id, "label": i.label} for i in config.framework("partner_crosswalk").items])
ROLES = pd.DataFrame(
    [{"role": i.id, "group": i.group, "label": i.label} for i in config.framework("partner_roles").items]
)
ITEMS = pd.DataFrame({"item": ["a", "b", "c04_3"], "group": ["x", "x", "y"]})


def test_missing_kinds_and_unsigned_agreements_are_counted_apart():
    partners = pd.DataFrame(
        {
            "partner": ["p", "q", "r", "s"],
            "type": ["college", "college", "business", None],
            "agreement_signed": pd.array([True, None, False, True], dtype="boolean"),
        }
    )
    table = roster.coverage_by_type(partners, TYPES).set_index("type")
    assert table.loc["college", ["partners", "signed", "unsigned", "agreement_unknown"]].tolist() == [
        2,
        1,
        0,
        1,
    ]
    assert table.loc["labor_union", "missing"] and not table.loc["business", "missing"]
    assert table["partners"].sum() == 4 and table["label"].iloc[-1] == "Type not recorded"
    with pytest.raises(
        SectorbookError,
        match=r"row 0, column 'type': Unknown type of partner 'colege'\. Did you mean 'college'",
    ):
        roster.coverage_by_type(partners.assign(type="colege"), TYPES)


def test_roles_nobody_fills_and_roles_on_one_partner():
    table = roster.coverage_by_role(
        pd.DataFrame(
            {"partner": ["p", "q", "p", "p"], "role": ["recruit", "recruit", "pay_tuition", "pay_tuition"]}
        ),
        ROLES,
    ).set_index("role")
    assert table.loc["recruit", "names"] == ("p", "q")
    assert table.loc["pay_tuition", "single"] and table.loc["find_training", "unfilled"]
    assert table["unfilled"].sum() == len(ROLES) - 2


def test_what_is_not_recorded_is_named():
    partners = pd.DataFrame({"partner": ["p"], "role": ["planning"], "resources": [" "], "knowledge": [None]})
    row = roster.brings(partners, ["role", "resources", "knowledge"]).iloc[0]
    assert (row["recorded"], row["not_recorded"]) == (1, ("resources", "knowledge"))


def card(rows):
    return pd.DataFrame(rows, columns=["candidate", "item", "score", "evidence", "conflict_of_interest"])


def test_a_score_without_evidence_is_unknown():
    ratings = card(
        [
            ("board", "a", 4, "minutes", None),
            ("board", "b", 4, " ", None),
            ("board", "c04_3", 2, "bylaws", False),
        ]
    )
    groups, whole = roster.convener_scorecard(ratings, ITEMS, (1, 4), "c04_3")
    x = groups.set_index("group").loc["x"]
    assert (x["score"], x["low"], x["high"], x["evidenced"], x["items"]) == (4, 2.5, 4, 1, 2)
    row = whole.iloc[0]
    assert (row["score"], row["low"], row["high"], row["conflict_of_interest"]) == (3, 2.25, 3, False)


def test_candidates_compare_only_as_far_as_the_evidence_goes():
    strong = [("board", i, 4, "e", i == "b" or None) for i in ITEMS["item"]]
    weak = [("college", i, 1, "e", None) for i in ITEMS["item"]]
    vague = [("chamber", "a", 4, "e", None)]
    _, whole = roster.convener_scorecard(card(strong + weak + vague), ITEMS, (1, 4), "c04_3")
    by = whole.set_index("candidate")
    assert by.loc["board", "clearly_ahead_of"] == ("college",)
    assert by.loc["chamber", "clearly_ahead_of"] == ("college",)
    assert by["conflict_of_interest"].isna().to_dict() == {"board": False, "chamber": True, "college": True}
    assert by.loc["board", "conflict_of_interest"]
    assert pd.isna(by.loc["chamber", "score"])
    with pytest.raises(SectorbookError, match=r"row 0, column 'score': found 4; the scale runs from 1 to 3"):
        roster.convener_scorecard(card(strong), ITEMS, (1, 3), "c04_3")
    with pytest.raises(SectorbookError, match="'a' is scored twice"):
        roster.convener_scorecard(card(vague + vague), ITEMS, (1, 4), "c04_3")
