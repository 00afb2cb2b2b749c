"""What the respondent's newer pages are posted in the permission matrix."""

from typing import Any

from django.contrib.auth.tokens import default_token_generator
from django.core.cache import cache
from django.utils.http import urlsafe_base64_encode

from survey.submissions.models import Submission
from survey.submissions.selectors import sheet as read_sheet
from survey.submissions.signing import version_hash
from tests.architecture.matrix_stage import Actor, Place, Stage

CONTACT = {"it_name": "演练丁", "it_phone": "010-12345678", "it_email": "it@example.org"}


def revision(row: Submission) -> int:
    """The revision that is stored now."""
    return Submission.objects.values_list("revision", flat=True).get(pk=row.pk)


def workbook(stage: Stage, place: Place, actor: Actor) -> dict[str, Any]:
    """The token of a rehearsal that this person has seen."""
    if actor.user is None:
        return {"token": "x"}
    kept = {"changes": {"P02": {"value": "17", "unit": "TB"}}, "base": revision(place["open"])}
    cache.set(f"workbook:{place['open'].pk}:{actor.user.pk}:matrix", kept, 60)
    return {"token": "matrix", "seen": kept["base"]}


def renewal(stage: Stage, place: Place) -> tuple[str, str]:
    """A good link: whoever holds it may use it."""
    uid = urlsafe_base64_encode(str(stage.account.pk).encode())
    return uid, default_token_generator.make_token(stage.account)


def step(stage: Stage, place: Place, actor: Actor) -> dict[str, Any]:
    row = Submission.objects.get(pk=place["open"].pk)
    return {"name": "演练甲", "hash": version_hash(read_sheet(row))}
