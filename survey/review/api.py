"""Endpoints of the review: queue, comments and decisions, with the scope and refusals of the pages."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.response import Response
from rest_framework.views import APIView

from survey.access.models import User
from survey.access.requests import AuthenticatedApiRequest
from survey.access.roles import Permission
from survey.access.scope import HasPermission, SignedIn
from survey.collection.models import CollectionRound
from survey.exceptions import PolicyDenied
from survey.request_bodies import JSONTypes, RequestBody
from survey.review import services
from survey.review.bulk import services as bulk
from survey.review.bulk.undo import services as undo
from survey.review.requests import known_setting
from survey.review.selectors import named_round, queue
from survey.review.sheet.services import unjudged
from survey.submissions.comments.models import ReviewQuery
from survey.submissions.lifecycle.states import Action
from survey.submissions.models import Submission
from survey.submissions.selectors import SHEET_RELATIONS, sheet

_FILTERS = [
    OpenApiParameter(name, str, description=text)
    for name, text in {
        "year": "Year of the round; the open round when absent",
        "state": "A state, 'filed' or 'all'; the caller's own desk when absent",
        "category": "CAT01 to CAT14",
        "region": "Six-digit code of a province",
        "findings": "none, soft, refused",
        "queries": "none, open, answered",
        "again": "first, again",
        "effect": "little, moves, slip",
        "search": "Start of a credit code, or part of a name",
        "order": "score, oldest, findings, change",
        "page": "Page number, 50 rows each",
    }.items()
]


class QueueRow(serializers.Serializer[Any]):
    """A sheet in the queue."""

    id = serializers.IntegerField(source="pk")
    uscc = serializers.CharField(source="unit.uscc")
    name = serializers.CharField(source="unit.name")
    category = serializers.CharField(source="unit.category")
    region = serializers.CharField(source="unit.region_id")
    state = serializers.CharField()
    revision = serializers.IntegerField()
    filed_at = serializers.DateTimeField()
    soft_count = serializers.IntegerField()
    open_queries = serializers.IntegerField()
    change = serializers.FloatField(allow_null=True)
    score = serializers.FloatField(source="score.value", default=None, allow_null=True)
    reach = serializers.FloatField(source="score.reach", default=None, allow_null=True)
    has_slip = serializers.BooleanField(source="score.has_slip", default=None, allow_null=True)


class QueuePage(serializers.Serializer[Any]):
    """One page of the queue with counts by filter."""

    year = serializers.IntegerField()
    count = serializers.IntegerField()
    page = serializers.IntegerField()
    pages = serializers.IntegerField()
    facets = serializers.DictField(child=serializers.DictField(child=serializers.IntegerField()))
    results = QueueRow(many=True)


class QuerySerializer(JSONTypes, serializers.ModelSerializer[ReviewQuery]):
    """A comment."""

    reply = serializers.CharField(source="answer", read_only=True)

    class Meta:
        model = ReviewQuery
        fields = ("id", "item", "text", "state", "reply", "corrected", "raised_at", "replied_at", "closed_at")
        read_only_fields = ("state", "reply", "corrected", "raised_at", "replied_at", "closed_at")


class FindingSerializer(serializers.Serializer[Any]):
    """A finding of the rules."""

    edit = serializers.CharField()
    severity = serializers.CharField()
    items = serializers.ListField(child=serializers.CharField())
    message_zh = serializers.CharField(source="message.zh")
    message_en = serializers.CharField(source="message.en")


class SheetDetail(serializers.Serializer[Any]):
    """A filed sheet as reviewers see it."""

    id = serializers.IntegerField()
    state = serializers.CharField()
    revision = serializers.IntegerField()
    filing = serializers.IntegerField(allow_null=True)
    answers = serializers.JSONField()
    previous = serializers.JSONField(allow_null=True)
    findings = FindingSerializer(many=True)
    queries = QuerySerializer(many=True)
    reasons = serializers.ListField(child=serializers.CharField())  # without a verdict, by rule
    obstacles = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))


class Decision(RequestBody):
    """A decision on a sheet; the required fields depend on the action."""

    action = serializers.ChoiceField(
        choices=["accept", "return", "send_back", "reopen", "invalidate", "reinstate"]
    )
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=2000)
    reason_code = serializers.CharField(required=False, allow_blank=True, default="")
    due_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    shown_filing = serializers.IntegerField(required=False, allow_null=True, default=None)
    shown_reasons = serializers.IntegerField(required=False, allow_null=True, default=None)


class QueryActionInput(RequestBody):
    """Close a comment, or reopen it."""

    action = serializers.ChoiceField(choices=["close", "reopen"])
    text = serializers.CharField(required=False, allow_blank=True, default="")


class VerdictInput(RequestBody):
    """A judgement of an explanation; an empty verdict withdraws it."""

    edit = serializers.CharField()
    verdict = serializers.ChoiceField(choices=["accepted", "refused", ""], allow_blank=True)


class BulkInput(RequestBody):
    """A bulk acceptance: the filter as query parameters, and the count and checksum of the preview."""

    filter = serializers.DictField(child=serializers.CharField(allow_blank=True))
    expected = serializers.IntegerField(min_value=0)
    mark = serializers.CharField(required=False, allow_blank=True, default="")


class BulkPreview(serializers.Serializer[Any]):
    """The preview of a bulk acceptance."""

    matched = serializers.IntegerField()
    expected = serializers.IntegerField()
    accepted = serializers.IntegerField(allow_null=True)
    mark = serializers.CharField()
    by_category = serializers.DictField(child=serializers.IntegerField())
    by_region = serializers.DictField(child=serializers.IntegerField())
    reasons = serializers.IntegerField()
    act = serializers.IntegerField(allow_null=True)


class BulkResult(serializers.Serializer[Any]):
    """The result of a bulk acceptance."""

    matched = serializers.IntegerField()
    expected = serializers.IntegerField()
    accepted = serializers.IntegerField()
    act = serializers.IntegerField()


class BulkUndo(RequestBody):
    """The reason for undoing a bulk acceptance."""

    reason = serializers.CharField(max_length=2000)


class BulkUndoStatus(serializers.Serializer[Any]):
    """A bulk acceptance, and how many of its sheets can be or were undone."""

    id = serializers.IntegerField(source="act.pk")
    year = serializers.IntegerField(source="act.round.year")
    at = serializers.DateTimeField(source="act.at")
    by = serializers.CharField(source="act.by.username")
    accepted = serializers.IntegerField(source="act.accepted")
    undo_until = serializers.DateTimeField(source="act.undo_until", allow_null=True)
    is_open = serializers.BooleanField()
    reversible = serializers.IntegerField()
    for_others = serializers.IntegerField()
    undone = serializers.IntegerField(source="act.undone")
    undone_at = serializers.DateTimeField(source="act.undone_at", allow_null=True)


class _Endpoint(APIView):
    permission_classes = [SignedIn, HasPermission]
    request: AuthenticatedApiRequest
    permission = Permission.REVIEW

    def sheets(self, permission: Permission = Permission.REVIEW) -> "QuerySet[Submission]":
        """Filed sheets in the caller's scope."""
        rows = Submission.objects.visible_to(self.request.user, permission).exclude(filed_at=None)
        return rows.select_related(*SHEET_RELATIONS).defer("assignment__version__document")


def _round(query: Mapping[str, str]) -> CollectionRound:
    """The round of the year that the query names. A page falls back to the open round, a program gets 404."""
    if round_ := named_round(query.get("year", "")):
        return round_
    raise NotFound


class QueueView(_Endpoint):
    """The review queue."""

    permission = Permission.VIEW_SHEETS

    @extend_schema(parameters=_FILTERS, responses=QueuePage)
    def get(self, request: AuthenticatedApiRequest) -> Response:
        """One page of the sheets that match."""
        setting = known_setting(request.query_params)
        result = queue(request.user, _round(request.query_params), setting, request.query_params.get("page"))
        body = {
            "year": result.round.year,
            "count": result.total,
            "page": result.page.number,
            "pages": result.page.paginator.num_pages,
            "facets": result.facets,
            "results": result.page.object_list,
        }
        return Response(QueuePage(body).data)


class SheetView(_Endpoint):
    """One filed sheet."""

    permission = Permission.VIEW_SHEETS

    @extend_schema(responses=SheetDetail)
    def get(self, request: AuthenticatedApiRequest, pk: int) -> Response:
        """Filed answers, last year's, findings, comments, and obstacles to a decision."""
        row = get_object_or_404(self.sheets(Permission.VIEW_SHEETS), pk=pk)
        current, filing = sheet(row), row.filings.order_by("-number").first()
        actions = (services.acceptance(row), Action.RETURN)
        body = {
            "id": row.pk,
            "state": row.state,
            "revision": row.revision,
            "filing": filing.number if filing else None,
            "answers": filing.answers if filing else {},
            "previous": current.previous,
            "findings": current.findings,
            "queries": current.queries,
            "reasons": [explanation.edit for explanation in unjudged(current)],
            "obstacles": {
                action.value: [str(text) for text in services.obstacles(row, action, request.user)]
                for action in actions
            },
        }
        return Response(SheetDetail(body).data)


class QueriesView(_Endpoint):
    """Comments of one sheet."""

    @extend_schema(responses=QuerySerializer(many=True))
    def get(self, request: AuthenticatedApiRequest, pk: int) -> Response:
        """Every comment, oldest first."""
        row = get_object_or_404(self.sheets(), pk=pk)
        return Response(QuerySerializer(row.queries.all(), many=True).data)

    @extend_schema(request=QuerySerializer, responses={201: QuerySerializer})
    def post(self, request: AuthenticatedApiRequest, pk: int) -> Response:
        """Raise a comment on an item, or on the sheet as a whole."""
        row = get_object_or_404(self.sheets(), pk=pk)
        serializer = QuerySerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        text, item = serializer.validated_data["text"], serializer.validated_data.get("item", "")
        query = services.raise_query(row, by=request.user, text=text, item=item, channel="api")
        return Response(QuerySerializer(query).data, status=201)


class QueryView(_Endpoint):
    """One comment."""

    @extend_schema(request=QueryActionInput, responses=QuerySerializer)
    def post(self, request: AuthenticatedApiRequest, pk: int) -> Response:
        """Close or reopen the comment."""
        rows = ReviewQuery.objects.visible_to(request.user, Permission.REVIEW).select_related("submission")
        query = get_object_or_404(rows, pk=pk)
        serializer = QueryActionInput(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        if values["action"] == "close":
            query = services.close_query(query, by=request.user, channel="api")
        else:
            query = services.reopen_query(query, by=request.user, text=values["text"], channel="api")
        return Response(QuerySerializer(query).data)


class DecisionView(_Endpoint):
    """Decisions on one sheet."""

    @extend_schema(request=Decision, responses=OpenApiTypes.OBJECT)
    def post(self, request: AuthenticatedApiRequest, pk: int) -> Response:
        """Accept, return, send back, reopen, invalidate or reinstate."""
        row = get_object_or_404(self.sheets(), pk=pk)
        serializer = Decision(data=request.data)
        serializer.is_valid(raise_exception=True)
        return Response({"id": pk, "state": _decide(row, request.user, serializer.validated_data).state})


def _decide(row: Submission, user: User, decision: dict[str, Any]) -> Submission:
    shared: dict[str, Any] = {"by": user, "channel": "api"}
    reason, due_at, shown = decision["reason"], decision["due_at"], decision["shown_filing"]
    reasons = decision["shown_reasons"]
    match decision["action"]:
        case "accept":
            return services.accept_submission(row, shown_filing=shown, shown_reasons=reasons, **shared)
        case "return":
            return services.return_submission(row, reason=reason, due_at=due_at, shown_filing=shown, **shared)
        case "send_back":
            return services.send_back(row, reason=reason, **shared)
        case "reopen":
            return services.reopen(row, reason=reason, due_at=due_at, **shared)
        case "invalidate":
            return services.invalidate(row, reason_code=decision["reason_code"], **shared)
        case _:
            return services.reinstate(row, reason=reason, **shared)


class VerdictView(_Endpoint):
    """Judgements of explanations."""

    @extend_schema(request=VerdictInput, responses=VerdictInput)
    def post(self, request: AuthenticatedApiRequest, pk: int) -> Response:
        """Accept or refuse the explanation of one soft finding."""
        row = get_object_or_404(self.sheets(), pk=pk)
        serializer = VerdictInput(data=request.data)
        serializer.is_valid(raise_exception=True)
        explanation = services.judge_explanation(
            row, by=request.user, channel="api", **serializer.validated_data
        )
        return Response({"edit": explanation.edit, "verdict": explanation.verdict})


class BulkView(_Endpoint):
    """Bulk acceptance."""

    @extend_schema(parameters=_FILTERS, responses=BulkPreview)
    def get(self, request: AuthenticatedApiRequest) -> Response:
        """Preview: how many sheets of this filter would be accepted, and the checksum (``mark``) to confirm with."""
        setting = known_setting(request.query_params)
        seen = bulk.preview(request.user, _round(request.query_params), setting)
        names = ("matched", "expected", "mark", "by_category", "by_region", "reasons")
        return Response({**{name: getattr(seen, name) for name in names}, "accepted": None, "act": None})

    @extend_schema(request=BulkInput, responses=BulkResult)
    def post(self, request: AuthenticatedApiRequest) -> Response:
        """Accept the previewed sheets, if they have not changed."""
        serializer = BulkInput(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        act = bulk.bulk_accept(
            by=request.user,
            round=_round(values["filter"]),
            setting=known_setting(values["filter"]),
            channel="api",
            expected=values["expected"],
            mark=values["mark"],
        )
        counts = {"accepted": act.accepted, "matched": act.accepted + act.skipped, "expected": act.expected}
        return Response({**counts, "act": act.pk})


class BulkUndoView(_Endpoint):
    """A bulk acceptance."""

    @extend_schema(responses=BulkUndoStatus)
    def get(self, request: AuthenticatedApiRequest, pk: int) -> Response:
        """The number of accepted sheets and of those that could be undone now."""
        act = get_object_or_404(undo.acts_of(request.user), pk=pk)
        return Response(BulkUndoStatus(undo.undo_status(act, request.user)).data)

    @extend_schema(request=BulkUndo, responses=BulkUndoStatus)
    def post(self, request: AuthenticatedApiRequest, pk: int) -> Response:
        """Undo the bulk acceptance. Idempotent for the same user."""
        act = get_object_or_404(undo.acts_of(request.user), pk=pk)
        serializer = BulkUndo(data=request.data)
        serializer.is_valid(raise_exception=True)
        try:
            act = undo.undo_acceptance(act, by=request.user, channel="api", **serializer.validated_data)
        except PolicyDenied:
            act = get_object_or_404(undo.acts_of(request.user), pk=pk)
            if not act.members.filter(undone_by=request.user).exists():  # undone by somebody else
                raise
        return Response(BulkUndoStatus(undo.undo_status(act, request.user)).data)
