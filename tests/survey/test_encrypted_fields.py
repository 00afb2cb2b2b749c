"""Telephone numbers, addresses and names are ciphertext in the database, plain in Python, and change keys."""

import json
from typing import Any

import pytest
from django.core.exceptions import FieldError, ValidationError
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.test import override_settings

from survey import encryption
from survey.access.models import User
from survey.access.roles import Role
from survey.encrypted_fields import encrypted_columns
from survey.frame.models import UnitContact
from survey.submissions.models import SectionInvitation, Submission
from tests.factories import make_sheet, make_unit, make_user

pytestmark = pytest.mark.django_db

PHONE, EMAIL, NAME = "010-6655 4433", "wang.fang@example.org", "王芳"


def stored(table: str, column: str, pk: int) -> str:
    """What the database holds."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column}::text FROM {table} WHERE id = %s", [pk])  # noqa: S608 names written below
        return str(cursor.fetchone()[0])


@pytest.fixture
def contact(db: None) -> UnitContact:
    """A contact person with everything."""
    return UnitContact.objects.create(
        unit=make_unit("CAT12"), role="filler", name=NAME, phone=PHONE, email=EMAIL
    )


def test_the_columns_of_persons_are_encrypted() -> None:
    assert {field.context for _model, field in encrypted_columns()} == {
        "survey_user.email",
        "survey_user.phone",
        "survey_unitcontact.name",
        "survey_unitcontact.phone",
        "survey_unitcontact.email",
        "survey_sectioninvitation.name",
        "survey_sectioninvitation.email",
        "survey_submission.signatories",
        "survey_filing.signatories",
    }


def test_no_other_column_is_named_after_a_person() -> None:
    from django.apps import apps

    encrypted = {(model, field.name) for model, field in encrypted_columns()}
    plain = [
        f"{model._meta.label}.{field.name}"
        for app in ("survey", "estimation")
        for model in apps.get_app_config(app).get_models()
        for field in model._meta.local_concrete_fields
        if any(word in field.name for word in ("phone", "mail", "contact", "signator"))
        and isinstance(field, (models.TextField, models.CharField, models.JSONField))
        and (model, field.name) not in encrypted
    ]
    assert plain == []


@pytest.mark.parametrize(("column", "value"), [("name", NAME), ("phone", PHONE), ("email", EMAIL)])
def test_a_text_is_ciphertext_in_the_database(contact: UnitContact, column: str, value: str) -> None:
    text = stored("survey_unitcontact", column, contact.pk)
    assert encryption.is_encrypted(text) and value not in text
    assert getattr(UnitContact.objects.get(pk=contact.pk), column) == value
    assert UnitContact.objects.values_list(column, flat=True).get(pk=contact.pk) == value


def test_a_json_value_is_ciphertext_in_the_database(db: None) -> None:
    sheet = make_sheet(make_unit("CAT12"))
    signed = {"filler": NAME, "phone": PHONE}
    Submission.objects.filter(pk=sheet.pk).update(signatories=signed)
    text = stored("survey_submission", "signatories", sheet.pk)
    assert encryption.is_encrypted(json.loads(text)) and NAME not in text and PHONE not in text
    assert Submission.objects.get(pk=sheet.pk).signatories == signed
    Submission.objects.filter(pk=sheet.pk).update(signatories={})
    assert stored("survey_submission", "signatories", sheet.pk) == "{}"


def test_empty_values_stay_empty_and_can_be_found(db: None) -> None:
    user = make_user(Role.REVIEWER, email="")
    assert stored("survey_user", "email", user.pk) == ""
    assert User.objects.filter(pk=user.pk, email="").exists()
    assert not User.objects.filter(pk=user.pk).exclude(email="").exists()


@pytest.mark.parametrize(
    "condition",
    [
        {"email": EMAIL},
        {"email__iexact": EMAIL},
        {"email__contains": "wang"},
        {"phone__in": [PHONE]},
        {"phone__gt": "0"},
    ],
)
def test_a_search_that_can_find_nothing_is_an_error(condition: dict[str, Any]) -> None:
    with pytest.raises(FieldError, match="encrypted"):
        User.objects.filter(**condition).exists()


def test_values_are_validated_as_before(contact: UnitContact) -> None:
    contact.email = "no address"
    with pytest.raises(ValidationError):
        contact.full_clean()
    contact.email, contact.phone = EMAIL, "1" * 31
    with pytest.raises(ValidationError):
        contact.full_clean()


def test_a_value_copied_to_another_column_is_not_decrypted(contact: UnitContact) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE survey_unitcontact SET email = phone")
    with pytest.raises(encryption.EncryptionError):
        UnitContact.objects.get(pk=contact.pk)


def test_keys_are_rotated_by_command(contact: UnitContact, settings: Any) -> None:
    sheet = make_sheet(contact.unit)
    Submission.objects.filter(pk=sheet.pk).update(signatories={"filler": NAME})
    earlier = settings.FIELD_KEYS
    settings.FIELD_KEYS = f"2027:{encryption.new_key()},{earlier}"
    settings.FIELD_ALGORITHM = "SM4-GCM"
    call_command("rotate_field_keys", verbosity=0, stdout=_Nowhere())
    assert stored("survey_unitcontact", "phone", contact.pk).startswith("SM4-GCM:2027:")
    assert stored("survey_submission", "signatories", sheet.pk).startswith('"SM4-GCM:2027:')
    settings.FIELD_KEYS = settings.FIELD_KEYS.removesuffix(
        f",{earlier}"
    )  # the earlier key is no longer needed
    assert UnitContact.objects.get(pk=contact.pk).phone == PHONE
    assert Submission.objects.get(pk=sheet.pk).signatories == {"filler": NAME}


def test_a_rotation_without_the_earlier_key_changes_nothing(contact: UnitContact) -> None:
    before = stored("survey_unitcontact", "phone", contact.pk)
    with (
        override_settings(FIELD_KEYS=f"2027:{encryption.new_key()}"),
        pytest.raises(CommandError, match="no key"),
    ):
        call_command("rotate_field_keys", stdout=_Nowhere())
    assert stored("survey_unitcontact", "phone", contact.pk) == before


def test_second_factors_are_rotated_too(db: None, settings: Any) -> None:
    from allauth.mfa.models import Authenticator

    from survey.access.second_factor.services import CONTEXT

    user = make_user(Role.REVIEWER)
    secret = encryption.encrypt("JBSWY3DPEHPK3PXP", CONTEXT)
    row = Authenticator.objects.create(user=user, type="totp", data={"secret": secret})
    settings.FIELD_KEYS = f"2027:{encryption.new_key()},{settings.FIELD_KEYS}"
    call_command("rotate_field_keys", stdout=_Nowhere())
    row.refresh_from_db()
    assert ":2027:" in row.data["secret"]
    assert encryption.decrypt(row.data["secret"], CONTEXT) == "JBSWY3DPEHPK3PXP"


def test_rows_of_earlier_versions_are_encrypted_by_the_migration(contact: UnitContact) -> None:
    from importlib import import_module
    from types import SimpleNamespace

    migration = import_module("survey.migrations.0031_encrypted_columns")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE survey_unitcontact SET phone = %s, email = ''", [PHONE])
    sheet = make_sheet(contact.unit)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE survey_submission SET signatories = %s", [json.dumps({"filler": NAME})])
    editor = SimpleNamespace(connection=connection)
    migration.encrypt(None, editor)
    migration.encrypt(None, editor)  # interrupted and begun again
    assert UnitContact.objects.get(pk=contact.pk).phone == PHONE
    assert Submission.objects.get(pk=sheet.pk).signatories == {"filler": NAME}
    assert PHONE not in stored("survey_unitcontact", "phone", contact.pk)
    migration.decrypt(None, editor)
    assert stored("survey_unitcontact", "phone", contact.pk) == PHONE
    assert json.loads(stored("survey_submission", "signatories", sheet.pk)) == {"filler": NAME}


def test_ledgers_name_guests_by_their_invitation(db: None) -> None:
    from survey.submissions.models import SubmissionEvent

    sheet = make_sheet(make_unit("CAT12"))
    by = make_user(Role.RESPONDENT, unit=sheet.unit)
    invitation = SectionInvitation.objects.create(
        submission=sheet,
        name=NAME,
        email=EMAIL,
        sections=["P"],
        invited_by=by,
        expires_at=sheet.updated_at,
        secret_hash="x",
    )
    event = SubmissionEvent(submission=sheet, channel="guest", reason=f"#{invitation.pk}")
    assert event.guest == NAME
    assert SubmissionEvent(submission=sheet, channel="page", reason=f"#{invitation.pk}").guest == ""
    assert SubmissionEvent(submission=sheet, channel="guest", reason="王芳 <old>").guest == ""


class _Nowhere:
    def write(self, text: str) -> None:
        """Drop the output."""
