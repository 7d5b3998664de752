"""A small book for the tests of the report, with every kind of item, made without a run."""

import io
import re
import struct
import subprocess
import zlib
from pathlib import Path

import openpyxl
from sectorbook.report.book import Book, Section

SECTOR = {"slug": "healthcare", "name": "Health care", "naics": ["621", "622"], "industries": ["621000"]}
REGION = {
    "slug": "test-land", "code": "0099999", "name": "Test Land, ZZ", "kind": "metropolitan", "employment": 1000.0,
}  # fmt: skip
SOURCE = {
    "source": "oews",
    "title": "Wages, May 2025",
    "publisher": "A Bureau",
    "vintage": "May 2025",
    "published": "2026-05-15",
    "retrieved": "2026-09-26",
    "licence": "Public domain",
    "citation": "A Bureau, Wages, May 2025",
    "synthetic": False,
    "via": None,
}


def png(width: int = 40, height: int = 20) -> bytes:
    """Return a white PNG picture."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = (b"\0" + b"\xff" * width) * height
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def number(chapter: str, key: str, value: float | None, unit: str, label: str = "A number", **more) -> dict:
    return {
        "kind": "number", "address": f"test-land/{chapter}/{key}", "key": key, "label": label, "value": value,
        "unit": unit, "source": ["oews"], "low": None, "high": None, "interval_pct": None, "estimated": False, **more,
    }  # fmt: skip


def sentence(chapter: str, text: str, uses: tuple[str, ...] = (), kind: str = "sentence") -> dict:
    return {"kind": kind, "address": f"test-land/{chapter}/{kind}", "text": text, "uses": list(uses)}


def figure(title: str = "A picture", alt: str = "A white picture.", file: str = "picture.png") -> dict:
    return {
        "kind": "figure",
        "address": "test-land/x/p",
        "title": title,
        "alt": alt,
        "file": file,
        "width": 710,
    }


def table(title: str = "Pay", name: str = "Nurses", label: str = "Occupation") -> dict:
    """Return a table whose second row holds a withheld wage, kept as a number behind its label, and a top code."""
    return {
        "kind": "table",
        "address": "test-land/04_occupations/pay",
        "title": title,
        "columns": [
            {"name": "occupation_title", "label": label, "unit": "name", "type": "text"},
            {"name": "employment", "label": "Jobs", "unit": "jobs", "type": "integer"},
            {
                "name": "wage_annual_p50_usd",
                "label": "Median wage",
                "unit": "USD per year",
                "type": "integer",
            },
            {"name": "share_pct", "label": "Share", "unit": "percent", "type": "number"},
        ],
        "rows": [[name, 1234.0, 98765.0, 12.34], ["Surgeons", None, 77777.0, 0.0]],
        "cells": [[name, "1,230", "$98,765", "12.3%"], ["Surgeons", "withheld", "$239,200 or more", "0.0%"]],
    }


def section(folder: Path, name: str, title: str, items: list[dict]) -> Section:
    here = folder / name
    here.mkdir(parents=True, exist_ok=True)
    (here / "picture.png").write_bytes(png())
    return Section(name, title, items, here)


def small(folder: Path, synthetic: bool = False) -> Book:
    """Return a book of page one and three chapters."""
    jobs = number("03_industry", "jobs", 1234.0, "jobs", "Jobs", low=1200.0, high=1300.0, interval_pct=90)
    wage = number("04_occupations", "wage", None, "USD per year", "Wage", estimated=True)
    return Book(
        region=dict(REGION),
        sector=dict(SECTOR),
        summary=section(
            folder,
            "12_report",
            "Report",
            [
                sentence("12_report", "The sector has 1,230 jobs (1,200 to 1,300) here.", (jobs["address"],)),
                figure(),
                sentence("12_report", "This page repeats the chapters.", kind="caveat"),
            ],
        ),
        sections=[
            section(folder, "00_start_here", "Start here", [sentence("00_start_here", "What this is.")]),
            section(
                folder, "03_industry", "Industry", [jobs, sentence("03_industry", "It grows."), figure()]
            ),
            section(folder, "04_occupations", "Occupations", [wage, table()]),
        ],
        sources=[{**SOURCE, "synthetic": synthetic}],
        missing=[{"why": "chapter_not_run", "number": "05", "title": "Workforce"}],
        synthetic=synthetic,
        code={"version": "0.1.0", "commit": "a" * 40, "changed": False},
        receipt={"versions": {"python": "3.11"}, "inputs": {"data/processed/x.parquet": "f" * 64}},
    )


def unpacked_streams(content: bytes) -> bytes:
    """Return a PDF's bytes with every stream unpacked."""
    found = [content]
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.S):
        try:
            found.append(zlib.decompress(stream))
        except zlib.error:
            continue
    return b"\n".join(found)


def pages_of(content: bytes) -> list[str]:
    """Return the text of each page of a PDF."""
    done = subprocess.run(["pdftotext", "-layout", "-", "-"], input=content, capture_output=True, check=True)
    return [" ".join(page.split()) for page in done.stdout.decode().split("\f")[:-1]]


def cells_of(content: bytes) -> dict[str, list]:
    """Return the filled cells of a workbook, by sheet."""
    workbook = openpyxl.load_workbook(io.BytesIO(content))
    return {
        sheet.title: [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
        for sheet in workbook
    }
