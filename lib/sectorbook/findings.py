"""The claim ledger: what a chapter found, with an address, unit and source for every number.

A chapter opens a ledger, records numbers, tables, figures and sentences, and saves them. Reports are built
from the saved ledgers alone.
"""

import json
import re
import string
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from typing import Any

import pandas as pd
from IPython.display import Image, display
from matplotlib.figure import Figure

from sectorbook import answers, chapters, config, ledgers, paths, pictures, provenance, warehouse
from sectorbook.errors import SectorbookError, unknown
from sectorbook.local import origin as local_files
from sectorbook.writing import FORMATS, NOT_PUBLISHED, cells, clean, shown, table_html, table_text

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


@dataclass
class Chapter:
    """The open ledger of one chapter and region."""

    name: str
    title: str
    region: warehouse.Region
    sector: warehouse.Sector
    tables: tuple[str, ...]
    origin: local_files.Origin
    local: tuple[str, ...] = ()
    person_level: bool = False
    others: tuple[provenance.Sidecar, ...] = ()
    items: list[dict] = field(default_factory=list)
    images: dict[str, bytes] = field(default_factory=dict)
    quoted: dict[str, dict] = field(default_factory=dict)

    @property
    def _names(self) -> tuple[str, ...]:
        local = (f"local/{table}" for table in self.local)
        return (*self.tables, *local, *(sidecar.source for sidecar in self.others))

    def _address(self, key: str) -> str:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", key):
            raise SectorbookError(f"A finding's key is lower case with underscores; found {key!r}.")
        address = f"{self.region.slug}/{self.name}/{key}"
        if any(item.get("address") == address for item in self.items):
            raise SectorbookError(f"{address} is recorded twice in this chapter.")
        return address

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
        **declared: Any,
    ) -> Number:
        """Record one number. `estimated` marks what is computed from a model, not taken from a publisher.

        In a chapter on people or firms, `declared` says to the disclosure gate what stands behind the number:
        contributors, statistic and the rest, as `sectorbook.disclosure` lists them.
        """
        if unit not in FORMATS:
            raise unknown("unit", unit, FORMATS)
        number = Number(
            self._address(key), key, label, clean(value), unit, self._names, clean(low), clean(high),
            interval_pct, estimated,
        )  # fmt: skip
        self.items.append({**asdict(number), **declared})
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
        disclosure: dict | None = None,
        missing: str = NOT_PUBLISHED,
    ) -> None:
        """Record and show a table. `columns`, of `config/columns.yml`, are shown; `missing` is what an empty cell says.

        In a chapter on people or firms, `disclosure` declares what stands behind the cells to the disclosure gate.
        """
        known = config.columns()
        for column in columns:
            if column not in known:
                raise unknown("column of the data dictionary", column, known)
        written = [cells(frame, column, known[column].unit, missing) for column in columns]
        item = {
            "kind": "table",
            "address": self._address(key),
            "title": title,
            "source": self._names,
            **({} if disclosure is None else {"disclosure": disclosure}),
            "columns": [
                {"name": c, "label": known[c].label, "unit": known[c].unit, "type": known[c].type}
                for c in columns
            ],
            "rows": [[clean(v) for v in row] for row in frame[columns].itertuples(index=False)],
            "cells": [list(row) for row in zip(*written, strict=True)],
        }
        self.items.append(item)
        display(_Shown(table_text(item), table_html(item)))

    def figure(self, key: str, figure: Figure, title: str, uses: tuple[str, ...] = ()) -> None:
        """Record and show a figure of `charts`, with the text alternative it was given there.

        In a chapter on people or firms, `uses` are the addresses of the numbers and tables it draws.
        """
        file = f"{key}.png"
        self.images[file] = pictures.png(figure)
        width = round(figure.get_figwidth() * 96)
        self.items.append(
            {
                "kind": "figure",
                "address": self._address(key),
                "title": title,
                "alt": figure.alt,
                "file": file,
                "width": width,
                "source": self._names,
                **({"uses": list(uses)} if uses else {}),
            }
        )
        display(Image(self.images[file], alt=figure.alt, width=width))

    def attach(self, key: str, ending: str, content: bytes | str) -> None:
        """Keep a file beside the chapter's findings, such as a network for another program."""
        self.images[f"{key}.{ending}"] = content.encode() if isinstance(content, str) else content
        display(_Shown(f"Kept: {key}.{ending}", f"<p>Kept: {key}.{ending}</p>"))

    def note(self, text: str) -> str:
        """Return the line below a figure: where the data are from, then `text`."""
        titles = dict.fromkeys(sidecar.title for sidecar in self._sidecars())
        return f"Source: {'; '.join(titles)}. {text}"

    def number(self, key: str, row: pd.Series, column: str, interval_pct: float, label: str) -> Number:
        """Record an estimate that stands in `row` with its interval (`column`, `column_low`, `column_high`)."""
        return self.record(
            key, row[column], config.columns()[column].unit, label,
            row[f"{column}_low"], row[f"{column}_high"], interval_pct, estimated=True,
        )  # fmt: skip

    def answer(self, question: str, text: str) -> None:
        """Keep an answer in the region's local folder, with the team's name and the time. An empty one changes nothing."""
        if not text.strip():
            display(_Shown(f"{question}: not answered yet.", f"<p>{question}: not answered yet.</p>"))
            return
        team = answers.keep(self.region.slug, question, text).team
        line = f"{question}: kept" + (f" for {team}." if team else ".")
        display(_Shown(line, f"<p>{escape(line)}</p>"))

    def contents(self) -> None:
        """Show the chapters of the workbook and the question each answers."""
        frame = pd.DataFrame(
            [{"chapter": f"{c.number} {c.title}", "question": c.question} for c in chapters.discover()]
        )
        self.table("contents", frame, "The chapters", ["chapter", "question"])

    def _quoted(self, address: str, kind: str) -> dict | None:
        """Return what another chapter of this region and sector recorded, or None."""
        name = address.partition("/")[0]
        ledger = ledgers.one(self.region.slug, name)
        if ledger.get("sector", {}).get("slug") != self.sector.slug:
            return None
        if ledger.get("person_level") and not self.person_level:
            raise SectorbookError(
                f"{address} is in a chapter on people or firms; before the disclosure gate no other chapter may quote it."
            )
        full = f"{self.region.slug}/{address}"
        item = next((i for i in ledger["items"] if i["kind"] == kind and i["address"] == full), None)
        if item:
            self.quoted |= {source["source"]: source for source in ledger["sources"]}
        return item

    def quote(self, address: str) -> Number:
        """Return a number that another chapter recorded, as "03_industry/sector_jobs", under its own address.

        One of a chapter that was not run for this region and sector comes back missing.
        """
        item = self._quoted(address, "number")
        if item:
            known = {k: v for k, v in item.items() if k in Number.__dataclass_fields__}
            return Number(**{**known, "source": tuple(item["source"])})
        return Number(f"{self.region.slug}/{address}", address, address, None, "count", self._names)

    def quote_table(self, address: str, columns: list[str]) -> pd.DataFrame:
        """Return columns of a table that another chapter recorded; no rows when it was not run."""
        known = config.columns()
        item = self._quoted(address, "table") or {"columns": [{"name": c} for c in columns], "rows": []}
        if "disclosure" in item:
            raise SectorbookError(
                f"{address} is a table on people or firms; only its own chapter may show it."
            )
        frame = pd.DataFrame(item["rows"], columns=[column["name"] for column in item["columns"]])[columns]
        numbers = [column for column in columns if known[column].type in ("number", "integer")]
        return frame.astype(dict.fromkeys(numbers, "float64"))

    def chapters_read(self) -> list[str]:
        """Return the chapters that were run for this region and sector, by name."""
        return [
            n
            for n, ledger in ledgers.read(self.region.slug).items()
            if n != self.name and ledger["sector"]["slug"] == self.sector.slug
        ]

    def cite(self) -> None:
        """Show the sources of this chapter, from the sidecars."""
        lines = [f"{s['citation']}. {s['licence']}." for s in self.sources()]
        display(
            _Shown("\n".join(lines), "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>")
        )

    def _sidecars(self) -> list[provenance.Sidecar]:
        public = [warehouse.source(table) for table in self.tables]
        # A chapter on public data cites the initiative's files only where they hold anything.
        own = self.local and (not public or set(self.local) & set(self.on_file()))
        return [*public, *([local_files.sidecar(self.origin)] if own else []), *self.others]

    def on_file(self) -> list[str]:
        """Return the tables of the initiative's own files that hold rows, whether this chapter reads them or not."""
        return local_files.on_file(self.origin)

    def files(self) -> None:
        """Show what is on file of the initiative's own tables, and say where they come from and what to fill in."""
        frame = local_files.state(self.local, self.origin)
        # How many people or firms a file lists is a number on them.
        rows = [0 if pd.isna(n) else int(n) for n in frame["file_rows"]]
        told = {
            "contributors": {"file_rows": rows},
            "public": [c for c in frame if c != "file_rows"],
            "relations": [],
        }
        disclosure = told if self.person_level else None
        self.table(
            "files", frame, "Files of the initiative", list(frame), disclosure=disclosure, missing="none"
        )
        self.caveat("{notice}", notice=local_files.notice(self.local, self.origin))

    def sources(self) -> list[dict]:
        """Return the sidecars behind this chapter's tables and what it quotes, each once, without the file lists."""
        found = dict(self.quoted)
        for sidecar in self._sidecars():
            found[sidecar.source] = sidecar.model_dump(
                include={
                    "source", "title", "publisher", "vintage", "published", "retrieved", "licence", "citation",
                    "synthetic", "via",
                }
            )  # fmt: skip
        return list(found.values())

    def save(self) -> None:
        """Write the ledger and its figures to the region's folder, the ledger last.

        A chapter on people or firms leaves them with the region's local files: they have not passed the disclosure gate.
        """
        ledger = paths.ledger(self.region.slug, self.name, self.person_level)
        if self.person_level:
            with paths.write_atomic(paths.private(self.region.slug, paths.OUTPUT_NOTE)) as file:
                file.write(f"{paths.reports().resolve()}\n")
        for file, content in self.images.items():
            with paths.write_atomic(ledger.with_suffix("") / file, "wb") as out:
                out.write(content)
        content = {
            "schema": SCHEMA,
            "chapter": self.name,
            "title": self.title,
            **({"person_level": True} if self.person_level else {}),
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


def open(
    name: str,
    title: str,
    region: str,
    sector: str,
    tables: list[str],
    local: Sequence[str] = (),
    demonstration: bool = False,
    person_level: bool = False,
    others: Sequence[provenance.Sidecar] = (),
) -> Chapter:
    """Open the ledger of a chapter. `tables` are the processed tables it reads, which become its sources.

    `local` are the tables of the initiative's own files it reads, through `origin`; `demonstration` lets the synthetic
    ones stand in where the region has no files of its own. `person_level` puts a chapter on people or firms under the
    disclosure gate: nothing of it is published that does not declare what stands behind it. `others` are the sidecars of
    what it reads besides. Raises SectorbookError for an unknown region, sector or table, with the nearest matches.
    """
    for table in tables:
        warehouse.source(table)
    place, kind = warehouse.find_region(region), warehouse.find_sector(sector)
    origin = local_files.find(place.slug, kind.slug, demonstration)
    return Chapter(name, title, place, kind, tuple(tables), origin, tuple(local), person_level, tuple(others))
