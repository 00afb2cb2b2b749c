"""Pages of the system administrator about the system itself, and the metrics of Prometheus."""

from django.urls import URLPattern, URLResolver, path

from survey.operations import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("system/", views.system_state, name="system_state"),
    path("system/jobs/<int:pk>/", views.system_job, name="system_job"),
    path("metrics", views.metrics, name="metrics"),
]
api_urlpatterns: list[URLPattern | URLResolver] = []
