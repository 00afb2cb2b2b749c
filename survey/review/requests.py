"""What programs ask the interface for."""

from collections.abc import Mapping

from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from survey.review.filters import QueueFilter


def known_setting(query: Mapping[str, str]) -> QueueFilter:
    """The filter of a query. A page drops a value that it does not know, a program gets 400."""
    setting = QueueFilter.read(query)
    # A year without a round is 404 and not this.
    if unknown := [name for name in setting.dropped(query) if name != "year"]:
        raise ValidationError({name: [_("This filter has no such value.")] for name in unknown})
    return setting
