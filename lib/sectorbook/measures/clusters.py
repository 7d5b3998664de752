"""Honest uncertainty with few clusters: bias-reduced errors, wild cluster bootstrap."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from sectorbook.errors import SectorbookError, unknown
from sectorbook.measures.effects import regress

EXACT_CLUSTERS = 12
"""Up to this many clusters all 2^G sign patterns are used, so the bootstrap has no draw error."""


@dataclass(frozen=True)
class ClusterError:
    """Estimate of one contrast with its cluster-robust standard error and degrees of freedom."""

    estimate: float
    standard_error: float
    df: float
    se_method: str
    clusters: int


def cluster_robust(
    y: np.ndarray, x: np.ndarray, clusters: np.ndarray, se: str, contrast: np.ndarray
) -> ClusterError:
    """Return a contrast of least-squares coefficients with standard error CR0, CR1 or CR2.

    CR2 corrects the small-sample bias of few or unequal clusters and takes Satterthwaite degrees of freedom under
    an independent, equal-variance working model (Bell & McCaffrey 2002; Imbens & Kolesár 2016; Pustejovsky & Tipton
    2018). CR0 and CR1 take G − 1.
    """
    if se not in ("CR0", "CR1", "CR2"):
        raise unknown("cluster standard error", se, ["CR0", "CR1", "CR2"])
    codes, groups = pd.factorize(pd.Series(clusters))
    contrast = np.asarray(contrast, dtype=float)
    if se != "CR2":
        fit = regress(y, x, se, clusters=codes)
        return ClusterError(*fit.contrast(contrast), fit.df, fit.se_method, len(groups))
    if len(groups) < 2:
        raise SectorbookError("Cluster-robust standard errors need two clusters or more; found one.")
    bread = np.linalg.inv(x.T @ x)
    resid = y - x @ (bread @ (x.T @ y))
    direction = bread @ contrast
    variance, leverage = 0.0, []
    for rows in _rows(codes):
        xg = x[rows]
        root = _inverse_root(np.eye(len(rows)) - xg @ bread @ xg.T)
        a = root @ (xg @ direction)
        variance += float(a @ resid[rows]) ** 2
        leverage.append((rows, a))
    # Each cluster's share of the variance estimator is (p_g'e)²; p_g = (I − H)_g' a_g.
    norms = np.array([a @ a for _, a in leverage])
    moments = np.array([x[rows].T @ a for rows, a in leverage])
    gram = np.diag(norms) - moments @ bread @ moments.T
    df = float(np.trace(gram) ** 2 / (gram**2).sum())
    label = f"CR2 (Bell–McCaffrey), {len(groups)} clusters"
    return ClusterError(float(contrast @ bread @ (x.T @ y)), float(np.sqrt(variance)), df, label, len(groups))


def _rows(codes: np.ndarray) -> Iterator[np.ndarray]:
    order = np.argsort(codes, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)


def _inverse_root(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    scale = np.where(values > 1e-10, 1 / np.sqrt(np.maximum(values, 1e-10)), 0.0)
    return (vectors * scale) @ vectors.T


def wild_cluster_bootstrap(
    y: np.ndarray,
    x: np.ndarray,
    clusters: np.ndarray,
    column: int,
    null: float = 0.0,
    draws: int = 9999,
    seed: int = 0,
) -> float:
    """Return the two-sided p that the coefficient of `column` equals `null`, by the restricted wild cluster bootstrap.

    Rademacher signs by cluster on residuals that impose the null, t with CR1 errors (Cameron, Gelbach & Miller 2008;
    MacKinnon & Webb 2017). Up to `EXACT_CLUSTERS` clusters all 2^G sign patterns are used and `draws` and `seed` have
    nothing to decide; the smallest p is then 2/2^G, so four clusters can never reach 0.05.
    """
    codes, groups = pd.factorize(pd.Series(clusters))
    g, (n, k) = len(groups), x.shape
    if g < 2:
        raise SectorbookError("The wild cluster bootstrap needs two clusters or more; found one.")
    if g <= EXACT_CLUSTERS:
        signs = np.array(list(product((1.0, -1.0), repeat=g)))
    else:
        signs = np.random.default_rng(seed).choice((-1.0, 1.0), size=(draws, g))
    bread = np.linalg.inv(x.T @ x)
    rest = np.delete(x, column, axis=1)
    target = y - null * x[:, column]
    fitted = rest @ np.linalg.lstsq(rest, target, rcond=None)[0]
    resid = target - fitted
    direction = x @ bread[:, column]
    membership = (codes[:, None] == np.arange(g)).astype(float)
    factor = g / (g - 1) * (n - 1) / (n - k)

    def statistic(outcomes: np.ndarray) -> np.ndarray:
        coefficients = outcomes @ x @ bread
        errors = outcomes - coefficients @ x.T
        scores = (errors * direction) @ membership
        return coefficients[:, column] / np.sqrt(factor * (scores**2).sum(axis=1))

    observed = abs(statistic(target[None, :])[0])
    extreme = 0
    for block in np.array_split(signs, max(1, len(signs) * n // 2_000_000)):
        extreme += int((np.abs(statistic(fitted + resid * block[:, codes])) >= observed * (1 - 1e-10)).sum())
    if g <= EXACT_CLUSTERS:
        return extreme / len(signs)
    return (1 + extreme) / (1 + len(signs))
