"""Pages and endpoints of the results of runs."""

from django.urls import URLPattern, URLResolver, path

from estimation.results import api, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("results/", views.results, name="results"),
    path("results/table/<int:number>/", views.results_table, name="results_table"),
    path("results/domain/", views.results_domain, name="results_domain"),
]
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("indicators/", api.Indicators.as_view(), name="api_indicators"),
    path("tables/<int:number>/", api.Tables.as_view(), name="api_tables"),
]
