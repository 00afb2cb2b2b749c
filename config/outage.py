"""Answers 503 with an error page when the database, the broker or the server of the files is down."""

import logging
from collections.abc import Callable

from django.db import connection
from django.http import HttpRequest, HttpResponse

from config.errors import OUTAGES, outage, outage_in
from config.files.faults import FilesUnavailable

logger = logging.getLogger(__name__)


class OutageMiddleware:
    """Answers 503 with Retry-After; the page's script keeps unsaved cells and tries again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on; Django turns a raising view into process_exception below."""
        try:
            return self.get_response(request)
        except OUTAGES as error:
            return self._refuse(request, error)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Views: only outages are handled here, everything else crashes and is logged."""
        failure = outage_in(exception)
        return self._refuse(request, failure) if failure else None

    def _refuse(self, request: HttpRequest, error: BaseException) -> HttpResponse:
        logger.warning("outage on %s", request.path, exc_info=True)
        if not isinstance(error, FilesUnavailable):
            connection.close()
        return outage(request, error)
