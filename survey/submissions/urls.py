"""Pages and endpoints of the answer sheets."""

from django.urls import URLPattern, URLResolver, path

from survey.submissions import api
from survey.submissions.corrections import views as correction_views
from survey.submissions.evidence import views as evidence_views
from survey.submissions.filing import views as filing_views
from survey.submissions.guests import views as guest_views
from survey.submissions.invitations import views as share_views
from survey.submissions.page import views
from survey.submissions.paradata import views as paradata_views
from survey.submissions.printing import views as print_views
from survey.submissions.workbook import views as workbook_views

urlpatterns: list[URLPattern | URLResolver] = [
    path("tasks/", views.tasks, name="tasks"),
    path("sheets/<int:pk>/", views.sheet_hub, name="sheet_hub"),
    path("sheets/<int:pk>/start/", views.sheet_start, name="sheet_start"),
    path("sheets/<int:pk>/sections/<slug:code>/", views.sheet_section, name="sheet_section"),
    path("sheets/<int:pk>/sections/<slug:code>/save/", views.sheet_save, name="sheet_save"),
    path("sheets/<int:pk>/discard/", views.sheet_discard, name="sheet_discard"),
    path("sheets/<int:pk>/leftovers/", views.sheet_leftover, name="sheet_leftover"),
    path("sheets/<int:pk>/findings/", filing_views.sheet_findings, name="sheet_findings"),
    path("sheets/<int:pk>/explain/", filing_views.sheet_explain, name="sheet_explain"),
    path("sheets/<int:pk>/summary/", filing_views.sheet_summary, name="sheet_summary"),
    path("sheets/<int:pk>/submit/", filing_views.sheet_submit, name="sheet_submit"),
    path("sheets/<int:pk>/receipt/", filing_views.sheet_receipt, name="sheet_receipt"),
    path("sheets/<int:pk>/recall/", filing_views.sheet_recall, name="sheet_recall"),
    path("sheets/<int:pk>/filed/<int:number>/", filing_views.sheet_filed, name="sheet_filed"),
    path("sheets/<int:pk>/queries/<int:query>/reply/", filing_views.sheet_reply, name="sheet_reply"),
    path("sheets/<int:pk>/corrections/", correction_views.sheet_corrections, name="sheet_corrections"),
    path("sheets/<int:pk>/print/", filing_views.sheet_print, name="sheet_print"),
    path("sheets/<int:pk>/form.pdf", print_views.sheet_pdf, name="sheet_pdf"),
    path("sheets/<int:pk>/filed/<int:number>/receipt.pdf", print_views.filed_pdf, name="filed_pdf"),
    path(
        "sheets/<int:pk>/filed/<int:number>/content.xlsx", print_views.filed_workbook, name="filed_workbook"
    ),
    path("sheets/<int:pk>/workbook/", workbook_views.sheet_workbook, name="sheet_workbook"),
    path("sheets/<int:pk>/upload/", workbook_views.sheet_upload, name="sheet_upload"),
    path("sheets/<int:pk>/upload/apply/", workbook_views.sheet_apply, name="sheet_apply"),
    path("sheets/<int:pk>/share/", share_views.sheet_share, name="sheet_share"),
    path(
        "sheets/<int:pk>/share/<int:invitation>/withdraw/", share_views.share_withdraw, name="share_withdraw"
    ),
    path("guest/open/<str:secret>/", guest_views.guest_open, name="guest_open"),
    path("guest/<int:pk>/", guest_views.guest_home, name="guest_home"),
    path("guest/<int:pk>/sections/<slug:code>/", guest_views.guest_section, name="guest_section"),
    path("guest/<int:pk>/sections/<slug:code>/save/", guest_views.guest_save, name="guest_save"),
    path("sheets/<int:pk>/sign/", filing_views.sheet_sign, name="sheet_sign"),
    path("sheets/<int:pk>/sign/ask/", filing_views.sheet_ask_signature, name="sheet_ask_signature"),
    path("guest/<int:pk>/sign/", guest_views.guest_sign, name="guest_sign"),
    path("sheets/<int:pk>/evidence/", evidence_views.sheet_evidence, name="sheet_evidence"),
    path(
        "sheets/<int:pk>/evidence/<int:attachment>/remove/",
        evidence_views.evidence_remove,
        name="evidence_remove",
    ),
    path("evidence/<int:pk>/", evidence_views.evidence_file, name="evidence_file"),
    path("rules/", paradata_views.rules, name="rules"),
]
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("sheets/", api.SheetList.as_view(), name="api_sheets"),
    path("sheets/<int:pk>/", api.SheetDetail.as_view(), name="api_sheet"),
    path("sheets/<int:pk>/answers/", api.SheetAnswers.as_view(), name="api_sheet_answers"),
    path("sheets/<int:pk>/explanations/", api.SheetExplanations.as_view(), name="api_sheet_explanations"),
    path("sheets/<int:pk>/submit/", api.SheetSubmit.as_view(), name="api_sheet_submit"),
]
