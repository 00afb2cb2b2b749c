"""The collection side of the system."""

from importlib import import_module

from django.apps import AppConfig

from survey.sentences import load_messages


class SurveyConfig(AppConfig):
    """GSBPM 2-5: design, build, collect, process."""

    name = "survey"
    verbose_name = "Survey"

    def ready(self) -> None:
        """Make every stored sentence of the app known, and join its packages."""
        load_messages(self.name, self.path)
        import_module(f"{self.name}.registration").register()
