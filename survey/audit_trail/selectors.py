"""The subjects of audit rows: label of the kind, name, and address of the page.

Audit rows have no foreign keys. A kind is the name of a model; its row is looked up for display, and a row that no
longer exists is shown by its number.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import Q
from django.urls import resolve, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from survey.access.decorators import may_open
from survey.access.models import User
from survey.audit import AuditEvent
from survey.request_values import row_key, whole_number

MAX_MATCHES = 200  # rows of one kind that a search by name returns


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of subject. ``pattern`` formats ``fields``; ``page`` is a URL name, ``argument`` the field of its argument."""

    label: str | Promise
    fields: tuple[str, ...] = ()
    pattern: str = "{}"
    page: str = ""
    argument: str = "pk"
    search: tuple[str, ...] = ()  # lookups of the search by name


_UNIT = ("unit__name__icontains", "unit__uscc__istartswith")
_FILED = ("submission__unit__name__icontains", "submission__unit__uscc__istartswith")
_OF_ROUND = ("round__year", "number")
KINDS: dict[str, Kind] = {
    "submission": Kind(_("Sheet"), ("unit__name", "round__year"), "{} · {}", "review_sheet", search=_UNIT),
    "assignment": Kind(
        _("Unit in a round"), ("unit__name", "round__year"), "{} · {}", "unit_detail", search=_UNIT
    ),
    "reportingunit": Kind(
        _("Unit"), ("name", "uscc"), "{} ({})", search=("name__icontains", "uscc__istartswith")
    ),
    "attachment": Kind(_("File"), ("name", "submission__unit__name"), "{} · {}", search=_FILED),
    "filing": Kind(
        _("Filed version"), ("submission__unit__name", "submission__round__year", "number"), "{} · {} · {}",
        search=_FILED,
    ),
    "user": Kind(
        _("Account"), ("name", "username"), "{} ({})", "account",
        search=("name__icontains", "username__icontains"),
    ),
    "collectionround": Kind(_("Round"), ("year",), "{}", "round_detail", "year"),
    "questionnaireversion": Kind(
        _("Questionnaire"), ("form_no", "year", "number"), "{} · {} · {}", "questionnaire_detail",
        search=("form_no__iexact", "category__iexact"),
    ),
    "bulkacceptance": Kind(
        _("Acceptance of many sheets"), ("round__year", "accepted"), "{} · {}", "review_bulk_act"
    ),
    "reminderbatch": Kind(_("Reminders"), ("round__year", "group"), "{} · {}", "reminder_batch"),
    "deskjob": Kind(_("File of a desk"), ("name", "kind"), "{} {}", search=("name__icontains",)),
    "frameimport": Kind(
        _("Frame import"), ("file_name",), "{}", "frame_import", search=("file_name__icontains",)
    ),
    "ledgerexport": Kind(_("Signed export"), ("since",), "{:%Y-%m-%d}"),
    "job": Kind(_("Background work"), ("pk",), "#{}"),
    "legalhold": Kind(_("Legal hold"), ("pk",), "#{}"),
    "retentionreport": Kind(_("Sweep of data over their period"), ("at",), "{:%Y-%m-%d}"),
    "microdataversion": Kind(_("Frozen microdata"), _OF_ROUND, "{} · {}"),
}  # fmt: skip


def register(kinds: Mapping[str, Kind]) -> None:
    """Add the kinds of subjects of an upper package, by model name."""
    KINDS.update(kinds)


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of an audit row; ``href`` is empty when the reader may not open its page."""

    kind: str
    key: str
    label: str
    name: str
    href: str


def subjects_of(events: Iterable[AuditEvent], user: User) -> dict[tuple[str, str], Subject]:
    """The subjects of these rows, by kind and key; one query per kind."""
    keys_by_kind: dict[str, set[str]] = {}
    for event in events:
        if event.subject_type:
            keys_by_kind.setdefault(event.subject_type, set()).add(event.subject_id)
    subjects = {}
    for name, keys in keys_by_kind.items():
        for key in keys:
            label = str(KINDS[name].label) if name in KINDS else name
            subjects[name, key] = Subject(name, key, label, f"#{key}", "")
        subjects |= _named(name, keys, user)
    return subjects


def _named(name: str, keys: set[str], user: User) -> dict[tuple[str, str], Subject]:
    kind, model = KINDS.get(name), _model(name)
    numbers = [number for key in keys if (number := row_key(key)) is not None]
    if kind is None or model is None or not numbers:
        return {}
    fields = dict.fromkeys(("pk", kind.argument, *kind.fields))
    rows = model._default_manager.filter(pk__in=numbers).values(*fields)
    pages = {row["pk"]: _page(kind, row[kind.argument], user) for row in rows}
    if any(pages.values()) and hasattr(model, "SCOPE"):
        visible = set(
            model._default_manager.visible_to(user).filter(pk__in=numbers).values_list("pk", flat=True)
        )
        pages = {pk: href if pk in visible else "" for pk, href in pages.items()}
    return {
        (name, str(row["pk"])): Subject(
            name,
            str(row["pk"]),
            str(kind.label),
            kind.pattern.format(*(row[field] for field in kind.fields)).strip(),
            pages[row["pk"]],
        )
        for row in rows
    }


def _page(kind: Kind, argument: Any, user: User) -> str:
    if not kind.page:
        return ""
    href = reverse(kind.page, args=[argument])
    return href if may_open(resolve(href).func, user) else ""


def _model(name: str) -> Any:
    return next((model for model in apps.get_models() if model._meta.model_name == name), None)


def condition_for(kind: str, text: str) -> Q | None:
    """Condition on audit rows by kind and by the name or number of the subject. None when nothing can match."""
    text = " ".join(text.split())
    if " " in text and text.partition(" ")[0] in KINDS:  # the form of older bookmarks
        kind, text = text.split(" ", 1)
    named = Q(subject_type=kind) if kind else Q()
    if not text:
        return named
    if whole_number(text, 9_999_999_999) is not None:  # longer ones begin a credit code
        return named & Q(subject_id=text)
    conditions = [
        Q(subject_type=name, subject_id__in=[str(key) for key in keys])
        for name in ([kind] if kind else KINDS)
        if (keys := _matching_keys(name, text))
    ]
    if not conditions:
        return None
    combined = Q()
    for condition in conditions:
        combined |= condition
    return combined


def _matching_keys(name: str, text: str) -> list[Any]:
    kind, model = KINDS.get(name), _model(name)
    if kind is None or model is None or not kind.search:
        return []
    condition = Q()
    for lookup in kind.search:
        condition |= Q(**{lookup: text})
    return list(
        model._default_manager.filter(condition).order_by("-pk").values_list("pk", flat=True)[:MAX_MATCHES]
    )
