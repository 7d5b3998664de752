"""Trainees against hires by hand and by simulation, the newsvendor against its closed form, the money by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sectorbook import config
from sectorbook.errors import SectorbookError
from sectorbook.measures import cohort, design, funding

STEPS = pd.DataFrame(
    {
        "stage": ["completed", "certified", "placed"],
        "successes": [80, 45, 90],
        "trials": [100, 50, 100],
        "lag_quarters": [2, 0, 1],
    }
)
COHORTS = pd.DataFrame({"quarter": ["2027Q1", "2027Q2", "2027Q1"], "enrolled": [20, 30, 10]})
RULES = pd.DataFrame(
    [{"action": i.id, "group": i.group, "label": i.label} for i in config.framework("demand_rules").items]
)


def test_trainees_arrive_with_attrition_and_lags():
    flow = design.trainee_flow(COHORTS, STEPS).set_index("quarter")
    assert [str(q) for q in flow.index] == ["2027Q1", "2027Q2", "2027Q3", "2027Q4", "2028Q1"]
    assert flow["enrolled"].tolist() == [30, 30, 0, 0, 0]
    assert flow["certified"].tolist() == pytest.approx([0, 0, 21.6, 21.6, 0])
    assert flow["placed"].tolist() == pytest.approx([0, 0, 0, 19.44, 19.44])


def test_drawn_flows_spread_around_the_expected_and_repeat_with_the_seed():
    quarters, flow = design.trainee_flow_draws(COHORTS, STEPS, 4000, seed=1)
    expected = design.trainee_flow(COHORTS, STEPS)
    assert list(quarters) == list(expected["quarter"])
    # Jeffreys' mean (s + 1/2) / (n + 1) differs from s / n by less than 1 percent at these trials.
    assert flow["placed"].mean(axis=0) == pytest.approx(expected["placed"], rel=0.03)
    binomial_only = np.sqrt(30 * 0.648 * (1 - 0.648))
    assert flow["placed"][:, 3].std() > binomial_only  # the rates are uncertain too
    again = design.trainee_flow_draws(COHORTS, STEPS, 4000, seed=1)[1]
    assert (again["placed"] == flow["placed"]).all()


def demand(openings=400.0, se=40.0, share=0.2):
    return design.hiring_demand(
        ["2027Q1", "2027Q2"],
        openings,
        se,
        share,
        pd.DataFrame({"quarter": ["2027Q1"], "hires": [12.0], "se": [5.0]}),
        pd.DataFrame({"quarter": ["2027Q2", "2027Q2"], "hires": [4, 3]}),
    )


def test_three_views_of_demand_by_hand():
    table = demand().set_index(["source", "quarter"])
    quarter = pd.Period("2027Q2", "Q")
    assert table.loc[("projected", quarter)].tolist() == [20, 2]
    assert table.loc[("commitments", quarter)].tolist() == [7, 0]
    assert np.isnan(table.loc[("plans", quarter), "hires"])  # not surveyed is not zero
    with pytest.raises(SectorbookError, match="demand by 'plans' is missing for 2027Q2"):
        design.demand_draws(demand(), "plans", 10, 1)
    with pytest.raises(
        SectorbookError, match=r"Unknown view of demand 'projection'\. Did you mean 'projected'"
    ):
        design.demand_draws(demand(), "projection", 10, 1)


def test_demand_never_falls_below_what_is_signed():
    _, hires = design.demand_draws(demand(openings=20, se=100), "projected", 500, seed=2)
    assert hires[:, 1].min() == 7 and hires[:, 0].min() == 0


def test_trainees_wait_and_are_placed_before_new_ones_are_missed():
    quarters = pd.period_range("2027Q1", periods=3, freq="Q")
    table, verdict = design.balance(
        quarters, np.array([[10.0, 0, 5]]), np.array([[6.0, 3, 9]]), threshold=1.2
    )
    assert table["placed"].tolist() == [6, 3, 6]
    assert table["waiting"].tolist() == [4, 1, 0]
    assert table["unfilled"].tolist() == [0, 0, 3]
    assert verdict["ratio"] == pytest.approx(18 / 15) and verdict["strong"]
    assert not design.balance(quarters, np.array([[10.0, 0, 5]]), np.array([[6.0, 3, 9]]), threshold=1.21)[1][
        "strong"
    ]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0, 50)), min_size=1, max_size=8))
def test_nobody_is_lost_between_ready_placed_and_waiting(pairs):
    ready, hires = (np.array([column]) for column in zip(*pairs, strict=True))
    table, _ = design.balance(
        pd.period_range("2027Q1", periods=len(pairs), freq="Q"), ready, hires, threshold=1
    )
    assert table["placed"].sum() + table["waiting"].iloc[-1] == pytest.approx(ready.sum(), abs=1e-9)
    assert table["placed"].sum() + table["unfilled"].sum() == pytest.approx(hires.sum(), abs=1e-9)


@pytest.mark.parametrize(("threshold", "strong"), [(0.5, True), (2.0, False)])
def test_the_rule_comes_out_with_the_numbers_behind_it(threshold, strong):
    quarters, drawn = design.trainee_flow_draws(COHORTS, STEPS, 500, seed=3)
    hires = np.full(drawn["placed"].shape, 8.0)
    table, verdict = design.balance(quarters, drawn["placed"], hires, threshold)
    assert verdict["strong"] == strong
    actions = design.demand_actions(table, verdict, design.trainee_flow(COHORTS, STEPS), 10, RULES).set_index(
        "action"
    )
    assert actions["applies"].sum() == (2 if strong else 4)
    assert actions.loc["ask_commitments", "number"] == pytest.approx(table["ready"].sum() - 10)
    assert actions.loc["offer_certificates", "number"] == pytest.approx(48 - 43.2)
    assert actions.loc["manage_flow", "number"] == 8


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (STEPS.assign(successes=[101, 45, 90]), "Step 'completed': found 101 of 100"),
        (STEPS.assign(lag_quarters=[-1, 0, 1]), "found a lag of -1 quarters"),
    ],
)
def test_impossible_steps_are_named(steps, message):
    with pytest.raises(SectorbookError, match=message):
        design.trainee_flow(COHORTS, steps)
    with pytest.raises(SectorbookError, match="write it as 2027Q1"):
        design.trainee_flow(COHORTS.assign(quarter="spring"), STEPS)


@pytest.mark.parametrize(("unplaced", "unfilled"), [(1000, 3000), (3000, 1000), (2000, 2000)])
def test_the_newsvendor_meets_its_closed_form(unplaced, unfilled):
    hires = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000, 60, 10)
    table = cohort.cohort_costs(hires, np.full(20_000, 0.6), range(50, 160), unplaced, unfilled)
    best = table.loc[table["best"], "enrolled"].item()
    exact = cohort.cohort_size(60, 10, 0.6, unplaced, unfilled)
    assert best == pytest.approx(exact, abs=1)
    assert exact == pytest.approx((60 + 10 * stats.norm.ppf(unfilled / (unplaced + unfilled))) / 0.6)
    at = table.set_index("enrolled").loc[round(exact)]
    assert at["probability_unplaced"] == pytest.approx(unfilled / (unplaced + unfilled), abs=0.03)


def test_the_tornado_shows_the_widest_swing_first():
    base = {
        "hires": 60,
        "hires_se": 10,
        "yield_share": 0.6,
        "cost_unplaced_usd": 2000,
        "cost_unfilled_usd": 2000,
    }
    table = cohort.tornado(
        cohort.cohort_size, base, {"hires_se": (5, 20), "yield_share": (0.5, 0.7), "hires": (55, 65)}
    )
    assert table["assumption"].tolist() == ["yield_share", "hires", "hires_se"]
    assert table["at_low"][0] == pytest.approx(120) and table["at_base"][0] == pytest.approx(100)
    assert table["swing"][2] == 0  # with equal costs the spread does not matter
    with pytest.raises(SectorbookError, match=r"Unknown assumption 'yield'\. Did you mean 'yield_share'"):
        cohort.tornado(cohort.cohort_size, base, {"yield": (0, 1)})


def test_unit_costs_leave_out_what_nobody_reached():
    table = funding.unit_costs(100_000, {"enrolled": 50, "completed": 40, "placed": 0}).set_index("stage")
    assert table.loc["enrolled", "cost_usd"] == 2000 and table.loc["completed", "cost_usd"] == 2500
    assert np.isnan(table.loc["placed", "cost_usd"])
    share = stats.binomtest(40, 50).proportion_ci(method="wilson")
    assert table.loc["completed", "cost_low_usd"] == pytest.approx(2000 / share.high)
    with pytest.raises(SectorbookError, match="no stage has more persons than the first"):
        funding.unit_costs(1, {"enrolled": 5, "completed": 6})


SOURCES = pd.DataFrame(
    {
        "source": ["state grant", "foundation"],
        "kind": ["public", "private_sector"],
        "amount_usd": [120_000.0, 40_000.0],
        "start": ["2027-01", "2026-11"],
        "end": ["2027-06", "2027-02"],
    }
)


def test_the_money_lasts_as_long_as_it_lasts():
    plan = funding.cash_plan(SOURCES, 5_000, 25_000, "2027-01", 12)
    assert plan["income_usd"].tolist()[:3] == pytest.approx([30_000, 30_000, 20_000])
    assert plan["balance_usd"].tolist()[:4] == pytest.approx([10_000, 15_000, 10_000, 5_000])
    assert funding.runway_months(plan) == 5
    table = funding.runway_without_each(SOURCES, 5_000, 25_000, "2027-01", 12)
    assert table["source"].tolist() == ["state grant", "foundation"]
    assert table["runway_without"].tolist() == [0, 1]
    assert funding.runway_months(funding.cash_plan(SOURCES, 1e9, 25_000, "2027-01", 12)) is None
    concentration = funding.funding_concentration(SOURCES)
    assert concentration["largest_share"] == 0.75 and concentration["effective_sources"] == pytest.approx(1.6)
    assert funding.funding_mix(SOURCES, "kind")["share"].tolist() == [0.75, 0.25]


def test_break_even_by_hand():
    parties = pd.DataFrame(
        {
            "party": ["employer", "worker", "public"],
            "cost_usd": [1200.0, 0, 1e6],
            "gain_monthly_usd": [100.0, 50, 10],
        }
    )
    flat = funding.break_even(parties, 0.0, 24).set_index("party")
    assert flat["break_even_months"].tolist() == [12, 0, pd.NA]
    assert flat.loc["employer", "benefit_cost"] == 2
    assert funding.break_even(parties, 0.1, 24)["break_even_months"][0] == 13
