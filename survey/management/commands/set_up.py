"""Prepare a new installation: the first administrators, and a list of what is missing before a round can open."""

import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser

from survey.access.first_administrators import services
from survey.access.first_administrators.selectors import ROLES, holders
from survey.access.first_administrators.services import Person
from survey.access.roles import Role
from survey.management.base import SurveyCommand
from survey.operations.checklist.selectors import checklist


class Command(SurveyCommand):
    """``set_up --system-account wang --security-account li --audit-account zhao``; without them it asks."""

    help = (
        "Creates the first administrators and says what is missing before a round can open. Safe to repeat."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Account, name and e-mail of the three persons."""
        for role in ROLES:
            prefix = _prefix(role)
            parser.add_argument(
                f"--{prefix}-account", default="", help=f"account of the {prefix} administrator"
            )
            parser.add_argument(f"--{prefix}-name", default="", help="name of the person")
            parser.add_argument(f"--{prefix}-email", default="", help="e-mail of the person")
        parser.add_argument("--no-input", action="store_true", help="never ask")
        parser.add_argument("--check", action="store_true", help="exit code 1 while something is missing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create what is missing, print one-time passwords once, then the list."""
        people = {
            role: person
            for role, user in holders().items()
            if user is None and (person := self._person(role, options)) is not None
        }
        names = [person.username.casefold() for person in people.values()]
        if len(set(names)) < len(names):
            raise CommandError("Three different persons hold the three roles: the accounts must differ.")
        for role, password in services.create(people).items():
            self.stdout.write(
                f"{role.value}: account {people[role].username}, one-time password {password} "
                "(shown only now; it is changed at the first sign-in)"
            )
        missing = 0
        for item in checklist():
            missing += bool(item.missing)
            self.stdout.write(
                f"{'missing' if item.missing else 'done':8} {item.name}{item.missing and ': '}{item.missing}"
            )
        if missing and options["check"]:
            raise CommandError(f"{missing} items are missing.")

    def _person(self, role: Role, options: dict[str, Any]) -> Person | None:
        """The person of the options, else the one that is typed; None when nobody is named."""
        prefix = _prefix(role)
        fields = {field: options[f"{prefix}_{field}"].strip() for field in ("account", "name", "email")}
        if not fields["account"] and sys.stdin.isatty() and not options["no_input"]:
            self.stdout.write(f"{prefix} administrator (empty account: later)")
            for field in fields:
                fields[field] = input(f"  {field}: ").strip()
                if not fields["account"]:
                    break
        if not fields["account"]:
            return None
        return Person(fields["account"], fields["name"], fields["email"])


def _prefix(role: Role) -> str:
    return role.value.removesuffix("_administrator")
