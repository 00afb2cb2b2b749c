"""What pages are posted in the permission matrix, where it takes more than a line."""

from typing import Any

from django.contrib.auth.tokens import default_token_generator
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.http import urlsafe_base64_encode

from estimation.peers.services import build_peers
from survey.microdata.services import project
from survey.submissions.lifecycle.signing.services import version_hash
from survey.submissions.models import Filing, Submission
from survey.submissions.selectors import sheet as read_sheet
from tests.architecture.matrix_stage import Actor, Place, Stage

CONTACT = {"it_name": "演练丁", "it_phone": "010-12345678", "it_email": "it@example.org"}
NOTE = {"channel": "telephone", "direction": "out", "outcome": "promised", "text": "下周一前报送"}
RUN_FORM = {
    "snapshot": "now", "method": "none", "lower": "0.01", "upper": "0.99", "minimum": "20", "lonely": "adjust",
    "response_classes": "region", "item_nonresponse": "zero", "flow_basis": "both", "data_enterprises": "categories",
    "growth_form": "combined",
}  # fmt: skip
ALLOCATION = {
    "a-method": "proportional",
    "a-n": "60",
    "a-minimum": "2",
    "a-item": "all",
    "a-power": "0.5",
    "response": "90",
    "start": "0",
}


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


def document(stage: Stage, place: Place, actor: Actor) -> dict[str, Any]:
    """A desk's document; every attempt reads its own."""
    return {"file": SimpleUploadedFile("closed.txt", "市监局注销通知书".encode()), "note": "注销通知书"}


def renewal(stage: Stage, place: Place) -> tuple[str, str]:
    """A good link: whoever holds it may use it."""
    uid = urlsafe_base64_encode(str(stage.account.pk).encode())
    return uid, default_token_generator.make_token(stage.account)


def step(stage: Stage, place: Place, actor: Actor) -> dict[str, Any]:
    row = Submission.objects.get(pk=place["open"].pk)
    return {"name": "演练甲", "hash": version_hash(read_sheet(row))}


def compared(stage: Stage, place: Place) -> tuple[int]:
    """An accepted sheet with its observation, of a round whose release has a comparison."""
    row = place["accepted"]
    filing = row.filings.first() or Filing.objects.create(
        submission=row,
        number=1,
        version=row.assignment.version,
        answers=row.answers,
        revision=row.revision,
        content_hash=f"compared {row.pk}",
    )
    project(filing)
    build_peers(stage.published)
    return (row.pk,)
