"""Every kind of job has a name that people read."""

import re

import pytest
from celery import current_app
from django.utils.translation import override

from survey.jobs import kinds


def test_every_kind_has_a_name_in_both_languages() -> None:
    names = kinds.registered()
    assert len(names) > 15
    with override("zh-hans"):
        assert [name for name in names if not re.search("[一-鿿]", kinds.label_of(name))] == []
    with override("en"):
        labels = [kinds.label_of(name) for name in names]
    assert [label for label in labels if not re.fullmatch("[A-Z][a-z -:]+", label)] == []
    assert len(set(labels)) == len(labels)


def test_a_kind_without_a_name_is_not_registered() -> None:
    with pytest.raises(TypeError):
        kinds.register("nameless", lambda work: None)  # type: ignore[call-arg]  # the missing label is the case
    assert "nameless" not in kinds.registered()


def test_a_row_of_a_kind_that_no_longer_exists_is_named() -> None:
    with override("en"):
        assert kinds.label_of("bygone") == "work of an earlier version (bygone)"


def test_task_modules_are_imported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # Celery runs all checks of all models at each import, a second of processor time on a page of names.
    kinds.registered()
    monkeypatch.setattr(current_app.loader, "import_default_modules", lambda: pytest.fail("imported again"))
    kinds.registered()
    kinds.label_of("bygone")
