"""A way to put releases on the public site."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from estimation.releases.models import Release
from estimation.runs.compute.spec import RunSpec
from estimation.runs.services import request_run
from survey.collection.models import CollectionRound
from tests.estimation.public.small import put_out
from tests.estimation.runs.country import Country

Publish = Callable[..., Release]


@pytest.fixture
def publish(world: Any) -> Publish:
    """Puts a release on the public site, or into another state."""
    Country()
    round_ = CollectionRound.objects.get(year=2025)
    return partial(put_out, request_run(round=round_, by=None, spec=RunSpec())[0])
