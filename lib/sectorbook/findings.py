"""The claim ledger: what a chapter found, with an address, unit and source for every number.

A chapter opens a ledger, records numbers, tables, figures and sentences, and saves them. Reports are built
from the saved ledgers alone.
"""

import json
import math
import re
import string
from dataclasses import asdict, dataclass, field
from html import escape
from typing import Any

import pandas as pd
from IPython.display import Image, display
from matplotlib.figure import Figure

from sectorbook import chapters, config, paths, provenance, warehouse
from sectorbook.errors import SectorbookError, unknown
from sectorbook.units import FORMATS, NOT_PUBLISHED, png, shown

SCHEMA = 1


@dataclass(frozen=True)
class Number:
    """One number with an address. `format(number, "range")` writes its interval."""

    address: str
    key: str
    label: str
    value: float | None
    unit: str
    source: tuple[str, ...]
    low: float | None = None
    high: float | None = None
    interval_pct: float | None = None
    estimated: bool = False
    contributors: int | None = None
    statistic: str | None = None
    kind: str = "number"

    def __format__(self, spec: str) -> str:
        if spec == "range":
            return f"{shown(self.low, self.unit)} to {shown(self.high, self.unit)}"
        if spec:
            raise SectorbookError(
                f"A number is written with {{name}} or {{name:range}}, not {{name:{spec}}}."
            )
        return shown(self.value, self.unit)


class _Shown:
    """What a notebook displays: plain text, and HTML beside it."""

    def __init__(self, text: str, html: str) -> None:
        self.text, self.html = text, html

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.text, "text/html": self.html}


def _clean(value: Any) -> Any:
    """Return a table cell as JSON holds it: six significant digits, None for missing, no NumPy types."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    value = value.item() if hasattr(value, "item") else value
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _cells(frame: pd.DataFrame, column: str, unit: str, missing: str) -> list[str]:
    """Return one column as it is written, withheld and top-coded values by name, missing ones as `missing`."""
    status = frame.get(f"{column.removesuffix('_usd').removesuffix('_pct')}_status")
    values = [_clean(value) for value in frame[column]]
    texts = [missing if value is None else shown(value, unit) for value in values]
    if status is None:
        return texts
    top = frame.get("top_code_hourly_usd" if "hourly" in column else "top_code_annual_usd")
    for i, state in enumerate(status):
        if state == "top-coded":
            texts[i] = f"{shown(float(top.iloc[i]), unit)} or more"
        elif state != "published":
            texts[i] = state.replace("-", " ")
    return texts


def table_html(table: dict) -> str:
    """Return a recorded table as HTML: caption, a header row with units, right-aligned numbers."""

    def css(column: dict) -> str:
        return "code" if column["unit"].endswith("code") else column["type"]

    def unit(column: dict) -> str:
        written = column["type"] in ("number", "integer") and column["unit"] not in ("rank", "count")
        return f"<br><small>{escape(column['unit'].split(',')[0])}</small>" if written else ""

    columns = table["columns"]
    head = "".join(f'<th scope="col" class="{css(c)}">{escape(c["label"])}{unit(c)}</th>' for c in columns)
    body = "".join(
        "<tr>"
        + "".join(f'<td class="{css(c)}">{escape(cell)}</td>' for c, cell in zip(columns, row, strict=True))
        + "</tr>"
        for row in table["cells"]
    )
    caption = f"<caption>{escape(table['title'])}</caption>"
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _table_text(table: dict) -> str:
    frame = pd.DataFrame(table["cells"], columns=[c["label"] for c in table["columns"]])
    return f"{table['title']}\n{frame.to_string(index=False)}"


def _figures(columns: list[str]) -> list[str]:
    return [c for c in columns if config.columns()[c].type in ("number", "integer")]


def _whole(value: Any) -> int:
    return 0 if pd.isna(value) else int(value)


@dataclass
class Chapter:
    """The open ledger of one chapter and region."""

    name: str
    title: str
    region: warehouse.Region
    sector: warehouse.Sector
    tables: tuple[str, ...]
    others: dict[str, provenance.Sidecar] = field(default_factory=dict)
    items: list[dict] = field(default_factory=list)
    images: dict[str, bytes] = field(default_factory=dict)

    def _address(self, key: str) -> str:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", key):
            raise SectorbookError(f"A finding's key is lower case with underscores; found {key!r}.")
        address = f"{self.region.slug}/{self.name}/{key}"
        if any(item.get("address") == address for item in self.items):
            raise SectorbookError(f"{address} is recorded twice in this chapter.")
        return address

    def use(self, *sidecars: provenance.Sidecar | None) -> None:
        """Add sources that are not processed tables: an initiative's own file, an example. None adds nothing."""
        for sidecar in sidecars:
            if sidecar is not None and sidecar.source not in self.tables:
                self.others[sidecar.source] = sidecar
                self.tables = (*self.tables, sidecar.source)

    def _source(self, table: str) -> provenance.Sidecar:
        return self.others[table] if table in self.others else warehouse.source(table)

    def record(
        self,
        key: str,
        value: float | None,
        unit: str,
        label: str,
        low: float | None = None,
        high: float | None = None,
        interval_pct: float | None = None,
        estimated: bool = False,
        contributors: int | None = None,
    ) -> Number:
        """Record one number. `estimated` marks what is computed from a model, not taken from a publisher.

        `contributors` is how many people or firms stand behind a number of an initiative's own data (the smaller group of a
        comparison); the ledger keeps it for the disclosure gate.
        """
        if unit not in FORMATS:
            raise unknown("unit", unit, FORMATS)
        number = Number(
            self._address(key), key, label, _clean(value), unit, self.tables, _clean(low), _clean(high),
            interval_pct, estimated, contributors,
            None if contributors is None else "count" if unit == "count" else "estimate",
        )  # fmt: skip
        self.items.append(asdict(number))
        return number

    def _sentence(self, template: str, values: dict[str, Any], otherwise: str | None) -> str:
        for text in (template, otherwise or ""):
            if any(re.search(r"\d", literal) for literal, _, _, _ in string.Formatter().parse(text)):
                raise SectorbookError(f"A number is typed into this sentence; record it instead: {text!r}")
        missing = [v for v in values.values() if isinstance(v, Number) and v.value is None]
        if missing:
            template = otherwise or "{label}: not published for {region}."
            values = {**values, "label": missing[0].label}
        values = {"region": self.region.name, "sector": self.sector.name.lower(), **values}
        return string.Formatter().vformat(template, (), values)

    def _put_sentence(
        self, kind: str, template: str, values: dict[str, Any], otherwise: str | None, css: str
    ) -> None:
        text = self._sentence(template, values, otherwise)
        uses = [v.address for v in values.values() if isinstance(v, Number) and v.value is not None]
        count = sum(item["kind"] == kind for item in self.items) + 1
        self.items.append(
            {"kind": kind, "address": self._address(f"{kind}_{count}"), "text": text, "uses": uses}
        )
        display(_Shown(text, f'<p class="{css}">{escape(text)}</p>'))

    def say(self, template: str, otherwise: str | None = None, **values: Any) -> None:
        """Record and show a sentence whose every number is a recorded one.

        `{region}` and `{sector}` are filled in. Where a number is missing, `otherwise` is said instead. Raises
        SectorbookError for a digit typed into the template.
        """
        self._put_sentence("sentence", template, values, otherwise, "say")

    def caveat(self, template: str, **values: Any) -> None:
        """Record and show something this chapter does not show."""
        self._put_sentence("caveat", template, values, None, "caveat")

    def check(self, holds: bool, template: str, **values: Any) -> None:
        """Show one line of facts that were checked. Raises SectorbookError with the line when it does not hold."""
        line = string.Formatter().vformat(template, (), values)
        if not holds:
            raise SectorbookError(f"A check of {self.name} failed: {line}")
        self.items.append({"kind": "check", "text": line})
        display(_Shown(f"Checked: {line}", f'<p class="check">Checked: {line}</p>'))

    def table(
        self,
        key: str,
        frame: pd.DataFrame,
        title: str,
        columns: list[str],
        missing: str = NOT_PUBLISHED,
        behind: str | dict[str, str] | None = None,
    ) -> None:
        """Record and show a table. `columns`, of `config/columns.yml`, are shown; `missing` is what an empty cell says.

        `behind` names the column with the number of people or firms behind each row's figures, or one such column for each
        of the columns shown; the ledger keeps it for the disclosure gate.
        """
        known = config.columns()
        for column in columns:
            if column not in known:
                raise unknown("column of the data dictionary", column, known)
        written = [_cells(frame, column, known[column].unit, missing) for column in columns]
        item = {
            "kind": "table",
            "address": self._address(key),
            "title": title,
            "source": self.tables,
            "columns": [
                {"name": c, "label": known[c].label, "unit": known[c].unit, "type": known[c].type}
                for c in columns
            ],
            "rows": [[_clean(v) for v in row] for row in frame[columns].itertuples(index=False)],
            "cells": [list(row) for row in zip(*written, strict=True)],
        }
        if behind is not None:
            counted = behind if isinstance(behind, dict) else dict.fromkeys(_figures(columns), behind)
            item["disclosure"] = {
                "contributors": {c: [_whole(v) for v in frame[n]] for c, n in counted.items()},
                "statistic": {c: "count" if known[c].unit == "count" else "estimate" for c in counted},
                "public": [c for c in columns if c not in counted],
                "relations": [],
            }
        self.items.append(item)
        display(_Shown(_table_text(item), table_html(item)))

    def figure(self, key: str, figure: Figure, title: str) -> None:
        """Record and show a figure of `charts`, with the text alternative it was given there."""
        file = f"{key}.png"
        self.images[file] = png(figure)
        width = round(figure.get_figwidth() * 96)
        self.items.append(
            {
                "kind": "figure",
                "address": self._address(key),
                "title": title,
                "alt": figure.alt,
                "file": file,
                "width": width,
                "source": self.tables,
            }
        )
        display(Image(self.images[file], alt=figure.alt, width=width))

    def note(self, text: str, *only: str) -> str:
        """Return the line below a figure: where the data are from, then `text`.

        `only` names the sources the figure draws on, where it is not all of the chapter's; one not in use here is left out.
        """
        named = [table for table in self.tables if not only or table in only]
        titles = dict.fromkeys(self._source(table).title for table in named)
        return f"Source: {'; '.join(titles) or 'none yet'}. {text}"

    def number(self, key: str, row: pd.Series, column: str, interval_pct: float, label: str) -> Number:
        """Record an estimate that stands in `row` with its interval (`column`, `column_low`, `column_high`)."""
        return self.record(
            key, row[column], config.columns()[column].unit, label,
            row[f"{column}_low"], row[f"{column}_high"], interval_pct, estimated=True,
        )  # fmt: skip

    def answer(self, question: str, text: str) -> None:
        """Keep an answer to an exercise in the region's local folder. An empty one changes nothing."""
        path = paths.local(self.region.slug, "answers.json")
        if not text.strip():
            display(_Shown(f"{question}: not answered yet.", f"<p>{question}: not answered yet.</p>"))
            return
        answers = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        with paths.write_atomic(path) as file:
            json.dump({**answers, question: text}, file, indent=1, ensure_ascii=False)
        display(_Shown(f"{question}: kept.", f"<p>{question}: kept.</p>"))

    def contents(self) -> None:
        """Show the chapters of the workbook and the question each answers."""
        frame = pd.DataFrame(
            [{"chapter": f"{c.number} {c.title}", "question": c.question} for c in chapters.discover()]
        )
        self.table("contents", frame, "The chapters", ["chapter", "question"])

    def _quoted(self, address: str, kind: str) -> dict | None:
        """Return what another chapter of this region and sector recorded, or None."""
        name = address.partition("/")[0]
        ledger = read(self.region.slug).get(name, {})
        if ledger.get("sector", {}).get("slug") != self.sector.slug:
            return None
        full = f"{self.region.slug}/{address}"
        return next((i for i in ledger["items"] if i["kind"] == kind and i["address"] == full), None)

    def quote(self, address: str) -> Number:
        """Return a number that another chapter recorded, as "03_industry/sector_jobs", under its own address.

        One of a chapter that was not run for this region and sector comes back missing.
        """
        item = self._quoted(address, "number")
        if item:
            return Number(**{**item, "source": tuple(item["source"])})
        return Number(f"{self.region.slug}/{address}", address, address, None, "count", self.tables)

    def quote_table(self, address: str, columns: list[str]) -> pd.DataFrame:
        """Return columns of a table that another chapter recorded; no rows when it was not run."""
        known = config.columns()
        item = self._quoted(address, "table") or {"columns": [{"name": c} for c in columns], "rows": []}
        frame = pd.DataFrame(item["rows"], columns=[column["name"] for column in item["columns"]])[columns]
        numbers = [column for column in columns if known[column].type in ("number", "integer")]
        return frame.astype(dict.fromkeys(numbers, "float64"))

    def chapters_read(self) -> list[str]:
        """Return the chapters that were run for this region and sector, by name."""
        ledgers = read(self.region.slug)
        return [
            n
            for n, ledger in ledgers.items()
            if n != self.name and ledger["sector"]["slug"] == self.sector.slug
        ]

    def cite(self) -> None:
        """Show the sources of this chapter, from the sidecars."""
        lines = [f"{s['citation']}. {s['licence']}." for s in self.sources()]
        display(
            _Shown("\n".join(lines), "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>")
        )

    def sources(self) -> list[dict]:
        """Return the sidecars behind this chapter's tables, each once, without the file lists."""
        found = {}
        for table in self.tables:
            sidecar = self._source(table)
            found[sidecar.source] = sidecar.model_dump(
                include={
                    "source",
                    "title",
                    "publisher",
                    "vintage",
                    "published",
                    "retrieved",
                    "licence",
                    "citation",
                    "synthetic",
                    "via",
                }
            )
        return list(found.values())

    def save(self) -> None:
        """Write the ledger and its figures to the region's folder, the ledger last."""
        ledger = paths.ledger(self.region.slug, self.name)
        for file, content in self.images.items():
            with paths.write_atomic(ledger.with_suffix("") / file, "wb") as out:
                out.write(content)
        content = {
            "schema": SCHEMA,
            "chapter": self.name,
            "title": self.title,
            "region": asdict(self.region),
            "sector": asdict(self.sector),
            "sources": self.sources(),
            "items": self.items,
        }
        with paths.write_atomic(ledger) as out:
            json.dump(content, out, indent=1, ensure_ascii=False)
        kinds = {
            kind: sum(item["kind"] == kind for item in self.items) for kind in ("number", "table", "figure")
        }
        line = f"Saved {kinds['number']} numbers, {kinds['table']} tables and {kinds['figure']} figures for {self.region.name}."
        display(_Shown(line, f"<p>{line}</p>"))


def open(name: str, title: str, region: str, sector: str, tables: list[str]) -> Chapter:
    """Open the ledger of a chapter. `tables` are the processed tables it reads, which become its sources.

    Raises SectorbookError for an unknown region, sector or table, with the nearest matches.
    """
    for table in tables:
        warehouse.source(table)
    return Chapter(name, title, warehouse.find_region(region), warehouse.find_sector(sector), tuple(tables))


def read(region_slug: str) -> dict[str, dict]:
    """Return a region's saved ledgers, by chapter, in chapter order."""
    found = {}
    for path in sorted(paths.ledger(region_slug, "*").parent.glob("*.json")):
        try:
            found[path.stem] = json.loads(path.read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            raise SectorbookError(f"{paths.shown(path)} is not readable; run the chapter again.") from error
    return found
