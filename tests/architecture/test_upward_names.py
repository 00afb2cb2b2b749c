"""No module names by a string what lies above it: reverse relations, models, tables, tasks and addresses.

An import upwards fails the import contracts; a string that names something of an upper package makes the same
dependency and no contract sees it. A package is above another when it imports it, directly or through others, and
the estimation is above the survey. What is above is computed from the imports, what it offers from Django's
registries, so that nothing here is a list to be kept.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.apps import apps
from django.urls import URLPattern, URLResolver, get_resolver

from tests.architecture.test_layout import ROOT, tracked

APPS = ("survey", "estimation")
LOOKUPS = frozenset(
    {"F", "Q", "OuterRef", "Prefetch", "Count", "Sum", "Max", "Min", "Exists", "Subquery"}
    | {"filter", "exclude", "get", "values", "values_list", "annotate", "aggregate", "order_by", "distinct"}
    | {"select_related", "prefetch_related", "only", "defer", "update", "get_or_create", "update_or_create"}
)
URL_CALLS = frozenset({"reverse", "redirect", "reverse_lazy", "resolve_url"})
TABLE = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE|TABLE|ONLY|COPY)\s+\"?(\w+)", re.IGNORECASE)
INCLUDED = re.compile(r"{%\s*(?:include|extends)\s+['\"]([^'\"#]+)")
URL_TAG = re.compile(r"{%\s*url\s+['\"]([\w-]+)['\"]")


@dataclass(frozen=True, slots=True)
class Reach:
    """One mention of something that lies above the file that mentions it."""

    path: str
    line: int
    kind: str
    name: str
    owner: str  # the package above

    def __str__(self) -> str:
        return f"{self.path}:{self.line} names the {self.kind} {self.name} of {self.owner}"


def package_of(dotted: str) -> str:
    """``survey.review`` of ``survey.review.bulk.models``; ``survey.audit`` for a module of the app itself."""
    return ".".join(dotted.split(".")[:2])


def dotted_name(path: Path) -> str:
    """The module of a source file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources() -> list[Path]:
    """Source files of the packages; commands, tags of templates and migrations lie beside them."""
    beside = {"migrations", "management", "templatetags"}
    return [path for path in tracked("survey/*.py", "estimation/*.py") if not beside & set(path.parts)]


@cache
def tree(path: Path) -> ast.Module:
    """The parsed source."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports() -> dict[str, frozenset[str]]:
    """Package -> packages that it imports, directly or through others."""
    direct: dict[str, set[str]] = defaultdict(set)
    for path in sources():
        own = package_of(dotted_name(path))
        for node in ast.walk(tree(path)):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [name.name for name in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [f"{node.module}.{name.name}" for name in node.names]
            direct[own] |= {package_of(name) for name in names if name.startswith(("survey.", "estimation."))}
    closed: dict[str, frozenset[str]] = {}
    for start in direct:
        known, waiting = set[str](), list(direct[start])
        while waiting:
            package = waiting.pop()
            if package not in known:
                known.add(package)
                waiting += direct.get(package, ())
        closed[start] = frozenset(known - {start})
    return closed


def is_above(upper: str, lower: str) -> bool:
    """Whether ``upper`` may know ``lower`` and must not be known by it."""
    if upper == lower:
        return False
    if lower.startswith("survey") and upper.startswith("estimation"):
        return True
    return lower in imports().get(upper, frozenset())


@cache
def relations() -> dict[str, set[str]]:
    """Name of a reverse relation -> packages whose models make it."""
    found: dict[str, set[str]] = defaultdict(set)
    for app in APPS:
        for model in apps.get_app_config(app).get_models():
            for field in model._meta.get_fields():
                if not (field.is_relation and field.auto_created) or field.concrete:
                    continue
                related: Any = field.related_model
                owner = package_of(related.__module__)
                if owner != package_of(model.__module__):
                    found[str(field.name)].add(owner)
    return found


@cache
def own_names() -> dict[str, set[str]]:
    """Name of a field or reverse relation -> packages whose models have or make it."""
    found: dict[str, set[str]] = defaultdict(set)
    for app in APPS:
        for model in apps.get_app_config(app).get_models():
            for field in model._meta.get_fields():
                made_by = getattr(field, "related_model", None) if field.auto_created else model
                found[field.name].add(package_of((made_by or model).__module__))
    return found


@cache
def forbidden_relations(package: str) -> dict[str, str]:
    """Reverse relations that a package must not follow; a name that its own side uses as well is not told apart."""
    return {
        name: min(owners)
        for name, owners in relations().items()
        if all(is_above(owner, package) for owner in owners | own_names()[name])
    }


@cache
def tables() -> dict[str, str]:
    """Table -> package of its model."""
    models = [model for app in APPS for model in apps.get_app_config(app).get_models()]
    return {model._meta.db_table: package_of(model.__module__) for model in models}


@cache
def model_names() -> dict[str, str]:
    """``app.Model``, in both spellings, -> package."""
    models = [model for app in APPS for model in apps.get_app_config(app).get_models()]
    return {
        label: package_of(model.__module__)
        for model in models
        for label in (model._meta.label, model._meta.label_lower)
    }


@cache
def task_names() -> dict[str, str]:
    """Name of a Celery task -> package."""
    current_app.loader.import_default_modules()
    return {
        name: package_of(name) for name in current_app.tasks if name.startswith(("survey.", "estimation."))
    }


@cache
def url_names() -> dict[str, str]:
    """Name of an address -> package of its view."""
    found: dict[str, str] = {}

    def walk(patterns: list[Any]) -> Iterator[URLPattern]:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns)
            else:
                yield pattern

    for pattern in walk(get_resolver().url_patterns):
        view: Any = pattern.callback
        module = getattr(
            getattr(view, "cls", None) or getattr(view, "view_class", None) or view, "__module__", ""
        )
        if pattern.name and module.startswith(("survey.", "estimation.")):
            found[pattern.name] = package_of(module)
    return found


def _called(node: ast.Call) -> str:
    return getattr(node.func, "attr", "") or getattr(node.func, "id", "")


def _texts(node: ast.Call) -> Iterator[ast.Constant]:
    for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
        for inner in ast.walk(argument):
            if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                yield inner


def _holds_rows(source: ast.Module) -> bool:
    """Whether a source works with rows at all: arrays have attributes of the same names."""
    ends = {"models", "selectors", "services"}
    modules = [node.module or "" for node in ast.walk(source) if isinstance(node, ast.ImportFrom)]
    whole = [name.name for node in ast.walk(source) if isinstance(node, ast.Import) for name in node.names]
    return any(name.startswith("django") or name.rpartition(".")[2] in ends for name in [*modules, *whole])


def mentions(source: ast.Module, package: str) -> Iterator[tuple[int, str, str, str]]:
    """(line, kind, name, owner) of everything that a source names and that may lie above it."""
    relations_above = forbidden_relations(package) if _holds_rows(source) else {}
    for node in ast.walk(source):
        if isinstance(node, ast.Attribute) and node.attr in relations_above:
            yield node.lineno, "reverse relation", node.attr, relations_above[node.attr]
        elif isinstance(node, ast.Call):
            called = _called(node)
            if called in LOOKUPS:
                words = [(text.lineno, text.value) for text in _texts(node)]
                words += [(node.lineno, keyword.arg) for keyword in node.keywords if keyword.arg]
                for line, word in words:
                    for name in {*word.lstrip("-").split("__")} & relations_above.keys():
                        yield line, "reverse relation", name, relations_above[name]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
            if text in url_names() and not text.isalpha():
                yield node.lineno, "address", text, url_names()[text]
            for known, kind in ((model_names(), "model"), (task_names(), "task")):
                if text in known:
                    yield node.lineno, kind, text, known[text]
            for table in TABLE.findall(text):
                if table in tables():
                    yield node.lineno, "table", table, tables()[table]
        if isinstance(node, ast.Call) and _called(node) in URL_CALLS:
            for text in _texts(node):
                if text.value in url_names():
                    yield text.lineno, "address", text.value, url_names()[text.value]


def reaches_of(path: str, text: str, package: str) -> list[Reach]:
    """Everything above ``package`` that one source names."""
    found = mentions(ast.parse(text), package)
    return [Reach(path, *one) for one in dict.fromkeys(found) if is_above(one[3], package)]


@cache
def template_packages() -> dict[str, frozenset[str]]:
    """Template -> packages whose pages show it, by itself or inside another; none for the frame of all pages."""
    known = {
        str(path.relative_to(ROOT / "templates")): path
        for path in tracked("templates/*.html", "templates/*.txt")
    }
    shown: dict[str, set[str]] = defaultdict(set)
    for path in sources():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                name = node.value.partition("#")[0]
                if name in known:
                    shown[name].add(package_of(dotted_name(path)))
    for _depth in range(5):
        for name, path in known.items():
            for inner in INCLUDED.findall(path.read_text(encoding="utf-8")):
                shown[inner] |= shown.get(name, set())
    return {name: frozenset(packages) for name, packages in shown.items()}


def template_reaches(path: str, text: str, packages: frozenset[str]) -> list[Reach]:
    """Addresses that a template names and that lie above a package which shows it."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        for name in URL_TAG.findall(line):
            owner = url_names().get(name, "")
            if owner and any(is_above(owner, package) for package in packages):
                found.append(Reach(path, number, "address", name, owner))
    return found


ACCEPTED = {
    # The unit of a grant and of an activation code: a foreign key upwards, kept because the rows exist.
    ("survey.access", "survey.ReportingUnit"),
    # Words that are names of addresses as well.
    ("survey.access", "design_sample"),  # a permission
    ("survey.questionnaires", "unit_note"),  # a remark on the unit of measure in a document
}


def test_no_source_names_what_lies_above_it() -> None:
    found = [
        reach
        for path in sources()
        for package in [package_of(dotted_name(path))]
        for reach in reaches_of(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"), package)
        if (package, reach.name) not in ACCEPTED
    ]
    assert [str(reach) for reach in found] == []


def test_no_template_names_an_address_above_its_package() -> None:
    found = []
    for path in tracked("templates/*.html", "templates/*.txt"):
        name = str(path.relative_to(ROOT / "templates"))
        packages = template_packages().get(name, frozenset())
        found += template_reaches(name, path.read_text(encoding="utf-8"), packages)
    assert [str(reach) for reach in found] == []


@pytest.mark.parametrize(
    ("package", "text", "kind"),
    [
        ("survey.collection", "assignment.submission.state", "reverse relation"),
        ("survey.frame", "rows.filter(submissions__state='accepted')", "reverse relation"),
        ("survey.submissions", "rows.order_by('-score__rank')", "reverse relation"),
        ("survey.submissions", "sheet.bulk_memberships.filter(act=1)", "reverse relation"),
        ("survey.access", "sql = 'SELECT id FROM survey_submission'", "table"),
        ("survey.review", "sql = 'JOIN estimation_estimationrun run ON true'", "table"),
        ("survey.review", "apps.get_model('estimation.Release')", "model"),
        ("survey.access", "reverse('run_detail', args=[1])", "address"),
        ("survey.access", "PLACES = [('review_queue', 1)]", "address"),
        ("estimation.runs", "redirect('release_detail', 1)", "address"),
    ],
)
def test_a_planted_name_is_caught(package: str, text: str, kind: str) -> None:
    text = f"from django.db import models\n{text}"
    assert [reach.kind for reach in reaches_of("planted.py", text, package)] == [kind]


def test_a_planted_task_is_caught() -> None:
    name, owner = max(task_names().items())
    lower = "survey.access" if owner != "survey.access" else "survey.audit"
    found = reaches_of("planted.py", f"send({name!r})", lower)
    assert [(reach.kind, reach.name) for reach in found] == [("task", name)]


def test_a_planted_address_in_a_template_is_caught() -> None:
    text = "<a href=\"{% url 'run_detail' 1 %}\">"
    assert len(template_reaches("planted.html", text, frozenset({"survey.review"}))) == 1
    assert template_reaches("planted.html", text, frozenset({"estimation.runs"})) == []


def test_what_lies_below_may_be_named() -> None:
    assert reaches_of("own.py", "reverse('sheet_hub', args=[1]); sheet.queries.all()", "survey.review") == []
    assert is_above("survey.review", "survey.submissions") and not is_above(
        "survey.submissions", "survey.review"
    )
    assert len(url_names()) > 100 and len(tables()) > 40 and len(task_names()) > 5 and len(relations()) > 10
