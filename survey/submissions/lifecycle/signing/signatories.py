"""Who signs a sheet, in order, with the name of each step. Pure."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

STEPS: dict[str, str | Promise] = {
    "filler": _("Filled in by"),
    "stat_head": _("Head of statistics"),
    "unit_head": _("Head of the unit"),
}
