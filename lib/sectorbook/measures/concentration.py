"""How concentrated an industry or occupation is in a region."""

import numpy as np
import pandas as pd

Values = float | np.ndarray | pd.Series


def location_quotient(employment: Values, total: Values, us_employment: Values, us_total: Values) -> Values:
    """Return the region's share of jobs divided by the nation's share.

    Formula: (employment / total) / (us_employment / us_total); 1 means the same share. NaN where an input is
    missing or a denominator is zero. Source: BLS, Quarterly Census of Employment and Wages, location quotients.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient = (np.asarray(employment, float) / total) / (np.asarray(us_employment, float) / us_total)
    quotient = np.where(np.isfinite(quotient), quotient, np.nan)
    if isinstance(employment, pd.Series):
        return pd.Series(quotient, index=employment.index)
    return quotient if quotient.ndim else float(quotient)
