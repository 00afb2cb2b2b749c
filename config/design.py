"""The design system on one page, for those who build pages: tokens, components and their states, with the
templates themselves and not copies of them. Mounted in debug only."""

import re
from dataclasses import dataclass
from typing import Any

from django.contrib.messages.storage.base import Message
from django.contrib.staticfiles import finders
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from survey.access.decorators import public
from survey.review.forms import ReturnForm
from survey.review.scores.peers import box
from survey.submissions.models import STATE_LABELS

_TOKEN = re.compile(r"^\s*--([a-z-]+):\s*([^;]+);", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Token:
    """One custom property of the style sheet."""

    name: str
    value: str

    @property
    def is_colour(self) -> bool:
        """True for a colour."""
        return self.value.startswith("#")


def tokens() -> list[Token]:
    """The tokens as the style sheet has them now, Bootstrap's own left out."""
    path: Any = finders.find("survey/app.css")
    if path is None:
        return []
    with open(path, encoding="utf-8") as file:
        root = file.read().split(":root {", 1)[-1].split("}", 1)[0]
    return [Token(name, value) for name, value in _TOKEN.findall(root) if not name.startswith("bs-")]


@public
@require_GET
def design_page(request: HttpRequest) -> HttpResponse:
    """Every component in every state."""
    refused = ReturnForm({"reason": "", "due_on": "2020-01-01"}, auto_id="design_%s")
    refused.is_valid()
    quantiles = (12.0, 80.0, 400.0, 2_000.0, 15_000.0)
    context = {
        "tokens": tokens(),
        "states": list(STATE_LABELS),
        "tones": ("neutral", "info", "good", "warn", "bad"),
        "notices": [
            Message(level, text)
            for level, text in (
                (20, _("Something happened that you may want to know.")),
                (25, _("Saved.")),
                (40, _("This could not be done, and here is why.")),
            )
        ],
        "form": refused,
        "errors": [
            {"href": f"#design_{name}", "text": messages[0]} for name, messages in refused.errors.items()
        ],
        "page_obj": Paginator(range(500), 50).get_page(3),
        "photograph": {"pk": 1, "name": "IMG_0001.heic", "kind": "heic"},
        "years": (2024, 2025),
        "categories": [{"code": "CAT01", "label": {"zh": "示例", "en": "Example"}}],
        "items": [{"code": "P01", "label": _("Item")}],
        "choices": [("open", _("Open")), ("closed", _("Closed"))],
        "order": "change",
        "boxes": [plot for plot in (box(500, quantiles, 48, "TB"), box(90_000, quantiles, 48, "TB")) if plot],
        "figures": [("P01", 34_779_447_547, 0.0214), ("S02", 2_345_756_191, -0.0003), ("F01", None, None)],
    }
    return render(request, "design/index.html", context)
