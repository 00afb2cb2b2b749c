"""What production needs to be clean before it starts: deployment checks, the API document, named variables."""

import io
import os
import subprocess
import sys

import pytest
from django.contrib.auth.hashers import check_password, make_password
from django.core.management import call_command
from django.test import override_settings

from config import settings as production
from tests.architecture.test_layout import ROOT

PRODUCTION = {
    "SECRET_KEY": "k3yK3Y-" + "abcdefghijklmnopqrstuvwxyz0123456789" * 2,
    "FIELD_KEYS": "2026:" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoyMzQ1Njc=",
    "DATABASE_URL": "postgresql://survey@db.example.org/survey?sslmode=verify-full",
    "AUDIT_KEYS": "2026:" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoyMzQ1Njc=",
    "REDIS_URL": "rediss://:a-password@cache.example.org:6379/0",
    "ALLOWED_HOSTS": "survey.example.org",
    "AUDIT_FOLDER": str(ROOT / ".local" / "test" / "audit"),
}


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A management command with exactly these variables, as on a server: nothing of the rehearsal is set."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env={**kept, **environment}, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("missing", ["SECRET_KEY", "FIELD_KEYS", "AUDIT_KEYS", "DATABASE_URL", "REDIS_URL"])
def test_a_missing_variable_is_an_error_with_its_name(missing: str) -> None:
    done = manage("check", **{name: value for name, value in PRODUCTION.items() if name != missing})
    assert done.returncode != 0
    assert missing in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FIELD_KEYS", "2026:c2hvcnQ="),
        ("FIELD_ALGORITHM", "ROT13"),
        ("AUDIT_KEYS", "2026:c2hvcnQ="),
        ("AUDIT_ALGORITHM", "ROT13"),
    ],
)
def test_unusable_keys_of_columns_are_an_error(name: str, value: str) -> None:
    done = manage("check", **{**PRODUCTION, name: value})
    assert done.returncode != 0 and name in done.stderr


def test_api_document_is_valid_and_without_warnings() -> None:
    document = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=document)
    assert "/api/v1/sheets/{id}/answers/" in document.getvalue()


def test_passwords_are_stored_with_argon2() -> None:
    # The tests' own settings have a quicker hasher; the module has what production uses.
    with override_settings(PASSWORD_HASHERS=production.PASSWORD_HASHERS):
        stored = make_password("Jade-Harbour-2031")
        assert stored.startswith("argon2$argon2id$")
        assert check_password("Jade-Harbour-2031", stored) and not check_password("Jade-Harbour-2032", stored)
