"""What stands behind the cells of a table on people: the declaration the disclosure gate reads."""

from collections.abc import Mapping, Sequence

import pandas as pd


def _whole(values: pd.Series) -> list[int]:
    return [0 if pd.isna(value) else int(value) for value in values]


def declared(
    frame: pd.DataFrame,
    counts: Sequence[str] = (),
    shares: Mapping[str, tuple[str, str]] | None = None,
    estimates: Mapping[str, str] | None = None,
    means: Mapping[str, tuple[str, str]] | None = None,
    public: Sequence[str] = (),
    relations: Sequence[dict] = (),
) -> dict:
    """Return the `disclosure` of a table.

    `counts`: columns that count people. `shares`: column -> (numerator, denominator), both columns of the table. `estimates`:
    column -> the column with the people behind it (the smallest group). `means`: column -> (the column with the people
    behind it, the column that lists the largest contributions). `public`: names of groups and whatever is of nobody.
    `relations`: which cells add up, as {"total": address, "parts": [addresses]}.
    """
    shares, estimates, means = shares or {}, estimates or {}, means or {}
    behind = (
        {column: column for column in counts}
        | {column: denominator for column, (_, denominator) in shares.items()}
        | dict(estimates)
        | {column: people for column, (people, _) in means.items()}
    )
    statistic = (
        dict.fromkeys(counts, "count")
        | dict.fromkeys(shares, "share")
        | dict.fromkeys(estimates, "estimate")
        | dict.fromkeys(means, "mean")
    )
    return {
        "contributors": {column: _whole(frame[people]) for column, people in behind.items()},
        "statistic": statistic,
        "of": {column: list(pair) for column, pair in shares.items()}
        | {column: [None, people] for column, (people, _) in means.items()},
        "largest": {
            column: [list(entry) for entry in frame[largest]] for column, (_, largest) in means.items()
        },
        "public": list(public),
        "relations": list(relations),
    }


def sums(table: str, frame: pd.DataFrame, columns: Sequence[str], total: str) -> list[dict]:
    """Return that in each of `columns` the rows of the table at address `table` add up to its row `total`, by position.

    `total`: the value of the first column that marks the row of the sum. Nothing where the table has no such row.
    """
    rows = [i for i, name in enumerate(frame.iloc[:, 0]) if name == total]
    if not rows:
        return []
    parts = [i for i in range(len(frame)) if i != rows[0]]
    return [
        {"total": f"{table}#{rows[0]}/{column}", "parts": [f"{table}#{i}/{column}" for i in parts]}
        for column in columns
        if parts
    ]
