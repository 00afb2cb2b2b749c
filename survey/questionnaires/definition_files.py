"""Validates the definition files against schema.json before their content is interpreted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from survey.exceptions import DefinitionError
from survey.questionnaires.loader import read_yaml

SCHEMA_FAULT = "schema"


def schema_faults(root: Path) -> Iterator[tuple[str, str]]:
    """Yields (file and location, message) of every schema violation; unparsable files included."""
    schema = json.loads((root / "schema.json").read_text(encoding="utf-8"))
    for kind, paths in _files(root).items():
        validator = Draft202012Validator({"$ref": f"#/$defs/{kind}", "$defs": schema["$defs"]})
        for path in paths:
            try:
                content = read_yaml(path)
            except DefinitionError as fault:
                yield path.name, fault.message
                continue
            for error in validator.iter_errors(content):
                location = _location(content, list(error.absolute_path))
                yield f"{path.name} {location}".strip(), error.message[:300]


def _files(root: Path) -> dict[str, list[Path]]:
    return {
        "items": [*root.glob("items.yaml"), *sorted((root / "items").glob("*.yaml"))],
        "edits": list(root.glob("edits.yaml")),
        "breakdowns": list(root.glob("breakdowns.yaml")),
        "uses": list(root.glob("uses.yaml")),
        "form": sorted((root / "forms").glob("*.yaml")),
        "codelist": sorted((root / "codelists").glob("*.yaml")),
    }


def _location(content: Any, path: list[Any]) -> str:
    """A path that names items and edits by their code instead of their position."""
    names: list[str] = []
    for step in path:
        content = content[step]
        code = content.get("code") if isinstance(content, dict) else None
        names.append(str(code) if code and isinstance(step, int) else str(step))
    return " > ".join(names)
