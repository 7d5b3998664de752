"""The gate over ledgers: decide over all of them together, and take out or round what must not be printed."""

from collections.abc import Mapping
from copy import deepcopy

from sectorbook import findings
from sectorbook.disclosure import ledger as declared
from sectorbook.disclosure import rounding
from sectorbook.disclosure.gate import Outcome, pass_cells
from sectorbook.disclosure.rules import Rules

NOT_SHOWN = "not shown"
SENTENCE_NOT_SHOWN = "Not shown: this sentence rests on a number that is withheld to protect privacy."
FIGURE_NOT_SHOWN = "A figure is not shown: it draws numbers that are withheld to protect privacy."


def _number(item: dict, away: frozenset[str], rounded: Mapping[str, float]) -> dict:
    address = item["address"]
    if address in away:
        return {**item, "value": None, "low": None, "high": None, "interval_pct": None, "withheld": True}
    if address in rounded:
        return {
            **item,
            "value": rounded[address],
            "low": None,
            "high": None,
            "interval_pct": None,
            "rounded": True,
        }
    return item


def _table(item: dict, away: frozenset[str], rounded: Mapping[str, float]) -> dict:
    for row in range(len(item["rows"])):
        for place, column in enumerate(item["columns"]):
            address = declared.cell_address(item["address"], row, column["name"])
            if address in away:
                item["rows"][row][place], item["cells"][row][place] = None, NOT_SHOWN
            elif address in rounded:
                item["rows"][row][place] = rounded[address]
                item["cells"][row][place] = findings.shown(rounded[address], column["unit"])
    return item


def _written(parts: list, numbers: Mapping[str, dict]) -> str | None:
    """Return a sentence from its parts with the numbers as they now are, or None where that cannot be done."""
    text = []
    for part in parts:
        if isinstance(part, str):
            text.append(part)
        elif part.get("format") or part["address"] not in numbers:
            return None
        else:
            number = numbers[part["address"]]
            text.append(findings.shown(number["value"], number["unit"]))
    return "".join(text)


def _other(
    item: dict, parts: list | None, touched: frozenset[str], away: frozenset[str], numbers: Mapping
) -> dict:
    """Return a sentence, caveat or figure: as it is, written again, or replaced whole."""
    uses = set(item.get("uses", ()))
    if uses.isdisjoint(touched):
        return item
    if item["kind"] == "figure":
        return {"kind": "caveat", "address": item["address"], "text": FIGURE_NOT_SHOWN, "uses": []}
    text = _written(parts, numbers) if parts and uses.isdisjoint(away) else None
    return {**item, "text": text} if text else {**item, "text": SENTENCE_NOT_SHOWN, "uses": []}


def apply(
    ledgers: Mapping[str, Mapping],
    rules: Rules | None = None,
    by_region: Mapping[str, Rules] | None = None,
    rounding_base: int | None = None,
    seed: int = 0,
) -> tuple[dict[str, dict], Outcome]:
    """Return the ledgers as they may be published, and the gate's outcome with the reviewer's log.

    `ledgers` are as `ledgers.read` returns them. Put those of all regions that are published together in one
    mapping (the keys are yours); a ledger without people or firms in it keeps its numbers. The default minimum is
    10; `rules=Rules(minimum=15)` changes it, `by_region` by region slug. With `rounding_base`, counts are rounded
    to multiples of it, all sums kept, drawn with `seed`, and shares are computed from the rounded counts; what
    cannot be rounded is withheld as before.

    Nothing of the declarations (contributors, largest contributions) is in what is returned. A withheld number
    has value None and withheld True; a table's cell reads "not shown"; a sentence, caveat or figure that uses one
    is replaced whole, since its wording can tell as much as its number. A sentence that uses a rounded number is
    written again from its parts, or replaced; a figure that draws one is dropped. Checks of such chapters are
    dropped.

    Raises SectorbookError where a number, table, sentence or figure of a chapter on people declares too little,
    where declared sums do not hold, and where the intruder wins. No message holds a value.
    """
    found = declared.collect(ledgers)
    relations = [*found.relations, *declared.same(found)]
    rounded: dict[str, float] = {}
    if rounding_base is None:
        outcome = pass_cells(found.cells, relations, found.ratios, rules, by_region)
    else:
        outcome, rounded = rounding.pass_rounded(
            found.cells, relations, found.ratios, rules, by_region, rounding_base, seed
        )
    # An item is touched when it, or one cell of it, is withheld or rounded.
    away = outcome.hidden | {address.partition("#")[0] for address in outcome.hidden}
    touched = away | {*rounded, *(address.partition("#")[0] for address in rounded)}
    passed, numbers, parts = {}, {}, {}
    for key, ledger in ledgers.items():
        people = declared.person_level(ledger)
        content = {
            k: deepcopy(v) for k, v in ledger.items() if k not in ("items", "relations", "person_level")
        }
        content["items"] = []
        for original in ledger["items"]:
            if original["kind"] == "check" and people:
                continue
            item = deepcopy({k: v for k, v in original.items() if k not in declared.DECLARATIONS})
            if item["kind"] == "number":
                item = numbers[item["address"]] = _number(item, outcome.hidden, rounded)
            elif item["kind"] == "table":
                item = _table(item, outcome.hidden, rounded)
            elif "parts" in original:
                parts[item["address"]] = original["parts"]
            content["items"].append(item)
        passed[key] = content
    for content in passed.values():
        content["items"] = [
            item
            if item["kind"] in ("number", "table", "check")
            else _other(item, parts.get(item["address"]), touched, away, numbers)
            for item in content["items"]
        ]
    return passed, outcome
