"""A web process has loaded everything before it answers."""

import subprocess
import sys
from typing import Any

import pytest
from django.template import engines

from config.web.warm import load_template, template_names
from tests.architecture.test_layout import ROOT

COUNT = """
import sys, time
from config.wsgi import application
before, began = set(sys.modules), time.process_time()
from django.test import RequestFactory
request = RequestFactory().get("/sign-in/", HTTP_HOST="127.0.0.1").environ
body = b"".join(application(request, lambda status, headers: None))
assert b"<form" in body, body[:300]
print(*sorted(name for name in ("altair", "docx", "scipy.optimize", "scipy.stats", "xlsxwriter") if name in sys.modules))
print(*sorted(name for name in set(sys.modules) - before if name.split(".")[0] in ("survey", "estimation", "config")))
"""


@pytest.mark.django_db
def test_the_first_request_loads_no_module_of_the_program() -> None:
    done = subprocess.run([sys.executable, "-c", COUNT], cwd=ROOT, capture_output=True, text=True, check=True)
    large, late = done.stdout.split("\n")[:2]
    assert late == ""
    assert large == "altair", "libraries that make a start a third longer, for work that few processes do"


def test_every_template_is_compiled_and_kept() -> None:
    names = template_names()
    assert len(names) > 100
    for name in names:
        load_template(name)
    backend: Any = engines["django"]
    kept = backend.engine.template_loaders[0]
    assert hasattr(kept, "get_template_cache"), "the loader keeps nothing"
    assert {name for name in names if name not in kept.get_template_cache} == set()


def test_a_template_that_does_not_compile_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    load_template("errors/nothing.html")
    assert "errors/nothing.html" in caplog.text
