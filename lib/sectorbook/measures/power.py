"""How small an effect could this study see, and how many people does it need?"""

from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats
from statsmodels.stats.power import TTestIndPower

from sectorbook.errors import SectorbookError


@dataclass(frozen=True)
class Design:
    """What decides a trial's power.

    `n_treated`, `n_comparison`: people analysed. `outcome_sd`: standard deviation, in the outcome's unit. `r_squared`: share of
    its variance that covariates explain. `take_up`: difference in the share served between the arms. `cluster_size` and
    `intraclass_correlation`: when whole sites or firms were assigned.
    """

    n_treated: int
    n_comparison: int
    outcome_sd: float = 1.0
    r_squared: float = 0.0
    take_up: float = 1.0
    cluster_size: float = 1.0
    intraclass_correlation: float = 0.0

    def __post_init__(self) -> None:
        """Raise SectorbookError on values no design can have."""
        if min(self.n_treated, self.n_comparison) < 2:
            raise SectorbookError(f"Each arm needs 2 people; found {self.n_treated} and {self.n_comparison}.")
        checks = {
            "outcome_sd": self.outcome_sd > 0,
            "r_squared": 0 <= self.r_squared < 1,
            "take_up": 0 < self.take_up <= 1,
            "cluster_size": self.cluster_size >= 1,
            "intraclass_correlation": 0 <= self.intraclass_correlation <= 1,
        }
        for name, fine in checks.items():
            if not fine:
                raise SectorbookError(f"{name} = {getattr(self, name)} is outside what a design can have.")

    @property
    def design_effect(self) -> float:
        """Return variance inflation from assigning clusters: 1 + (m − 1)ρ (Kish 1965; Donner & Klar 2000)."""
        return 1 + (self.cluster_size - 1) * self.intraclass_correlation

    @property
    def standardized_unit(self) -> float:
        """Return what one effective standard deviation is worth in the outcome's unit, on those served."""
        return self.outcome_sd * np.sqrt((1 - self.r_squared) * self.design_effect) / self.take_up

    @property
    def degrees_of_freedom(self) -> float:
        """Return N − 2, or clusters − 2 when clusters were assigned."""
        return (self.n_treated + self.n_comparison) / self.cluster_size - 2


def minimum_detectable_effect(design: Design, power: float = 0.8, alpha: float = 0.05) -> float:
    """Return the smallest true effect (in the outcome's unit, on those served) found with the asked `power`.

    Two-sided test; noncentral t. Bloom 1995, Evaluation Review 19:547–556, exactly rather than by his multiplier.
    """
    _levels(power, alpha)
    per_sd = np.sqrt(1 / design.n_treated + 1 / design.n_comparison)
    top = 1.0
    while _power_of(top, design.degrees_of_freedom, alpha) < power:
        top *= 1.5
    found = optimize.brentq(
        lambda nc: _power_of(nc, design.degrees_of_freedom, alpha) - power, 0, top, xtol=1e-12
    )
    return float(found * per_sd * design.standardized_unit)


def power_of(design: Design, effect: float, alpha: float = 0.05) -> float:
    """Return the chance that a two-sided test finds a true `effect` (in the outcome's unit, on those served)."""
    _levels(0.5, alpha)
    per_sd = np.sqrt(1 / design.n_treated + 1 / design.n_comparison)
    return _power_of(abs(effect) / design.standardized_unit / per_sd, design.degrees_of_freedom, alpha)


def _power_of(noncentrality: float, df: float, alpha: float) -> float:
    if df <= 0:
        raise SectorbookError("Too few clusters: a comparison needs three or more in all.")
    critical = stats.t.ppf(1 - alpha / 2, df)
    return float(stats.nct.sf(critical, df, noncentrality) + stats.nct.cdf(-critical, df, noncentrality))


def sample_size_means(effect_size: float, power: float = 0.8, alpha: float = 0.05) -> float:
    """Return people needed per arm (equal arms) to find `effect_size` standard deviations; t test, by statsmodels."""
    _levels(power, alpha)
    if effect_size == 0:
        raise SectorbookError("No sample is large enough to find an effect of zero.")
    return float(TTestIndPower().solve_power(effect_size=abs(effect_size), power=power, alpha=alpha))


def sample_size_shares(
    share_treated: float, share_comparison: float, power: float = 0.8, alpha: float = 0.05
) -> float:
    """Return people needed per arm to tell two shares apart.

    (z₁₋α/₂·√(2p̄q̄) + z_power·√(p₁q₁ + p₀q₀))²/(p₁ − p₀)²: Fleiss, Levin & Paik 2003, section 4.2, as R's power.prop.test.
    """
    _levels(power, alpha)
    p1, p0 = share_treated, share_comparison
    if not (0 <= p1 <= 1 and 0 <= p0 <= 1) or p1 == p0:
        raise SectorbookError(f"Two different shares between 0 and 1 are needed; found {p1} and {p0}.")
    middle = (p1 + p0) / 2
    a = stats.norm.ppf(1 - alpha / 2) * np.sqrt(2 * middle * (1 - middle))
    b = stats.norm.ppf(power) * np.sqrt(p1 * (1 - p1) + p0 * (1 - p0))
    return float(((a + b) / (p1 - p0)) ** 2)


def _levels(power: float, alpha: float) -> None:
    if not 0 < alpha < power < 1:
        raise SectorbookError(f"power ({power}) and alpha ({alpha}) lie between 0 and 1, power the larger.")
