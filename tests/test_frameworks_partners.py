"""The instruments of the partner, employer and design chapters, counted against the inventory of the sources."""

import re
from collections import Counter

import pytest
from sectorbook import config
from sectorbook.errors import SectorbookError
from shared import SHARED, needs_shared

# Items per group, as the inventory of the source documents counts them.
GROUPS = {
    "employer_partnership_ladder": {"level": 5, "activity": 17, "benefit": 14, "common_benefit": 2, "example": 10},
    "employer_engagement_table": {"activity": 10, "other": 1, "scale": 4, "class": 3},
    "partner_types": {"example_partner": 8, "stakeholder": 9, "institutional_home": 5, "convener": 4},
    "partner_roles": {"partnership_role": 6, "service_role": 7, "success_factor": 2},
    "intermediary_scorecard": {
        "definition": 3, "characteristic": 8, "detailed_role": 11, "role": 6,
        "design_phase": 6, "operations_phase": 4, "success_factor": 5, "convener_duty": 6,
    },
    "stakeholder_scan": {"question": 3, "attribute": 4},
    "demand_rules": {"strong": 2, "not_strong": 4},
    "employer_questions": {"subject": 7, "manner": 5, "step": 3},
    "employer_tiers": {
        "criterion": 3, "tier": 3, "priority_service": 3, "improvement_service": 4, "result": 2, "success_factor": 8,
    },
    "referral_directory": {"employer": 5, "individual": 3, "post_employment": 3},
    "program_services": {"access": 6, "job_quality": 7, "service": 6},
    "funding": {"question": 3, "mechanism": 3, "resource": 5},
    "partner_survey": {"trust": 3, "value": 3, "kind": 4, "frequency": 4, "scale": 4},
}  # fmt: skip

# Every list carried entry by entry: framework -> list -> how many entries it has in the source.
LISTS = {
    "partner_types": {"A09": 8, "E13": 9, "D05": 5, "E11": 4},
    "partner_crosswalk": {"A09": 8, "E13": 9, "D05": 5, "E11": 4},
    "partner_roles": {"A08": 6, "B29": 7, "B30": 2},
    "intermediary_scorecard": {"C03": 3, "C04": 8, "C05": 11, "A07": 6, "B27": 6, "A04": 10, "B26": 10, "B28": 5},
    "demand_rules": {"B14": 6},
    "employer_questions": {"B09": 7, "E12": 5},
    "referral_directory": {"B17": 5, "B18": 6},
    "program_services": {"A10": 6, "A11": 7},
    "funding": {"E16": 6, "E18": 5},
    "review_questions": {
        "B06": 4, "B21": 3, "B22": 3, "B23": 2, "B24": 5, "B40": 4, "E09": 5, "E14": 3, "E16": 3, "E17": 3,
        "B11": 6, "B12": 5,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", GROUPS)
def test_every_group_has_as_many_items_as_its_source(name):
    assert Counter(item.group for item in config.framework(name).items) == GROUPS[name]


@pytest.mark.parametrize(
    ("name", "source", "count"), [(n, s, c) for n, lists in LISTS.items() for s, c in lists.items()]
)
def test_every_entry_of_a_list_is_carried(name, source, count):
    carried = {s for item in config.framework(name).items for s in item.sources if s.split(".")[0] == source}
    assert carried == {f"{source}.{n}" for n in range(1, count + 1)}


def test_convener_duties_follow_the_convener_examples():
    items = config.framework("intermediary_scorecard").items
    assert [i.sources for i in items if i.group == "convener_duty"] == [(f"E11.{n}",) for n in range(5, 11)]


def test_the_ladder_has_its_activities_and_benefits_on_the_right_levels():
    items = config.framework("employer_partnership_ladder").items
    per_level = {
        g: Counter(i.level for i in items if i.group == g) for g in ("activity", "benefit", "example")
    }
    assert per_level["activity"] == {1: 2, 2: 3, 3: 5, 4: 4, 5: 3}
    assert per_level["benefit"] == {1: 1, 2: 3, 3: 3, 4: 4, 5: 3}
    assert per_level["example"] == dict.fromkeys(range(1, 6), 2)


def test_the_question_bank_has_47_prompts():
    assert len(config.framework("review_questions").items) == 47


def test_the_crosswalk_uses_only_entries_that_exist():
    entries = {s for item in config.framework("partner_types").items for s in item.sources}
    for item in config.framework("partner_crosswalk").items:
        assert set(item.sources) <= entries, item.id


def test_the_two_role_lists_share_no_entry():
    groups = {}
    for item in config.framework("partner_roles").items:
        for source in item.sources:
            groups.setdefault(source.split(".")[0], set()).add(item.group)
    assert groups == {"A08": {"partnership_role"}, "B29": {"service_role"}, "B30": {"success_factor"}}


@pytest.mark.parametrize("name", sorted({*GROUPS, *LISTS}))
def test_labels_and_sources_are_fit_to_print(name):
    framework = config.framework(name)
    labels = [(item.group, item.label) for item in framework.items]
    assert len(set(labels)) == len(labels), "two items of one group read the same"
    for item in framework.items:
        assert 3 <= len(item.label) <= 90
        assert item.sources
        for source in item.sources:
            assert re.fullmatch(r"[A-E]\d\d(\.\d+)?|P", source), source
            assert source[0] in framework.documents, f"{source} has no document"


@needs_shared
def test_every_source_is_an_item_of_the_inventory():
    inventory = (SHARED / "reference" / "seed-inventory.md").read_text(encoding="utf-8")
    known = set(re.findall(r"^### ([A-EX]\d\d) ", inventory, flags=re.MULTILINE))
    for name in {*GROUPS, *LISTS} - {"partner_survey"}:
        used = {source.split(".")[0] for item in config.framework(name).items for source in item.sources}
        assert used <= known, name


def test_an_item_that_stands_twice_is_an_error():
    item = {"id": "a", "label": "A label", "sources": ["A01"]}
    with pytest.raises(SectorbookError, match="these ids stand twice: a"):
        config._validate(
            config.shapes.Framework,
            "frameworks/x.yml",
            "x",
            {"title": "t", "purpose": "p", "documents": {}, "items": [item, item]},
        )
