"""The hidden field of forms that are carried out once; available in every template."""

from uuid import uuid4

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from survey.idempotency.services import FIELD

register = template.Library()


@register.simple_tag
def idempotency_key() -> SafeString:
    """A key that is new with every rendering of the form."""
    return format_html('<input type="hidden" name="{}" value="{}">', FIELD, uuid4().hex)
