"""API of indicators and tables; the same cells as the pages."""

from dataclasses import asdict
from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from estimation.releases.selectors import coverage_of
from estimation.results import selectors
from estimation.runs.models import EstimationRun
from estimation.runs.selectors import choose_run
from survey.access.roles import Permission
from survey.access.scope import HasPermission, SignedIn

_RUN = OpenApiParameter("run", int, description="key of a finished run; the newest when absent")


class CellSerializer(serializers.Serializer[Any]):
    """One number with its quality, or the reason why it is missing."""

    text = serializers.CharField()
    value = serializers.FloatField(allow_null=True)
    se = serializers.FloatField(allow_null=True)
    cv = serializers.FloatField(allow_null=True)
    lower = serializers.FloatField(allow_null=True)
    upper = serializers.FloatField(allow_null=True)
    grade = serializers.CharField()
    n = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField()
    note = serializers.CharField()


class IndicatorSerializer(serializers.Serializer[Any]):
    """A headline indicator of a run."""

    code = serializers.CharField()
    zh = serializers.CharField()
    en = serializers.CharField()
    unit = serializers.CharField()
    column = serializers.CharField()
    year = serializers.IntegerField()
    previous = CellSerializer()
    current = CellSerializer()
    growth = CellSerializer()


class TableRowSerializer(serializers.Serializer[Any]):
    """A row of table 1 or 2 (cells) or of table 3 or 4 (filed and valid)."""

    code = serializers.CharField()
    zh = serializers.CharField()
    en = serializers.CharField()
    is_total = serializers.BooleanField()
    cells = CellSerializer(many=True, required=False)
    filed = serializers.IntegerField(required=False)
    valid = serializers.IntegerField(required=False)


class _Released(APIView):
    permission = Permission.VIEW_ESTIMATES
    permission_classes = [SignedIn, HasPermission]

    def run(self, request: Request) -> EstimationRun:
        """The requested run, or the newest."""
        named = request.query_params.get("run", "")
        # A page takes an empty key for the newest run; a program that sends one has made a mistake.
        run = choose_run(named) if named or "run" not in request.query_params else None
        if run is None:
            raise Http404
        return run


class Indicators(_Released):
    """The headline indicators of a run."""

    @extend_schema(parameters=[_RUN], responses=IndicatorSerializer(many=True))
    def get(self, request: Request) -> Response:
        """All indicators in the order of the report."""
        run = self.run(request)
        return Response(
            [
                {
                    "code": row.indicator.code,
                    "zh": row.indicator.label.zh,
                    "en": row.indicator.label.en,
                    "unit": row.indicator.unit,
                    "column": row.indicator.column,
                    "year": run.round.year,
                    "previous": asdict(row.previous),
                    "current": asdict(row.current),
                    "growth": asdict(row.growth),
                }
                for row in selectors.indicators_of(run)
            ]
        )


class Tables(_Released):
    """One of the report's tables 1 to 4."""

    @extend_schema(parameters=[_RUN], responses=TableRowSerializer(many=True))
    def get(self, request: Request, number: int) -> Response:
        """The rows of the table."""
        table = selectors.table_layout(number)
        if table is None:
            raise Http404
        run = self.run(request)
        if table.coverage:
            return Response(
                [
                    {
                        "code": row.code,
                        "zh": row.label.zh,
                        "en": row.label.en,
                        "is_total": row.is_total,
                        "filed": row.filed,
                        "valid": row.valid,
                    }
                    for row in coverage_of(run, table)
                ]
            )
        return Response(
            [
                {
                    "code": row.code,
                    "zh": row.label.zh,
                    "en": row.label.en,
                    "is_total": row.is_total,
                    "cells": [asdict(cell) for cell in row.cells],
                }
                for row in selectors.table_of(run, table)
            ]
        )
