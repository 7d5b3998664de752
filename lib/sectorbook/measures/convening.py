"""From an initiative's partner files to what the measures of the network and the roster take.

A wave of the partner survey has partners at the table, those of them who answered, and the ties they named. Nothing is
measured in a network of fewer than three partners: the frames are then empty.
"""

from collections.abc import Sequence

import networkx as nx
import numpy as np
import pandas as pd

from sectorbook.errors import SectorbookError
from sectorbook.measures import network, network_doubt, roster

LEAST = 3


def _has(waves: pd.Series, wave: int | None) -> pd.Series:
    return waves.map(lambda names: str(wave) in names).astype(bool)


def waves(partners: pd.DataFrame) -> list[int]:
    """Return the waves in which anyone was at the table, in order."""
    return sorted({int(wave) for names in partners["waves_at_table"] for wave in names})


def at_table(partners: pd.DataFrame) -> pd.DataFrame:
    """Return the partners of the latest wave."""
    found = waves(partners)
    return partners[_has(partners["waves_at_table"], found[-1] if found else None)].reset_index(drop=True)


def wanted(partners: pd.DataFrame) -> pd.DataFrame:
    """Return the organizations that should be at the table and never were."""
    return partners[partners["waves_at_table"].map(len) == 0].reset_index(drop=True)


def assignments(partners: pd.DataFrame) -> pd.DataFrame:
    """Return one row per partner and role: `partner`, `role`."""
    rows = [
        (p, role) for p, roles in zip(partners["partner"], partners["roles"], strict=True) for role in roles
    ]
    return pd.DataFrame(rows, columns=["partner", "role"], dtype="str")


def wave_graph(
    partners: pd.DataFrame,
    ties: pd.DataFrame,
    wave: int | None,
    kind_level: dict[str, int],
    least_level: int = 1,
) -> nx.DiGraph:
    """Return the directed network of one wave, ties weighing the level of their kind (1 when it is not known).

    Each tie also has its `kind` and `frequency`, each partner the attributes `type` and `answered`: it is listed as having
    answered, or named someone. Ties of a kind below `least_level` are left out, and so are ties to partners not at the table
    in that wave; their number is `graph.graph["outside"]`. Raises SectorbookError for a level no kind has.
    """
    if least_level not in set(kind_level.values()):
        raise SectorbookError(
            f"least_level is {least_level}; the kinds have the levels {sorted(set(kind_level.values()))}."
        )
    here = partners[_has(partners["waves_at_table"], wave)]
    named = ties[ties["wave"] == wave] if wave is not None else ties.iloc[:0]
    weight = named["kind"].map(kind_level).fillna(1).astype(float)
    named = named.reindex(columns=["source", "target", "kind", "frequency"]).assign(weight=weight)
    inside = named["source"].isin(here["partner"]) & named["target"].isin(here["partner"])
    answered = _has(here["waves_answered"], wave) | here["partner"].isin(named["source"])
    nodes = here[["partner", "type"]].assign(answered=answered)
    graph = network.partner_graph(nodes, named[inside & (weight >= least_level)])
    graph.graph["outside"] = int((~inside).sum())
    return graph


def silent(graph: nx.DiGraph) -> list[str]:
    """Return the partners that did not answer."""
    return [name for name, told in graph.nodes(data="answered") if not told]


def positions(graph: nx.Graph, seed: int) -> pd.DataFrame:
    """Return where each partner stands on a map: `partner`, `x`, `y` within -1 to 1 (Fruchterman and Reingold 1991).

    Pieces without a tie to the rest are kept near, so that one of them does not shrink the map.
    """
    if not len(graph):
        return pd.DataFrame(
            {"partner": pd.Series(dtype="str"), "x": pd.Series(dtype=float), "y": pd.Series(dtype=float)}
        )
    plain = nx.Graph(graph.to_undirected())
    spread = 4 / np.sqrt(len(plain))
    spot = nx.spring_layout(plain, k=spread, iterations=300, weight=None, seed=seed, method="force")
    table = pd.DataFrame([(name, *xy) for name, xy in spot.items()], columns=["partner", "x", "y"])
    for axis in ("x", "y"):
        middle = table[axis].median()
        reach = (table[axis] - middle).abs().quantile(0.9) or 1.0
        table[axis] = np.clip((table[axis] - middle) / reach, -1.25, 1.25) / 1.25
    return table


def partner_table(graph: nx.DiGraph, seed: int) -> pd.DataFrame:
    """Return `network.partner_measures` with `type`, `answered` and `broker`, the best tied first.

    A broker is above the median in betweenness and below it in redundancy per tie. No rows for fewer than three partners.
    """
    columns = [
        "partner",
        "degree",
        "in_degree",
        "out_degree",
        "betweenness",
        "closeness",
        "core",
        "community",
    ]
    if len(graph) < LEAST:
        empty = ["cut_partner", "constraint", "effective_size", "redundancy", "type", "answered", "broker"]
        return pd.DataFrame(columns=[*columns, *empty]).astype({"degree": float})
    table = network.partner_measures(graph, seed)
    for name in ("type", "answered"):
        table[name] = table["partner"].map(dict(graph.nodes(data=name)))
    repeated = table["redundancy"] / table["degree"]
    table["broker"] = (table["betweenness"] > table["betweenness"].median()) & (repeated < repeated.median())
    return table.sort_values(["degree", "betweenness"], ascending=False, kind="stable", ignore_index=True)


def tie_table(graph: nx.Graph) -> pd.DataFrame:
    """Return the ties: `source`, `target`, `weight`."""
    return pd.DataFrame(list(graph.edges(data="weight")), columns=["source", "target", "weight"])


def bounds(graph: nx.DiGraph, labels: dict[str, str], draws: int, seed: int) -> pd.DataFrame:
    """Return the measures named in `labels` with what the silent partners could make of them.

    As `network_doubt.nonresponse_bounds`, with `measure_label`; no rows for fewer than three partners.
    """
    if len(graph) < LEAST:
        return pd.DataFrame(columns=["measure", "observed", "low", "high", "exact", "measure_label"])
    table = network_doubt.nonresponse_bounds(graph, silent(graph), draws, seed)
    table = table[table["measure"].isin(labels)]
    return table.assign(measure_label=table["measure"].map(labels)).reset_index(drop=True)


def value_of(table: pd.DataFrame, measure: str) -> pd.Series:
    """Return one row of `bounds`, all missing when it is not there."""
    found = table[table["measure"] == measure]
    return found.iloc[0] if len(found) else pd.Series({"observed": np.nan, "low": np.nan, "high": np.nan})


def losses(graph: nx.DiGraph) -> pd.DataFrame:
    """Return `network.loss_of_each_partner`, no rows for fewer than three partners; `efficiency_change_pct` in percent."""
    if len(graph) < LEAST:
        return pd.DataFrame(
            columns=[
                "partner",
                "ties_lost",
                "components_after",
                "partners_cut_off",
                "pairs_disconnected",
                "efficiency_change_pct",
            ]
        )
    table = network.loss_of_each_partner(graph)
    whole = network.efficiency(graph)
    return table.assign(efficiency_change_pct=100 * table["efficiency_change"] / whole if whole else np.nan)


def ratings(ties: pd.DataFrame, wave: int | None, items: Sequence[str]) -> pd.DataFrame:
    """Return the scores of one wave in long form: `rater`, `rated`, `item`, `score`."""
    here = ties[ties["wave"] == wave] if wave is not None else ties.iloc[:0]
    long = here.melt(["source", "target"], list(items), "item", "score")
    return long.rename(columns={"source": "rater", "target": "rated"}).astype({"score": "Float64"})


def change_counts(before: nx.DiGraph, after: nx.DiGraph) -> pd.DataFrame:
    """Return how many ties and partners changed between two waves, and how: `what`, `change_kind`, `changed_count`."""
    parts = []
    for what, table in (
        ("Partners", network_doubt.partner_changes(before, after)),
        ("Ties", network_doubt.tie_changes(before, after)),
    ):
        counts = table["change"].value_counts().rename_axis("change_kind").reset_index(name="changed_count")
        parts.append(counts.assign(what=what))
    return pd.concat(parts, ignore_index=True)[["what", "change_kind", "changed_count"]]


def same_ties_test(before: nx.DiGraph, after: nx.DiGraph, permutations: int, seed: int) -> pd.Series:
    """Return how alike two waves' ties are among partners who answered both, and whether chance could do it (QAP).

    Missing with fewer than four such partners.
    """
    both = [p for p in before if p in after and before.nodes[p]["answered"] and after.nodes[p]["answered"]]
    first, second = before.subgraph(both), after.subgraph(both)
    if len(both) < 4:
        return pd.Series(
            {"correlation": np.nan, "p_greater": np.nan, "partners": len(both), "stability": np.nan}
        )
    test = network_doubt.qap_correlation(first, second, permutations, seed)
    return pd.concat([test, pd.Series({"stability": network_doubt.stability(first, second)})])


def candidates(
    scorecard: pd.DataFrame, items: pd.DataFrame, scale: tuple[float, float], conflict_item: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return `roster.convener_scorecard` over the groups of lines in use; no rows when nobody was scored."""
    if scorecard.empty:
        groups = pd.DataFrame(columns=["candidate", "group", "score", "low", "high", "evidenced", "items"])
        return groups, pd.DataFrame(
            columns=["candidate", "score", "low", "high", "conflict_of_interest", "clearly_ahead_of"]
        )
    group_of = items.set_index("id")["group"]
    used = {*group_of.reindex(scorecard["item"]), group_of[conflict_item]}
    lines = items[items["group"].isin(used)]
    groups, whole = roster.convener_scorecard(
        scorecard, lines.rename(columns={"id": "item"}), scale, conflict_item
    )
    return tuple(t.assign(score=t["score"].astype("Float64").astype("float64")) for t in (groups, whole))


def joined(values: pd.Series, labels: dict[str, str] | None = None) -> pd.Series:
    """Return tuples as text, each entry under its label, with semicolons."""
    return values.map(lambda names: "; ".join((labels or {}).get(name, str(name)) for name in names)).astype(
        "str"
    )


# What a chapter shows of the whole network, and how it calls it. All lie between 0 and 1.
MEASURES = {
    "density": "Density: ties of all possible",
    "reciprocity": "Reciprocity: ties answered",
    "transitivity": "Transitivity: closed triangles",
    "efficiency": "Efficiency: mean of one over distance",
    "largest_component_share": "Partners in the largest piece",
    "centralization_in_degree": "Centralization by ties received",
    "centralization_out_degree": "Centralization by ties named",
    "centralization_betweenness": "Centralization by betweenness",
    "centralization_closeness": "Centralization by closeness",
}


def chosen_wave(partners: pd.DataFrame, wave: int) -> int | None:
    """Return `wave`, or for 0 the latest there is, or None when there is none. Raises SectorbookError for one not on file."""
    found = waves(partners)
    if wave and wave not in found:
        raise SectorbookError(f"wave is {wave}; on file are the waves {found or 'none'}. 0 takes the latest.")
    return wave or (found[-1] if found else None)


def wave_before(partners: pd.DataFrame, wave: int | None) -> int | None:
    """Return the wave before `wave`, or None."""
    earlier = [w for w in waves(partners) if wave is not None and w < wave]
    return earlier[-1] if earlier else None


def map_frame(graph: nx.Graph, table: pd.DataFrame, groups: dict[str, str], seed: int) -> pd.DataFrame:
    """Return `table` (of `partner_table`) with `map_number`, `x`, `y` and `group`, the name in `groups` of each type."""
    spots = positions(graph, seed)
    out = table.merge(spots, on="partner", how="left").assign(map_number=range(1, len(table) + 1))
    return out.assign(group=out["type"].map(groups).fillna("Type not recorded"))


def known(value: float, frame: pd.DataFrame) -> float:
    """Return `value`, or missing when `frame` has no rows: nothing was counted, which is not zero."""
    return value if len(frame) else np.nan


def said(flags: pd.Series) -> pd.Series:
    """Return truth values as the words yes and no, missing where they are."""
    return flags.astype("boolean").map({True: "yes", False: "no"}).astype("str")
