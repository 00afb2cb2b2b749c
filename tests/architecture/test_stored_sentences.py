"""No sentence is translated when it is written into the database: what is stored is a code with parameters.

Looked at are the modules that write: ``services``, ``tasks``, ``storage``, and whatever opens a transaction. In
them no translated text may be a value of ``create``, ``update`` and the like, of an audit row, of a private function
(``_end``), of a model that is made, or of an attribute that is a column somewhere.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps

from survey.sentences import defined
from tests.architecture.source import Source

TRANSLATORS = {"_", "gettext", "ngettext", "pgettext", "gettext_lazy"}
WRITES = {"create", "update", "get_or_create", "update_or_create", "record", "bulk_create", "bulk_update"}
WRITING_MODULES = {"services", "tasks", "storage"}
PAGES = {"views", "api", "forms", "messages", "models", "presentation"}


def columns() -> set[str]:
    """Names of the columns that can hold a text."""
    kinds = {"CharField", "TextField", "JSONField"}
    return {
        field.name
        for app in ("survey", "estimation")
        for model in apps.get_app_config(app).get_models()
        for field in model._meta.concrete_fields
        if field.get_internal_type() in kinds
    }


def models() -> set[str]:
    """Names of the tables' classes."""
    return {
        model.__name__ for app in ("survey", "estimation") for model in apps.get_app_config(app).get_models()
    }


def stored_sentences(module: ast.Module, fields: set[str], tables: set[str]) -> Iterator[int]:
    """Lines in which a translated text is written."""
    functions = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)]
    for function in functions:
        translated = _translated_names(function)
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and any(_is_column(target, fields) for target in node.targets):
                values = [node.value]
            elif isinstance(node, ast.Call) and _writes(node, tables):
                values = [*node.args, *(argument.value for argument in node.keywords)]
            else:
                continue
            if any(_is_translated(value, translated) for value in values):
                yield node.lineno


def _is_column(target: ast.expr, fields: set[str]) -> bool:
    if isinstance(target, ast.Tuple):
        return any(_is_column(base, fields) for base in target.elts)
    return isinstance(target, ast.Attribute) and target.attr in fields


def _writes(call: ast.Call, tables: set[str]) -> bool:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr in WRITES
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    return name in tables or (name.startswith("_") and name not in TRANSLATORS)


def _translated_names(function: ast.FunctionDef) -> set[str]:
    """Local names that hold a translated text, and those of refusals (``str()`` of one translates it)."""
    names: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and _is_translated(node.value, names):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


def _is_translated(value: ast.expr, names: set[str]) -> bool:
    for node in ast.walk(value):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in TRANSLATORS:
                return True
            shown = node.args[0] if node.func.id == "str" and node.args else None
            if isinstance(shown, ast.Name) and shown.id in {"refusal", "refused", "denied"}:
                return True
        if isinstance(node, ast.Attribute) and node.attr == "sentence":
            return True
        if isinstance(node, ast.Name) and node.id in names:
            return True
    return False


def writing_modules(source: Source) -> dict[str, ast.Module]:
    """The files in which rows are written, by their path."""
    return {
        path: module
        for path, module in source.trees()
        if not path.startswith("config/")
        and Path(path).stem not in PAGES
        and (Path(path).stem in WRITING_MODULES or "transaction.atomic" in source.texts[path])
    }


def faults(source: Source) -> dict[str, list[int]]:
    """Path -> lines in which a translated text is written."""
    fields, tables = columns(), models()
    violations = {
        path: list(stored_sentences(m, fields, tables)) for path, m in writing_modules(source).items()
    }
    return {path: lines for path, lines in violations.items() if lines}


def test_no_translated_sentence_is_written() -> None:
    source = Source.read()
    assert {"reply", "details", "text"} <= columns() and len(writing_modules(source)) > 30
    assert faults(source) == {}


def test_a_sentence_planted_in_a_copy_of_the_source_is_found() -> None:
    path = "estimation/runs/services.py"
    line = "def planted(run):\n    run.error = str(_('The computation stopped.'))"
    assert faults(Source.read().planted(path, line)).keys() == {path}


@pytest.mark.parametrize(
    "line",
    [
        "run.error = _('The computation stopped.')",
        "run.state, run.error = 'failed', str(_('The computation stopped.'))",
        "EstimationRun.objects.filter(pk=1).update(error=_('Stopped: %(error)s') % {'error': error})",
        "sentence = _('Stopped.'); runs.update(error=sentence % {})",
        "audit.record(by=None, action='x', why=str(refusal))",
        "audit.record(by=None, action='x', why=refusal.sentence)",
        "SiteNotice(text=_('Hello'))",
        "_end(run, 'failed', error=str(refused.sentence))",
        "_give_up(pk, _('The worker stopped.'))",
    ],
)
def test_a_planted_sentence_is_found(line: str) -> None:
    planted = ast.parse(f"def store(run, runs, refusal, refused, error, pk):\n    {line}\n")
    assert list(stored_sentences(planted, columns(), models())) == [2]


@pytest.mark.parametrize(
    "line",
    [
        "run.error = STOPPED(error=error)",
        "raise PolicyDenied(_('This run is over.'))",
        "audit.record(by=None, action='x', why=refusal.stored.to_document())",
    ],
)
def test_codes_and_refusals_are_not_found(line: str) -> None:
    planted = ast.parse(f"def store(run, runs, refusal, refused, error, pk):\n    {line}\n")
    assert list(stored_sentences(planted, columns(), models())) == []


def test_every_defined_sentence_can_be_translated() -> None:
    from tests.architecture.test_translations import CATALOGUE, ROOT, entries

    translated = entries(ROOT / CATALOGUE / "django.po")
    from django.utils.translation import override

    with override("en"):
        missing = {
            code for code, text in defined().items() if code != "as_written" and not translated.get(str(text))
        }
    assert {code for code in missing if not code.startswith(("test_", "design_state_"))} == set()
