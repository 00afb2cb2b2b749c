"""Servers and common fixtures of the tests.

The controller process starts PostgreSQL and Valkey out of their wheels (unless DATABASE_URL and REDIS_URL
point elsewhere); pytest-xdist workers inherit the addresses and get a database each.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).resolve().parent.parent
# Containers often forbid Python to keep compiled modules. Every process that a test starts would then compile two
# thousand of them anew, which takes two thirds of its start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
sys.path.insert(0, str(ROOT))

from config.local import embedded  # noqa: E402 the checkout is not an installed package

if embedded.uses_local_servers():
    embedded.prepare_environment("test")
    embedded.start(durable=False)
os.environ.setdefault("PLAIN_STATIC", "1")
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

import django  # noqa: E402 settings read the addresses that were just written

django.setup()

from django.conf import settings  # noqa: E402 after django.setup()
from hypothesis import settings as settings_of_examples  # noqa: E402 after django.setup()

from config.celery import app as celery  # noqa: E402 after django.setup()

if number := os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw"):
    # Counters and lockouts live in Valkey: a database a worker, as PostgreSQL has one each. pytest-django has
    # read the settings before this file, so they are changed and not the environment.
    settings.REDIS_URL = f"{settings.REDIS_URL.rpartition('/')[0]}/{1 + int(number)}"
    settings.CACHES["default"]["LOCATION"] = settings.REDIS_URL


# Celery reads its settings at the first use: before a test has changed them for a while.
assert celery.conf.broker_url

# Hashing is slow on purpose, and the tests sign in a hundred times; test_production looks at the real one.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Every client reads the folder of collected files when it is made: an empty one, whatever the demo has left.
settings.STATIC_ROOT = ROOT / ".local" / "test" / "static"
settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


# Tests must not fail on slow machines: Hypothesis has no deadline.
settings_of_examples.register_profile("survey", deadline=None)
settings_of_examples.load_profile("survey")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option that prints where the time of the tests goes."""
    parser.addoption("--where-time-goes", action="store_true", help="seconds by folder and by worker")


def pytest_configure(config: pytest.Config) -> None:
    """Measure in every process that runs tests; collect in the one that prints."""
    if not config.getoption("--where-time-goes"):
        return
    from tests.timing import Meter, Table

    is_worker = hasattr(config, "workerinput")
    if is_worker or not config.getoption("numprocesses"):
        config.pluginmanager.register(Meter())
    if not is_worker:
        config.pluginmanager.register(Table())


# Tests that share a running system, or the rows of the permission matrix, stay together in one worker. They come
# first: they take longest.
TOGETHER = ("tests/e2e/", "tests/drills/", "tests/fuzz/")


class ByFile(LoadScopeScheduling):
    """Hands out tests file by file, so that what a module has built is built once; a folder in TOGETHER as one."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid.partition("::")[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """Groups by file: the marker of pytest-xdist is not seen by the newest pytest."""
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The folders in TOGETHER first, in their order."""

    def order(item: pytest.Item) -> int:
        return next((n for n, folder in enumerate(TOGETHER) if item.nodeid.startswith(folder)), len(TOGETHER))

    items.sort(key=order)


@pytest.fixture(autouse=True)
def reading_of_the_clock() -> None:
    """The database of the tests runs on this machine: its time is known, and no test asks for it in between."""
    from datetime import UTC, datetime

    from survey import clock

    clock._last = clock.Reading(datetime.now(UTC), clock._running())


@pytest.fixture(scope="session")
def reusable_database() -> Any:
    """The state of the test database after the last run."""
    from tests.reusable_database import ReusableDatabase

    return ReusableDatabase(os.environ.get("PYTEST_XDIST_WORKER", "alone"), settings.DATABASES["default"])


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """The test database stays for the next run; ``django_db_createdb`` says whether that run takes it."""
    return True


@pytest.fixture(scope="session")
def django_db_createdb(
    django_db_modify_db_settings: None, django_db_blocker: Any, reusable_database: Any
) -> bool:
    """Make the database anew unless the last run left it clean and nothing that makes it has changed."""
    from django.db import connection

    creation: Any = connection.creation
    with django_db_blocker.unblock():
        return not reusable_database.take(creation._get_test_db_name())


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any, reusable_database: Any) -> Iterator[None]:
    """The tables, plus what never changes: regions, published questionnaires, two rounds."""
    from django.db import connection

    from tests.factories import prepare_base

    with django_db_blocker.unblock():
        prepare_base()
        reusable_database.write(connection.settings_dict["NAME"])
    yield
    with django_db_blocker.unblock():
        reusable_database.leave()


@pytest.fixture(scope="module")
def module_rows(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A transaction around the tests of a module: what fixtures of the module store is built once for all of
    them and taken back at the end. Each test still takes back its own rows; objects it may change are copies."""
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def world(db: None) -> Any:
    """Regions, rounds, questionnaire versions, two provinces with units, one user for every role."""
    from tests.factories import World, prepare_base

    prepare_base()
    return World.build()


@pytest.fixture
def transactional_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """What a test commits is deleted afterwards. pytest-django's own would empty the tables of the base, too."""
    from tests.concurrency import rows_deleted_afterwards

    with django_db_blocker.unblock(), rows_deleted_afterwards():
        yield


@pytest.fixture
def committed_world(transactional_db: None) -> Any:
    """``world`` for tests with several connections: every one of them sees it."""
    from tests.factories import World

    return World.build()


@pytest.fixture(autouse=True)
def _clean_cache() -> Iterator[None]:
    """Counters and lockouts of one test must not reach the next."""
    from django.core.cache import cache

    yield
    cache.clear()


@pytest.fixture(autouse=True)
def _default_language() -> None:
    """The test client leaves the language of its last request active; every test begins in the default one."""
    from django.utils import translation

    translation.deactivate()
