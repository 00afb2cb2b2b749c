"""API of published releases: list, content, cell, table as CSV. No login, nothing is computed.

Content of a published release never changes, so its hash is the ETag; a withdrawn release is gone (404).
"""

import csv
import io
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import http_date, quote_etag
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from estimation.releases.listing.selectors import public_releases
from estimation.releases.models import Release

CACHE_SECONDS = 300


class TextSerializer(serializers.Serializer[Any]):
    """A wording in both languages."""

    zh = serializers.CharField()
    en = serializers.CharField()


class FrozenCellSerializer(serializers.Serializer[Any]):
    """One published number; × withheld, — absent, with its reason."""

    key = serializers.CharField()
    label = TextSerializer()  # type: ignore[assignment]  # a field called label, not the label of a field
    unit = TextSerializer()
    printed = serializers.CharField()
    status = serializers.ChoiceField(choices=["shown", "nil", "withheld", "absent"])
    value = serializers.FloatField(allow_null=True)
    decimals = serializers.IntegerField()
    se = serializers.FloatField(allow_null=True)
    cv = serializers.FloatField(allow_null=True)
    lower = serializers.FloatField(allow_null=True)
    upper = serializers.FloatField(allow_null=True)
    n = serializers.IntegerField(allow_null=True)
    grade = serializers.CharField()
    reason = serializers.CharField()
    note = TextSerializer(allow_null=True)
    words = TextSerializer(allow_null=True)
    estimator = serializers.CharField()
    lineage = serializers.ListField(child=serializers.CharField())


class ReleaseSerializer(serializers.Serializer[Any]):
    """A published release in the list."""

    year = serializers.IntegerField()
    number = serializers.IntegerField()
    state = serializers.CharField()
    published_at = serializers.DateTimeField()
    content_hash = serializers.CharField()
    correction = TextSerializer(allow_null=True)
    href = serializers.CharField()


class ContentSerializer(serializers.Serializer[Any]):
    """The content of a release. The canonical form (sorted keys, no spaces) has the release's hash."""

    year = serializers.IntegerField()
    title = TextSerializer()
    is_synthetic = serializers.BooleanField()
    run = serializers.CharField()
    code_version = serializers.CharField()
    cells = serializers.DictField(child=FrozenCellSerializer())
    tables = serializers.ListField(child=serializers.DictField())
    figures = serializers.ListField(child=serializers.DictField())
    blocks = serializers.ListField(child=serializers.DictField())
    identities = serializers.ListField(child=serializers.DictField())
    footnotes = TextSerializer(many=True)
    # Regions by sections; absent from releases of earlier programs, whose hash does not cover it.
    crossings = serializers.ListField(child=serializers.DictField(), required=False)


class CsvRenderer(BaseRenderer):
    """Renderer of CSV by its media type; the view builds the text."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> Any:
        """Text unchanged; an error as its message."""
        return data if isinstance(data, (str, bytes)) else str(data)


class _Public(APIView):
    access = "public"
    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]

    def release(self, year: int, number: int) -> Release:
        """A public release. Raises Http404."""
        return get_object_or_404(public_releases(), round__year=year, number=number)

    def frozen(
        self, request: Request, response: HttpResponseBase, etag: str, changed: datetime | None
    ) -> Any:
        """The response with its validators, or 304 when the client has the same version."""
        quoted = quote_etag(etag)
        stamp = int(changed.timestamp()) if changed else None
        plain: HttpRequest = request._request
        result: HttpResponseBase = get_conditional_response(plain, quoted, stamp) or response
        result["ETag"] = quoted
        if stamp is not None:
            result["Last-Modified"] = http_date(stamp)
        patch_cache_control(result, public=True, max_age=CACHE_SECONDS)
        return result


class Releases(_Public):
    """Published releases."""

    @extend_schema(responses=ReleaseSerializer(many=True), operation_id="releases_list")
    def get(self, request: Request) -> Response:
        """Newest first; a corrected release remains, with its state."""
        rows = list(public_releases().select_related("round").defer("content", "checks"))
        data = [
            {
                "year": row.round.year,
                "number": row.number,
                "state": row.state,
                "published_at": row.published_at,
                "content_hash": row.content_hash,
                "correction": {"zh": row.correction_note_zh, "en": row.correction_note_en}
                if row.correction_note_zh
                else None,
                "href": reverse("api_release", args=[row.round.year, row.number]),
            }
            for row in rows
        ]
        tag = ".".join(f"{row.content_hash[:16]}{row.state[:1]}" for row in rows) or "none"
        changed = max((row.published_at for row in rows if row.published_at), default=None)
        # A correction or withdrawal changes the list without a later publication: only the ETag changes.
        result: Response = self.frozen(request, Response(data), tag, None if len(rows) > 1 else changed)
        return result


class ReleaseContent(_Public):
    """The content of a release."""

    @extend_schema(responses=ContentSerializer, operation_id="release_retrieve")
    def get(self, request: Request, year: int, number: int) -> Response:
        """All cells, tables, figures, passages and identities."""
        row = self.release(year, number)
        result: Response = self.frozen(request, Response(row.content), row.content_hash, row.published_at)
        return result


class ReleaseCell(_Public):
    """One cell of a release."""

    @extend_schema(responses=FrozenCellSerializer)
    def get(self, request: Request, year: int, number: int, key: str) -> Response:
        """Its number with quality and lineage, or the reason why it is missing."""
        row = self.release(year, number)
        cell = row.content["cells"].get(key)
        if cell is None:
            raise Http404
        result: Response = self.frozen(request, Response(cell), f"{row.content_hash}-{key}", row.published_at)
        return result


class ReleaseTable(_Public):
    """One table of a release."""

    renderer_classes = [CsvRenderer, JSONRenderer]

    @extend_schema(
        parameters=[OpenApiParameter("language", str, description="zh or en; Chinese when absent")],
        responses={(200, "text/csv"): OpenApiResponse(str)},
    )
    def get(self, request: Request, year: int, number: int, code: str) -> HttpResponse:
        """As CSV: printed numbers, one line per row, UTF-8 with a byte order mark for spreadsheets."""
        row = self.release(year, number)
        tables = (*row.content["tables"], *row.content.get("crossings", ()))
        table = next((entry for entry in tables if entry["code"] == code), None)
        if table is None:
            raise Http404
        language = "en" if request.query_params.get("language", "").startswith("en") else "zh"
        response = HttpResponse(_csv(table, row.content, language), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{year}-{number}-{code}.csv"'
        tag = f"{row.content_hash}-{code}-{language}"
        result: HttpResponse = self.frozen(request, response, tag, row.published_at)
        return result


def _csv(table: dict[str, Any], content: dict[str, Any], language: str) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["code", table["stub"][language], *(column[language] for column in table["columns"])])
    for row in table["rows"]:
        numbers = (content["cells"][key]["printed"].replace(",", "") for key in row["keys"])
        writer.writerow([row["code"], row["label"][language], *numbers])
    return "\ufeff" + out.getvalue()
