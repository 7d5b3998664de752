"""The demonstration: a health care initiative in San Francisco that does not exist, drawn at random from a seed.

Every organization, answer and amount is invented. It is made to be as untidy as real files are: partners who do not
answer, names written in several ways, responses sent twice, codes typed wrongly, cells left empty.
`python -m sectorbook.local.demonstration` writes it again.
"""

import csv
import io

import numpy as np
import pandas as pd

from sectorbook import config, paths, provenance
from sectorbook.local import demonstration_outcomes as outcomes
from sectorbook.local import demonstration_people as drawn
from sectorbook.local import private, templates
from sectorbook.local.origin import DEMONSTRATION

SEED = 20260131

_SIZES = {"s1_9": (60, 24, 6), "s10_49": (35, 20, 26), "s50_249": (18, 12, 120), "s250": (7, 7, 900)}


def _text(value: object) -> str:
    return "" if value is None or (isinstance(value, float) and np.isnan(value)) else str(value)


def _maybe(rng: np.random.Generator, value: object, missing: float) -> str:
    """Return a value as text, or nothing with probability `missing`."""
    return "" if rng.random() < missing else _text(value)


def _partners(rng: np.random.Generator, fixed: dict) -> list[dict]:
    rows = []
    for given in fixed["partners"]:
        kind = {"role": "Advises", "resources": "Contacts", "knowledge": "Its field"} | fixed["kinds"].get(
            given["type"], {}
        )
        rows.append(
            {
                **{name: text for name, text in given.items() if name != "pull"},
                "roles": kind.get("roles", "") if "waves_at_table" in given else "",
                "role": _maybe(rng, kind["role"], 0.2),
                "resources": _maybe(rng, kind["resources"], 0.35),
                "knowledge": _maybe(rng, kind["knowledge"], 0.35),
                "commitment": _maybe(rng, rng.choice(["low", "medium", "high"], p=[0.2, 0.4, 0.4]), 0.2),
            }
        )
    return rows


def _written(rng: np.random.Generator, partner: dict) -> str:
    """Return a partner's name as somebody may write it."""
    name, also = partner["partner"], partner.get("also_called", "")
    if also and rng.random() < 0.12:
        return str(rng.choice(also.split("; ")))
    return name.upper() if rng.random() < 0.02 else name


_INDUSTRY = ("business", "industry_association", "labor_union")


def _ties(rng: np.random.Generator, partners: list[dict]) -> list[dict]:
    survey = config.framework("partner_survey").items
    scored = [i.id for i in survey if i.group in ("trust", "value")]
    kinds = [i.id for i in survey if i.group == "kind"]
    often = [i.id for i in survey if i.group == "frequency"]
    liking = rng.normal(size=(len(partners), len(partners)))
    rows = []
    for wave in ("1", "2"):
        here = [(i, p) for i, p in enumerate(partners) if wave in p.get("waves_at_table", "")]
        for i, source in here:
            if wave not in source.get("waves_answered", ""):
                continue
            for j, target in here:
                alike = (source["type"] in _INDUSTRY) == (target["type"] in _INDUSTRY)
                strength = source.get("pull", 0) + target.get("pull", 0) + 0.9 * alike
                strength += liking[min(i, j), max(i, j)] + 0.4 * liking[i, j] + 0.5 * (wave == "2")
                if i == j or strength < 1.15:
                    continue
                step = int(np.clip(np.floor(strength - 0.6 + rng.normal(scale=0.5)), 1, 4))
                tie = {
                    "source": _written(rng, source),
                    "target": _written(rng, target),
                    "wave": wave,
                    "kind": _maybe(rng, kinds[step - 1], 0.03),
                    "frequency": _maybe(rng, often[step - 1], 0.06),
                }
                for item in scored:
                    score = int(np.clip(round(2.1 + 0.35 * step + rng.normal(scale=0.7)), 1, 4))
                    tie[item] = _maybe(rng, score, 0.07)
                rows.append(tie)
    return rows


_CANDIDATES = {  # how high each is scored, and how much of it has evidence
    "City Workforce Board": (3.1, 0.9),
    "Bayside Community College": (2.9, 0.75),
    "West Bay Hospital Council": (2.3, 0.6),
}
_NAMES = ("Alta", "Bernal", "Castro", "Duboce", "Fillmore", "Geary", "Hayes", "Irving", "Judah", "Kirkham")
_KINDS = ("Clinic", "Care Home", "Dental Group", "Home Health", "Medical Group")
_QUARTERS = ["2027Q1", "2027Q2", "2027Q3", "2027Q4"]


def _scorecard(rng: np.random.Generator) -> list[dict]:
    phases = ("design_phase", "operations_phase")
    items = [i for i in config.framework("intermediary_scorecard").items if i.group not in phases]
    rows = []
    for name, (level, known) in _CANDIDATES.items():
        for item in items:
            evidence = "Yearly report" if rng.random() < 0.6 else "Interview with two partners"
            conflict = ""
            if item.id == "c04_3":
                conflict = "yes" if name.endswith("College") else "no"
            rows.append(
                {
                    "candidate": name,
                    "item": item.id,
                    "score": str(int(np.clip(round(level + rng.normal(scale=0.7)), 1, 4))),
                    "evidence": evidence if rng.random() < known else "",
                    "conflict_of_interest": conflict,
                }
            )
    return rows


def _employers(rng: np.random.Generator) -> list[dict]:
    rows = []
    for size, (count, invited, people) in _SIZES.items():
        asked = set(rng.choice(count, invited, replace=False))
        for i in range(count):
            code = len(rows) + 1
            employees = max(1, int(people * rng.lognormal(sigma=0.3)))
            kind = "Hospital" if size == "s250" else _KINDS[int(rng.integers(5))]
            rows.append(
                {
                    "employer_code": f"E{code:03d}",
                    "employer": f"{_NAMES[code % 10]} {kind} {code} (invented)",
                    "industry": {"Hospital": "622", "Care Home": "623"}.get(kind, "621"),
                    "size_class": size,
                    "employees": _maybe(rng, employees, 0.06),
                    "invited": "yes" if i in asked else "no",
                    "partner": "yes" if i in asked and rng.random() < 0.45 else "no",
                    "wage_entry_hourly_usd": _maybe(
                        rng, round(float(rng.normal(24 + 2 * (people > 100), 2.5)), 2), 0.3
                    ),
                    "bonus_pct": _maybe(rng, round(float(rng.choice([0, 0, 1.5, 3, 5])), 1), 0.1),
                    "conditions_score": _maybe(rng, round(float(np.clip(rng.normal(6, 1.7), 0, 10)), 1), 0.1),
                    "wants_to_improve": _maybe(rng, rng.choice(["yes", "no"]), 0.1),
                }
            )
    return rows


def _responses(rng: np.random.Generator, employers: list[dict]) -> list[dict]:
    rows = []
    answer = {"s1_9": 0.5, "s10_49": 0.55, "s50_249": 0.65, "s250": 0.75}
    for employer in employers:
        size = employer["size_class"]
        if employer["invited"] == "no" or rng.random() > answer[size]:
            continue
        people = float(employer["employees"] or _SIZES[size][2])
        code, at = (
            employer["employer_code"],
            f"2026-0{rng.integers(4, 7)}-{rng.integers(1, 29):02d}T{rng.integers(8, 18):02d}:15:00",
        )
        row = {
            "_uuid": f"r{len(rows):03d}",
            "_submission_time": at,
            "consent": "yes" if rng.random() > 0.05 else "no",
        }
        if row["consent"] == "yes":
            row |= _answers(rng, size, people, str(rng.choice([code, code, code, code.lower(), f" {code}"])))
        rows.append(row)
    stranger = next(i for i, row in enumerate(rows) if row["consent"] == "yes" and i > 5)
    rows[stranger] = {**rows[stranger], "employer_code": "E931"}
    twice = [row for row in rows if row["consent"] == "yes"][3:5]
    return rows + [{**row, "_uuid": f"r{900 + i}", "vacancies": "2"} for i, row in enumerate(twice)]


# How likely an employer is to tick each choice.
_CHANCES = {
    "pain_points": (
        "pains",
        "few_applicants 60 technical_skills 30 soft_skills 30 credentials 45 wages 35 schedules 40 "
        "transport_childcare 35 turnover 45",
    ),
    "hr_practices": (
        "hr",
        "job_descriptions 80 skill_tests 30 degree_required 20 background_check 85 reviews 60 exit_interviews 30",
    ),
    "skills_lacking": ("skills", "english 30 computers 40 customer_care 40 equipment 40 safety 20"),
    "training_offered": ("training", "onboarding 80 on_the_job 70 tuition 25 paid_release 15"),
    "engagement": ("engagement", "attends_meetings 40 hires_participants 35 shapes_curriculum 20"),
    "willing": (
        "commitments",
        "hire 40 pay 10 internships 35 certificates 40 curriculum 30 next_training 30",
    ),
}
_JOBS = [
    "medical assistant",
    "Medical Assistant",
    "CNA",
    "certified nursing assistant",
    "phlebotomist",
    "billing clerk",
]
_CAUSES = [
    "",
    "Shifts start before child care opens",
    "Licenses take too long",
    "We lose aides to hospitals",
    "Rents are high",
]
_FEELINGS = ["strongly_disagree", "disagree", "neither", "agree", "strongly_agree"]
_OUTLOOKS = ["grow_much", "grow", "same", "shrink", "unsure"]
_ALWAYS = {
    "employer_code",
    "size_class",
    "hires_planned",
    "has_hard_to_fill",
    "hard_job",
    "hard_job_openings",
    "willing",
}


def _picked(rng: np.random.Generator, question: str) -> str:
    choices, chances = _CHANCES[question]
    words = chances.split()
    chosen = [
        code for code, chance in zip(words[::2], words[1::2], strict=True) if rng.random() < int(chance) / 100
    ]
    none = any(choice.id == "none" for choice in config.questionnaire("employer").choices[choices])
    return " ".join(chosen) or ("none" if none else "")


def _answers(rng: np.random.Generator, size: str, people: float, code: str) -> dict[str, str]:
    hires = int(rng.poisson(0.14 * people + 0.4))
    row = {
        "employer_code": code,
        "size_class": size,
        **{question: _picked(rng, question) for question in _CHANCES},
    }
    row["business_outlook"] = rng.choice(_OUTLOOKS, p=[0.1, 0.4, 0.3, 0.1, 0.1])
    row["workforce_outlook"] = rng.choice(_OUTLOOKS, p=[0.1, 0.35, 0.35, 0.1, 0.1])
    row["vacancies"] = rng.poisson(0.05 * people + 0.2)
    row["hires_planned"] = hires
    row["has_hard_to_fill"] = "yes" if rng.random() < 0.68 else "no"
    if row["has_hard_to_fill"] == "yes":
        row["hard_job"] = rng.choice(_JOBS)
        row["hard_job_openings"] = rng.binomial(hires, 0.4)
        row["hard_job_wage_hourly_usd"] = round(float(rng.normal(26, 2.5)), 2)
    row["root_cause"] = rng.choice(_CAUSES)
    row["wage_entry_hourly_usd"] = round(float(rng.normal(24, 2.5)), 2)
    row["left_12_months"] = rng.binomial(int(people), 0.22)
    row["promoted_12_months"] = rng.binomial(int(people), 0.06)
    row["local_training_fits"] = rng.choice(_FEELINGS, p=[0.1, 0.25, 0.25, 0.3, 0.1])
    if "hire" in row["willing"].split():
        row["hires_committed"] = rng.binomial(hires, 0.3)
    row["wants_to_improve"] = rng.choice(["yes", "no"], p=[0.6, 0.4])
    return {
        name: _text(value) if name in _ALWAYS else _maybe(rng, value, 0.06) for name, value in row.items()
    }


def _engagement(rng: np.random.Generator, employers: list[dict]) -> list[dict]:
    ladder = [i for i in config.framework("employer_partnership_ladder").items if i.group == "activity"]
    rows = []
    for employer in employers:
        if employer["partner"] == "no":
            continue
        reach = int(rng.choice([0, 1, 2, 3, 4, 5], p=[0.1, 0.2, 0.25, 0.2, 0.15, 0.1]))
        for item in ladder:
            for _ in range(int(rng.poisson(0.9 if item.level <= reach else 0.08))):
                day = pd.Timestamp("2024-01-10") + pd.Timedelta(
                    days=int(rng.integers(0, 990) * (0.4 + 0.12 * item.level))
                )
                rows.append(
                    {
                        "employer_code": employer["employer_code"],
                        "activity": item.id,
                        "date": day.date().isoformat(),
                    }
                )
    return sorted(rows, key=lambda row: (row["date"], row["employer_code"], row["activity"]))


def _engagement_table(rng: np.random.Generator) -> list[dict]:
    activities = [i.id for i in config.framework("employer_engagement_table").items if i.group == "activity"]
    easy = dict(zip(activities, (2.0, 0.9, 0.3, 0.5, 1.3, 1.4, 0.8, 1.6, 0.8, 1.7), strict=True))
    rows = []
    for year, lift in (("2025", 0.0), ("2026", 0.35)):
        for respondent in (
            "Program director",
            "Employer liaison",
            "College dean",
            "Hospital council",
            "Local Nine",
        ):
            for activity in activities:
                step = int(np.clip(round(easy[activity] + lift + rng.normal(scale=0.5)), 0, 3))
                answer = ("none", "some", "most", "all")[step]
                rows.append(
                    {
                        "respondent": respondent,
                        "year": year,
                        "activity": activity,
                        "answer": _maybe(rng, answer, 0.08),
                    }
                )
    return rows


def _commitments(rng: np.random.Generator, employers: list[dict]) -> list[dict]:
    large = [e for e in employers if e["size_class"] in ("s50_249", "s250") and e["partner"] == "yes"]
    rows = []
    for employer in large[:9]:
        for quarter in rng.choice(_QUARTERS, 2, replace=False):
            signed = str(rng.choice(["yes", "yes", "no"]))
            hires = str(int(rng.integers(1, 5)))
            rows.append(
                {
                    "employer_code": employer["employer_code"],
                    "quarter": quarter,
                    "hires": hires,
                    "signed": signed,
                }
            )
    return rows


def tables(seed: int = SEED) -> dict[str, list[dict]]:
    """Return the demonstration's rows as text, by table."""
    rng = np.random.default_rng(seed)
    fixed = config.demonstration()
    employers, partners = _employers(rng), _partners(rng, fixed)
    participants = drawn.participants(seed)
    return {
        "partners": partners,
        "ties": _ties(rng, fixed["partners"]),
        "scorecard": _scorecard(rng),
        "employers": employers,
        "employer_survey": _responses(rng, employers),
        "engagement": _engagement(rng, employers),
        "engagement_table": _engagement_table(rng),
        "commitments": _commitments(rng, employers),
        "indicator_entries": outcomes.entries(fixed),
        "effectiveness": outcomes.effectiveness(np.random.default_rng([seed, 11]), fixed["partners"]),
        **outcomes.firms(np.random.default_rng([seed, 10])),
        "participants": participants,
        "pirl": drawn.pirl(participants),
        "wage_records": drawn.wage_records(participants),
        **fixed["tables"],
    }


def write(seed: int = SEED) -> None:
    """Write the demonstration's files and their sidecar, which says that they are synthetic."""
    folder = paths.local(DEMONSTRATION)
    found = []
    with paths.write_atomic(folder / private.KEY) as file:
        file.write("0" * 2 * private.KEY_BYTES + "\n")  # invented people need no secret
    for name, rows in tables(seed).items():
        buffer = io.StringIO()
        writer = csv.DictWriter(
            buffer, templates.header(config.local()[name]), restval="", lineterminator="\n"
        )
        writer.writeheader()
        writer.writerows(rows)
        with paths.write_atomic(folder / f"{name}.csv") as file:
            file.write(buffer.getvalue())
        found.append(provenance.describe(folder / f"{name}.csv", rows=len(rows)))
    provenance.write_sidecar(
        folder,
        provenance.Sidecar(
            source="demonstration", title="Demonstration initiative (synthetic)", publisher="Sectorbook",
            vintage=f"seed {seed}", edition="demonstration", published="2026", retrieved="2026", licence="CC0",
            citation=f"Demonstration initiative, San Francisco health care, synthetic, drawn with seed {seed}",
            synthetic=True, facts={"region": "san-francisco", "sector": "healthcare"}, files=tuple(found),
        ),
    )  # fmt: skip


if __name__ == "__main__":
    write()
