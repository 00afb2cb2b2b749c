"""A copy of the site's URLconf with endpoints that break what the OpenAPI document promises, each in one way."""

from typing import Any

from django.http import HttpResponse
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

import config.urls
from survey.access.roles import Permission
from survey.access.scope import HasPermission, SignedIn
from survey.idempotency.decorators import guard
from survey.request_bodies import RequestBody


class Number(RequestBody):
    """A whole number."""

    number = serializers.IntegerField(min_value=-1000, max_value=1000)


class LooseNumber(serializers.Serializer[Any]):
    """A whole number, which a text is converted to."""

    number = serializers.IntegerField(min_value=-1000, max_value=1000)


class Correct(APIView):
    """Does as the document says."""

    permission = Permission.REVIEW
    permission_classes = [SignedIn, HasPermission]
    serializer: type[serializers.Serializer[Any]] = Number

    @extend_schema(request=Number, responses=Number)
    def post(self, request: Request) -> Any:
        """The number that was sent, after what is planted has been done with it."""
        body = self.serializer(data=request.data)
        body.is_valid(raise_exception=True)
        return self.answer(body.validated_data["number"])

    def answer(self, number: int) -> Any:
        """The answer to a number."""
        return Response({"number": number})


class Fails(Correct):
    """500 for some numbers."""

    def answer(self, number: int) -> Any:
        """Divides by zero for a number below one."""
        return Response({"number": 0 // max(number, 0) + number})


class AnotherStatus(Correct):
    """A status that the document does not name."""

    def answer(self, number: int) -> Any:
        """418 for a number below zero."""
        return Response({"number": number}, status=418 if number < 0 else 200)


class AnotherForm(Correct):
    """An answer of another form than the document says."""

    def answer(self, number: int) -> Any:
        """A text for a number below zero."""
        return Response({"number": str(number) if number < 0 else number})


class AnotherType(Correct):
    """An answer of another content type than the document says."""

    def answer(self, number: int) -> Any:
        """HTML for a number below zero."""
        return HttpResponse("-") if number < 0 else Response({"number": number})


class TakesText(Correct):
    """Converts a text, which the document does not allow."""

    serializer = LooseNumber


class NeverSucceeds(Correct):
    """Refuses what it offers."""

    def answer(self, number: int) -> Any:
        """404."""
        raise NotFound


PLANTED = {
    "correct": Correct,
    "fails": Fails,
    "another_status": AnotherStatus,
    "another_form": AnotherForm,
    "another_type": AnotherType,
    "takes_text": TakesText,
    "never_succeeds": NeverSucceeds,
}
urlpatterns = [
    *config.urls.urlpatterns,
    *guard(
        path(f"api/v1/planted/{name}/", view.as_view(), name=f"api_{name}") for name, view in PLANTED.items()
    ),
]
handler404 = config.urls.handler404
handler500 = config.urls.handler500
