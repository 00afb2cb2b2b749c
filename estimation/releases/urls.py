"""Pages and endpoints of the releases."""

from django.urls import URLPattern, URLResolver, path

from estimation.releases import api, views
from estimation.releases.passages import views as passage_views

urlpatterns: list[URLPattern | URLResolver] = [
    path("releases/", views.release_list, name="release_list"),
    path("releases/prepare/", views.release_prepare, name="release_prepare"),
    path("releases/<int:pk>/", views.release_detail, name="release_detail"),
    path("releases/<int:pk>/act/", views.release_act, name="release_act"),
    path("releases/<int:pk>/cells/", views.release_cells, name="release_cells"),
    path("releases/<int:pk>/disclosure/", views.release_disclosure, name="release_disclosure"),
    path("releases/<int:pk>/differences/", views.release_differences, name="release_differences"),
    path("releases/<int:pk>/comparison/", views.release_comparison, name="release_comparison"),
    path("passages/<int:year>/", passage_views.block_list, name="block_list"),
    path("passages/<int:year>/<str:code>/", passage_views.block_edit, name="block_edit"),
]
_release = "releases/<int:year>/<int:number>/"
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("releases/", api.Releases.as_view(), name="api_releases"),
    path(_release, api.ReleaseContent.as_view(), name="api_release"),
    path(f"{_release}cells/<str:key>/", api.ReleaseCell.as_view(), name="api_release_cell"),
    path(f"{_release}tables/<str:code>.csv", api.ReleaseTable.as_view(), name="api_release_table"),
]
