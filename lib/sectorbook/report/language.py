"""The fixed strings of a report in its language, and numbers and dates as that language writes them.

Sentences, table titles and figures come from the chapters and stay in the chapters' language, `SOURCE`.
"""

import math
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any

import yaml
from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent

from sectorbook import writing
from sectorbook.errors import SectorbookError, unknown

SOURCE = "en"
CATALOGUES = resources.files("sectorbook.report") / "languages"

# Decimals of a number by unit, the same as `writing.FORMATS` writes; a test compares them.
DECIMALS = {
    "jobs": 0, "count": 0, "establishments": 0, "USD": 0, "percentage points": 2,
    "USD per year": 0, "USD per hour": 2, "percent": 1, "percent, whole": 0, "ratio": 2,
    "jobs per 1,000": 1, "rank": 0, "level": 0, "years": 1, "p-value": 3, "standard deviations": 2,
    "USD per quarter": 0, "amount": 1, "percent change": 1, "log points": 3,
}  # fmt: skip


@dataclass(frozen=True)
class Language:
    """A catalogue of fixed strings and the locale for numbers and dates."""

    code: str
    locale: str
    text: dict[str, str]
    audiences: dict[str, str]
    headings: dict[str, dict[str, str]]
    kinds: dict[str, str]
    states: dict[str, str]
    units: dict[str, str]
    sectors: dict[str, str]
    columns: dict[str, str]

    def __call__(self, key: str, **values: Any) -> str:
        """Return the fixed string `key` with its fields filled in. Values are put in as they are."""
        return self.text[key].format(**values)

    def shown(self, value: float | None, unit: str) -> str:
        """Return a number as it is written in this language, or "not published" where it is missing."""
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return self("not_published")
        if self.code == SOURCE or unit not in DECIMALS:
            return writing.shown(value, unit)
        places = DECIMALS[unit]
        # Rounded as the English edition rounds it, so that both carry the same digits.
        rounded = Decimal(f"{round(value, -1) if unit == 'jobs' else value:.{places}f}")
        digits = "#,##0" + ("." + "0" * places if places else "")
        if unit.startswith("USD"):
            return format_currency(
                rounded, "USD", locale=self.locale, currency_digits=False, format=f"¤{digits}"
            )
        if unit.startswith("percent") and unit != "percentage points":
            pattern = Locale.parse(self.locale).percent_formats[None].pattern.replace("#,##0", digits)
            sign = "+" if unit == "percent change" and rounded > 0 else ""
            return sign + format_percent(rounded / 100, pattern, locale=self.locale)
        return format_decimal(rounded, digits, locale=self.locale)

    def date(self, iso: str) -> str:
        """Return a date, given as year-month-day, in the language's long form; English keeps the ISO form."""
        try:
            day = date.fromisoformat(iso)
        except (TypeError, ValueError):
            return str(iso)
        return iso if self.code == SOURCE else format_date(day, "long", locale=self.locale)

    def state(self, label: str) -> str:
        """Return the label of a value that is not shown, as in "withheld" or "$239,200 or more"."""
        start, more, end = label.rpartition(" or more")
        if more and not end:
            amount = start.replace("$", "").replace(",", "")
            unit = "USD per hour" if "." in amount else "USD per year"
            is_amount = start.startswith("$") and amount.replace(".", "", 1).isdecimal()
            return self("or_more", value=self.shown(float(amount), unit) if is_amount else start)
        return self.states.get(label, label)


def codes() -> list[str]:
    """Return the languages there are, by code."""
    return sorted(
        file.name.removesuffix(".yml") for file in CATALOGUES.iterdir() if file.name.endswith(".yml")
    )


@cache
def load(code: str) -> Language:
    """Return the language `code` ("en", "es"). Raises SectorbookError for one that is not there."""
    if code not in codes():
        raise unknown("language", code, codes())
    content = yaml.safe_load((CATALOGUES / f"{code}.yml").read_text(encoding="utf-8"))
    try:
        return Language(code=code, **content)
    except TypeError as error:
        raise SectorbookError(f"languages/{code}.yml: {error}") from error
