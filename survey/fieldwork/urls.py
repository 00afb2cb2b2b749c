"""Pages and endpoints of the fieldwork."""

from django.urls import URLPattern, URLResolver, path

from survey.fieldwork.exports import views as exports
from survey.fieldwork.progress import api as progress_api
from survey.fieldwork.progress import views as progress
from survey.fieldwork.reminders import views as reminders
from survey.fieldwork.units import views as units

urlpatterns: list[URLPattern | URLResolver] = [
    path("review/progress/", progress.progress_board, name="progress_board"),
    path("review/progress/missing/", progress.progress_missing, name="progress_missing"),
    path("units/", units.unit_list, name="unit_list"),
    path("units/<int:pk>/", units.unit_detail, name="unit_detail"),
    path("units/<int:pk>/disposition/", units.unit_disposition, name="unit_disposition"),
    path("units/<int:pk>/extension/", units.unit_extend, name="unit_extend"),
    path("units/<int:pk>/exemption/", units.unit_exempt, name="unit_exempt"),
    path("units/<int:pk>/code/", units.unit_code, name="unit_code"),
    path("units/<int:pk>/contact/", units.unit_note, name="unit_note"),
    path("units/<int:pk>/evidence/", units.unit_evidence, name="unit_evidence"),
    path("reminders/", reminders.reminders_page, name="reminders"),
    path("reminders/<int:pk>/", reminders.reminder_batch, name="reminder_batch"),
    path("notices/", reminders.notices, name="notices"),
    path("files/", exports.jobs_page, name="jobs"),
    path("files/<int:pk>/cancel/", exports.job_cancel, name="job_cancel"),
    path("files/<int:pk>/", exports.job_file, name="job_file"),
]
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("progress/", progress_api.ProgressView.as_view(), name="api_progress"),
]
