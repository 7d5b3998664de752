"""What partners who did not answer could change, what changed between two waves, and whether chance could do it."""

from collections.abc import Callable, Collection, Mapping

import networkx as nx
import numpy as np
import pandas as pd

from sectorbook.errors import SectorbookError, unknown
from sectorbook.measures.network import centralization, efficiency


def nonresponse_bounds(graph: nx.Graph, silent: Collection[str], draws: int, seed: int) -> pd.DataFrame:
    """Return the interval of each network measure over what the partners who did not answer could have said.

    `graph` holds the ties named by those who answered. In a directed network every tie from a `silent` partner is
    unknown; in an undirected one, where one side's word is enough, every tie between a silent partner and another that
    is not there already. Unknown ties are present or absent in every possible way, and nothing is assumed about them.

    Returns `measure`, `observed` (unknown ties absent), `low`, `high`, `exact`. Exact bounds are proved: counts and
    shares by formula, measures that only grow (or only fall) with ties from the two extremes. The others
    (`exact` False) are the widest range met in `draws` seeded random completions and the extremes, so the true
    interval may be wider. Raises SectorbookError for a silent partner who is unknown or who named someone.
    """
    for name in silent:
        if name not in graph:
            raise unknown("partner", str(name), map(str, graph))
        if graph.is_directed() and graph.out_degree(name):
            raise SectorbookError(
                f"{name!r} is listed as not having answered, but names {graph.out_degree(name)} partners."
            )
    if len(graph) < 3:
        raise SectorbookError(f"Bounds need a network of 3 or more partners; this one has {len(graph)}.")
    silent = [p for p in graph if p in set(silent)]
    open_ties = _open_ties(graph, silent)
    full = graph.copy()
    full.add_edges_from(open_ties)
    rows = _monotone_bounds(graph, full)
    if graph.is_directed():
        rows += [_reciprocity_bounds(graph, silent), *_degree_bounds(graph, silent)]
    rows += _drawn_bounds(graph, full, open_ties, draws, seed)
    return pd.DataFrame(rows, columns=["measure", "observed", "low", "high", "exact"])


def _open_ties(graph: nx.Graph, silent: list[str]) -> list[tuple[str, str]]:
    if graph.is_directed():
        return [(s, t) for s in silent for t in graph if t != s]
    order = {p: i for i, p in enumerate(graph)}
    pairs = {
        tuple(sorted((s, t), key=order.get))
        for s in silent
        for t in graph
        if t != s and not graph.has_edge(s, t)
    }
    return sorted(pairs, key=lambda pair: (order[pair[0]], order[pair[1]]))


def _plain(graph: nx.Graph) -> nx.Graph:
    return graph.to_undirected() if graph.is_directed() else graph


# Each of these only rises, or only falls, when a tie is added, so its bounds are at no unknown tie and at all of them.
_MONOTONE: dict[str, Callable[[nx.Graph], float]] = {
    "density": nx.density,
    "isolates": nx.number_of_isolates,
    "components": lambda g: nx.number_connected_components(_plain(g)),
    "largest_component_share": lambda g: max(map(len, nx.connected_components(_plain(g)))) / len(g),
    "efficiency": efficiency,
    "highest_core": lambda g: max(nx.core_number(_plain(g)).values()),
}


def _monotone_bounds(graph: nx.Graph, full: nx.Graph) -> list[tuple]:
    rows = []
    for name, measure in _MONOTONE.items():
        at_none, at_all = float(measure(graph)), float(measure(full))
        rows.append((name, at_none, min(at_none, at_all), max(at_none, at_all), True))
    return rows


def _reciprocity_bounds(graph: nx.DiGraph, silent: list[str]) -> tuple:
    """Bound answered ties / ties. An answer to a tie adds two answered for one tie; a new tie adds one unanswered."""
    ties = graph.number_of_edges()
    answered = sum(graph.has_edge(b, a) for a, b in graph.edges)
    away = set(silent)
    waiting = sum(b in away for _, b in graph.edges)
    pairs_of_silent = len(away) * (len(away) - 1) // 2
    fresh = len(away) * (len(graph) - len(away)) - waiting
    most_ties = ties + waiting + 2 * pairs_of_silent
    least_ties = ties + fresh + pairs_of_silent
    observed = answered / ties if ties else np.nan
    high = (
        (answered + 2 * waiting + 2 * pairs_of_silent) / most_ties
        if most_ties
        else (0.0 if fresh else np.nan)
    )
    low = answered / least_ties if least_ties else np.nan
    return ("reciprocity", observed, low, high, True)


def _degree_bounds(graph: nx.DiGraph, silent: list[str]) -> list[tuple]:
    n, k = len(graph), len(silent)
    most = (n - 1) ** 2
    received = np.array([d for _, d in graph.in_degree()])
    room = np.array([k - (p in silent) for p in graph])
    top = received + room
    in_high = (n * top - (received.sum() + room)).max()  # every unknown tie goes to one partner
    in_low = (
        n * received.max() - np.minimum(top, received.max()).sum()
    )  # the rest catch up as far as they can
    sent = np.array([d for p, d in graph.out_degree() if p not in silent])
    highest = sent.max(initial=0)
    out_low = (highest - sent).sum()  # the silent name as many as the busiest
    out_high = max((n - 1) * n - sent.sum() - (n - 1) if k else 0, n * highest - sent.sum())
    return [
        ("centralization_in_degree", centralization(graph, "in_degree"), in_low / most, in_high / most, True),
        (
            "centralization_out_degree",
            centralization(graph, "out_degree"),
            out_low / most,
            out_high / most,
            True,
        ),
    ]


def _drawn_bounds(graph: nx.Graph, full: nx.Graph, open_ties: list, draws: int, seed: int) -> list[tuple]:
    rng = np.random.default_rng(seed)
    measures: dict[str, Callable[[nx.Graph], float]] = {
        "transitivity": lambda g: nx.transitivity(_plain(g)),
        **{
            f"centralization_{m}": lambda g, m=m: centralization(g, m)
            for m in ("degree", "betweenness", "closeness")
        },
    }
    seen: dict[str, list[float]] = {name: [] for name in measures}
    graphs = [graph, full]
    for _ in range(draws if open_ties else 0):
        present = rng.random(len(open_ties)) < rng.random()
        drawn = graph.copy()
        drawn.add_edges_from(tie for tie, there in zip(open_ties, present, strict=True) if there)
        graphs.append(drawn)
    for g in graphs:
        for name, measure in measures.items():
            seen[name].append(measure(g))
    rows = []
    for name, values in seen.items():
        defined = [v for v in values if not np.isnan(v)] or [np.nan]
        rows.append((name, values[0], min(defined), max(defined), not open_ties))
    return rows


def partner_changes(before: nx.Graph, after: nx.Graph) -> pd.DataFrame:
    """Return who joined, left and stayed: `partner`, `change`, `degree_before`, `degree_after` (missing when absent)."""
    degree_before, degree_after = dict(_plain(before).degree()), dict(_plain(after).degree())
    names = list(dict.fromkeys([*before, *after]))
    change = ["stayed" if p in before and p in after else "joined" if p in after else "left" for p in names]
    return pd.DataFrame(
        {
            "partner": names,
            "change": change,
            "degree_before": pd.array([degree_before.get(p, pd.NA) for p in names], dtype="Int64"),
            "degree_after": pd.array([degree_after.get(p, pd.NA) for p in names], dtype="Int64"),
        }
    )


def tie_changes(before: nx.Graph, after: nx.Graph) -> pd.DataFrame:
    """Return what became of each tie between two waves.

    `change` is "formed", "dissolved", "kept", "strengthened" or "weakened" (by weight) among partners of both waves,
    "came with a partner" or "left with a partner" otherwise. Columns: `source`, `target`, `change`, `weight_before`,
    `weight_after` (missing where there is no tie). Raises SectorbookError when one wave is directed and the other not.
    """
    if before.is_directed() != after.is_directed():
        raise SectorbookError("One wave is directed and the other is not; their ties cannot be compared.")
    ties = [*before.edges, *(e for e in after.edges if not before.has_edge(*e))]
    rows = []
    for source, target in ties:
        old = before.edges[source, target].get("weight", 1) if before.has_edge(source, target) else np.nan
        new = after.edges[source, target].get("weight", 1) if after.has_edge(source, target) else np.nan
        both = all(p in before and p in after for p in (source, target))
        if np.isnan(old):
            change = "formed" if both else "came with a partner"
        elif np.isnan(new):
            change = "dissolved" if both else "left with a partner"
        else:
            change = "strengthened" if new > old else "weakened" if new < old else "kept"
        rows.append((source, target, change, old, new))
    return pd.DataFrame(rows, columns=["source", "target", "change", "weight_before", "weight_after"])


def stability(before: nx.Graph, after: nx.Graph) -> float:
    """Return Jaccard's share of ties kept among partners of both waves: kept / (kept + formed + dissolved)."""
    change = tie_changes(before, after)["change"]
    kept = change.isin(["kept", "strengthened", "weakened"]).sum()
    total = kept + change.isin(["formed", "dissolved"]).sum()
    return kept / total if total else np.nan


def qap_correlation(first: nx.Graph, second: nx.Graph, permutations: int, seed: int) -> pd.Series:
    """Return the correlation of two networks of the same partners and its permutation test (QAP).

    The test relabels the partners of one network at random and counts how often the correlation is as large (Hubert
    1987; Krackhardt 1988). Only partners of both networks count. p = (as extreme + 1) / (permutations + 1).
    Returns `correlation`, `p_greater`, `p_less`, `p_two_sided`, `permutations`, `partners`; the correlation and p are
    missing when one network has no tie or all. Raises SectorbookError for fewer than 4 partners in common.
    """
    common = [p for p in first if p in second]
    if len(common) < 4:
        raise SectorbookError(
            f"The permutation test needs 4 or more partners in both networks; found {len(common)}."
        )
    a, b = (nx.to_numpy_array(g, nodelist=common, weight="weight") for g in (first, second))
    off = ~np.eye(len(common), dtype=bool)
    if a[off].std() == 0 or b[off].std() == 0:
        return _test_result(np.nan, np.empty(0), permutations, len(common), "correlation")
    z = (b[off] - b[off].mean()) / b[off].std()
    a = (a - a[off].mean()) / a[off].std()
    rng = np.random.default_rng(seed)
    observed = float(a[off] @ z / len(z))
    drawn = np.empty(permutations)
    for i in range(permutations):
        order = rng.permutation(len(common))
        drawn[i] = a[np.ix_(order, order)][off] @ z / len(z)
    return _test_result(observed, drawn, permutations, len(common), "correlation")


def group_mixing_test(graph: nx.Graph, groups: Mapping[str, str], permutations: int, seed: int) -> pd.Series:
    """Return the share of ties within groups of partners, and whether random groups of those sizes have as many.

    Labels are shuffled among the partners. Returns `share_within`, the p-values of `qap_correlation`, `permutations`
    and `partners`; missing without ties. Raises SectorbookError for a partner without a group.
    """
    missing = [p for p in graph if p not in groups]
    if missing:
        raise SectorbookError(f"These partners have no group: {', '.join(map(str, missing))}.")
    labels = pd.factorize(np.array([groups[p] for p in graph], dtype=object))[0]
    position = {p: i for i, p in enumerate(graph)}
    ends = np.array([(position[a], position[b]) for a, b in graph.edges])
    if not len(ends):
        return _test_result(np.nan, np.empty(0), permutations, len(graph), "share_within")
    rng = np.random.default_rng(seed)
    drawn = np.empty(permutations)
    for i in range(permutations):
        shuffled = rng.permutation(labels)
        drawn[i] = (shuffled[ends[:, 0]] == shuffled[ends[:, 1]]).mean()
    observed = float((labels[ends[:, 0]] == labels[ends[:, 1]]).mean())
    return _test_result(observed, drawn, permutations, len(graph), "share_within")


# Permutations that give the same ties must count as equal whatever the order of summation.
_TIE_TOLERANCE = 1e-9


def _test_result(
    observed: float, drawn: np.ndarray, permutations: int, partners: int, name: str
) -> pd.Series:
    def p(extreme: np.ndarray) -> float:
        return (int(extreme.sum()) + 1) / (permutations + 1) if len(drawn) else np.nan

    greater, less = p(drawn >= observed - _TIE_TOLERANCE), p(drawn <= observed + _TIE_TOLERANCE)
    return pd.Series(
        {
            name: observed,
            "p_greater": greater,
            "p_less": less,
            "p_two_sided": min(1.0, 2 * min(greater, less)) if len(drawn) else np.nan,
            "permutations": permutations,
            "partners": partners,
        }
    )
