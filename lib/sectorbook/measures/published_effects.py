"""What others found, as published: rows of the register of published numbers, nothing computed."""

import numpy as np
import pandas as pd

from sectorbook.errors import unknown

TRIAL, IN_PERCENT = "random assignment", "percent of the control group"
LATER = "later"
"""How the register marks a trial that is not in a source document."""


def impacts(published: pd.DataFrame) -> pd.DataFrame:
    """Return trials' effects in percent of the control group: `label`, `value`, `low`, `high`, `from_source_document`.

    No interval was published with these figures: `low` and `high` are missing.
    """
    chosen = published[published["kind"].eq(TRIAL) & published["unit"].eq(IN_PERCENT)]
    return chosen.assign(
        label=chosen["label"] + ", " + chosen["period"].fillna(""),
        low=np.nan,
        high=np.nan,
        from_source_document=~chosen["source_ids"].str.contains(LATER),
    ).reset_index(drop=True)


def one(published: pd.DataFrame, key: str) -> float:
    """Return one published value by its id. Raises SectorbookError for an id that is not in the register."""
    found = published.loc[published["id"].eq(key), "value"]
    if found.empty:
        raise unknown("published number", key, list(published["id"]))
    return float(found.iloc[0])


def of_workers(published: pd.DataFrame) -> pd.DataFrame:
    """Return the published numbers on workers: the two evaluations of the source documents, and the later trials."""
    own = published["id"].str.startswith(("sedlp_", "seis_"))
    return published[own | published["source_ids"].eq(LATER)].reset_index(drop=True)
