"""The estimation side of the system."""

from importlib import import_module

from django.apps import AppConfig

from survey.sentences import load_messages


class EstimationConfig(AppConfig):
    """GSBPM 2.4, 4.1, 5.6 - 7.3: sample design, estimation, release."""

    name = "estimation"
    verbose_name = "Estimation"

    def ready(self) -> None:
        """Make every stored sentence of the app known, and register what the survey shows of it."""
        load_messages(self.name, self.path)
        import_module(f"{self.name}.registration").register()
