"""Files at the root of the site that browsers and crawlers request without a link.

A browser takes ``/favicon.ico`` for every document that names no icon: JSON, PDF, error pages.
"""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.templatetags.static import static
from django.urls import URLPattern, path
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from survey.access.decorators import public

ICON = "survey/icon.png"  # PNG, for browsers without SVG icons
ROBOTS = """\
User-agent: *
Allow: /zh/
Allow: /en/
Allow: /static/
Disallow: /
"""
_cached_for_a_day = cache_control(public=True, max_age=86_400)


@public
@require_safe
@_cached_for_a_day
def icon(request: HttpRequest) -> HttpResponse:
    """Redirect to the icon in the static files, whose name contains its hash."""
    return HttpResponseRedirect(static(ICON))


@public
@require_safe
@_cached_for_a_day
def robots(request: HttpRequest) -> HttpResponse:
    """Crawlers may read the public site and nothing else."""
    return HttpResponse(ROBOTS, content_type="text/plain; charset=utf-8")


urlpatterns: list[URLPattern] = [
    path("favicon.ico", icon, name="favicon"),
    path("apple-touch-icon.png", icon, name="touch_icon"),
    path("apple-touch-icon-precomposed.png", icon, name="touch_icon_precomposed"),
    path("robots.txt", robots, name="robots"),
]
