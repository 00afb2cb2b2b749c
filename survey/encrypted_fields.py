"""Columns whose values are stored encrypted (``survey.encryption``): telephone numbers, addresses, names.

The value in Python is the plain one. The database holds only stored forms, which differ with every write, so that
no lookup but "empty or not" is possible. An empty value is stored as it is.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldError
from django.core.validators import EmailValidator, MaxLengthValidator
from django.db import connection, models, transaction

from survey import encryption

BATCH = 1_000


class _Encrypted(models.Field):  # type: ignore[type-arg]  # the class has no arguments at run time
    """What both kinds of columns share: the context that is authenticated with each value, and the lookups."""

    @property
    def context(self) -> str:
        """Table and column, so that a value copied to another column is not decrypted there."""
        return f"{self.model._meta.db_table}.{self.column}"

    def get_lookup(self, lookup_name: str) -> Any:
        """``isnull``, and comparison with the empty value. Raises FieldError for others when they are used."""
        lookup = super().get_lookup(lookup_name)
        if lookup is None or lookup_name == "isnull":
            return lookup
        if lookup_name == "exact":
            return _with_empty_value(lookup)
        raise FieldError(f"{self.name} is encrypted and cannot be searched ({lookup_name})")


def _with_empty_value(lookup: Any) -> Any:
    class Empty(lookup):  # type: ignore[misc]  # the class is that of the column's type
        """Comparison with the empty value."""

        def __init__(self, lhs: Any, rhs: Any) -> None:
            if rhs not in ("", {}):
                raise FieldError(
                    f"{lhs.target.name} is encrypted and can only be compared with the empty value"
                )
            super().__init__(lhs, rhs)

    return Empty


class EncryptedTextField(_Encrypted, models.TextField):  # type: ignore[type-arg]  # as above
    """A text of at most ``max_length`` characters, stored encrypted."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.max_length is not None:
            self.validators.append(MaxLengthValidator(self.max_length))

    def get_prep_value(self, value: Any) -> Any:
        """The stored form."""
        return encryption.encrypt(str(value), self.context) if value else value

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """The text of a stored form. Raises EncryptionError."""
        return encryption.decrypt(value, self.context) if value else value


class EncryptedEmailField(EncryptedTextField):
    """An e-mail address, stored encrypted."""

    default_validators = [EmailValidator()]

    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("max_length", 254)
        super().__init__(*args, **options)


class EncryptedJSONField(_Encrypted, models.JSONField):
    """A JSON value, stored as a JSON text that holds its stored form. ``{}`` is stored as it is."""

    def get_prep_value(self, value: Any) -> Any:
        """The stored form, a text."""
        return encryption.encrypt(_as_text(value), self.context) if value else value

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """The value of a stored form. Raises EncryptionError."""
        stored = super().from_db_value(value, expression, connection)
        return json.loads(encryption.decrypt(stored, self.context)) if stored else stored


def _as_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def stored_form(model: type[models.Model], column: str, value: Any) -> str:
    """What a statement that writes past the models has to store: the text, or its JSON, of an encrypted column."""
    field: Any = model._meta.get_field(column)
    prepared: str = field.get_prep_value(value)
    return json.dumps(prepared) if isinstance(field, EncryptedJSONField) else prepared


def encrypted_columns() -> Iterator[tuple[type[models.Model], _Encrypted]]:
    """Every encrypted column of the project with its model."""
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, _Encrypted):
                yield model, field


def rotate(model: type[models.Model], field: _Encrypted) -> int:
    """Encrypt with the current key and algorithm what was encrypted otherwise; returns how many rows.

    Works in batches of rows that are locked while they are written, so that the site may be open meanwhile.
    Raises EncryptionError for a stored form whose key is not in the settings.
    """
    rotated, last = 0, 0
    while rows := _rotate_batch(model, field, last):
        rotated += rows.rotated
        last = rows.last
    return rotated


@dataclass(frozen=True, slots=True)
class _Batch:
    last: int
    rotated: int


@transaction.atomic
def _rotate_batch(model: type[models.Model], field: _Encrypted, last: int) -> _Batch | None:
    quote: Any = connection.ops.quote_name
    table, column = quote(model._meta.db_table), quote(field.column)
    key = quote(model._meta.pk.column)
    is_json = isinstance(field, EncryptedJSONField)
    stored = f"{column} #>> '{{}}'" if is_json else column
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {key}, {stored} FROM {table} WHERE {key} > %s ORDER BY {key} LIMIT {BATCH} FOR UPDATE",  # noqa: S608 names of our own tables
            [last],
        )
        rows = cursor.fetchall()
        old = [
            (pk, text)
            for pk, text in rows
            if text not in (None, "", "{}") and encryption.needs_rotation(text)
        ]
        new = [
            encryption.encrypt(encryption.decrypt(text, field.context), field.context) for _pk, text in old
        ]
        cursor.execute(
            f"UPDATE {table} SET {column} = {'to_jsonb(given.form)' if is_json else 'given.form'}"  # noqa: S608 names of our own tables
            f" FROM unnest(%s::bigint[], %s::text[]) AS given (pk, form) WHERE {key} = given.pk",
            [[pk for pk, _text in old], new],
        )
    return _Batch(rows[-1][0], len(old)) if rows else None
