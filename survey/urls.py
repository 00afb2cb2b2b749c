"""Every page of the collection side, room by room."""

from itertools import chain

from survey.access import urls as access
from survey.collection import urls as collection
from survey.frame import urls as frame
from survey.microdata import urls as microdata
from survey.questionnaires import urls as questionnaires
from survey.review import urls as review
from survey.submissions import urls as submissions

ROOMS = (access, questionnaires, frame, collection, submissions, microdata, review)
urlpatterns = list(chain.from_iterable(room.urlpatterns for room in ROOMS))
api_urlpatterns = list(chain.from_iterable(room.api_urlpatterns for room in ROOMS))
