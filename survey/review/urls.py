"""Pages and endpoints of the review."""

from django.urls import URLPattern, URLResolver, path

from survey.review import api, views
from survey.review.bulk import views as bulk_views
from survey.review.corrections import views as correction_views
from survey.review.ledger import views as ledger_views
from survey.review.reasons import views as reason_views

urlpatterns: list[URLPattern | URLResolver] = [
    path("review/", views.review_queue, name="review_queue"),
    path("review/bulk/", bulk_views.review_bulk, name="review_bulk"),
    path("review/bulk/acts/", bulk_views.review_bulk_acts, name="review_bulk_acts"),
    path("review/bulk/acts/<int:pk>/", bulk_views.review_bulk_act, name="review_bulk_act"),
    path("review/remaining/", bulk_views.review_remaining, name="review_remaining"),
    path("review/reasons/", reason_views.review_reasons, name="review_reasons"),
    path("review/macro/", ledger_views.review_macro, name="review_macro"),
    path("review/ledger/", ledger_views.review_ledger, name="review_ledger"),
    path("review/<int:pk>/", views.review_sheet, name="review_sheet"),
    path("review/<int:pk>/query/", views.review_query, name="review_query"),
    path("review/<int:pk>/propose/", correction_views.review_propose, name="review_propose"),
    path("review/<int:pk>/items/<str:code>/", correction_views.review_item, name="review_item"),
    path("review/<int:pk>/verdict/", views.review_verdict, name="review_verdict"),
    path("review/<int:pk>/accept/", views.review_accept, name="review_accept"),
    path("review/<int:pk>/return/", views.review_return, name="review_return"),
    path("review/<int:pk>/send-back/", views.review_send_back, name="review_send_back"),
    path("review/<int:pk>/reopen/", views.review_reopen, name="review_reopen"),
    path("review/<int:pk>/invalidate/", views.review_invalidate, name="review_invalidate"),
    path("review/<int:pk>/reinstate/", views.review_reinstate, name="review_reinstate"),
    path("review/queries/<int:pk>/", views.review_query_close, name="review_query_close"),
]
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("review/queue/", api.QueueView.as_view(), name="api_review_queue"),
    path("review/sheets/<int:pk>/", api.SheetView.as_view(), name="api_review_sheet"),
    path("review/sheets/<int:pk>/queries/", api.QueriesView.as_view(), name="api_review_queries"),
    path("review/queries/<int:pk>/", api.QueryView.as_view(), name="api_review_query"),
    path("review/sheets/<int:pk>/decisions/", api.DecisionView.as_view(), name="api_review_decisions"),
    path("review/sheets/<int:pk>/verdicts/", api.VerdictView.as_view(), name="api_review_verdicts"),
    path("review/bulk/", api.BulkView.as_view(), name="api_review_bulk"),
    path("review/bulk/<int:pk>/undo/", api.BulkUndoView.as_view(), name="api_review_bulk_undo"),
]
