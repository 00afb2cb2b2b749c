"""Pages of the ledgers."""

from django.urls import URLPattern, URLResolver, path

from survey.ledgers import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("audit/ledgers/", views.ledgers, name="audit_ledgers"),
    path("audit/ledgers/exports/<int:pk>/", views.ledger_export, name="audit_ledger_export"),
]
api_urlpatterns: list[URLPattern | URLResolver] = []
