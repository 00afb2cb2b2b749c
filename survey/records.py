"""Typed records in JSON columns: a frozen class instead of a dictionary, in the same stored form."""

from typing import Any, Protocol, Self

from django.db import models
from django.db.models.fields.json import KeyTransform

from survey.sentences import Sentence


class Record(Protocol):
    """What a ``RecordField`` keeps. ``from_document({})`` is the record of a row that has none yet."""

    def to_document(self) -> Any:
        """The stored form: a JSON object or list."""

    @classmethod
    def from_document(cls, document: Any, /) -> Self:
        """The record of a stored form."""


class RecordField(models.JSONField):
    """A JSON column whose value in Python is a record. Anything else than its record is a TypeError."""

    def __init__(self, record: type[Record], **options: Any) -> None:
        self.record = record
        super().__init__(**{"default": lambda: record.from_document({}), **options})

    def deconstruct(self) -> Any:
        """Migrations know a plain JSON column, so that they do not depend on the class."""
        name, _path, args, options = super().deconstruct()
        empty = type(self.record.from_document({}).to_document())
        return name, "django.db.models.JSONField", args, {**options, "default": empty}

    def clone(self) -> "RecordField":
        """A copy for an abstract or historical model."""
        _name, _path, _args, options = super().deconstruct()
        return type(self)(self.record, **options)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        stored = super().from_db_value(value, expression, connection)
        if stored is None or isinstance(
            expression, KeyTransform
        ):  # a row that a join did not find, a key of one
            return stored
        return self.record.from_document(stored)

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, self.record):
            return value.to_document()
        raise TypeError(f"{self.name} keeps a {self.record.__name__}, not {value!r}")

    def value_from_object(self, obj: models.Model) -> Any:
        return self.get_prep_value(super().value_from_object(obj))


class SentenceField(RecordField):
    """A ``Sentence`` in one JSON column; ``{}`` is none. Anything else than a ``Sentence`` is a TypeError."""

    def __init__(self, **options: Any) -> None:
        super().__init__(Sentence, **{"blank": True, **options})

    def clone(self) -> "SentenceField":
        """A copy for an abstract or historical model."""
        return type(self)(blank=self.blank, null=self.null)
