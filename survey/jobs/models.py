"""Background jobs, from the request to the end."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from survey import clock
from survey.records import SentenceField


class Job(models.Model):
    """A background job. The row is a transactional outbox: a message to the broker only has its primary key."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Finished")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")
        EXPIRED = "expired", _("Expired")

    kind = models.CharField(max_length=40)
    key = models.CharField(
        max_length=120, blank=True
    )  # at most one open job per kind and key; blank: no limit
    arguments = models.JSONField(default=dict)  # deleted when the job ends, later if it fails
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    stage = models.CharField(max_length=20, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    token = models.CharField(max_length=32, blank=True)  # of the attempt that may write; new for each attempt
    heartbeat_at = models.DateTimeField(null=True)  # last heartbeat
    leased_until = models.DateTimeField(null=True)
    cancel_requested = models.BooleanField(default=False)
    available_at = models.DateTimeField(default=clock.present)
    not_after = models.DateTimeField(null=True)  # the job is not started after this time
    sent_at = models.DateTimeField(null=True)  # last message to the broker
    queue = models.CharField(max_length=60, blank=True)  # blank: the default queue
    requested_by = models.BigIntegerField(null=True)  # a user; null: the system
    requested_at = models.DateTimeField(default=clock.present)
    # Of the request that asked for it.
    request_id = models.CharField(max_length=36, blank=True, db_default="")
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    error = SentenceField()  # why it ended without a result
    file = models.CharField(max_length=80, blank=True)  # name among the files of jobs (survey.files)
    expires_at = models.DateTimeField(null=True)  # of the file

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_open_job",
                fields=["kind", "key"],
                condition=Q(state__in=["waiting", "running"]) & ~Q(key=""),
            ),
            models.CheckConstraint(
                name="running_job_has_a_lease",
                condition=~Q(state="running") | (Q(leased_until__isnull=False) & ~Q(token="")),
            ),
            models.CheckConstraint(name="failed_job_says_why", condition=~Q(state="failed") | ~Q(error={})),
        ]
        indexes = [
            models.Index(
                fields=["state", "available_at"],
                name="job_open",
                condition=Q(state__in=["waiting", "running"]),
            ),
            models.Index(fields=["kind", "key"], name="job_kind_key"),
        ]

    @property
    def percent(self) -> int:
        """Progress in percent; 100 only when the job is done."""
        if self.state == self.State.DONE:
            return 100
        return min(99, self.done * 100 // self.total) if self.total else 0

    @property
    def is_open(self) -> bool:
        """True while the job waits or runs."""
        return self.state in {self.State.WAITING, self.State.RUNNING}

    def log_ids(self) -> dict[str, Any]:
        """What log lines of the work name; jobs that it asks for keep the id of the request, too."""
        ids: dict[str, Any] = {"job_id": self.pk, "job_kind": self.kind}
        return {**ids, "request_id": self.request_id} if self.request_id else ids
