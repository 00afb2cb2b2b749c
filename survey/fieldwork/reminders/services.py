"""Reminders. Recipients are decided when a batch is requested, and again when each reminder is sent.

A respondent who has filed meanwhile must not get a reminder, so the second decision is made for each sheet under
its row lock. Every decision is recorded.
"""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone, translation
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from survey import audit, clock
from survey.access.models import User
from survey.access.roles import Permission, Role
from survey.access.scope import may
from survey.collection.models import CollectionRound, Disposition
from survey.exceptions import PolicyDenied
from survey.fieldwork.models import Reminder, ReminderBatch, SiteNotice
from survey.fieldwork.reminders.messages import HINT, NOT_FILED, RETURNED
from survey.jobs.mail.services import message_of
from survey.jobs.models import Job
from survey.jobs.services import Work, enqueue
from survey.sentences import Sentence
from survey.submissions.lifecycle.states import EDITABLE, State
from survey.submissions.models import Submission
from survey.submissions.selectors import deadline

Group, Outcome = ReminderBatch.Group, Reminder.Outcome
MAX_DELAY = timedelta(days=1)  # later a reminder is not sent
DAYS_BEFORE_DEADLINE = {Group.DUE_7: 7, Group.DUE_3: 3, Group.DUE_1: 1}
STATES = {
    Group.NOT_STARTED: State.NOT_STARTED,
    Group.IN_PROGRESS: State.IN_PROGRESS,
    Group.RETURNED: State.RETURNED,
}


def group_of(rows: "QuerySet[Submission]", group: str) -> "QuerySet[Submission]":
    """The sheets that belong to a group now: eligible, not filed, in its state or due in its number of days."""
    rows = rows.filter(assignment__disposition=Disposition.ELIGIBLE, round__state=CollectionRound.State.OPEN)
    if group in STATES:
        return rows.filter(state=STATES[Group(group)])
    day = timezone.localdate() + timedelta(days=DAYS_BEFORE_DEADLINE[Group(group)])
    due = rows.filter(state__in=EDITABLE).annotate(
        due=Coalesce("assignment__extended_until", "round__due_at")
    )
    start = timezone.make_aware(datetime.combine(day, time.min))
    window = (start, start + timedelta(days=1))
    returned = Q(state=State.RETURNED, return_due_at__isnull=False)
    return due.filter(
        (returned & Q(return_due_at__gte=window[0], return_due_at__lt=window[1]))
        | (~returned & Q(due__gte=window[0], due__lt=window[1]))
    )


def candidates(user: User, round_: CollectionRound, group: str, category: str = "") -> "QuerySet[Submission]":
    """The sheets to which a request of this user would send reminders."""
    rows = Submission.objects.visible_to(user, Permission.MANAGE_UNITS).filter(round=round_)
    if category:
        rows = rows.filter(unit__category=category)
    return group_of(rows, group)


@transaction.atomic
def request_reminders(*, by: User, round_: CollectionRound, group: str, category: str = "") -> ReminderBatch:
    """Create a batch of reminders, which a worker sends. Raises PermissionDenied, PolicyDenied."""
    if not may(by, Permission.MANAGE_UNITS):
        raise PermissionDenied
    if group not in Group.values:
        raise PolicyDenied(_("Choose a group from the list."))
    ids = list(candidates(by, round_, group, category).order_by("pk").values_list("pk", flat=True))
    if not ids:
        raise PolicyDenied(_("There is nobody to remind in this group."))
    batch = ReminderBatch.objects.create(round=round_, group=group, category=category, by=by)
    Reminder.objects.bulk_create((Reminder(batch=batch, submission_id=pk) for pk in ids), batch_size=1000)
    enqueue("reminders", batch.pk, by=by)
    audit.record(
        by=by,
        action="reminders_requested",
        subject=batch,
        year=round_.year,
        group=group,
        category=category,
        sheets=len(ids),
    )
    return batch


@transaction.atomic
def calendar_batches() -> list[int]:
    """Create the batches of today's calendar, once each: 7, 3 and 1 days before the deadline. Returns their keys."""
    batch_ids = []
    for round_ in CollectionRound.objects.filter(state=CollectionRound.State.OPEN):
        for group in DAYS_BEFORE_DEADLINE:
            batch, is_new = ReminderBatch.objects.get_or_create(
                round=round_, group=group, by=None, day=timezone.localdate()
            )
            if not is_new:
                continue
            ids = group_of(Submission.objects.filter(round=round_), group).values_list("pk", flat=True)
            Reminder.objects.bulk_create(Reminder(batch=batch, submission_id=pk) for pk in ids.order_by("pk"))
            enqueue("reminders", batch.pk)
            batch_ids.append(batch.pk)
    return batch_ids


def send_batch(work: Work) -> None:
    """Decide the waiting reminders of the batch that is the key of the job; each message is a separate job."""
    batch = ReminderBatch.objects.select_related("round").get(pk=int(work.job.key))
    waiting = list(
        batch.reminders.filter(outcome=Outcome.WAITING).order_by("pk").values_list("pk", flat=True)
    )
    for number, pk in enumerate(waiting):
        work.progress(number, len(waiting))
        _decide(pk, batch)
    with work.store():
        ReminderBatch.objects.filter(pk=batch.pk, finished_at=None).update(finished_at=clock.present())


@transaction.atomic
def _decide(pk: int, batch: ReminderBatch) -> None:
    row = (
        Reminder.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(pk=pk, outcome=Outcome.WAITING)
        .first()
    )
    if row is None:
        return
    sheet = (
        Submission.objects.select_for_update(of=("self",))
        .select_related("unit", "round", "assignment")
        .get(pk=row.submission_id)
    )
    row.decided_at = clock.present()
    if not group_of(Submission.objects.filter(pk=sheet.pk), batch.group).exists():
        row.outcome = Outcome.NOT_OWED
    else:
        _notify(row, sheet)
    row.save()


def _respondents(sheet: Submission) -> "QuerySet[User]":
    return User.objects.filter(
        assignments__unit_id=sheet.unit_id,
        assignments__role=Role.RESPONDENT,
        assignments__ended_at=None,
        is_active=True,
    ).distinct()


def _notify(row: Reminder, sheet: Submission) -> None:
    sentence = sentence_of(sheet)
    until = clock.present() + MAX_DELAY
    for person in _respondents(sheet):
        SiteNotice.objects.create(user=person, submission=sheet, message=sentence)
        row.notices += 1
        channels = [("emails", person.email), ("texts", person.phone if settings.SMS_GATEWAY else "")]
        for channel, address in channels:
            if address:
                arguments = {"reminder": row.pk, "user": person.pk, "way": channel}
                enqueue(
                    "reminder_message",
                    f"{row.pk}:{person.pk}:{channel}",
                    arguments=arguments,
                    not_after=until,
                )
    row.outcome = Outcome.SENT if row.notices else Outcome.NOBODY


def send_message(work: Work) -> None:
    """Send an e-mail or text message of a reminder, unless the sheet is filed or the user is no longer a respondent."""
    arguments = work.job.arguments
    row = Reminder.objects.select_related("batch").get(pk=arguments["reminder"])
    sheet = Submission.objects.select_related("unit", "round", "assignment").get(pk=row.submission_id)
    person = _respondents(sheet).filter(pk=arguments["user"]).first()
    if person is None or not group_of(Submission.objects.filter(pk=sheet.pk), row.batch.group).exists():
        return
    text = message(sheet)
    if arguments["way"] == "emails":
        message_of(work.job, text.splitlines()[0], text, person.email).send()
    elif (gateway := sms_gateway()) is not None:
        gateway(person.phone, text.splitlines()[0])
    with work.store():
        Reminder.objects.filter(pk=row.pk).update(**{arguments["way"]: F(arguments["way"]) + 1})


def note_undelivered(job: Job) -> None:
    """Record why a message was not delivered."""
    why = job.error.params.get("error") or job.error or job.state
    Reminder.objects.filter(pk=job.arguments["reminder"]).update(detail=str(why)[:300])


def sms_gateway() -> Callable[[str, str], Any] | None:
    """The callable of SMS_GATEWAY, called with number and text; None without a gateway."""
    return import_string(settings.SMS_GATEWAY) if settings.SMS_GATEWAY else None


def sentence_of(sheet: Submission) -> Sentence:
    """What a reminder of a sheet says."""
    due = timezone.localtime(deadline(sheet)).strftime("%Y-%m-%d %H:%M")
    message = RETURNED if sheet.state == State.RETURNED else NOT_FILED
    return message(unit=sheet.unit.name, year=sheet.round.year, due=due)


def message(sheet: Submission) -> str:
    """The text of a reminder that leaves the site, Chinese first: nobody knows the language of its reader."""
    sentence, parts = sentence_of(sheet), []
    for language in ("zh-hans", "en"):
        with translation.override(language):
            parts += [str(sentence), str(HINT)]
    return "\n".join(parts)


def batches_of(user: User) -> "QuerySet[ReminderBatch]":
    """Batches with a sheet in the user's scope, newest first."""
    seen = Reminder.objects.visible_to(user, Permission.MANAGE_UNITS).values("batch")
    return ReminderBatch.objects.filter(pk__in=seen).select_related("round", "by").order_by("-pk")


def log_of(batch: ReminderBatch, user: User) -> "QuerySet[Reminder]":
    """Decisions of a batch about units in the user's scope."""
    return (
        Reminder.objects.visible_to(user, Permission.MANAGE_UNITS)
        .filter(batch=batch)
        .select_related("submission__unit", "submission__assignment")
        .defer("submission__answers", "submission__item_revisions")
        .order_by("pk")
    )


def notices_of(user: User) -> "QuerySet[SiteNotice]":
    """Notices to a user, newest first."""
    return SiteNotice.objects.filter(user=user).select_related("submission__unit").order_by(F("pk").desc())
