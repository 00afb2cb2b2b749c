"""Pages of the room."""

from django.urls import URLPattern, URLResolver, path

from survey.collection import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("rounds/", views.rounds, name="rounds"),
    path("rounds/plan/", views.round_plan, name="round_plan"),
    path("rounds/<int:year>/", views.round_detail, name="round_detail"),
    path("rounds/<int:year>/state/", views.round_state, name="round_state"),
    path("units/", views.unit_list, name="unit_list"),
    path("units/<int:pk>/", views.unit_detail, name="unit_detail"),
    path("units/<int:pk>/disposition/", views.unit_disposition, name="unit_disposition"),
    path("units/<int:pk>/extension/", views.unit_extend, name="unit_extend"),
    path("units/<int:pk>/code/", views.unit_code, name="unit_code"),
]
api_urlpatterns: list[URLPattern | URLResolver] = []
