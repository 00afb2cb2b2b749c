"""Run on a web host before the site opens (``python -m tests.hosts.data``): a tiny country and the accounts of people.

Prints as JSON what the people need to know.
"""

import json
from typing import Any

import django

PASSWORD = "Jade-Harbour-2031"
FILERS, WRITERS = 3, 2


def main() -> None:
    """Write the data and print what people know."""
    django.setup()
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    from survey.access.roles import Role
    from survey.submissions.lifecycle.states import State
    from tests.estimation.releases.stage import add_external
    from tests.estimation.runs.country import Country
    from tests.factories import SIGNATORIES, complete_answers, make_sheet, make_unit, make_user, prepare_base

    prepare_base()
    Country()
    for year, value in ((2024, "140828"), (2025, "140489")):
        add_external("EXT-POP", year, value, "万人")
        add_external("EXT-P01-OUTSIDE", year, "0", "TB")
        add_external("EXT-P02-OUTSIDE", year, "0", "TB")

    def respondent(name: str, *, leave: bool) -> dict[str, Any]:
        """An account with a sheet in progress; with ``leave`` the quantities of section P are left to fill."""
        unit = make_unit("CAT12", "320000")
        answers = complete_answers(unit)
        cells = {key: cell for key, cell in answers.items() if key.startswith("P") and "unit" in cell}
        kept = {key: cell for key, cell in answers.items() if not (leave and key in cells)}
        sheet = make_sheet(unit, State.IN_PROGRESS, answers=kept)
        make_user(Role.RESPONDENT, unit=unit, username=name, password=PASSWORD)
        return {
            "username": name,
            "sheet": sheet.pk,
            "revision": sheet.revision,
            "cells": cells if leave else {},
        }

    def staff(name: str, role: str, region: str = "000000") -> dict[str, str]:
        """An account with an authenticator."""
        user = make_user(role, region, username=name, password=PASSWORD)
        secret = generate_totp_secret()
        TOTP.activate(user, secret)
        return {"username": name, "secret": secret}

    known = {
        "signatories": SIGNATORIES,
        "filers": [respondent(f"filer-{number}", leave=True) for number in range(FILERS)],
        "writers": [respondent(f"writer-{number}", leave=False) for number in range(WRITERS)],
        "province": staff("province", Role.PROVINCIAL_ADMINISTRATOR, "320000"),
        "centre": staff("centre", Role.REVIEWER),
        "methodologist": staff("methodologist", Role.METHODOLOGIST),
        "preparer": staff("preparer", Role.PUBLISHER),
        "publisher": staff("publisher", Role.PUBLISHER),
    }
    print(json.dumps(known))


if __name__ == "__main__":
    main()
