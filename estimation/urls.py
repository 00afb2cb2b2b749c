"""Every page and endpoint of the estimation, package by package."""

from itertools import chain

from estimation.design import urls as design
from estimation.external import urls as external
from estimation.index import urls as index
from estimation.peers import urls as peers
from estimation.rehearsal import urls as rehearsal
from estimation.releases import urls as releases
from estimation.report import urls as report
from estimation.results import urls as results
from estimation.runs import urls as runs
from survey.idempotency.decorators import guard

PACKAGES = (design, external, runs, index, results, releases, report, peers, rehearsal)
urlpatterns = guard(chain.from_iterable(package.urlpatterns for package in PACKAGES))
api_urlpatterns = guard(chain.from_iterable(package.api_urlpatterns for package in PACKAGES))
