"""URLs of the survey, by package."""

from itertools import chain

from survey.access import urls as access
from survey.audit_trail import urls as audit_trail
from survey.collection import urls as collection
from survey.fieldwork import urls as fieldwork
from survey.frame import urls as frame
from survey.idempotency.decorators import guard
from survey.ledgers import urls as ledgers
from survey.microdata import urls as microdata
from survey.operations import urls as operations
from survey.questionnaires import urls as questionnaires
from survey.retention import urls as retention
from survey.review import urls as review
from survey.submissions import urls as submissions

PACKAGES = (
    access,
    questionnaires,
    frame,
    collection,
    submissions,
    microdata,
    review,
    fieldwork,
    ledgers,
    retention,
    audit_trail,
    operations,
)
urlpatterns = guard(chain.from_iterable(package.urlpatterns for package in PACKAGES))
api_urlpatterns = guard(chain.from_iterable(package.api_urlpatterns for package in PACKAGES))
