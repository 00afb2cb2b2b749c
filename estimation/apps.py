"""The app of the estimation."""

from importlib import import_module

from django.apps import AppConfig

from survey.sentences import load_messages


class EstimationConfig(AppConfig):
    """GSBPM 2.4, 4.1, 5.6 - 7.3: sample design, estimation, release."""

    name = "estimation"
    verbose_name = "Estimation"

    def ready(self) -> None:
        """Register the stored sentences of the app, and its entries in the survey's pages."""
        load_messages(self.name, self.path)
        import_module(f"{self.name}.registration").register()

    def warm(self) -> None:
        """Load the library of the charts, which only drawing needs, before the first page with a picture."""
        import_module("estimation.report.figures.charts")
