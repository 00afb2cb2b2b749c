"""Sentences for jobs that ended without a result."""

from django.utils.translation import gettext_lazy as _

from survey.sentences import define

LOST = define(
    "job_lost", _("The worker stopped %(count)s times while it did this work. Look at its memory and log.")
)
LATE = define("job_late", _("No worker came to it in time."))
MEMORY = define("job_out_of_memory", _("The computation ran out of memory."))
STOPPED = define("job_stopped", _("The computation stopped: %(error)s"))
