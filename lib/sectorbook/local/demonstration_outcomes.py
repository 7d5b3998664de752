"""The demonstration's outcomes: what an invented partnership entered, what its partners think, how its employers fared."""

import numpy as np

from sectorbook import config

YEARS = range(2020, 2026)
START = 2023
PARTNERS, OTHERS = 24, 16
# Mean in the first year, spread between employers, and the change among those that take part, after the first year full.
_MEASURES = {
    "turnover_pct": (44.0, 5.0, -8.0), "rework_pct": (8.0, 1.2, -0.9), "complaints": (30.0, 5.0, -3.5),
    "days_to_fill": (52.0, 7.0, -8.0),
}  # fmt: skip


def entries(fixed: dict) -> list[dict]:
    """Return the rows of indicator_entries: a series of values each, and words at the last day."""
    days = fixed["indicator_days"]
    rows = [
        {"indicator": name, "date": day, "value": f"{value:g}"}
        for name, values in fixed["indicator_series"].items()
        for day, value in zip(days, values, strict=True)
        if value is not None
    ]
    return rows + [
        {"indicator": name, "date": days[-1], "words": words}
        for name, words in fixed["indicator_words"].items()
    ]


def effectiveness(rng: np.random.Generator, partners: list[dict]) -> list[dict]:
    """Return the rows of effectiveness: partners that answered a wave judge most items, better in the second wave."""
    rows = []
    liked = {item.id: rng.normal(3.4, 0.4) for item in config.framework("partnership_effectiveness").items}
    for wave in ("1", "2"):
        for partner in partners:
            if wave not in partner.get("waves_answered", ""):
                continue
            mood = rng.normal(0.35 * (wave == "2"), 0.4)
            for item, level in liked.items():
                answer = str(int(np.clip(round(level + mood + rng.normal(scale=0.6)), 1, 5)))
                if rng.random() > 0.06:
                    row = {"wave": wave, "partner": partner["partner"], "item": item, "answer": answer}
                    rows.append(row)
    return rows


def firms(rng: np.random.Generator) -> dict[str, list[dict]]:
    """Return the rows of firm_outcomes (employers that take part and others) and firm_returns (those that do)."""
    outcomes = []
    for number in range(1, PARTNERS + OTHERS + 1):
        part = number <= PARTNERS
        for measure, (mean, spread, change) in _MEASURES.items():
            own = rng.normal(mean, spread)
            for year in YEARS:
                value = own - 0.01 * mean * (year - YEARS[0]) + rng.normal(0, 0.05 * mean)
                if part and year >= START:
                    value += change * (0.6 if year == START else 1.0)
                row = {
                    "employer_code": f"E{number:03d}",
                    "year": str(year),
                    "measure": measure,
                    "value": f"{max(value, 0):.1f}",
                    "takes_part": "yes" if part else "no",
                    "start_year": str(START) if part else "",
                }
                if rng.random() > 0.004:
                    outcomes.append(row)
    return {"firm_outcomes": outcomes, "firm_returns": [_returned(rng, n) for n in range(1, PARTNERS + 1)]}


def _returned(rng: np.random.Generator, number: int) -> dict:
    people = int(rng.integers(40, 260))
    before = round(people * rng.uniform(0.36, 0.5))
    known = rng.random() > 0.15
    return {
        "employer_code": f"E{number:03d}",
        "wage_annual_usd": str(round(rng.normal(440, 35)) * 100),
        "separations_before": str(before),
        "separations_after": str(round(before * rng.uniform(0.62, 0.97))),
        "vacancies": str(round(before * rng.uniform(0.7, 0.9))) if known else "",
        "days_to_fill_before": str(round(rng.normal(52, 7))) if known else "",
        "days_to_fill_after": str(round(rng.normal(43, 7))) if known else "",
        "daily_value_usd": str(int(rng.integers(60, 190))) if known else "",
        "other_benefit_usd": str(int(rng.integers(0, 24)) * 500) if rng.random() > 0.2 else "",
        "cost_usd": str(round(rng.uniform(350, 900) * people / 100) * 100),
    }
