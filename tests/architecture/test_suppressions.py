"""A finding of mypy or ruff that is switched off has its reason on the same line."""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

FOLDERS = ("config", "survey", "estimation", "tests")
SUPPRESSION = re.compile(r"#\s*(?:type:\s*ignore|noqa|ruff:\s*noqa|mypy:)", re.IGNORECASE)
WITH_REASON = re.compile(
    r"# type: ignore\[[a-z-]+(?:, [a-z-]+)*\]  # [^\s#]|# noqa: [A-Z]+\d+(?:, [A-Z]+\d+)* [^\s#:-]"
)


def without_reason(source: str) -> Iterator[int]:
    """Lines with a suppression that does not say which finding it is about and why."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and SUPPRESSION.search(token.string):
            suppressions = len(SUPPRESSION.findall(token.string))
            if len(WITH_REASON.findall(token.string)) < suppressions:
                yield token.start[0]


@pytest.mark.parametrize("folder", FOLDERS)
def test_suppressions_have_a_reason(folder: str) -> None:
    files: list[Path] = [path for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts]
    assert files
    assert [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted(files)
        for line in without_reason(path.read_text(encoding="utf-8"))
    ] == []


@pytest.mark.parametrize(
    ("comment", "is_violation"),
    [
        ("# type: ignore[misc]", True),
        ("# type: ignore  # any", True),
        ("# type: ignore[misc] why", True),
        ("# noqa", True),
        ("# noqa: S603", True),
        ("# noqa: S603  # why", True),
        ("# noqa: S603 - why", True),
        ("# ruff: noqa: S603", True),
        ("# type: ignore[misc]  # noqa: S603 why", True),
        ("# type: ignore[misc]  # the package has no types", False),
        ("# type: ignore[misc, arg-type]  # the package has no types", False),
        ("# noqa: S603, S607 a program of PostgreSQL", False),
        ("# an ordinary comment", False),
    ],
)
def test_a_planted_suppression_is_found(comment: str, is_violation: bool) -> None:
    source = f'"""Says # noqa in a text."""\n\nx = 1  {comment}\n'
    assert list(without_reason(source)) == ([3] if is_violation else [])
