"""Requests of views that only signed-in people reach: ``request.user`` is a person there."""

from django.http import HttpRequest
from rest_framework.request import Request

from survey.access.models import User


class AuthenticatedRequest(HttpRequest):
    """The request of a page that ``requires`` or ``signed_in`` guards; the guard turned everybody else away."""

    user: User


class AuthenticatedApiRequest(Request):
    """The request of an endpoint whose permission classes turned everybody else away."""

    user: User
