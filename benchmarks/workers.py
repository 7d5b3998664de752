"""How long chapter 09's work takes for 10,000 people: reading, every table, every estimator with 999 bootstrap draws.

Run: python benchmarks/workers.py   (the bar: under 60 seconds on two cores)
"""

import csv
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sectorbook import config
from sectorbook.local import files
from sectorbook.local.demonstration_people import participants
from sectorbook.measures import worker_outcomes, worker_trial

PEOPLE, DRAWS, BAR_SECONDS = 10_000, 999, 60
OUTCOME, BEFORE = "earnings_year_after_usd", ["earnings_early_usd", "age_at_entry", "female"]


def main() -> None:
    """Time each step and print the table."""
    took: dict[str, float] = {}

    def timed(name: str, step: object) -> object:
        start = time.perf_counter()
        found = step()
        took[name] = time.perf_counter() - start
        return found

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "participants.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(
                file, [c.name for c in config.local()["participants"].columns], restval=""
            )
            writer.writeheader()
            writer.writerows(participants(1, PEOPLE))
        read = timed("read, check, hash", lambda: files.read(folder))
    if read.problems:
        raise SystemExit(str(read.problems[0]))
    people = timed("prepare", lambda: worker_outcomes.prepared(read.frames["participants"], 14580, 5140))
    served = worker_outcomes.served(people)
    sample = worker_trial.analysed(people, OUTCOME, BEFORE[:2])
    timed("descriptive tables", lambda: (
        worker_outcomes.profile(served, ["education", "sex", "barriers", "services"]), worker_outcomes.levels(served),
        worker_outcomes.changes(served), worker_outcomes.quarters(people), worker_outcomes.dip(people),
    ))  # fmt: skip
    timed("WIOA indicators", lambda: worker_outcomes.primary(served, "2022-07-01", "2023-06-30", "education"))
    for at_random, label in ((True, "estimators of a trial"), (False, "estimators of a comparison study")):
        timed(
            f"{label}, {DRAWS} bootstrap draws",
            lambda at_random=at_random: worker_trial.effects(
                sample, OUTCOME, BEFORE, at_random, "earnings_early_usd", DRAWS, 1
            ),
        )
    timed(
        f"randomization test, {DRAWS} draws",
        lambda: worker_trial.randomization_p(sample, OUTCOME, True, DRAWS, 1),
    )
    timed("by quarter and subgroup", lambda: (
        worker_trial.dynamics(people), worker_trial.by_group(sample, OUTCOME, "education")
    ))  # fmt: skip
    timed(f"quantile effects, {DRAWS} draws", lambda: worker_trial.quantiles(sample, OUTCOME, DRAWS, 1))
    timed("balance", lambda: worker_trial.alike(sample, BEFORE))
    table = Table("step", "seconds")
    for step, seconds in took.items():
        table.add_row(step, f"{seconds:.1f}")
    total = sum(took.values())
    table.add_row(f"together (the bar: {BAR_SECONDS})", f"{total:.1f}")
    Console().print(table)
    raise SystemExit(total > BAR_SECONDS)


if __name__ == "__main__":
    main()
