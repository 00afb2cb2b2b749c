"""A finished run and a release prepared from it, made once for all tests of a module."""

import pytest

from estimation.releases import services
from estimation.releases.models import Release
from estimation.runs.models import EstimationRun
from tests.estimation.releases.stage import finished_run
from tests.factories import World, prepare_base


@pytest.fixture(scope="module")
def built_run(module_rows: None) -> EstimationRun:
    """A finished run in a country with users of every role."""
    prepare_base()
    World.build()
    return finished_run()


@pytest.fixture
def run(built_run: EstimationRun, db: None) -> EstimationRun:
    """The run, read anew: the test may change it."""
    return EstimationRun.objects.get(pk=built_run.pk)


@pytest.fixture(scope="module")
def built_draft(built_run: EstimationRun) -> Release:
    """A draft prepared from the run."""
    return services.prepare_release(run=built_run, by=None)


@pytest.fixture
def draft(built_draft: Release, db: None) -> Release:
    """The draft, read anew: the test may change it."""
    return Release.objects.get(pk=built_draft.pk)
