"""Single sign-on by OpenID Connect: identities of an office's own provider, tied to accounts that exist here.

An identity is its provider and the subject that the provider gives. The first time it comes, the claim that the
settings name must be the name of an account without an identity of this provider. Accounts are never made, and roles
never change, because of what a provider says. A provider is for staff or for respondents, and signs in nobody else.

What a provider says counts only with an ID token that it has signed for this client and this request. django-allauth
does not check the signature of a token that it has fetched itself, and sends no nonce; both are done here.
"""

import logging
from typing import Any
from urllib.parse import urlencode, urlsplit

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.utils import generate_code_challenge
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from survey import audit
from survey.access import sessions
from survey.access.models import User
from survey.access.roles import Role
from survey.access.single_sign_on.id_tokens import InvalidToken, nonce_of, verified

logger = logging.getLogger(__name__)


class CheckedAdapter(OpenIDConnectOAuth2Adapter):
    """The exchange of a code for an identity, with all checks of the ID token."""

    @property
    def openid_config(self) -> dict[str, Any]:
        """What the provider says about itself. It must name the issuer that the settings name."""
        config: dict[str, Any] = super().openid_config
        if config.get("issuer") != self.get_provider().app.settings["issuer"]:
            raise OAuth2Error("The provider names another issuer than the settings.")
        return config

    def get_access_token_data(
        self, request: HttpRequest, app: SocialApp, client: Any, pkce_code_verifier: str | None = None
    ) -> Any:
        """Exchange the code, and keep the nonce that belongs to the proof key."""
        if not pkce_code_verifier:
            raise OAuth2Error("The request had no proof key.")
        self.nonce = nonce_of(pkce_code_verifier)
        return super().get_access_token_data(request, app, client, pkce_code_verifier=pkce_code_verifier)

    def complete_login(
        self, request: HttpRequest, app: SocialApp, token: SocialToken, **answer: Any
    ) -> SocialLogin:
        """The identity that the signed token names; further claims come from the provider's page for them."""
        try:
            claims = verified(
                str(answer["response"].get("id_token") or ""),
                self._read(self.openid_config["jwks_uri"]),
                issuer=app.settings["issuer"],
                audience=app.client_id,
                nonce=self.nonce,
            )
            more = {}
            if self.openid_config.get("userinfo_endpoint"):
                more = self._read(self.profile_url, Authorization=f"Bearer {token.token}")
                if more.get("sub") != claims["sub"]:
                    raise InvalidToken("sub of userinfo")
        except InvalidToken as error:
            logger.warning("single sign-on: the identity was refused: %s", error)
            audit.record(by=None, action="sign_in", succeeded=False, kind=self.provider_id)
            raise OAuth2Error("The identity was refused.") from error
        self._remember_where_to_sign_out(request)
        return self.get_provider().sociallogin_from_response(request, {"id_token": claims, "userinfo": more})

    def _remember_where_to_sign_out(self, request: HttpRequest) -> None:
        """Where the provider names a page for signing out (OpenID Connect RP-Initiated Logout 1.0).

        Only on the host of the settings: the form for signing out leads there, which the content security policy allows.
        """
        app = self.get_provider().app
        page = str(self.openid_config.get("end_session_endpoint") or "")
        if page and urlsplit(page)[:2] == urlsplit(app.settings["server_url"])[:2]:
            sessions.came_from(
                request.session,
                f"{page}{'&' if '?' in page else '?'}{urlencode({'client_id': app.client_id})}",
            )

    def _read(self, url: str, **headers: str) -> dict[str, Any]:
        with SingleSignOnAdapter(self.request).get_requests_session() as session:
            response = session.get(url, headers=headers)
            response.raise_for_status()
        document: dict[str, Any] = response.json()
        return document


class CheckedProvider(OpenIDConnectProvider):
    """OpenID Connect whose requests always carry a proof key (PKCE, S256) and a nonce."""

    oauth2_adapter_class = CheckedAdapter

    def get_pkce_params(self) -> dict[str, Any]:
        """The proof key, whatever the settings say, and the nonce that is derived from it."""
        challenge: dict[str, Any] = generate_code_challenge()
        return {**challenge, "nonce": nonce_of(challenge["code_verifier"])}

    def get_scope_from_request(self, request: HttpRequest) -> list[str]:
        """The scope of the settings: nothing in an address changes what is asked for."""
        return list(self.get_scope())

    def get_auth_params_from_request(self, request: HttpRequest, action: str) -> dict[str, Any]:
        """As for the scope."""
        return dict(self.get_auth_params())


class SingleSignOnAdapter(DefaultSocialAccountAdapter):
    """Hooks of django-allauth around the answer of a provider."""

    def get_provider(
        self, request: HttpRequest, provider: str, client_id: str | None = None
    ) -> CheckedProvider:
        """Every provider is one of OpenID Connect, with our checks."""
        return CheckedProvider(request, app=self.get_app(request, provider, client_id))

    def get_requests_session(self) -> Any:
        """Requests to a provider go to the addresses that it has published and nowhere else: a redirect is an error."""
        session = super().get_requests_session()
        session.max_redirects = 0
        return session

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
