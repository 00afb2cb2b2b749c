"""The states of a sample design and their names."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

STATE_LABELS: dict[str, Promise] = {
    "draft": _("Draft"),
    "drawn": _("Sample drawn"),
    "approved": _("Approved"),
    "handed_over": _("Handed over"),
    "withdrawn": _("Withdrawn"),
}
