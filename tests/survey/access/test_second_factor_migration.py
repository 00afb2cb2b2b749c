"""Second factors that were set up with django-otp before the change to django-allauth."""

import time
from importlib import import_module
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import reverse

from survey.access.second_factor.services import fingerprints
from tests.factories import World, make_user

KEY = "3132333435363738393031323334353637383930"  # of RFC 4226, in the form that django-otp stored
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
PASSWORD = "Rehearsal-2026-ok"
# The columns of these tables that are read.
TABLES = """
    CREATE TABLE otp_totp_totpdevice (id serial, user_id bigint, key varchar(80), confirmed boolean);
    CREATE TABLE otp_static_staticdevice (id serial, user_id bigint, confirmed boolean);
    CREATE TABLE otp_static_statictoken (id serial, device_id int, token varchar(16));
"""
migration: Any = import_module("survey.migrations.0029_second_factors_of_django_otp")


@pytest.fixture
def taken_over(world: World, settings: Any) -> Any:
    settings.SECOND_FACTOR_REQUIRED = True
    user = make_user("reviewer", username="staff-one", password=PASSWORD)
    other = make_user("designer")
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        cursor.execute(
            "INSERT INTO otp_totp_totpdevice (user_id, key, confirmed) VALUES (%s, %s, true), (%s, %s, false)",
            [user.pk, KEY, other.pk, KEY],
        )
        cursor.execute(
            "INSERT INTO otp_static_staticdevice (user_id, confirmed) VALUES (%s, true)", [user.pk]
        )
        for code in ("abcde-fgh23", "mnpqr-stu45"):
            cursor.execute(
                "INSERT INTO otp_static_statictoken (device_id, token) VALUES (1, %s)",
                [fingerprints(user.pk, code)[0]],
            )
    with connection.schema_editor() as editor:
        migration.take_over(apps, editor)
        migration.take_over(apps, editor)
    return user


def challenge(code: str) -> int:
    client = Client()
    client.post(reverse("sign_in"), {"username": "staff-one", "password": PASSWORD})
    return client.post(reverse("second_factor"), {"code": code}).status_code


def test_the_authenticator_works_on(taken_over: Any) -> None:
    assert challenge(format_hotp_value(hotp_value(SECRET, int(time.time()) // 30))) == 302
    kept = Authenticator.objects.filter(type="totp")
    assert [authenticator.user_id for authenticator in kept] == [taken_over.pk]
    assert SECRET not in str(kept[0].data) and KEY not in str(kept[0].data)


def test_the_recovery_codes_work_on_once(taken_over: Any) -> None:
    assert [challenge(code) for code in ("ABCDE FGH23", "abcde-fgh23", "mnpqr-stu45")] == [302, 422, 302]
    codes = Authenticator.objects.get(type="recovery_codes").data["migrated_codes"]
    assert codes == []


def test_a_new_database_has_nothing_to_take_over(world: World) -> None:
    with connection.schema_editor() as editor:
        migration.take_over(apps, editor)
    assert not Authenticator.objects.exists()
