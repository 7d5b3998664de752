"""The partner network as GraphML, GEXF and CSV, out and in. Bytes and text only: nothing here knows a path.

GraphML and GEXF open in Gephi. CSV comes in two dialects: Gephi's (Id, Label; Source, Target, Type, Weight) and Kumu's
(Label, Type; From, To, Direction).
"""

import csv
import io
import re
from collections.abc import Callable
from xml.etree.ElementTree import ParseError

import networkx as nx
import pandas as pd

from sectorbook.errors import SectorbookError, unknown

_DIALECTS = {
    "gephi": {
        "partner": "Id",
        "source": "Source",
        "target": "Target",
        "direction": "Type",
        "weight": "Weight",
    },
    "kumu": {
        "partner": "Label",
        "source": "From",
        "target": "To",
        "direction": "Direction",
        "weight": "Strength",
    },
}


def _plain_values(graph: nx.Graph) -> nx.Graph:
    """Return a copy whose names are text and whose attributes are text, numbers or truth values; missing ones go."""

    def plain(attributes: dict) -> dict:
        kept = {k: getattr(v, "item", lambda v=v: v)() for k, v in attributes.items() if not pd.isna(v)}
        return {k: v if isinstance(v, str | int | float | bool) else str(v) for k, v in kept.items()}

    out = nx.DiGraph() if graph.is_directed() else nx.Graph()
    out.add_nodes_from((str(n), plain(a)) for n, a in graph.nodes(data=True))
    out.add_edges_from((str(a), str(b), plain(d)) for a, b, d in graph.edges(data=True))
    return out


def to_graphml(graph: nx.Graph) -> bytes:
    """Return the network as a GraphML document (UTF-8)."""
    buffer = io.BytesIO()
    nx.write_graphml(_plain_values(graph), buffer)
    return buffer.getvalue()


def to_gexf(graph: nx.Graph) -> bytes:
    """Return the network as a GEXF 1.2 document (UTF-8), without the date of writing, so equal networks give equal bytes."""
    buffer = io.BytesIO()
    nx.write_gexf(_plain_values(graph), buffer)
    return re.sub(rb' lastmodifieddate="[^"]*"', b"", buffer.getvalue())


def _read(kind: str, reader: Callable, data: bytes) -> nx.Graph:
    try:
        graph = reader(io.BytesIO(data))
    except (ParseError, nx.NetworkXError, KeyError, ValueError) as error:
        raise SectorbookError(f"This is not a {kind} network that can be read: {error}") from error
    if graph.is_multigraph():
        raise SectorbookError(
            f"This {kind} network has several ties between the same partners; merge them first."
        )
    for _, _, attributes in graph.edges(data=True):
        attributes.pop("id", None)
    for node, attributes in graph.nodes(data=True):
        if attributes.get("label") == node:
            del attributes["label"]
    graph.graph.clear()
    return graph


def from_graphml(data: bytes) -> nx.Graph:
    """Return the network in a GraphML document. Raises SectorbookError for one that cannot be read or has double ties."""
    return _read("GraphML", nx.read_graphml, data)


def from_gexf(data: bytes) -> nx.Graph:
    """Return the network in a GEXF document. Raises SectorbookError for one that cannot be read or has double ties."""
    return _read("GEXF", nx.read_gexf, data)


def to_csv(graph: nx.Graph, dialect: str = "gephi") -> tuple[str, str]:
    """Return the network as two CSV texts, partners and ties, in Gephi's or Kumu's column names.

    Raises SectorbookError for another dialect.
    """
    if dialect not in _DIALECTS:
        raise unknown("CSV dialect", dialect, _DIALECTS)
    names = _DIALECTS[dialect]
    plain = _plain_values(graph)
    direction = "directed" if graph.is_directed() else "undirected"
    partners = [
        {names["partner"]: n, **({"Label": n} if dialect == "gephi" else {}), **a}
        for n, a in plain.nodes(data=True)
    ]
    ties = [
        {
            names["source"]: a,
            names["target"]: b,
            names["direction"]: direction.capitalize() if dialect == "gephi" else direction,
            names["weight"]: data.get("weight", 1),
            **{k: v for k, v in data.items() if k != "weight"},
        }
        for a, b, data in plain.edges(data=True)
    ]
    first = [names["partner"]]
    return _csv(partners, first), _csv(ties, [names[k] for k in ("source", "target", "direction", "weight")])


def _csv(rows: list[dict], first: list[str]) -> str:
    columns = list(dict.fromkeys([*first, *(column for row in rows for column in row)]))
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def from_csv(partners: str, ties: str) -> nx.Graph:
    """Return the network in two CSV texts as Gephi or Kumu write them (also `;`-separated).

    The direction column decides whether it is directed; without one it is. Numbers become numbers, empty cells no
    attribute. Raises SectorbookError when the columns are neither dialect's, a tie names an unlisted partner, a row is
    repeated, or directed and undirected ties are mixed.
    """
    nodes, edges = _rows(partners, "partners"), _rows(ties, "ties")
    columns = set(edges.columns)
    dialect = next((d for d, n in _DIALECTS.items() if {n["source"], n["target"]} <= columns), None)
    if dialect is None:
        raise SectorbookError(
            f"ties: found the columns {', '.join(edges.columns)}. Valid: Source and Target (Gephi), or From and To (Kumu)."
        )
    names = _DIALECTS[dialect]
    if names["partner"] not in nodes:
        raise SectorbookError(
            f"partners: column {names['partner']!r} is missing; found {', '.join(nodes.columns)}."
        )
    directions = {d.lower() for d in edges.get(names["direction"], pd.Series(dtype=str)) if d}
    if len(directions) > 1 or directions - {"directed", "undirected"}:
        raise SectorbookError(
            f"ties, column {names['direction']!r}: found {', '.join(sorted(directions))}; "
            "all ties must be directed, or all undirected."
        )
    graph = nx.Graph() if directions == {"undirected"} else nx.DiGraph()
    for line, row in enumerate(nodes.to_dict("records"), 2):
        name = row.pop(names["partner"])
        if not name or name in graph:
            raise SectorbookError(
                f"partners, line {line}: found {name!r}; each partner needs a name of its own."
            )
        if row.get("Label") == name:
            del row["Label"]
        graph.add_node(name, **_values(row))
    for line, row in enumerate(edges.to_dict("records"), 2):
        ends = [row.pop(names[k]) for k in ("source", "target")]
        for end in ends:
            if end not in graph:
                raise SectorbookError(f"ties, line {line}: {unknown('partner', end, graph)}")
        if graph.has_edge(*ends):
            raise SectorbookError(f"ties, line {line}: the tie {ends[0]!r} to {ends[1]!r} is there already.")
        row.pop(names["direction"], None)
        values = _values(row)
        graph.add_edge(*ends, **{"weight" if k == names["weight"] else k: v for k, v in values.items()})
    return graph


def _rows(text: str, what: str) -> pd.DataFrame:
    text = text.removeprefix("\ufeff")
    header = text.partition("\n")[0]
    separator = ";" if header.count(";") > header.count(",") else ","
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if row]
    if not rows:
        raise SectorbookError(f"{what}: this table is empty; it needs at least a header row.")
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(rows[0]):
            raise SectorbookError(
                f"{what}, row {number}: found {len(row)} cells; the header has {len(rows[0])}."
            )
    return pd.DataFrame(rows[1:], columns=rows[0], dtype=str)


def _values(row: dict[str, str]) -> dict[str, str | int | float]:
    out = {}
    for key, text in row.items():
        if text == "":
            continue
        if re.fullmatch(r"-?\d+", text):
            out[key] = int(text)
        elif re.fullmatch(r"-?\d*\.\d+(e-?\d+)?", text, re.IGNORECASE):
            out[key] = float(text)
        else:
            out[key] = text
    return out
