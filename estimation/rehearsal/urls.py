"""Pages of the rehearsal."""

from django.urls import URLPattern, URLResolver, path

from estimation.rehearsal import views

urlpatterns: list[URLPattern | URLResolver] = [path("truth/", views.truth, name="truth")]
api_urlpatterns: list[URLPattern | URLResolver] = []
