"""Endpoints of sheets, with the same scope, rules and refusals as the pages."""

import re
from typing import Any

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException, NotFound
from rest_framework.generics import ListAPIView
from rest_framework.response import Response
from rest_framework.views import APIView

from survey.access.requests import AuthenticatedApiRequest
from survey.access.roles import Permission
from survey.access.scope import HasPermission, SignedIn
from survey.exceptions import StaleRevision
from survey.notation.telephones import TELEPHONE
from survey.request_bodies import RequestBody
from survey.request_values import whole_number
from survey.submissions.lifecycle import services
from survey.submissions.lifecycle.filing.selectors import receipt_number
from survey.submissions.lifecycle.saving.services import SaveResult
from survey.submissions.models import Submission
from survey.submissions.selectors import Sheet, deadline, sheet_of, sheets_of

REVISION = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description='Revision that the answers were read at, as in the ETag of the sheet: "12"',
)


class PreconditionRequired(APIException):
    """The request lacks the revision on which the change was made."""

    status_code = 428
    default_code = "precondition_required"


class SheetRow(serializers.Serializer[Any]):
    """A sheet in a list."""

    id = serializers.IntegerField(source="pk")
    year = serializers.IntegerField(source="round.year")
    form = serializers.CharField(source="assignment.version.form_no")
    definition = serializers.CharField(source="assignment.version.content_hash")
    uscc = serializers.CharField(source="unit.uscc")
    state = serializers.CharField()
    revision = serializers.IntegerField()
    hard = serializers.IntegerField(source="hard_count")
    unexplained = serializers.IntegerField(source="unexplained_count")
    due_at = serializers.SerializerMethodField()

    def get_due_at(self, row: Submission) -> str:
        """When the answers are due."""
        return str(deadline(row).isoformat())


class AnswersPatch(RequestBody):
    """Cells in stored form by item code, or by ``ITEM/row/column``; null blanks a cell."""

    answers = serializers.DictField(child=serializers.JSONField(allow_null=True))


class ExplanationInput(RequestBody):
    """A reason for one soft finding."""

    edit = serializers.CharField(max_length=40)
    fingerprint = serializers.CharField(max_length=64)
    reason_code = serializers.CharField(max_length=40)
    text = serializers.CharField(max_length=2000)


class SignOff(RequestBody):
    """The signatories of a sheet."""

    unit_head = serializers.CharField(max_length=60)
    stat_head = serializers.CharField(max_length=60)
    filler = serializers.CharField(max_length=60)
    phone = serializers.RegexField(TELEPHONE)


class SheetView(APIView):
    """Base view of one of the caller's sheets; any other sheet is not found."""

    permission = Permission.RESPOND
    permission_classes = [SignedIn, HasPermission]

    def load(self, request: AuthenticatedApiRequest, pk: int) -> Submission:
        """The sheet, or 404."""
        return get_object_or_404(sheets_of(request.user), pk=pk)

    def shown_revision(self, request: AuthenticatedApiRequest) -> int:
        """The revision of If-Match."""
        match = re.fullmatch(r'(?:W/)?"?([0-9]+)"?', request.headers.get("If-Match", ""))
        revision = whole_number(match[1]) if match else None
        if revision is None:
            raise PreconditionRequired(_("Send the revision that you read in the header If-Match."))
        return revision

    def handle_exception(self, exc: Exception) -> Response:
        """Reports a sheet without permission as not found."""
        return super().handle_exception(NotFound() if isinstance(exc, PermissionDenied) else exc)


class SheetList(ListAPIView[Submission]):
    """The caller's sheets, newest round first."""

    permission = Permission.RESPOND
    permission_classes = [SignedIn, HasPermission]
    serializer_class = SheetRow

    def get_queryset(self) -> Any:
        """Rows in scope."""
        if getattr(self, "swagger_fake_view", False):
            return Submission.objects.none()
        return sheets_of(self.request.user).order_by("-round__year", "pk")  # type: ignore[arg-type]  # signed in


class SheetDetail(SheetView):
    """One sheet with answers, findings and progress."""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: AuthenticatedApiRequest, pk: int) -> Response:
        """Read a sheet; the ETag is its revision."""
        sheet = sheet_of(self.load(request, pk))
        return _tagged(_sheet_document(sheet), sheet.submission.revision)


class SheetAnswers(SheetView):
    """Changes of answers."""

    @extend_schema(
        request=AnswersPatch,
        responses={200: OpenApiTypes.OBJECT, 422: OpenApiTypes.OBJECT},
        parameters=[REVISION],
    )
    def patch(self, request: AuthenticatedApiRequest, pk: int) -> Response:
        """Merge cells. 409 when somebody changed one of them after the revision of If-Match."""
        submission, shown = self.load(request, pk), self.shown_revision(request)
        body = AnswersPatch(data=request.data)
        body.is_valid(raise_exception=True)
        result = services.autosave(
            submission,
            by=request.user,
            changes=body.validated_data["answers"],
            base_revision=shown,
            channel="api",
            canonical=True,
        )
        if result.conflicts:
            raise StaleRevision(
                _("Somebody else changed these cells first. The other cells were saved."),
                {
                    key: {"mine": c.mine, "theirs": c.theirs, "base": c.base}
                    for key, c in result.conflicts.items()
                },
            )
        return _tagged(_saved(result), result.revision, 422 if result.errors else 200)


class SheetExplanations(SheetView):
    """Reasons for soft findings."""

    @extend_schema(request=ExplanationInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: AuthenticatedApiRequest, pk: int) -> Response:
        """Give the reason for one finding, named by edit and fingerprint."""
        submission = self.load(request, pk)
        body = ExplanationInput(data=request.data)
        body.is_valid(raise_exception=True)
        explanation = services.explain(submission, by=request.user, channel="api", **body.validated_data)
        return Response({"edit": explanation.edit, "fingerprint": explanation.fingerprint}, status=201)


class SheetSubmit(SheetView):
    """Filing."""

    @extend_schema(request=SignOff, responses={201: OpenApiTypes.OBJECT}, parameters=[REVISION])
    def post(self, request: AuthenticatedApiRequest, pk: int) -> Response:
        """File the revision of If-Match; all rules run again."""
        submission, shown = self.load(request, pk), self.shown_revision(request)
        body = SignOff(data=request.data)
        body.is_valid(raise_exception=True)
        filing = services.submit(
            submission, by=request.user, signatories=body.validated_data, shown_revision=shown, channel="api"
        )
        return Response(
            {
                "receipt": receipt_number(filing),
                "filed_at": filing.filed_at,
                "content_hash": filing.content_hash,
                "state": filing.submission.state,
            },
            status=201,
        )


def _tagged(body: dict[str, Any], revision: int, status: int = 200) -> Response:
    return Response(body, status=status, headers={"ETag": f'"{revision}"'})


def _findings(sheet: Sheet) -> list[dict[str, Any]]:
    return [
        {
            "edit": finding.edit,
            "severity": finding.severity,
            "items": list(finding.items),
            "fingerprint": finding.fingerprint,
            "message": {"zh": finding.message.zh, "en": finding.message.en},
            "explained": finding.severity == "soft" and sheet.explanation_of(finding) is not None,
        }
        for finding in sheet.findings
    ]


def _sheet_document(sheet: Sheet) -> dict[str, Any]:
    return {
        **SheetRow(sheet.submission).data,
        "answers": sheet.answers,
        "computed": sheet.computed,
        "relevant": sorted(sheet.relevant),
        "previous": sheet.previous,
        "findings": _findings(sheet),
    }


def _saved(result: SaveResult) -> dict[str, Any]:
    return {
        "revision": result.revision,
        "saved": list(result.saved),
        "errors": {
            key: {"code": error.code, "message": {"zh": error.text.zh, "en": error.text.en}}
            for key, error in result.errors.items()
        },
        "computed": result.computed,
        "appeared": sorted(result.appeared),
        "disappeared": sorted(result.disappeared),
        "findings": _findings(result.sheet),
    }
