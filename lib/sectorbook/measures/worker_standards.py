"""The study by the steps a clearinghouse takes: each question, what was looked at, what was found, and whose rule it is.

CLEAR rates causal evidence high, moderate or low. Its page says which designs it reviews; the rules that lead to a rating stand
in a document that was not read for this book, so no CLEAR rating is given. Where a step of the What Works Clearinghouse was
read, that step is applied.
"""

from collections.abc import Sequence

import pandas as pd

from sectorbook.measures import balance, worker_trial

CLEAR = "CLEAR Causal Evidence Guidelines, version 2.2: clear.dol.gov/reference-documents/causal-evidence-guidelines"
WWC_ATTRITION = "What Works Clearinghouse, Handbook 4.1, Table II.1"
WWC_BASELINE = "What Works Clearinghouse, Handbook 4.1, figure II.1: ies.ed.gov/ncee/wwc/Document/256"
READ, NOT_READ = "read", "not read"
NOT_RATED = "not rated"
COLUMNS = ["question", "looked_at", "finding", "rule", "rule_source"]


def summary(
    people: pd.DataFrame,
    sample: pd.DataFrame,
    covariates: Sequence[str],
    at_random: bool,
    boundary: pd.DataFrame,
) -> pd.DataFrame:
    """Return the study step by step: columns `COLUMNS`, `rule` being "read" or "not read".

    `people` and `sample` are those of `worker_trial`, `covariates` those the main estimate adjusts for, `boundary` the
    attrition table of `balance.attrition`. A result is words only, so that it tells no number of people. Without a sample
    each result is "not rated"; so is whatever hangs on a rule that was not read.
    """
    design = "random assignment" if at_random else "comparison group, not assigned by lot"
    adjusted = ", ".join(name.replace("_usd", "").replace("_", " ") for name in covariates)
    attrition, alike, rating = _wwc(people, sample, covariates, at_random, boundary)
    some = not sample.empty
    rows = [
        ("Is it a design CLEAR reviews?", f"declared: {design}", "yes" if some else NOT_RATED, READ, CLEAR),
        ("Are few missing, and evenly?", "people assigned and analysed, cautious boundary", attrition, READ, WWC_ATTRITION),
        ("Were the groups alike at entry?", adjusted, alike, READ, WWC_BASELINE),
        ("What can it claim by these steps?", "design, attrition, groups at entry", rating, READ, WWC_BASELINE),
        ("Does it control for what CLEAR asks?", f"adjusted for: {adjusted}", NOT_RATED, NOT_READ, CLEAR),
        ("CLEAR: high, moderate or low?", "the rules for each rating", NOT_RATED, NOT_READ, CLEAR),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def _wwc(
    people: pd.DataFrame, sample: pd.DataFrame, covariates: Sequence[str], at_random: bool, boundary: pd.DataFrame
) -> tuple[str, str, str]:  # fmt: skip
    """Return attrition, equivalence and rating in words."""
    if sample.empty:
        return (NOT_RATED,) * 3
    table = balance.balance_table(sample, "treated", worker_trial.varying(sample, covariates))
    cautious = worker_trial.attrition(people, sample, boundary)[0]
    rating = balance.study_rating(at_random, table, covariates, cautious if at_random else None)
    verdicts = set(table["verdict"])
    worst = next((v for v in ("cannot be judged", *reversed(balance.VERDICTS)) if v in verdicts), NOT_RATED)
    return (
        cautious.rating if at_random else "asked of trials only",
        f"worst measure: {worst}",
        rating.rating,
    )
