"""Reads of the sample design of a round, also as arrays."""

from typing import Any

import numpy as np
from django.db.models import Count, QuerySet, Sum

from estimation.design.allocation import Base
from estimation.design.drawn.selectors import index_of
from estimation.design.models import SampleDesign, SelectedUnit, Stratum
from estimation.design.strata import KINDS
from estimation.design.stratify import Frame
from estimation.methods.arrays import Floats
from survey.access.models import User
from survey.access.roles import Permission
from survey.classification import CATEGORIES, REGIONS, SECTIONS, SIZES
from survey.collection.models import CollectionRound
from survey.frame.selectors import visible_units
from survey.microdata.models import MicrodataVersion
from survey.microdata.selectors import item_values, versions_of
from survey.microdata.variables import Variable
from survey.operations.checklist.selectors import Item

USABLE = (SampleDesign.State.APPROVED, SampleDesign.State.HANDED_OVER)
# Headline items of the report: produced, stored, circulated and developed data, and expenditure on data.
CHIEF_ITEMS = ("P01", "S02", "F01", "D01", "T02")


def latest_design(round: CollectionRound) -> SampleDesign | None:
    """The design that a new run of the round uses: approved by a second person, or none."""
    return SampleDesign.objects.filter(round=round, state__in=USABLE).order_by("-number").first()


def designs() -> "QuerySet[SampleDesign]":
    """All designs, newest first; a design covers the whole country."""
    people = ("created_by", "drawn_by", "approved_by", "handed_over_by", "withdrawn_by")
    return SampleDesign.objects.select_related("round", "previous__round", "job", *people).order_by(
        "-round__year", "-number"
    )


def plannable_rounds() -> list[CollectionRound]:
    """Rounds that have not begun and whose sample is not handed over, next one first."""
    handed_over = SampleDesign.objects.filter(state=SampleDesign.State.HANDED_OVER).values("round")
    planned = CollectionRound.objects.filter(state=CollectionRound.State.PLANNED).exclude(pk__in=handed_over)
    return list(planned.order_by("year"))


def basis_of(round: CollectionRound) -> tuple[MicrodataVersion | None, SampleDesign | None]:
    """The newest frozen year before the round, and the design that it was collected with."""
    for earlier in CollectionRound.objects.filter(year__lt=round.year).order_by("-year")[:3]:
        version, design = versions_of(earlier).first(), latest_design(earlier)
        if version is not None and design is not None:
            return version, design
    return None, None


def values_of(frame: Frame, version: MicrodataVersion | None) -> tuple[list[Variable], Floats]:
    """The chief items and last year's values of every unit of the frame, (n, k); NaN where missing.

    An item that a form does not ask, or an optional item left blank, is 0; a required item without value is NaN.
    """
    if version is None:
        return [], np.zeros((len(frame.key), 0))
    variables, rows = item_values(version, CHIEF_ITEMS)
    result = np.full((len(frame.key), len(variables)), np.nan)
    if not rows:
        return variables, result
    order = np.argsort(frame.key)
    table = np.array(rows, dtype=np.float64)
    unit, values = table[:, 0].astype(np.int64), table[:, 1:]
    position = (
        order[np.clip(np.searchsorted(frame.key[order], unit), 0, len(order) - 1)] if len(order) else unit[:0]
    )
    listed = frame.key[position] == unit if len(order) else np.zeros(len(unit), bool)
    result[position[listed]] = values[listed]
    answered = np.zeros(len(frame.key), bool)
    answered[position[listed]] = True
    for column, variable in enumerate(variables):
        asks = np.isin(frame.category, [CATEGORIES.index(code) for code in variable.categories])
        nothing = answered & np.isnan(result[:, column]) & ~(asks & variable.required)
        result[nothing, column] = 0.0
        result[~asks, column] = 0.0
    return variables, result


def base_of(design: SampleDesign) -> Base:
    """The base of the alternatives of a design, from its stored strata."""
    rows = list(
        Stratum.objects.filter(design=design)
        .order_by("pk")
        .values_list(
            "kind", "category", "region", "section", "size", "population", "listed", "mean", "spread"
        )
    )
    columns: list[Any] = list(zip(*rows, strict=True)) if rows else [()] * 9
    items = tuple(design.basis.items)
    codelists = (KINDS, CATEGORIES, REGIONS, SECTIONS, SIZES)
    key = np.stack([index_of(columns[part], codelist) for part, codelist in enumerate(codelists)], axis=1)
    cells = design.basis.cells
    shape = (-1, len(items))
    return Base(
        items=items,
        key=key,
        population=np.array(columns[5], np.float64),
        listed=np.array(columns[6], np.float64),
        mean=np.array(columns[7], np.float64).reshape(len(key), len(items)),
        spread=np.array(columns[8], np.float64).reshape(len(key), len(items)),
        main=np.array(design.basis.main, np.int64).reshape(len(key), 2),
        cell_key=np.array(cells.key, np.int64).reshape(-1, 4),
        cell_size=np.array(cells.size, np.float64),
        cell_mean=np.array(cells.mean, np.float64).reshape(shape if items else (len(cells.size), 0)),
        cell_spread=np.array(cells.spread, np.float64).reshape(shape if items else (len(cells.size), 0)),
    )


def strata_by_kind(design: SampleDesign) -> list[Any]:
    """Strata, population, listed and drawn units by kind and reason."""
    return list(
        Stratum.objects.filter(design=design)
        .values("kind", "reason")
        .annotate(strata=Count("pk"), population=Sum("population"), listed=Sum("listed"), drawn=Sum("drawn"))
        .order_by("kind", "reason")
    )


def strata_page(design: SampleDesign, *, kind: str, region: str, section: str) -> "QuerySet[Stratum]":
    """Strata of a design, filtered, in the order of their key."""
    rows = Stratum.objects.filter(design=design)
    conditions = {"kind": kind, "region": region, "section": section}
    rows = rows.filter(**{name: value for name, value in conditions.items() if value})
    return rows.order_by("pk")


def sample_rows(design: SampleDesign, user: User) -> list[tuple[Any, ...]]:
    """The drawn units that this person may see, in the order of their credit codes, with stratum and weight."""
    units = visible_units(user, Permission.DESIGN_SAMPLE).values("pk")
    selected = (
        SelectedUnit.objects.filter(design=design, unit__in=units)
        .select_related("unit", "stratum")
        .order_by("unit__uscc")
    )
    return list(
        selected.values_list(
            "unit__uscc",
            "unit__name",
            "unit__category",
            "unit__region_id",
            "unit__division_code",
            "unit__industry",
            "unit__section",
            "unit__size_class",
            "stratum__kind",
            "stratum__reason",
            "stratum__category",
            "stratum__region",
            "stratum__section",
            "stratum__size",
            "stratum__population",
            "stratum__drawn",
            "probability",
            "random_number",
        )
    )


def design_item(round_: CollectionRound | None) -> Item:
    """Checklist of a new installation: the sample design of the next round is approved or handed over."""
    if round_ is None:
        return Item("sample design", "plan a round first")
    approved = latest_design(round_) is not None
    return Item("sample design", "" if approved else "one person draws the sample, another approves it")
