"""Pages of the microdata."""

from django.urls import URLPattern, URLResolver, path

from survey.microdata import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("microdata/responses/", views.item_response, name="item_response"),
]
api_urlpatterns: list[URLPattern | URLResolver] = []
