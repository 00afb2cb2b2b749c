"""Types of requests whose ``request.user`` is a signed-in user."""

from django.http import HttpRequest
from rest_framework.request import Request

from survey.access.models import User


class AuthenticatedRequest(HttpRequest):
    """The request of a view that is decorated with ``requires`` or ``signed_in``."""

    user: User


class AuthenticatedApiRequest(Request):
    """The request of an endpoint whose permission classes require a signed-in user."""

    user: User
