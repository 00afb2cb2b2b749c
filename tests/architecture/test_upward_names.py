"""No module uses by a string or attribute what lies above it; each kind is also planted and found."""

import pytest

from tests.architecture.test_layout import ROOT, tracked
from tests.architecture.upward_names import (
    dotted_name,
    is_above,
    is_module_above,
    package_of,
    relations,
    sources,
    tables,
    task_names,
    template_packages,
    upward_names,
    upward_urls,
    url_names,
)

# (package, name) of what is named upwards for a reason.
ACCEPTED = {
    # The unit of a grant and of an activation code: a foreign key upwards, as the rows belong to units.
    ("survey.access", "survey.ReportingUnit"),
    # Words that are names of URLs as well.
    ("survey.access", "design_sample"),  # a permission
    ("survey.questionnaires", "unit_note"),  # a remark on the unit of measure in a document
}


def test_no_source_names_what_lies_above_it() -> None:
    names = [
        (package_of(module), name)
        for path in sources()
        for module in [dotted_name(path)]
        for name in upward_names(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"), module)
    ]
    assert [str(name) for package, name in names if (package, name.name) not in ACCEPTED] == []
    assert {(package, name.name) for package, name in names} >= ACCEPTED


def test_no_template_names_a_url_above_its_package() -> None:
    names = []
    for path in tracked("templates/*.html", "templates/*.txt"):
        template = str(path.relative_to(ROOT / "templates"))
        packages = template_packages().get(template, frozenset())
        names += upward_urls(template, path.read_text(encoding="utf-8"), packages)
    assert [str(name) for name in names] == []


@pytest.mark.parametrize(
    ("module", "text", "kind"),
    [
        ("survey.collection.services", "assignment.submission.state", "reverse relation"),
        ("survey.frame.services", "rows.filter(submissions__state='accepted')", "reverse relation"),
        ("survey.submissions.services", "rows.order_by('-score__rank')", "reverse relation"),
        ("survey.submissions.services", "sheet.bulk_memberships.filter(act=1)", "reverse relation"),
        ("survey.access.services", "sql = 'SELECT id FROM survey_submission'", "table"),
        ("survey.review.services", "sql = 'JOIN estimation_estimationrun run ON true'", "table"),
        ("survey.review.services", "apps.get_model('estimation.Release')", "model"),
        ("survey.access.services", "reverse('run_detail', args=[1])", "URL"),
        ("survey.access.services", "LINKS = [('review_queue', 1)]", "URL"),
        ("estimation.runs.services", "redirect('release_detail', 1)", "URL"),
        # Sub-packages of one package.
        ("survey.submissions.paradata.services", "sheet.queries.all()", "reverse relation"),
        ("survey.submissions.paradata.services", "rows.filter(queries__state='open')", "reverse relation"),
        ("survey.submissions.paradata.services", "rows.annotate(Count('queries'))", "reverse relation"),
        (
            "survey.submissions.paradata.services",
            "rows.prefetch_related('queries__slip')",
            "reverse relation",
        ),
        ("survey.submissions.paradata.services", "sql = 'SELECT id FROM survey_reviewquery'", "table"),
        ("survey.submissions.paradata.services", "apps.get_model('survey.ReviewQuery')", "model"),
        ("survey.review.scores.services", "sheet.bulk_memberships.first()", "reverse relation"),
        ("estimation.runs.compute.levels", "sql = 'SELECT id FROM estimation_bootstrap'", "table"),
    ],
)
def test_a_planted_name_is_found(module: str, text: str, kind: str) -> None:
    text = f"from django.db import models\n{text}"
    assert {name.kind for name in upward_names("planted.py", text, module)} == {kind}


@pytest.mark.parametrize(
    ("task", "module"),
    [
        ("survey.review.tasks.sweep_macro", "survey.access.services"),
        ("estimation.runs.tasks.sweep_stale_rounds", "survey.review.services"),
    ],
)
def test_a_planted_task_is_found(task: str, module: str) -> None:
    assert task in task_names()
    names = upward_names("planted.py", f"send({task!r})", module)
    assert [(name.kind, name.name) for name in names] == [("task", task)]


def test_a_planted_url_in_a_template_is_found() -> None:
    text = "<a href=\"{% url 'run_detail' 1 %}\">"
    assert len(upward_urls("planted.html", text, frozenset({"survey.review"}))) == 1
    assert upward_urls("planted.html", text, frozenset({"estimation.runs"})) == []


def test_what_lies_below_may_be_named() -> None:
    text = "from django.db import models\nreverse('sheet_hub', args=[1]); sheet.queries.all()"
    for module in (
        "survey.review.services",
        "survey.submissions.lifecycle.services",
        "survey.submissions.comments.x",
    ):
        assert upward_names("own.py", text, module) == []
    assert is_above("survey.review", "survey.submissions")
    assert not is_above("survey.submissions", "survey.review")
    assert is_module_above("survey.submissions.page.views", "survey.submissions.paradata.services")
    assert not is_module_above("survey.submissions.paradata.services", "survey.submissions.page.views")
    assert len(url_names()) > 100 and len(tables()) > 40 and len(task_names()) > 5 and len(relations()) > 10
