"""To a provider of OpenID Connect and back."""

from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from requests import RequestException

from survey.access.decorators import public
from survey.access.single_sign_on.adapters import CheckedAdapter, back


@public
@never_cache
@require_POST
def begin(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Go to the provider, with state, nonce and proof key (PKCE)."""
    return _view(request, OAuth2LoginView, provider_id)


@public
@never_cache
@require_GET
def finish(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Come back from the provider with a code, which is exchanged for the identity."""
    return _view(request, OAuth2CallbackView, provider_id)


def _view(
    request: HttpRequest, kind: type[OAuth2LoginView | OAuth2CallbackView], provider_id: str
) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect("home")
    try:
        response: HttpResponse = kind.adapter_view(CheckedAdapter(request, provider_id))(request)
    except (SocialApp.DoesNotExist, OAuth2Error, RequestException, KeyError, ValueError):
        response = back(request, _("Single sign-on did not succeed. Please try again."))
    return response
