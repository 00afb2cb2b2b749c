"""Laws of the layout that import contracts cannot say: read from the source and from the models."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db.models import ForeignKey, Model

from survey.access.scope import Scope
from tests.architecture.test_layout import ROOT, tracked

# Where a room of the estimation enters the survey. The list is exact: a door that nobody uses is closed.
# Only ``rehearsal`` has none: it plays every office of the country and writes what they would write.
DOORS = {
    "design": {
        "survey.access.decorators",
        "survey.access.pages",
        "survey.access.roles",
        "survey.access.scope",
        "survey.audit",
        "survey.collection.models",
        "survey.collection.services",
        "survey.exceptions",
        "survey.frame.files",
        "survey.frame.selectors",
        "survey.microdata.models",
        "survey.microdata.selectors",
        "survey.questionnaires.loader",
        "survey.submissions.lifecycle.services",
    },
    "runs": {
        "survey.access.decorators",
        "survey.access.pages",
        "survey.access.roles",
        "survey.access.scope",
        "survey.audit",
        "survey.collection.models",
        "survey.exceptions",
        "survey.frame.models",
        "survey.microdata.models",
        "survey.microdata.selectors",
        "survey.microdata.services",
    },
    "scoring": {
        "survey.collection.models",
        "survey.frame.models",
        "survey.jobs.kinds",
        "survey.jobs.models",
        "survey.jobs.services",
        "survey.review.scores.services",
        "survey.review.services",
    },
    "index": {
        "survey.access.decorators",
        "survey.access.pages",
        "survey.access.roles",
        "survey.access.scope",
        "survey.audit",
        "survey.exceptions",
    },
    "releases": {
        "survey.audit_trail.labels",
        "survey.access.decorators",
        "survey.access.pages",
        "survey.access.roles",
        "survey.access.scope",
        "survey.audit",
        "survey.collection.models",
        "survey.exceptions",
        "survey.microdata.projection",
        "survey.microdata.selectors",
        "survey.questionnaires.loader",
        "survey.questionnaires.answering.units",
    },
    "report": {
        "survey.access.decorators",
        "survey.access.pages",
        "survey.access.roles",
        "survey.audit",
        "survey.exceptions",
        "survey.jobs.kinds",
        "survey.jobs.services",
        "survey.questionnaires.statutory",
    },
    "peers": {
        "survey.access.decorators",
        "survey.access.pages",
        "survey.access.roles",
        "survey.audit",
        "survey.exceptions",
        "survey.jobs.kinds",
        "survey.jobs.services",
        "survey.microdata.selectors",
        "survey.submissions.models",
    },
    "public": {"survey.access.decorators"},
    "templatetags": {"survey.templatetags.survey"},
    # What the questionnaires ask, and as which variables: the simulation estimates them.
    "simulation": {"survey.microdata.projection"},
    "management": {
        "survey.access.roles",
        "survey.collection.models",
        "survey.exceptions",
        "survey.jobs.services",
        "survey.management.commands.benchmark_pages",
        "survey.microdata.projection",
        "survey.questionnaires.loader",
        "survey.review.tasks",
    },
}
# The only modules that write a state, and the function that does it for the sheets.
WRITERS = {
    "survey/submissions/lifecycle/transitions.py": {"move"},
    "survey/submissions/comments/services.py": {"answer_query"},  # a reviewer's comment, not a sheet
    "survey/review/services.py": {"close_query", "reopen_query"},
    "survey/review/bulk/services.py": {
        "_MOVE"
    },  # the same table as ``move``, for many sheets in one statement
    "survey/jobs/services.py": {"claim", "Work", "_wait_again", "_end", "_remove_expired"},  # jobs
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
    "estimation/design/services.py": {"draw_sample", "approve_design", "withdraw_design", "hand_over"},
    "estimation/rehearsal/storage/frame.py": {"sign_designs"},
    "estimation/runs/services.py": {
        "request_run",
        "cancel_run",
        "execute_run",
        "_store",
        "_end",
        "lost_runs",
    },
    "estimation/runs/bootstrap/services.py": {
        "_reset",
        "cancel_bootstrap",
        "compute_chunk",
        "_fail",
        "gather",
    },
    "estimation/index/services.py": {"request_index", "compute_index", "waiting_indices"},
    "estimation/releases/transitions.py": {"move"},
    "estimation/rehearsal/storage/states.py": {"write_submissions"},  # builds a country, moves nobody's sheet
}
# Rows that belong to a unit and are still read without ``visible_to``, each with the reason.
UNSCOPED = {
    "ActivationCode": "found by its unit's credit code by somebody who is not signed in yet",
    "RoleAssignment": "a fact about a person; accounts are national and have permissions of their own",
    "Observation": "national by nature: read as columns by the estimation; a page reads the row of a sheet that it has found",
    "SelectedUnit": "national by nature: the design is drawn for the whole country",
    "TreatedUnit": "shown through treated_of, which joins the units that the reader may see",
}


@cache
def tree(path: Path) -> ast.Module:
    """The parsed source."""
    return ast.parse(path.read_text(encoding="utf-8"))


def sources(*patterns: str) -> list[Path]:
    """Tracked source files without migrations."""
    return [path for path in tracked(*patterns) if "migrations" not in path.parts]


def imports(path: Path) -> Iterator[str]:
    """Dotted names of everything that a file imports, wherever the statement stands."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (_module(node.module, name.name) for name in node.names)


def _module(package: str, name: str) -> str:
    """``from survey.access import scope`` names a module, ``from survey.access.scope import may`` does not."""
    inner = ROOT / Path(*package.split(".")) / name
    return f"{package}.{name}" if inner.with_suffix(".py").exists() or inner.is_dir() else package


@pytest.mark.parametrize("room", DOORS)
def test_estimation_enters_the_survey_by_named_doors(room: str) -> None:
    used = {
        name
        for path in sources(f"estimation/{room}/*.py")
        for name in imports(path)
        if name.startswith("survey")
    }
    assert used == DOORS[room]


def test_only_address_files_import_pages_and_endpoints() -> None:
    found = []
    for path in sources("survey/*.py", "estimation/*.py", "config/*.py"):
        own = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for name in imports(path):
            room, _dot, last = name.rpartition(".")
            ours = name.startswith(("survey.", "estimation."))
            shared = own.startswith(f"{room}.") and own.endswith("views") and last == "views"
            if ours and (last == "api" or last.endswith("views")) and path.name != "urls.py" and not shared:
                found.append(f"{own} imports {name}")
    assert found == []


def scoped() -> list[type[Model]]:
    """Models whose rows somebody may and somebody may not see."""
    return [model for model in apps.get_models() if hasattr(model, "SCOPE")]


def test_every_model_of_a_unit_has_a_scope() -> None:
    names = {model.__name__ for model in scoped()}
    assert {"ReportingUnit", "Assignment", "Submission", "Filing"} <= names
    for app in ("survey", "estimation"):
        for model in apps.get_app_config(app).get_models():
            targets = {
                field.related_model.__name__
                for field in model._meta.get_fields()
                if isinstance(field, ForeignKey)
            }
            if targets & names and model.__name__ not in names:
                assert UNSCOPED.get(model.__name__), f"{model.__name__} needs a SCOPE, or a reason why not"
    assert names.isdisjoint(UNSCOPED)


@pytest.mark.parametrize("model", scoped(), ids=lambda model: model.__name__)
def test_a_scope_leads_to_region_category_and_unit(model: Any) -> None:
    scope: Scope = model.SCOPE
    rows = model.objects.filter(
        **{f"{scope.region_path}__startswith": "/", scope.category: "CAT01", scope.unit: 1}
    )
    assert "review_region" in scope.region_path
    assert "survey_reportingunit" in str(rows.query)


def test_pages_and_endpoints_read_scoped_rows_through_their_scope() -> None:
    names = {model.__name__ for model in scoped()}
    checked, found = 0, []
    for path in sources(
        "survey/*/*views*.py", "survey/*/api.py", "estimation/*/*views*.py", "estimation/*/api.py"
    ):
        for node in ast.walk(tree(path)):
            text = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Attribute) and _manager(node.value) in names:
                checked += 1
                if node.attr not in {"visible_to", "none"}:
                    found.append(f"{text} .objects.{node.attr}")
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                first = node.args[0]
                if node.func.id.startswith("get_") and isinstance(first, ast.Name) and first.id in names:
                    found.append(f"{text} {node.func.id}({first.id})")
    assert checked > 4
    assert found == []


def _manager(node: ast.expr) -> str:
    """``Submission`` of ``Submission.objects``."""
    if isinstance(node, ast.Attribute) and node.attr == "objects" and isinstance(node.value, ast.Name):
        return node.value.id
    return ""


def test_a_state_has_one_writer() -> None:
    found: dict[str, set[str]] = {}
    for path in sources("survey/*.py", "estimation/*.py"):
        for top in tree(path).body:
            if any(_writes_state(node) for node in ast.walk(top)):
                found.setdefault(str(path.relative_to(ROOT)), set()).add(_name(top))
    assert found == WRITERS


def _name(node: ast.stmt) -> str:
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return str(getattr(node, "name", ""))


def _writes_state(node: ast.AST) -> bool:
    """``row.state = ...``, ``rows.update(state=...)``, or SQL that sets or inserts the state of a sheet."""
    if isinstance(node, ast.Assign):
        targets = [t for one in node.targets for t in (one.elts if isinstance(one, ast.Tuple) else [one])]
        return any(isinstance(one, ast.Attribute) and one.attr == "state" for one in targets)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "update":
        return any(word.arg == "state" for word in node.keywords)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        sql = " ".join(node.value.split())
        return "SET state =" in sql or ("INSERT INTO survey_submission (" in sql)
    return False
