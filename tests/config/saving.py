"""A save of one cell, as the page of a section sends it."""

from typing import Any

from django.test import Client
from django.urls import reverse

from survey.submissions.lifecycle.states import State
from survey.submissions.models import Submission
from tests.factories import make_sheet


def a_save(world: Any) -> tuple[Client, str, dict[str, Any], Submission]:
    """The browser of a respondent, the address, the body, and the sheet."""
    row = make_sheet(world.unit, State.IN_PROGRESS)
    browser = Client(raise_request_exception=False)
    browser.force_login(world.users["respondent"])
    body = {"revision": row.revision, "cell": ["P01"], "P01.value": "4321", "P01.unit": "TB"}
    return browser, reverse("sheet_save", args=[row.pk, "P"]), body, row
