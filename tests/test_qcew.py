import gzip
import zipfile

import duckdb
import pytest
from sectorbook.errors import SectorbookError
from sectorbook.sources import plan, qcew
from shared import SHARED, needs_shared

ANNUAL = (
    "area_fips,own_code,industry_code,agglvl_code,size_code,year,qtr,disclosure_code,annual_avg_estabs,annual_avg_emplvl,"
    "total_annual_wages,taxable_annual_wages,annual_contributions,annual_avg_wkly_wage,avg_annual_pay,lq_disclosure_code,"
    "lq_annual_avg_estabs,lq_annual_avg_emplvl,lq_total_annual_wages,lq_taxable_annual_wages,lq_annual_contributions,"
    "lq_annual_avg_wkly_wage,lq_avg_annual_pay,oty_disclosure_code,oty_annual_avg_estabs_chg,oty_annual_avg_estabs_pct_chg,"
    "oty_annual_avg_emplvl_chg,oty_annual_avg_emplvl_pct_chg,oty_total_annual_wages_chg,oty_total_annual_wages_pct_chg,"
    "oty_taxable_annual_wages_chg,oty_taxable_annual_wages_pct_chg,oty_annual_contributions_chg,"
    "oty_annual_contributions_pct_chg,oty_annual_avg_wkly_wage_chg,oty_annual_avg_wkly_wage_pct_chg,oty_avg_annual_pay_chg,"
    "oty_avg_annual_pay_pct_chg"
)
TITLES = "area_title,own_title,industry_title,agglvl_title,size_title,"


def annual_row(
    area="39049",
    own="0",
    industry="10",
    level="70",
    year="2023",
    flag="",
    estabs="100",
    jobs="2000",
    lq="1.00",
):
    wages = "0,0,0,0,0" if flag else "90000000,1000000,9000,865,45000"
    jobs, quotient = ("0", "0.00") if flag else (jobs, lq)
    quotients = f"{flag},0.90,{quotient},{quotient},1.00,1.00,1.00,1.00"
    changes = f"{flag},5,5.3,{'0,0.0' if flag else '-20,-1.0'},{'0,0.0' if flag else '900000,1.0'},0,0.0,0,0.0,9,1.0,450,1.0"
    return f"{area},{own},{industry},{level},0,{year},A,{flag},{estabs},{jobs},{wages},{quotients},{changes}"


def quoted(text):
    """Quote the codes and flags, as BLS does in the slices."""
    cells = text.split(",")
    return ",".join(f'"{c}"' if i < 8 or i in (15, 23) else c for i, c in enumerate(cells))


def titled(text, titles):
    cells = text.split(",")
    return ",".join([*cells[:8], titles, *cells[8:]])


ROWS = [
    annual_row(),
    annual_row(own="5", industry="31-33", level="74", jobs="300", lq="0.87"),
    annual_row(own="5", industry="622", level="75", flag="N", estabs="4"),
]
HEADER_43 = titled(ANNUAL, TITLES.rstrip(",")).replace("avg_estabs", "avg_estabs_count")
LAYOUTS = {
    "plain.csv": "\n".join([ANNUAL, *ROWS]),
    "quoted.csv": "\r\n".join([",".join(f'"{c}"' for c in ANNUAL.split(",")), *map(quoted, ROWS)]) + "\r\n",
    "bom.csv": "\ufeff" + "\n".join([ANNUAL, *ROWS]),
    "titles.csv": "\n".join(
        [HEADER_43, *(titled(r, '"Franklin County, Ohio","a","b","c","d"') for r in ROWS)]
    ),
}


def built(origin, folder):
    folder.mkdir(exist_ok=True)
    sidecar = qcew.build(origin, folder)
    table = duckdb.read_parquet(str(folder / "qcew.parquet")).df()
    return sidecar, table.set_index(["area_fips", "year", "quarter", "own_code", "industry_code"])


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("pack", ["", "gz", "zip"])
def test_every_layout_reads_alike(tmp_path, name, pack):
    path = tmp_path / name
    path.write_text(LAYOUTS[name], encoding="utf-8", newline="")
    if pack == "gz":
        path = tmp_path / f"{name}.gz"
        path.write_bytes(gzip.compress((tmp_path / name).read_bytes()))
    if pack == "zip":
        path = tmp_path / f"{name}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(tmp_path / name, f"2023.annual.by_area/{name}")
    sidecar, table = built(path, tmp_path / "out")
    assert (sidecar.edition, sidecar.facts["naics_vintages"]) == ("2023", "2022")
    assert sidecar.files[0].rows == 3
    total = table.loc[("39049", 2023, "A", "0", "10")]
    assert (total.employment, total.establishments, total.wage_annual_mean_usd, total.employment_change) == (
        2000,
        100,
        45000,
        -20,
    )
    assert float(table.loc[("39049", 2023, "A", "5", "31-33")].location_quotient) == 0.87
    withheld = table.loc[("39049", 2023, "A", "5", "622")]
    hidden = [
        "employment",
        "total_wages_usd",
        "wage_annual_mean_usd",
        "location_quotient",
        "employment_change",
    ]
    assert (
        withheld[hidden].isna().all() and withheld.establishments == 4 and withheld.establishments_change == 5
    )
    assert (
        withheld.employment_status
        == withheld.location_quotient_status
        == withheld.employment_change_status
        == "withheld"
    )


def test_rows_in_two_slices_count_once_and_a_second_edition_is_refused(tmp_path):
    (tmp_path / "area.csv").write_text("\n".join([ANNUAL, *ROWS]))
    (tmp_path / "industry.csv").write_text(
        "\n".join([ANNUAL, ROWS[1], annual_row(area="US000", own="5", industry="31-33", level="14")])
    )
    _, table = built(tmp_path, tmp_path / "out")
    assert len(table) == 4 and table.index.is_unique
    (tmp_path / "revised.csv").write_text("\n".join([ANNUAL, annual_row(jobs="2001")]))
    with pytest.raises(SectorbookError, match="two files give different values"):
        built(tmp_path, tmp_path / "out")


def test_each_row_carries_its_naics_vintage(tmp_path):
    for year in ("2010", "2011", "2016", "2017", "2021", "2022"):
        (tmp_path / f"{year}.csv").write_text("\n".join([ANNUAL, annual_row(year=year)]))
    _, table = built(tmp_path, tmp_path / "out")
    assert table.reset_index().set_index("year").naics_vintage.to_dict() == {
        2010: "2007", 2011: "2012", 2016: "2012", 2017: "2017", 2021: "2017", 2022: "2022"}  # fmt: skip
    with pytest.raises(SectorbookError, match="1990 to"):
        qcew.naics_vintage(2027)


def test_what_to_fetch():
    fetch = plan("qcew", year=2023, areas=["39049", "C1814"], industries=["31-33"], quarter=None)
    base = "https://data.bls.gov/cew/data/api/2023/a"
    assert [r.url for r in fetch.files] == [
        f"{base}/area/39049.csv", f"{base}/area/C1814.csv", f"{base}/area/US000.csv", f"{base}/industry/31_33.csv"]  # fmt: skip
    assert plan("qcew", year=2016, quarter=3, areas=["39000"]).files[0].url.endswith("/2016/3/area/39000.csv")
    (whole,) = plan("qcew", year=2023).files
    assert whole.url == "https://data.bls.gov/cew/data/files/2023/csv/2023_annual_singlefile.zip"
    assert qcew.metropolitan("18140") == "C1814"
    for wrong in ({"year": 1980}, {"year": 2023, "quarter": 5}, {}, {"year": 2023, "state": "oh"}):
        with pytest.raises(SectorbookError):
            plan("qcew", **wrong)


@needs_shared
def test_ohio_ties_out(tmp_path):
    _, table = built(SHARED / "data/qcew/annual_by_area", tmp_path / "out")
    total = table.loc[("39049", 2023, "A", "0", "10")]
    assert (total.employment, total.wage_annual_mean_usd) == (772_233, 70_144)  # BLS, county totals for 2023
    assert (table.employment_status == "withheld").sum() == 19_879
    assert table.employment[table.employment_status == "withheld"].isna().all()


@needs_shared
def test_the_nation_in_december_2016_is_metropolitan_plus_the_rest(tmp_path):
    _, table = built(SHARED / "data/qcew/quarterly_by_area_2016", tmp_path / "out")
    whole = sum(table.loc[(area, 2016, "4", "0", "10")].employment for area in ("USMSA", "USNMS"))
    assert whole == 143_798_095
    assert len(table) == 122_128
