"""URLs of the API of both apps."""

from estimation.urls import api_urlpatterns as estimation
from survey.urls import api_urlpatterns as survey

urlpatterns = [*survey, *estimation]
