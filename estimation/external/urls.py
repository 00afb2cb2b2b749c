"""Pages of the external series."""

from django.urls import URLPattern, URLResolver, path

from estimation.external import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("external/", views.external_list, name="external_list"),
    path("external/new/", views.external_new, name="external_new"),
    path("external/import/", views.external_import, name="external_import"),
    path("external/import/<int:pk>/", views.external_file, name="external_file"),
    path("external/<int:pk>/approve/", views.external_approve, name="external_approve"),
]
api_urlpatterns: list[URLPattern | URLResolver] = []
