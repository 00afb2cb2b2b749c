"""The wiring as an app: it has no models; it registers the checks of a deployment."""

from importlib import import_module

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """Checks of ``manage.py check --deploy``."""

    name = "config"
    verbose_name = "Configuration"

    def ready(self) -> None:
        """Register the checks."""
        import_module("config.checks")
