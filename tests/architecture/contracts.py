"""Contracts of the layout that depend on the names of modules and folders.

Each function takes the source and returns its violations as sentences, so that a test can plant a violation in a copy
of the source. The meaning of names is defined in survey/decisions/0031-names-of-modules.md.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase

from tests.architecture.orders import siblings
from tests.architecture.source import Source

# From the lowest to the highest: a module may import its own level and those below. A module with any other
# name is pure and lies below all of them.
LEVELS: tuple[tuple[str, ...], ...] = (
    ("scope", "models"),
    ("storage",),
    ("selectors", "hooks"),
    ("presentation",),
    ("policies", "transitions", "services", "hashers"),
    ("adapters", "backends", "forms"),
    ("tasks",),
    ("requests",),
    ("decorators", "pages"),
    ("views", "api", "middleware", "navigation", "templatetags"),
    ("urls", "apps", "registration", "commands"),
)
LEVEL = {name: level for level, names in enumerate(LEVELS, start=1) for name in names}
# Folders whose name holds for every module in them; everywhere else the name of the module itself decides.
NAMING_FOLDERS = {"storage", "templatetags", "commands"}
# The base module that holds a table, under the name whose level it has.
BASE = {
    "survey.audit": "models",
    "survey.encrypted_fields": "models",
    "survey.records": "models",
    "survey.locks": "storage",
    "survey.clock": "models",  # reads no table, only the time
    "survey.files": "storage",
    "survey.request_bodies": "forms",
}
NOT_IMPORTED = {"api", "urls", "apps", "commands"}
WITHOUT_ARRAYS = {"scope", "models", "forms", "tasks", "decorators", "pages", "views", "api", "urls"}
FRAMEWORKS = {
    "allauth",
    "celery",
    "django",
    "django_htmx",
    "drf_spectacular",
    "environ",
    "psycopg",
    "redis",
    "rest_framework",
}
# What a pure module may import from Django: translation, settings and enumerations; never rows or requests.
PURE_DJANGO = {
    "survey.*": (
        "django.utils.*",
        "django.conf.settings",
        "django.db.models.TextChoices",
        "django.db.models.IntegerChoices",
    ),
    "estimation.*": ("django.utils.functional.*", "django.utils.translation.*"),
    "estimation.methods.*": (),
    "estimation.runs.compute.*": (),
}
# Modules of the survey that the estimation may import besides pure modules: access, base modules and selectors.
# Models only where rows of the estimation refer to them.
ENTRIES = (
    "survey.request_bodies",
    "survey.access.roles",
    "survey.access.scope",
    "survey.access.decorators",
    "survey.access.pages",
    "survey.access.navigation",
    "survey.access.requests",
    "survey.access.models",
    "survey.audit",
    "survey.encrypted_fields",
    "survey.records",
    "survey.locks",
    "survey.clock",
    "survey.files",
    "survey.printing",
    "survey.sentences",
    "survey.jobs*",
    "survey.idempotency.decorators",
    "survey.*selectors",
    "survey.collection.models",
    "survey.frame.models",
    "survey.microdata.models",
    "survey.collection.services",
    "survey.microdata.services",
    "survey.review.scores.services",
)
MOST_MODULES = 20
DOTTED_NAME = re.compile(r"(?:survey|estimation)(?:\.\w+)+")


def level_of(name: str) -> int:
    """0 for a pure module, else the number of its level in ``LEVELS``."""
    *folders, last = BASE.get(name, name).split(".")
    for part in (last, *(folder for folder in reversed(folders) if folder in NAMING_FOLDERS)):
        if part in LEVEL:
            return LEVEL[part]
    return 0


def _program(source: Source) -> dict[str, set[str]]:
    """Imports of the modules of survey and estimation, without those of folders (``__init__``)."""
    folders = source.packages()
    return {
        name: targets
        for name, targets in source.imports().items()
        if name.startswith(("survey.", "estimation.")) and name not in folders
    }


def imports_of_higher_levels(source: Source) -> list[str]:
    """Modules that import a module of a higher level, in whatever folder both lie."""
    program = _program(source)
    return sorted(
        f"{name} imports {target}"
        for name, targets in program.items()
        for target in targets
        if target in program and level_of(target) > level_of(name)
    )


def imports_of_pages(source: Source) -> list[str]:
    """Modules other than URL configurations that import endpoints, or pages of another package."""
    program = _program(source)
    violations = []
    for name, targets in program.items():
        for target in targets & program.keys():
            last = target.rpartition(".")[2]
            outside = package_of(name) != package_of(target) or not name.endswith(".views")
            if name.endswith(".urls"):
                continue
            if last in NOT_IMPORTED or (last == "views" and outside):
                violations.append(f"{name} imports {target}")
    return sorted(violations)


def package_of(name: str) -> str:
    """``survey.review`` of ``survey.review.bulk.views``."""
    return ".".join(name.split(".")[:2])


def frameworks_in_pure_modules(source: Source) -> list[str]:
    """Pure modules that import rows, requests, endpoints or queues.

    Imports of modules of the program that do so are violations of the order of levels.
    """
    violations = []
    for name, targets in _program(source).items():
        if level_of(name):
            continue
        allowed = next(
            patterns for prefix, patterns in reversed(PURE_DJANGO.items()) if fnmatchcase(name, prefix)
        )
        violations += [
            f"{name} imports {target}"
            for target in targets
            if target.split(".")[0] in FRAMEWORKS and not _matches(target, allowed)
        ]
    return sorted(violations)


def _matches(name: str, patterns: Collection[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def arrays_outside_computation(source: Source) -> list[str]:
    """Models, pages, endpoints and tasks that import NumPy or SciPy."""
    return sorted(
        f"{name} imports {target}"
        for name, targets in _program(source).items()
        for target in targets
        if name.rpartition(".")[2] in WITHOUT_ARRAYS and target.split(".")[0] in {"numpy", "scipy"}
    )


def entries_into_survey(source: Source) -> list[str]:
    """Imports of the survey by packages of the estimation that no entry allows, as ``package imports module``.

    ``rehearsal`` is exempt: it simulates every office and writes their rows.
    """
    program = _program(source)
    return sorted(
        {
            f"{package_of(name)} imports {target}"
            for name, targets in program.items()
            for target in targets
            if name.startswith("estimation.")
            and package_of(name) != "estimation.rehearsal"
            and target.startswith("survey.")
            and not _matches(target, ENTRIES)
            and level_of(target)
        }
    )


def entries_into_packages(source: Source) -> list[str]:
    """What ``config`` imports, or names by a dotted string, from the two apps other than URL configurations.

    The list of periodic work in ``config/celery.py`` may name packages and tasks besides.
    """
    violations = {
        f"{name} imports {target}"
        for name, targets in source.imports().items()
        if name.partition(".")[0] == "config"
        for target in targets
        if target.startswith(("survey.", "estimation.")) and not target.endswith(".urls")
    }
    known = source.modules().keys() | source.packages()
    for path, tree in source.trees():
        if not path.startswith("config/"):
            continue
        allowed = source.packages() if path == "config/celery.py" else set()
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            module = next((text[:end] for end in _ends(text) if text[:end] in known), "")
            if "." not in module or module.endswith(".urls") or text in allowed:
                continue
            if path == "config/celery.py" and module.endswith(".tasks"):
                continue
            violations.add(f"{path.removesuffix('.py').replace('/', '.')} names {text}")
    return sorted(violations)


def _ends(text: str) -> list[int]:
    """Lengths of the dotted prefixes of a string that names something of the two apps, the longest first."""
    if not DOTTED_NAME.fullmatch(text):
        return []
    return [len(text), *(match.start() for match in reversed([*re.finditer(r"\.", text)]))]


def cycles_of_subpackages(source: Source, order: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Imports between sub-packages of one package against the written order.

    A package whose sub-packages do not import each other needs no order.
    """
    folders = source.packages()
    violations = set()
    for name, targets in _program(source).items():
        for target in targets:
            for package, own, other in siblings(name, target, folders):
                written = order.get(package, ())
                if own not in written or other not in written:
                    violations.add(f"{package}: {own} imports {other}, which no order allows")
                elif written.index(own) > written.index(other):
                    violations.add(f"{package}: {own} imports {other}, which lies above it ({name})")
    return sorted(violations)


def unused_orders(source: Source, order: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Sub-packages in an order that do not exist."""
    folders = source.packages()
    return [
        f"{package}.{subpackage}"
        for package, names in order.items()
        for subpackage in names
        if f"{package}.{subpackage}" not in folders
    ]


def oversized_packages(source: Source) -> list[str]:
    """Packages with more than ``MOST_MODULES`` modules of their own."""
    counted: dict[str, int] = defaultdict(int)
    for path in source.texts:
        if not path.endswith("/__init__.py"):
            counted[path.rpartition("/")[0]] += 1
    return sorted(
        f"{package} has {count} modules" for package, count in counted.items() if count > MOST_MODULES
    )


def suffixed_names(source: Source) -> list[str]:
    """Second ``views`` or ``services`` of a package (``views_x``, ``x_views``) and folders without a subject (``utils``)."""
    words = {"views", "api", "urls", "forms", "tasks", "services", "selectors", "models"}
    violations = []
    for path in source.texts:
        name = path.rpartition("/")[2].removesuffix(".py")
        parts = name.split("_")
        if len(parts) > 1 and (parts[0] in words or parts[-1] in words) and name not in {"api_urls"}:
            violations.append(path)
        if {"utils", "helpers", "common", "core", "misc"} & {*path.removesuffix(".py").split("/")}:
            violations.append(path)
    return sorted(violations)


def unscoped_reads(source: Source, models: Collection[str]) -> list[str]:
    """Pages and endpoints that read scoped models otherwise than through ``visible_to``."""
    violations = []
    for path, tree in source.trees():
        if not path.endswith(("/views.py", "/api.py")):
            continue
        for node in ast.walk(tree):
            at = f"{path}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Attribute) and manager_of(node.value) in models:
                if node.attr not in {"visible_to", "none"}:
                    violations.append(f"{at} .objects.{node.attr}")
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                first = node.args[0]
                if node.func.id.startswith("get_") and isinstance(first, ast.Name) and first.id in models:
                    violations.append(f"{at} {node.func.id}({first.id})")
    return sorted(violations)


def scoped_reads(source: Source, models: Collection[str]) -> int:
    """Number of reads of scoped models by pages and endpoints."""
    return sum(
        isinstance(node, ast.Attribute) and manager_of(node.value) in models
        for path, tree in source.trees()
        if path.endswith(("/views.py", "/api.py"))
        for node in ast.walk(tree)
    )


def manager_of(node: ast.expr) -> str:
    """``Submission`` of ``Submission.objects``."""
    if isinstance(node, ast.Attribute) and node.attr == "objects" and isinstance(node.value, ast.Name):
        return node.value.id
    return ""


def writers_of_states(source: Source) -> dict[str, set[str]]:
    """Path -> functions, classes and constants that write a column named ``state``."""
    writers: dict[str, set[str]] = {}
    for path, tree in source.trees():
        for top in tree.body:
            if any(_writes_state(node) for node in ast.walk(top)):
                writers.setdefault(path, set()).add(_name(top))
    return writers


def _name(node: ast.stmt) -> str:
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return str(getattr(node, "name", ""))


def _writes_state(node: ast.AST) -> bool:
    """``row.state = ...``, ``rows.update(state=...)``, or SQL that sets or inserts the state of a sheet."""
    if isinstance(node, ast.Assign):
        targets = [
            t for target in node.targets for t in (target.elts if isinstance(target, ast.Tuple) else [target])
        ]
        return any(isinstance(target, ast.Attribute) and target.attr == "state" for target in targets)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "update":
        return any(word.arg == "state" for word in node.keywords)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        sql = " ".join(node.value.split())
        return "SET state =" in sql or ("INSERT INTO survey_submission (" in sql)
    return False
