"""Details of an audit row for display: labels of the keys and of the coded values."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from config import single_sign_on
from survey.access.roles import Role
from survey.audit_trail.labels import COUNTED
from survey.classification import name_of
from survey.collection.models import ContactNote, Disposition
from survey.fieldwork.models import DeskJob, ReminderBatch
from survey.jobs.kinds import label_of as job_label
from survey.questionnaires.loader import load_codelist
from survey.review.selectors import region_name
from survey.sentences import Sentence
from survey.submissions.lifecycle.signing.signatories import STEPS
from survey.submissions.lifecycle.states import State
from survey.submissions.models import STATE_LABELS, Attachment

type Words = str | Promise
# In order of display. Keys without a label are shown last, as they are.
LABELS: dict[str, Words] = {
    "old": _("Before"), "new": _("After"), "reason": _("Reason"), "evidence": _("Evidence"), "unit": _("Unit"),
    "year": _("Year"), "item": _("Item"), "role": _("Role"), "region": _("Region"), "category": _("Category"),
    "roles": _("Contact persons"), "channel": _("Way"), "via": _("Way in"), "direction": _("Direction"),
    "outcome": _("Outcome"), "follow_up": _("Ask again on"), "purpose": _("Purpose"), "name": _("Name"),
    "size": _("Size"), "group": _("Group"), "sheets": _("Sheets"), "accepted": _("Accepted"),
    "skipped": _("Left in the queue"), "reasons": _("Reasons judged"), "undone": _("Taken back"),
    "moved_on": _("Moved on since"), "left": _("Not taken back"), "move": _("Move"), "kind": _("Kind"), "rows": _("Rows"),
    "blocks": _("Blocks"), "faults": _("Faults"), "removed": _("Removed"), "held": _("Kept under a hold"),
    "since": _("From"), "until": _("Until"), "files": _("Files"), "sizes": _("Total size"), "missing": _("Missing files"),
    "orphans": _("Files that no row names"), "unnamed": _("Which ones"),
    "counts": _("Verified"), "restores": _("Restores of the database"),
    "operator": _("Restored by"), "restored_at": _("Time"), "ledgers": _("Ledgers"),
    "block": _("Last block"), "lost": _("Given up up to block"), "lost_hash": _("Hash of that block"),
    "algorithm": _("Algorithm"), "key": _("Key"), "signature": _("Signature"),
    "units": _("Units"), "named": _("Units by name"), "variable": _("Item"), "statistic": _("Statistic"),
    "domain": _("Domain"), "filters": _("Filter"), "filter": _("Filter"), "method": _("Method"),
    "path": _("Address"), "view": _("Page"), "found": _("Found"), "number": _("No."), "code": _("Code"),
    "revision": _("Revision"), "attachment": _("File no."), "sha256": _("SHA-256"), "round": _("Round"),
    "content_hash": _("Hash of the content"),
    "result_hash": _("Hash of the result"), "definition_hash": _("Hash of the definition"),
    "to": _("To"), "sections": _("Sections"), "email": _("E-mail"), "complete": _("Complete"),
    "input_hash": _("Hash of the input"), "version": _("Version"), "run": _("Run"), "replicates": _("Replicates"),
    "why": _("Reason"), "username": _("Account"), "credit_code": _("Credit code"), "format": _("Format"),
    "source": _("Source"), "value": _("Value"), "file": _("File"), "compared_with": _("Compared with run"),
    "added": _("New"), "changed": _("Changed"), "back": _("Back in the frame"), "allocation": _("Allocation"),
    "same": _("Same sample"), "scale": _("Scale"), "seed": _("Seed"), "invitation": _("Invitation no."),
    "hash": _("Hash of the content"), "attempts": _("Attempts"), "attempts_forgotten": _("Failures taken off the count"),
    "by_activation": _("By activation"), "by_set_up": _("At the set-up of the system"), "days": _("Days"),
    "expires_at": _("Valid until"), "replaced": _("Earlier codes replaced"), "known": _("Account exists"),
    "provider": _("Single sign-on"), "roles_ended": _("Roles ended"), "sessions": _("Sessions"),
    "values": _("Values"), "error": _("Error"),
}  # fmt: skip
CHANNELS: dict[str, Words] = {
    "page": _("page"),
    "api": _("interface for machines"),
    "excel": _("Excel file"),
    "rehearsal": _("rehearsal"),
    "guest": _("guest"),
    "register": _("register"),
    **dict(ContactNote.Channel.choices),
}
REASONS: dict[str, Words] = {"idle": _("not used for long")}
BULK_ACTIONS: dict[str, Words] = {
    "accept": _("accepted by the province"),
    "accept_finally": _("accepted finally"),
}


def _categories(code: str) -> Words:
    return name_of("categories", code, get_language() or "")


def _reason(code: str) -> Words:
    """The label of a coded reason; free text is returned as it is."""
    if code in REASONS:
        return REASONS[code]
    for name in ("exempt_reasons", "invalid_reasons"):
        for entry in load_codelist(name).entries:
            if entry.code == code:
                return entry.label.get(get_language() or "")
    return code


def _state_or_disposition(code: str) -> Words:
    """The label of a state of a sheet or of a disposition."""
    if code in set(State):
        return STATE_LABELS[State(code)]
    return dict(Disposition.choices).get(code, code)


def _label_from(choices: Any) -> Callable[[str], Words]:
    return lambda code: dict(choices).get(code, code)


# The words of "kind" by action; otherwise it is a kind of file of a desk.
FACTORS: dict[str, Words] = {
    "password": _("Password"),
    **dict.fromkeys(single_sign_on.KINDS, _("Single sign-on")),
    "totp": _("Authenticator"),
    "recovery_codes": _("Recovery codes"),
    "webauthn": _("Passkey"),
}
PERIODS: dict[str, Words] = {}  # kinds of data that are kept for a period
# Names of the parts of a detail, by its key; otherwise they are those of details.
PARTS: Mapping[str, Mapping[str, Words]] = {
    **dict.fromkeys(("removed", "held"), PERIODS),
    **dict.fromkeys(("counts", "files", "sizes", "missing", "orphans"), COUNTED),
}


def _period(code: str) -> Words:
    return PERIODS.get(code, code)


KINDS_OF: dict[str, Callable[[str], Words]] = {
    "job_retried": job_label,
    "job_discarded": job_label,
    "hold_set": _period,
    "hold_ended": _period,
    "sign_in": _label_from(FACTORS),
    "second_factor": _label_from(FACTORS),
    "second_factor_set_up": _label_from(FACTORS),
}
VALUES: dict[str, Callable[[str], Words]] = {
    "old": _state_or_disposition,
    "new": _state_or_disposition,
    "reason": _reason,
    "role": _label_from(dict(Role.choices) | STEPS),
    "region": region_name,
    "category": _categories,
    "channel": _label_from(CHANNELS),
    "via": _label_from(CHANNELS),
    "direction": _label_from(ContactNote.Direction.choices),
    "outcome": _label_from(ContactNote.Outcome.choices),
    "purpose": _label_from(Attachment.Purpose.choices),
    "group": _label_from(ReminderBatch.Group.choices),
    "kind": _label_from(DeskJob.Kind.choices),
    "move": _label_from(BULK_ACTIONS),
}


def register_periods(labels: Mapping[str, Words]) -> None:
    """Add the names of kinds of data that are kept for a period."""
    PERIODS.update(labels)


def described(details: dict[str, Any], action: str = "") -> Iterator[tuple[str, str, bool]]:
    """(label, value, whether the key has a label) of each detail that is not empty."""
    for key in [*(key for key in LABELS if key in details), *(key for key in details if key not in LABELS)]:
        value = details[key]
        if value in (None, "", [], {}) or (key == "view" and "path" in details):
            continue  # the path includes what the URL name says
        label_of = KINDS_OF.get(action) if key == "kind" else None
        shown = str(label_of(value)) if label_of and isinstance(value, str) else _value(key, value)
        yield str(LABELS.get(key, key)), shown, key in LABELS


def _value(key: str, value: Any) -> str:
    if isinstance(value, dict) and value.keys() == {"code", "params"}:
        return str(Sentence.from_document(value))
    if isinstance(value, dict):
        names = PARTS.get(key, LABELS)
        return ", ".join(f"{names.get(name, name)}: {_value(name, part)}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(_value(key, part) for part in value)
    if isinstance(value, bool):
        return str(_("yes")) if value else str(_("no"))
    return str(VALUES[key](value)) if key in VALUES and isinstance(value, str) else str(value)
