"""Pages of the audit trail."""

from django.urls import URLPattern, URLResolver, path

from survey.audit_trail import views

urlpatterns: list[URLPattern | URLResolver] = [path("audit/", views.audit, name="audit")]
api_urlpatterns: list[URLPattern | URLResolver] = []
