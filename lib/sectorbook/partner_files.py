"""A network from elsewhere (GraphML, GEXF, a list of ties) as an initiative's `partners` and `ties` files.

Every problem of every file is collected, and nothing is written while there is one. What the files say beyond names and ties
is taken over where it has the name of a column of ours, and named where it has not.
"""

import csv
import io
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sectorbook import config, paths
from sectorbook.errors import SectorbookError, nearest, unknown
from sectorbook.local import files, templates
from sectorbook.local.cells import BadCell, Problem, key, value
from sectorbook.measures import network_files
from sectorbook.questionnaire.tables import all_rows

READERS = {".graphml": network_files.from_graphml, ".gexf": network_files.from_gexf}
TABLES = (".csv", ".xlsx")
ENDS = ({"source", "from"}, {"target", "to"})
NAMES = ("label", "name", "partner", "id")
DIRECTIONS = ("direction", "type")
TARGETS = ("partners", "ties")


@dataclass
class Network:
    """One file: `partners` (row, name, attributes) and `ties` (row, source, target, attributes); rows are those of the file.

    `said` tells whether the file lists partners by itself, rather than only as the ends of ties.
    """

    name: str
    partners: list[tuple[int | None, str, dict[str, str]]] = field(default_factory=list)
    ties: list[tuple[int | None, str, str, dict[str, str]]] = field(default_factory=list)
    directed: bool = True
    said: bool = False
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Imported:
    """The rows of the two files, column -> text, with every problem and what is worth knowing."""

    partners: list[dict[str, str]]
    ties: list[dict[str, str]]
    problems: list[Problem]
    notes: list[Problem]


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.casefold()).strip("_")


def _texts(attributes: dict) -> dict[str, str]:
    return {_plain(str(k)): str(v).strip() for k, v in attributes.items() if str(v).strip()}


def read_network(content: bytes, name: str, listed: bytes | None = None, listed_name: str = "") -> Network:
    """Return the network in a GraphML or GEXF document, or a table of ties (CSV, XLSX), by the ending of `name`.

    A table of ties has the columns Source and Target, or From and To; `listed` is a table of partners beside it (a column
    Label, Name, Partner or Id). Raises SectorbookError for another ending, or a file that cannot be read at all.
    """
    ending = Path(name).suffix.lower()
    if ending in READERS:
        if listed is not None:
            raise SectorbookError(
                f"{name} lists its partners itself; a table of partners goes with a table of ties."
            )
        return _graph(content, name, ending)
    if ending not in TABLES:
        raise unknown("kind of network file", ending or name, [*READERS, *TABLES])
    network = _ties(content, name)
    if listed is not None:
        _partners(listed, listed_name, network)
    return network


def _graph(content: bytes, name: str, ending: str) -> Network:
    try:
        graph = READERS[ending](content)
    except SectorbookError as error:
        raise SectorbookError(f"{name}: {error}") from error
    network = Network(name, directed=graph.is_directed(), said=True)
    called = {node: str(data.pop("label", "") or node).strip() for node, data in graph.nodes(data=True)}
    network.partners = [(None, called[node], _texts(data)) for node, data in graph.nodes(data=True)]
    network.ties = [(None, called[a], called[b], _texts(data)) for a, b, data in graph.edges(data=True)]
    return network


def _table(content: bytes, name: str) -> tuple[list[str], list[tuple[int, list[str]]], list[Problem]]:
    rows, _ = all_rows(content, name)
    filled = [
        (n, [cell.strip() for cell in row]) for n, row in enumerate(rows, 1) if any(c.strip() for c in row)
    ]
    if not filled:
        raise SectorbookError(f"{name} is empty; it needs a header row.")
    header = [_plain(cell) for cell in filled[0][1]]
    problems = [
        Problem(name, filled[0][0], cell, "the column twice", "each column once")
        for cell in sorted({c for c in header if c and header.count(c) > 1})
    ]
    whole = []
    for number, row in filled[1:]:
        if len(row) > len(header) and any(row[len(header) :]):
            problems.append(
                Problem(name, number, None, f"{len(row)} cells", f"{len(header)}, as in the header")
            )
        else:
            whole.append((number, row + [""] * (len(header) - len(row))))
    return header, whole, problems


def _ties(content: bytes, name: str) -> Network:
    header, rows, problems = _table(content, name)
    network = Network(name, problems=problems)
    ends = [next((c for c in header if c in names), None) for names in ENDS]
    if None in ends:
        raise SectorbookError(
            f"{name}: found the columns {', '.join(header)}. Valid: Source and Target, or From and To."
        )
    direction = next((c for c in DIRECTIONS if c in header), None)
    ways: dict[str, int] = {}
    for number, row in rows:
        cells = dict(zip(header, row, strict=False))
        names = [cells.pop(end) for end in ends]
        for end, text in zip(ends, names, strict=True):
            if not text:
                problems.append(Problem(name, number, end, "nothing", "the name of a partner"))
        way = cells.pop(direction, "").lower() if direction else ""
        if way and way not in ("directed", "undirected", "mutual"):
            expected = "directed or undirected"
            problems.append(
                Problem(name, number, direction, repr(way), expected, _near(way, ["directed", "undirected"]))
            )
        ways.setdefault(way.replace("mutual", "undirected") or "directed", number)
        if all(names):
            network.ties.append((number, *names, _texts(cells)))
    if {"directed", "undirected"} <= set(ways):
        found = "directed and undirected ties"
        problems.append(
            Problem(name, max(ways.values()), direction, found, "all directed, or all undirected")
        )
    network.directed = "undirected" not in ways
    names = dict.fromkeys(end for _, source, target, _ in network.ties for end in (source, target))
    network.partners = [(None, text, {}) for text in names]
    return network


def _near(text: str, names: Sequence[str]) -> str | None:
    return next(iter(nearest(text, names, 1)), None)


def _partners(content: bytes, name: str, network: Network) -> None:
    """Put the partners of a table in place of those the ties name, and check that it names all of them."""
    header, rows, problems = _table(content, name)
    column = next((c for c in NAMES if c in header), None)
    if column is None:
        raise SectorbookError(
            f"{name}: found the columns {', '.join(header)}. Valid: Label, Name, Partner or Id."
        )
    called, partners = {}, []
    for number, row in rows:
        cells = dict(zip(header, row, strict=False))
        text = cells.pop(column)
        if not text:
            problems.append(Problem(name, number, column, "nothing", "the name of a partner"))
            continue
        called |= {key(cells[other]): text for other in NAMES if cells.get(other)} | {key(text): text}
        partners.append((number, text, _texts({k: v for k, v in cells.items() if k not in NAMES})))
    ties = []
    for number, source, target, attributes in network.ties:
        for end in (source, target):
            if key(end) not in called:
                expected = f"a partner of {name}"
                near = _near(end, list(called.values()))
                problems.append(Problem(network.name, number, None, repr(end), expected, near))
        ties.append((number, called.get(key(source), source), called.get(key(target), target), attributes))
    network.partners, network.ties, network.said = partners, ties, True
    network.problems += problems


def import_networks(networks: Sequence[Network], bare: bool = False) -> Imported:
    """Return the rows of `partners` and `ties`, the first network as wave 1, the next as wave 2 and so on.

    A partner has answered a wave where the file says so (`answered`), else where it names anyone; an undirected tie counts as
    named by both sides. `bare` takes names and ties alone. Attributes with the name of a column of ours must hold what that
    column takes. Raises SectorbookError for more waves than the files have room for.
    """
    waves = next(c for c in config.local()["partners"].columns if c.name == "waves_at_table").valid
    if len(networks) > len(waves):
        raise SectorbookError(f"{len(networks)} files are given; the files have room for {len(waves)} waves.")
    partners: dict[str, dict[str, str]] = {}
    ties: list[dict[str, str]] = []
    problems = [p for network in networks for p in network.problems]
    notes = [p for network in networks for p in network.notes]
    for wave, network in zip(waves, networks, strict=False):
        spelled = _wave_partners(network, wave, bare, partners, problems, notes)
        _wave_ties(network, wave, bare, spelled, ties, problems, notes)
        _answered(network, wave, spelled, partners, notes)
    columns = {"waves_at_table", "waves_answered"}
    rows = [
        {k: "; ".join(v) if k in columns else v for k, v in row.items() if k != "row"}
        for row in partners.values()
    ]
    return Imported(rows, ties, problems, notes)


def _taken(
    network: Network, row: int | None, who: str, attributes: dict, table: str, problems: list[Problem]
) -> dict[str, str]:
    """Return the attributes that are columns of a table, those with a bad value as problems."""
    columns = {
        c.name: c for c in config.local()[table].columns if not c.refers and not c.name.startswith("wave")
    }
    columns.pop("partner", None)
    taken = {}
    for name, text in attributes.items():
        if name in columns:
            try:
                value(columns[name], text)
                taken[name] = text
            except BadCell as bad:
                problems.append(
                    Problem(network.name, row, name, f"{text!r} of {who}", bad.expected, bad.close)
                )
    return taken


def _wave_partners(
    network: Network, wave: str, bare: bool, partners: dict, problems: list[Problem], notes: list[Problem]
) -> dict[str, str]:
    """Add a wave's partners to `partners` (by compared name); return each name as it is written in the files to come."""
    spelled, seen, strangers = {}, {}, set()
    for row, name, attributes in network.partners:
        same = key(name)
        if not same or name.startswith("# "):
            problems.append(Problem(network.name, row, None, repr(name), "a name with letters or digits"))
            continue
        if same in seen:
            expected = f"each partner once; {seen[same]!r} is there too"
            problems.append(Problem(network.name, row, None, f"the partner {name!r}", expected))
            continue
        seen[same] = name
        clean = " ".join(name.split())
        entry = partners.setdefault(same, {"partner": clean, "waves_at_table": [], "waves_answered": []})
        entry["waves_at_table"].append(wave)
        if entry["partner"] != clean:
            found = f"{clean!r}, read as {entry['partner']!r}"
            notes.append(Problem(network.name, row, None, found, "one spelling in all files"))
        spelled[name] = entry["partner"]
        taken = {} if bare else _taken(network, row, repr(name), attributes, "partners", problems)
        for column, text in taken.items():
            if entry.setdefault(column, text) != text:
                expected = f"{entry[column]!r}, as in an earlier file"
                problems.append(Problem(network.name, row, column, f"{text!r} of {name!r}", expected))
        strangers |= set(attributes) - set(taken) - {"answered"}
    if strangers:
        found = f"of partners: {', '.join(sorted(strangers))}"
        notes.append(Problem(network.name, None, None, f"{found}; not taken over", "columns of partners.csv"))
    return spelled


def _wave_ties(
    network: Network, wave: str, bare: bool, spelled: dict[str, str], ties: list[dict[str, str]],
    problems: list[Problem], notes: list[Problem],
) -> None:  # fmt: skip
    known = {key(name): written for name, written in spelled.items()}
    there: dict[tuple[str, str], dict[str, str]] = {}
    strangers, twice = set(), 0
    for row, source, target, attributes in network.ties:
        ends = known.get(key(source)), known.get(key(target))
        if None in ends:
            continue  # said of the partner already
        shown = f"the tie {source!r} to {target!r}"
        if ends[0] == ends[1]:
            problems.append(Problem(network.name, row, None, shown, "a tie between two partners"))
            continue
        taken = {} if bare else _taken(network, row, shown, attributes, "ties", problems)
        strangers |= set(attributes) - set(taken)
        for pair in (ends,) if network.directed else (ends, ends[::-1]):
            if pair not in there:
                there[pair] = taken
                ties.append({"source": pair[0], "target": pair[1], "wave": wave, **taken})
            elif there[pair] != taken:
                problems.append(
                    Problem(network.name, row, None, f"{shown} again, otherwise", "each tie once")
                )
                break
            else:
                twice += pair == ends
    if twice:
        notes.append(
            Problem(
                network.name, None, None, f"ties given twice: {twice}; each is kept once", "each tie once"
            )
        )
    if not network.directed:
        found = "ties without a direction; each is written for both sides, so that reciprocity says nothing"
        notes.append(Problem(network.name, None, None, found, "directed ties"))
    if strangers:
        found = f"of ties: {', '.join(sorted(strangers))}; not taken over"
        notes.append(Problem(network.name, None, None, found, "columns of ties.csv"))


def _answered(
    network: Network, wave: str, spelled: dict[str, str], partners: dict[str, dict], notes: list[Problem]
) -> None:
    told = {name: attributes.get("answered", "") for _, name, attributes in network.partners}
    if any(told.values()):
        answered = {key(name) for name, text in told.items() if text.casefold() in ("true", "yes", "1")}
    else:
        ends = [(s,) if network.directed else (s, t) for _, s, t, _ in network.ties]
        answered = {key(name) for pair in ends for name in pair}
        silent = sum(key(name) not in answered for name in spelled)
        if silent:
            found = f"partners who name nobody: {silent}; they count as silent"
            notes.append(Problem(network.name, None, None, found, "an attribute `answered`"))
    for name in spelled:
        if key(name) in answered:
            partners[key(name)]["waves_answered"].append(wave)


def _csv(table: str, rows: list[dict[str, str]]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, templates.header(config.local()[table]), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def write(imported: Imported, region_slug: str) -> list[Path]:
    """Write both files into the region's folder and return them. A template nobody filled in gives way.

    Raises one SectorbookError with every problem, or with the files of the region that hold something already. The files are
    read back as `sectorbook check` reads them before they take their place.
    """
    folder = paths.local(region_slug)
    if imported.problems:
        raise SectorbookError(
            "\n".join(
                [
                    f"{len(imported.problems)} problem(s); nothing was written:",
                    *(f"  {p}" for p in imported.problems),
                ]
            )
        )
    if not imported.partners:
        raise SectorbookError("The network has no partner; nothing was written.")
    there = files.files(folder)
    held = files.read(folder)
    full = [p for n in TARGETS for p in there.get(n, []) if held.rows.get(n, 1) or held.problems_of([n])]
    if full:
        shown = " and ".join(paths.shown(p) for p in full)
        raise SectorbookError(f"{shown} hold rows already. Move them away first; nothing was written.")
    contents = {"partners": _csv("partners", imported.partners), "ties": _csv("ties", imported.ties)}
    with tempfile.TemporaryDirectory(prefix="sectorbook-network-") as name:
        for table, text in contents.items():
            (Path(name) / f"{table}.csv").write_text(text, encoding="utf-8")
        left = files.read(Path(name)).problems
    if left:
        raise SectorbookError(
            "\n".join([f"{len(left)} problem(s); nothing was written:", *(f"  {p}" for p in left)])
        )
    written = []
    for table, text in contents.items():
        for old in there.get(table, []):
            if old.suffix != ".csv":
                old.unlink()
        written.append(folder / f"{table}.csv")
        with paths.write_atomic(written[-1]) as file:
            file.write(text)
    return written
