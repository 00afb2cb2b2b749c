"""API of the progress board."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.response import Response
from rest_framework.views import APIView

from survey.access.requests import AuthenticatedApiRequest
from survey.access.roles import Permission
from survey.access.scope import HasPermission, SignedIn
from survey.fieldwork.progress import selectors
from survey.review.selectors import named_round


class ProgressView(APIView):
    """The progress board as rows."""

    permission_classes = [SignedIn, HasPermission]
    permission = Permission.VIEW_PROGRESS

    @extend_schema(
        parameters=[
            OpenApiParameter("year", str, description="Year of the round; the open round when absent")
        ],
        responses=serializers.ListSerializer(child=serializers.DictField()),
    )
    def get(self, request: AuthenticatedApiRequest) -> Response:
        """One object per region and category with every count."""
        round_ = named_round(request.query_params.get("year", ""))
        if round_ is None:
            raise NotFound
        board = selectors.board(request.user, round_)
        return Response(
            [
                {"region": region, "category": category, **selectors.values(tally)}
                for (region, category), tally in sorted(board.cells.items())
            ]
        )
