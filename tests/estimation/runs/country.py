"""A country small enough to be worked out by hand: three strata, five answers a year, one entry, one exit."""

from typing import Any

from django.utils import timezone

from estimation.design.models import SampleDesign, SelectedUnit, Stratum
from survey.collection.models import CollectionRound
from survey.frame.models import ReportingUnit
from survey.submissions.models import Filing, Submission
from tests.factories import make_assignment, make_unit, make_user

# Stratum of enterprises in Jiangsu (N 10), in Zhejiang (N 5), and one head platform taken with certainty.
JIANGSU, ZHEJIANG, HEAD = "jiangsu", "zhejiang", "head"
POPULATION = {JIANGSU: 10, ZHEJIANG: 5, HEAD: 1}


def cells(**values: float | bool | str | None) -> dict[str, Any]:
    """An answers document; None is "unknown"."""
    document: dict[str, Any] = {}
    for code, value in values.items():
        if value is None:
            document[code] = {"missing": "unknown"}
        else:
            document[code] = {"value": value if isinstance(value, bool) else str(value)}
    return document


def file_accepted(unit: ReportingUnit, year: int, answers: dict[str, Any]) -> Filing:
    """An accepted sheet with its frozen filing, past the edits that these short documents would not pass."""
    assignment = make_assignment(unit, year)
    now = timezone.now()
    Submission.objects.filter(assignment=assignment).update(
        state="accepted", filed_at=now, decided_at=now, answers=answers
    )
    number = Filing.objects.filter(submission=assignment.submission).count() + 1
    return Filing.objects.create(
        submission=Submission.objects.get(assignment=assignment),
        number=number,
        version=assignment.version,
        answers=answers,
        revision=1,
        content_hash=f"{unit.pk}-{year}-{number}",
    )


class Country:
    """Units, sheets of both years and the two designs."""

    def __init__(self, now: dict[str, list[float]] | None = None) -> None:
        self.now = now or {JIANGSU: [100, 300], ZHEJIANG: [10, 30], HEAD: [1000]}
        self.before = {JIANGSU: [80, 240], ZHEJIANG: [10, 20], HEAD: [500]}
        self.units = {
            JIANGSU: [self._unit("CAT13", "320000") for _ in range(2)],
            ZHEJIANG: [self._unit("CAT13", "330000") for _ in range(2)],
            HEAD: [self._unit("CAT08", "110000", is_head_platform=True, size_class="large")],
        }
        for year, values in ((2024, self.before), (2025, self.now)):
            self._design(year)
            for stratum, numbers in values.items():
                for unit, number in zip(self.units[stratum], numbers, strict=True):
                    buys = number >= 100
                    answers = cells(P01=number, P02=number / 2, S02=2 * number, D01=number, T01=buys)
                    file_accepted(unit, year, answers)

    def _unit(self, category: str, region: str, **fields: Any) -> ReportingUnit:
        return make_unit(category, region, **{"size_class": "small", **fields})

    def _design(self, year: int) -> None:
        now = timezone.now()
        design = SampleDesign.objects.create(
            round=CollectionRound.objects.get(year=year),
            content_hash=f"design {year}",
            state="handed_over",
            drawn_by=make_user("designer"),
            drawn_at=now,
            approved_by=make_user("methodologist"),
            approved_at=now,
        )
        keys = {
            JIANGSU: ("enterprise", "", "320000", "I", "small"),
            ZHEJIANG: ("enterprise", "", "330000", "I", "small"),
            HEAD: ("certainty", "CAT08", "", "", ""),
        }
        for name, (kind, category, region, section, size) in keys.items():
            stratum = Stratum.objects.create(
                design=design,
                kind=kind,
                category=category,
                region=region,
                section=section,
                size=size,
                population=POPULATION[name],
                drawn=len(self.units[name]),
                take_all=kind == "certainty",
            )
            for unit in self.units[name]:
                SelectedUnit.objects.create(
                    design=design,
                    stratum=stratum,
                    unit=unit,
                    region=unit.region_id,
                    probability=0.5,
                    random_number=unit.random_number,
                )
