"""Who is at the table, who is missing, which roles nobody fills, and which organization could convene.

Kinds of partner: seed items A09, E13, D05 (crosswalk X04); roles: A08 and B29; what each brings: E14; the intermediary
scorecard: X03. The lists are arguments, so that a region can use its own.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sectorbook.errors import SectorbookError, unknown


def _check(frame: pd.DataFrame, name: str, column: str, valid: pd.Series, what: str) -> None:
    for row, value in frame[column].items():
        if not pd.isna(value) and value not in set(valid):
            raise SectorbookError(
                f"{name}, row {row!r}, column {column!r}: {unknown(what, str(value), map(str, valid))}"
            )


def coverage_by_type(partners: pd.DataFrame, types: pd.DataFrame) -> pd.DataFrame:
    """Return how many partners of each kind are at the table, kinds with none included.

    `partners`: `partner`, `type`, `agreement_signed` (truth value or missing). `types`: `type`, `label`. Returns `type`,
    `label`, `partners`, `signed`, `unsigned`, `agreement_unknown`, `missing` (nobody of this kind), the partners without
    a type last. Raises SectorbookError for a type that is not listed.
    """
    _check(partners, "partners", "type", types["type"], "type of partner")
    signed = partners["agreement_signed"].astype("boolean")
    counts = pd.DataFrame(
        {
            "type": partners["type"],
            "partners": 1,
            "signed": signed.fillna(False).astype(int),
            "unsigned": (~signed).fillna(False).astype(int),
            "agreement_unknown": signed.isna().astype(int),
        }
    )
    table = counts.groupby("type").sum().reindex(types["type"], fill_value=0).reset_index()
    table.insert(1, "label", types["label"].to_numpy())
    table["missing"] = table["partners"] == 0
    untyped = counts[counts["type"].isna()]
    if len(untyped):
        row = untyped.drop(columns="type").sum().to_dict()
        table.loc[len(table)] = {"type": None, "label": "Type not recorded", **row, "missing": False}
    return table


def coverage_by_role(assignments: pd.DataFrame, roles: pd.DataFrame) -> pd.DataFrame:
    """Return who fills each role, roles nobody fills included.

    `assignments`: `partner`, `role`; `roles`: `role`, `group`, `label`. Returns `role`, `group`, `label`, `partners`
    (how many), `names`, `unfilled` and `single` (hangs on one partner). Raises SectorbookError for a role not listed.
    """
    _check(assignments, "roles", "role", roles["role"], "role")
    names = (
        assignments.drop_duplicates(["partner", "role"])
        .groupby("role")["partner"]
        .agg(lambda p: tuple(sorted(p)))
    )
    filled = [names.get(role, ()) for role in roles["role"]]
    count = np.array([len(f) for f in filled])
    return roles[["role", "group", "label"]].assign(
        partners=count, names=filled, unfilled=count == 0, single=count == 1
    )


def brings(partners: pd.DataFrame, attributes: Sequence[str]) -> pd.DataFrame:
    """Return how many of the attributes (role, resources, knowledge, commitment) are on record for each partner.

    Blank text counts as not recorded. Returns `partner`, `recorded`, `not_recorded` (their names).
    Raises SectorbookError for an attribute that is not a column.
    """
    for name in attributes:
        if name not in partners:
            raise unknown("partner column", name, map(str, partners.columns))
    known = partners[list(attributes)].map(lambda v: not pd.isna(v) and str(v).strip() != "").to_numpy()
    lacking = [tuple(a for a, k in zip(attributes, row, strict=True) if not k) for row in known]
    return pd.DataFrame(
        {"partner": partners["partner"], "recorded": known.sum(axis=1), "not_recorded": lacking}
    )


def convener_scorecard(
    ratings: pd.DataFrame, items: pd.DataFrame, scale: tuple[float, float], conflict_item: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return how candidates for convener or intermediary score, with evidence, and how they compare.

    `ratings`: `candidate`, `item`, `score`, `evidence` (text), `conflict_of_interest` (truth value or missing). `items`:
    `item`, `group`. A score counts only with evidence; the rest is unknown, and may be anything on the scale.

    Returns two frames. By candidate and group: `candidate`, `group`, `score` (mean of the evidenced), `low`, `high`
    (the group's mean if all unknown scored lowest or highest), `evidenced`, `items`. By candidate: `candidate`, `score`
    (mean of its groups, each weighing the same; missing when a group has no evidence), `low`, `high`,
    `conflict_of_interest` (True if any row says so, missing if `conflict_item` is not answered), `clearly_ahead_of`
    (candidates whose highest is below this one's lowest). Raises SectorbookError for an unknown item, a score off the
    scale, or an item scored twice.
    """
    low, high = scale
    _check(ratings, "scorecard", "item", items["item"], "scorecard item")
    if conflict_item not in set(items["item"]):
        raise unknown("scorecard item", conflict_item, items["item"])
    twice = ratings.index[ratings.duplicated(["candidate", "item"])]
    if len(twice):
        raise SectorbookError(
            f"scorecard, row {twice[0]!r}: {ratings.loc[twice[0], 'item']!r} is scored twice for its candidate."
        )
    off = ratings.index[ratings["score"].notna() & ~ratings["score"].between(low, high)]
    if len(off):
        found = ratings.loc[off[0], "score"]
        raise SectorbookError(
            f"scorecard, row {off[0]!r}, column 'score': found {found}; the scale runs from {low} to {high}."
        )
    evidenced = ratings["evidence"].fillna("").str.strip() != ""
    known = ratings.assign(score=ratings["score"].where(evidenced))
    full = items[["item", "group"]].merge(
        pd.DataFrame({"candidate": known["candidate"].unique()}), how="cross"
    )
    full = full.merge(known[["candidate", "item", "score"]], on=["candidate", "item"], how="left")
    full = full.assign(low=full["score"].fillna(low), high=full["score"].fillna(high))
    groups = full.groupby(["candidate", "group"], sort=False).agg(
        score=("score", "mean"),
        low=("low", "mean"),
        high=("high", "mean"),
        evidenced=("score", "count"),
        items=("item", "size"),
    )
    per = groups.groupby("candidate", sort=False)
    whole = per[["low", "high"]].mean()
    whole.insert(0, "score", per["score"].apply(lambda s: s.mean(skipna=False)))
    conflict = ratings["conflict_of_interest"].astype("boolean")
    whole["conflict_of_interest"] = pd.array(
        [_conflict(ratings, conflict, c, conflict_item) for c in whole.index], dtype="boolean"
    )
    whole["clearly_ahead_of"] = [
        tuple(other for other in whole.index if whole.loc[other, "high"] < whole.loc[name, "low"])
        for name in whole.index
    ]
    order = whole.sort_values("low", ascending=False, kind="stable")
    return groups.reset_index(), order.reset_index()


def _conflict(ratings: pd.DataFrame, conflict: pd.Series, candidate: str, item: str) -> bool | None:
    own = ratings["candidate"] == candidate
    if conflict[own].fillna(False).any():
        return True
    answered = conflict[own & (ratings["item"] == item)].notna().any()
    return False if answered else None
