"""Pages and endpoints of the runs."""

from django.urls import URLPattern, URLResolver, path

from estimation.runs import api, views
from estimation.runs.bootstrap import views as bootstrap
from estimation.runs.inspection import views as inspection

urlpatterns: list[URLPattern | URLResolver] = [
    path("runs/", views.runs, name="runs"),
    path("runs/new/", views.run_new, name="run_new"),
    path("runs/changes/", inspection.run_changes, name="run_changes"),
    path("runs/compare/", views.run_compare, name="run_compare"),
    path("runs/<int:pk>/compare/<int:other>/", inspection.run_compare_cell, name="run_compare_cell"),
    path("runs/<int:pk>/", views.run_detail, name="run_detail"),
    path("runs/<int:pk>/progress/", views.run_progress, name="run_progress"),
    path("runs/<int:pk>/cancel/", views.run_cancel, name="run_cancel"),
    path("runs/<int:pk>/treated/", views.run_treated, name="run_treated"),
    path("runs/<int:pk>/weights/", views.run_weights, name="run_weights"),
    path("runs/<int:pk>/units/", inspection.run_units, name="run_units"),
    path("runs/<int:pk>/bootstrap/", bootstrap.run_bootstrap, name="run_bootstrap"),
    path("runs/<int:pk>/bootstrap/cancel/", bootstrap.run_bootstrap_cancel, name="run_bootstrap_cancel"),
    path("runs/<int:pk>/methods/", inspection.run_methods, name="run_methods"),
]
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("runs/", api.Runs.as_view(), name="api_runs"),
    path("runs/<int:pk>/", api.Run.as_view(), name="api_run"),
    path("runs/<int:pk>/estimates/", api.Estimates.as_view(), name="api_estimates"),
]
