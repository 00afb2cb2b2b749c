"""The interface for machines: the endpoints of both sides."""

from estimation.urls import api_urlpatterns as estimation
from survey.urls import api_urlpatterns as survey

urlpatterns = [*survey, *estimation]
