"""The collection side of the system."""

from django.apps import AppConfig


class SurveyConfig(AppConfig):
    """GSBPM 2-5: design, build, collect, process."""

    name = "survey"
    verbose_name = "Survey"
