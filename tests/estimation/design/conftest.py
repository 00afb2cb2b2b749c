"""One population for all tests of a module."""

from copy import deepcopy

import pytest

from tests.estimation.design.population import Population
from tests.factories import prepare_base


@pytest.fixture(scope="module")
def built_population(module_rows: None) -> Population:
    """The population, stored once."""
    prepare_base()
    return Population()


@pytest.fixture
def population(built_population: Population, db: None) -> Population:
    """A copy of the population's objects, which the test may change."""
    return deepcopy(built_population)
