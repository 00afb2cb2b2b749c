"""Mounts the two sides, the interface for machines and the language switch."""

from django.conf import settings
from django.urls import URLPattern, include, path
from drf_spectacular.views import SpectacularAPIView

from config.design import design_page
from config.site_files import urlpatterns as site_files


def in_debug() -> list[URLPattern]:
    """Pages for those who build the system."""
    return [path("design/", design_page, name="design")] if settings.DEBUG else []


urlpatterns = [
    *site_files,
    path("", include("survey.urls")),
    path("", include("estimation.public.urls")),  # /zh/ and /en/: the public site
    path("estimation/", include("estimation.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="api_schema"),
    path("api/v1/", include("config.api_urls")),
    *in_debug(),
]
handler400 = "config.errors.bad_request"
handler403 = "config.errors.forbidden"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
