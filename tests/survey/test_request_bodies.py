"""Bodies of the interface for machines have the JSON types that its document names."""

from typing import Any

import pytest
from rest_framework import serializers

from survey.request_bodies import RequestBody


class Body(RequestBody):
    """One field of each type."""

    number = serializers.IntegerField(required=False, allow_null=True)
    share = serializers.FloatField(required=False)
    is_open = serializers.BooleanField(required=False)
    text = serializers.CharField(required=False)
    short = serializers.CharField(required=False, max_length=3)
    kind = serializers.ChoiceField(choices=["1", "2"], required=False)
    day = serializers.DateField(required=False)
    texts = serializers.DictField(child=serializers.CharField(), required=False)
    numbers = serializers.ListField(child=serializers.IntegerField(), required=False)
    anything = serializers.JSONField(required=False)


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        ("number", "1", "number"),
        ("number", True, "number"),
        ("number", 1.5, "number"),
        ("share", "0.5", "share"),
        ("share", False, "share"),
        ("is_open", "true", "is_open"),
        ("is_open", 1, "is_open"),
        ("text", 1, "text"),
        ("text", True, "text"),
        ("short", "abcd", "short"),
        ("short", " abc", "short"),  # too long before the space is removed
        ("kind", 1, "kind"),
        ("day", 20260101, "day"),
        ("texts", [], "texts"),
        ("texts", {"a": 1}, "texts.a"),
        ("numbers", {}, "numbers"),
        ("numbers", [1, "2"], "numbers.1"),
    ],
)
def test_a_value_of_another_type_is_refused_by_its_place(name: str, value: Any, place: str) -> None:
    body = Body(data={name: value})
    assert not body.is_valid()
    assert list(body.errors) == [place]


def test_values_of_the_named_types_pass() -> None:
    sent = {"number": 1.0, "share": 1, "is_open": False, "text": "1", "kind": "1", "day": "2026-01-01"}
    more = {"texts": {"a": "1"}, "numbers": [1], "anything": [1, "2", {"a": None}]}
    body = Body(data=sent | more)
    assert body.is_valid(), body.errors
    assert body.validated_data["number"] == 1
    assert Body(data={"number": None}).is_valid()
