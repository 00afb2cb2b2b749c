"""Endpoints of published questionnaires: a client gets the complete definition and needs no copy of its own."""

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from survey.access.roles import Permission
from survey.access.scope import HasPermission, SignedIn
from survey.questionnaires.models import QuestionnaireVersion
from survey.questionnaires.selectors import published_versions

READERS = (Permission.DESIGN, Permission.RESPOND, Permission.VIEW_SHEETS)


class VersionRow(serializers.ModelSerializer[QuestionnaireVersion]):
    """A published version without its document."""

    class Meta:
        model = QuestionnaireVersion
        fields = (
            "id",
            "category",
            "year",
            "number",
            "form_no",
            "title_zh",
            "title_en",
            "content_hash",
            "published_at",
        )


class VersionList(ListAPIView[QuestionnaireVersion]):
    """All published versions, newest year first."""

    permission = READERS
    permission_classes = [SignedIn, HasPermission]
    serializer_class = VersionRow
    queryset = published_versions()


class VersionDetail(APIView):
    """One version with its document."""

    permission = READERS
    permission_classes = [SignedIn, HasPermission]

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, pk: int) -> Response:
        """The document as it was hashed."""
        version = get_object_or_404(QuestionnaireVersion, pk=pk)
        return Response({**VersionRow(version).data, "document": version.document})
