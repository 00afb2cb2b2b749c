"""``once`` around every view: a request with an idempotency key is carried out once.

The key and everything that the view stores are one transaction. A repeated request gets the stored response; one that
comes while the first is under way waits for its end. A request that was refused (status 400 and above, or an
exception) may be sent again with its key.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.urls import URLPattern
from rest_framework.views import APIView

from survey.exceptions import PolicyDenied
from survey.idempotency import services
from survey.idempotency.messages import DONE_BEFORE, NOT_A_KEY, OTHER_CONTENT

type View = Callable[..., HttpResponseBase]
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_KEY = 200


def once(view: View) -> View:
    """Carry out requests of a view that have a key once; others pass unchanged."""
    is_api = isinstance(cls := getattr(view, "cls", None), type) and issubclass(cls, APIView)

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method in SAFE:
            return view(request, *args, **kwargs)
        if not is_api:
            key = request.POST.get(services.FIELD, "")
            claim = services.form_claim(request, key) if key else None
        else:
            key = request.headers.get(services.HEADER, "").strip('"')
            if services.HEADER in request.headers and not (key.isprintable() and 0 < len(key) <= MAX_KEY):
                return _problem(NOT_A_KEY, 400)
            claim = services.header_claim(request, key) if key and request.user.is_authenticated else None
        if claim is None:
            return view(request, *args, **kwargs)
        return _carry_out(claim, is_api, lambda: view(request, *args, **kwargs))

    return guarded


def guard(patterns: Iterable[URLPattern]) -> list[URLPattern]:
    """These URL patterns with ``once`` around their views."""
    guarded = []
    for pattern in patterns:
        pattern.callback = once(pattern.callback)
        guarded.append(pattern)
    return guarded


def _carry_out(claim: services.Claim, is_api: bool, act: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    refusal: Exception | None = None
    with transaction.atomic():
        row = claim.take()
        if row is None:
            return _repeated(claim, is_api)
        try:
            response = act()
            if isinstance(response, SimpleTemplateResponse):
                response.render()
        except Exception as error:
            if isinstance(error, DatabaseError) or transaction.get_connection().needs_rollback:
                raise
            refusal = error  # what was stored before it, as a row of the audit trail, stays
            row.delete()
        else:
            services.keep(row, response)
    if refusal is not None:
        raise refusal
    return response


def _repeated(claim: services.Claim, is_api: bool) -> HttpResponse:
    row = claim.find()
    if row.fingerprint != claim.fingerprint:
        return _problem(OTHER_CONTENT, 422)
    response = services.stored_response(row)
    if response is not None:
        return response
    if is_api:
        return _problem(DONE_BEFORE, 409)
    raise PolicyDenied(DONE_BEFORE)


def _problem(sentence: object, status: int) -> HttpResponse:
    body = {"type": "urn:problem:IdempotencyKey", "title": str(sentence), "status": status}
    return JsonResponse(body, status=status, content_type="application/problem+json")
