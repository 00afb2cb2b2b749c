"""A design of the first year: there is no earlier round to learn from."""

import pytest

from estimation.design.allocation import Request
from estimation.design.models import SelectedUnit
from tests.estimation.design.population import Population

pytestmark = pytest.mark.django_db


def test_without_an_earlier_year_only_the_population_counts() -> None:
    population = Population(history=False)
    drawn = population.drawn(request=Request("proportional", n=60))
    assert drawn.basis.items == [] and drawn.summary.overlap is None
    assert SelectedUnit.objects.filter(design=drawn).count() == 60
