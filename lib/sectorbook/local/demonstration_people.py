"""The demonstration's people: 480 invented ones, assigned at random within three sites. Made as `demonstration` is."""

import numpy as np

from sectorbook.local.private import NOT_YET_CODE

PEOPLE = 480
SITES = ("north", "south", "west")
# Of the people of a site the file holds all, or a sample: so many stand behind each.
WEIGHTS = ("1", "1.5", "2")
FIRST_DAY = np.datetime64("2022-01-10")
# Wage records of quarters that end after this day have not arrived.
RECORDS_UNTIL = np.datetime64("2025-06-30")
_SCHOOL = ("less_than_high_school", "high_school", "some_college", "associate", "bachelor_or_more")
_BARRIERS = {
    "childcare": 0.3,
    "transportation": 0.28,
    "english_learner": 0.22,
    "low_income": 0.5,
    "criminal_record": 0.02,
}
_SUPPORT = {"counseling": 0.6, "childcare": 0.25, "transportation": 0.2, "emergency_money": 0.05}


def _yes(flags: np.ndarray, known: np.ndarray | None = None) -> list[str]:
    known = np.ones(len(flags), dtype=bool) if known is None else known
    return ["" if not k else "yes" if f else "no" for f, k in zip(flags, known, strict=True)]


def _where(values: np.ndarray, known: np.ndarray) -> list[str]:
    return [f"{v:g}" if k else "" for v, k in zip(values, known, strict=True)]


def _several(rng: np.random.Generator, chances: dict[str, float], n: int) -> list[str]:
    return ["; ".join(name for name, p in chances.items() if rng.random() < p) for _ in range(n)]


def _column(quarter: int) -> str:
    return (
        "earnings_entry_usd"
        if quarter == 0
        else f"earnings_{'before' if quarter < 0 else 'after'}_{abs(quarter)}_usd"
    )


class _People:
    """Who they are, what was offered to them, and what none of their files shows."""

    def __init__(self, rng: np.random.Generator, n: int) -> None:
        self.n = n
        self.site = rng.integers(0, len(SITES), self.n)
        self.program = np.zeros(self.n, dtype=bool)
        for block in range(len(SITES)):
            rows = rng.permutation(np.flatnonzero(self.site == block))
            self.program[rows[: len(rows) // 2]] = True
        # A seventh of those offered a place do not take it.
        self.took = self.program & (rng.random(self.n) < 0.86)
        self.school = rng.choice(5, self.n, p=[0.18, 0.44, 0.24, 0.09, 0.05])
        self.ability = 0.35 * (self.school - 1.2) + rng.normal(0, 1, self.n)
        self.entry = FIRST_DAY + 91 * rng.integers(0, 6, self.n) + rng.integers(0, 12, self.n)
        self.leave = self.entry + 150 + rng.integers(0, 60, self.n)
        # Some cannot be found afterwards, a few more of those who were offered nothing.
        self.gone = rng.random(self.n) < np.where(self.program, 0.07, 0.1)


def _quarter(rng: np.random.Generator, quarter: int, people: _People) -> list[str]:
    """Return one quarter's earnings: a dip before entry, less while in training, more afterwards for those trained."""
    dip = {-2: 0.85, -1: 0.62, 0: 0.35}.get(quarter, 1.0)
    level = 3900 + 900 * people.ability + (70 * quarter if quarter < 0 else 1150 + 60 * quarter)
    lift = np.where(people.took, 950 * min(quarter, 4) / 4 if quarter > 0 else -600 * (quarter == 0), 0)
    chance = np.clip(0.55 + 0.07 * people.ability + 0.13 * (quarter > 0), 0.1, 0.9)
    works = rng.random(people.n) < chance + np.where(people.took & (quarter > 0), 0.09, 0)
    drawn = np.round((level * dip + lift) * rng.lognormal(0, 0.35, people.n))
    paid = np.clip(np.where(works, np.maximum(drawn, 60), 0), 0, 60_000)
    if quarter <= 0:
        return _where(paid, np.ones(people.n, dtype=bool))
    ends = people.leave.astype("datetime64[M]") + 3 * quarter + 2
    late = ends.astype("datetime64[D]") > RECORDS_UNTIL
    found = _where(paid, ~people.gone)
    return [f"{NOT_YET_CODE}" if w and v else v for v, w in zip(found, late, strict=True)]


def _work(rng: np.random.Generator, people: _People, paid: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return jobs, wages and what people say of them, in line with their earnings."""
    n, took = people.n, people.took
    pay = {q: np.array([float(v or "nan") for v in paid[_column(q)]]) for q in (-1, 2, 4)}
    known = {q: ~np.isnan(pay[q]) & (pay[q] != NOT_YET_CODE) for q in (2, 4)}
    works = {q: known[q] & (pay[q] > 0) for q in (2, 4)}
    before = pay[-1] > 0
    wage_before = np.round(16.5 + 0.9 * people.ability + rng.normal(0, 1.5, n), 2)
    wage_after = np.round(wage_before + np.where(took, 4.6, 1.9) + rng.normal(0, 2, n), 2)
    placed = took & works[2]
    answered = took & (rng.random(n) < 0.78)
    same = rng.random(n) < np.where(took, 0.78, 0.66)
    firm = {2: np.arange(n) % 60, 4: np.where(same, np.arange(n), np.arange(n) + 7) % 60}
    return {
        "employed_entry": _yes(before),
        **{f"employed_q{q}": _yes(works[q], known[q]) for q in (2, 4)},
        **{
            f"employer_q{q}": [f"F{f:02d}" if w else "" for f, w in zip(firm[q], works[q], strict=True)]
            for q in (2, 4)
        },
        "employed_or_school_year": _yes(works[2] | works[4], took),
        "placed": _yes(placed, took),
        "wage_entry_hourly_usd": _where(wage_before, before),
        "wage_placement_hourly_usd": _where(wage_after, placed),
        "hours_entry": _where(np.clip(rng.normal(25, 8, n).round(), 4, 45), before),
        "hours_placement": _where(np.clip(rng.normal(36, 5, n).round(), 10, 48), placed),
        "insurance_entry": _yes(rng.random(n) < 0.37, rng.random(n) < 0.92),
        "insurance_after": _yes(rng.random(n) < np.where(took, 0.68, 0.5), rng.random(n) < 0.84),
        "promoted": _yes(rng.random(n) < 0.22, placed),
        "conditions_better": _yes(rng.random(n) < 0.64, answered),
        "prospects_better": _yes(rng.random(n) < 0.79, answered),
        "needs_met": _yes(rng.random(n) < 0.72, answered),
    }


def participants(seed: int, count: int = PEOPLE) -> list[dict]:
    """Return the rows of a participants file as text, of `count` people."""
    rng = np.random.default_rng(seed)
    people = _People(rng, count)
    n, took, program = people.n, people.took, people.program
    done = took & (rng.random(n) < 0.83)
    days = [[str(day)[:10] for day in days] for days in (people.entry, people.leave, people.entry + 100)]
    paid = {_column(q): _quarter(rng, q, people) for q in range(-8, 9)}
    columns: dict[str, list] = {
        "id": [f"SYN-{i:04d}" for i in range(1, n + 1)],
        "cohort": [f"{day[:4]}Q{(int(day[5:7]) + 2) // 3}" for day in days[0]],
        "site": [SITES[s] for s in people.site],
        "weight": [WEIGHTS[s] for s in people.site],
        "assigned": ["program" if p else "comparison" for p in program],
        "participated": _yes(took),
        "entry_date": days[0],
        "exit_date": days[1],
        "excluded_exit": _yes(rng.random(n) < 0.015),
        "age_at_entry": [str(a) for a in np.clip(rng.gamma(6, 5, n), 18, 64).astype(int)],
        "sex": list(rng.choice(["female", "male", "not_stated"], n, p=[0.63, 0.34, 0.03])),
        "race_ethnicity": list(rng.choice(["asian", "black", "hispanic", "white", "two_or_more", "american_indian"], n,
                                          p=[0.22, 0.19, 0.33, 0.18, 0.07, 0.01])),
        "education": [_SCHOOL[s] for s in people.school],
        "household_size": [str(h) for h in 1 + rng.poisson(1.6, n)],
        "barriers": _several(rng, _BARRIERS, n),
        "services": ["; ".join(filter(None, ["skills_training", more])) if t else ""
                     for t, more in zip(took, _several(rng, _SUPPORT, n), strict=True)],
        "completed": _yes(done, took),
        "credential_eligible": _yes(took, program),
        "credential": _yes(done & (rng.random(n) < 0.88), took),
        "secondary_diploma": _yes(np.zeros(n, dtype=bool), took),
        "in_education": _yes(took, program),
        "skill_gain_date": [day if d else "" for day, d in zip(days[2], done, strict=True)],
    }  # fmt: skip
    columns |= _work(rng, people, paid) | paid
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


_RECORDED = 60


def _took_part(rows: list[dict]) -> list[dict]:
    return [row for row in rows if row["participated"] == "yes"][:_RECORDED]


def wage_records(rows: list[dict]) -> list[dict]:
    """Return what a state would have on record of some of these people in the second quarter after exit."""
    found = []
    for row in _took_part(rows):
        year, month = (int(part) for part in row["exit_date"].split("-")[:2])
        place = year * 4 + (month - 1) // 3 + 2
        if row["employer_q2"]:
            quarter = f"{place // 4}Q{place % 4 + 1}"
            paid = {"employer": row["employer_q2"], "earnings_usd": row["earnings_after_2_usd"]}
            found.append({"id": row["id"], "quarter": quarter, **paid})
    return found


def pirl(rows: list[dict]) -> list[dict]:
    """Return WIOA records of some of these people that say the same of them."""
    codes = {"yes": "1", "no": "0", "": "9"}
    sexes = {"male": "1", "female": "2", "not_stated": "9"}
    return [
        {
            "pirl100": row["id"],
            "pirl201": sexes[row["sex"]],
            "pirl900": row["entry_date"].replace("-", ""),
            "pirl901": row["exit_date"].replace("-", ""),
            "pirl923": "2" if row["excluded_exit"] == "yes" else "0",
            "pirl1300": "1",
            "pirl1602": codes[row["employed_q2"]],
            "pirl1606": codes[row["employed_q4"]],
            "pirl1704": row["earnings_after_2_usd"],
            "pirl1706": row["earnings_after_4_usd"],
        }
        for row in _took_part(rows)
    ]
