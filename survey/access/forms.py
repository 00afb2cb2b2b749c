"""Forms of sign-in, accounts, roles and the audit trail. They validate input; the services apply the policies."""

import datetime as dt
import re
from typing import Any

from allauth.account.forms import LoginForm, ReauthenticateForm
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import AddWebAuthnForm, LoginWebAuthnForm
from django import forms
from django.contrib.auth import password_validation
from django.utils.translation import gettext_lazy as _

from survey.access.models import Region, User
from survey.access.roles import Role
from survey.access.second_factor import services as second_factor
from survey.classification import NATION

USERNAME = re.compile(r"^[\w.@-]{3,40}$")


class PlainForm(forms.Form):
    """Bootstrap classes, links from a control to its error, and the list for the error summary."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            select = isinstance(field.widget, forms.Select)
            check = isinstance(field.widget, forms.CheckboxInput)
            kind = "form-select" if select else "form-check-input" if check else "form-control"
            field.widget.attrs.setdefault("class", kind)

    def full_clean(self) -> None:
        """Add the class of an invalid control to the controls with errors."""
        super().full_clean()
        for name in self.errors:
            if name in self.fields:
                attrs = self.fields[name].widget.attrs
                attrs["class"] = f"{attrs['class']} is-invalid"

    def summary(self) -> list[dict[str, str]]:
        """Errors as components/error_summary.html reads them: address of the control and text."""
        entries = []
        for name, errors in self.errors.items():
            if name not in self.fields:
                entries += [{"href": "", "text": str(error)} for error in errors]
                continue
            control = self[name]
            for error in errors:
                text = _("%(field)s: %(problem)s") % {"field": control.label, "problem": error}
                entries.append({"href": f"#{control.id_for_label}", "text": str(text)})
        return entries


class SignInForm(PlainForm, LoginForm):
    """Account and password."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        account = self.fields["login"]
        account.label = _("Account")
        account.widget.attrs.pop("placeholder", None)
        account.widget.attrs |= {"autocomplete": "username", "autocapitalize": "none"}

    def add_prefix(self, field_name: str) -> str:
        """The name in the page is ``username``, as before and as password managers expect it."""
        return super().add_prefix("username" if field_name == "login" else field_name)


class _NewPasswords(PlainForm):
    """A new password, entered twice, that meets the password rules."""

    new_password = forms.CharField(
        label=_("New password"),
        strip=False,
        max_length=200,
        help_text=_("At least 10 characters; three of: lower case, upper case, digits, other characters."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    repeated = forms.CharField(
        label=_("New password again"),
        strip=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def owner(self) -> Any:
        """The user whose attributes the password must not resemble."""
        return None

    def clean(self) -> dict[str, Any]:
        """Check that both are equal and that the password rules are met."""
        data = super().clean() or {}
        first, second = data.get("new_password"), data.get("repeated")
        if first and second and first != second:
            self.add_error("repeated", _("The two passwords are not the same."))
        if first:
            try:
                password_validation.validate_password(first, self.owner())
            except forms.ValidationError as error:
                self.add_error("new_password", error)
        return data


class PasswordForm(_NewPasswords):
    """The user's own password; the current one confirms the user's identity."""

    old_password = forms.CharField(
        label=_("Current password"),
        strip=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    field_order = ["old_password", "new_password", "repeated"]

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def owner(self) -> User:
        """The signed-in user."""
        return self.user

    def clean_old_password(self) -> str:
        """Check the current password."""
        old: str = self.cleaned_data["old_password"]
        if not self.user.check_password(old):
            raise forms.ValidationError(_("This is not your current password."))
        return old

    def clean(self) -> dict[str, Any]:
        """Check that the new password differs from the current one."""
        data = super().clean()
        if data.get("new_password") and data.get("new_password") == data.get("old_password"):
            self.add_error("new_password", _("The new password must differ from the current one."))
        return data


class ForgottenForm(PlainForm):
    """The account whose password is forgotten."""

    username = forms.CharField(
        label=_("Account"),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )


class RenewalForm(_NewPasswords):
    """A new password, set by the link of the e-mail."""

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def owner(self) -> User:
        """The account of the link."""
        return self.user


class ActivationForm(PlainForm):
    """Credit code and activation code, as printed in the letter."""

    credit_code = forms.CharField(
        label=_("Unified social credit code"),
        max_length=40,
        help_text=_("18 characters, as on the business licence or registration certificate."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )
    code = forms.CharField(
        label=_("Activation code"),
        max_length=40,
        help_text=_("16 characters in four groups; upper or lower case."),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autocapitalize": "characters"}),
    )


class _WithAccountName(PlainForm):
    username = forms.CharField(
        label=_("Account name"),
        max_length=40,
        help_text=_("3 to 40 letters, digits or . _ - @; one account for one person."),
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )
    name = forms.CharField(
        label=_("Your name"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = forms.EmailField(
        label=_("Work e-mail (optional)"),
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    def clean_username(self) -> str:
        """Check the form of the account name and that it is not taken."""
        username: str = self.cleaned_data["username"]
        if not USERNAME.match(username):
            raise forms.ValidationError(_("Use 3 to 40 letters, digits or . _ - @."))
        if User.objects.filter(username__iexact=username).exists():
            raise forms.ValidationError(_("This account name is taken."))
        return username


class FirstAccountForm(_WithAccountName, _NewPasswords):
    """The account of a new respondent."""

    field_order = ["username", "name", "email", "new_password", "repeated"]

    def __init__(self, credit_code: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.credit_code = credit_code

    def owner(self) -> User:
        """The user that will be created."""
        data = self.cleaned_data
        user = User(**{name: data.get(name, "") for name in ("username", "name", "email")})
        user.credit_codes = [self.credit_code]  # type: ignore[attr-defined]  # read by the validator
        return user


class AccountForm(_WithAccountName):
    """A new account, created by the system administrator."""

    phone = forms.CharField(
        label=_("Office telephone (optional)"),
        max_length=30,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "tel"}),
    )


class CodeForm(PlainForm):
    """A code of the second factor."""

    code = forms.CharField(
        label=_("One-time code"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "text"}),
    )


class ChallengeForm(PlainForm, AuthenticateForm):
    """A code of the second factor at sign-in."""

    code = forms.CharField(
        label=_("One-time code"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "text"}),
    )

    def clean_code(self) -> str:
        """Accepted by the authenticator, or one of the recovery codes."""
        code: str = self.cleaned_data["code"]
        factors = Authenticator.objects.filter(user=self.user).exclude(type=Authenticator.Type.WEBAUTHN)
        for factor in factors.order_by("-type"):
            if second_factor.check_code(factor, code):
                factor.user = self.user
                self.authenticator = factor
                return code
        raise forms.ValidationError(_("This code is wrong or has been used already."))


class PasskeyForm(PlainForm, AddWebAuthnForm):
    """A name for a passkey, and what the browser has made for it."""

    name = forms.CharField(
        label=_("Name of the passkey"),
        max_length=60,
        required=False,
        help_text=_("For example the device that keeps it."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["passwordless"].initial = True
        self.fields["passwordless"].widget = forms.HiddenInput()
        self.fields["passwordless"].required = False

    def clean(self) -> dict[str, Any]:
        """What the browser has made, checked; anything may be sent in its place."""
        try:
            data: dict[str, Any] = super().clean() or {}
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise forms.ValidationError(
                _("The browser could not make a passkey. Please try again.")
            ) from error
        return data


class PasskeySignInForm(LoginWebAuthnForm):
    """The answer of a passkey at sign-in; anybody may send anything in its place."""

    def clean_credential(self) -> Any:
        """The passkey that has answered."""
        refused = forms.ValidationError(_("This passkey is not known here, or its answer is wrong."))
        if not isinstance(self.cleaned_data["credential"], dict):
            raise refused
        try:
            return super().clean_credential()
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise refused from error


class ConfirmForm(PlainForm, ReauthenticateForm):
    """The password once more, before the second factor is changed."""

    password = forms.CharField(
        label=_("Current password"),
        strip=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class GrantForm(PlainForm):
    """A role with its region and category."""

    role = forms.ChoiceField(label=_("Role"))
    region = forms.ModelChoiceField(label=_("Region"), queryset=Region.objects.none(), empty_label=None)
    category = forms.ChoiceField(label=_("Category"), required=False)

    def __init__(self, categories: list[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles = [choice for choice in Role.choices if choice[0] != Role.RESPONDENT]
        self.fields["role"].choices = roles  # type: ignore[attr-defined]  # a ChoiceField, declared above
        self.fields["region"].queryset = Region.objects.filter(  # type: ignore[attr-defined]  # a ModelChoiceField
            level__lte=Region.Level.PROVINCE
        )
        self.fields["region"].initial = NATION
        self.fields["category"].choices = [("", _("All categories")), *categories]  # type: ignore[attr-defined]  # a ChoiceField


class AuditFilter(PlainForm):
    """Filter of the audit trail; every field is optional."""

    actor = forms.CharField(label=_("Who"), max_length=60, required=False)
    action = forms.ChoiceField(label=_("Action"), required=False)
    kind = forms.ChoiceField(label=_("Kind of object"), required=False)
    subject = forms.CharField(
        label=_("Object: name, credit code or number"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    since = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    until = forms.DateField(
        label=_("Until"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    outcome = forms.ChoiceField(
        label=_("Outcome"),
        required=False,
        choices=[("", _("All")), ("yes", _("Succeeded")), ("no", _("Refused or failed"))],
    )

    def __init__(
        self, actions: list[tuple[str, Any]], kinds: list[tuple[str, Any]], *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        for name, choices in (("action", actions), ("kind", kinds)):
            ordered = sorted(choices, key=lambda choice: str(choice[1]))
            self.fields[name].choices = [("", _("All")), *ordered]  # type: ignore[attr-defined]  # a ChoiceField

    def clean(self) -> dict[str, Any]:
        """Check that the start is not after the end."""
        data = super().clean() or {}
        since, until = data.get("since"), data.get("until")
        if isinstance(since, dt.date) and isinstance(until, dt.date) and since > until:
            self.add_error("until", _("The end lies before the start."))
        return data
