"""Levels of the published report, fed through the registry, give its growth rates, shares and per-capita figures.

Source of the numbers: 《全国数据资源调查报告（2025年）》, as kept in ``registry/published_2025.json``.
"""

import pytest

from estimation.releases.content.content import FrozenCell, Text
from estimation.releases.content.draft import Material
from estimation.releases.content.estimates import CoverageRow, Key, Source, Stored
from estimation.releases.content.identities import check_identities, failing
from estimation.releases.content.indicators import Indicator
from estimation.releases.content.registry import assemble, publication_plan
from estimation.releases.differences import compare_with_report, published_report
from estimation.releases.selectors import codes_of, vocabulary

PUBLISHED = published_report(2025)
POPULATION = {2024: 140828.0, 2025: 140489.0}  # National Bureau of Statistics
GROWING = [key for key in PUBLISHED if key.endswith(".growth")]
SECTIONS = "ABCDEFGHIJKLMNOPQR"


def number(key: str) -> float:
    return float(PUBLISHED[key].value)


def stored_level(indicator: Indicator, year: int) -> float | None:
    """The stored estimate that an indicator of one part prints as published."""
    key = f"{indicator.code}.{year}"
    if key not in PUBLISHED:
        return None
    per = POPULATION[year] * indicator.per.factor if indicator.per else 1.0
    return number(key) / indicator.scale * per


@pytest.fixture(scope="module")
def source() -> Source:
    estimates: dict[Key, Stored] = {}
    external = {("EXT-POP", year): people for year, people in POPULATION.items()}
    external |= {("EXT-P01-GROWTH", 2024): 25.0, ("EXT-WORLD", 2025): 190.45}
    for member in publication_plan().registry.indicators:
        for year in (2024, 2025):
            level = stored_level(member, year)
            external |= {(part.code, year): 0.0 for part in member.external}
            # Per capita and what is not sensed are made of levels that other indicators bring.
            if level is not None and len(member.parts) == 1 and member.per is None:
                part = member.parts[0]
                estimates[Key(year, part.variable, part.statistic, part.kind, part.code)] = Stored(
                    level, n=100
                )
    external |= {("EXT-HUB", 2024): 5400.0, ("EXT-HUB", 2025): 5500.0}
    table = publication_plan().registry.tables[2]
    for column in table.columns:
        for section in SECTIONS:
            value = number(f"T2.{section}.{column.code}") / column.scale
            estimates[Key(2025, column.variable, column.statistic, "section", section)] = Stored(value, n=100)
    for variable in ("P01", "F01"):
        for group, members in (
            ("primary", "A"),
            ("secondary", "BCDE"),
            ("industry", "BCD"),
            ("tertiary", SECTIONS[5:]),
        ):
            total = sum(
                estimates[Key(2025, variable, "total", "section", member)].value or 0.0 for member in members
            )
            estimates[Key(2025, variable, "total", "industry_group", group)] = Stored(total, n=100)
    for row in publication_plan().registry.tables[1].rows:
        for column in publication_plan().registry.tables[1].columns:
            value = number(f"T1.{row.code}.{column.code}") / row.scale
            estimates[Key(2025, row.variable, row.statistic, "group", column.domain_code)] = Stored(
                value, n=100
            )
    return Source(estimates, external)


@pytest.fixture(scope="module")
def cells(source: Source) -> dict[str, FrozenCell]:
    total = CoverageRow("total", Text("合计", "Total"), 48396, 42505, True)
    words = vocabulary()
    material = Material(
        2025,
        source,
        words.units,
        words.external,
        {},
        {"T3": [total], "T4": [total]},
        lambda kind, code: Text(code, code),
    )
    return assemble(publication_plan(), material, dict(codes_of()))[0].cells


def test_there_are_21_growth_rates() -> None:
    assert len(GROWING) == 21


@pytest.mark.parametrize("key", GROWING)
def test_growth_is_reproduced_to_the_digit(cells: dict[str, FrozenCell], key: str) -> None:
    assert cells[key].printed == PUBLISHED[key].value


@pytest.mark.parametrize(
    "key",
    [
        "SUP-04.2024",
        "SUP-04.2025",
        "SUP-03.2024",
        "SUP-03.2025",
        "TXT-002.2025",
        "TXT-003.2025",
        "TXT-010.2025",
        "TXT-020.2024",
        "TXT-021.2025",
        "TXT-022.2025",
        "TXT-024.2025",
        "TXT-041.2025",
        "TXT-044.2025",
        "TXT-045.2025",
        "TXT-048.2025",
        "TXT-049.2025",
        "TXT-050.2025",
        "TXT-054.2025",
        "TXT-055.2025",
        "TXT-056.2025",
        "TXT-057.2025",
        "TXT-058.2025",
        "TXT-061.2025",
        "TXT-062.2025",
    ],
)
def test_shares_and_per_capita_are_reproduced_to_the_digit(cells: dict[str, FrozenCell], key: str) -> None:
    assert cells[key].printed == PUBLISHED[key].value


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("TXT-004.2025", "近90"),
        ("TXT-017.2025", "超11"),
        ("TXT-018.2025", "超908"),
        ("USE-06.2025", "超5,500"),
    ],
)
def test_rounded_wording_is_the_true_one(cells: dict[str, FrozenCell], key: str, words: str) -> None:
    cell = cells[key]
    assert cell.words is not None and cell.words.zh == words


def test_every_published_level_is_printed_as_published(cells: dict[str, FrozenCell]) -> None:
    wrong = {
        key: (cells[key].printed, PUBLISHED[key].value)
        for key in PUBLISHED
        if key[:3] in ("SUP", "CIR", "USE")
        and cells[key].printed.replace(",", "").lstrip(">") != PUBLISHED[key].value
    }
    # The report prints one level with one decimal; everything else agrees.
    assert wrong == {"SUP-10.2024": ("1.30", "1.3")}


def test_identities_hold_on_the_published_numbers(cells: dict[str, FrozenCell], source: Source) -> None:
    identities = check_identities(cells, 2025, source.external)
    assert failing(identities) == []
    stored = {identity["code"] for identity in identities if identity["holds"]}
    assert {
        "production:SUP-01.2025",
        "per_capita:2024",
        "share:TXT-022",
        "t2_production:SUP-05.2025",
    } <= stored
    flow = next(identity for identity in identities if identity["code"].startswith("t2_flow"))
    assert flow["difference"] == "4.63" and flow["registered"]


def test_a_wrong_digit_breaks_an_identity(cells: dict[str, FrozenCell], source: Source) -> None:
    from dataclasses import replace

    value = cells["SUP-02.2025"].value
    assert value is not None
    broken = {**cells, "SUP-02.2025": replace(cells["SUP-02.2025"], value=value + 0.05)}
    codes = {entry["code"] for entry in failing(check_identities(broken, 2025, source.external))}
    assert codes == {"production:SUP-01.2025", "growth:SUP-02"}


def test_comparison_explains_every_published_number(cells: dict[str, FrozenCell]) -> None:
    rows = compare_with_report(cells, 2025, synthetic=False)
    assert len(rows) == len(PUBLISHED) > 350
    assert all(row.why for row in rows)
    assert {row.why for row in rows if row.key in GROWING} == {"same"}
