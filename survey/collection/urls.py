"""Pages and endpoints of rounds and contact notes. The page of a unit is in ``fieldwork``."""

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
