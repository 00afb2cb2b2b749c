"""Pages and endpoints of the room."""

from django.urls import URLPattern, URLResolver, path

from estimation.external import views as external_views
from estimation.releases import api as release_api
from estimation.releases import views as release_views
from estimation.releases.passages import views as block_views
from estimation.results import api, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("results/", views.results, name="results"),
    path("results/table/<int:number>/", views.results_table, name="results_table"),
    path("results/domain/", views.results_domain, name="results_domain"),
    path("releases/", release_views.release_list, name="release_list"),
    path("releases/prepare/", release_views.release_prepare, name="release_prepare"),
    path("releases/<int:pk>/", release_views.release_detail, name="release_detail"),
    path("releases/<int:pk>/act/", release_views.release_act, name="release_act"),
    path("releases/<int:pk>/cells/", release_views.release_cells, name="release_cells"),
    path("releases/<int:pk>/disclosure/", release_views.release_disclosure, name="release_disclosure"),
    path("releases/<int:pk>/differences/", release_views.release_differences, name="release_differences"),
    path("releases/<int:pk>/comparison/", release_views.release_comparison, name="release_comparison"),
    path("passages/<int:year>/", block_views.block_list, name="block_list"),
    path("passages/<int:year>/<str:code>/", block_views.block_edit, name="block_edit"),
    path("external/", external_views.external_list, name="external_list"),
    path("external/new/", external_views.external_new, name="external_new"),
    path("external/import/", external_views.external_import, name="external_import"),
    path("external/import/<int:pk>/", external_views.external_file, name="external_file"),
    path("external/<int:pk>/approve/", external_views.external_approve, name="external_approve"),
]
_release = "releases/<int:year>/<int:number>/"
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("indicators/", api.Indicators.as_view(), name="api_indicators"),
    path("tables/<int:number>/", api.Tables.as_view(), name="api_tables"),
    path("releases/", release_api.Releases.as_view(), name="api_releases"),
    path(_release, release_api.ReleaseContent.as_view(), name="api_release"),
    path(f"{_release}cells/<str:key>/", release_api.ReleaseCell.as_view(), name="api_release_cell"),
    path(f"{_release}tables/<str:code>.csv", release_api.ReleaseTable.as_view(), name="api_release_table"),
]
