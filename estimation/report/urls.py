"""Pages of the files of a release."""

from django.urls import URLPattern, URLResolver, path

from estimation.report import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("releases/<int:pk>/files/", views.release_files, name="release_files"),
    path("releases/<int:pk>/files/<path:name>", views.release_file, name="release_file"),
]
api_urlpatterns: list[URLPattern | URLResolver] = []
