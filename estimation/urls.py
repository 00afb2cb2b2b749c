"""Every page of the estimation side, room by room."""

from itertools import chain

from estimation.design import urls as design
from estimation.index import urls as index
from estimation.peers import urls as peers
from estimation.rehearsal import urls as rehearsal
from estimation.releases import urls as releases
from estimation.report import urls as report
from estimation.runs import urls as runs

ROOMS = (design, runs, index, releases, report, peers, rehearsal)
urlpatterns = list(chain.from_iterable(room.urlpatterns for room in ROOMS))
api_urlpatterns = list(chain.from_iterable(room.api_urlpatterns for room in ROOMS))
