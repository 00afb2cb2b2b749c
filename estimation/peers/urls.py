"""Page of the comparison with peers."""

from django.urls import URLPattern, URLResolver, path

from estimation.peers import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("comparison/", views.peer_list, name="peer_list"),
    path("comparison/<int:pk>/", views.peer_sheet, name="peer_sheet"),
]
api_urlpatterns: list[URLPattern | URLResolver] = []
