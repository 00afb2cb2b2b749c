"""Background work of the fieldwork: files for the desks, reminders and their messages."""

from celery import shared_task
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from survey.fieldwork.exports import services as exports
from survey.fieldwork.reminders import services as reminders
from survey.jobs.kinds import MESSAGE, register

register(
    exports.JOB_KIND,
    exports.make_file,
    label=_("Exports and letters"),
    lease=900,  # typesetting thousands of letters sends no heartbeat
    time_limit=3600,
)
register("reminders", reminders.send_batch, label=_("Reminders of a round"), time_limit=3600)
register(
    "reminder_message",
    reminders.send_message,
    label=_("One reminder by e-mail or text message"),
    ended=reminders.note_undelivered,
    retry_on=(Exception,),  # a gateway may raise any exception
    **MESSAGE,
)


@shared_task(name="survey.fieldwork.tasks.remind_by_calendar", expires=3600, ignore_result=True)
def remind_by_calendar() -> None:
    """Create the calendar's batches of reminders if REMINDERS_AUTOMATIC is set."""
    if settings.REMINDERS_AUTOMATIC:
        reminders.calendar_batches()
