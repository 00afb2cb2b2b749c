"""Pages of the frame and of contact persons."""

from django.urls import URLPattern, URLResolver, path

from survey.frame import views
from survey.frame.contacts import views as contact_views

urlpatterns: list[URLPattern | URLResolver] = [
    path("frame/", views.frame, name="frame"),
    path("frame/templates/<slug:kind>.<slug:form>", views.frame_template, name="frame_template"),
    path("frame/imports/<int:pk>/", views.frame_import, name="frame_import"),
    path("frame/imports/<int:pk>/progress/", views.frame_progress, name="frame_progress"),
    path("frame/imports/<int:pk>/apply/", views.frame_apply, name="frame_apply"),
    path("frame/imports/<int:pk>/cancel/", views.frame_cancel, name="frame_cancel"),
    path("frame/imports/<int:pk>/faults.csv", views.frame_errors, name="frame_errors"),
    path("units/<int:pk>/contacts/", contact_views.unit_contacts, name="unit_contacts"),
]
api_urlpatterns: list[URLPattern | URLResolver] = []
