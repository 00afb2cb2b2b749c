"""Pages that everybody may read. Each shows frozen cells of one release; none computes."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.http import parse_etags
from django.views.decorators.http import require_safe

from estimation.public import pages, selectors
from estimation.public.addresses import LANGUAGES, in_language
from estimation.releases.content import Content
from estimation.releases.models import Release
from estimation.report import selectors as files
from estimation.report.bundle import MANIFEST, media_type
from estimation.report.editions import outline_of, picture_of
from estimation.report.outline import FigurePart
from estimation.report.page import page_context
from estimation.report.shelf import shelves
from survey.access.decorators import public

type Edition = tuple[int, int | None]
type PublicView = Callable[..., HttpResponse]


def in_its_language(view: PublicView) -> PublicView:
    """The language of the page is that of its address, whatever the visitor's browser says."""

    @wraps(view)
    def spoken(request: HttpRequest, language: str, *args: Any, **kwargs: Any) -> HttpResponse:
        with translation.override(LANGUAGES[language]):
            return view(request, language, *args, **kwargs)

    return spoken


def _page(
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


def _edition(request: HttpRequest, language: str, edition: Edition) -> tuple[Content, dict[str, Any]]:
    """The content of an edition and what the frame of its pages shows."""
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
    """The newest release, or a page that says that nothing has been published yet."""
    release = selectors.current()
    if release is None:
        return _page(request, language, "nothing.html", {})
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
        return _page(request, language, "withdrawn.html", {"release": release}, status=410)
    content, context = _edition(request, language, edition)
    return _figures(request, language, content, context)


def _figures(request: HttpRequest, language: str, content: Content, context: dict[str, Any]) -> HttpResponse:
    tables = [pages.table_view(content, table) for table in content.tables if table.code.startswith("C1.")]
    shown = {"highlights": pages.highlights(content), "tables": tables, "here": "figures"}
    return _page(request, language, "figures.html", context | shown)


@public
@require_safe
@in_its_language
def public_report(request: HttpRequest, language: str, edition: Edition) -> HttpResponse:
    """The report as a page: text, tables and figures in the order of the printed one."""
    content, context = _edition(request, language, edition)
    document = outline_of(content, language)
    sources = {
        part.code: reverse("public_picture", args=[language, context["edition"], part.code])
        for section in document.sections
        for part in section.parts
        if isinstance(part, FigurePart)
    }
    shown = {**page_context(document, sources), "outline": document, "lazy": True, "here": "report"}
    return _page(request, language, "report.html", context | shown)


@public
@require_safe
@in_its_language
def public_picture(request: HttpRequest, language: str, edition: Edition, code: str) -> HttpResponse:
    """A figure of the report as SVG."""
    content, _context = _edition(request, language, edition)
    svg = picture_of(content, code, language)
    if svg is None:
        raise Http404
    return HttpResponse(svg, content_type=media_type("picture.svg"))


@public
@require_safe
@in_its_language
def public_files(request: HttpRequest, language: str, edition: Edition) -> HttpResponse:
    """Every file of a release. While they are being made the page says so and is not kept by caches."""
    _content, context = _edition(request, language, edition)
    manifest = files.manifest_of(context["release"])
    shown = {"shelves": shelves(manifest["files"]) if manifest else [], "manifest": MANIFEST, "here": "files"}
    return _page(request, language, "files.html", context | shown, status=200 if manifest else 202)


@public
@require_safe
def public_file(request: HttpRequest, language: str, edition: Edition, name: str) -> HttpResponseBase:
    """One file of a release, sent in pieces; its tag is its hash, so that it is sent once."""
    release = _release(edition)
    if release.state == Release.State.WITHDRAWN:
        raise Http404
    tag = files.hash_of(release, name)
    path = files.path_of(release, name)
    if tag is None or path is None:
        raise Http404
    if f'"{tag}"' in parse_etags(request.headers.get("If-None-Match", "")):
        response: HttpResponseBase = HttpResponse(status=304)
    else:
        response = FileResponse(path.open("rb"), filename=path.name, content_type=media_type(name))
    response.headers["ETag"] = f'"{tag}"'
    return response


@public
@require_safe
@in_its_language
def public_tables(request: HttpRequest, language: str, edition: Edition) -> HttpResponse:
    """All tables of a release."""
    _content, context = _edition(request, language, edition)
    return _page(request, language, "tables.html", context | {"here": "tables"})


@public
@require_safe
@in_its_language
def public_table(request: HttpRequest, language: str, edition: Edition, code: str) -> HttpResponse:
    """One table; a click on a column sorts by it."""
    content, context = _edition(request, language, edition)
    table = pages.find_table(content, code)
    if table is None:
        raise Http404
    asked = request.GET.get("sort", "")
    descending = request.GET.get("order") != "up"
    sort = int(asked) if asked.isdecimal() and len(asked) < 3 else None
    view = pages.table_view(content, table, sort, descending=descending)
    return _page(request, language, "table.html", context | {"view": view, "table": table, "here": "tables"})


@public
@require_safe
@in_its_language
def public_table_csv(request: HttpRequest, language: str, edition: Edition, code: str) -> HttpResponse:
    """One table as a file."""
    content, context = _edition(request, language, edition)
    table = pages.find_table(content, code)
    if table is None:
        raise Http404
    name = f"ndrs-{context['edition']}-{code}-{language}.csv"
    return HttpResponse(
        pages.as_csv(content, table, language), content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )  # fmt: skip


@public
@require_safe
@in_its_language
def public_explore(request: HttpRequest, language: str, edition: Edition) -> HttpResponse:
    """Regions and industries to choose from."""
    content, context = _edition(request, language, edition)
    return _page(
        request, language, "explore.html", context | {"domains": pages.domains(content), "here": "explore"}
    )


@public
@require_safe
@in_its_language
def public_domain(
    request: HttpRequest, language: str, edition: Edition, kind: str, code: str
) -> HttpResponse:
    """Everything about one region or industry."""
    content, context = _edition(request, language, edition)
    view = pages.domain_view(content, kind, code)
    if view is None:
        raise Http404
    shown = {"view": view, "domains": pages.domains(content)[kind], "here": "explore"}
    return _page(request, language, "domain.html", context | shown)


@public
@require_safe
@in_its_language
def public_cell(request: HttpRequest, language: str, edition: Edition, key: str) -> HttpResponse:
    """One number: its interval, what it was made of, where it stands."""
    content, context = _edition(request, language, edition)
    cell = content.cells.get(key)
    if cell is None:
        raise Http404
    shown = {"cell": cell, "places": list(pages.places_of(content, key)), "here": "tables"}
    return _page(request, language, "cell.html", context | shown)


@public
@require_safe
@in_its_language
def public_method(request: HttpRequest, language: str, edition: Edition) -> HttpResponse:
    """How the numbers are made."""
    _content, context = _edition(request, language, edition)
    return _page(request, language, "method.html", context | {"here": "method"})


@public
@require_safe
@in_its_language
def public_quality(request: HttpRequest, language: str, edition: Edition) -> HttpResponse:
    """How certain the numbers are, and whether they add up."""
    content, context = _edition(request, language, edition)
    grade = request.GET.get("grade", "")
    counts, cells = pages.quality(content, grade if grade in "ABCDE" else "")
    shown = {"counts": counts, "cells": cells[:200], "grade": grade, "here": "quality"}
    return _page(request, language, "quality.html", context | shown)


@public
@require_safe
@in_its_language
def public_archive(request: HttpRequest, language: str) -> HttpResponse:
    """All releases with their correction notes."""
    return _page(
        request, language, "archive.html", {"editions": list(selectors.editions()), "here": "archive"}
    )


@public
@require_safe
@in_its_language
def public_data(request: HttpRequest, language: str) -> HttpResponse:
    """How machines get the same numbers."""
    release = selectors.current()
    table = selectors.content_of(release).tables[0] if release is not None else None
    return _page(request, language, "data.html", {"release": release, "table": table, "here": "data"})
