"""Files that are no program: version, licence, hooks, pipelines, layout of the text files."""

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from tests.architecture.test_layout import ROOT, tracked

PIPELINES = (".github/workflows/ci.yml", ".gitlab-ci.yml")
BINARY = {".mo", ".png", ".ttf", ".xlsx", ".parquet", ".pdf", ".docx", ".zip", ".gz"}
OTHER_PROGRAMS = {".svg", ".csv", ".json", ".lock"}  # .editorconfig leaves their last line alone


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_version_stands_once() -> None:
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert version == settings.VERSION == settings.SPECTACULAR_SETTINGS["VERSION"]
    assert "tomllib" in read("config/settings.py")
    assert f'"{version}"' not in read("config/settings.py")


def entries_without_figures(changelog: str) -> list[str]:
    """Entries that do not say whether published figures move."""
    entries = [line for line in changelog.splitlines() if line.startswith("- ")]
    return [entry for entry in entries if not re.search(r" Figures (unchanged[ .]|move: )", entry)]


def test_the_changelog_says_whether_figures_move_and_ends_at_the_version() -> None:
    changelog = read(".github/CHANGELOG.md")
    assert entries_without_figures(changelog) == []
    assert entries_without_figures(changelog + "- A new default.\n") == ["- A new default."]
    versions = re.findall(r"^## \[(.+?)\]", changelog, re.MULTILINE)
    assert versions[:2] == ["Unreleased", settings.VERSION]
    assert versions[1:] == sorted(
        versions[1:], key=lambda name: [int(part) for part in name.split(".")], reverse=True
    )


def test_the_licence_names_year_and_owner() -> None:
    assert re.search(r"^ +Copyright 20\d\d The [\w ]+$", read("LICENSE"), re.MULTILINE)
    assert "[yyyy]" not in read("LICENSE")


def downloads(configuration: dict[str, Any]) -> list[str]:
    """Hooks that would fetch something: another repository, or an environment of their own."""
    matches = []
    for repository in configuration["repos"]:
        if repository["repo"] != "local":
            matches.append(repository["repo"])
            continue
        matches += [hook["id"] for hook in repository["hooks"] if not hook["entry"].startswith("uv ")]
        matches += [hook["id"] for hook in repository["hooks"] if hook["language"] != "system"]
    return matches


def test_hooks_run_only_tools_of_the_lock_file() -> None:
    configuration = yaml.safe_load(read(".pre-commit-config.yaml"))
    assert len(configuration["repos"][0]["hooks"]) > 8
    assert downloads(configuration) == []
    configuration["repos"].append({"repo": "https://example.org/hooks", "rev": "v1", "hooks": []})
    configuration["repos"][0]["hooks"].append({"id": "odd", "entry": "ruff check", "language": "python"})
    assert downloads(configuration) == ["odd", "odd", "https://example.org/hooks"]


def commands(pipeline: object) -> list[str]:
    """Every command line of a pipeline: values of ``run`` and ``script`` wherever they stand."""
    lines: list[str] = []
    if isinstance(pipeline, dict):
        for key, value in pipeline.items():
            if key in {"run", "script"} and isinstance(value, str | list):
                lines += [value] if isinstance(value, str) else value
            else:
                lines += commands(value)
    elif isinstance(pipeline, list):
        for value in pipeline:
            lines += commands(value)
    return lines


@pytest.mark.parametrize("name", PIPELINES)
def test_pipelines_call_the_one_script(name: str) -> None:
    assert commands(yaml.safe_load(read(name))) == [".ci/run"]


def test_the_script_runs_the_hooks_and_the_tests() -> None:
    script = read(".ci/run")
    assert "pre-commit run --all-files --hook-stage pre-push" in script
    assert script.rstrip().endswith("uv run pytest")


@pytest.mark.parametrize(
    ("report", "status", "expected"),
    [
        ("No known vulnerabilities found", 0, 0),
        ("Found 1 known vulnerability in 1 package", 1, 1),
        ("Found 12 known vulnerabilities in 3 packages", 1, 1),
        ("ConnectionError: Max retries exceeded", 1, 0),
    ],
)
def test_a_known_fault_of_a_locked_package_fails_and_being_offline_does_not(
    tmp_path: Path, report: str, status: int, expected: int
) -> None:
    for name, text in {"uv": "exit 0", "uvx": f"echo '{report}'\nexit {status}"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = subprocess.run([ROOT / ".ci/audit"], env={"PATH": path}, capture_output=True, text=True)
    assert done.returncode == expected
    assert ("were not compared" in done.stdout) is (status == 1 and not expected)


def test_the_development_container_is_plain_json() -> None:
    container = json.loads(read(".devcontainer/devcontainer.json"))
    assert read(".python-version").strip() in container["image"]


def test_no_file_is_a_symbolic_link() -> None:
    assert [str(path.relative_to(ROOT)) for path in tracked() if path.is_symlink()] == []


def blemishes(path: Path) -> list[str]:
    """What .editorconfig forbids: carriage returns, blanks at the end of a line, a last line without its end."""
    content = path.read_bytes()
    violations = ["carriage return"] if b"\r" in content else []
    violations += ["blank at the end of a line"] if re.search(rb"[ \t]\n", content) else []
    if content and not content.endswith(b"\n") and path.suffix not in OTHER_PROGRAMS:
        violations.append("no end of line at the end")
    return violations


def test_text_files_are_laid_out_as_editorconfig_says(tmp_path: Path) -> None:
    files = [path for path in tracked() if path.suffix not in BINARY]
    violations = {str(path.relative_to(ROOT)): faults for path in files if (faults := blemishes(path))}
    assert violations == {}
    (tmp_path / "odd.py").write_bytes(b"a = 1 \r\nb = 2 \nc = 3")
    assert blemishes(tmp_path / "odd.py") == [
        "carriage return",
        "blank at the end of a line",
        "no end of line at the end",
    ]
