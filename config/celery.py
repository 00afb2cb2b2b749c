"""The Celery app, its queues and the only list of periodic work."""

import os
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("survey")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(
    [
        "config",
        "estimation.design",
        "estimation.index",
        "estimation.peers",
        "estimation.releases",
        "estimation.report",
        "estimation.runs",
        "estimation.scoring",
        "survey.access",
        "survey.backups",
        "survey.fieldwork",
        "survey.frame",
        "survey.idempotency",
        "survey.jobs",
        "survey.ledgers",
        "survey.retention",
        "survey.review",
        "survey.submissions",
    ]
)
app.conf.beat_schedule = {
    "sweep-jobs": {"task": "survey.jobs.tasks.sweep", "schedule": 15.0},
    # Every few seconds, so that an embargo ends within the minute that it names.
    "publish-due-releases": {"task": "estimation.releases.tasks.publish_due", "schedule": 10.0},
    "sweep-stale-rounds": {"task": "estimation.runs.tasks.sweep_stale_rounds", "schedule": 300.0},
    "index-new-runs": {"task": "estimation.index.tasks.index_new_runs", "schedule": 60.0},
    "sweep-scores": {"task": "estimation.scoring.tasks.sweep_scores", "schedule": 60.0},
    "sweep-macro": {"task": "survey.review.tasks.sweep_macro", "schedule": 900.0},
    "remind-by-calendar": {
        "task": "survey.fieldwork.tasks.remind_by_calendar",
        "schedule": crontab(hour=9, minute=0),
    },
    "build-missing-reports": {"task": "estimation.report.tasks.build_missing_reports", "schedule": 60.0},
    "build-missing-peers": {"task": "estimation.peers.tasks.build_missing_peers", "schedule": 60.0},
    "close-idle-accounts": {
        "task": "survey.access.tasks.close_idle_accounts",
        "schedule": crontab(hour=3, minute=10),
    },
    "delete-ended-sessions": {
        "task": "survey.access.tasks.delete_ended_sessions",
        "schedule": crontab(hour=3, minute=20),
    },
    "seal-ledgers": {"task": "survey.ledgers.tasks.seal", "schedule": 5.0},
    "verify-ledgers": {"task": "survey.ledgers.tasks.verify", "schedule": crontab(hour=3, minute=40)},
    "check-files": {"task": "survey.backups.tasks.check_files", "schedule": crontab(hour=4, minute=40)},
    "delete-old-keys": {
        "task": "survey.idempotency.tasks.delete_old_keys",
        "schedule": crontab(hour=3, minute=30),
    },
    "sweep-retention": {"task": "survey.retention.tasks.sweep", "schedule": crontab(hour=4, minute=10)},
    "heartbeat": {"task": "config.health.heartbeat", "schedule": 20.0},
}


@setup_logging.connect
def keep_logging_of_the_settings(**options: Any) -> None:
    """A receiver of this signal keeps Celery from setting up handlers of its own (LOGGING, config.monitoring.logs)."""
