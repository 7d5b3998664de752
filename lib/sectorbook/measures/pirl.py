"""WIOA records (PIRL, ETA-9172) and state wage records as a participants frame. Joined by the keyed hash of the id.

Element numbers and codes: ETA-9172, OMB 1205-0521. Missing, zero and not yet available stay three things.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

NOT_YET = "not-yet-available"
PUBLISHED, MISSING = "published", "missing"
WAGES = {
    "pirl1700": "earnings_before_3_usd", "pirl1701": "earnings_before_2_usd", "pirl1702": "earnings_before_1_usd",
    "pirl1703": "earnings_after_1_usd", "pirl1704": "earnings_after_2_usd", "pirl1705": "earnings_after_3_usd",
    "pirl1706": "earnings_after_4_usd",
}  # fmt: skip
EMPLOYED = ("1", "2", "3")
NOT_EMPLOYED, UNKNOWN = "0", "9"
LEFT_OUT = (1, 2, 3, 4, 5, 6)
"""Reasons for exit (923) that leave an exit out of every indicator: institutionalized, medical, deceased, reserve forces,
foster care, ineligible."""
SECONDARY, POSTSECONDARY = ("1",), tuple("2345678")
CREDENTIALS = {"pirl1800": "pirl1801", "pirl1802": "pirl1803", "pirl1804": "pirl1805"}
GAINS = ["pirl1806", "pirl1807", "pirl1808", "pirl1809", "pirl1810"]
YEAR = pd.Timedelta(days=365)
EDUCATION = {
    "0": "less_than_high_school", "1": "high_school", "2": "high_school", "3": "less_than_high_school",
    "4": "some_college", "5": "some_college", "6": "associate", "7": "bachelor_or_more", "8": "bachelor_or_more",
}  # fmt: skip
RACES = {
    "pirl211": "american_indian", "pirl212": "asian", "pirl213": "black", "pirl214": "pacific_islander", "pirl215": "white",
}  # fmt: skip
WINDOW = range(-8, 9)


def _yes_no(codes: pd.Series, yes: Sequence[str], no: Sequence[str]) -> pd.Series:
    found = pd.Series(pd.NA, index=codes.index, dtype="boolean")
    return found.mask(codes.isin(yes), True).mask(codes.isin(no), False)


def _race(records: pd.DataFrame) -> pd.Series:
    chosen = records[list(RACES)].eq("1")
    one = chosen.idxmax(axis=1).map(RACES).where(chosen.sum(axis=1).eq(1))
    out = one.mask(chosen.sum(axis=1).gt(1), "two_or_more").mask(records["pirl210"].eq("1"), "hispanic")
    return out.astype(object)


def _credential(records: pd.DataFrame, types: Sequence[str]) -> pd.Series:
    """Return whether a credential of `types` was attained, during participation or within a year after exit."""
    last = records["pirl901"].fillna(pd.Timestamp.max.as_unit("us") - YEAR) + YEAR
    gained = [records[kind].isin(types) & (records[day] <= last) for kind, day in CREDENTIALS.items()]
    return np.logical_or.reduce(gained)


def participants(records: pd.DataFrame, like: pd.DataFrame) -> pd.DataFrame:
    """Return PIRL records (columns of `config/local.yml`, table pirl) with the columns of the participants frame `like`.

    Everyone took part. What the layout does not hold stays missing. The same-employer element (1618) names no employer: its
    answer stands as two names that are alike or not. Training (1300) stands for being in the credential indicator; it does not
    tell on-the-job from other training.
    """
    codes = {
        q: records[name] for q, name in {1: "pirl1600", 2: "pirl1602", 3: "pirl1604", 4: "pirl1606"}.items()
    }
    work = {q: _yes_no(code, EMPLOYED, (NOT_EMPLOYED,)) for q, code in codes.items()}
    known = pd.DataFrame(work)
    year = (
        known.eq(True)
        .any(axis=1)
        .astype("boolean")
        .mask(~known.eq(True).any(axis=1) & known.isna().any(axis=1))
    )
    out = pd.DataFrame(
        {
            "id": records["pirl100"],
            "entry_date": records["pirl900"],
            "exit_date": records["pirl901"],
            "excluded_exit": records["pirl923"].isin(LEFT_OUT).astype("boolean"),
            "assigned": "program",
            "participated": pd.Series(True, index=records.index, dtype="boolean"),
            "sex": records["pirl201"].map({"1": "male", "2": "female", "9": "not_stated"}),
            "race_ethnicity": _race(records),
            "education": records["pirl408"].map(EDUCATION),
            "employed_entry": _yes_no(records["pirl400"], ("1", "2"), ("0", "3")),
            "employed_q2": work[2],
            "employed_q4": work[4],
            "employer_q2": pd.Series("one", index=records.index).where(work[2].eq(True)),
            "employer_q4": records["pirl1618"].map({"1": "one", "0": "another"}),
            "employed_or_school_year": year,
            "credential_eligible": _yes_no(records["pirl1300"], ("1",), ("0",)),
            "credential": pd.Series(_credential(records, POSTSECONDARY), records.index, dtype="boolean"),
            "secondary_diploma": pd.Series(_credential(records, SECONDARY), records.index, dtype="boolean"),
            "in_education": records["pirl1811"].notna().astype("boolean"),
            "skill_gain_date": records[GAINS].max(axis=1),
            **{name: records[element] for element, name in WAGES.items()},
            **{_status(name): records[f"{element}_status"] for element, name in WAGES.items()},
        },
        index=records.index,
    )
    return _shaped(out, like)


def _status(column: str) -> str:
    return f"{column.removesuffix('_usd')}_status"


def _shaped(frame: pd.DataFrame, like: pd.DataFrame) -> pd.DataFrame:
    """Return `frame` with the columns and types of `like`, missing where it has none."""
    empty = {column: MISSING if column.endswith("_status") else None for column in like}
    several = [column for column in ("barriers", "services") if column in like]
    columns = {
        column: frame[column] if column in frame else pd.Series(value, frame.index, dtype=object)
        for column, value in empty.items()
        if column not in several
    }
    columns |= {column: pd.Series([()] * len(frame), frame.index, dtype=object) for column in several}
    return pd.DataFrame(columns, index=frame.index)[list(like)].astype(like.dtypes.to_dict())


def combined(people: pd.DataFrame, records: pd.DataFrame, wages: pd.DataFrame) -> pd.DataFrame:
    """Return the participants file with what PIRL and wage records add: people it does not have, and cells it leaves empty.

    All three are as `warehouse.local` returns them. A quarter's wage records fill earnings only where there are none, and only
    for people with a wage record in any quarter: for others nothing is known, and nothing is taken as zero.
    """
    out = people
    if len(records):
        found = participants(records, people).set_index("id")
        own = people.set_index("id")
        filled = _fill(own, found.reindex(own.index))
        out = pd.concat([filled, found[~found.index.isin(own.index)]]).reset_index()[list(people.columns)]
        out = out.astype(people.dtypes.to_dict())
    return _with_wages(out, wages) if len(wages) else out


def _fill(own: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    out = own.copy()
    for column in own:
        status = _status(column)
        if column.endswith("_status"):
            continue
        if status in own:
            gap = own[status].eq(MISSING) & other[status].notna() & other[status].ne(MISSING)
            out[column] = own[column].mask(gap, other[column])
            out[status] = own[status].mask(gap, other[status])
        elif column not in ("barriers", "services"):
            out[column] = own[column].where(own[column].notna(), other[column])
    return out


def _with_wages(people: pd.DataFrame, wages: pd.DataFrame) -> pd.DataFrame:
    """Return people with earnings, employment and main employer of each quarter from their wage records."""
    day = pd.PeriodIndex(wages["quarter"], freq="Q")
    paid = wages.assign(place=day.year * 4 + day.quarter, earnings_usd=wages["earnings_usd"].astype(float))
    total = paid.groupby(["id", "place"])["earnings_usd"].sum()
    main = paid.sort_values("earnings_usd").groupby(["id", "place"])["employer"].last()
    first, last = int(paid["place"].min()), int(paid["place"].max())
    seen = people["id"].isin(paid["id"])
    entry, exit_ = (d.dt.year * 4 + d.dt.quarter for d in (people["entry_date"], people["exit_date"]))
    out = people.copy()
    for quarter in WINDOW:
        place = (exit_ if quarter > 0 else entry) + quarter
        column = (
            "earnings_entry_usd"
            if quarter == 0
            else f"earnings_{'after' if quarter > 0 else 'before'}_{abs(quarter)}_usd"
        )
        status = _status(column)
        key = pd.MultiIndex.from_arrays([people["id"], place.fillna(-1).astype(int)])
        found = pd.Series(total.reindex(key).to_numpy(), index=people.index)
        # Inside the span of the file a person with records elsewhere has no earnings where there is no record.
        found = found.mask(found.isna() & place.between(first, last), 0.0).where(seen)
        gap = people[status].ne(PUBLISHED) & found.notna()
        out[column] = people[column].mask(gap, found).astype(people[column].dtype)
        out[status] = people[status].mask(gap, PUBLISHED)
        if quarter in (2, 4):
            work = people[f"employed_q{quarter}"]
            out[f"employed_q{quarter}"] = work.mask(work.isna() & found.notna(), found > 0)
            firm = pd.Series(main.reindex(key).to_numpy(), index=people.index)
            own = people[f"employer_q{quarter}"]
            out[f"employer_q{quarter}"] = own.where(own.notna(), firm).astype(own.dtype)
    return out
