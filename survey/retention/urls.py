"""Pages of the retention."""

from django.urls import URLPattern, URLResolver, path

from survey.retention import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("audit/retention/", views.retention, name="audit_retention"),
    path("audit/retention/holds/<int:pk>/end/", views.hold_end, name="audit_hold_end"),
]
api_urlpatterns: list[URLPattern | URLResolver] = []
