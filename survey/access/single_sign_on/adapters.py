"""Single sign-on by OpenID Connect: identities of an office's own provider, tied to accounts that exist here.

An identity is its provider and the subject that the provider gives. The first time it comes, the claim that the
settings name must be the name of an account without an identity of this provider. Accounts are never made, and roles
never change, because of what a provider says. A provider is for staff or for respondents, and signs in nobody else.
"""

from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.conf import settings
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from survey import audit
from survey.access.models import User
from survey.access.roles import Role


class SingleSignOnAdapter(DefaultSocialAccountAdapter):
    """Hooks of django-allauth around the answer of a provider."""

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> Any:
        """Read the claim that names the account, and keep none of the claims: they are personal data."""
        account = sociallogin.account
        claims = {**account.extra_data.get("id_token", {}), **account.extra_data.get("userinfo", {})}
        wanted = settings.SINGLE_SIGN_ON[account.provider]["account_claim"]
        sociallogin.account_name = str(claims.get(wanted) or "")
        account.extra_data = {}
        return sociallogin.user

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Let in whom the identity belongs to, tie it to its account at the first time, refuse all others."""
        provider = sociallogin.account.provider
        user = (
            sociallogin.user if sociallogin.is_existing else _account_of(provider, sociallogin.account_name)
        )
        if user is None or not _is_for(provider, user):
            audit.record(by=None, action="sign_in", subject=user, succeeded=False, kind=provider)
            raise ImmediateHttpResponse(
                back(request, _("No account here belongs to this identity. Ask a system administrator."))
            )
        if not sociallogin.is_existing:
            sociallogin.user = user
            try:
                with transaction.atomic():
                    sociallogin.account.user = user
                    sociallogin.account.save()
                    audit.record(by=user, action="identity_linked", subject=user, provider=provider)
            except IntegrityError:
                sociallogin.account = SocialAccount.objects.get(
                    provider=provider, uid=sociallogin.account.uid, user=user
                )

    def on_authentication_error(self, request: HttpRequest, provider: Any, **details: Any) -> None:
        """Back to the page of sign-in: the provider refused, did not answer, or somebody changed their mind."""
        raise ImmediateHttpResponse(back(request, _("Single sign-on did not succeed. Please try again.")))

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Never: see above."""
        return False


def back(request: HttpRequest, sentence: str) -> Any:
    """The page of sign-in with a sentence."""
    messages.error(request, sentence)
    return redirect("sign_in")


def _account_of(provider: str, name: str) -> User | None:
    """The account of this name, unless another identity of the provider is tied to it already."""
    taken = SocialAccount.objects.filter(provider=provider).values("user_id")
    return User.objects.filter(username=name).exclude(pk__in=taken).first() if name else None


def _is_for(provider: str, user: User) -> bool:
    """True when the account is of the kind that the provider is for."""
    responds = Role.RESPONDENT.value in user.roles()
    return responds is bool(settings.SINGLE_SIGN_ON[provider]["kind"] == "respondent")
