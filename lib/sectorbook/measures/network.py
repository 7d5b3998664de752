"""Measures of the partner network: density, reciprocity, centralization, cores, communities, brokers, loss of a partner.

A network is a networkx graph; `DiGraph` when ties are directed (who names whom), `Graph` when they are not. The graph
algorithms are networkx's. Freeman's centralization (Freeman 1979, Social Networks 1:215-239) is put together here.
"""

from collections.abc import Callable, Iterable

import networkx as nx
import numpy as np
import pandas as pd
from scipy.sparse import csgraph, csr_array

from sectorbook.errors import SectorbookError, unknown


def partner_graph(
    partners: pd.DataFrame, ties: pd.DataFrame, directed: bool = True, kinds: Iterable[str] | None = None
) -> nx.Graph:
    """Return the network of `partners` and their `ties`.

    `partners`: `partner` and any attributes (missing ones are left off). `ties`: `source`, `target`, optional `kind`
    and `weight` (1 when absent). `kinds` keeps only ties of those kinds. Ties given more than once become one tie
    with the largest weight and their number as `reports`; in an undirected network a tie stands if either side names it.
    Raises SectorbookError for a partner listed twice, a tie to a partner not listed, a tie to oneself, and a
    weight that is missing or not above 0.
    """
    twice = partners["partner"][partners["partner"].duplicated()]
    if len(twice):
        raise SectorbookError(
            f"partners, row {twice.index[0]!r}: {twice.iloc[0]!r} is listed twice; each partner has one row."
        )
    graph = nx.DiGraph() if directed else nx.Graph()
    for record in partners.to_dict("records"):
        name = record.pop("partner")
        graph.add_node(name, **{k: v for k, v in record.items() if not pd.isna(v)})
    if kinds is not None:
        kinds = list(kinds)
        for kind in kinds:
            if kind not in set(ties["kind"]):
                raise unknown("kind of tie", kind, ties["kind"].dropna().unique())
        ties = ties[ties["kind"].isin(kinds)]
    for row, record in zip(ties.index, ties.to_dict("records"), strict=True):
        source, target = record.pop("source"), record.pop("target")
        for column, name in (("source", source), ("target", target)):
            if name not in graph:
                raise SectorbookError(
                    f"ties, row {row!r}, column {column!r}: {unknown('partner', str(name), map(str, graph))}"
                )
        if source == target:
            raise SectorbookError(f"ties, row {row!r}: {source!r} names itself; a tie joins two partners.")
        weight = record.pop("weight", 1)
        if not weight > 0:
            raise SectorbookError(
                f"ties, row {row!r}, column 'weight': found {weight}; a tie weighs more than 0."
            )
        attributes = {k: v for k, v in record.items() if not pd.isna(v)}
        if graph.has_edge(source, target):
            edge = graph.edges[source, target]
            edge["reports"] += 1
            if weight > edge["weight"]:
                edge.update(attributes, weight=weight)
        else:
            graph.add_edge(source, target, **attributes, weight=weight, reports=1)
    return graph


def _undirected(graph: nx.Graph) -> nx.Graph:
    return graph.to_undirected() if graph.is_directed() else graph


def efficiency(graph: nx.Graph) -> float:
    """Return the mean of 1/distance over all pairs of partners, directions ignored and 0 for pairs that are apart.

    Latora and Marchiori (2001). Distances are scipy's, which takes milliseconds where networkx takes seconds.
    """
    return _efficiency(nx.to_numpy_array(_undirected(graph), weight=None))


def _efficiency(ties: np.ndarray) -> float:
    if len(ties) < 2:
        return 0.0
    distance = csgraph.shortest_path(csr_array(ties), directed=False, unweighted=True)
    np.fill_diagonal(distance, np.inf)
    return float((1 / distance).sum() / (len(ties) * (len(ties) - 1)))


def _needs(graph: nx.Graph, nodes: int, what: str) -> None:
    if len(graph) < nodes:
        raise SectorbookError(
            f"{what} needs a network of {nodes} or more partners; this one has {len(graph)}."
        )


def reciprocity(graph: nx.DiGraph) -> float:
    """Return the share of directed ties that are answered by a tie back; missing when there is no tie."""
    if not graph.is_directed():
        raise SectorbookError("Reciprocity is a property of directed ties; this network is undirected.")
    return nx.overall_reciprocity(graph) if graph.number_of_edges() else np.nan


# Largest possible sum of differences from the most central partner, in a network of n, for centralities as named.
# All are reached by a star: undirected; for in-degree and out-degree, directed; for betweenness, directed both ways.
_MOST_CENTRALIZED: dict[str, tuple[str, Callable[[int], float]]] = {
    "degree": ("sum of degree differences / ((n-1)(n-2)), undirected ties", lambda n: (n - 1) * (n - 2)),
    "in_degree": ("sum of in-degree differences / (n-1)^2", lambda n: (n - 1) ** 2),
    "out_degree": ("sum of out-degree differences / (n-1)^2", lambda n: (n - 1) ** 2),
    "betweenness": ("sum of differences of betweenness (0 to 1) / (n-1)", lambda n: n - 1),
    "closeness": (
        "sum of differences of closeness (0 to 1) / ((n-1)(n-2)/(2n-3)), undirected ties, connected networks only",
        lambda n: (n - 1) * (n - 2) / (2 * n - 3),
    ),
}


def _centrality(graph: nx.Graph, measure: str) -> list[float]:
    match measure:
        case "degree":
            return [d for _, d in _undirected(graph).degree()]
        case "in_degree":
            return [d for _, d in graph.in_degree()]
        case "out_degree":
            return [d for _, d in graph.out_degree()]
        case "betweenness":
            return list(nx.betweenness_centrality(graph, normalized=True).values())
        case _:
            return list(nx.closeness_centrality(_undirected(graph)).values())


def centralization(graph: nx.Graph, measure: str) -> float:
    """Return Freeman's centralization: 0 when all partners are equally central, 1 for a star.

    C = sum(max(c) - c_i) / the largest such sum any network of n partners can have (Freeman 1979). `measure` is
    "degree" or "closeness" (tie directions ignored), "betweenness" (directions kept), "in_degree" or "out_degree"
    (directed networks). `centralization_table` states each normalisation. Closeness is missing for a network in more
    than one piece, where distances are not all defined. Raises SectorbookError for fewer than 3 partners or an
    unknown measure.
    """
    _needs(graph, 3, "Centralization")
    if measure not in _MOST_CENTRALIZED:
        raise unknown("centralization", measure, _MOST_CENTRALIZED)
    if measure in ("in_degree", "out_degree") and not graph.is_directed():
        raise SectorbookError(f"Centralization by {measure} needs directed ties; this network is undirected.")
    if measure == "closeness" and not nx.is_connected(_undirected(graph)):
        return np.nan
    values = np.array(_centrality(graph, measure), dtype=float)
    return float((values.max() - values).sum() / _MOST_CENTRALIZED[measure][1](len(graph)))


def centralization_table(graph: nx.Graph) -> pd.DataFrame:
    """Return every centralization that fits the network: `measure`, `centralization`, `normalisation`, `partners`."""
    fits = [m for m in _MOST_CENTRALIZED if graph.is_directed() or m not in ("in_degree", "out_degree")]
    return pd.DataFrame(
        {
            "measure": fits,
            "centralization": [centralization(graph, m) for m in fits],
            "normalisation": [_MOST_CENTRALIZED[m][0] for m in fits],
            "partners": len(graph),
        }
    )


def communities(graph: nx.Graph, seed: int, resolution: float = 1.0) -> pd.DataFrame:
    """Return the communities found by the Louvain method, largest first.

    Tie directions are ignored and weights used (Blondel et al. 2008). The result depends on `seed`; `resolution` above
    1 gives more, smaller communities. Returns `partner`, `community` (1, 2, …); `attrs["modularity"]` is the partition's.
    """
    plain = _undirected(graph)
    found = nx.community.louvain_communities(plain, weight="weight", resolution=resolution, seed=seed)
    found = sorted(found, key=lambda c: (-len(c), sorted(map(str, c))))
    table = pd.DataFrame(
        [(p, n) for n, c in enumerate(found, 1) for p in sorted(c, key=str)], columns=["partner", "community"]
    )
    table.attrs["modularity"] = (
        nx.community.modularity(plain, found, weight="weight", resolution=resolution)
        if plain.number_of_edges()
        else np.nan
    )
    return table


def partner_measures(graph: nx.Graph, seed: int) -> pd.DataFrame:
    """Return one row per partner: how central, how embedded, whether a broker, how redundant.

    `degree` (partners tied to, direction ignored), `in_degree` and `out_degree` (directed networks), `betweenness` and
    `closeness` (0 to 1; closeness by Wasserman and Faust's rule in a network of several pieces), `core` (the k of the
    highest k-core), `community` (`communities` with `seed`), `cut_partner` (its loss breaks the network apart), and
    Burt's (1992) `constraint`, `effective_size` and `redundancy` = degree - effective size, missing for a partner
    without ties. A broker has high betweenness, low constraint and little redundancy.
    """
    plain = _undirected(graph)
    frame = pd.DataFrame({"partner": list(graph)})

    def column(values: dict) -> pd.Series:
        return frame["partner"].map(values)

    frame["degree"] = column(dict(plain.degree()))
    if graph.is_directed():
        frame["in_degree"] = column(dict(graph.in_degree()))
        frame["out_degree"] = column(dict(graph.out_degree()))
    frame["betweenness"] = column(nx.betweenness_centrality(graph))
    frame["closeness"] = column(nx.closeness_centrality(plain))
    frame["core"] = column(nx.core_number(plain))
    frame["community"] = column(communities(graph, seed).set_index("partner")["community"])
    frame["cut_partner"] = frame["partner"].isin(set(nx.articulation_points(plain)))
    frame["constraint"] = column(nx.constraint(plain)).astype(float)
    frame["effective_size"] = column(nx.effective_size(plain)).astype(float)
    frame["redundancy"] = frame["degree"] - frame["effective_size"]
    return frame


def network_summary(graph: nx.Graph, seed: int) -> pd.DataFrame:
    """Return the measures of the whole network as `measure`, `value`; what is not defined is missing.

    Needs 3 partners. Distances ignore direction; `efficiency` is the mean of 1/distance over all pairs, 0 when apart.
    """
    _needs(graph, 3, "A network summary")
    plain = _undirected(graph)
    pieces = sorted(map(len, nx.connected_components(plain)), reverse=True)
    found = communities(graph, seed)
    values = {
        "partners": len(graph),
        "ties": graph.number_of_edges(),
        "density": nx.density(graph),
        "reciprocity": reciprocity(graph) if graph.is_directed() else np.nan,
        "isolates": nx.number_of_isolates(graph),
        "components": len(pieces),
        "largest_component_share": pieces[0] / len(graph),
        "transitivity": nx.transitivity(plain),
        "efficiency": efficiency(plain),
        "highest_core": max(nx.core_number(plain).values()),
        "communities": found["community"].max(),
        "modularity": found.attrs["modularity"],
        "cut_partners": len(set(nx.articulation_points(plain))),
    }
    for _, row in centralization_table(graph).iterrows():
        values[f"centralization_{row['measure']}"] = row["centralization"]
    return pd.DataFrame({"measure": list(values), "value": np.array(list(values.values()), dtype=float)})


def loss_of_each_partner(graph: nx.Graph) -> pd.DataFrame:
    """Return what the network loses when each partner leaves, worst first.

    `ties_lost`; `components_after` (pieces among the rest); `partners_cut_off` (of the rest, outside the largest piece);
    `pairs_disconnected` (pairs of the rest that were connected and no longer are); `density_change` and
    `efficiency_change` (after - before, among all who remain).
    """
    _needs(graph, 3, "The loss of a partner")
    plain = _undirected(graph)
    ties = nx.to_numpy_array(plain, weight=None)
    density, base = nx.density(graph), _efficiency(ties)
    piece_size = {p: len(c) for c in nx.connected_components(plain) for p in c}
    connected_pairs = sum(s * (s - 1) // 2 for s in (len(c) for c in nx.connected_components(plain)))
    rows = []
    for i, partner in enumerate(graph):
        rest = np.delete(np.delete(ties, i, axis=0), i, axis=1)
        sizes = np.bincount(csgraph.connected_components(csr_array(rest), directed=False)[1])
        still = int((sizes * (sizes - 1) // 2).sum())
        left = graph.number_of_edges() - graph.degree(partner)
        possible = (len(rest) * (len(rest) - 1)) // (1 if graph.is_directed() else 2)
        rows.append(
            {
                "partner": partner,
                "ties_lost": graph.degree(partner),
                "components_after": len(sizes),
                "partners_cut_off": len(rest) - int(sizes.max()),
                "pairs_disconnected": connected_pairs - (piece_size[partner] - 1) - still,
                "density_change": left / possible - density,
                "efficiency_change": _efficiency(rest) - base,
            }
        )
    order = ["pairs_disconnected", "efficiency_change", "ties_lost"]
    return pd.DataFrame(rows).sort_values(
        order, ascending=[False, True, False], kind="stable", ignore_index=True
    )


def dimension_scores(
    ratings: pd.DataFrame, dimensions: dict[str, list[str]], scale: tuple[float, float]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return trust and value (or other dimensions) of the partners, PARTNER style (Varda et al. 2008).

    `ratings`: `rater`, `rated`, `item`, `score`; a missing score is no answer. `dimensions` names each dimension's
    items; `scale` is (lowest, highest). A rater's score for a dimension is the mean of the items answered.

    Returns two frames. Per partner and dimension: `rated`, `dimension`, `score` (mean over raters), `low_score`,
    `high_score` (the range over raters), `raters`. For the network: `dimension`, `score_pct` = the mean of all raters'
    scores as a share of the way from the lowest to the highest point of the scale, in percent, `score`, `ratings`,
    `unanswered`. Raises SectorbookError for an item no dimension has, or a score off the scale.
    """
    low, high = scale
    dimension_of = {item: name for name, items in dimensions.items() for item in items}
    for row, item, score in ratings[["item", "score"]].itertuples():
        if item not in dimension_of:
            raise SectorbookError(f"ratings, row {row!r}: {unknown('item', str(item), dimension_of)}")
        if not pd.isna(score) and not low <= score <= high:
            raise SectorbookError(
                f"ratings, row {row!r}, column 'score': found {score}; the scale runs from {low} to {high}."
            )
    named = ratings.assign(dimension=ratings["item"].map(dimension_of))
    by_rater = named.groupby(["rated", "dimension", "rater"])["score"].mean().dropna().reset_index()
    partners = (
        by_rater.groupby(["rated", "dimension"])["score"]
        .agg(score="mean", low_score="min", high_score="max", raters="count")
        .reset_index()
    )
    whole = (
        by_rater.groupby("dimension")["score"].agg(score="mean", ratings="count").reindex(list(dimensions))
    )
    unanswered = (
        named["score"].isna().groupby(named["dimension"]).sum().reindex(list(dimensions), fill_value=0)
    )
    whole = whole.assign(score_pct=100 * (whole["score"] - low) / (high - low), unanswered=unanswered)
    return partners, whole.reset_index()[["dimension", "score_pct", "score", "ratings", "unanswered"]]
