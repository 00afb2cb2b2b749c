"""Reads a whole round into an archive package: sheets, versions, reasons, rules, inputs, runs, releases.

For the archive only: it covers the whole country and holds every answer with its unit.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.db.models import DecimalField, FloatField, IntegerField, Model, QuerySet

from estimation.archive.package import Package
from estimation.archive.tables import INTEGER, NUMBER, TEXT
from estimation.design.models import SelectedUnit, Stratum
from estimation.external.models import ExternalSeries
from estimation.releases.content.content import Content
from estimation.releases.models import BlockVersion, Release
from estimation.runs.models import Estimate, EstimationRun, StratumWeight, TreatedUnit
from survey.audit import AuditEvent
from survey.collection.models import CollectionRound
from survey.microdata.models import MicrodataVersion, Observation
from survey.microdata.projection import REASONS
from survey.questionnaires.models import QuestionnaireVersion
from survey.submissions.comments.models import ReviewQuery
from survey.submissions.models import Filing, ItemNote, SubmissionEvent

_CHUNK = 2000
_UNIT = ("uscc", "category", "region", "section", "size_class", "values_hash")
FORMAT = 2  # 1 had no Parquet and no README


def archive_round(round: CollectionRound, path: Path) -> tuple[str, dict[str, Any]]:
    """Write the package of a round; returns its digest and the facts of its files."""
    package = Package(
        path, {"format": FORMAT, "round": round.year, "is_synthetic": round.is_synthetic, "releases": {}}
    )
    package.add_json(
        "round.json",
        {
            "year": round.year,
            "state": round.state,
            "reference_date": round.reference_date,
            "opens_at": round.opens_at,
            "due_at": round.due_at,
            "closes_at": round.closes_at,
            "is_synthetic": round.is_synthetic,
        },
        "the round",
    )
    _questionnaires(package, round)
    _sheets(package, round)
    _microdata(package, round)
    _inputs(package, round)
    for run in EstimationRun.objects.filter(round=round, state=EstimationRun.State.FINISHED).order_by("pk"):
        _run(package, run)
    _releases(package, round)
    return package.close(), package.files


def _rows(rows: QuerySet[Any], *fields: str) -> Iterator[Sequence[Any]]:
    yield from rows.values_list(*fields).iterator(chunk_size=_CHUNK)


def _table(
    package: Package, name: str, rows: QuerySet[Any], words: str, *fields: str, typed: bool = False
) -> None:
    header = [field.replace("__", "_") for field in fields]
    kinds = {head: _kind(rows.model, field) for head, field in zip(header, fields, strict=True)}
    package.add_csv(name, header, _rows(rows, *fields), words, kinds if typed else None)


def _kind(model: type[Model], path: str) -> str:
    """The kind of a column, from the model field that it is read from."""
    first, _, rest = path.partition("__")
    field: Any = model._meta.get_field(first)
    if rest:
        return _kind(field.related_model, rest)
    kind = field.target_field if field.is_relation else field
    if isinstance(kind, IntegerField):
        return INTEGER
    return NUMBER if isinstance(kind, FloatField | DecimalField) else TEXT


def _questionnaires(package: Package, round: CollectionRound) -> None:
    for version in QuestionnaireVersion.objects.filter(year=round.year).order_by("category", "pk"):
        package.add_json(
            f"questionnaires/{version.category}-{version.content_hash[:12]}.json",
            {
                "category": version.category,
                "content_hash": version.content_hash,
                "document": version.document,
            },
            "a published questionnaire with its items, texts and rules",
        )


def _sheets(package: Package, round: CollectionRound) -> None:
    filings = Filing.objects.filter(submission__round=round)
    for category in sorted(set(filings.values_list("submission__unit__category", flat=True))):
        package.add_csv(
            f"sheets/{category}.csv",
            [
                "uscc",
                "region",
                "state",
                "number",
                "filed_at",
                "revision",
                "version_hash",
                "content_hash",
                "answers",
                "explanations",
                "signatories",
            ],
            (
                (
                    filing.submission.unit.uscc,
                    filing.submission.unit.region_id,
                    filing.submission.state,
                    filing.number,
                    filing.filed_at.isoformat(),
                    filing.revision,
                    filing.version.content_hash,
                    filing.content_hash,
                    *(_json(value) for value in (filing.answers, filing.explanations, filing.signatories)),
                )
                for filing in filings.filter(submission__unit__category=category)
                .select_related("submission__unit", "version")
                .defer("version__document")
                .order_by("pk")
                .iterator(chunk_size=_CHUNK)
            ),
            "every filing as it was submitted, with the reasons for unusual answers",
        )
    _table(
        package,
        "sheets/events.csv",
        SubmissionEvent.objects.filter(submission__round=round).order_by("pk"),
        "what was done to the sheets",
        "submission__unit__uscc",
        "at",
        "actor__username",
        "kind",
        "action",
        "item",
        "old",
        "new",
        "revision",
        "reason",
        "channel",
    )
    _table(
        package,
        "sheets/queries.csv",
        ReviewQuery.objects.filter(submission__round=round).order_by("pk"),
        "comments of the reviewers",
        "submission__unit__uscc",
        "item",
        "text",
    )
    _table(
        package,
        "sheets/remarks.csv",
        ItemNote.objects.filter(submission__round=round).order_by("pk"),
        "remarks of the respondents at items",
        "submission__unit__uscc",
        "item",
        "text",
        "by__username",
        "at",
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _microdata(package: Package, round: CollectionRound) -> None:
    for version in MicrodataVersion.objects.filter(round=round).select_related("layout").order_by("number"):
        folder = f"microdata/v{version.number}"
        package.add_json(
            f"{folder}/version.json",
            {
                "number": version.number,
                "size": version.size,
                "content_hash": version.content_hash,
                "frozen_at": version.frozen_at,
                "layout": version.layout.variables,
                "reasons": {int(code): {"zh": text.zh, "en": text.en} for code, text in REASONS.items()},
            },
            "a frozen set of accepted answers and its variables",
        )
        members = Observation.objects.filter(pk__in=version.members.values("observation_id"))
        codes = [entry["code"] for entry in version.layout.variables]
        package.add_csv(
            f"{folder}/values.csv",
            [*_UNIT, "reasons", *codes],
            (
                (
                    member.unit.uscc,
                    member.category,
                    member.region,
                    member.section,
                    member.size_class,
                    member.values_hash,
                    "".join(map(str, member.reasons or b"")),
                    *("" if value != value else repr(value) for value in member.collected),
                )
                for member in members.select_related("unit").order_by("pk").iterator(chunk_size=_CHUNK)
            ),
            "numbers as they were filed; one digit of reasons per variable says why a place is empty (version.json)",
            {**dict.fromkeys((*_UNIT, "reasons"), TEXT), **dict.fromkeys(codes, NUMBER)},
        )


def _inputs(package: Package, round: CollectionRound) -> None:
    _table(
        package,
        "design/strata.csv",
        Stratum.objects.filter(design__round=round).order_by("pk"),
        "strata of the sample",
        "design__number",
        "kind",
        "category",
        "region",
        "section",
        "size",
        "population",
        "drawn",
        "take_all",
        typed=True,
    )
    _table(
        package,
        "design/selected.csv",
        SelectedUnit.objects.filter(design__round=round).order_by("pk"),
        "selected units",
        "unit__uscc",
        "stratum_id",
        "region",
        "probability",
        "random_number",
        typed=True,
    )
    _table(
        package,
        "external.csv",
        ExternalSeries.objects.filter(year__lte=round.year).order_by("code", "year", "version"),
        "external series",
        "code",
        "year",
        "version",
        "value",
        "unit",
        "label_zh",
        "label_en",
        "source",
        "source_date",
        "entered_by__username",
        "entered_at",
        "approved_by__username",
        "approved_at",
    )


def _run(package: Package, run: EstimationRun) -> None:
    folder = f"runs/{run.input_hash[:16]}"
    package.add_json(
        f"{folder}/run.json",
        {
            "input_hash": run.input_hash,
            "result_hash": run.result_hash,
            "code_version": run.code_version,
            "spec": run.spec,
            "summary": run.summary.to_document(),
            "finished_at": run.finished_at,
        },
        "an estimation run: parameters, inputs, program",
    )
    _table(
        package,
        f"{folder}/estimates.csv",
        Estimate.objects.filter(run=run).order_by("pk"),
        "estimates",
        "year",
        "variable",
        "statistic",
        "domain_kind",
        "domain_code",
        "value",
        "se",
        "cv",
        "lower",
        "upper",
        "n",
        "grade",
        typed=True,
    )
    _table(
        package,
        f"{folder}/treated.csv",
        TreatedUnit.objects.filter(run=run).order_by("pk"),
        "treated values",
        "year",
        "variable",
        "unit__uscc",
        "collected",
        "treated",
        "cutoff",
        "weight",
        "reason",
        typed=True,
    )
    _table(
        package,
        f"{folder}/weights.csv",
        StratumWeight.objects.filter(run=run).order_by("pk"),
        "weights",
        "year",
        "stratum_id",
        "region",
        "estimation_stratum",
        "population",
        "respondents",
        "weight",
        "collapsed_step",
        typed=True,
    )


def _releases(package: Package, round: CollectionRound) -> None:
    for release in Release.objects.filter(round=round).order_by("number"):
        name = f"releases/{release.number}.json"
        text = Content.from_document(release.content).to_json()
        package.add(name, text.encode(), f"content of release {release.number}, {release.state}")
        package.about["releases"][name] = release.content_hash
    _table(
        package,
        "text.csv",
        BlockVersion.objects.filter(round=round).order_by("code", "number"),
        "edited passages",
        "code",
        "number",
        "heading_zh",
        "heading_en",
        "body_zh",
        "body_en",
        "edited_by__username",
        "edited_at",
    )
    acts = AuditEvent.objects.filter(subject_type="release", details__round=round.year).order_by("pk")
    _table(
        package,
        "release_acts.csv",
        acts,
        "what was done to the releases",
        "at",
        "actor_name",
        "action",
        "details",
    )
