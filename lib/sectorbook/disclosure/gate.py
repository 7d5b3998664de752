"""The gate over cells: withhold, protect what is withheld, and let the intruder try before anything passes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from sectorbook.disclosure import audit, complementary, rules, tables
from sectorbook.disclosure.rules import Rules
from sectorbook.disclosure.tables import ADDITIVE, COUNT, Cell, Ratio, Relation
from sectorbook.errors import SectorbookError

COMPLEMENTARY = "protects another cell"
DERIVED = "computed from a withheld cell"
# A block that fails the audit is solved again with its needs raised this often, then withheld whole.
RETRIES = 3


@dataclass(frozen=True)
class Outcome:
    """What the gate decided.

    hidden: addresses that must not be shown. log: for the reviewer, by address: region, kind, stage (primary,
    complementary, derived) and rule, no value. cells, kept_pct: how many cells there are to show, and the percent
    of them that stay. cheapest: whether every block's pattern is the cheapest there is.
    programs: how many programs the intruder solved.
    """

    hidden: frozenset[str]
    log: pd.DataFrame
    cells: int
    kept_pct: float
    cheapest: bool
    programs: int


def _others(cells: pd.DataFrame, ratios: Sequence[Ratio]) -> tuple[list[Cell], list[Relation]]:
    """Return, for each share of counts, the rest of its denominator: printed nowhere, known to everyone."""
    found, links, done = [], [], set()
    for ratio in ratios:
        pair = (ratio.numerator, ratio.denominator)
        for address in pair:
            if address not in cells.index:
                raise SectorbookError(
                    f"{ratio.address} is computed from {address}, which is not in any table given."
                )
        part, whole = cells.loc[pair[0]], cells.loc[pair[1]]
        if part["kind"] == whole["kind"] == COUNT and part["value"] <= whole["value"] and pair not in done:
            done.add(pair)
            rest, address = int(whole["value"] - part["value"]), f"{pair[1]} without {pair[0]}"
            found.append(Cell(address, rest, rest, region=part["region"], shown=False))
            links.append(Relation(pair[1], (pair[0], address)))
    return found, links


def _limits(cells: pd.DataFrame, own: Mapping[str, Rules]) -> tuple[np.ndarray, np.ndarray]:
    """Return what everyone knows of each cell without being told, and which cells are zeros that are shown."""
    floors = np.array([rules.floor(cell, own[cell["region"]]) for _, cell in cells.iterrows()])
    hide = cells["region"].map(lambda region: own[region].hide_zeros).to_numpy(bool)
    nobody = (cells["kind"] == COUNT) | (cells["contributors"] == 0)
    zero = (cells["value"] == 0) & nobody & cells["shown"]
    return floors, zero.to_numpy() & ~hide


def _cost(cells: pd.DataFrame) -> np.ndarray:
    """Return what is lost by hiding a cell: 1, and up to 1 more for a large one, so that totals go last."""
    size = np.log1p(cells["value"].abs())
    largest = size.groupby(cells["kind"]).transform("max")
    return (1 + size / largest.where(largest > 0, 1.0)).to_numpy()


class _Linked:
    """The cells that can be added, their relations, and the needs of those that are withheld."""

    def __init__(
        self,
        cells: pd.DataFrame,
        relations: Sequence[Relation],
        needs: pd.DataFrame,
        own: Mapping[str, Rules],
    ) -> None:
        matrix = tables.matrix(cells, relations)
        places = np.flatnonzero(cells["kind"].isin(ADDITIVE).to_numpy())
        self.cells = cells.iloc[places]
        self.matrix = matrix[:, places]
        self.needs = needs[needs.index.isin(self.cells.index)]
        self.floors, self.fixed = _limits(self.cells, own)
        self.cost = np.where(self.fixed, np.inf, _cost(self.cells))
        self.latent = ~self.cells["shown"].to_numpy(bool)
        graph = abs(self.matrix).T @ abs(self.matrix) + sparse.eye_array(len(places))
        self.blocks = sparse.csgraph.connected_components(graph, directed=False)[1]
        self.largest = max([100.0, *self.cells["value"].abs(), *(r.minimum for r in own.values())])
        self.programs = 0

    def problem(self, places: np.ndarray, needs: pd.DataFrame, hidden: np.ndarray) -> complementary.Problem:
        cells, value = self.cells.iloc[places], self.cells["value"].to_numpy()[places]
        matrix = self.matrix[:, places]
        matrix = matrix[np.flatnonzero(abs(matrix) @ np.ones(len(places)))]
        fixed = self.fixed[places]
        at = cells.index.get_indexer(needs.index)
        return complementary.Problem(
            matrix,
            np.where(fixed, 0.0, self.floors[places] - value),
            np.where(fixed, 0.0, np.inf),
            self.cost[places],
            hidden[places],
            tuple(
                (int(i), float(n.up), float(n.down), float(n.width))
                for i, n in zip(at, needs.itertuples(), strict=True)
            ),
        )

    def attack(self, places: np.ndarray, hidden: np.ndarray) -> pd.Series:
        """Return what the intruder achieves on each hidden cell of a block: "" where nothing."""
        cells = self.cells.iloc[places]
        value = cells["value"].where(~hidden[places])
        matrix = self.matrix[:, places]
        matrix = matrix[np.flatnonzero(abs(matrix) @ np.ones(len(places)))]
        # A cell that is printed nowhere is attacked only where a rule asks for its protection.
        targets = cells.index[hidden[places] & (cells["shown"] | cells.index.isin(self.needs.index))]
        found = audit.intervals(
            value.fillna(pd.Series(self.floors[places], cells.index)), value.fillna(np.inf),
            matrix, cells["kind"] == COUNT, targets, self.largest,
        )  # fmt: skip
        self.programs += 2 * len(targets)
        return audit.shortfall(found, cells, self.needs)

    def protect(self, places: np.ndarray) -> tuple[np.ndarray, bool]:
        """Return the pattern of a block that the intruder failed on, and whether it is the cheapest.

        A complementary cell that can be recovered is shown again: it hides nothing, and showing it tells nothing
        new. A sensitive one makes the needs grow, for whole numbers can be tighter than fractions.
        """
        cells = self.cells.iloc[places]
        needs = self.needs[self.needs.index.isin(cells.index)]
        sensitive = np.zeros(len(self.cells), bool)
        sensitive[places] = cells.index.isin(needs.index)
        hidden = sensitive | self.latent
        if not len(needs):
            return hidden, True
        asked = needs
        for attempt in range(RETRIES + 2):
            problem = self.problem(places, asked, hidden)
            if attempt <= RETRIES:
                pattern, cheapest = complementary.solve(problem)
            else:
                pattern, cheapest = problem.hidden | np.isfinite(problem.cost), False
            trial = hidden.copy()
            trial[places] = pattern
            wrong = self.attack(places, trial)
            failed = wrong[wrong != ""]
            if not failed.index.isin(needs.index).any():
                trial[self.cells.index.get_indexer(failed.index)] = False
                return trial, cheapest and not len(failed)
            more = failed.index[failed.index.isin(needs.index)]
            asked = asked.copy()
            asked.loc[more, ["up", "width"]] += asked.loc[more, ["up", "width"]].clip(lower=1.0)
        address = failed.index[failed.index.isin(needs.index)][0]
        raise SectorbookError(
            f"{address} cannot be protected even with every linked cell withheld. Leave its table out, or merge "
            "its categories."
        )


def rules_of(
    regions: Sequence[str], default: Rules | None, by_region: Mapping[str, Rules] | None
) -> dict[str, Rules]:
    """Return the rules of each region: its own, or the default."""
    return {region: (by_region or {}).get(region, default or Rules()) for region in regions}


def pass_cells(
    cells: Sequence[Cell],
    relations: Sequence[Relation],
    ratios: Sequence[Ratio] = (),
    default: Rules | None = None,
    by_region: Mapping[str, Rules] | None = None,
) -> Outcome:
    """Return which cells and ratios of a set of linked tables must not be shown.

    Everything that is published together belongs in one call: all tables of a report, and of all regions. Rules
    are `default` (Rules() where None), or those of the cell's region in `by_region`.

    Raises SectorbookError for a bad declaration, and when the intruder still succeeds with all linked cells
    withheld. No message holds a value.
    """
    declared = tables.frame(cells)
    own = rules_of(declared["region"].unique(), default, by_region)
    extra, links = _others(declared, ratios)
    every = tables.frame([*cells, *extra])
    needs = rules.primary(every, own)
    linked = _Linked(every, [*relations, *links], needs, own)
    hidden = np.zeros(len(linked.cells), bool)
    cheapest = True
    for block in np.unique(linked.blocks):
        places = np.flatnonzero(linked.blocks == block)
        pattern, best = linked.protect(places)
        hidden[places] = pattern[places]
        cheapest &= best
    away = set(linked.cells.index[hidden & ~linked.latent]) | (set(needs.index) & set(declared.index))
    stage = {
        address: ("primary", needs.at[address, "rule"])
        if address in needs.index
        else ("complementary", COMPLEMENTARY)
        for address in sorted(away)
    }
    for ratio in ratios:
        if ratio.numerator in away or ratio.denominator in away:
            stage.setdefault(ratio.address, ("derived", DERIVED))
    log = pd.DataFrame(
        [
            (
                address,
                declared["region"].get(address, ""),
                declared["kind"].get(address, "ratio"),
                *stage[address],
            )
            for address in stage
        ],
        columns=["address", "region", "kind", "stage", "rule"],
    )
    shown = declared.index[declared["shown"]]
    kept = 100 * (1 - len(away & set(shown)) / len(shown)) if len(shown) else 100.0
    return Outcome(frozenset(stage), log, len(shown), kept, cheapest, linked.programs)
