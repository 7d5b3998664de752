"""The gate over ledgers: what is declared, what is refused, and that nothing withheld is in a byte that comes out."""

import json
import pickle
from copy import deepcopy

import pytest
from sectorbook import disclosure
from sectorbook.disclosure import Rules
from sectorbook.errors import SectorbookError

SMALL, CANARY_WAGE, CANARY_TOP, CANARY_ID = 7, 73219.0, 918273.0, "CANARY-0007"
T = "lima/09_workers/by_site"


def columns(*names: str) -> list[dict]:
    return [
        {"name": n, "label": n, "unit": "count", "type": "text" if n == "site" else "integer"} for n in names
    ]


def ledger() -> dict:
    """Return a chapter on people with one small site, and everything that could give it away."""
    rows = [["North", 60, 41], ["South", 43, SMALL], ["East", 52, 33], ["All", 155, 81]]
    links = [
        {"total": f"{T}#3/{c}", "parts": [f"{T}#{row}/{c}" for row in range(3)]}
        for c in ("enrolled", "placed")
    ]
    number = {"kind": "number", "unit": "count", "low": None, "high": None, "interval_pct": None}
    return {
        "chapter": "09_workers", "region": {"slug": "lima"}, "person_level": True,
        "items": [
            {"kind": "table", "address": T, "title": "By site", "columns": columns("site", "enrolled", "placed"),
             "rows": rows, "cells": [[str(v) for v in row] for row in rows],
             "disclosure": {"contributors": {"enrolled": [r[1] for r in rows], "placed": [r[2] for r in rows]},
                            "public": ["site"], "relations": links}},
            {**number, "address": "lima/09_workers/placed", "key": "placed", "label": "Placed", "value": 81,
             "contributors": 81},
            {**number, "address": "lima/09_workers/south", "key": "south", "label": "South", "value": SMALL,
             "contributors": SMALL, "low": 5.0, "high": 9.0},
            {**number, "address": "lima/09_workers/wage", "key": "wage", "label": "Median wage", "unit": "USD per year",
             "value": CANARY_WAGE, "contributors": SMALL, "statistic": "quantile", "quantile": 0.5},
            {**number, "address": "lima/09_workers/payroll", "key": "payroll", "label": "Payroll", "unit": "USD per year",
             "value": 990000.0, "contributors": 30, "statistic": "magnitude", "largest": [CANARY_TOP, 20000.0]},
            {"kind": "sentence", "address": "s1", "text": "The median wage is $73,219.",
             "uses": ["lima/09_workers/wage"]},
            {"kind": "sentence", "address": "s2", "text": "81 were placed.", "uses": ["lima/09_workers/placed"],
             "parts": [{"address": "lima/09_workers/placed"}, " were placed."]},
            {"kind": "caveat", "address": "s3", "text": "Only 7 in South.", "uses": ["lima/09_workers/south"]},
            {"kind": "figure", "address": "f1", "title": "By site", "alt": "South: 7", "file": "f1.png", "width": 600,
             "uses": [T]},
            {"kind": "figure", "address": "f2", "title": "Placed", "alt": "Placed: 81", "file": "f2.png", "width": 600,
             "uses": ["lima/09_workers/placed"]},
            {"kind": "check", "text": f"{CANARY_ID} was read."},
        ],
    }  # fmt: skip


def by_address(content: dict) -> dict:
    return {item.get("address"): item for item in content["items"]}


def test_no_byte_that_comes_out_holds_a_canary():
    given = ledger()
    before = deepcopy(given)
    passed, outcome = disclosure.apply({"09_workers": given})
    assert given == before
    out = json.dumps(passed) + outcome.log.to_csv() + repr(outcome)
    everything = out.encode() + pickle.dumps((passed, outcome))
    for canary in (CANARY_ID, "73219", "73,219", "918273", "South: 7", "Only 7", "990000"):
        assert canary.encode() not in everything, canary
    assert not {"contributors", "largest", "disclosure", "statistic", "relations"} & set(out.split('"'))


def test_every_form_of_a_withheld_number_goes_and_the_rest_stays():
    passed, outcome = disclosure.apply({"09_workers": ledger()})
    found = by_address(passed["09_workers"])
    table = found[T]
    assert table["cells"][1][2] == disclosure.NOT_SHOWN and table["rows"][1][2] is None
    # The small site would follow from the other two and the total: one more of the column is gone.
    assert sum(row[2] is None for row in table["rows"]) == 2
    assert [row[1] for row in table["rows"]] == [60, 43, 52, 155]
    assert found["lima/09_workers/south"]["value"] is found["lima/09_workers/south"]["high"] is None
    assert found["lima/09_workers/wage"]["withheld"]
    assert found["s1"]["text"].startswith("Not shown") and found["s3"]["uses"] == []
    assert found["f1"]["kind"] == "caveat" and "file" not in found["f1"]
    assert set(outcome.log["stage"]) == {"primary", "complementary"}
    # The total is the number 81 too: where one of them is gone, so is the other.
    gone = table["rows"][3][2] is None
    assert (found["lima/09_workers/placed"]["value"] is None) == gone
    assert (found["f2"]["kind"] == "caveat") == gone == found["s2"]["text"].startswith("Not shown")


def test_published_figures_pass_unchanged():
    public = {"chapter": "03_industry", "region": {"slug": "lima"}, "items": [
        {"kind": "number", "address": "lima/03_industry/jobs", "key": "jobs", "value": 4, "unit": "jobs"},
        {"kind": "check", "text": "12 rows"}]}  # fmt: skip
    passed, outcome = disclosure.apply({"03_industry": public})
    assert passed["03_industry"] == public
    assert outcome.log.empty and outcome.kept_pct == 100


def test_the_regions_minimum_changes_what_is_shown():
    passed, _ = disclosure.apply({"09_workers": ledger()}, by_region={"lima": Rules(minimum=5)})
    found = by_address(passed["09_workers"])
    assert found["lima/09_workers/south"]["value"] == SMALL and found[T]["rows"][1][2] == SMALL
    passed, _ = disclosure.apply({"09_workers": ledger()}, rules=Rules(minimum=50))
    assert by_address(passed["09_workers"])[T]["rows"][1][1] is None


def remove(key):
    return lambda item: item.pop(key)


@pytest.mark.parametrize(
    ("address", "change", "message"),
    [
        (T, remove("disclosure"), "declares no contributors"),
        (T, lambda item: item["disclosure"].pop("relations"), "how its cells add up"),
        (T, lambda item: item["disclosure"]["contributors"].pop("placed"), "neither contributors"),
        (T, lambda item: item["disclosure"].update(public=[]), "neither contributors"),
        (T, lambda item: item["disclosure"]["contributors"].update(placed=[1]), "one contributor count"),
        (T, lambda item: item["disclosure"].update(contributors={"enrolled": [1] * 4, "placed": [0] * 4}), "one by one"),
        (T, lambda item: item["disclosure"].update(contributor={}), "Unknown key"),
        ("lima/09_workers/wage", remove("contributors"), "no contributors"),
        ("lima/09_workers/wage", lambda item: item.update(statistic="middle"), "Unknown statistic"),
        ("s1", lambda item: item.update(uses=[]), "holds a number"),
        ("s1", lambda item: item.update(kind="testimonial"), "Unknown kind"),
        ("f1", lambda item: item.update(tooltips=[CANARY_ID]), "Unknown key"),
        ("f1", lambda item: item.update(uses=[]), "is a figure"),
    ],
)  # fmt: skip
def test_what_declares_too_little_is_refused_without_its_values(address, change, message):
    content = ledger()
    change(by_address(content)[address])
    with pytest.raises(SectorbookError, match=message) as error:
        disclosure.apply({"09_workers": content})
    for canary in (CANARY_ID, "73219", "73,219", "918273"):
        assert canary not in str(error.value)


def test_shares_and_means_go_with_what_they_are_computed_from():
    content = ledger()
    table = content["items"][0]
    table["columns"] += columns("placed_pct")
    for row, cells in zip(table["rows"], table["cells"], strict=True):
        row.append(100 * row[2] / row[1])
        cells.append(f"{row[3]:.1f}")
    said = table["disclosure"]
    said["contributors"]["placed_pct"] = said["contributors"]["enrolled"]
    said["statistic"], said["of"] = {"placed_pct": "share"}, {"placed_pct": ["placed", "enrolled"]}
    passed, outcome = disclosure.apply({"09_workers": content})
    rows = by_address(passed["09_workers"])[T]["rows"]
    assert rows[1][3] is None
    assert all((row[3] is None) == (row[2] is None or row[1] is None) for row in rows)
    assert "derived" in set(outcome.log["stage"])
    # The same column without a numerator in the report: the gate makes it, and a percentage of few goes.
    said["of"]["placed_pct"] = [None, "enrolled"]
    said["contributors"].pop("placed")
    said["relations"] = []
    said["public"] = ["site", "placed"]
    passed, _ = disclosure.apply({"09_workers": content})
    assert by_address(passed["09_workers"])[T]["rows"][1][3] is None


def test_a_number_repeated_elsewhere_is_known_to_be_the_same():
    content = ledger()
    rows = [["North", 44], ["South", 6], ["All", 50]]
    content["items"] = [
        {"kind": "table", "address": T, "title": "By site", "columns": columns("site", "placed"), "rows": rows,
         "cells": [[str(v) for v in row] for row in rows],
         "disclosure": {"contributors": {"placed": [44, 6, 50]}, "public": ["site"],
                        "relations": [{"total": f"{T}#2/placed", "parts": [f"{T}#0/placed", f"{T}#1/placed"]}]}},
        {"kind": "number", "unit": "count", "address": "lima/09_workers/placed", "key": "placed", "label": "North",
         "value": 44, "contributors": 44},
    ]  # fmt: skip
    passed, _ = disclosure.apply({"09_workers": content})
    table, number = passed["09_workers"]["items"]
    assert table["rows"][1][1] is None
    assert table["rows"][2][1] is None or number["value"] is None


@pytest.mark.parametrize(("people", "shown"), [(12, 3867.25), (SMALL, None)])
def test_one_estimate_in_two_tables_is_kept_or_lost_in_both(people: int, shown: float | None) -> None:
    content, tables = ledger(), ("lima/09_workers/effects", "lima/09_workers/errors")
    for address in tables:
        said = {"contributors": {"effect": [people]}, "statistic": {"effect": "estimate"}, "relations": []}
        content["items"].append(
            {"kind": "table", "address": address, "title": "Effect", "columns": columns("effect"), "rows": [[3867.25]],
             "cells": [["3,867.25"]], "disclosure": said}
        )  # fmt: skip
    found = by_address(disclosure.apply({"09_workers": content})[0]["09_workers"])
    assert [found[address]["rows"][0][0] for address in tables] == [shown, shown]


def test_a_sum_across_regions_does_not_give_a_region_away():
    number = {
        "kind": "number",
        "unit": "count",
        "low": None,
        "high": None,
        "interval_pct": None,
        "label": "Placed",
    }
    both = {
        slug: {"chapter": "09", "region": {"slug": slug}, "relations": [], "items": [
            {**number, "key": key, "address": f"{slug}/09/{key}", "value": n, "contributors": n} for key, n in values]}
        for slug, values in {"lima": [("placed", 6)], "dayton": [("placed", 44), ("state", 50)]}.items()
    }  # fmt: skip
    passed, _ = disclosure.apply(both)
    assert passed["dayton"]["items"][0]["value"] == 44
    both["dayton"]["relations"] = [
        {"total": "dayton/09/state", "parts": ["lima/09/placed", "dayton/09/placed"]}
    ]
    passed, _ = disclosure.apply(both)
    assert None in [item["value"] for item in passed["dayton"]["items"]]
    both["dayton"]["relations"][0]["parts"].append("dayton/09/placde")
    with pytest.raises(SectorbookError, match="dayton/09/placed"):
        disclosure.apply(both)


def test_rounding_keeps_every_sum_and_writes_sentences_again():
    passed, _ = disclosure.apply({"09_workers": ledger()}, rounding_base=5, seed=1)
    found = by_address(passed["09_workers"])
    rows = found[T]["rows"]
    assert all(value % 5 == 0 for row in rows for value in row[1:])
    assert all(sum(row[c] for row in rows[:3]) == rows[3][c] for c in (1, 2))
    assert all(abs(row[1] - true) < 5 for row, true in zip(rows, (60, 43, 52, 155), strict=True))
    assert found["lima/09_workers/placed"]["value"] == rows[3][2]
    assert found["s2"]["text"] == f"{rows[3][2]:.0f} were placed."
    assert found["f2"]["kind"] == "caveat"
    assert found["lima/09_workers/wage"]["value"] is None
    assert found["s3"]["text"].startswith("Not shown")
    others = [
        disclosure.apply({"w": ledger()}, rounding_base=5, seed=s)[0]["w"]["items"][0]["rows"]
        for s in range(6)
    ]
    assert any(other != rows for other in others)
    assert disclosure.apply({"w": ledger()}, rounding_base=5, seed=1)[0]["w"]["items"][0]["rows"] == rows
    with pytest.raises(SectorbookError, match="too fine"):
        disclosure.apply({"w": ledger()}, rounding_base=3)


def test_the_rest_of_a_share_is_printed_nowhere_and_asks_for_nothing() -> None:
    """One small group of five hides one more, and not every group whose share of everyone is shown too."""
    rows = [[name, count, 209] for name, count in zip("ABCDE", (29, 6, 107, 32, 35), strict=True)]
    counts = {"count": [row[1] for row in rows], "everyone": [209] * 5}
    links = [{"total": f"{T}#0/everyone", "parts": [f"{T}#{row}/count" for row in range(5)]}]
    links += [{"total": f"{T}#0/everyone", "parts": [f"{T}#{row}/everyone"]} for row in range(1, 5)]
    table = {
        "kind": "table", "address": T, "title": "By group", "columns": columns("site", "count", "everyone", "share"),
        "rows": [[*row, 100 * row[1] / 209] for row in rows], "cells": [[""] * 4 for _ in rows],
        "disclosure": {"contributors": {**counts, "share": counts["everyone"]}, "statistic": {"share": "share"},
                       "of": {"share": ["count", "everyone"]}, "public": ["site"], "relations": links},
    }  # fmt: skip
    ledger = {"chapter": "09_workers", "region": {"slug": "lima"}, "person_level": True, "items": [table]}
    _, outcome = disclosure.apply({"one": ledger})
    assert set(outcome.log.loc[outcome.log["kind"] == "count", "address"]) == {f"{T}#0/count", f"{T}#1/count"}
