"""Primary rules: which cells must not be shown, and how wide an intruder's interval around each must stay.

Sources: Hundepool et al., *Statistical Disclosure Control* (Wiley 2012), chapter 4, for the dominance and p-percent
rules and their protection levels. The default settings are those of the ACRO project's checker for research
outputs: at least 10 units, the two largest at most 90 percent, the p-percent ratio 10 percent.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from sectorbook.disclosure.tables import COUNT, DIFFERENCE, ESTIMATE, QUANTILE
from sectorbook.errors import SectorbookError

FEW = "fewer contributors than the minimum"
TAIL = "quantile with too few on one side"
DOMINATED = "a few contributors hold nearly all of it"
ESTIMABLE = "a contributor could estimate another's share"
UNKNOWN_SHARES = "a magnitude without its largest contributions"


@dataclass(frozen=True)
class Rules:
    """The settings of one region.

    minimum: smallest number of people or firms behind a number that is shown.
    dominance_n, dominance_pct: a magnitude is withheld when its `dominance_n` largest contributors hold more than
    `dominance_pct` percent of it.
    p_pct: and when the second largest could estimate the largest contribution to within `p_pct` percent.
    hide_zeros: counts of none, and of all, are small too.
    """

    minimum: int = 10
    dominance_n: int = 2
    dominance_pct: float = 90.0
    p_pct: float = 10.0
    hide_zeros: bool = False

    def __post_init__(self) -> None:
        if self.minimum < 2 or self.dominance_n < 1:
            raise SectorbookError("The minimum cell size is at least 2, and dominance_n at least 1.")
        if not (0 < self.dominance_pct < 100 and self.p_pct > 0):
            raise SectorbookError("dominance_pct lies between 0 and 100, and p_pct is above 0.")


def floor(cell: pd.Series, rules: Rules) -> float:
    """Return the least that anyone knows a hidden cell to be.

    Where counts of zero are shown, a hidden count is at least 1; a count that is printed nowhere may be 0.
    """
    if cell["kind"] == DIFFERENCE:
        return -math.inf
    return 1.0 if cell["kind"] == COUNT and cell["shown"] and not rules.hide_zeros else 0.0


def _magnitude(cell: pd.Series, rules: Rules) -> tuple[str, float] | None:
    """Return the rule a magnitude breaks and its protection level, the larger where it breaks several.

    (n,k): 100/k x (largest n) - total. p percent: p/100 x largest - (total - two largest). Few contributors: p
    percent of the total.
    """
    total, largest = cell["value"], sorted(cell["largest"], reverse=True)
    broken = []
    if cell["contributors"] < rules.minimum:
        broken.append((FEW, rules.p_pct / 100 * abs(total)))
    if cell["kind"] != DIFFERENCE:
        if len(largest) < min(cell["contributors"], max(2, rules.dominance_n)):
            if total > 0:
                broken.append((UNKNOWN_SHARES, rules.p_pct / 100 * total))
        else:
            dominance = 100 / rules.dominance_pct * sum(largest[: rules.dominance_n]) - total
            estimate = rules.p_pct / 100 * largest[0] - (total - sum(largest[:2])) if largest else 0.0
            broken += [(DOMINATED, dominance)] if dominance > 0 else []
            broken += [(ESTIMABLE, estimate)] if estimate > 0 else []
    if not broken:
        return None
    return broken[0][0], max(level for _, level in broken)


def primary(cells: pd.DataFrame, rules: Mapping[str, Rules]) -> pd.DataFrame:
    """Return the cells that must not be shown, by address: rule, up, down, width.

    `cells` as from `tables.frame`; `rules` by region. An intruder's interval around a hidden cell must reach `up`
    above and `down` below its value and be `width` wide, in the cell's own unit. For a count below the minimum the
    interval must reach the minimum and be as wide as the rule itself leaves open, so that nobody learns more than
    that the rule may have been used.
    A magnitude whose largest contributions were not given is withheld, since no rule can be checked. A quantile is
    shown when its smaller side holds as many as the median of a group of the minimum size; so a minimum or
    maximum never is.
    """
    found = []
    for address, cell in cells.iterrows():
        own = rules[cell["region"]]
        n, kind = cell["contributors"], cell["kind"]
        if kind == COUNT:
            size = min(cell["value"], n)
            if size < own.minimum and (size > 0 or own.hide_zeros):
                up = max(own.minimum - cell["value"], 0.0)
                found.append((address, FEW, up, 0.0, own.minimum - floor(cell, own)))
        elif kind == QUANTILE:
            # Ten people above a 90th percentile are 10, not 9.999.
            side = round(n * min(cell["quantile"], 1 - cell["quantile"]), 6)
            if side < own.minimum / 2:
                found.append((address, FEW if n < own.minimum else TAIL, 0.0, 0.0, 0.0))
        elif kind == ESTIMATE:
            if n < own.minimum:
                found.append((address, FEW, 0.0, 0.0, 0.0))
        elif n > 0 or own.hide_zeros:
            broken = _magnitude(cell, own)
            if broken:
                down = min(broken[1], cell["value"] - floor(cell, own))
                found.append((address, broken[0], broken[1], down, 0.0))
    columns = ["address", "rule", "up", "down", "width"]
    return pd.DataFrame(found, columns=columns).set_index("address")
