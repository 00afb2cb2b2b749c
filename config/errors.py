"""Error pages in the design of the site. They render without the database."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def _page(request: HttpRequest, status: int) -> HttpResponse:
    return render(request, f"errors/{status}.html", status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400."""
    return _page(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return _page(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: also the answer to everything outside one's scope."""
    return _page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500."""
    return _page(request, 500)


def outage(request: HttpRequest) -> HttpResponse:
    """503: a server behind the site does not answer."""
    response = _page(request, 503)
    response.headers["Retry-After"] = "15"
    return response
