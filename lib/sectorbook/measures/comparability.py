"""May initiatives be ranked? Only declared peers of like aim and like size; elsewhere the reason is given."""

import numpy as np
import pandas as pd

# Initiatives whose size differs by more than this factor are unlike in size, whatever group they declare.
SIZE_RATIO = 3.0
COLUMNS = ["initiative", "aim", "people_per_year", "peer_group", "peer_value", "peer_rank", "why_not"]


def compare(peers: pd.DataFrame) -> pd.DataFrame:
    """Rank initiatives where it is fair and say why not elsewhere (`COLUMNS`).

    `peers`: `initiative`, `aim`, `people_per_year`, `peer_group`, `indicator`, `value`. Ranked are two or more that declare
    one peer group, have one aim and one indicator, a value each, and sizes within a factor of `SIZE_RATIO`; largest value
    first. Every other one keeps its row without a rank. B34: a thousand trained a year, three apprentices and a set of skill
    standards are not more or less of one thing.
    """
    table = peers.assign(peer_value=peers["value"], peer_rank=np.nan, why_not="it declares no peer group")
    for _, group in table.dropna(subset=["peer_group"]).groupby("peer_group"):
        reason = _unlike(group)
        table.loc[group.index, "why_not"] = reason or "ranked"
        if not reason:
            ranks = group["value"].astype(float).rank(ascending=False, method="min")
            table.loc[group.index, "peer_rank"] = ranks
    return table[COLUMNS].assign(aim=table["aim"].str.replace("_", " "))


def _unlike(group: pd.DataFrame) -> str:
    """Return why a declared group cannot be ranked, or nothing."""
    if len(group) < 2:
        return "nobody else declares its peer group"
    if group["aim"].nunique() > 1:
        aims = sorted(aim.replace("_", " ") for aim in group["aim"].unique())
        return f"its peers have other aims: {', '.join(aims)}"
    if group["value"].isna().any() or group["indicator"].isna().any() or group["indicator"].nunique() > 1:
        return "not every peer gives the same indicator"
    sizes = group["people_per_year"].astype(float)
    if sizes.min() <= 0 or sizes.max() / sizes.min() > SIZE_RATIO:
        return f"its peers are unlike in size: {sizes.min():,.0f} to {sizes.max():,.0f} people a year"
    return ""


def cases(items: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return the source's five initiatives as rows for `compare`, as if all declared themselves peers: a test of the guard.

    `items`: `label`, `group` (the aim), `note` (id of the published number, where there is one).
    """
    numbers = published.set_index("id")["value"]
    value = items["note"].map(numbers)
    return pd.DataFrame(
        {
            "initiative": items["label"], "aim": items["group"], "people_per_year": value, "peer_group": "all five",
            "indicator": None, "value": value,
        }
    )  # fmt: skip
