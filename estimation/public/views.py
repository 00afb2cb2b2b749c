"""Public pages. Each shows frozen cells of one release without computation."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from estimation.public import arrangement, crossings, selectors
from estimation.public.addresses import LANGUAGES, in_language
from estimation.releases.content.content import Content
from estimation.releases.models import Release
from estimation.report import selectors as files
from estimation.report.document.page import page_context
from estimation.report.figures.drawing import size_of
from estimation.report.figures.editions import outline_of, picture_of
from estimation.report.files.file_groups import file_groups
from estimation.report.files.names import MANIFEST, media_type
from estimation.report.outline import FigurePart
from survey.access.decorators import public
from survey.request_values import whole_number

type Edition = tuple[int, int | None]
type PublicView = Callable[..., HttpResponse]


def in_its_language(view: PublicView) -> PublicView:
    """The language of the page is that of its address, whatever the browser accepts."""

    @wraps(view)
    def translated(request: HttpRequest, language: str, *args: Any, **kwargs: Any) -> HttpResponse:
        with translation.override(LANGUAGES[language]):
            return view(request, language, *args, **kwargs)

    return translated


def public_page(
    request: HttpRequest, language: str, template: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    other = "en" if language == "zh" else "zh"
    frame = {"language": language, "other": other, "other_href": in_language(request.path, other)}
    return render(request, f"estimation/public/{template}", frame | context, status=status)


def _release(edition: Edition) -> Release:
    year, number = edition
    release = selectors.current(year) if number is None else selectors.numbered(year, number)
    if release is None:
        raise Http404
    return release


def edition_of(request: HttpRequest, language: str, edition: Edition) -> tuple[Content, dict[str, Any]]:
    """The content of an edition and the context of the base template."""
    release = _release(edition)
    if release.state == Release.State.WITHDRAWN:
        raise Http404
    content = selectors.content_of(release)
    name = str(release.round.year) if edition[1] is None else f"{release.round.year}-{release.number}"
    return content, {"release": release, "content": content, "edition": name}


@public
@require_safe
@in_its_language
def public_start(request: HttpRequest, language: str) -> HttpResponse:
    """The newest release, or a page without a release before the first publication."""
    release = selectors.current()
    if release is None:
        return public_page(request, language, "nothing.html", {})
    content = selectors.content_of(release)
    context = {"release": release, "content": content, "edition": str(release.round.year)}
    return _figures(request, language, content, context)


@public
@require_safe
@in_its_language
def public_figures(request: HttpRequest, language: str, edition: Edition) -> HttpResponse:
    """Key figures of a release, or why it was withdrawn."""
    release = _release(edition)
    if release.state == Release.State.WITHDRAWN:
        return public_page(request, language, "withdrawn.html", {"release": release}, status=410)
    content, context = edition_of(request, language, edition)
    return _figures(request, language, content, context)


def _figures(request: HttpRequest, language: str, content: Content, context: dict[str, Any]) -> HttpResponse:
    tables = [
        arrangement.table_view(content, table) for table in content.tables if table.code.startswith("C1.")
    ]
    shown = {"highlights": arrangement.highlights(content), "tables": tables, "active_page": "figures"}
    return public_page(request, language, "figures.html", context | shown)


@public
@require_safe
@in_its_language
def public_report(request: HttpRequest, language: str, edition: Edition) -> HttpResponse:
    """The report as a page: text, tables and figures in the order of the printed one."""
    content, context = edition_of(request, language, edition)
    document = outline_of(content, language)
    codes = [
        part.code for section in document.sections for part in section.parts if isinstance(part, FigurePart)
    ]
    sources = {code: reverse("public_picture", args=[language, context["edition"], code]) for code in codes}
    # The page is rendered once per release and cached, so that it can read the pictures.
    sizes = {code: size_of(_svg(context["release"], content, code, language) or "") for code in codes}
    shown = {
        **page_context(document, sources, sizes),
        "outline": document,
        "lazy": True,
        "active_page": "report",
    }
    return public_page(request, language, "report.html", context | shown)


def _svg(release: Release, content: Content, code: str, language: str) -> str | None:
    """A figure from the files of the release, or the same drawn while the files are being built."""
    stored = files.file_of(release, f"figures/{code}.{language}.svg")
    return picture_of(content, code, language) if stored is None else stored.decode()


@public
@require_safe
@in_its_language
def public_picture(request: HttpRequest, language: str, edition: Edition, code: str) -> HttpResponse:
    """A figure of the report as SVG: the file of the release, or the same drawn while the files are being built."""
    content, context = edition_of(request, language, edition)
    svg = _svg(context["release"], content, code, language)
    if svg is None:
        raise Http404
    return HttpResponse(svg.encode(), content_type=media_type("picture.svg"))


@public
@require_safe
@in_its_language
def public_files(request: HttpRequest, language: str, edition: Edition) -> HttpResponse:
    """Every file of a release. The page is not cacheable while the files are being written."""
    _content, context = edition_of(request, language, edition)
    manifest = files.manifest_of(context["release"])
    shown = {
        "shelves": file_groups(manifest["files"]) if manifest else [],
        "manifest": MANIFEST,
        "active_page": "files",
    }
    return public_page(request, language, "files.html", context | shown, status=200 if manifest else 202)


@public
@require_safe
@in_its_language
def public_file(request: HttpRequest, language: str, edition: Edition, name: str) -> HttpResponse:
    """One file of a release. The self-contained page is a download: the site's content security policy would block its styles."""
    _content, context = edition_of(request, language, edition)
    data = files.file_of(context["release"], name)
    if data is None:
        raise Http404
    shown = name.rpartition(".")[2] in ("pdf", "svg", "png")
    response = HttpResponse(data, content_type=media_type(name))
    disposition = content_disposition_header(as_attachment=not shown, filename=name.rpartition("/")[2])
    response.headers["Content-Disposition"] = disposition or "attachment"
    return response


@public
@require_safe
@in_its_language
def public_tables(request: HttpRequest, language: str, edition: Edition) -> HttpResponse:
    """All tables of a release."""
    _content, context = edition_of(request, language, edition)
    return public_page(request, language, "tables.html", context | {"active_page": "tables"})


@public
@require_safe
@in_its_language
def public_table(request: HttpRequest, language: str, edition: Edition, code: str) -> HttpResponse:
    """One table; a click on a column sorts by it."""
    content, context = edition_of(request, language, edition)
    table = arrangement.find_table(content, code)
    if table is None:
        raise Http404
    descending = request.GET.get("order") != "up"
    sort = whole_number(request.GET.get("sort"), 99)
    view = arrangement.table_view(content, table, sort, descending=descending)
    return public_page(
        request, language, "table.html", context | {"view": view, "table": table, "active_page": "tables"}
    )


@public
@require_safe
@in_its_language
def public_table_csv(request: HttpRequest, language: str, edition: Edition, code: str) -> HttpResponse:
    """One table as a file."""
    content, context = edition_of(request, language, edition)
    table = arrangement.find_table(content, code)
    if table is None:
        raise Http404
    name = f"ndrs-{context['edition']}-{code}-{language}.csv"
    return HttpResponse(
        arrangement.as_csv(content, table, language),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@public
@require_safe
@in_its_language
def public_explore(request: HttpRequest, language: str, edition: Edition) -> HttpResponse:
    """Regions and industries to choose from."""
    content, context = edition_of(request, language, edition)
    return public_page(
        request,
        language,
        "explore.html",
        context | {"domains": arrangement.domains(content), "active_page": "explore"},
    )


@public
@require_safe
@in_its_language
def public_domain(
    request: HttpRequest, language: str, edition: Edition, kind: str, code: str
) -> HttpResponse:
    """Everything about one region or industry."""
    content, context = edition_of(request, language, edition)
    view = arrangement.domain_view(content, kind, code)
    if view is None:
        raise Http404
    shown = {"view": view, "domains": arrangement.domains(content)[kind], "active_page": "explore"}
    return public_page(request, language, "domain.html", context | shown)


@public
@require_safe
@in_its_language
def public_cell(request: HttpRequest, language: str, edition: Edition, key: str) -> HttpResponse:
    """One number: its interval, its sources, and the tables that contain it."""
    content, context = edition_of(request, language, edition)
    cell = content.cells.get(key)
    if cell is None:
        raise Http404
    shown = {"cell": cell, "positions": list(arrangement.positions_of(content, key)), "active_page": "tables"}
    return public_page(request, language, "cell.html", context | shown)


@public
@require_safe
@in_its_language
def public_method(request: HttpRequest, language: str, edition: Edition) -> HttpResponse:
    """Methods of the estimates."""
    _content, context = edition_of(request, language, edition)
    shown = {"choices": selectors.choices_of(context["release"]), "active_page": "method"}
    return public_page(request, language, "method.html", context | shown)


@public
@require_safe
@in_its_language
def public_quality(request: HttpRequest, language: str, edition: Edition) -> HttpResponse:
    """Sampling errors of the numbers, and checks of the arithmetic."""
    content, context = edition_of(request, language, edition)
    grade = request.GET.get("grade", "")
    counts, cells = arrangement.quality(content, grade if grade in "ABCDE" else "")
    shown = {"counts": counts, "cells": cells[:200], "grade": grade, "active_page": "quality"}
    return public_page(request, language, "quality.html", context | shown)


@public
@require_safe
@in_its_language
def public_archive(request: HttpRequest, language: str) -> HttpResponse:
    """All releases with their correction notes."""
    editions, release = list(selectors.editions()), selectors.current()
    shown = {
        "editions": editions,
        "active_page": "archive",
        "edition": str(release.round.year) if release else "",
    }
    return public_page(request, language, "archive.html", shown)


@public
@require_safe
@in_its_language
def public_data(request: HttpRequest, language: str) -> HttpResponse:
    """The API and the data files."""
    release = selectors.current()
    content = selectors.content_of(release) if release is not None else None
    first = arrangement.highlights(content)[:1] if content else []
    shown = {
        "release": release,
        "active_page": "data",
        "table": content.tables[0] if content else None,
        "example": first[0].cell.key if first else "",
        "content": content,
        "edition": str(release.round.year) if release else "",
    }
    return public_page(request, language, "data.html", shown)


@public
@require_safe
@in_its_language
def public_crossing(request: HttpRequest, language: str, edition: Edition) -> HttpResponse:
    """A variable by region and section: the whole table, the line of a region, or the column of a section."""
    content, context = edition_of(request, language, edition)
    table = crossings.choose(content, request.GET.get("variable", ""))
    if table is None:
        raise Http404
    region, section = request.GET.get("region", ""), request.GET.get("section", "")
    shown = {
        "table": table,
        "tables": content.crossings,
        "regions": crossings.regions_of(table),
        "sections": crossings.sections_of(table),
        "region": region,
        "section": section,
        "active_page": "explore",
    }
    if region or section:
        chosen = crossings.region_line if region else crossings.section_line
        line = chosen(content, table, region or section)
        if line is None:
            raise Http404
        return public_page(request, language, "crossing_line.html", context | shown | {"line": line})
    shown["grid"] = crossings.grid(content, table)
    return public_page(request, language, "crossing.html", context | shown)


@public
@require_safe
@in_its_language
def public_table_json(request: HttpRequest, language: str, edition: Edition, code: str) -> HttpResponse:
    """One table for programs, both languages in one file."""
    content, context = edition_of(request, language, edition)
    table = arrangement.find_table(content, code)
    if table is None:
        raise Http404
    name = f"ndrs-{context['edition']}-{code}.json"
    return HttpResponse(
        arrangement.as_json(content, table),
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
