# ruff: noqa: E501
"""Small files in publishers' exact layouts, to be written into a test's folder, sound or spoilt."""

import zipfile
from xml.sax.saxutils import escape

from test_qcew import ANNUAL, ROWS

QCEW = [line.split(",") for line in (ANNUAL, *ROWS)]

COMMUTING = [
    ["res_fips", "work_fips", "workers", "moe"],
    ["01001", "01001", "8828", "412"],
    ["01001", "01013", "6", "9"],
]

_PLACE = ["State FIPS Code", "County FIPS Code", "State Name", "County Name"]
FLOWS = [
    ["Table 1. Residence County to Workplace County Commuting Flows: 5-Year ACS, 2016-2020"],
    ["Universe: Workers 16 years and over."],
    ["Residence", "", "", "", "Place of Work", "", "", "", "Commuting Flow", ""],
    [*_PLACE, *_PLACE, "Workers in Commuting Flow", "Margin of Error"],
    ["01", "001", "Alabama", "Autauga County", "001", "001", "Alabama", "Autauga County", 8635.0, 499.0],
    ["01", "001", "Alabama", "Autauga County", "001", "013", "Alabama", "Butler County", 16.0, 26.0],
    ["01", "001", "Alabama", "Autauga County", "301", "", "Canada", "", 4.0, 7.0],
    ["Note: This table uses county equivalents (planning regions) for Connecticut."],
]

DELINEATION = [
    ["Table with row headers in column A and column headers in row 3"],
    ["List 1. CORE BASED STATISTICAL AREAS (CBSAs), METROPOLITAN DIVISIONS, AND COMBINED STATISTICAL AREAS (CSAs), JULY 2023"],
    ["CBSA Code", "Metropolitan Division Code", "CSA Code", "CBSA Title", "Metropolitan/Micropolitan Statistical Area",
     "Metropolitan Division Title", "CSA Title", "County/County Equivalent", "State Name", "FIPS State Code",
     "FIPS County Code", "Central/Outlying County"],
    ["10100", "", "", "Aberdeen, SD", "Micropolitan Statistical Area", "", "", "Brown County", "South Dakota", "46", "013", "Central"],
    ["18140", "", "198", "Columbus, OH", "Metropolitan Statistical Area", "", "Columbus, OH", "Franklin County", "Ohio", "39",
     "049", "Central"],
    ["Note: The 2020 OMB Standards"],
]  # fmt: skip

NAICS = [
    ["2022 NAICS Code", "2022 NAICS Title"],
    ["", ""],
    ["31-33", "ManufacturingT"],
    [332.0, "Fabricated Metal Product ManufacturingT "],
    [3321.0, "Forging and StampingT"],
    [33211.0, "Casinos (except Casino Hotels)T"],
    [332111.0, "Iron and Steel Forging "],
]

CONCORDANCE = [
    ["2017 NAICS to 2022 NAICS Concordance"],
    ["Note: changes are in bold"],
    [
        "2017 NAICS Code",
        "2017 NAICS Title\n(and specific piece of the 2017 industry that is contained in the 2022 industry)",
        "2022 NAICS Code",
        "2022 NAICS Title",
        "",
    ],
    [212111.0, "Bituminous Coal and Lignite Surface Mining ", 212114.0, "Surface Coal Mining ", ""],
    [454110.0, "Electronic Shopping - apparel", 458110.0, "Clothing Retailers ", ""],
    [454110.0, "Electronic Shopping - books", 459210.0, "Book Retailers ", ""],
    [448110.0, "Men's Clothing Stores", 458110.0, "Clothing Retailers ", ""],
    [451211.0, "Book Stores", 459210.0, "Book Retailers ", ""],
    [511110.0, "Newspaper Publishers", 513110.0, "Newspaper Publishers", ""],
    [511199.0, "All Other Publishers - maps printed", 323111.0, "Commercial Printing", ""],
    [323111.0, "Commercial Printing", 323111.0, "Commercial Printing", ""],
    [622110.0, "General Hospitals", 622110.0, "General Hospitals", ""],
]

PROJECTIONS_NEW = [
    ["Table 1.2 Occupational projections, 2024–34, and worker characteristics, 2024 (Employment in thousands)"],
    ["2024 National Employment Matrix title", "2024 National Employment Matrix code", "Occupation type", "Employment, 2024",
     "Employment, 2034", "Employment distribution, percent, 2024", "Employment change, numeric, 2024–34",
     "Employment change, percent, 2024–34", "Percent self employed, 2024", "Occupational openings, 2024–34 annual average",
     "Median annual wage, dollars, 2024[1]", "Typical education needed for entry", "Work experience in a related occupation",
     "Typical on-the-job training needed to attain competency in the occupation"],
    ["Total, all occupations", "00-0000", "Summary", 170000.5, 175000.5, 100.0, 5000.0, 2.9, 5.7, 18900.1, 49500.0, "—", "—", "—"],
    ["Registered nurses", "29-1141", "Line item", 3400.5, 3600.0, 2.0, 199.5, 5.9, 0.4, 189.1, 93600.0, "Bachelor's degree",
     "None", "None"],
    ["Surgeons, all other", "29-1249", "Line item", 30.0, 31.0, 0.1, 1.0, 3.3, 2.0, 0.9, ">=239,200",
     "Doctoral or professional degree", "None", "Internship/residency"],
    ["Footnotes:"],
]  # fmt: skip
OPENINGS_NEW = [
    ["Table 1.10 Occupational separations and openings, projected 2024–34 (Employment in thousands)"],
    ["2024 National Employment Matrix title", "2024 National Employment Matrix code", "Occupation type", "Employment, 2024",
     "Employment, 2034", "Employment change, numeric, 2024–34", "Employment change, percent, 2024–34",
     "Labor force exit rate, 2024–34 annual average", "Occupational transfer rate, 2024–34 annual average",
     "Total occupational separations rate, 2024–34 annual average", "Labor force exits, 2024–34 annual average",
     "Occupational transfers, 2024–34 annual average", "Total occupational separations, 2024–34 annual average",
     "Occupational openings, 2024–34 annual average"],
    ["Total, all occupations", "00-0000", "Summary", 170000.5, 175000.5, 5000.0, 2.9, 4.3, 6.1, 10.4, 7400.0, 10500.0, 17900.0, 18900.1],
    ["Registered nurses", "29-1141", "Line item", 3400.5, 3600.0, 199.5, 5.9, 2.6, 2.5, 5.1, 90.0, 79.1, 169.1, 189.1],
    ["Surgeons, all other", "29-1249", "Line item", 30.0, 31.0, 1.0, 3.3, 1.6, 1.2, 2.8, 0.5, 0.3, 0.8, 0.9],
]  # fmt: skip

ONET_OCCUPATIONS = [
    ["O*NET-SOC Code", "Title", "Description"],
    ["29-1141.00", "Registered Nurses", "Assess patients."],
]
ONET_SKILLS = [
    ["O*NET-SOC Code", "Element ID", "Element Name", "Scale ID", "Data Value", "N", "Standard Error", "Lower CI Bound",
     "Upper CI Bound", "Recommend Suppress", "Not Relevant", "Date", "Domain Source"],
    ["29-1141.00", "2.A.1.a", "Reading Comprehension", "IM", "4.00", "8", "0.00", "4.00", "4.00", "N", "n/a", "08/2023", "Analyst"],
    ["29-1141.00", "2.A.1.a", "Reading Comprehension", "LV", "4.25", "8", "0.16", "3.93", "4.57", "N", "N", "08/2023", "Analyst"],
]  # fmt: skip
ONET_TECHNOLOGY = [
    ["O*NET-SOC Code", "Example", "Commodity Code", "Commodity Title", "Hot Technology", "In Demand"],
    ["29-1141.00", 'Epic "Systems"', "43232100", "Medical software", "Y", "Y"],
]
ONET_READ_ME = "O*NET 30.0 Database\nAugust 2025 Release\n-------------------\n"

ETPL = [
    ["Provider ID", "Program ID", "Program Status", "ProviderName", "Institution Type", "Campus Name", "Campus City",
     "Campus State", "Campus Zip Code", "Campus County", "Program Name", "Instructional Program (CIP) Code", "Pell Eligible",
     "Program Outcome", "Associted Credential Name", "Length: Contact Hours", "Length: Weeks", "Delivery Method",
     "Occupation Code (ONET 1)", "Occupation Code (ONET 2)", "Occupation Code (ONET 3)", "Required Cost: Tuition & Fees",
     "Required Cost: Books & Supplies", "Optional Cost", "Number Of Apprentices"],
    ["896", "10001", "Approved", "Howard College", "Private non-profit", "Big Spring", "Big Spring", "TX", "79720", "Howard",
     "Nursing", "513801", "Yes", "Associates Degree", "", "900", "ERROR", "In-person", "29114100", "29114101", "", "3840", "1200", "0", "0"],
    ["896", "10002", "Approved", "Howard College", "Private non-profit", "Big Spring", "Big Spring", "TX", "79720", "Howard",
     "Ranching", "10605 ", "No", "Associates Degree", "", "900", "32", "INVALID CODE", "", "", "", "3840", "0", "0", "0"],
]  # fmt: skip


def edited(rows, row, column, value):
    """Return a copy of the table with one cell changed; rows count from 1, as in the file."""
    copy = [list(cells) for cells in rows]
    copy[row - 1][column if isinstance(column, int) else copy[0].index(column)] = value
    return copy


def text(rows, delimiter=",", encoding="utf-8"):
    """Return a table as the bytes of a text file, quoted where a cell needs it."""

    def cell(value):
        value = str(value)
        return f'"{value}"' if delimiter == "," and "," in value else value

    return ("\n".join(delimiter.join(map(cell, cells)) for cells in rows) + "\n").encode(encoding)


def excel(path, sheets):
    """Write a workbook with the given sheets (name -> rows of text and numbers) and nothing else."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"

    def cell(value, row, column):
        place = f'r="{chr(65 + column)}{row}"'
        if isinstance(value, float | int):
            return f"<c {place}><v>{value}</v></c>"
        return (
            f'<c {place} t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
            if value
            else ""
        )

    with zipfile.ZipFile(path, "w") as book:
        numbers = range(1, len(sheets) + 1)
        parts = "".join(
            f'<Override PartName="/xl/worksheets/s{i}.xml" ContentType="{kind}.worksheet+xml"/>'
            for i in numbers
        )
        book.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{package}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>{parts}</Types>',
        )
        book.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        names = "".join(
            f'<sheet name="{escape(n)}" sheetId="{i}" r:id="r{i}"/>'
            for i, n in zip(numbers, sheets, strict=True)
        )
        book.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{names}</sheets></workbook>',
        )
        links = "".join(
            f'<Relationship Id="r{i}" Type="{office}/worksheet" Target="worksheets/s{i}.xml"/>'
            for i in numbers
        )
        book.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}/relationships">{links}</Relationships>',
        )
        for i, rows in zip(numbers, sheets.values(), strict=True):
            body = "".join(
                f'<row r="{r}">' + "".join(cell(v, r, c) for c, v in enumerate(cells)) + "</row>"
                for r, cells in enumerate(rows, start=1)
            )
            book.writestr(
                f"xl/worksheets/s{i}.xml",
                f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>',
            )
    return path


COUNTIES = [
    ["STATE", "STATEFP", "COUNTYFP", "COUNTYNS", "COUNTYNAME", "CLASSFP", "FUNCSTAT"],
    ["AL", "01", "001", "00161526", "Autauga County", "H1", "A"],
    ["PR", "72", "097", "01804529", "Mayagüez Municipio", "H1", "A"],
]

EARLIER = [
    ["AREA", "AREA_TITLE", "AREA_TYPE", "OCC_CODE", "OCC_TITLE", "O_GROUP", "TOT_EMP", "EMP_PRSE", "JOBS_1000", "LOC QUOTIENT",
     "H_MEAN", "A_MEAN", "MEAN_PRSE", "H_PCT10", "H_PCT25", "H_MEDIAN", "H_PCT75", "H_PCT90", "A_PCT10", "A_PCT25", "A_MEDIAN",
     "A_PCT75", "A_PCT90", "ANNUAL", "HOURLY"],
    ["18140", "Columbus, OH", "4", "29-1215", "Family Medicine Physicians", "detailed", 540.0, 2.2000000000000002, 0.51, "**",
     104.2, 216740.0, 4.1, 51.0, 71.0, 99.0, "#", "#", 106080.0, 147680.0, 205920.0, "#", "#", "", ""],
    ["18140", "Columbus, OH", "4", "25-2021", "Elementary School Teachers", "detailed", "**", "**", "**", "**",
     "*", 64000.0, 1.2, "*", "*", "*", "*", "*", 40000.0, 50000.0, 63000.0, 77000.0, 89000.0, "TRUE", ""],
]  # fmt: skip

OD = [
    [
        "w_geocode",
        "h_geocode",
        "S000",
        "SA01",
        "SA02",
        "SA03",
        "SE01",
        "SE02",
        "SE03",
        "SI01",
        "SI02",
        "SI03",
        "createdate",
    ],
    ["390490001101000", "390410101001000", "7", "1", "4", "2", "1", "2", "4", "3", "2", "2", "20251202"],
    ["390490001101001", "390410101001000", "3", "1", "1", "1", "1", "1", "1", "1", "1", "1", "20251202"],
    ["390490001101000", "390490001101001", "5", "1", "2", "2", "1", "2", "2", "0", "2", "3", "20251202"],
]
OD_AUX = [
    OD[0],
    ["390490001101000", "210190302001000", "2", "0", "1", "1", "0", "1", "1", "1", "1", "0", "20251202"],
]
WAC = [
    [
        "w_geocode",
        "C000",
        "CA01",
        "CA02",
        "CA03",
        *(f"CE0{i}" for i in (1, 2, 3)),
        *(f"CNS{i:02d}" for i in range(1, 21)),
        "createdate",
    ],
    [
        "390490001101000",
        "71",
        "21",
        "30",
        "20",
        "12",
        "14",
        "45",
        *(["0"] * 15),
        "71",
        *(["0"] * 4),
        "20251202",
    ],
    ["390490001101001", "9", "2", "4", "3", "1", "2", "6", *(["0"] * 15), "9", *(["0"] * 4), "20251202"],
]
XWALK = [
    ["tabblk2020", "st", "stusps", "stname", "cty", "ctyname"],
    ["390490001101000", "39", "OH", "Ohio", "39049", "Franklin County, OH"],
    ["390490001101001", "39", "OH", "Ohio", "39049", "Franklin County, OH"],
    ["390410101001000", "39", "OH", "Ohio", "39041", "Delaware County, OH"],
]

COMPLETIONS = [
    ["UNITID", "CIPCODE", "MAJORNUM", "AWLEVEL", "XCTOTALT", "CTOTALT", "XCTOTALM", "CTOTALM"],
    ["204796", "51.3801", "1", "5", "R", "210", "R", "20"],
    ["204796", "51.3801", "2", "5", "R", "4", "R", "1"],
    ["204796", "51.3801", "1", "12", "R", "214", "R", "21"],
    ["204796", "99", "1", "5", "R", "9000", "R", "4000"],
]
INSTITUTIONS = [
    ["UNITID", "INSTNM", "CITY", "STABBR", "COUNTYCD", "CBSA"],
    ["204796", "Ohio State University-Main Campus", "Columbus", "OH", "39049", "18140"],
    ["100654", "Alabama A & M University", "Normal", "AL", "1089", "26620"],
    ["999001", "Universidad de Mayagüez", "Mayagüez", "PR", "-2", "-2"],
]
LINKS = [
    ["CIP2020Code", "CIP2020Title", "SOC2018Code", "SOC2018Title"],
    ["51.3801", "Registered Nursing/Registered Nurse.", "29-1141", "Registered Nurses"],
    [
        "51.3801",
        "Registered Nursing/Registered Nurse.",
        "25-1072",
        "Nursing Instructors and Teachers, Postsecondary",
    ],
    ["01.0000", "Agriculture, General.", "99-9999", "NO MATCH"],
]

PROFILE = [
    [
        "DP03_0001E",
        "DP03_0001M",
        "DP03_0001PE",
        "DP03_0001PM",
        "DP03_0062E",
        "DP03_0062M",
        "GEO_ID",
        "NAME",
        "state",
        "county",
    ],
    [
        "1060000",
        "-555555555",
        "1060000",
        "-888888888",
        "71070",
        "1013",
        "0500000US39049",
        "Franklin County, Ohio",
        "39",
        "049",
    ],
    [
        "10100",
        "71",
        "10100",
        "-888888888",
        "-666666666",
        "-222222222",
        "0500000US39163",
        "Vinton County, Ohio",
        "39",
        "163",
    ],
]
PROFILE_LABELS = {
    "variables": {
        "DP03_0062E": {"label": "Estimate!!INCOME AND BENEFITS!!Total households!!Median household income"}
    }
}
PROFILE_TEXT = [
    ["GEO_ID", "NAME", "DP03_0062E", "DP03_0062M", "DP03_0062PE", "DP03_0062PM"],
    [
        "Geography",
        "Geographic Area Name",
        "Estimate!!INCOME!!Median",
        "Margin of Error!!INCOME!!Median",
        "Percent!!INCOME!!Median",
        "Percent Margin of Error!!INCOME!!Median",
    ],
    ["0500000US39049", "Franklin County, Ohio", "71070", "1013", "71070", "(X)"],
    ["0500000US39163", "Vinton County, Ohio", "250,000+", "***", "-", "(X)"],
]
