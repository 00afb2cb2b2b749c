"""Bodies of requests to the API, whose values have the JSON type and the length that the OpenAPI document names.

The fields of the framework convert what they are given: ``"12"`` becomes a whole number, ``12`` a text, ``"yes"`` a truth
value. A program that sends such a value has made a mistake, and the document says that it is refused.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.fields import empty

type Fault = tuple[str, str | Promise]

# The first entry that a field is an instance of counts; fields of other classes take any value.
_TYPES: tuple[tuple[type[serializers.Field[Any, Any, Any, Any]], tuple[type, ...], str | Promise], ...] = (
    (serializers.BooleanField, (bool,), gettext_lazy("Send true or false.")),
    (serializers.IntegerField, (int,), gettext_lazy("Send a whole number, without quotation marks.")),
    (serializers.FloatField, (int, float), gettext_lazy("Send a number, without quotation marks.")),
    (serializers.ListField, (list,), gettext_lazy("Send a list.")),
    (serializers.DictField, (dict,), gettext_lazy("Send an object.")),
    *(
        (kind, (str,), gettext_lazy("Send a text, in quotation marks."))
        for kind in (
            serializers.CharField,
            serializers.ChoiceField,
            serializers.DateTimeField,
            serializers.DateField,
        )
    ),
)


class Unprocessable(APIException):
    """422: the body has the form that the document names, but a value of it is refused."""

    status_code = 422
    default_detail = gettext_lazy("A value is refused.")
    default_code = "unprocessable"


class JSONTypes:
    """Mixin of serializers: refuses a value of another JSON type, by the place where it stands."""

    def to_internal_value(self, data: Any) -> Any:
        """The validated values. Raises ValidationError with the faults of type before anything is converted."""
        if isinstance(data, Mapping):
            fields = getattr(self, "_writable_fields")  # noqa: B009 an attribute of the serializer beside this mixin
            if faults := {place: [str(text)] for field in fields for place, text in _faults_of(field, data)}:
                raise serializers.ValidationError(faults)
        return super().to_internal_value(data)  # type: ignore[misc]  # of the serializer beside this mixin


class RequestBody(JSONTypes, serializers.Serializer[Any]):
    """Base of the serializers that read the body of a request."""


def _faults_of(field: Any, data: Mapping[str, Any]) -> Iterator[Fault]:
    value = field.get_value(data)
    if value is not empty:
        yield from _faults(field, value, field.field_name)


def _faults(field: Any, value: Any, place: str) -> Iterator[Fault]:
    """Faults of a value and of what it holds. Null is the business of ``allow_null``."""
    child = getattr(field, "child", None)
    for kind, types, text in _TYPES:
        if value is None or not isinstance(field, kind):
            continue
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            # JSON has one kind of number: 1.0 is a whole one.
            if not (int in types and isinstance(value, float) and value.is_integer()):
                yield place, text
        elif isinstance(value, str):
            # Before surrounding space is removed: the document names the length of what is sent.
            most = getattr(field, "max_length", None)
            if most is not None and len(value) > most:
                yield place, gettext_lazy("The text is longer than %(limit)s characters.") % {"limit": most}
        elif isinstance(value, list):
            for at, entry in enumerate(value):
                yield from _faults(child, entry, f"{place}.{at}")
        elif isinstance(value, dict):
            for name, entry in value.items():
                yield from _faults(child, entry, f"{place}.{name}")
        return
