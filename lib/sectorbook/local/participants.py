"""What contradicts itself in a participants file. No message holds a value of a cell."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pandas as pd

from sectorbook.local.cells import Problem
from sectorbook.local.private import NOT_YET

EARLIEST = pd.Timestamp("1990-01-01")
LONGEST = timedelta(days=3650)
DIP = 0.8
# Fewer people than this do not make a warning on the whole file.
ENOUGH = 10
_AFTER = range(1, 9)
_BEFORE = range(1, 9)


def _says(record: dict, column: str, answer: bool) -> bool:
    return record.get(column) is answer


def _not_yet_begun(record: dict, quarter: int, now: pd.Period) -> bool:
    exit_date = record.get("exit_date")
    return (
        exit_date is not None
        and record.get(f"earnings_after_{quarter}_usd") is not None
        and exit_date.to_period("Q") + quarter > now
    )


def _rules(now: pd.Timestamp) -> list[tuple[str, str, str, Callable[[dict], bool]]]:
    """Return column, what is found, what is expected, and whether a record breaks it."""
    rules = []
    for quarter in (2, 4):
        employed, earned = f"employed_q{quarter}", f"earnings_after_{quarter}_usd"
        state, firm = f"earnings_after_{quarter}_status", f"employer_q{quarter}"
        rules += [
            (
                earned,
                "earnings above 0",
                f"none: {employed} says no",
                lambda r, e=employed, x=earned: _says(r, e, False) and r.get(x, 0) > 0,
            ),
            (
                earned,
                "a record that is not yet available",
                f"a value or nothing: {employed} says no",
                lambda r, e=employed, s=state: _says(r, e, False) and r.get(s) == NOT_YET,
            ),
            (
                firm,
                "an employer",
                f"none: {employed} says no",
                lambda r, e=employed, f=firm: f in r and _says(r, e, False),
            ),
            (
                employed,
                "an answer",
                "an exit_date, to count the quarter from",
                lambda r, e=employed: e in r and "exit_date" not in r,
            ),
        ]
    for quarter in _AFTER:
        rules.append(
            (
                f"earnings_after_{quarter}_usd",
                "earnings",
                "nothing: the quarter has not begun",
                lambda r, q=quarter: _not_yet_begun(r, q, now.to_period("Q")),
            )
        )
    return [
        *rules,
        ("weight", "0", "a number above 0: somebody who stands for nobody is left out of the file",
         lambda r: r.get("weight") == 0),
        ("exit_date", "nothing", "a date: earnings after exit count from its quarter",
         lambda r: "exit_date" not in r and any(f"earnings_after_{q}_usd" in r for q in _AFTER)),
        ("wage_placement_hourly_usd", "a wage", "none: placed says no",
         lambda r: _says(r, "placed", False) and "wage_placement_hourly_usd" in r),
        ("credential", "yes", "no: credential_eligible says no",
         lambda r: _says(r, "credential_eligible", False) and _says(r, "credential", True)),
        ("completed", "yes", "no: participated says no",
         lambda r: _says(r, "participated", False) and _says(r, "completed", True)),
        ("exit_date", "a date more than ten years after entry_date", "an earlier one",
         lambda r: {"exit_date", "entry_date"} <= set(r) and r["exit_date"] - r["entry_date"] > LONGEST),
        ("entry_date", "a date before 1990", "a later one",
         lambda r: "entry_date" in r and r["entry_date"] < EARLIEST),
        ("entry_date", "a date that has not come yet", "one up to today",
         lambda r: "entry_date" in r and r["entry_date"] > now),
        ("exit_date", "a date that has not come yet", "one up to today, or nothing while still served",
         lambda r: "exit_date" in r and r["exit_date"] > now),
    ]  # fmt: skip


def check(
    file: str, records: Sequence[dict], now: pd.Timestamp | None = None
) -> tuple[list[Problem], list[Problem]]:
    """Return the problems of records that take more than one cell to see, and notes on the whole file.

    `now`: the day up to which dates may lie (default: today).
    """
    today = now or pd.Timestamp(datetime.now(UTC).date())
    rules = _rules(today)
    problems = [
        Problem(file, record["row"], column, found, expected)
        for record in records
        for column, found, expected, broken in rules
        if broken(record)
    ]
    return problems + _weights(file, records), _dip(file, records)


def _weights(file: str, records: Sequence[dict]) -> list[Problem]:
    """Return the rows without a weight where others have one."""
    without = [r["row"] for r in records if "weight" not in r]
    if len(without) == len(records):
        return []
    return [Problem(file, row, "weight", "nothing", "a weight, as other rows have one") for row in without]


_PIRL = (("pirl1602", "pirl1704"), ("pirl1606", "pirl1706"))


def check_pirl(file: str, records: Sequence[dict]) -> tuple[list[Problem], list[Problem]]:
    """Return what contradicts itself in PIRL records, after the department's own edit checks of these elements."""
    problems = []
    for record in records:
        for employed, wages in _PIRL:
            code, late = record.get(employed), record.get(f"{wages}_status") == NOT_YET
            if late and code not in (None, "9"):
                problems.append(
                    Problem(file, record["row"], employed, "a code", f"9: {wages} is not yet available")
                )
            if code == "0" and record.get(wages, 0) > 0:
                problems.append(
                    Problem(file, record["row"], wages, "wages above 0", f"none: {employed} says no")
                )
            if code is not None and "pirl901" not in record:
                problems.append(
                    Problem(file, record["row"], employed, "a code", "a date of exit (pirl901) to count from")
                )
        for kind, day in (("pirl1800", "pirl1801"), ("pirl1802", "pirl1803"), ("pirl1804", "pirl1805")):
            if record.get(kind, "0") != "0" and day not in record:
                problems.append(
                    Problem(file, record["row"], day, "nothing", f"a date: {kind} names a credential")
                )
    return problems, []


def _dip(file: str, records: Sequence[dict]) -> list[Problem]:
    """Return a note when mean earnings just before entry are far under those of the year before that."""
    known = [r for r in records if all(f"earnings_before_{q}_usd" in r for q in _BEFORE)]
    if len(known) < ENOUGH:
        return []
    early = sum(r[f"earnings_before_{q}_usd"] for r in known for q in (5, 6, 7, 8)) / 4
    last = sum(r["earnings_before_1_usd"] for r in known)
    if not early or last / early >= DIP:
        return []
    return [
        Problem(
            file,
            None,
            None,
            "earnings that fall just before entry (an Ashenfelter dip): a comparison of before and after would credit the "
            "program with the recovery",
            "a comparison group",
        )
    ]
