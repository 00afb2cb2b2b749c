"""Providers of single sign-on, read from the environment: one for staff, one for respondents, both optional."""

from typing import Any
from urllib.parse import urlsplit

import environ

KINDS = ("staff", "respondent")


def providers(env: environ.Env) -> dict[str, dict[str, Any]]:
    """Kind -> provider, for each kind whose OIDC_<KIND>_SERVER_URL is set."""
    result = {}
    for kind in KINDS:
        prefix = f"OIDC_{kind.upper()}_"
        server: str = env.str(f"{prefix}SERVER_URL", default="")
        if server:
            result[kind] = {
                "kind": kind,
                "name": env.str(f"{prefix}NAME", default=urlsplit(server).hostname),
                "server_url": server,
                "issuer": env.str(
                    f"{prefix}ISSUER", default=server.removesuffix("/.well-known/openid-configuration")
                ),
                "client_id": env.str(f"{prefix}CLIENT_ID"),
                "secret": env.str(f"{prefix}CLIENT_SECRET"),
                "subject_claim": env.str(f"{prefix}SUBJECT_CLAIM", default="sub"),
                "account_claim": env.str(f"{prefix}ACCOUNT_CLAIM", default="preferred_username"),
            }
    return result


def app_of(provider: dict[str, Any]) -> dict[str, Any]:
    """A provider as django-allauth takes it."""
    return {
        "provider_id": provider["kind"],
        "name": provider["name"],
        "client_id": provider["client_id"],
        "secret": provider["secret"],
        "settings": {
            "server_url": provider["server_url"],
            "issuer": provider["issuer"],
            "uid_field": provider["subject_claim"],
            "oauth_pkce_enabled": True,
        },
    }


def origins(providers: dict[str, dict[str, Any]]) -> list[str]:
    """Where a form of ours leads to: browsers apply the content security policy to redirects, too."""
    parts = [urlsplit(provider["server_url"]) for provider in providers.values()]
    return [f"{part.scheme}://{part.netloc}" for part in parts]
