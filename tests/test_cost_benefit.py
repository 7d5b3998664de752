import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sectorbook.errors import SectorbookError
from sectorbook.measures import cost_benefit, firm_costs, sensitivity
from trial import randomized, supported_work

PRICES = pd.Series({2010: 100.0, 2015: 110.0, 2020: 121.0})


def items(error: float = 500.0) -> pd.DataFrame:
    """Return earnings of $2,000 for two years and two more fading by a fifth, a tax share, a stipend and a cost."""
    gain = {"standard_errors_usd": [error, error], "first_year": 1, "further_years": 2, "decay": 0.2}
    return pd.concat(
        [
            cost_benefit.stream("earnings", [2000, 2000], 2020, 1, 0, **gain),
            cost_benefit.stream(
                "taxes", [400, 400], 2020, -1, 1, **gain | {"standard_errors_usd": [error / 5] * 2}
            ),
            cost_benefit.stream("stipend", [500], 2020, 1, -1),
            cost_benefit.stream("training", [3000], 2015, 0, 1, kind="cost"),
        ],
        ignore_index=True,
    )


def test_present_values_by_hand():
    found = cost_benefit.cost_benefit(items(), 0.03, 2020, PRICES, draws=999).summary.set_index("perspective")
    earnings = sum(a / 1.03**y for y, a in enumerate([2000, 2000, 1600, 1280], start=1))
    assert found.loc["society", "benefit_usd"] == pytest.approx(earnings)
    assert found.loc["society", "cost_usd"] == pytest.approx(3000 * 1.1)  # in dollars of 2020
    assert found.loc["participant", "net_usd"] == pytest.approx(0.8 * earnings + 500)
    assert found.loc["public", "net_usd"] == pytest.approx(0.2 * earnings - 500 - 3300)
    assert np.isnan(found.loc["participant", "benefit_per_dollar"])
    assert found.loc["society", "benefit_per_dollar"] == pytest.approx(earnings / 3300)
    assert (found["dollar_year"] == 2020).all()


@settings(deadline=None, max_examples=20)
@given(st.floats(0, 0.15), st.floats(-1, 1), st.floats(-1, 1))
def test_society_is_the_sum(rate, participant, public):
    frame = pd.concat(
        [items(), cost_benefit.stream("other", [700, 10], 2010, participant, public)], ignore_index=True
    )
    found = cost_benefit.cost_benefit(frame, rate, 2020, PRICES, draws=50)
    net = found.summary.set_index("perspective")["net_usd"]
    assert net["society"] == pytest.approx(net["participant"] + net["public"], abs=1e-6)
    assert found.items["perspective"].isin(cost_benefit.PERSPECTIVES).all()


def test_the_interval_follows_the_standard_error_and_the_seed():
    def society(error: float, seed: int) -> pd.Series:
        summary = cost_benefit.cost_benefit(items(error), 0.03, 2020, PRICES, draws=4000, seed=seed).summary
        return summary.set_index("perspective").loc["society"]

    a, b, c = society(500, 1), society(500, 2), society(0, 1)
    weights = sum(s / 1.03**y for y, s in enumerate([1, 1, 0.8, 0.64], start=1))
    half = 1.96 * 500 * weights  # taxes cancel for society, so only earnings move
    assert a["net_usd"] - a["net_ci_low"] == pytest.approx(half, rel=0.08)
    assert a["net_ci_low"] != b["net_ci_low"] and a["net_usd"] == b["net_usd"]
    assert (
        c["net_ci_low"] == c["net_ci_high"] == pytest.approx(c["net_usd"]) and c["probability_positive"] == 1
    )


def test_an_unknown_cost_is_not_zero():
    frame = items()
    frame.loc[3, "amount_usd"] = np.nan
    with pytest.raises(SectorbookError, match="not a cost of 0"):
        cost_benefit.cost_benefit(frame, 0.03, 2020, PRICES)
    with pytest.raises(SectorbookError, match="no value for 1999"):
        cost_benefit.real_dollars(1, 1999, 2020, PRICES)


@settings(deadline=None, max_examples=40)
@given(st.floats(100, 5000), st.floats(100, 20_000), st.floats(0.001, 0.2), st.sampled_from([0.0, 0.1, 0.5]))
def test_break_even_repays(benefit, cost, rate, decay):
    years = cost_benefit.break_even_years(benefit, cost, rate, decay)
    whole = sum(benefit * (1 - decay) ** (y - 1) / (1 + rate) ** y for y in range(1, 3000))
    if np.isinf(years):
        assert whole <= cost * (1 + 1e-6)
    else:

        def until(n):
            return sum(benefit * (1 - decay) ** (y - 1) / (1 + rate) ** y for y in range(1, n + 1))

        assert until(int(np.floor(years + 1e-9))) <= cost * (1 + 1e-9) and until(
            int(np.ceil(years - 1e-9))
        ) >= cost * (1 - 1e-9)
    assert cost_benefit.break_even_years(
        cost_benefit.break_even_effect(cost, 7, rate), cost, rate
    ) == pytest.approx(7)


def test_firms_costs_and_returns():
    assert firm_costs.turnover_rate(12, 60) == 20
    assert firm_costs.turnover_cost(10, 40_000, 0.21) == 84_000
    assert firm_costs.vacancy_cost(2, 30, 200, 50, 150) == 6000
    assert firm_costs.return_on_investment(246, 100) == {
        "roi_pct": 146,
        "benefit_per_dollar": 2.46,
        "net_usd": 146,
    }
    assert round(firm_costs.percent_change(100, 59)) == -41
    with pytest.raises(SectorbookError, match="cost above 0"):
        firm_costs.return_on_investment(10, 0)
    frame = pd.DataFrame({"benefit": [10.0, 30, 5, 40, 15, 20], "cost": [10.0, 10, 10, 10, 10, 10]})
    found = firm_costs.partnership_return(frame, "benefit", "cost", draws=2000)
    assert found["roi_pct"] == 100 and found["n_positive"] == 4
    assert found["roi_ci_low"] < 100 < found["roi_ci_high"]
    assert np.isnan(firm_costs.partnership_return(frame.head(4), "benefit", "cost")["roi_ci_low"])


def test_rosenbaum_bounds_start_at_the_usual_test_and_widen():
    rng = np.random.default_rng(0)
    difference = rng.normal(0.5, 1, 60)
    table = sensitivity.rosenbaum_bounds(difference)
    from scipy import stats

    usual = stats.wilcoxon(difference, alternative="greater", method="asymptotic").pvalue
    assert table["p_lower"].iloc[0] == table["p_upper"].iloc[0] == pytest.approx(usual, rel=1e-9)
    assert table["p_upper"].is_monotonic_increasing and table["p_lower"].is_monotonic_decreasing


def test_e_values_of_the_published_example():
    """VanderWeele & Ding 2017: RR 3.9 (1.8 to 8.7) has E-value 7.26, its interval 3.0."""
    found = sensitivity.e_value(3.9, 1.8, 8.7)
    assert found["e_value"] == pytest.approx(7.26, abs=0.005)
    assert found["e_value_interval"] == pytest.approx(3.0, abs=0.005)
    flipped = sensitivity.e_value(1 / 3.9, 1 / 8.7, 1 / 1.8)
    assert flipped == pytest.approx(found)
    assert sensitivity.e_value(1.2, 0.9, 1.6)["e_value_interval"] == 1
    assert sensitivity.e_value_of_difference(1794.34, 671.0, 5500)["e_value"] > 1.5


def test_osters_delta_brings_the_effect_to_zero():
    frame = supported_work()
    found = sensitivity.coefficient_stability(frame, "re78", "treat", ["educ", "re74", "re75"])
    moved = found["uncontrolled"] - found["controlled"]
    room = found["r_max"] - found["r_squared_controlled"]
    gained = found["r_squared_controlled"] - found["r_squared_uncontrolled"]
    assert found["controlled"] - found["delta"] * moved * room / gained == pytest.approx(0, abs=1e-6)
    assert found["adjusted_effect"] < found["controlled"] < found["uncontrolled"]
    confounded = randomized(500).assign(t=lambda d: (d["x1"] > 0).astype(int))
    weak = sensitivity.coefficient_stability(confounded, "y", "t", ["x1"])
    assert abs(weak["delta"]) < 1
