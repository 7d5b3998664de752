"""The gate between findings and anything published: no number on few people or firms, nor a way to work one out.

`apply(ledgers)` is the one call the report makes. It returns the ledgers as they may be printed, and an outcome
with a log for the reviewer that names cells, rules and stages and holds no value. The log says which cells are
small, so it is not published either.

Who is under the gate. A publisher has reviewed its own release (OEWS, QCEW, ACS): a ledger of such numbers passes
unchanged. A ledger is under the gate when it says `person_level: true` or when one of its items has contributors.
In it nothing passes by being forgotten: each number, table column, figure and sentence with digits either declares
itself or says `public` (a publisher's figure, the name of a group: no person's data), or `apply` refuses the
ledger. Set `person_level` from the sources a chapter opens, so that no chapter can leave it out.

How a chapter declares, as keys of the ledger's items:

* a number: `contributors` (how many people or firms), `statistic` (count, magnitude, difference, quantile,
  estimate, share, mean; count where absent), and as the statistic needs it `largest` (the largest contributions
  to a magnitude, biggest first), `quantile` (0.5 for a median), `of` ([numerator address or None, denominator
  address] of a share in percent or a mean). An estimate (a regression coefficient, an effect) is shown when the
  smallest group behind it, its contributors, reaches the minimum.
* a table: `disclosure` with the same keys, each by column: `contributors` {column: one count a row}, `statistic`
  {column: ...}, `of` {column: [column or None, column]}, `largest` {column: one list a row}, `public` [columns],
  and `relations`, a list of {"total": address, "parts": [addresses]}. A cell's address is
  `cell_address(table, row, column)`. Relations must be there, [] where no cells add up. `tables.margins` makes
  them from the breakdown of the rows.
* sums across tables, chapters and regions: `relations` of the ledger, in the same form. A cell that stands in two
  items under one name with one value is taken as the same number without being told.
* a figure: `uses`, the addresses of the numbers and tables it draws. A sentence: `uses`, as now, and `parts`
  (strings and {"address": ..., "format": ...}) if it shall be written again with rounded numbers.

What must happen around it. A ledger under the gate, its figures and its executed notebook hold what the gate takes
out, so they are kept with the region's local data and not in the output folder; the output folder gets what
`apply` returned, and the images of the figures still named there. A chapter that quotes numbers or tables of a
ledger under the gate is under the gate itself, and quotes them with their declarations.

What it guarantees. Against someone who knows every cell that is shown, every declared sum, that numerators are no
larger than denominators and that hidden counts are whole and at least 1, no hidden cell can be worked out, and
each withheld one keeps the interval its rule asks for. It does not know of sums that nobody declared, of an
earlier release of the same people, or of what an intruder knows about someone from elsewhere.
"""

from sectorbook.disclosure.gate import Outcome, pass_cells
from sectorbook.disclosure.ledger import cell_address, person_level
from sectorbook.disclosure.redact import NOT_SHOWN, apply
from sectorbook.disclosure.rules import Rules
from sectorbook.disclosure.tables import Cell, Ratio, Relation, margins

__all__ = [
    "NOT_SHOWN",
    "Cell",
    "Outcome",
    "Ratio",
    "Relation",
    "Rules",
    "apply",
    "cell_address",
    "margins",
    "pass_cells",
    "person_level",
]
