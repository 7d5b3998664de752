"""Nearest-neighbour matching, the audit that proves its constraints held, and effects on the matched.

Greedy matching as MatchIt does it (Ho, Imai, King & Stuart 2011), in a fixed order, with a warning object when
equally near people would have given another answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import linalg

from sectorbook.errors import SectorbookError, unknown
from sectorbook.measures.effects import Data, Effect, effect, numbers, prepare, regress
from sectorbook.measures.weighting import propensity_score

TIE_TOLERANCE = 1e-10
"""Two candidates are equally near when their distances differ by less than this many s.d.: rounding, not meaning."""


@dataclass(frozen=True)
class TieWarning:
    """Equally near candidates: how many participants had them, and weights under the opposite choice."""

    n_treated_tied: int
    n_comparison_changed: int
    alternative_weights: pd.Series
    message: str


@dataclass(frozen=True)
class Match:
    """A matched sample.

    `pairs`: one row per match (`treated`, `comparison` = row labels, `distance`, `subclass`). `weights`: one per row of
    the frame: matched participants 1, comparison people scaled to sum to their number, 0 = left out. `subclass`: pair number,
    missing when left out or when people may be used twice. `unmatched`: labels of participants without a match.
    `constraints`: what was asked.
    """

    pairs: pd.DataFrame
    weights: pd.Series
    subclass: pd.Series
    unmatched: tuple
    constraints: dict
    ties: TieWarning | None


def nearest_neighbour(
    frame: pd.DataFrame,
    treatment: str,
    covariates: Sequence[str],
    distance: str = "propensity",
    ratio: int = 1,
    replacement: bool = False,
    caliper: float | None = None,
    exact: Sequence[str] = (),
    covariate_calipers: Mapping[str, float] | None = None,
) -> Match:
    """Match each participant to `ratio` nearest comparison people.

    `distance`: "propensity" (difference in propensity score; participants with the highest score choose first) or
    "mahalanobis" (pooled within-group covariance; participants choose in row order). With `ratio` above 1 everyone takes a
    first match before anyone takes a second. `caliper`: widest allowed difference in scores, in s.d. of the score
    (propensity only). `exact`: columns on which a pair must agree. `covariate_calipers`: widest allowed difference in a
    column, in its own unit. Ties go to the neighbour in score order, rows in file order (see `_settle`).
    Raises SectorbookError when nobody can be matched.
    """
    data = prepare(frame, treatment, treatment, covariates)
    if not frame.index.is_unique:
        raise SectorbookError(
            "Row labels repeat, so a match could not say who was matched; reset the index first."
        )
    if ratio < 1 or ratio != int(ratio):
        raise SectorbookError(f"ratio is the number of matches per participant, 1 or more; found {ratio}.")
    if not replacement and data.n[1] < ratio:
        raise SectorbookError(f"{data.n[1]} comparison people cannot give {ratio} matches each.")
    rules = {
        "distance": distance,
        "ratio": int(ratio),
        "replacement": replacement,
        "caliper": caliper,
        "exact": tuple(exact),
        "covariate_calipers": dict(covariate_calipers or {}),
    }
    points, order_key, width = _space(frame, data, treatment, covariates, distance, caliper)
    sides = _constraint_columns(frame, rules)
    first = _greedy(points, order_key, data, rules, width, sides)
    pairs, tied = first
    if not len(pairs):
        raise SectorbookError(
            "No participant has a match under these constraints; widen the caliper or drop an exact column."
        )
    weights, subclass = _weights(pairs, data, replacement)
    ties = None
    if tied:
        back = slice(None, None, -1)
        mirrored = Data(data.y[back], data.t[back], data.x[back], data.names, data.index[back])
        other, _ = _greedy(points[back], order_key[back], mirrored, rules, width, [s[back] for s in sides])
        other = len(data.t) - 1 - other[:, :2].astype(int)
        alternative, _ = _weights(np.column_stack([other, np.zeros(len(other))]), data, replacement)
        changed = int((np.abs(alternative - weights)[~data.treated] > 1e-12).sum())
        message = f"{tied} of {data.n[0]} participants had equally near candidates; "
        message += (
            f"taking the later instead of the earlier row changes the weight of {changed} comparison people, so the answer "
            "depends on the order of the file."
            if changed
            else "whichever is taken, the same comparison people are used."
        )
        if changed:
            ties = TieWarning(tied, changed, pd.Series(alternative, index=frame.index), message)
    labels = frame.index
    table = pd.DataFrame(
        {
            "treated": labels[pairs[:, 0].astype(int)],
            "comparison": labels[pairs[:, 1].astype(int)],
            "distance": pairs[:, 2],
        }
    )
    used = np.zeros(len(data.t), dtype=bool)
    used[pairs[:, 0].astype(int)] = True
    table["subclass"] = pd.factorize(pairs[:, 0])[0]
    return Match(
        table,
        pd.Series(weights, index=labels, name="matching_weight"),
        pd.Series(subclass, index=labels, name="subclass"),
        tuple(labels[data.treated & ~used]),
        rules,
        ties,
    )


def _space(
    frame: pd.DataFrame,
    data: Data,
    treatment: str,
    covariates: Sequence[str],
    distance: str,
    caliper: float | None,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return points whose Euclidean distance is the matching distance, the order key, and the caliper's width."""
    if distance == "propensity":
        scores = propensity_score(frame, treatment, covariates).to_numpy()
        if caliper is not None and caliper <= 0:
            raise SectorbookError(f"A caliper is a positive number of standard deviations; found {caliper}.")
        return scores[:, None], -scores, np.inf if caliper is None else caliper * scores.std(ddof=1)
    if distance != "mahalanobis":
        raise unknown("matching distance", distance, ["propensity", "mahalanobis"])
    if caliper is not None:
        raise SectorbookError("caliper is for propensity scores; with mahalanobis use covariate_calipers.")
    within = data.x - np.where(
        data.treated[:, None], data.x[data.treated].mean(axis=0), data.x[~data.treated].mean(axis=0)
    )
    covariance = within.T @ within / (len(data.t) - 2)
    root = linalg.cholesky(np.linalg.inv(covariance))
    return data.x @ root.T, np.zeros(len(data.t)), np.inf


def _constraint_columns(frame: pd.DataFrame, rules: dict) -> list[np.ndarray]:
    """Return, per constrained column, an array: category codes for exact columns, numbers for covariate calipers."""
    for name in rules["exact"]:
        if name not in frame.columns:
            raise unknown("column", name, [str(c) for c in frame.columns])
        if frame[name].isna().any():
            raise SectorbookError(
                f"Column {name!r} has missing values; exact matching cannot tell whether they agree."
            )
    codes = [pd.factorize(frame[name])[0].astype(float) for name in rules["exact"]]
    return codes + [numbers(frame, [name])[:, 0] for name in rules["covariate_calipers"]]


def _greedy(
    points: np.ndarray, key: np.ndarray, data: Data, rules: dict, width: float, sides: list[np.ndarray]
) -> tuple[np.ndarray, int]:
    """Return matches as rows (treated position, comparison position, distance) and how many choices were tied."""
    treated, pool = np.flatnonzero(data.treated), np.flatnonzero(~data.treated)
    order = treated[np.argsort(key[treated], kind="stable")]
    limits = [0.0] * len(rules["exact"]) + list(rules["covariate_calipers"].values())
    tolerance = TIE_TOLERANCE * max(float(points.std()), np.finfo(float).tiny)
    free = np.ones(len(pool), dtype=bool)
    taken: dict[int, list[int]] = {int(i): [] for i in order}
    active, found, tied = list(order), [], set()
    for _ in range(rules["ratio"]):
        still = []
        for i in active:
            gap = points[pool] - points[i]
            away = np.abs(gap[:, 0]) if gap.shape[1] == 1 else np.sqrt((gap**2).sum(axis=1))
            allowed = (away <= width) & (True if rules["replacement"] else free)
            for side, limit in zip(sides, limits, strict=True):
                allowed &= np.abs(side[pool] - side[i]) <= limit
            allowed[taken[int(i)]] = False
            away = np.where(allowed, away, np.inf)
            best = int(away.argmin())
            if not np.isfinite(away[best]):
                continue
            near = np.flatnonzero(away <= away[best] + tolerance)
            best = int(near[0])
            if len(near) > 1:
                tied.add(int(i))
                best = _settle(near, gap, tolerance)
            taken[int(i)].append(best)
            free[best] = False
            found.append((i, pool[best], away[best]))
            still.append(i)
        active = still
    return np.array(found, dtype=float).reshape(-1, 3), len(tied)


def _settle(near: np.ndarray, gap: np.ndarray, tolerance: float) -> int:
    """Return which of the equally `near` is taken.

    On one dimension, the neighbour in the list sorted by score (rows in file order within a score): the last of those
    below the participant, else the first of those level or above. On several, the first in file order.
    """
    if gap.shape[1] > 1:
        return int(near[0])
    below = near[gap[near, 0] < -tolerance]
    return int(below[-1]) if len(below) else int(near[0])


def _weights(pairs: np.ndarray, data: Data, replacement: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return weights (each participant's matches share one unit, then scaled) and pair numbers (none with replacement)."""
    i, j = pairs[:, 0].astype(int), pairs[:, 1].astype(int)
    counts = np.bincount(i, minlength=len(data.t))
    weights = np.zeros(len(data.t))
    np.add.at(weights, j, 1 / counts[i])
    weights *= (weights > 0).sum() / weights.sum()
    weights[counts > 0] = 1.0
    subclass = np.full(len(data.t), np.nan)
    if not replacement:
        numbering = pd.factorize(i)[0]
        subclass[i] = numbering
        subclass[j] = numbering
    return weights, subclass


def audit(frame: pd.DataFrame, treatment: str, covariates: Sequence[str], match: Match) -> pd.DataFrame:
    """Check every constraint of a match against the frame, without using the matching code.

    One row each: `constraint`, `asked`, `found` (the worst case), `held`. Also whether each left-out participant truly had
    nobody left (a greedy match must not leave a possible pair).
    """
    rules, pairs = match.constraints, match.pairs
    side = frame[treatment]
    rows = []

    def note(constraint: str, asked: object, found: object, held: object) -> None:
        rows.append({"constraint": constraint, "asked": str(asked), "found": str(found), "held": bool(held)})

    a, b = frame.loc[pairs["treated"]], frame.loc[pairs["comparison"]]
    wrong = int((a[treatment].to_numpy() != 1).sum() + (b[treatment].to_numpy() != 0).sum())
    note("a participant with a comparison person", "0 wrong", f"{wrong} wrong", wrong == 0)
    per = pairs.groupby("treated").size()
    note(
        "matches per participant",
        f"at most {rules['ratio']}",
        f"{per.min()}–{per.max()}",
        per.max() <= rules["ratio"],
    )
    twice = int(pairs.duplicated(["treated", "comparison"]).sum())
    note("no pair twice", 0, twice, twice == 0)
    uses = int(pairs.groupby("comparison").size().max())
    note(
        "uses of one comparison person",
        "any" if rules["replacement"] else "at most 1",
        f"at most {uses}",
        rules["replacement"] or uses == 1,
    )
    scores = propensity_score(frame, treatment, covariates) if rules["distance"] == "propensity" else None
    eligible = np.ones((int((side == 1).sum()), int((side == 0).sum())), dtype=bool)
    left, right = frame[side == 1], frame[side == 0]
    if rules["caliper"] is not None:
        width = rules["caliper"] * scores.std()
        worst = float(
            np.abs(scores.loc[pairs["treated"]].to_numpy() - scores.loc[pairs["comparison"]].to_numpy()).max()
        )
        note("score caliper", f"{width:.6g}", f"{worst:.6g}", worst <= width)
        eligible &= np.abs(scores[side == 1].to_numpy()[:, None] - scores[side == 0].to_numpy()) <= width
    for name in rules["exact"]:
        differ = int((a[name].to_numpy() != b[name].to_numpy()).sum())
        note(f"exact on {name}", "0 differ", f"{differ} differ", differ == 0)
        eligible &= left[name].to_numpy()[:, None] == right[name].to_numpy()
    for name, limit in rules["covariate_calipers"].items():
        worst = float(np.abs(a[name].to_numpy() - b[name].to_numpy()).max())
        note(f"caliper on {name}", f"{limit:g}", f"{worst:g}", worst <= limit)
        eligible &= np.abs(left[name].to_numpy()[:, None] - right[name].to_numpy()) <= limit
    if not rules["replacement"]:
        eligible &= ~right.index.isin(pairs["comparison"])[None, :]
    missed = int(eligible[left.index.isin(list(match.unmatched))].any(axis=1).sum())
    note("left out only when nobody was left", "0 missed", f"{missed} of {len(match.unmatched)}", missed == 0)
    accounted = len(per) + len(match.unmatched) == int((side == 1).sum())
    note(
        "every participant matched or listed",
        int((side == 1).sum()),
        len(per) + len(match.unmatched),
        accounted,
    )
    share = (1 / per.loc[pairs["treated"]]).groupby(pairs["comparison"].to_numpy()).sum() / len(per)
    given = match.weights[side == 0]
    gap = float((given / given.sum() - share.reindex(given.index, fill_value=0.0)).abs().max())
    note("weights follow from the pairs", "difference 0", f"{gap:.1g}", gap < 1e-12)
    return pd.DataFrame(rows)


def matched_effect(
    frame: pd.DataFrame,
    outcome: str,
    treatment: str,
    match: Match,
    covariates: Sequence[str] = (),
    adjust: str = "none",
    level: float = 0.95,
) -> Effect:
    """Return the effect in a matched sample.

    `adjust`: "none" (weighted difference), "covariates" (weighted regression), "g-computation" (regression with treatment
    interactions, averaged over the matched participants). Standard errors are clustered by pair (CR1), or, with replacement,
    HC1 (HC3 for g-computation): Austin & Small 2014; Greifer's MatchIt vignette. They hold the match fixed. Estimand ATT, or
    ATM when participants were left out. `detail`: `estimate_other_ties` when the answer depends on tied distances.
    """
    choices = ("none", "covariates", "g-computation")
    if adjust not in choices:
        raise unknown("adjustment", adjust, choices)
    if (adjust == "none") != (len(covariates) == 0):
        raise SectorbookError(
            "Name covariates to adjust for, or leave both adjust and covariates at their defaults."
        )
    clustered = match.subclass.notna().any()
    subclass = match.subclass if clustered else None
    estimate, error, label = weighted_contrast(
        frame, outcome, treatment, match.weights, subclass, covariates, adjust
    )
    extra = {}
    if match.ties is not None:
        kept = match.ties.alternative_weights
        extra["estimate_other_ties"] = weighted_contrast(
            frame, outcome, treatment, kept, None, covariates, adjust
        )[0]
    used = match.weights > 0
    n = (int((used & (frame[treatment] == 1)).sum()), int((used & (frame[treatment] == 0)).sum()))
    rules = match.constraints
    name = f"nearest neighbour {rules['ratio']}:1, {rules['distance']}"
    name += ", with replacement" if rules["replacement"] else ""
    name += f", caliper {rules['caliper']:g} s.d." if rules["caliper"] is not None else ""
    name += f", exact on {', '.join(rules['exact'])}" if rules["exact"] else ""
    name += {"none": "", "covariates": " + covariates", "g-computation": " + g-computation"}[adjust]
    return effect("ATM" if match.unmatched else "ATT", name, estimate, error, label, n, level=level, **extra)


def weighted_contrast(
    frame: pd.DataFrame,
    outcome: str,
    treatment: str,
    weights: pd.Series,
    subclass: pd.Series | None,
    covariates: Sequence[str],
    adjust: str,
) -> tuple[float, float, str]:
    """Return estimate, standard error and its label for the rows with positive weight (see `matched_effect`)."""
    keep = (weights > 0).to_numpy()
    data = prepare(frame[keep], outcome, treatment, covariates)
    w = weights.to_numpy(dtype=float)[keep]
    columns = [np.ones(len(data.y)), data.t, data.x]
    contrast = np.zeros(2 + data.x.shape[1])
    if adjust == "g-computation":
        columns.append(data.t[:, None] * data.x)
        means = np.average(data.x[data.treated], axis=0, weights=w[data.treated])
        contrast = np.concatenate([contrast, means])
    contrast[1] = 1
    x = np.column_stack(columns)
    if subclass is None:
        se, groups = ("HC3" if adjust == "g-computation" else "HC1"), None
        label = f"{se}, weights held fixed"
    else:
        se, groups = "CR1", subclass.to_numpy()[keep]
        label = "CR1, clustered by matched pair"
    estimate, error = regress(data.y, x, se, w, groups).contrast(contrast)
    return estimate, error, label
