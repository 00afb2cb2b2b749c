"""API of runs and their estimates; read-only except for the request of a run."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.response import Response

from estimation.runs import selectors, services
from estimation.runs.compute.spec import RunSpec
from estimation.runs.compute.summary import Measured, RunSummary
from estimation.runs.models import Estimate, EstimationRun
from survey.access.requests import AuthenticatedApiRequest
from survey.access.roles import Permission
from survey.access.scope import HasPermission, SignedIn, may
from survey.collection.models import CollectionRound
from survey.microdata.models import MicrodataVersion
from survey.request_bodies import RequestBody, Unprocessable
from survey.request_values import whole_number


class RunSerializer(serializers.ModelSerializer[EstimationRun]):
    """A run with its inputs and, when finished, its measures."""

    round = serializers.IntegerField(source="round.year")
    microdata = serializers.CharField(source="microdata.content_hash")
    design = serializers.CharField(source="design.content_hash")
    error = serializers.CharField(help_text="in the language of the request")
    summary = serializers.SerializerMethodField()
    measured = serializers.SerializerMethodField()

    class Meta:
        model = EstimationRun
        fields = (
            "id",
            "round",
            "microdata",
            "design",
            "spec",
            "input_hash",
            "code_version",
            "state",
            "stage",
            "percent",
            "error",
            "requested_at",
            "started_at",
            "finished_at",
            "measured",
            "result_hash",
            "summary",
        )

    def get_measured(self, run: EstimationRun) -> dict[str, Any]:
        """Seconds of every stage and the peak memory; empty before the end of the run."""
        measured: Measured = run.measured
        return measured.to_document()

    def get_summary(self, run: EstimationRun) -> dict[str, Any]:
        """Counts, checks and external values, and the run that superseded this one."""
        newer = getattr(run, "superseded_by", None)
        summary: RunSummary = run.summary
        return summary.to_document() | ({"superseded_by": newer.pk} if newer else {})


class RunRequest(RequestBody):
    """Input of the request of a run."""

    round = serializers.IntegerField()
    microdata = serializers.IntegerField(
        required=False, help_text="key of a frozen version; frozen now when absent"
    )
    spec = serializers.DictField(required=False, help_text="parameters that differ from the defaults")


class EstimateSerializer(serializers.ModelSerializer[Estimate]):
    """One estimate with its quality."""

    class Meta:
        model = Estimate
        exclude = ("id", "run")


class Runs(ListAPIView[EstimationRun]):
    """The runs, newest first; POST requests one. The same inputs give the same run."""

    permission = Permission.VIEW_ESTIMATES
    permission_classes = [SignedIn, HasPermission]
    serializer_class = RunSerializer
    queryset = selectors.all_runs()

    @extend_schema(request=RunRequest, responses={200: RunSerializer, 202: RunSerializer})
    def post(self, request: AuthenticatedApiRequest) -> Response:
        """Request a run: 202 when it has to be computed, 200 when it exists already."""
        if not may(request.user, Permission.RUN_ESTIMATION):
            self.permission_denied(request)
        form = RunRequest(data=request.data)
        form.is_valid(raise_exception=True)
        round_ = get_object_or_404(CollectionRound, year=form.validated_data["round"])
        key = form.validated_data.get("microdata")
        microdata = get_object_or_404(MicrodataVersion, pk=key) if key is not None else None
        try:
            spec = RunSpec.from_json(form.validated_data.get("spec", {}))
        except (TypeError, ValueError) as error:
            raise Unprocessable({"spec": [str(error)]}) from error
        run, waits = services.request_run(round=round_, by=request.user, spec=spec, microdata=microdata)
        code = status.HTTP_202_ACCEPTED if waits else status.HTTP_200_OK
        return Response(RunSerializer(run).data, status=code)


class Run(RetrieveAPIView[EstimationRun]):
    """One run."""

    permission = Permission.VIEW_ESTIMATES
    permission_classes = [SignedIn, HasPermission]
    serializer_class = RunSerializer
    queryset = selectors.all_runs()


_FILTERS = ("year", "variable", "statistic", "domain_kind", "domain_code")


@extend_schema(parameters=[OpenApiParameter(name, str) for name in _FILTERS])
class Estimates(ListAPIView[Estimate]):
    """Estimates of a run, filtered by equal values."""

    permission = Permission.VIEW_ESTIMATES
    permission_classes = [SignedIn, HasPermission]
    serializer_class = EstimateSerializer
    queryset = Estimate.objects.none()

    def get_queryset(self) -> Any:
        """Rows of the run in a fixed order."""
        if getattr(self, "swagger_fake_view", False):
            return Estimate.objects.none()
        run = get_object_or_404(EstimationRun, pk=self.kwargs["pk"])
        filters = {name: self.request.query_params.get(name, "") for name in _FILTERS}
        if filters["year"] and whole_number(filters["year"]) is None:
            raise ValidationError({"year": "a whole number"})
        return selectors.estimates_of(run, **filters).order_by(
            "year", "statistic", "domain_kind", "domain_code", "variable"
        )
