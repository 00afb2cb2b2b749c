"""The items of the checklist. Upper packages register theirs; nothing here changes anything."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.conf import settings
from django.core import checks

from survey.access.first_administrators.selectors import holders
from survey.access.models import Region
from survey.audit import AuditEvent
from survey.backups import selectors as backups
from survey.classification import entries
from survey.collection.models import CollectionRound
from survey.frame.models import ReportingUnit
from survey.questionnaires.models import QuestionnaireVersion

# Settings without which pages and forms would be incomplete, and what they say.
SETTINGS = {
    "SURVEY_AUTHORITY": "name of the authority, printed on forms and reports",
    "SURVEY_AUTHORITY_EN": "its English name",
    "SURVEY_CONTACT": "telephone and e-mail of the survey office",
    "SITE_ADDRESS": "address of the site, printed on letters and in mails",
}
SENDER_OF_THE_PROGRAM = "survey@localhost"


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the checklist. ``missing`` says what is to be done; empty: it is done."""

    name: str
    missing: str = ""


type Check = Callable[[CollectionRound | None], Item]
_REGISTERED: list[Check] = []


def register(*items: Check) -> None:
    """Add items of an upper package."""
    _REGISTERED.extend(item for item in items if item not in _REGISTERED)


def next_round() -> CollectionRound | None:
    """The round to be opened next: the newest one that is not closed."""
    return CollectionRound.objects.exclude(state=CollectionRound.State.CLOSED).order_by("-year").first()


def checklist() -> Iterator[Item]:
    """All items, in the order in which they are usually done."""
    round_ = next_round()
    yield from (item(round_) for item in (*ITEMS, *_REGISTERED, *LAST))


def _administrators(round_: CollectionRound | None) -> Item:
    roles = ", ".join(role.value for role, user in holders().items() if user is None)
    return Item("administrators", roles and f"nobody is {roles}: set_up creates the accounts")


def _settings(round_: CollectionRound | None) -> Item:
    missing = [f"{name} ({what})" for name, what in SETTINGS.items() if not getattr(settings, name)]
    if settings.DEFAULT_FROM_EMAIL == SENDER_OF_THE_PROGRAM:
        missing.append("DEFAULT_FROM_EMAIL (sender of mails)")
    return Item("settings", "set " + ", ".join(missing) if missing else "")


def _regions(round_: CollectionRound | None) -> Item:
    return Item("regions", "" if Region.objects.exists() else "set_up loads them")


def _round(round_: CollectionRound | None) -> Item:
    return Item("round", "" if round_ else "the designer plans one on the page of rounds")


def _frame(round_: CollectionRound | None) -> Item:
    imported = ReportingUnit.objects.exists()
    return Item(
        "frame", "" if imported else "import the reporting units (import_frame, or the page of the frame)"
    )


def _forms(round_: CollectionRound | None) -> Item:
    if round_ is None:
        return Item("forms", "plan a round first")
    published = QuestionnaireVersion.objects.filter(year=round_.year).values_list("category", flat=True)
    missing = sorted({entry.code for entry in entries("categories")} - set(published))
    return Item(
        "forms",
        f"publish {', '.join(missing)} (publish_questionnaire --year {round_.year})" if missing else "",
    )


def _mail(round_: CollectionRound | None) -> Item:
    sent = AuditEvent.objects.filter(action="test_mail_sent", succeeded=True).exists()
    return Item("mail", "" if sent else "send one with send_test_mail")


def _backup(round_: CollectionRound | None) -> Item:
    if backups.last(backups.MADE) is None:
        return Item("backup", "none has been made: backup --to DIR")
    verified = backups.last(backups.VERIFIED) is not None
    return Item("backup", "" if verified else "none has been restored on trial: verify_backup --from DIR")


def _deployment(round_: CollectionRound | None) -> Item:
    messages = checks.run_checks(include_deployment_checks=True)
    names = sorted({str(message.id) for message in messages if message.level >= checks.WARNING})
    return Item("check --deploy", f"reports {', '.join(names)}" if names else "")


ITEMS: tuple[Check, ...] = (_administrators, _settings, _regions, _round, _frame, _forms)
LAST: tuple[Check, ...] = (_mail, _backup, _deployment)
