"""Career pathways: which moves between occupations are feasible, and the shortest way from an entry job to a wage aimed at.

An occupation is a node; a move is an edge that O*NET calls related, that asks for much the same skills, that needs at most a
step more preparation, and that pays more. Pay rises along every edge, so no path runs in a circle. A gain in pay of a tenth is
what DeMaria, Fee and Wardrip ask of a move (2020, Exploring a Skills-Based Approach to Occupational Mobility, Federal Reserve
Banks of Philadelphia and Cleveland). A path says that a move is plausible, not that anyone has made it.
"""

from collections.abc import Sequence
from itertools import pairwise

import networkx as nx
import numpy as np
import pandas as pd

from sectorbook.errors import SectorbookError
from sectorbook.measures.occupations import wages_with_top_codes

ZONES = ["onet_soc_code", "soc_code", "job_zone"]
SCHOOLING = ["onet_soc_code", "soc_code", "scale_id", "category_number", "onet_value"]
RELATED = ["soc_code", "related_onet_soc_code", "related_tier"]

# The ten occupations that O*NET's experts rank first; the ten "Supplemental" ones are further away.
CLOSE_TIERS = ("Primary-Short", "Primary-Long")

# Months of full-time study beyond high school that a level of education usually takes: O*NET's twelve categories.
STUDY_MONTHS = {1: 0, 2: 0, 3: 12, 4: 12, 5: 24, 6: 48, 7: 60, 8: 72, 9: 84, 10: 84, 11: 96, 12: 120}

# Months of preparation by job zone, fewest and most: O*NET's ranges of specific vocational preparation (zone 2: SVP 4 and 5,
# over three months up to a year; zone 3: 6; zone 4: 7; zone 5: 8 and more, of which level 8 ends at ten years).
PREPARATION_MONTHS = {1: (0, 3), 2: (3, 12), 3: (12, 24), 4: (24, 48), 5: (48, 120)}

ZONE_NAMES = {
    1: "Little or no\npreparation", 2: "Some\npreparation", 3: "Medium\npreparation", 4: "Considerable\npreparation",
    5: "Extensive\npreparation",
}  # fmt: skip

MOVES = [
    "occupation_code", "next_occupation_code", "skill_similarity", "zone_change", "wage_gain_pct", "months_low", "months_high",
]  # fmt: skip


def survey_codes(soc_codes: pd.Series, surveyed: Sequence[str]) -> pd.Series:
    """Return each SOC code as the wage survey names it: itself, or the broader group that stands in its place; else NaN.

    OEWS publishes some detailed occupations together (31-1121 and 31-1122 as 31-1120, 51-2022 as 51-2028). Such a group
    shares the first five digits and is no code of the SOC's own detail, that is, of `soc_codes`.
    """
    known = set(soc_codes)
    groups = {code[:6]: code for code in surveyed if code not in known}
    names = set(surveyed)
    return soc_codes.map({code: code if code in names else groups.get(code[:6]) for code in known})


def _itself(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of each occupation itself (".00") where O*NET rates it, else those of its specialties."""
    itself = rows.onet_soc_code.str.endswith(".00")
    return rows[itself | ~rows.soc_code.isin(rows.soc_code[itself])]


def job_zones(zones: pd.DataFrame, surveyed: Sequence[str]) -> pd.Series:
    """Return the job zone (1 to 5) of each surveyed occupation that O*NET rates, by occupation code.

    `zones` are O*NET's (columns `ZONES`). The occupation itself (".00") counts where it is rated, else its specialties; of
    several the median counts, and the higher zone where that falls between two.
    """
    kept = _itself(zones)
    code = survey_codes(kept.soc_code, surveyed).rename("occupation_code")
    return np.ceil(kept.groupby(code).job_zone.median()).astype(int)


def study_months(education: pd.DataFrame, surveyed: Sequence[str]) -> pd.Series:
    """Return the months of study beyond high school (`STUDY_MONTHS`) that half of an occupation's jobs ask for, by code.

    `education` is O*NET's (columns `SCHOOLING`): the percent of answers by required level, scale RL. The median level counts.
    """
    if education.empty:
        return pd.Series(dtype=float)
    kept = _itself(education[education.scale_id == "RL"].dropna(subset=["category_number", "onet_value"]))
    code = survey_codes(kept.soc_code, surveyed).rename("occupation_code")
    shares = kept.pivot_table(
        "onet_value", index=code, columns="category_number", aggfunc="mean", fill_value=0.0
    )
    reached = shares.cumsum(axis=1).ge(shares.sum(axis=1) / 2, axis=0)
    return reached.idxmax(axis=1).map(STUDY_MONTHS)


def skill_similarity(skills: pd.DataFrame, surveyed: Sequence[str]) -> pd.DataFrame:
    """Return how alike the skills of occupations are: occupations x occupations, -1 to 1.

    Pearson's correlation of the levels (0 to 7) that O*NET gives its 35 skills; `skills` has soc_code, element_id, scale_id and
    onet_value. Specialties of one occupation are averaged. Two occupations drawn at random correlate at about 0.7.
    """
    if skills.empty:
        return pd.DataFrame()
    levels = skills[skills.scale_id == "LV"]
    code = survey_codes(levels.soc_code, surveyed).rename("occupation_code")
    table = levels.pivot_table("onet_value", index=code, columns="element_id", aggfunc="mean").dropna()
    return pd.DataFrame(np.corrcoef(table), index=table.index, columns=table.index)


def feasible_moves(
    jobs: pd.DataFrame,
    zones: pd.Series,
    related: pd.DataFrame,
    similarity: pd.DataFrame,
    study: pd.Series,
    least_gain_pct: float = 10.0,
    least_similarity: float = 0.7,
    widest_zone_step: int = 1,
) -> pd.DataFrame:
    """Return the moves between the region's occupations that are feasible and pay more.

    `jobs` are OEWS rows of the region; `zones` by `job_zones`; `related` O*NET's related occupations (columns `RELATED`);
    `similarity` by `skill_similarity` and `study` by `study_months`; both may be empty: then they are not asked for. A
    move is feasible when either of the two occupations is among the other's closest (`CLOSE_TIERS`), the job zone differs by at
    most `widest_zone_step`, the median wage is at least `least_gain_pct` percent higher, and the similarity, where both are
    rated, reaches `least_similarity`. An occupation without a published wage or a zone has no moves.

    Columns: `MOVES`. months_low and months_high: the fewest and most months that the next occupation asks for beyond the present
    one, of three counts: between the low ends and between the high ends of the job zones' `PREPARATION_MONTHS`, and between
    the usual education (`study`). None is less than 0. Raises SectorbookError for a
    gain that is not above 0: pay must rise, or paths could run in a circle.
    """
    if least_gain_pct <= 0:
        raise SectorbookError(f"least_gain_pct must be above 0; got {least_gain_pct}.")
    wage = pd.Series(wages_with_top_codes(jobs, "annual").p50.to_numpy(), index=jobs.occupation_code).dropna()
    close = related[related.related_tier.isin(CLOSE_TIERS)]
    listed = pd.concat([close.soc_code, close.related_onet_soc_code.str[:7]], axis=1).set_axis(
        ["a", "b"], axis=1
    )
    every = pd.concat([listed.a, listed.b]).drop_duplicates()
    named = pd.Series(survey_codes(every, list(wage.index)).to_numpy(), index=every)
    pairs = listed.apply(lambda column: column.map(named)).dropna()
    both = pd.concat([pairs, pairs.set_axis(["b", "a"], axis=1)]).drop_duplicates()
    rated = both[both.a.isin(zones.index) & both.b.isin(zones.index) & both.a.ne(both.b)]
    start, end = rated.a.map(zones).to_numpy(), rated.b.map(zones).to_numpy()
    months = pd.DataFrame(PREPARATION_MONTHS).T
    counts = np.column_stack([
        *(months[i].loc[end].to_numpy() - months[i].loc[start].to_numpy() for i in (0, 1)),
        rated.b.map(study).to_numpy(float) - rated.a.map(study).to_numpy(float),
    ]).clip(min=0)  # fmt: skip
    alike = similarity.stack() if len(similarity) else pd.Series(dtype=float)
    found = pd.DataFrame(
        {
            "occupation_code": rated.a.to_numpy(),
            "next_occupation_code": rated.b.to_numpy(),
            "skill_similarity": alike.reindex(pd.MultiIndex.from_frame(rated)).to_numpy(float),
            "zone_change": end - start,
            "wage_gain_pct": 100 * (rated.b.map(wage).to_numpy() / rated.a.map(wage).to_numpy() - 1),
            "months_low": np.nanmin(counts, axis=1),
            "months_high": np.nanmax(counts, axis=1),
        }
    )
    kept = (
        found.zone_change.abs().le(widest_zone_step)
        & found.wage_gain_pct.ge(least_gain_pct)
        & ~found.skill_similarity.lt(least_similarity)
    )
    return found[kept].sort_values(["occupation_code", "next_occupation_code"], ignore_index=True)[MOVES]


def sector_nodes(
    jobs: pd.DataFrame,
    zones: pd.Series,
    moves: pd.DataFrame,
    least_share_pct: float = 10.0,
    least_jobs: float = 50.0,
) -> pd.DataFrame:
    """Return the occupations on which a sector's ladders stand: those with jobs, a wage and a job zone here.

    `jobs` are `occupations.sector_occupations`. An occupation belongs to the sector when the sector holds at least
    `least_share_pct` percent of its jobs in the nation, or it is one in a hundred of the sector's jobs. It needs
    `least_jobs` of the sector's jobs here, as estimated; groups of what is left over ("All Other") are no job one can aim at.

    Columns: occupation_code, occupation_title, wage_annual_p50_usd (the top code where it is top-coded), job_zone,
    sector_employment, and next_moves, the count of feasible moves that start there and stay in the sector.
    """
    kept = jobs.assign(
        wage_annual_p50_usd=wages_with_top_codes(jobs, "annual").p50, job_zone=jobs.occupation_code.map(zones)
    )
    own = kept.in_sector_pct.ge(least_share_pct) | kept.sector_pattern_pct.ge(1)
    rest = kept.occupation_title.str.endswith("All Other")
    kept = kept[own & ~rest & kept.sector_employment.ge(least_jobs)].dropna(
        subset=["wage_annual_p50_usd", "job_zone"]
    )
    inside = _inside(moves, kept.occupation_code)
    counts = inside.groupby("occupation_code").size()
    kept = kept.assign(next_moves=kept.occupation_code.map(counts).fillna(0).astype(int))
    columns = [
        "occupation_code", "occupation_title", "wage_annual_p50_usd", "job_zone", "sector_employment", "next_moves",
    ]  # fmt: skip
    return kept.sort_values("sector_employment", ascending=False, ignore_index=True)[columns]


def _inside(moves: pd.DataFrame, codes: pd.Series) -> pd.DataFrame:
    return moves[moves.occupation_code.isin(codes) & moves.next_occupation_code.isin(codes)]


def _graph(nodes: pd.DataFrame, moves: pd.DataFrame) -> nx.DiGraph:
    """Return the sector's moves as a graph; an edge's length is its months, then the number of moves."""
    graph = nx.DiGraph()
    graph.add_nodes_from(nodes.occupation_code)
    for move in _inside(moves, nodes.occupation_code).itertuples():
        # Fewer moves decide between equal months: no path has a thousand moves.
        graph.add_edge(move.occupation_code, move.next_occupation_code, length=move.months_high + 0.001)
    return graph


def entry_jobs(nodes: pd.DataFrame, wage_annual_usd: float, highest_zone: int = 3) -> pd.DataFrame:
    """Return the sector's entry jobs, most jobs first: those under the wage aimed at, in job zone `highest_zone` or lower."""
    return nodes[(nodes.wage_annual_p50_usd < wage_annual_usd) & (nodes.job_zone <= highest_zone)]


def ladders(
    nodes: pd.DataFrame, moves: pd.DataFrame, wage_annual_usd: float, highest_zone: int = 3
) -> pd.DataFrame:
    """Return, for each entry job, the path to the wage aimed at that needs the least preparation.

    `nodes` by `sector_nodes`, `moves` by `feasible_moves`. Of all paths within the sector from an entry job (`entry_jobs`) to an
    occupation whose median reaches `wage_annual_usd`, the one with the fewest added months (high end) counts, then the one with
    the fewest moves, then the one that ends where the sector has most jobs. Dijkstra's algorithm, by networkx.

    Columns: occupation_code, occupation_title, sector_employment, wage_annual_p50_usd; path (codes, the entry
    job first), steps (moves), end_title, end_wage_annual_usd, months_low, months_high. An entry job without a path has an empty
    path and missing values.
    """
    graph = _graph(nodes, moves)
    by_code = nodes.set_index("occupation_code")
    edges = moves.set_index(["occupation_code", "next_occupation_code"])
    goals = set(nodes.occupation_code[nodes.wage_annual_p50_usd >= wage_annual_usd])
    rows = []
    for job in entry_jobs(nodes, wage_annual_usd, highest_zone).itertuples():
        length, paths = nx.single_source_dijkstra(graph, job.occupation_code, weight="length")
        ends = [code for code in length if code in goals]
        row = {"path": (), "steps": np.nan, "end_title": None, "end_wage_annual_usd": np.nan, "months_low": np.nan,
               "months_high": np.nan}  # fmt: skip
        if ends:
            best = min(ends, key=lambda c: (round(length[c], 6), -by_code.sector_employment[c], c))
            path = tuple(paths[best])
            taken = edges.loc[list(pairwise(path))]
            row = {
                "path": path,
                "steps": len(path) - 1,
                "end_title": by_code.occupation_title[best],
                "end_wage_annual_usd": by_code.wage_annual_p50_usd[best],
                "months_low": taken.months_low.sum(),
                "months_high": taken.months_high.sum(),
            }
        rows.append({
            "occupation_code": job.occupation_code, "occupation_title": job.occupation_title,
            "sector_employment": job.sector_employment, "wage_annual_p50_usd": job.wage_annual_p50_usd, **row,
        })  # fmt: skip
    columns = [
        "occupation_code", "occupation_title", "sector_employment", "wage_annual_p50_usd", "path", "steps", "end_title",
        "end_wage_annual_usd", "months_low", "months_high",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def drawn(
    found: pd.DataFrame, nodes: pd.DataFrame, moves: pd.DataFrame, most_ladders: int = 5, most_above: int = 4
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rungs and the moves to draw: the ladders of the largest entry jobs, and where they lead on.

    `found` by `ladders`. From the occupations at the ends of the drawn ladders the `most_above` next moves to those with the most
    jobs are added, so that the ladder does not stop at the wage aimed at. Rungs are rows of `nodes`, lowest pay first; moves
    are rows of `moves`.
    """
    chosen = found[found.steps.notna()].head(most_ladders)
    steps = {step for path in chosen.path for step in pairwise(path)}
    ends = {path[-1] for path in chosen.path}
    on = {code for path in chosen.path for code in path}
    jobs = nodes.set_index("occupation_code").sector_employment
    inside = _inside(moves, nodes.occupation_code)
    further = inside[inside.occupation_code.isin(ends) & ~inside.next_occupation_code.isin(on)]
    further = further.assign(
        jobs=further.next_occupation_code.map(jobs),
        at=further.occupation_code.map(jobs),
    ).sort_values(["jobs", "at", "next_occupation_code"], ascending=False, kind="stable")
    above = further.drop_duplicates("next_occupation_code").head(most_above)
    steps |= set(zip(above.occupation_code, above.next_occupation_code, strict=True))
    rungs = nodes[nodes.occupation_code.isin(on | set(above.next_occupation_code))]
    pairs = pd.MultiIndex.from_frame(inside[["occupation_code", "next_occupation_code"]])
    kept = inside[pairs.isin(list(steps))]
    return rungs.sort_values(["wage_annual_p50_usd", "occupation_code"], ignore_index=True), kept


def ladder_table(found: pd.DataFrame, nodes: pd.DataFrame) -> pd.DataFrame:
    """Return `ladders` for reading: the path between entry job and end as titles, and the gain in pay in percent.

    Adds steps_between (the occupations between, in order, "directly" without any, "no ladder here" without a path),
    wage_gain_pct, and the status of the values that a missing ladder leaves out.
    """
    titles = nodes.set_index("occupation_code").occupation_title
    between = [
        "no ladder here" if not path else "; then ".join(titles[list(path[1:-1])]) or "directly"
        for path in found.path
    ]
    gain = 100 * (found.end_wage_annual_usd / found.wage_annual_p50_usd - 1)
    status = found.steps.isna().map({True: "no ladder", False: "published"})
    missing = dict.fromkeys(
        ["end_wage_annual_status", "wage_gain_status", "months_low_status", "months_high_status"], status
    )
    return found.assign(
        steps_between=between, wage_gain_pct=gain, end_title=found.end_title.fillna("no ladder"), **missing
    )


def share_with_ladder(found: pd.DataFrame) -> float:
    """Return the share of the jobs in `ladders`' entry occupations from which a ladder leads up, in percent; NaN without any."""
    jobs = found.sector_employment
    return float(100 * jobs[found.steps.notna()].sum() / jobs.sum()) if jobs.sum() else float("nan")


def why_none(moves: pd.DataFrame) -> str:
    """Return why there is no ladder although there are moves, as a sentence; "" without any move."""
    return "Too few wages are published here, or no entry job leads on." if len(moves) else ""


def climb(nodes: pd.DataFrame, moves: pd.DataFrame, entry_below_usd: float, highest_zone: int = 3) -> float:
    """Return how many moves up can follow one another from a sector's entry jobs: the mean over their jobs.

    Entry jobs (`entry_jobs`) have a median under `entry_below_usd`. For each the longest path of feasible moves within the sector
    counts, and 0 where none starts; each job weighs the same. 0 where the sector has no entry job here that has enough jobs.
    """
    entry = entry_jobs(nodes, entry_below_usd, highest_zone)
    if entry.empty:
        return 0.0
    graph = _graph(nodes, moves)
    longest: dict[str, int] = {}
    for code in reversed(list(nx.topological_sort(graph))):
        longest[code] = max((1 + longest[after] for after in graph.successors(code)), default=0)
    return float(np.average(entry.occupation_code.map(longest), weights=entry.sector_employment))
