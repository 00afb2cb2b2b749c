"""Time of the pages of the units behind a number, for the newest run.

Each request reads the frozen sheets, weights and treats them, and sums the values.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.core.management.base import CommandError
from django.urls import reverse

from estimation.runs.models import Estimate
from estimation.runs.selectors import finished_runs
from survey.access.roles import Role
from survey.management.commands.benchmark_pages import Command as PagesCommand
from survey.management.commands.benchmark_pages import browser, get_of

STATISTICS = (("P01", "total"), ("D01/S02", "ratio"), ("P01", "level_growth"), ("P01", "panel_growth"))
DOMAINS = (("nation", "all"), ("region", "440000"), ("section", "C"))


class Command(PagesCommand):
    """``manage.py benchmark_units``: as ``benchmark_pages``, for total, ratio and growth of nation, region, section."""

    help = "Measure server time and queries of the pages of the units behind a number; changes nothing."

    def pages(self) -> list[tuple[str, Callable[[int], Any]]]:
        """Sign-in to compare with, and a page for every statistic and domain that the run has."""
        run = finished_runs().first()
        client = self.client_of(Role.METHODOLOGIST)
        if run is None or client is None:
            raise CommandError("There is no finished run, or nobody who may look at it.")
        timings = [("sign-in", get_of(browser(), reverse("sign_in")))]
        for variable, statistic in STATISTICS:
            for kind, code in DOMAINS:
                cell = {
                    "variable": variable,
                    "statistic": statistic,
                    "domain_kind": kind,
                    "domain_code": code,
                }
                if Estimate.objects.filter(run=run, year=run.round.year, **cell).exists():
                    query = {"variable": variable, "statistic": statistic, "kind": kind, "code": code}
                    label = f"{variable} {statistic}: {kind} {code}"
                    path = f"{reverse('run_units', args=[run.pk])}?{urlencode(query)}"
                    timings.append((label, get_of(client, path)))
        return timings
