"""Renders a whole page, or the part of it that htmx requested."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers


def page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    partial: str | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render ``template``, or only its ``{% partialdef <partial> %}`` when htmx requests a fragment.

    A boosted link and a restored history entry need the whole page although htmx sends them.
    """
    htmx: Any = getattr(request, "htmx", None)
    fragment = bool(partial and htmx and not htmx.boosted and not htmx.history_restore_request)
    name = f"{template}#{partial}" if fragment else template
    response = render(request, name, dict(context or {}), status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response
