"""The project configuration as an app without models; it registers the deployment checks."""

import os
from importlib import import_module

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """Checks of ``manage.py check --deploy``."""

    name = "config"
    verbose_name = "Configuration"

    def ready(self) -> None:
        """Register the checks; trace this process, if the environment asks for it."""
        import_module("config.checks")
        import_module("config.files.checks")
        if any(name.startswith("OTEL_") for name in os.environ):
            import_module("config.monitoring.tracing").start()
