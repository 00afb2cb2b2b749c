"""Runs in the environment of the old release: servers, its tables, and people with sheets to file.

Reads nothing of the new release. Writes ``data.json`` into LOCAL_DIR when everything is there and keeps the servers
until its input ends.
"""

import json
import os
import sys
from pathlib import Path

from config.local import embedded

PASSWORD = "Jade-Harbour-2031"
SCENARIOS = 6
INHERITED = ("LOCAL_MODE", "LOCAL_DIR", "SECRET_KEY", "FIELD_KEYS", "AUDIT_KEYS", "REDIS_URL", "DATABASE_URL")


def build() -> dict[str, object]:
    """Respondents with complete sheets, a province, a published release."""
    from django.core.management import call_command

    from estimation.runs.compute.spec import RunSpec
    from estimation.runs.services import request_run
    from survey.access.roles import Role
    from survey.collection.models import CollectionRound
    from survey.submissions.lifecycle.states import State
    from tests.estimation.public.small import put_out
    from tests.estimation.runs.country import Country
    from tests.factories import SIGNATORIES, make_sheet, make_unit, make_user, prepare_base

    call_command("migrate", verbosity=0)
    prepare_base()
    Country()  # its design gives the run that is published its weights
    run, _waits = request_run(round=CollectionRound.objects.get(year=2025), by=None, spec=RunSpec())
    put_out(run)
    scenarios = []
    for number in range(SCENARIOS):
        unit = make_unit("CAT12", "320000")
        sheet = make_sheet(unit, State.IN_PROGRESS)
        make_user(Role.RESPONDENT, unit=unit, username=f"scenario{number}", password=PASSWORD)
        scenarios.append(
            {
                "account": f"scenario{number}",
                "sheet": sheet.pk,
                "revision": sheet.revision,
                "P06": sheet.answers["P06"],
            }
        )
    make_user(Role.PROVINCIAL_ADMINISTRATOR, "320000", username="province", password=PASSWORD)
    call_command("collectstatic", verbosity=0, interactive=False)
    return {"scenarios": scenarios, "signatories": SIGNATORIES, "password": PASSWORD}


def main() -> None:
    """Build, say so, wait."""
    embedded.prepare_environment()
    embedded.start()
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django

    django.setup()
    from django.db import connections

    data = build()
    connections.close_all()
    data["environment"] = {name: os.environ[name] for name in INHERITED}
    Path(os.environ["LOCAL_DIR"], "data.json").write_text(json.dumps(data))
    print("ready", flush=True)
    sys.stdin.read()
    embedded.stop()


if __name__ == "__main__":
    main()
