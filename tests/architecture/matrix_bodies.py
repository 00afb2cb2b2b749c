"""Bodies of POST requests of the permission matrix that take more than one line."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.http import urlsafe_base64_encode

from estimation.peers.services import build_peers
from survey.access.recovery.services import tokens
from survey.access.roles import Role
from survey.microdata.services import project
from survey.submissions.lifecycle.signing.services import version_hash
from survey.submissions.models import Filing, Submission
from survey.submissions.selectors import sheet as read_sheet
from tests.architecture.matrix_data import Actor, MatrixData, RegionData

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
    """The stored revision."""
    return Submission.objects.values_list("revision", flat=True).get(pk=row.pk)


def workbook(data: MatrixData, region: RegionData, actor: Actor) -> dict[str, Any]:
    """The token of a dry run of an uploaded workbook by this actor."""
    if actor.user is None:
        return {"token": "x"}
    dry_run = {"changes": {"P02": {"value": "17", "unit": "TB"}}, "base": revision(region["open"])}
    cache.set(f"workbook:{region['open'].pk}:{actor.user.pk}:matrix", dry_run, 60)
    return {"token": "matrix", "seen": dry_run["base"]}


def document(data: MatrixData, region: RegionData, actor: Actor) -> dict[str, Any]:
    """A document attached by the office; a file object for each request, as it is read once."""
    return {"file": SimpleUploadedFile("closed.txt", "市监局注销通知书".encode()), "note": "注销通知书"}


def passkey(data: MatrixData, region: RegionData) -> tuple[int]:
    """A passkey of the reviewer."""
    user = next(actor.user for actor in data.actors if actor.name == Role.REVIEWER.value)
    values = {"data": {"name": "key", "credential": {}}}
    return (Authenticator.objects.get_or_create(user=user, type="webauthn", defaults=values)[0].pk,)


def renewal(data: MatrixData, region: RegionData) -> tuple[str, str]:
    """Arguments of a valid link for setting a new password."""
    uid = urlsafe_base64_encode(str(data.account.pk).encode())
    return uid, tokens.make_token(data.account)


def step(data: MatrixData, region: RegionData, actor: Actor) -> dict[str, Any]:
    """A signature of the open sheet with its current hash."""
    row = Submission.objects.get(pk=region["open"].pk)
    return {"name": "演练甲", "hash": version_hash(read_sheet(row))}


def compared(data: MatrixData, region: RegionData) -> tuple[int]:
    """An accepted sheet with its observation, of a round whose release has peer comparisons."""
    row = region["accepted"]
    filing = row.filings.first() or Filing.objects.create(
        submission=row,
        number=1,
        version=row.assignment.version,
        answers=row.answers,
        revision=row.revision,
        content_hash=f"compared {row.pk}",
    )
    project(filing)
    build_peers(data.published)
    return (row.pk,)
