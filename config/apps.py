"""The project configuration as an app without models; it registers the deployment checks."""

from importlib import import_module

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """Checks of ``manage.py check --deploy``."""

    name = "config"
    verbose_name = "Configuration"

    def ready(self) -> None:
        """Register the checks."""
        import_module("config.checks")
