"""The whole site for the drill of kills: supervisor, proxy, web, worker, beat, PostgreSQL and Valkey.

``python -m tests.drills.site PORT`` runs until it is stopped or killed; started again it goes on with its database.
With ``--build`` it makes a new database first, and writes what the drill needs to know to ``data.json``.
"""

import json
import os
import sys
from typing import Any

from config.local import embedded
from config.local.processes import Supervisor, take_over

WRITERS, DECISIONS, SHARES = 6, 150, 3


def build() -> dict[str, Any]:
    """Test data: sheets to fill, to decide and to share, and sessions of their users."""
    from django.conf import settings
    from django.core.management import call_command
    from django.test import Client

    from survey.access.models import User
    from survey.access.roles import Role
    from survey.submissions.lifecycle.states import State
    from tests.estimation.runs.country import Country
    from tests.factories import make_sheet, make_unit, make_user, prepare_base

    def session(user: User) -> str:
        client = Client()
        client.force_login(user)
        return client.cookies[settings.SESSION_COOKIE_NAME].value

    prepare_base()
    Country()
    writers = []
    for _number in range(WRITERS):
        unit = make_unit("CAT12")
        sheet = make_sheet(unit, State.IN_PROGRESS)
        writers.append(
            {
                "session": session(make_user(Role.RESPONDENT, unit=unit)),
                "sheet": sheet.pk,
                "revision": sheet.revision,
            }
        )
    province = make_user(Role.PROVINCIAL_ADMINISTRATOR, "320000")
    filed = [make_sheet(make_unit("CAT12", "320000"), State.SUBMITTED) for _number in range(DECISIONS)]
    call_command("collectstatic", verbosity=0, interactive=False)
    return {
        "writers": writers,
        "shares": writers[:SHARES],
        "province": session(province),
        "decisions": [[sheet.pk, sheet.assignment_id] for sheet in filed],
        "methodologist": session(make_user(Role.METHODOLOGIST)),
        "reviewers": [
            [session(user), user.pk] for user in (make_user(Role.REVIEWER), make_user(Role.REVIEWER))
        ],
    }


def main() -> None:
    """Run the site."""
    embedded.prepare_environment()
    take_over()
    port = int(sys.argv[1])
    supervisor = Supervisor("127.0.0.1", port, lambda text: print(text, flush=True))
    supervisor.guard()
    embedded.start()
    if "--build" in sys.argv:
        embedded.drop_database()
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections

    if "--build" in sys.argv:
        call_command("migrate", verbosity=0)
        (embedded.home() / "data.json").write_text(json.dumps(build()))
    connections.close_all()
    try:
        supervisor.run(lambda: print("ready", flush=True))
    finally:
        embedded.stop()
        supervisor.release()


if __name__ == "__main__":
    main()
