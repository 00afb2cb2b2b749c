"""Pages and endpoints of the room."""

from django.urls import URLPattern, URLResolver, path

from estimation.runs import api, views, views_changes, views_methods
from estimation.runs.bootstrap import views as views_bootstrap
from estimation.runs.inspection import views as views_units

urlpatterns: list[URLPattern | URLResolver] = [
    path("runs/", views.runs, name="runs"),
    path("runs/new/", views.run_new, name="run_new"),
    path("runs/changes/", views_changes.run_changes, name="run_changes"),
    path("runs/compare/", views.run_compare, name="run_compare"),
    path("runs/<int:pk>/compare/<int:other>/", views_units.run_compare_cell, name="run_compare_cell"),
    path("runs/<int:pk>/", views.run_detail, name="run_detail"),
    path("runs/<int:pk>/progress/", views.run_progress, name="run_progress"),
    path("runs/<int:pk>/cancel/", views.run_cancel, name="run_cancel"),
    path("runs/<int:pk>/treated/", views.run_treated, name="run_treated"),
    path("runs/<int:pk>/weights/", views.run_weights, name="run_weights"),
    path("runs/<int:pk>/units/", views_units.run_units, name="run_units"),
    path("runs/<int:pk>/bootstrap/", views_bootstrap.run_bootstrap, name="run_bootstrap"),
    path(
        "runs/<int:pk>/bootstrap/cancel/", views_bootstrap.run_bootstrap_cancel, name="run_bootstrap_cancel"
    ),
    path("runs/<int:pk>/methods/", views_methods.run_methods, name="run_methods"),
]
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("runs/", api.Runs.as_view(), name="api_runs"),
    path("runs/<int:pk>/", api.Run.as_view(), name="api_run"),
    path("runs/<int:pk>/estimates/", api.Estimates.as_view(), name="api_estimates"),
]
