"""The release that is installed while the next one is put in, as ``[tool.upgrade]`` of pyproject.toml names it."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.state import ProjectState

ROOT = Path(__file__).resolve().parents[2]
Node = tuple[str, str]


@cache
def record() -> dict[str, Any]:
    """The whole table."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return dict(tomllib.loads(text)["tool"]["upgrade"])


def commit() -> str:
    """The commit of the release."""
    return str(record()["released"])


def nodes() -> list[Node]:
    """The last migration of each app in the release."""
    return sorted(record()["migrations"].items())


def state(loader: MigrationLoader) -> ProjectState:
    """The tables as the code of the release knows them."""
    return loader.project_state(nodes())


def newer(loader: MigrationLoader) -> list[Migration]:
    """Migrations that the release does not have, in the order in which they are applied."""
    had = {node for last in nodes() for node in loader.graph.forwards_plan(last)}
    plan: list[Node] = []
    for leaf in loader.graph.leaf_nodes():
        plan += [node for node in loader.graph.forwards_plan(leaf) if node not in had and node not in plan]
    return [loader.graph.nodes[node] for node in plan]
