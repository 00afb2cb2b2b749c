"""Pages and endpoints of the published questionnaires."""

from django.urls import URLPattern, URLResolver, path

from survey.questionnaires import api, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("questionnaires/", views.questionnaires, name="questionnaires"),
    path("questionnaires/<int:pk>/", views.questionnaire_detail, name="questionnaire_detail"),
    path("questionnaires/<int:pk>/lists/<slug:name>/", views.codelist_search, name="codelist_search"),
]
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("questionnaires/", api.VersionList.as_view(), name="api_questionnaires"),
    path("questionnaires/<int:pk>/", api.VersionDetail.as_view(), name="api_questionnaire"),
]
