"""One stratum small enough to be scored by hand: six accepted units that doubled, and a sheet on the desk."""

from typing import Any

from django.utils import timezone

from estimation.design.models import SampleDesign, SelectedUnit, Stratum
from estimation.runs import services as runs
from estimation.runs.compute.spec import RunSpec, Winsorization
from estimation.runs.models import EstimationRun
from survey.collection.models import CollectionRound
from survey.frame.models import ReportingUnit
from survey.submissions.models import Filing, Submission
from tests.estimation.runs.country import cells, file_accepted
from tests.factories import make_unit, make_user

BEFORE = (10, 20, 30, 40, 50, 60)
POPULATION = 14


class Town:
    """Enterprises of Jiangsu: N 14, six valid, all with last year's value doubled."""

    def __init__(self) -> None:
        self.round = CollectionRound.objects.get(year=2025)
        self.units = [self.unit() for _ in BEFORE]
        self.strata = {year: self._design(year) for year in (2024, 2025)}
        for unit, value in zip(self.units, BEFORE, strict=True):
            self.draw(unit)
            file_accepted(unit, 2024, cells(P01=value, S02=value))
            file_accepted(unit, 2025, cells(P01=2 * value, S02=2 * value))

    def unit(self, **fields: Any) -> ReportingUnit:
        """One more enterprise."""
        return make_unit("CAT13", "320000", **{"size_class": "small", "employees": 10, **fields})

    def _design(self, year: int) -> Stratum:
        now = timezone.now()
        design = SampleDesign.objects.create(
            round=CollectionRound.objects.get(year=year),
            content_hash=f"town {year}",
            state="handed_over",
            drawn_by=make_user("designer"),
            drawn_at=now,
            approved_by=make_user("methodologist"),
            approved_at=now,
        )
        return Stratum.objects.create(
            design=design,
            kind="enterprise",
            category="",
            region="320000",
            section="I",
            size="small",
            population=POPULATION,
            drawn=7,
        )

    def draw(self, unit: ReportingUnit) -> None:
        """Put a unit into the sample of both years."""
        for stratum in self.strata.values():
            SelectedUnit.objects.create(
                design=stratum.design,
                stratum=stratum,
                unit=unit,
                region=unit.region_id,
                probability=0.5,
                random_number=unit.random_number,
            )

    def pending(
        self, value: float | None, before: float | None = None, state: str = "submitted"
    ) -> Submission:
        """A filed sheet that waits for a decision."""
        unit = self.unit()
        self.draw(unit)
        if before is not None:
            file_accepted(unit, 2024, cells(P01=before, S02=before))
        filing = file_accepted(unit, 2025, cells(P01=value, S02=2 * before if before else value))
        Submission.objects.filter(pk=filing.submission_id).update(state=state, decided_at=None)
        return Submission.objects.get(pk=filing.submission_id)

    def file_again(self, sheet: Submission, value: float) -> None:
        """Another version of the same sheet."""
        last = sheet.filings.latest("number")
        Filing.objects.create(
            submission=sheet,
            number=last.number + 1,
            version=last.version,
            answers=cells(P01=value),
            revision=last.revision + 1,
            content_hash=f"again {sheet.pk} {last.number}",
        )

    def run(self, minimum: int = 20) -> EstimationRun:
        """A finished run without treatment of extreme values."""
        spec = RunSpec(winsorization=Winsorization("none", minimum=minimum))
        run, _waits = runs.request_run(round=self.round, by=None, spec=spec)
        assert runs.execute_run(run.pk)
        run.refresh_from_db()
        return run
