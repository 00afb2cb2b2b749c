"""Wiring: settings, URLs, Celery, health. No domain word appears here."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
