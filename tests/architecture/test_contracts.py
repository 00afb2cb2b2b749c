"""The contracts of the layout, each checked on the program and on a violation planted in a copy of it."""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import pytest
from django.apps import apps
from django.db.models import ForeignKey, Model

from survey.access.scope import Scope
from tests.architecture import contracts
from tests.architecture.orders import ORDER
from tests.architecture.source import Source

# Violations that are allowed for a reason. The lists are exact: an unused exception fails the test.
EXCEPTIONS: dict[str, dict[str, str]] = {
    "imports_of_higher_levels": {
        "survey.access.regions imports survey.access.models": "loads the code list of regions into its table",
        "survey.audit_trail.selectors imports survey.access.decorators": "a row links to a page only for users "
        "who may open it",
    },
    "frameworks_in_pure_modules": {
        "survey.management.base imports django.core.management.base.BaseCommand": "the base of all commands",
        "survey.management.base imports django.core.management.base.CommandError": "the base of all commands",
        "survey.jobs.kinds imports celery.current_app": "a kind of job names its task, which the queue knows",
        "estimation.report.document.page imports django.template.loader.render_to_string": "fills the template of "
        "the HTML edition; reads no row and no request",
    },
    "entries_into_survey": {
        "estimation.archive imports survey.questionnaires.models": "the archive holds the published questionnaires",
        "estimation.archive imports survey.submissions.comments.models": "the archive counts comments of the round",
        "estimation.archive imports survey.submissions.models": "the archive holds what the round collected",
        "estimation.design imports survey.submissions.lifecycle.services": "handing a sample over opens its sheets",
        "estimation.management imports survey.management.commands.benchmark_pages": "shares the clock of benchmarks",
        "estimation.management imports survey.review.tasks": "the demonstration queues what a desk would queue",
        "estimation.peers imports survey.submissions.models": "a respondent sees groups of the own sheet only",
        "estimation.scoring imports survey.review.services": "hands scores over to the queue",
        "estimation.templatetags imports survey.templatetags.survey": "one spelling of numbers in all templates",
    },
    "entries_into_packages": {
        "config.api imports survey.exceptions": "renders errors of the survey as problem+json for every endpoint",
        "config.api imports survey.request_values": "reads the size of a page as every other value of a request",
        "config.design imports survey.access.decorators": "every view needs an access rule, also the design page",
        "config.design imports survey.review.forms": "the design page shows the errors of a form of the site",
        "config.design imports survey.review.scores.peers": "the design page shows the box plot of the site",
        "config.design imports survey.submissions.models": "the design page shows the states of a sheet",
        "config.site_files imports survey.access.decorators": "every view needs an access rule, also robots.txt",
        "config.settings names survey.templatetags.idempotency": "the field that every form has is known to every template",
        "config.web.limits imports survey.frame.parsing": "the largest body of a route is the largest file that it reads",
        "config.web.limits imports survey.submissions.workbook.reading": "the same for workbooks",
        "config.web.server imports survey.untrusted.reading": "a process for uploads starts what parses them",
        "config.web.warm imports survey.questionnaires.models": "loads the published versions before the first request",
        "config.web.warm imports survey.questionnaires.rules.plan": "compiles their edits",
        "config.web.warm imports survey.questionnaires.selectors": "reads their definitions",
        "config.settings names estimation.public.middleware.PublicPages": "MIDDLEWARE is a setting",
        "config.settings names survey.access.middleware.SignInMiddleware": "MIDDLEWARE is a setting",
        "config.settings names survey.access.passwords.hashers.QueuedArgon2PasswordHasher": "PASSWORD_HASHERS is a setting",
        "config.settings names survey.access.sign_in.backends.AccountBackend": "AUTHENTICATION_BACKENDS is a setting",
        "config.settings names survey.access.sign_in.adapters.AccountAdapter": "ACCOUNT_ADAPTER is a setting",
        "config.settings names survey.access.second_factor.adapters.SecondFactorAdapter": "MFA_ADAPTER is a setting",
        "config.settings names survey.access.single_sign_on.adapters.SingleSignOnAdapter": "SOCIALACCOUNT_ADAPTER is a setting",
        "config.settings names survey.access.own_sessions.storage": "SESSION_ENGINE is a setting",
        "config.settings names survey.access.navigation.navigation": "context processors are a setting",
        "config.settings names survey.access.scope.SignedIn": "DEFAULT_PERMISSION_CLASSES is a setting",
        **{
            f"config.settings names survey.access.passwords.services.{name}": "AUTH_PASSWORD_VALIDATORS is a setting"
            for name in (
                "NotAFormerPasswordValidator",
                "NotTheCreditCodeValidator",
                "HardToGuessValidator",
                "ThreeOfFourClassesValidator",
            )
        },
    },
}
# The only functions that write a state.
WRITERS = {
    "survey/submissions/lifecycle/transitions.py": {"move"},
    "survey/submissions/comments/services.py": {"answer_query"},  # a reviewer's comment, not a sheet
    "survey/review/services.py": {"close_query", "reopen_query"},
    "survey/review/bulk/services.py": {
        "_MOVE"
    },  # the same table as ``move``, for many sheets in one statement
    "survey/jobs/services.py": {"claim", "Work", "requeue", "_end", "_remove_expired"},  # jobs
    "survey/jobs/failures/services.py": {"discard"},  # jobs
    "survey/collection/services.py": {"_set_state"},  # a round
    "survey/frame/services.py": {
        "check_import",
        "confirm_import",
        "apply_import",
        "cancel_import",
        "end_import",
        "wait_again",
        "_begin",
    },  # an import of the frame
    "estimation/design/services.py": {"draw_sample", "hand_over"},
    "estimation/design/approval/services.py": {"approve_design", "withdraw_design"},
    "estimation/rehearsal/storage/frame.py": {"sign_designs"},
    "estimation/runs/services.py": {"request_run", "do_run", "end_run", "wait_again", "_store"},
    "estimation/runs/bootstrap/services.py": {
        "_reset",
        "cancel_bootstrap",
        "compute_chunk",
        "end_bootstrap",
        "_combine",
    },
    "estimation/index/services.py": {"request_index", "compute_index", "end_index", "wait_again"},
    "estimation/releases/transitions.py": {"move"},
    "estimation/rehearsal/storage/states.py": {"write_submissions"},  # generates rows
}
# Rows that belong to a unit and are still read without ``visible_to``, each with the reason.
UNSCOPED = {
    "LegalHold": "national by nature: set and read by the audit administrator alone",
    "ActivationCode": "found by its unit's credit code before the user has signed in",
    "RoleAssignment": "a fact about a person; accounts are national and have permissions of their own",
    "Observation": "national by nature: read as columns by the estimation; a page reads the row of a sheet that it has found",
    "SelectedUnit": "national by nature: the design is drawn for the whole country",
    "TreatedUnit": "shown through treated_of, which joins the units that the reader may see",
}


@cache
def program() -> Source:
    """The source of the program."""
    return Source.read()


@cache
def faults_of(name: str) -> frozenset[str]:
    """Violations of a contract in the program."""
    return frozenset(CONTRACTS[name](program()))


def scoped() -> list[type[Model]]:
    """Models with a scope: which users see a row depends on their grants."""
    return [model for model in apps.get_models() if hasattr(model, "SCOPE")]


def scoped_names() -> set[str]:
    """Names of the scoped models."""
    return {model.__name__ for model in scoped()}


def cycles(source: Source) -> list[str]:
    """Imports between sub-packages against ``ORDER``."""
    return contracts.cycles_of_subpackages(source, ORDER) + contracts.unused_orders(source, ORDER)


def unscoped_reads(source: Source) -> list[str]:
    """Reads of scoped models that do not apply the scope."""
    return contracts.unscoped_reads(source, scoped_names())


def unknown_writers(source: Source) -> list[str]:
    """Functions that write a state and are not in ``WRITERS``, and names there that write none."""
    writers = contracts.writers_of_states(source)
    return sorted(
        f"{path}: {name}"
        for path in writers.keys() | WRITERS.keys()
        for name in writers.get(path, set()) ^ WRITERS.get(path, set())
    )


CONTRACTS: dict[str, Callable[[Source], list[str]]] = {
    "imports_of_higher_levels": contracts.imports_of_higher_levels,
    "imports_of_pages": contracts.imports_of_pages,
    "frameworks_in_pure_modules": contracts.frameworks_in_pure_modules,
    "arrays_outside_computation": contracts.arrays_outside_computation,
    "entries_into_survey": contracts.entries_into_survey,
    "entries_into_packages": contracts.entries_into_packages,
    "cycles_of_subpackages": cycles,
    "oversized_packages": contracts.oversized_packages,
    "suffixed_names": contracts.suffixed_names,
    "unscoped_reads": unscoped_reads,
    "unknown_writers": unknown_writers,
}
# Contract, file, text that is appended to it, and the violation that is reported.
PLANTED = [
    # A module whose name is in no level is pure and must not import services.
    (
        "imports_of_higher_levels",
        "estimation/runs/selectors_methods.py",
        "from estimation.runs.services import request_run",
        "estimation.runs.selectors_methods imports estimation.runs.services",
    ),
    (
        "imports_of_higher_levels",
        "survey/review/sheet/arithmetic.py",
        "def late():\n    from survey.submissions.models import Submission",
        "survey.review.sheet.arithmetic imports survey.submissions.models",
    ),
    (
        "imports_of_higher_levels",
        "survey/review/a/b/c/selectors.py",
        "from survey.review import services",
        "survey.review.a.b.c.selectors imports survey.review.services",
    ),
    (
        "imports_of_higher_levels",
        "survey/collection/models.py",
        "from survey.collection.selectors import open_round",
        "survey.collection.models imports survey.collection.selectors",
    ),
    (
        "imports_of_pages",
        "survey/review/views.py",
        "from survey.submissions.page.views import section",
        "survey.review.views imports survey.submissions.page.views",
    ),
    (
        "imports_of_pages",
        "estimation/runs/tasks.py",
        "import estimation.runs.api",
        "estimation.runs.tasks imports estimation.runs.api",
    ),
    (
        "frameworks_in_pure_modules",
        "estimation/runs/compute/new_weights.py",
        "from django.utils.translation import gettext",
        "estimation.runs.compute.new_weights imports django.utils.translation.gettext",
    ),
    (
        "frameworks_in_pure_modules",
        "survey/questionnaires/rules/new.py",
        "from django.db.models import Q",
        "survey.questionnaires.rules.new imports django.db.models.Q",
    ),
    (
        "frameworks_in_pure_modules",
        "survey/new/stage/people.py",
        "from django.http import HttpRequest",
        "survey.new.stage.people imports django.http.HttpRequest",
    ),
    (
        "arrays_outside_computation",
        "estimation/runs/views.py",
        "import numpy as np",
        "estimation.runs.views imports numpy",
    ),
    (
        "entries_into_survey",
        "estimation/index/services.py",
        "from survey.review.services import close_query",
        "estimation.index imports survey.review.services",
    ),
    (
        "entries_into_packages",
        "config/health.py",
        "def probe():\n    from survey.jobs.services import run",
        "config.health imports survey.jobs.services",
    ),
    (
        "entries_into_packages",
        "config/settings.py",
        "SMS_GATEWAY = 'survey.fieldwork.reminders.services.send'",
        "config.settings names survey.fieldwork.reminders.services.send",
    ),
    (
        "entries_into_packages",
        "config/celery.py",
        "app.send_task('survey.jobs.services.run')",
        "config.celery names survey.jobs.services.run",
    ),
    (
        "entries_into_packages",
        "config/new/urls.py",
        "from survey.urls import urlpatterns\nfrom estimation.runs.views import run_detail",
        "config.new.urls imports estimation.runs.views",
    ),
    (
        "cycles_of_subpackages",
        "estimation/runs/compute/levels.py",
        "from estimation.runs.inspection import plots",
        "estimation.runs: compute imports inspection, which lies above it (estimation.runs.compute.levels)",
    ),
    (
        "cycles_of_subpackages",
        "estimation/design/hand_over/services.py",
        "from estimation.design.comparison import forms",
        "estimation.design: hand_over imports comparison, which no order allows",
    ),
    ("suffixed_names", "survey/review/views_sheet.py", "", "survey/review/views_sheet.py"),
    ("suffixed_names", "survey/review/sheet_services.py", "", "survey/review/sheet_services.py"),
    ("suffixed_names", "survey/review/utils/dates.py", "", "survey/review/utils/dates.py"),
    (
        "unscoped_reads",
        "survey/review/sheet/views.py",
        "rows = Submission.objects.filter(pk=1)",
        "survey/review/sheet/views.py:2 .objects.filter",
    ),
    (
        "unscoped_reads",
        "survey/review/new/api.py",
        "row = get_object_or_404(Submission, pk=1)",
        "survey/review/new/api.py:2 get_object_or_404(Submission)",
    ),
    (
        "unknown_writers",
        "survey/review/sheet/new.py",
        "def accept(row):\n    row.state = 'accepted'",
        "survey/review/sheet/new.py: accept",
    ),
    (
        "unknown_writers",
        "survey/review/sheet/new.py",
        "SQL = 'UPDATE survey_submission SET state = 1'",
        "survey/review/sheet/new.py: SQL",
    ),
]


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_program_has_no_violation_but_the_exceptions(name: str) -> None:
    assert faults_of(name) == EXCEPTIONS.get(name, {}).keys()


@pytest.mark.parametrize(("name", "path", "text", "fault"), PLANTED)
def test_a_planted_fault_is_found(name: str, path: str, text: str, fault: str) -> None:
    assert set(CONTRACTS[name](program().planted(path, text))) - faults_of(name) == {fault}


def test_an_oversized_package_is_found() -> None:
    source = program()
    for number in range(contracts.MOST_MODULES + 1):
        source = source.planted(f"survey/oversized/stage_{number}.py", "")
    assert contracts.oversized_packages(source) == ["survey/oversized has 21 modules"]


def test_every_contract_has_a_planted_fault() -> None:
    assert {name for name, *_rest in PLANTED} | {"oversized_packages"} == CONTRACTS.keys()


def test_the_contracts_read_the_whole_program() -> None:
    source = program()
    assert len(source.texts) > 500
    assert contracts.scoped_reads(source, scoped_names()) > 4
    # Modules with other names are pure, which the estimation may import without an entry.
    assert contracts.level_of("survey.submissions.lifecycle.states") == 0
    assert contracts.level_of("estimation.rehearsal.storage.frame") == contracts.LEVEL["storage"]


def without_scope(models: Iterable[type[Model]], excused: Iterable[str]) -> list[str]:
    """Models that refer to a scoped model, have no scope of their own and are not excused."""
    names = scoped_names()
    return [
        model.__name__
        for model in models
        if model.__name__ not in {*names, *excused}
        and names
        & {
            field.related_model.__name__
            for field in model._meta.get_fields()
            if isinstance(field, ForeignKey) and isinstance(field.related_model, type)
        }
    ]


def own_models() -> list[type[Model]]:
    """Models of both apps."""
    return [model for app in ("survey", "estimation") for model in apps.get_app_config(app).get_models()]


def test_every_model_of_a_unit_has_a_scope() -> None:
    assert {"ReportingUnit", "Assignment", "Submission", "Filing"} <= scoped_names()
    assert without_scope(own_models(), UNSCOPED) == []
    assert scoped_names().isdisjoint(UNSCOPED)


def test_a_model_without_a_scope_is_found() -> None:
    for name in UNSCOPED:
        assert without_scope(own_models(), UNSCOPED.keys() - {name}) in ([name], [])
    assert set(without_scope(own_models(), ())) == UNSCOPED.keys()


@pytest.mark.parametrize("model", scoped(), ids=lambda model: model.__name__)
def test_a_scope_leads_to_region_category_and_unit(model: Any) -> None:
    scope: Scope = model.SCOPE
    rows = model.objects.filter(
        **{f"{scope.region_path}__startswith": "/", scope.category: "CAT01", scope.unit: 1}
    )
    assert "review_region" in scope.region_path
    assert "survey_reportingunit" in str(rows.query)
