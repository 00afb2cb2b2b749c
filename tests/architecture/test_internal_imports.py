"""What packages call internal is imported only where they offer nothing else, each place with its reason."""

from tests.architecture.source import Source

ALLOWED = {
    "survey.access.second_factor.services imports allauth.account.internal.flows.login.record_authentication": (
        "a factor that was set up in this session counts as verified; the public module only reads the records"
    ),
    "survey.access.second_factor.services imports allauth.mfa.recovery_codes.internal.auth.RecoveryCodes": (
        "makes the codes of an account in the package's own format; its public forms make them only from its pages"
    ),
    "survey.access.second_factor.services imports allauth.mfa.totp.internal.auth.TOTP": (
        "stores the key in the package's own format; its public form keeps the key unencrypted in the session"
    ),
    "survey.access.second_factor.services imports allauth.mfa.totp.internal.auth.generate_totp_secret": "as TOTP",
    "survey.access.second_factor.services imports allauth.mfa.totp.internal.auth.validate_totp_code": "as TOTP",
}


def internal_imports(source: Source) -> set[str]:
    """Imports whose path has a part named ``internal`` or ``_internal``, outside the program's own modules."""
    own = ("config.", "survey.", "estimation.")
    return {
        f"{name} imports {target}"
        for name, targets in source.imports().items()
        for target in targets
        if not target.startswith(own) and {"internal", "_internal"} & {*target.split(".")}
    }


def test_internal_modules_of_packages_are_imported_only_with_a_reason() -> None:
    assert internal_imports(Source.read()) == ALLOWED.keys()


def test_a_planted_import_is_found() -> None:
    planted = Source.read().planted(
        "survey/access/views.py", "def late():\n    from allauth.account.internal import stagekit"
    )
    assert internal_imports(planted) - ALLOWED.keys() == {
        "survey.access.views imports allauth.account.internal.stagekit"
    }
