"""A finished run over the country worked by hand, with the external values that it needs."""

from typing import Any

from django.utils import timezone

from estimation.external.models import ExternalSeries
from estimation.runs import services
from estimation.runs.compute.spec import RunSpec, Winsorization
from estimation.runs.models import EstimationRun
from survey.collection.models import CollectionRound
from tests.estimation.runs.country import Country


def add_external(code: str, year: int, value: str, unit: str, **fields: Any) -> ExternalSeries:
    """An approved value of an external series."""
    data = {"label_zh": code, "label_en": code, "source": "test", "approved_at": timezone.now(), **fields}
    return ExternalSeries.objects.create(code=code, year=year, value=value, unit=unit, **data)


def finished_run(*, by: Any | None = None) -> EstimationRun:
    """The run of 2025, computed."""
    Country()
    for year, value in ((2024, "140828"), (2025, "140489")):
        add_external("EXT-POP", year, value, "万人")
        add_external("EXT-P01-OUTSIDE", year, "0", "TB")
        add_external("EXT-P02-OUTSIDE", year, "0", "TB")
    spec = RunSpec(winsorization=Winsorization("winsorize", 0.0, 0.9, minimum=1))
    run, _ = services.request_run(round=CollectionRound.objects.get(year=2025), by=by, spec=spec)
    services.execute_run(run.pk)
    run.refresh_from_db()
    return run
