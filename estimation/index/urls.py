"""Pages of the composite index."""

from django.urls import URLPattern, URLResolver, path

from estimation.index import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("index/", views.index_page, name="index_page"),
    path("index/<int:pk>/", views.index_request, name="index_request"),
]
api_urlpatterns: list[URLPattern | URLResolver] = []
