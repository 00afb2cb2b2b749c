"""A request that fails because a disk is full is answered with 507; another error stays a 500, which tells nothing of it."""

import ast
import errno

import pytest
from django.utils import translation

from config.errors import server_error
from tests.architecture.source import Source


@pytest.mark.parametrize(
    ("number", "status"), [(errno.ENOSPC, 507), (errno.EDQUOT, 507), (errno.EFBIG, 507), (errno.EACCES, 500)]
)
def test_a_full_disk_is_507(rf, number, status):
    try:
        raise OSError(number, "from a write")
    except OSError:
        assert server_error(rf.post("/sheets/1/evidence/")).status_code == status
        assert server_error(rf.post("/api/v1/runs/")).status_code == status


@pytest.mark.parametrize("path", ["/tasks/", "/api/v1/sheets/"])
def test_the_page_of_an_error_shows_nothing_of_it(rf, settings, path):
    secret = f"{settings.SECRET_KEY} SELECT 1"
    try:
        raise RuntimeError(secret)
    except RuntimeError:
        answer = server_error(rf.get(path))
    body = answer.content.decode()
    assert answer.status_code == 500
    assert [
        word for word in (settings.SECRET_KEY, "SELECT", "RuntimeError", "Traceback", ".py") if word in body
    ] == []


def error_numbers(source: Source) -> dict[str, set[str]]:
    """Numbers of a full disk by the module that names them. A bucket raises one: its server has no numbers."""
    named = {
        path: {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and node.attr in {"ENOSPC", "EDQUOT", "EFBIG"}
        }
        for path, tree in source.trees()
    }
    return {path: names for path, names in named.items() if names}


ONCE = {"config/files/faults.py": {"ENOSPC", "EDQUOT", "EFBIG"}, "config/files/bucket.py": {"ENOSPC"}}


def test_the_error_numbers_of_a_full_disk_stand_once() -> None:
    assert error_numbers(Source.read()) == ONCE
    planted = Source.read().planted("survey/files.py", "full = error.errno == errno.EDQUOT")
    assert error_numbers(planted) == ONCE | {"survey/files.py": {"EDQUOT"}}


@pytest.mark.parametrize(("language", "words"), [("zh-hans", "磁盘已满"), ("en", "is full")])
def test_the_page_is_in_the_language_of_the_user(rf, language, words):
    with translation.override(language):
        try:
            raise OSError(errno.ENOSPC, "no space")
        except OSError:
            assert words in server_error(rf.get("/")).content.decode()
