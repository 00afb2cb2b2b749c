"""Loads what the first request of a process would load, so that no request waits for it."""

import logging

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_backends
from django.contrib.auth.hashers import get_hashers
from django.contrib.auth.password_validation import get_default_password_validators
from django.db import DatabaseError, InterfaceError, connections
from django.template import TemplateDoesNotExist, TemplateSyntaxError, engines
from django.urls import get_resolver
from django.utils import translation
from django.utils.module_loading import import_string

from config.web.limits import routes
from survey.questionnaires.models import QuestionnaireVersion
from survey.questionnaires.rules.plan import plan_of
from survey.questionnaires.selectors import definition_for

logger = logging.getLogger(__name__)


def warm() -> None:
    """Load URLs, templates, translations, definitions, and what an app loads late elsewhere (its ``warm``).

    Leaves no connection open: processes are forked later.
    """
    routes()
    load_sign_in()
    for app in apps.get_app_configs():
        getattr(app, "warm", lambda: None)()
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            get_resolver().reverse_dict  # noqa: B018 a property that imports every view
    for name in template_names():
        load_template(name)
    try:
        compile_definitions()
    except (DatabaseError, InterfaceError):
        logger.warning(
            "definitions are loaded by the first request: the database does not answer or has no tables"
        )
    finally:
        for connection in connections.all():
            connection.close()
            if hasattr(connection, "close_pool"):
                connection.close_pool()


def load_sign_in() -> None:
    """The classes of signing in and of messages that settings name and that Django imports at their first use."""
    get_backends()
    get_hashers()
    get_default_password_validators()
    get_account_adapter()
    get_mfa_adapter()
    import_string(settings.MESSAGE_STORAGE)


def template_names() -> list[str]:
    """Every template below the folder of the project, as views name it."""
    root = settings.BASE_DIR / "templates"
    return sorted(
        path.relative_to(root).as_posix() for path in root.rglob("*") if path.suffix in {".html", ".txt"}
    )


def load_template(name: str) -> None:
    """Compile a template into the cache of the engine; what is no template of Django is left alone."""
    engine = engines["django"]
    try:
        engine.get_template(name)
    except (TemplateDoesNotExist, TemplateSyntaxError):
        logger.warning("%s is not compiled before the first request", name)


def compile_definitions() -> None:
    """The rules of the newest version of every form."""
    newest = QuestionnaireVersion.objects.order_by("category", "-year", "-number").distinct("category")
    for version in newest.defer("document"):
        plan_of(definition_for(version))
