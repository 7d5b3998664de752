"""The systems-change log: from barrier to evidence, in three arenas."""

import pandas as pd

STAGES = ("idea", "piloted", "adopted", "spread")


def log(changes: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Return the log with names in place of ids, oldest first, with `stage_level` (1 idea to 4 spread) and `date`.

    `changes` as in the initiative's file; `items` of the systems-change instrument: `id`, `label`, `level`.
    """
    names = dict(zip(items["id"], items["label"], strict=True))
    levels = dict(zip(items["id"], items["level"], strict=True))
    named = {
        column: changes[column].map(names).astype("str")
        for column in ("arena", "kind", "stage", "attribution")
    }
    level = changes["stage"].map(levels).astype("float64")
    when = pd.to_datetime(changes["month"], format="%Y-%m")
    table = changes.assign(**named, stage_level=level, date=when)
    return table.sort_values(["date", "change"], ignore_index=True)


def counts(changes: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Return changes by arena and stage, each arena with a row: `arena`, the `STAGES`, `with_evidence`, `also_called`.

    `with_evidence`: adopted or spread, with evidence named; only those count as outcomes. `also_called`: the other names the
    source documents have for the arena.
    """
    rows = []
    for arena in items[items["group"] == "arena"].itertuples():
        here = changes[changes["arena"] == arena.id]
        by = here["stage"].value_counts()
        firm = here["stage"].isin(["adopted", "spread"]) & here["evidence"].notna()
        others = (arena.note or "").removeprefix("also called: ")
        rows.append((arena.label, *(int(by.get(s, 0)) for s in STAGES), int(firm.sum()), others))
    return pd.DataFrame(rows, columns=["arena", *STAGES, "with_evidence", "also_called"])


def examples(items: pd.DataFrame) -> pd.DataFrame:
    """Return where to begin and the questions of leverage: `example_kind`, `arena`, `example_text`."""
    arenas = dict(zip(items["id"], items["label"], strict=True))
    kinds = {"step": "Where to begin", "question": "Question of leverage"}
    chosen = items[items["group"].isin(kinds)]
    parts = [chosen[chosen["group"] == kind] for kind in kinds]
    table = pd.concat(parts)
    arena = table["note"].map(arenas).fillna("any arena")
    return pd.DataFrame(
        {"example_kind": table["group"].map(kinds), "arena": arena, "example_text": table["label"]}
    ).reset_index(drop=True)


CASE = [
    "case_name",
    "arena",
    "change_barrier",
    "change_strategy",
    "change_title",
    "change_evidence",
    "reach_told",
]


def cases(lines: pd.DataFrame, items: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return the source's worked cases in the form of the log (`CASE`), one row a case.

    `lines`: `group` (the case), `note` (the column), `label`. An arena is named as in `items`; the reach is looked up in
    `published` (`id`, `value`, `note`) and written with its note, as in "more than 16,000". What the source does not say is
    missing.
    """
    names = dict(zip(items["id"], items["label"], strict=True))
    told = {
        number.id: f"{str(number.note).rstrip('.').lower() + ' ' if isinstance(number.note, str) else ''}{number.value:,.0f}"
        for number in published.itertuples()
    }
    wide = lines.pivot(index="group", columns="note", values="label").reindex(lines["group"].unique())
    table = wide.rename(columns={"reach": "reach_told"}).reindex(columns=CASE).reset_index(drop=True)
    return table.assign(arena=table["arena"].map(names), reach_told=table["reach_told"].map(told))
