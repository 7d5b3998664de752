"""The partner network against igraph, against every completion of small networks, and on a real one."""

import itertools

import igraph
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sectorbook.errors import SectorbookError
from sectorbook.measures import network, network_doubt, network_files
from shared import SHARED, needs_shared

# igraph and networkx count the same shortest paths; they differ in the order of adding floating-point numbers.
ROUNDING = 1e-10


def random_graph(seed, n=12, p=0.25, directed=True):
    return nx.relabel_nodes(nx.gnp_random_graph(n, p, seed=seed, directed=directed), str)


def consortia(year):
    ties = pd.read_csv(SHARED / "data" / "networks" / f"NFDI_Netzwerk_{year}.csv", sep=";")
    ties = ties.rename(columns={"from": "source", "to": "target"})
    partners = pd.DataFrame({"partner": sorted({*ties["source"], *ties["target"]})})
    return network.partner_graph(partners, ties)


def igraph_centralization(graph, measure):
    """Freeman's centralization from igraph's centralities and the maxima its documentation gives."""
    g = igraph.Graph.from_networkx(graph)
    n = len(graph)
    undirected = g.as_undirected() if g.is_directed() else g
    match measure:
        case "degree":
            values, most = undirected.degree(), (n - 1) * (n - 2)
        case "in_degree":
            values, most = g.indegree(), (n - 1) ** 2
        case "out_degree":
            values, most = g.outdegree(), (n - 1) ** 2
        case "betweenness":
            values, most = g.betweenness(), (n - 1) ** 2 * (n - 2) / (1 if g.is_directed() else 2)
        case _:
            values, most = undirected.closeness(normalized=True), (n - 1) * (n - 2) / (2 * n - 3)
    return (max(values) - np.array(values)).sum() / most


@pytest.mark.parametrize("directed", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_measures_equal_igraph(seed, directed):
    graph = random_graph(seed, directed=directed)
    plain = graph.to_undirected()
    other = igraph.Graph.from_networkx(plain)
    for _, row in network.centralization_table(graph).iterrows():
        if row["measure"] == "closeness" and not nx.is_connected(plain):
            assert np.isnan(row["centralization"])
            continue
        assert row["centralization"] == pytest.approx(
            igraph_centralization(graph, row["measure"]), abs=ROUNDING
        )
    table = network.partner_measures(graph, seed=1)
    assert table["core"].tolist() == other.coreness()
    got = table["constraint"].to_numpy()
    assert got[~np.isnan(got)] == pytest.approx(np.array(other.constraint())[~np.isnan(got)], abs=ROUNDING)
    summary = network.network_summary(graph, 1).set_index("measure")["value"]
    assert summary["density"] == pytest.approx(igraph.Graph.from_networkx(graph).density())
    assert summary["cut_partners"] == len(other.articulation_points())
    if directed:
        assert summary["reciprocity"] == pytest.approx(igraph.Graph.from_networkx(graph).reciprocity())


@pytest.mark.parametrize("n", [3, 8, 150])
def test_a_star_is_wholly_centralized_and_a_ring_not_at_all(n):
    star = nx.star_graph(n - 1)
    assert [network.centralization(star, m) for m in ("degree", "betweenness", "closeness")] == pytest.approx(
        [1, 1, 1]
    )
    ring = nx.cycle_graph(n)
    assert [network.centralization(ring, m) for m in ("degree", "betweenness", "closeness")] == pytest.approx(
        [0, 0, 0]
    )
    inward = nx.DiGraph([(i, 0) for i in range(1, n)])
    assert network.centralization(inward, "in_degree") == pytest.approx(1)


@needs_shared
@pytest.mark.parametrize(("year", "partners", "ties"), [(2019, 23, 111), (2020, 26, 125)])
def test_the_real_consortia(year, partners, ties):
    graph = consortia(year)
    assert (len(graph), graph.number_of_edges()) == (partners, ties)
    for measure in ("degree", "in_degree", "out_degree", "betweenness", "closeness"):
        expected = igraph_centralization(graph, measure)
        assert network.centralization(graph, measure) == pytest.approx(expected, abs=ROUNDING)
    silent = [p for p in graph if graph.out_degree(p) == 0]
    bounds = network_doubt.nonresponse_bounds(graph, silent, draws=20, seed=1)
    assert (bounds["low"] <= bounds["observed"]).all() and (bounds["observed"] <= bounds["high"]).all()


@needs_shared
def test_the_two_waves_of_the_consortia():
    before, after = consortia(2019), consortia(2020)
    change = network_doubt.partner_changes(before, after)
    assert change["change"].value_counts().to_dict() == {"stayed": 14, "joined": 12, "left": 9}
    ties = network_doubt.tie_changes(before, after)["change"].value_counts()
    assert ties["kept"] + ties["dissolved"] + ties["left with a partner"] == 111
    assert ties["kept"] + ties["formed"] + ties["came with a partner"] == 125
    assert network_doubt.stability(before, after) == 22 / (22 + 35 + 8)
    test = network_doubt.qap_correlation(before, after, 99, seed=3)
    assert test["p_greater"] == 0.01  # none of 99 random relabellings comes near


def test_losing_a_bridge_cuts_the_network():
    path = nx.path_graph(["a", "b", "c", "d", "e"])
    worst = network.loss_of_each_partner(path).iloc[0]
    assert (worst["partner"], worst["pairs_disconnected"], worst["partners_cut_off"]) == ("c", 4, 2)
    by = network.loss_of_each_partner(path).set_index("partner")
    assert by.loc["a", "pairs_disconnected"] == 0
    table = network.partner_measures(path, 1).set_index("partner")
    assert table["cut_partner"].tolist() == [False, True, True, True, False]
    assert table.loc["c", "redundancy"] == 0  # its two ties know nobody in common


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000), st.booleans(), st.sampled_from([0.05, 0.15, 0.5]))
def test_loss_equals_the_measures_of_the_network_without_the_partner(seed, directed, p):
    graph = random_graph(seed, n=8, p=p, directed=directed)
    table = network.loss_of_each_partner(graph).set_index("partner")
    for partner in graph:
        rest = graph.copy()
        rest.remove_node(partner)
        plain = rest.to_undirected()
        assert table.loc[partner, "density_change"] == pytest.approx(nx.density(rest) - nx.density(graph))
        change = nx.global_efficiency(plain) - nx.global_efficiency(graph.to_undirected())
        assert table.loc[partner, "efficiency_change"] == pytest.approx(change)
        assert table.loc[partner, "components_after"] == nx.number_connected_components(plain)


def test_communities_are_the_same_with_the_same_seed():
    graph = nx.relabel_nodes(nx.connected_caveman_graph(4, 5), str)
    first = network.communities(graph, seed=7)
    assert first.equals(network.communities(graph, seed=7))
    assert first["community"].value_counts().tolist() == [5, 5, 5, 5]
    assert len(network.communities(graph, 7, resolution=20)["community"].unique()) > 4


COMPLETIONS = {
    "density": nx.density,
    "reciprocity": network.reciprocity,
    "isolates": nx.number_of_isolates,
    "efficiency": lambda g: nx.global_efficiency(g.to_undirected()),
    "highest_core": lambda g: max(nx.core_number(g.to_undirected()).values()),
    "centralization_in_degree": lambda g: network.centralization(g, "in_degree"),
    "centralization_out_degree": lambda g: network.centralization(g, "out_degree"),
}


@settings(deadline=None, max_examples=25)
@given(
    st.integers(0, 10_000),
    st.sampled_from([["0"], ["0", "1"], ["2", "3"], []]),
    st.sampled_from([0.0, 0.3, 0.7]),
)
def test_exact_bounds_are_the_extremes_of_every_completion(seed, silent, p):
    graph = random_graph(seed, n=4, p=p)
    graph.remove_edges_from([e for e in graph.edges if e[0] in silent])
    bounds = network_doubt.nonresponse_bounds(graph, silent, draws=3, seed=0).set_index("measure")
    unknown = [(s, t) for s in silent for t in graph if s != t]
    completions = []
    for there in itertools.product([False, True], repeat=len(unknown)):
        full = graph.copy()
        full.add_edges_from(tie for tie, is_there in zip(unknown, there, strict=True) if is_there)
        completions.append(full)
    for name, measure in COMPLETIONS.items():
        values = [v for v in map(measure, completions) if not np.isnan(v)]
        assert bounds.loc[name, "exact"]
        if values:
            assert bounds.loc[name, "low"] == pytest.approx(min(values)), name
            assert bounds.loc[name, "high"] == pytest.approx(max(values)), name
        else:
            assert np.isnan(bounds.loc[name, "low"])


def test_undirected_bounds_leave_named_ties_alone():
    graph = nx.Graph([("a", "b"), ("b", "c")])
    graph.add_node("d")
    bounds = network_doubt.nonresponse_bounds(graph, ["d"], draws=5, seed=0).set_index("measure")
    assert bounds.loc["density", ["low", "high"]].tolist() == [2 / 6, 5 / 6]
    assert "reciprocity" not in bounds.index


def test_a_silent_partner_who_spoke_is_an_error():
    with pytest.raises(SectorbookError, match="not having answered, but names 1"):
        network_doubt.nonresponse_bounds(nx.DiGraph([("a", "b"), ("b", "c")]), ["a"], 1, 0)


def test_the_permutation_test_matches_every_permutation():
    a, b = random_graph(1, n=5, p=0.5), random_graph(2, n=5, p=0.5)
    x, y = nx.to_numpy_array(a), nx.to_numpy_array(b, nodelist=list(a))
    off = ~np.eye(5, dtype=bool)
    observed = np.corrcoef(x[off], y[off])[0, 1]
    every = [
        np.corrcoef(x[np.ix_(o, o)][off], y[off])[0, 1] for o in map(list, itertools.permutations(range(5)))
    ]
    exact = np.mean(np.array(every) >= observed - 1e-9)
    test = network_doubt.qap_correlation(a, b, 2000, seed=5)
    assert test["correlation"] == pytest.approx(observed)
    assert test["p_greater"] == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 2000) + 1 / 2000)


def test_groups_that_keep_to_themselves_are_found():
    graph = nx.relabel_nodes(nx.connected_caveman_graph(2, 6), str)
    groups = {p: "college" if int(p) < 6 else "employer" for p in graph}
    test = network_doubt.group_mixing_test(graph, groups, 199, seed=1)
    assert test["share_within"] > 0.9 and test["p_greater"] < 0.02
    with pytest.raises(SectorbookError, match="no group: 0"):
        network_doubt.group_mixing_test(graph, {p: "x" for p in graph if p != "0"}, 9, 1)


def test_ties_merge_and_wrong_ones_are_named():
    partners = pd.DataFrame({"partner": ["a", "b", "c"], "type": ["college", None, "union"]})
    ties = pd.DataFrame(
        {"source": ["a", "b", "a"], "target": ["b", "a", "b"], "kind": ["x", "x", "y"], "weight": [1, 2, 3]}
    )
    graph = network.partner_graph(partners, ties)
    assert graph.edges["a", "b"] == {"kind": "y", "weight": 3, "reports": 2}
    assert graph.nodes["b"] == {}
    assert network.partner_graph(partners, ties, directed=False).number_of_edges() == 1
    assert network.partner_graph(partners, ties, kinds=["x"]).edges["a", "b"]["weight"] == 1
    with pytest.raises(
        SectorbookError, match=r"row 1, column 'target': Unknown partner 'cc'\. Did you mean 'c'"
    ):
        network.partner_graph(partners, pd.DataFrame({"source": ["a", "b"], "target": ["b", "cc"]}))
    with pytest.raises(SectorbookError, match="names itself"):
        network.partner_graph(partners, pd.DataFrame({"source": ["a"], "target": ["a"]}))


def test_trust_and_value_by_hand():
    ratings = pd.DataFrame(
        [
            ("a", "b", "openness", 4),
            ("a", "b", "reliability", 2),
            ("c", "b", "openness", 1),
            ("c", "b", "reliability", None),
        ],
        columns=["rater", "rated", "item", "score"],
    )
    partners, whole = network.dimension_scores(
        ratings, {"trust": ["openness", "reliability"], "value": ["power"]}, (1, 4)
    )
    assert partners.iloc[0].tolist() == ["b", "trust", 2.0, 1.0, 3.0, 2]
    trust, value = whole.to_dict("records")
    assert trust["score_pct"] == pytest.approx(100 / 3) and trust["unanswered"] == 1
    assert np.isnan(value["score"]) and value["unanswered"] == 0
    with pytest.raises(
        SectorbookError, match=r"row 0, column 'score': found 4\.0; the scale runs from 1 to 3"
    ):
        network.dimension_scores(ratings, {"trust": ["openness", "reliability"]}, (1, 3))


@pytest.mark.parametrize("directed", [True, False])
def test_every_file_form_gives_the_network_back(directed):
    graph = network.partner_graph(
        pd.DataFrame(
            {
                "partner": ["Año & Co", "b;c", '"d\ne"'],
                "type": ["college", None, "union"],
                "staff": [3, 4, None],
            }
        ),
        pd.DataFrame(
            {
                "source": ["Año & Co", "b;c"],
                "target": ["b;c", '"d\ne"'],
                "weight": [2.5, 1.0],
                "kind": ["x", None],
            }
        ),
        directed=directed,
    )
    forms = [
        network_files.from_graphml(network_files.to_graphml(graph)),
        network_files.from_gexf(network_files.to_gexf(graph)),
        network_files.from_csv(*network_files.to_csv(graph, "gephi")),
        network_files.from_csv(*network_files.to_csv(graph, "kumu")),
    ]
    for form in forms:
        assert form.is_directed() == directed
        assert dict(form.nodes(data=True)) == dict(graph.nodes(data=True))
        assert nx.utils.edges_equal(form.edges(data=True), graph.edges(data=True), directed=directed)
    assert network_files.to_gexf(graph) == network_files.to_gexf(graph.copy())
    assert b"lastmodified" not in network_files.to_gexf(graph)


@pytest.mark.parametrize(
    ("partners", "ties", "message"),
    [
        ("Id\na\nb\n", "Source,Goal\na,b\n", "Valid: Source and Target"),
        ("Id\na\nb\n", "Source,Target\na,c\n", "line 2: Unknown partner 'c'"),
        ("Id\na\na\n", "Source,Target\n", "line 3: found 'a'"),
        ("Id\na\nb\n", "Source,Target,Type\na,b,Directed\nb,a,Undirected\n", "all ties must be directed"),
        ("Id\na\nb\n", "Source,Target\na,b\na,b\n", "line 3: the tie 'a' to 'b' is there already"),
        ("Name\na\n", "Source,Target\na,a\n", "column 'Id' is missing"),
        ("", "Source,Target\n", "partners: this table is empty"),
        ("Id\na,b\n", "Source,Target\n", "row 2: found 2 cells; the header has 1"),
    ],
)
def test_a_malformed_csv_is_named(partners, ties, message):
    with pytest.raises(SectorbookError, match=message):
        network_files.from_csv(partners, ties)


def test_a_malformed_xml_is_named():
    for reader in (network_files.from_graphml, network_files.from_gexf):
        with pytest.raises(SectorbookError, match="network that can be read"):
            reader(b"<graphml><graph")
