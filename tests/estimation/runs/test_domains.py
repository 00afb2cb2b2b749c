"""Which domains of estimation a unit is in, unit by unit as the survey's plan says it."""

from dataclasses import replace

import numpy as np
import pytest

from estimation.runs.compute.arrays import Year, crossed_domain, domains_of
from estimation.runs.compute.spec import DOMAINS
from survey.classification import CATEGORIES, REGIONS, SECTIONS, SIZES
from tests.estimation.runs.random_years import random_years

# Category, region, section, size, leading platform, pilot space; the groups of table 1; the part of the economy.
UNITS: tuple[tuple[str, str, str, str, bool, bool, str, str], ...] = (
    ("CAT01", "110000", "", "", False, False, "", ""),
    ("CAT03", "320000", "P", "", True, True, "", ""),
    ("CAT14", "650000", "R", "large", False, False, "", ""),
    ("CAT13", "320000", "A", "large", False, False, "other_ent sample_ent", "primary"),
    ("CAT13", "320000", "B", "medium", True, False, "head_platform sample_ent", "secondary industry"),
    ("CAT13", "330000", "D", "small", False, True, "other_ent sample_ent", "secondary industry"),
    ("CAT13", "330000", "E", "small", False, False, "other_ent sample_ent", "secondary"),
    ("CAT13", "330000", "F", "small", False, False, "other_ent sample_ent", "tertiary"),
    ("CAT13", "110000", "I", "small", False, False, "other_ent sample_ent", "tertiary"),
    ("CAT13", "110000", "", "", False, False, "other_ent sample_ent", ""),
    ("CAT06", "110000", "I", "large", False, False, "central_soe other_ent sample_ent", "tertiary"),
    ("CAT07", "110000", "R", "large", True, False, "central_soe head_platform sample_ent", "tertiary"),
    ("CAT08", "440000", "C", "medium", False, True, "data_ent other_ent sample_ent", "secondary industry"),
    ("CAT11", "440000", "I", "small", False, True, "data_ent other_ent pilot_space sample_ent", "tertiary"),
    ("CAT11", "440000", "C", "small", True, False, "data_ent head_platform sample_ent", "secondary industry"),
    ("CAT12", "440000", "I", "small", False, True, "data_ent other_ent sample_ent", "tertiary"),
)
ENTERPRISES = {f"CAT{number:02}" for number in range(6, 14)}


def place(codes: tuple[str, ...], code: str) -> int:
    return codes.index(code) if code else -1


@pytest.fixture(scope="module")
def year() -> Year:
    category, region, section, size, head, pilot, *_expected = zip(*UNITS, strict=True)
    return replace(
        random_years(1)[0],
        unit=np.arange(len(UNITS)),
        category=np.array([1 + CATEGORIES.index(code) for code in category]),
        region=np.array([REGIONS.index(code) for code in region]),
        section=np.array([place(SECTIONS, code) for code in section]),
        size=np.array([place(SIZES, code) for code in size]),
        head=np.array(head),
        pilot=np.array(pilot),
    )


def domains_by_unit(year: Year, data_enterprises: str) -> list[set[str]]:
    domains = (*domains_of(year, DOMAINS, data_enterprises=data_enterprises), crossed_domain(year))
    return [
        {
            f"{domain.kind}:{domain.labels[domain.codes[unit]]}"
            for domain in domains
            if domain.codes[unit] >= 0
        }
        for unit in range(year.n)
    ]


def test_every_unit_is_in_its_domains(year: Year) -> None:
    for domains, (category, region, section, size, _head, _pilot, groups, part) in zip(
        domains_by_unit(year, "categories"), UNITS, strict=True
    ):
        expected = {"nation:all", "nation:public", f"region:{region}", f"category:{category}"}
        if category in ENTERPRISES:
            expected ^= {"nation:public", "nation:enterprise", f"region_enterprise:{region}"}
            expected |= {f"group:{group}" for group in groups.split()}
            expected |= {f"industry_group:{name}" for name in part.split()}
            expected |= {f"section:{section}", f"region_section:{region}.{section}"} if section else set()
            expected |= {f"size:{size}"} if size else set()
        assert domains == expected


def test_data_enterprises_can_be_those_of_a_section(year: Year) -> None:
    every = domains_by_unit(year, "section")
    assert ["group:data_ent" in domains for domains in every] == [
        unit[0] in ENTERPRISES and unit[2] == "I" for unit in UNITS
    ]
