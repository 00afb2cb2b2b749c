"""The explorer of regions by sections, and tables as JSON. Frozen cells, as everywhere on the public site."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from estimation.public import crossings, pages
from estimation.public.views import Edition, edition_of, in_its_language, public_page
from survey.access.decorators import public


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
        "table": table, "tables": content.crossings, "regions": crossings.regions_of(table),
        "sections": crossings.sections_of(table), "region": region, "section": section, "here": "explore",
    }  # fmt: skip
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
    table = pages.find_table(content, code)
    if table is None:
        raise Http404
    name = f"ndrs-{context['edition']}-{code}.json"
    return HttpResponse(
        pages.as_json(content, table), content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )  # fmt: skip
