"""E-mails of jobs. Each is sent at least once, and every copy of it has the same Message-ID.

The server may have accepted a mail whose worker is killed before its job is done; the job is then tried again and
the mail is sent again. Which of the two happened cannot be known here, so the mail is always sent
again: the ``Message-ID`` is made from the job, not from the attempt, and a receiver that drops mails which it has
already (most mail servers do) shows one. A second request is another job and another mail.
"""

from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMessage

from survey.jobs.models import Job


def message_of(job: Job, subject: str, text: str, address: str) -> EmailMessage:
    """The e-mail of a job, not yet sent. A job sends one mail."""
    return EmailMessage(
        subject, text, settings.DEFAULT_FROM_EMAIL, [address], headers={"Message-ID": message_id(job)}
    )


def message_id(job: Job) -> str:
    """The same for every attempt at a job. The time of the request distinguishes jobs of different databases."""
    moment = int(job.requested_at.timestamp() * 1_000_000)
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return f"<job-{job.pk}.{moment}@{domain}>"
