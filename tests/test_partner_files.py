"""A network from elsewhere becomes an initiative's files: what we export comes back, real networks run, faults are named."""

import networkx as nx
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sectorbook import cli, config, partner_files, paths, warehouse
from sectorbook.errors import SectorbookError
from sectorbook.local import origin, templates
from sectorbook.local.cells import key
from sectorbook.measures import convening, network_files
from shared import SHARED, needs_shared
from test_convening_chapters import number, run
from typer.testing import CliRunner

KIND_LEVEL = {i.id: i.level for i in config.framework("partner_survey").items if i.group == "kind"}
TYPES = [i.id for i in config.framework("partner_crosswalk").items]
FORMS = ("graphml", "gexf", "gephi", "kumu")


def exported(graph, form):
    """Return a network in one of our export formats, as `read_network` takes it."""
    if form == "graphml":
        return network_files.to_graphml(graph), "net.graphml"
    if form == "gexf":
        return network_files.to_gexf(graph), "net.gexf"
    partners, ties = network_files.to_csv(graph, form)
    return ties.encode(), "ties.csv", partners.encode(), "partners.csv"


def read(graph, form):
    return partner_files.read_network(*exported(graph, form))


def attempt(*files, bare=False):
    return partner_files.import_networks([partner_files.read_network(*file) for file in files], bare)


@pytest.mark.parametrize("form", FORMS)
def test_the_demonstration_comes_back_from_every_export(form, home, reports):
    folder = origin.find("san-francisco", "healthcare", True)
    partners, ties = warehouse.local("partners", folder), warehouse.local("ties", folder)
    graphs = [convening.wave_graph(partners, ties, wave, KIND_LEVEL) for wave in (1, 2)]
    imported = partner_files.import_networks([read(graph, form) for graph in graphs])
    assert not imported.problems
    assert partner_files.write(imported, "lima-oh") == [
        paths.local("lima-oh", f"{n}.csv") for n in ("partners", "ties")
    ]
    back, named = warehouse.local("partners", "lima-oh"), warehouse.local("ties", "lima-oh")
    for wave, graph in zip((1, 2), graphs, strict=True):
        again = convening.wave_graph(back, named, wave, KIND_LEVEL)
        assert dict(again.nodes(data=True)) == dict(graph.nodes(data=True))
        assert nx.utils.edges_equal(again.edges(data=True), graph.edges(data=True), directed=True)


@settings(deadline=None, max_examples=40)
@given(st.data(), st.sampled_from(FORMS))
def test_any_network_comes_back(data, form):
    letters = st.text("abcÑé&;,\"'<> -", max_size=8).map(str.strip)
    names = data.draw(st.lists(letters.map(lambda t: f"P{t}"), min_size=1, max_size=6, unique_by=key))
    graph = nx.DiGraph()
    for name in names:
        kind = data.draw(st.sampled_from([None, *TYPES]))
        graph.add_node(name, answered=data.draw(st.booleans()), **({"type": kind} if kind else {}))
    graph.nodes[names[0]]["answered"] = True
    pairs = [(a, b) for a in names for b in names if a != b]
    for a, b in data.draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else ():
        graph.add_edge(a, b, kind=data.draw(st.sampled_from(list(KIND_LEVEL))))
    imported = partner_files.import_networks([read(graph, form)])
    assert not imported.problems
    written = {p["partner"]: (p.get("type"), p["waves_answered"] == "1") for p in imported.partners}
    assert written == {" ".join(n.split()): (d.get("type"), d["answered"]) for n, d in graph.nodes(data=True)}
    ties = {(t["source"], t["target"], t["kind"]) for t in imported.ties}
    plain = {n: " ".join(n.split()) for n in names}
    assert ties == {(plain[a], plain[b], d["kind"]) for a, b, d in graph.edges(data=True)}


def test_what_a_foreign_file_says_besides_is_named_not_guessed():
    graph = nx.Graph([("Hall", "Mill"), ("Mill", "Dock")])
    nx.set_edge_attributes(graph, 7, "weight")
    nx.set_node_attributes(graph, "north", "quarter")
    imported = partner_files.import_networks([read(graph, "gexf")])
    assert not imported.problems and len(imported.ties) == 4  # no direction: both sides
    said = " ".join(note.found for note in imported.notes)
    assert "weight" in said and "quarter" in said and "reciprocity says nothing" in said
    directed = attempt((b"From;To\nA;B\nC;B\nA;B\n", "t.csv"))
    assert {p["partner"]: p["waves_answered"] for p in directed.partners} == {"A": "1", "B": "", "C": "1"}
    assert [n.found for n in directed.notes] == [
        "ties given twice: 1; each is kept once", "partners who name nobody: 1; they count as silent",
    ]  # fmt: skip
    gephi = (
        '<gexf xmlns="http://www.gexf.net/1.2draft" version="1.2"><graph defaultedgetype="directed"><nodes>'
    )
    gephi += '<node id="0" label="Hall"/><node id="1" label="Mill"/></nodes><edges><edge id="0" source="0" target="1"/>'
    named = attempt((f"{gephi}</edges></graph></gexf>".encode(), "g.gexf"))
    assert [(t["source"], t["target"]) for t in named.ties] == [("Hall", "Mill")]


def test_bare_takes_names_alone():
    file = (b"From,To,Kind\nA,B,friends\nB,A,\n", "t.csv")
    assert [p.close for p in attempt(file).problems] != [] and not attempt(file, bare=True).problems
    assert all("kind" not in tie for tie in attempt(file, bare=True).ties)


TIES = b"Source,Target\nHall,Mill\n"
FAULTS = {
    "one tie without an end": ((b"From,To\nHall,\n", "t.csv"), ["t.csv, row 2, column 'to': found nothing"]),
    "a partner spelled two ways": ((b"From,To\nHall,Mill\nMill,hall \n", "t.csv"), ["found the partner 'hall'"]),
    "a tie to itself": ((b"From,To\nHall,Hall\n", "t.csv"), ["row 2: found the tie 'Hall' to 'Hall'"]),
    "the same tie otherwise": (
        (b"From,To,Kind\nA,B,awareness\nA,B,integration\n", "t.csv"), ["row 3: found the tie 'A' to 'B' again, otherwise"],
    ),
    "an unknown kind": ((b"From,To,Kind\nA,B,coordinaton\n", "t.csv"), ["Nearest: 'coordination'"]),
    "a score off the scale": ((b"From,To,Openness\nA,B,9\n", "t.csv"), ["column 'openness': found '9' of the tie"]),
    "mixed directions": (
        (b"Source,Target,Type\nA,B,Directed\nB,C,Undirected\n", "t.csv"), ["row 3, column 'type': found directed and undirected"],
    ),
    "an unknown direction": ((b"Source,Target,Type\nA,B,Direct\n", "t.csv"), ["found 'direct'; expected directed"]),
    "too many cells": ((b"From,To\nA,B,C\nA,B\n", "t.csv"), ["row 2: found 3 cells; expected 2"]),
    "a column twice": ((b"From,To,kind,Kind\nA,B,,\n", "t.csv"), ["column 'kind': found the column twice"]),
    "a partner not listed": ((TIES, "t.csv", b"Label\nHall\nMills\n", "p.csv"), ["found 'Mill'; expected a partner of"]),
    "a partner listed twice": ((TIES, "t.csv", b"Name\nHall\nMill\nHALL\n", "p.csv"), ["row 4: found the partner 'HALL'"]),
    "a partner without a name": ((TIES, "t.csv", b"Name,Type\nHall,\nMill,\n,college\n", "p.csv"), ["row 4, column 'name'"]),
    "a kind of partner unknown": ((TIES, "t.csv", b"Name,Type\nHall,colege\nMill,\n", "p.csv"), ["Nearest: 'college'"]),
    "a name of signs": ((b"From,To\nHall,--\n", "t.csv"), ["found '--'; expected a name with letters or digits"]),
    "an error of a formula": ((TIES, "t.csv", b"Name,Resources\nHall,#REF!\nMill,\n", "p.csv"), ["an error of a formula"]),
    "all at once": (
        (b"From,To,Kind\nA,,\nB,B,\nC,D,friends\n", "t.csv"), ["row 2", "row 3", "row 4, column 'kind'"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_and_nothing_is_written(fault, home, reports):
    file, said = FAULTS[fault]
    imported = attempt(file)
    with pytest.raises(SectorbookError, match="nothing was written") as error:
        partner_files.write(imported, "lima-oh")
    for part in said:
        assert part in str(error.value)
    assert str(error.value).startswith(f"{len(imported.problems)} problem(s)")
    assert len(imported.problems) == len(said)
    assert not paths.local("lima-oh").exists()


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ((b"", "t.csv"), "t.csv is empty"),
        ((b"Who,Whom\nA,B\n", "t.csv"), "found the columns who, whom. Valid: Source and Target"),
        ((TIES, "t.csv", b"Firm\nHall\n", "p.csv"), "p.csv: found the columns firm. Valid: Label"),
        ((TIES, "t.txt"), "Unknown kind of network file '.txt'"),
        ((b"<graphml><node", "n.graphml"), "n.graphml: This is not a GraphML network that can be read"),
        ((b"\xff\xfe\x00", "t.csv"), "t.csv"),
        ((b"<gexf/>", "n.gexf", b"Label\nA\n", "p.csv"), "n.gexf lists its partners itself"),
        (
            (network_files.to_graphml(nx.DiGraph([("A", "B")])).replace(b"</graph>",
             b'<edge source="A" target="B" /></graph>'), "n.graphml"), "several ties between the same partners",
        ),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_named(file, message):
    with pytest.raises(SectorbookError) as error:
        partner_files.read_network(*file)
    assert message in str(error.value)


def test_attributes_that_waves_disagree_on_and_too_many_waves_are_named():
    first = (TIES, "1.csv", b"Name,Type\nHall,college\nMill,\n", "p1.csv")
    second = (TIES, "2.csv", b"Name,Type\nhall,business\nMill,\n", "p2.csv")
    (problem,) = attempt(first, second).problems
    assert "'business' of 'hall'; expected 'college', as in an earlier file" in str(problem)
    with pytest.raises(SectorbookError, match="5 files are given; the files have room for 4 waves"):
        attempt(*[(TIES, "t.csv")] * 5)


def test_files_that_hold_rows_stay_and_templates_give_way(home, reports):
    templates.write(paths.local("lima-oh"))
    imported = attempt((TIES, "t.csv"))
    partner_files.write(imported, "lima-oh")
    before = paths.local("lima-oh", "partners.csv").read_bytes()
    with pytest.raises(SectorbookError, match=r"partners.csv and .*ties.csv hold rows already"):
        partner_files.write(attempt((b"From,To\nX,Y\n", "t.csv")), "lima-oh")
    assert paths.local("lima-oh", "partners.csv").read_bytes() == before
    paths.local("lima-oh", "partners.csv").unlink()
    paths.local("lima-oh", "ties.csv").write_text("source,what\n", encoding="utf-8")
    with pytest.raises(
        SectorbookError, match="ties.csv hold rows already"
    ):  # a file we cannot read is not ours to replace
        partner_files.write(imported, "lima-oh")


@needs_shared
def test_the_real_networks_go_through_the_command_and_chapter_06(home, reports):
    """Consortia of Germany's research data infrastructure, who named whom as a partner in 2019 and 2020."""
    folder = SHARED / "data" / "networks"
    asked = ["network", "import", "lima-oh", *(str(folder / f"NFDI_Netzwerk_{y}.csv") for y in (2019, 2020))]
    done = CliRunner().invoke(cli.app, asked)
    assert done.exit_code == 0, done.output
    named = [
        pd.read_csv(folder / f"NFDI_Netzwerk_{y}.csv", sep=";").drop_duplicates().set_axis(["s", "t"], axis=1)
        for y in (2019, 2020)
    ]
    both = {key(name) for wave in named for name in wave.stack()}
    assert "'NFDI4Cat', read as 'NFDI4cat'" in done.output  # the publisher changed the spelling
    assert f"{len(both)} partners, {len(named[0]) + len(named[1])} ties, 2 waves" in done.output
    ledger = run("06_partners", "lima-oh", draws=3, permutations=19)
    n = len(set(named[1].stack()))
    assert number(ledger, "partners_asked")["value"] == n
    assert number(ledger, "density")["value"] == pytest.approx(100 * len(named[1]) / (n * (n - 1)), rel=1e-4)
    assert number(ledger, "partners_silent")["value"] == n - named[1]["s"].nunique()
    answered = set(named[0]["s"].map(key)) & set(named[1]["s"].map(key))
    assert number(ledger, "partners_both_waves")["value"] == len(answered)
    earlier = run("06_partners", "lima-oh", draws=3, permutations=19, wave=1)
    assert number(earlier, "partners_asked")["value"] == len(set(named[0].stack()))
    listed = CliRunner().invoke(
        cli.app,
        ["network", "import", "fresno-ca", asked[-1], "--partners", str(folder / "Konsortien_2020.csv")],
    )
    assert isinstance(listed.exception, SectorbookError)  # one consortium is not on the publisher's own list
    assert str(listed.exception).count("'NFDI4SD'; expected a partner of Konsortien_2020.csv") == 4
