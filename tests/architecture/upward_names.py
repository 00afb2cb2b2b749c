"""Finds strings and attributes by which a module uses what lies above it: reverse relations, models, tables, tasks, URLs.

An import upwards fails the import contracts; a string that names something of an upper package makes the same
dependency, which no import contract sees. A package is above another when it imports it, directly or through
others, and the estimation is above the survey. Within a package the order of sub-packages in ``ORDER`` decides;
only URLs are left out there, as the pages of a package link to each other. What the packages offer is read from
Django's registries.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from celery import current_app
from django.apps import apps
from django.urls import URLPattern, URLResolver, get_resolver

from tests.architecture.orders import is_higher_subpackage
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
class UpwardName:
    """The name of something that lies above the file that names it."""

    path: str
    line: int
    kind: str
    name: str
    owner: str  # the module that defines it; of a URL, the package of its view

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
    """Source files of the packages, without migrations, commands and template tags."""
    outside = {"migrations", "management", "templatetags"}
    return [path for path in tracked("survey/*.py", "estimation/*.py") if not outside & set(path.parts)]


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
        reached, waiting = set[str](), list(direct[start])
        while waiting:
            package = waiting.pop()
            if package not in reached:
                reached.add(package)
                waiting += direct.get(package, ())
        closed[start] = frozenset(reached - {start})
    return closed


def is_above(upper: str, lower: str) -> bool:
    """Whether package ``upper`` may use package ``lower`` and must not be used by it."""
    if upper == lower:
        return False
    if lower.startswith("survey") and upper.startswith("estimation"):
        return True
    return lower in imports().get(upper, frozenset())


@cache
def folders() -> frozenset[str]:
    """Dotted names of all packages and sub-packages."""
    return frozenset(dotted_name(path).rpartition(".")[0] for path in sources())


@cache
def is_module_above(upper: str, lower: str) -> bool:
    """Whether module ``upper`` lies in a package or sub-package above that of module ``lower``."""
    packages = package_of(upper), package_of(lower)
    return (
        is_above(*packages) if packages[0] != packages[1] else is_higher_subpackage(upper, lower, folders())
    )


def _models() -> list[Any]:
    return [model for app in APPS for model in apps.get_app_config(app).get_models()]


@cache
def relations() -> frozenset[str]:
    """Names of reverse relations whose two models are defined in different modules."""
    return frozenset(
        str(field.name)
        for model in _models()
        for field in model._meta.get_fields()
        if field.is_relation and field.auto_created and not field.concrete
        if field.related_model.__module__ != model.__module__
    )


@cache
def owners() -> dict[str, set[str]]:
    """Name of a field or reverse relation -> modules whose models define the field or make the relation."""
    modules: dict[str, set[str]] = defaultdict(set)
    for model in _models():
        for field in model._meta.get_fields():
            related = getattr(field, "related_model", None) if field.auto_created else model
            modules[field.name].add((related or model).__module__)
    return modules


@cache
def forbidden_relations(module: str) -> dict[str, str]:
    """Reverse relations that a module must not follow, with the module that makes them.

    A name that a model at or below the module defines as well is allowed: the source does not say which is meant.
    """
    return {
        name: min(owners()[name])
        for name in relations()
        if all(is_module_above(owner, module) for owner in owners()[name])
    }


@cache
def tables() -> dict[str, str]:
    """Table -> module of its model."""
    return {model._meta.db_table: model.__module__ for model in _models()}


@cache
def model_names() -> dict[str, str]:
    """``app.Model``, in both spellings, -> module."""
    return {
        label: model.__module__
        for model in _models()
        for label in (model._meta.label, model._meta.label_lower)
    }


@cache
def task_names() -> dict[str, str]:
    """Name of a Celery task -> module."""
    current_app.loader.import_default_modules()
    return {
        name: name.rpartition(".")[0]
        for name in current_app.tasks
        if name.startswith(("survey.", "estimation."))
    }


@cache
def url_names() -> dict[str, str]:
    """Name of a URL -> package of its view."""
    packages: dict[str, str] = {}

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
            packages[pattern.name] = package_of(module)
    return packages


def _called(node: ast.Call) -> str:
    return getattr(node.func, "attr", "") or getattr(node.func, "id", "")


def _texts(node: ast.Call) -> Iterator[ast.Constant]:
    for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
        for inner in ast.walk(argument):
            if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                yield inner


def _holds_rows(source: ast.Module) -> bool:
    """Whether a source works with rows: in other modules the same names are attributes of arrays."""
    ends = {"models", "selectors", "services"}
    modules = [node.module or "" for node in ast.walk(source) if isinstance(node, ast.ImportFrom)]
    imported = [name.name for node in ast.walk(source) if isinstance(node, ast.Import) for name in node.names]
    return any(name.startswith("django") or name.rpartition(".")[2] in ends for name in [*modules, *imported])


def names_of(source: ast.Module, module: str) -> Iterator[tuple[int, str, str, str]]:
    """(line, kind, name, owner) of everything that a source names and that may lie above its module."""
    relations_above = forbidden_relations(module) if _holds_rows(source) else {}
    for node in ast.walk(source):
        if isinstance(node, ast.Attribute) and node.attr in relations_above:
            yield node.lineno, "reverse relation", node.attr, relations_above[node.attr]
        elif isinstance(node, ast.Call):
            called = _called(node)
            if called in LOOKUPS:
                words = [(text.lineno, str(text.value)) for text in _texts(node)]
                words += [(node.lineno, keyword.arg) for keyword in node.keywords if keyword.arg]
                for line, word in words:
                    for name in {*word.lstrip("-").split("__")} & relations_above.keys():
                        yield line, "reverse relation", name, relations_above[name]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
            if text in url_names() and not text.isalpha():
                yield node.lineno, "URL", text, url_names()[text]
            for modules, kind in ((model_names(), "model"), (task_names(), "task")):
                if text in modules:
                    yield node.lineno, kind, text, modules[text]
            for table in TABLE.findall(text):
                if table in tables():
                    yield node.lineno, "table", table, tables()[table]
        if isinstance(node, ast.Call) and _called(node) in URL_CALLS:
            for constant in _texts(node):
                name = str(constant.value)
                if name in url_names():
                    yield constant.lineno, "URL", name, url_names()[name]


def upward_names(path: str, text: str, module: str) -> list[UpwardName]:
    """Everything above its module that a source names, each once a line."""
    names = dict.fromkeys(names_of(ast.parse(text), module))
    return [
        UpwardName(path, line, kind, name, owner)
        for line, kind, name, owner in names
        if (is_above(owner, package_of(module)) if kind == "URL" else is_module_above(owner, module))
    ]


@cache
def template_packages() -> dict[str, frozenset[str]]:
    """Template -> packages whose pages render it, directly or through an include; none for the base template."""
    templates = {
        str(path.relative_to(ROOT / "templates")): path
        for path in tracked("templates/*.html", "templates/*.txt")
    }
    rendered: dict[str, set[str]] = defaultdict(set)
    for path in sources():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                name = node.value.partition("#")[0]
                if name in templates:
                    rendered[name].add(package_of(dotted_name(path)))
    for _depth in range(5):
        for name, path in templates.items():
            for inner in INCLUDED.findall(path.read_text(encoding="utf-8")):
                rendered[inner] |= rendered.get(name, set())
    return {name: frozenset(packages) for name, packages in rendered.items()}


def upward_urls(path: str, text: str, packages: frozenset[str]) -> list[UpwardName]:
    """URLs that a template names and that lie above a package which renders it."""
    return [
        UpwardName(path, number, "URL", name, owner)
        for number, line in enumerate(text.splitlines(), start=1)
        for name in URL_TAG.findall(line)
        if (owner := url_names().get(name, "")) and any(is_above(owner, package) for package in packages)
    ]
