"""The collection side of the system."""

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.core import checks

from survey import encryption
from survey.exceptions import DefinitionError
from survey.ledgers import content
from survey.retention import periods
from survey.sentences import load_messages


class SurveyConfig(AppConfig):
    """GSBPM 2-5: design, build, collect, process."""

    name = "survey"
    verbose_name = "Survey"

    def ready(self) -> None:
        """Load the stored sentences of the app, register its packages and its system check."""
        checks.register(field_keys)
        load_messages(self.name, self.path)
        import_module(f"{self.name}.registration").register()


def field_keys(**options: Any) -> list[checks.CheckMessage]:
    """System check: the keys of encrypted columns and of the ledgers, and the periods of retention, can be used."""
    try:
        encryption.check_settings()
        content.check_settings()
        periods.longer()
    except (encryption.EncryptionError, DefinitionError) as error:
        return [checks.Error(str(error), id="survey.E001")]
    return []
