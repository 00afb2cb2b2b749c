"""The engine must be importable where Django is not allowed."""

import subprocess
import sys

MODULES = [
    "definition",
    "document",
    "loader",
    "units",
    "answers",
    "answer_text",
    "answer_errors",
    "syntax",
    "expressions",
    "functions",
    "plan",
    "routing",
    "edits",
    "messages",
    "explanations",
    "size",
    "credit_code",
    "rule_types",
    "checks",
    "trials",
    "samples",
    "solver",
    "definition_files",
]


PROGRAM = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module("survey." + name)
    if "django" in sys.modules:
        sys.exit(name + " imports Django")
"""


def test_modules_import_without_django():
    names = [*(f"questionnaires.{module}" for module in MODULES), "frame.uscc"]
    command = [sys.executable, "-c", PROGRAM, *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
