"""The page of the contact persons of a unit, for the unit and its desk."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from survey.access.decorators import requires
from survey.access.forms import PlainForm
from survey.access.pages import page
from survey.access.requests import AuthenticatedRequest
from survey.access.roles import Permission
from survey.frame.contacts import services as contacts
from survey.frame.models import ReportingUnit, UnitContact
from survey.notation.telephones import TELEPHONE


class ContactsForm(PlainForm):
    """Name, office phone and work e-mail by role, as ``ROLE_FIELD``."""

    def __init__(self, unit: ReportingUnit, *args: Any, **kwargs: Any) -> None:
        initial = {
            f"{row.role}_{name}": getattr(row, name)
            for row in unit.contacts.all()
            for name in contacts.FIELDS
        }
        super().__init__(*args, initial=initial, **kwargs)
        bad = {
            "invalid": gettext_lazy(
                "Enter a telephone number, for example 010-12345678 or 010-12345678转802."
            )
        }
        for role in UnitContact.Role.values:
            role_fields: dict[str, forms.Field] = {
                "name": forms.CharField(label=gettext_lazy("Name"), max_length=60),
                "phone": forms.RegexField(TELEPHONE, label=gettext_lazy("Office phone"), error_messages=bad),
                "email": forms.EmailField(label=gettext_lazy("Work e-mail")),
            }
            for name, field in role_fields.items():
                field.required = field.widget.is_required = False
                field.widget.attrs |= {"class": "form-control", "autocomplete": "off"}
                self.fields[f"{role}_{name}"] = field

    def clean(self) -> dict[str, Any]:
        """Check that a phone number or an e-mail address comes with a name."""
        data = self.cleaned_data
        for role in UnitContact.Role.values:
            if not data.get(f"{role}_name") and (data.get(f"{role}_phone") or data.get(f"{role}_email")):
                self.add_error(f"{role}_name", _("Enter the name of this person."))
        return data

    def groups(self) -> list[tuple[Any, list[Any]]]:
        """Label and controls of each role."""
        roles = UnitContact.Role.choices
        return [(label, [self[f"{role}_{name}"] for name in contacts.FIELDS]) for role, label in roles]

    def by_role(self) -> dict[str, contacts.Contact]:
        """The input by role."""
        return {
            role: {name: self.cleaned_data[f"{role}_{name}"] for name in contacts.FIELDS}
            for role in UnitContact.Role.values
        }


@requires(Permission.RESPOND, Permission.MANAGE_UNITS)
@never_cache
@require_http_methods(["GET", "POST"])
def unit_contacts(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Contact persons of one unit."""
    unit = get_object_or_404(contacts.reachable_units(request.user), pk=pk)
    form = ContactsForm(unit, request.POST or None)
    if request.method == "POST" and form.is_valid():
        contacts.set_contacts(unit, by=request.user, contacts=form.by_role())
        messages.success(request, _("The contact persons have been saved."))
        return redirect("unit_contacts", pk)
    user = request.user
    context = {"unit": unit, "form": form, "desk": user.has(Permission.MANAGE_UNITS)}
    return page(request, "survey/frame/contacts/contacts.html", context, status=422 if form.errors else 200)
