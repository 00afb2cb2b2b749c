"""Pages and endpoints of the room. The page of one unit stands in ``review``: it tells what all rooms know."""

from django.urls import URLPattern, URLResolver, path

from survey.collection import api, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("rounds/", views.rounds, name="rounds"),
    path("rounds/plan/", views.round_plan, name="round_plan"),
    path("rounds/<int:year>/", views.round_detail, name="round_detail"),
    path("rounds/<int:year>/state/", views.round_state, name="round_state"),
]
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("units/<int:pk>/contacts/", api.ContactNotesView.as_view(), name="api_unit_notes"),
]
